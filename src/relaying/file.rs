//! The configuration of a relay and the certificate that it names, read from the disk.

use std::path::{Path, PathBuf};

use super::RelayError;
use crate::{
    relay::{Relay, TlsFiles},
    system::{
        certificate::{Certificate, Files, Unfit},
        config_file,
    },
};

/// `relay.toml`, read at the start and whenever the relay is told to read it again.
#[derive(Clone, Debug)]
pub struct RelayFile(PathBuf);

impl RelayFile {
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// # Errors
    /// There is none, others may write to it, or it is wrong.
    pub fn read(&self) -> Result<Relay, RelayError> {
        let path = || self.0.clone();
        let text = config_file::read(&self.0).map_err(|why| RelayError::Unreadable { path: path(), why })?;
        Relay::parse(&text.ok_or_else(|| RelayError::Missing(path()))?)
            .map_err(|why| RelayError::Configuration { path: path(), why })
    }

    /// # Errors
    /// The files are no certificate and its key, or others may read the key.
    pub(super) fn certificate(&self, tls: &TlsFiles) -> Result<Certificate, RelayError> {
        Certificate::read(self.files(tls)).map_err(|why| self.unfit(tls, why))
    }

    /// As `certificate`; the old pair stays where the new one is refused.
    pub(super) fn certificate_again(&self, certificate: &Certificate, tls: &TlsFiles) -> Result<(), RelayError> {
        certificate.read_again(self.files(tls)).map_err(|why| self.unfit(tls, why))
    }

    /// A relative path begins beside the configuration.
    fn files(&self, tls: &TlsFiles) -> Files {
        let beside = self.0.parent().unwrap_or(Path::new(""));
        Files { chain: beside.join(&tls.cert), key: beside.join(&tls.key) }
    }

    fn unfit(&self, tls: &TlsFiles, why: Unfit) -> RelayError {
        let (place, file) = match why {
            Unfit::Chain(_) => (tls.cert_place, &tls.cert),
            Unfit::Key(_) | Unfit::Mismatch => (tls.key_place, &tls.key),
        };
        RelayError::Certificate { path: self.0.clone(), place, file: PathBuf::from(file), why }
    }
}

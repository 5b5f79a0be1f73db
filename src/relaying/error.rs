//! Why a relay does not start, or does not take what was read again.

use std::{error::Error, fmt, io, net::SocketAddr, path::PathBuf};

use crate::{
    catalog::{CatalogError, Place},
    relay::{AccessLogging, Settings},
    system::{certificate::Unfit, trusted_file::MISSING},
    vault::StoreError,
};

/// One variant a cause; the program adds what repairs it.
#[derive(Debug)]
pub enum RelayError {
    /// The certificate or its key, named at `place` of the configuration, cannot be used.
    Certificate {
        path: PathBuf,
        place: Place,
        file: PathBuf,
        why: Unfit,
    },
    /// The configuration is wrong.
    Configuration {
        path: PathBuf,
        why: CatalogError,
    },
    Listen {
        address: SocketAddr,
        why: io::ErrorKind,
    },
    /// There is no configuration at this path.
    Missing(PathBuf),
    /// What changed takes effect only with a new process.
    NeedsRestart(PathBuf),
    /// The configuration cannot be read, or others may write to it.
    Unreadable {
        path: PathBuf,
        why: StoreError,
    },
}

impl fmt::Display for RelayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate { path, place: Place { line, column }, file, why } => {
                let name = match why {
                    Unfit::Chain(_) => "cert",
                    Unfit::Key(_) | Unfit::Mismatch => "key",
                };
                write!(f, "{}: line {line}, column {column}: tls.{name}: {}: {why}", path.display(), file.display())
            }
            Self::Configuration { path, why } => write!(f, "{}: {why}", path.display()),
            Self::Listen { address, why } => write!(f, "cannot listen at {address}: {why}"),
            Self::Missing(path) => write!(f, "{}: {MISSING}", path.display()),
            Self::NeedsRestart(path) => write!(
                f,
                "{}: listen, admin, access_log and whether there is tls change only with a restart",
                path.display()
            ),
            Self::Unreadable { why, .. } => why.fmt(f),
        }
    }
}

impl Error for RelayError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Certificate { .. } | Self::Listen { .. } | Self::Missing(_) | Self::NeedsRestart(_) => None,
            Self::Configuration { why, .. } => Some(why),
            Self::Unreadable { why, .. } => Some(why),
        }
    }
}

/// What is fixed at the start.
#[derive(PartialEq, Eq)]
pub(super) struct Fixed {
    sockets: (SocketAddr, Option<SocketAddr>),
    encrypted: Encrypted,
    access_log: AccessLogging,
}

#[derive(PartialEq, Eq)]
enum Encrypted {
    No,
    Yes,
}

impl Fixed {
    pub(super) fn of(settings: &Settings) -> Self {
        let Settings { listen, admin, tls, access_log } = settings;
        let encrypted = tls.as_ref().map_or(Encrypted::No, |_| Encrypted::Yes);
        Self { sockets: (*listen, *admin), encrypted, access_log: *access_log }
    }
}

//! The certificate and key of a server as PEM files: read, checked against each other, and read again when they change,
//! while connections continue.
#![deny(clippy::let_underscore_must_use)]

use std::{
    fmt, fs,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use rustls::{
    Error, InconsistentKeys, ServerConfig,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::trusted_file::{Content, read};
use crate::vault::StoreError;

/// The pair for the next handshake.
#[derive(Debug)]
pub struct Certificate {
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    files: Files,
    /// The files when they were last read, successfully or not.
    stamps: [Option<Stamp>; 2],
    pair: Arc<CertifiedKey>,
}

/// PEM files: the chain, with the server's own certificate first, and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    pub chain: PathBuf,
    pub key: PathBuf,
}

/// The properties of a file that show whether it has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    changed: (i64, i64),
    length: u64,
}

/// The file and what is wrong with it.
#[derive(Debug)]
pub enum Unfit {
    Chain(Fault),
    Key(Fault),
    /// Both are valid, but they do not belong together.
    Mismatch,
}

impl Unfit {
    /// The key of `[tls]` that names the file.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Chain(_) => "cert",
            Self::Key(_) | Self::Mismatch => "key",
        }
    }
}

#[derive(Debug)]
pub enum Fault {
    /// It cannot be read, or others have rights that they must not have.
    Unreadable(StoreError),
    /// It has no PEM section of the expected kind.
    Missing,
    /// A PEM section is cut off or not base64.
    Malformed,
    /// TLS does not support its form or its algorithm.
    Useless,
}

impl Certificate {
    /// # Errors
    /// The files are no certificate and its key.
    pub fn read(files: Files) -> Result<Self, Unfit> {
        let stamps = stamps(&files);
        let pair = Arc::new(pair(&files)?);
        Ok(Self { current: Mutex::new(Current { files, stamps, pair }) })
    }

    /// Whether the files have changed since they were last read.
    pub fn has_changed(&self) -> bool {
        let current = self.lock();
        stamps(&current.files) != current.stamps
    }

    /// Uses the files from the next handshake on.
    ///
    /// # Errors
    /// As [`Certificate::read`]; the old pair stays in use.
    pub fn read_again(&self, files: Files) -> Result<(), Unfit> {
        let stamps = stamps(&files);
        let fresh = pair(&files);
        let mut current = self.lock();
        current.stamps = stamps;
        current.pair = Arc::new(fresh?);
        current.files = files;
        Ok(())
    }

    /// TLS 1.2 and 1.3 for HTTP/1.1, with the current pair.
    pub fn config(self: Arc<Self>) -> Arc<ServerConfig> {
        let builder = ServerConfig::builder_with_provider(ring::default_provider().into());
        let versions = builder.with_protocol_versions(rustls::DEFAULT_VERSIONS);
        #[expect(clippy::expect_used, reason = "the provider has cipher suites of both versions")]
        let mut config = versions.expect("TLS 1.2 and 1.3").with_no_client_auth().with_cert_resolver(self);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Arc::new(config)
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.lock().pair))
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (fault, wanted) = match self {
            Self::Chain(fault) => (fault, "certificate"),
            Self::Key(fault) => (fault, "private key"),
            Self::Mismatch => return f.write_str("the key is not the certificate's"),
        };
        match fault {
            Fault::Unreadable(StoreError::File { why, .. }) => f.write_str(why),
            Fault::Unreadable(why) => why.fmt(f),
            Fault::Missing => write!(f, "there is no PEM {wanted} in it"),
            Fault::Malformed => write!(f, "the PEM {wanted} in it is damaged"),
            Fault::Useless => write!(f, "TLS has no use for this {wanted}"),
        }
    }
}

fn pair(files: &Files) -> Result<CertifiedKey, Unfit> {
    let pem = read(&files.chain, Content::Public).map_err(|why| Unfit::Chain(Fault::Unreadable(why)))?;
    let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|_| Unfit::Chain(Fault::Malformed))?;
    if chain.is_empty() {
        return Err(Unfit::Chain(Fault::Missing));
    }
    let pem = read(&files.key, Content::Secret).map_err(|why| Unfit::Key(Fault::Unreadable(why)))?;
    let pem = zeroize::Zeroizing::new(pem);
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|why| {
        Unfit::Key(if matches!(why, pem::Error::NoItemsFound) { Fault::Missing } else { Fault::Malformed })
    })?;
    let key = ring::default_provider().key_provider.load_private_key(key).map_err(|_| Unfit::Key(Fault::Useless))?;
    let pair = CertifiedKey::new(chain, key);
    match pair.keys_match() {
        // Some kinds of keys do not contain their public half.
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(pair),
        Err(Error::InconsistentKeys(_)) => Err(Unfit::Mismatch),
        Err(_) => Err(Unfit::Chain(Fault::Useless)),
    }
}

fn stamps(files: &Files) -> [Option<Stamp>; 2] {
    [&files.chain, &files.key].map(|path| {
        let metadata = fs::metadata(path).ok()?;
        Some(Stamp { modified: metadata.modified().ok(), changed: changed(&metadata), length: metadata.len() })
    })
}

/// Seconds and nanoseconds of the last change, including owner and mode.
#[cfg(unix)]
fn changed(metadata: &fs::Metadata) -> (i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn changed(_: &fs::Metadata) -> (i64, i64) {
    (0, 0)
}

//! Why a relay does not start, or does not take what was read again.

use std::{io, net::SocketAddr, path::PathBuf};

use crate::{
    catalog::{CatalogError, Place},
    relay::{AccessLogging, Settings},
    system::{certificate::Unfit, trusted_file::MISSING},
    vault::StoreError,
};

/// One variant for each cause; the program adds what fixes it.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The certificate or its key, named at `place` of the configuration, cannot be used.
    #[error("{}: line {}, column {}: tls.{}: {}: {why}", path.display(), place.line, place.column, why.key(), file.display())]
    Certificate { path: PathBuf, place: Place, file: PathBuf, why: Unfit },
    /// The configuration is wrong.
    #[error("{}: {why}", path.display())]
    Configuration {
        path: PathBuf,
        #[source]
        why: CatalogError,
    },
    #[error("cannot listen at {address}: {why}")]
    Listen { address: SocketAddr, why: io::ErrorKind },
    /// There is no configuration at this path.
    #[error("{}: {MISSING}", .0.display())]
    Missing(PathBuf),
    /// What changed takes effect only with a new process.
    #[error("{}: listen, admin, access_log and whether there is tls change only with a restart", .0.display())]
    NeedsRestart(PathBuf),
    /// The configuration cannot be read, or others may write to it.
    #[error("{why}")]
    Unreadable {
        path: PathBuf,
        #[source]
        why: StoreError,
    },
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

//! `loopin serve keys`: a new key for the whole database, while the service runs.
//!
//! The service gets the new key beside the old one first, and starts with it: from then on it seals with the new one and
//! opens with both. `rotate` reseals what is left; it may be stopped and begun again at any moment, since every row is
//! readable before and after. A key that seals nothing any more can be taken out of the configuration.
#![deny(clippy::let_underscore_must_use)]

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::check;
use crate::{
    cli::ServeKeys,
    report::{Code, Failure, Outcome},
    server::sealed_store::{SealedStore, SealedStoreFault},
    service::{config::Config, keys::KeyId, store::ConnectionId},
    system::{database::Database, server},
};

/// Rows of one transaction: a refresh that wants to write waits no longer than that takes.
const TOGETHER: u32 = 100;

/// What a rotation did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rotated {
    pub resealed: u64,
    /// Rows that their key does not open; they stay as they are.
    pub unreadable: Vec<ConnectionId>,
}

/// Why there was none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RotationError {
    Fault(SealedStoreFault),
    /// The service has never run with the current key: what is resealed with it could not be opened there.
    Unproven(KeyId),
}

impl fmt::Display for RotationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(why) => why.fmt(f),
            Self::Unproven(key) => write!(f, "the service has not been started with the key {key} yet"),
        }
    }
}

impl std::error::Error for RotationError {}

impl<E: Into<SealedStoreFault>> From<E> for RotationError {
    fn from(why: E) -> Self {
        Self::Fault(why.into())
    }
}

impl From<RotationError> for Failure {
    fn from(error: RotationError) -> Self {
        match error {
            RotationError::Fault(why) => Self::new(Code::Store, why),
            RotationError::Unproven(_) => Self::new(Code::Configuration, error)
                .remedy("start the service again with this configuration, then rotate"),
        }
    }
}

/// Beside a running service: the lock of the node is not taken.
pub fn run(config: &Config, verb: &ServeKeys) -> Result<Outcome, Failure> {
    let ring = check::ring(&config.keys)?;
    check::proven(&config.database, &ring)?;
    let sealed = SealedStore { store: Arc::new(Database::open(&config.database)?), keys: Arc::new(ring) };
    let runtime = server::runtime().map_err(|e| Failure::new(Code::Internal, format!("no threads: {}", e.kind())))?;
    let rotated = match verb {
        ServeKeys::Rotate => runtime.block_on(rotate(&sealed))?,
        ServeKeys::Status => Rotated::default(),
    };
    let counts = runtime.block_on(status(&sealed)).map_err(|why| Failure::new(Code::Store, why))?;
    if let Some(id) = rotated.unreadable.first() {
        let what = format!("{} connections are opened by no key (the first is {id})", rotated.unreadable.len());
        return Err(Failure::new(Code::Store, what).remedy("restore these rows from a backup, or delete them"));
    }
    Ok(Outcome::Document(shown(&counts, sealed.keys.current()).into_bytes()))
}

fn shown(counts: &BTreeMap<KeyId, u64>, current: &KeyId) -> String {
    counts.iter().fold(String::new(), |text, (key, rows)| {
        let word = match rows {
            _ if key == current => "  current",
            0 => "  can be taken out of [keys]",
            _ => "",
        };
        text + &format!("{key}  {rows} rows{word}\n")
    })
}

/// Reseals every connection that another key than the current one has sealed.
///
/// # Errors
/// The database cannot be used, or does not know the current key; what was resealed before stays so.
pub async fn rotate(sealed: &SealedStore) -> Result<Rotated, RotationError> {
    let current = sealed.keys.current();
    let known = sealed.store.key_checks().await?;
    if !known.iter().any(|(id, proof)| id == current && sealed.keys.proves(id, proof)) {
        return Err(RotationError::Unproven(current.clone()));
    }
    let mut rotated = Rotated::default();
    for (key, _) in sealed.store.key_counts().await? {
        if key != *current {
            reseal(sealed, &key, &mut rotated).await?;
        }
    }
    Ok(rotated)
}

async fn reseal(sealed: &SealedStore, key: &KeyId, rotated: &mut Rotated) -> Result<(), SealedStoreFault> {
    let mut after = None;
    loop {
        let rows = sealed.store.sealed_with(key, after, TOGETHER).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last.id);
        let mut cells = Vec::new();
        for row in &rows {
            match sealed.resealed(row) {
                Ok(resealed) => cells.push(resealed),
                Err(SealedStoreFault::Sealed(_)) => rotated.unreadable.push(row.id),
                Err(why) => return Err(why),
            }
        }
        // Fewer than were read if refreshes came between, which seal with the current key themselves.
        rotated.resealed += u64::from(sealed.store.reseal(cells).await?);
    }
}

/// Which keys seal how many rows: those of the configuration, and any other that the database needs.
///
/// # Errors
/// The database cannot be read.
pub async fn status(sealed: &SealedStore) -> Result<BTreeMap<KeyId, u64>, SealedStoreFault> {
    let mut counts: BTreeMap<_, _> = sealed.keys.ids().map(|id| (id.clone(), 0)).collect();
    counts.extend(sealed.store.key_counts().await?);
    Ok(counts)
}

#[cfg(test)]
mod tests;

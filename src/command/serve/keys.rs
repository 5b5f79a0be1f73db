//! `loopin serve keys`: a new key for the whole database, while the service runs.
//!
//! The service gets the new key beside the old one first, and starts with it: from then on it seals with the new one and
//! opens with both. `rotate` reseals what is left; it may be stopped and begun again at any moment, since every row is
//! readable before and after. A key that seals nothing any more can be taken out of the configuration.

use std::{collections::BTreeMap, fmt};

use super::ledger::{Ledger, LedgerFault};
use crate::serve::{keys::KeyId, store::ConnectionId};

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
    Fault(LedgerFault),
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

impl<E: Into<LedgerFault>> From<E> for RotationError {
    fn from(why: E) -> Self {
        Self::Fault(why.into())
    }
}

/// Reseals every connection that another key than the current one has sealed.
///
/// # Errors
/// The database cannot be used, or does not know the current key; what was resealed before stays so.
pub async fn rotate(ledger: &Ledger) -> Result<Rotated, RotationError> {
    let current = ledger.keys.current();
    let known = ledger.store.key_checks().await?;
    if !known.iter().any(|(id, proof)| id == current && ledger.keys.proves(id, proof)) {
        return Err(RotationError::Unproven(current.clone()));
    }
    let mut rotated = Rotated::default();
    for (key, _) in ledger.store.key_counts().await? {
        if key != *current {
            reseal(ledger, &key, &mut rotated).await?;
        }
    }
    Ok(rotated)
}

async fn reseal(ledger: &Ledger, key: &KeyId, rotated: &mut Rotated) -> Result<(), LedgerFault> {
    let mut after = None;
    loop {
        let rows = ledger.store.sealed_with(key, after, TOGETHER).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last.id);
        let mut cells = Vec::new();
        for row in &rows {
            match ledger.resealed(row) {
                Ok(resealed) => cells.push(resealed),
                Err(LedgerFault::Sealed(_)) => rotated.unreadable.push(row.id),
                Err(why) => return Err(why),
            }
        }
        // Fewer than were read if refreshes came between, which seal with the current key themselves.
        rotated.resealed += u64::from(ledger.store.reseal(cells).await?);
    }
}

/// Which keys seal how many rows: those of the configuration, and any other that the database needs.
///
/// # Errors
/// The database cannot be read.
pub async fn status(ledger: &Ledger) -> Result<BTreeMap<KeyId, u64>, LedgerFault> {
    let mut counts: BTreeMap<_, _> = ledger.keys.ids().map(|id| (id.clone(), 0)).collect();
    counts.extend(ledger.store.key_counts().await?);
    Ok(counts)
}

#[cfg(test)]
#[path = "keys/tests.rs"]
mod tests;

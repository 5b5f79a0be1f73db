//! Connections with their secrets, which are encrypted before they are stored and decrypted when they are read.
#![deny(clippy::let_underscore_must_use)]

use std::{sync::Arc, time::SystemTime};

use crate::{
    oauth::GrantMetadata,
    secret::Secret,
    service::{
        callback::Warning,
        keys::{Column, KeyRing, Place, Sealed, Unopened},
        refresh_plan,
        store::{
            Access, Connection, ConnectionId, NewConnection, Put, Refreshable, RefreshedTokens, Resealed, Store,
            StoreFault,
        },
    },
    system::entropy::{self, NoEntropy},
    vault::{Grant, GrantKey, Pinned, Record, seal::Nonce},
};

/// How often a write is repeated when the row has changed since it was read.
const TRIES: u32 = 8;

/// The database and its keys.
#[derive(Clone)]
pub struct SealedStore {
    /// The database.
    pub store: Arc<dyn Store>,
    /// Its keys.
    pub keys: Arc<KeyRing>,
}

/// Why a secret was not stored or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealedStoreFault {
    /// The system returned no random bytes.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// A cell could not be decrypted.
    #[error(transparent)]
    Sealed(#[from] Unopened),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

/// A connection after a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connected {
    /// Its identifier.
    pub id: ConnectionId,
    /// What the application should know.
    pub warning: Option<Warning>,
}

impl SealedStore {
    /// Stores the tokens of a login in a new connection, or in the one that exists.
    ///
    /// # Errors
    /// The database or the system's random number generator failed.
    pub async fn connect(
        &self,
        key: &GrantKey,
        base_url: Option<String>,
        pinned: Pinned,
        grant: &Grant,
        now: SystemTime,
    ) -> Result<Connected, SealedStoreFault> {
        for _ in 0..TRIES {
            let there = self.store.connection(key).await?;
            let (id, generation) = match &there {
                Some(there) => (there.id, there.generation + 1),
                None => (ConnectionId::new(entropy::random()?), 1),
            };
            let grant = there.as_ref().map_or_else(|| grant.clone(), |there| self.reconnected(there, &pinned, grant));
            let (access, refresh) = self.sealed(id, key, generation, &grant)?;
            let missed = grant.misses_refresh_token(there.as_ref().map(Connection::refreshable));
            let warning = missed.then_some(Warning::NoRefreshToken);
            let (key, base_url, pinned) = (key.clone(), base_url.clone(), pinned.clone());
            let new = NewConnection { id, key, generation, base_url, pinned, access, refresh };
            if self.store.put_connection(new, now).await? == Put::Stored {
                return Ok(Connected { id, warning });
            }
        }
        Err(SealedStoreFault::Store(StoreFault::Unavailable(
            "the connection is being written by others all the time".into(),
        )))
    }

    /// The grant of a login for the connection that exists, with its refresh token where that is kept. One that the
    /// provider has refused is not kept, and neither is one that cannot be decrypted.
    fn reconnected(&self, there: &Connection, pinned: &Pinned, grant: &Grant) -> Grant {
        match (there.refreshable(), self.record(there)) {
            (Refreshable::Yes, Ok(stored)) => grant.clone().keeping_refresh_token(pinned, &stored),
            (Refreshable::No, _) | (_, Err(_)) => grant.clone(),
        }
    }

    /// What to store in `now` if a login has kept the refresh token of `row` while a refresh replaced it by that of
    /// `refreshed`. `None`: it has another one.
    pub fn rotated_meanwhile(&self, row: &Connection, now: &Connection, refreshed: &Grant) -> Option<Grant> {
        let (before, there) = (self.record(row).ok()?.grant, self.record(now).ok()?.grant);
        there.with_rotated(&before, refreshed)
    }

    /// The tokens of a refresh, encrypted for the row that was refreshed.
    ///
    /// # Errors
    /// The system returned no random bytes.
    pub fn refreshed(&self, row: &Connection, grant: &Grant) -> Result<RefreshedTokens, SealedStoreFault> {
        let (access, refresh) = self.sealed(row.id, &row.key, row.generation + 1, grant)?;
        Ok(RefreshedTokens { id: row.id, key: row.key.clone(), generation: row.generation, access, refresh })
    }

    /// # Errors
    /// The cell belongs to another row, or its key is missing.
    pub fn access_token(&self, row: &Connection) -> Result<Secret, Unopened> {
        self.keys.open(&place(Column::ConnectionAccess, row), &row.access.token)
    }

    /// # Errors
    /// The cell belongs to another row, or its key is missing.
    pub fn refresh_token(&self, row: &Connection) -> Result<Option<Secret>, Unopened> {
        let open = |cell| self.keys.open(&place(Column::ConnectionRefresh, row), cell);
        row.refresh.as_ref().map(open).transpose()
    }

    /// What the provider sent beside the tokens.
    ///
    /// # Errors
    /// The cell belongs to another row, or its key is missing.
    pub fn metadata(&self, row: &Connection) -> Result<GrantMetadata, Unopened> {
        let Some(cell) = &row.access.metadata else { return Ok(GrantMetadata::default()) };
        let plain = self.keys.open(&place(Column::ConnectionMetadata, row), cell)?;
        serde_json::from_str(plain.expose()).map_err(|_| Unopened::Foreign)
    }

    /// The row as a record, for a refresh and its journal.
    ///
    /// # Errors
    /// A cell belongs to another row, or its key is missing.
    pub fn record(&self, row: &Connection) -> Result<Record, Unopened> {
        let Access { token_type, asked, granted, obtained_at, expiry, refreshable_until, subject, .. } =
            row.access.clone();
        let grant = Grant {
            asked,
            granted,
            access_token: self.access_token(row)?,
            token_type,
            expiry,
            refresh_token: self.refresh_token(row)?,
            refreshable_until,
            id_token: None,
            subject,
            metadata: self.metadata(row)?,
            obtained_at,
        };
        let seal_key = self.keys.current_key().clone();
        Ok(Record { seal_key, generation: row.generation, pinned: row.pinned.clone(), grant })
    }

    /// The same secrets, encrypted with the current key.
    ///
    /// # Errors
    /// A cell belongs to another row, or its key is missing.
    pub fn resealed(&self, row: &Connection) -> Result<Resealed, SealedStoreFault> {
        let before = row.access.token.key().ok_or(Unopened::Foreign)?;
        let reseal = |column, secret: &Secret| -> Result<Sealed, NoEntropy> {
            Ok(self.keys.seal(&place(column, row), Nonce(entropy::random()?), secret))
        };
        let access = reseal(Column::ConnectionAccess, &self.access_token(row)?)?;
        let refresh = self.refresh_token(row)?.map(|secret| reseal(Column::ConnectionRefresh, &secret)).transpose()?;
        let metadata = match &row.access.metadata {
            None => None,
            Some(_) => Some(reseal(Column::ConnectionMetadata, &Secret::json(&self.metadata(row)?))?),
        };
        Ok(Resealed { id: row.id, generation: row.generation, before, access, refresh, metadata })
    }

    fn sealed(
        &self,
        id: ConnectionId,
        key: &GrantKey,
        generation: u64,
        grant: &Grant,
    ) -> Result<(Access, Option<Sealed>), NoEntropy> {
        let seal = |column, secret: &Secret| -> Result<Sealed, NoEntropy> {
            let place = Place { column, id: id.bytes(), key, generation };
            Ok(self.keys.seal(&place, Nonce(entropy::random()?), secret))
        };
        let refresh = grant.refresh_token.as_ref().map(|secret| seal(Column::ConnectionRefresh, secret)).transpose()?;
        let access = Access {
            token: seal(Column::ConnectionAccess, &grant.access_token)?,
            token_type: grant.token_type.clone(),
            asked: grant.asked.clone(),
            granted: grant.granted.clone(),
            obtained_at: grant.obtained_at,
            expiry: grant.expiry,
            refreshable_until: grant.refreshable_until,
            subject: grant.subject.clone(),
            metadata: match grant.metadata.is_empty() {
                true => None,
                false => Some(seal(Column::ConnectionMetadata, &Secret::json(&grant.metadata))?),
            },
            due_at: refresh.as_ref().and_then(|_| refresh_plan::due_at(grant.obtained_at, grant.expiry)),
        };
        Ok((access, refresh))
    }
}

fn place(column: Column, row: &Connection) -> Place<'_> {
    Place { column, id: row.id.bytes(), key: &row.key, generation: row.generation }
}

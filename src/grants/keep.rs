//! Storing the tokens of a login.
#![deny(clippy::let_underscore_must_use)]

use super::{Error, LOCK};
use crate::{
    deadlines::LOCK_WAITS,
    refresh::LastRefresh,
    secret::SealKey,
    system::{
        entropy,
        lock::{self, Held},
        private_files::PrivateFiles,
    },
    vault::{Grant, GrantKey, Pinned, Record, StoreError, Vault, seal::Nonce},
};

/// Stores the grant under its lock and reads it back.
///
/// # Errors
/// The store did not keep it.
pub fn keep(
    vault: &Vault<'_>,
    files: Option<&PrivateFiles>,
    key: &GrantKey,
    pinned: Pinned,
    grant: Grant,
) -> Result<(), Error> {
    let _held: Option<Held> =
        files.map(|files| lock::hold(files, &vault.state_name(key).file(LOCK), LOCK_WAITS)).transpose()?;
    // What a refresh of the grant before has left behind belongs to nobody any more.
    vault.journal(key).clear()?;
    vault.files.remove(&vault.state_name(key).file(LastRefresh::SUFFIX))?;
    let record = Record { seal_key: SealKey::new(entropy::random()?), generation: 0, pinned, grant };
    let write = || -> Result<(), Error> { Ok(vault.write(key, &record, Nonce(entropy::random()?))?) };
    match write() {
        // A dialog that was dismissed by mistake gets one more chance: the code cannot be exchanged again.
        Err(Error::Store(StoreError::UnlockRefused)) => write(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, time::SystemTime};

    use super::*;
    use crate::{
        catalog::IntegrationName,
        oauth::{AuthenticationMethod, ClientId, Endpoint, Expiry, Scopes, TokenType},
        secret::Secret,
        vault::{
            AccountName, ActionKey, ItemName, Items, Removal,
            memory::{MemoryFiles, MemoryItems},
        },
    };

    /// A keychain whose unlock dialog is dismissed a number of times before it is answered.
    struct Dismissed {
        items: MemoryItems,
        refusals: Cell<u32>,
    }

    impl Items for Dismissed {
        fn read(&self, name: &ItemName) -> Result<Option<Secret>, StoreError> {
            self.items.read(name)
        }

        fn write(&self, name: &ItemName, label: &str, secret: &Secret) -> Result<(), StoreError> {
            match self.refusals.get() {
                0 => self.items.write(name, label, secret),
                left => {
                    self.refusals.set(left - 1);
                    Err(StoreError::UnlockRefused)
                }
            }
        }

        fn delete(&self, name: &ItemName) -> Result<Removal, StoreError> {
            self.items.delete(name)
        }

        fn limit(&self) -> usize {
            self.items.limit()
        }

        fn identity(&self) -> String {
            self.items.identity()
        }

        fn kind(&self) -> &'static str {
            self.items.kind()
        }
    }

    #[test]
    fn s04_a_dismissed_unlock_gets_one_more_chance_since_a_code_counts_once() {
        for (refusals, kept) in [(0, true), (1, true), (2, false)] {
            let items = Dismissed { items: MemoryItems::default(), refusals: Cell::new(refusals) };
            let files = MemoryFiles::default();
            let vault = Vault { items: &items, files: &files };
            let name = IntegrationName::parse("work").expect("a name");
            let key = GrantKey::personal(name, AccountName::default(), ActionKey::All);
            let result = keep(&vault, None, &key, pinned(), grant());
            assert_eq!(kept, result.is_ok(), "{refusals}");
            assert_eq!(kept, vault.read(&key).expect("read").is_some(), "{refusals}");
        }
    }

    fn pinned() -> Pinned {
        let token_endpoint = Endpoint::parse("https://op.example/token").expect("an endpoint");
        let client_id = ClientId::parse("me").expect("a client");
        Pinned {
            issuer: None,
            token_endpoint,
            revocation_endpoint: None,
            client_id,
            authentication_method: AuthenticationMethod::Basic,
        }
    }

    fn grant() -> Grant {
        Grant {
            asked: Scopes::default(),
            granted: Scopes::default(),
            access_token: Secret::new("a".into()),
            token_type: TokenType::Bearer,
            expiry: Expiry::At(SystemTime::UNIX_EPOCH),
            refresh_token: None,
            refreshable_until: None,
            id_token: None,
            subject: None,
            metadata: crate::oauth::GrantMetadata::default(),
            obtained_at: SystemTime::UNIX_EPOCH,
        }
    }
}

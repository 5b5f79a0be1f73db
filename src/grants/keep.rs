//! Storing the tokens of a login.
#![deny(clippy::let_underscore_must_use)]

use std::slice;

use super::{Error, LOCK, refresh::last};
use crate::{
    deadlines::LOCK_WAITS,
    oauth::Client,
    refresh::{Attempt, LastRefresh, RefreshResult},
    secret::SealKey,
    system::{
        entropy,
        lock::{self, Held},
        private_files::PrivateFiles,
    },
    vault::{Grant, GrantKey, Pinned, Record, Refreshable, StoreError, Vault, seal::Nonce},
};

/// The grant of a login, as it is stored.
#[derive(Debug)]
pub struct Stored {
    pub grant: Grant,
    pub refresh_token: RefreshToken,
}

/// Whether the user should know about the refresh token of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshToken {
    AsExpected,
    /// There is none, and somebody relies on one.
    Missed,
}

/// Stores the grant under its lock and reads it back. A login that brought no refresh token keeps the one that is stored
/// for the same user ([`Grant::keeping_refresh_token`]). `client` is the one that the tokens were issued to.
///
/// # Errors
/// The store did not keep it.
pub fn keep(
    vault: &Vault<'_>,
    files: Option<&PrivateFiles>,
    key: &GrantKey,
    client: &Client,
    pinned: Pinned,
    grant: Grant,
) -> Result<Stored, Error> {
    let _held: Option<Held> =
        files.map(|files| lock::hold(files, &vault.state_name(key).file(LOCK), LOCK_WAITS)).transpose()?;
    // Under the lock: no refresh uses up what is kept here.
    let before = grant.refresh_token.is_none().then(|| before(vault, key, client)).flatten();
    let grant = match &before {
        Some((stored, Refreshable::Yes)) => grant.keeping_refresh_token(&pinned, stored),
        Some((_, Refreshable::No)) | None => grant,
    };
    let refresh_token = match grant.misses_refresh_token(before.map(|(_, refreshable)| refreshable)) {
        true => RefreshToken::Missed,
        false => RefreshToken::AsExpected,
    };
    // What a refresh of the grant before has left behind belongs to nobody any more.
    vault.journal(key).clear()?;
    vault.files.remove(&vault.state_name(key).file(LastRefresh::SUFFIX))?;
    let record = Record { seal_key: SealKey::new(entropy::random()?), generation: 0, pinned, grant: grant.clone() };
    let write = || -> Result<(), Error> { Ok(vault.write(key, &record, Nonce(entropy::random()?))?) };
    match write() {
        // A dialog that was dismissed by mistake gets one more chance: the code cannot be exchanged again.
        Err(Error::Store(StoreError::UnlockRefused)) => write()?,
        other => other?,
    }
    Ok(Stored { grant, refresh_token })
}

/// The grant that a login replaces, and whether it could be refreshed. A refresh token that the provider has refused is
/// worth nothing. If an interrupted refresh has left its response, the refresh token is that of the response.
fn before(vault: &Vault<'_>, key: &GrantKey, client: &Client) -> Option<(Record, Refreshable)> {
    // A grant that cannot be read is replaced: the new tokens exist only once.
    let stored = vault.read(key).ok().flatten()?;
    let refused =
        last(vault, key).is_some_and(|last| last.is_of(&stored) && matches!(last.result, RefreshResult::Dead { .. }));
    let refreshable = match stored.grant.refresh_token.is_some() && !refused {
        true => Refreshable::Yes,
        false => Refreshable::No,
    };
    let journal = vault.journal(key);
    let seal_keys = slice::from_ref(&stored.seal_key);
    let unstored = Attempt { journal: &journal, record: &stored, seal_keys, client }.unstored();
    Some(match unstored {
        Some(unstored) => (unstored, refreshable),
        None => (stored, refreshable),
    })
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, time::SystemTime};

    use super::*;
    use crate::{
        catalog::IntegrationName,
        oauth::{
            AuthenticationMethod, ClientAuthentication, ClientId, Endpoint, Expiry, HttpResponse, Scopes, TokenType,
        },
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
            let client = Client::new(pinned().client_id, ClientAuthentication::None);
            let result = keep(&vault, None, &key, &client, pinned(), grant());
            assert_eq!(kept, result.is_ok(), "{refusals}");
            assert_eq!(kept, vault.read(&key).expect("read").is_some(), "{refusals}");
        }
    }

    /// The refresh token that the login of `ada` leaves, after a refresh whose response was not stored.
    fn kept_after_refresh(response: Option<&str>) -> Option<String> {
        let (items, files) = (MemoryItems::default(), MemoryFiles::default());
        let vault = Vault { items: &items, files: &files };
        let name = IntegrationName::parse("work").expect("a name");
        let key = GrantKey::personal(name, AccountName::default(), ActionKey::All);
        let client = Client::new(pinned().client_id, ClientAuthentication::None);
        let of_ada = |refresh_token: Option<&str>| Grant {
            refresh_token: refresh_token.map(|token| Secret::new(token.into())),
            subject: Some("ada".into()),
            ..grant()
        };
        keep(&vault, None, &key, &client, pinned(), of_ada(Some("sent"))).expect("stored");
        if let Some(response) = response {
            let record = vault.read(&key).expect("read").expect("stored");
            let journal = vault.journal(&key);
            journal.intend(&record).expect("written");
            let response = HttpResponse::new(response.as_bytes().to_vec());
            journal.put(&record, &response, SystemTime::UNIX_EPOCH, Nonce([1; 24])).expect("written");
        }
        let stored = keep(&vault, None, &key, &client, pinned(), of_ada(None)).expect("stored");
        let read = vault.read(&key).expect("read").expect("stored").grant.refresh_token;
        let text = |token: Option<Secret>| token.map(|token| token.expose().to_owned());
        assert_eq!(text(stored.grant.refresh_token), text(read.clone()));
        text(read)
    }

    #[test]
    fn d18_the_refresh_token_that_is_kept_is_the_one_that_an_interrupted_refresh_received() {
        assert_eq!(Some("sent".to_owned()), kept_after_refresh(None));
        let response = r#"{"access_token":"a","refresh_token":"rotated"}"#;
        assert_eq!(Some("rotated".to_owned()), kept_after_refresh(Some(response)));
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

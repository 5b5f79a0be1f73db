//! Logout: the tokens are revoked at the provider if it offers that (RFC 7009), and deleted here, whatever it answers. It
//! needs no integration in the configuration: the stored grant knows its client and its endpoints.

use std::{fmt, path::PathBuf};

use super::{Error, GrantId, Grants, LOCK, Login, Place, directory_of, one_login::LAST_LOGIN};
use crate::{
    catalog::{Integration, StoreKind},
    deadlines::LOCK_WAITS,
    oauth::{Client, ClientAuthentication, Extent, RevocationError, revoke_grant},
    refresh::LastRefresh,
    system::{
        file_store::{FileStore, SealedWith},
        http::Http,
        lock,
    },
    vault::{IndexEntry, ItemName, Items, Record, Removal, StateFiles, StateName, StoreError, Vault},
};

/// Where a grant ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationScope {
    /// On this machine only; the tokens stay valid at the provider.
    Local,
    /// At the provider too.
    Provider,
}

/// A grant that was deleted here.
#[derive(Debug)]
pub struct LoggedOut {
    pub grant: GrantId,
    pub revocation: Revocation,
}

/// What the provider was asked at a logout, and what it answered.
#[derive(Debug)]
pub enum Revocation {
    /// The store cannot be opened, so only what loopin knew about the grant is gone. The tokens stay in that store.
    Forgotten,
    /// Nothing was stored.
    NothingToRevoke,
    /// The provider names no revocation endpoint.
    NotOffered,
    NotWanted,
    Revoked,
    Unconfirmed(Unconfirmed),
}

/// Why the tokens may still be valid at the provider.
#[derive(Debug)]
pub enum Unconfirmed {
    /// The client cannot authenticate.
    NoClient(Error),
    Provider(RevocationError),
    /// The stored grant cannot be read, so there was nothing to show to the provider.
    Unreadable(StoreError),
}

impl fmt::Display for Unconfirmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoClient(why) => why.fmt(f),
            Self::Provider(why) => why.fmt(f),
            Self::Unreadable(StoreError::Damaged { .. }) => f.write_str("the stored grant is damaged"),
            Self::Unreadable(why) => write!(f, "the stored grant cannot be read ({why})"),
        }
    }
}

impl Grants {
    /// Revokes a grant and deletes it.
    ///
    /// # Errors
    /// It may still be stored.
    pub fn logout(&self, grant: &GrantId, scope: RevocationScope) -> Result<LoggedOut, Error> {
        let integration = self.of(grant)?;
        let items = self.items(integration);
        let ended = self.end(grant, Some(integration), items.as_ref(), scope);
        ended.map_err(|error| self.unended(grant, self.settings.store_kind(integration), error))
    }

    /// The same for a login of the index, in whatever store it is and whether or not its integration is still in the
    /// configuration.
    ///
    /// # Errors
    /// It may still be stored.
    pub fn end_login(&self, login: &Login, scope: RevocationScope) -> Result<LoggedOut, Error> {
        let Login { grant, place, entry } = login;
        let kind = match (place, scope) {
            (Place::Here(kind), _) => *kind,
            (Place::Elsewhere, RevocationScope::Local) => {
                let name = grant.key().state(&entry.store, &entry.store_identity);
                self.forget(&name)?;
                return Ok(LoggedOut { grant: grant.clone(), revocation: Revocation::Forgotten });
            }
            (Place::Elsewhere, RevocationScope::Provider) => return Err(Error::StoreElsewhere(grant.clone())),
        };
        let integration = self.of(grant).ok();
        let key = self.key_file(integration, &grant.key().item())?;
        let items = self.settings.items_of(kind, key.as_deref(), &self.files);
        let ended = self.end(grant, integration, items.as_ref(), scope);
        let ended = ended.map_err(|error| self.unended(grant, kind, error))?;
        if integration.is_none() && self.logins(Some(grant.integration.as_str()))?.is_empty() {
            // Nothing else would ever remove it.
            items.delete(&ItemName::of_client_secret(&grant.integration))?;
        }
        Ok(ended)
    }

    fn end(
        &self,
        grant: &GrantId,
        integration: Option<&Integration>,
        items: &dyn Items,
        scope: RevocationScope,
    ) -> Result<LoggedOut, Error> {
        let vault = self.vault(items);
        let key = grant.key();
        let place = vault.state_name(&key);
        let _held = lock::hold(&self.files, &place.file(LOCK), LOCK_WAITS)?;
        let revocation = match scope {
            // Deleted without being opened: its key may be lost.
            RevocationScope::Local => match vault.delete(&key) {
                Ok(Removal::Removed) => Revocation::NotWanted,
                Ok(Removal::WasAbsent) => Revocation::NothingToRevoke,
                Err(why) if why.is_of_the_whole_store() && self.lists(&place)? => Revocation::Forgotten,
                Err(why) => return Err(why.into()),
            },
            RevocationScope::Provider => {
                let revocation = match vault.read(&key) {
                    Ok(None) => Revocation::NothingToRevoke,
                    Ok(Some(record)) => self.revoke(grant, integration, &vault, &record),
                    Err(why) if is_lost(&why, integration) => Revocation::Unconfirmed(Unconfirmed::Unreadable(why)),
                    Err(why) => return Err(why.into()),
                };
                vault.delete(&key)?;
                revocation
            }
        };
        self.forget(&place)?;
        Ok(LoggedOut { grant: grant.clone(), revocation })
    }

    /// A listed login whose store cannot be opened can still be forgotten: no other store would help.
    fn unended(&self, grant: &GrantId, kind: StoreKind, error: Error) -> Error {
        let listed = |login: &Login| login.grant == *grant && login.place == Place::Here(kind);
        match error {
            Error::Store(why) if why.is_of_the_whole_store() => match self.logins(Some(grant.integration.as_str())) {
                Ok(logins) if logins.iter().any(listed) => {
                    Error::StoreOfLogout { grant: Box::new(grant.clone()), kind, why }
                }
                Ok(_) => self.with_stores(grant, why.into()),
                Err(why) => why,
            },
            // What helps an integration of the configuration helps no other.
            other if self.of(grant).is_err() => other,
            other => self.with_stores(grant, other),
        }
    }

    fn lists(&self, place: &StateName) -> Result<bool, StoreError> {
        Ok(self.files.read(&place.file(IndexEntry::SUFFIX))?.is_some())
    }

    /// Removes what is known about a grant outside its store.
    pub(super) fn forget(&self, place: &StateName) -> Result<(), StoreError> {
        [LastRefresh::SUFFIX, LAST_LOGIN, IndexEntry::SUFFIX]
            .into_iter()
            .try_for_each(|suffix| self.files.remove(&place.file(suffix)))
    }

    /// The key of a file store for one item. Without an integration that names one it is where `integration add` makes it.
    fn key_file(&self, integration: Option<&Integration>, item: &ItemName) -> Result<Option<PathBuf>, Error> {
        if FileStore::sealed_with(&self.files, item)? == Some(SealedWith::Passphrase) {
            return Ok(None);
        }
        let stated = integration.and_then(|integration| integration.store_key.clone());
        match stated.or_else(|| self.catalog.defaults().store_key.clone()) {
            Some(key) => Ok(Some(key)),
            None => Ok(Some(directory_of(&self.settings.config_path()?)?.join(KEY_FILE))),
        }
    }

    fn revoke(
        &self,
        grant: &GrantId,
        integration: Option<&Integration>,
        vault: &Vault<'_>,
        record: &Record,
    ) -> Revocation {
        let Some(endpoint) = &record.pinned.revocation_endpoint else { return Revocation::NotOffered };
        let method = record.pinned.authentication_method;
        let client = match integration {
            Some(integration) => self
                .client(integration, vault)
                .map(|client| client.authenticated_by(integration.authentication_pinned(method))),
            None => client_of_the_record(grant, vault, record),
        };
        let client = match client {
            Ok(client) => client,
            Err(why) => return Revocation::Unconfirmed(Unconfirmed::NoClient(why)),
        };
        let http = integration.map_or_else(Http::default, Http::at);
        match revoke_grant(endpoint, &client, record.grant.tokens(), Extent::Every, &http) {
            Ok(()) => Revocation::Revoked,
            Err(why) => Revocation::Unconfirmed(Unconfirmed::Provider(why)),
        }
    }
}

/// The key file that `integration add` makes beside the configuration.
pub const KEY_FILE: &str = "store.key";

/// Whether nobody will ever read it: then it is deleted, and the tokens end by themselves.
fn is_lost(why: &StoreError, integration: Option<&Integration>) -> bool {
    match why {
        StoreError::Damaged { .. } => true,
        // With an integration its key may be a mistake that the user can correct.
        StoreError::KeyFileMissing { .. } | StoreError::WrongKey => integration.is_none(),
        _ => false,
    }
}

/// The client as the login knew it, with the secret that the store may still have.
fn client_of_the_record(grant: &GrantId, vault: &Vault<'_>, record: &Record) -> Result<Client, Error> {
    let secret = vault.items.read(&ItemName::of_client_secret(&grant.integration))?;
    let method = record.pinned.authentication_method;
    let authentication = match secret {
        Some(secret) => ClientAuthentication::Secret { secret, method },
        None => ClientAuthentication::None,
    };
    Ok(Client::new(record.pinned.client_id.clone(), authentication))
}

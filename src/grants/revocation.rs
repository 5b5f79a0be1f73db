//! Logout: the tokens are revoked at the provider if it offers that (RFC 7009), and deleted here, whatever it answers.

use std::fmt;

use super::{Error, GrantId, Grants, LOCK, one_login::LAST_LOGIN};
use crate::{
    catalog::Integration,
    deadlines::LOCK_WAITS,
    oauth::{Extent, RevocationError, revoke_grant},
    refresh::LastRefresh,
    system::{http::Http, lock},
    vault::{Record, StateFiles, StoreError, Vault},
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
    /// The stored grant cannot be read, so there was nothing to show to the provider.
    Damaged,
    /// The client cannot authenticate.
    NoClient(Error),
    Provider(RevocationError),
}

impl fmt::Display for Unconfirmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged => f.write_str("the stored grant is damaged"),
            Self::NoClient(why) => why.fmt(f),
            Self::Provider(why) => why.fmt(f),
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
        let vault = self.vault(items.as_ref());
        let key = grant.key();
        let place = vault.state_name(&key);
        let _held = lock::hold(&self.files, &place.file(LOCK), LOCK_WAITS)?;
        let revocation = match vault.read(&key) {
            Ok(None) => Revocation::NothingToRevoke,
            Ok(Some(_)) if scope == RevocationScope::Local => Revocation::NotWanted,
            Ok(Some(record)) => self.revoke(integration, &vault, &record),
            // Damaged or from elsewhere: there is nothing to show the provider, but it can still be deleted.
            Err(StoreError::Damaged { .. }) => Revocation::Unconfirmed(Unconfirmed::Damaged),
            Err(why) => return Err(why.into()),
        };
        vault.delete(&key)?;
        self.files.remove(&place.file(LastRefresh::SUFFIX))?;
        self.files.remove(&place.file(LAST_LOGIN))?;
        Ok(LoggedOut { grant: grant.clone(), revocation })
    }

    fn revoke(&self, integration: &Integration, vault: &Vault<'_>, record: &Record) -> Revocation {
        let Some(endpoint) = &record.pinned.revocation_endpoint else { return Revocation::NotOffered };
        let client = match self.client(integration, vault) {
            Ok(client) => {
                client.authenticated_by(integration.authentication_pinned(record.pinned.authentication_method))
            }
            Err(why) => return Revocation::Unconfirmed(Unconfirmed::NoClient(why)),
        };
        match revoke_grant(endpoint, &client, record.grant.tokens(), Extent::Every, &Http::at(integration)) {
            Ok(()) => Revocation::Revoked,
            Err(why) => Revocation::Unconfirmed(Unconfirmed::Provider(why)),
        }
    }
}

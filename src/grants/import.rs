//! A refresh token of another program becomes a login here. It is used once before anything is reported, so that what is
//! stored is known to work, and a provider that rotates refresh tokens has given this program one of its own.

use std::time::SystemTime;

use super::{Error, GrantId, Grants, LOCK, SignedIn, login};
use crate::{
    deadlines::LOCK_WAITS,
    oauth::{DiscoveryError, Expiry, GrantMetadata, Scopes, TokenType},
    refresh::Wish,
    secret::{SealKey, Secret},
    system::{clock, entropy, http::Http, lock},
    vault::{Grant, Pinned, Record, Vault, seal::Nonce},
};

impl Grants {
    /// Stores the refresh token as a grant whose access token has expired, and refreshes it under its lock, with its
    /// journal.
    ///
    /// # Errors
    /// There is a login already, which stays as it is. Or the provider does not accept the refresh token, and nothing is
    /// stored. Or the provider cannot be reached: then the refresh token stays stored, because it may have been used.
    pub fn import(&self, grant: &GrantId, refresh_token: Secret) -> Result<SignedIn, Error> {
        self.take_over(grant, refresh_token).map_err(|error| self.with_stores(grant, error))
    }

    fn take_over(&self, grant: &GrantId, refresh_token: Secret) -> Result<SignedIn, Error> {
        let integration = self.of(grant)?;
        let scopes = integration
            .scopes_for(grant.action.name())
            .map_err(|unknown| Error::UnknownAction { integration: integration.name.clone(), unknown })?;
        let items = self.items(integration);
        let vault = self.vault(items.as_ref());
        // What is missing here is reported before anything is sent or stored.
        self.client(integration, &vault)?;
        let http = Http::at(integration);
        http.check_ca().map_err(DiscoveryError::Connection)?;
        let server = login::server(integration, &http)?;
        integration.authentication_at(&server)?;
        let pinned = Pinned::new(&server, &integration.client_id, None);
        self.store_unused(&vault, grant, pinned, unused(refresh_token, scopes))?;
        match self.access_token(grant, &Wish::USUAL) {
            Ok(record) => Ok(SignedIn::new(grant.clone(), vault.items.kind(), &record.grant, Vec::new())),
            Err(error) => {
                if !may_work_later(&error) {
                    self.end_unused(&vault, grant)?;
                }
                Err(error)
            }
        }
    }

    fn store_unused(&self, vault: &Vault<'_>, grant: &GrantId, pinned: Pinned, unused: Grant) -> Result<(), Error> {
        let key = grant.key();
        let place = vault.state_name(&key);
        let _held = lock::hold(&self.files, &place.file(LOCK), LOCK_WAITS)?;
        if vault.read(&key)?.is_some() {
            return Err(Error::LoggedInAlready(grant.clone()));
        }
        vault.journal(&key).clear()?;
        self.forget(&place)?;
        let record = Record { seal_key: SealKey::new(entropy::random()?), generation: 0, pinned, grant: unused };
        Ok(vault.write(&key, &record, Nonce(entropy::random()?))?)
    }

    fn end_unused(&self, vault: &Vault<'_>, grant: &GrantId) -> Result<(), Error> {
        let key = grant.key();
        let place = vault.state_name(&key);
        let _held = lock::hold(&self.files, &place.file(LOCK), LOCK_WAITS)?;
        vault.delete(&key)?;
        Ok(self.forget(&place)?)
    }
}

/// A grant with nothing but a refresh token.
fn unused(refresh_token: Secret, scopes: Scopes) -> Grant {
    Grant {
        asked: scopes.clone(),
        granted: scopes,
        access_token: Secret::new(String::new()),
        token_type: TokenType::Bearer,
        expiry: Expiry::At(SystemTime::UNIX_EPOCH),
        refresh_token: Some(refresh_token),
        refreshable_until: None,
        id_token: None,
        subject: None,
        metadata: GrantMetadata::default(),
        obtained_at: clock::now(),
    }
}

/// Whether the refresh token may still be good, or may have been replaced by one that is in the journal.
fn may_work_later(error: &Error) -> bool {
    matches!(
        error,
        Error::RefreshBusy { .. }
            | Error::RefreshSlow
            | Error::RefreshUnavailable { .. }
            | Error::RefreshUnstored { .. }
            | Error::Store(_)
            | Error::StoreOf { .. }
            | Error::WorkerEnded
    )
}

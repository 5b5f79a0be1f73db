//! Handing out an access token: the one way from a stored grant to a token that is good enough, for `token` and for everyone
//! else who needs one. Never opens a browser and asks for nothing but the passphrase of a file store.

use super::{Error, GrantId, Grants, refresh::Refresh};
use crate::{
    catalog::{Integration, Server},
    refresh::{Wish, Worth, covering},
    system::clock,
    vault::{Record, Vault},
};

impl Grants {
    /// A grant whose access token is what the caller asks for, after at most one request by any process.
    ///
    /// # Errors
    /// The user is not logged in, the provider or the store fails, or no token can be what the caller asks for.
    pub fn access_token(&self, grant: &GrantId, wish: &Wish) -> Result<Record, Error> {
        let integration = self.of(grant)?;
        let items = self.items(integration);
        let vault = self.vault(items.as_ref());
        let (grant, record) = stored(integration, &vault, grant)?;
        if !fits(integration, &record) {
            return Err(Error::ConfigurationChanged(grant));
        }
        match wish.worth(&record.grant, clock::now()) {
            Worth::Fresh => Ok(record),
            _ => {
                let key = grant.key();
                Refresh { grants: self, integration, grant: &grant, key: &key, vault: &vault, wish }.run(record)
            }
        }
    }
}

/// The grant of the action, otherwise the grant of all actions together if it covers this one's scopes.
fn stored(integration: &Integration, vault: &Vault<'_>, grant: &GrantId) -> Result<(GrantId, Record), Error> {
    if let Some(record) = vault.read(&grant.key())? {
        return Ok((grant.clone(), record));
    }
    let not_logged_in = || Error::NotLoggedIn(grant.clone());
    let Some(all) = covering::of_all_actions(&grant.key()) else { return Err(not_logged_in()) };
    let needed = integration
        .scopes_for(grant.action.name())
        .map_err(|unknown| Error::UnknownAction { integration: integration.name.clone(), unknown })?;
    let record = vault.read(&all)?.ok_or_else(not_logged_in)?;
    let missing = covering::missing(&record.grant.granted, &needed);
    match missing.is_empty() {
        true => Ok((GrantId { action: all.action, ..grant.clone() }, record)),
        false => Err(Error::NotCovered { grant: grant.clone(), missing }),
    }
}

/// Whether a stored grant still belongs to what the configuration says.
pub(super) fn fits(integration: &Integration, record: &Record) -> bool {
    let (token_endpoint, issuer) = match &integration.server {
        Server::Discovered(issuer) => (None, Some(issuer)),
        Server::Explicit(server) => (Some(&server.token_endpoint), server.issuer.as_ref()),
    };
    record.pinned.fits(&integration.client_id, token_endpoint, issuer)
}

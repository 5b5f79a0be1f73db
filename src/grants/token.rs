//! Handing out an access token: the one way from a stored grant to a token that is good enough, for `token` and for everyone
//! else who needs one. Never opens a browser and asks for nothing but the passphrase of a file store.

use super::{
    Error, GrantId, Grants, logins,
    refresh::{self, Refresh},
};
use crate::{
    catalog::{Integration, Server},
    oauth::{Endpoint, Expiry, Issuer, IssuerTemplate, ScopeCheck, Scopes},
    refresh::{
        RefreshResult, Wish, Worth,
        covering::{self, Coverage},
    },
    system::clock,
    vault::{Grant, Record, Vault},
};

impl Grants {
    /// A grant whose access token is what the caller asks for, after at most one request by any process.
    ///
    /// # Errors
    /// The user is not logged in, the provider or the store fails, or no token can be what the caller asks for.
    pub fn access_token(&self, grant: &GrantId, wish: &Wish) -> Result<Record, Error> {
        self.valid_grant(grant, wish).map_err(|error| self.with_stores(grant, error))
    }

    fn valid_grant(&self, grant: &GrantId, wish: &Wish) -> Result<Record, Error> {
        let integration = self.of(grant)?;
        let items = self.items(integration);
        let vault = self.vault(items.as_ref());
        let (grant, record) = stored(integration, &vault, grant)?;
        if !fits(integration, &record) {
            return Err(Error::ConfigurationChanged(grant));
        }
        match wish.worth(&record.grant, clock::now()) {
            // A token without a known end, and without a refresh token, is good until somebody was rejected with it.
            Worth::Fresh if record.grant.expiry == Expiry::Unknown => {
                match refresh::last(&vault, &grant.key()).filter(|last| last.is_of(&record)).map(|last| last.result) {
                    Some(RefreshResult::Dead { message }) => Err(Error::GrantEnded { grant, message }),
                    _ => Ok(record),
                }
            }
            Worth::Fresh => Ok(record),
            _ => {
                let key = grant.key();
                Refresh { grants: self, integration, grant: &grant, key: &key, vault: &vault, wish }.run(record)
            }
        }
    }

    /// Scopes that the named grant needs and that the provider does not name as granted.
    ///
    /// # Errors
    /// There is no such integration or action.
    pub fn missing(&self, id: &GrantId, grant: &Grant) -> Result<Scopes, Error> {
        Ok(coverage(self.of(id)?, id, grant)?.missing().clone())
    }
}

/// The grant of the action, otherwise the grant of all actions together if it covers this one's scopes.
fn stored(integration: &Integration, vault: &Vault<'_>, grant: &GrantId) -> Result<(GrantId, Record), Error> {
    if let Some(record) = vault.read(&grant.key())? {
        let strict = integration.dialect.scopes.check == ScopeCheck::Strict;
        return match coverage(integration, grant, &record.grant)? {
            Coverage::Lacking { missing } if strict => Err(Error::NotGranted { grant: grant.clone(), missing }),
            _ => Ok((grant.clone(), record)),
        };
    }
    let not_logged_in = || match logins::of_integration(vault, &grant.integration) {
        Ok(stored) => Error::NotLoggedIn { grant: grant.clone(), stored, elsewhere: None },
        Err(why) => why.into(),
    };
    let Some(all) = covering::of_all_actions(&grant.key()) else { return Err(not_logged_in()) };
    // Before the store is asked, so that a misspelt action is called one.
    needed(integration, grant)?;
    let record = vault.read(&all)?.ok_or_else(not_logged_in)?;
    match coverage(integration, grant, &record.grant)? {
        Coverage::Covered { .. } => Ok((GrantId { action: all.action, ..grant.clone() }, record)),
        Coverage::Lacking { missing } => Err(Error::NotCovered { grant: grant.clone(), missing }),
    }
}

/// Whether the stored grant has what the action of `id` needs.
fn coverage(integration: &Integration, id: &GrantId, grant: &Grant) -> Result<Coverage, Error> {
    Ok(covering::coverage(grant.into(), &needed(integration, id)?, &integration.dialect.scopes))
}

fn needed(integration: &Integration, id: &GrantId) -> Result<Scopes, Error> {
    integration
        .scopes_for(id.action.name())
        .map_err(|unknown| Error::UnknownAction { integration: integration.name.clone(), unknown })
}

/// Whether a stored grant still belongs to what the configuration says.
pub(super) fn fits(integration: &Integration, record: &Record) -> bool {
    let Record { pinned, .. } = record;
    let (token_endpoint, issuer) = match &integration.server {
        Server::Discovered(issuer) => (None, Some(issuer)),
        Server::Explicit(server) => (Some(&server.token_endpoint), server.issuer.as_ref()),
    };
    // The login may have chosen another server of the provider, and have found the issuer of a tenant.
    let servers = integration.dialect.wire.token_servers.as_ref();
    let chosen = |configured: &&Endpoint| !servers.is_some_and(|s| s.reach(configured, &pinned.token_endpoint));
    let template = integration.issuer_template.as_ref();
    let of_tenant = |t: &IssuerTemplate| pinned.issuer.as_ref().is_none_or(|issuer| t.covers(issuer.as_str()));
    let named = |_: &&Issuer| !(matches!(integration.server, Server::Discovered(_)) && template.is_some_and(of_tenant));
    pinned.fits(&integration.client_id, token_endpoint.filter(chosen), issuer.filter(named))
}

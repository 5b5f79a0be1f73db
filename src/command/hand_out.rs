//! Handing out an access token: the one way from a stored grant to a token that will do, for `token` and for everybody
//! else who needs one. Never opens a browser and never asks anything.

use super::{
    context::{Context, grant_key, login_command},
    renew::Renewal,
};
use crate::{
    catalog::{Integration, Server, UnknownName},
    cli,
    refresh::{Wish, Worth},
    report::{Code, Failure},
    system::clock,
    vault::{ActionKey, GrantKey, Record, Vault},
};

/// A grant whose access token is what is wished for, after at most one request by anybody.
///
/// # Errors
/// Nobody is logged in, the provider or the store fails, or the wish cannot be fulfilled; with the exit code of each.
pub fn access_token(
    context: &Context,
    integration: &Integration,
    grant: &cli::GrantName,
    wish: &Wish,
) -> Result<Record, Failure> {
    let key = grant_key(&integration.name, grant)?;
    let files = context.files()?;
    let items = context.items(integration, &files);
    let vault = Vault { items: items.as_ref(), files: &files };
    let (key, record) = covering(integration, &vault, key)?;
    if !fits(integration, &record) {
        let what =
            format!("the configuration of {} was changed since the login (client or endpoints)", integration.name);
        return Err(Failure::new(Code::LoginRequired, what).remedy(login_command(&key)));
    }
    match wish.worth(&record.grant, clock::now()) {
        Worth::Fresh => Ok(record),
        _ => Renewal { context, integration, key: &key, files: &files, vault: &vault, wish }.run(record),
    }
}

/// The grant of the action, else the grant of all actions together if it covers this one's scopes.
fn covering(integration: &Integration, vault: &Vault<'_>, key: GrantKey) -> Result<(GrantKey, Record), Failure> {
    if let Some(record) = vault.read(&key)? {
        return Ok((key, record));
    }
    let nobody = || {
        let what = format!("nobody is logged in to {}", integration.name);
        Failure::new(Code::LoginRequired, what).remedy(login_command(&key))
    };
    let Some(action) = key.action.name() else { return Err(nobody()) };
    let wanted = integration.scopes_for(Some(action)).map_err(|unknown| no_action(integration, &unknown))?;
    let all = GrantKey { action: ActionKey::All, ..key.clone() };
    match vault.read(&all)? {
        Some(record) if record.grant.granted.covers(&wanted) => Ok((all, record)),
        _ => Err(nobody()),
    }
}

pub fn no_action(integration: &Integration, unknown: &UnknownName) -> Failure {
    let failure = Failure::new(Code::Configuration, format!("{} has no action \"{}\"", integration.name, unknown.name));
    match &unknown.nearest {
        Some(nearest) => failure.remedy(format!("did you mean {nearest}?")),
        None => failure.remedy(format!("loopin integration show {}", integration.name)),
    }
}

/// Whether a stored grant still belongs to what the configuration says.
pub fn fits(integration: &Integration, record: &Record) -> bool {
    let (token_endpoint, issuer) = match &integration.server {
        Server::Discovered(issuer) => (None, Some(issuer)),
        Server::Explicit(server) => (Some(&server.token_endpoint), server.issuer.as_ref()),
    };
    record.pinned.fits(&integration.client_id, token_endpoint, issuer)
}

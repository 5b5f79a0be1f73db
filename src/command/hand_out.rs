//! Handing out an access token: the one way from a stored grant to a token that will do, for `token` and for everybody
//! else who needs one. Never opens a browser and never asks anything.

use super::{
    context::{Context, grant_key, login_command},
    renew::{self, Renewal},
};
use crate::{
    catalog::{Integration, Server, UnknownName},
    cli,
    oauth::{Expiry, ScopeCheck, Scopes, id_token_validity},
    refresh::{
        MinTtl, RefreshResult, Rejected, Validity, Wish, Worth,
        covering::{self, Coverage},
    },
    report::{Code, Failure},
    secret::Secret,
    system::clock,
    vault::{Grant, GrantKey, Record, Vault},
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
    let (key, record) = stored(integration, &vault, key)?;
    if !fits(integration, &record) {
        let what =
            format!("the configuration of {} was changed since the login (client or endpoints)", integration.name);
        return Err(Failure::new(Code::LoginRequired, what).remedy(login_command(&key)));
    }
    match wish.worth(&record.grant, clock::now()) {
        // A token without a known end, and without a refresh token, is good until somebody was rejected with it.
        Worth::Fresh if record.grant.expiry == Expiry::Unknown => {
            match renew::last(&files, &vault, &key).filter(|last| last.is_of(&record)).map(|last| last.result) {
                Some(RefreshResult::Dead { message }) => {
                    Err(Failure::new(Code::LoginRequired, message).remedy(login_command(&key)))
                }
                _ => Ok(record),
            }
        }
        Worth::Fresh => Ok(record),
        _ => Renewal { context, integration, key: &key, files: &files, vault: &vault, wish }.run(record),
    }
}

/// An id_token and its life.
pub struct IdToken {
    pub token: Secret,
    pub validity: Validity,
}

/// An id_token that is what is wished for. It comes with an access token, so a stale one is renewed by renewing that.
///
/// # Errors
/// As [`access_token`], or the provider gives no id_token, or none with a refresh.
pub fn id_token(
    context: &Context,
    integration: &Integration,
    grant: &cli::GrantName,
    wish: &Wish,
) -> Result<IdToken, Failure> {
    let name = &integration.name;
    let login = |what: &str| -> Failure {
        let command = grant_key(name, grant).map(|key| login_command(&key));
        Failure::new(Code::LoginRequired, format!("{name}: {what}")).remedy(command.unwrap_or_default())
    };
    let read = |record: &Record| {
        let token = record.grant.id_token.clone().ok_or_else(|| {
            login("the provider gave no id_token").remedy("add the scope openid to the integration, then log in again")
        })?;
        let (from, until) = id_token_validity(&token).ok_or_else(|| login("the stored id_token cannot be read"))?;
        Ok::<_, Failure>(IdToken { token, validity: Validity { from, until } })
    };
    let record = access_token(context, integration, grant, &Wish { min_ttl: MinTtl::Margin, ..wish.clone() })?;
    let found = read(&record)?;
    let now = clock::now();
    if found.validity.worth(wish.min_ttl, now) == Worth::Fresh {
        return Ok(found);
    }
    let life = found.validity.life();
    if matches!(wish.min_ttl, MinTtl::AtLeast(wanted) if wanted >= life) {
        let what = format!("id_tokens of {name} live for {} s only", life.as_secs());
        return Err(
            Failure::new(Code::Usage, what).remedy(format!("ask for --min-ttl of less than {}s", life.as_secs()))
        );
    }
    // A refresh has come since and has not brought a new one: another would not either.
    let brings_none = record.grant.obtained_at > found.validity.from + life / 2;
    let found = match brings_none {
        true => found,
        false => {
            let rejected = Some(Rejected::of(&record.grant.access_token));
            read(&access_token(context, integration, grant, &Wish { min_ttl: MinTtl::Margin, rejected })?)?
        }
    };
    match found.validity.worth(wish.min_ttl, clock::now()) {
        Worth::Fresh => Ok(found),
        Worth::Short { .. } if wish.takes_short() => Ok(found),
        Worth::Short { left } => Err(Failure::new(
            Code::Unavailable,
            format!("the provider's id_token does not live for long enough: {} s", left.as_secs()),
        )),
        _ => Err(login("the id_token has expired, and the provider sends none with a refresh")),
    }
}

/// The grant of the action, otherwise the grant of all actions together if it covers this one's scopes.
fn stored(integration: &Integration, vault: &Vault<'_>, key: GrantKey) -> Result<(GrantKey, Record), Failure> {
    let login = |what: String| Failure::new(Code::LoginRequired, what).remedy(login_command(&key));
    if let Some(record) = vault.read(&key)? {
        let strict = integration.dialect.scopes.check == ScopeCheck::Strict;
        return match coverage(integration, &key, &record.grant)? {
            Coverage::Lacking { missing } if strict => Err(login(format!(
                "the provider did not grant {missing} to {}, and scope_check is strict",
                integration.name
            ))),
            _ => Ok((key, record)),
        };
    }
    let nobody = || login(format!("nobody is logged in to {}", integration.name));
    let Some(all) = covering::of_all_actions(&key) else { return Err(nobody()) };
    // Before the store is asked, so that a misspelt action is called one.
    needed(integration, &key)?;
    let record = vault.read(&all)?.ok_or_else(nobody)?;
    match coverage(integration, &key, &record.grant)? {
        Coverage::Covered { .. } => Ok((all, record)),
        Coverage::Lacking { missing } => Err(login(format!(
            "the stored login for {} does not cover the action \"{}\": the provider did not grant {missing}",
            integration.name,
            key.action.as_str()
        ))),
    }
}

/// Whether the grant has what the action of this key needs.
fn coverage(integration: &Integration, key: &GrantKey, grant: &Grant) -> Result<Coverage, Failure> {
    Ok(covering::coverage(grant.into(), &needed(integration, key)?, &integration.dialect.scopes))
}

fn needed(integration: &Integration, key: &GrantKey) -> Result<Scopes, Failure> {
    integration.scopes_for(key.action.name()).map_err(|unknown| no_action(integration, &unknown))
}

/// Scopes that the named grant needs and that the provider does not name as granted.
///
/// # Errors
/// There is no such action.
pub fn missing(integration: &Integration, name: &cli::GrantName, grant: &Grant) -> Result<Scopes, Failure> {
    let key = grant_key(&integration.name, name)?;
    Ok(coverage(integration, &key, grant)?.missing().clone())
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

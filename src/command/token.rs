//! `loopin token`: a valid access token on standard output, and nothing else.

use super::{
    context::{Context, grant_key, login_command},
    renew::Renewal,
};
use crate::{
    catalog::{Integration, Server},
    cli,
    refresh::{MinTtl, Rejected, Wish, Worth},
    report::{Code, Event, Failure, Form, Outcome},
    system::{clock, environment, terminal},
    vault::{ActionKey, GrantKey, Record, Vault},
};

pub fn run(context: &Context, args: &cli::Token) -> Result<Outcome, Failure> {
    let integration = context.integration(args.integration.as_deref())?;
    let key = grant_key(&integration.name, &args.grant)?;
    let files = context.files()?;
    let items = context.items(&integration, &files);
    let vault = Vault { items: items.as_ref(), files: &files };
    let wish = Wish {
        min_ttl: args.min_ttl.map_or(MinTtl::Margin, MinTtl::AtLeast),
        rejected: args.rejected.as_deref().and_then(Rejected::parse),
    };
    let (key, record) = covering(&integration, &vault, key)?;
    if !fits(&integration, &record) {
        let what =
            format!("the configuration of {} was changed since the login (client or endpoints)", integration.name);
        return Err(Failure::new(Code::LoginRequired, what).remedy(login_command(&key)));
    }
    let record = match wish.worth(&record.grant, clock::now()) {
        Worth::Fresh => record,
        _ => {
            let vault = &vault;
            Renewal { context, integration: &integration, key: &key, files: &files, vault, wish: &wish }.run(record)?
        }
    };
    if context.form == Form::Text && terminal::stdout_is_terminal() {
        context.talk.say(&Event::Pipe);
    }
    if environment::github_actions() {
        context.talk.say(&Event::CiLog);
    }
    Ok(Outcome::Token(Box::new(record)))
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

pub fn no_action(integration: &Integration, unknown: &crate::catalog::UnknownName) -> Failure {
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

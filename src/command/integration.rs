//! `loopin integration add|set|diagnose|list|providers|show|remove|verify`.

mod add;
mod diagnose;
mod secret;
mod set;
mod verify;

use super::context::{Context, of_the_configuration};
use crate::{
    catalog::{self, Fields, Preset, SecretSource, SharedRedirect},
    cli,
    grants::{Grants, Place},
    report::{Code, Failure, Outcome, command},
    system::config_file,
    vault::ItemName,
};

pub fn run(context: &Context, verb: &cli::Integration) -> Result<Outcome, Failure> {
    match verb {
        cli::Integration::Add(args) => add::run(context, args),
        cli::Integration::Set(args) => set::run(context, args),
        cli::Integration::Providers { query } => providers(query.as_deref()),
        cli::Integration::List => Ok(Outcome::Integrations(context.catalog()?.iter().cloned().collect())),
        cli::Integration::Show { name } => Ok(Outcome::Integration(Box::new(context.catalog()?.get(name)?.clone()))),
        cli::Integration::Remove { name } => remove(context, name),
        cli::Integration::Diagnose(args) => diagnose::run(context, args),
        cli::Integration::Verify { name } => verify::run(context, name),
    }
}

/// What the command line states. The secret is not on it, and the store is a global option.
fn stated(args: &cli::Fields) -> Fields {
    Fields {
        provider: args.provider.clone(),
        base_url: args.base_url.clone(),
        tenant: args.tenant.clone(),
        issuer: args.issuer.clone(),
        authorization_endpoint: args.authorization_endpoint.clone(),
        token_endpoint: args.token_endpoint.clone(),
        revocation_endpoint: args.revocation_endpoint.clone(),
        client_id: args.client_id.clone(),
        client_secret: args.secret_stdin.then_some(catalog::NewSecret::InStore),
        token_endpoint_auth_method: args.token_endpoint_auth_method.clone(),
        redirect_uris: args.redirect_uris.clone(),
        relay: args.relay.clone(),
        shared_redirect: SharedRedirect::from(args.shared_redirect),
        scopes: args.scopes.clone(),
        store: None,
        store_key: None,
    }
}

/// All that match, or the one that is meant.
fn providers(query: Option<&str>) -> Result<Outcome, Failure> {
    let Some(query) = query else { return Ok(Outcome::Providers(Preset::all().collect())) };
    if let Ok(preset) = Preset::find(query) {
        return Ok(Outcome::Providers(vec![preset]));
    }
    let wanted = query.to_lowercase();
    let matching: Vec<_> = Preset::all()
        .filter(|preset| preset.id.contains(&wanted) || preset.name.to_lowercase().contains(&wanted))
        .collect();
    match matching.is_empty() {
        true => {
            Err(Preset::find(query).err().map_or_else(|| Failure::new(Code::Internal, "no provider"), Failure::from))
        }
        false => Ok(Outcome::Providers(matching)),
    }
}

fn remove(context: &Context, name: &str) -> Result<Outcome, Failure> {
    let settings = context.settings.clone().with_environment()?;
    let (path, text) = settings.config_text()?;
    let changed = catalog::remove(&text, name)?;
    let catalog = settings.catalog()?;
    let integration = catalog.get(name)?;
    // Of every store: without the integration its key file and its client secret would be unknown.
    let grants = Grants::open(context.settings.clone())?;
    let logins = grants.logins(Some(name))?;
    let stored: Vec<_> = logins.iter().filter(|login| login.place != Place::Elsewhere).collect();
    if !stored.is_empty() {
        let list: Vec<_> = stored.iter().map(|login| login.grant.within()).collect();
        return Err(Failure::new(Code::Usage, format!("{name} still has stored logins: {}", list.join("; ")))
            .remedy(format!("log out of all of them: {}", command(["logout", name, "--all"]))));
    }
    if matches!(integration.client_secret, Some(SecretSource::Store)) {
        let files = settings.files()?;
        settings.items(integration, &files).delete(&ItemName::of_client_secret(&integration.name))?;
    }
    config_file::replace(&path, &changed).map_err(of_the_configuration)?;
    Ok(Outcome::Removed { name: name.to_owned(), config: path.display().to_string() })
}

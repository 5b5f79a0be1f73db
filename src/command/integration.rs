//! `loopin integration add|diagnose|list|providers|show|remove|verify`.

mod diagnose;
mod verify;

use super::context::{Context, of_the_configuration};
use crate::{
    catalog::{
        self, Catalog, ClientKind, Integration, IntegrationName, Loopback, NewIntegration, NewSecret, Preset,
        SharedRedirect, StoreKind, Variable,
    },
    cli::{self, Add},
    report::{Code, Event, Failure, Outcome, Registering, ask, command, registration_steps},
    secret::Secret,
    system::{config_file, entropy, terminal},
    vault::{ItemName, Vault},
};

pub fn run(context: &Context, verb: &cli::Integration) -> Result<Outcome, Failure> {
    match verb {
        cli::Integration::Add(args) => add(context, args),
        cli::Integration::Providers { query } => providers(query.as_deref()),
        cli::Integration::List => Ok(Outcome::Integrations(context.catalog()?.iter().cloned().collect())),
        cli::Integration::Show { name } => Ok(Outcome::Integration(Box::new(context.catalog()?.get(name)?.clone()))),
        cli::Integration::Remove { name } => remove(context, name),
        cli::Integration::Diagnose(args) => diagnose::run(context, args),
        cli::Integration::Verify { name } => verify::run(context, name),
    }
}

fn add(context: &Context, args: &Add) -> Result<Outcome, Failure> {
    let name = IntegrationName::parse(&args.name)?;
    let (path, text) = context.settings.config_text_to_extend()?;
    let text = text.unwrap_or_default();
    let preset = args.provider.as_deref().map(Preset::find).transpose()?;
    let mut new = NewIntegration {
        provider: args.provider.clone(),
        base_url: args.base_url.clone(),
        tenant: args.tenant.clone(),
        issuer: args.issuer.clone(),
        authorization_endpoint: args.authorization_endpoint.clone(),
        token_endpoint: args.token_endpoint.clone(),
        revocation_endpoint: args.revocation_endpoint.clone(),
        client_id: args.client_id.clone().unwrap_or_default(),
        client_secret: args.secret_stdin.then_some(NewSecret::InStore),
        token_endpoint_auth_method: args.token_endpoint_auth_method.clone(),
        redirect_uris: args.redirect_uris.clone(),
        relay: args.relay.clone(),
        shared_redirect: SharedRedirect::from(args.shared_redirect),
        scopes: args.scopes.clone(),
        store: context.settings.store.unwrap_or_default(),
        store_key: None,
    };
    let secret = complete(context, &name, &mut new, preset.as_ref())?;
    new.store_key = (new.store == StoreKind::File).then(|| context.new_store_key()).transpose()?;
    // Judged before anything is made: an add that fails leaves nothing behind.
    let changed = catalog::add(&text, &name, &new)?;
    let added = Catalog::parse(&changed)?;
    let secret = match secret {
        None => args.secret_stdin.then(client_secret).transpose()?,
        typed => typed,
    };
    if let Some(key) = &new.store_key {
        config_file::make_key(key, &entropy::random::<32>()?)?;
    }
    if let Some(secret) = secret {
        // Before the file names it: an integration whose secret could not be stored is not added.
        store_secret(context, added.get(name.as_str())?, &secret)?;
    }
    config_file::replace(&path, &changed).map_err(of_the_configuration)?;
    Ok(Outcome::Added {
        name: name.to_string(),
        config: path.display().to_string(),
        registration: Registering::of(added.get(name.as_str())?),
        next: command(["login", name.as_str()]),
    })
}

/// On a terminal the user is asked for what is missing; elsewhere nothing is ever asked. Returns a client secret that was
/// typed.
fn complete(
    context: &Context,
    name: &IntegrationName,
    new: &mut NewIntegration,
    preset: Option<&Preset>,
) -> Result<Option<Secret>, Failure> {
    let interactive = terminal::stdin_is_terminal() && terminal::stderr_is_terminal() && new.client_secret.is_none();
    let question = |what: &str, option: &str| {
        let missing = || Failure::new(Code::Usage, format!("{what} is missing")).remedy(format!("add {option}"));
        if !interactive {
            return Err(missing());
        }
        ask(&format!("{what}: "));
        terminal::line().map_err(|_| missing())
    };
    let no_server = new.issuer.is_none() && new.authorization_endpoint.is_none() && new.token_endpoint.is_none();
    if let Some(preset) = preset {
        if preset.redirect.loopback == Loopback::Refused && new.relay.is_none() {
            return Err(Failure::new(Code::Configuration, preset.needs_relay(name).what).remedy(format!(
                "run loopin relay on a domain of yours with a route to {}, and add --relay \
                 https://acme.example/cli/{name}",
                preset.redirect_uri(Some(name))
            )));
        }
        let variables =
            [(&mut new.base_url, &preset.base_url, "base-url"), (&mut new.tenant, &preset.tenant, "tenant")];
        for (stated, variable, option) in variables {
            if let (None, Some(Variable { default: None, example })) = (&stated, variable) {
                let what = format!("The {option} of your instance of {} (like {example})", preset.name);
                *stated = Some(question(&what, &format!("--{option} {example}"))?);
            }
        }
        if new.client_id.is_empty() {
            let redirects = match (&new.relay, new.redirect_uris.as_slice()) {
                (Some(relay), _) => vec![relay.clone()],
                (None, []) => vec![preset.redirect_uri(Some(name))],
                (None, stated) => stated.to_vec(),
            };
            for step in registration_steps(preset, &redirects, new.base_url.as_deref()) {
                context.talk.say(&Event::Step(&step));
            }
        }
    } else if no_server {
        new.issuer = Some(question(
            "Issuer of the provider (https://...)",
            "--provider NAME (see: loopin integration providers), --issuer URL, or --authorization-endpoint and \
             --token-endpoint",
        )?);
    }
    if new.client_id.is_empty() {
        new.client_id = question("Client identifier", "--client-id ID")?;
    }
    typed_secret(new, preset, interactive.then_some(Asking))
}

/// Proof that there is a user who can be asked.
#[derive(Clone, Copy)]
struct Asking;

/// The secret, where every client of the provider has one and the command line does not say where it is.
fn typed_secret(
    new: &mut NewIntegration,
    preset: Option<&Preset>,
    asking: Option<Asking>,
) -> Result<Option<Secret>, Failure> {
    let Some(preset) = preset.filter(|preset| preset.registration.client == ClientKind::Confidential) else {
        return Ok(None);
    };
    if new.client_secret.is_some() {
        return Ok(None);
    }
    let missing = || {
        let what = format!("the client secret is missing: {} gives every client one", preset.name);
        Failure::new(Code::Usage, what).remedy("add --secret-stdin, and pass the secret on standard input")
    };
    let Some(Asking) = asking else { return Err(missing()) };
    let secret = terminal::hidden("Client secret: ").map_err(|_| missing())?;
    if secret.expose().is_empty() {
        return Err(missing());
    }
    new.client_secret = Some(NewSecret::InStore);
    Ok(Some(secret))
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

fn client_secret() -> Result<Secret, Failure> {
    let secret = terminal::secret_from_stdin().map_err(|_| Failure::new(Code::Usage, "standard input is not text"))?;
    match secret.expose().is_empty() {
        true => Err(Failure::new(Code::Usage, "standard input is empty: the client secret was to come from there")),
        false => Ok(secret),
    }
}

fn store_secret(context: &Context, integration: &Integration, secret: &Secret) -> Result<(), Failure> {
    let files = context.settings.files()?;
    let items = context.settings.items(integration, &files);
    let name = ItemName::of_client_secret(&integration.name);
    items.write(&name, &format!("loopin: client secret of {}", integration.name), secret)?;
    match items.read(&name)? {
        Some(kept) if kept.matches(secret.expose()) => Ok(()),
        kept => {
            // What was altered is no use to anybody.
            if kept.is_some() {
                items.delete(&name)?;
            }
            Err(crate::vault::StoreError::Unfaithful.into())
        }
    }
}

fn remove(context: &Context, name: &str) -> Result<Outcome, Failure> {
    let (path, text) = context.settings.config_text()?;
    let changed = catalog::remove(&text, name)?;
    let catalog = context.catalog()?;
    let integration = catalog.get(name)?;
    let files = context.settings.files()?;
    let items = context.settings.items(integration, &files);
    let vault = Vault { items: items.as_ref(), files: &files };
    let stored = crate::vault::entries(&files)?.iter().any(|e| e.integration == name && e.store == items.kind());
    if stored {
        return Err(Failure::new(Code::Usage, format!("somebody is logged in to {name}"))
            .remedy(format!("loopin logout {name}, then remove it")));
    }
    if matches!(integration.client_secret, Some(catalog::SecretSource::Store)) {
        vault.items.delete(&ItemName::of_client_secret(&integration.name))?;
    }
    config_file::replace(&path, &changed).map_err(of_the_configuration)?;
    Ok(Outcome::Removed { name: name.to_owned(), config: path.display().to_string() })
}

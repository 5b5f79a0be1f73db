//! `loopin integration add|list|show|remove`.

use super::context::{Context, of_the_configuration};
use crate::{
    catalog::{self, Catalog, Integration, IntegrationName, NewIntegration, NewSecret, SharedRedirect, StoreKind},
    cli::{self, Add},
    report::{Code, Failure, Outcome, ask},
    secret::Secret,
    system::{config_file, entropy, terminal},
    vault::{ItemName, Vault},
};

pub fn run(context: &Context, verb: &cli::Integration) -> Result<Outcome, Failure> {
    match verb {
        cli::Integration::Add(args) => add(context, args),
        cli::Integration::List => Ok(Outcome::Integrations(context.catalog()?.iter().cloned().collect())),
        cli::Integration::Show { name } => Ok(Outcome::Integration(Box::new(context.catalog()?.get(name)?.clone()))),
        cli::Integration::Remove { name } => remove(context, name),
    }
}

fn add(context: &Context, args: &Add) -> Result<Outcome, Failure> {
    let name = IntegrationName::parse(&args.name)?;
    let (path, text) = context.settings.config_text()?;
    let mut new = NewIntegration {
        issuer: args.issuer.clone(),
        authorization_endpoint: args.authorization_endpoint.clone(),
        token_endpoint: args.token_endpoint.clone(),
        revocation_endpoint: args.revocation_endpoint.clone(),
        client_id: args.client_id.clone().unwrap_or_default(),
        client_secret: args.secret_stdin.then_some(NewSecret::InStore),
        redirect_uris: args.redirect_uris.clone(),
        shared_redirect: SharedRedirect::from(args.shared_redirect),
        scopes: args.scopes.clone(),
        store: context.settings.store.unwrap_or_default(),
        store_key: None,
    };
    complete(&mut new)?;
    new.store_key = (new.store == StoreKind::File).then(|| context.new_store_key()).transpose()?;
    // Judged before anything is made: an add that fails leaves nothing behind.
    let changed = catalog::add(&text, &name, &new)?;
    let added = Catalog::parse(&changed)?;
    let secret = args.secret_stdin.then(client_secret).transpose()?;
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
        redirect_uris: registered(added.get(name.as_str())?),
        next: format!("loopin login {name}"),
    })
}

/// What the provider has to know: the relay's URI where there is one, else each redirect.
fn registered(integration: &Integration) -> Vec<String> {
    match &integration.relay {
        Some(relay) => vec![relay.as_str().to_owned()],
        None => integration.redirects.iter().map(|redirect| redirect.as_str().to_owned()).collect(),
    }
}

/// On a terminal a person is asked for what is missing; elsewhere nothing is ever asked.
fn complete(new: &mut NewIntegration) -> Result<(), Failure> {
    let person = terminal::stdin_is_terminal() && terminal::stderr_is_terminal() && new.client_secret.is_none();
    let question = |what: &str, option: &str| {
        if !person {
            return Err(Failure::new(Code::Usage, format!("{what} is missing")).remedy(format!("add {option}")));
        }
        ask(&format!("{what}: "));
        terminal::line()
            .map_err(|_| Failure::new(Code::Usage, format!("{what} is missing")).remedy(format!("add {option}")))
    };
    if new.issuer.is_none() && new.authorization_endpoint.is_none() && new.token_endpoint.is_none() {
        new.issuer = Some(question(
            "Issuer of the provider (https://...)",
            "--issuer URL, or --authorization-endpoint and --token-endpoint",
        )?);
    }
    if new.client_id.is_empty() {
        new.client_id = question("Client identifier", "--client-id ID")?;
    }
    Ok(())
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

//! `loopin integration add`.

use super::{Context, of_the_configuration, secret, stated};
use crate::{
    catalog::{
        self, Addition, Catalog, ClientKind, Existing, Fields, IntegrationName, Loopback, NewSecret, Preset, StoreKind,
        Variable, own_redirect,
    },
    cli,
    report::{Code, Event, Failure, Outcome, Registering, ask, configured_command, registration_steps, typed_with},
    secret::Secret,
    system::{config_file, entropy, terminal},
};

pub(super) fn run(context: &Context, args: &cli::Add) -> Result<Outcome, Failure> {
    let name = IntegrationName::parse(&args.name)?;
    let settings = context.settings.clone().with_environment()?;
    let (path, text) = settings.config_text_to_extend()?;
    let text = text.unwrap_or_default();
    let preset = args.fields.provider.as_deref().map(Preset::find).transpose()?;
    let mut new = Fields { store: settings.store, ..stated(&args.fields) };
    let typed = complete(context, &name, &mut new, preset.as_ref())?;
    new.store_key = (new.store == Some(StoreKind::File)).then(|| context.new_store_key()).transpose()?;
    let existing = if args.replace { Existing::Replaced } else { Existing::Kept };
    // Judged before anything is made: an add that fails leaves nothing behind.
    let changed = match catalog::add(&text, &name, &new, existing)? {
        Addition::Changed(changed) => changed,
        Addition::Same => text,
        Addition::Taken => return Err(taken(&name)),
    };
    let catalog = Catalog::parse(&changed)?;
    let added = catalog.get(name.as_str())?;
    let secret = match typed {
        None => args.fields.secret_stdin.then(secret::read).transpose()?,
        typed => typed,
    };
    if let Some(key) = &new.store_key {
        config_file::make_key(key, &entropy::random::<32>()?)?;
    }
    if let Some(secret) = secret {
        let files = settings.files()?;
        // Before the file names it: an integration whose secret could not be stored is not added.
        secret::store(settings.items(added, &files).as_ref(), &name, &secret)?;
    }
    config_file::replace(&path, &changed).map_err(of_the_configuration)?;
    Ok(Outcome::Added {
        name: name.to_string(),
        config: path.display().to_string(),
        registration: Registering::of(added),
        next: configured_command(["login", name.as_str()]),
    })
}

fn taken(name: &IntegrationName) -> Failure {
    let failure =
        Failure::new(Code::Configuration, format!("integration \"{name}\" already exists, with other fields"));
    let set = configured_command(["integration", "set", name.as_str()]);
    let replace = typed_with(&["--replace"]).unwrap_or_else(|| "add --replace".into());
    failure.remedy(format!("change single fields with {set}, or write it anew: {replace}"))
}

/// On a terminal the user is asked for what is missing; elsewhere nothing is ever asked. Returns a client secret that was
/// typed.
fn complete(
    context: &Context,
    name: &IntegrationName,
    new: &mut Fields,
    preset: Option<&Preset>,
) -> Result<Option<Secret>, Failure> {
    let interactive = terminal::stdin_is_terminal() && terminal::stderr_is_terminal();
    let question = |what: &str, option: &str| {
        let missing = || Failure::new(Code::Usage, format!("{what} is missing")).remedy(format!("add {option}"));
        if !interactive {
            return Err(missing());
        }
        ask(&format!("{what}: "));
        terminal::line().ok().filter(|line| !line.is_empty()).ok_or_else(missing)
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
    } else if no_server {
        new.issuer = Some(question(
            "Issuer of the provider (https://...)",
            "--provider NAME (see: loopin integration providers), --issuer URL, or --authorization-endpoint and \
             --token-endpoint",
        )?);
    }
    if new.client_id.is_none() {
        // The provider gives a client identifier to whom has registered.
        for step in preview(name, new, preset) {
            context.talk.say(&Event::Step(&step));
        }
        new.client_id = Some(question("Client identifier", "--client-id ID")?);
    }
    if new.scopes.is_empty() && interactive {
        ask("Scopes, separated by spaces (none: just press Enter): ");
        // The end of the input is an answer too.
        new.scopes = terminal::line().into_iter().filter(|line| !line.is_empty()).collect();
    }
    typed_secret(new, preset, interactive.then_some(Asking))
}

/// What to register at the provider: which kind of application, with which redirect URIs.
fn preview(name: &IntegrationName, new: &Fields, preset: Option<&Preset>) -> Vec<String> {
    let usual = || preset.map_or_else(|| own_redirect(name), |preset| preset.redirect_uri(Some(name)));
    let redirects = match (&new.relay, new.redirect_uris.as_slice()) {
        (Some(relay), _) => vec![relay.clone()],
        (None, []) => vec![usual()],
        (None, stated) => stated.to_vec(),
    };
    match preset {
        Some(preset) => registration_steps(preset, &redirects, new.base_url.as_deref()),
        None => {
            let kind = match new.client_secret {
                None => "register a native or desktop application (a public client, without a secret) at the provider",
                Some(NewSecret::InStore) => "register an application with a client secret at the provider",
            };
            let uris = redirects.iter().map(|uri| format!("enter this redirect URI: {uri}"));
            [kind.to_owned()].into_iter().chain(uris).collect()
        }
    }
}

/// Proof that there is a user who can be asked.
#[derive(Clone, Copy)]
struct Asking;

/// The secret, where every client of the provider has one and the command line does not say where it is.
fn typed_secret(new: &mut Fields, preset: Option<&Preset>, asking: Option<Asking>) -> Result<Option<Secret>, Failure> {
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
    let secret = secret::read().map_err(|_| missing())?;
    new.client_secret = Some(NewSecret::InStore);
    Ok(Some(secret))
}

//! What has to be right before the service starts; `loopin serve check` says it and stops there.

mod providers;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    path::Path,
};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::open;

use crate::{
    catalog::{Integration, Others, SecretSource},
    command::context::private_file,
    grants::Error,
    oauth::{IssParameter, ResponseMode},
    report::{Code, Failure, Outcome},
    secret::{SealKey, Secret},
    service::{
        authorize::QueryToken,
        base_url::{BaseUrl, RedirectAt, client_at},
        config::{Config, KeySource, Keys},
        jwt::{self, Verifier},
        keys::{KeyId, KeyRing},
        redirect_uri,
        store::StoreFault,
    },
    system::{
        client_secret::outside_the_store,
        clock,
        database::{Database, OpenError},
        environment,
        http::{Http, check_proxy},
        jwks,
    },
};

/// Bytes of a key.
const KEY: usize = 32;

/// Says what to register where, and what is weaker than it could be. Nothing is opened for writing.
pub fn run(config: &Config) -> Result<Outcome, Failure> {
    let ring = ring(&config.keys)?;
    let verifier = verifier(config)?;
    secrets(config)?;
    ca_files(config)?;
    check_proxy()?;
    proven(&config.database, &ring)?;
    let mut text = String::from("The configuration is sound.\n\nRegister at each provider, byte for byte:\n");
    for integration in config.catalog.iter() {
        for (server, redirect) in redirects(config, integration) {
            let _ = writeln!(text, "  {}{server}: {redirect}", integration.name);
        }
    }
    forwarding(config, &mut text);
    let token = match config.query_token {
        QueryToken::Confirm => "a token in an address leads to a page on which the person confirms",
        QueryToken::Off => "a token in an address is refused",
        QueryToken::Redirect => "a token in an address starts at once",
    };
    let _ = writeln!(text, "\nBrowsers are sent on like this: {token}.");
    match &config.session_cookie {
        Some(name) => {
            _ = writeln!(
                text,
                "The cookie {name} counts as the caller's token where a page of the same site navigates."
            )
        }
        None => text.push_str("No cookie counts as a token (session_cookie is not set).\n"),
    }
    for issuer in config.issuers.iter().filter(|issuer| config.issuers.len() > 1 || !issuer.namespace().is_empty()) {
        let (name, namespace) = (issuer.issuer(), issuer.namespace().as_str());
        let _ = writeln!(
            text,
            "Users of {name} are in the namespace \"{namespace}\"; callers in another one cannot reach their connections."
        );
    }
    for issuer in verifier.stale(clock::now()) {
        let name = verifier.issuer(issuer);
        // Not a fault of the configuration: the issuer may be away, or this machine without a network.
        let _ = match jwks::refetch(&verifier, issuer, &Http::default(), clock::now()) {
            Ok(_) => writeln!(text, "The keys of {name} came."),
            Err(why) => writeln!(text, "The keys of {name} do not come: {why}. Until they do, it vouches for nobody."),
        };
    }
    providers::differences(&config.catalog, &mut text);
    for weakness in config.weaknesses().into_iter().chain(weak_keys(config, &ring)?) {
        let _ = writeln!(text, "Weaker than it could be: {weakness}");
    }
    for (name, address) in [("listen", Some(config.listen)), ("admin", config.admin)] {
        // Not a fault: a service that runs has its ports.
        if let Some(Err(failure)) = address.map(|address| open(name, address)) {
            let _ = writeln!(text, "Unless the service runs already: {}", failure.what);
        }
    }
    Ok(Outcome::Document(text.into_bytes()))
}

/// What to register where: at the integration's own server, and at each instance that has a redirect of its own.
fn redirects(config: &Config, integration: &Integration) -> Vec<(String, String)> {
    let of = |at: &RedirectAt| redirect_uri::of_flow(&config.public_url, integration, at);
    let at_own_server = RedirectAt::Integration(IssParameter::NotPromised);
    let registered = of(&at_own_server);
    let mut all: Vec<_> = registered.iter().map(|redirect| (String::new(), redirect.as_str().to_owned())).collect();
    for instance in &integration.base_allow.listed {
        let Ok(base) = BaseUrl::parse(&instance.url(), integration) else { continue };
        if let Some(redirect) = of(&client_at(integration, Some(&base)).redirect) {
            all.push((format!(" at {}", base.as_str()), redirect.as_str().to_owned()));
        }
    }
    if let Some(own) = &registered {
        let domains = integration.base_allow.domains.iter();
        all.extend(domains.map(|domain| (format!(" at https://*.{domain}"), own.as_str().to_owned())));
    }
    if let (Others::Public, Some(own)) = (integration.base_allow.others, &registered) {
        all.push((" at any other instance".into(), format!("{}/HOST", own.listened_at())));
    }
    all
}

/// What other domains must forward to this service, and what only `loopin login` can use.
fn forwarding(config: &Config, text: &mut String) {
    for integration in config.catalog.iter() {
        let at_own_server = RedirectAt::Integration(IssParameter::NotPromised);
        let redirect = redirect_uri::of_flow(&config.public_url, integration, &at_own_server);
        if let Some((redirect, relay)) = redirect.as_ref().and_then(|it| Some((it, it.relay()?))) {
            let own = redirect.listened_at();
            let how = match integration.response_mode {
                ResponseMode::FormPost => "POST too, with a proxy (loopin relay forwards GET only)",
                ResponseMode::Query => "for example with loopin relay",
            };
            let _ = writeln!(text, "Forward {relay} to {own}, {how}.");
        }
        for unused in redirect_uri::for_the_command_line(integration) {
            let (name, uri) = (&integration.name, unused.as_str());
            let _ = writeln!(
                text,
                "[integration.{name}]: the service does not use {uri}, which leads to a user's machine (loopin login)."
            );
        }
    }
}

/// The keys from where they lie.
///
/// # Errors
/// One is missing, readable by others, or not 32 bytes.
pub fn ring(keys: &Keys) -> Result<KeyRing, Failure> {
    let mut all = BTreeMap::new();
    for (id, source) in &keys.sources {
        all.insert(id.clone(), key(id, source)?);
    }
    KeyRing::new(keys.current.clone(), all)
        .ok_or_else(|| Failure::new(Code::Configuration, "[keys]: current: there is no key of that name"))
}

fn key(id: &KeyId, source: &KeySource) -> Result<SealKey, Failure> {
    let wrong = |place: String| {
        Failure::new(Code::Configuration, format!("[keys]: {id} in {place} is not 32 bytes, as they are or in base64"))
            .remedy("make one: openssl rand -base64 32")
    };
    let (bytes, place) = match source {
        KeySource::File(path) => (named(path, "openssl rand -base64 32")?, path.display().to_string()),
        KeySource::Env(name) => {
            let text = environment::secret(name).ok_or_else(|| {
                Failure::new(Code::Configuration, format!("[keys]: {id}: the variable {name} is not set"))
                    .remedy("set it to 32 random bytes in base64: openssl rand -base64 32")
            })?;
            (text.expose().as_bytes().to_vec(), format!("the variable {name}"))
        }
    };
    let raw = <[u8; KEY]>::try_from(bytes.as_slice()).ok();
    let decoded = || {
        let text = std::str::from_utf8(&bytes).ok()?.trim();
        <[u8; KEY]>::try_from(STANDARD.decode(text).ok()?.as_slice()).ok()
    };
    raw.or_else(decoded).map(SealKey::new).ok_or_else(|| wrong(place))
}

/// Keys and shared secrets that nobody drew at random: 32 random bytes have fewer than 9 different ones less than once in
/// 10^33 times.
///
/// # Errors
/// A shared secret cannot be read.
pub fn weak_keys(config: &Config, ring: &KeyRing) -> Result<Vec<String>, Failure> {
    let guessable = |bytes: &[u8]| bytes.iter().collect::<BTreeSet<_>>().len() < 9;
    let keys = ring.ids().zip(ring.keys()).filter(|(_, key)| guessable(key.expose()));
    let mut found: Vec<_> = keys
        .map(|(id, _)| {
            format!(
                "[keys]: {id} repeats a few bytes and can be guessed; make one with openssl rand -base64 32, add it \
                 beside this one and rotate: loopin serve keys rotate"
            )
        })
        .collect();
    for issuer in &config.issuers {
        if let jwt::KeySource::Shared(source) = issuer.keys()
            && guessable(shared_secret(source)?.expose().as_bytes())
        {
            let name = issuer.issuer();
            found.push(format!(
                "[[jwt]]: hs256 of {name} repeats a few bytes and can be guessed; make one: openssl rand -base64 48"
            ));
        }
    }
    Ok(found)
}

/// A file that the configuration names: what is wrong with it is wrong with the configuration.
fn named(path: &Path, make: &str) -> Result<Vec<u8>, Failure> {
    private_file(path, make).map_err(of_the_configuration)
}

fn of_the_configuration(failure: Failure) -> Failure {
    Failure { code: Code::Configuration, ..failure }
}

/// Whether these are the keys that the database was sealed with. Changes nothing.
///
/// # Errors
/// One is missing or another one under its name; the database cannot be read.
pub fn proven(database: &Path, ring: &KeyRing) -> Result<(), Failure> {
    let unsound = |why: &StoreFault| {
        Failure::new(Code::Store, format!("{}: {why}", database.display()))
            .remedy("put back a backup, or write another url under [store]")
    };
    let known = Database::look(database).map_err(|error| match &error {
        OpenError::Fault(why) => unsound(why),
        _ => error.into(),
    });
    let Some(known) = known? else { return Ok(()) };
    for (id, proof, rows) in known {
        let ours = ring.ids().any(|ours| *ours == id);
        if !ours && rows > 0 {
            let what = format!("the database holds {rows} rows that need the key {id}, which is not in [keys]");
            return Err(Failure::new(Code::Configuration, what).remedy(format!("add {id} to [keys]")));
        }
        if ours && !ring.proves(&id, &proof) {
            let what = format!("[keys]: {id} is not the key that this database was sealed with");
            return Err(
                Failure::new(Code::Configuration, what).remedy("put the right key back, or name this one otherwise")
            );
        }
    }
    Ok(())
}

/// The issuers with their shared secrets.
///
/// # Errors
/// A secret is missing or weak.
pub fn verifier(config: &Config) -> Result<Verifier, Failure> {
    Verifier::new(config.issuers.clone(), shared_secret)
}

fn shared_secret(source: &SecretSource) -> Result<Secret, Failure> {
    match source {
        SecretSource::Environment(name) => environment::secret(name).ok_or_else(|| {
            Failure::new(Code::Configuration, format!("[[jwt]]: hs256: the variable {name} is not set"))
                .remedy("set it to the secret with which the application signs")
        }),
        SecretSource::File(path) => {
            let text = String::from_utf8(named(path, "openssl rand -base64 48")?).map_err(|_| {
                Failure::new(Code::Configuration, format!("[[jwt]]: hs256: {} is not text", path.display()))
                    .remedy("make one: openssl rand -base64 48")
            })?;
            Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
        }
        SecretSource::Store => Err(Failure::new(Code::Configuration, "[[jwt]]: hs256: a service has no keychain")),
    }
}

/// Whether every client secret is where the configuration says.
///
/// # Errors
/// The first that is not.
pub fn secrets(config: &Config) -> Result<(), Failure> {
    for integration in config.catalog.iter() {
        let of_instances = integration.base_allow.listed.iter().filter_map(|instance| instance.client_secret.as_ref());
        for source in integration.client_secret.iter().chain(of_instances) {
            outside_the_store(source).map_err(|why| {
                let integration = integration.name.clone();
                of_the_configuration(Error::ClientSecret { integration, why }.into())
            })?;
        }
    }
    Ok(())
}

/// Checks the CA certificates of every integration.
///
/// # Errors
/// A file cannot be used.
pub fn ca_files(config: &Config) -> Result<(), Failure> {
    for integration in config.catalog.iter() {
        Http::at(integration).check_ca().map_err(|why| {
            let failure = Failure::from(why);
            Failure { what: format!("[integration.{}]: {}", integration.name, failure.what), ..failure }
        })?;
    }
    Ok(())
}

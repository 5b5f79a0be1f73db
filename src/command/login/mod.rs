//! `loopin login`: the browser, one click, and the tokens are in the store. `shared` is the same begun for programs.

pub mod attempt;
pub mod canceller;
mod desk;
pub mod shared;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::{
    context::{Context, chosen, grant_key, login_command},
    hand_out::no_action,
};
use crate::{
    catalog::{Integration, IntegrationName, PkcePromise, SecretSource, Server, SharedRedirect, own_redirect},
    cli::{self, How},
    deadlines::LOCK_WAITS,
    oauth::{
        AuthorizationServer, ExtraParameters, IssParameter, Pkce, S256, Scope, ScopeRules, Scopes, TokenSet, TokenType,
        discover,
    },
    redirect::RelayedRedirect,
    refresh::{
        LastRefresh,
        covering::{self, Coverage, Granted},
    },
    report::{Code, Event, Failure, Outcome, SignedIn, Talk},
    secret::SealKey,
    stdio::Opening,
    system::{
        browser::Browser,
        entropy,
        http::Http,
        lock::{self, Held},
        private_files::PrivateFiles,
        signal,
    },
    vault::{Grant, GrantKey, Pinned, Record, StoreError, Vault, seal::Nonce},
};
use attempt::{Attempt, Opener, sign_in};
use canceller::Canceller;

pub fn run(context: &Context, args: &cli::Login) -> Result<Outcome, Failure> {
    let (talk, form) = (context.talk.clone(), context.form);
    let storing = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&storing);
    let signals = signal::end_on(move |signal| {
        talk.clear();
        let what = match seen.load(Ordering::SeqCst) {
            true => "stopped while the tokens were being stored; loopin status tells whether they are",
            false => "stopped; nothing was changed",
        };
        crate::report::fail(&Failure::new(Code::Signalled(signal), what), form)
    });
    let mark = |reached| match reached {
        Reached::Storing => storing.store(true, Ordering::SeqCst),
        Reached::Stored => signals.disarm(),
    };
    let login = Login { context, args, opening: Opening::Loopin, canceller: &Canceller::default(), reached: &mark };
    let signed_in = login.run();
    signals.disarm();
    signed_in.map(Outcome::SignedIn)
}

/// One login, whoever has begun it.
pub struct Login<'a> {
    pub context: &'a Context,
    pub args: &'a cli::Login,
    pub opening: Opening,
    pub canceller: &'a Canceller,
    pub reached: &'a dyn Fn(Reached),
}

/// How far a login has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    Stored,
    Storing,
}

impl Login<'_> {
    pub fn run(&self) -> Result<SignedIn, Failure> {
        let Self { context, args, .. } = *self;
        let catalog = context.catalog()?;
        let integration = chosen(&catalog, args.integration.as_deref())?;
        let key = grant_key(&integration.name, &args.grant)?;
        let scopes = scopes(integration, &key, args)?;
        let extra = extra(integration, args)?;
        let relay = relay(integration, args)?;
        let opener = match self.opening {
            Opening::Client => Opener::Caller,
            Opening::Loopin => Opener::Browser(browser(args)?, args.how),
        };
        let files = context.files()?;
        let items = context.items(integration, &files);
        let vault = Vault { items: items.as_ref(), files: &files };
        // Before a person is sent to a browser: a store that cannot keep the tokens is told now.
        files.lock_file(&vault.state_name(&key).file(".lock"))?;
        let before = match vault.read(&key) {
            Err(StoreError::Damaged { .. }) => None,
            Ok(None) => {
                vault.prove()?;
                None
            }
            other => other?,
        };
        let client = context.client(integration, &vault)?;
        let server = server(integration)?;
        let mut warnings = promises(integration, &server, &context.talk)?;
        let sent = Integration { relay: relay.clone(), ..integration.clone() };
        warnings.extend(shared_redirect(integration, &catalog.sharing(&sent), &server, &context.talk)?);
        let pinned_server = server.clone();
        let attempt = Attempt {
            server,
            client,
            redirects: integration.redirects.clone(),
            port: args.port,
            relay,
            scopes: scopes.clone(),
            pkce: integration.pkce,
            effective_pkce: integration.effective_pkce(pinned_server.s256),
            extra,
            opener,
            hidden_variable: match &integration.client_secret {
                Some(SecretSource::Environment(name)) => Some(name.clone()),
                _ => None,
            },
            timeout: args.timeout,
            canceller: self.canceller.clone(),
        };
        let signed_in = sign_in(attempt, context, |tokens| {
            let rules = &integration.dialect.scopes;
            let warned = Notes { talk: &context.talk, asked: &scopes, rules };
            warnings.extend(warned.of(&tokens));
            let account = args.grant.account.as_deref();
            warnings.extend(same_person(&context.talk, before.as_ref(), &tokens, account)?);
            let issuer = tokens.claims.as_ref().map(|c| c.iss.clone());
            let pinned = Pinned::new(&pinned_server, &integration.client_id, issuer.as_deref());
            let grant = Grant::new(tokens, scopes.clone());
            let signed_in = SignedIn::new(&key, vault.items.kind(), &grant, std::mem::take(&mut warnings));
            (self.reached)(Reached::Storing);
            keep(&vault, Some(&files), &key, pinned, grant)?;
            (self.reached)(Reached::Stored);
            context.talk.say(&Event::Done);
            Ok(signed_in)
        });
        let retry = |failure: Failure| match failure {
            Failure { code: Code::Denied | Code::LoginRequired | Code::Timeout, remedy: None, .. } => {
                let relay = args.relay.iter().map(|relay| format!(" --relay {relay}"));
                let port = args.port.iter().map(|port| format!(" --port {port}"));
                failure.remedy(login_command(&key) + &relay.chain(port).collect::<String>())
            }
            other => other,
        };
        signed_in.map_err(retry)
    }
}

/// Stores the grant under its lock and reads it back.
pub fn keep(
    vault: &Vault<'_>,
    files: Option<&PrivateFiles>,
    key: &GrantKey,
    pinned: Pinned,
    grant: Grant,
) -> Result<(), Failure> {
    let _held: Option<Held> =
        files.map(|files| lock::hold(files, &vault.state_name(key).file(".lock"), LOCK_WAITS)).transpose()?;
    // What a refresh of the grant before has left behind belongs to nobody any more.
    vault.journal(key).clear()?;
    vault.files.remove(&vault.state_name(key).file(LastRefresh::SUFFIX))?;
    let record = Record { seal_key: SealKey::new(entropy::random()?), generation: 0, pinned, grant };
    let write = || -> Result<(), Failure> { Ok(vault.write(key, &record, Nonce(entropy::random()?))?) };
    match write() {
        // A dialog that was dismissed by mistake gets one more chance: the code cannot be exchanged again.
        Err(failure) if failure == StoreError::UnlockRefused.into() => write(),
        other => other,
    }
}

fn scopes(integration: &Integration, key: &GrantKey, args: &cli::Login) -> Result<Scopes, Failure> {
    let configured = integration.scopes_for(key.action.name()).map_err(|unknown| no_action(integration, &unknown))?;
    let added = args.scopes.iter().map(|text| Scopes::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let added: Scopes = added.iter().flat_map(Scopes::iter).map(Scope::clone).collect();
    Ok(configured.union(&added))
}

fn extra(integration: &Integration, args: &cli::Login) -> Result<ExtraParameters, Failure> {
    let mut extra = integration.extra.clone();
    for (name, value) in &args.parameters {
        extra.add(name, value)?;
    }
    if let Some(prompt) = &args.prompt {
        extra.set_prompt(prompt);
    }
    if let Some(hint) = &args.login_hint {
        extra.set_login_hint(hint);
    }
    Ok(extra)
}

fn relay(integration: &Integration, args: &cli::Login) -> Result<Option<RelayedRedirect>, Failure> {
    let Some(url) = &args.relay else { return Ok(integration.relay.clone()) };
    RelayedRedirect::parse(url).map(Some).map_err(|why| {
        Failure::new(Code::Configuration, format!("--relay: {why}"))
            .remedy("name the URI that is registered, such as https://acme.example/cli/withings")
    })
}

fn browser(args: &cli::Login) -> Result<Browser, Failure> {
    match Browser::choose(args.browser.as_deref())? {
        Browser::None(why) if args.how == How::Browser => {
            Err(Failure::new(Code::Unavailable, why)
                .remedy("leave out --how browser, or name one with --browser COMMAND"))
        }
        browser => Ok(browser),
    }
}

fn server(integration: &Integration) -> Result<AuthorizationServer, Failure> {
    let server = match &integration.server {
        Server::Discovered(issuer) => discover(issuer, &Http::default())?,
        Server::Explicit(server) => (**server).clone(),
    };
    Ok(integration.as_stated(server))
}

/// Where integrations at other servers (`sharing`) await their answers at the same redirect, the answer has to name its
/// server, or the user has accepted the risk (RFC 9700 section 4.4.2).
fn shared_redirect(
    integration: &Integration,
    sharing: &[&IntegrationName],
    server: &AuthorizationServer,
    talk: &Talk,
) -> Result<Option<&'static str>, Failure> {
    let Some(other) = sharing.first() else { return Ok(None) };
    match (server.iss_parameter, integration.shared_redirect) {
        (IssParameter::Promised, _) => Ok(None),
        (IssParameter::NotPromised, SharedRedirect::Accepted) => {
            talk.say(&Event::SharedRedirect(other.as_str()));
            Ok(Some("shared_redirect"))
        }
        (IssParameter::NotPromised, SharedRedirect::Refused) => {
            let name = &integration.name;
            let what = format!(
                "{name} and {other} use the same redirect URI at different servers, and this server does not name \
                 itself in its answers (iss, RFC 9207), so one could get the other's code"
            );
            let remedy = format!(
                "under [integration.{name}] write: redirect_uri = \"{}\" and register it at the provider; if the \
                 provider fixes the path, write: shared_redirect = true",
                own_redirect(name)
            );
            Err(Failure::new(Code::Configuration, what).remedy(remedy))
        }
    }
}

/// What the provider does not promise.
fn promises(
    integration: &Integration,
    server: &AuthorizationServer,
    talk: &Talk,
) -> Result<Vec<&'static str>, Failure> {
    match (integration.pkce, integration.pkce_promise, server.s256) {
        (Pkce::S256, PkcePromise::Preferred, S256::NotPromised) => {
            talk.say(&Event::PkceUnverified);
            Ok(vec!["pkce_unverified"])
        }
        (_, PkcePromise::Required, S256::NotPromised | S256::Unstated) => Err(Failure::new(
            Code::Refused,
            "require_pkce is set, and the provider does not say that it checks PKCE with S256",
        )
        .remedy("remove require_pkce, or name the provider by issuer if its metadata says so")),
        _ => Ok(Vec::new()),
    }
}

struct Notes<'a> {
    talk: &'a Talk,
    asked: &'a Scopes,
    rules: &'a ScopeRules,
}

impl Notes<'_> {
    fn of(&self, tokens: &TokenSet) -> Vec<&'static str> {
        let mut warnings = Vec::new();
        let mut note = |event: Event<'_>, word| {
            self.talk.say(&event);
            warnings.push(word);
        };
        if let Some(granted) = &tokens.granted {
            let granted = Granted { asked: self.asked, granted };
            if let Coverage::Lacking { missing } = covering::coverage(granted, self.asked, self.rules) {
                note(Event::NarrowerScopes(&missing), "narrower_scopes");
            }
        }
        if tokens.refresh_token.is_none() {
            note(Event::NoRefreshToken, "no_refresh_token");
        }
        if let Some(why) = &tokens.ignored_id_token {
            let text = format!("note: the provider sent an id_token without being asked, and it was ignored: {why}");
            note(Event::Step(&text), "id_token_ignored");
        }
        if let TokenType::Other(name) = &tokens.token_type {
            note(Event::UnknownTokenType(name), "token_type");
        }
        warnings
    }
}

/// Another person than before is told, and refused where an account was named.
fn same_person(
    talk: &Talk,
    before: Option<&Record>,
    tokens: &TokenSet,
    account: Option<&str>,
) -> Result<Option<&'static str>, Failure> {
    let stored = before.and_then(|record| record.grant.subject.as_ref());
    let (Some(stored), Some(claims)) = (stored, &tokens.claims) else { return Ok(None) };
    if *stored == claims.sub {
        return Ok(None);
    }
    match account {
        None => {
            talk.say(&Event::OtherSubject);
            Ok(Some("other_subject"))
        }
        Some(account) => Err(Failure::new(
            Code::Refused,
            format!("another person signed in than the one stored as account {account}; the stored grant was kept"),
        )
        .remedy("choose the right person in the browser, or log out of that account first")),
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, time::SystemTime};

    use super::*;
    use crate::{
        catalog::IntegrationName,
        oauth::{ClientId, Endpoint, Expiry},
        secret::Secret,
        vault::{
            AccountName, ActionKey, ItemName, Items, Removal,
            memory::{MemoryFiles, MemoryItems},
        },
    };

    /// A keychain whose unlock dialog is dismissed a number of times before it is answered.
    struct Dismissed {
        items: MemoryItems,
        refusals: Cell<u32>,
    }

    impl Items for Dismissed {
        fn read(&self, name: &ItemName) -> Result<Option<Secret>, StoreError> {
            self.items.read(name)
        }

        fn write(&self, name: &ItemName, label: &str, secret: &Secret) -> Result<(), StoreError> {
            match self.refusals.get() {
                0 => self.items.write(name, label, secret),
                left => {
                    self.refusals.set(left - 1);
                    Err(StoreError::UnlockRefused)
                }
            }
        }

        fn delete(&self, name: &ItemName) -> Result<Removal, StoreError> {
            self.items.delete(name)
        }

        fn limit(&self) -> usize {
            self.items.limit()
        }

        fn identity(&self) -> String {
            self.items.identity()
        }

        fn kind(&self) -> &'static str {
            self.items.kind()
        }
    }

    #[test]
    fn s04_a_dismissed_unlock_gets_one_more_chance_since_a_code_counts_once() {
        for (refusals, kept) in [(0, true), (1, true), (2, false)] {
            let items = Dismissed { items: MemoryItems::default(), refusals: Cell::new(refusals) };
            let files = MemoryFiles::default();
            let vault = Vault { items: &items, files: &files };
            let name = IntegrationName::parse("work").expect("a name");
            let key = GrantKey::personal(name, AccountName::default(), ActionKey::All);
            let result = keep(&vault, None, &key, pinned(), grant());
            assert_eq!(kept, result.is_ok(), "{refusals}");
            assert_eq!(kept, vault.read(&key).expect("read").is_some(), "{refusals}");
        }
    }

    fn pinned() -> Pinned {
        let token_endpoint = Endpoint::parse("https://op.example/token").expect("an endpoint");
        let client_id = ClientId::parse("me").expect("a client");
        Pinned { issuer: None, token_endpoint, revocation_endpoint: None, client_id }
    }

    fn grant() -> Grant {
        Grant {
            asked: Scopes::default(),
            granted: Scopes::default(),
            access_token: Secret::new("a".into()),
            token_type: TokenType::Bearer,
            expiry: Expiry::At(SystemTime::UNIX_EPOCH),
            refresh_token: None,
            refreshable_until: None,
            id_token: None,
            subject: None,
            obtained_at: SystemTime::UNIX_EPOCH,
        }
    }
}

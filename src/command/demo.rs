//! `loopin demo`: a whole login against the practice provider, over real sockets and through the code of `login`.

mod shaped;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::context::Context;
use crate::{
    catalog::{DEFAULT_REDIRECT, IntegrationName},
    cli,
    deadlines::USER_SIGNS_IN,
    grants::{self, Attempt, Binding, Canceller, GrantId, Handover, Opener, SignedIn, WithoutBrowser, keep, sign_in},
    head::Head,
    oauth::{
        AuthorizationServer, Client, ClientAuthentication, ClientId, ExtraParameters, HttpClient, HttpRequest, Issuer,
        Pkce, Scopes, discover,
    },
    practice::{self, Practice},
    redirect::RegisteredRedirect,
    reply::Reply,
    report::{Code, Event, Failure, Outcome},
    system::{
        browser::Browser,
        clock, entropy,
        http::Http,
        listener::{Answer, Listener, Request, Service, Turn},
        signal, terminal,
    },
    vault::{
        AccountName, ActionKey, Grant, Pinned, Vault,
        memory::{MemoryFiles, MemoryItems},
    },
};

const TOKEN_LIFE: Duration = Duration::from_secs(3600);

pub fn run(context: &Context, args: &cli::Demo) -> Result<Outcome, Failure> {
    if let Some(provider) = &args.provider {
        return shaped::run(context, args, provider);
    }
    let say = |text: &str| context.talk.say(&Event::Step(text));
    let (listener, origin) = listen()?;
    serve(listener, Practice::new(origin.clone(), TOKEN_LIFE, Vec::new()));
    say(&format!("practice provider at {origin}, with {DEFAULT_REDIRECT} registered"));

    let issuer = Issuer::parse(&origin).map_err(|e| broken(e.to_string()))?;
    let server = discover(&issuer, &Http::default())?;
    say("its endpoints are discovered (RFC 8414); PKCE with S256 and iss are promised");
    let id = ClientId::parse(practice::CLIENT_ID).ok_or_else(|| broken("the practice client has no name".into()))?;
    let client = Client::new(id, ClientAuthentication::None);
    let (items, files) = (MemoryItems::default(), MemoryFiles::default());
    let vault = Vault { items: &items, files: &files };
    let login = Login { server, client, scopes: Scopes::parse("practice")?, extra: ExtraParameters::default() };
    Ok(Outcome::Demonstrated(login.run(context, args, &vault)?))
}

/// Where the practice provider will be.
fn listen() -> Result<(Listener, String), Failure> {
    let listener = Listener::bind(&[SocketAddr::from((Ipv4Addr::LOCALHOST, 0))])
        .map_err(|e| Failure::new(Code::Unavailable, format!("cannot listen at 127.0.0.1: {}", e.kind())))?;
    let origin = format!("http://127.0.0.1:{}", listener.port());
    Ok((listener, origin))
}

/// Runs it on a thread of its own, until the program ends.
fn serve(listener: Listener, practice: Practice) -> Arc<Mutex<Practice>> {
    let practice = Arc::new(Mutex::new(practice));
    let provider = Provider(Arc::clone(&practice));
    thread::spawn(move || drop(listener.run(provider)));
    practice
}

fn broken(what: String) -> Failure {
    Failure::new(Code::Internal, what)
}

/// The grant of the demo.
fn grant_id() -> Result<GrantId, Failure> {
    let integration = IntegrationName::parse("demo")?;
    Ok(GrantId { integration, account: AccountName::default(), action: ActionKey::All })
}

/// A login at the practice provider.
struct Login {
    server: AuthorizationServer,
    client: Client,
    scopes: Scopes,
    extra: ExtraParameters,
}

impl Login {
    fn run(self, context: &Context, args: &cli::Demo, vault: &Vault<'_>) -> Result<SignedIn, Failure> {
        let Self { server, client, scopes, extra } = self;
        let say = |text: &str| context.talk.say(&Event::Step(text));
        let redirect = RegisteredRedirect::parse(DEFAULT_REDIRECT).map_err(|e| broken(e.to_string()))?;
        let (talk, form) = (context.talk.clone(), context.form);
        let signals = signal::end_on(move |signal| {
            talk.clear();
            crate::report::fail(&Failure::new(Code::Signalled(signal), "stopped"), form)
        });
        let attempt = Attempt {
            server,
            client: client.clone(),
            binding: Binding { redirects: vec![redirect], port: None, relay: None },
            scopes: scopes.clone(),
            pkce: Pkce::S256,
            effective_pkce: Pkce::S256,
            extra,
            ca: None,
            opener: opener(args, &say)?,
            hidden_variable: None,
            timeout: USER_SIGNS_IN,
            canceller: Canceller::default(),
            handover: Handover::default(),
            again: None,
        };
        let stored = grant_id()?;
        let talk = context.talk.clone();
        let hear = move |event: &grants::Event<'_>| talk.hear(event);
        let signed_in = sign_in(attempt, &hear, &context.settings.last_page, |tokens, server| {
            say(match tokens.refresh_token {
                Some(_) => "the code was exchanged for an access token and a refresh token",
                None => "the code was exchanged for an access token",
            });
            let pinned = Pinned::new(&server, &client.id, None);
            let kept = keep(vault, None, &stored.key(), &client, pinned, Grant::new(tokens, scopes))?;
            say("the tokens are stored (here: in memory) and read back; now the browser is told");
            Ok(SignedIn::new(stored.clone(), "memory", &kept.grant, Vec::new()))
        });
        signals.disarm();
        context.talk.clear();
        Ok(signed_in?)
    }
}

fn opener(args: &cli::Demo, say: &dyn Fn(&str)) -> Result<Opener, Failure> {
    let person = || Opener::Player(Box::new(play));
    if args.yes {
        say("playing the person, as --yes asks: no browser is opened");
        return Ok(person());
    }
    match Browser::choose(args.browser.as_deref())? {
        Browser::None(why) if !terminal::stderr_is_terminal() => {
            say(&format!("{why} and nobody is at a terminal: playing the person, as --yes would"));
            Ok(person())
        }
        Browser::None(why) => {
            say("--yes would play the person");
            Ok(Opener::Browser(Browser::None(why), WithoutBrowser::GoesOn))
        }
        browser => Ok(Opener::Browser(browser, WithoutBrowser::GoesOn)),
    }
}

/// The practice provider on the same listener as the login: it faces a person's browser.
struct Provider(Arc<Mutex<Practice>>);

impl Service for Provider {
    fn body_limit(&self, head: &Head) -> usize {
        Practice::body_limit(head)
    }

    fn respond(&mut self, &Request { head, body, .. }: &Request<'_>) -> Answer {
        Answer::Now(match entropy::random() {
            Ok(chance) => {
                let mut practice = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                practice.respond(head, body, chance, clock::now())
            }
            Err(_) => Reply::status(500),
        })
    }

    fn turn(&mut self, _: Instant) -> Turn {
        Turn::Continue
    }
}

/// Opens the page, presses Allow, and follows the redirects, as a browser would.
fn play(url: String) {
    // Whatever fails here shows as a login that nobody answers.
    let _ = consent(&url);
}

fn consent(url: &str) -> Option<()> {
    let http = Http::default();
    let page = http.send(request("GET", url, String::new())?).ok()?;
    let page = String::from_utf8(page.into_body()).ok()?;
    let id = page.split("name=\"consent\" value=\"").nth(1)?.split('"').next()?.to_owned();
    let origin = url.split("/authorize").next()?;
    let form = format!("consent={id}&decision=allow");
    let mut next = location(&http.send(request("POST", &format!("{origin}/consent"), form)?).ok()?)?;
    while let Some(to) = location(&http.send(request("GET", &next, String::new())?).ok()?) {
        // The last redirect is relative to the listener.
        next = if to.starts_with('/') { format!("{}{to}", next.split("/callback").next()?) } else { to };
    }
    Some(())
}

fn request(method: &str, url: &str, form: String) -> Option<HttpRequest> {
    let mut request = HttpRequest::new(form.into_bytes());
    *request.method_mut() = method.parse().ok()?;
    *request.uri_mut() = url.parse().ok()?;
    request.headers_mut().insert("content-type", "application/x-www-form-urlencoded".parse().ok()?);
    Some(request)
}

fn location(reply: &crate::oauth::HttpResponse) -> Option<String> {
    reply.headers().get("location")?.to_str().ok().map(str::to_owned)
}

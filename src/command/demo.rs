//! `loopin demo`: a whole login against the practice provider, over real sockets and through the code of `login`.

use std::{
    net::{Ipv4Addr, SocketAddr},
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
        Client, ClientAuthentication, ClientId, ExtraParameters, HttpClient, HttpRequest, Issuer, Pkce, Scopes,
        discover,
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
    let say = |text: &str| context.talk.say(&Event::Step(text));
    let broken = |what: String| Failure::new(Code::Internal, what);
    let listener = Listener::bind(&[SocketAddr::from((Ipv4Addr::LOCALHOST, 0))])
        .map_err(|e| Failure::new(Code::Unavailable, format!("cannot listen at 127.0.0.1: {}", e.kind())))?;
    let origin = format!("http://127.0.0.1:{}", listener.port());
    let provider = Provider(Practice::new(origin.clone(), TOKEN_LIFE, Vec::new()));
    thread::spawn(move || drop(listener.run(provider)));
    say(&format!("practice provider at {origin}, with {DEFAULT_REDIRECT} registered"));

    let issuer = Issuer::parse(&origin).map_err(|e| broken(e.to_string()))?;
    let server = discover(&issuer, &Http::default())?;
    say("its endpoints are discovered (RFC 8414); PKCE with S256 and iss are promised");
    let id = ClientId::parse(practice::CLIENT_ID).ok_or_else(|| broken("the practice client has no name".into()))?;
    let redirect = RegisteredRedirect::parse(DEFAULT_REDIRECT).map_err(|e| broken(e.to_string()))?;
    let scopes = Scopes::parse("practice")?;
    let (talk, form) = (context.talk.clone(), context.form);
    let signals = signal::end_on(move |signal| {
        talk.clear();
        crate::report::fail(&Failure::new(Code::Signalled(signal), "stopped"), form)
    });
    let attempt = Attempt {
        server: server.clone(),
        client: Client::new(id.clone(), ClientAuthentication::None),
        binding: Binding { redirects: vec![redirect], port: None, relay: None },
        scopes: scopes.clone(),
        pkce: Pkce::S256,
        effective_pkce: Pkce::S256,
        extra: ExtraParameters::default(),
        opener: opener(args, &say)?,
        hidden_variable: None,
        timeout: USER_SIGNS_IN,
        canceller: Canceller::default(),
        handover: Handover::default(),
        again: None,
    };
    let (items, files) = (MemoryItems::default(), MemoryFiles::default());
    let vault = Vault { items: &items, files: &files };
    let name = IntegrationName::parse("demo")?;
    let stored = GrantId { integration: name, account: AccountName::default(), action: ActionKey::All };
    let talk = context.talk.clone();
    let hear = move |event: &grants::Event<'_>| talk.hear(event);
    let signed_in = sign_in(attempt, &hear, &context.settings.last_page, |tokens| {
        say("the code was exchanged for an access token and a refresh token");
        let grant = Grant::new(tokens, scopes);
        let signed_in = SignedIn::new(stored.clone(), "memory", &grant, Vec::new());
        keep(&vault, None, &stored.key(), Pinned::new(&server, &id, None), grant)?;
        say("the tokens are stored (here: in memory) and read back; now the browser is told");
        Ok(signed_in)
    });
    signals.disarm();
    context.talk.clear();
    Ok(Outcome::SignedIn(signed_in?))
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
struct Provider(Practice);

impl Service for Provider {
    fn body_limit(&self, head: &Head) -> usize {
        Practice::body_limit(head)
    }

    fn respond(&mut self, &Request { head, body, .. }: &Request<'_>) -> Answer {
        Answer::Now(match entropy::random() {
            Ok(chance) => self.0.respond(head, body, chance, clock::now()),
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

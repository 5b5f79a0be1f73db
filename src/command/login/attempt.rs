//! One sign-in over real sockets: bind, send the person off, wait, exchange, keep. `login` and `demo` share it.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    num::NonZeroU16,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    super::context::Context,
    canceller::{self, Canceller},
    desk::{Desk, Heard, Told},
};
use crate::{
    cli::How,
    loopback::{Loopback, Outcome, SentBy, Stray},
    oauth::{
        AuthorizationRequest, AuthorizationServer, Client, CodeReceived, Entropy, ExtraParameters, Pkce, Scopes,
        TokenSet,
    },
    redirect::{BindError, BoundRedirect, Landing, LoopbackHost, Port, RegisteredRedirect, RelayedRedirect},
    report::{Code, Event, Failure, Talk, Verbosity},
    system::{
        browser::Browser,
        clock, entropy,
        http::Http,
        listener::{Listener, Waker},
    },
};

/// How often the line with the time left is drawn.
const TICK: Duration = Duration::from_secs(1);
/// How many stray requests are told before only `-v` tells more.
const TOLD: u32 = 3;

/// Everything one sign-in needs.
pub struct Attempt {
    pub server: AuthorizationServer,
    pub client: Client,
    /// Tried in order.
    pub redirects: Vec<RegisteredRedirect>,
    /// In place of a free one, for a redirect with `:0`.
    pub port: Option<NonZeroU16>,
    /// What is registered instead, and forwards to the redirect.
    pub relay: Option<RelayedRedirect>,
    pub scopes: Scopes,
    pub pkce: Pkce,
    /// What PKCE can be relied on for.
    pub effective_pkce: Pkce,
    pub extra: ExtraParameters,
    pub opener: Opener,
    /// An environment variable that holds a secret and that no browser needs.
    pub hidden_variable: Option<String>,
    pub timeout: Duration,
    /// Ends it while it waits.
    pub canceller: Canceller,
}

/// Who opens the URL.
pub enum Opener {
    Browser(Browser, How),
    /// Whoever has begun the login, and is told the URL.
    Caller,
    /// Plays the person, on a thread of its own.
    Person(Box<dyn FnOnce(String) + Send>),
}

/// `keep` stores the tokens; only when it has succeeded is the browser told that all is well.
pub fn sign_in<T>(
    attempt: Attempt,
    context: &Context,
    keep: impl FnOnce(TokenSet) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let talk = &context.talk;
    let (listener, redirect) = match &attempt.relay {
        None => bind(&attempt.redirects, attempt.port, talk)?,
        Some(relay) => {
            let (listener, redirect) = bind_behind(&attempt.redirects, attempt.port, talk)?;
            (listener, redirect.behind(relay))
        }
    };
    match &attempt.relay {
        None => talk.say(&Event::Listening(redirect.as_str())),
        Some(relay) => talk.say(&Event::Relayed(relay.as_str(), redirect.listened_at())),
    }
    let patience = Patience {
        time: attempt.timeout,
        behind: attempt.relay.as_ref().map(|relay| (relay.as_str().to_owned(), redirect.listened_at().to_owned())),
    };
    let Attempt { server, client, scopes, pkce, extra, canceller, .. } = attempt;
    let request = AuthorizationRequest { server, client, redirect, scopes, pkce, extra };
    let (url, pending) = request.begin(Entropy::from_bytes(&entropy::random()?))?;
    let (heard, hearing) = mpsc::channel();
    canceller.waits(heard.clone())?;
    let (tell, told) = mpsc::channel();
    let waker = listener.waker();
    let desk = Desk::new(Loopback::new(pending, attempt.effective_pkce), listener.port(), heard.clone(), told);
    // From here somebody answers at the redirect; only now the person is sent off.
    let thread = thread::spawn(move || drop(listener.run(desk)));
    talk.say(&Event::Url(url.as_str()));
    let how = open(attempt.opener, url.as_str(), attempt.hidden_variable, heard, talk);
    let waiting = Waiting {
        hearing,
        listener: &thread,
        deadline: clock::instant() + patience.time,
        patience,
        how,
        canceller,
        tell,
        waker,
        strays: 0,
        talk,
    };
    let result = waiting.end(keep);
    // Whoever was answered with a redirect still gets the page.
    context.linger(thread);
    // Whoever has cancelled it may begin again at once, at the very same port.
    if let Err(Failure { code: Code::Signalled(_), .. }) = &result {
        context.wait_for_last_page();
    }
    result
}

/// How long an answer is awaited, and what lies on its way.
struct Patience {
    time: Duration,
    /// A relay, and where it has to lead.
    behind: Option<(String, String)>,
}

impl Patience {
    fn is_over(&self) -> Failure {
        let way = match &self.behind {
            None => {
                "if the browser showed an error for 127.0.0.1, it may have switched to https: allow http there".into()
            }
            Some((relay, listener)) => {
                format!("if the browser showed an error, see that the relay's route {relay} ends on {listener}")
            }
        };
        Failure::new(Code::Timeout, format!("nobody answered within {} s ({way})", self.time.as_secs()))
    }
}

/// Binds the one place where the relay's route ends.
fn bind_behind(
    redirects: &[RegisteredRedirect],
    port: Option<NonZeroU16>,
    talk: &Talk,
) -> Result<(Listener, BoundRedirect), Failure> {
    let [redirect] = redirects else {
        return Err(Failure::new(Code::Configuration, "a relay's route ends on one port, and redirect_uri is a list")
            .remedy("write one redirect_uri: the target of the route"));
    };
    if let (Landing::Loopback { port: Port::Ephemeral, .. }, None) = (redirect.landing(), port) {
        return Err(Failure::new(Code::Configuration, "a relay's route ends on a fixed port, and none is named here")
            .remedy("add --port N, or redirect_uri = \"http://127.0.0.1:N/callback\" to the integration, as the route's target has it"));
    }
    bind(redirects, port, talk)
}

/// Binds the first redirect whose port can be had.
fn bind(
    redirects: &[RegisteredRedirect],
    port: Option<NonZeroU16>,
    talk: &Talk,
) -> Result<(Listener, BoundRedirect), Failure> {
    let mut last = Failure::new(Code::Configuration, "there is no redirect_uri");
    let mut passed: Option<(&RegisteredRedirect, String)> = None;
    for redirect in redirects {
        let Landing::Loopback { host, port: stated } = redirect.landing() else {
            let what = format!(
                "{} does not land on this machine, and only a loopback redirect can be answered here",
                redirect.as_str()
            );
            last = Failure::new(Code::Configuration, what)
                .remedy("register http://127.0.0.1:0/callback/NAME for a native application, and write it as redirect_uri; where the provider \
                         insists on https, write a relay's URI as relay (loopin relay --help)");
            continue;
        };
        let wanted = match (stated, port) {
            (Port::Ephemeral, None) => 0,
            (Port::Ephemeral, Some(port)) => port.get(),
            (Port::Fixed(fixed), Some(port)) if port != fixed => {
                return Err(BindError::OtherPort { registered: fixed, bound: port }.into());
            }
            (Port::Fixed(fixed), _) => fixed.get(),
            (Port::Unstated, _) => return Err(BindError::PortUnstated.into()),
        };
        if let Some((redirect, why)) = passed.take() {
            talk.say(&Event::RedirectPassed(redirect.as_str(), &why));
        }
        match listen(host, wanted) {
            Ok(listener) => {
                let bound = redirect.bind(listener.port())?;
                return Ok((listener, bound));
            }
            Err(error) => {
                last = refused(host, wanted, &error);
                passed = Some((redirect, last.what.clone()));
            }
        }
    }
    Err(last)
}

fn listen(host: LoopbackHost, port: u16) -> io::Result<Listener> {
    let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    match host {
        LoopbackHost::V4 => Listener::bind(&[v4]),
        LoopbackHost::V6 => Listener::bind(&[v6]),
        // A browser may take either family for the name, so both must be ours. Without IPv6 nobody else has it either.
        LoopbackHost::Localhost => match Listener::bind(&[v4, v6]) {
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => Listener::bind(&[v4]),
            other => other,
        },
    }
}

fn refused(host: LoopbackHost, port: u16, error: &io::Error) -> Failure {
    match (host, error.kind()) {
        (LoopbackHost::Localhost, io::ErrorKind::AddrInUse) => Failure::new(
            Code::Refused,
            format!("cannot own localhost:{port} on both IPv4 and IPv6: another program holds one of them"),
        )
        .remedy("register a redirect with 127.0.0.1 instead of localhost"),
        (_, io::ErrorKind::AddrInUse) => {
            Failure::new(Code::Configuration, format!("port {port} is in use by another program"))
                .remedy("free it, or list another registered redirect in redirect_uri")
        }
        (_, io::ErrorKind::PermissionDenied) => {
            Failure::new(Code::Configuration, format!("port {port} may not be used by this user"))
                .remedy("register a redirect with :0 or with a port above 1023")
        }
        (host, kind) => {
            let name = match host {
                LoopbackHost::V4 => "127.0.0.1",
                LoopbackHost::V6 => "[::1]",
                LoopbackHost::Localhost => "localhost",
            };
            Failure::new(Code::Configuration, format!("cannot listen at {name}: {kind}"))
                .remedy("list a redirect of the other address family in redirect_uri")
        }
    }
}

fn open(opener: Opener, url: &str, hidden_variable: Option<String>, heard: Sender<Heard>, talk: &Talk) -> How {
    match opener {
        Opener::Browser(Browser::None(why), how) => {
            talk.say(&Event::BrowserNone(why));
            how
        }
        Opener::Browser(browser, how) => {
            talk.say(&Event::BrowserOpening);
            browser.open(url, hidden_variable, move |result| {
                if let Err(why) = result {
                    let _ = heard.send(Heard::BrowserFailed(why));
                }
            });
            how
        }
        Opener::Caller => How::Auto,
        Opener::Person(play) => {
            let url = url.to_owned();
            thread::spawn(move || play(url));
            How::Auto
        }
    }
}

/// A login whose user was sent off.
struct Waiting<'a> {
    hearing: Receiver<Heard>,
    listener: &'a JoinHandle<()>,
    deadline: Instant,
    patience: Patience,
    how: How,
    canceller: Canceller,
    /// To the listener, which ends when this is dropped.
    tell: Sender<Told>,
    waker: Waker,
    /// How many requests were turned away.
    strays: u32,
    talk: &'a Talk,
}

impl Waiting<'_> {
    /// Waits for the tokens and keeps them; the browser is told how it ended.
    fn end<T>(mut self, keep: impl FnOnce(TokenSet) -> Result<T, Failure>) -> Result<T, Failure> {
        let tokens = self.tokens();
        self.talk.clear();
        let result = tokens.and_then(keep);
        if result.is_ok() {
            let _ = self.tell.send(Told::Ended(Outcome::Done));
        }
        drop(self.tell);
        self.waker.wake();
        result
    }

    /// Exchanges the user's own code. The code of another user counts as well if the token endpoint accepts it, which
    /// means that PKCE has tied it to this login; if not, the wait goes on.
    fn tokens(&mut self) -> Result<TokenSet, Failure> {
        loop {
            let (code, sent_by) = self.code()?;
            // Who cancels in this instant is either heard or told that it is too late.
            if sent_by == SentBy::User {
                self.canceller.decide()?;
            }
            self.talk.clear();
            self.talk.say(&Event::CodeReceived);
            self.talk.say(&Event::Exchanging);
            match code.exchange(&Http::default(), clock::now()) {
                Err(error) if sent_by == SentBy::Other && error.blames_code() => {
                    // The listener may have ended, which the wait notices.
                    let _ = self.tell.send(Told::CodeRefused);
                    self.waker.wake();
                    self.stray(Stray::CodeRefused);
                }
                Err(error) => return Err(error.into()),
                Ok(tokens) => return self.canceller.decide().map(|()| tokens),
            }
        }
    }

    fn code(&mut self) -> Result<(CodeReceived, SentBy), Failure> {
        let ended = || Failure::new(Code::Internal, "the listener ended");
        loop {
            let left = self.deadline.saturating_duration_since(clock::instant());
            if left.is_zero() {
                return Err(self.patience.is_over());
            }
            match self.hearing.recv_timeout(left.min(TICK)) {
                Ok(Heard::Cancelled) => return Err(canceller::cancelled()),
                Ok(Heard::Code(code, sent_by)) => return Ok((code, sent_by)),
                Ok(Heard::Denied(denial)) => return Err(denial.into()),
                Ok(Heard::Refused(refusal)) => return Err(refusal.into()),
                Ok(Heard::BrowserFailed(why)) if self.how == How::Browser => return Err(why.into()),
                Ok(Heard::BrowserFailed(why)) => self.talk.say(&Event::BrowserFailed(&why)),
                Ok(Heard::PeerUser(user)) => self.talk.say(&Event::PeerUser(user)),
                Ok(Heard::Stray(why)) => self.stray(why),
                Err(RecvTimeoutError::Timeout) if self.listener.is_finished() => return Err(ended()),
                Err(RecvTimeoutError::Timeout) => self.talk.say(&Event::Waiting(left)),
                Err(RecvTimeoutError::Disconnected) => return Err(ended()),
            }
        }
    }

    fn stray(&mut self, why: Stray) {
        // Favicons and scans are everyday; what looks like an answer is worth a line, but not ten thousand.
        let everyday = matches!(why, Stray::Path | Stray::Method | Stray::Prefetch);
        if self.talk.verbosity == Verbosity::More || (!everyday && self.strays < TOLD) {
            self.talk.say(&Event::Stray(why));
        }
        self.strays += u32::from(!everyday);
    }
}

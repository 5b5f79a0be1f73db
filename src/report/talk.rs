//! What a person is told while a command runs, on standard error; or a program, in its own way.

use std::{
    fmt,
    io::{self, Write},
    sync::Arc,
    time::Duration,
};

use crate::{
    catalog::AddedForOffline,
    loopback::Stray,
    oauth::{Scopes, printable},
    system::{
        browser::{NoBrowser, NotOpened},
        peer::UserId,
        terminal,
    },
};

/// Something worth saying.
#[derive(Debug)]
pub enum Event<'a> {
    /// The provider gives a refresh token for it, and the login did not state it.
    AddedForOffline(&'a AddedForOffline),
    /// The browser could not be opened; the wait goes on.
    BrowserFailed(&'a NotOpened),
    BrowserNone(NoBrowser),
    BrowserOpening,
    CiLog,
    CodeReceived,
    /// The tokens of a login are stored and read back.
    Done,
    Exchanging,
    /// What the program's own narrator says (`demo`).
    Step(&'a str),
    Listening(&'a str),
    /// Neither the store nor the journal took a renewed grant.
    Lost,
    NarrowerScopes(&'a Scopes),
    NoRefreshToken,
    OtherSubject,
    /// `pkce_unverified`
    PkceUnverified,
    /// `shared_redirect = true`: with the integration of another server.
    SharedRedirect(&'a str),
    PeerUser(UserId),
    Pipe,
    /// It cannot be listened at, and there is another one.
    RedirectPassed(&'a str, &'a str),
    /// What is registered, and where its relay has to lead.
    Relayed(&'a str, &'a str),
    Revocation(&'a str),
    Stray(Stray),
    UnknownTokenType(&'a str),
    /// A renewed grant waits, sealed, for a store that takes it.
    Unstored,
    Url(&'a str),
    /// Draws over the line before.
    Waiting(Duration),
    /// For another program's login to the same grant.
    WaitingForLogin(Duration),
    Verbose(&'a str),
}

/// Standard error, as wordy as asked, or a program that listens.
#[derive(Clone)]
pub struct Talk {
    pub verbosity: Verbosity,
    to: Hearer,
}

#[derive(Clone)]
enum Hearer {
    /// On standard error.
    Person(Redraw),
    Program(Arc<Hear>),
}

/// What a program does with what it is told. Others wait meanwhile.
pub type Hear = dyn Fn(&Event<'_>) + Send + Sync;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbosity {
    Usual,
    More,
}

/// Whether a line may be drawn over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Redraw {
    Never,
    Yes,
}

impl Talk {
    pub fn new(verbosity: Verbosity) -> Self {
        Self { verbosity, to: Hearer::Person(if terminal::can_redraw() { Redraw::Yes } else { Redraw::Never }) }
    }

    /// Says everything to a program, and nothing on standard error.
    pub fn to(hear: Arc<Hear>) -> Self {
        Self { verbosity: Verbosity::Usual, to: Hearer::Program(hear) }
    }

    pub fn at(self, verbosity: Verbosity) -> Self {
        Self { verbosity, ..self }
    }

    pub fn say(&self, event: &Event<'_>) {
        if let Hearer::Program(hear) = &self.to {
            return hear(event);
        }
        match event {
            Event::Done | Event::Exchanging => {}
            Event::Waiting(left) | Event::WaitingForLogin(left) => self.waiting(*left),
            Event::Verbose(_) | Event::BrowserOpening | Event::Listening(_) | Event::CodeReceived
                if self.verbosity == Verbosity::Usual => {}
            Event::Url(url) => url_line(url),
            other => {
                self.clear();
                line(&other.to_string());
            }
        }
    }

    fn waiting(&self, left: Duration) {
        if self.redraws() {
            let seconds = left.as_secs();
            raw(&format!("\r\x1b[Kwaiting, {}:{:02} left", seconds / 60, seconds % 60));
        }
    }

    /// Takes the waiting line away.
    pub fn clear(&self) {
        if self.redraws() {
            raw("\r\x1b[K");
        }
    }

    fn redraws(&self) -> bool {
        matches!(self.to, Hearer::Person(Redraw::Yes))
    }
}

impl fmt::Debug for Talk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Talk").field("verbosity", &self.verbosity).finish_non_exhaustive()
    }
}

/// What a person reads.
impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Event::AddedForOffline(added) => format!("added, so that the provider gives a refresh token: {added}"),
            Event::BrowserFailed(why) => format!("{why}; open the URL above yourself"),
            Event::BrowserNone(why) => format!("{why}; open the URL above on this machine"),
            Event::BrowserOpening => "opening the browser".into(),
            Event::CiLog => "this is a build log: mask the token before anything prints it (echo \"::add-mask::$TOKEN\")".into(),
            Event::CodeReceived => "the code arrived; exchanging it".into(),
            Event::Listening(redirect) => format!("listening at {redirect}"),
            Event::Lost => "warning: the renewed token could be stored nowhere, not even sealed beside its lock; unless the provider keeps \
                 accepting the old refresh token, you will have to log in again when this one expires"
                .into(),
            Event::NarrowerScopes(missing) => format!("note: the provider granted less than was asked; missing: {missing}"),
            Event::NoRefreshToken => "note: the provider gave no refresh token, so you will have to log in again when this one expires; \
                                      many want a parameter or scope for it (offline_access, access_type=offline, prompt=consent)"
                .into(),
            Event::OtherSubject => "note: this is another person (sub) than before; the stored grant is replaced".into(),
            Event::SharedRedirect(other) => format!(
                "note: {other} uses the same redirect URI at another server (shared_redirect); sign in only if you trust both servers"
            ),
            Event::PkceUnverified => "note: the provider does not say that it checks PKCE (pkce_unverified)".into(),
            Event::PeerUser(uid) => format!("note: the answer was brought by another user of this machine (peer_uid_differs: {uid})"),
            Event::RedirectPassed(redirect, why) => format!("{redirect}: {why}; trying the next"),
            Event::Relayed(relay, listener) => format!("registered at the provider is {relay}; its relay must forward to {listener}"),
            Event::Pipe => "hint: pipe it, e.g. curl -H \"Authorization: Bearer $(loopin token NAME)\" ...".into(),
            Event::Revocation(why) => format!("note: signed out here, but {why}; the refresh token may stay valid there"),
            Event::Stray(why) => format!("a request that is not the answer was turned away ({why}); still waiting"),
            Event::UnknownTokenType(name) => format!("note: the provider calls its token \"{name}\", not Bearer"),
            Event::Unstored => "note: the renewed token could not be stored; it is kept sealed, and the next run stores it".into(),
            Event::Done => "the tokens are stored".into(),
            Event::Exchanging => "exchanging the code".into(),
            Event::Url(url) => format!("to sign in, open {url}"),
            Event::Waiting(left) => format!("waiting, {} s left", left.as_secs()),
            Event::WaitingForLogin(left) => format!("waiting for another login, {} s left", left.as_secs()),
            Event::Step(text) | Event::Verbose(text) => (*text).to_owned(),
        };
        f.write_str(&text)
    }
}

/// The URL on a line of its own, so that it can be copied from any terminal.
fn url_line(url: &str) {
    line("To sign in, open:");
    line(&format!("\n  {url}\n"));
}

/// Nobody may be listening any more, which is no reason to stop.
pub(super) fn line(text: &str) {
    // A stranger's text was cleaned when it came in; this is for what a person has in files and arguments.
    let clean: String = text.chars().map(|c| if c == '\n' || printable(c) { c } else { '\u{fffd}' }).collect();
    let _ = writeln!(io::stderr(), "{clean}");
}

/// The prompt of a question.
pub fn ask(text: &str) {
    raw(text);
}

fn raw(text: &str) {
    let mut stderr = io::stderr();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

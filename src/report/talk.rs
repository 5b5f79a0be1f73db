//! What a person is told while a command runs, on standard error.

use std::{
    io::{self, Write},
    time::Duration,
};

use crate::{
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
    /// The browser could not be opened; the wait goes on.
    BrowserFailed(&'a NotOpened),
    BrowserNone(NoBrowser),
    BrowserOpening,
    CiLog,
    CodeReceived,
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
    PeerUser(UserId),
    Pipe,
    /// It cannot be listened at, and there is another one.
    RedirectPassed(&'a str, &'a str),
    Revocation(&'a str),
    Stray(Stray),
    UnknownTokenType(&'a str),
    /// A renewed grant waits, sealed, for a store that takes it.
    Unstored,
    Url(&'a str),
    /// Draws over the line before.
    Waiting(Duration),
    Verbose(&'a str),
}

/// Standard error, as wordy as asked.
#[derive(Clone, Copy, Debug)]
pub struct Talk {
    pub verbosity: Verbosity,
    /// Whether a line may be drawn over.
    redraw: Redraw,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbosity {
    Usual,
    More,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Redraw {
    Never,
    Yes,
}

impl Talk {
    pub fn new(verbosity: Verbosity) -> Self {
        Self { verbosity, redraw: if terminal::can_redraw() { Redraw::Yes } else { Redraw::Never } }
    }

    pub fn at(self, verbosity: Verbosity) -> Self {
        Self { verbosity, ..self }
    }

    pub fn say(&self, event: &Event<'_>) {
        let text = match event {
            Event::Waiting(left) => return self.waiting(*left),
            Event::Verbose(_) | Event::BrowserOpening | Event::Listening(_) | Event::CodeReceived if self.verbosity == Verbosity::Usual => return,
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
            Event::PkceUnverified => "note: the provider does not say that it checks PKCE (pkce_unverified)".into(),
            Event::PeerUser(uid) => format!("note: the answer was brought by another user of this machine (peer_uid_differs: {uid})"),
            Event::RedirectPassed(redirect, why) => format!("{redirect}: {why}; trying the next"),
            Event::Pipe => "hint: pipe it, e.g. curl -H \"Authorization: Bearer $(loopin token NAME)\" ...".into(),
            Event::Revocation(why) => format!("note: signed out here, but {why}; the refresh token may stay valid there"),
            Event::Stray(why) => format!("a request that is not the answer was turned away ({why}); still waiting"),
            Event::UnknownTokenType(name) => format!("note: the provider calls its token \"{name}\", not Bearer"),
            Event::Unstored => "note: the renewed token could not be stored; it is kept sealed, and the next run stores it".into(),
            Event::Url(url) => return self.url(url),
            Event::Step(text) | Event::Verbose(text) => (*text).to_owned(),
        };
        self.clear();
        line(&text);
    }

    /// The URL on a line of its own, so that it can be copied from any terminal.
    fn url(&self, url: &str) {
        line("To sign in, open:");
        line(&format!("\n  {url}\n"));
    }

    fn waiting(&self, left: Duration) {
        if self.redraw == Redraw::Yes {
            let seconds = left.as_secs();
            raw(&format!("\r\x1b[Kwaiting, {}:{:02} left", seconds / 60, seconds % 60));
        }
    }

    /// Takes the waiting line away.
    pub fn clear(&self) {
        if self.redraw == Redraw::Yes {
            raw("\r\x1b[K");
        }
    }
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

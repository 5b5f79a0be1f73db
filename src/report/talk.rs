//! What a user reads on standard error while a command runs.

use std::{
    fmt,
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::device;
use crate::{
    catalog::OfflineAdvice,
    grants::{self, DevicePrompt, Warning, Weight},
    oauth::printable,
    system::{environment, terminal},
};

/// What a command has to report itself.
#[derive(Debug)]
pub enum Event<'a> {
    CiLog,
    Pipe,
    /// The provider did not confirm a revocation; why not.
    Revocation(&'a grants::Unconfirmed),
    /// In the command's own words.
    Step(&'a str),
    /// The same, for `-v`.
    Verbose(&'a str),
}

/// Standard error, as wordy as asked.
#[derive(Clone, Debug)]
pub struct Talk {
    verbosity: Verbosity,
    redraw: Redraw,
    prompt: Arc<Mutex<Prompt>>,
}

/// What the line with the time left asks for.
#[derive(Clone, Copy, Debug, Default)]
enum Prompt {
    #[default]
    None,
    /// For an address; so many characters of one are there.
    Address { length: usize, left: Option<Duration> },
}

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
        Self {
            verbosity,
            redraw: if terminal::can_redraw() { Redraw::Yes } else { Redraw::Never },
            prompt: Arc::default(),
        }
    }

    pub fn at(self, verbosity: Verbosity) -> Self {
        Self { verbosity, ..self }
    }

    pub fn say(&self, event: &Event<'_>) {
        match event {
            Event::Verbose(_) if self.verbosity == Verbosity::Usual => {}
            other => self.line(other),
        }
    }

    /// What happens to a grant meanwhile.
    pub fn hear(&self, event: &grants::Event<'_>) {
        use grants::Event;
        match event {
            Event::Done | Event::Exchanging | Event::Storing => {}
            Event::Waiting(left) | Event::WaitingForLogin(left) => self.waiting(*left),
            Event::CodeReceived if self.verbosity == Verbosity::Usual => self.clear(),
            Event::Listening(_)
            | Event::PollFailed(_, Weight::Detail)
            | Event::Stray(_, Weight::Detail)
            | Event::TokenResponse(_)
                if self.verbosity == Verbosity::Usual => {}
            Event::DeviceCode(prompt) => self.device(prompt),
            Event::Url(url) => url_line(url),
            other => self.line(&Words(other)),
        }
    }

    fn line(&self, words: &dyn fmt::Display) {
        self.clear();
        line(&words.to_string());
    }

    /// The prompt, with a QR code where the terminal shows both at once.
    fn device(&self, prompt: &DevicePrompt) {
        let text = device::text(prompt);
        self.line(&text);
        let room = (self.redraw == Redraw::Yes && environment::utf8_locale()).then(terminal::stderr_size).flatten();
        let code = prompt.verification_uri_complete.as_deref().and_then(device::qr);
        if let (Some(room), Some(code)) = (room, code)
            && device::fits(&text, &code, room)
        {
            raw(&code.0);
        }
    }

    fn waiting(&self, left: Duration) {
        if self.redraw == Redraw::Yes {
            let mut prompt = self.prompt();
            if let Prompt::Address { left: shown, .. } = &mut *prompt {
                *shown = Some(left);
            }
            let seconds = left.as_secs();
            let time = format!("{}:{:02} left", seconds / 60, seconds % 60);
            match *prompt {
                Prompt::None => raw(&format!("\r\x1b[Kwaiting, {time}")),
                Prompt::Address { length: 0, .. } => raw(&format!("\r\x1b[Kpaste the address here ({time}): ")),
                Prompt::Address { length, .. } => {
                    raw(&format!("\r\x1b[Kpaste the address here ({time}): {length} characters, then Enter "));
                }
            }
        }
    }

    /// From now on the line with the time left asks for an address.
    pub fn prompt_begins(&self) {
        *self.prompt() = Prompt::Address { length: 0, left: None };
        if self.redraw == Redraw::Never {
            line("paste the address here:");
        }
    }

    /// The user has typed or pasted so many characters.
    pub fn prompt_has(&self, typed: usize) {
        let left = match &mut *self.prompt() {
            Prompt::Address { length, left } if *length != typed => {
                *length = typed;
                *left
            }
            _ => return,
        };
        if let Some(left) = left {
            self.waiting(left);
        }
    }

    /// Nothing is asked for any more.
    pub fn prompt_ends(&self) {
        *self.prompt() = Prompt::None;
    }

    fn prompt(&self) -> MutexGuard<'_, Prompt> {
        self.prompt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the waiting line away.
    pub fn clear(&self) {
        if self.redraw == Redraw::Yes {
            raw("\r\x1b[K");
        }
    }
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CiLog => f.write_str(
                "this is a build log: mask the token before anything prints it (echo \"::add-mask::$TOKEN\")",
            ),
            Self::Pipe => f.write_str("hint: pipe it, e.g. curl -H \"Authorization: Bearer $(loopin token NAME)\" ..."),
            Self::Revocation(why) => {
                write!(f, "note: signed out here, but {why}; the refresh token may stay valid there")
            }
            Self::Step(text) | Self::Verbose(text) => f.write_str(text),
        }
    }
}

/// An event of a grant in the words for a user.
pub struct Words<'a, 'e>(pub &'a grants::Event<'e>);

impl fmt::Display for Words<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use grants::Event;
        match self.0 {
            Event::AddedForOffline(added) => {
                write!(f, "added, so that the provider gives a refresh token: {added}")
            }
            Event::BrowserFailed(why) => write!(f, "{why}; open the URL above yourself"),
            Event::BrowserNone(why) => write!(f, "{why}; open the URL above on this machine"),
            Event::BrowserOpening => f.write_str("opening the browser"),
            Event::CodeReceived => f.write_str("the code arrived; exchanging it"),
            Event::DeviceCode(prompt) => f.write_str(&device::text(prompt)),
            Event::Done => f.write_str("the tokens are stored"),
            Event::Exchanging => f.write_str("exchanging the code"),
            Event::Listening(redirect) => write!(f, "listening at {redirect}"),
            Event::NotTheResponse(why) => write!(f, "{why}; still waiting"),
            Event::Lost => f.write_str(
                "warning: the renewed token could be stored nowhere, not even sealed beside its lock; unless the provider keeps \
                 accepting the old refresh token, you will have to log in again when this one expires",
            ),
            Event::PeerUser(uid) => {
                write!(f, "note: the answer was brought by another user of this machine (peer_uid_differs: {uid})")
            }
            Event::PollFailed(why, _) => write!(f, "{why}; trying again"),
            Event::RedirectPassed { redirect, why } => write!(f, "{}: {why}; trying the next", redirect.as_str()),
            Event::Relayed { relay, listener } => {
                write!(f, "registered at the provider is {relay}; its relay must forward to {listener}")
            }
            Event::Storing => f.write_str("storing the tokens"),
            Event::Stray(why, _) => {
                write!(f, "a request that is not the answer was turned away ({why}); still waiting")
            }
            Event::TokenResponse(what) => f.write_str(what),
            Event::Unanswered(sent) => write!(
                f,
                "no answer yet; if the provider shows an error, compare this with the client's registration there:\n  \
                 client_id     {}\n  redirect_uri  {}",
                sent.client_id, sent.redirect_uri
            ),
            Event::Unstored => f.write_str(
                "note: the renewed token could not be stored; it is kept sealed, and the next run stores it",
            ),
            Event::Url(url) => write!(f, "to sign in, open {url}"),
            Event::Waiting(left) => write!(f, "waiting, {} s left", left.as_secs()),
            Event::WaitingForLogin(left) => write!(f, "waiting for another login, {} s left", left.as_secs()),
            Event::Warning(warning) => warning_words(warning, f),
        }
    }
}

fn warning_words(warning: &Warning, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match warning {
        Warning::IdTokenIgnored(why) => {
            write!(f, "note: the provider sent an id_token without being asked, and it was ignored: {why}")
        }
        Warning::NarrowerScopes(missing) => {
            write!(f, "note: the provider granted less than was asked; missing: {missing}")
        }
        Warning::NoRefreshToken(advice) => {
            f.write_str(
                "note: the provider gave no refresh token, so you will have to log in again when this one expires \
                 (no_refresh_token); ",
            )?;
            offline_words(advice, f)
        }
        Warning::OtherSubject => {
            f.write_str("note: this is another person (sub) than before; the stored grant is replaced")
        }
        Warning::PkceUnverified => f.write_str("note: the provider does not say that it checks PKCE (pkce_unverified)"),
        Warning::SharedRedirect(other) => write!(
            f,
            "note: {other} uses the same redirect URI at another server (shared_redirect); sign in only if you trust both servers"
        ),
        Warning::UnknownTokenType(name) => write!(f, "note: the provider calls its token \"{name}\", not Bearer"),
    }
}

fn offline_words(advice: &OfflineAdvice, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match advice {
        OfflineAdvice::Send(missing) => write!(f, "to get one, log in with {missing}"),
        OfflineAdvice::OfProvider { provider, text } => write!(f, "{provider} gives one for: {text}"),
        OfflineAdvice::Asked => {
            f.write_str("the login asked for one; check at the provider whether this client may have refresh tokens")
        }
        _ => f.write_str(
            "many providers want a scope or a parameter for it: --scope offline_access, or --param \
             access_type=offline --prompt consent",
        ),
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

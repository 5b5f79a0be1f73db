//! One sign-in over real sockets: listen, send the user to the provider, wait for the code, exchange and store. Every login
//! runs it, and so does `demo`.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    Again, Canceller, Error, Event, Handover, Hear, Weight,
    answers::{Answers, Heard, Told},
    listen::Binding,
};
use crate::{
    catalog::CaFile,
    deadlines::PROVIDER_IS_SILENT,
    loopback::{Loopback, Outcome, SentBy, Stray},
    oauth::{
        AuthorizationRequest, AuthorizationServer, Client, CodeReceived, Entropy, ExtraParameters, Observed, Pkce,
        Scopes, TokenSet,
    },
    system::{browser::Browser, clock, entropy, http::Http, listener::Waker},
};

/// How often a waiting login reports the time left.
pub(super) const TICK: Duration = Duration::from_secs(1);
/// How many stray requests are notable; a flood of them is not.
const NOTABLE: u32 = 3;

/// Everything that one sign-in needs.
pub struct Attempt {
    pub server: AuthorizationServer,
    pub client: Client,
    pub binding: Binding,
    pub scopes: Scopes,
    pub pkce: Pkce,
    /// What PKCE can be relied on for.
    pub effective_pkce: Pkce,
    pub extra: ExtraParameters,
    /// CAs that count in place of the system's.
    pub ca: Option<CaFile>,
    pub opener: Opener,
    /// An environment variable that holds a secret and that no browser needs.
    pub hidden_variable: Option<String>,
    /// How long the user is waited for.
    pub timeout: Duration,
    /// Ends it while it waits.
    pub canceller: Canceller,
    /// Brings a response that does not arrive at the listener.
    pub handover: Handover,
    /// For errors after which the same login can be started again.
    pub again: Option<Again>,
}

/// Who opens the URL.
pub enum Opener {
    Browser(Browser, WithoutBrowser),
    /// The caller, who hears the URL.
    Caller,
    /// Plays the user, on a thread of its own.
    Player(Box<dyn FnOnce(String) + Send>),
}

/// What becomes of a login whose browser cannot be opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WithoutBrowser {
    Fails,
    /// The user opens the URL by hand.
    #[default]
    GoesOn,
}

/// A relay and where its route has to end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Behind {
    /// The URI that is registered.
    pub relay: String,
    /// The URI that the listener has.
    pub listener: String,
}

/// What the provider compares with the registration of the client. A provider that knows another value shows an error page
/// and sends no answer (RFC 6749 section 4.1.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// `client_id`.
    pub client_id: String,
    /// `redirect_uri`, with the port that the listener has.
    pub redirect_uri: String,
}

/// How long a login waits before it reports [`Event::Unanswered`].
fn unanswered_after(timeout: Duration) -> Duration {
    PROVIDER_IS_SILENT.min(timeout / 2)
}

/// The listener of a login that has ended, while the browser still fetches its last page.
#[derive(Clone, Debug, Default)]
pub struct LastPage(Arc<Mutex<Option<JoinHandle<()>>>>);

impl LastPage {
    fn is_sent_by(&self, listener: JoinHandle<()>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }

    /// Returns when the browser has the page, or was waited for long enough.
    pub fn wait(&self) {
        let listener = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(listener) = listener {
            let _ = listener.join();
        }
    }
}

/// `keep` stores the tokens, and where they were issued; the browser gets the page of success only after that.
pub fn sign_in<T>(
    attempt: Attempt,
    hear: &Hear,
    last_page: &LastPage,
    keep: impl FnOnce(TokenSet, AuthorizationServer) -> Result<T, Error>,
) -> Result<T, Error> {
    let (listener, redirect) = attempt.binding.bind(hear)?;
    let behind = attempt
        .binding
        .relay
        .as_ref()
        .map(|relay| Behind { relay: relay.as_str().to_owned(), listener: redirect.listened_at().to_owned() });
    match &behind {
        None => hear(&Event::Listening(redirect.as_str())),
        Some(Behind { relay, listener }) => hear(&Event::Relayed { relay, listener }),
    }
    let Attempt { server, client, scopes, pkce, extra, ca, canceller, handover, again, timeout, .. } = attempt;
    let sent = Sent { client_id: client.id.to_string(), redirect_uri: redirect.as_str().to_owned() };
    let request = AuthorizationRequest { server, client, redirect, scopes, pkce, extra };
    let (url, pending) = request.begin(Entropy::from_bytes(&entropy::random()?))?;
    let (heard, hearing) = mpsc::channel();
    canceller.waits(heard.clone())?;
    handover.leads_to(heard.clone());
    let (tell, told) = mpsc::channel();
    let waker = listener.waker();
    let answers = Answers::new(Loopback::new(pending, attempt.effective_pkce), listener.port(), heard.clone(), told);
    // Only now, when the listener is up, the user is sent to the provider.
    let thread = thread::spawn(move || drop(listener.run(answers)));
    hear(&Event::Url(url.as_str()));
    let without_browser = open(attempt.opener, url.as_str(), attempt.hidden_variable, heard, hear);
    let begun = clock::instant();
    let waiting = Waiting {
        hearing,
        listener: &thread,
        deadline: begun + timeout,
        unanswered_at: Some(begun + unanswered_after(timeout)),
        timeout,
        ca,
        sent,
        behind,
        again,
        without_browser,
        canceller,
        tell,
        waker,
        strays: 0,
        hear,
    };
    let result = waiting.end(keep);
    // A browser that was answered with a redirect still gets the page.
    last_page.is_sent_by(thread);
    // A caller who has canceled the login may start it again at once, on the very same port.
    if matches!(result, Err(Error::Cancelled)) {
        last_page.wait();
    }
    result
}

fn open(
    opener: Opener,
    url: &str,
    hidden_variable: Option<String>,
    heard: Sender<Heard>,
    hear: &Hear,
) -> WithoutBrowser {
    match opener {
        Opener::Browser(Browser::None(why), without_browser) => {
            hear(&Event::BrowserNone(why));
            without_browser
        }
        Opener::Browser(browser, without_browser) => {
            hear(&Event::BrowserOpening);
            browser.open(url, hidden_variable, move |result| {
                if let Err(why) = result {
                    let _ = heard.send(Heard::BrowserFailed(why));
                }
            });
            without_browser
        }
        Opener::Caller => WithoutBrowser::GoesOn,
        Opener::Player(play) => {
            let url = url.to_owned();
            thread::spawn(move || play(url));
            WithoutBrowser::GoesOn
        }
    }
}

/// A login whose user was sent to the provider.
struct Waiting<'a> {
    hearing: Receiver<Heard>,
    listener: &'a JoinHandle<()>,
    deadline: Instant,
    /// When the silence is reported; `None` if it was.
    unanswered_at: Option<Instant>,
    timeout: Duration,
    ca: Option<CaFile>,
    sent: Sent,
    behind: Option<Behind>,
    again: Option<Again>,
    without_browser: WithoutBrowser,
    canceller: Canceller,
    /// To the listener, which ends when this is dropped.
    tell: Sender<Told>,
    waker: Waker,
    /// How many notable requests were turned away.
    strays: u32,
    hear: &'a Hear,
}

impl Waiting<'_> {
    /// Waits for the tokens and stores them; then the browser gets its last page.
    fn end<T>(mut self, keep: impl FnOnce(TokenSet, AuthorizationServer) -> Result<T, Error>) -> Result<T, Error> {
        let result = self.tokens().and_then(|(tokens, server)| keep(tokens, server));
        if result.is_ok() {
            let _ = self.tell.send(Told::Ended(Outcome::Done));
        }
        drop(self.tell);
        self.waker.wake();
        result
    }

    /// Exchanges the user's own code. The code of another user counts as well if the token endpoint accepts it, which
    /// means that PKCE has tied it to this login; if not, the wait goes on.
    fn tokens(&mut self) -> Result<(TokenSet, AuthorizationServer), Error> {
        loop {
            let (code, sent_by) = self.code()?;
            // Who cancels in this instant is either heard or told that it is too late.
            if sent_by == SentBy::User {
                self.canceller.decide()?;
            }
            (self.hear)(&Event::CodeReceived);
            (self.hear)(&Event::Exchanging);
            let server = code.server().clone();
            let (http, now) = (Http::default().trusting(self.ca.as_ref()), clock::now());
            let http = Observed::new(&http, code.dialect().clone(), now);
            let result = code.exchange(&http, now);
            http.news().iter().for_each(|news| (self.hear)(&Event::TokenResponse(news)));
            match result {
                Err(error) if sent_by == SentBy::Other && error.blames_code() => {
                    // The listener may have ended, which the wait notices.
                    let _ = self.tell.send(Told::CodeRefused);
                    self.waker.wake();
                    self.stray(Stray::CodeRefused);
                }
                Err(error) => return Err(error.into()),
                Ok(tokens) => return self.canceller.decide().map(|()| (tokens, server)),
            }
        }
    }

    fn code(&mut self) -> Result<(CodeReceived, SentBy), Error> {
        loop {
            // Before the time-out is noticed, so that a short login reports it too.
            self.report_silence();
            let left = self.deadline.saturating_duration_since(clock::instant());
            if left.is_zero() {
                return Err(self.timed_out());
            }
            match self.hearing.recv_timeout(left.min(TICK)) {
                Ok(Heard::Cancelled) => return Err(Error::Cancelled),
                Ok(Heard::Code(code, sent_by)) => return Ok((code, sent_by)),
                Ok(Heard::Denied(denial)) => return Err(Error::Denied { denial, again: self.again() }),
                Ok(Heard::Refused(refusal)) => return Err(Error::Refused(refusal)),
                Ok(Heard::Given(address)) => {
                    // The listener may have ended, which the wait notices.
                    let _ = self.tell.send(Told::Given(address));
                    self.waker.wake();
                }
                Ok(Heard::NotTheResponse(why)) => (self.hear)(&Event::NotTheResponse(why)),
                Ok(Heard::BrowserFailed(why)) if self.without_browser == WithoutBrowser::Fails => {
                    return Err(Error::BrowserNotOpened(why));
                }
                Ok(Heard::BrowserFailed(why)) => (self.hear)(&Event::BrowserFailed(&why)),
                Ok(Heard::PeerUser(user)) => (self.hear)(&Event::PeerUser(user)),
                Ok(Heard::Stray(why)) => self.stray(why),
                Err(RecvTimeoutError::Timeout) if self.listener.is_finished() => return Err(Error::ListenerEnded),
                Err(RecvTimeoutError::Timeout) => (self.hear)(&Event::Waiting(left)),
                Err(RecvTimeoutError::Disconnected) => return Err(Error::ListenerEnded),
            }
        }
    }

    fn report_silence(&mut self) {
        if self.unanswered_at.take_if(|due| *due <= clock::instant()).is_some() {
            (self.hear)(&Event::Unanswered(&self.sent));
        }
    }

    fn timed_out(&self) -> Error {
        Error::Timeout {
            after: self.timeout,
            sent: Box::new(self.sent.clone()),
            behind: self.behind.clone().map(Box::new),
            again: self.again(),
        }
    }

    fn again(&self) -> Option<Box<Again>> {
        self.again.clone().map(Box::new)
    }

    fn stray(&mut self, why: Stray) {
        // Favicons and scans are everyday; what looks like a callback is worth a line, but not ten thousand.
        let everyday = matches!(why, Stray::Path | Stray::Method | Stray::Prefetch);
        let weight = match !everyday && self.strays < NOTABLE {
            true => Weight::Notable,
            false => Weight::Detail,
        };
        self.strays += u32::from(!everyday);
        (self.hear)(&Event::Stray(why, weight));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deadlines::USER_SIGNS_IN;

    #[test]
    fn d22_silence_is_reported_while_there_is_time_to_compare() {
        assert_eq!(Duration::from_secs(30), unanswered_after(USER_SIGNS_IN));
        assert_eq!(Duration::from_secs(30), unanswered_after(Duration::from_secs(60)));
        assert_eq!(Duration::from_secs(10), unanswered_after(Duration::from_secs(20)), "a login that waits for less");
    }
}

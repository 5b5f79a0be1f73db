//! One sign-in by device code (RFC 8628): the code is shown, and the token endpoint is polled until the user has entered it
//! on another device. Everything before and after is that of every login.

use std::{
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    time::{Duration, Instant, SystemTime},
};

use super::{Again, Canceller, Error, Event, Hear, Weight, answers::Heard, sign_in::TICK};
use crate::{
    catalog::{CaFile, IntegrationName},
    deadlines::DEVICE_POLL_ANSWERS,
    oauth::{
        AuthorizationServer, DeviceAuthorization, DeviceRequest, Next, Observed, PageUrl, PollEnd, Polling, TokenSet,
    },
    system::{clock, http::Http},
};

/// Everything that one sign-in by device code needs.
pub(super) struct DeviceAttempt {
    pub(super) request: DeviceRequest,
    /// CAs that count in place of the system's.
    pub(super) ca: Option<CaFile>,
    pub(super) integration: IntegrationName,
    /// Host and port of the provider, as the configuration has it.
    pub(super) provider: String,
    /// How long the user is waited for. The code may expire before.
    pub(super) timeout: Duration,
    /// Ends it while it waits.
    pub(super) canceller: Canceller,
    /// For errors after which the same login can be started again.
    pub(super) again: Again,
}

/// What a user needs in order to approve a login on another device, and to recognize it there. Nothing in it is secret to
/// the user; whoever else sees it could only sign in to an account of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DevicePrompt {
    /// The integration that asks.
    pub integration: IntegrationName,
    /// Host and port of the provider, as the configuration has it.
    pub provider: String,
    /// The client that the provider names on its page.
    pub client_id: String,
    /// The code to enter.
    pub user_code: String,
    /// The page where it is entered.
    pub verification_uri: String,
    /// The same page with the code in it, if the provider offers that.
    pub verification_uri_complete: Option<String>,
    /// The host of the page, if it is none of the provider's that the configuration or the metadata names.
    pub elsewhere: Option<String>,
    /// When the login ends if nobody has approved it.
    pub expires_at: SystemTime,
}

/// `keep` stores the tokens, and where they were issued.
pub(super) fn sign_in<T>(
    attempt: DeviceAttempt,
    hear: &Hear,
    keep: impl FnOnce(TokenSet, AuthorizationServer) -> Result<T, Error>,
) -> Result<T, Error> {
    let DeviceAttempt { request, ca, integration, provider, timeout, canceller, again } = attempt;
    let (heard, hearing) = mpsc::channel();
    canceller.waits(heard)?;
    let (client_id, endpoints) = (request.client.id.to_string(), request.endpoints());
    let (authorization, flow) = request.send(&Http::default().trusting(ca.as_ref()))?;
    let mut polling = Polling::new(&authorization, timeout);
    let (begun, now) = (clock::instant(), clock::now());
    let DeviceAuthorization { user_code, verification_uri: page, verification_uri_complete, .. } = authorization;
    hear(&Event::DeviceCode(&DevicePrompt {
        integration,
        provider,
        client_id,
        user_code: user_code.to_string(),
        elsewhere: (!endpoints.iter().any(|endpoint| page.is_near(endpoint))).then(|| page.host().to_owned()),
        verification_uri: page.to_string(),
        verification_uri_complete: verification_uri_complete.as_ref().map(PageUrl::to_string),
        expires_at: now.checked_add(polling.end()).unwrap_or(now),
    }));
    let waiting = Waiting { hearing, begun, end: polling.end(), hear };
    let mut due = polling.first();
    loop {
        waiting.until(due)?;
        let (http, now) = (Http::within(DEVICE_POLL_ANSWERS).trusting(ca.as_ref()), clock::now());
        let http = Observed::new(&http, flow.dialect().clone(), now);
        let error = match flow.poll(&http, now) {
            Ok(tokens) => {
                http.news().iter().for_each(|news| hear(&Event::TokenResponse(news)));
                // Who cancels in this instant is either heard or told that it is too late.
                return canceller.decide().and_then(|()| keep(tokens, flow.server().clone()));
            }
            Err(error) => error,
        };
        let why = error.clone();
        due = match polling.after(error, waiting.now()) {
            Next::At(due) => {
                match polling.failures() {
                    0 => {}
                    1 => hear(&Event::PollFailed(&why, Weight::Notable)),
                    _ => hear(&Event::PollFailed(&why, Weight::Detail)),
                }
                due
            }
            Next::Ended(PollEnd::Denied(denial)) => return Err(Error::Denied { denial, again: Some(Box::new(again)) }),
            Next::Ended(PollEnd::Expired) => {
                return Err(Error::DeviceCodeExpired { after: waiting.now(), again: Box::new(again) });
            }
            Next::Ended(PollEnd::Failed(why)) => return Err(why.into()),
        };
    }
}

/// A login whose code was shown. Its times are counted from then.
struct Waiting<'a> {
    hearing: Receiver<Heard>,
    begun: Instant,
    end: Duration,
    hear: &'a Hear,
}

impl Waiting<'_> {
    fn now(&self) -> Duration {
        clock::instant().saturating_duration_since(self.begun)
    }

    /// # Errors
    /// The login was canceled.
    fn until(&self, due: Duration) -> Result<(), Error> {
        loop {
            let now = self.now();
            let left = due.saturating_sub(now);
            if left.is_zero() {
                // Also if it was canceled during the poll before.
                return match self.hearing.try_recv() {
                    Ok(Heard::Cancelled) => Err(Error::Cancelled),
                    _ => Ok(()),
                };
            }
            match self.hearing.recv_timeout(left.min(TICK)) {
                Ok(Heard::Cancelled) => return Err(Error::Cancelled),
                // Nothing else is sent by a canceller, which is the only sender.
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => (self.hear)(&Event::Waiting(self.end.saturating_sub(now))),
                Err(RecvTimeoutError::Disconnected) => return Err(Error::Cancelled),
            }
        }
    }
}

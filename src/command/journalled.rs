//! How a refresh token is sent: the reply is put away before anybody tries to understand it, and what certainly had no
//! effect is repeated. For the command line and for the service.
#![deny(clippy::let_underscore_must_use)]

use std::time::Duration;

use crate::{
    oauth::{ExchangeError, HttpClient, HttpError, HttpRequest, HttpResponse},
    refresh::{Reached, pause_before_retry},
    system::{clock, entropy, pause},
    vault::{Journal, Record, seal::Nonce},
};

/// What fails within this time is asked again.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Sends, and puts every reply away before it is understood. Repeats what certainly had no effect.
pub struct Journalled<'a> {
    pub journal: &'a Journal<'a>,
    pub record: &'a Record,
    /// Its deadline is that of all repetitions together.
    pub http: &'a dyn HttpClient,
}

impl HttpClient for Journalled<'_> {
    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (mut tried, start) = (0, clock::instant());
        loop {
            tried += 1;
            // Drawn before anything is sent: without it the response could not be put away.
            let nonce = entropy::random().map(Nonce).map_err(|e| HttpError::Broken(e.to_string()))?;
            let began = clock::instant();
            let result = self.http.send(request.clone());
            let at_once = clock::instant() < began + AT_ONCE;
            let reached = match &result {
                Ok(reply) if [429, 503].contains(&reply.status().as_u16()) => {
                    Reached::TurnedAway { retry_after: retry_after(reply) }
                }
                Ok(reply) => {
                    #[expect(
                        clippy::let_underscore_must_use,
                        reason = "a response that cannot be put away can still be stored; whoever stores it sees whether the journal has it"
                    )]
                    let _ = self.journal.put(self.record, reply, clock::now(), nonce);
                    return result;
                }
                Err(HttpError::Connect(_) | HttpError::Tls(_)) if at_once => Reached::Nobody,
                Err(HttpError::Proxy { .. }) => return result,
                // One who is silent is not asked again, whether it got anything or not.
                Err(_) => Reached::Maybe,
            };
            match pause_before_retry(tried, start.elapsed(), reached, pause::jitter()) {
                Some(pause) => pause::hold(pause),
                None => return result,
            }
        }
    }
}

/// Gives the reply that was put away.
pub struct Replayed(pub HttpResponse);

impl HttpClient for Replayed {
    fn send(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
        Ok(self.0.clone())
    }
}

pub fn reached(error: &ExchangeError) -> Reached {
    match error {
        ExchangeError::Unreachable(HttpError::Connect(_) | HttpError::Proxy { .. } | HttpError::Tls(_)) => {
            Reached::Nobody
        }
        ExchangeError::NotOAuth(what) if [429, 503].contains(&what.status) => Reached::TurnedAway { retry_after: None },
        _ => Reached::Maybe,
    }
}

/// Seconds only; a date would need a clock that agrees with the provider's.
fn retry_after(reply: &HttpResponse) -> Option<Duration> {
    reply.headers().get("retry-after")?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

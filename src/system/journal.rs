//! Sends a refresh token: every response is stored in the journal before it is parsed, and a request that certainly had
//! no effect is repeated. For the command line and the service.
#![deny(clippy::let_underscore_must_use)]

use super::{clock, entropy, pause};
use crate::{
    deadlines::FAILED_AT_ONCE,
    oauth::{HttpClient, HttpError, HttpRequest, HttpResponse},
    refresh::{Reached, pause_before_retry},
    vault::{Journal, Record, seal::Nonce},
};

/// An HTTP client that stores every response before it returns it, and repeats requests that certainly had no effect.
pub struct Journalled<'a> {
    pub journal: &'a Journal<'a>,
    pub record: &'a Record,
    /// Its deadline covers all tries together.
    pub http: &'a dyn HttpClient,
}

impl HttpClient for Journalled<'_> {
    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (mut tried, start) = (0, clock::instant());
        loop {
            tried += 1;
            // Before anything is sent: without a nonce the response could not be encrypted.
            let nonce = entropy::random().map(Nonce).map_err(|e| HttpError::Broken(e.to_string()))?;
            let began = clock::instant();
            let result = self.http.send(request.clone());
            let at_once = clock::instant() < began + FAILED_AT_ONCE;
            let reached = match &result {
                Ok(response) => match Reached::by_response(response) {
                    turned_away @ Reached::TurnedAway { .. } => turned_away,
                    _ => {
                        #[expect(
                            clippy::let_underscore_must_use,
                            reason = "a response that cannot be written to the journal can still be stored; the caller sees whether the journal has it"
                        )]
                        let _ = self.journal.put(self.record, response, clock::now(), nonce);
                        return result;
                    }
                },
                Err(why) if why.is_lasting() => return result,
                Err(why) if at_once => Reached::by_error(why),
                // A provider that does not answer is not asked again: it may have received the request.
                Err(_) => Reached::Maybe,
            };
            match pause_before_retry(tried, start.elapsed(), reached, pause::jitter()) {
                Some(pause) => pause::hold(pause),
                None => return result,
            }
        }
    }
}

//! How a refresh token is sent: every response is stored in the journal before it is parsed, and what certainly had no
//! effect is sent again. For the command line and for the service.
#![deny(clippy::let_underscore_must_use)]

use super::{clock, entropy, pause};
use crate::{
    deadlines::FAILED_AT_ONCE,
    oauth::{HttpClient, HttpError, HttpRequest, HttpResponse},
    refresh::{Reached, pause_before_retry},
    vault::{Journal, Record, seal::Nonce},
};

/// Sends, and stores every response before it is parsed. Sends again what certainly had no effect.
pub struct Journalled<'a> {
    pub journal: &'a Journal<'a>,
    pub record: &'a Record,
    /// Its deadline holds for all tries together.
    pub http: &'a dyn HttpClient,
}

impl HttpClient for Journalled<'_> {
    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (mut tried, start) = (0, clock::instant());
        loop {
            tried += 1;
            // Drawn before anything is sent: without it the response could not be sealed.
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
                            reason = "a response that cannot be journalled can still be stored; whoever stores it sees whether the journal has it"
                        )]
                        let _ = self.journal.put(self.record, response, clock::now(), nonce);
                        return result;
                    }
                },
                Err(HttpError::Proxy { .. }) => return result,
                Err(why) if at_once => Reached::by_error(why),
                // A provider that is silent is not asked again, whether it received anything or not.
                Err(_) => Reached::Maybe,
            };
            match pause_before_retry(tried, start.elapsed(), reached, pause::jitter()) {
                Some(pause) => pause::hold(pause),
                None => return result,
            }
        }
    }
}

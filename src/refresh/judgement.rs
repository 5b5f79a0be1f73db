//! What a failed refresh means: for the grant, for the journal and for the next try. The command line derives exit code
//! and words from it, the service status, delay and the mark on an integration.

use std::time::{Duration, SystemTime};

use super::Failed;
use crate::{
    deadlines::RETRIES_LAST,
    oauth::{self, ErrorResponse, ExchangeError, HttpError, HttpResponse, Meaning},
};

/// Tries of one refresh, the first included.
const TRIES: u32 = 3;

/// What a failed refresh says about the grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The provider rejects the request for a reason that is not known: the client, the request or the grant may be at
    /// fault. The grant is kept, and [`Refusals`] are counted.
    Ambiguous,
    /// The provider no longer accepts the refresh token: the user has to log in again.
    Dead,
    /// The provider rejects the client, or the environment names no usable proxy or no CA certificates. The grant may
    /// still be valid.
    Misconfigured,
    /// There is nothing to send: the user has to log in again.
    NoRefreshToken,
    /// The response is for another user (OpenID Connect Core section 12.2).
    OtherSubject,
    /// The response breaks a rule of the protocol, or the server's certificate is not valid; the old tokens are kept.
    Refused,
    /// The response says nothing about the grant: try again later.
    Transient,
}

/// How far a failed request got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// The provider may have received it and may have used up the refresh token.
    Maybe,
    /// No connection was made.
    Nobody,
    /// The provider received it and its answer is final.
    Provider,
    /// 429 or 503: the provider says that it did nothing.
    TurnedAway { retry_after: Option<Duration> },
}

/// What a failed refresh means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub verdict: Verdict,
    pub reached: Reached,
}

impl Judgement {
    pub fn of(failed: &Failed) -> Self {
        let judged = |verdict, reached| Self { verdict, reached };
        match failed {
            Failed::Exchange { error, .. } => Self::of_exchange(error),
            // The refresh token that counts from now on is known.
            Failed::HalfRefreshed { error, .. } => Self { reached: Reached::Provider, ..Self::of_exchange(error) },
            Failed::Journal(_) => judged(Verdict::Transient, Reached::Nobody),
            Failed::NoRefreshToken => judged(Verdict::NoRefreshToken, Reached::Nobody),
            Failed::OtherSubject(_) => judged(Verdict::OtherSubject, Reached::Provider),
        }
    }

    /// Only an error response ends a grant (RFC 6749 section 5.2), never a page, a 5xx or a timeout.
    fn of_exchange(error: &ExchangeError) -> Self {
        let judged = |verdict, reached| Self { verdict, reached };
        match error {
            ExchangeError::Denied(response) => Self::of_response(response),
            // The provider issued tokens that cannot be used, so the refresh token may be used up.
            ExchangeError::IdToken(_) | ExchangeError::Malformed(_) => judged(Verdict::Refused, Reached::Maybe),
            ExchangeError::NotOAuth(what) => {
                judged(Verdict::Transient, Reached::by_status(what.status, what.retry_after))
            }
            ExchangeError::Unreachable(
                why @ (HttpError::NoCa(_) | HttpError::Proxy { .. } | HttpError::UnusableCa { .. }),
            ) => judged(Verdict::Misconfigured, Reached::by_error(why)),
            ExchangeError::Unreachable(why @ (HttpError::Certificate(_) | HttpError::UnknownCa(_))) => {
                judged(Verdict::Refused, Reached::by_error(why))
            }
            ExchangeError::Unreachable(why) => judged(Verdict::Transient, Reached::by_error(why)),
        }
    }
}

impl Judgement {
    fn of_response(response: &ErrorResponse) -> Self {
        let (verdict, reached) = match response.meaning {
            Meaning::Client => (Verdict::Misconfigured, Reached::Provider),
            Meaning::DeadGrant => (Verdict::Dead, Reached::Provider),
            Meaning::Later => (Verdict::Transient, Reached::by_status(response.status, response.retry_after)),
            Meaning::Unknown => (Verdict::Ambiguous, Reached::Provider),
        };
        Self { verdict, reached }
    }
}

/// Ambiguous refusals of one refresh token, in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusals {
    pub count: u32,
    pub since: SystemTime,
}

impl Refusals {
    /// A provider that has refused so often, for so long, will not change its mind.
    const FINAL_COUNT: u32 = 5;
    const FINAL_AFTER: Duration = Duration::from_secs(3600);

    /// The count with one more refusal; `before` are those of the same refresh token.
    pub fn and_one_more(before: Option<Self>, now: SystemTime) -> Self {
        match before {
            Some(Self { count, since }) => Self { count: count.saturating_add(1), since },
            None => Self { count: 1, since: now },
        }
    }

    /// Whether the user has to log in again.
    pub fn are_final(self, now: SystemTime) -> bool {
        let lasted = now.duration_since(self.since).unwrap_or_default();
        self.count >= Self::FINAL_COUNT && lasted >= Self::FINAL_AFTER
    }
}

impl Reached {
    /// How far a request got that was answered with this response, before anybody has understood it.
    pub fn by_response(response: &HttpResponse) -> Self {
        Self::by_status(response.status().as_u16(), oauth::retry_after(response))
    }

    /// How far a request got that was not answered.
    pub fn by_error(error: &HttpError) -> Self {
        match error {
            HttpError::Certificate(_)
            | HttpError::Connect(_)
            | HttpError::NoCa(_)
            | HttpError::Proxy { .. }
            | HttpError::Tls(_)
            | HttpError::UnknownCa(_)
            | HttpError::UnusableCa { .. } => Self::Nobody,
            HttpError::Broken(_) | HttpError::Timeout | HttpError::TooLarge => Self::Maybe,
        }
    }

    fn by_status(status: u16, retry_after: Option<Duration>) -> Self {
        match status {
            429 | 503 => Self::TurnedAway { retry_after },
            _ => Self::Maybe,
        }
    }
}

/// The pause before a failed request is sent again. `elapsed` is the time since the first try began.
/// `None`: do not try again. Either callers have waited for too long, or the request may have reached the provider, and
/// sending a rotated refresh token a second time ends the grant.
pub fn pause_before_retry(tried: u32, elapsed: Duration, reached: Reached, jitter: Duration) -> Option<Duration> {
    match reached {
        _ if tried >= TRIES || elapsed >= RETRIES_LAST => None,
        Reached::Maybe | Reached::Provider => None,
        Reached::Nobody => Some(Duration::from_millis(200) * (1 << tried) + jitter),
        Reached::TurnedAway { retry_after } => match retry_after {
            Some(wait) if wait > RETRIES_LAST => None,
            Some(wait) => Some(wait + jitter),
            None => Some(Duration::from_millis(500) * (1 << tried) + jitter),
        },
    }
}

#[cfg(test)]
mod tests;

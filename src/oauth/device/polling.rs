//! When the token endpoint is asked again, and what its answers mean (RFC 8628 section 3.5). Pure: times are counted from
//! the arrival of the device code.

use std::time::Duration;

use super::DeviceAuthorization;
use crate::oauth::{Denial, ErrorResponse, ExchangeError, RemoteText};

/// Added to the interval at each `slow_down`, for good (RFC 8628 section 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// The longest pause after failures, unless the provider's own interval is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The polls of one login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Polling {
    interval: Duration,
    /// When the login is over.
    end: Duration,
    /// How many polls in a row were not answered.
    failures: u32,
}

/// What comes after a poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The next poll is due then.
    At(Duration),
    Ended(PollEnd),
}

/// How a login ended without tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PollEnd {
    /// The user or the provider refused.
    Denied(Denial),
    /// Nobody has approved it in time.
    Expired,
    Failed(ExchangeError),
}

/// What an answer means.
enum Meaning {
    Denied,
    Expired,
    Fatal,
    /// The provider, or the way to it, is broken for now.
    Later {
        retry_after: Option<Duration>,
    },
    Pending,
    SlowDown {
        interval: Option<Duration>,
        retry_after: Option<Duration>,
    },
}

impl Polling {
    /// `timeout` is how long the user is waited for; the code may expire before.
    pub fn new(authorization: &DeviceAuthorization, timeout: Duration) -> Self {
        let end = authorization.life.map_or(timeout, |life| life.min(timeout));
        Self { interval: authorization.interval, end, failures: 0 }
    }

    /// When the login is over.
    pub fn end(&self) -> Duration {
        self.end
    }

    /// How many polls in a row were not answered, the last one included.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// When the first poll is due: after one interval, since some servers count from the issue of the code.
    pub fn first(&self) -> Duration {
        self.interval.min(self.end)
    }

    /// What follows a poll that was answered like this, or failed, at `now`.
    pub fn after(&mut self, error: ExchangeError, now: Duration) -> Next {
        let (pause, late) = match meaning(&error) {
            Meaning::Denied => return Next::Ended(denied(error)),
            Meaning::Expired => return Next::Ended(PollEnd::Expired),
            Meaning::Fatal => return Next::Ended(PollEnd::Failed(error)),
            Meaning::Pending => {
                self.failures = 0;
                (self.interval, PollEnd::Expired)
            }
            Meaning::SlowDown { interval, retry_after } => {
                self.failures = 0;
                self.interval = self.interval.saturating_add(SLOWER).max(interval.unwrap_or_default());
                (self.interval.max(retry_after.unwrap_or_default()), PollEnd::Expired)
            }
            Meaning::Later { retry_after } => {
                self.failures = self.failures.saturating_add(1);
                (self.back_off().max(retry_after.unwrap_or_default()), PollEnd::Failed(error))
            }
        };
        let at = now.saturating_add(pause);
        // A poll that would come too late is not waited for.
        if at > self.end { Next::Ended(late) } else { Next::At(at) }
    }

    /// The interval, doubled with each failure.
    fn back_off(&self) -> Duration {
        let doubled = self.interval.saturating_mul(2_u32.saturating_pow(self.failures));
        doubled.min(LONGEST_PAUSE.max(self.interval))
    }
}

fn meaning(error: &ExchangeError) -> Meaning {
    match error {
        ExchangeError::Denied(response) => of_response(response),
        ExchangeError::NotOAuth(what) => of_status(what.status, what.retry_after).unwrap_or(Meaning::Fatal),
        ExchangeError::Unreachable(why) if !why.is_lasting() => Meaning::Later { retry_after: None },
        ExchangeError::IdToken(_) | ExchangeError::Malformed(_) | ExchangeError::Unreachable(_) => Meaning::Fatal,
    }
}

/// A known word counts whatever the status: GitHub answers 200, Auth0 403 and 429, Google 428.
fn of_response(response: &ErrorResponse) -> Meaning {
    match response.code.to_string().as_str() {
        "authorization_pending" => Meaning::Pending,
        "slow_down" => {
            let interval = response.interval.map(|seconds| Duration::from_secs(seconds.get().into()));
            Meaning::SlowDown { interval, retry_after: response.retry_after }
        }
        // The second word is Microsoft's.
        "access_denied" | "authorization_declined" => Meaning::Denied,
        // The second word is of Microsoft's first version.
        "expired_token" | "code_expired" => Meaning::Expired,
        "server_error" | "temporarily_unavailable" if response.status != 429 => {
            Meaning::Later { retry_after: response.retry_after }
        }
        _ => of_status(response.status, response.retry_after).unwrap_or(Meaning::Fatal),
    }
}

fn of_status(status: u16, retry_after: Option<Duration>) -> Option<Meaning> {
    match status {
        429 => Some(Meaning::SlowDown { interval: None, retry_after }),
        408 | 425 | 500.. => Some(Meaning::Later { retry_after }),
        _ => None,
    }
}

fn denied(error: ExchangeError) -> PollEnd {
    match error {
        ExchangeError::Denied(ErrorResponse { code, description, .. }) => {
            PollEnd::Denied(Denial { error: RemoteText::new(&code.to_string()), description })
        }
        other => PollEnd::Failed(other),
    }
}

//! Whether a stored access token can be handed out, and the one life of a refresh, for the command line and the service.
//!
//! A token that stays valid for longer than the margin is handed out as it is: no lock, no network, no write. A stale
//! one is refreshed by one process for all. Clock, chance and network are arguments here; locks, leases and pauses
//! belong to the callers.
//! - [`Attempt`]: one refresh, from the refresh token to the new record, and what stays in the journal.
//! - [`Judgement`]: what a failed refresh means for the grant.
//! - [`WorkerMessage`]: what the command line's worker reports to the caller that started it.
//! - [`LastRefresh`]: the result that the command line's worker leaves for those who waited for it.
//! - [`covering`]: whether a stored grant has the scopes that an action needs.

mod attempt;
pub mod covering;
mod judgement;
mod last;
mod validity;
mod worker_message;

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use sha2::{Digest, Sha256};

pub use attempt::{Attempt, Before, Failed, OtherSubject, Refreshed, Source};
pub use judgement::{Judgement, Reached, Refusals, Verdict, pause_before_retry};
pub use last::{LastRefresh, RefreshResult};
pub use validity::Validity;
pub use worker_message::WorkerMessage;

use crate::{secret::Secret, vault::Grant};

/// The longest margin: a token is renewed this long before it expires, or after nine tenths of its life.
const LONGEST_MARGIN: Duration = Duration::from_secs(60);
/// A grant is not refreshed twice within this time because of a wish that no token of its provider can fulfil.
const SHORTEST_PAUSE: Duration = Duration::from_secs(30);
/// A clock that has gone back by more than this says nothing about the age of a token.
const CLOCK_SLACK: Duration = Duration::from_secs(60);

/// How long a token must still be valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MinTtl {
    AtLeast(Duration),
    /// The smaller of 60 s and a tenth of the token's life.
    Margin,
}

/// The first 64 hexadecimal digits of SHA-256 over an access token that a caller was refused with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected(String);

impl Rejected {
    /// At least 8 digits, so that a hash can be cut for a log.
    pub fn parse(text: &str) -> Option<Self> {
        let hash = text.to_ascii_lowercase();
        ((8..=64).contains(&hash.len()) && hash.bytes().all(|b| b.is_ascii_hexdigit())).then_some(Self(hash))
    }

    pub fn of(token: &Secret) -> Self {
        Self(Sha256::digest(token.expose()).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Whether it is this token that was refused.
    pub fn is(&self, token: &Secret) -> bool {
        Self::of(token).0.starts_with(&self.0)
    }
}

/// What a caller asks for.
#[derive(Clone, Debug)]
pub struct Wish {
    pub min_ttl: MinTtl,
    pub rejected: Option<Rejected>,
}

/// What a stored token is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Worth {
    Expired {
        ago: Duration,
    },
    Fresh,
    /// A caller was refused with it.
    Rejected,
    /// Valid, but for less than the wish or the margin.
    Short {
        left: Duration,
    },
}

impl fmt::Display for Worth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired { ago } => write!(f, "the access token expired {} s ago", ago.as_secs()),
            Self::Fresh => f.write_str("the access token is valid"),
            Self::Rejected => f.write_str("the access token was rejected"),
            Self::Short { left } => write!(f, "the access token is valid for {} s only", left.as_secs()),
        }
    }
}

impl Wish {
    /// A token that is valid for longer than the margin.
    pub const USUAL: Self = Self { min_ttl: MinTtl::Margin, rejected: None };

    /// Whether a token that is valid for less than the margin will do if there is no other.
    pub fn takes_short(&self) -> bool {
        self.min_ttl == MinTtl::Margin
    }

    /// Whether a token that has just come does not live as long as it is wished for: another one would not either.
    pub fn exceeds(&self, grant: &Grant, now: SystemTime) -> Option<Duration> {
        let life = grant.expiry.end()?.duration_since(grant.obtained_at).unwrap_or_default();
        let age = now.duration_since(grant.obtained_at).unwrap_or_default();
        let MinTtl::AtLeast(wanted) = self.min_ttl else { return None };
        (wanted >= life && age < SHORTEST_PAUSE).then_some(life)
    }

    /// Judges a stored grant.
    pub fn worth(&self, grant: &Grant, now: SystemTime) -> Worth {
        if self.rejected.as_ref().is_some_and(|rejected| rejected.is(&grant.access_token)) {
            return Worth::Rejected;
        }
        match grant.expiry.end() {
            Some(until) => Validity { from: grant.obtained_at, until }.worth(self.min_ttl, now),
            None => Worth::Fresh,
        }
    }
}

/// Whether two grants are refreshed with the same refresh token.
pub fn same_refresh_token(one: &Grant, other: &Grant) -> bool {
    match (&one.refresh_token, &other.refresh_token) {
        (Some(one), Some(other)) => one.matches(other.expose()),
        (one, other) => one.is_none() && other.is_none(),
    }
}

#[cfg(test)]
mod tests;

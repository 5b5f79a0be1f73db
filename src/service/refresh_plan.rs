//! Whether a stored token can be handed out, and what becomes of a refresh: judgements, without clock and without I/O.
//!
//! A caller gets a token that is good for longer than both its own wish and the margin. A stale one is refreshed, once
//! for all who ask. `refresh` judges what a failed refresh means; this module derives what that changes at a connection.

use std::time::{Duration, SystemTime};

use super::store::{Access, Connection, ConnectionId, Delay, Failing, Fate, ReauthReason, State};
use crate::{
    deadlines::DELAY_LASTS,
    oauth::{Expiry, Scopes, TokenType},
    refresh::{Judgement, MinTtl, Reached, Validity, Verdict, Worth},
    secret::Secret,
};

/// The longest margin: a token is refreshed this long before it expires, or after four fifths of its life.
const LONGEST_MARGIN: Duration = Duration::from_secs(300);
/// A connection is not refreshed twice within this time because callers wish for what no token of its provider has.
const SHORTEST_PAUSE: Duration = Duration::from_secs(30);
const FIRST_DELAY: Duration = Duration::from_secs(5);
const LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);
/// How long an integration whose client is refused is left alone.
pub const MISCONFIGURED_PAUSE: Duration = Duration::from_secs(60);

/// What a caller asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// How long the token must still be valid.
    pub min_validity: Duration,
    pub source: TokenSource,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenSource {
    /// The provider: an API has refused the stored token.
    Provider,
    #[default]
    Stored,
}

/// What a caller gets.
#[derive(Clone, Debug)]
pub enum TokenAnswer {
    Ok(Box<Issued>),
    /// The connection was deleted while its token was refreshed.
    Gone,
    /// The provider granted less than the action needs.
    InsufficientScope {
        connection: ConnectionId,
        granted: Scopes,
        missing: Scopes,
    },
    /// The provider refuses the client itself; no user can do anything about it.
    Misconfigured {
        since: SystemTime,
    },
    NotConnected,
    ReauthRequired {
        connection: ConnectionId,
        reason: ReauthReason,
        since: SystemTime,
    },
    /// No token now, perhaps later.
    Unavailable {
        retry_after: Duration,
    },
}

/// An access token for a caller; the refresh token is never in it.
#[derive(Clone, Debug)]
pub struct Issued {
    pub connection: ConnectionId,
    pub access_token: Secret,
    pub token_type: TokenType,
    /// `None`: the provider said nothing of an end.
    pub expires_at: Option<SystemTime>,
    pub granted: Scopes,
    pub base_url: Option<String>,
    pub origin: Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Refreshed,
    Stored,
}

/// What to do for a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    HandOut,
    Reauth { reason: ReauthReason, since: SystemTime },
    Refresh { meanwhile: Meanwhile },
}

/// What the old token is good for while it is refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meanwhile {
    /// Better than none: valid, for less than the caller wishes.
    Lasts,
    Nothing,
    /// Valid for as long as the caller wishes; only the margin asks for a refresh.
    Suits,
}

/// The part of a life at its end in which a token is refreshed.
pub fn margin(life: Duration) -> Duration {
    LONGEST_MARGIN.min(life / 5)
}

/// When a token that can be refreshed should be, before anybody asks.
pub fn due_at(obtained_at: SystemTime, expiry: Expiry) -> Option<SystemTime> {
    let Expiry::At(until) = expiry else { return None };
    let life = until.duration_since(obtained_at).unwrap_or_default();
    Some(until.checked_sub(margin(life)).unwrap_or(until))
}

/// What to do with a connection for a caller.
pub fn decide(connection: &Connection, wanted: TokenRequest, now: SystemTime) -> Decision {
    if let State::Reauth { reason, since } = connection.state {
        return Decision::Reauth { reason, since };
    }
    let access = &connection.access;
    let age = now.duration_since(access.obtained_at).unwrap_or_default();
    let forced = wanted.source == TokenSource::Provider && age >= SHORTEST_PAUSE;
    let meanwhile = match worth(access, wanted.min_validity, now) {
        _ if forced => Meanwhile::Nothing,
        Worth::Fresh if near_its_end(access, now) => Meanwhile::Suits,
        Worth::Fresh => return Decision::HandOut,
        // Another one would not live longer either.
        Worth::Short { .. } if wanted.min_validity >= life(access) && age < SHORTEST_PAUSE => return Decision::HandOut,
        Worth::Short { .. } => Meanwhile::Lasts,
        Worth::Expired { .. } | Worth::Rejected => Meanwhile::Nothing,
    };
    match (&connection.refresh, meanwhile) {
        (Some(_), meanwhile) => Decision::Refresh { meanwhile },
        (None, Meanwhile::Lasts | Meanwhile::Suits) => Decision::HandOut,
        (None, Meanwhile::Nothing) => {
            Decision::Reauth { reason: ReauthReason::NoRefreshToken, since: access.expiry.time().min(now) }
        }
    }
}

fn life(access: &Access) -> Duration {
    access.expiry.time().duration_since(access.obtained_at).unwrap_or_default()
}

fn near_its_end(access: &Access, now: SystemTime) -> bool {
    worth(access, margin(life(access)), now) != Worth::Fresh
}

/// A token of which the provider said no end is good until an API refuses it.
fn worth(access: &Access, min_validity: Duration, now: SystemTime) -> Worth {
    match access.expiry {
        Expiry::Assumed(_) => Worth::Fresh,
        Expiry::At(until) => Validity { from: access.obtained_at, until }.worth(MinTtl::AtLeast(min_validity), now),
    }
}

/// What a failed refresh means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    Failing(Failing),
    /// The client of the integration is rejected; its users' connections stay as they are.
    Misconfigured,
    /// The user has to authorize again.
    Reauth(ReauthReason),
}

/// What a judgement changes at a connection or its integration. `jitter` is up to 250 ms of chance, spread over the delay
/// so that those who failed together do not return together.
pub fn consequence(connection: &Connection, judgement: Judgement, jitter: Duration, now: SystemTime) -> Consequence {
    let Judgement { verdict, reached } = judgement;
    match verdict {
        Verdict::Dead => Consequence::Reauth(ReauthReason::RefreshTokenRefused),
        Verdict::Misconfigured => Consequence::Misconfigured,
        Verdict::NoRefreshToken => Consequence::Reauth(ReauthReason::NoRefreshToken),
        Verdict::OtherSubject => Consequence::Reauth(ReauthReason::OtherSubject),
        Verdict::Refused | Verdict::Transient => {
            let fate = if reached == Reached::Maybe { Fate::Unknown } else { connection.state.fate() };
            Consequence::Failing(Failing::Delayed { delay: delay(connection, reached, jitter, now), fate })
        }
    }
}

fn delay(connection: &Connection, reached: Reached, jitter: Duration, now: SystemTime) -> Delay {
    let failures = connection.state.delay().map_or(0, |delay| delay.failures);
    let doubled = FIRST_DELAY.saturating_mul(1 << failures.min(16)).min(LONGEST_DELAY);
    let wait = match reached {
        Reached::TurnedAway { retry_after: Some(wait) } => wait.min(DELAY_LASTS),
        _ => doubled,
    };
    // 250 ms of chance become a quarter of the delay.
    let spread = jitter * u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).max(1);
    Delay { failures: failures.saturating_add(1), until: now + wait + spread }
}

#[cfg(test)]
mod tests;

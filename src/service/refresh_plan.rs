//! Which token a caller gets, when a token is refreshed, and what a failed refresh means for a connection. Without
//! clock and I/O.
//!
//! A caller gets a token that stays valid for longer than its own minimum and the margin. A stale token is refreshed
//! once for all callers. `refresh` judges what a failed refresh means; this module derives what that changes.

use std::time::{Duration, SystemTime};

use super::store::{Access, Connection, ConnectionId, Delay, Failing, Fate, ReauthReason, Refreshable, State};
use crate::{
    deadlines::{DELAY_LASTS, FIRST_DELAY, LONGEST_DELAY},
    oauth::{Expiry, GrantMetadata, Scopes, TokenType},
    refresh::{Judgement, MinTtl, Reached, Validity, Verdict, Worth},
    secret::Secret,
};

/// The longest margin: a token is refreshed this long before it expires, or after four fifths of its life.
const LONGEST_MARGIN: Duration = Duration::from_secs(300);
/// A connection is not refreshed twice within this time because callers ask for more than any token of its provider
/// offers.
const SHORTEST_PAUSE: Duration = Duration::from_secs(30);

/// What a caller asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// How long the token must stay valid.
    pub min_validity: Duration,
    /// Where the token comes from.
    pub source: TokenSource,
}

/// Where a token comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenSource {
    /// The provider: an API has rejected the stored token.
    Provider,
    /// The database, unless the stored token is stale.
    #[default]
    Stored,
}

/// What a caller gets.
#[derive(Clone, Debug)]
pub enum TokenAnswer {
    /// A valid token.
    Ok(Box<Issued>),
    /// The connection was deleted during the refresh.
    Gone,
    /// The provider granted fewer scopes than the action needs.
    InsufficientScope {
        /// The connection.
        connection: ConnectionId,
        /// The granted scopes.
        granted: Scopes,
        /// The scopes that are not granted.
        missing: Scopes,
    },
    /// The provider rejects the client. Users cannot change that.
    Misconfigured {
        /// When the provider first rejected it.
        since: SystemTime,
    },
    /// There is no connection for this action.
    NotConnected,
    /// The user has to authorize again.
    ReauthRequired {
        /// The connection.
        connection: ConnectionId,
        /// Why.
        reason: ReauthReason,
        /// Since when.
        since: SystemTime,
    },
    /// No token now, perhaps later.
    Unavailable {
        /// When a new request may succeed.
        retry_after: Duration,
    },
}

/// An access token for a caller, without the refresh token.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The connection.
    pub connection: ConnectionId,
    /// The access token.
    pub access_token: Secret,
    /// Its type.
    pub token_type: TokenType,
    /// `None`: the provider returned no expiry.
    pub expires_at: Option<SystemTime>,
    /// The granted scopes.
    pub granted: Scopes,
    /// What the caller needs and the provider does not name as granted.
    pub missing: Scopes,
    /// What the provider sent beside the tokens.
    pub metadata: GrantMetadata,
    /// Who has signed in there.
    pub account: Option<String>,
    /// The instance, if the application named one.
    pub base_url: Option<String>,
    /// Whether it can be refreshed.
    pub refreshable: Refreshable,
    /// Whether it was stored before the request.
    pub origin: Origin,
}

/// Where a returned token was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was refreshed for this request.
    Refreshed,
    /// It was in the database.
    Stored,
}

/// What is done for a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The stored token is returned.
    HandOut,
    /// The user has to authorize again.
    Reauth { reason: ReauthReason, since: SystemTime },
    /// The token is refreshed.
    Refresh { meanwhile: Meanwhile },
}

/// What the stored token is good for during a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meanwhile {
    /// Valid, but not for as long as the caller wants. Better than none.
    Lasts,
    /// It has expired or was rejected.
    Nothing,
    /// Valid for as long as the caller wants. Only the margin asks for a refresh.
    Suits,
}

/// The last part of a token's life, in which it is refreshed.
pub fn margin(life: Duration) -> Duration {
    LONGEST_MARGIN.min(life / 5)
}

/// When a refreshable token is refreshed without a caller.
pub fn due_at(obtained_at: SystemTime, expiry: Expiry) -> Option<SystemTime> {
    let Expiry::At(until) = expiry else { return None };
    let life = until.duration_since(obtained_at).unwrap_or_default();
    Some(until.checked_sub(margin(life)).unwrap_or(until))
}

/// Decides what is done for a caller.
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
        // A new token would not live longer either.
        Worth::Short { .. } if wanted.min_validity >= life(access) && age < SHORTEST_PAUSE => return Decision::HandOut,
        Worth::Short { .. } => Meanwhile::Lasts,
        Worth::Expired { .. } | Worth::Rejected => Meanwhile::Nothing,
    };
    match (&connection.refresh, meanwhile) {
        (Some(_), meanwhile) => Decision::Refresh { meanwhile },
        (None, Meanwhile::Lasts | Meanwhile::Suits) => Decision::HandOut,
        (None, Meanwhile::Nothing) => Decision::Reauth {
            reason: ReauthReason::NoRefreshToken,
            since: access.expiry.end().map_or(now, |end| end.min(now)),
        },
    }
}

fn life(access: &Access) -> Duration {
    access.expiry.end().and_then(|end| end.duration_since(access.obtained_at).ok()).unwrap_or_default()
}

fn near_its_end(access: &Access, now: SystemTime) -> bool {
    worth(access, margin(life(access)), now) != Worth::Fresh
}

/// A token without expiry is valid until an API rejects it.
fn worth(access: &Access, min_validity: Duration, now: SystemTime) -> Worth {
    match access.expiry {
        Expiry::Assumed(_) | Expiry::Unknown => Worth::Fresh,
        Expiry::At(until) => Validity { from: access.obtained_at, until }.worth(MinTtl::AtLeast(min_validity), now),
    }
}

/// What a failed refresh means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// Refreshes of the connection fail, and are repeated.
    Failing(Failing),
    /// The client of the integration is rejected; its users' connections stay as they are.
    Misconfigured,
    /// The user has to authorize again.
    Reauth(ReauthReason),
}

/// What a judgement changes at the connection or its integration. `jitter` is random, at most 250 ms; it spreads the
/// delays, so that connections that failed together do not retry together.
pub fn consequence(connection: &Connection, judgement: Judgement, jitter: Duration, now: SystemTime) -> Consequence {
    let Judgement { verdict, reached } = judgement;
    match verdict {
        Verdict::Dead => Consequence::Reauth(ReauthReason::RefreshTokenRefused),
        Verdict::Misconfigured => Consequence::Misconfigured,
        Verdict::NoRefreshToken => Consequence::Reauth(ReauthReason::NoRefreshToken),
        Verdict::OtherSubject => Consequence::Reauth(ReauthReason::OtherSubject),
        Verdict::Ambiguous | Verdict::Refused | Verdict::Transient => {
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
    // 250 ms of jitter become a quarter of the delay.
    let spread = jitter * u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).max(1);
    Delay { failures: failures.saturating_add(1), until: now + wait + spread }
}

#[cfg(test)]
mod tests;

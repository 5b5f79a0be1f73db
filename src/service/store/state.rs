//! The life of a connection: good, failing, leased to the node that refreshes it, or waiting for its user.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use super::LeaseOwner;
use crate::deadlines::{DELAY_FARTHEST, LEASE_FARTHEST};

/// Where a connection is in its life. A login and every successful refresh make it `Good`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The last refresh succeeded, or none was needed yet.
    Good,
    /// The last refreshes brought no tokens. The refresh token is still worth a try.
    Failing(Failing),
    /// One node may send the refresh token. `before` is what the connection returns to if nothing comes of it: `None` is
    /// `Good`.
    Leased {
        /// The attempt that has the lease.
        owner: LeaseOwner,
        /// When the lease ends by itself.
        until: SystemTime,
        /// The state without the lease.
        before: Option<Failing>,
    },
    /// The user has to authorize again.
    Reauth {
        /// Why.
        reason: ReauthReason,
        /// Since when.
        since: SystemTime,
    },
}

/// How the last refreshes of a connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// The next refresh is sent after a delay.
    Delayed { delay: Delay, fate: Fate },
    /// A refresh was interrupted, so the fate of the refresh token is unknown. The next refresh is sent at once.
    Interrupted,
}

/// Whether a provider may have used up the refresh token in a request whose response never arrived.
///
/// The journal of a refresh records this too, for another purpose. The journal decides what a refresh does: it holds the
/// intent and the encrypted response, but its name is a hash and its file is on the node that sent. The row decides when:
/// a restarted service, or another node, finds the connections that need a refresh soon, because providers that accept
/// the same refresh token again do so for a short while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The provider did not use it up, or its response arrived.
    Known,
    /// The provider may have used it up.
    Unknown,
}

/// A pause after refreshes that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay {
    /// In a row; at least 1.
    pub failures: u32,
    /// No refresh is sent before this time.
    pub until: SystemTime,
}

/// Why the user has to authorize again; the words are part of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReauthReason {
    /// The access token has expired, and the provider issued no refresh token.
    NoRefreshToken,
    /// The response to a refresh was for another user (`sub`).
    OtherSubject,
    /// The provider no longer accepts the refresh token (`invalid_grant`).
    RefreshTokenRefused,
}

/// Why a lease was not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoLease {
    /// Another node has it, until then at most.
    Held { until: SystemTime },
    /// The last refresh failed, and the next one is sent after this time.
    Pausing { until: SystemTime },
    /// The user has to authorize again.
    Reauth,
}

impl State {
    /// The failures since the last success, of a leased connection too.
    pub fn failing(self) -> Option<Failing> {
        match self {
            Self::Good | Self::Reauth { .. } => None,
            Self::Failing(failing) => Some(failing),
            Self::Leased { before, .. } => before,
        }
    }

    /// The pause after failed refreshes, of a leased connection too.
    pub fn delay(self) -> Option<Delay> {
        match self.failing()? {
            Failing::Delayed { delay, .. } => Some(delay),
            Failing::Interrupted => None,
        }
    }

    /// Whether the refresh token may be used up.
    pub fn fate(self) -> Fate {
        self.failing().map_or(Fate::Known, Failing::fate)
    }

    /// The same connection, leased to `owner`. A lease that ran out leaves the fate of the refresh token unknown: its
    /// owner may have sent it.
    ///
    /// # Errors
    /// Another node has the lease, the connection pauses, or only its user can help.
    pub fn leased(self, owner: LeaseOwner, until: SystemTime, now: SystemTime) -> Result<Self, NoLease> {
        let before = match self {
            Self::Good => None,
            Self::Failing(failing) => Some(failing),
            Self::Leased { until, .. } if is_ahead(until, now, LEASE_FARTHEST) => return Err(NoLease::Held { until }),
            Self::Leased { before, .. } => Some(before.map_or(Failing::Interrupted, Failing::of_unknown_fate)),
            Self::Reauth { .. } => return Err(NoLease::Reauth),
        };
        match before {
            Some(Failing::Delayed { delay, .. }) if delay.lasts(now) => Err(NoLease::Pausing { until: delay.until }),
            _ => Ok(Self::Leased { owner, until, before }),
        }
    }

    /// The state from before a lease.
    pub fn unleased(self) -> Self {
        match self {
            Self::Leased { before, .. } => before.map_or(Self::Good, Self::Failing),
            other => other,
        }
    }
}

impl Failing {
    /// Whether the refresh token may be used up.
    pub fn fate(self) -> Fate {
        match self {
            Self::Delayed { fate, .. } => fate,
            Self::Interrupted => Fate::Unknown,
        }
    }

    fn of_unknown_fate(self) -> Self {
        match self {
            Self::Delayed { delay, .. } => Self::Delayed { delay, fate: Fate::Unknown },
            Self::Interrupted => Self::Interrupted,
        }
    }
}

impl Delay {
    /// Whether no refresh is sent yet.
    pub fn lasts(self, now: SystemTime) -> bool {
        is_ahead(self.until, now, DELAY_FARTHEST)
    }
}

/// Whether `until` is in the future. A time that is too far ahead was written before the clock was set back.
fn is_ahead(until: SystemTime, now: SystemTime, farthest: Duration) -> bool {
    until > now && until <= now + farthest
}

impl ReauthReason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::NoRefreshToken, Self::OtherSubject, Self::RefreshTokenRefused];

    /// The code of the API and of the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoRefreshToken => "no_refresh_token",
            Self::OtherSubject => "other_subject",
            Self::RefreshTokenRefused => "refresh_token_refused",
        }
    }

    /// The reason with this code.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

impl fmt::Display for ReauthReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn owner(number: u8) -> LeaseOwner {
        LeaseOwner::new([number; 16])
    }

    fn delayed(until: u64, fate: Fate) -> Failing {
        Failing::Delayed { delay: Delay { failures: 2, until: at(until) }, fate }
    }

    fn leased(until: u64, before: Option<Failing>) -> State {
        State::Leased { owner: owner(1), until: at(until), before }
    }

    fn lease(state: State, now: u64) -> Result<Option<Failing>, NoLease> {
        match state.leased(owner(2), at(now + 30), at(now))? {
            State::Leased { owner: by, until, before } => {
                assert_eq!((owner(2), at(now + 30)), (by, until));
                Ok(before)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_connection_that_is_good_or_whose_delay_is_over_can_be_leased() {
        assert_eq!(Ok(None), lease(State::Good, 100));
        assert_eq!(Ok(Some(Failing::Interrupted)), lease(State::Failing(Failing::Interrupted), 100));
        let over = delayed(100, Fate::Known);
        assert_eq!(Ok(Some(over)), lease(State::Failing(over), 100));
        let lasts = State::Failing(delayed(101, Fate::Known));
        assert_eq!(Err(NoLease::Pausing { until: at(101) }), lease(lasts, 100));
    }

    #[test]
    fn a_connection_whose_user_has_to_authorize_again_is_not_leased() {
        let reauth = State::Reauth { reason: ReauthReason::OtherSubject, since: at(1) };
        assert_eq!(Err(NoLease::Reauth), lease(reauth, 100));
    }

    #[test]
    fn v25_a_lease_that_ran_out_is_taken_over_and_leaves_the_fate_of_the_refresh_token_unknown() {
        assert_eq!(Err(NoLease::Held { until: at(101) }), lease(leased(101, None), 100));
        assert_eq!(Ok(Some(Failing::Interrupted)), lease(leased(100, None), 100));
        let (known, unknown) = (delayed(50, Fate::Known), delayed(50, Fate::Unknown));
        assert_eq!(Ok(Some(unknown)), lease(leased(100, Some(known)), 100));
    }

    #[test]
    fn times_from_before_the_clock_was_set_back_do_not_count() {
        let (lease_farthest, delay_farthest) = (LEASE_FARTHEST.as_secs(), DELAY_FARTHEST.as_secs());
        assert!(lease(leased(lease_farthest, None), 0).is_err());
        assert!(lease(leased(lease_farthest + 1, None), 0).is_ok());
        assert!(lease(State::Failing(delayed(delay_farthest, Fate::Known)), 0).is_err());
        assert!(lease(State::Failing(delayed(delay_farthest + 1, Fate::Known)), 0).is_ok());
    }

    #[test]
    fn a_lease_that_brings_nothing_ends_in_the_state_from_before() {
        for before in [State::Good, State::Failing(Failing::Interrupted), State::Failing(delayed(9, Fate::Unknown))] {
            let leased = before.leased(owner(1), at(130), at(100)).expect("leased");
            assert_eq!((before, before.fate(), before.delay()), (leased.unleased(), leased.fate(), leased.delay()));
        }
    }
}

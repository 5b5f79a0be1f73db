//! The one place that hands out an access token.
//!
//! A token that stays valid for longer than the margin is handed out as it is: no lock, no network, no write.
//! Renewing a stale one is not done yet; until then it is for the person to log in again.

use std::time::{Duration, SystemTime};

use crate::vault::{GrantKey, Record, StoreError, Vault};

/// How long a token must still be valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MinTtl {
    /// The smaller of 60 s and a tenth of the token's life, as far as waiting would help.
    Margin,
    AtLeast(Duration),
}

/// Why there is no token to hand out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unavailable {
    Expired {
        ago: Duration,
    },
    NoGrant,
    Store(StoreError),
    /// Valid, but for less than was asked for.
    TooShort {
        left: Duration,
    },
}

impl std::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Expired { ago } => write!(f, "the access token expired {} s ago", ago.as_secs()),
            Self::NoGrant => f.write_str("nobody is logged in"),
            Self::Store(why) => why.fmt(f),
            Self::TooShort { left } => write!(f, "the access token is valid for {} s only", left.as_secs()),
        }
    }
}

impl std::error::Error for Unavailable {}

/// Reads the grant and says whether its token can be used.
///
/// # Errors
/// Why not.
pub fn access_token(
    vault: &Vault<'_>,
    key: &GrantKey,
    min_ttl: MinTtl,
    now: SystemTime,
) -> Result<Record, Unavailable> {
    let record = vault.read(key).map_err(Unavailable::Store)?.ok_or(Unavailable::NoGrant)?;
    let left = match record.grant.expiry.time().duration_since(now) {
        Ok(left) if !left.is_zero() => left,
        Ok(_) => return Err(Unavailable::Expired { ago: Duration::ZERO }),
        Err(past) => return Err(Unavailable::Expired { ago: past.duration() }),
    };
    match min_ttl {
        MinTtl::AtLeast(wanted) if left < wanted => Err(Unavailable::TooShort { left }),
        // Nothing can renew it, so a token that is still valid is worth more than none.
        MinTtl::Margin | MinTtl::AtLeast(_) => Ok(record),
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::{
        catalog::IntegrationName,
        oauth::{ClientId, Endpoint, Expiry, Scopes, TokenType},
        secret::{SealKey, Secret},
        vault::{
            AccountName, ActionKey, Grant, Items, Pinned,
            memory::{MemoryFiles, MemoryItems},
            seal::Nonce,
        },
    };

    const EXPIRES: u64 = 1_800_000_000;

    fn key() -> GrantKey {
        GrantKey::personal(IntegrationName::parse("work").expect("name"), AccountName::default(), ActionKey::All)
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn record() -> Record {
        Record {
            seal_key: SealKey::new([7; 32]),
            generation: 1,
            pinned: Pinned {
                issuer: None,
                token_endpoint: Endpoint::parse("https://op.example/token").expect("endpoint"),
                revocation_endpoint: None,
                client_id: ClientId::parse("me").expect("id"),
            },
            grant: Grant {
                asked: Scopes::default(),
                granted: Scopes::default(),
                access_token: Secret::new("canary".into()),
                token_type: TokenType::Bearer,
                expiry: Expiry::At(at(EXPIRES)),
                refresh_token: None,
                id_token: None,
                subject: None,
                obtained_at: at(EXPIRES - 3600),
            },
        }
    }

    /// Asks for the token of a store that holds one until `EXPIRES`.
    fn ask(min_ttl: MinTtl, now: SystemTime) -> Result<Record, Unavailable> {
        let (items, files) = (MemoryItems::default(), MemoryFiles::default());
        let vault = Vault { items: &items, files: &files };
        vault.write(&key(), &record(), Nonce([0; 24])).expect("written");
        access_token(&vault, &key(), min_ttl, now)
    }

    #[test]
    fn a_token_that_stays_valid_for_long_enough_is_handed_out() {
        let seconds = Duration::from_secs;
        for (min_ttl, left) in [
            (MinTtl::Margin, 3600),
            (MinTtl::Margin, 60),
            // Nothing can renew it: one second is worth more than nothing.
            (MinTtl::Margin, 1),
            (MinTtl::AtLeast(seconds(0)), 1),
            (MinTtl::AtLeast(seconds(600)), 601),
            (MinTtl::AtLeast(seconds(600)), 600),
        ] {
            let record = ask(min_ttl, at(EXPIRES - left)).unwrap_or_else(|why| panic!("{min_ttl:?} {left}: {why}"));
            assert!(record.grant.access_token.matches("canary"));
        }
    }

    #[test]
    fn a_token_that_is_valid_for_less_than_asked_is_told_with_what_is_left() {
        for (wanted, left) in [(600, 599), (600, 1), (u64::MAX, 3600)] {
            let error = ask(MinTtl::AtLeast(Duration::from_secs(wanted)), at(EXPIRES - left)).expect_err("too short");
            assert_eq!(Unavailable::TooShort { left: Duration::from_secs(left) }, error);
            assert_eq!(format!("the access token is valid for {left} s only"), error.to_string());
        }
    }

    #[test]
    fn an_expired_token_is_never_handed_out() {
        for min_ttl in [MinTtl::Margin, MinTtl::AtLeast(Duration::ZERO), MinTtl::AtLeast(Duration::MAX)] {
            for ago in [0, 1, 86_400] {
                let expected = Unavailable::Expired { ago: Duration::from_secs(ago) };
                assert_eq!(expected, ask(min_ttl, at(EXPIRES + ago)).expect_err("expired"), "{min_ttl:?}");
            }
        }
    }

    #[test]
    fn a_clock_before_1970_or_at_the_end_of_time_does_not_panic() {
        let before = UNIX_EPOCH - Duration::from_secs(86_400);
        assert!(ask(MinTtl::Margin, before).is_ok());
        let wanted = Duration::from_secs(EXPIRES + 86_401);
        let left = Duration::from_secs(EXPIRES + 86_400);
        assert_eq!(Unavailable::TooShort { left }, ask(MinTtl::AtLeast(wanted), before).expect_err("too short"));
        let end = UNIX_EPOCH + Duration::from_secs(i64::MAX.unsigned_abs());
        assert!(matches!(ask(MinTtl::Margin, end), Err(Unavailable::Expired { .. })));
    }

    #[test]
    fn no_grant_and_a_damaged_one_are_told_apart() {
        let (items, files) = (MemoryItems::default(), MemoryFiles::default());
        let vault = Vault { items: &items, files: &files };
        let ask = || access_token(&vault, &key(), MinTtl::Margin, at(EXPIRES - 60)).expect_err("no token");
        assert_eq!(Unavailable::NoGrant, ask());
        items.write(&key().item(), "", &Secret::new("{}".into())).expect("written");
        assert_eq!(Unavailable::Store(StoreError::Damaged { kept_as: None }), ask());
        items.write(&key().item(), "", &Secret::new(r#"{"v":2}"#.into())).expect("written");
        assert_eq!(Unavailable::Store(StoreError::Newer { version: 2 }), ask());
    }
}

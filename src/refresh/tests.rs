//! What a stored token is worth, without a clock.

use std::time::UNIX_EPOCH;

use super::*;
use crate::{
    oauth::{ClientId, Endpoint, Expiry, Scopes, TokenType},
    secret::SealKey,
    vault::{Pinned, Record},
};

pub(super) const DAY: u64 = 86_400;
pub(super) const START: u64 = 1_800_000_000;

pub(super) fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// A second, in milliseconds.
pub(super) const S: u64 = 1000;

pub(super) fn after(millis: u64) -> SystemTime {
    at(START) + Duration::from_millis(millis)
}

pub(super) fn scopes(text: &str) -> Scopes {
    Scopes::parse(text).expect("scopes")
}

/// Obtained at `START`, for this many seconds.
pub(super) fn grant(life: u64) -> Grant {
    Grant {
        asked: scopes("read write"),
        granted: scopes("read"),
        access_token: Secret::new("an-access-token".into()),
        token_type: TokenType::Bearer,
        expiry: Expiry::At(at(START + life)),
        refresh_token: Some(Secret::new("old-refresh".into())),
        refreshable_until: None,
        id_token: Some(Secret::new("old-id".into())),
        subject: Some("me".into()),
        metadata: crate::oauth::GrantMetadata::default(),
        obtained_at: at(START),
    }
}

pub(super) fn record() -> Record {
    Record {
        seal_key: SealKey::new([7; 32]),
        generation: 3,
        pinned: Pinned {
            issuer: None,
            token_endpoint: Endpoint::parse("https://op.example/token").expect("endpoint"),
            revocation_endpoint: None,
            client_id: ClientId::parse("client").expect("id"),
            authentication_method: crate::oauth::AuthenticationMethod::Basic,
        },
        grant: grant(3600),
    }
}

const MARGIN: Wish = Wish::USUAL;

fn at_least(seconds: u64) -> Wish {
    Wish { min_ttl: MinTtl::AtLeast(Duration::from_secs(seconds)), rejected: None }
}

fn short(millis: u64) -> Worth {
    Worth::Short { left: Duration::from_millis(millis) }
}

fn expired(millis: u64) -> Worth {
    Worth::Expired { ago: Duration::from_millis(millis) }
}

#[test]
fn r21_the_margin_is_a_tenth_of_the_life_and_never_more_than_a_minute() {
    for (life, margin) in [(2, 200), (10, S), (600, 60 * S), (3600, 60 * S), (10 * 365 * DAY, 60 * S)] {
        let (grant, end) = (grant(life), life * S);
        for (now, worth) in [
            (0, Worth::Fresh),
            (end - margin, Worth::Fresh),
            (end - margin + 1, short(margin - 1)),
            (end - 1, short(1)),
            (end, expired(0)),
            (end + 1, expired(1)),
            (end + 400 * DAY * S, expired(400 * DAY * S)),
        ] {
            assert_eq!(worth, MARGIN.worth(&grant, after(now)), "life {life} s, {now} ms after it came");
        }
    }
}

#[test]
fn r21_a_wish_for_more_or_for_less_replaces_the_margin() {
    let grant = grant(3600);
    assert_eq!(Worth::Fresh, at_least(0).worth(&grant, after(3600 * S - 1)));
    assert_eq!(expired(0), at_least(0).worth(&grant, after(3600 * S)));
    assert_eq!(Worth::Fresh, at_least(600).worth(&grant, after(3000 * S)));
    assert_eq!(short(600 * S - 1), at_least(600).worth(&grant, after(3000 * S + 1)));
    assert!(MARGIN.takes_short());
    assert!(!at_least(600).takes_short() && !at_least(0).takes_short(), "who names a time means it");
}

#[test]
fn r19_r20_a_clock_that_has_gone_back_makes_no_token_live_longer_than_its_life() {
    let grant = grant(3600);
    let before = |seconds| at(START - seconds);
    for seconds in [0, 1, 60] {
        assert_eq!(Worth::Fresh, MARGIN.worth(&grant, before(seconds)), "{seconds} s are no more than clocks differ");
    }
    for seconds in [61, 3600, 10 * DAY, 365 * DAY] {
        // Short, so that one request finds out; not expired, so that it serves while there is no other.
        assert_eq!(short(3600 * S), MARGIN.worth(&grant, before(seconds)), "{seconds} s");
    }
    assert_eq!(short(3600 * S), MARGIN.worth(&grant, UNIX_EPOCH));
}

#[test]
fn r19_a_clock_that_has_gone_forward_makes_every_token_old() {
    for days in [10, 365] {
        assert_eq!(expired(days * DAY * S - 3600 * S), MARGIN.worth(&grant(3600), after(days * DAY * S)));
    }
}

#[test]
fn a_token_that_is_older_than_its_own_arrival_has_no_life_and_no_panic() {
    let upside_down = Grant { obtained_at: at(START + 10 * DAY), ..grant(5) };
    assert_eq!(short(0), MARGIN.worth(&upside_down, at(START - 3600)));
    assert_eq!(expired(S), MARGIN.worth(&upside_down, at(START + 6)));
}

/// SHA-256 of `an-access-token`.
fn hash() -> String {
    Sha256::digest("an-access-token").iter().map(|byte| format!("{byte:02x}")).collect()
}

fn refused(hash: &str) -> Wish {
    Wish { min_ttl: MinTtl::Margin, rejected: Rejected::parse(hash) }
}

#[test]
fn r24_only_the_stored_token_can_be_the_rejected_one() {
    let hash = hash();
    for ours in [hash.as_str(), &hash[..8], &hash[..40], &hash.to_ascii_uppercase()] {
        let wish = refused(ours);
        assert!(wish.rejected.is_some(), "{ours}");
        assert_eq!(Worth::Rejected, wish.worth(&grant(3600), after(0)), "{ours}");
        assert_eq!(Worth::Rejected, wish.worth(&grant(3600), after(DAY * S)), "{ours}");
    }
    let other: String = hash.chars().map(|c| if c == '0' { '1' } else { '0' }).collect();
    for theirs in [other.as_str(), &hash[1..], &format!("{}{}", &hash[..63], &other[63..])] {
        let wish = refused(theirs);
        assert!(wish.rejected.is_some(), "{theirs}");
        assert_eq!(Worth::Fresh, wish.worth(&grant(3600), after(0)), "{theirs}");
    }
}

#[test]
fn r24_a_hash_is_8_to_64_hexadecimal_digits() {
    let hash = hash();
    for good in [&hash[..8], &hash[..9], &hash, "ABCDEF01"] {
        assert!(Rejected::parse(good).is_some(), "{good}");
    }
    for bad in ["", "a", &hash[..7], &format!("{hash}0"), "abcdefgh", "0x123456", " abcdef01", "abcdef0\u{e9}"] {
        assert_eq!(None, Rejected::parse(bad), "{bad}");
    }
}

#[test]
fn r19_a_wish_beyond_the_life_of_a_new_token_exceeds_and_is_asked_for_again_after_the_pause() {
    let (grant, life) = (grant(600), Some(Duration::from_secs(600)));
    assert_eq!(life, at_least(600).exceeds(&grant, after(0)));
    assert_eq!(life, at_least(3600).exceeds(&grant, after(30 * S - 1)));
    assert_eq!(None, at_least(3600).exceeds(&grant, after(30 * S)), "the provider may have changed its mind");
    assert_eq!(None, at_least(599).exceeds(&grant, after(0)));
    assert_eq!(None, MARGIN.exceeds(&grant, after(0)));
    assert_eq!(life, at_least(600).exceeds(&grant, at(START - 10 * DAY)), "no loop under a clock that has gone back");
}

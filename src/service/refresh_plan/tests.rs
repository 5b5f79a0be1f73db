use std::time::UNIX_EPOCH;

use super::*;
use crate::{
    catalog::IntegrationName,
    oauth::{ClientId, Endpoint},
    service::{keys::Sealed, store::LeaseOwner},
    vault::{ActionKey, GrantKey, Owner, Pinned},
};

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Obtained at second 0, valid until second 1,000, refreshable.
fn connection() -> Connection {
    let cell = Sealed::from_stored(vec![0]);
    Connection {
        id: ConnectionId::new([1; 16]),
        key: GrantKey {
            owner: Owner::ada(),
            integration: IntegrationName::parse("work").expect("name"),
            action: ActionKey::All,
        },
        generation: 1,
        base_url: None,
        pinned: Pinned {
            issuer: None,
            token_endpoint: Endpoint::parse("https://op.example/token").expect("endpoint"),
            revocation_endpoint: None,
            client_id: ClientId::parse("me").expect("id"),
            authentication_method: crate::oauth::AuthenticationMethod::Basic,
        },
        state: State::Good,
        access: Access {
            token: cell.clone(),
            token_type: TokenType::Bearer,
            asked: Scopes::default(),
            granted: Scopes::default(),
            obtained_at: at(0),
            expiry: Expiry::At(at(1000)),
            refreshable_until: None,
            subject: None,
            metadata: None,
            due_at: None,
        },
        refresh: Some(cell),
        created_at: at(0),
        last_used_at: at(0),
    }
}

const USUAL: TokenRequest = TokenRequest { min_validity: Duration::from_secs(60), source: TokenSource::Stored };
const FORCED: TokenRequest = TokenRequest { source: TokenSource::Provider, ..USUAL };

#[test]
fn a_token_is_handed_out_until_the_last_fifth_of_its_life_or_its_last_five_minutes() {
    assert_eq!(Duration::from_secs(300), margin(Duration::from_secs(3600)));
    assert_eq!(Duration::from_secs(120), margin(Duration::from_secs(600)));
    let refresh = |meanwhile| Decision::Refresh { meanwhile };
    assert_eq!(Decision::HandOut, decide(&connection(), USUAL, at(800)));
    assert_eq!(refresh(Meanwhile::Suits), decide(&connection(), USUAL, at(801)), "in the margin");
    assert_eq!(refresh(Meanwhile::Lasts), decide(&connection(), USUAL, at(941)), "less than the caller wishes");
    assert_eq!(refresh(Meanwhile::Nothing), decide(&connection(), USUAL, at(1000)), "expired");
    assert_eq!(Some(at(800)), due_at(at(0), Expiry::At(at(1000))));
}

#[test]
fn a_refused_token_is_refreshed_once_for_all_who_report_it() {
    let refresh = Decision::Refresh { meanwhile: Meanwhile::Nothing };
    assert_eq!(refresh, decide(&connection(), FORCED, at(100)));
    assert_eq!(Decision::HandOut, decide(&connection(), FORCED, at(29)), "it has just come");
}

#[test]
fn a_wish_that_no_token_can_fulfil_does_not_refresh_for_ever() {
    let wanted = TokenRequest { min_validity: Duration::from_secs(5000), ..USUAL };
    assert_eq!(Decision::HandOut, decide(&connection(), wanted, at(1)));
    assert_eq!(Decision::Refresh { meanwhile: Meanwhile::Lasts }, decide(&connection(), wanted, at(100)));
}

#[test]
fn a_token_without_a_known_end_is_good_until_an_api_refuses_it() {
    let mut endless = connection();
    endless.access.expiry = Expiry::Assumed(at(3600));
    endless.refresh = None;
    assert_eq!(Decision::HandOut, decide(&endless, USUAL, at(1_000_000)));
    let refused = decide(&endless, FORCED, at(1_000_000));
    assert_eq!(Decision::Reauth { reason: ReauthReason::NoRefreshToken, since: at(3600) }, refused);
}

#[test]
fn without_a_refresh_token_the_last_second_is_still_handed_out() {
    let mut connection = connection();
    connection.refresh = None;
    assert_eq!(Decision::HandOut, decide(&connection, USUAL, at(999)));
    let over = Decision::Reauth { reason: ReauthReason::NoRefreshToken, since: at(1000) };
    assert_eq!(over, decide(&connection, USUAL, at(1001)));
}

fn later(verdict: Verdict, reached: Reached, failures: u32) -> (Duration, Fate) {
    let before =
        (failures > 0).then_some(Failing::Delayed { delay: Delay { failures, until: at(0) }, fate: Fate::Known });
    after(before, verdict, reached)
}

/// The delay and the fate of a leased connection whose refresh fails.
fn after(before: Option<Failing>, verdict: Verdict, reached: Reached) -> (Duration, Fate) {
    let mut connection = connection();
    connection.state = State::Leased { owner: LeaseOwner::new([1; 16]), until: at(60), before };
    match consequence(&connection, Judgement { verdict, reached }, Duration::ZERO, at(50)) {
        Consequence::Failing(Failing::Delayed { delay, fate }) => {
            let failures = connection.state.delay().map_or(0, |delay| delay.failures);
            assert_eq!(failures + 1, delay.failures);
            (delay.until.duration_since(at(50)).expect("later"), fate)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_a_dead_grant_ends_a_connection_and_only_the_client_marks_the_integration() {
    let judged = |verdict| {
        let judgement = Judgement { verdict, reached: Reached::Maybe };
        consequence(&connection(), judgement, Duration::ZERO, at(0))
    };
    for (verdict, reason) in [
        (Verdict::Dead, ReauthReason::RefreshTokenRefused),
        (Verdict::NoRefreshToken, ReauthReason::NoRefreshToken),
        (Verdict::OtherSubject, ReauthReason::OtherSubject),
    ] {
        assert_eq!(Consequence::Reauth(reason), judged(verdict));
    }
    assert_eq!(Consequence::Misconfigured, judged(Verdict::Misconfigured));
}

#[test]
fn the_fate_of_a_refresh_token_is_unknown_from_a_request_that_may_have_arrived_until_tokens_come() {
    let nobody = Reached::Nobody;
    for verdict in [Verdict::Transient, Verdict::Refused] {
        assert_eq!(Fate::Unknown, after(None, verdict, Reached::Maybe).1);
        assert_eq!(Fate::Known, after(None, verdict, nobody).1);
        assert_eq!(Fate::Unknown, after(Some(Failing::Interrupted), verdict, nobody).1, "from an earlier request");
    }
}

#[test]
fn failures_wait_from_five_seconds_to_fifteen_minutes_or_as_the_provider_says() {
    let waits = [0, 1, 2, 7, 8, 40].map(|failures| later(Verdict::Transient, Reached::Nobody, failures).0.as_secs());
    assert_eq!([5, 10, 20, 640, 900, 900], waits);
    let told = |seconds| Reached::TurnedAway { retry_after: Some(Duration::from_secs(seconds)) };
    assert_eq!((Duration::from_secs(77), Fate::Known), later(Verdict::Transient, told(77), 0));
    assert_eq!(DELAY_LASTS, later(Verdict::Transient, told(1_000_000), 0).0, "a day is too long");
}

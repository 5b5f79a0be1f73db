//! What the provider says, and what becomes of the connection.

use super::*;

#[test]
fn r08_invalid_grant_asks_for_a_person_and_is_not_sent_again() {
    let stage = Stage::expired();
    stage.provider.set(|state| state.mood = Mood::Refuses("invalid_grant"));
    let node = stage.node();
    for _ in 0..2 {
        let answer = stage.ask(&node);
        let refused = ReauthReason::RefreshTokenRefused;
        assert!(matches!(answer, TokenAnswer::ReauthRequired { reason, .. } if reason == refused), "{answer:?}");
    }
    assert_eq!(1, stage.provider.requests());
    assert_eq!(0, stage.journals());
}

#[test]
fn r08_a_refused_client_marks_the_integration_and_no_connection() {
    for code in ["invalid_client", "unauthorized_client"] {
        let stage = Stage::expired();
        stage.provider.set(|state| state.mood = Mood::Refuses(code));
        let node = stage.node();
        for _ in 0..2 {
            assert!(matches!(stage.ask(&node), TokenAnswer::Misconfigured { .. }));
        }
        assert_eq!(1, stage.provider.requests(), "it is left alone for a while");
        assert_eq!(1, node.misconfigured().len());
        assert_eq!(0, stage.journals(), "the answer is final: {code}");
        let row = stage.row().expect("row");
        assert_eq!(Life::Good, row.state, "{code}");
        stage.provider.set(|state| state.mood = Mood::Good);
        node.accepted(&stage.key.integration);
        assert_eq!("a1", token(&stage.ask(&node)), "the user's grant has lost nothing");
    }
}

#[test]
fn a_provider_that_is_away_is_asked_again_later_and_a_valid_token_serves_meanwhile() {
    let stage = Stage::with_life(100);
    stage.provider.set(|state| state.mood = Mood::Away);
    let node = stage.node();
    assert_eq!("a0", token(&stage.ask(&node)), "in the margin");
    let row = stage.row().expect("row");
    assert_eq!(Some(1), row.state.delay().map(|delay| delay.failures));
    assert_eq!(Fate::Known, row.state.fate(), "nothing was sent");
    assert_eq!("a0", token(&stage.ask(&node)));
}

#[test]
fn the_old_refresh_token_stays_where_none_comes() {
    let stage = Stage::expired();
    stage.provider.set(|state| state.mood = Mood::NoNewRefreshToken);
    assert_eq!("plain", token(&stage.ask(&stage.node())));
    let row = stage.row().expect("row");
    let kept = stage.sealed().refresh_token(&row).expect("opens").expect("there");
    assert!(kept.matches("r0"));
}

#[test]
fn v35_a_refresh_that_grants_less_is_stored_as_granted_and_answered_as_insufficient() {
    let stage = Stage::expired();
    stage.provider.set(|state| state.mood = Mood::GrantsLess);
    let node = stage.node();
    for _ in 0..2 {
        match stage.ask(&node) {
            TokenAnswer::InsufficientScope { granted, missing, .. } => {
                assert_eq!(("read".to_owned(), "write".to_owned()), (granted.to_string(), missing.to_string()));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(Some("read".to_owned()), stage.row().map(|row| row.access.granted.to_string()));
    let read = GrantKey { action: ActionKey::parse("read").expect("name"), ..stage.key.clone() };
    let answer = stage.runtime.block_on(node.token(&read, USUAL)).expect("answer");
    assert_eq!("a1", token(&answer), "what was granted covers this action");
}

#[test]
fn a_second_service_is_kept_from_the_database() {
    let stage = Stage::expired();
    let held = Node::take(&stage.database()).expect("first");
    assert!(Node::take(&stage.database()).is_err());
    drop(held);
    assert!(Node::take(&stage.database()).is_ok());
}

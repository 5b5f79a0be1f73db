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
    let stage = Stage::expired();
    stage.provider.set(|state| state.mood = Mood::Refuses("invalid_client"));
    let node = stage.node();
    for _ in 0..2 {
        assert!(matches!(stage.ask(&node), TokenAnswer::Misconfigured { .. }));
    }
    assert_eq!(1, stage.provider.requests(), "it is left alone for a while");
    assert_eq!(1, node.misconfigured().len());
    assert_eq!(0, stage.journals(), "the answer is final");
    let row = stage.row().expect("row");
    assert_eq!(Life::Good, row.state);
    stage.provider.set(|state| state.mood = Mood::Good);
    node.accepted(&stage.key.integration);
    assert_eq!("a1", token(&stage.ask(&node)), "the user's grant has lost nothing");
}

#[test]
fn d04_a_refusal_for_an_unknown_reason_is_that_of_its_connection() {
    for code in ["unauthorized_client", "invalid_request", "nobody_knows"] {
        let stage = Stage::expired();
        stage.provider.set(|state| state.mood = Mood::Refuses(code));
        let node = stage.node();
        for _ in 0..2 {
            assert!(matches!(stage.ask(&node), TokenAnswer::Unavailable { .. }), "{code}");
        }
        assert_eq!(
            (1, 0),
            (stage.provider.requests(), node.misconfigured().len()),
            "it has a pause of its own: {code}"
        );
        assert_eq!(0, stage.journals(), "the answer is final: {code}");
    }
}

#[test]
fn d03_five_refusals_of_a_connection_over_an_hour_ask_for_its_user() {
    let stage = Stage::expired();
    stage.provider.set(|state| state.mood = Mood::Refuses("nobody_knows"));
    let node = stage.node();
    assert!(matches!(stage.ask(&node), TokenAnswer::Unavailable { .. }));
    let row = stage.row().expect("row");
    // As if the other three had come before, and the pause was over.
    let an_hour_ago = clock::now() - Duration::from_secs(3600);
    for (generation, reauth) in [(row.generation + 1, false), (row.generation, true)] {
        let refusals = Refusals { count: 4, since: an_hour_ago };
        locked(&node.0.refusals).insert(row.id, (generation, refusals));
        stage.sql("UPDATE connection SET next_try_at = 1000");
        let answer = stage.ask(&node);
        let refused = ReauthReason::RefreshTokenRefused;
        let asked = matches!(answer, TokenAnswer::ReauthRequired { reason, .. } if reason == refused);
        assert_eq!(reauth, asked, "only refusals of the same refresh token count: {answer:?}");
    }
    let kept = stage.sealed().refresh_token(&stage.row().expect("row")).expect("opens");
    assert!(kept.is_some(), "the tokens are kept");
}

#[test]
fn d04_refusals_of_several_connections_mark_the_integration_and_cost_no_other_connection_anything() {
    let stage = Stage::expired();
    let node = stage.node();
    let of = |user: &str| {
        let owner = Owner { user: crate::vault::AccountName::parse(user).expect("user"), ..stage.key.owner.clone() };
        GrantKey { owner, ..stage.key.clone() }
    };
    let users: Vec<_> = (0..6).map(|n| of(&format!("user-{n}"))).collect();
    for key in &users {
        stage.connect_as(key, -10);
    }
    let ask = |key: &GrantKey| stage.runtime.block_on(node.token(key, USUAL)).expect("answer");
    stage.provider.set(|state| state.mood = Mood::Refuses("nobody_knows"));
    for (n, key) in users[..5].iter().enumerate() {
        assert!(node.misconfigured().is_empty(), "{n} refusals");
        ask(key);
    }
    assert_eq!(1, node.misconfigured().len());
    assert!(matches!(ask(&users[0]), TokenAnswer::Misconfigured { .. }), "a connection that was refused");
    stage.provider.set(|state| state.mood = Mood::Good);
    assert_eq!("a1", token(&ask(&users[5])), "another one is served");
    assert!(node.misconfigured().is_empty(), "and its success ends the mark");
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

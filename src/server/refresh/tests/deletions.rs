//! Row V29: a connection that is deleted stays deleted, and a newer login wins.

use super::*;

#[test]
fn v29_a_connection_that_is_deleted_while_it_is_refreshed_stays_deleted_and_what_came_is_revoked() {
    let stage = Stage::expired();
    let node = stage.node();
    let answer = stage.deleted_meanwhile(&node, || {});
    assert!(matches!(answer, TokenAnswer::Gone), "{answer:?}");
    assert!(stage.row().is_none(), "risen from the dead");
    stage.runtime.block_on(node.drain());
    assert_eq!(["r1"], *stage.provider.ended());
    assert!(matches!(stage.ask(&node), TokenAnswer::NotConnected));
}

#[test]
fn v29_who_waited_is_not_kept_for_the_revocation_and_the_service_does_not_end_before_it() {
    let stage = Stage::expired();
    stage.provider.set(|state| state.slow_to_end = true);
    let node = stage.node();
    let answer = stage.deleted_meanwhile(&node, || {});
    assert!(matches!(answer, TokenAnswer::Gone), "{answer:?}");
    let end = |patience| stage.runtime.block_on(async { timeout(patience, node.drain()).await });
    assert!(end(Duration::ZERO).is_err(), "the provider has not answered yet");
    stage.provider.set(|state| state.slow_to_end = false);
    end(Duration::from_secs(60)).expect("end");
    assert_eq!((1, 0), (stage.provider.ended().len(), stage.journals()));
}

#[test]
fn v29_who_has_connected_again_meanwhile_keeps_the_new_grant() {
    let stage = Stage::expired();
    let node = stage.node();
    let answer = stage.deleted_meanwhile(&node, || stage.connect(3000));
    assert!(matches!(answer, TokenAnswer::Gone), "{answer:?}");
    stage.runtime.block_on(node.drain());
    assert!(stage.provider.ended().is_empty(), "providers may end all that the client has of this person");
    assert_eq!("a0", token(&stage.ask(&node)));
}

#[test]
fn v29_what_a_crash_left_in_the_journal_is_revoked_with_its_connection() {
    let mut stage = Stage::expired();
    stage.sql(NO_TOKENS);
    assert_eq!("a1", token(&stage.ask(&stage.node())));
    let ended = std::mem::replace(&mut stage.runtime, Runtime::new().expect("runtime"));
    ended.shutdown_timeout(Duration::from_secs(60));
    let row = stage.delete();
    assert_eq!(Revoked::Yes, stage.node().revoke(&row));
    assert_eq!(["r1"], *stage.provider.ended(), "not the one that it was changed for");
    assert_eq!(1, stage.provider.requests(), "nothing is refreshed for that");
}

#[test]
fn v29_a_login_that_was_quicker_than_a_refresh_wins() {
    let stage = Stage::expired();
    stage.provider.set(|state| state.shut = true);
    let answers = stage.crowd(&[stage.node()], 1);
    stage.provider.came(1);
    stage.connect(3000);
    stage.provider.set(|state| state.shut = false);
    for answer in answers {
        assert_eq!("a0", token(&stage.runtime.block_on(answer).expect("caller")));
    }
}

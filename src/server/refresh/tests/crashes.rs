//! Row V26: what came is kept, whatever becomes of the database or the process.

use tokio::time::sleep;

use super::*;
use crate::vault::seal::{NONCE_BYTES, Nonce};

#[test]
fn v26_tokens_that_the_database_does_not_take_are_handed_out_and_stored_when_it_does() {
    let stage = Stage::expired();
    stage.sql(NO_TOKENS);
    let node = stage.node();
    assert_eq!("a1", token(&stage.ask(&node)));
    assert_eq!("a1", token(&stage.ask(&node)), "nobody sends the old refresh token again");
    assert_eq!(1, stage.journals());
    stage.sql("DROP TRIGGER no_tokens");
    let stored = async {
        while stage.sealed().store.connection(&stage.key).await.expect("read").expect("row").generation < 2 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    stage.runtime.block_on(async { timeout(Duration::from_secs(60), stored).await }).expect("stored");
    assert_eq!(1, stage.provider.requests());
}

#[test]
fn v26_a_reply_that_a_crash_left_in_the_journal_is_stored_at_the_start_and_nothing_is_sent() {
    let mut stage = Stage::expired();
    stage.sql(NO_TOKENS);
    assert_eq!("a1", token(&stage.ask(&stage.node())));
    // The end of the process: nothing of it goes on.
    let ended = std::mem::replace(&mut stage.runtime, Runtime::new().expect("runtime"));
    ended.shutdown_timeout(Duration::from_secs(60));
    stage.sql("DROP TRIGGER no_tokens");
    let node = stage.node();
    assert_eq!(1, stage.runtime.block_on(node.recover()).expect("recovered"));
    assert_eq!("a1", token(&stage.ask(&node)));
    assert_eq!(1, stage.provider.requests());
    assert_eq!(0, stage.journals());
    assert!(stage.row().is_some_and(|row| row.generation == 2 && row.state == Life::Good));
}

#[test]
fn v26_a_lost_reply_costs_nothing_with_a_provider_that_forgives() {
    let stage = Stage::expired();
    stage.provider.set(|state| (state.mood, state.forgives) = (Mood::Loses, true));
    let node = stage.node();
    assert!(matches!(stage.ask(&node), TokenAnswer::Unavailable { .. }));
    let row = stage.row().expect("row");
    assert!(matches!(row.state, Life::Failing(_)) && row.state.fate() == Fate::Unknown, "{row:?}");
    assert!(matches!(stage.ask(&node), TokenAnswer::Unavailable { .. }));
    assert_eq!(1, stage.provider.requests(), "not asked again before the pause is over");
    assert_eq!(1, stage.journals(), "that something was sent stays known");
    stage.provider.set(|state| state.mood = Mood::Good);
    let restarted = stage.node();
    assert_eq!(1, stage.runtime.block_on(restarted.recover()).expect("recovered"));
    assert_eq!("a1", token(&stage.ask(&restarted)));
}

#[test]
fn v26_an_error_that_a_crash_left_in_the_journal_is_no_answer() {
    for (status, error) in [(400, "invalid_grant"), (401, "invalid_client")] {
        let stage = Stage::expired();
        let (node, row) = (stage.node(), stage.row().expect("row"));
        let record = stage.sealed().record(&row).expect("opens");
        let mut response = HttpResponse::new(format!(r#"{{"error":"{error}"}}"#).into_bytes());
        *response.status_mut() = oauth2::http::StatusCode::from_u16(status).expect("status");
        let journal = lease::journal(&node.0.files, &row);
        journal.intend(&record).expect("intent");
        journal.put(&record, &response, clock::now(), Nonce([1; NONCE_BYTES])).expect("journal");
        assert_eq!("a1", token(&stage.ask(&node)), "{error}");
        assert_eq!((1, 0), (stage.provider.requests(), stage.journals()), "{error}");
    }
}

#[test]
fn v27_without_a_lease_nothing_is_sent() {
    let stage = Stage::expired();
    stage.sql(
        "CREATE TRIGGER no_lease BEFORE UPDATE OF lease_until ON connection BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
    );
    let node = stage.node();
    let answer = stage.runtime.block_on(node.token(&stage.key, USUAL));
    assert!(matches!(answer, Err(SealedStoreFault::Store(StoreFault::Unavailable(_)))), "{answer:?}");
    assert_eq!((0, 0), (stage.provider.requests(), stage.journals()), "what came could not be stored");
    stage.sql("DROP TRIGGER no_lease");
    assert_eq!("a1", token(&stage.ask(&node)));
}

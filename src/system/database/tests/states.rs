//! The state of a connection goes into seven columns and comes back; columns that contradict each other are refused.

use super::*;
use crate::service::store::Delay;

const ID: ConnectionId = ConnectionId::new([1; 16]);

fn stored() -> (Stage, Database) {
    let stage = Stage::new();
    let db = stage.open();
    wait(db.put_connection(new(1, &ada(), 1), at(0)));
    (stage, db)
}

fn state(db: &Database) -> State {
    wait(db.connection(&ada())).expect("row").state
}

fn leased(db: &Database, now: u64) -> State {
    let (lease, now) = lease(1, 1, now);
    match wait(db.lease(lease, now)) {
        LeaseAnswer::Granted(row) => row.state,
        other => panic!("{other:?}"),
    }
}

fn failed(db: &Database, outcome: FailedOutcome) {
    let owner = LeaseOwner::new([1; 16]);
    let failed = FailedRefresh { id: ID, key: ada(), generation: 1, owner, outcome };
    assert!(matches!(wait(db.note_failed_refresh(failed)), Written::Yes));
}

fn delayed(until: u64, fate: Fate) -> Failing {
    Failing::Delayed { delay: Delay { failures: 3, until: at(until) }, fate }
}

#[test]
fn every_state_comes_back_as_it_was_written() {
    let (_stage, db) = stored();
    let owner = LeaseOwner::new([1; 16]);
    let mut before = None;
    for failing in [delayed(10, Fate::Known), delayed(10, Fate::Unknown), Failing::Interrupted] {
        let expected = State::Leased { owner, until: at(130), before };
        assert_eq!((expected, expected), (leased(&db, 100), state(&db)));
        failed(&db, FailedOutcome::Failing(failing));
        assert_eq!(State::Failing(failing), state(&db));
        leased(&db, 100);
        failed(&db, FailedOutcome::Unchanged);
        assert_eq!(State::Failing(failing), state(&db));
        before = Some(failing);
    }
    for reason in ReauthReason::ALL {
        wait(db.recover());
        leased(&db, 100);
        failed(&db, FailedOutcome::Reauth { reason, since: at(9) });
        assert_eq!(State::Reauth { reason, since: at(9) }, state(&db));
        let other = wait(db.lease(lease(1, 1, 100).0, at(100)));
        assert!(matches!(other, LeaseAnswer::Moved(row) if row.state == State::Reauth { reason, since: at(9) }));
        db_is_good_again(&db);
    }
}

/// As a login leaves it.
fn db_is_good_again(db: &Database) {
    wait(db.delete_connection(ID, &ada().owner));
    wait(db.put_connection(new(1, &ada(), 1), at(0)));
    assert_eq!(State::Good, state(db));
}

#[test]
fn new_tokens_make_a_connection_good_whatever_it_was() {
    let (_stage, db) = stored();
    leased(&db, 100);
    failed(&db, FailedOutcome::Failing(delayed(10, Fate::Unknown)));
    leased(&db, 100);
    let tokens = RefreshedTokens { id: ID, key: ada(), generation: 1, access: access(ID, &ada(), 2), refresh: None };
    assert!(matches!(wait(db.store_refreshed(tokens, at(101))), Written::Yes));
    assert_eq!(State::Good, state(&db));
    let (wanted, now) = lease(1, 1, 100);
    wait(db.lease(Lease { generation: 2, ..wanted }, now));
    assert_eq!(Put::Stored, wait(db.put_connection(new(1, &ada(), 3), at(101))), "a login");
    assert_eq!(State::Good, state(&db));
}

#[test]
fn after_a_start_a_refresh_token_of_unknown_fate_is_sent_at_once() {
    let (_stage, db) = stored();
    leased(&db, 100);
    assert_eq!(vec![ada()], wait(db.recover()));
    assert_eq!(State::Failing(Failing::Interrupted), state(&db), "its lease ended");
    leased(&db, 100);
    failed(&db, FailedOutcome::Failing(delayed(1000, Fate::Unknown)));
    assert_eq!(vec![ada()], wait(db.recover()));
    assert_eq!(State::Failing(Failing::Interrupted), state(&db), "its delay ended");
    leased(&db, 100);
    failed(&db, FailedOutcome::Failing(delayed(1000, Fate::Known)));
    assert!(wait(db.recover()).is_empty());
    assert_eq!(State::Failing(delayed(1000, Fate::Known)), state(&db), "a known fate can wait");
}

#[test]
fn columns_of_a_state_that_cannot_be_are_refused() {
    let (stage, db) = stored();
    let sql = Sqlite::open(stage.path()).expect("open");
    for columns in [
        "status = 'asleep', since = 1",
        "status = 'other_subject'",
        "since = 1",
        "failures = 1",
        "next_try_at = 5",
        "lease_until = 5",
        "lease_owner = zeroblob(16)",
        "status = 'other_subject', since = 1, in_doubt = 1",
        "status = 'other_subject', since = 1, failures = 1, next_try_at = 5",
        "status = 'other_subject', since = 1, lease_until = 5, lease_owner = zeroblob(16)",
    ] {
        sql.execute_batch(&format!("UPDATE connection SET {columns}")).expect(columns);
        let mut context = Context::from_waker(Waker::noop());
        let key = ada();
        let read = db.connection(&key).as_mut().poll(&mut context);
        assert!(matches!(read, Poll::Ready(Err(StoreFault::Broken(_)))), "{columns}: {read:?}");
        sql.execute_batch(&format!("UPDATE connection SET {}", rows::GOOD)).expect("good again");
        assert_eq!(State::Good, state(&db), "{columns}");
    }
    // Version 0.1 left the number of failures when a start ended the delay.
    sql.execute_batch("UPDATE connection SET in_doubt = 1, failures = 3").expect("as version 0.1 wrote it");
    assert_eq!(State::Failing(Failing::Interrupted), state(&db));
}

mod migration;
mod on_disk;
mod states;

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::PermissionsExt,
    sync::{
        Arc, Barrier,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, UNIX_EPOCH},
};

use super::*;
use crate::{
    catalog::IntegrationName,
    deadlines::FLOW_REMEMBERED,
    oauth::{ClientId, Endpoint, Expiry, Scopes, TokenType},
    secret::{SealKey, Secret},
    service::{
        keys::{Column, KeyRing, Place},
        store::{Access, FailedOutcome, Failing, Fate, FlowEnd, LeaseOwner, ReauthReason, State},
    },
    vault::{
        AccountName, ActionKey, Namespace, OrgKey, Pinned,
        seal::{NONCE_BYTES, Nonce},
    },
};

const CANARY: &str = "canary-5e1d";

/// A directory of its own, removed at the end.
struct Stage(PathBuf);

impl Stage {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("loopin-database-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let root = std::env::temp_dir().join(name);
        fs::create_dir_all(&root).expect("directory");
        Self(root)
    }

    fn path(&self) -> PathBuf {
        self.0.join("loopin.db")
    }

    fn open(&self) -> Database {
        Database::open_or_make(&self.path()).expect("database")
    }

    /// Every byte of the database's files.
    fn bytes(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = fs::read_dir(&self.0).expect("directory").flatten().map(|entry| entry.path());
        files.filter(|path| path.is_file()).map(|path| (path.clone(), fs::read(path).expect("file"))).collect()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The answer of a store that is never waited for by anything but its own thread.
fn wait<T>(mut answer: Answer<'_, T>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    loop {
        match answer.as_mut().poll(&mut context) {
            Poll::Ready(result) => return result.expect("answer"),
            Poll::Pending => thread::yield_now(),
        }
    }
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn key(user: &str, org: &str, integration: &str, action: &str) -> GrantKey {
    GrantKey {
        owner: Owner {
            namespace: Namespace::default(),
            user: AccountName::parse(user).expect("user"),
            org: OrgKey::parse(org).expect("org"),
        },
        integration: IntegrationName::parse(integration).expect("name"),
        action: ActionKey::parse(action).expect("action"),
    }
}

fn ada() -> GrantKey {
    key("ada", "acme", "work", "all")
}

fn ring() -> KeyRing {
    let id = KeyId::parse("k1").expect("id");
    KeyRing::new(id.clone(), [(id, SealKey::new([1; 32]))].into()).expect("ring")
}

fn cell(column: Column, id: &[u8; 16], key: &GrantKey, generation: u64) -> Sealed {
    let place = Place { column, id, key, generation };
    ring().seal(&place, Nonce([generation.to_be_bytes()[7]; NONCE_BYTES]), &Secret::new(CANARY.into()))
}

fn access(id: ConnectionId, key: &GrantKey, generation: u64) -> Access {
    Access {
        token: cell(Column::ConnectionAccess, id.bytes(), key, generation),
        token_type: TokenType::Bearer,
        asked: Scopes::parse("read write").expect("scopes"),
        granted: Scopes::parse("read").expect("scopes"),
        obtained_at: at(0),
        expiry: Expiry::At(at(1000)),
        refreshable_until: Some(at(5000)),
        subject: Some("7".into()),
        metadata: Some(cell(Column::ConnectionMetadata, id.bytes(), key, generation)),
        due_at: Some(at(800)),
    }
}

fn new(id: u8, key: &GrantKey, generation: u64) -> NewConnection {
    let id = ConnectionId::new([id; 16]);
    NewConnection {
        id,
        key: key.clone(),
        generation,
        base_url: Some("https://git.example".into()),
        pinned: Pinned {
            issuer: None,
            token_endpoint: Endpoint::parse("https://op.example/token").expect("endpoint"),
            revocation_endpoint: Some(Endpoint::parse("https://op.example/revoke").expect("endpoint")),
            client_id: ClientId::parse("me").expect("id"),
            authentication_method: crate::oauth::AuthenticationMethod::Post,
        },
        access: access(id, key, generation),
        refresh: Some(cell(Column::ConnectionRefresh, id.bytes(), key, generation)),
    }
}

fn lease(id: u8, owner: u8, now: u64) -> (Lease, SystemTime) {
    let (id, owner) = (ConnectionId::new([id; 16]), LeaseOwner::new([owner; 16]));
    (Lease { id, key: ada(), generation: 1, owner, until: at(now + 30) }, at(now))
}

fn flow(id: u8, user: &str, expires_at: u64) -> Flow {
    let key = key(user, "acme", "work", "all");
    let content = cell(Column::FlowContent, &[id; 16], &key, 0);
    let app_callback_url = "https://app.example/back".into();
    Flow {
        id: FlowId::new([id; 16]),
        key,
        app_callback_url,
        browser: Some([4; 32]),
        expires_at: at(expires_at),
        content,
    }
}

#[test]
fn a_connection_comes_back_as_it_went_in() {
    let stage = Stage::new();
    let db = stage.open();
    assert_eq!(Put::Stored, wait(db.put_connection(new(1, &ada(), 1), at(5))));
    let row = wait(db.connection(&ada())).expect("row");
    let put = new(1, &ada(), 1);
    assert_eq!((put.id, put.key, 1, put.base_url), (row.id, row.key, row.generation, row.base_url));
    assert_eq!(put.pinned, row.pinned);
    assert_eq!((put.access.token, put.refresh), (row.access.token, row.refresh));
    assert_eq!((put.access.asked, put.access.granted), (row.access.asked, row.access.granted));
    assert_eq!((put.access.expiry, put.access.due_at), (row.access.expiry, row.access.due_at));
    assert_eq!((State::Good, at(5)), (row.state, row.created_at));
    assert_eq!(Put::Moved, wait(db.put_connection(new(2, &ada(), 1), at(6))), "there is one already");
    assert_eq!(Put::Moved, wait(db.put_connection(new(1, &ada(), 3), at(6))), "sealed for another generation");
    assert_eq!(Put::Stored, wait(db.put_connection(new(1, &ada(), 2), at(6))));
}

#[test]
fn v24_no_query_reads_or_deletes_across_any_part_of_the_key() {
    let stage = Stage::new();
    let db = stage.open();
    let parts = |n: usize, bit: usize, names: [&'static str; 2]| names[n >> bit & 1];
    let keys: Vec<_> = (0..32)
        .map(|n| {
            let mut key = key(
                parts(n, 0, ["ada", "bob"]),
                parts(n, 1, ["acme", "evil"]),
                parts(n, 2, ["work", "home"]),
                parts(n, 3, ["all", "read"]),
            );
            key.owner.namespace = Namespace::parse(parts(n, 4, ["", "b"])).expect("namespace");
            key
        })
        .collect();
    let owners: BTreeSet<_> = keys.iter().map(|key| key.owner.clone()).collect();
    // Half of them exist; a read of the others must find nothing of their neighbours.
    let exists = |n: usize| n.count_ones().is_multiple_of(2);
    for (n, key) in keys.iter().enumerate().filter(|(n, _)| exists(*n)) {
        wait(db.put_connection(new(u8::try_from(n).expect("few") + 1, key, 1), at(0)));
    }
    for (n, key) in keys.iter().enumerate() {
        assert_eq!(exists(n), wait(db.connection(key)).is_some_and(|row| row.key == *key), "{key:?}");
    }
    for (n, key) in keys.iter().enumerate().filter(|(n, _)| exists(*n)) {
        let id = ConnectionId::new([u8::try_from(n).expect("few") + 1; 16]);
        for owner in &owners {
            let theirs = key.owner == *owner;
            assert_eq!(theirs, wait(db.connection_by_id(id, owner)).is_some(), "{key:?} {owner:?}");
            if theirs {
                continue;
            }
            assert!(wait(db.delete_connection(id, owner)).is_none(), "{key:?} {owner:?}");
            let stranger = GrantKey { owner: owner.clone(), ..key.clone() };
            let wanted = Lease { id, key: stranger.clone(), ..lease(1, 1, 0).0 };
            assert!(matches!(wait(db.lease(wanted, at(0))), LeaseAnswer::Gone), "{key:?} {owner:?}");
            let tokens =
                RefreshedTokens { id, key: stranger, generation: 1, access: access(id, key, 2), refresh: None };
            assert!(!matches!(wait(db.store_refreshed(tokens, at(0))), Written::Yes), "{key:?} {owner:?}");
        }
    }
    for owner in &owners {
        let page = Page { owner, integration: None, action: None, after: None, most: 100 };
        let rows = wait(db.connections(page));
        assert_eq!(2, rows.len(), "half of two integrations with two actions");
        assert!(rows.iter().all(|row| row.key.owner == *owner), "{owner:?}");
    }
    let mut due: Vec<_> = wait(db.due(at(0), 100, at(900))).into_iter().map(|key| format!("{key:?}")).collect();
    let mut all: Vec<_> =
        keys.iter().enumerate().filter(|(n, _)| exists(*n)).map(|(_, key)| format!("{key:?}")).collect();
    due.sort_unstable();
    all.sort_unstable();
    assert_eq!(all, due, "a refresh is begun under the whole key");
}

#[test]
fn v25_a_lease_is_one_owners_at_a_time_and_doubt_follows_one_that_ran_out() {
    let stage = Stage::new();
    let db = stage.open();
    wait(db.put_connection(new(1, &ada(), 1), at(0)));
    let take = |owner, now| {
        let (lease, now) = lease(1, owner, now);
        wait(db.lease(lease, now))
    };
    assert!(matches!(take(1, 100), LeaseAnswer::Granted(row) if row.state.fate() == Fate::Known));
    assert!(matches!(take(2, 129), LeaseAnswer::Held { until } if until == at(130)));
    assert!(
        matches!(take(2, 130), LeaseAnswer::Granted(row) if row.state.fate() == Fate::Unknown),
        "the first may have sent something"
    );
    assert!(matches!(take(3, 129), LeaseAnswer::Held { .. }), "who read the clock a moment earlier is no other clock");
    assert!(matches!(take(3, 50), LeaseAnswer::Granted(_)), "a lease of a clock that has gone back counts for nothing");
}

#[test]
fn what_a_refresh_brings_is_written_for_its_generation_only() {
    let stage = Stage::new();
    let db = stage.open();
    wait(db.put_connection(new(1, &ada(), 1), at(0)));
    let id = ConnectionId::new([1; 16]);
    let refreshed = |generation| RefreshedTokens {
        id,
        key: ada(),
        generation,
        access: access(id, &ada(), generation + 1),
        refresh: None,
    };
    assert!(matches!(wait(db.store_refreshed(refreshed(1), at(1))), Written::Yes));
    assert!(matches!(wait(db.store_refreshed(refreshed(1), at(1))), Written::Moved(row) if row.generation == 2));
    let failed = |owner| FailedRefresh {
        id,
        key: ada(),
        generation: 2,
        owner: LeaseOwner::new([owner; 16]),
        outcome: FailedOutcome::Reauth { reason: ReauthReason::RefreshTokenRefused, since: at(9) },
    };
    let (wanted, now) = lease(1, 1, 10);
    wait(db.lease(Lease { generation: 2, ..wanted }, now));
    assert!(matches!(wait(db.note_failed_refresh(failed(2))), Written::Moved(_)), "another's lease");
    assert!(matches!(wait(db.note_failed_refresh(failed(1))), Written::Yes));
    assert!(
        wait(db.connection(&ada()))
            .is_some_and(|row| row.state == State::Reauth { reason: ReauthReason::RefreshTokenRefused, since: at(9) })
    );
    wait(db.delete_connection(id, &ada().owner));
    assert!(matches!(wait(db.store_refreshed(refreshed(2), at(1))), Written::Gone));
}

#[test]
fn v03_of_many_who_bring_the_same_state_one_gets_the_flow() {
    let stage = Stage::new();
    let db = Arc::new(stage.open());
    wait(db.put_flow(flow(1, "ada", 600), 20, at(0)));
    let start = Arc::new(Barrier::new(32));
    let callers: Vec<_> = (0..32)
        .map(|_| {
            let (db, start) = (db.clone(), start.clone());
            thread::spawn(move || {
                start.wait();
                matches!(wait(db.take_flow(FlowId::new([1; 16]), "work", at(1))), Taken::Now(_))
            })
        })
        .collect();
    assert_eq!(1, callers.into_iter().map(|c| c.join().expect("caller")).filter(|won| *won).count());
}

#[test]
fn v04_a_flow_that_ended_is_told_from_one_that_never_was() {
    let stage = Stage::new();
    let db = stage.open();
    let take = |id, integration, now| wait(db.take_flow(FlowId::new([id; 16]), integration, at(now)));
    wait(db.put_flow(flow(1, "ada", 600), 20, at(0)));
    assert!(matches!(take(1, "home", 1), Taken::Unknown), "of another integration");
    assert!(matches!(take(1, "work", 1), Taken::Now(_)));
    assert!(matches!(take(1, "work", 2), Taken::Ended(done) if done.end == FlowEnd::Used));
    wait(db.put_flow(flow(2, "ada", 600), 20, at(0)));
    assert!(matches!(take(2, "work", 600), Taken::Ended(done) if done.end == FlowEnd::Expired));
    assert!(matches!(take(3, "work", 1), Taken::Unknown));
    let day = FLOW_REMEMBERED.as_secs();
    assert!(matches!(take(1, "work", day + 2), Taken::Unknown), "forgotten");
    assert_eq!(2, wait(db.sweep_flows(100, at(2 * day))));
}

#[test]
fn v36_a_user_has_so_many_unfinished_flows_and_the_sweep_ends_them() {
    let stage = Stage::new();
    let db = stage.open();
    for id in 0..3 {
        assert_eq!(PutFlow::Stored, wait(db.put_flow(flow(id, "ada", 600), 3, at(0))));
    }
    assert_eq!(PutFlow::TooMany, wait(db.put_flow(flow(3, "ada", 600), 3, at(0))));
    assert_eq!(PutFlow::Stored, wait(db.put_flow(flow(4, "bob", 600), 3, at(0))), "another user");
    assert_eq!(2, wait(db.sweep_flows(2, at(600))), "in portions");
    assert_eq!(2, wait(db.sweep_flows(100, at(600))));
    assert_eq!(PutFlow::Stored, wait(db.put_flow(flow(5, "ada", 1200), 3, at(600))));
}

#[test]
fn v28_64_writers_at_once_all_get_their_rows_in() {
    let stage = Stage::new();
    let db = Arc::new(stage.open());
    let other = Arc::new(Database::open(&stage.path()).expect("a tool beside the service"));
    let writers: Vec<_> = (0..64_u8)
        .map(|n| {
            let db = if n % 2 == 0 { db.clone() } else { other.clone() };
            thread::spawn(move || {
                for round in 0..4 {
                    let key = key(&format!("user-{n}-{round}"), "acme", "work", "all");
                    let id = [[n; 8], [round; 8]].concat().try_into().expect("16 bytes");
                    let new = NewConnection { id: ConnectionId::new(id), ..new(1, &key, 1) };
                    assert_eq!(Put::Stored, wait(db.put_connection(new, at(0))));
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().expect("writer"));
    assert_eq!(vec![(KeyId::parse("k1").expect("id"), 256)], wait(db.key_counts()));
}

#[test]
fn v28_a_reader_who_takes_his_time_keeps_no_writer_waiting() {
    let stage = Stage::new();
    let db = stage.open();
    wait(db.put_connection(new(1, &ada(), 1), at(0)));
    let reader = Sqlite::open(stage.path()).expect("open");
    reader.execute_batch("BEGIN").expect("transaction");
    let rows = || reader.query_row("SELECT count(*) FROM connection", [], |row| row.get::<_, u32>(0)).expect("count");
    assert_eq!(1, rows());
    let bob = key("bob", "acme", "work", "all");
    assert_eq!(Put::Stored, wait(db.put_connection(new(2, &bob, 1), at(0))));
    assert!(wait(db.connection(&bob)).is_some());
    assert_eq!(1, rows(), "as it was when the reading began");
}

#[test]
fn v28_what_reads_before_it_writes_waits_for_another_programs_write() {
    let stage = Stage::new();
    let db = stage.open();
    wait(db.put_connection(new(1, &ada(), 1), at(0)));
    let other = Sqlite::open(stage.path()).expect("open");
    for id in 0..20 {
        other.execute_batch("BEGIN IMMEDIATE; UPDATE connection SET last_used_at = 1").expect("write");
        // A transaction that had begun by reading could not go on to write after this one.
        let stored = db.put_flow(flow(id, "ada", 600), 20, at(0));
        // Most often the writer waits by now; where it does not yet, this round shows nothing and fails nothing.
        thread::sleep(Duration::from_millis(5));
        other.execute_batch("COMMIT").expect("commit");
        assert_eq!(PutFlow::Stored, wait(stored));
    }
}

#[test]
fn v28_one_writers_failure_undoes_nothing_of_the_others() {
    let stage = Stage::new();
    let db = stage.open();
    let good = db.put_connection(new(1, &ada(), 1), at(0));
    wait(db.put_flow(flow(1, "ada", 600), 20, at(0)));
    // The same identifier once more: refused by the database itself.
    let mut refused = db.put_flow(flow(1, "ada", 600), 20, at(0));
    let also_good = db.put_flow(flow(2, "ada", 600), 20, at(0));
    assert_eq!(Put::Stored, wait(good));
    assert_eq!(PutFlow::Stored, wait(also_good));
    let mut context = Context::from_waker(Waker::noop());
    let refused = loop {
        if let Poll::Ready(result) = refused.as_mut().poll(&mut context) {
            break result;
        }
    };
    assert!(matches!(refused, Err(StoreFault::Broken(_))), "{refused:?}");
    assert!(matches!(wait(db.take_flow(FlowId::new([2; 16]), "work", at(1))), Taken::Now(_)));
}

#[test]
fn what_is_due_has_been_used_and_is_neither_leased_nor_pausing() {
    let stage = Stage::new();
    let db = stage.open();
    wait(db.put_connection(new(1, &ada(), 1), at(500)));
    let due = |used_since, now| wait(db.due(at(used_since), 10, at(now))).len();
    assert_eq!(0, due(0, 799), "not yet");
    assert_eq!(1, due(0, 800));
    assert_eq!(0, due(501, 800), "nobody has asked for it");
    wait(db.touch(vec![ConnectionId::new([1; 16])], at(700)));
    assert_eq!(1, due(501, 800));
    let (wanted, now) = lease(1, 1, 800);
    wait(db.lease(wanted, now));
    assert_eq!(0, due(0, 801), "leased");
    assert_eq!(vec![ada()], wait(db.recover()), "after a start nobody holds it");
}

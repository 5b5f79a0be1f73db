//! A database of an earlier version is brought up to date: everything stays readable, and a failure changes nothing.

use super::*;
use crate::service::flow::open_state;

/// As loopin 0.1.0 wrote it: four connections, an open flow, a finished one, the proof of a key.
const SCHEMA_1: &str = include_str!("../../../../tests/data/serve-schema-1.sql");
/// Made by the same version with `state_mode = "sealed"`.
const STATE: &str = "AQEBAQEBAQEBAQEBAQEBAQECazEJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQlFEEwFKJFtbnTfPVw0GsYkO1gbKA_Ie86pKaD2MdpPIqw4cFQ\
    2Xopp2tpAe0SZ0aVZcKZp8ccgj9h8sOBuTWXwPudKVGIfjrbZS10thh4vJu3w1_HSsSEd2zG7Xk-G2s6zChgPpqqF5NbTmucC8rfbc5xfPrdR9hXAvqp5_U\
    K5QjNf7WiDfCbAjDr6ejGw40LGGljoBr-9tYPblJuKRTbGn9d4nw4Sn7bX2VwUYhU_";
/// Of the first connection.
const JOURNAL: &str = "53348cff7ce5f41abe1051db4a00e80ad38ed260bcc14548e642d67e24290368.journal";

/// The owners and actions of the four connections, in the order of their tokens.
fn connections() -> [GrantKey; 4] {
    [("ada", "acme", "all"), ("ada", "acme", "read"), ("ada", "globex", "all"), ("bob", "acme", "all")]
        .map(|(user, org, action)| key(user, org, "wiki", action))
}

fn ring() -> KeyRing {
    let id = KeyId::parse("k1").expect("id");
    KeyRing::new(id.clone(), [(id, SealKey::new([0x5a; 32]))].into()).expect("ring")
}

fn old(stage: &Stage) -> Sqlite {
    make(&stage.path()).expect("file");
    let db = Sqlite::open(stage.path()).expect("open");
    db.execute_batch(SCHEMA_1).expect("schema 1");
    db
}

fn opens(row: &Connection, column: Column, cell: &Sealed, plain: &str) -> bool {
    let place = Place { column, id: row.id.bytes(), key: &row.key, generation: row.generation };
    ring().open(&place, cell).is_ok_and(|secret| secret.matches(plain))
}

#[test]
fn h04_what_an_earlier_version_stored_is_readable_after_the_migration() {
    let stage = Stage::new();
    drop(old(&stage));
    let db = stage.open();
    for (n, key) in connections().iter().enumerate() {
        let row = wait(db.connection(key)).expect("row");
        assert!(opens(&row, Column::ConnectionAccess, &row.access.token, &format!("access-{n}")), "{key:?}");
        let refresh = row.refresh.as_ref().expect("refresh token");
        assert!(opens(&row, Column::ConnectionRefresh, refresh, &format!("refresh-{n}")), "{key:?}");
        assert!(row.access.metadata.is_none(), "an earlier version kept nothing beside the tokens");
        assert_eq!(row.id, wait(db.connection_by_id(row.id, &key.owner)).expect("by its identifier").id);
    }
    let [first, ..] = connections();
    let id = wait(db.connection(&first)).expect("row").id;
    assert_eq!(JOURNAL, first.state("serve", &id.to_string()).file(".journal"), "its journal is found");
    let id = KeyId::parse("k1").expect("id");
    assert!(matches!(&wait(db.key_checks())[..], [(known, proof)] if *known == id && ring().proves(&id, proof)));

    let wiki = first.integration.clone();
    let opened = open_state(&ring(), &wiki, &Secret::new(STATE.into())).expect("a state under way");
    assert_eq!(Some(&first), opened.request.as_ref().map(|request| &request.key));
    let Taken::Now(flow) = wait(db.take_flow(opened.id, "wiki", at(1_764_000_001))) else { panic!("an open flow") };
    assert_eq!(first, flow.key);
    let place = Place { column: Column::FlowContent, id: flow.id.bytes(), key: &flow.key, generation: 0 };
    assert!(ring().open(&place, &flow.content).is_ok_and(|secret| secret.matches("a verifier")));
    let done = wait(db.take_flow(FlowId::new([2; 16]), "wiki", at(1_764_000_001)));
    assert!(matches!(done, Taken::Ended(done) if done.end == FlowEnd::Used && done.key == first));
}

#[test]
fn h04_a_namespace_is_no_part_of_the_seals_and_names_that_do_not_have_one() {
    let stage = Stage::new();
    drop(old(&stage));
    let db = stage.open();
    let [mut other, ..] = connections();
    let row = wait(db.connection(&other)).expect("row");
    other.owner.namespace = Namespace::parse("b").expect("namespace");
    assert!(wait(db.connection(&other)).is_none(), "the same names of another issuer");
    let moved = Connection { key: other, ..row };
    assert!(!opens(&moved, Column::ConnectionAccess, &moved.access.token, "access-0"), "moved to another issuer");
}

/// Everything in the old tables, as text.
fn content(db: &Sqlite) -> String {
    let mut text = String::new();
    for table in ["connection", "flow", "flow_done", "key_check", "schema_version"] {
        let mut rows = db.prepare(&format!("SELECT * FROM {table} ORDER BY rowid")).expect("table");
        let columns = rows.column_count();
        let row = rows.query_map([], |row| {
            (0..columns).map(|at| row.get::<_, rusqlite::types::Value>(at)).collect::<rusqlite::Result<Vec<_>>>()
        });
        text += &format!("{table}: {:?}\n", row.expect("rows").collect::<rusqlite::Result<Vec<_>>>().expect("values"));
    }
    text
}

#[test]
fn h04_a_migration_that_fails_at_any_statement_changes_nothing() {
    // Each makes another statement fail, from the first to the last.
    for (block, unblock) in [
        ("CREATE TABLE connection_moved (x)", "DROP TABLE connection_moved"),
        ("DROP INDEX flow_of_user", "CREATE INDEX flow_of_user ON flow (user_id, expires_at)"),
        ("ALTER TABLE flow_done ADD COLUMN namespace TEXT", "ALTER TABLE flow_done DROP COLUMN namespace"),
        ("CREATE INDEX flow_of_owner ON flow (id)", "DROP INDEX flow_of_owner"),
    ] {
        let stage = Stage::new();
        let before = content(&old(&stage));
        let side = Sqlite::open(stage.path()).expect("open");
        side.execute_batch(block).expect(block);
        let failed = Database::open_or_make(&stage.path());
        assert!(matches!(failed, Err(OpenError::Fault(StoreFault::Broken(_)))), "{block}");
        side.execute_batch(unblock).expect(unblock);
        assert_eq!(before, content(&side), "{block}");
        drop(side);
        let db = stage.open();
        assert!(connections().iter().all(|key| wait(db.connection(key)).is_some()), "{block}");
    }
}

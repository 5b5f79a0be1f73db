//! What lies on the disk: nothing readable, in a database that is ours alone and of a form that this program knows.

use super::*;

#[test]
fn v33_nothing_readable_of_a_flow_or_a_token_is_in_any_file() {
    let stage = Stage::new();
    let db = stage.open();
    wait(db.put_flow(flow(1, "ada", 600), 20, at(0)));
    wait(db.put_connection(new(1, &ada(), 1), at(0)));
    let sealed = flow(1, "ada", 600).content;
    let holds = |what: &[u8]| {
        let found = |bytes: &Vec<u8>| bytes.windows(what.len()).any(|window| window == what);
        stage.bytes().values().any(found)
    };
    assert!(!holds(CANARY.as_bytes()));
    assert!(holds(sealed.bytes()), "the row is in one of them");
    assert!(matches!(wait(db.take_flow(FlowId::new([1; 16]), "work", at(1))), Taken::Now(_)));
    let left: u32 = Sqlite::open(stage.path())
        .and_then(|db| db.query_row("SELECT count(*) FROM flow", [], |row| row.get(0)))
        .expect("count");
    assert_eq!(0, left, "gone with its verifier");
}

#[test]
fn v23_a_look_tells_whose_keys_are_needed_and_changes_no_byte() {
    let stage = Stage::new();
    assert!(Database::look(&stage.path()).expect("none yet").is_none());
    assert!(!stage.path().exists(), "not made by looking");
    let db = stage.open();
    wait(db.put_connection(new(1, &ada(), 1), at(0)));
    let id = KeyId::parse("k1").expect("id");
    wait(db.set_key_check(id.clone(), Some(ring().proof(&id, Nonce([7; NONCE_BYTES])))));
    // As a crash leaves it: rows that are in the write-ahead log only.
    let crashed = Stage::new();
    for (path, bytes) in stage.bytes() {
        let copy = crashed.0.join(path.file_name().expect("name"));
        fs::write(&copy, bytes).expect("copy");
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o600)).expect("mode");
    }
    drop(db);
    for stage in [stage, crashed] {
        let before = fs::read(stage.path()).expect("database");
        let known = Database::look(&stage.path()).expect("look").expect("there is one");
        assert!(matches!(&known[..], [(found, proof, 1)] if *found == id && ring().proves(&id, proof)));
        assert!(before == fs::read(stage.path()).expect("database"), "a byte has changed");
    }
}

#[test]
fn a_database_of_a_newer_program_is_left_alone() {
    let stage = Stage::new();
    drop(stage.open());
    let db = Sqlite::open(stage.path()).expect("open");
    db.execute("INSERT INTO schema_version (version) VALUES (99)", []).expect("newer");
    drop(db);
    let newer = OpenError::Newer { found: 99 };
    assert_eq!(Some(newer.clone()), Database::open_or_make(&stage.path()).err());
    assert_eq!(Some(newer.clone()), Database::open(&stage.path()).err());
    assert_eq!(Some(newer), Database::look(&stage.path()).err());
}

#[test]
fn the_database_is_ours_alone_or_not_used() {
    let stage = Stage::new();
    let db = stage.open();
    wait(db.put_connection(new(1, &ada(), 1), at(0)));
    for path in stage.bytes().keys() {
        assert_eq!(0o600, fs::metadata(path).expect("file").permissions().mode() & 0o777, "{path:?}");
    }
    drop(db);
    fs::set_permissions(stage.path(), fs::Permissions::from_mode(0o640)).expect("mode");
    assert!(matches!(Database::open_or_make(&stage.path()), Err(OpenError::File(StoreError::Exposed { .. }))));
}

#[test]
fn h09_a_service_does_not_write_to_the_database_of_another_user() {
    if !nix::unistd::geteuid().is_root() {
        // Only root can give a file away.
        return;
    }
    let stage = Stage::new();
    drop(stage.open());
    std::os::unix::fs::chown(stage.path(), Some(65534), None).expect("chown");
    let refused = OpenError::File(StoreError::Exposed { path: stage.path(), why: Exposure::OtherOwner });
    assert_eq!(Some(refused), Database::open_or_make(&stage.path()).err());
    assert!(Database::open(&stage.path()).is_ok(), "root's tools look after it");
}

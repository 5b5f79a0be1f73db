//! A database of an earlier version, brought up to date by the executable. `LOOPIN_BAR=full` kills it twenty times.

use std::{fs, os::unix::process::ExitStatusExt, path::Path, thread, time::Instant};

use super::*;
use crate::harness::tell;

/// As loopin 0.1.0 wrote it; its cells are sealed with the key of these tests.
const SCHEMA_1: &str = include_str!("../../data/serve-schema-1.sql");
/// Connections beside the four of the file, so that the migration takes a while.
const MORE: usize = 10_000;

fn old_database(path: &Path) {
    let database = rusqlite::Connection::open(path).expect("database");
    database.execute_batch(SCHEMA_1).expect("schema 1");
    let more = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MORE}) \
         INSERT INTO connection SELECT randomblob(16), 'user-' || i, 'acme', 'wiki', 'all', 1, 'k1', 'ok', NULL, 0, NULL, \
         0, NULL, NULL, 0, 0, NULL, NULL, token_endpoint, NULL, client_id, NULL, 'Bearer', '', '', 0, 0, 0, NULL, NULL, \
         randomblob(1000), NULL FROM n, connection WHERE user_id = 'bob'"
    );
    database.execute_batch(&format!("PRAGMA journal_mode = wal; BEGIN; {more}; COMMIT")).expect("rows");
    drop(database);
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("mode");
}

/// Every connection as it can be read now, whatever the schema.
fn rows(database: &rusqlite::Connection) -> (u32, String) {
    let version = database.query_row("SELECT max(version) FROM schema_version", [], |row| row.get(0)).expect("version");
    let mut rows =
        database.prepare("SELECT id, CAST(user_id AS BLOB), access FROM connection ORDER BY id").expect("table");
    let mut sum = Sha256::new();
    let cells = rows.query_map([], |row| {
        (0..3).try_for_each(|at| row.get_ref(at)?.as_blob().map(|bytes| sum.update(bytes)).map_err(Into::into))
    });
    cells.expect("rows").for_each(|row| row.expect("row"));
    (version, format!("{:x}", sum.finalize()))
}

#[test]
fn h04_a_migration_that_is_killed_at_any_moment_loses_no_connection() {
    let (sandbox, port, provider) = (Sandbox::new(), fixed_port(), Provider::new());
    prepare(&sandbox, &config(&provider, port));
    let (path, pristine) = (sandbox.path("loopin.db"), sandbox.path("pristine.db"));
    old_database(&pristine);
    let (_, before) = rows(&rusqlite::Connection::open(&pristine).expect("database"));
    let config = sandbox.path("loopin.toml");
    let migrate = || {
        let mut command = sandbox.loopin(&["serve", "migrate", "--config"]);
        command.arg(&config).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("loopin starts")
    };
    let anew = || {
        for name in ["loopin.db-wal", "loopin.db-shm"] {
            let _ = fs::remove_file(sandbox.path(name));
        }
        fs::copy(&pristine, &path).expect("copy");
    };
    anew();
    let checked = sandbox.run(&["serve", "check", "--config", config.to_str().expect("path")]);
    checked.assert_code(0);
    assert_eq!((1, before.clone()), rows(&rusqlite::Connection::open(&path).expect("database")), "only looked at");
    let began = Instant::now();
    assert!(migrate().wait().expect("ends").success());
    let (whole, kills) = (began.elapsed(), u32::try_from(bar(6, 20)).expect("few"));
    let mut midway = 0;
    for kill in 1..=kills {
        anew();
        let wait = whole * kill / (kills + 1);
        let mut child = migrate();
        // This sleeps because the kills are spread over the whole of a migration.
        thread::sleep(wait);
        let _ = child.kill();
        let killed = child.wait().expect("ends").signal() == Some(9);
        let (version, after) = rows(&rusqlite::Connection::open(&path).expect("database"));
        assert_eq!(before, after, "killed after {wait:?} of {whole:?}, now at schema {version}");
        midway += u32::from(killed && version == 1);
    }
    tell(&format!("{kills} kills in a migration of {MORE} connections, {midway} before it had ended: none lost"));
    assert!(midway > 0, "no kill came in time");
    assert!(migrate().wait().expect("ends").success());
    let database = rusqlite::Connection::open(&path).expect("database");
    assert_eq!((4, before), rows(&database));
    drop(database);
    fs::remove_file(&pristine).expect("removed");
    let serving = Serving::start(sandbox, provider, port);
    let reply = serving.token("ada");
    assert_eq!((200, Some("access-0")), (reply.status, json_of(&reply)["access_token"].as_str()), "{reply:?}");
}

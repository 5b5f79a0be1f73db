//! The service's database, as both suites look into it beside the service.

use std::{path::Path, time::Duration};

pub fn database(path: &Path) -> rusqlite::Connection {
    let database = rusqlite::Connection::open(path).expect("database");
    database.busy_timeout(Duration::from_secs(60)).expect("time-out");
    database
}

/// As if every token had been obtained and had expired long ago.
pub fn age(database: &rusqlite::Connection) {
    let changed = database.execute("UPDATE connection SET obtained_at = 1000, expires_at = 2000", []);
    assert!(changed.expect("update") > 0);
}

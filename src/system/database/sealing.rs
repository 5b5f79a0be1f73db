//! The keys of rows, in SQL.

use rusqlite::{Connection as Sqlite, Row, params};

use super::rows::{COLUMNS, connection, odd, stored};
use crate::service::{
    keys::{KeyId, Sealed},
    store::{Connection, ConnectionId, Resealed},
};

pub fn counts(db: &Sqlite) -> rusqlite::Result<Vec<(KeyId, u64)>> {
    let mut counts = db.prepare_cached(
        "SELECT key_id, count(*) FROM (SELECT key_id FROM connection UNION ALL SELECT key_id FROM flow) \
         GROUP BY key_id ORDER BY key_id",
    )?;
    counts.query_map([], |row| Ok((key_id(row)?, count(row, 1)?)))?.collect()
}

pub fn checks(db: &Sqlite) -> rusqlite::Result<Vec<(KeyId, Sealed)>> {
    let mut checks = db.prepare_cached("SELECT key_id, proof FROM key_check ORDER BY key_id")?;
    checks.query_map([], |row| Ok((key_id(row)?, Sealed::from_stored(row.get(1)?))))?.collect()
}

/// Includes keys that rows name and that have no proof.
pub fn checks_and_counts(db: &Sqlite) -> rusqlite::Result<Vec<super::KnownKey>> {
    let mut known = db.prepare(
        "SELECT key_id, ifnull((SELECT proof FROM key_check c WHERE c.key_id = k.key_id), x''), \
         (SELECT count(*) FROM connection c WHERE c.key_id = k.key_id) \
         FROM (SELECT key_id FROM key_check UNION SELECT key_id FROM connection) k ORDER BY key_id",
    )?;
    known.query_map([], |row| Ok((key_id(row)?, Sealed::from_stored(row.get(1)?), count(row, 2)?)))?.collect()
}

pub fn set_check(db: &Sqlite, key: &KeyId, proof: Option<&Sealed>) -> rusqlite::Result<()> {
    match proof {
        Some(proof) => db.execute(
            "INSERT INTO key_check (key_id, proof) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            params![key.as_str(), proof.bytes()],
        )?,
        None => db.execute("DELETE FROM key_check WHERE key_id = ?1", [key.as_str()])?,
    };
    Ok(())
}

pub fn sealed_with(
    db: &Sqlite,
    key: &KeyId,
    after: Option<ConnectionId>,
    most: u32,
) -> rusqlite::Result<Vec<Connection>> {
    let mut rows = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM connection WHERE key_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3"
    ))?;
    let after = after.as_ref().map_or(&[][..], |id| id.bytes().as_slice());
    rows.query_map(params![key.as_str(), after, most], connection)?.collect()
}

pub fn reseal(db: &Sqlite, resealed: &[Resealed]) -> rusqlite::Result<u32> {
    let mut update = db.prepare_cached(
        "UPDATE connection SET key_id = ?4, access = ?5, refresh = ?6, metadata = ?7 \
         WHERE id = ?1 AND generation = ?2 AND key_id = ?3",
    )?;
    let mut written = 0;
    for Resealed { id, generation, before, access, refresh, metadata } in resealed {
        let key = access.key().ok_or_else(|| odd(3))?;
        let cells = (access.bytes(), refresh.as_ref().map(Sealed::bytes), metadata.as_ref().map(Sealed::bytes));
        written += update.execute(params![
            id.bytes(),
            stored(*generation),
            before.as_str(),
            key.as_str(),
            cells.0,
            cells.1,
            cells.2
        ])?;
    }
    Ok(u32::try_from(written).unwrap_or(u32::MAX))
}

fn key_id(row: &Row<'_>) -> rusqlite::Result<KeyId> {
    KeyId::parse(row.get_ref(0)?.as_str()?).ok_or_else(|| odd(0))
}

fn count(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(at).map(|count| u64::try_from(count).unwrap_or_default())
}

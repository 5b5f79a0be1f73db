//! Leases and what refreshes bring, in SQL. Every write is fenced by the generation that was read.

use std::time::SystemTime;

use rusqlite::{Connection as Sqlite, OptionalExtension, params};

use super::rows::{COLUMNS, OK, bind_row, bind_tokens, connection, key, key_parts, millis, odd, stored, time};
use crate::{
    deadlines::{DELAY_FARTHEST, LEASE_FARTHEST},
    service::store::{Connection, ConnectionId, Lease, Leased, Renewal, Setback, Status, Written},
    vault::GrantKey,
};

/// One row, by its key and its identifier: the first six parameters.
const ROW: &str = "namespace = ?1 AND user_id = ?2 AND org_key = ?3 AND integration = ?4 AND action = ?5 AND id = ?6";

pub fn lease(db: &Sqlite, lease: &Lease, now: SystemTime) -> rusqlite::Result<Leased> {
    let Lease { id, key, generation: wanted, owner, until } = lease;
    let [namespace, user, org, integration, action] = key_parts(key);
    let (farthest_lease, farthest_pause) = (now + LEASE_FARTHEST, now + DELAY_FARTHEST);
    let leased = db
        .prepare_cached(&format!(
            "UPDATE connection SET lease_owner = ?8, lease_until = ?9, \
             in_doubt = max(in_doubt, lease_owner IS NOT NULL) WHERE {ROW} AND generation = ?7 AND status = 'ok' \
             AND (lease_until IS NULL OR lease_until <= ?10 OR lease_until > ?11) \
             AND (next_try_at IS NULL OR next_try_at <= ?10 OR next_try_at > ?12) RETURNING {COLUMNS}"
        ))?
        .query_row(
            params![
                namespace,
                user,
                org,
                integration,
                action,
                id.bytes(),
                stored(*wanted),
                owner.bytes(),
                millis(*until),
                millis(now),
                millis(farthest_lease),
                millis(farthest_pause),
            ],
            connection,
        )
        .optional()?;
    if let Some(row) = leased {
        return Ok(Leased::Yes(Box::new(row)));
    }
    let Some(row) = row(db, *id, key)? else { return Ok(Leased::Gone) };
    if row.generation != *wanted || row.status != Status::Ok {
        return Ok(Leased::Moved(Box::new(row)));
    }
    let held: Option<i64> = db
        .prepare_cached(&format!("SELECT lease_until FROM connection WHERE {ROW}"))?
        .query_row(params_of(*id, key), |row| row.get(0))?;
    Ok(match (held.map(time), row.delay) {
        (Some(until), _) if until > now && until <= farthest_lease => Leased::Held { until },
        (_, Some(delay)) => Leased::Pausing { until: delay.until },
        // It ended between the two statements of one transaction, which cannot be.
        (_, None) => Leased::Held { until: now },
    })
}

pub fn store_renewed(db: &Sqlite, renewal: &Renewal) -> rusqlite::Result<Written> {
    let Renewal { id, key, generation, access, refresh } = renewal;
    let mut statement = db.prepare_cached(&format!(
        "UPDATE connection SET generation = generation + 1, key_id = ?8, status = 'ok', since = NULL, failures = 0, \
         next_try_at = NULL, in_doubt = 0, lease_owner = NULL, lease_until = NULL, subject = ?9, token_type = ?10, \
         asked = ?11, granted = ?12, obtained_at = ?13, expires_at = ?14, expiry_assumed = ?15, \
         refreshable_until = ?16, due_at = ?17, access = ?18, refresh = ?19 WHERE {ROW} AND generation = ?7"
    ))?;
    bind_row(&mut statement, key, id, *generation)?;
    statement.raw_bind_parameter(8, access.token.key().ok_or_else(|| odd(6))?.as_str())?;
    bind_tokens(&mut statement, 9, access, refresh.as_ref())?;
    judge(db, statement.raw_execute()?, *id, key)
}

pub fn note_setback(db: &Sqlite, setback: &Setback) -> rusqlite::Result<Written> {
    let Setback { id, key, generation, owner, status, delay, in_doubt } = setback;
    let (status, since) = match status {
        Status::Ok => (OK, None),
        Status::Reauth { reason, since } => (reason.as_str(), Some(millis(*since))),
    };
    let mut statement = db.prepare_cached(&format!(
        "UPDATE connection SET status = ?9, since = ?10, failures = ?11, next_try_at = ?12, in_doubt = ?13, \
         lease_owner = NULL, lease_until = NULL WHERE {ROW} AND generation = ?7 AND lease_owner = ?8"
    ))?;
    bind_row(&mut statement, key, id, *generation)?;
    statement.raw_bind_parameter(8, owner.bytes())?;
    statement.raw_bind_parameter(9, status)?;
    statement.raw_bind_parameter(10, since)?;
    statement.raw_bind_parameter(11, delay.map_or(0, |delay| delay.failures))?;
    statement.raw_bind_parameter(12, delay.map(|delay| millis(delay.until)))?;
    statement.raw_bind_parameter(13, in_doubt)?;
    judge(db, statement.raw_execute()?, *id, key)
}

pub fn recover(db: &Sqlite) -> rusqlite::Result<Vec<GrantKey>> {
    db.execute(
        "UPDATE connection SET in_doubt = 1, lease_owner = NULL, lease_until = NULL WHERE lease_until IS NOT NULL",
        [],
    )?;
    db.execute("UPDATE connection SET next_try_at = NULL WHERE in_doubt = 1", [])?;
    let mut doubted = db.prepare(
        "SELECT namespace, user_id, org_key, integration, action FROM connection WHERE in_doubt = 1 AND status = 'ok'",
    )?;
    doubted.query_map([], |row| key(row, 0))?.collect()
}

pub fn due(db: &Sqlite, used_since: SystemTime, most: u32, now: SystemTime) -> rusqlite::Result<Vec<GrantKey>> {
    let mut due = db.prepare_cached(
        "SELECT namespace, user_id, org_key, integration, action FROM connection WHERE due_at <= ?1 AND last_used_at >= ?2 \
         AND status = 'ok' AND (lease_until IS NULL OR lease_until <= ?1) \
         AND (next_try_at IS NULL OR next_try_at <= ?1) ORDER BY due_at DESC LIMIT ?3",
    )?;
    due.query_map(params![millis(now), millis(used_since), most], |row| key(row, 0))?.collect()
}

fn judge(db: &Sqlite, written: usize, id: ConnectionId, key: &GrantKey) -> rusqlite::Result<Written> {
    Ok(match written {
        1 => Written::Yes,
        _ => row(db, id, key)?.map_or(Written::Gone, |row| Written::Moved(Box::new(row))),
    })
}

fn row(db: &Sqlite, id: ConnectionId, key: &GrantKey) -> rusqlite::Result<Option<Connection>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM connection WHERE {ROW}"))?
        .query_row(params_of(id, key), connection)
        .optional()
}

fn params_of(id: ConnectionId, key: &GrantKey) -> (&str, &str, &str, &str, &str, [u8; 16]) {
    let [namespace, user, org, integration, action] = key_parts(key);
    (namespace, user, org, integration, action, *id.bytes())
}

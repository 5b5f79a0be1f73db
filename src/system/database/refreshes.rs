//! Leases and the results of refreshes, in SQL. Every write needs the generation that was read.

use std::time::SystemTime;

use rusqlite::{Connection as Sqlite, OptionalExtension, params};

use super::rows::{COLUMNS, GOOD, STATE, bind_row, bind_state, bind_tokens, connection, key, key_parts, millis, odd};
use crate::{
    service::store::{
        Connection, ConnectionId, FailedRefresh, Lease, LeaseAnswer, NoLease, RefreshedTokens, State, Written,
    },
    vault::GrantKey,
};

/// The condition on one row, by key and identifier, as the first six parameters.
const ROW: &str = "namespace = ?1 AND user_id = ?2 AND org_key = ?3 AND integration = ?4 AND action = ?5 AND id = ?6";

/// Reads and then writes. Nothing happens in between: a write is one transaction, and only one runs at a time.
pub fn lease(db: &Sqlite, lease: &Lease, now: SystemTime) -> rusqlite::Result<LeaseAnswer> {
    let Lease { id, key, generation: wanted, owner, until } = lease;
    let Some(mut row) = row(db, *id, key)? else { return Ok(LeaseAnswer::Gone) };
    if row.generation != *wanted {
        return Ok(LeaseAnswer::Moved(Box::new(row)));
    }
    Ok(match row.state.leased(*owner, *until, now) {
        Ok(state) => {
            set_state(db, &row, state)?;
            row.state = state;
            LeaseAnswer::Granted(Box::new(row))
        }
        Err(NoLease::Held { until }) => LeaseAnswer::Held { until },
        Err(NoLease::Pausing { until }) => LeaseAnswer::Pausing { until },
        Err(NoLease::Reauth) => LeaseAnswer::Moved(Box::new(row)),
    })
}

pub fn store_refreshed(db: &Sqlite, tokens: &RefreshedTokens) -> rusqlite::Result<Written> {
    let RefreshedTokens { id, key, generation, access, refresh } = tokens;
    let mut statement = db.prepare_cached(&format!(
        "UPDATE connection SET generation = generation + 1, key_id = ?8, {GOOD}, subject = ?9, token_type = ?10, \
         asked = ?11, granted = ?12, obtained_at = ?13, expires_at = ?14, expiry_assumed = ?15, \
         refreshable_until = ?16, due_at = ?17, access = ?18, refresh = ?19, \
         metadata = ?20 WHERE {ROW} AND generation = ?7"
    ))?;
    bind_row(&mut statement, key, id, *generation)?;
    statement.raw_bind_parameter(8, access.token.key().ok_or_else(|| odd(6))?.as_str())?;
    bind_tokens(&mut statement, 9, access, refresh.as_ref())?;
    match statement.raw_execute()? {
        1 => Ok(Written::Yes),
        _ => Ok(row(db, *id, key)?.map_or(Written::Gone, |row| Written::Moved(Box::new(row)))),
    }
}

pub fn note_failed_refresh(db: &Sqlite, failed: &FailedRefresh) -> rusqlite::Result<Written> {
    let FailedRefresh { id, key, generation, owner: wanted, outcome } = failed;
    let Some(row) = row(db, *id, key)? else { return Ok(Written::Gone) };
    match row.state {
        State::Leased { owner, .. } if owner == *wanted && row.generation == *generation => {
            set_state(db, &row, outcome.applied_to(row.state))?;
            Ok(Written::Yes)
        }
        _ => Ok(Written::Moved(Box::new(row))),
    }
}

/// Makes every connection [`Failing::Interrupted`] that is leased, or whose refresh token has an unknown fate.
///
/// [`Failing::Interrupted`]: crate::service::store::Failing::Interrupted
pub fn recover(db: &Sqlite) -> rusqlite::Result<Vec<GrantKey>> {
    db.execute(
        "UPDATE connection SET in_doubt = 1, lease_owner = NULL, lease_until = NULL WHERE lease_until IS NOT NULL",
        [],
    )?;
    db.execute("UPDATE connection SET next_try_at = NULL, failures = 0 WHERE in_doubt = 1", [])?;
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

fn set_state(db: &Sqlite, row: &Connection, state: State) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached(&format!("UPDATE connection SET {STATE} WHERE {ROW} AND generation = ?7"))?;
    bind_row(&mut statement, &row.key, &row.id, row.generation)?;
    bind_state(&mut statement, state)?;
    statement.raw_execute().map(drop)
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

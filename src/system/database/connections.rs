//! Connections in SQL. Every statement about one names whose it is.

use std::time::SystemTime;

use rusqlite::{Connection as Sqlite, OptionalExtension, params};

use super::rows::{COLUMNS, bind_row, bind_tokens, connection, connection_of, millis, odd};
use crate::{
    serve::store::{Connection, ConnectionId, NewConnection, Page, Put},
    vault::GrantKey,
};

/// The condition on the four parts of a key, as the first four parameters.
pub const OF_KEY: &str = "user_id = ?1 AND org_key = ?2 AND integration = ?3 AND action = ?4";

pub fn by_key(db: &Sqlite, key: &GrantKey) -> rusqlite::Result<Option<Connection>> {
    db.prepare_cached(&BY_KEY)?
        .query_row(params![key.user.as_str(), key.org, key.integration.as_str(), key.action.as_str()], |row| {
            connection_of(key.clone(), row)
        })
        .optional()
}

pub fn by_id(db: &Sqlite, id: ConnectionId, user: &str, org: &str) -> rusqlite::Result<Option<Connection>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM connection WHERE id = ?1 AND user_id = ?2 AND org_key = ?3"))?
        .query_row(params![id.bytes(), user, org], connection)
        .optional()
}

pub fn page(db: &Sqlite, page: Page<'_>) -> rusqlite::Result<Vec<Connection>> {
    let Page { user, org, integration, action, after, most } = page;
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM connection WHERE user_id = ?1 AND org_key = ?2 AND integration = ifnull(?3, integration) \
         AND action = ifnull(?4, action) AND id > ?5 ORDER BY id LIMIT ?6"
    ))?
    .query_map(
        params![user, org, integration, action, after.as_ref().map_or(&[][..], |id| id.bytes().as_slice()), most],
        connection,
    )?
    .collect()
}

pub fn put(db: &Sqlite, new: &NewConnection, now: SystemTime) -> rusqlite::Result<Put> {
    let NewConnection { id, key, generation, base_url, pinned, access, refresh } = new;
    let sql = match generation {
        1 => {
            "INSERT INTO connection (user_id, org_key, integration, action, id, generation, key_id, status, base_url, \
             issuer, token_endpoint, revocation_endpoint, client_id, subject, token_type, asked, granted, obtained_at, \
             expires_at, expiry_assumed, refreshable_until, due_at, access, refresh, created_at, last_used_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'ok', ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, \
             ?21, ?22, ?23, ?24, ?24) ON CONFLICT DO NOTHING"
        }
        _ => {
            "UPDATE connection SET generation = ?6, key_id = ?7, status = 'ok', since = NULL, failures = 0, \
             next_try_at = NULL, in_doubt = 0, lease_owner = NULL, lease_until = NULL, base_url = ?8, issuer = ?9, \
             token_endpoint = ?10, revocation_endpoint = ?11, client_id = ?12, subject = ?13, token_type = ?14, \
             asked = ?15, granted = ?16, obtained_at = ?17, expires_at = ?18, expiry_assumed = ?19, \
             refreshable_until = ?20, due_at = ?21, access = ?22, refresh = ?23, last_used_at = ?24 \
             WHERE user_id = ?1 AND org_key = ?2 AND integration = ?3 AND action = ?4 AND id = ?5 \
             AND generation = ?6 - 1"
        }
    };
    let mut statement = db.prepare_cached(sql)?;
    bind_row(&mut statement, key, id, *generation)?;
    statement.raw_bind_parameter(7, access.token.key().ok_or_else(|| odd(6))?.as_str())?;
    statement.raw_bind_parameter(8, base_url)?;
    statement.raw_bind_parameter(9, pinned.issuer.as_ref().map(|issuer| issuer.as_str()))?;
    statement.raw_bind_parameter(10, pinned.token_endpoint.as_str())?;
    statement.raw_bind_parameter(11, pinned.revocation_endpoint.as_ref().map(|endpoint| endpoint.as_str()))?;
    statement.raw_bind_parameter(12, pinned.client_id.as_str())?;
    bind_tokens(&mut statement, 13, access, refresh.as_ref())?;
    statement.raw_bind_parameter(24, millis(now))?;
    let written = statement.raw_execute()?;
    Ok(if written == 1 { Put::Stored } else { Put::Moved })
}

pub fn delete(db: &Sqlite, id: ConnectionId, user: &str, org: &str) -> rusqlite::Result<Option<Connection>> {
    db.prepare_cached(&format!(
        "DELETE FROM connection WHERE id = ?1 AND user_id = ?2 AND org_key = ?3 RETURNING {COLUMNS}"
    ))?
    .query_row(params![id.bytes(), user, org], connection)
    .optional()
}

pub fn touch(db: &Sqlite, ids: &[ConnectionId], now: SystemTime) -> rusqlite::Result<()> {
    let mut touch = db.prepare_cached("UPDATE connection SET last_used_at = ?2 WHERE id = ?1")?;
    for id in ids {
        touch.execute(params![id.bytes(), millis(now)])?;
    }
    Ok(())
}

/// The statement of every token that is handed out: not put together anew each time.
static BY_KEY: std::sync::LazyLock<String> =
    std::sync::LazyLock::new(|| format!("SELECT {COLUMNS} FROM connection WHERE {OF_KEY}"));

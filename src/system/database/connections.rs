//! Connections in SQL. Every statement about one has its owner as a condition.

use std::time::SystemTime;

use rusqlite::{Connection as Sqlite, OptionalExtension, params};

use super::rows::{COLUMNS, GOOD, bind_row, bind_tokens, connection, connection_of, key_parts, millis, odd};
use crate::{
    service::store::{Connection, ConnectionId, NewConnection, Page, Put},
    vault::{GrantKey, Owner},
};

/// The condition on the five parts of a key, as the first five parameters.
pub const OF_KEY: &str = "namespace = ?1 AND user_id = ?2 AND org_key = ?3 AND integration = ?4 AND action = ?5";

/// The condition on the owner of a connection, as the first three parameters.
const OF_OWNER: &str = "namespace = ?1 AND user_id = ?2 AND org_key = ?3";

pub fn by_key(db: &Sqlite, key: &GrantKey) -> rusqlite::Result<Option<Connection>> {
    db.prepare_cached(&BY_KEY)?.query_row(key_parts(key), |row| connection_of(key.clone(), row)).optional()
}

pub fn by_id(db: &Sqlite, id: ConnectionId, owner: &Owner) -> rusqlite::Result<Option<Connection>> {
    let Owner { namespace, user, org } = owner;
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM connection WHERE {OF_OWNER} AND id = ?4"))?
        .query_row(params![namespace.as_str(), user.as_str(), org.as_str(), id.bytes()], connection)
        .optional()
}

pub fn page(db: &Sqlite, page: Page<'_>) -> rusqlite::Result<Vec<Connection>> {
    let Page { owner: Owner { namespace, user, org }, integration, action, after, most } = page;
    let after = after.as_ref().map_or(&[][..], |id| id.bytes().as_slice());
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM connection WHERE {OF_OWNER} AND integration = ifnull(?4, integration) \
         AND action = ifnull(?5, action) AND id > ?6 ORDER BY id LIMIT ?7"
    ))?
    .query_map(params![namespace.as_str(), user.as_str(), org.as_str(), integration, action, after, most], connection)?
    .collect()
}

pub fn put(db: &Sqlite, new: &NewConnection, now: SystemTime) -> rusqlite::Result<Put> {
    let NewConnection { id, key, generation, base_url, pinned, access, refresh } = new;
    let sql = match generation {
        1 => {
            "INSERT INTO connection (namespace, user_id, org_key, integration, action, id, generation, key_id, status, \
              base_url, issuer, token_endpoint, revocation_endpoint, client_id, subject, token_type, asked, granted, \
              obtained_at, expires_at, expiry_assumed, refreshable_until, due_at, access, refresh, metadata, created_at, \
              last_used_at, authentication_method) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'ok', ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, \
              ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?26, ?27) ON CONFLICT DO NOTHING"
                .to_owned()
        }
        _ => format!(
            "UPDATE connection SET generation = ?7, key_id = ?8, {GOOD}, base_url = ?9, issuer = ?10, \
             token_endpoint = ?11, revocation_endpoint = ?12, client_id = ?13, subject = ?14, token_type = ?15, \
             asked = ?16, granted = ?17, obtained_at = ?18, expires_at = ?19, expiry_assumed = ?20, \
             refreshable_until = ?21, due_at = ?22, access = ?23, refresh = ?24, metadata = ?25, last_used_at = ?26, \
             authentication_method = ?27 \
             WHERE {OF_KEY} AND id = ?6 AND generation = ?7 - 1"
        ),
    };
    let mut statement = db.prepare_cached(&sql)?;
    bind_row(&mut statement, key, id, *generation)?;
    statement.raw_bind_parameter(8, access.token.key().ok_or_else(|| odd(6))?.as_str())?;
    statement.raw_bind_parameter(9, base_url)?;
    statement.raw_bind_parameter(10, pinned.issuer.as_ref().map(|issuer| issuer.as_str()))?;
    statement.raw_bind_parameter(11, pinned.token_endpoint.as_str())?;
    statement.raw_bind_parameter(12, pinned.revocation_endpoint.as_ref().map(|endpoint| endpoint.as_str()))?;
    statement.raw_bind_parameter(13, pinned.client_id.as_str())?;
    bind_tokens(&mut statement, 14, access, refresh.as_ref())?;
    statement.raw_bind_parameter(26, millis(now))?;
    statement.raw_bind_parameter(27, pinned.authentication_method.as_str())?;
    let written = statement.raw_execute()?;
    Ok(if written == 1 { Put::Stored } else { Put::Moved })
}

pub fn delete(db: &Sqlite, id: ConnectionId, owner: &Owner) -> rusqlite::Result<Option<Connection>> {
    let Owner { namespace, user, org } = owner;
    db.prepare_cached(&format!("DELETE FROM connection WHERE {OF_OWNER} AND id = ?4 RETURNING {COLUMNS}"))?
        .query_row(params![namespace.as_str(), user.as_str(), org.as_str(), id.bytes()], connection)
        .optional()
}

pub fn touch(db: &Sqlite, ids: &[ConnectionId], now: SystemTime) -> rusqlite::Result<()> {
    let mut touch = db.prepare_cached("UPDATE connection SET last_used_at = ?2 WHERE id = ?1")?;
    for id in ids {
        touch.execute(params![id.bytes(), millis(now)])?;
    }
    Ok(())
}

/// The statement of every token request, formatted once.
static BY_KEY: std::sync::LazyLock<String> =
    std::sync::LazyLock::new(|| format!("SELECT {COLUMNS} FROM connection WHERE {OF_KEY}"));

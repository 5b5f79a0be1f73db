//! Flows in SQL.

use std::time::SystemTime;

use rusqlite::{Connection as Sqlite, OptionalExtension, Row, params};

use super::rows::{key, key_parts, millis, odd, time};
use crate::{
    deadlines::FLOW_REMEMBERED,
    service::{
        keys::Sealed,
        store::{Flow, FlowDone, FlowEnd, FlowId, PutFlow, Taken},
    },
};

pub fn put(db: &Sqlite, flow: &Flow, most: u32, now: SystemTime) -> rusqlite::Result<PutFlow> {
    let [namespace, user, org, integration, action] = key_parts(&flow.key);
    let unfinished: u32 = db
        .prepare_cached(
            "SELECT count(*) FROM flow WHERE namespace = ?1 AND user_id = ?2 AND org_key = ?3 AND expires_at > ?4",
        )?
        .query_row(params![namespace, user, org, millis(now)], |row| row.get(0))?;
    if unfinished >= most {
        return Ok(PutFlow::TooMany);
    }
    let mut insert = db.prepare_cached(
        "INSERT INTO flow (id, namespace, user_id, org_key, integration, action, key_id, expires_at, browser, \
         app_callback_url, content) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    insert.execute(params![
        flow.id.bytes(),
        namespace,
        user,
        org,
        integration,
        action,
        flow.content.key().ok_or_else(|| odd(6))?.as_str(),
        millis(flow.expires_at),
        flow.browser,
        flow.app_callback_url,
        flow.content.bytes(),
    ])?;
    Ok(PutFlow::Stored)
}

pub fn take(db: &Sqlite, id: FlowId, integration: &str, now: SystemTime) -> rusqlite::Result<Taken> {
    let flow = db
        .prepare_cached(
            "DELETE FROM flow WHERE id = ?1 AND integration = ?2 RETURNING id, namespace, user_id, org_key, integration, action, \
             expires_at, browser, app_callback_url, content",
        )?
        .query_row(params![id.bytes(), integration], flow)
        .optional()?;
    if let Some(flow) = flow {
        let end = if flow.expires_at > now { FlowEnd::Used } else { FlowEnd::Expired };
        let done = done_of(&flow, end, now);
        remember(db, &done)?;
        return Ok(match end {
            FlowEnd::Used => Taken::Now(Box::new(flow)),
            FlowEnd::Expired => Taken::Ended(Box::new(done)),
        });
    }
    let done = db
        .prepare_cached(
            "SELECT id, namespace, user_id, org_key, integration, action, \"end\", ended_at, browser, app_callback_url \
             FROM flow_done WHERE id = ?1 AND integration = ?2",
        )?
        .query_row(params![id.bytes(), integration], done)
        .optional()?;
    Ok(match done {
        Some(done) if done.ended_at + FLOW_REMEMBERED > now => Taken::Ended(Box::new(done)),
        _ => Taken::Unknown,
    })
}

pub fn sweep(db: &Sqlite, most: u32, now: SystemTime) -> rusqlite::Result<u32> {
    let mut expired = db.prepare_cached(
        "DELETE FROM flow WHERE id IN (SELECT id FROM flow WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2) \
         RETURNING id, namespace, user_id, org_key, integration, action, expires_at, browser, app_callback_url, content",
    )?;
    let flows: Vec<Flow> = expired.query_map(params![millis(now), most], flow)?.collect::<rusqlite::Result<_>>()?;
    for flow in &flows {
        remember(db, &done_of(flow, FlowEnd::Expired, now))?;
    }
    let long_ago = now.checked_sub(FLOW_REMEMBERED).map_or(0, millis);
    let forgotten = db
        .prepare_cached(
            "DELETE FROM flow_done WHERE id IN \
             (SELECT id FROM flow_done WHERE ended_at <= ?1 ORDER BY ended_at LIMIT ?2)",
        )?
        .execute(params![long_ago, most])?;
    Ok(u32::try_from(flows.len().max(forgotten)).unwrap_or(u32::MAX))
}

fn done_of(flow: &Flow, end: FlowEnd, ended_at: SystemTime) -> FlowDone {
    let Flow { id, key, app_callback_url, browser, .. } = flow.clone();
    FlowDone { id, key, app_callback_url, browser, end, ended_at }
}

fn remember(db: &Sqlite, done: &FlowDone) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO flow_done (id, namespace, user_id, org_key, integration, action, \"end\", ended_at, browser, \
         app_callback_url) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    let [namespace, user, org, integration, action] = key_parts(&done.key);
    insert.execute(params![
        done.id.bytes(),
        namespace,
        user,
        org,
        integration,
        action,
        match done.end {
            FlowEnd::Expired => "expired",
            FlowEnd::Used => "used",
        },
        millis(done.ended_at),
        done.browser,
        done.app_callback_url,
    ])?;
    Ok(())
}

fn flow(row: &Row<'_>) -> rusqlite::Result<Flow> {
    Ok(Flow {
        id: FlowId::new(row.get(0)?),
        key: key(row, 1)?,
        expires_at: time(row.get(6)?),
        browser: row.get(7)?,
        app_callback_url: row.get(8)?,
        content: Sealed::from_stored(row.get(9)?),
    })
}

fn done(row: &Row<'_>) -> rusqlite::Result<FlowDone> {
    Ok(FlowDone {
        id: FlowId::new(row.get(0)?),
        key: key(row, 1)?,
        end: if row.get_ref(6)?.as_str()? == "used" { FlowEnd::Used } else { FlowEnd::Expired },
        ended_at: time(row.get(7)?),
        browser: row.get(8)?,
        app_callback_url: row.get(9)?,
    })
}

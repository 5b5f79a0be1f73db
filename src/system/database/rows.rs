//! Rows to values and back.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{ErrorCode, Row, Statement, types::Type};

use crate::{
    catalog::IntegrationName,
    oauth::{AuthenticationMethod, ClientId, Endpoint, Expiry, Issuer, Scopes, TokenType},
    service::{
        keys::Sealed,
        store::{Access, Connection, ConnectionId, Delay, Failing, Fate, LeaseOwner, ReauthReason, State, StoreFault},
    },
    vault::{AccountName, ActionKey, GrantKey, Namespace, OrgKey, Owner, Pinned},
};

/// The columns that [`connection`] reads, in this order.
pub const COLUMNS: &str = "id, namespace, user_id, org_key, integration, action, generation, status, since, failures, \
    next_try_at, in_doubt, created_at, last_used_at, base_url, issuer, token_endpoint, revocation_endpoint, client_id, \
    subject, token_type, asked, granted, obtained_at, expires_at, expiry_assumed, refreshable_until, due_at, access, \
    refresh, lease_owner, lease_until, authentication_method, metadata";

/// The assignments for [`bind_state`].
pub const STATE: &str = "status = ?8, since = ?9, failures = ?10, next_try_at = ?11, in_doubt = ?12, lease_owner = ?13, \
    lease_until = ?14";

/// [`State::Good`], for statements that write tokens.
pub const GOOD: &str = "status = 'ok', since = NULL, failures = 0, next_try_at = NULL, in_doubt = 0, lease_owner = NULL, \
    lease_until = NULL";

/// The status of every state except [`State::Reauth`], whose status is the reason.
const OK: &str = "ok";

/// The five parts of a key, as parameters.
pub fn key_parts(key: &GrantKey) -> [&str; 5] {
    let GrantKey { owner, integration, action } = key;
    let Owner { namespace, user, org } = owner;
    [namespace.as_str(), user.as_str(), org.as_str(), integration.as_str(), action.as_str()]
}

/// Binds parameters 1 to 7: the key, the identifier and a generation.
pub fn bind_row(
    statement: &mut Statement<'_>,
    key: &GrantKey,
    id: &ConnectionId,
    generation: u64,
) -> rusqlite::Result<()> {
    for (at, part) in (1..).zip(key_parts(key)) {
        statement.raw_bind_parameter(at, part)?;
    }
    statement.raw_bind_parameter(6, id.bytes())?;
    statement.raw_bind_parameter(7, stored(generation))
}

/// Binds the tokens, from parameter `first`: subject, token_type, asked, granted, obtained_at, expires_at,
/// expiry_assumed, refreshable_until, due_at, access, refresh, metadata.
pub fn bind_tokens(
    statement: &mut Statement<'_>,
    first: usize,
    access: &Access,
    refresh: Option<&Sealed>,
) -> rusqlite::Result<()> {
    statement.raw_bind_parameter(first, &access.subject)?;
    statement.raw_bind_parameter(first + 1, access.token_type.as_str())?;
    statement.raw_bind_parameter(first + 2, access.asked.to_string())?;
    statement.raw_bind_parameter(first + 3, access.granted.to_string())?;
    statement.raw_bind_parameter(first + 4, millis(access.obtained_at))?;
    statement.raw_bind_parameter(first + 5, millis(access.expiry.stored_end(access.obtained_at)))?;
    statement.raw_bind_parameter(first + 6, !access.expiry.is_stated())?;
    statement.raw_bind_parameter(first + 7, access.refreshable_until.map(millis))?;
    statement.raw_bind_parameter(first + 8, access.due_at.map(millis))?;
    statement.raw_bind_parameter(first + 9, access.token.bytes())?;
    statement.raw_bind_parameter(first + 10, refresh.map(Sealed::bytes))?;
    statement.raw_bind_parameter(first + 11, access.metadata.as_ref().map(Sealed::bytes))
}

/// Binds a state, as parameters 8 to 14.
pub fn bind_state(statement: &mut Statement<'_>, state: State) -> rusqlite::Result<()> {
    let (status, since) = match state {
        State::Reauth { reason, since } => (reason.as_str(), Some(millis(since))),
        State::Failing(_) | State::Good | State::Leased { .. } => (OK, None),
    };
    let lease = match state {
        State::Leased { owner, until, .. } => Some((owner, millis(until))),
        State::Failing(_) | State::Good | State::Reauth { .. } => None,
    };
    statement.raw_bind_parameter(8, status)?;
    statement.raw_bind_parameter(9, since)?;
    statement.raw_bind_parameter(10, state.delay().map_or(0, |delay| delay.failures))?;
    statement.raw_bind_parameter(11, state.delay().map(|delay| millis(delay.until)))?;
    statement.raw_bind_parameter(12, state.fate() == Fate::Unknown)?;
    statement.raw_bind_parameter(13, lease.as_ref().map(|(owner, _)| owner.bytes()))?;
    statement.raw_bind_parameter(14, lease.map(|(_, until)| until))
}

/// The state of a row. Columns that contradict each other are refused: no version of this program wrote them.
fn state(row: &Row<'_>) -> rusqlite::Result<State> {
    let status = row.get_ref(7)?.as_str()?;
    let (since, failures, next_try): (Option<i64>, u32, Option<i64>) = (row.get(8)?, row.get(9)?, row.get(10)?);
    let fate = if row.get(11)? { Fate::Unknown } else { Fate::Known };
    let failing = match (next_try.map(time), failures, fate) {
        (Some(until), 1.., fate) => Some(Failing::Delayed { delay: Delay { failures, until }, fate }),
        // Version 0.1 left the number of failures when a start ended the delay.
        (None, _, Fate::Unknown) => Some(Failing::Interrupted),
        (None, 0, Fate::Known) => None,
        _ => return Err(odd(10)),
    };
    let lease = match (row.get::<_, Option<[u8; 16]>>(30)?, row.get::<_, Option<i64>>(31)?) {
        (Some(owner), Some(until)) => Some((LeaseOwner::new(owner), time(until))),
        (None, None) => None,
        _ => return Err(odd(30)),
    };
    match (status, since, failing, lease) {
        (OK, None, None, None) => Ok(State::Good),
        (OK, None, Some(failing), None) => Ok(State::Failing(failing)),
        (OK, None, before, Some((owner, until))) => Ok(State::Leased { owner, until, before }),
        (reason, Some(since), None, None) => {
            Ok(State::Reauth { reason: ReauthReason::parse(reason).ok_or_else(|| odd(7))?, since: time(since) })
        }
        _ => Err(odd(7)),
    }
}

pub fn connection(row: &Row<'_>) -> rusqlite::Result<Connection> {
    connection_of(key(row, 1)?, row)
}

/// A row that was looked up by this key.
pub fn connection_of(key: GrantKey, row: &Row<'_>) -> rusqlite::Result<Connection> {
    let expires_at = time(row.get(24)?);
    let refresh = row.get::<_, Option<Vec<u8>>>(29)?.map(Sealed::from_stored);
    let expiry = match (row.get(25)?, &refresh) {
        (false, _) => Expiry::At(expires_at),
        (true, Some(_)) => Expiry::Assumed(expires_at),
        (true, None) => Expiry::Unknown,
    };
    let token_type = row.get_ref(20)?.as_str()?;
    Ok(Connection {
        id: ConnectionId::new(row.get(0)?),
        key,
        generation: generation(row.get(6)?),
        base_url: row.get(14)?,
        pinned: Pinned {
            issuer: optional(row, 15, |text| Issuer::parse(text).ok())?,
            token_endpoint: Endpoint::parse(row.get_ref(16)?.as_str()?).map_err(|_| odd(16))?,
            revocation_endpoint: optional(row, 17, |text| Endpoint::parse(text).ok())?,
            client_id: ClientId::parse(row.get_ref(18)?.as_str()?).ok_or_else(|| odd(18))?,
            authentication_method: optional(row, 32, AuthenticationMethod::parse)?.unwrap_or_default(),
        },
        state: state(row)?,
        access: Access {
            token: Sealed::from_stored(row.get(28)?),
            token_type: match token_type {
                "Bearer" => TokenType::Bearer,
                other => TokenType::Other(other.to_owned()),
            },
            asked: Scopes::parse(row.get_ref(21)?.as_str()?).map_err(|_| odd(21))?,
            granted: Scopes::parse(row.get_ref(22)?.as_str()?).map_err(|_| odd(22))?,
            obtained_at: time(row.get(23)?),
            expiry,
            refreshable_until: row.get::<_, Option<i64>>(26)?.map(time),
            subject: row.get(19)?,
            metadata: row.get::<_, Option<Vec<u8>>>(33)?.map(Sealed::from_stored),
            due_at: row.get::<_, Option<i64>>(27)?.map(time),
        },
        refresh,
        created_at: time(row.get(12)?),
        last_used_at: time(row.get(13)?),
    })
}

/// Reads the five parts of a key, from column `at`.
pub fn key(row: &Row<'_>, at: usize) -> rusqlite::Result<GrantKey> {
    let owner = Owner {
        namespace: Namespace::parse(row.get_ref(at)?.as_str()?).map_err(|_| odd(at))?,
        user: AccountName::parse(row.get_ref(at + 1)?.as_str()?).map_err(|_| odd(at + 1))?,
        org: OrgKey::parse(row.get_ref(at + 2)?.as_str()?).ok_or_else(|| odd(at + 2))?,
    };
    let integration = IntegrationName::parse(row.get_ref(at + 3)?.as_str()?).map_err(|_| odd(at + 3))?;
    let action = ActionKey::parse(row.get_ref(at + 4)?.as_str()?).map_err(|_| odd(at + 4))?;
    Ok(GrantKey { owner, integration, action })
}

fn optional<T>(row: &Row<'_>, at: usize, parse: impl Fn(&str) -> Option<T>) -> rusqlite::Result<Option<T>> {
    row.get_ref(at)?.as_str_or_null()?.map(|text| parse(text).ok_or_else(|| odd(at))).transpose()
}

pub fn odd(column: usize) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, "not what this program writes".into())
}

pub fn millis(time: SystemTime) -> i64 {
    i64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

pub fn time(millis: i64) -> SystemTime {
    let since = Duration::from_millis(u64::try_from(millis).unwrap_or_default());
    UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
}

pub fn generation(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or_default()
}

pub fn stored(generation: u64) -> i64 {
    i64::try_from(generation).unwrap_or(i64::MAX)
}

/// The texts are SQLite's, which name columns and never values.
pub fn fault(error: rusqlite::Error) -> StoreFault {
    let rusqlite::Error::SqliteFailure(failure, text) = &error else {
        return StoreFault::Broken(error.to_string());
    };
    let why = text.clone().unwrap_or_else(|| failure.to_string());
    match failure.code {
        ErrorCode::CannotOpen
        | ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::DiskFull
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::OperationAborted
        | ErrorCode::OperationInterrupted
        | ErrorCode::OutOfMemory
        | ErrorCode::PermissionDenied
        | ErrorCode::ReadOnly
        | ErrorCode::SystemIoFailure => StoreFault::Unavailable(why),
        _ => StoreFault::Broken(why),
    }
}

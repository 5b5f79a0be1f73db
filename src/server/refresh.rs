//! Access tokens that stay valid: one refresh for all callers that need it.
//!
//! A valid token is returned at once. A stale one is refreshed by a separate task, which continues when callers
//! disconnect: it takes the lease, sends one request without an open transaction, stores the tokens and notifies the
//! callers. If the database rejects the tokens, they stay in the encrypted journal and the task retries.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::{sync::Semaphore, time::timeout};

use self::ongoing::{Ongoing, RefreshEnd, Waiter};
use super::{
    revocation::Revoked,
    sealed_store::{SealedStore, SealedStoreFault},
};
use crate::{
    catalog::IntegrationName,
    deadlines::CALLER_WAITS,
    oauth::{Client, Expiry, GrantMetadata, HttpClient, ScopeRules, Scopes, TokenType},
    refresh::{
        Refusals,
        covering::{self, Coverage, Granted},
    },
    secret::Secret,
    service::{
        refresh_plan::{Decision, Issued, Meanwhile, Origin, TokenAnswer, TokenRequest, decide},
        store::{Connection, ConnectionId, Refreshable, StoreFault},
    },
    system::{clock, private_files::PrivateFiles},
    vault::{ActionKey, GrantKey},
};

mod lease;
mod ongoing;
mod stored_token;
mod upkeep;

/// Requests to providers at the same time.
const REQUESTS_AT_ONCE: usize = 64;

/// What a refresh needs to know about the configured integrations.
pub trait Integrations: Send + Sync {
    /// `None`: the integration is not configured any more.
    fn client(&self, connection: &Connection) -> Option<Client>;

    /// What an action needs; `None`: there is no such action any more.
    fn needed(&self, integration: &IntegrationName, action: &ActionKey) -> Option<Needed<'_>>;

    /// HTTP for one attempt, whose requests all end within [`SERVICE_REQUESTS`](crate::deadlines::SERVICE_REQUESTS).
    fn http(&self, connection: &Connection) -> Box<dyn HttpClient + Send>;

    /// For the operator: what is unusual about the response to a refresh, without any value of it.
    fn note_response(&self, integration: &IntegrationName, response: &str);
}

/// What an action needs, and what is known of its provider's scopes.
#[derive(Clone, Copy)]
pub struct Needed<'a> {
    pub scopes: &'a Scopes,
    pub rules: &'a ScopeRules,
}

impl Needed<'_> {
    /// Whether a connection with these scopes serves the action.
    fn by(self, asked: &Scopes, granted: &Scopes) -> Coverage {
        covering::coverage(Granted { asked, granted }, self.scopes, self.rules)
    }
}

/// Clones share their state.
#[derive(Clone)]
pub struct Refresher(Arc<Shared>);

struct Shared {
    sealed: SealedStore,
    integrations: Arc<dyn Integrations>,
    files: PrivateFiles,
    ongoing: Mutex<HashMap<ConnectionId, Ongoing>>,
    misconfigured: Mutex<BTreeMap<IntegrationName, Mark>>,
    /// Connections that were refused for an unknown reason since the last success of their integration.
    refused: Mutex<BTreeMap<IntegrationName, HashSet<ConnectionId>>>,
    /// Such refusals of one connection, and the generation of the refresh token that was refused. A restart begins to
    /// count again, so that a grant is never given up too early.
    refusals: Mutex<HashMap<ConnectionId, (u64, Refusals)>>,
    used: Mutex<HashSet<ConnectionId>>,
    permits: Semaphore,
}

/// An integration whose refreshes are rejected: since when, and until when no request is sent.
#[derive(Clone, Copy, Debug)]
struct Mark {
    since: SystemTime,
    until: SystemTime,
    why: Why,
}

/// What an integration is marked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// The provider rejects the client itself, so that nobody is served.
    Client,
    /// Refreshes of several connections were refused in a row. A connection without a failure of its own is still tried:
    /// no other user's grant may cost it anything.
    Refusals,
}

impl Refresher {
    pub fn new(sealed: SealedStore, integrations: Arc<dyn Integrations>, files: PrivateFiles) -> Self {
        Self(Arc::new(Shared {
            sealed,
            integrations,
            files,
            ongoing: Mutex::default(),
            misconfigured: Mutex::default(),
            refused: Mutex::default(),
            refusals: Mutex::default(),
            used: Mutex::default(),
            permits: Semaphore::new(REQUESTS_AT_ONCE),
        }))
    }

    /// A token for this user, organization, integration and action.
    ///
    /// # Errors
    /// The database cannot be used, or a secret of the row cannot be decrypted.
    pub async fn token(&self, key: &GrantKey, wanted: TokenRequest) -> Result<TokenAnswer, SealedStoreFault> {
        let shared = &self.0;
        let Some(needed) = shared.integrations.needed(&key.integration, &key.action) else {
            return Ok(TokenAnswer::NotConnected);
        };
        let Some(mut row) = shared.covering(key, needed).await? else { return Ok(TokenAnswer::NotConnected) };
        // Another node may have written the row during the refresh. The row is then read and judged again.
        for _ in 0..3 {
            let unnamed = match needed.by(&row.access.asked, &row.access.granted) {
                Coverage::Covered { unnamed } => unnamed,
                Coverage::Lacking { missing } => {
                    let (connection, granted) = (row.id, row.access.granted);
                    return Ok(TokenAnswer::InsufficientScope { connection, granted, missing });
                }
            };
            let now = clock::now();
            let meanwhile = match decide(&row, wanted, now) {
                Decision::HandOut => return shared.hand_out(&row, &unnamed, now),
                Decision::Reauth { reason, since } => {
                    return Ok(TokenAnswer::ReauthRequired { connection: row.id, reason, since });
                }
                Decision::Refresh { meanwhile } => meanwhile,
            };
            if let Some(answer) = shared.pausing(&row, &unnamed, meanwhile, now) {
                return answer;
            }
            let mut ongoing = match self.join(&row) {
                Waiter::Joined(_) if meanwhile == Meanwhile::Suits => return shared.hand_out(&row, &unnamed, now),
                Waiter::First(ongoing) | Waiter::Joined(ongoing) => ongoing,
            };
            let end = match timeout(CALLER_WAITS, ongoing.wait_for(Option::is_some)).await {
                Ok(Ok(end)) => end.clone(),
                Ok(Err(_)) => Some(RefreshEnd::Failed("the refresh was given up".into())),
                Err(_) => None,
            };
            let now = clock::now();
            let unavailable = |until: SystemTime| {
                let retry_after = until.duration_since(now).unwrap_or_default().max(Duration::from_secs(1));
                TokenAnswer::Unavailable { retry_after }
            };
            let answer = match end {
                Some(RefreshEnd::Gone) => return Ok(TokenAnswer::Gone),
                Some(RefreshEnd::Refreshed(issued)) => {
                    return Ok(match needed.by(&row.access.asked, &issued.granted) {
                        Coverage::Covered { unnamed } => {
                            TokenAnswer::Ok(Box::new(Issued { missing: unnamed, ..*issued }))
                        }
                        Coverage::Lacking { missing } => {
                            let (connection, granted) = (issued.connection, issued.granted);
                            TokenAnswer::InsufficientScope { connection, granted, missing }
                        }
                    });
                }
                Some(RefreshEnd::Read) => match shared.sealed.store.connection(&row.key).await? {
                    Some(read) => {
                        row = read;
                        continue;
                    }
                    None => return Ok(TokenAnswer::Gone),
                },
                Some(RefreshEnd::Failed(why)) => return Err(SealedStoreFault::Store(StoreFault::Unavailable(why))),
                Some(RefreshEnd::Unreadable(why)) => return Err(SealedStoreFault::Sealed(why)),
                Some(RefreshEnd::Misconfigured { since }) => TokenAnswer::Misconfigured { since },
                Some(RefreshEnd::Unavailable { until }) => unavailable(until),
                None => unavailable(now),
            };
            return match meanwhile {
                Meanwhile::Nothing => Ok(answer),
                Meanwhile::Lasts | Meanwhile::Suits => shared.hand_out(&row, &unnamed, now),
            };
        }
        Ok(TokenAnswer::Unavailable { retry_after: Duration::from_secs(1) })
    }

    /// Revokes the grant of a deleted connection at the provider. Blocks.
    pub fn revoke(&self, row: &Connection) -> Revoked {
        let shared = &self.0;
        let Ok(record) = shared.sealed.record(row) else { return Revoked::Failed };
        let unstored = shared.integrations.client(row).and_then(|client| shared.unstored(row, &record, &client));
        shared.revoke(row, &unstored.unwrap_or(record).grant)
    }

    /// What the provider has not granted, or does not name, of what the connection's action needs.
    pub fn missing(&self, row: &Connection) -> Scopes {
        let needed = self.0.integrations.needed(&row.key.integration, &row.key.action);
        let coverage = needed.map(|needed| needed.by(&row.access.asked, &row.access.granted));
        coverage.map(|coverage| coverage.missing().clone()).unwrap_or_default()
    }

    /// Integrations whose client the provider rejects, and since when.
    pub fn misconfigured(&self) -> Vec<(IntegrationName, SystemTime)> {
        locked(&self.0.misconfigured).iter().map(|(name, mark)| (name.clone(), mark.since)).collect()
    }

    /// Called when a provider has accepted the client of this integration.
    pub fn accepted(&self, integration: &IntegrationName) {
        locked(&self.0.misconfigured).remove(integration);
        locked(&self.0.refused).remove(integration);
    }
}

fn handed_out(
    row: &Connection,
    access_token: Secret,
    token_type: TokenType,
    expiry: Expiry,
    granted: Scopes,
    refreshable: Refreshable,
    origin: Origin,
) -> Issued {
    let expires_at = match expiry {
        Expiry::At(time) => Some(time),
        Expiry::Assumed(_) | Expiry::Unknown => None,
    };
    Issued {
        connection: row.id,
        access_token,
        token_type,
        expires_at,
        granted,
        missing: Scopes::default(),
        metadata: GrantMetadata::default(),
        account: None,
        base_url: row.base_url.clone(),
        refreshable,
        origin,
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

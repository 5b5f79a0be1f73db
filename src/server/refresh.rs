//! Tokens that stay alive: a caller's wish, one refresh for all who ask, and what becomes of it.
//!
//! A valid token is handed out at once. A stale one is refreshed by a task of its own that nobody's hanging up ends: it
//! takes the lease, sends one request with no transaction open, brings home what came, and tells everybody who waits.
//! What the database does not take stays in the sealed journal and with the task until it does.

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
    oauth::{Client, Expiry, HttpClient, Scopes, TokenType},
    refresh::covering,
    secret::Secret,
    service::{
        refresh_plan::{Decision, Issued, Meanwhile, Origin, TokenAnswer, TokenRequest, decide},
        store::{Connection, ConnectionId, StoreFault},
    },
    system::{clock, private_files::PrivateFiles},
    vault::{ActionKey, GrantKey},
};

mod lease;
mod ongoing;
mod stored_token;
mod upkeep;

/// Requests to providers at once.
const REQUESTS_AT_ONCE: usize = 64;

/// What the refresh has to know of the configured integrations.
pub trait Integrations: Send + Sync {
    /// `None`: it is not configured any more.
    fn client(&self, connection: &Connection) -> Option<Client>;

    /// What an action needs; `None`: there is no such action any more.
    fn scopes(&self, integration: &IntegrationName, action: &ActionKey) -> Option<&Scopes>;

    /// For one attempt, all of whose requests end within [`SERVICE_REQUESTS`](crate::deadlines::SERVICE_REQUESTS).
    fn http(&self, connection: &Connection) -> Box<dyn HttpClient + Send>;
}

/// The engine; clones share it.
#[derive(Clone)]
pub struct Refresher(Arc<Shared>);

struct Shared {
    sealed: SealedStore,
    integrations: Arc<dyn Integrations>,
    files: PrivateFiles,
    ongoing: Mutex<HashMap<ConnectionId, Ongoing>>,
    misconfigured: Mutex<BTreeMap<IntegrationName, RefusedClient>>,
    used: Mutex<HashSet<ConnectionId>>,
    permits: Semaphore,
}

/// A client that the provider refuses.
#[derive(Clone, Copy, Debug)]
struct RefusedClient {
    since: SystemTime,
    until: SystemTime,
}

impl Refresher {
    pub fn new(sealed: SealedStore, integrations: Arc<dyn Integrations>, files: PrivateFiles) -> Self {
        Self(Arc::new(Shared {
            sealed,
            integrations,
            files,
            ongoing: Mutex::default(),
            misconfigured: Mutex::default(),
            used: Mutex::default(),
            permits: Semaphore::new(REQUESTS_AT_ONCE),
        }))
    }

    /// A token for this user, organization, integration and action.
    ///
    /// # Errors
    /// The database cannot be asked, or a cell of it does not open.
    pub async fn token(&self, key: &GrantKey, wanted: TokenRequest) -> Result<TokenAnswer, SealedStoreFault> {
        let shared = &self.0;
        let Some(needed) = shared.integrations.scopes(&key.integration, &key.action) else {
            return Ok(TokenAnswer::NotConnected);
        };
        let Some(mut row) = shared.covering(key, needed).await? else { return Ok(TokenAnswer::NotConnected) };
        // A refresh may end in a row that another has written meanwhile, which is judged anew.
        for _ in 0..3 {
            let missing = covering::missing(&row.access.granted, needed);
            if !missing.is_empty() {
                let (connection, granted) = (row.id, row.access.granted);
                return Ok(TokenAnswer::InsufficientScope { connection, granted, missing });
            }
            let now = clock::now();
            let meanwhile = match decide(&row, wanted, now) {
                Decision::HandOut => return shared.hand_out(&row, now),
                Decision::Reauth { reason, since } => {
                    return Ok(TokenAnswer::ReauthRequired { connection: row.id, reason, since });
                }
                Decision::Refresh { meanwhile } => meanwhile,
            };
            if let Some(answer) = shared.pausing(&row, meanwhile, now) {
                return answer;
            }
            let mut ongoing = match self.join(&row) {
                Waiter::Joined(_) if meanwhile == Meanwhile::Suits => return shared.hand_out(&row, now),
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
                Some(RefreshEnd::Renewed(issued)) => {
                    let missing = covering::missing(&issued.granted, needed);
                    return Ok(match missing.is_empty() {
                        true => TokenAnswer::Ok(issued),
                        false => {
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
                Meanwhile::Lasts | Meanwhile::Suits => shared.hand_out(&row, now),
            };
        }
        Ok(TokenAnswer::Unavailable { retry_after: Duration::from_secs(1) })
    }

    /// Has the provider end the grant of a connection that was deleted. Blocks.
    pub fn revoke(&self, row: &Connection) -> Revoked {
        let shared = &self.0;
        let Ok(record) = shared.sealed.record(row) else { return Revoked::Failed };
        let unstored = shared.integrations.client(row).and_then(|client| shared.unstored(row, &record, &client));
        shared.revoke(row, &unstored.unwrap_or(record).grant)
    }

    /// Integrations whose client the provider refuses, and since when.
    pub fn misconfigured(&self) -> Vec<(IntegrationName, SystemTime)> {
        locked(&self.0.misconfigured).iter().map(|(name, mark)| (name.clone(), mark.since)).collect()
    }

    /// The provider has taken the client of this integration.
    pub fn accepted(&self, integration: &IntegrationName) {
        locked(&self.0.misconfigured).remove(integration);
    }
}

fn handed_out(
    row: &Connection,
    access_token: Secret,
    token_type: TokenType,
    expiry: Expiry,
    granted: Scopes,
    origin: Origin,
) -> Issued {
    let expires_at = match expiry {
        Expiry::At(time) => Some(time),
        Expiry::Assumed(_) => None,
    };
    Issued { connection: row.id, access_token, token_type, expires_at, granted, base_url: row.base_url.clone(), origin }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

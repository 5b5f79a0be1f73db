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

use tokio::{
    sync::{Semaphore, watch},
    task,
    time::{sleep, timeout},
};

use super::{
    attempt::{Failed, HTTP, journal},
    ledger::{Ledger, LedgerFault},
    revocation::Revoked,
};
use crate::{
    catalog::IntegrationName,
    oauth::{Client, Expiry, HttpClient, Scopes, TokenType, Verdict},
    refresh::Reached,
    secret::Secret,
    serve::{
        keys::Unopened,
        renewal::{
            Consequence, Doubt, Issued, Judgement, Meanwhile, Origin, TokenAnswer, TokenWish, consequence, judge,
            missing,
        },
        store::{
            Connection, ConnectionId, Delay, Lease, LeaseOwner, ReauthReason, Setback, Status, StoreFault, Written,
        },
    },
    system::{clock, pause, private_files::PrivateFiles},
    vault::{ActionKey, Grant, GrantKey, Journal, StateFiles},
};

mod shared;

/// How long a caller waits for a refresh.
const PATIENCE: Duration = Duration::from_secs(25);
/// Requests to providers at once.
const AT_ONCE: usize = 64;
/// How often connections that are due are looked for.
const ROUND: Duration = Duration::from_secs(60);
/// At most so many in one round.
const ROUND_SIZE: u32 = 500;
/// What was not used for longer is refreshed only when it is asked for.
const USED_WITHIN: Duration = Duration::from_secs(7 * 24 * 3600);
/// In doubt, a provider that forgives does so for a short while: it is asked again so often without a caller.
const DOUBTED_TRIES: u32 = 4;

const _: () = assert!(HTTP.as_secs() < Lease::LASTS.as_secs(), "a lease outlives every request made under it");

/// What the refresh has to know of the configured integrations.
pub trait Integrations: Send + Sync {
    /// `None`: it is not configured any more.
    fn client(&self, connection: &Connection) -> Option<Client>;

    /// What an action needs; `None`: there is no such action any more.
    fn scopes(&self, integration: &IntegrationName, action: &ActionKey) -> Option<&Scopes>;

    /// For one attempt, all of whose requests end within [`HTTP`].
    fn http(&self, connection: &Connection) -> Box<dyn HttpClient + Send>;
}

/// The engine; clones share it.
#[derive(Clone)]
pub struct Renewer(Arc<Shared>);

struct Shared {
    ledger: Ledger,
    integrations: Arc<dyn Integrations>,
    files: PrivateFiles,
    flights: Mutex<HashMap<ConnectionId, Flight>>,
    misconfigured: Mutex<BTreeMap<IntegrationName, Mark>>,
    used: Mutex<HashSet<ConnectionId>>,
    places: Semaphore,
}

/// A client that the provider refuses.
#[derive(Clone, Copy, Debug)]
struct Mark {
    since: SystemTime,
    until: SystemTime,
}

type Flight = watch::Receiver<Option<Landed>>;

/// How a refresh ended, for those who wait for it.
#[derive(Clone, Debug)]
enum Landed {
    Failed(String),
    Gone,
    Misconfigured {
        since: SystemTime,
    },
    /// The row tells.
    Read,
    /// Stored or not: it is the newest there is.
    Renewed(Box<Issued>),
    Unavailable {
        until: SystemTime,
    },
    Unreadable(Unopened),
}

/// Who waits.
enum Seat {
    First(Flight),
    Joined(Flight),
}

impl Renewer {
    pub fn new(ledger: Ledger, integrations: Arc<dyn Integrations>, files: PrivateFiles) -> Self {
        Self(Arc::new(Shared {
            ledger,
            integrations,
            files,
            flights: Mutex::default(),
            misconfigured: Mutex::default(),
            used: Mutex::default(),
            places: Semaphore::new(AT_ONCE),
        }))
    }

    /// A token for this user, organisation, integration and action.
    ///
    /// # Errors
    /// The database cannot be asked, or a cell of it does not open.
    pub async fn token(&self, key: &GrantKey, wish: TokenWish) -> Result<TokenAnswer, LedgerFault> {
        let shared = &self.0;
        let Some(needed) = shared.integrations.scopes(&key.integration, &key.action) else {
            return Ok(TokenAnswer::NotConnected);
        };
        let Some(mut row) = shared.covering(key, needed).await? else { return Ok(TokenAnswer::NotConnected) };
        // A refresh may end in a row that another has written meanwhile, which is judged anew.
        for _ in 0..3 {
            let missing = missing(&row.access.granted, needed);
            if !missing.is_empty() {
                let (connection, granted) = (row.id, row.access.granted);
                return Ok(TokenAnswer::InsufficientScope { connection, granted, missing });
            }
            let now = clock::now();
            let meanwhile = match judge(&row, wish, now) {
                Judgement::HandOut => return shared.hand_out(&row, now),
                Judgement::Reauth { reason, since } => {
                    return Ok(TokenAnswer::ReauthRequired { connection: row.id, reason, since });
                }
                Judgement::Refresh { meanwhile } => meanwhile,
            };
            if let Some(answer) = shared.pausing(&row, meanwhile, now) {
                return answer;
            }
            let mut flight = match self.board(&row) {
                Seat::Joined(_) if meanwhile == Meanwhile::Suits => return shared.hand_out(&row, now),
                Seat::First(flight) | Seat::Joined(flight) => flight,
            };
            let landed = match timeout(PATIENCE, flight.wait_for(Option::is_some)).await {
                Ok(Ok(landed)) => landed.clone(),
                Ok(Err(_)) => Some(Landed::Failed("the refresh was given up".into())),
                Err(_) => None,
            };
            let now = clock::now();
            let unavailable = |until: SystemTime| {
                let retry_after = until.duration_since(now).unwrap_or_default().max(Duration::from_secs(1));
                TokenAnswer::Unavailable { retry_after }
            };
            let answer = match landed {
                Some(Landed::Gone) => return Ok(TokenAnswer::Gone),
                Some(Landed::Renewed(issued)) => {
                    let missing = self::missing(&issued.granted, needed);
                    return Ok(match missing.is_empty() {
                        true => TokenAnswer::Ok(issued),
                        false => {
                            let (connection, granted) = (issued.connection, issued.granted);
                            TokenAnswer::InsufficientScope { connection, granted, missing }
                        }
                    });
                }
                Some(Landed::Read) => match shared.ledger.store.connection(&row.key).await? {
                    Some(read) => {
                        row = read;
                        continue;
                    }
                    None => return Ok(TokenAnswer::Gone),
                },
                Some(Landed::Failed(why)) => return Err(LedgerFault::Store(StoreFault::Unavailable(why))),
                Some(Landed::Unreadable(why)) => return Err(LedgerFault::Sealed(why)),
                Some(Landed::Misconfigured { since }) => TokenAnswer::Misconfigured { since },
                Some(Landed::Unavailable { until }) => unavailable(until),
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
        let Ok(record) = shared.ledger.record(row) else { return Revoked::Failed };
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

    /// Finishes what an earlier run left: replies in the journal are stored, and a refresh token whose answer is not
    /// known is sent once more, at once, since providers that forgive do so for a short while. Before anybody is answered.
    ///
    /// # Errors
    /// The database cannot be asked.
    pub async fn recover(&self) -> Result<usize, LedgerFault> {
        let shared = &self.0;
        let (mut rows, mut journals) = (Vec::new(), HashSet::new());
        for key in shared.ledger.store.recover().await? {
            if let Some(row) = shared.ledger.store.connection(&key).await? {
                journals.insert(journal(&shared.files, &row.key, &row.id.to_string()).name.file(Journal::SUFFIX));
                rows.push(row);
            }
        }
        // Of rows that were stored or deleted.
        for name in shared.files.list(Journal::SUFFIX).unwrap_or_default() {
            if !journals.contains(&name) {
                let _ = shared.files.remove(&name);
            }
        }
        for row in &rows {
            self.board(row);
        }
        Ok(rows.len())
    }

    /// Refreshes what is due before anybody asks, and notes what was used, until the service ends.
    pub async fn keep_fresh(self) {
        loop {
            sleep(ROUND + pause::jitter()).await;
            self.round().await;
        }
    }

    async fn round(&self) {
        let shared = &self.0;
        self.note_uses().await;
        let now = clock::now();
        let used_since = now.checked_sub(USED_WITHIN).unwrap_or(SystemTime::UNIX_EPOCH);
        for key in shared.ledger.store.due(used_since, ROUND_SIZE, now).await.unwrap_or_default() {
            if let Ok(Some(row)) = shared.ledger.store.connection(&key).await
                && shared.marked(&row.key.integration, now).is_none()
            {
                self.board(&row);
            }
        }
    }

    /// Writes down which connections were used.
    pub async fn note_uses(&self) {
        let used: Vec<_> = locked(&self.0.used).drain().collect();
        if !used.is_empty() {
            let _ = self.0.ledger.store.touch(used, clock::now()).await;
        }
    }

    /// Waits for the refreshes under way, before the service ends.
    pub async fn settle(&self) {
        let flights: Vec<_> = locked(&self.0.flights).values().cloned().collect();
        for mut flight in flights {
            let over = async {
                let gone = flight.wait_for(Option::is_some).await.is_ok_and(|seen| matches!(*seen, Some(Landed::Gone)));
                // Who waits has been told; the provider may not have been yet.
                while gone && flight.changed().await.is_ok() {}
            };
            let _ = timeout(PATIENCE, over).await;
        }
        self.note_uses().await;
    }

    /// The refresh of a connection that is under way, or a new one.
    fn board(&self, row: &Connection) -> Seat {
        let mut flights = locked(&self.0.flights);
        if let Some(flight) = flights.get(&row.id) {
            return Seat::Joined(flight.clone());
        }
        let (land, flight) = watch::channel(None);
        flights.insert(row.id, flight.clone());
        let (engine, id, key, generation) = (self.clone(), row.id, row.key.clone(), row.generation);
        task::spawn(async move {
            let ended = Ended { shared: engine.0.clone(), id };
            let landed = engine.fly(id, &key, generation, &land).await;
            // First, so that whoever asks from now on is not told how this one ended.
            drop(ended);
            land.send_if_modified(|seen| seen.is_none() && seen.replace(landed).is_none());
        });
        Seat::First(flight)
    }

    async fn fly(
        &self,
        id: ConnectionId,
        key: &GrantKey,
        generation: u64,
        land: &watch::Sender<Option<Landed>>,
    ) -> Landed {
        let shared = &self.0;
        // Before the lease, which must not run out while others are waited for.
        let Ok(_place) = shared.places.acquire().await else { return Landed::Read };
        let (row, owner) = match shared.lease(id, key, generation).await {
            Ok(leased) => leased,
            Err(landed) => return landed,
        };
        let Some(client) = shared.integrations.client(&row) else {
            return shared.misconfigured(&row, owner).await;
        };
        let record = match shared.ledger.record(&row) {
            Ok(record) => record,
            Err(why) => {
                // Whoever asks next waits for no lease to be told the same.
                let _ = shared.ledger.store.note_setback(setback(&row, owner)).await;
                return Landed::Unreadable(why);
            }
        };
        let (blocking, sent, at) = (shared.clone(), record.clone(), row.clone());
        let attempt = move || blocking.attempt(&at, &sent, &client);
        match task::spawn_blocking(attempt).await {
            Ok(Ok(renewed)) => self.bring_home(&row, renewed.grant, land).await,
            Ok(Err(failed)) => self.give_up(&row, owner, failed).await,
            Err(why) => Landed::Failed(why.to_string()),
        }
    }

    /// Stores what came, for as long as it takes; who waits is not kept waiting for it.
    async fn bring_home(&self, row: &Connection, grant: Grant, land: &watch::Sender<Option<Landed>>) -> Landed {
        let shared = &self.0;
        self.accepted(&row.key.integration);
        let issued = Landed::Renewed(Box::new(issued(row, &grant)));
        let mut wait = Duration::from_millis(100);
        loop {
            let written = match shared.ledger.renewal(row, &grant) {
                Ok(renewal) => shared.ledger.store.store_renewed(renewal, clock::now()).await,
                Err(why) => Err(StoreFault::Unavailable(why.to_string())),
            };
            match written {
                Ok(Written::Yes) => {
                    shared.clear_journal(row);
                    return issued;
                }
                Ok(Written::Moved(_)) => {
                    shared.clear_journal(row);
                    return Landed::Read;
                }
                Ok(Written::Gone) => {
                    land.send_if_modified(|seen| seen.is_none() && seen.replace(Landed::Gone).is_none());
                    shared.end(row, grant).await;
                    shared.clear_journal(row);
                    return Landed::Gone;
                }
                Err(_) => {
                    land.send_if_modified(|seen| seen.is_none() && seen.replace(issued.clone()).is_none());
                    sleep(wait + pause::jitter()).await;
                    wait = (wait * 2).min(Duration::from_secs(5));
                }
            }
        }
    }

    async fn give_up(&self, row: &Connection, owner: LeaseOwner, failed: Failed) -> Landed {
        let shared = &self.0;
        let now = clock::now();
        let consequence = match failed {
            Failed::Exchange(error, reached) => consequence(row, error.verdict(), reached, pause::jitter(), now),
            Failed::Journal(_) => consequence(row, Verdict::Transient, Reached::Nobody, pause::jitter(), now),
            Failed::NoRefreshToken => Consequence::Reauth(ReauthReason::NoRefreshToken),
            Failed::OtherSubject(_) => Consequence::Reauth(ReauthReason::OtherSubject),
        };
        let (status, delay, in_doubt) = match consequence {
            Consequence::Misconfigured => return shared.misconfigured(row, owner).await,
            Consequence::Reauth(reason) => (Status::Reauth { reason, since: now }, None, false),
            Consequence::Later { delay, doubt } => (Status::Ok, Some(delay), doubt == Doubt::Raised || row.in_doubt),
        };
        let noted = Setback { status, delay, in_doubt, ..setback(row, owner) };
        let written = shared.ledger.store.note_setback(noted).await;
        if let (Ok(Written::Yes), Status::Reauth { .. }) = (&written, status) {
            shared.clear_journal(row);
        }
        match (written, delay) {
            (Ok(Written::Gone), _) => {
                shared.clear_journal(row);
                Landed::Gone
            }
            (Ok(Written::Yes), Some(delay)) => {
                if in_doubt && delay.failures <= DOUBTED_TRIES {
                    self.again(row, delay);
                }
                Landed::Unavailable { until: delay.until }
            }
            (Ok(_), _) => Landed::Read,
            (Err(why), _) => Landed::Failed(why.to_string()),
        }
    }

    /// Asks again without a caller, while the provider may still forgive.
    fn again(&self, row: &Connection, delay: Delay) {
        let (engine, row) = (self.clone(), row.clone());
        task::spawn(async move {
            sleep(delay.until.duration_since(clock::now()).unwrap_or_default()).await;
            engine.board(&row);
        });
    }
}

/// A setback that changes nothing yet but the lease.
fn setback(row: &Connection, owner: LeaseOwner) -> Setback {
    Setback {
        id: row.id,
        key: row.key.clone(),
        generation: row.generation,
        owner,
        status: Status::Ok,
        delay: row.delay,
        in_doubt: row.in_doubt,
    }
}

/// Takes a flight off the board, however it ends.
struct Ended {
    shared: Arc<Shared>,
    id: ConnectionId,
}

impl Drop for Ended {
    fn drop(&mut self) {
        locked(&self.shared.flights).remove(&self.id);
    }
}

fn issued(row: &Connection, grant: &Grant) -> Issued {
    let Grant { access_token, token_type, expiry, granted, .. } = grant.clone();
    handed_out(row, access_token, token_type, expiry, granted, Origin::Refreshed)
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
#[path = "renew/tests.rs"]
mod tests;

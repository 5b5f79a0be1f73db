//! One refresh for all callers: a task that takes the lease, sends one request without an open transaction, stores the
//! tokens and notifies the callers.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{sync::watch, task, time::sleep};

use super::{Refresher, Shared, handed_out, locked};
use crate::{
    refresh::{Failed, Judgement, Verdict},
    service::{
        keys::Unopened,
        refresh_plan::{Consequence, Issued, Origin, consequence},
        store::{
            Connection, ConnectionId, Delay, FailedOutcome, FailedRefresh, Failing, Fate, LeaseOwner, ReauthReason,
            Refreshable, StoreFault, Written,
        },
    },
    system::{clock, pause},
    vault::{Grant, GrantKey},
};

/// Refreshes that are repeated without a caller while the fate of the refresh token is unknown. Some providers accept the
/// same refresh token again, for a short while.
const UNKNOWN_FATE_TRIES: u32 = 4;

/// When a caller should come back after a response that had only a new refresh token.
const HALF_REFRESHED_PAUSE: Duration = Duration::from_secs(5);
/// Pauses between two writes of new tokens: details of one loop, for which no caller waits.
const FIRST_STORE_RETRY: Duration = Duration::from_millis(100);
const LONGEST_STORE_RETRY: Duration = Duration::from_secs(5);

pub(super) type Ongoing = watch::Receiver<Option<RefreshEnd>>;

/// How a refresh ended, for its callers.
#[derive(Clone, Debug)]
pub(super) enum RefreshEnd {
    Failed(String),
    Gone,
    Misconfigured {
        since: SystemTime,
    },
    /// The row has changed: read it.
    Read,
    /// The newest tokens, stored or not.
    Refreshed(Box<Issued>),
    Unavailable {
        until: SystemTime,
    },
    Unreadable(Unopened),
}

/// A caller's access to a refresh.
pub(super) enum Waiter {
    First(Ongoing),
    Joined(Ongoing),
}

impl Refresher {
    /// The running refresh of a connection, or a new one.
    pub(super) fn join(&self, row: &Connection) -> Waiter {
        let mut all = locked(&self.0.ongoing);
        if let Some(ongoing) = all.get(&row.id) {
            return Waiter::Joined(ongoing.clone());
        }
        let (sender, ongoing) = watch::channel(None);
        all.insert(row.id, ongoing.clone());
        let (engine, id, key, generation) = (self.clone(), row.id, row.key.clone(), row.generation);
        task::spawn(async move {
            let running = Running { shared: engine.0.clone(), id };
            let end = engine.run(id, &key, generation, &sender).await;
            // Before the result is sent, so that later callers start a new refresh instead of getting this result.
            drop(running);
            sender.send_if_modified(|seen| seen.is_none() && seen.replace(end).is_none());
        });
        Waiter::First(ongoing)
    }

    async fn run(
        &self,
        id: ConnectionId,
        key: &GrantKey,
        generation: u64,
        sender: &watch::Sender<Option<RefreshEnd>>,
    ) -> RefreshEnd {
        let shared = &self.0;
        // Before the lease, so that the lease does not end during the wait.
        let Ok(_place) = shared.permits.acquire().await else { return RefreshEnd::Read };
        let (row, owner) = match shared.lease(id, key, generation).await {
            Ok(leased) => leased,
            Err(end) => return end,
        };
        let Some(client) = shared.integrations.client(&row) else {
            return shared.without_client(&row, owner).await;
        };
        let record = match shared.sealed.record(&row) {
            Ok(record) => record,
            Err(why) => {
                // Ends the lease, so that the next caller gets the same error without a wait.
                let _ = shared.sealed.store.note_failed_refresh(unchanged(&row, owner)).await;
                return RefreshEnd::Unreadable(why);
            }
        };
        let (blocking, sent, at) = (shared.clone(), record.clone(), row.clone());
        let attempt = move || blocking.attempt(&at, &sent, &client);
        match task::spawn_blocking(attempt).await {
            Ok(Ok(record)) => self.store(&row, record.grant, sender).await,
            // Only the new refresh token is worth storing; the access token stays as it is.
            Ok(Err(Failed::HalfRefreshed { record, .. })) => {
                self.store(&row, record.grant, sender).await;
                RefreshEnd::Unavailable { until: clock::now() + HALF_REFRESHED_PAUSE }
            }
            Ok(Err(failed)) => self.give_up(&row, owner, failed).await,
            Err(why) => RefreshEnd::Failed(why.to_string()),
        }
    }

    /// Stores the tokens, however long it takes. Callers get them at once.
    async fn store(&self, row: &Connection, grant: Grant, sender: &watch::Sender<Option<RefreshEnd>>) -> RefreshEnd {
        let shared = &self.0;
        self.accepted(&row.key.integration);
        locked(&shared.refusals).remove(&row.id);
        let issued = RefreshEnd::Refreshed(Box::new(issued(row, &grant)));
        let mut wait = FIRST_STORE_RETRY;
        let (mut at, mut stored, mut end) = (row.clone(), grant.clone(), issued.clone());
        loop {
            let written = match shared.sealed.refreshed(&at, &stored) {
                Ok(tokens) => shared.sealed.store.store_refreshed(tokens, clock::now()).await,
                Err(why) => Err(StoreFault::Unavailable(why.to_string())),
            };
            match written {
                Ok(Written::Yes) => {
                    shared.clear_journal(row);
                    return end;
                }
                Ok(Written::Moved(now)) => match shared.sealed.rotated_meanwhile(row, &now, &grant) {
                    // A login has kept the refresh token that this refresh has just used up.
                    Some(rotated) => (at, stored, end) = (*now, rotated, RefreshEnd::Read),
                    None => {
                        shared.clear_journal(row);
                        return RefreshEnd::Read;
                    }
                },
                Ok(Written::Gone) => {
                    sender.send_if_modified(|seen| seen.is_none() && seen.replace(RefreshEnd::Gone).is_none());
                    shared.end(row, grant).await;
                    shared.clear_journal(row);
                    return RefreshEnd::Gone;
                }
                Err(_) => {
                    sender.send_if_modified(|seen| seen.is_none() && seen.replace(issued.clone()).is_none());
                    sleep(wait + pause::jitter()).await;
                    wait = (wait * 2).min(LONGEST_STORE_RETRY);
                }
            }
        }
    }

    async fn give_up(&self, row: &Connection, owner: LeaseOwner, failed: Failed) -> RefreshEnd {
        let shared = &self.0;
        let (now, judgement) = (clock::now(), Judgement::of(&failed));
        let refusals = (judgement.verdict == Verdict::Ambiguous).then(|| shared.refused(row, now));
        let outcome = match consequence(row, judgement, pause::jitter(), now) {
            _ if refusals.is_some_and(|refusals| refusals.are_final(now)) => {
                FailedOutcome::Reauth { reason: ReauthReason::RefreshTokenRefused, since: now }
            }
            Consequence::Failing(failing) => FailedOutcome::Failing(failing),
            Consequence::Misconfigured => return shared.misconfigured(row, owner).await,
            Consequence::Reauth(reason) => FailedOutcome::Reauth { reason, since: now },
        };
        let noted = FailedRefresh { outcome, ..unchanged(row, owner) };
        match (shared.sealed.store.note_failed_refresh(noted).await, outcome) {
            (Ok(Written::Gone), _) => {
                shared.clear_journal(row);
                RefreshEnd::Gone
            }
            (Ok(Written::Yes), FailedOutcome::Failing(Failing::Delayed { delay, fate })) => {
                if fate == Fate::Unknown && delay.failures <= UNKNOWN_FATE_TRIES {
                    self.again(row, delay);
                }
                RefreshEnd::Unavailable { until: delay.until }
            }
            (Ok(_), _) => RefreshEnd::Read,
            (Err(why), _) => RefreshEnd::Failed(why.to_string()),
        }
    }

    /// Repeats the refresh without a caller, while the provider may still accept the same refresh token.
    fn again(&self, row: &Connection, delay: Delay) {
        let (engine, row) = (self.clone(), row.clone());
        task::spawn(async move {
            sleep(delay.until.duration_since(clock::now()).unwrap_or_default()).await;
            engine.join(&row);
        });
    }
}

/// Ends the lease and changes nothing else.
pub(super) fn unchanged(row: &Connection, owner: LeaseOwner) -> FailedRefresh {
    let (id, key, generation, outcome) = (row.id, row.key.clone(), row.generation, FailedOutcome::Unchanged);
    FailedRefresh { id, key, generation, owner, outcome }
}

/// Removes a refresh from the running ones, however it ends.
struct Running {
    shared: Arc<Shared>,
    id: ConnectionId,
}

impl Drop for Running {
    fn drop(&mut self) {
        locked(&self.shared.ongoing).remove(&self.id);
    }
}

fn issued(row: &Connection, grant: &Grant) -> Issued {
    let Grant { access_token, token_type, expiry, granted, refresh_token, metadata, subject, .. } = grant.clone();
    let refreshable = refresh_token.map_or(Refreshable::No, |_| Refreshable::Yes);
    let account = metadata.account_or(subject.as_deref());
    let issued = handed_out(row, access_token, token_type, expiry, granted, refreshable, Origin::Refreshed);
    Issued { metadata, account, ..issued }
}

//! What callers and refreshes do with the database, the journal and the marks that they share.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{task, time::sleep};

use super::{
    Mark, Shared, handed_out, locked,
    ongoing::{Settled, unchanged},
};
use crate::{
    catalog::IntegrationName,
    deadlines::{CALLER_WAITS, LEASE_LASTS},
    oauth::{Client, Scopes},
    refresh::{Attempt, Failed, covering},
    server::{
        revocation::{Revoked, revoke},
        sealed_store::SealedStoreFault,
    },
    service::{
        renewal::{MISCONFIGURED_PAUSE, Meanwhile, Origin, TokenAnswer},
        store::{Connection, ConnectionId, Lease, LeaseAnswer, LeaseOwner, StoreFault, Written},
    },
    system::{clock, entropy, journal::Journalled, pause},
    vault::{Grant, GrantKey, Journal, Record, StateFiles},
};

/// A use is noted once in this time.
const USE_NOTED: Duration = Duration::from_secs(3600);
/// Uses that wait to be noted; more are not worth the memory.
const MOST_USES: usize = 100_000;

impl Shared {
    /// The connection of this action, else the one of all actions if it covers what this one needs.
    pub(super) async fn covering(&self, key: &GrantKey, needed: &Scopes) -> Result<Option<Connection>, StoreFault> {
        if let Some(row) = self.sealed.store.connection(key).await? {
            return Ok(Some(row));
        }
        let Some(all) = covering::of_all_actions(key) else { return Ok(None) };
        let row = self.sealed.store.connection(&all).await?;
        Ok(row.filter(|row| covering::covers(&row.access.granted, needed)))
    }

    pub(super) fn hand_out(&self, row: &Connection, now: SystemTime) -> Result<TokenAnswer, SealedStoreFault> {
        if now.duration_since(row.last_used_at).is_ok_and(|ago| ago >= USE_NOTED) {
            let mut used = locked(&self.used);
            if used.len() < MOST_USES {
                used.insert(row.id);
            }
        }
        let access_token = self.sealed.access_token(row)?;
        let access = &row.access;
        let granted = access.granted.clone();
        let issued = handed_out(row, access_token, access.token_type.clone(), access.expiry, granted, Origin::Stored);
        Ok(TokenAnswer::Ok(Box::new(issued)))
    }

    /// The answer while nobody is to be asked.
    pub(super) fn pausing(
        &self,
        row: &Connection,
        meanwhile: Meanwhile,
        now: SystemTime,
    ) -> Option<Result<TokenAnswer, SealedStoreFault>> {
        let answer = match (self.marked(&row.key.integration, now), row.state.delay()) {
            (Some(since), _) => TokenAnswer::Misconfigured { since },
            (None, Some(delay)) if delay.lasts(now) => {
                TokenAnswer::Unavailable { retry_after: delay.until.duration_since(now).unwrap_or_default() }
            }
            _ => return None,
        };
        Some(match meanwhile {
            Meanwhile::Nothing => Ok(answer),
            Meanwhile::Lasts | Meanwhile::Suits => self.hand_out(row, now),
        })
    }

    pub(super) fn marked(&self, integration: &IntegrationName, now: SystemTime) -> Option<SystemTime> {
        locked(&self.misconfigured).get(integration).filter(|mark| mark.until > now).map(|mark| mark.since)
    }

    /// The lease, as soon as no other node has it.
    pub(super) async fn lease(
        &self,
        id: ConnectionId,
        key: &GrantKey,
        generation: u64,
    ) -> Result<(Connection, LeaseOwner), Settled> {
        let deadline = clock::now() + CALLER_WAITS;
        let fault = |why: StoreFault| Settled::Failed(why.to_string());
        loop {
            let now = clock::now();
            let owner = entropy::random().map(LeaseOwner::new).map_err(|why| Settled::Failed(why.to_string()))?;
            let wanted = Lease { id, key: key.clone(), generation, owner, until: now + LEASE_LASTS };
            match self.sealed.store.lease(wanted, now).await.map_err(fault)? {
                LeaseAnswer::Granted(row) => return Ok((*row, owner)),
                LeaseAnswer::Gone => return Err(Settled::Gone),
                LeaseAnswer::Moved(_) => return Err(Settled::Read),
                LeaseAnswer::Pausing { until } => return Err(Settled::Unavailable { until }),
                LeaseAnswer::Held { until } if now >= deadline => return Err(Settled::Unavailable { until }),
                LeaseAnswer::Held { .. } => sleep(Duration::from_millis(50) + pause::jitter()).await,
            }
        }
    }

    pub(super) fn attempt(&self, row: &Connection, record: &Record, client: &Client) -> Result<Record, Failed> {
        self.attempting(row, record, client, |attempt| {
            let http = self.integrations.http(row);
            let http = Journalled { journal: attempt.journal, record, http: http.as_ref() };
            attempt.run(&http, &clock::now).map(|refreshed| refreshed.record)
        })
    }

    /// The grant with the tokens that an earlier refresh received and could not store.
    pub(super) fn unstored(&self, row: &Connection, record: &Record, client: &Client) -> Option<Record> {
        self.attempting(row, record, client, |attempt| attempt.unstored())
    }

    fn attempting<T>(
        &self,
        row: &Connection,
        record: &Record,
        client: &Client,
        work: impl FnOnce(&Attempt<'_>) -> T,
    ) -> T {
        let journal = journal(&self.files, row);
        let seal_keys: Vec<_> = self.sealed.keys.keys().cloned().collect();
        work(&Attempt { journal: &journal, record, seal_keys: &seal_keys, client })
    }

    /// Has the provider end what came for a connection that is gone, since nobody can do it later.
    pub(super) async fn end(self: &Arc<Self>, row: &Connection, grant: Grant) {
        // The person has authorized again: a provider that ends all tokens of a client with one would end the new ones.
        if let Ok(Some(_)) = self.sealed.store.connection(&row.key).await {
            return;
        }
        let (shared, row) = (self.clone(), row.clone());
        // There is nobody to tell what becomes of it.
        let _ = task::spawn_blocking(move || shared.revoke(&row, &grant)).await;
    }

    /// Has the provider end a grant (RFC 7009). Blocks.
    pub(super) fn revoke(&self, row: &Connection, grant: &Grant) -> Revoked {
        let (client, http) = (self.integrations.client(row), self.integrations.http(row));
        revoke(row.pinned.revocation_endpoint.as_ref(), client, grant, http.as_ref())
    }

    pub(super) fn clear_journal(&self, row: &Connection) {
        let _ = journal(&self.files, row).clear();
    }

    pub(super) async fn misconfigured(&self, row: &Connection, owner: LeaseOwner) -> Settled {
        let now = clock::now();
        let since = {
            let mut marks = locked(&self.misconfigured);
            let since = marks.get(&row.key.integration).map_or(now, |mark| mark.since);
            marks.insert(row.key.integration.clone(), Mark { since, until: now + MISCONFIGURED_PAUSE });
            since
        };
        match self.sealed.store.note_failed_refresh(unchanged(row, owner)).await {
            Ok(Written::Gone) => Settled::Gone,
            _ => Settled::Misconfigured { since },
        }
    }
}

/// The journal of one connection; bound to its identifier, so that a later one of the same user never reads it.
pub(super) fn journal<'a>(files: &'a dyn StateFiles, row: &Connection) -> Journal<'a> {
    Journal { files, name: row.key.state("serve", &row.id.to_string()) }
}

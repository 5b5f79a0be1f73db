//! One node at a time: the lease of a connection, the attempt made under it, and the journal of that attempt.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{task, time::sleep};

use super::{
    Mark, Shared, Why, locked,
    ongoing::{RefreshEnd, unchanged},
};
use crate::{
    catalog::IntegrationName,
    deadlines::{CALLER_WAITS, CLIENT_REJECTED_PAUSE, LEASE_LASTS},
    oauth::{Client, Observed},
    refresh::{Attempt, Failed, Refusals},
    server::revocation::{Revoked, revoke},
    service::store::{Connection, ConnectionId, Lease, LeaseAnswer, LeaseOwner, StoreFault, Written},
    system::{clock, entropy, journal::Journalled, pause},
    vault::{Grant, GrantKey, Journal, Record, StateFiles},
};

/// Connections that are refused in a row, until their integration is marked.
const SEVERAL: usize = 5;
/// How often a lease of another node is looked at: a detail of this loop, which ends after [`CALLER_WAITS`].
const LEASE_POLLED: Duration = Duration::from_millis(50);

impl Shared {
    /// Waits for the lease while another node has it.
    pub(super) async fn lease(
        &self,
        id: ConnectionId,
        key: &GrantKey,
        generation: u64,
    ) -> Result<(Connection, LeaseOwner), RefreshEnd> {
        let deadline = clock::now() + CALLER_WAITS;
        let fault = |why: StoreFault| RefreshEnd::Failed(why.to_string());
        loop {
            let now = clock::now();
            let owner = entropy::random().map(LeaseOwner::new).map_err(|why| RefreshEnd::Failed(why.to_string()))?;
            let wanted = Lease { id, key: key.clone(), generation, owner, until: now + LEASE_LASTS };
            match self.sealed.store.lease(wanted, now).await.map_err(fault)? {
                LeaseAnswer::Granted(row) => return Ok((*row, owner)),
                LeaseAnswer::Gone => return Err(RefreshEnd::Gone),
                LeaseAnswer::Moved(_) => return Err(RefreshEnd::Read),
                LeaseAnswer::Pausing { until } => return Err(RefreshEnd::Unavailable { until }),
                LeaseAnswer::Held { until } if now >= deadline => return Err(RefreshEnd::Unavailable { until }),
                LeaseAnswer::Held { .. } => sleep(LEASE_POLLED + pause::jitter()).await,
            }
        }
    }

    pub(super) fn attempt(&self, row: &Connection, record: &Record, client: &Client) -> Result<Record, Failed> {
        self.attempting(row, record, client, |attempt| {
            let http = self.integrations.http(row);
            let observed = Observed::new(http.as_ref(), client.dialect.clone(), clock::now());
            let http = Journalled { journal: attempt.journal, record, http: &observed };
            let result = attempt.run(&http, &clock::now).map(|refreshed| refreshed.record);
            observed.news().iter().for_each(|news| self.integrations.note_response(&row.key.integration, news));
            result
        })
    }

    /// The grant with the tokens that an earlier refresh received and did not store.
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

    /// Revokes the tokens that arrived for a deleted connection, because nobody can revoke them later.
    pub(super) async fn end(self: &Arc<Self>, row: &Connection, grant: Grant) {
        // The user has authorized again. A provider that revokes all tokens of a client together would revoke the new
        // ones.
        if let Ok(Some(_)) = self.sealed.store.connection(&row.key).await {
            return;
        }
        let (shared, row) = (self.clone(), row.clone());
        // No caller waits for the result.
        let _ = task::spawn_blocking(move || shared.revoke(&row, &grant)).await;
    }

    /// Revokes a grant at the provider (RFC 7009). Blocks.
    pub(super) fn revoke(&self, row: &Connection, grant: &Grant) -> Revoked {
        let (client, http) = (self.integrations.client(row), self.integrations.http(row));
        revoke(row.pinned.revocation_endpoint.as_ref(), client, grant, http.as_ref())
    }

    pub(super) fn clear_journal(&self, row: &Connection) {
        let _ = journal(&self.files, row).clear();
    }

    pub(super) async fn misconfigured(&self, row: &Connection, owner: LeaseOwner) -> RefreshEnd {
        let since = self.mark(&row.key.integration, Why::Client);
        self.end_unchanged(row, owner, RefreshEnd::Misconfigured { since }).await
    }

    /// The connection belongs to a client that is not configured any more. That concerns this connection only.
    pub(super) async fn without_client(&self, row: &Connection, owner: LeaseOwner) -> RefreshEnd {
        self.end_unchanged(row, owner, RefreshEnd::Misconfigured { since: clock::now() }).await
    }

    async fn end_unchanged(&self, row: &Connection, owner: LeaseOwner, end: RefreshEnd) -> RefreshEnd {
        match self.sealed.store.note_failed_refresh(unchanged(row, owner)).await {
            Ok(Written::Gone) => RefreshEnd::Gone,
            _ => end,
        }
    }

    /// Counts a refusal for an unknown reason.
    pub(super) fn refused(&self, row: &Connection, now: SystemTime) -> Refusals {
        self.refused_in_a_row(row);
        let mut all = locked(&self.refusals);
        let before =
            all.get(&row.id).filter(|(generation, _)| *generation == row.generation).map(|(_, before)| *before);
        let refusals = Refusals::and_one_more(before, now);
        match refusals.are_final(now) {
            true => all.remove(&row.id),
            false => all.insert(row.id, (row.generation, refusals)),
        };
        refusals
    }

    /// Refusals of several connections in a row are more likely about the client.
    fn refused_in_a_row(&self, row: &Connection) {
        let mut all = locked(&self.refused);
        let connections = all.entry(row.key.integration.clone()).or_default();
        if connections.len() < SEVERAL {
            connections.insert(row.id);
        }
        let several = connections.len() >= SEVERAL;
        drop(all);
        if several {
            self.mark(&row.key.integration, Why::Refusals);
        }
    }

    fn mark(&self, integration: &IntegrationName, why: Why) -> SystemTime {
        let now = clock::now();
        let mut marks = locked(&self.misconfigured);
        let since = marks.get(integration).map_or(now, |mark| mark.since);
        marks.insert(integration.clone(), Mark { since, until: now + CLIENT_REJECTED_PAUSE, why });
        since
    }
}

/// The journal of a connection. Its name contains the identifier, so that a later connection of the same user never
/// reads it.
pub(super) fn journal<'a>(files: &'a dyn StateFiles, row: &Connection) -> Journal<'a> {
    Journal { files, name: row.key.state("serve", &row.id.to_string()) }
}

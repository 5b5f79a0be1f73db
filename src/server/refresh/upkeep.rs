//! Refreshes without a caller: at the start, once a minute and at the end.

use std::{
    collections::HashSet,
    time::{Duration, SystemTime},
};

use tokio::time::{sleep, timeout};

use super::{Refresher, lease::journal, locked, ongoing::RefreshEnd};
use crate::{
    deadlines::CALLER_WAITS,
    server::sealed_store::SealedStoreFault,
    system::{clock, pause},
    vault::{Journal, StateFiles},
};

/// How often due connections are looked for. A caller never waits for it.
const ROUND: Duration = Duration::from_secs(60);
/// Connections per round, at most.
const ROUND_SIZE: u32 = 500;
/// A connection that was not used for longer is refreshed only when a caller needs it.
const USED_WITHIN: Duration = Duration::from_secs(7 * 24 * 3600);

impl Refresher {
    /// Finishes what an earlier run left, before the first request is served: responses in journals are stored, and
    /// refresh tokens of unknown fate are sent once more. That is done at once, because providers that accept the same
    /// refresh token again do so for a short while.
    ///
    /// # Errors
    /// The database cannot be used.
    pub async fn recover(&self) -> Result<usize, SealedStoreFault> {
        let shared = &self.0;
        let (mut rows, mut journals) = (Vec::new(), HashSet::new());
        for key in shared.sealed.store.recover().await? {
            if let Some(row) = shared.sealed.store.connection(&key).await? {
                journals.insert(journal(&shared.files, &row).name.file(Journal::SUFFIX));
                rows.push(row);
            }
        }
        // These belong to rows that were stored or deleted.
        for name in shared.files.list(Journal::SUFFIX).unwrap_or_default() {
            if !journals.contains(&name) {
                let _ = shared.files.remove(&name);
            }
        }
        for row in &rows {
            self.join(row);
        }
        Ok(rows.len())
    }

    /// Refreshes due connections and stores which ones were used, until the service ends.
    pub async fn keep_fresh(self) {
        loop {
            sleep(ROUND + pause::jitter()).await;
            self.round().await;
        }
    }

    pub(super) async fn round(&self) {
        let shared = &self.0;
        self.note_uses().await;
        let now = clock::now();
        let used_since = now.checked_sub(USED_WITHIN).unwrap_or(SystemTime::UNIX_EPOCH);
        for key in shared.sealed.store.due(used_since, ROUND_SIZE, now).await.unwrap_or_default() {
            if let Ok(Some(row)) = shared.sealed.store.connection(&key).await
                && shared.marked(&row, now).is_none()
            {
                self.join(&row);
            }
        }
    }

    /// Stores which connections were used.
    pub async fn note_uses(&self) {
        let used: Vec<_> = locked(&self.0.used).drain().collect();
        if !used.is_empty() {
            let _ = self.0.sealed.store.touch(used, clock::now()).await;
        }
    }

    /// Waits for the running refreshes before the service ends.
    pub async fn drain(&self) {
        let ongoing: Vec<_> = locked(&self.0.ongoing).values().cloned().collect();
        for mut ongoing in ongoing {
            let over = async {
                let gone =
                    ongoing.wait_for(Option::is_some).await.is_ok_and(|seen| matches!(*seen, Some(RefreshEnd::Gone)));
                // The callers have their answer, but the provider may not have received the revocation yet.
                while gone && ongoing.changed().await.is_ok() {}
            };
            let _ = timeout(CALLER_WAITS, over).await;
        }
        self.note_uses().await;
    }
}

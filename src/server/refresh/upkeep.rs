//! What is done though nobody asks: at the start, once a minute, at the end.

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

/// How often connections that are due are looked for.
const ROUND: Duration = Duration::from_secs(60);
/// At most so many in one round.
const ROUND_SIZE: u32 = 500;
/// What was not used for longer is refreshed only when it is asked for.
const USED_WITHIN: Duration = Duration::from_secs(7 * 24 * 3600);

impl Refresher {
    /// Finishes what an earlier run left: replies in the journal are stored, and a refresh token whose answer is not
    /// known is sent once more, at once, since providers that forgive do so for a short while. Before anybody is answered.
    ///
    /// # Errors
    /// The database cannot be asked.
    pub async fn recover(&self) -> Result<usize, SealedStoreFault> {
        let shared = &self.0;
        let (mut rows, mut journals) = (Vec::new(), HashSet::new());
        for key in shared.sealed.store.recover().await? {
            if let Some(row) = shared.sealed.store.connection(&key).await? {
                journals.insert(journal(&shared.files, &row).name.file(Journal::SUFFIX));
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
            self.join(row);
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

    pub(super) async fn round(&self) {
        let shared = &self.0;
        self.note_uses().await;
        let now = clock::now();
        let used_since = now.checked_sub(USED_WITHIN).unwrap_or(SystemTime::UNIX_EPOCH);
        for key in shared.sealed.store.due(used_since, ROUND_SIZE, now).await.unwrap_or_default() {
            if let Ok(Some(row)) = shared.sealed.store.connection(&key).await
                && shared.marked(&row.key.integration, now).is_none()
            {
                self.join(&row);
            }
        }
    }

    /// Writes down which connections were used.
    pub async fn note_uses(&self) {
        let used: Vec<_> = locked(&self.0.used).drain().collect();
        if !used.is_empty() {
            let _ = self.0.sealed.store.touch(used, clock::now()).await;
        }
    }

    /// Waits for the refreshes under way, before the service ends.
    pub async fn drain(&self) {
        let ongoing: Vec<_> = locked(&self.0.ongoing).values().cloned().collect();
        for mut ongoing in ongoing {
            let over = async {
                let gone =
                    ongoing.wait_for(Option::is_some).await.is_ok_and(|seen| matches!(*seen, Some(RefreshEnd::Gone)));
                // Who waits has been told; the provider may not have been yet.
                while gone && ongoing.changed().await.is_ok() {}
            };
            let _ = timeout(CALLER_WAITS, over).await;
        }
        self.note_uses().await;
    }
}

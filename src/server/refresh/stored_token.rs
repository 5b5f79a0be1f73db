//! The stored token for a caller: which connection covers the action, and what is returned while no refresh is sent.

use std::time::{Duration, SystemTime};

use super::{Mark, Needed, Shared, Why, handed_out, locked};
use crate::{
    oauth::Scopes,
    refresh::covering,
    server::sealed_store::SealedStoreFault,
    service::{
        refresh_plan::{Issued, Meanwhile, Origin, TokenAnswer},
        store::{Connection, StoreFault},
    },
    vault::GrantKey,
};

/// How often the use of a connection is stored.
const USE_NOTED: Duration = Duration::from_secs(3600);
/// Connections whose use is not stored yet, at most. More are not kept in memory.
const MOST_USES: usize = 100_000;

impl Shared {
    /// The connection of this action, otherwise the one of all actions if its scopes cover this one.
    pub(super) async fn covering(&self, key: &GrantKey, needed: Needed<'_>) -> Result<Option<Connection>, StoreFault> {
        if let Some(row) = self.sealed.store.connection(key).await? {
            return Ok(Some(row));
        }
        let Some(all) = covering::of_all_actions(key) else { return Ok(None) };
        let row = self.sealed.store.connection(&all).await?;
        Ok(row.filter(|row| needed.by(&row.access.asked, &row.access.granted).is_covered()))
    }

    /// `unnamed`: what the caller needs and the provider does not name as granted.
    pub(super) fn hand_out(
        &self,
        row: &Connection,
        unnamed: &Scopes,
        now: SystemTime,
    ) -> Result<TokenAnswer, SealedStoreFault> {
        if now.duration_since(row.last_used_at).is_ok_and(|ago| ago >= USE_NOTED) {
            let mut used = locked(&self.used);
            if used.len() < MOST_USES {
                used.insert(row.id);
            }
        }
        let access_token = self.sealed.access_token(row)?;
        let access = &row.access;
        let (token_type, granted) = (access.token_type.clone(), access.granted.clone());
        let refreshable = row.refreshable();
        let metadata = self.sealed.metadata(row)?;
        let account = metadata.account_or(access.subject.as_deref());
        let issued = handed_out(row, access_token, token_type, access.expiry, granted, refreshable, Origin::Stored);
        Ok(TokenAnswer::Ok(Box::new(Issued { missing: unnamed.clone(), metadata, account, ..issued })))
    }

    /// The answer while no request is sent: the connection pauses, or the provider rejects the client.
    pub(super) fn pausing(
        &self,
        row: &Connection,
        unnamed: &Scopes,
        meanwhile: Meanwhile,
        now: SystemTime,
    ) -> Option<Result<TokenAnswer, SealedStoreFault>> {
        let answer = match (self.marked(row, now), row.state.delay()) {
            (Some(since), _) => TokenAnswer::Misconfigured { since },
            (None, Some(delay)) if delay.lasts(now) => {
                TokenAnswer::Unavailable { retry_after: delay.until.duration_since(now).unwrap_or_default() }
            }
            _ => return None,
        };
        Some(match meanwhile {
            Meanwhile::Nothing => Ok(answer),
            Meanwhile::Lasts | Meanwhile::Suits => self.hand_out(row, unnamed, now),
        })
    }

    /// Since when the integration of this connection is marked, if that keeps the connection from being refreshed.
    pub(super) fn marked(&self, row: &Connection, now: SystemTime) -> Option<SystemTime> {
        let concerns = |mark: &&Mark| mark.until > now && (mark.why == Why::Client || row.state.delay().is_some());
        locked(&self.misconfigured).get(&row.key.integration).filter(concerns).map(|mark| mark.since)
    }
}

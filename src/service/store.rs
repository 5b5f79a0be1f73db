//! What the service keeps, as rows, and what a database has to be able to do with them.
//!
//! [`Store`] is small on purpose: embedded SQLite answers it on one machine, PostgreSQL on many nodes. No call leaves a
//! transaction open, so none is ever open while a provider is asked; a refresh is guarded by a lease and by the
//! generation of the row instead. Secrets come and go as [`Sealed`] cells: a store never sees one.
//!
//! Times are those of the caller. A store that many nodes share takes its database's clock instead where it compares
//! what another node has written (leases, pauses).

mod connection;
mod flow;
mod id;
mod state;

use std::{future::Future, pin::Pin, time::SystemTime};

pub use connection::{
    Access, Connection, FailedOutcome, FailedRefresh, Lease, LeaseAnswer, NewConnection, Page, Put, RefreshedTokens,
    Written,
};
pub use flow::{Flow, FlowDone, FlowEnd, PutFlow, Taken};
pub use id::{ConnectionId, FlowId, LeaseOwner};
pub use state::{Delay, Failing, Fate, NoLease, ReauthReason, State};

use super::keys::{KeyId, Sealed};
use crate::vault::{GrantKey, Owner};

/// What a store answers with: at once (SQLite's reads), or later.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreFault>> + Send + 'a>>;

/// The database of the service. Every method is one transaction: all of it happened, or nothing did.
///
/// # Errors
/// Every method: [`StoreFault`]. After `Unavailable` a write may have happened all the same; the fences (generation,
/// lease owner, single use) make it safe to ask again.
pub trait Store: Send + Sync {
    // -- flows ----------------------------------------------------------------------------------------------------
    /// Keeps a flow that begins, unless its owner has `most` unexpired ones already.
    fn put_flow(&self, flow: Flow, most: u32, now: SystemTime) -> Answer<'_, PutFlow>;

    /// Consumes a flow: of any number of callers at once exactly one gets [`Taken::Now`]. The row with its secrets is
    /// gone afterwards, used or expired; what remains for 24 h is a [`FlowDone`]. A flow of another integration is
    /// unknown, and stays.
    fn take_flow<'a>(&'a self, id: FlowId, integration: &'a str, now: SystemTime) -> Answer<'a, Taken>;

    /// Ends the flows that have expired, and forgets those that ended more than 24 h ago; at most `most` of either, so
    /// that nobody waits for long behind it. Gives how many rows went: fewer than `most` means there are no more.
    fn sweep_flows(&self, most: u32, now: SystemTime) -> Answer<'_, u32>;

    // -- connections ----------------------------------------------------------------------------------------------
    fn connection<'a>(&'a self, key: &'a GrantKey) -> Answer<'a, Option<Connection>>;

    /// `None` also for a connection of another owner.
    fn connection_by_id<'a>(&'a self, id: ConnectionId, owner: &'a Owner) -> Answer<'a, Option<Connection>>;

    /// By identifier, at most `page.most` after `page.after`.
    fn connections<'a>(&'a self, page: Page<'a>) -> Answer<'a, Vec<Connection>>;

    /// Makes a connection, or replaces the tokens of the one there is; its state is `Good` afterwards.
    fn put_connection(&self, new: NewConnection, now: SystemTime) -> Answer<'_, Put>;

    /// Gives the row that went, for its tokens to be revoked.
    fn delete_connection<'a>(&'a self, id: ConnectionId, owner: &'a Owner) -> Answer<'a, Option<Connection>>;

    /// Notes that these were asked for; unknown ones are none.
    fn touch(&self, ids: Vec<ConnectionId>, now: SystemTime) -> Answer<'_, ()>;

    // -- refresh --------------------------------------------------------------------------------------------------
    /// The right to refresh, of one generation of one row, for one owner at a time.
    fn lease(&self, lease: Lease, now: SystemTime) -> Answer<'_, LeaseAnswer>;

    /// Writes what a refresh brought and ends the lease, if the row still has the generation that was refreshed. Not
    /// bound to the owner: whoever holds the only new refresh token must be able to bring it home though its lease ran
    /// out, and the generation alone keeps two from writing.
    fn store_refreshed(&self, tokens: RefreshedTokens, now: SystemTime) -> Answer<'_, Written>;

    /// Writes what a failed refresh means for the row and ends the lease, if generation and owner are still those.
    fn note_failed_refresh(&self, failed: FailedRefresh) -> Answer<'_, Written>;

    /// Ends the leases that no living process holds (on one machine: all of them) and marks their rows in doubt. For
    /// the start of the service, before it answers anybody; gives those that are in doubt, now or from before.
    fn recover(&self) -> Answer<'_, Vec<GrantKey>>;

    /// Connections to be refreshed before anybody asks: due at `now`, used since `used_since`, neither leased nor
    /// pausing; at most `most`, the most pressing first.
    fn due(&self, used_since: SystemTime, most: u32, now: SystemTime) -> Answer<'_, Vec<GrantKey>>;

    // -- keys -----------------------------------------------------------------------------------------------------
    /// How many rows each key has sealed: connections, and flows, which end by themselves within minutes.
    fn key_counts(&self) -> Answer<'_, Vec<(KeyId, u64)>>;

    /// Rows sealed with `key`, by identifier, at most `most` after `after`.
    fn sealed_with<'a>(&'a self, key: &'a KeyId, after: Option<ConnectionId>, most: u32)
    -> Answer<'a, Vec<Connection>>;

    /// The same secrets in new cells; only where generation and key are still those that were read, so that no refresh
    /// in between is undone.
    fn reseal(&self, resealed: Vec<Resealed>) -> Answer<'_, u32>;

    /// The proofs of the keys that this database knows.
    fn key_checks(&self) -> Answer<'_, Vec<(KeyId, Sealed)>>;

    /// Enters the proof of a key, or with `None` forgets a key that seals nothing any more.
    fn set_key_check(&self, key: KeyId, check: Option<Sealed>) -> Answer<'_, ()>;

    /// Whether the database answers and takes writes.
    fn ready(&self) -> Answer<'_, ()>;
}

/// New cells for the secrets of one row.
#[derive(Clone, Debug)]
pub struct Resealed {
    pub id: ConnectionId,
    pub generation: u64,
    /// The key of the cells that are replaced.
    pub before: KeyId,
    pub access: Sealed,
    pub refresh: Option<Sealed>,
}

/// Why the database did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreFault {
    /// Busy, out of space, out of reach: later it may.
    #[error("the database cannot be used now: {0}")]
    Unavailable(String),
    /// Damaged, of a newer program, or not what a row of ours looks like: a person has to look.
    #[error("the database is not sound: {0}")]
    Broken(String),
}

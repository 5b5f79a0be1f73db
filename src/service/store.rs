//! The rows of the service, and what a database must do with them.
//!
//! [`Store`] is small on purpose: embedded SQLite implements it for one machine, PostgreSQL for many nodes. No method
//! leaves a transaction open, so none is open during a request to a provider; a lease and the generation of the row
//! guard a refresh. Secrets are [`Sealed`] cells, which a store cannot decrypt.
//!
//! Times are the caller's. A store that many nodes share uses the database's clock where it compares times that other
//! nodes wrote (leases, delays).

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
pub use crate::vault::Refreshable;
use crate::vault::{GrantKey, Owner};

/// The result of a store's method: available at once (reads of SQLite), or later.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreFault>> + Send + 'a>>;

/// The database of the service. Every method is one transaction.
///
/// # Errors
/// Every method: [`StoreFault`]. After `Unavailable` a write may still have happened; generation, lease owner and
/// single use make it safe to repeat.
pub trait Store: Send + Sync {
    // -- flows ----------------------------------------------------------------------------------------------------
    /// Stores a new flow, unless its owner has `most` unexpired flows already.
    fn put_flow(&self, flow: Flow, most: u32, now: SystemTime) -> Answer<'_, PutFlow>;

    /// Consumes a flow: if many callers try at once, exactly one gets [`Taken::Now`]. The row and its secrets are
    /// deleted, used or expired; a [`FlowDone`] remains for 24 h. A flow of another integration is unknown and stays.
    fn take_flow<'a>(&'a self, id: FlowId, integration: &'a str, now: SystemTime) -> Answer<'a, Taken>;

    /// Deletes expired flows, and what remains of flows that ended more than 24 h ago; at most `most` of each, so that
    /// nothing waits long for it. Returns the number of rows: fewer than `most` means that there are no more.
    fn sweep_flows(&self, most: u32, now: SystemTime) -> Answer<'_, u32>;

    // -- connections ----------------------------------------------------------------------------------------------
    /// The connection of this key.
    fn connection<'a>(&'a self, key: &'a GrantKey) -> Answer<'a, Option<Connection>>;

    /// `None` also if the connection belongs to another owner.
    fn connection_by_id<'a>(&'a self, id: ConnectionId, owner: &'a Owner) -> Answer<'a, Option<Connection>>;

    /// Ordered by identifier; at most `page.most`, after `page.after`.
    fn connections<'a>(&'a self, page: Page<'a>) -> Answer<'a, Vec<Connection>>;

    /// Stores a new connection, or new tokens for the existing one. Its state is `Good` afterwards.
    fn put_connection(&self, new: NewConnection, now: SystemTime) -> Answer<'_, Put>;

    /// Deletes a row and returns it, so that its tokens can be revoked.
    fn delete_connection<'a>(&'a self, id: ConnectionId, owner: &'a Owner) -> Answer<'a, Option<Connection>>;

    /// Stores that these connections were used. Unknown ones are ignored.
    fn touch(&self, ids: Vec<ConnectionId>, now: SystemTime) -> Answer<'_, ()>;

    // -- refresh --------------------------------------------------------------------------------------------------
    /// The right to refresh one generation of a row, for one owner at a time.
    fn lease(&self, lease: Lease, now: SystemTime) -> Answer<'_, LeaseAnswer>;

    /// Stores the tokens of a refresh and ends the lease, if the row still has the generation that was refreshed. The
    /// owner of the lease does not matter: a node whose lease has ended may hold the only refresh token that is valid,
    /// and the generation prevents two writes.
    fn store_refreshed(&self, tokens: RefreshedTokens, now: SystemTime) -> Answer<'_, Written>;

    /// Stores what a failed refresh means and ends the lease, if generation and owner are still the same.
    fn note_failed_refresh(&self, failed: FailedRefresh) -> Answer<'_, Written>;

    /// Ends the leases of nodes that no longer run (with one node: all of them). Afterwards every connection with a
    /// refresh token of unknown fate is `Interrupted`; returns these. Called at the start of the service, before the
    /// first request.
    fn recover(&self) -> Answer<'_, Vec<GrantKey>>;

    /// Connections to refresh without a caller: due at `now`, used since `used_since`, neither leased nor delayed; at
    /// most `most`, the most urgent first.
    fn due(&self, used_since: SystemTime, most: u32, now: SystemTime) -> Answer<'_, Vec<GrantKey>>;

    // -- keys -----------------------------------------------------------------------------------------------------
    /// The number of rows per key: connections and flows. Flows expire within minutes.
    fn key_counts(&self) -> Answer<'_, Vec<(KeyId, u64)>>;

    /// Rows encrypted with `key`, ordered by identifier; at most `most`, after `after`.
    fn sealed_with<'a>(&'a self, key: &'a KeyId, after: Option<ConnectionId>, most: u32)
    -> Answer<'a, Vec<Connection>>;

    /// Replaces the cells of rows, only where generation and key are still those that were read. A refresh in between
    /// is not undone.
    fn reseal(&self, resealed: Vec<Resealed>) -> Answer<'_, u32>;

    /// The proofs of all known keys.
    fn key_checks(&self) -> Answer<'_, Vec<(KeyId, Sealed)>>;

    /// Stores the proof of a key. `None` deletes a key that no row needs any more.
    fn set_key_check(&self, key: KeyId, check: Option<Sealed>) -> Answer<'_, ()>;

    /// Whether the database accepts reads and writes.
    fn ready(&self) -> Answer<'_, ()>;
}

/// New cells for the secrets of one row.
#[derive(Clone, Debug)]
pub struct Resealed {
    /// The row.
    pub id: ConnectionId,
    /// The generation that was read.
    pub generation: u64,
    /// The key of the cells that are replaced.
    pub before: KeyId,
    /// The new cell of the access token.
    pub access: Sealed,
    /// The new cell of the refresh token.
    pub refresh: Option<Sealed>,
    /// The new cell of what the provider sent beside the tokens.
    pub metadata: Option<Sealed>,
}

/// Why the database did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreFault {
    /// Busy, full or out of reach. It may work later.
    #[error("the database cannot be used now: {0}")]
    Unavailable(String),
    /// Damaged, made by a newer program, or with an invalid row. An operator has to look at it.
    #[error("the database is not sound: {0}")]
    Broken(String),
}

//! Connections: the stored grants of users.

use std::time::SystemTime;

use super::{ConnectionId, Failing, LeaseOwner, ReauthReason, State};
use crate::{
    oauth::{Expiry, Scopes, TokenType},
    service::keys::Sealed,
    vault::{GrantKey, Owner, Pinned, Refreshable},
};

/// A stored connection.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its identifier.
    pub id: ConnectionId,
    /// Owner, integration and action.
    pub key: GrantKey,
    /// Counts the writes of tokens, from 1. Part of the place of their cells.
    pub generation: u64,
    /// The instance, if the application named one.
    pub base_url: Option<String>,
    /// The endpoints and the client that it was made with.
    pub pinned: Pinned,
    /// Where it is in its life.
    pub state: State,
    /// The access token.
    pub access: Access,
    /// The refresh token, if the provider issued one.
    pub refresh: Option<Sealed>,
    /// When the user authorized it first.
    pub created_at: SystemTime,
    /// When a caller last used it, to the hour.
    pub last_used_at: SystemTime,
}

impl Connection {
    /// Whether new access tokens can be obtained without the user.
    pub fn refreshable(&self) -> Refreshable {
        match (&self.refresh, self.state) {
            (None, _) | (_, State::Reauth { .. }) => Refreshable::No,
            (Some(_), _) => Refreshable::Yes,
        }
    }
}

/// The access token and its properties.
#[derive(Clone, Debug)]
pub struct Access {
    /// The encrypted token.
    pub token: Sealed,
    /// Its type.
    pub token_type: TokenType,
    /// The requested scopes.
    pub asked: Scopes,
    /// The scopes of the response, otherwise the requested ones.
    pub granted: Scopes,
    /// When the tokens arrived.
    pub obtained_at: SystemTime,
    /// When it expires.
    pub expiry: Expiry,
    /// When the refresh token ends, if the provider returned that.
    pub refreshable_until: Option<SystemTime>,
    /// `sub` of the id_token, if there was one.
    pub subject: Option<String>,
    /// What the provider sent beside the tokens, encrypted; `None` if nothing is kept.
    pub metadata: Option<Sealed>,
    /// When it is refreshed without a caller; `None` if it cannot be refreshed or does not expire.
    pub due_at: Option<SystemTime>,
}

/// A part of an owner's connections.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// Whose connections.
    pub owner: &'a Owner,
    /// Only those of this integration.
    pub integration: Option<&'a str>,
    /// Only those of this action.
    pub action: Option<&'a str>,
    /// The last connection of the previous page.
    pub after: Option<ConnectionId>,
    /// Rows per page.
    pub most: u32,
}

/// A new connection, or new tokens for the existing one.
#[derive(Clone, Debug)]
pub struct NewConnection {
    /// The identifier of the existing row, otherwise a new one.
    pub id: ConnectionId,
    /// Owner, integration and action.
    pub key: GrantKey,
    /// The generation of the existing row plus 1; 1 for a new row. The cells are encrypted for it.
    pub generation: u64,
    /// The instance, if the application named one.
    pub base_url: Option<String>,
    /// Endpoints and client of the login.
    pub pinned: Pinned,
    /// The access token.
    pub access: Access,
    /// The refresh token, if the provider issued one.
    pub refresh: Option<Sealed>,
}

/// The result of storing a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is stored.
    Stored,
    /// The row has changed since it was read (another login or a refresh was faster). Read it, encrypt again, write
    /// again.
    Moved,
}

/// A request for a lease.
#[derive(Clone, Debug)]
pub struct Lease {
    /// The row.
    pub id: ConnectionId,
    /// Its key.
    pub key: GrantKey,
    /// The generation to refresh.
    pub generation: u64,
    /// The attempt that will have the lease.
    pub owner: LeaseOwner,
    /// When the lease ends by itself.
    pub until: SystemTime,
}

/// The answer to a request for a lease.
#[derive(Clone, Debug)]
pub enum LeaseAnswer {
    /// The row as it is now, in the state [`State::Leased`].
    Granted(Box<Connection>),
    /// Another node has the lease, until then at most.
    /// Another node has the lease, until then at most.
    Held { until: SystemTime },
    /// The last refresh failed, and the next one is sent after this time.
    /// The last refresh failed, and the next one is sent after this time.
    Pausing { until: SystemTime },
    /// The row has other tokens or another state now.
    Moved(Box<Connection>),
    /// The connection does not exist.
    Gone,
}

/// The tokens of a refresh.
#[derive(Clone, Debug)]
pub struct RefreshedTokens {
    /// The row.
    pub id: ConnectionId,
    /// Its key.
    pub key: GrantKey,
    /// The generation that was refreshed. The cells are encrypted for the next one.
    pub generation: u64,
    /// The new access token.
    pub access: Access,
    /// The refresh token for the next refresh, if there is one.
    pub refresh: Option<Sealed>,
}

/// A refresh that brought no tokens.
#[derive(Clone, Debug)]
pub struct FailedRefresh {
    /// The row.
    pub id: ConnectionId,
    /// Its key.
    pub key: GrantKey,
    /// The generation that was refreshed.
    pub generation: u64,
    /// The owner of the lease that ends.
    pub owner: LeaseOwner,
    /// What the failure changes.
    pub outcome: FailedOutcome,
}

/// What a failed refresh changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedOutcome {
    /// Refreshes fail and are repeated.
    Failing(Failing),
    /// The user has to authorize again.
    Reauth {
        /// Why.
        reason: ReauthReason,
        /// Since when.
        since: SystemTime,
    },
    /// The state from before the lease: nothing was sent, or the provider rejects the client.
    Unchanged,
}

impl FailedOutcome {
    /// The state after the lease.
    pub fn applied_to(self, leased: State) -> State {
        match self {
            Self::Failing(failing) => State::Failing(failing),
            Self::Reauth { reason, since } => State::Reauth { reason, since },
            Self::Unchanged => leased.unleased(),
        }
    }
}

/// The result of a write that needs an unchanged row.
#[derive(Clone, Debug)]
pub enum Written {
    /// It was written.
    Yes,
    /// The row has changed, and nothing was written. This is the row now.
    Moved(Box<Connection>),
    /// The connection does not exist any more.
    Gone,
}

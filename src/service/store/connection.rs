//! Connections: the stored grants of an organization's users, and what a refresh does to them.

use std::time::SystemTime;

use super::{ConnectionId, Failing, LeaseOwner, ReauthReason, State};
use crate::{
    oauth::{Expiry, Scopes, TokenType},
    service::keys::Sealed,
    vault::{GrantKey, Owner, Pinned},
};

/// A connection as it is stored.
#[derive(Clone, Debug)]
pub struct Connection {
    pub id: ConnectionId,
    pub key: GrantKey,
    /// Counts the writes of tokens, from 1; part of what seals them.
    pub generation: u64,
    /// The instance it was made with, where the application named one.
    pub base_url: Option<String>,
    pub pinned: Pinned,
    pub state: State,
    pub access: Access,
    pub refresh: Option<Sealed>,
    pub created_at: SystemTime,
    /// When it was last asked for, to the hour.
    pub last_used_at: SystemTime,
}

/// The access token and what is known of it.
#[derive(Clone, Debug)]
pub struct Access {
    pub token: Sealed,
    pub token_type: TokenType,
    pub asked: Scopes,
    /// What the server said it granted, else what was asked.
    pub granted: Scopes,
    pub obtained_at: SystemTime,
    pub expiry: Expiry,
    /// Until when the refresh token can be used, as the provider said, if it did.
    pub refreshable_until: Option<SystemTime>,
    /// `sub` of the id_token, if there was one.
    pub subject: Option<String>,
    /// When to refresh it before anybody asks; `None` where there is no way or no need to.
    pub due_at: Option<SystemTime>,
}

/// Whose connections, and after which one.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    pub owner: &'a Owner,
    pub integration: Option<&'a str>,
    pub action: Option<&'a str>,
    pub after: Option<ConnectionId>,
    pub most: u32,
}

/// A connection to be made, or new tokens for the one there is.
#[derive(Clone, Debug)]
pub struct NewConnection {
    /// Of the row that is there, else a new one.
    pub id: ConnectionId,
    pub key: GrantKey,
    /// Of the row that is there, plus 1; 1 for a new one. The cells are sealed for it.
    pub generation: u64,
    pub base_url: Option<String>,
    pub pinned: Pinned,
    pub access: Access,
    pub refresh: Option<Sealed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    Stored,
    /// The row is not the one that the cells were sealed for (another login or a refresh was quicker): read it, seal
    /// again, put again.
    Moved,
}

/// Who wants to refresh what, until when.
#[derive(Clone, Debug)]
pub struct Lease {
    pub id: ConnectionId,
    pub key: GrantKey,
    pub generation: u64,
    pub owner: LeaseOwner,
    pub until: SystemTime,
}

/// The answer to a request for a lease.
#[derive(Clone, Debug)]
pub enum LeaseAnswer {
    /// The row as it is now, in the state [`State::Leased`].
    Granted(Box<Connection>),
    /// Another holds it, until then at most.
    Held { until: SystemTime },
    /// The last refresh failed, and the next is not to be before then.
    Pausing { until: SystemTime },
    /// There are other tokens by now, or another status.
    Moved(Box<Connection>),
    /// There is no such connection.
    Gone,
}

/// What a refresh brought.
#[derive(Clone, Debug)]
pub struct RefreshedTokens {
    pub id: ConnectionId,
    pub key: GrantKey,
    /// That was refreshed; the cells are sealed for the next one.
    pub generation: u64,
    pub access: Access,
    pub refresh: Option<Sealed>,
}

/// A refresh that brought no tokens.
#[derive(Clone, Debug)]
pub struct FailedRefresh {
    pub id: ConnectionId,
    pub key: GrantKey,
    pub generation: u64,
    /// Of the lease that it ends.
    pub owner: LeaseOwner,
    pub outcome: FailedOutcome,
}

/// What a failed refresh makes of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedOutcome {
    Failing(Failing),
    Reauth {
        reason: ReauthReason,
        since: SystemTime,
    },
    /// Nothing was sent, or it is the fault of the client: the state from before the lease.
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

/// What became of a fenced write.
#[derive(Clone, Debug)]
pub enum Written {
    Yes,
    /// The row has moved on, and nothing was written: this is what it is now.
    Moved(Box<Connection>),
    Gone,
}

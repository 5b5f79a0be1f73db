//! Connections: the stored grants of an organisation's users, and what a refresh does to them.

use std::{fmt, time::SystemTime};

use super::{ConnectionId, LeaseOwner};
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
    pub status: Status,
    pub access: Access,
    pub refresh: Option<Sealed>,
    pub delay: Option<Delay>,
    /// A refresh token was sent and the answer is not known.
    pub in_doubt: bool,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Ok,
    /// A person has to authorize again.
    Reauth {
        reason: ReauthReason,
        since: SystemTime,
    },
}

/// Why a person has to authorize again; the words are part of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReauthReason {
    /// The access token has expired, and the provider gave none to refresh it with.
    NoRefreshToken,
    /// A refresh answered another person's token.
    OtherSubject,
    /// The provider takes the refresh token no more (invalid_grant).
    RefreshTokenRefused,
}

impl ReauthReason {
    pub const ALL: [Self; 3] = [Self::NoRefreshToken, Self::OtherSubject, Self::RefreshTokenRefused];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoRefreshToken => "no_refresh_token",
            Self::OtherSubject => "other_subject",
            Self::RefreshTokenRefused => "refresh_token_refused",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

impl fmt::Display for ReauthReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a refresh that keeps failing is put off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay {
    /// In a row.
    pub failures: u32,
    pub until: SystemTime,
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

/// What became of the wish for a lease.
#[derive(Clone, Debug)]
pub enum Leased {
    /// The row as it is now. In doubt also if the lease of another ran out: that one may have sent the refresh token.
    Yes(Box<Connection>),
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
pub struct Renewal {
    pub id: ConnectionId,
    pub key: GrantKey,
    /// That was refreshed; the cells are sealed for the next one.
    pub generation: u64,
    pub access: Access,
    pub refresh: Option<Sealed>,
}

/// What a failed refresh means.
#[derive(Clone, Debug)]
pub struct Setback {
    pub id: ConnectionId,
    pub key: GrantKey,
    pub generation: u64,
    pub owner: LeaseOwner,
    pub status: Status,
    pub delay: Option<Delay>,
    pub in_doubt: bool,
}

/// What became of a fenced write.
#[derive(Clone, Debug)]
pub enum Written {
    Yes,
    /// The row has moved on, and nothing was written: this is what it is now.
    Moved(Box<Connection>),
    Gone,
}

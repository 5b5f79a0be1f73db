//! A grant that is not kept here any longer is to be good for nothing at the provider either (RFC 7009).

use crate::{
    oauth::{self, Client, Endpoint, HttpClient, TokenKind},
    vault::Grant,
};

/// What the provider has done; the words are part of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    Failed,
    /// It has no revocation endpoint.
    Unsupported,
    Yes,
}

impl Revoked {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Unsupported => "unsupported",
            Self::Yes => "yes",
        }
    }
}

/// By the refresh token, if there is one: with it the grant ends. Blocks for one request.
pub fn revoke(endpoint: Option<&Endpoint>, client: Option<Client>, grant: &Grant, http: &dyn HttpClient) -> Revoked {
    let Some(endpoint) = endpoint else { return Revoked::Unsupported };
    let Some(client) = client else { return Revoked::Failed };
    let (token, kind) = match &grant.refresh_token {
        Some(token) => (token, TokenKind::Refresh),
        None => (&grant.access_token, TokenKind::Access),
    };
    match oauth::revoke(endpoint, &client, token, kind, http) {
        Ok(()) => Revoked::Yes,
        Err(_) => Revoked::Failed,
    }
}

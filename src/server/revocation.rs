//! A grant that the service no longer stores is revoked at the provider (RFC 7009).

use crate::{
    oauth::{Client, Endpoint, Extent, HttpClient, revoke_grant},
    vault::Grant,
};

/// The result of a revocation; the words are part of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    Failed,
    /// The provider has no revocation endpoint.
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

/// Revokes the refresh token if there is one, otherwise the access token. Blocks for one request.
pub fn revoke(endpoint: Option<&Endpoint>, client: Option<Client>, grant: &Grant, http: &dyn HttpClient) -> Revoked {
    let Some(endpoint) = endpoint else { return Revoked::Unsupported };
    let Some(client) = client else { return Revoked::Failed };
    match revoke_grant(endpoint, &client, grant.tokens(), Extent::First, http) {
        Ok(()) => Revoked::Yes,
        Err(_) => Revoked::Failed,
    }
}

//! Refreshing an access token (RFC 6749 section 6).

use std::time::SystemTime;

use oauth2::RefreshToken;

use super::{
    Client, Endpoint, ErrorCode, ExchangeError, HttpClient, TokenSet,
    token::{Fault, tolerant},
};
use crate::secret::Secret;

/// Sends the refresh token, once. `now` dates the tokens.
///
/// # Errors
/// No tokens; [`ExchangeError::verdict`] tells whether the grant is dead.
pub fn refresh(
    token_endpoint: &Endpoint,
    client: &Client,
    refresh_token: &Secret,
    http: &dyn HttpClient,
    now: SystemTime,
) -> Result<TokenSet, ExchangeError> {
    let client = tolerant(client, token_endpoint);
    let refresh_token = RefreshToken::new(refresh_token.expose().to_owned());
    let reply = client.exchange_refresh_token(&refresh_token).request(&|request| Fault::guard(http, request));
    TokenSet::read(reply, now)
}

/// What a failed refresh says about the grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The provider takes this refresh token no more: a person has to log in.
    Dead,
    /// The client is not accepted. The person's grant may well be alive.
    Misconfigured,
    /// What came back breaks a promise; the old tokens are kept.
    Refused,
    /// Nothing is known: try later.
    Transient,
}

impl ExchangeError {
    /// Only a well-formed OAuth error kills a grant: never a page, a 5xx or a time-out.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Denied(ErrorCode::InvalidGrant) => Verdict::Dead,
            Self::Denied(ErrorCode::Other(code)) if ErrorCode::is_passing(code) => Verdict::Transient,
            Self::Denied(_) => Verdict::Misconfigured,
            Self::IdToken(_) | Self::Malformed(_) => Verdict::Refused,
            Self::NotOAuth(_) | Self::Unreachable(_) => Verdict::Transient,
        }
    }
}

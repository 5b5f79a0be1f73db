//! Refreshing an access token (RFC 6749 section 6).

use std::time::SystemTime;

use oauth2::RefreshToken;

use super::{
    Claims, Client, Endpoint, ErrorCode, ExchangeError, HttpClient, Issuer, TokenSet,
    id_token::Expected,
    token::{Fault, tolerant},
};
use crate::secret::Secret;

/// Sends the refresh token, once. `now` dates the tokens and judges an id_token that comes with them, whose nonce is
/// none of this request (OpenID Connect Core section 12.2).
///
/// # Errors
/// No tokens; [`ExchangeError::verdict`] tells whether the grant is dead.
pub fn refresh(
    token_endpoint: &Endpoint,
    client: &Client,
    refresh_token: &Secret,
    issuer: Option<&Issuer>,
    http: &dyn HttpClient,
    now: SystemTime,
) -> Result<TokenSet, ExchangeError> {
    let expected = Expected { issuer, client_id: client.id.as_str(), nonce: None, now };
    let client = tolerant(client, token_endpoint);
    let refresh_token = RefreshToken::new(refresh_token.expose().to_owned());
    let reply = client.exchange_refresh_token(&refresh_token).request(&|request| Fault::guard(http, request));
    let tokens = TokenSet::read(reply, now)?;
    let Some(id_token) = &tokens.id_token else { return Ok(tokens) };
    let claims = Claims::read(id_token, &expected).map_err(ExchangeError::IdToken)?;
    Ok(TokenSet { claims: Some(claims), ..tokens })
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

//! The access token request and its reply (RFC 6749 sections 4.1.3 and 5).

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use oauth2::{
    AuthType, AuthorizationCode, EmptyExtraTokenFields, ExtraTokenFields, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, StandardRevocableToken, StandardTokenResponse, TokenResponse, TokenUrl,
    basic::{BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse, BasicTokenType},
};
use serde::{Deserialize, Serialize};

use super::{
    AuthenticationMethod, Claims, Client, ClientAuthentication, CodeReceived, Endpoint, HttpClient, HttpError,
    HttpRequest, HttpResponse, IdTokenError, Scopes, TokenOccasion,
    id_token::{Expected, Occasion},
    normalise::{NotOAuth, normalise},
};
use crate::secret::Secret;

/// Life that is assumed when the server names none (RFC 6749 section 5.1 only recommends `expires_in`).
const UNSTATED_LIFE: Duration = Duration::from_secs(3600);

/// A successful reply, checked.
#[derive(Debug)]
pub struct TokenSet {
    pub access_token: Secret,
    pub token_type: TokenType,
    pub expiry: Expiry,
    /// The moment from which lives count; the expiry was derived from the very same one.
    pub obtained_at: SystemTime,
    pub refresh_token: Option<Secret>,
    /// Until when the refresh token can be used, if the server said so (no RFC has it).
    pub refreshable_until: Option<SystemTime>,
    /// `None`: the server named none, which means as asked (RFC 6749 section 5.1).
    pub granted: Option<Scopes>,
    pub id_token: Option<Secret>,
    /// Of the id_token, checked.
    pub claims: Option<Claims>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenType {
    Bearer,
    /// As the server named it, in lower case: the name is case insensitive (RFC 6749 section 5.1).
    Other(String),
}

impl TokenType {
    pub fn as_str(&self) -> &str {
        match self {
            Self::Bearer => "Bearer",
            Self::Other(name) => name,
        }
    }
}

/// Until when an access token counts as valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expiry {
    At(SystemTime),
    /// The server named no life: one hour is assumed.
    Assumed(SystemTime),
}

impl Expiry {
    pub fn time(self) -> SystemTime {
        match self {
            Self::At(time) | Self::Assumed(time) => time,
        }
    }
}

/// The `error` of RFC 6749 section 5.2.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorCode {
    InvalidClient,
    InvalidGrant,
    Other(String),
}

impl ErrorCode {
    /// Errors that say "later" (RFC 6749 section 4.1.2.1, RFC 8628 section 3.5), though this section does not list them.
    pub fn is_passing(code: &str) -> bool {
        matches!(code, "server_error" | "slow_down" | "temporarily_unavailable")
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::Other(code) => code,
        })
    }
}

/// Why a reply holds no usable token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MalformedToken {
    /// Empty, or with a space, control or non-ASCII character (RFC 6750 section 2.1).
    AccessToken,
    RefreshToken,
    /// DPoP without being asked: the token is bound to a key that we do not have.
    UnaskedDpop,
}

impl fmt::Display for MalformedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccessToken => {
                "the provider sent a malformed access token (empty, or with characters that no header can carry)"
            }
            Self::RefreshToken => "the provider sent a malformed refresh token",
            Self::UnaskedDpop => "the provider sent a DPoP token that nobody asked for",
        })
    }
}

/// Why there are no tokens. Nothing of the reply's body is in here but a code of plain letters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExchangeError {
    Denied(ErrorCode),
    IdToken(IdTokenError),
    Malformed(MalformedToken),
    NotOAuth(NotOAuth),
    Unreachable(HttpError),
}

impl fmt::Display for ExchangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(ErrorCode::InvalidGrant) => {
                f.write_str("the code was not accepted for this sign-in (invalid_grant)")
            }
            Self::Denied(code) => write!(f, "the token endpoint refused the request: {code}"),
            Self::IdToken(why) => write!(f, "the id_token is not acceptable: {why}"),
            Self::Malformed(why) => why.fmt(f),
            Self::NotOAuth(what) => write!(f, "the token endpoint {what}"),
            Self::Unreachable(why @ HttpError::Proxy { .. }) => write!(f, "the token endpoint was not asked: {why}"),
            Self::Unreachable(why) => write!(f, "the token endpoint gave no reply: {why}"),
        }
    }
}

impl std::error::Error for ExchangeError {}

impl ExchangeError {
    /// Whether the cause can be the code itself: a code of another sign-in, or none at all, fails like this, and the
    /// user's own code may still be accepted.
    pub fn blames_code(&self) -> bool {
        match self {
            Self::Denied(ErrorCode::InvalidGrant) | Self::IdToken(IdTokenError::OtherNonce) => true,
            // RFC 6749 section 5.2: these are about the client or the request as a whole, whatever the code.
            Self::Denied(ErrorCode::InvalidClient) => false,
            Self::Denied(ErrorCode::Other(code)) => {
                let of_the_client = ["invalid_scope", "unauthorized_client", "unsupported_grant_type"];
                !of_the_client.contains(&code.as_str()) && !ErrorCode::is_passing(code)
            }
            Self::IdToken(_) | Self::Malformed(_) | Self::NotOAuth(_) | Self::Unreachable(_) => false,
        }
    }
}

impl CodeReceived {
    /// Sends the code, once. `now` dates the tokens and judges the id_token.
    ///
    /// # Errors
    /// No tokens; the variant tells whose fault it is. A code is never sent again (RFC 6749 section 4.1.2).
    pub fn exchange(self, http: &dyn HttpClient, now: SystemTime) -> Result<TokenSet, ExchangeError> {
        let Self { code, flow } = self;
        let redirect = RedirectUrl::new(flow.redirect.as_str().to_owned())
            .map_err(|_| ExchangeError::NotOAuth(NotOAuth { status: 0, bytes: 0 }))?;
        let client = tolerant(&flow.client, &flow.server.token_endpoint).set_redirect_uri(redirect);
        let mut request = client.exchange_code(AuthorizationCode::new(code.expose().to_owned()));
        if let Some(verifier) = flow.code_verifier {
            request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()));
        }
        let http = &flow.client.dialect.token.over(http, TokenOccasion::Exchange);
        let reply = request.request(&|request| Fault::guard(http, request));
        let tokens = TokenSet::read(reply, now)?;
        let Some(id_token) = &tokens.id_token else { return Ok(tokens) };
        let expected = Expected {
            issuer: flow.server.issuer.as_ref(),
            client: &flow.client,
            algorithms: &flow.server.id_token_algorithms,
            occasion: Occasion::Login { nonce: flow.nonce.as_ref() },
            now,
        };
        let claims = Claims::read(id_token, &expected).map_err(ExchangeError::IdToken)?;
        Ok(TokenSet { claims: Some(claims), ..tokens })
    }
}

type TolerantReply = StandardTokenResponse<BeyondOAuth, BasicTokenType>;
type TolerantClient = oauth2::Client<
    BasicErrorResponse,
    TolerantReply,
    oauth2::StandardTokenIntrospectionResponse<EmptyExtraTokenFields, BasicTokenType>,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
>;
/// With the token endpoint set, as the `oauth2` crate has it in its type.
type ReadyClient = oauth2::Client<
    BasicErrorResponse,
    TolerantReply,
    oauth2::StandardTokenIntrospectionResponse<EmptyExtraTokenFields, BasicTokenType>,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointSet,
>;

/// The client of every token request.
pub(super) fn tolerant(client: &Client, token_endpoint: &Endpoint) -> ReadyClient {
    let mut tolerant = TolerantClient::new(oauth2::ClientId::new(client.id.as_str().to_owned()));
    if let Some(secret) = client.secret() {
        tolerant = tolerant.set_client_secret(oauth2::ClientSecret::new(secret.expose().to_owned()));
    }
    if let ClientAuthentication::Secret { method: AuthenticationMethod::Post, .. } = client.authentication {
        tolerant = tolerant.set_auth_type(AuthType::RequestBody);
    }
    tolerant.set_token_uri(TokenUrl::from_url(token_endpoint.url().clone()))
}

type TolerantResult = Result<TolerantReply, RequestTokenError<Fault, BasicErrorResponse>>;

impl TokenSet {
    pub(super) fn read(reply: TolerantResult, now: SystemTime) -> Result<Self, ExchangeError> {
        let reply = reply.map_err(|error| match error {
            RequestTokenError::ServerResponse(reply) => ExchangeError::Denied(match reply.error() {
                BasicErrorResponseType::InvalidClient => ErrorCode::InvalidClient,
                BasicErrorResponseType::InvalidGrant => ErrorCode::InvalidGrant,
                other => ErrorCode::Other(other.as_ref().to_owned()),
            }),
            RequestTokenError::Request(Fault::Http(why)) => ExchangeError::Unreachable(why),
            RequestTokenError::Request(Fault::NotOAuth(what)) => ExchangeError::NotOAuth(what),
            // The normaliser leaves nothing to misunderstand; should it, the body must not be shown.
            RequestTokenError::Parse(_, body) => ExchangeError::NotOAuth(NotOAuth { status: 200, bytes: body.len() }),
            RequestTokenError::Other(_) => ExchangeError::NotOAuth(NotOAuth { status: 200, bytes: 0 }),
        })?;
        let access_token = Secret::new(reply.access_token().secret().clone());
        if access_token.expose().is_empty() || !access_token.expose().bytes().all(|b| b.is_ascii_graphic()) {
            return Err(ExchangeError::Malformed(MalformedToken::AccessToken));
        }
        let refresh_token = reply.refresh_token().map(|t| Secret::new(t.secret().clone()));
        if refresh_token.as_ref().is_some_and(|t| !t.expose().bytes().all(|b| (0x20..=0x7e).contains(&b))) {
            return Err(ExchangeError::Malformed(MalformedToken::RefreshToken));
        }
        let token_type = match reply.token_type() {
            BasicTokenType::Bearer => TokenType::Bearer,
            BasicTokenType::Extension(name) if name == "dpop" => {
                return Err(ExchangeError::Malformed(MalformedToken::UnaskedDpop));
            }
            other => TokenType::Other(super::RemoteText::new(other.as_ref()).as_str().to_owned()),
        };
        let expiry = match reply.expires_in() {
            Some(life) => Expiry::At(now.checked_add(life).unwrap_or(now)),
            None => Expiry::Assumed(now.checked_add(UNSTATED_LIFE).unwrap_or(now)),
        };
        // A scope that is no scope is left out rather than failing a login over it.
        let granted = reply
            .scopes()
            .map(|list| list.iter().flat_map(|s| s.split(' ')).filter_map(|s| super::Scope::parse(s).ok()).collect());
        let id_token = reply.extra_fields().id_token.clone().map(|Hidden(token)| Secret::new(token));
        let refresh_life = reply.extra_fields().refresh_token_expires_in.map(Duration::from_secs);
        let refreshable_until = refresh_life.and_then(|life| now.checked_add(life));
        Ok(Self {
            access_token,
            token_type,
            expiry,
            obtained_at: now,
            refresh_token,
            refreshable_until,
            granted,
            id_token,
            claims: None,
        })
    }
}

#[derive(Debug)]
pub(super) enum Fault {
    Http(HttpError),
    NotOAuth(NotOAuth),
}

impl Fault {
    /// Sends, and brings the reply into the form that the `oauth2` crate reads.
    pub(super) fn guard(http: &dyn HttpClient, request: HttpRequest) -> Result<HttpResponse, Self> {
        let reply = http.send(request).map_err(Self::Http)?;
        normalise(&reply).map_err(Self::NotOAuth)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(why) => why.fmt(f),
            Self::NotOAuth(what) => what.fmt(f),
        }
    }
}

impl std::error::Error for Fault {}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct BeyondOAuth {
    #[serde(default, skip_serializing)]
    pub(super) id_token: Option<Hidden>,
    /// Seconds.
    #[serde(default)]
    pub(super) refresh_token_expires_in: Option<u64>,
}

impl ExtraTokenFields for BeyondOAuth {}

#[derive(Clone, Deserialize)]
pub(super) struct Hidden(String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests;

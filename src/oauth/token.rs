//! The access token request and its response (RFC 6749 sections 4.1.3 and 5).

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use oauth2::{
    AuthType, AuthorizationCode, EmptyExtraTokenFields, ExtraTokenFields, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, StandardRevocableToken, StandardTokenResponse, TokenResponse, TokenUrl,
    basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenType},
};
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use super::{
    AuthenticationMethod, Claims, Client, ClientAuthentication, CodeReceived, Endpoint, ErrorCode, ErrorResponse,
    GrantMetadata, HttpClient, HttpError, HttpRequest, HttpResponse, IdTokenError, Meaning, Scopes, TokenOccasion,
    WireDialect,
    error_response::OwnSecrets,
    id_token::{Expected, Occasion, jwt_expiry},
    normalise::{NotOAuth, Unusable, normalise},
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
    /// Why an id_token was left out that nobody had asked for.
    pub ignored_id_token: Option<IdTokenError>,
    /// What the provider sent beside the tokens, as far as it is kept.
    pub metadata: GrantMetadata,
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
    /// The server named no life, and there is no refresh token, so nothing is gained by assuming an end: the token is
    /// used until a server rejects it.
    Unknown,
}

impl Expiry {
    /// `None`: no end is known.
    pub fn end(self) -> Option<SystemTime> {
        match self {
            Self::At(time) | Self::Assumed(time) => Some(time),
            Self::Unknown => None,
        }
    }

    /// Whether the token has an end, and that has come.
    pub fn is_past(self, now: SystemTime) -> bool {
        self.end().is_some_and(|end| end <= now)
    }

    /// Of a token in a grant with this refresh token.
    pub fn beside(self, refresh_token: Option<&Secret>) -> Self {
        match (self, refresh_token) {
            (Self::Assumed(_), None) => Self::Unknown,
            (expiry, _) => expiry,
        }
    }

    /// The end that is stored, also where it is only assumed or unknown; [`Expiry::is_stated`] tells them apart.
    pub fn stored_end(self, obtained_at: SystemTime) -> SystemTime {
        self.end().unwrap_or_else(|| obtained_at.checked_add(UNSTATED_LIFE).unwrap_or(obtained_at))
    }

    /// Whether the server named the end.
    pub fn is_stated(self) -> bool {
        matches!(self, Self::At(_))
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

/// Why there are no tokens. Of the response's body only the error is in here, with no secret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExchangeError {
    Denied(ErrorResponse),
    IdToken(IdTokenError),
    Malformed(MalformedToken),
    NotOAuth(NotOAuth),
    Unreachable(HttpError),
}

impl fmt::Display for ExchangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(response) if response.code == ErrorCode::InvalidGrant => {
                write!(f, "the code was not accepted for this sign-in ({response})")
            }
            Self::Denied(response) => write!(f, "the token endpoint refused the request: {response}"),
            Self::IdToken(why) => write!(f, "the id_token is not acceptable: {why}"),
            Self::Malformed(why) => why.fmt(f),
            Self::NotOAuth(what) => write!(f, "the token endpoint {what}"),
            Self::Unreachable(why) if why.is_lasting() => write!(f, "the token endpoint was not asked: {why}"),
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
            Self::IdToken(IdTokenError::OtherNonce) => true,
            Self::Denied(response) => match (&response.code, response.meaning) {
                (_, Meaning::Client | Meaning::Later) => false,
                // RFC 6749 section 5.2: these are about the client or the request as a whole, whatever the code.
                (ErrorCode::Other(code), _) => {
                    !["invalid_scope", "unauthorized_client", "unsupported_grant_type"].contains(&code.as_str())
                }
                (ErrorCode::InvalidClient | ErrorCode::InvalidGrant, _) => true,
            },
            Self::IdToken(_) | Self::Malformed(_) | Self::NotOAuth(_) | Self::Unreachable(_) => false,
        }
    }
}

impl CodeReceived {
    /// How the provider's token endpoint differs from the RFCs.
    pub fn dialect(&self) -> &WireDialect {
        &self.flow.client.dialect
    }

    /// Sends the code, once. `now` dates the tokens and judges the id_token.
    ///
    /// # Errors
    /// No tokens; the variant tells whose fault it is. A code is never sent again (RFC 6749 section 4.1.2).
    pub fn exchange(self, http: &dyn HttpClient, now: SystemTime) -> Result<TokenSet, ExchangeError> {
        let Self { code, flow, metadata } = self;
        let nothing = NotOAuth { status: 0, bytes: 0, retry_after: None };
        let redirect = RedirectUrl::new(flow.redirect.as_str().to_owned());
        let redirect = redirect.map_err(|_| ExchangeError::NotOAuth(nothing))?;
        let client = tolerant(&flow.client, &flow.server.token_endpoint).set_redirect_uri(redirect);
        let mut request = client.exchange_code(AuthorizationCode::new(code.expose().to_owned()));
        if let Some(verifier) = flow.code_verifier {
            request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()));
        }
        let http = &flow.client.dialect.token.over(http, TokenOccasion::Exchange);
        let reply = request.request(&|request| Fault::guard(http, &flow.client, request));
        let tokens = TokenSet::read(reply, now).map_err(|incomplete| incomplete.error)?;
        let tokens = TokenSet { metadata: metadata.updated_by(tokens.metadata), ..tokens };
        let expected = Expected {
            issuer: flow.server.issuer.as_ref(),
            template: flow.server.issuer_template.as_ref(),
            client: &flow.client,
            algorithms: &flow.server.id_token_algorithms,
            occasion: Occasion::Login { nonce: flow.nonce.as_ref() },
            now,
        };
        // A nonce is sent wherever openid is asked for.
        let asked = if flow.nonce.is_some() { AskedIdToken::Yes } else { AskedIdToken::No };
        tokens.identified(asked, &expected)
    }
}

/// Whether a login asked for an id_token, by the scope `openid` (OpenID Connect Core section 3.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AskedIdToken {
    No,
    Yes,
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

/// A response without usable tokens.
#[derive(Debug)]
pub(super) struct Incomplete {
    pub(super) error: ExchangeError,
    /// The new refresh token of a response whose access token cannot be used: the one that was sent may be used up.
    pub(super) refresh_token: Option<Secret>,
}

impl TokenSet {
    /// The tokens of a response that somebody else requested. An id_token in it is not checked.
    ///
    /// # Errors
    /// No tokens, as for a response that was requested here.
    pub(super) fn of_response(
        response: HttpResponse,
        dialect: &WireDialect,
        now: SystemTime,
    ) -> Result<Self, ExchangeError> {
        let normal = Fault::sort(&dialect.token.response(response), &OwnSecrets::default(), dialect);
        Self::read(parsed(normal), now).map_err(|incomplete| incomplete.error)
    }

    /// With the claims of the id_token of a login, if one came.
    pub(super) fn identified(self, asked: AskedIdToken, expected: &Expected<'_>) -> Result<Self, ExchangeError> {
        let Some(id_token) = &self.id_token else { return Ok(self) };
        match (Claims::read(id_token, expected), asked) {
            (Ok(claims), _) => Ok(Self { claims: Some(claims), ..self }),
            // What nobody waits for costs no login.
            (Err(why), AskedIdToken::No) => Ok(Self { id_token: None, ignored_id_token: Some(why), ..self }),
            (Err(why), AskedIdToken::Yes) => Err(ExchangeError::IdToken(why)),
        }
    }

    pub(super) fn read(reply: TolerantResult, now: SystemTime) -> Result<Self, Incomplete> {
        let reply = reply.map_err(|error| {
            let nothing = |bytes| ExchangeError::NotOAuth(NotOAuth { status: 200, bytes, retry_after: None });
            let (error, refresh_token) = match error {
                RequestTokenError::Request(Fault::Error(response)) => (ExchangeError::Denied(response), None),
                RequestTokenError::Request(Fault::Http(why)) => (ExchangeError::Unreachable(why), None),
                RequestTokenError::Request(Fault::NotOAuth { what, refresh_token }) => {
                    (ExchangeError::NotOAuth(what), refresh_token)
                }
                // The normaliser leaves nothing to misunderstand; should it, the body must not be shown.
                RequestTokenError::Parse(_, body) => (nothing(body.len()), None),
                RequestTokenError::Other(_) | RequestTokenError::ServerResponse(_) => (nothing(0), None),
            };
            Incomplete { error, refresh_token }
        })?;
        let refresh_token = reply.refresh_token().map(|t| Secret::new(t.secret().clone()));
        if refresh_token.as_ref().is_some_and(|t| !t.expose().bytes().all(|b| (0x20..=0x7e).contains(&b))) {
            let error = ExchangeError::Malformed(MalformedToken::RefreshToken);
            return Err(Incomplete { error, refresh_token: None });
        }
        let malformed = |why| Incomplete { error: ExchangeError::Malformed(why), refresh_token: refresh_token.clone() };
        let access_token = Secret::new(reply.access_token().secret().clone());
        if access_token.expose().is_empty() || !access_token.expose().bytes().all(|b| b.is_ascii_graphic()) {
            return Err(malformed(MalformedToken::AccessToken));
        }
        let token_type = match reply.token_type() {
            BasicTokenType::Bearer => TokenType::Bearer,
            BasicTokenType::Extension(name) if name == "dpop" => return Err(malformed(MalformedToken::UnaskedDpop)),
            other => TokenType::Other(super::RemoteText::new(other.as_ref()).as_str().to_owned()),
        };
        // A JWT names its own end, though it is opaque to a client (RFC 9068 section 6): a hint, where there is no other.
        let hint = || {
            let stated = reply.extra_fields().expires_at.map(Duration::from_millis);
            let of_jwt = || jwt_expiry(&access_token).filter(|end| *end > now);
            stated.and_then(|since| UNIX_EPOCH.checked_add(since)).or_else(of_jwt)
        };
        let expiry = match reply.expires_in() {
            Some(life) => Expiry::At(now.checked_add(life).unwrap_or(now)),
            None => match hint() {
                Some(end) => Expiry::At(end),
                None => Expiry::Assumed(now.checked_add(UNSTATED_LIFE).unwrap_or(now)),
            },
        };
        // A scope that is no scope is left out rather than failing a login over it.
        let granted = reply
            .scopes()
            .map(|list| list.iter().flat_map(|s| s.split(' ')).filter_map(|s| super::Scope::parse(s).ok()).collect());
        let id_token = reply.extra_fields().id_token.clone().map(|Hidden(token)| Secret::new(token));
        let refresh_life = reply.extra_fields().refresh_token_expires_in.map(Duration::from_secs);
        let refreshable_until = refresh_life.and_then(|life| now.checked_add(life));
        let secrets = [Some(&access_token), refresh_token.as_ref(), id_token.as_ref()];
        let metadata = reply.extra_fields().kept.clone().without(&secrets);
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
            ignored_id_token: None,
            metadata,
        })
    }
}

#[derive(Debug)]
pub(super) enum Fault {
    Error(ErrorResponse),
    Http(HttpError),
    NotOAuth { what: NotOAuth, refresh_token: Option<Secret> },
}

impl Fault {
    /// Sends, and brings the response into the form that the `oauth2` crate reads.
    pub(super) fn guard(http: &dyn HttpClient, client: &Client, request: HttpRequest) -> Result<HttpResponse, Self> {
        let secrets = secrets_of(&request, client);
        let response = http.send(request).map_err(Self::Http)?;
        Self::sort(&response, &secrets, &client.dialect)
    }

    /// The normal form of a response with tokens.
    fn sort(response: &HttpResponse, secrets: &OwnSecrets, dialect: &WireDialect) -> Result<HttpResponse, Self> {
        normalise(response, secrets, dialect).map_err(|unusable| match unusable {
            Unusable::Error(response) => {
                Self::Error(response.with_dead_grant_errors(dialect.dead_grant_errors.iter().map(String::as_str)))
            }
            Unusable::NotOAuth { what, refresh_token } => Self::NotOAuth { what, refresh_token },
        })
    }
}

/// Sends a request that was written without the `oauth2` crate.
pub(super) fn tokens_for(
    request: HttpRequest,
    client: &Client,
    http: &dyn HttpClient,
    now: SystemTime,
) -> Result<TokenSet, ExchangeError> {
    TokenSet::read(parsed(Fault::guard(http, client, request)), now).map_err(|incomplete| incomplete.error)
}

/// A response in its normal form, as the `oauth2` crate would read it.
fn parsed(normal: Result<HttpResponse, Fault>) -> TolerantResult {
    // The normaliser leaves nothing to misunderstand; should it, the body must not be shown.
    let read = |normal: HttpResponse| {
        serde_json::from_slice(normal.body()).map_err(|_| RequestTokenError::Other(String::new()))
    };
    normal.map_err(RequestTokenError::Request).and_then(read)
}

/// What a token request carries that no message may show, though a provider repeats it.
fn secrets_of(request: &HttpRequest, client: &Client) -> OwnSecrets {
    let secret =
        |name: &str| ["code", "code_verifier", "client_secret", "device_code", "refresh_token"].contains(&name);
    let sent = form_urlencoded::parse(request.body())
        .filter(|(name, _)| secret(name))
        .map(|(_, value)| Secret::new(value.into_owned()));
    OwnSecrets::new(sent.chain(client.secret().cloned()))
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(response) => response.fmt(f),
            Self::Http(why) => why.fmt(f),
            Self::NotOAuth { what, .. } => what.fmt(f),
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
    /// Milliseconds since 1970.
    #[serde(default)]
    pub(super) expires_at: Option<u64>,
    #[serde(default, skip_serializing)]
    pub(super) kept: GrantMetadata,
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

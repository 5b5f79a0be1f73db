//! The device authorization grant (RFC 8628), for a user whose browser is on another machine: a code is shown here and
//! entered there, and the token endpoint is polled until it has been.
//!
//! `response` reads what the provider answers, `polling` decides when to ask again and how it ended.

mod polling;
mod response;
#[cfg(test)]
mod tests;

use std::{fmt, time::SystemTime};

pub use polling::{Next, PollEnd, Polling};
pub use response::{DeviceAuthorization, UserCode};

use super::{
    AuthorizationServer, Client, Endpoint, EndpointError, ErrorResponse, ExchangeError, ExtraParameters, HttpClient,
    HttpError, NotOAuth, ResponseMode, Scopes, TokenOccasion, TokenSet, WireDialect,
    client_request::client_request,
    error_response::OwnSecrets,
    id_token::{Expected, Occasion},
    token::{AskedIdToken, tokens_for},
};
use crate::secret::Secret;

/// RFC 8628 section 3.4.
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The input of a device authorization request (RFC 8628 section 3.1).
#[derive(Debug)]
pub struct DeviceRequest {
    /// The server, which issues the tokens later.
    pub server: AuthorizationServer,
    /// Its device authorization endpoint.
    pub endpoint: Endpoint,
    /// Our client at the server.
    pub client: Client,
    /// The requested scopes.
    pub scopes: Scopes,
    /// Additional parameters, sent last.
    pub extra: ExtraParameters,
}

impl DeviceRequest {
    /// Where the server is, as far as it is known.
    pub fn endpoints(&self) -> [Endpoint; 3] {
        let AuthorizationServer { authorization_endpoint, token_endpoint, .. } = &self.server;
        [authorization_endpoint, token_endpoint, &self.endpoint].map(Clone::clone)
    }

    /// Asks for a device code. Nothing has to be undone if it is not used: it expires.
    ///
    /// # Errors
    /// There is no code, or none that a user can be shown.
    pub fn send(self, http: &dyn HttpClient) -> Result<(DeviceAuthorization, DeviceFlow), DeviceError> {
        let Self { server, endpoint, client, scopes, mut extra } = self;
        // There is no redirect that could return anything.
        extra.set_response_mode(ResponseMode::Query);
        let scope = client.dialect.scope_separator.join(&scopes);
        let scope = (!scopes.is_empty()).then_some(("scope", scope.as_str()));
        // As in an authorization request (RFC 8707 section 2).
        let resources = client.dialect.token.resources.iter().map(|resource| ("resource", resource.as_str()));
        let fields = scope.into_iter().chain(resources).chain(extra.iter());
        let request = client_request(&endpoint, &client, fields).map_err(DeviceError::Unreachable)?;
        let response = http.send(request).map_err(DeviceError::Unreachable)?;
        let secrets = OwnSecrets::new(client.secret().cloned().into_iter());
        let (authorization, device_code) = response::read(&response, &secrets)?;
        Ok((authorization, DeviceFlow { device_code, server, client, asked: asked(&scopes) }))
    }
}

/// A device code, with what belongs to it.
#[derive(Debug)]
pub struct DeviceFlow {
    device_code: Secret,
    server: AuthorizationServer,
    client: Client,
    asked: AskedIdToken,
}

impl DeviceFlow {
    /// Where the tokens are issued, refreshed and revoked.
    pub fn server(&self) -> &AuthorizationServer {
        &self.server
    }

    /// How its token endpoint differs from the RFCs.
    pub fn dialect(&self) -> &WireDialect {
        &self.client.dialect
    }

    /// Asks the token endpoint once (RFC 8628 section 3.4). `now` dates the tokens and judges the id_token, which has no
    /// nonce here.
    ///
    /// # Errors
    /// No tokens; [`Polling`] decides what that means.
    pub fn poll(&self, http: &dyn HttpClient, now: SystemTime) -> Result<TokenSet, ExchangeError> {
        let Self { device_code, server, client, asked } = self;
        let fields = [("grant_type", GRANT_TYPE), ("device_code", device_code.expose())];
        let request = client_request(&server.token_endpoint, client, fields).map_err(ExchangeError::Unreachable)?;
        let http = &client.dialect.token.over(http, TokenOccasion::Exchange);
        let tokens = tokens_for(request, client, http, now)?;
        let expected = Expected {
            issuer: server.issuer.as_ref(),
            template: server.issuer_template.as_ref(),
            client,
            algorithms: &server.id_token_algorithms,
            occasion: Occasion::Login { nonce: None },
            now,
        };
        tokens.identified(*asked, &expected)
    }
}

fn asked(scopes: &Scopes) -> AskedIdToken {
    if scopes.contains("openid") { AskedIdToken::Yes } else { AskedIdToken::No }
}

/// Why there is no device code that can be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceError {
    /// The provider refused the request (RFC 6749 section 5.2).
    Denied(ErrorResponse),
    /// A member that every response has is missing, or cannot be used.
    Incomplete(&'static str),
    /// The response is neither a device code nor an error.
    NotOAuth(NotOAuth),
    /// There is no response.
    Unreachable(HttpError),
    /// The page where the code is to be entered is not safe to open.
    UnsafePage(EndpointError),
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(response) => write!(f, "the device authorization endpoint refused the request: {response}"),
            Self::Incomplete(name) => {
                write!(f, "the device authorization endpoint sent no usable {name}, so nobody can enter the code")
            }
            Self::NotOAuth(what) if what.redirected() => write!(f, "the device authorization endpoint {what}"),
            Self::NotOAuth(what) => write!(
                f,
                "the device authorization endpoint sent something that is not a device code (status {}, {} bytes)",
                what.status, what.bytes
            ),
            Self::Unreachable(why) if why.is_lasting() => {
                write!(f, "the device authorization endpoint was not asked: {why}")
            }
            Self::Unreachable(why) => write!(f, "the device authorization endpoint gave no reply: {why}"),
            Self::UnsafePage(why) => write!(f, "the page where the code is to be entered is not safe to open: {why}"),
        }
    }
}

impl std::error::Error for DeviceError {}

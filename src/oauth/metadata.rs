//! Authorization server metadata and its discovery (RFC 8414, OpenID Connect Discovery).

use oauth2::http;
use serde::Deserialize;

use super::{Endpoint, EndpointError, HttpClient, HttpError, HttpRequest, Issuer};

/// The endpoints of a login. A stored grant keeps its endpoints: a later discovery does not move it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationServer {
    pub issuer: Option<Issuer>,
    pub authorization_endpoint: Endpoint,
    pub token_endpoint: Endpoint,
    pub revocation_endpoint: Option<Endpoint>,
    pub iss_parameter: IssParameter,
    pub s256: S256,
    pub id_token_algorithms: IdTokenAlgorithms,
}

/// Whether the metadata promises the `iss` parameter in authorization responses (RFC 9207 section 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "bool")]
pub enum IssParameter {
    #[default]
    NotPromised,
    Promised,
}

impl From<bool> for IssParameter {
    fn from(promised: bool) -> Self {
        if promised { Self::Promised } else { Self::NotPromised }
    }
}

/// Whether the metadata advertises PKCE with S256 (RFC 8414 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum S256 {
    NotPromised,
    Promised,
    /// There was no metadata.
    Unstated,
}

/// The algorithms with which the server signs id_tokens, according to its metadata (OpenID Connect Discovery section
/// 3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum IdTokenAlgorithms {
    Listed(Vec<String>),
    /// There was no metadata, or it lists none.
    #[default]
    Unstated,
}

impl IdTokenAlgorithms {
    /// Texts that cannot be the name of an algorithm (RFC 7518 section 7.1.1) are left out, and everything after the
    /// first 64.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let is_name =
            |name: &String| (1..=32).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
        let names: Vec<_> = names.into_iter().filter(is_name).take(64).collect();
        if names.is_empty() { Self::Unstated } else { Self::Listed(names) }
    }

    pub fn permit(&self, name: &str) -> bool {
        match self {
            Self::Listed(names) => names.iter().any(|listed| listed == name),
            Self::Unstated => true,
        }
    }

    /// Empty if the metadata does not list them.
    pub fn names(&self) -> &[String] {
        match self {
            Self::Listed(names) => names,
            Self::Unstated => &[],
        }
    }
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    #[serde(default)]
    code_challenge_methods_supported: Vec<String>,
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: IssParameter,
}

/// Why discovery failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    #[error("{name} in the provider's metadata is not a safe URL: {why}")]
    Endpoint {
        name: &'static str,
        #[source]
        why: EndpointError,
    },
    #[error("the provider's metadata has no {0}")]
    Missing(&'static str),
    /// No well-known URL has a document.
    #[error("the provider publishes no metadata for this issuer")]
    NotFound,
    #[error("the issuer in the provider's metadata does not match, byte for byte")]
    OtherIssuer,
    #[error("the provider's metadata cannot be read: {0}")]
    Unreachable(#[source] HttpError),
}

/// Requests the well-known URLs of RFC 8414 section 3.1, then of OpenID Connect Discovery section 4.1.
///
/// # Errors
/// There is no document, or one that must not be trusted.
pub fn discover(issuer: &Issuer, http: &dyn HttpClient) -> Result<AuthorizationServer, DiscoveryError> {
    for place in well_known(issuer) {
        let request = http::Request::get(place).header(http::header::ACCEPT, "application/json").body(Vec::new());
        let Ok(request) = request else { continue };
        let request: HttpRequest = request;
        let reply = http.send(request).map_err(DiscoveryError::Unreachable)?;
        if reply.status().is_server_error() {
            return Err(DiscoveryError::Unreachable(HttpError::Broken(format!("status {}", reply.status().as_u16()))));
        }
        // A site that answers every path with 200 and a page counts as 404.
        let document =
            reply.status().is_success().then(|| serde_json::from_slice::<Document>(reply.body()).ok()).flatten();
        if let Some(document) = document {
            return document.server(issuer);
        }
    }
    Err(DiscoveryError::NotFound)
}

impl Document {
    fn server(self, issuer: &Issuer) -> Result<AuthorizationServer, DiscoveryError> {
        if self.issuer != issuer.as_str() {
            return Err(DiscoveryError::OtherIssuer);
        }
        let parse = |name: &'static str, text: Option<String>| {
            text.map(|t| Endpoint::parse(&t).map_err(|why| DiscoveryError::Endpoint { name, why })).transpose()
        };
        let lists_s256 = self.code_challenge_methods_supported.iter().any(|m| m == "S256");
        Ok(AuthorizationServer {
            issuer: Some(issuer.clone()),
            authorization_endpoint: parse("authorization_endpoint", self.authorization_endpoint)?
                .ok_or(DiscoveryError::Missing("authorization_endpoint"))?,
            token_endpoint: parse("token_endpoint", self.token_endpoint)?
                .ok_or(DiscoveryError::Missing("token_endpoint"))?,
            revocation_endpoint: parse("revocation_endpoint", self.revocation_endpoint)?,
            iss_parameter: self.authorization_response_iss_parameter_supported,
            s256: if lists_s256 { S256::Promised } else { S256::NotPromised },
            id_token_algorithms: IdTokenAlgorithms::new(self.id_token_signing_alg_values_supported.unwrap_or_default()),
        })
    }
}

fn well_known(issuer: &Issuer) -> [String; 2] {
    let text = issuer.as_str();
    let authority_end = text.find("://").map_or(0, |at| at + 3);
    let path_at = text[authority_end..].find('/').map_or(text.len(), |at| authority_end + at);
    let (origin, path) = text.split_at(path_at);
    let path = path.strip_suffix('/').unwrap_or(path);
    [
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
        format!("{origin}{path}/.well-known/openid-configuration"),
    ]
}

#[cfg(test)]
mod tests;

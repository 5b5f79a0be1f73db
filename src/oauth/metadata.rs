//! What is known about an authorization server (RFC 8414, OpenID Connect Discovery). `document` reads its metadata,
//! `discovery` finds them.

mod discovery;
mod document;

use serde::Deserialize;

use super::{AuthenticationMethods, Endpoint, Issuer, IssuerTemplate};
pub use discovery::{DiscoveryError, Miss, Missed, discover, discover_tenants};

/// The endpoints of a login. A stored grant keeps its endpoints: a later discovery does not move it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationServer {
    /// The issuer identifier; `None` if only endpoints are configured, or if it depends on the tenant.
    pub issuer: Option<Issuer>,
    /// The issuers of its tenants, if each has its own. Only used without `issuer`.
    pub issuer_template: Option<IssuerTemplate>,
    /// RFC 6749 section 3.1.
    pub authorization_endpoint: Endpoint,
    /// RFC 6749 section 3.2.
    pub token_endpoint: Endpoint,
    /// RFC 7009 section 2; `None`: grants cannot be revoked.
    pub revocation_endpoint: Option<Endpoint>,
    /// RFC 8628 section 3.1; `None`: no login by device code.
    pub device_authorization_endpoint: Option<Endpoint>,
    /// Whether responses must have `iss`.
    pub iss_parameter: IssParameter,
    /// Whether PKCE with S256 is advertised.
    pub s256: S256,
    /// The algorithms that an id_token may have.
    pub id_token_algorithms: IdTokenAlgorithms,
    /// How the token endpoint accepts a client secret.
    pub authentication_methods: AuthenticationMethods,
}

/// Whether the metadata promises the `iss` parameter in authorization responses (RFC 9207 section 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "bool")]
pub enum IssParameter {
    /// `iss` may be missing.
    #[default]
    NotPromised,
    /// A response without `iss` is rejected.
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
    /// The metadata lists other methods, or none.
    NotPromised,
    /// The metadata lists `S256`.
    Promised,
    /// There was no metadata.
    Unstated,
}

/// The algorithms with which the server signs id_tokens, according to its metadata (OpenID Connect Discovery section
/// 3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum IdTokenAlgorithms {
    /// `id_token_signing_alg_values_supported`.
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

    /// Whether an id_token may have this `alg`.
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

#[cfg(test)]
mod tests;

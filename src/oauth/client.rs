//! The client at an authorization server (RFC 6749 section 2).

use std::fmt;

use super::WireDialect;
use crate::secret::Secret;

/// The client identifier (RFC 6749 section 2.2): visible ASCII and space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientId(String);

impl ClientId {
    /// `None` if the text is empty or has a character outside RFC 6749 appendix A.1.
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = text.bytes().all(|b| (0x20..=0x7e).contains(&b));
        (allowed && !text.trim().is_empty()).then(|| Self(text.to_owned()))
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a confidential client authenticates; the names are those of RFC 7591 section 2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuthenticationMethod {
    /// `client_secret_basic`: identifier and secret form-encoded, then HTTP Basic (RFC 6749 section 2.3.1).
    #[default]
    Basic,
    /// `client_secret_post`: both in the body.
    Post,
}

/// A client with its secret, if it has one.
#[derive(Clone, Debug)]
pub struct Client {
    /// The client identifier.
    pub id: ClientId,
    /// How the client authenticates at the token endpoint.
    pub authentication: ClientAuthentication,
    /// Of the provider where it is registered.
    pub dialect: WireDialect,
}

impl Client {
    /// A client of a provider that keeps to the RFCs.
    pub fn new(id: ClientId, authentication: ClientAuthentication) -> Self {
        Self { id, authentication, dialect: WireDialect::default() }
    }

    pub fn speaking(self, dialect: WireDialect) -> Self {
        Self { dialect, ..self }
    }
}

/// The authentication of a client (RFC 6749 section 2.3).
#[derive(Clone, Debug)]
pub enum ClientAuthentication {
    /// A public client.
    None,
    /// A confidential client.
    Secret {
        /// The client secret.
        secret: Secret,
        /// How the secret is sent.
        method: AuthenticationMethod,
    },
}

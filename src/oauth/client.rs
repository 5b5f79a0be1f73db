//! The client at an authorization server (RFC 6749 section 2).

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use sha2::{Digest, Sha256};

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

impl AuthenticationMethod {
    /// By the name in metadata.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "client_secret_basic" => Some(Self::Basic),
            "client_secret_post" => Some(Self::Post),
            _ => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
        }
    }
}

/// What a token endpoint accepts: `token_endpoint_auth_methods_supported` (RFC 8414 section 2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AuthenticationMethods {
    Listed(Vec<String>),
    /// There was no metadata to read, or it lists none.
    #[default]
    Unstated,
}

impl AuthenticationMethods {
    /// Names longer than any registered one are left out, and so is what comes after the first 32.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let is_name =
            |name: &String| (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
        let names: Vec<_> = names.into_iter().filter(is_name).take(32).collect();
        if names.is_empty() { Self::Unstated } else { Self::Listed(names) }
    }

    /// None where they are not stated.
    pub fn names(&self) -> &[String] {
        match self {
            Self::Listed(names) => names,
            Self::Unstated => &[],
        }
    }

    /// The method for a client with a secret. Basic comes first: a server has to accept it (RFC 6749 section 2.3.1), and
    /// it is what an empty list means.
    ///
    /// # Errors
    /// The list has none that is offered here.
    pub fn choose(&self) -> Result<AuthenticationMethod, NoCommonMethod> {
        let listed = |method: AuthenticationMethod| self.names().iter().any(|name| name == method.as_str());
        match self {
            Self::Unstated => Ok(AuthenticationMethod::Basic),
            Self::Listed(_) if listed(AuthenticationMethod::Basic) => Ok(AuthenticationMethod::Basic),
            Self::Listed(_) if listed(AuthenticationMethod::Post) => Ok(AuthenticationMethod::Post),
            Self::Listed(names) => Err(NoCommonMethod { listed: names.clone() }),
        }
    }
}

/// The provider accepts a client secret in no form that is offered here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoCommonMethod {
    pub listed: Vec<String>,
}

impl fmt::Display for NoCommonMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the provider's metadata lists no way to send a client secret, only: {}", self.listed.join(", "))
    }
}

impl std::error::Error for NoCommonMethod {}

/// What is sent in the place of a client secret.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub enum SecretMask {
    /// The secret itself (RFC 6749 section 2.3.1).
    #[default]
    #[serde(rename = "none")]
    None,
    /// `base64(SHA-256(secret + lower(trim(client_id))))`, as iRacing's token endpoint documents it.
    #[serde(rename = "sha256_client_id")]
    Sha256ClientId,
}

impl SecretMask {
    /// What goes over the wire for `secret`.
    pub fn applied(self, secret: Secret, id: &ClientId) -> Secret {
        match self {
            Self::None => secret,
            Self::Sha256ClientId => {
                let hash = Sha256::new().chain_update(secret.expose()).chain_update(id.0.trim().to_lowercase());
                Secret::new(STANDARD.encode(hash.finalize()))
            }
        }
    }
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

    /// The same client, whose secret is sent by this method.
    pub fn authenticated_by(self, method: AuthenticationMethod) -> Self {
        let authentication = match self.authentication {
            ClientAuthentication::None => ClientAuthentication::None,
            ClientAuthentication::Secret { secret, .. } => ClientAuthentication::Secret { secret, method },
        };
        Self { authentication, ..self }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d07_the_method_is_one_that_the_metadata_lists_and_basic_where_it_lists_nothing() {
        let methods = |names: &[&str]| AuthenticationMethods::new(names.iter().map(|name| (*name).to_owned()));
        for (names, chosen) in [
            (&[][..], AuthenticationMethod::Basic),
            (&["client_secret_post"], AuthenticationMethod::Post),
            (&["private_key_jwt", "client_secret_post", "client_secret_basic"], AuthenticationMethod::Basic),
            (&["none", "client_secret_post"], AuthenticationMethod::Post),
        ] {
            assert_eq!(Ok(chosen), methods(names).choose(), "{names:?}");
        }
        let none = methods(&["private_key_jwt", "tls_client_auth"]).choose().expect_err("none in common");
        assert!(none.to_string().ends_with("only: private_key_jwt, tls_client_auth"), "{none}");
    }

    #[test]
    fn a_masked_secret_is_the_hash_of_the_secret_and_the_trimmed_client_id_in_lower_case() {
        let masked = |secret: &str, id: &str| {
            let id = ClientId::parse(id).expect("a client id");
            SecretMask::Sha256ClientId.applied(Secret::new(secret.into()), &id)
        };
        // printf 'secretmy-client' | openssl dgst -sha256 -binary | base64
        let expected = "DdSHFZxzjq+7uYRZduNfcEmRq3JTw9lzhb5yp7NkOx8=";
        for id in ["my-client", " My-Client ", "MY-CLIENT"] {
            assert!(masked("secret", id).matches(expected), "{id}");
        }
        assert!(!masked("Secret", "my-client").matches(expected), "the secret is taken as it is");
        let plain = SecretMask::None.applied(Secret::new("secret".into()), &ClientId::parse("x").expect("an id"));
        assert!(plain.matches("secret"));
    }
}

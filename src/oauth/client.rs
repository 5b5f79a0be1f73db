//! The client at an authorization server (RFC 6749 section 2).

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use sha2::{Digest, Sha256};

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

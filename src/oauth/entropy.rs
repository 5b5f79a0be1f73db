//! The random values of a login, as an argument.
#![deny(clippy::let_underscore_must_use)]

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::secret::Secret;

/// The three secret random values of one login, 256 bits each.
#[derive(Debug)]
pub struct Entropy {
    pub(crate) state: Secret,
    pub(crate) code_verifier: Secret,
    pub(crate) nonce: Secret,
}

impl Entropy {
    /// Each value is 32 bytes in base64url: 43 characters, as RFC 7636 section 4.1 recommends for a verifier.
    pub fn from_bytes(bytes: &[u8; 96]) -> Self {
        let value = |at: usize| Secret::new(URL_SAFE_NO_PAD.encode(&bytes[at..at + 32]));
        Self { state: value(0), code_verifier: value(32), nonce: value(64) }
    }

    /// Uses a `state` that is not only random: a handle by which a service finds the login again. It must be as hard to
    /// guess.
    pub fn with_state(self, state: Secret) -> Self {
        Self { state, ..self }
    }
}

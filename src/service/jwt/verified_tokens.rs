//! A cache of verified tokens. A backend sends the same token with every request until it expires, and one verification
//! is enough.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use ring::digest::{SHA256, digest};

use super::{IssuerAt, KeySet, Verified};

/// Tokens at most, of a few hundred bytes each.
pub(super) const MOST: usize = 4096;

/// The results of verified tokens, by their digests. No token is stored.
#[derive(Default)]
pub(super) struct VerifiedTokens(Mutex<HashMap<Digest, VerifiedToken>>);

/// SHA-256 of the whole token with its signature.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Digest([u8; 32]);

/// A token that was accepted.
pub(super) struct VerifiedToken {
    pub verified: Arc<Verified>,
    pub issuer: IssuerAt,
    /// The key set that verified it; `None` for a shared secret, which never changes.
    pub keys: Option<Arc<KeySet>>,
    /// The result is valid from the verification until the token expires. If the clock was set back to an earlier time,
    /// the token is verified again.
    pub from: SystemTime,
    pub until: SystemTime,
}

impl Digest {
    pub fn of(token: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        Self(bytes)
    }
}

impl VerifiedTokens {
    /// `published` returns whether an issuer still publishes a key set.
    pub fn find(
        &self,
        digest: &Digest,
        published: impl FnOnce(IssuerAt, &Arc<KeySet>) -> bool,
        now: SystemTime,
    ) -> Option<Arc<Verified>> {
        let tokens = self.tokens();
        let token = tokens.get(digest)?;
        let holds = token.from <= now
            && now < token.until
            && token.keys.as_ref().is_none_or(|keys| published(token.issuer, keys));
        holds.then(|| Arc::clone(&token.verified))
    }

    pub fn keep(&self, digest: Digest, token: VerifiedToken) {
        let mut tokens = self.tokens();
        if tokens.len() >= MOST {
            tokens.retain(|_, other| token.from < other.until);
        }
        if tokens.len() >= MOST {
            tokens.clear();
        }
        tokens.insert(digest, token);
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.tokens().len()
    }

    fn tokens(&self) -> MutexGuard<'_, HashMap<Digest, VerifiedToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for VerifiedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedTokens").finish_non_exhaustive()
    }
}

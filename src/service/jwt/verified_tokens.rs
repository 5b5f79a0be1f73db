//! Tokens that were verified before. A backend brings the same one with every request until it expires, and its
//! signature says nothing new the second time.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use ring::digest::{SHA256, digest};

use super::{IssuerAt, KeySet, Verified};

/// Tokens at most, of some hundred bytes each.
pub(super) const MOST: usize = 4096;

/// What came of verified tokens, by their digests: none of them lies here.
#[derive(Default)]
pub(super) struct VerifiedTokens(Mutex<HashMap<Digest, VerifiedToken>>);

/// SHA-256 of a whole token, its signature included.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Digest([u8; 32]);

/// A token that was taken.
pub(super) struct VerifiedToken {
    pub verified: Arc<Verified>,
    pub issuer: IssuerAt,
    /// The set that its key is of; `None` for a shared secret, which stays.
    pub keys: Option<Arc<KeySet>>,
    /// What was found then holds until the token expires. Of an earlier time, to which a clock may be set back, nothing
    /// was found.
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
    /// `published` tells whether a set of keys is still the one that an issuer publishes.
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

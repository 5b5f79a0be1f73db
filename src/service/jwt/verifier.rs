//! Verifies tokens.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::SystemTime,
};

use super::{
    Algorithm, Fetching, KeySet, KeySource, LONGEST, Refused, TrustedIssuer, Verified,
    claims::Expected,
    signature::SharedKey,
    token::Token,
    verified_tokens::{Digest, VerifiedToken, VerifiedTokens},
};
use crate::{catalog::SecretSource, oauth::Endpoint, secret::Secret};

/// Shortest shared secret in bytes: the length of the hash (RFC 7518 section 3.2).
const SHORTEST_SECRET: usize = 32;

/// All configured issuers with their keys. It is shared between threads; [`Verifier::publish`] replaces the keys of an
/// issuer.
#[derive(Debug)]
pub struct Verifier {
    issuers: Vec<Issuer>,
    verified_tokens: VerifiedTokens,
}

/// An issuer of the configuration, by its position in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IssuerAt(usize);

#[derive(Debug)]
struct Issuer {
    expected: Expected,
    keys: Keys,
}

#[derive(Debug)]
enum Keys {
    Published { url: Endpoint, algorithms: Vec<Algorithm>, set: RwLock<(Arc<KeySet>, Fetching)> },
    Shared(SharedKey),
}

/// A shared secret of fewer than 32 bytes, which can be guessed from one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("[[jwt]]: hs256: the secret has fewer than {SHORTEST_SECRET} bytes")]
pub struct WeakSecret;

impl Verifier {
    /// `read` reads the shared secrets. Published keys are fetched later: see [`Verifier::stale`].
    ///
    /// # Errors
    /// An error of `read`, or a weak secret.
    pub fn new<E: From<WeakSecret>>(
        issuers: Vec<TrustedIssuer>,
        mut read: impl FnMut(&SecretSource) -> Result<Secret, E>,
    ) -> Result<Self, E> {
        let issuer = |table: TrustedIssuer| {
            let keys = match table.keys {
                KeySource::Published { url, algorithms } => Keys::Published { url, algorithms, set: RwLock::default() },
                KeySource::Shared(source) => {
                    let secret = read(&source)?;
                    if secret.expose().len() < SHORTEST_SECRET {
                        return Err(WeakSecret.into());
                    }
                    Keys::Shared(SharedKey::new(&secret))
                }
            };
            Ok(Issuer { expected: table.expected, keys })
        };
        let issuers = issuers.into_iter().map(issuer).collect::<Result<_, E>>()?;
        Ok(Self { issuers, verified_tokens: VerifiedTokens::default() })
    }

    /// Verifies a token and returns its caller.
    ///
    /// # Errors
    /// The token is rejected. [`Refused::UnknownKey`] comes with the issuer whose keys may have changed:
    /// [`Verifier::ask`].
    pub fn verify(&self, token: &str, now: SystemTime) -> Result<Arc<Verified>, (Refused, Option<IssuerAt>)> {
        let refused = |why| (why, None);
        if token.len() > LONGEST {
            return Err(refused(Refused::TooLong));
        }
        let digest = Digest::of(token);
        if let Some(verified) = self.verified_tokens.find(&digest, |at, keys| self.publishes(at, keys), now) {
            return Ok(verified);
        }
        let token = Token::parse(token).map_err(refused)?;
        let iss = token.claims.text("iss").ok().flatten().ok_or(refused(Refused::Issuer))?;
        let found = self.issuers.iter().enumerate().find(|(_, issuer)| issuer.expected.issuer == iss);
        let (at, Issuer { expected, keys }) = found.ok_or(refused(Refused::Issuer))?;
        let at = IssuerAt(at);
        let keys = keys.verify(&token).map_err(|why| (why, (why == Refused::UnknownKey).then_some(at)))?;
        let verified = Arc::new(expected.judge(&token, now).map_err(refused)?);
        let until = verified.expires_at + expected.leeway;
        let token = VerifiedToken { verified: Arc::clone(&verified), issuer: at, keys, from: now, until };
        self.verified_tokens.keep(digest, token);
        Ok(verified)
    }

    /// The URL of this issuer's keys if it is time to fetch them: once a minute at most. The fetch counts as started,
    /// so the caller must do it.
    pub fn ask(&self, at: IssuerAt, now: SystemTime) -> Option<&Endpoint> {
        match &self.issuers.get(at.0)?.keys {
            Keys::Published { url, set, .. } => {
                set.write().unwrap_or_else(PoisonError::into_inner).1.ask(now).then_some(url)
            }
            Keys::Shared(_) => None,
        }
    }

    /// Issuers whose keys are missing or more than 15 minutes old.
    pub fn stale(&self, now: SystemTime) -> Vec<IssuerAt> {
        self.published().filter(|(_, fetching)| fetching.is_stale(now)).map(|(at, _)| at).collect()
    }

    /// The value of `iss` in its tokens.
    pub fn issuer(&self, at: IssuerAt) -> &str {
        self.issuers.get(at.0).map_or("", |issuer| &issuer.expected.issuer)
    }

    /// Whether every issuer has keys.
    pub fn is_ready(&self) -> bool {
        self.published().all(|(_, fetching)| fetching.ever_came())
    }

    /// Whether this issuer has keys.
    pub fn has_keys(&self, at: IssuerAt) -> bool {
        self.published().all(|(issuer, fetching)| issuer != at || fetching.ever_came())
    }

    /// Replaces the keys of an issuer.
    pub fn publish(&self, at: IssuerAt, keys: KeySet, now: SystemTime) {
        if let Some(Issuer { keys: Keys::Published { set, .. }, .. }) = self.issuers.get(at.0) {
            let mut set = set.write().unwrap_or_else(PoisonError::into_inner);
            set.0 = Arc::new(keys);
            set.1.came(now);
        }
    }

    /// Whether the issuer still publishes this key set. The tokens of a withdrawn key are no longer valid.
    fn publishes(&self, at: IssuerAt, keys: &Arc<KeySet>) -> bool {
        match self.issuers.get(at.0).map(|issuer| &issuer.keys) {
            Some(Keys::Published { set, .. }) => {
                Arc::ptr_eq(&set.read().unwrap_or_else(PoisonError::into_inner).0, keys)
            }
            _ => false,
        }
    }

    #[cfg(test)]
    pub(super) fn verified_count(&self) -> usize {
        self.verified_tokens.len()
    }

    fn published(&self) -> impl Iterator<Item = (IssuerAt, Fetching)> {
        self.issuers.iter().enumerate().filter_map(|(at, issuer)| match &issuer.keys {
            Keys::Published { set, .. } => Some((IssuerAt(at), set.read().unwrap_or_else(PoisonError::into_inner).1)),
            Keys::Shared(_) => None,
        })
    }
}

impl Keys {
    /// The key set that verified the token, where keys are published.
    fn verify(&self, token: &Token<'_>) -> Result<Option<Arc<KeySet>>, Refused> {
        match self {
            Self::Shared(key) if token.algorithm == Algorithm::Hs256 => {
                key.verify(token.signed, &token.signature).map(|()| None)
            }
            Self::Published { algorithms, set, .. } if algorithms.contains(&token.algorithm) => {
                let set = Arc::clone(&set.read().unwrap_or_else(PoisonError::into_inner).0);
                let key = set.find(token.kid.as_deref(), token.algorithm).ok_or(Refused::UnknownKey)?;
                key.material.verify(token.algorithm, token.signed, &token.signature)?;
                Ok(Some(set))
            }
            _ => Err(Refused::Algorithm),
        }
    }
}

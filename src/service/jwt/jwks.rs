//! The published keys of an issuer (RFC 7517), and when they are fetched.

use std::time::SystemTime;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;

use super::Algorithm;
use crate::deadlines::{ISSUER_FETCH_PAUSE, ISSUER_KEYS_LAST};

/// Keys per issuer, at most.
pub const MOST_KEYS: usize = 100;

/// Bits of an RSA modulus: fewer are too weak, more are too slow for every request.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// The usable public keys of one issuer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySet(Vec<PublicKey>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PublicKey {
    pub kid: Option<String>,
    /// The algorithm that the key names; otherwise every algorithm of its kind.
    pub algorithm: Option<Algorithm>,
    pub material: Material,
}

/// Big-endian bytes, as ring expects them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Material {
    Ed25519(Vec<u8>),
    /// An uncompressed point.
    P256(Vec<u8>),
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
}

impl Material {
    fn is_for(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Ed25519(_) => algorithm == Algorithm::EdDsa,
            Self::P256(_) => algorithm == Algorithm::Es256,
            Self::Rsa { .. } => matches!(algorithm, Algorithm::Ps256 | Algorithm::Rs256),
        }
    }
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Unusable keys are left out (RFC 7517 section 5): of another kind or curve, for encryption, or too weak. A
    /// published symmetric key is no secret, so it is left out too.
    ///
    /// # Errors
    /// It is not a JWK set, has too many keys, or none that can be used.
    pub fn parse(document: &[u8]) -> Result<Self, JwksError> {
        let document: Document = serde_json::from_slice(document).map_err(|_| JwksError::NotAKeySet)?;
        if document.keys.len() > MOST_KEYS {
            return Err(JwksError::TooMany);
        }
        let keys = document.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok()?.key());
        let keys: Vec<_> = keys.collect();
        if keys.is_empty() { Err(JwksError::NoneOfUse) } else { Ok(Self(keys)) }
    }

    /// The key that a token names. A token without `kid` is accepted if exactly one key fits.
    pub(super) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<&PublicKey> {
        let fits =
            |key: &&PublicKey| key.material.is_for(algorithm) && key.algorithm.is_none_or(|named| named == algorithm);
        let mut fitting = self.0.iter().filter(fits);
        match kid {
            Some(kid) => fitting.find(|key| key.kid.as_deref() == Some(kid)),
            None => fitting.next().filter(|_| fitting.next().is_none()),
        }
    }
}

impl Jwk {
    fn key(self) -> Option<PublicKey> {
        let for_signatures = self.usage.as_deref().is_none_or(|usage| usage == "sig")
            && self.key_ops.as_ref().is_none_or(|operations| operations.iter().any(|o| o == "verify"));
        let algorithm = match &self.alg {
            Some(alg) => Some(Algorithm::parse(alg)?),
            None => None,
        };
        let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?.trim_end_matches('=')).ok();
        let of_32 = |text: &Option<String>| bytes(text).filter(|bytes| bytes.len() == 32);
        let material = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => {
                let (n, e) = (without_zeros(bytes(&self.n)?), without_zeros(bytes(&self.e)?));
                let bits = 8 * n.len() - n.first()?.leading_zeros() as usize;
                (RSA_BITS.contains(&bits) && !e.is_empty()).then_some(Material::Rsa { n, e })?
            }
            ("EC", Some("P-256")) => Material::P256([vec![4], of_32(&self.x)?, of_32(&self.y)?].concat()),
            ("OKP", Some("Ed25519")) => Material::Ed25519(of_32(&self.x)?),
            _ => return None,
        };
        for_signatures.then_some(PublicKey { kid: self.kid, algorithm, material })
    }
}

/// ring expects numbers without leading zeros; some servers send them.
fn without_zeros(number: Vec<u8>) -> Vec<u8> {
    number.into_iter().skip_while(|byte| *byte == 0).collect()
}

/// Why a response has no usable keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwksError {
    /// It has no key that can be used.
    #[error("it has no key of RSA (2048 to 4096 bits), P-256 or Ed25519 for signatures")]
    NoneOfUse,
    /// It is no JWK set.
    #[error("it is not a JWK set (RFC 7517)")]
    NotAKeySet,
    /// It has too many keys.
    #[error("it has more than {MOST_KEYS} keys")]
    TooMany,
}

/// When the keys of an issuer were requested and received. A client can send tokens with new `kid`s at any rate, so the
/// issuer is asked once a minute at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fetching {
    asked: Option<SystemTime>,
    came: Option<SystemTime>,
}

impl Fetching {
    /// Whether an unknown key is worth a fetch now. If so, the fetch counts as started.
    pub fn ask(&mut self, now: SystemTime) -> bool {
        // A clock that was set back does not make the wait longer.
        let waited = |asked: SystemTime| now.duration_since(asked).map_or(true, |since| since >= ISSUER_FETCH_PAUSE);
        let due = self.asked.is_none_or(waited);
        if due {
            self.asked = Some(now);
        }
        due
    }

    /// Keys were received at `now`.
    pub fn came(&mut self, now: SystemTime) {
        self.came = Some(now);
    }

    /// Whether keys were ever fetched.
    pub fn ever_came(&self) -> bool {
        self.came.is_some()
    }

    /// Whether the keys are so old that they are fetched without a need.
    pub fn is_stale(&self, now: SystemTime) -> bool {
        self.came.is_none_or(|came| now.duration_since(came).map_or(true, |age| age >= ISSUER_KEYS_LAST))
    }
}

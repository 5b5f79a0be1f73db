//! Callers: JSON Web Tokens of the operator's issuers (RFC 7519, RFC 8725).
//!
//! The configuration lists the issuers, where their keys are and the algorithms of those keys. A token only chooses its
//! issuer and, by `kid`, one of that issuer's keys. It chooses no algorithm and no key of its own (`jwk`, `jku`, `x5c`,
//! `x5u`). ring verifies signatures with prepared keys; the time is an argument.

#[cfg_attr(not(feature = "server"), expect(dead_code, reason = "verifier.rs asks for it, and it needs ring"))]
mod claims;
mod file;
#[cfg_attr(not(feature = "server"), expect(dead_code, reason = "verifier.rs asks for it, and it needs ring"))]
mod jwks;
mod org;
#[cfg(feature = "server")]
mod signature;
#[cfg_attr(not(feature = "server"), expect(dead_code, reason = "verifier.rs asks for it, and it needs ring"))]
mod token;
#[cfg(feature = "server")]
mod verified_tokens;
#[cfg(feature = "server")]
mod verifier;

use std::fmt;

pub use claims::{Role, Verified};
pub use file::{KeySource, Tables, TrustedIssuer, issuers, shared_namespaces};
pub use jwks::{Fetching, JwksError, KeySet, MOST_KEYS};
pub use org::{Caller, OrgRefused};
pub use token::LONGEST;
#[cfg(feature = "server")]
pub use verifier::{IssuerAt, Verifier, WeakSecret};

/// Signature algorithms (RFC 7518 section 3.1, RFC 8037). There is no `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// Ed25519 (RFC 8037).
    EdDsa,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// HMAC with SHA-256.
    Hs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    /// The algorithms with a public key.
    pub const PUBLIC: [Self; 4] = [Self::Rs256, Self::Es256, Self::Ps256, Self::EdDsa];

    /// The algorithm with this value of `alg`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::EdDsa, Self::Es256, Self::Hs256, Self::Ps256, Self::Rs256].into_iter().find(|a| a.as_str() == text)
    }

    /// The value of `alg`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Hs256 => "HS256",
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
        }
    }
}

/// Why a token is rejected. The log contains the reason; the response only says that the token is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// `alg` is not an algorithm of the issuer's keys.
    Algorithm,
    /// `aud` is another service.
    Audience,
    /// It requires an extension (`crit`) that this program does not support.
    Critical,
    /// `exp` has passed.
    Expired,
    /// `iat` is in the future.
    IssuedInTheFuture,
    /// `iss` is missing or not configured.
    Issuer,
    /// It is no signed JWT.
    NotAToken,
    /// `nbf` is in the future.
    NotYetValid,
    /// It is an id_token, made for signing in.
    SignInToken,
    /// The signature is wrong.
    Signature,
    /// `exp` is missing, or one of `exp`, `nbf`, `iat` is no valid time.
    Times,
    /// It is longer than 8 KiB.
    TooLong,
    /// `typ` or `cty` is not an expected one.
    Type,
    /// The issuer publishes no such key.
    UnknownKey,
    /// The claim that names the user is missing or is no valid name.
    User,
    /// A configured claim has another type.
    WrongClaim,
}

impl Refused {
    /// A code for logs, from a fixed list.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Algorithm => "algorithm",
            Self::Audience => "audience",
            Self::Critical => "critical_extension",
            Self::Expired => "expired",
            Self::IssuedInTheFuture => "issued_in_the_future",
            Self::Issuer => "issuer",
            Self::NotAToken => "not_a_token",
            Self::NotYetValid => "not_yet_valid",
            Self::SignInToken => "sign_in_token",
            Self::Signature => "signature",
            Self::Times => "times",
            Self::TooLong => "too_long",
            Self::Type => "type",
            Self::UnknownKey => "unknown_key",
            Self::User => "user",
            Self::WrongClaim => "wrong_claim",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the token was refused: {}", self.as_str())
    }
}

impl std::error::Error for Refused {}

#[cfg(all(test, feature = "server"))]
mod tests;

//! Who calls: JSON Web Tokens of the operator's own issuers (RFC 7519, RFC 8725).
//!
//! The configuration says which issuers there are, where their keys are and which algorithms those keys are for. A token
//! chooses nothing but its issuer and, by `kid`, one of that issuer's keys: no algorithm, no key that it carries or
//! points to (`jwk`, `jku`, `x5c`, `x5u`). Signatures are checked by ring against keys that were prepared once; the
//! time is an argument.

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
    EdDsa,
    Es256,
    Hs256,
    Ps256,
    Rs256,
}

impl Algorithm {
    /// Those with a public key.
    pub const PUBLIC: [Self; 4] = [Self::Rs256, Self::Es256, Self::Ps256, Self::EdDsa];

    pub fn parse(text: &str) -> Option<Self> {
        [Self::EdDsa, Self::Es256, Self::Hs256, Self::Ps256, Self::Rs256].into_iter().find(|a| a.as_str() == text)
    }

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

/// Why a token is not taken. The caller is told no more than that it is not; the reason is for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    Algorithm,
    Audience,
    /// It wants an extension understood that this program does not know (`crit`).
    Critical,
    Expired,
    IssuedInTheFuture,
    /// No issuer of the configuration, or none at all.
    Issuer,
    NotAToken,
    NotYetValid,
    /// It was made for signing in, not for calling a service.
    SignInToken,
    Signature,
    /// `exp` is missing, or one of `exp`, `nbf`, `iat` is no sensible number.
    Times,
    TooLong,
    Type,
    /// The issuer has published no such key.
    UnknownKey,
    /// The claim that names the user is missing or is no name.
    User,
    /// A claim that the configuration names is not of its kind.
    WrongClaim,
}

impl Refused {
    /// For logs; a fixed list of words.
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

//! Secrets: a type that cannot print.
//!
//! `Secret` has a redacted `Debug`, no `Display` and no `Serialize`, and is overwritten when dropped.
//! The one way out is [`Secret::expose`]; `tests/it/layering.rs` lists the files that may call it.
#![deny(clippy::let_underscore_must_use)]

use std::fmt;

use serde::Serialize;
use zeroize::Zeroizing;

/// A token, code, verifier, client secret or passphrase.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// A value as JSON, for structs of texts, numbers and lists: serializing these cannot fail. If it ever did, the program
    /// would stop here, and nothing empty or half would be sealed or stored in the value's place.
    pub fn json(value: &impl Serialize) -> Self {
        match serde_json::to_string(value) {
            Ok(text) => Self::new(text),
            Err(why) => unreachable!("texts and numbers always have a JSON form: {why}"),
        }
    }

    /// The text itself. Every call site is listed in `tests/it/layering.rs`.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compares without stopping at the first difference.
    pub fn matches(&self, other: &str) -> bool {
        let (ours, theirs) = (self.0.as_bytes(), other.as_bytes());
        let differing = ours.iter().zip(theirs).fold(0u8, |seen, (a, b)| seen | (a ^ b));
        ours.len() == theirs.len() && std::hint::black_box(differing) == 0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.matches(&other.0)
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Thirty-two random bytes that open what [`crate::vault::seal`] closed.
#[derive(Clone)]
pub struct SealKey(Zeroizing<[u8; 32]>);

impl SealKey {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes themselves. Every call site is listed in `tests/it/layering.rs`.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o03_debug_shows_nothing_of_a_secret() {
        assert_eq!("[redacted]", format!("{:?}", Secret::new("canary".into())));
        assert_eq!("[redacted]", format!("{:?}", SealKey::new([7; 32])));
    }

    #[test]
    fn matches_only_the_very_same_text() {
        let secret = Secret::new("abc".into());
        assert!(secret.matches("abc"));
        for other in ["", "ab", "abd", "abcd", "ABC"] {
            assert!(!secret.matches(other), "{other}");
        }
    }
}

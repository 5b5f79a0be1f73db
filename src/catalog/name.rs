//! Names of integrations and actions: the same characters, two types.

use std::fmt;

/// `[a-z0-9._-]{1,64}`, and not only dots: a name can be a path segment, where `.` and `..` have a meaning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntegrationName(String);

/// The name of an integration's action, with the same characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionName(String);

impl IntegrationName {
    /// # Errors
    /// The text is empty, longer than 64 bytes, only dots, or has another character.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        checked(text).map(Self)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ActionName {
    /// # Errors
    /// As [`IntegrationName::parse`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        checked(text).map(Self)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn checked(text: &str) -> Result<String, NameError> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    if text.len() > 64 || !text.bytes().all(allowed) || text.bytes().all(|b| b == b'.') {
        return Err(NameError(text.escape_debug().take(80).collect()));
    }
    Ok(text.to_owned())
}

impl fmt::Display for IntegrationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ActionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a name: use 1 to 64 of a-z 0-9 . _ -, and not only dots")]
pub struct NameError(String);

//! The owner of a grant: a user of an organization, in the namespace of an issuer.

use std::fmt;

use super::AccountName;

/// A name is unique only within the issuer that assigned it (RFC 7519 section 4.1.2), so the owner includes the
/// issuer's namespace. On a user's own machine only the account is set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// The namespace of the issuer.
    pub namespace: Namespace,
    /// On a user's own machine: the account.
    pub user: AccountName,
    /// The organization.
    pub org: OrgKey,
}

impl Owner {
    /// The owner on a user's own machine: an account without namespace and organization.
    pub fn personal(account: AccountName) -> Self {
        Self { namespace: Namespace::default(), user: account, org: OrgKey::default() }
    }

    /// For tests: user `ada` of organization `acme`.
    #[cfg(test)]
    pub(crate) fn ada() -> Self {
        let user = AccountName::parse("ada").expect("user");
        Self { namespace: Namespace::default(), user, org: OrgKey::parse("acme").expect("org") }
    }
}

/// Separates the users of one issuer from those of another: `[a-z0-9._-]{0,64}`. Empty by default and on a user's own
/// machine. The empty namespace is not part of names and of what is authenticated with a cell.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Namespace(String);

impl Namespace {
    /// # Errors
    /// The text has another character, or is longer than 64 bytes.
    pub fn parse(text: &str) -> Result<Self, NamespaceError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        match text.len() <= 64 && text.bytes().all(allowed) {
            true => Ok(Self(text.to_owned())),
            false => Err(NamespaceError),
        }
    }

    /// The namespace as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the empty namespace.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What names and cells contain for this namespace: nothing for the empty one, so that grants from before
    /// namespaces keep their names and can be decrypted.
    pub fn suffix(&self) -> Option<&str> {
        (!self.0.is_empty()).then_some(self.0.as_str())
    }
}

/// A text that is no namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a namespace is up to 64 of a-z 0-9 . _ -")]
pub struct NamespaceError;

/// An organization, as the issuer names it: printable text of 1 to 254 bytes. Empty only on a user's own machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrgKey(String);

impl OrgKey {
    /// `None` for any other text; the same characters as for users are allowed.
    pub fn parse(text: &str) -> Option<Self> {
        AccountName::parse(text).ok().map(|_| Self(text.to_owned()))
    }

    /// The organization as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrgKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h04_a_namespace_has_one_spelling_and_no_surprises() {
        for good in ["", "b", "id.example.com", "a_b-c.1", &"x".repeat(64)] {
            assert_eq!(Ok(good), Namespace::parse(good).as_ref().map(Namespace::as_str).map_err(|e| *e), "{good}");
        }
        for bad in ["B", "a b", " ", "a/b", "a:b", "\0", "é", "a\n", "\u{202e}", &"x".repeat(65)] {
            assert_eq!(Err(NamespaceError), Namespace::parse(bad), "{bad:?}");
        }
    }
}

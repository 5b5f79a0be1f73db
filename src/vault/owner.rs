//! Whose grant it is: a user of an organization, as one issuer names both.

use std::fmt;

use super::AccountName;

/// The user and the organization that a grant belongs to. A name is unique only within the issuer that assigned it
/// (RFC 7519 section 4.1.2), so the issuer's namespace is part of it. On a person's machine only the account is set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    pub namespace: Namespace,
    /// On a person's machine: the account.
    pub user: AccountName,
    pub org: OrgKey,
}

impl Owner {
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

/// Separates the users of one issuer from those of another: `[a-z0-9._-]{0,64}`. Empty by default, and always on a
/// person's machine; the names and seals of grants in the empty namespace do not contain it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Namespace(String);

impl Namespace {
    /// # Errors
    /// Another character, or longer than 64.
    pub fn parse(text: &str) -> Result<Self, NamespaceError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        match text.len() <= 64 && text.bytes().all(allowed) {
            true => Ok(Self(text.to_owned())),
            false => Err(NamespaceError),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a name or a seal appends for this namespace: nothing for the empty one, so that grants from before there
    /// were namespaces keep their names and open.
    pub fn suffix(&self) -> Option<&str> {
        (!self.0.is_empty()).then_some(self.0.as_str())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a namespace is up to 64 of a-z 0-9 . _ -")]
pub struct NamespaceError;

/// An organization, as the issuer names it: 1 to 254 bytes of printable text. Empty only on a person's machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrgKey(String);

impl OrgKey {
    /// `None` for any other text; the characters are those of users.
    pub fn parse(text: &str) -> Option<Self> {
        AccountName::parse(text).ok().map(|_| Self(text.to_owned()))
    }

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

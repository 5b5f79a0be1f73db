//! Scopes (RFC 6749 section 3.3).

use std::{collections::BTreeSet, fmt};

/// One scope: `1*( %x21 / %x23-5B / %x5D-7E )`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope(String);

impl Scope {
    /// # Errors
    /// The text is empty or has a character that RFC 6749 does not allow.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let allowed = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if text.is_empty() || !text.bytes().all(allowed) {
            return Err(ScopeError(text.escape_debug().take(80).collect()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The scope as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a scope: visible ASCII without space, \" and \\ (RFC 6749, section 3.3)")]
pub struct ScopeError(String);

/// What stands between two scopes at a provider: a space (RFC 6749 section 3.3), or another character, in the request as
/// in the reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScopeSeparator {
    /// A comma in a reply without any space separates as well: a scope can have one, but a provider whose whole list
    /// has no space means it so.
    #[default]
    Space,
    Other(char),
}

impl ScopeSeparator {
    /// `None`: a character that stands in scopes of many providers, or that no scope list can have.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            " " => Some(Self::Space),
            "," | ";" | "+" | "|" => text.chars().next().map(Self::Other),
            _ => None,
        }
    }

    /// The list in the form of RFC 6749, separated by spaces.
    pub fn spaced(self, text: &str) -> String {
        match self {
            Self::Space if text.contains(',') && !text.contains(' ') => text.replace(',', " "),
            Self::Space => text.to_owned(),
            Self::Other(separator) => text.replace(separator, " "),
        }
    }

    /// The list as the provider reads it.
    pub fn join(self, scopes: &Scopes) -> String {
        match self {
            Self::Space => scopes.to_string(),
            Self::Other(separator) => scopes.to_string().replace(' ', &separator.to_string()),
        }
    }
}

/// Scopes in the given order, without duplicates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Splits a `scope` parameter at its spaces.
    ///
    /// # Errors
    /// The first part that is no scope.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        text.split(' ').filter(|part| !part.is_empty()).map(Scope::parse).collect()
    }

    /// The scopes in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this scope is among them.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.iter().any(|s| s.as_str() == scope)
    }

    /// All scopes of `self`, then the additional ones of `other`.
    pub fn union(&self, other: &Self) -> Self {
        self.iter().chain(other.iter()).cloned().collect()
    }

    /// The scopes of `self` that `other` does not have.
    pub fn without(&self, other: &Self) -> Self {
        self.iter().filter(|s| !other.contains(s.as_str())).cloned().collect()
    }

    /// Whether `self` has all scopes of `other`.
    pub fn covers(&self, other: &Self) -> bool {
        other.without(self).is_empty()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        let mut scopes: Vec<_> = scopes.into_iter().collect();
        let mut seen = BTreeSet::new();
        let first: Vec<_> = scopes.iter().map(|scope| seen.insert(scope.as_str())).collect();
        let mut first = first.into_iter();
        scopes.retain(|_| first.next().unwrap_or_default());
        Self(scopes)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, scope) in self.0.iter().enumerate() {
            write!(f, "{}{}", if i == 0 { "" } else { " " }, scope.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_has_no_space_quote_backslash_or_control() {
        for bad in ["", "a b", "a\"", "a\\", "a\n", "é", "\x7f"] {
            assert!(Scope::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Scope::parse("https://www.example/auth/mail.read").is_ok());
    }

    #[test]
    fn a_union_keeps_the_order_and_names_each_scope_once() {
        let a = Scopes::parse("openid read").expect("scopes");
        let b = Scopes::parse("read write").expect("scopes");
        assert_eq!("openid read write", a.union(&b).to_string());
        assert!(a.union(&b).covers(&b));
        assert_eq!("openid", a.without(&b).to_string());
    }
}

//! The key of a stored grant: user, organization, integration and action, and in the service a namespace.

use std::fmt;

use sha2::{Digest, Sha256};

use super::Owner;
use crate::catalog::{ActionName, IntegrationName, NameError};

/// An account: printable text of 1 to 254 bytes; `default` if none is given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountName(String);

impl AccountName {
    /// # Errors
    /// The text is empty, longer than 254 bytes, or has a character that cannot be printed.
    pub fn parse(text: &str) -> Result<Self, AccountNameError> {
        if text.is_empty()
            || text.len() > 254
            || text.chars().any(|c| c.is_control())
            || crate::oauth::RemoteText::new(text).as_str() != text
        {
            return Err(AccountNameError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The account as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for AccountName {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

/// A text that is no account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an account name is 1 to 254 bytes of printable text without space at its ends")]
pub struct AccountNameError;

/// The name of all actions together, in stored rows and on the command line.
const ALL: &str = "all";

/// One action, or all together.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionKey {
    /// All actions together.
    #[default]
    All,
    /// One action of the integration.
    One(ActionName),
}

impl ActionKey {
    /// The word `all`, or the name of an action. No action can be called `all`.
    ///
    /// # Errors
    /// As [`ActionName::parse`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        match text {
            ALL => Ok(Self::All),
            name => ActionName::parse(name).map(Self::One),
        }
    }

    /// `all`, or the name of the action.
    pub fn as_str(&self) -> &str {
        match self {
            Self::All => ALL,
            Self::One(name) => name.as_str(),
        }
    }

    /// The name of the action; `None` for all together.
    pub fn name(&self) -> Option<&ActionName> {
        match self {
            Self::All => None,
            Self::One(name) => Some(name),
        }
    }
}

/// The key of a grant. It contains nothing that an edit of the configuration changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GrantKey {
    /// The user and the organization.
    pub owner: Owner,
    /// The integration that the user authorized.
    pub integration: IntegrationName,
    /// The authorized action.
    pub action: ActionKey,
}

impl GrantKey {
    /// The key on a user's own machine.
    pub fn personal(integration: IntegrationName, account: AccountName, action: ActionKey) -> Self {
        Self { owner: Owner::personal(account), integration, action }
    }

    /// A hash, so that no name can affect the attributes of a keychain item or the path of a file.
    pub fn item(&self) -> ItemName {
        let Self { owner, integration, action } = self;
        let mut parts = vec!["grant", owner.user.as_str(), owner.org.as_str(), integration.as_str(), action.as_str()];
        parts.extend(owner.namespace.suffix());
        ItemName(format!("{PREFIX}{}", hash(&parts)))
    }

    /// The label of the item in a keychain program.
    pub fn label(&self) -> String {
        format!("loopin: {} ({}, {})", self.integration, self.owner.user.as_str(), self.action.as_str())
    }

    /// Two stores have two credentials, so the kind and the identity of the store are part of the name.
    pub fn state(&self, store_kind: &str, store_identity: &str) -> StateName {
        StateName(hash(&[store_kind, store_identity, self.item().as_str()]))
    }
}

/// The name of an item in a store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ItemName(String);

/// The prefix of every name; a hash follows.
const PREFIX: &str = "v1:";

impl ItemName {
    /// The item of an integration's client secret.
    pub fn of_client_secret(integration: &IntegrationName) -> Self {
        Self(format!("{PREFIX}{}", hash(&["client secret", integration.as_str()])))
    }

    /// The item that is written and removed to test whether a store works.
    pub fn of_probe() -> Self {
        Self(format!("{PREFIX}{}", hash(&["probe"])))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as a file name: not every system allows a colon.
    pub fn hash(&self) -> &str {
        &self.0[PREFIX.len()..]
    }
}

impl fmt::Display for ItemName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The common prefix of a grant's file names in the state directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateName(String);

impl StateName {
    /// The name of one file, with its suffix.
    pub fn file(&self, suffix: &str) -> String {
        format!("{}{suffix}", self.0)
    }
}

/// SHA-256 in hexadecimal over the parts, each with its length in front, so that no two lists have the same bytes.
fn hash(parts: &[&str]) -> String {
    let mut sha256 = Sha256::new();
    for part in parts {
        sha256.update((part.len() as u64).to_be_bytes());
        sha256.update(part);
    }
    sha256.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::Namespace;

    fn key(account: &str, integration: &str, action: ActionKey) -> GrantKey {
        GrantKey::personal(
            IntegrationName::parse(integration).expect("name"),
            AccountName::parse(account).expect("account"),
            action,
        )
    }

    #[test]
    fn s08_no_account_name_reaches_a_store_or_a_file_name() {
        for account in ["../../etc/passwd", "a/b", "%2e%2e", "C:\\x", "*", "a b", "é", "'; drop", "-rf", "~"] {
            let item = key(account, "work", ActionKey::All).item();
            assert!(item.hash().len() == 64 && item.hash().bytes().all(|b| b.is_ascii_hexdigit()), "{item}");
        }
        for bad in ["", "\0", "a\nb", "\u{202e}x", " a", "a\u{200b}", &"x".repeat(255)] {
            assert_eq!(Err(AccountNameError), AccountName::parse(bad), "{bad:?}");
        }
        for bad in ["", "..x/", "A", "a b", "a\0", "ä", &"x".repeat(65), "a:b", "a\u{202e}"] {
            assert!(IntegrationName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn s09_keys_that_differ_in_one_part_have_different_names() {
        let one = ActionKey::parse("read").expect("name");
        let names = [
            key("a", "work", ActionKey::All),
            key("b", "work", ActionKey::All),
            key("a", "home", ActionKey::All),
            key("a", "work", one),
            key("awork", "x", ActionKey::All),
            key("a", "workx", ActionKey::All),
        ]
        .map(|k| k.item().to_string());
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(names.len(), distinct.len());
    }

    #[test]
    fn h04_the_names_of_stored_grants_are_what_they_were_before_there_were_namespaces() {
        let personal = key("default", "work", ActionKey::All);
        assert_eq!("v1:f87041d109aa693810d62b0fed1c254b4f4359e8318ac3ad4c718afd14db7e05", personal.item().as_str());
        assert_eq!(
            "114526d04bd2efbddab10e9fcbea1bfa133893a4ebf514c9649850d70735db53",
            personal.state("keychain", "").file("")
        );
    }

    #[test]
    fn h04_the_same_user_of_another_issuer_has_another_name() {
        let in_namespace = |text: &str| {
            let mut key = key("a", "work", ActionKey::All);
            key.owner.namespace = Namespace::parse(text).expect("namespace");
            key.item()
        };
        let names = ["", "a", "b", "work"].map(in_namespace);
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(names.len(), distinct.len());
    }

    #[test]
    fn the_same_grant_in_another_store_has_another_lock() {
        let key = key("a", "work", ActionKey::All);
        assert_ne!(key.state("keychain", ""), key.state("file", ""));
        assert_ne!(key.state("keychain", ""), key.state("keychain", "unix:path=/x"));
    }
}

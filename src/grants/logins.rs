//! The logins that the index lists, and the stores of this machine that they are in.

use super::{Error, GrantId, Grants};
use crate::{
    catalog::{IntegrationName, StoreKind},
    vault::{self, AccountName, ActionKey, IndexEntry, Items, StoreError, Vault},
};

/// A login that the index lists.
#[derive(Clone, Debug)]
pub struct Login {
    pub grant: GrantId,
    pub place: Place,
    pub(super) entry: IndexEntry,
}

/// Where a login is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In another keychain or directory than those that this program uses now.
    Elsewhere,
    /// In a store that this program can open.
    Here(StoreKind),
}

impl Grants {
    /// The logins to one integration, or all of them, in every store.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn logins(&self, integration: Option<&str>) -> Result<Vec<Login>, Error> {
        let entries = self.entries()?.into_iter();
        let wanted = entries.filter(|entry| integration.is_none_or(|name| entry.integration == name));
        let login = |entry| Some(Login { grant: grant(&entry)?, place: self.place(&entry), entry });
        Ok(wanted.filter_map(login).collect())
    }

    /// Where the logins to an integration are looked for; `None` where neither it nor the caller says so.
    pub fn store_used(&self, integration: &IntegrationName) -> Option<StoreKind> {
        let configured = self.catalog.get(integration.as_str()).ok().map(|found| self.settings.store_kind(found));
        configured.or(self.settings.store)
    }

    pub(super) fn place(&self, entry: &IndexEntry) -> Place {
        let here = |kind: &StoreKind| is_in(entry, self.settings.items_of(*kind, None, &self.files).as_ref());
        [StoreKind::File, StoreKind::Keychain].into_iter().find(here).map_or(Place::Elsewhere, Place::Here)
    }

    /// An error of a store with what helps: whose grant it was asked for, and which other store has it.
    pub(super) fn with_stores(&self, grant: &GrantId, error: Error) -> Error {
        match error {
            Error::Store(why) => {
                Error::StoreOf { grant: Box::new(grant.clone()), why, elsewhere: self.elsewhere(grant) }
            }
            Error::NotLoggedIn { grant, stored, .. } => {
                let elsewhere = self.elsewhere(&grant);
                Error::NotLoggedIn { grant, stored, elsewhere }
            }
            other => other,
        }
    }

    fn elsewhere(&self, grant: &GrantId) -> Option<StoreKind> {
        let used = self.settings.store_kind(self.of(grant).ok()?);
        let entries = self.entries().ok()?;
        let others = entries.iter().filter(|entry| self::grant(entry).as_ref() == Some(grant));
        others.map(|entry| self.place(entry)).find_map(|place| match place {
            Place::Here(kind) if kind != used => Some(kind),
            _ => None,
        })
    }
}

/// Those of one integration in this store.
pub(super) fn of_integration(vault: &Vault<'_>, integration: &IntegrationName) -> Result<Vec<GrantId>, StoreError> {
    let entries = vault::entries(vault.files)?;
    let here = entries.iter().filter(|entry| is_in(entry, vault.items));
    Ok(here.filter(|entry| entry.integration == integration.as_str()).filter_map(grant).collect())
}

fn is_in(entry: &IndexEntry, items: &dyn Items) -> bool {
    entry.store == items.kind() && entry.store_identity == items.identity()
}

/// The grant of an entry. `None` if this version did not make the entry.
fn grant(entry: &IndexEntry) -> Option<GrantId> {
    Some(GrantId {
        integration: IntegrationName::parse(&entry.integration).ok()?,
        account: AccountName::parse(&entry.account).ok()?,
        action: ActionKey::parse(&entry.action).ok()?,
    })
}

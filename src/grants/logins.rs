//! The logins that the index lists.

use super::GrantId;
use crate::{
    catalog::IntegrationName,
    vault::{self, AccountName, ActionKey, IndexEntry, StoreError, Vault},
};

/// Those of one integration in this store.
pub(super) fn of_integration(vault: &Vault<'_>, integration: &IntegrationName) -> Result<Vec<GrantId>, StoreError> {
    let (kind, identity) = (vault.items.kind(), vault.items.identity());
    let entries = vault::entries(vault.files)?;
    let here = entries.iter().filter(|entry| entry.store == kind && entry.store_identity == identity);
    Ok(here.filter(|entry| entry.integration == integration.as_str()).filter_map(grant).collect())
}

/// The grant of an entry. `None` if the entry was not made by this version.
pub(super) fn grant(entry: &IndexEntry) -> Option<GrantId> {
    Some(GrantId {
        integration: IntegrationName::parse(&entry.integration).ok()?,
        account: AccountName::parse(&entry.account).ok()?,
        action: ActionKey::parse(&entry.action).ok()?,
    })
}

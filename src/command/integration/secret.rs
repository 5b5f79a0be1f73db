//! The client secret of an integration: read without a trace on the command line, kept in the store.

use crate::{
    catalog::IntegrationName,
    command::secret_input,
    report::Failure,
    secret::Secret,
    vault::{ItemName, Items, StoreError},
};

/// As the user passes it.
pub(super) fn read() -> Result<Secret, Failure> {
    secret_input::read("client secret")
}

/// Stores it and reads it back.
pub(super) fn store(items: &dyn Items, integration: &IntegrationName, secret: &Secret) -> Result<(), Failure> {
    let name = ItemName::of_client_secret(integration);
    items.write(&name, &format!("loopin: client secret of {integration}"), secret)?;
    match items.read(&name)? {
        Some(kept) if kept.matches(secret.expose()) => Ok(()),
        kept => {
            // What was altered is no use to anybody.
            if kept.is_some() {
                items.delete(&name)?;
            }
            Err(StoreError::Unfaithful.into())
        }
    }
}

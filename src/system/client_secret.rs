//! A client secret that the configuration keeps outside the store, in a file or in an environment variable.

use std::path::PathBuf;

use super::{
    environment,
    trusted_file::{self, Content},
};
use crate::{catalog::SecretSource, secret::Secret, vault::StoreError};

/// Why a client secret is not where the configuration says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoSecret {
    File(StoreError),
    NotText(PathBuf),
    /// The variable is not set, or empty.
    Variable(String),
}

/// `None`: the secret is in the store.
///
/// # Errors
/// The secret does not exist, or others may read it.
pub fn outside_the_store(source: &SecretSource) -> Result<Option<Secret>, NoSecret> {
    match source {
        SecretSource::Environment(name) => match environment::secret(name) {
            Some(secret) => Ok(Some(secret)),
            None => Err(NoSecret::Variable(name.clone())),
        },
        SecretSource::File(path) => {
            let bytes = trusted_file::read(path, Content::Secret).map_err(NoSecret::File)?;
            let text = String::from_utf8(bytes).map_err(|_| NoSecret::NotText(path.clone()))?;
            Ok(Some(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned())))
        }
        SecretSource::Store => Ok(None),
    }
}

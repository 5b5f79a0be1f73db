//! The index of stored grants, without secrets. It exists because a keychain cannot be listed.

use serde::{Deserialize, Serialize};

use super::{GrantKey, Record, record::unix};
use crate::secret::Secret;

/// An entry of the index. The item itself may be gone.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct IndexEntry {
    v: u64,
    /// The name of the integration.
    pub integration: String,
    /// The account.
    pub account: String,
    /// The action, or `all`.
    pub action: String,
    /// `keychain`, `file` or `memory`.
    pub store: String,
    /// What distinguishes the store from others of its kind: a bus or a path. Empty for the usual one.
    pub store_identity: String,
    /// The issuer of the id_token.
    pub iss: Option<String>,
    /// The user of the id_token.
    pub sub: Option<String>,
    /// Seconds since 1970.
    pub obtained_at: u64,
}

impl IndexEntry {
    /// The suffix of index files.
    pub const SUFFIX: &str = ".index";

    /// The entry of a stored grant.
    pub fn new(key: &GrantKey, record: &Record, store: &str, store_identity: &str) -> Self {
        Self {
            v: 1,
            integration: key.integration.to_string(),
            account: key.owner.user.as_str().to_owned(),
            action: key.action.as_str().to_owned(),
            store: store.to_owned(),
            store_identity: store_identity.to_owned(),
            iss: record.pinned.issuer.as_ref().map(|i| i.as_str().to_owned()),
            sub: record.grant.subject.clone(),
            obtained_at: unix(record.grant.obtained_at),
        }
    }

    /// The entry as JSON.
    pub fn serialize(&self) -> Vec<u8> {
        Secret::json(self).expose().as_bytes().to_vec()
    }

    /// `None` if the content is damaged.
    pub fn parse(content: &[u8]) -> Option<Self> {
        serde_json::from_slice(content).ok()
    }
}

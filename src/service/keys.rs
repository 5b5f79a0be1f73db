//! Encryption at rest: every secret in the database is a cell that can be decrypted only with its key and in its place.
#![deny(clippy::let_underscore_must_use)]

use std::{collections::BTreeMap, fmt};

use crate::{
    secret::{SealKey, Secret},
    vault::{
        GrantKey, Owner,
        seal::{self, Nonce},
    },
};

/// The version of the cell format.
const VERSION: u8 = 1;
/// The plaintext of a key's proof.
const PROOF: &str = "loopin";

/// The name of a key in the configuration: `[a-z0-9._-]{1,32}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// `None`: the text is empty, longer than 32 bytes, or has another character.
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        (!text.is_empty() && text.len() <= 32 && text.bytes().all(allowed)).then(|| Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An encrypted cell: version, length of the key's name, name, nonce, ciphertext with its tag.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// The stored bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Stored bytes. They are checked when the cell is opened.
    pub fn from_stored(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The key that encrypted it. `None`: the bytes are no cell, or a newer program wrote them.
    pub fn key(&self) -> Option<KeyId> {
        self.parts().and_then(|(key, _)| KeyId::parse(key))
    }

    fn parts(&self) -> Option<(&str, &[u8])> {
        let (&[version, length], rest) = self.0.split_first_chunk()?;
        let (key, sealed) = rest.split_at_checked(usize::from(length))?;
        (version == VERSION).then_some((std::str::from_utf8(key).ok()?, sealed))
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[sealed, {} bytes]", self.0.len())
    }
}

/// The place of a cell. All of it is authenticated with the cell (AAD).
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Table and column of the cell.
    pub column: Column,
    /// The identifier of the row.
    pub id: &'a [u8; 16],
    /// The key of the row.
    pub key: &'a GrantKey,
    /// The generation of the row; 0 for flows.
    pub generation: u64,
}

/// Table and column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The access token of a connection.
    ConnectionAccess,
    /// What the provider sent beside the tokens of a connection.
    ConnectionMetadata,
    /// The refresh token of a connection.
    ConnectionRefresh,
    /// The content of a flow.
    FlowContent,
    /// What `state`, a link or a button carries outside the database.
    StateContent,
}

impl Column {
    fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionAccess => "connection.access",
            Self::ConnectionMetadata => "connection.metadata",
            Self::ConnectionRefresh => "connection.refresh",
            Self::FlowContent => "flow.content",
            Self::StateContent => "state.content",
        }
    }
}

impl Place<'_> {
    /// Each part has its length in front, so that no two places have the same bytes.
    fn aad(&self, key: &str) -> Vec<u8> {
        let generation = self.generation.to_be_bytes();
        let GrantKey { owner: Owner { namespace, user, org }, integration, action } = self.key;
        let mut parts: Vec<&[u8]> = vec![
            &[VERSION],
            key.as_bytes(),
            self.column.as_str().as_bytes(),
            self.id,
            user.as_str().as_bytes(),
            org.as_str().as_bytes(),
            integration.as_str().as_bytes(),
            action.as_str().as_bytes(),
            &generation,
        ];
        parts.extend(namespace.suffix().map(str::as_bytes));
        joined(&parts)
    }
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 4).sum());
    for part in parts {
        let Ok(length) = u32::try_from(part.len()) else {
            unreachable!("names that fit into a request are below 4 GiB")
        };
        bytes.extend(length.to_be_bytes());
        bytes.extend(*part);
    }
    bytes
}

/// Why a cell was not decrypted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unopened {
    /// It was altered, or moved from another place.
    #[error("a sealed cell was altered, or moved from another row")]
    Foreign,
    /// The configuration does not have its key.
    #[error("a sealed cell needs the key {0}, which is not in [keys]")]
    UnknownKey(KeyId),
}

/// The keys of the service. New cells are encrypted with the current key; old cells are decrypted with the key they
/// name.
#[derive(Clone, Debug)]
pub struct KeyRing {
    current: KeyId,
    keys: BTreeMap<KeyId, SealKey>,
}

impl KeyRing {
    /// `None`: the current key is not among `keys`.
    pub fn new(current: KeyId, keys: BTreeMap<KeyId, SealKey>) -> Option<Self> {
        keys.contains_key(&current).then_some(Self { current, keys })
    }

    /// The key for new cells.
    pub fn current(&self) -> &KeyId {
        &self.current
    }

    /// The names of all keys.
    pub fn ids(&self) -> impl Iterator<Item = &KeyId> {
        self.keys.keys()
    }

    /// The key for files beside the database.
    pub fn current_key(&self) -> &SealKey {
        self.key(&self.current)
    }

    /// All keys, for files that do not name their key.
    pub fn keys(&self) -> impl Iterator<Item = &SealKey> {
        self.keys.values()
    }

    /// Encrypts a secret. A `nonce` must never be used twice.
    pub fn seal(&self, place: &Place<'_>, nonce: Nonce, plain: &Secret) -> Sealed {
        self.sealed(&self.current, &place.aad(self.current.as_str()), nonce, plain)
    }

    /// # Errors
    /// The cell was altered, belongs to another place, or needs another key.
    pub fn open(&self, place: &Place<'_>, cell: &Sealed) -> Result<Secret, Unopened> {
        let (id, sealed) = cell.parts().ok_or(Unopened::Foreign)?;
        self.opened(&place.aad(id), id, sealed)
    }

    /// A value that is stored with the name of a key, so that another key of the same name is noticed.
    pub fn proof(&self, id: &KeyId, nonce: Nonce) -> Sealed {
        self.sealed(id, &Self::proof_aad(id), nonce, &Secret::new(PROOF.into()))
    }

    /// Whether this key made the proof.
    pub fn proves(&self, id: &KeyId, proof: &Sealed) -> bool {
        let Some((named, sealed)) = proof.parts() else { return false };
        named == id.as_str() && self.opened(&Self::proof_aad(id), named, sealed).is_ok_and(|plain| plain.matches(PROOF))
    }

    fn proof_aad(id: &KeyId) -> Vec<u8> {
        joined(&[&[VERSION], id.as_str().as_bytes(), b"key_check"])
    }

    fn sealed(&self, id: &KeyId, aad: &[u8], nonce: Nonce, plain: &Secret) -> Sealed {
        let name = id.as_str().as_bytes();
        let Ok(length) = u8::try_from(name.len()) else { unreachable!("a key's name has 32 characters at most") };
        let mut bytes = vec![VERSION, length];
        bytes.extend(name);
        bytes.extend(seal::seal(self.key(id), aad, nonce, plain.expose().as_bytes()));
        Sealed(bytes)
    }

    fn key(&self, id: &KeyId) -> &SealKey {
        self.keys.get(id).unwrap_or_else(|| unreachable!("the ring has the keys it is asked to seal with"))
    }

    fn opened(&self, aad: &[u8], id: &str, sealed: &[u8]) -> Result<Secret, Unopened> {
        let id = KeyId::parse(id).ok_or(Unopened::Foreign)?;
        let key = self.keys.get(&id).ok_or(Unopened::UnknownKey(id))?;
        seal::open(key, aad, sealed).ok_or(Unopened::Foreign)
    }
}

#[cfg(test)]
mod tests;

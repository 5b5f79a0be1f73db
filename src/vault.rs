//! The store of grants: what is stored under which name, and what a store must guarantee.
//!
//! [`Vault`] gives the guarantees: it reads back what was written, encrypts what does not fit into an item, and writes
//! the index last. `system/` implements the places: [`Items`] for secrets, [`StateFiles`] for files.
#![deny(clippy::let_underscore_must_use)]

mod error;
mod index;
mod journal;
mod key;
mod login;
pub mod memory;
mod owner;
mod record;
pub mod seal;

use sha2::{Digest, Sha256};

pub use error::{Exposure, Rights, StoreError};
pub use index::IndexEntry;
pub use journal::{Journal, Sent};
pub use key::{AccountName, AccountNameError, ActionKey, GrantKey, ItemName, StateName};
pub use login::Refreshable;
pub use owner::{Namespace, NamespaceError, OrgKey, Owner};
pub(crate) use record::unix;
pub use record::{Grant, Pinned, Record, RecordError};

use crate::secret::Secret;
use record::{Envelope, Spilled};
use seal::Nonce;

/// A store of secrets by name. Each call opens the store again, so that a read proves a write.
pub trait Items {
    /// # Errors
    /// The store does not answer. A missing item is `None`.
    fn read(&self, name: &ItemName) -> Result<Option<Secret>, StoreError>;

    /// `label` is shown to users and contains no secret.
    ///
    /// # Errors
    /// The store did not accept it. Its old content is unchanged.
    fn write(&self, name: &ItemName, label: &str, secret: &Secret) -> Result<(), StoreError>;

    /// Returns whether the item existed.
    ///
    /// # Errors
    /// The store does not answer.
    fn delete(&self, name: &ItemName) -> Result<Removal, StoreError>;

    /// Largest item in bytes.
    fn limit(&self) -> usize;

    /// What distinguishes this store from others of its kind, if anything (a bus, a path).
    fn identity(&self) -> String;

    /// `keychain`, `file` or `memory`.
    fn kind(&self) -> &'static str;
}

/// Whether a removed item existed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It existed.
    Removed,
    /// It did not exist.
    WasAbsent,
}

/// Private files that are replaced atomically. They contain nothing readable.
pub trait StateFiles {
    /// # Errors
    /// The file exists and cannot be read safely.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Replaces a file. After an error or a crash at any time the old content is complete.
    ///
    /// # Errors
    /// The file was not written.
    fn replace(&self, name: &str, content: &[u8]) -> Result<(), StoreError>;

    /// Writes into an existing file, from byte `at`, and syncs it. A crash may leave a part of it, which a reader must
    /// notice.
    ///
    /// # Errors
    /// The file does not exist, or the content was not written completely.
    fn overwrite(&self, name: &str, at: usize, content: &[u8]) -> Result<(), StoreError>;

    /// # Errors
    /// The file exists and was not removed.
    fn remove(&self, name: &str) -> Result<(), StoreError>;

    /// The names that end in `suffix`.
    ///
    /// # Errors
    /// The directory exists and cannot be read.
    fn list(&self, suffix: &str) -> Result<Vec<String>, StoreError>;
}

/// The grants of one store.
pub struct Vault<'a> {
    /// The store of secrets.
    pub items: &'a dyn Items,
    /// The files beside it.
    pub files: &'a dyn StateFiles,
}

impl Vault<'_> {
    /// Needs no lock: if a write happens between the reads of item and file, this reads its result.
    ///
    /// # Errors
    /// The store does not answer, or its content is damaged or from a newer version.
    pub fn read(&self, key: &GrantKey) -> Result<Option<Record>, StoreError> {
        let name = key.item();
        let mut item = self.items.read(&name)?;
        loop {
            let Some(held) = &item else { return Ok(None) };
            let spilled = match Envelope::parse(held)? {
                Envelope::Whole(record) => return Ok(Some(record)),
                Envelope::Spilled(spilled) => spilled,
            };
            match self.unspill(&name, &spilled) {
                Err(StoreError::Damaged { .. }) => {}
                found => return found.map(Some),
            }
            // The file is removed when another item has replaced the one that names it.
            let now = self.items.read(&name)?;
            if same(now.as_ref(), item.as_ref()) {
                return Err(StoreError::Damaged { kept_as: None });
            }
            item = now;
        }
    }

    /// Checks that this store accepts and keeps items, before the user is sent to a browser. A locked keychain answers
    /// reads of missing items as if it were open; only a write shows it.
    ///
    /// # Errors
    /// The reason why not.
    pub fn prove(&self) -> Result<(), StoreError> {
        let (name, probe) = (ItemName::of_probe(), Secret::new("loopin".into()));
        self.items.write(&name, "loopin: probe", &probe)?;
        let kept = self.items.read(&name)?;
        self.items.delete(&name)?;
        if same(kept.as_ref(), Some(&probe)) { Ok(()) } else { Err(StoreError::Unfaithful) }
    }

    /// Stores the grant and reads it back, then writes its index entry. The stored generation follows the existing one.
    /// A `nonce` must never be used twice. The caller must hold the grant's lock.
    ///
    /// # Errors
    /// The store did not accept or keep it. After a file error the grant may be stored without its index entry.
    pub fn write(&self, key: &GrantKey, record: &Record, nonce: Nonce) -> Result<(), StoreError> {
        let name = key.item();
        let held = self.items.read(&name)?;
        let before = match held.as_ref().map(Envelope::parse) {
            Some(Err(RecordError::Newer(version))) => return Err(StoreError::Newer { version }),
            other => other.and_then(Result::ok),
        };
        let generation = before.as_ref().map_or(1, |before| before.generation() + 1);
        let record = Record { generation, ..record.clone() };
        let whole = record.serialize();
        let (content, file) = match whole.expose().len() <= self.items.limit() {
            true => (whole, None),
            false => self.spill(&name, &record, &whole, nonce).map(|(content, file)| (content, Some(file)))?,
        };
        self.items.write(&name, &key.label(), &content)?;
        self.verify(&name, &content, held.as_ref())?;
        self.sweep(&name, file.as_deref())?;
        let entry = IndexEntry::new(key, &record, self.items.kind(), &self.items.identity());
        self.files.replace(&self.state_name(key).file(IndexEntry::SUFFIX), &entry.serialize())
    }

    /// A write that succeeded may still not have been stored. Content that is neither the new nor the old grant is
    /// deleted, so that it is never used as a grant.
    fn verify(&self, name: &ItemName, content: &Secret, held: Option<&Secret>) -> Result<(), StoreError> {
        let kept = self.items.read(name)?;
        if !same(kept.as_ref(), Some(content)) {
            if !same(kept.as_ref(), held) {
                self.items.delete(name)?;
            }
            return Err(StoreError::Unfaithful);
        }
        match Envelope::parse(content)? {
            Envelope::Whole(_) => Ok(()),
            Envelope::Spilled(spilled) => self.unspill(name, &spilled).map(drop),
        }
    }

    /// Deletes a grant and all of its files.
    ///
    /// # Errors
    /// The grant still exists.
    pub fn delete(&self, key: &GrantKey) -> Result<Removal, StoreError> {
        let name = key.item();
        let removal = self.items.delete(&name)?;
        self.sweep(&name, None)?;
        self.journal(key).clear()?;
        self.files.remove(&self.state_name(key).file(IndexEntry::SUFFIX))?;
        Ok(removal)
    }

    /// The journal of a grant. The caller must hold its lock.
    pub fn journal(&self, key: &GrantKey) -> Journal<'_> {
        Journal { files: self.files, name: self.state_name(key) }
    }

    /// The name of locks and index entries. It contains the kind and identity of the store, so that two stores never
    /// share a lock and all processes with the same store do (docs/threats.md, R03).
    pub fn state_name(&self, key: &GrantKey) -> StateName {
        key.state(self.items.kind(), &self.items.identity())
    }

    /// Deletes files that no item names: the file of the previous record, and files from a crash before their item was
    /// written.
    fn sweep(&self, name: &ItemName, named: Option<&str>) -> Result<(), StoreError> {
        for file in self.files.list(Spilled::SUFFIX)? {
            if file.starts_with(name.hash()) && Some(file.as_str()) != named {
                self.files.remove(&file)?;
            }
        }
        Ok(())
    }

    /// The item that replaces the record, and the name of the record's file.
    fn spill(
        &self,
        name: &ItemName,
        record: &Record,
        whole: &Secret,
        nonce: Nonce,
    ) -> Result<(Secret, String), StoreError> {
        let aad = format!("spilled:{name}:{}", record.generation);
        let sealed = seal::seal(&record.seal_key, aad.as_bytes(), nonce, whole.expose().as_bytes());
        let spilled = Spilled {
            seal_key: record.seal_key.clone(),
            generation: record.generation,
            sha256: Sha256::digest(&sealed).into(),
        };
        let file = spilled.file(name);
        self.files.replace(&file, &sealed)?;
        Ok((spilled.serialize(), file))
    }

    fn unspill(&self, name: &ItemName, spilled: &Spilled) -> Result<Record, StoreError> {
        let damaged = || StoreError::Damaged { kept_as: None };
        let sealed = self.files.read(&spilled.file(name))?.ok_or_else(damaged)?;
        if Sha256::digest(&sealed).as_slice() != spilled.sha256 {
            return Err(damaged());
        }
        let aad = format!("spilled:{name}:{}", spilled.generation);
        let whole = seal::open(&spilled.seal_key, aad.as_bytes(), &sealed).ok_or_else(damaged)?;
        match Envelope::parse(&whole)? {
            Envelope::Whole(record) => Ok(record),
            Envelope::Spilled(_) => Err(damaged()),
        }
    }
}

fn same(one: Option<&Secret>, other: Option<&Secret>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.matches(other.expose()),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// All grants of the index, in all stores.
///
/// # Errors
/// The index cannot be read. Damaged entries are left out.
pub fn entries(files: &dyn StateFiles) -> Result<Vec<IndexEntry>, StoreError> {
    let mut entries = Vec::new();
    for name in files.list(IndexEntry::SUFFIX)? {
        entries.extend(files.read(&name)?.and_then(|content| IndexEntry::parse(&content)));
    }
    entries.sort_by(|a, b| (&a.integration, &a.account, &a.action).cmp(&(&b.integration, &b.account, &b.action)));
    Ok(entries)
}

#[cfg(test)]
mod tests;

//! Where grants are kept: what is stored, under which name, and what a store must promise.
//!
//! [`Vault`] keeps the promises (read back what was written, seal what does not fit into an item, write the
//! index last); `system/` brings the places: an [`Items`] for secrets, a [`StateFiles`] for what may lie in files.
#![deny(clippy::let_underscore_must_use)]

mod error;
mod index;
mod journal;
mod key;
pub mod memory;
mod owner;
mod record;
pub mod seal;

use sha2::{Digest, Sha256};

pub use error::{Exposure, Rights, StoreError};
pub use index::IndexEntry;
pub use journal::{Journal, Sent};
pub use key::{AccountName, AccountNameError, ActionKey, GrantKey, ItemName, StateName};
pub use owner::{Namespace, NamespaceError, OrgKey, Owner};
pub(crate) use record::unix;
pub use record::{Grant, Pinned, Record, RecordError};

use crate::secret::Secret;
use record::{Envelope, Spilled};
use seal::Nonce;

/// A place for secrets, by name. Each call opens the place anew, so that a read proves a write.
pub trait Items {
    /// # Errors
    /// The store cannot be asked; an item that is not there is `None`.
    fn read(&self, name: &ItemName) -> Result<Option<Secret>, StoreError>;

    /// `label` is for people and holds nothing secret.
    ///
    /// # Errors
    /// The store did not take it; what it held before is unchanged.
    fn write(&self, name: &ItemName, label: &str, secret: &Secret) -> Result<(), StoreError>;

    /// Whether there was one.
    ///
    /// # Errors
    /// The store cannot be asked.
    fn delete(&self, name: &ItemName) -> Result<Removal, StoreError>;

    /// Largest item in bytes.
    fn limit(&self) -> usize;

    /// What distinguishes this store from others of its kind, if anything (a bus, a path).
    fn identity(&self) -> String;

    /// `keychain`, `file` or `memory`.
    fn kind(&self) -> &'static str;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    Removed,
    WasAbsent,
}

/// Files that hold nothing readable: private to the person, replaced atomically.
pub trait StateFiles {
    /// # Errors
    /// The file is there and cannot be read safely.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// After an error, and after a crash at any instant, the old content is whole.
    ///
    /// # Errors
    /// Not written.
    fn replace(&self, name: &str, content: &[u8]) -> Result<(), StoreError>;

    /// Writes within a file that is there, from byte `at` on, and makes it last. A crash leaves a part of it: who reads
    /// it must notice that.
    ///
    /// # Errors
    /// It is not there, or not all was written.
    fn overwrite(&self, name: &str, at: usize, content: &[u8]) -> Result<(), StoreError>;

    /// # Errors
    /// It is there and stays.
    fn remove(&self, name: &str) -> Result<(), StoreError>;

    /// Names that end in `suffix`.
    ///
    /// # Errors
    /// The directory is there and cannot be read.
    fn list(&self, suffix: &str) -> Result<Vec<String>, StoreError>;
}

/// Grants in one store.
pub struct Vault<'a> {
    pub items: &'a dyn Items,
    pub files: &'a dyn StateFiles,
}

impl Vault<'_> {
    /// Needs no lock: a reader whom a writer overtakes between item and file reads what that one wrote.
    ///
    /// # Errors
    /// The store cannot be asked, or what it holds is damaged or from a newer program.
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
            // The file goes when another item has taken the place of the one that names it.
            let now = self.items.read(&name)?;
            if same(now.as_ref(), item.as_ref()) {
                return Err(StoreError::Damaged { kept_as: None });
            }
            item = now;
        }
    }

    /// Whether this store takes and keeps anything, so that it is known before a person is sent to a browser. A keychain
    /// that is locked answers a read of what it does not hold as if it were open; only a write tells.
    ///
    /// # Errors
    /// Why not.
    pub fn prove(&self) -> Result<(), StoreError> {
        let (name, probe) = (ItemName::of_probe(), Secret::new("loopin".into()));
        self.items.write(&name, "loopin: probe", &probe)?;
        let kept = self.items.read(&name)?;
        self.items.delete(&name)?;
        if same(kept.as_ref(), Some(&probe)) { Ok(()) } else { Err(StoreError::Unfaithful) }
    }

    /// Stores and reads back; then enters the grant into the index. The generation that is stored follows the one
    /// that was there. `nonce` must never have been used before. For whoever holds the grant's lock.
    ///
    /// # Errors
    /// The store did not take it or did not keep it; a file error can also mean that the grant is stored and the index
    /// is not.
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

    /// A store that says Ok has not stored yet. What is neither the new grant nor the one it held is taken out again, so
    /// that it is not taken for a grant later.
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

    /// Forgets a grant and everything that belongs to it.
    ///
    /// # Errors
    /// It is still there.
    pub fn delete(&self, key: &GrantKey) -> Result<Removal, StoreError> {
        let name = key.item();
        let removal = self.items.delete(&name)?;
        self.sweep(&name, None)?;
        self.journal(key).clear()?;
        self.files.remove(&self.state_name(key).file(IndexEntry::SUFFIX))?;
        Ok(removal)
    }

    /// The journal of a grant; for whoever holds its lock.
    pub fn journal(&self, key: &GrantKey) -> Journal<'_> {
        Journal { files: self.files, name: self.state_name(key) }
    }

    /// Names locks and index entries after the stored credential itself (kind of store, identity of the store, key),
    /// so that two stores never share a lock and all who use one store do (docs/threats.md, R03).
    pub fn state_name(&self, key: &GrantKey) -> StateName {
        key.state(self.items.kind(), &self.items.identity())
    }

    /// Removes the files that no item names any more: that of the record before, and what crashes left whose item was
    /// never written.
    fn sweep(&self, name: &ItemName, named: Option<&str>) -> Result<(), StoreError> {
        for file in self.files.list(Spilled::SUFFIX)? {
            if file.starts_with(name.hash()) && Some(file.as_str()) != named {
                self.files.remove(&file)?;
            }
        }
        Ok(())
    }

    /// What the item holds instead of the record, and the name of the file that holds the record.
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

/// All grants of the index, of every store.
///
/// # Errors
/// The index cannot be read; an entry that is damaged is left out.
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

//! A store in memory: for `demo`, which must leave nothing behind, and for tests.

use std::{cell::RefCell, collections::BTreeMap};

use super::{ItemName, Items, Removal, StateFiles, StoreError};
use crate::secret::Secret;

/// Items in memory, of any size by default.
pub struct MemoryItems {
    items: RefCell<BTreeMap<ItemName, Secret>>,
    limit: usize,
}

impl Default for MemoryItems {
    fn default() -> Self {
        Self::limited(usize::MAX)
    }
}

impl MemoryItems {
    /// Behaves like a keychain with a largest item, in bytes.
    pub fn limited(limit: usize) -> Self {
        Self { items: RefCell::default(), limit }
    }
}

impl Items for MemoryItems {
    fn read(&self, name: &ItemName) -> Result<Option<Secret>, StoreError> {
        Ok(self.items.borrow().get(name).cloned())
    }

    fn write(&self, name: &ItemName, _label: &str, secret: &Secret) -> Result<(), StoreError> {
        if secret.expose().len() > self.limit {
            return Err(StoreError::TooLarge);
        }
        self.items.borrow_mut().insert(name.clone(), secret.clone());
        Ok(())
    }

    fn delete(&self, name: &ItemName) -> Result<Removal, StoreError> {
        Ok(self.items.borrow_mut().remove(name).map_or(Removal::WasAbsent, |_| Removal::Removed))
    }

    fn limit(&self) -> usize {
        self.limit
    }

    fn identity(&self) -> String {
        String::new()
    }

    fn kind(&self) -> &'static str {
        "memory"
    }
}

/// Files in memory.
#[derive(Default)]
pub struct MemoryFiles(RefCell<BTreeMap<String, Vec<u8>>>);

impl StateFiles for MemoryFiles {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.borrow().get(name).cloned())
    }

    fn replace(&self, name: &str, content: &[u8]) -> Result<(), StoreError> {
        self.0.borrow_mut().insert(name.to_owned(), content.to_owned());
        Ok(())
    }

    fn overwrite(&self, name: &str, at: usize, content: &[u8]) -> Result<(), StoreError> {
        let mut files = self.0.borrow_mut();
        let file =
            files.get_mut(name).ok_or_else(|| StoreError::File { path: name.into(), why: "no such file".into() })?;
        let end = at + content.len();
        file.resize(file.len().max(end), 0);
        file[at..end].copy_from_slice(content);
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.0.borrow_mut().remove(name);
        Ok(())
    }

    fn list(&self, suffix: &str) -> Result<Vec<String>, StoreError> {
        Ok(self.0.borrow().keys().filter(|name| name.ends_with(suffix)).cloned().collect())
    }
}

//! The explicit file store: one encrypted file per item, for machines without a keychain. It is never a fallback.
//!
//! The format: `loopin-items-1`, one byte for the kind of key, 16 bytes of salt for a passphrase, the encrypted item,
//! and the SHA-256 of all that, which tells a damaged file from a wrong key. The key is a file of 32 bytes, or derived
//! by Argon2id from a passphrase that is read from a terminal.
#![deny(clippy::let_underscore_must_use)]

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
};

use argon2::{Algorithm, Argon2, Params, Version};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{
    entropy,
    private_files::PrivateFiles,
    terminal,
    trusted_file::{self, Content},
};
use crate::{
    secret::{SealKey, Secret},
    vault::{
        ItemName, Items, Removal, StateFiles, StoreError,
        seal::{self, Nonce},
    },
};

const MAGIC: &[u8] = b"loopin-items-1";
const BY_FILE: u8 = 0;
const BY_PASSPHRASE: u8 = 1;
const SALT_BYTES: usize = 16;
const SUM_BYTES: usize = 32;
/// Argon2id with the first parameters that OWASP recommends: memory in KiB, passes, lanes.
const ARGON2: (u32, u32, u32) = (19 * 1024, 2, 1);
/// Tries for a passphrase.
const TRIES: u32 = 3;

/// Where the key comes from.
#[derive(Clone, Debug)]
pub enum StoreKey {
    File(PathBuf),
    Passphrase,
    /// A passphrase, and there is no user to ask.
    PassphraseUnasked,
}

/// What an item was sealed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealedWith {
    KeyFile,
    Passphrase,
}

pub struct FileStore<'a> {
    files: &'a PrivateFiles,
    key: StoreKey,
    passphrase: RefCell<Option<Secret>>,
}

impl<'a> FileStore<'a> {
    pub fn new(files: &'a PrivateFiles, key: StoreKey) -> Self {
        Self { files, key, passphrase: RefCell::new(None) }
    }

    /// What this item was sealed with, if there is one.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn sealed_with(files: &PrivateFiles, name: &ItemName) -> Result<Option<SealedWith>, StoreError> {
        let content = files.read(&Self::file(name))?;
        Ok(match content.as_deref().and_then(|content| content.strip_prefix(MAGIC)?.first()) {
            Some(&BY_FILE) => Some(SealedWith::KeyFile),
            Some(&BY_PASSPHRASE) => Some(SealedWith::Passphrase),
            _ => None,
        })
    }

    fn file(name: &ItemName) -> String {
        format!("{}.item", name.hash())
    }

    fn open(&self, name: &ItemName, content: &[u8]) -> Result<Secret, StoreError> {
        let damaged = || StoreError::Damaged { kept_as: self.files.put_aside(&Self::file(name)) };
        let whole = |(content, sum): &(&[u8], &[u8; SUM_BYTES])| Sha256::digest(content).as_slice() == *sum;
        let content = content.split_last_chunk().filter(whole).map(|(content, _)| content);
        let Some((kind, rest)) = content.and_then(|c| c.strip_prefix(MAGIC)).and_then(<[u8]>::split_first) else {
            return Err(damaged());
        };
        match (*kind, &self.key) {
            (BY_FILE, StoreKey::File(path)) => {
                seal::open(&file_key(path)?, name.as_str().as_bytes(), rest).ok_or(StoreError::WrongKey)
            }
            (BY_PASSPHRASE, StoreKey::Passphrase) => {
                let (salt, sealed) = rest.split_first_chunk::<SALT_BYTES>().ok_or_else(damaged)?;
                for _ in 0..TRIES {
                    let passphrase = self.passphrase("Passphrase of loopin's file store: ")?;
                    if let Some(plain) = seal::open(&stretch(&passphrase, salt)?, name.as_str().as_bytes(), sealed) {
                        return Ok(plain);
                    }
                    self.passphrase.replace(None);
                }
                Err(StoreError::WrongKey)
            }
            (BY_PASSPHRASE, StoreKey::PassphraseUnasked) => Err(StoreError::NoTerminal),
            (BY_FILE | BY_PASSPHRASE, _) => Err(StoreError::WrongKey),
            _ => Err(damaged()),
        }
    }

    fn passphrase(&self, prompt: &str) -> Result<Secret, StoreError> {
        if let Some(known) = self.passphrase.borrow().as_ref() {
            return Ok(known.clone());
        }
        if !terminal::stdin_is_terminal() {
            return Err(StoreError::NoTerminal);
        }
        let passphrase = terminal::hidden(prompt).map_err(|_| StoreError::NoTerminal)?;
        self.passphrase.replace(Some(passphrase.clone()));
        Ok(passphrase)
    }

    /// Typed twice: what was sealed with a mistyped one could never be opened.
    fn new_passphrase(&self) -> Result<Secret, StoreError> {
        if let Some(known) = self.passphrase.borrow().as_ref() {
            return Ok(known.clone());
        }
        if !terminal::stdin_is_terminal() {
            return Err(StoreError::NoKey);
        }
        let ask = |prompt: &str| terminal::hidden(prompt).map_err(|_| StoreError::NoKey);
        for _ in 0..TRIES {
            let passphrase = ask("New passphrase for loopin's file store: ")?;
            let again = ask("The same passphrase again: ")?;
            if passphrase.matches(again.expose()) && !passphrase.expose().is_empty() {
                self.passphrase.replace(Some(passphrase.clone()));
                return Ok(passphrase);
            }
        }
        Err(StoreError::PassphrasesDiffer)
    }

    fn seal(&self, name: &ItemName, secret: &Secret) -> Result<Vec<u8>, StoreError> {
        let nonce = Nonce(entropy::random()?);
        let (mut content, key) = match &self.key {
            StoreKey::File(path) => ([MAGIC, &[BY_FILE]].concat(), file_key(path)?),
            StoreKey::PassphraseUnasked => return Err(StoreError::NoKey),
            StoreKey::Passphrase => {
                let salt: [u8; SALT_BYTES] = entropy::random()?;
                let passphrase = self.new_passphrase()?;
                ([MAGIC, &[BY_PASSPHRASE], &salt].concat(), stretch(&passphrase, &salt)?)
            }
        };
        content.extend(seal::seal(&key, name.as_str().as_bytes(), nonce, secret.expose().as_bytes()));
        content.extend_from_slice(&Sha256::digest(&content));
        Ok(content)
    }
}

impl Items for FileStore<'_> {
    fn read(&self, name: &ItemName) -> Result<Option<Secret>, StoreError> {
        let content = self.files.read(&Self::file(name))?;
        content.map(|content| self.open(name, &content)).transpose()
    }

    fn write(&self, name: &ItemName, _label: &str, secret: &Secret) -> Result<(), StoreError> {
        let content = self.seal(name, secret)?;
        self.files.replace(&Self::file(name), &content)
    }

    fn delete(&self, name: &ItemName) -> Result<Removal, StoreError> {
        let file = Self::file(name);
        let removal = if self.files.read(&file)?.is_some() { Removal::Removed } else { Removal::WasAbsent };
        self.files.remove(&file)?;
        Ok(removal)
    }

    fn limit(&self) -> usize {
        usize::MAX
    }

    fn identity(&self) -> String {
        self.files.path().to_string_lossy().into_owned()
    }

    fn kind(&self) -> &'static str {
        "file"
    }
}

fn file_key(path: &Path) -> Result<SealKey, StoreError> {
    let bytes = trusted_file::read_if_present(path, Content::Secret)?;
    let bytes = Zeroizing::new(bytes.ok_or_else(|| StoreError::KeyFileMissing { path: path.to_owned() })?);
    let key: [u8; 32] = bytes
        .as_slice()
        .try_into()
        .map_err(|_| StoreError::File { path: path.to_owned(), why: "a store key is exactly 32 bytes".into() })?;
    Ok(SealKey::new(key))
}

/// Derives the key from a passphrase (RFC 9106). If that fails, nothing may be encrypted or decrypted: a buffer without
/// a key would be a key that everybody knows.
fn stretch(passphrase: &Secret, salt: &[u8]) -> Result<SealKey, StoreError> {
    let (memory, passes, lanes) = ARGON2;
    let failed = |why: argon2::Error| StoreError::KeyNotDerived { mebibytes: memory / 1024, why: why.to_string() };
    let mut key = Zeroizing::new([0; 32]);
    let params = Params::new(memory, passes, lanes, Some(key.len())).map_err(failed)?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.expose().as_bytes(), salt, key.as_mut_slice())
        .map_err(failed)?;
    Ok(SealKey::new(*key))
}

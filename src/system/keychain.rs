//! The operating system's keychain: Secret Service, macOS keychain, Windows Credential Manager.
//!
//! Each call opens the keychain anew and has a deadline. The Linux session is the plain one: secrets cross the
//! person's own bus, which therefore must be a socket of this machine.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use keyring::{Entry, Error};

use super::environment::{self, Desktop};
use crate::{
    oauth::RemoteText,
    secret::Secret,
    vault::{ItemName, Items, Removal, StoreError},
};

const SERVICE: &str = "loopin";
const BUS: &str = "DBUS_SESSION_BUS_ADDRESS";

/// Where the desktop may show its own unlock dialog, a person needs time for it.
const DEADLINE_WITH_DESKTOP: Duration = Duration::from_secs(60);
const DEADLINE: Duration = Duration::from_secs(5);

/// Largest item in bytes. Windows: CRED_MAX_CREDENTIAL_BLOB_SIZE.
const LIMIT: usize = if cfg!(windows) { 2560 } else { 256 * 1024 };

#[derive(Clone, Copy, Debug)]
pub struct Keychain {
    deadline: Duration,
}

impl Default for Keychain {
    fn default() -> Self {
        Self { deadline: if environment::desktop() == Desktop::Here { DEADLINE_WITH_DESKTOP } else { DEADLINE } }
    }
}

impl Keychain {
    /// Runs one call on a thread of its own: the libraries below can wait for a year.
    fn ask<T: Send + 'static>(
        &self,
        name: &ItemName,
        label: &str,
        call: impl FnOnce(&Entry) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        safe_bus()?;
        let (answer, answered) = mpsc::sync_channel(1);
        let (name, label) = (name.as_str().to_owned(), label.to_owned());
        thread::spawn(move || answer.send(entry(&name, &label).and_then(|entry| call(&entry))));
        match answered.recv_timeout(self.deadline) {
            Ok(result) => result.map_err(|e| error(&e)),
            Err(RecvTimeoutError::Timeout) => Err(StoreError::Silent { after: self.deadline }),
            Err(RecvTimeoutError::Disconnected) => Err(StoreError::Keychain("the keychain library failed".into())),
        }
    }
}

impl Items for Keychain {
    fn read(&self, name: &ItemName) -> Result<Option<Secret>, StoreError> {
        let found = self.ask(name, "", |entry| match entry.get_secret() {
            Err(Error::NoEntry) => Ok(None),
            other => other.map(Some),
        })?;
        let text = found
            .map(|bytes| String::from_utf8(bytes).map_err(|_| StoreError::Damaged { kept_as: None }))
            .transpose()?;
        Ok(text.map(Secret::new))
    }

    fn write(&self, name: &ItemName, label: &str, secret: &Secret) -> Result<(), StoreError> {
        let secret = secret.clone();
        self.ask(name, label, move |entry| entry.set_secret(secret.expose().as_bytes()))
    }

    fn delete(&self, name: &ItemName) -> Result<Removal, StoreError> {
        self.ask(name, "", |entry| match entry.delete_credential() {
            Ok(()) => Ok(Removal::Removed),
            Err(Error::NoEntry) => Ok(Removal::WasAbsent),
            Err(other) => Err(other),
        })
    }

    fn limit(&self) -> usize {
        LIMIT
    }

    /// Another bus than the person's own leads to another keychain.
    fn identity(&self) -> String {
        let Some(address) = environment::text(BUS) else { return String::new() };
        match default_bus() {
            Some(usual) if address.split(',').next() == Some(&usual) => String::new(),
            _ => address,
        }
    }

    fn kind(&self) -> &'static str {
        "keychain"
    }
}

#[cfg(target_os = "linux")]
fn default_bus() -> Option<String> {
    Some(format!("unix:path=/run/user/{}/bus", nix::unistd::geteuid()))
}

#[cfg(not(target_os = "linux"))]
fn default_bus() -> Option<String> {
    None
}

fn safe_bus() -> Result<(), StoreError> {
    match environment::text(BUS) {
        Some(address) if cfg!(target_os = "linux") && !address.split(';').all(|one| one.starts_with("unix:")) => {
            Err(StoreError::UnsafeBus)
        }
        _ => Ok(()),
    }
}

#[cfg(target_os = "linux")]
fn entry(name: &str, label: &str) -> Result<Entry, Error> {
    let mut credential = keyring::secret_service::SsCredential::new_with_target(None, SERVICE, name)?;
    if !label.is_empty() {
        label.clone_into(&mut credential.label);
    }
    Ok(Entry::new_with_credential(Box::new(credential)))
}

#[cfg(not(target_os = "linux"))]
fn entry(name: &str, _label: &str) -> Result<Entry, Error> {
    Entry::new(SERVICE, name)
}

fn error(error: &Error) -> StoreError {
    let (Error::PlatformFailure(source) | Error::NoStorageAccess(source)) = error else {
        return match error {
            Error::TooLong(..) => StoreError::TooLarge,
            other => StoreError::Keychain(RemoteText::new(&other.to_string()).as_str().to_owned()),
        };
    };
    // The libraries below give no codes for these, only names in their words.
    let words = format!("{source:?} {source}");
    let says = |any: &[&str]| any.iter().any(|word| words.contains(word));
    if says(&["Prompt", "Locked"]) {
        // Every call asks the desktop to unlock first; a write goes on after a refusal and then finds it locked.
        match environment::desktop() {
            Desktop::Here => StoreError::UnlockRefused,
            Desktop::NoneCi | Desktop::NoneHeadless => StoreError::Locked,
        }
    } else if says(&[
        "ServiceUnknown",
        "autolaunch",
        "Failed to connect",
        "NameHasNoOwner",
        "Spawn.",
        "NoServer",
        "not found",
    ]) {
        StoreError::Absent
    } else if says(&["disconnected"]) {
        StoreError::Keychain("it ended during the call; try again when it runs".into())
    } else if says(&["NoReply", "Timeout", "TimedOut"]) {
        StoreError::Silent { after: Duration::from_secs(2) }
    } else if says(&["NoResult"]) {
        StoreError::Keychain("it has no default collection; make one with the desktop's password program".into())
    } else {
        StoreError::Keychain(RemoteText::new(&source.to_string()).as_str().to_owned())
    }
}

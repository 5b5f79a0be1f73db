//! The operating system's keychain: Secret Service, macOS keychain, Windows Credential Manager.
//!
//! Each call opens the keychain again and has a deadline. On Linux the session is the plain one: secrets cross the
//! user's own bus, which must be a socket of this machine.
#![deny(clippy::let_underscore_must_use)]

#[cfg(target_os = "linux")]
use std::collections::HashMap;
use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use keyring::{Entry, Error};

#[cfg(target_os = "linux")]
use super::secret_service::{self, Found, Replaced};
use super::{
    clock,
    environment::{self, Desktop},
    patience::{self, Patience},
    pause,
};
use crate::{
    deadlines::{KEYCHAIN_ANSWERS, KEYCHAIN_RETRIES, KEYCHAIN_UNLOCKED},
    oauth::RemoteText,
    secret::Secret,
    vault::{ItemName, Items, Removal, StoreError},
};

const SERVICE: &str = "loopin";
const BUS: &str = "DBUS_SESSION_BUS_ADDRESS";

/// Largest item in bytes. Windows: CRED_MAX_CREDENTIAL_BLOB_SIZE.
const LIMIT: usize = if cfg!(windows) { 2560 } else { 256 * 1024 };

#[derive(Clone, Copy, Debug)]
pub struct Keychain {
    deadline: Duration,
}

/// A failed call.
struct Fault {
    error: StoreError,
    passes: Passes,
}

/// Whether a failure may be over in a moment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Passes {
    No,
    Perhaps,
}

impl Default for Keychain {
    fn default() -> Self {
        Self { deadline: if environment::desktop() == Desktop::Here { KEYCHAIN_UNLOCKED } else { KEYCHAIN_ANSWERS } }
    }
}

impl Keychain {
    /// What users of this system call it.
    pub const NAME: &'static str = if cfg!(target_os = "macos") {
        "the macOS keychain"
    } else if cfg!(windows) {
        "Windows Credential Manager"
    } else {
        "the keychain (Secret Service)"
    };

    /// Runs a call on a thread of its own, because the libraries may block for ever.
    fn ask<T: Send + 'static>(
        &self,
        name: &ItemName,
        label: &str,
        call: impl FnOnce(&Entry) -> Result<T, Error> + Clone + Send + 'static,
    ) -> Result<T, StoreError> {
        safe_bus()?;
        let again_until = clock::instant() + KEYCHAIN_RETRIES;
        loop {
            match self.ask_once(name, label, call.clone()) {
                Err(fault) if fault.passes == Passes::Perhaps && clock::instant() < again_until => pause::briefly(),
                result => return result.map_err(|fault| fault.error),
            }
        }
    }

    fn ask_once<T: Send + 'static>(
        &self,
        name: &ItemName,
        label: &str,
        call: impl FnOnce(&Entry) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Fault> {
        let lasting = |error| Fault { error, passes: Passes::No };
        let (answer, answered) = mpsc::sync_channel(1);
        let (name, label) = (name.as_str().to_owned(), label.to_owned());
        let began = clock::instant();
        thread::spawn(move || answer.send(entry(&name, &label).and_then(|entry| call(&entry))));
        let (mut after, mut result) = (KEYCHAIN_ANSWERS, patience::receive(&answered, Patience::of(KEYCHAIN_ANSWERS)));
        // A bus that does not answer shows no dialog.
        if result.is_err() && self.deadline > KEYCHAIN_ANSWERS && bus::greets() {
            (after, result) =
                (self.deadline, patience::receive(&answered, Patience::of(self.deadline - KEYCHAIN_ANSWERS)));
        }
        match result {
            Ok(result) => result.map_err(|e| Fault::of(&e, began.elapsed())),
            Err(RecvTimeoutError::Timeout) => Err(lasting(StoreError::Silent { after })),
            Err(RecvTimeoutError::Disconnected) => {
                Err(lasting(StoreError::Keychain("the keychain library failed".into())))
            }
        }
    }
}

impl Items for Keychain {
    fn read(&self, name: &ItemName) -> Result<Option<Secret>, StoreError> {
        let item = name.clone();
        let found = self.ask(name, "", move |entry| match get(item.as_str(), entry) {
            Err(Error::NoEntry) => Ok(None),
            other => other.map(Some),
        })?;
        let text = found
            .map(|bytes| String::from_utf8(bytes).map_err(|_| StoreError::Damaged { kept_as: None }))
            .transpose()?;
        Ok(text.map(Secret::new))
    }

    fn write(&self, name: &ItemName, label: &str, secret: &Secret) -> Result<(), StoreError> {
        let (item, secret) = (name.clone(), secret.clone());
        self.ask(name, label, move |entry| set(item.as_str(), entry, secret.expose().as_bytes()))
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

    /// Another bus than the user's default leads to another keychain.
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
mod bus {
    use std::{
        io::{Read, Write},
        os::{
            linux::net::SocketAddrExt,
            unix::net::{SocketAddr, UnixStream},
        },
        sync::mpsc,
        thread,
    };

    use super::{BUS, default_bus, environment};
    use crate::deadlines::BUS_GREETS;

    /// Whether the bus answers the first line of the D-Bus protocol, with any answer.
    pub fn greets() -> bool {
        let Some(address) = environment::text(BUS).or_else(default_bus).as_deref().and_then(socket) else {
            return true;
        };
        let (heard, hearing) = mpsc::channel();
        // On a thread of its own, because connecting can block for ever.
        thread::spawn(move || {
            let greeting = UnixStream::connect_addr(&address).and_then(|mut bus| {
                bus.write_all(b"\0AUTH\r\n")?;
                bus.read_exact(&mut [0])
            });
            heard.send(greeting)
        });
        hearing.recv_timeout(BUS_GREETS).is_ok()
    }

    /// The socket of the first address; `None` for rare kinds.
    fn socket(address: &str) -> Option<SocketAddr> {
        let (kind, rest) = address.strip_prefix("unix:")?.split_once('=')?;
        let name = rest.split([',', ';']).next().filter(|name| !name.contains('%'))?;
        match kind {
            "path" => SocketAddr::from_pathname(name).ok(),
            "abstract" => SocketAddr::from_abstract_name(name).ok(),
            _ => None,
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod bus {
    pub fn greets() -> bool {
        true
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

/// Reads through the library, which can unlock an item.
#[cfg(target_os = "linux")]
fn get(name: &str, entry: &Entry) -> Result<Vec<u8>, Error> {
    match secret_service::read(&attributes(name)) {
        Ok(Found::Nothing) => Err(Error::NoEntry),
        Ok(Found::Secret(secret)) => Ok(secret),
        Ok(Found::Other) => entry.get_secret(),
        Err(why) => Err(Error::PlatformFailure(Box::new(why))),
    }
}

/// Writes through the library, which can unlock or create an item.
#[cfg(target_os = "linux")]
fn set(name: &str, entry: &Entry, secret: &[u8]) -> Result<(), Error> {
    match secret_service::replace(&attributes(name), secret) {
        Ok(Replaced::Done) => Ok(()),
        Ok(Replaced::Other) => entry.set_secret(secret),
        Err(why) => Err(Error::PlatformFailure(Box::new(why))),
    }
}

/// The texts of the library.
#[cfg(target_os = "linux")]
fn attributes(name: &str) -> HashMap<&str, &str> {
    [("target", "default"), ("service", SERVICE), ("username", name)].into()
}

#[cfg(not(target_os = "linux"))]
fn get(_: &str, entry: &Entry) -> Result<Vec<u8>, Error> {
    entry.get_secret()
}

#[cfg(not(target_os = "linux"))]
fn set(_: &str, entry: &Entry, secret: &[u8]) -> Result<(), Error> {
    entry.set_secret(secret)
}

#[cfg(not(target_os = "linux"))]
fn entry(name: &str, _label: &str) -> Result<Entry, Error> {
    Entry::new(SERVICE, name)
}

impl Fault {
    /// The libraries return no codes, only names in their texts.
    fn of(error: &Error, after: Duration) -> Self {
        let lasting = |error| Self { error, passes: Passes::No };
        let passing = |error| Self { error, passes: Passes::Perhaps };
        let shown = |text: &str| StoreError::Keychain(RemoteText::new(text).as_str().to_owned());
        let source = match error {
            Error::PlatformFailure(source) | Error::NoStorageAccess(source) => source,
            Error::TooLong(..) => return lasting(StoreError::TooLarge),
            other => return lasting(shown(&other.to_string())),
        };
        let words = format!("{source:?} {source}");
        let says = |any: &[&str]| any.iter().any(|word| words.contains(word));
        if says(&["Prompt", "Locked"]) {
            // The library asks the desktop to unlock first. After a refusal it still writes, and finds the keychain
            // locked.
            lasting(match environment::desktop() {
                Desktop::Here => StoreError::UnlockRefused,
                Desktop::NoneCi | Desktop::NoneHeadless => StoreError::Locked,
            })
        } else if says(&["autolaunch", "Failed to connect", "NoServer", "not found"]) {
            lasting(StoreError::Absent)
        } else if says(&["ServiceUnknown", "NameHasNoOwner", "Spawn."]) {
            passing(StoreError::Absent)
        } else if says(&["disconnected"]) {
            passing(StoreError::Keychain("it ended during the call; try again when it runs".into()))
        } else if says(&["NoReply", "Timeout", "TimedOut"]) {
            passing(StoreError::Silent { after: Duration::from_secs(after.as_secs() + 1) })
        } else if says(&["NoResult"]) {
            let what = "it has no default collection; make one with the desktop's password program";
            lasting(StoreError::Keychain(what.into()))
        } else if says(&["LimitsExceeded"]) {
            passing(shown(&source.to_string()))
        } else {
            lasting(shown(&source.to_string()))
        }
    }
}

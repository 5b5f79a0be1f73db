//! What a refresh leaves behind so that a crash costs nothing: the intent, and the provider's reply, sealed.
//!
//! Both lie beside the lock of the grant. The reply is sealed with the key inside the stored record, which the
//! refresher has read before it sends: after a crash the old record still opens it, and without a record nobody does.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oauth2::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{
    Record, StateFiles, StateName, StoreError,
    seal::{self, Nonce},
};
use crate::{oauth::HttpResponse, secret::Secret};

const INTENT: &str = ".intent";
const REPLY: &str = ".journal";

/// The journal of one grant. Whoever uses it holds the grant's lock.
pub struct Journal<'a> {
    pub files: &'a dyn StateFiles,
    pub name: StateName,
}

/// That a refresh token is about to be sent.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Intent {
    v: u64,
    /// Of the record whose refresh token was sent.
    pub generation: u64,
}

#[derive(Deserialize, Serialize)]
struct StoredReply {
    /// Seconds since 1970: lives of tokens count from here, whenever it is read.
    at: u64,
    status: u16,
    body: String,
}

impl Journal<'_> {
    /// # Errors
    /// Not written: then nothing may be sent.
    pub fn intend(&self, record: &Record) -> Result<(), StoreError> {
        let intent = Intent { v: 1, generation: record.generation };
        self.files.replace(&self.name.file(INTENT), &serde_json::to_vec(&intent).unwrap_or_default())
    }

    /// An intent for this very record: its refresh token may have been used already.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn intended(&self, record: &Record) -> Result<Option<Intent>, StoreError> {
        let content = self.files.read(&self.name.file(INTENT))?;
        let intent = content.and_then(|content| serde_json::from_slice::<Intent>(&content).ok());
        Ok(intent.filter(|intent| intent.generation == record.generation))
    }

    /// Puts the reply away before anybody tries to understand it.
    ///
    /// # Errors
    /// Not written.
    pub fn put(&self, record: &Record, reply: &HttpResponse, now: SystemTime, nonce: Nonce) -> Result<(), StoreError> {
        let at = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let body = String::from_utf8_lossy(reply.body()).into_owned();
        let stored = StoredReply { at, status: reply.status().as_u16(), body };
        let plain = Secret::new(serde_json::to_string(&stored).unwrap_or_default());
        let sealed =
            seal::seal(&record.seal_key, place(&self.name, record).as_bytes(), nonce, plain.expose().as_bytes());
        self.files.replace(&self.name.file(REPLY), &sealed)
    }

    /// The reply that was put away for this very record, if there is one, and when it came.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn reply(&self, record: &Record) -> Result<Option<(HttpResponse, SystemTime)>, StoreError> {
        let Some(sealed) = self.files.read(&self.name.file(REPLY))? else { return Ok(None) };
        let plain = seal::open(&record.seal_key, place(&self.name, record).as_bytes(), &sealed);
        let stored = plain.and_then(|plain| serde_json::from_str::<StoredReply>(plain.expose()).ok());
        Ok(stored.and_then(|stored| {
            let mut reply = HttpResponse::new(stored.body.into_bytes());
            *reply.status_mut() = StatusCode::from_u16(stored.status).ok()?;
            Some((reply, UNIX_EPOCH.checked_add(Duration::from_secs(stored.at))?))
        }))
    }

    /// # Errors
    /// The file is there and stays.
    pub fn forget_reply(&self) -> Result<(), StoreError> {
        self.files.remove(&self.name.file(REPLY))
    }

    /// The refresh is over, and what it brought is stored or worthless.
    ///
    /// # Errors
    /// A file is there and stays.
    pub fn clear(&self) -> Result<(), StoreError> {
        self.forget_reply()?;
        self.files.remove(&self.name.file(INTENT))
    }
}

/// Only the record that it was made for opens a reply.
fn place(name: &StateName, record: &Record) -> String {
    name.file(&format!(":{}", record.generation))
}

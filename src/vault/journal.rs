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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::IntegrationName,
        oauth::{ClientId, Endpoint, Expiry, Scopes, TokenType},
        secret::SealKey,
        vault::{AccountName, ActionKey, Grant, GrantKey, Pinned, memory::MemoryFiles, seal::NONCE_BYTES},
    };

    const CANARY: &str = "canary-7f3a";

    fn name(account: &str) -> StateName {
        let account = AccountName::parse(account).expect("account");
        GrantKey::personal(IntegrationName::parse("work").expect("name"), account, ActionKey::All).state("memory", "")
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn record(generation: u64, key: u8) -> Record {
        Record {
            seal_key: SealKey::new([key; 32]),
            generation,
            pinned: Pinned {
                issuer: None,
                token_endpoint: Endpoint::parse("https://op.example/token").expect("endpoint"),
                revocation_endpoint: None,
                client_id: ClientId::parse("me").expect("id"),
            },
            grant: Grant {
                asked: Scopes::default(),
                granted: Scopes::default(),
                access_token: Secret::new(CANARY.into()),
                token_type: TokenType::Bearer,
                expiry: Expiry::At(at(2)),
                refresh_token: Some(Secret::new(CANARY.into())),
                id_token: None,
                subject: None,
                obtained_at: at(1),
            },
        }
    }

    fn reply(status: u16) -> HttpResponse {
        let mut reply = HttpResponse::new(format!(r#"{{"access_token":"{CANARY}"}}"#).into_bytes());
        *reply.status_mut() = StatusCode::from_u16(status).expect("status");
        reply
    }

    fn put(journal: &Journal<'_>, record: &Record, status: u16) {
        journal.put(record, &reply(status), at(77), Nonce([status.to_be_bytes()[1]; NONCE_BYTES])).expect("put");
    }

    #[test]
    fn r11_a_reply_comes_back_as_it_was_with_the_time_it_came() {
        let files = MemoryFiles::default();
        let journal = Journal { files: &files, name: name("default") };
        assert!(journal.reply(&record(3, 7)).expect("files").is_none());
        for status in [200, 400, 500] {
            put(&journal, &record(3, 7), status);
            let (found, came) = journal.reply(&record(3, 7)).expect("files").expect("a reply");
            assert_eq!((reply(status).status(), reply(status).body(), at(77)), (found.status(), found.body(), came));
        }
    }

    #[test]
    fn r11_nothing_of_a_reply_or_a_record_can_be_read_in_the_files() {
        let files = MemoryFiles::default();
        let journal = Journal { files: &files, name: name("default") };
        journal.intend(&record(3, 7)).expect("intent");
        put(&journal, &record(3, 7), 200);
        let names = files.list("").expect("files");
        assert_eq!(2, names.len(), "{names:?}");
        for name in names {
            let content = files.read(&name).expect("files").expect("content");
            for word in [CANARY, "access_token"] {
                assert!(!content.windows(word.len()).any(|bytes| bytes == word.as_bytes()), "{name} holds {word}");
            }
        }
    }

    #[test]
    fn r11_only_the_record_that_it_was_made_for_opens_a_reply() {
        let files = MemoryFiles::default();
        let (ours, other) = (name("default"), name("other"));
        let journal = Journal { files: &files, name: ours.clone() };
        put(&journal, &record(3, 7), 200);
        for (why, record) in
            [("a later generation", record(4, 7)), ("an earlier one", record(2, 7)), ("another login", record(3, 8))]
        {
            assert!(journal.reply(&record).expect("files").is_none(), "{why}");
        }
        let moved = files.read(&ours.file(REPLY)).expect("files").expect("content");
        files.replace(&other.file(REPLY), &moved).expect("files");
        let elsewhere = Journal { files: &files, name: other };
        assert!(elsewhere.reply(&record(3, 7)).expect("files").is_none(), "another grant");
        assert!(journal.reply(&record(3, 7)).expect("files").is_some());
    }

    #[test]
    fn a_damaged_reply_is_none() {
        let files = MemoryFiles::default();
        let journal = Journal { files: &files, name: name("default") };
        put(&journal, &record(3, 7), 200);
        let whole = files.read(&journal.name.file(REPLY)).expect("files").expect("content");
        for length in [0, 1, NONCE_BYTES, whole.len() - 1] {
            files.replace(&journal.name.file(REPLY), &whole[..length]).expect("files");
            assert!(journal.reply(&record(3, 7)).expect("files").is_none(), "cut at {length}");
        }
    }

    #[test]
    fn r12_an_intent_is_for_one_generation() {
        let files = MemoryFiles::default();
        let journal = Journal { files: &files, name: name("default") };
        let intended = |generation| journal.intended(&record(generation, 7)).expect("files").is_some();
        assert!(!intended(3));
        journal.intend(&record(3, 7)).expect("intent");
        assert_eq!([false, true, false], [2, 3, 4].map(intended));
        files.replace(&journal.name.file(INTENT), b"{").expect("files");
        assert!(!intended(3), "nonsense");
    }

    #[test]
    fn clearing_leaves_nothing_of_this_grant_and_all_of_the_others() {
        let files = MemoryFiles::default();
        let (journal, other) =
            (Journal { files: &files, name: name("default") }, Journal { files: &files, name: name("other") });
        for one in [&journal, &other] {
            one.intend(&record(3, 7)).expect("intent");
            put(one, &record(3, 7), 200);
        }
        journal.clear().expect("cleared");
        journal.clear().expect("nothing to clear is fine");
        assert!(journal.reply(&record(3, 7)).expect("files").is_none());
        assert!(journal.intended(&record(3, 7)).expect("files").is_none());
        assert!(other.reply(&record(3, 7)).expect("files").is_some());
        assert!(other.intended(&record(3, 7)).expect("files").is_some());
    }
}

//! What a refresh stores so that a crash loses nothing: the intent, and the provider's response, encrypted.
//!
//! Both are in one file beside the grant's lock. The response is encrypted with the key of the stored record, which is
//! read before anything is sent: after a crash the old record still decrypts it, and without a record nobody can.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oauth2::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{
    Record, StateFiles, StateName, StoreError,
    record::unix,
    seal::{self, Nonce},
};
use crate::{
    oauth::HttpResponse,
    secret::{SealKey, Secret},
};

const VERSION: u64 = 1;

/// The intent with padding, in bytes. The response follows: its length in four bytes, then the encrypted bytes.
const INTENT: usize = 64;
/// The space that is reserved for a response before anything is sent, in bytes. A longer response takes the file system
/// more time.
const ROOM: usize = 16 * 1024;

/// The journal of one grant. Its user must hold the grant's lock.
pub struct Journal<'a> {
    /// The directory of journals.
    pub files: &'a dyn StateFiles,
    /// The name of the grant's files.
    pub name: StateName,
}

/// What happened to the refresh token of a record.
#[derive(Clone, Debug)]
pub enum Sent {
    /// It was not sent.
    No,
    /// The provider may have used it up. No response with tokens arrived: at most a page or an error, which means
    /// nothing for a request that is sent now.
    Unanswered,
    /// A 2xx response (RFC 6749 section 5.1).
    Answered {
        /// The response, of which body and status were stored.
        reply: HttpResponse,
        /// The time of its arrival. The life of its tokens starts here, whenever it is read.
        came: SystemTime,
    },
}

#[derive(Deserialize, Serialize)]
struct Intent {
    v: u64,
    /// The generation of the record whose refresh token is sent.
    generation: u64,
}

#[derive(Deserialize, Serialize)]
struct StoredReply {
    /// Seconds since 1970.
    at: u64,
    status: u16,
    body: String,
}

impl Journal<'_> {
    /// The suffix of journal files.
    pub const SUFFIX: &'static str = ".journal";

    /// Records that a refresh token is about to be sent, and reserves space for the response. When that arrives, a
    /// strict provider has used up the refresh token, so it must be stored as fast as possible.
    ///
    /// # Errors
    /// The intent was not written, so nothing may be sent.
    pub fn intend(&self, record: &Record) -> Result<(), StoreError> {
        let intent = Intent { v: VERSION, generation: record.generation };
        let mut content = Secret::json(&intent).expose().as_bytes().to_vec();
        content.resize(INTENT, b' ');
        content.resize(INTENT + ROOM, 0);
        self.files.replace(&self.file(), &content)
    }

    /// What an earlier run did with the refresh token of this record.
    ///
    /// # Errors
    /// The file exists and cannot be read.
    pub fn sent(&self, record: &Record) -> Result<Sent, StoreError> {
        self.sent_with(record, std::slice::from_ref(&record.seal_key))
    }

    /// The same, if one of several keys may have encrypted the response.
    ///
    /// # Errors
    /// The file exists and cannot be read.
    pub fn sent_with(&self, record: &Record, seal_keys: &[SealKey]) -> Result<Sent, StoreError> {
        let Some(content) = self.files.read(&self.file())? else { return Ok(Sent::No) };
        let Some((intent, reply)) = content.split_at_checked(INTENT) else { return Ok(Sent::No) };
        Ok(match serde_json::from_slice::<Intent>(intent) {
            Ok(intent) if intent.v == VERSION && intent.generation == record.generation => {
                // A crash may have left a part of the response, which cannot be decrypted.
                match seal_keys.iter().find_map(|key| self.unseal(record, key, reply)) {
                    Some((reply, came)) if reply.status().is_success() => Sent::Answered { reply, came },
                    _ => Sent::Unanswered,
                }
            }
            _ => Sent::No,
        })
    }

    /// Stores the response before it is parsed.
    ///
    /// # Errors
    /// The response was not written.
    pub fn put(&self, record: &Record, reply: &HttpResponse, now: SystemTime, nonce: Nonce) -> Result<(), StoreError> {
        let body = String::from_utf8_lossy(reply.body()).into_owned();
        let stored = StoredReply { at: unix(now), status: reply.status().as_u16(), body };
        let plain = Secret::json(&stored);
        let sealed = seal::seal(&record.seal_key, self.place(record).as_bytes(), nonce, plain.expose().as_bytes());
        let too_long = |_| StoreError::File { path: self.file().into(), why: "a response of over 4 GiB".into() };
        let mut content = u32::try_from(sealed.len()).map_err(too_long)?.to_be_bytes().to_vec();
        content.extend(sealed);
        self.files.overwrite(&self.file(), INTENT, &content)
    }

    /// Deletes a response without tokens. The intent stays.
    ///
    /// # Errors
    /// The response was not deleted.
    pub fn forget_reply(&self) -> Result<(), StoreError> {
        self.files.overwrite(&self.file(), INTENT, &0_u32.to_be_bytes())
    }

    /// Deletes the journal: its tokens are stored, or are worth nothing.
    ///
    /// # Errors
    /// The file exists and was not deleted.
    pub fn clear(&self) -> Result<(), StoreError> {
        self.files.remove(&self.file())
    }

    /// `None` if a crash has left only a part of the response.
    fn unseal(&self, record: &Record, key: &SealKey, reply: &[u8]) -> Option<(HttpResponse, SystemTime)> {
        let (length, rest) = reply.split_first_chunk()?;
        let sealed = rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        let plain = seal::open(key, self.place(record).as_bytes(), sealed)?;
        let stored: StoredReply = serde_json::from_str(plain.expose()).ok()?;
        let mut reply = HttpResponse::new(stored.body.into_bytes());
        *reply.status_mut() = StatusCode::from_u16(stored.status).ok()?;
        Some((reply, UNIX_EPOCH.checked_add(Duration::from_secs(stored.at))?))
    }

    fn file(&self) -> String {
        self.name.file(Self::SUFFIX)
    }

    /// Only the record of this generation decrypts the response.
    fn place(&self, record: &Record) -> String {
        self.name.file(&format!(":{}", record.generation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::IntegrationName,
        oauth::{ClientId, Endpoint, Expiry, Scopes, TokenType},
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
                authentication_method: crate::oauth::AuthenticationMethod::Basic,
            },
            grant: Grant {
                asked: Scopes::default(),
                granted: Scopes::default(),
                access_token: Secret::new(CANARY.into()),
                token_type: TokenType::Bearer,
                expiry: Expiry::At(at(2)),
                refresh_token: Some(Secret::new(CANARY.into())),
                refreshable_until: None,
                id_token: None,
                subject: None,
                metadata: crate::oauth::GrantMetadata::default(),
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
        journal.intend(record).expect("intent");
        journal.put(record, &reply(status), at(77), Nonce([status.to_be_bytes()[1]; NONCE_BYTES])).expect("put");
    }

    fn answered(journal: &Journal<'_>, record: &Record) -> bool {
        matches!(journal.sent(record).expect("files"), Sent::Answered { .. })
    }

    fn unanswered(journal: &Journal<'_>, record: &Record) -> bool {
        matches!(journal.sent(record).expect("files"), Sent::Unanswered)
    }

    fn nothing_sent(journal: &Journal<'_>, record: &Record) -> bool {
        matches!(journal.sent(record).expect("files"), Sent::No)
    }

    #[test]
    fn r11_a_reply_comes_back_as_it_was_with_the_time_it_came() {
        let files = MemoryFiles::default();
        let journal = Journal { files: &files, name: name("default") };
        assert!(nothing_sent(&journal, &record(3, 7)));
        for status in [200, 201, 299] {
            put(&journal, &record(3, 7), status);
            let Sent::Answered { reply: found, came } = journal.sent(&record(3, 7)).expect("files") else {
                panic!("no reply")
            };
            assert_eq!((reply(status).status(), reply(status).body(), at(77)), (found.status(), found.body(), came));
        }
    }

    #[test]
    fn r11_only_a_2xx_response_is_an_answer_and_what_was_sent_stays_known() {
        let files = MemoryFiles::default();
        let journal = Journal { files: &files, name: name("default") };
        for status in [199, 302, 400, 401, 404, 500, 502] {
            put(&journal, &record(3, 7), status);
            assert!(unanswered(&journal, &record(3, 7)), "{status}");
        }
    }

    #[test]
    fn r11_any_of_several_keys_may_have_sealed_a_response() {
        let files = MemoryFiles::default();
        let journal = Journal { files: &files, name: name("default") };
        put(&journal, &record(3, 7), 200);
        let keys = |numbers: &[u8]| numbers.iter().map(|number| SealKey::new([*number; 32])).collect::<Vec<_>>();
        let rotated = record(3, 9);
        let sent = |numbers: &[u8]| journal.sent_with(&rotated, &keys(numbers)).expect("files");
        assert!(matches!(sent(&[9, 8, 7]), Sent::Answered { .. }));
        assert!(matches!(sent(&[9, 8]), Sent::Unanswered));
    }

    #[test]
    fn r11_a_reply_longer_than_the_room_for_it_comes_back_too() {
        let files = MemoryFiles::default();
        let journal = Journal { files: &files, name: name("default") };
        let long = HttpResponse::new("long ".repeat(ROOM).into_bytes());
        journal.intend(&record(3, 7)).expect("intent");
        journal.put(&record(3, 7), &long, at(77), Nonce([1; NONCE_BYTES])).expect("put");
        let Sent::Answered { reply, .. } = journal.sent(&record(3, 7)).expect("files") else { panic!("no reply") };
        assert_eq!(long.body(), reply.body());
    }

    #[test]
    fn r11_nothing_of_a_reply_or_a_record_can_be_read_in_the_files() {
        let files = MemoryFiles::default();
        let journal = Journal { files: &files, name: name("default") };
        put(&journal, &record(3, 7), 200);
        let names = files.list("").expect("files");
        assert_eq!(1, names.len(), "{names:?}");
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
            assert!(!answered(&journal, &record), "{why}");
        }
        let moved = files.read(&ours.file(Journal::SUFFIX)).expect("files").expect("content");
        files.replace(&other.file(Journal::SUFFIX), &moved).expect("files");
        let elsewhere = Journal { files: &files, name: other };
        assert!(!answered(&elsewhere, &record(3, 7)), "another grant");
        assert!(answered(&journal, &record(3, 7)));
    }

    #[test]
    fn r11_a_reply_of_which_a_part_was_written_is_none_and_the_intent_stays() {
        let files = MemoryFiles::default();
        let journal = Journal { files: &files, name: name("default") };
        put(&journal, &record(3, 7), 200);
        let whole = files.read(&journal.name.file(Journal::SUFFIX)).expect("files").expect("content");
        let end = INTENT + whole[INTENT..].iter().rposition(|byte| *byte != 0).expect("a reply");
        for written in [INTENT, INTENT + 1, INTENT + 4, INTENT + 4 + NONCE_BYTES, end] {
            let mut torn = whole.clone();
            torn[written..].fill(0);
            files.replace(&journal.name.file(Journal::SUFFIX), &torn).expect("files");
            assert!(unanswered(&journal, &record(3, 7)), "zeros from {written}");
            files.replace(&journal.name.file(Journal::SUFFIX), &whole[..written]).expect("files");
            assert!(unanswered(&journal, &record(3, 7)), "cut at {written}");
        }
    }

    #[test]
    fn r12_an_intent_is_for_one_generation() {
        let files = MemoryFiles::default();
        let journal = Journal { files: &files, name: name("default") };
        assert!(nothing_sent(&journal, &record(3, 7)));
        journal.intend(&record(3, 7)).expect("intent");
        assert_eq!([false, true, false], [2, 3, 4].map(|generation| unanswered(&journal, &record(generation, 7))));
        for nonsense in [&b"{"[..], &[b'{'; INTENT], &[0; INTENT + ROOM], br#"{"v":2,"generation":3}"#] {
            files.replace(&journal.name.file(Journal::SUFFIX), nonsense).expect("files");
            assert!(nothing_sent(&journal, &record(3, 7)), "nonsense");
        }
    }

    #[test]
    fn r12_a_reply_that_was_no_answer_is_forgotten_and_the_intent_stays() {
        let files = MemoryFiles::default();
        let journal = Journal { files: &files, name: name("default") };
        put(&journal, &record(3, 7), 502);
        journal.forget_reply().expect("forgotten");
        assert!(unanswered(&journal, &record(3, 7)));
    }

    #[test]
    fn clearing_leaves_nothing_of_this_grant_and_all_of_the_others() {
        let files = MemoryFiles::default();
        let (journal, other) =
            (Journal { files: &files, name: name("default") }, Journal { files: &files, name: name("other") });
        for one in [&journal, &other] {
            put(one, &record(3, 7), 200);
        }
        journal.clear().expect("cleared");
        journal.clear().expect("nothing to clear is fine");
        assert!(nothing_sent(&journal, &record(3, 7)));
        assert!(answered(&other, &record(3, 7)));
    }
}

//! The result of the last refresh, for processes that waited for it and for `status`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::{Failed, Judgement, Refusals, Verdict};
use crate::{
    secret::Secret,
    vault::{
        Record, StateName,
        seal::{self, Nonce},
    },
};

/// The result of the last refresh of a grant, stored beside its lock. Those who waited for the refresh read it instead
/// of sending the same request again, and `status` shows it. Every secret in it is sealed.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct LastRefresh {
    v: u64,
    /// Milliseconds since 1970.
    at: u64,
    /// Of the record that was stored when it ended.
    generation: u64,
    /// How it ended.
    pub result: RefreshResult,
    /// Ambiguous refusals of the refresh token of this generation, until now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refusals: Option<StoredRefusals>,
    /// What is unusual about the response, without any value of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    response: Option<String>,
    /// The new record, sealed with the key that it shares with the record before. Without it hundreds of waiting
    /// processes would query the keychain at once, and some keychains fail under that load.
    #[serde(skip)]
    sealed: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
struct StoredRefusals {
    count: u32,
    /// Milliseconds since 1970.
    since: u64,
}

/// How a refresh ended, with a text for users.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshResult {
    /// The provider rejected the request, and nobody knows whether that is about the client or the grant.
    Ambiguous {
        /// The reason.
        message: String,
    },
    /// The grant is no longer valid: the user has to log in again.
    Dead {
        /// The reason.
        message: String,
    },
    /// The provider rejects the client, or no proxy can be used.
    Misconfigured {
        /// The reason.
        message: String,
    },
    /// The response broke a rule of the protocol.
    Refused {
        /// The reason.
        message: String,
    },
    /// There are new tokens, and they are stored.
    Renewed,
    /// The provider issued new tokens, but the store did not accept them: they are kept, sealed, in the journal.
    Unstored {
        /// The reason.
        message: String,
    },
    /// The refresh may succeed later.
    Transient {
        /// The reason.
        message: String,
    },
}

impl LastRefresh {
    /// The suffix of its files.
    pub const SUFFIX: &str = ".last";

    /// The result of a refresh that left no new record. `generation` is that of the stored record.
    pub fn new(result: RefreshResult, generation: u64, now: SystemTime) -> Self {
        Self { v: 1, at: millis(now), generation, result, refusals: None, response: None, sealed: Vec::new() }
    }

    /// With the ambiguous refusals before this one counted, if they were of the same refresh token. Refusals that are
    /// [final](Refusals::are_final) make the grant one that needs a login.
    pub fn after(self, before: Option<&Self>) -> Self {
        let before = before.filter(|before| before.generation == self.generation).and_then(|before| before.refusals);
        let RefreshResult::Ambiguous { message } = &self.result else { return Self { refusals: before, ..self } };
        let counted = before.map(|StoredRefusals { count, since }| Refusals { count, since: time(since) });
        let refusals = Refusals::and_one_more(counted, self.at());
        let result = match refusals.are_final(self.at()) {
            true => RefreshResult::Dead { message: format!("{message} (the {}th refusal in a row)", refusals.count) },
            false => self.result.clone(),
        };
        let stored = StoredRefusals { count: refusals.count, since: millis(refusals.since) };
        Self { result, refusals: Some(stored), ..self }
    }

    /// A successful refresh, with the new record for those who hold the record before. `nonce` must never have been
    /// used before.
    pub fn renewed(record: &Record, place: &StateName, now: SystemTime, nonce: Nonce) -> Self {
        let aad = Self::aad(place, record.generation);
        let sealed = seal::seal(&record.seal_key, aad.as_bytes(), nonce, record.serialize().expose().as_bytes());
        Self { sealed, ..Self::new(RefreshResult::Renewed, record.generation, now) }
    }

    /// With what is unusual about the response ([`Observed::news`](crate::oauth::Observed::news)).
    pub fn with_response(self, response: Option<String>) -> Self {
        Self { response, ..self }
    }

    /// What is unusual about the response, in one line.
    pub fn response(&self) -> Option<&str> {
        self.response.as_deref()
    }

    /// The new record, for those who hold the record before.
    pub fn record(&self, before: &Record, place: &StateName) -> Option<Record> {
        let plain = seal::open(&before.seal_key, Self::aad(place, self.generation).as_bytes(), &self.sealed)?;
        Record::parse(&plain).ok()
    }

    fn aad(place: &StateName, generation: u64) -> String {
        place.file(&format!("{}:{generation}", Self::SUFFIX))
    }

    /// Whether the refresh ended between `start` and `now`, so that its result also holds for a caller who began to wait
    /// at `start`. A time in the future was written before the clock was set back, and counts for no caller.
    pub fn answers(&self, start: SystemTime, now: SystemTime) -> bool {
        (millis(start)..=millis(now)).contains(&self.at)
    }

    /// Whether another request for this record would only get the same answer. A refresh token that the provider
    /// rejected is never sent twice; tokens that the store did not accept are worth another try.
    pub fn spares_a_request(&self, record: &Record, start: SystemTime, now: SystemTime) -> bool {
        let of_this_record = self.generation == record.generation;
        match self.result {
            RefreshResult::Dead { .. } => of_this_record,
            // It is written after the grant: a caller who has read the new grant already asks for the next one.
            RefreshResult::Renewed => self.generation > record.generation && self.answers(start, now),
            RefreshResult::Unstored { .. } => false,
            _ => of_this_record && self.answers(start, now),
        }
    }

    /// Whether it ended with this very record in the store.
    pub fn is_of(&self, record: &Record) -> bool {
        self.generation == record.generation
    }

    /// When the refresh ended.
    pub fn at(&self) -> SystemTime {
        time(self.at)
    }

    /// One line of JSON, then the encrypted record.
    pub fn serialize(&self) -> Vec<u8> {
        let mut content = Secret::json(self).expose().as_bytes().to_vec();
        content.push(b'\n');
        content.extend(&self.sealed);
        content
    }

    /// `None` if the content is damaged.
    pub fn parse(content: &[u8]) -> Option<Self> {
        let (line, sealed) = content.split_at_checked(content.iter().position(|byte| *byte == b'\n')? + 1)?;
        Some(Self { sealed: sealed.to_vec(), ..serde_json::from_slice(line).ok()? })
    }
}

impl RefreshResult {
    /// What went wrong, in words for a user.
    pub fn fault(&self) -> Option<&str> {
        match self {
            Self::Renewed => None,
            Self::Ambiguous { message }
            | Self::Dead { message }
            | Self::Misconfigured { message }
            | Self::Refused { message }
            | Self::Transient { message }
            | Self::Unstored { message } => Some(message),
        }
    }

    /// The result of a failed attempt: what is judged once, in the words for a user.
    pub fn failed(failed: &Failed) -> Self {
        let message = failed.to_string();
        match Judgement::of(failed).verdict {
            Verdict::Ambiguous => Self::Ambiguous { message },
            Verdict::Dead | Verdict::NoRefreshToken => Self::Dead { message },
            Verdict::Misconfigured => Self::Misconfigured { message },
            Verdict::OtherSubject | Verdict::Refused => Self::Refused { message },
            Verdict::Transient => Self::Transient { message },
        }
    }
}

fn time(millis: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap_or(UNIX_EPOCH)
}

fn millis(time: SystemTime) -> u64 {
    u64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;

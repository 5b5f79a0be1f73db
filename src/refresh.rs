//! The one place that decides whether an access token can be handed out, and what becomes of a refresh.
//!
//! A token that stays valid for longer than the margin is handed out as it is: no lock, no network, no write. A stale
//! one is renewed by one process for all: `command/renew.rs` takes the lock and starts the worker,
//! `command/refresh_worker.rs` sends the one request. Here are their judgements, without clock and without I/O.

mod validity;

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use validity::Validity;

use crate::{
    oauth::{TokenSet, Verdict},
    secret::Secret,
    vault::{
        Grant, Record, StateName,
        seal::{self, Nonce},
    },
};

/// The longest margin: a token is renewed this long before it expires, or after nine tenths of its life.
const LONGEST_MARGIN: Duration = Duration::from_secs(60);
/// A grant is not refreshed twice within this time because of a wish that no token of its provider can fulfil.
const SHORTEST_PAUSE: Duration = Duration::from_secs(30);
/// A clock that has gone back by more than this says nothing about the age of a token.
const CLOCK_SLACK: Duration = Duration::from_secs(60);

/// How long a token must still be valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MinTtl {
    AtLeast(Duration),
    /// The smaller of 60 s and a tenth of the token's life.
    Margin,
}

/// The first 64 hexadecimal digits of SHA-256 over an access token that a caller was refused with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected(String);

impl Rejected {
    /// At least 8 digits, so that a hash can be cut for a log.
    pub fn parse(text: &str) -> Option<Self> {
        let hash = text.to_ascii_lowercase();
        ((8..=64).contains(&hash.len()) && hash.bytes().all(|b| b.is_ascii_hexdigit())).then_some(Self(hash))
    }

    pub fn of(token: &Secret) -> Self {
        Self(Sha256::digest(token.expose()).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Whether it is this token that was refused.
    pub fn is(&self, token: &Secret) -> bool {
        Self::of(token).0.starts_with(&self.0)
    }
}

/// What a caller asks for.
#[derive(Clone, Debug)]
pub struct Wish {
    pub min_ttl: MinTtl,
    pub rejected: Option<Rejected>,
}

/// What a stored token is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    Expired {
        ago: Duration,
    },
    Fresh,
    /// A caller was refused with it.
    Rejected,
    /// Valid, but for less than the wish or the margin.
    Short {
        left: Duration,
    },
}

impl fmt::Display for Worth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired { ago } => write!(f, "the access token expired {} s ago", ago.as_secs()),
            Self::Fresh => f.write_str("the access token is valid"),
            Self::Rejected => f.write_str("the access token was rejected"),
            Self::Short { left } => write!(f, "the access token is valid for {} s only", left.as_secs()),
        }
    }
}

impl Wish {
    /// A token that is valid for longer than the margin.
    pub const USUAL: Self = Self { min_ttl: MinTtl::Margin, rejected: None };

    /// Whether a token that is valid for less than the margin will do if there is no other.
    pub fn takes_short(&self) -> bool {
        self.min_ttl == MinTtl::Margin
    }

    /// Whether a token that has just come does not live as long as it is wished for: another one would not either.
    pub fn exceeds(&self, grant: &Grant, now: SystemTime) -> Option<Duration> {
        let life = grant.expiry.time().duration_since(grant.obtained_at).unwrap_or_default();
        let age = now.duration_since(grant.obtained_at).unwrap_or_default();
        let MinTtl::AtLeast(wanted) = self.min_ttl else { return None };
        (wanted >= life && age < SHORTEST_PAUSE).then_some(life)
    }

    /// Judges a stored grant.
    pub fn worth(&self, grant: &Grant, now: SystemTime) -> Worth {
        if self.rejected.as_ref().is_some_and(|rejected| rejected.is(&grant.access_token)) {
            return Worth::Rejected;
        }
        Validity { from: grant.obtained_at, until: grant.expiry.time() }.worth(self.min_ttl, now)
    }
}

/// A refresh that answers another person's `sub` (OpenID Connect Core section 12.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherSubject;

impl fmt::Display for OtherSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the provider answered the refresh with another person's token (sub); the old grant was kept")
    }
}

impl std::error::Error for OtherSubject {}

/// Whether two grants are renewed with the same refresh token.
pub fn same_refresh_token(one: &Grant, other: &Grant) -> bool {
    match (&one.refresh_token, &other.refresh_token) {
        (Some(one), Some(other)) => one.matches(other.expose()),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// The record after a refresh. What the reply leaves out stays (RFC 6749 section 6: refresh token and scope).
///
/// # Errors
/// The reply is for somebody else.
pub fn renewed(record: &Record, tokens: TokenSet, now: SystemTime) -> Result<Record, OtherSubject> {
    let old = &record.grant;
    let subject = tokens.claims.as_ref().map(|claims| claims.sub.clone());
    if let (Some(before), Some(after)) = (&old.subject, &subject)
        && before != after
    {
        return Err(OtherSubject);
    }
    let grant = Grant {
        asked: old.asked.clone(),
        granted: tokens.granted.unwrap_or_else(|| old.granted.clone()),
        access_token: tokens.access_token,
        token_type: tokens.token_type,
        expiry: tokens.expiry,
        // A new refresh token of which nothing is said may live for longer or shorter than the old one.
        refreshable_until: tokens
            .refreshable_until
            .or_else(|| old.refreshable_until.filter(|_| tokens.refresh_token.is_none())),
        refresh_token: tokens.refresh_token.or_else(|| old.refresh_token.clone()),
        id_token: tokens.id_token.or_else(|| old.id_token.clone()),
        subject: subject.or_else(|| old.subject.clone()),
        obtained_at: now,
    };
    Ok(Record { grant, ..record.clone() })
}

/// How the last refresh of a grant went; kept beside its lock, with nothing secret that is not sealed, so that those who
/// waited for it do not send the same request again, and so that `status` can tell.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct LastRefresh {
    v: u64,
    /// Milliseconds since 1970.
    at: u64,
    /// Of the record that was stored when it ended.
    generation: u64,
    pub result: RefreshResult,
    /// The renewed record, sealed with the key that it and the one before share: hundreds who waited need not all ask
    /// the keychain at once, which some keychains do not stand.
    #[serde(skip)]
    sealed: Vec<u8>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshResult {
    Dead {
        message: String,
    },
    Misconfigured {
        message: String,
    },
    Refused {
        message: String,
    },
    Renewed,
    /// Renewed at the provider; the tokens wait, sealed, for a store that takes them.
    Unstored {
        message: String,
    },
    Transient {
        message: String,
    },
}

impl LastRefresh {
    pub const SUFFIX: &str = ".last";

    pub fn new(result: RefreshResult, generation: u64, now: SystemTime) -> Self {
        Self { v: 1, at: millis(now), generation, result, sealed: Vec::new() }
    }

    /// A refresh that renewed, and what it brought, for the holders of the record before. `nonce` must never have been
    /// used before.
    pub fn renewed(record: &Record, place: &StateName, now: SystemTime, nonce: Nonce) -> Self {
        let aad = Self::aad(place, record.generation);
        let sealed = seal::seal(&record.seal_key, aad.as_bytes(), nonce, record.serialize().expose().as_bytes());
        Self { sealed, ..Self::new(RefreshResult::Renewed, record.generation, now) }
    }

    /// What the refresh brought, for whoever holds the record before.
    pub fn record(&self, before: &Record, place: &StateName) -> Option<Record> {
        let plain = seal::open(&before.seal_key, Self::aad(place, self.generation).as_bytes(), &self.sealed)?;
        Record::parse(&plain).ok()
    }

    fn aad(place: &StateName, generation: u64) -> String {
        place.file(&format!("{}:{generation}", Self::SUFFIX))
    }

    /// Whether it ended between `start` and `now`, so that it answers somebody who began to wait then. What ended in the
    /// future was written under a clock that has gone back since, and answers nobody.
    pub fn answers(&self, start: SystemTime, now: SystemTime) -> bool {
        (millis(start)..=millis(now)).contains(&self.at)
    }

    /// Whether asking the provider for this record would only be told the same again. A refresh token that it takes no
    /// more is never sent twice; tokens that wait for a store are worth another look.
    pub fn spares_a_request(&self, record: &Record, start: SystemTime, now: SystemTime) -> bool {
        let of_this_record = self.generation == record.generation;
        match self.result {
            RefreshResult::Dead { .. } => of_this_record,
            // It is written after the grant: whoever has read the new grant already asks for the next one.
            RefreshResult::Renewed => self.generation > record.generation && self.answers(start, now),
            RefreshResult::Unstored { .. } => false,
            _ => of_this_record && self.answers(start, now),
        }
    }

    pub fn at(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.at)
    }

    pub fn serialize(&self) -> Vec<u8> {
        let mut content = Secret::json(self).expose().as_bytes().to_vec();
        content.push(b'\n');
        content.extend(&self.sealed);
        content
    }

    pub fn parse(content: &[u8]) -> Option<Self> {
        let (line, sealed) = content.split_at_checked(content.iter().position(|byte| *byte == b'\n')? + 1)?;
        Some(Self { sealed: sealed.to_vec(), ..serde_json::from_slice(line).ok()? })
    }
}

impl RefreshResult {
    /// What went wrong, in words.
    pub fn fault(&self) -> Option<&str> {
        match self {
            Self::Renewed => None,
            Self::Dead { message }
            | Self::Misconfigured { message }
            | Self::Refused { message }
            | Self::Transient { message }
            | Self::Unstored { message } => Some(message),
        }
    }

    pub fn failed(verdict: Verdict, message: String) -> Self {
        match verdict {
            Verdict::Dead => Self::Dead { message },
            Verdict::Misconfigured => Self::Misconfigured { message },
            Verdict::Refused => Self::Refused { message },
            Verdict::Transient => Self::Transient { message },
        }
    }
}

fn millis(time: SystemTime) -> u64 {
    u64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

/// Whether a failed try may be repeated, and after which pause. `elapsed` is since the first try began.
/// `None`: callers have waited for long enough, or it may have reached the provider, and a second presentation of a
/// rotating refresh token ends the grant.
pub fn pause_before_retry(tried: u32, elapsed: Duration, reached: Reached, jitter: Duration) -> Option<Duration> {
    const TRIES: u32 = 3;
    const LONGEST: Duration = Duration::from_secs(10);
    match reached {
        _ if tried >= TRIES || elapsed >= LONGEST => None,
        Reached::Maybe => None,
        Reached::Nobody => Some(Duration::from_millis(200) * (1 << tried) + jitter),
        Reached::TurnedAway { retry_after } => match retry_after {
            Some(wait) if wait > LONGEST => None,
            Some(wait) => Some(wait + jitter),
            None => Some(Duration::from_millis(500) * (1 << tried) + jitter),
        },
    }
}

/// How far a failed request got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    Maybe,
    /// No connection was made.
    Nobody,
    /// 429 or 503: the provider said that it did nothing.
    TurnedAway {
        retry_after: Option<Duration>,
    },
}

#[cfg(test)]
mod tests;

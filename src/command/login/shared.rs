//! A login begun for a program. All who need the same grant at the same time share one (docs/threats.md, P11): the
//! first takes a lock of the kernel and opens the browser, the others wait for it and read what came of it. A login by
//! hand neither waits nor is waited for.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Login, canceller::cancelled, scopes};
use crate::{
    command::context::grant_key,
    oauth::Scopes,
    report::{Code, Event, Failure, SignedIn},
    stdio::{LoginEvent, WaitsFor},
    system::{
        clock, entropy,
        lock::{self, Waited},
        private_files::PrivateFiles,
    },
    vault::{GrantKey, StateFiles, StoreError, Vault},
};

/// How the last shared login ended; nothing secret.
pub const LAST_LOGIN: &str = ".login";
/// Held by whoever has sent the person off. Apart from the grant's own lock, which a refresh needs meanwhile.
const LOCK: &str = ".login.lock";
/// How often a waiting caller hears that it waits.
const TICK: Duration = Duration::from_secs(1);

/// # Errors
/// What the login failed with, whoever began it; or it was cancelled, or took longer than this caller waits.
pub fn run(login: &Login<'_>) -> Result<SignedIn, Failure> {
    let Login { context, args, canceller, .. } = *login;
    let integration = context.integration(args.integration.as_deref())?;
    let key = grant_key(&integration.name, &args.grant)?;
    let files = context.files()?;
    let items = context.items(&integration, &files);
    let vault = Vault { items: items.as_ref(), files: &files };
    let last = Last { files: &files, name: vault.state_name(&key).file(LAST_LOGIN) };
    let shared = Shared { vault: &vault, key: &key, scopes: scopes(&integration, &key, args)? };
    let mut seen = last.read()?;
    let deadline = clock::instant() + args.timeout;
    loop {
        let mut waits = Waits { deadline, next: None };
        let news = || {
            if canceller.check().is_err() {
                return Some(Err(cancelled()));
            }
            if let Some(left) = waits.tell() {
                context.talk.say(&Event::WaitingForLogin(left));
            }
            last.news(&seen).transpose()
        };
        let left = deadline.saturating_duration_since(clock::instant());
        let (held, news) = match lock::hold_unless(&files, &vault.state_name(&key).file(LOCK), left, news) {
            Ok(Waited::Answered(news)) => (None, Some(news?)),
            // It may have ended in this very instant.
            Ok(Waited::Held(held)) => (Some(held), last.news(&seen)?),
            Err(StoreError::Busy { .. }) => {
                return Err(Failure::new(Code::Timeout, "another program's login has not come to an end"));
            }
            Err(why) => return Err(why.into()),
        };
        if let Some(ended) = news {
            match shared.outcome(&ended)? {
                Some(signed_in) => {
                    context.talk.say(&Event::Done);
                    return Ok(signed_in);
                }
                None => {
                    seen = Some(ended);
                    continue;
                }
            }
        }
        let result = login.run();
        let cancelled = matches!(&result, Err(Failure { code: Code::Signalled(_), .. }));
        if !cancelled {
            // Where this cannot be written, the next one asks the person again.
            let _ = last.write(result.as_ref().err());
        }
        drop(held);
        return result;
    }
}

/// What somebody else's login means for this caller.
struct Shared<'a> {
    vault: &'a Vault<'a>,
    key: &'a GrantKey,
    scopes: Scopes,
}

impl Shared<'_> {
    /// `None` if it does not serve this one.
    fn outcome(&self, ended: &Ended) -> Result<Option<SignedIn>, Failure> {
        match ended.failure() {
            // The person or the provider would say the same again; what was wrong with another's request is not ours.
            Some(failure) => match failure.code {
                Code::Denied | Code::Refused | Code::Store | Code::Timeout | Code::Unavailable => Err(failure),
                _ => Ok(None),
            },
            None => {
                let record = self.vault.read(self.key)?.filter(|record| record.grant.asked.covers(&self.scopes));
                Ok(record.map(|r| SignedIn::new(self.key, self.vault.items.kind(), &r.grant, Vec::new())))
            }
        }
    }
}

/// When a waiting caller is told.
struct Waits {
    deadline: Instant,
    /// Nobody is known to hold the lock before it was tried once.
    next: Option<Instant>,
}

impl Waits {
    /// The time left, if it is time to say it.
    fn tell(&mut self) -> Option<Duration> {
        let now = clock::instant();
        let due = self.next.is_some_and(|next| next <= now);
        if self.next.is_none() || due {
            self.next = Some(if due { now + TICK } else { now });
        }
        due.then(|| self.deadline.saturating_duration_since(now))
    }
}

/// Where it is written how the last shared login ended.
struct Last<'a> {
    files: &'a PrivateFiles,
    name: String,
}

/// How a shared login ended, told from every other by a random number.
#[derive(PartialEq, Eq)]
struct Ended(Vec<u8>);

impl Last<'_> {
    fn read(&self) -> Result<Option<Ended>, StoreError> {
        Ok(self.files.read(&self.name)?.map(Ended))
    }

    /// What was not there when this caller came.
    fn news(&self, seen: &Option<Ended>) -> Result<Option<Ended>, Failure> {
        Ok(self.read()?.filter(|ended| Some(ended) != seen.as_ref()))
    }

    fn write(&self, failure: Option<&Failure>) -> Result<(), Failure> {
        let login = u64::from_be_bytes(entropy::random()?);
        let ended = json!({ "login": login, "error": failure.map(Failure::json) });
        Ok(self.files.replace(&self.name, ended.to_string().as_bytes())?)
    }
}

impl Ended {
    fn failure(&self) -> Option<Failure> {
        let ended: Value = serde_json::from_slice(&self.0).ok()?;
        Failure::deserialize(ended.get("error")?).ok()
    }
}

/// What a program hears of an event.
pub fn told(event: &Event<'_>) -> Option<LoginEvent> {
    Some(match event {
        Event::BrowserOpening | Event::Listening(_) | Event::Step(_) | Event::Verbose(_) => return None,
        Event::CodeReceived => LoginEvent::Code,
        Event::Done => LoginEvent::Done,
        Event::Exchanging => LoginEvent::Exchanging,
        Event::Stray(why) => LoginEvent::Stray(why.to_string()),
        Event::Url(url) => LoginEvent::Url((*url).to_owned()),
        Event::Waiting(left) => LoginEvent::Waiting { left: *left, on: WaitsFor::Person },
        Event::WaitingForLogin(left) => LoginEvent::Waiting { left: *left, on: WaitsFor::Login },
        other => LoginEvent::Note(other.to_string()),
    })
}

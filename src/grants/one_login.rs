//! One login for all. Those who need the same grant at the same time share one login (docs/threats.md, P11): the first takes a
//! lock of the kernel and opens the browser, the others wait for it and read how it ended. [`Grants::login`] neither waits
//! nor is waited for.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Code, Error, Event, GrantId, Grants, LoginRequest, ReportedError, SignedIn, login::scopes, sign_in::TICK};
use crate::{
    oauth::Scopes,
    system::{
        clock, entropy,
        lock::{self, Waited},
        private_files::PrivateFiles,
    },
    vault::{StateFiles, StoreError, Vault},
};

/// How the last shared login ended; nothing secret.
pub(super) const LAST_LOGIN: &str = ".login";
/// Held by the caller that has sent the user to the provider. Not the grant's own lock, which a refresh needs meanwhile.
const LOGIN_LOCK: &str = ".login.lock";
impl Grants {
    /// As [`Grants::login`], unless another caller's login to the same grant ends first and serves this one too.
    ///
    /// # Errors
    /// What the login failed with, whoever began it; or it was canceled, or took longer than this caller waits.
    pub fn shared_login(&self, request: &LoginRequest) -> Result<SignedIn, Error> {
        let integration = self.of(&request.grant)?;
        let items = self.items(integration);
        let vault = self.vault(items.as_ref());
        let place = vault.state_name(&request.grant.key());
        let last = Last { files: &self.files, name: place.file(LAST_LOGIN) };
        let shared = Shared { vault: &vault, grant: &request.grant, scopes: scopes(integration, request)? };
        let mut seen = last.read()?;
        let deadline = clock::instant() + request.timeout;
        loop {
            let mut waits = Waits { deadline, next: None };
            let news = || {
                if let Err(cancelled) = request.canceller.check() {
                    return Some(Err(cancelled));
                }
                if let Some(left) = waits.tell() {
                    self.hear(&Event::WaitingForLogin(left));
                }
                last.news(&seen).transpose()
            };
            let left = deadline.saturating_duration_since(clock::instant());
            let (held, news) = match lock::hold_unless(&self.files, &place.file(LOGIN_LOCK), left, news) {
                Ok(Waited::Answered(news)) => (None, Some(news?)),
                // It may have ended in this very instant.
                Ok(Waited::Held(held)) => (Some(held), last.news(&seen)?),
                Err(StoreError::Busy { .. }) => return Err(Error::OtherLogin),
                Err(why) => return Err(why.into()),
            };
            if let Some(ended) = news {
                match shared.outcome(&ended)? {
                    Some(signed_in) => {
                        self.hear(&Event::Done);
                        return Ok(signed_in);
                    }
                    None => {
                        seen = Some(ended);
                        continue;
                    }
                }
            }
            let result = self.login(request);
            if !matches!(result, Err(Error::Cancelled)) {
                // Where this cannot be written, the next caller asks the user again.
                let _ = last.write(result.as_ref().err().map(self.settings.describe));
            }
            drop(held);
            return result;
        }
    }
}

/// What another caller's login means for this one.
struct Shared<'a> {
    vault: &'a Vault<'a>,
    grant: &'a GrantId,
    scopes: Scopes,
}

impl Shared<'_> {
    /// `None` if it does not serve this one.
    fn outcome(&self, ended: &Ended) -> Result<Option<SignedIn>, Error> {
        match ended.error() {
            // The user or the provider would answer the same again; what was wrong with another's request is not ours.
            Some(error) => match error.code {
                Code::Denied | Code::Refused | Code::Store | Code::Timeout | Code::Unavailable => Err(error.into()),
                _ => Ok(None),
            },
            None => {
                let record = self.vault.read(&self.grant.key())?;
                let record = record.filter(|record| record.grant.asked.covers(&self.scopes));
                let store = self.vault.items.kind();
                Ok(record.map(|r| SignedIn::new(self.grant.clone(), store, &r.grant, Vec::new())))
            }
        }
    }
}

/// When a waiting caller hears that it waits.
struct Waits {
    deadline: Instant,
    /// Nobody is known to hold the lock before it was tried once.
    next: Option<Instant>,
}

impl Waits {
    /// The time left, if it is time to report it.
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

/// The content of that file.
#[derive(Deserialize, Serialize)]
struct Content {
    login: u64,
    error: Option<ReportedError>,
}

impl Last<'_> {
    fn read(&self) -> Result<Option<Ended>, StoreError> {
        Ok(self.files.read(&self.name)?.map(Ended))
    }

    /// What was not there when this caller came.
    fn news(&self, seen: &Option<Ended>) -> Result<Option<Ended>, Error> {
        Ok(self.read()?.filter(|ended| Some(ended) != seen.as_ref()))
    }

    fn write(&self, error: Option<ReportedError>) -> Result<(), Error> {
        let content = Content { login: u64::from_be_bytes(entropy::random()?), error };
        Ok(self.files.replace(&self.name, json!(content).to_string().as_bytes())?)
    }
}

impl Ended {
    fn error(&self) -> Option<ReportedError> {
        let content: Content = serde_json::from_slice(&self.0).ok()?;
        content.error
    }
}

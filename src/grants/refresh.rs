//! The caller's side of a refresh: take the lock, read again, and start the worker or wait for another caller's.

use std::{
    ffi::OsString,
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use super::{Error, Event, GrantId, Grants, LOCK, ReportedError, worker::Message};
use crate::{
    catalog::Integration,
    deadlines::{ASKER_WAITS, ASKER_WITH_A_VALID_TOKEN_WAITS, LOCK_WAITS},
    oauth::{Expiry, RemoteText},
    refresh::{LastRefresh, RefreshResult, Wish, WorkerMessage, Worth},
    system::{
        clock,
        detach::{self, Worker},
        lock::{self, Held, Waited},
    },
    vault::{GrantKey, Record, Sent, StoreError, Vault},
};

/// One caller with a stale token.
pub(super) struct Refresh<'a> {
    pub(super) grants: &'a Grants,
    pub(super) integration: &'a Integration,
    pub(super) grant: &'a GrantId,
    pub(super) key: &'a GrantKey,
    pub(super) vault: &'a Vault<'a>,
    pub(super) wish: &'a Wish,
}

impl Refresh<'_> {
    /// A grant whose token is fresh, after at most one request by anybody.
    pub(super) fn run(&self, stale: Record) -> Result<Record, Error> {
        if stale.grant.refresh_token.is_none() {
            if self.wish.worth(&stale.grant, clock::now()) == Worth::Rejected && stale.grant.expiry == Expiry::Unknown {
                self.note_rejection(&stale)?;
            }
            return self.serve_or(stale, |worth| Error::NoRefreshToken { grant: self.grant.clone(), worth });
        }
        let (start, deadline) = (clock::now(), clock::instant() + ASKER_WAITS);
        if let Some(error) = self.exceeds(&stale, start) {
            return Err(error);
        }
        let answer = || self.answer(&stale, start);
        let patience = self.patience(&stale).min(LOCK_WAITS);
        let held = match lock::hold_unless(&self.grants.files, &self.lock_name(), patience, answer) {
            Ok(Waited::Held(held)) => held,
            Ok(Waited::Answered(last)) => {
                self.hear_response(&last);
                let record = last.record(&stale, &self.vault.state_name(self.key));
                return self.outcome(record.map_or_else(|| self.read(), Ok)?, last.result);
            }
            Err(StoreError::Busy { holder }) => {
                return self.serve_or(stale, |_| Error::RefreshBusy { holder });
            }
            Err(why) => return Err(why.into()),
        };
        // Whoever had the lock before has changed what is stored.
        let record = self.read()?;
        match self.wish.worth(&record.grant, clock::now()) {
            Worth::Fresh => return Ok(record),
            // A strict provider ends this token too when a refresh token that is used up comes again.
            Worth::Short { .. } if self.wish.takes_short() && self.interrupted(&record)? => return Ok(record),
            _ => {}
        }
        if let Some(last) = self.answer(&record, start) {
            drop(held);
            self.hear_response(&last);
            return self.outcome(record, last.result);
        }
        self.work(held, record, start, deadline)
    }

    fn work(&self, held: Held, stale: Record, start: SystemTime, deadline: Instant) -> Result<Record, Error> {
        let left = deadline.saturating_duration_since(clock::instant()).min(self.patience(&stale));
        let message = match &self.grants.settings.worker {
            Worker::Program(path) => self.process(Some(path), held, left)?,
            Worker::Thread => self.grants.refresh_on_a_thread(self.grant, held, left),
            Worker::ThisProgram => self.process(None, held, left)?,
        };
        let Some(message) = message else {
            return self.serve_or(stale, |_| Error::RefreshSlow);
        };
        match message {
            Message::Failure(error) => self.serve_or(stale, |_| error),
            Message::Unstored(record) => {
                let sealed = matches!(self.vault.journal(self.key).sent(&stale), Ok(Sent::Answered { .. }));
                self.grants.hear(if sealed { &Event::Unstored } else { &Event::Lost });
                Ok(*record)
            }
            Message::Nothing => {
                let last = self.last().filter(|last| last.answers(start, clock::now()));
                // A logout that waited for the worker has deleted the record and the result of the refresh.
                let record = self.read()?;
                match last {
                    Some(last) => {
                        self.hear_response(&last);
                        self.outcome(record, last.result)
                    }
                    None => self.serve_or(record, |_| Error::WorkerEnded),
                }
            }
        }
    }

    /// The message of a loopin that refreshes as a process of its own; `None` if it took too long.
    fn process(&self, program: Option<&Path>, held: Held, patience: Duration) -> Result<Option<Message>, Error> {
        let line = detach::worker(program, self.arguments()?, held, patience).map_err(Error::WorkerNotStarted)?;
        // A loopin of another release, or one that was killed, may have stored a result all the same.
        let message = |line| WorkerMessage::parse(&line).unwrap_or(WorkerMessage::Nothing);
        Ok(line.map(|line| message(line).map_failure(|reported: ReportedError| reported.into())))
    }

    /// How long a refresh is waited for, whoever does it.
    fn patience(&self, record: &Record) -> Duration {
        match self.wish.worth(&record.grant, clock::now()) {
            Worth::Short { .. } if self.wish.takes_short() => ASKER_WITH_A_VALID_TOKEN_WAITS,
            _ => ASKER_WAITS,
        }
    }

    /// Whether a refresh token was sent and nobody knows what became of it.
    fn interrupted(&self, record: &Record) -> Result<bool, StoreError> {
        Ok(matches!(self.vault.journal(self.key).sent(record)?, Sent::Unanswered))
    }

    /// A token that nothing can replace is handed out to nobody after a server has rejected it.
    fn note_rejection(&self, record: &Record) -> Result<(), StoreError> {
        let message = "a server rejected the access token, and there is no refresh token".to_owned();
        let last = LastRefresh::new(RefreshResult::Dead { message }, record.generation, clock::now());
        self.vault.files.replace(&self.vault.state_name(self.key).file(LastRefresh::SUFFIX), &last.serialize())
    }

    fn hear_response(&self, last: &LastRefresh) {
        // A file beside the lock: whoever can write it can do worse, but a terminal need not believe it.
        let response = last.response().map(RemoteText::new);
        response.iter().for_each(|response| self.grants.hear(&Event::TokenResponse(response.as_str())));
    }

    /// What a refresh that has just ended means for this caller.
    fn outcome(&self, record: Record, result: RefreshResult) -> Result<Record, Error> {
        match result {
            RefreshResult::Renewed => match self.wish.worth(&record.grant, clock::now()) {
                // It came a moment ago, for those who waited for it: its life is the provider's affair.
                Worth::Expired { .. } => Ok(record),
                Worth::Rejected => Err(Error::NoBetterToken),
                Worth::Short { .. } if !self.wish.takes_short() => {
                    Err(self.exceeds(&record, clock::now()).unwrap_or(Error::ShortToken))
                }
                Worth::Fresh | Worth::Short { .. } => Ok(record),
            },
            RefreshResult::Ambiguous { message } => {
                self.serve_or(record, |_| Error::RefreshAmbiguous { grant: self.grant.clone(), message })
            }
            RefreshResult::Dead { message } => {
                self.serve_or(record, |_| Error::GrantEnded { grant: self.grant.clone(), message })
            }
            RefreshResult::Misconfigured { message } => self.serve_or(record, |_| Error::Misconfigured { message }),
            RefreshResult::Refused { message } => self.serve_or(record, |_| Error::RefreshRefused { message }),
            RefreshResult::Transient { message } => self.serve_or(record, |_| Error::RefreshUnavailable { message }),
            RefreshResult::Unstored { message } => self.serve_or(record, |_| Error::RefreshUnstored { message }),
        }
    }

    /// A token that is still valid is worth more than a failure, unless a caller was refused with it.
    fn serve_or(&self, record: Record, error: impl FnOnce(Worth) -> Error) -> Result<Record, Error> {
        match self.wish.worth(&record.grant, clock::now()) {
            Worth::Fresh => Ok(record),
            Worth::Short { .. } if self.wish.takes_short() => Ok(record),
            worth => Err(error(worth)),
        }
    }

    /// A wish that no token of this provider fulfils is not worth a request.
    fn exceeds(&self, record: &Record, now: SystemTime) -> Option<Error> {
        let life = self.wish.exceeds(&record.grant, now)?;
        Some(Error::ShortTokens { integration: self.integration.name.clone(), life })
    }

    fn read(&self) -> Result<Record, Error> {
        self.vault.read(self.key)?.ok_or_else(|| Error::LoggedOut(self.grant.clone()))
    }

    /// A refresh that has ended meanwhile, or that would only be repeated.
    fn answer(&self, record: &Record, start: SystemTime) -> Option<LastRefresh> {
        self.last().filter(|last| last.spares_a_request(record, start, clock::now()))
    }

    fn last(&self) -> Option<LastRefresh> {
        last(self.vault, self.key)
    }

    fn lock_name(&self) -> String {
        self.vault.state_name(self.key).file(LOCK)
    }

    /// Names only: nothing secret is ever an argument.
    fn arguments(&self) -> Result<Vec<OsString>, Error> {
        let settings = &self.grants.settings;
        let mut arguments: Vec<OsString> =
            vec!["--store".into(), settings.store_kind(self.integration).as_str().into()];
        arguments.extend(["--config".into(), settings.config_path()?.into_os_string()]);
        arguments.extend(["refresh-worker".into(), self.grant.integration.as_str().into()]);
        arguments.extend(["--account".into(), self.grant.account.as_str().into()]);
        if let Some(action) = self.grant.action.name() {
            arguments.extend(["--action".into(), action.as_str().into()]);
        }
        Ok(arguments)
    }
}

/// How the last refresh of a grant ended, if there was one.
pub(super) fn last(vault: &Vault<'_>, key: &GrantKey) -> Option<LastRefresh> {
    let content = vault.files.read(&vault.state_name(key).file(LastRefresh::SUFFIX)).ok()??;
    LastRefresh::parse(&content)
}

//! An asker's side of a refresh: take the lock, read again, and start the worker or wait for somebody else's.

use std::{
    ffi::OsString,
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use super::{
    context::{Context, login_command},
    refresh_worker::{self, Message},
};
use crate::{
    catalog::Integration,
    deadlines::{ASKER_WAITS, ASKER_WITH_A_VALID_TOKEN_WAITS, LOCK_WAITS},
    oauth::Expiry,
    refresh::{LastRefresh, RefreshResult, Wish, Worth},
    report::{Code, Event, Failure},
    system::{
        clock,
        detach::{self, Worker},
        lock::{self, Held, Waited},
        private_files::PrivateFiles,
    },
    vault::{GrantKey, Record, Sent, StateFiles, StoreError, Vault},
};

pub struct Renewal<'a> {
    pub context: &'a Context,
    pub integration: &'a Integration,
    pub key: &'a GrantKey,
    pub files: &'a PrivateFiles,
    pub vault: &'a Vault<'a>,
    pub wish: &'a Wish,
}

impl Renewal<'_> {
    /// A grant whose token is fresh, after at most one request by anybody.
    pub fn run(&self, stale: Record) -> Result<Record, Failure> {
        if stale.grant.refresh_token.is_none() {
            if self.wish.worth(&stale.grant, clock::now()) == Worth::Rejected && stale.grant.expiry == Expiry::Unknown {
                self.note_rejection(&stale)?;
            }
            return self.serve_or(stale, |worth| self.login(format!("{worth}, and there is no refresh token")));
        }
        let (start, deadline) = (clock::now(), clock::instant() + ASKER_WAITS);
        if let Some(failure) = self.exceeds(&stale, start) {
            return Err(failure);
        }
        let answer = || self.answer(&stale, start);
        let patience = self.patience(&stale).min(LOCK_WAITS);
        let held = match lock::hold_unless(self.files, &self.lock_name(), patience, answer) {
            Ok(Waited::Held(held)) => held,
            Ok(Waited::Answered(last)) => {
                let record = last.record(&stale, &self.vault.state_name(self.key));
                return self.outcome(record.map_or_else(|| self.read(), Ok)?, last.result);
            }
            Err(StoreError::Busy { holder }) => {
                let who = holder.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
                let what = format!("another loopin{who} is refreshing this grant and has not come to an end");
                return self.serve_or(stale, |_| Failure::new(Code::Unavailable, what).remedy("try again in a moment"));
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
            return self.outcome(record, last.result);
        }
        self.work(held, record, start, deadline)
    }

    fn work(&self, held: Held, stale: Record, start: SystemTime, deadline: Instant) -> Result<Record, Failure> {
        let left = deadline.saturating_duration_since(clock::instant()).min(self.patience(&stale));
        let message = match self.context.worker() {
            Worker::Program(path) => self.process(Some(path), held, left)?,
            Worker::Thread => refresh_worker::on_a_thread(self.context, self.integration, self.key, held, left),
            Worker::ThisProgram => self.process(None, held, left)?,
        };
        let Some(message) = message else {
            let slow = Failure::new(Code::Unavailable, "the refresh has not come to an end; it goes on by itself");
            return self.serve_or(stale, |_| slow.remedy("try again in a moment"));
        };
        match message {
            Message::Failure(failure) => self.serve_or(stale, |_| failure),
            Message::Unstored(record) => {
                let sealed = matches!(self.vault.journal(self.key).sent(&stale), Ok(Sent::Answered { .. }));
                self.context.talk.say(if sealed { &Event::Unstored } else { &Event::Lost });
                Ok(*record)
            }
            Message::Nothing => {
                let last = self.last().filter(|last| last.answers(start, clock::now()));
                let record = self.vault.read(self.key)?.unwrap_or(stale);
                match last {
                    Some(last) => self.outcome(record, last.result),
                    None => {
                        let broken = Failure::new(Code::Internal, "the refresh worker ended without a result");
                        self.serve_or(record, |_| broken.remedy("try again"))
                    }
                }
            }
        }
    }

    /// The message of a loopin that refreshes as a process of its own; `None` if it took too long.
    fn process(&self, program: Option<&Path>, held: Held, patience: Duration) -> Result<Option<Message>, Failure> {
        let line = detach::worker(program, self.arguments(), held, patience)
            .map_err(|e| Failure::new(Code::Internal, format!("the refresh cannot be started: {}", e.kind())))?;
        // A loopin of another release, or one that was killed, may have stored a result all the same.
        Ok(line.map(|line| Message::parse(&line).unwrap_or(Message::Nothing)))
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
        self.files.replace(&self.vault.state_name(self.key).file(LastRefresh::SUFFIX), &last.serialize())
    }

    /// What a refresh that has just ended means for this asker.
    fn outcome(&self, record: Record, result: RefreshResult) -> Result<Record, Failure> {
        match result {
            RefreshResult::Renewed => match self.wish.worth(&record.grant, clock::now()) {
                // It came a moment ago, for those who waited for it: its life is the provider's affair.
                Worth::Expired { .. } => Ok(record),
                Worth::Rejected => {
                    Err(Failure::new(Code::Unavailable, "the provider's new token is no better than the old one"))
                }
                Worth::Short { .. } if !self.wish.takes_short() => {
                    let short =
                        Failure::new(Code::Unavailable, "the provider's new token does not live for long enough");
                    Err(self.exceeds(&record, clock::now()).unwrap_or(short))
                }
                Worth::Fresh | Worth::Short { .. } => Ok(record),
            },
            RefreshResult::Ambiguous { message } => self.serve_or(record, |_| {
                let login = login_command(self.key);
                Failure::new(Code::Configuration, message)
                    .remedy(format!("check the integration; the grant is kept; if nothing is wrong there: {login}"))
            }),
            RefreshResult::Dead { message } => self.serve_or(record, |_| self.login(message)),
            RefreshResult::Misconfigured { message } => self.serve_or(record, |_| {
                Failure::new(Code::Configuration, message).remedy("check the integration; the grant is kept")
            }),
            RefreshResult::Refused { message } => self.serve_or(record, |_| Failure::new(Code::Refused, message)),
            RefreshResult::Transient { message } => self.serve_or(record, |_| {
                Failure::new(Code::Unavailable, format!("{message}; the grant is kept")).remedy("try again later")
            }),
            RefreshResult::Unstored { message } => self.serve_or(record, |_| {
                Failure::new(
                    Code::Store,
                    format!("{message}; the renewed grant is kept sealed until the store takes it"),
                )
                .remedy("repair the store, then run it again")
            }),
        }
    }

    /// A token that is still valid is worth more than a failure, unless a caller was refused with it.
    fn serve_or(&self, record: Record, failure: impl FnOnce(Worth) -> Failure) -> Result<Record, Failure> {
        match self.wish.worth(&record.grant, clock::now()) {
            Worth::Fresh => Ok(record),
            Worth::Short { .. } if self.wish.takes_short() => Ok(record),
            worth => Err(failure(worth)),
        }
    }

    /// A wish that no token of this provider fulfils is not worth a request.
    fn exceeds(&self, record: &Record, now: SystemTime) -> Option<Failure> {
        let life = self.wish.exceeds(&record.grant, now)?;
        let what = format!("tokens of {} live for {} s only", self.integration.name, life.as_secs());
        Some(Failure::new(Code::Usage, what).remedy(format!("ask for --min-ttl of less than {}s", life.as_secs())))
    }

    fn login(&self, what: String) -> Failure {
        Failure::new(Code::LoginRequired, what).remedy(login_command(self.key))
    }

    fn read(&self) -> Result<Record, Failure> {
        self.vault.read(self.key)?.ok_or_else(|| self.login("somebody has logged out".into()))
    }

    /// A refresh that has ended meanwhile, or that would only be repeated.
    fn answer(&self, record: &Record, start: SystemTime) -> Option<LastRefresh> {
        self.last().filter(|last| last.spares_a_request(record, start, clock::now()))
    }

    fn last(&self) -> Option<LastRefresh> {
        last(self.files, self.vault, self.key)
    }

    fn lock_name(&self) -> String {
        self.vault.state_name(self.key).file(".lock")
    }

    /// Names only: nothing secret is ever an argument.
    fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> =
            vec!["--store".into(), self.context.store_kind(self.integration).as_str().into()];
        if let Ok(config) = self.context.config_path() {
            arguments.extend(["--config".into(), config.into_os_string()]);
        }
        arguments.extend(["refresh-worker".into(), self.integration.name.as_str().into()]);
        arguments.extend(["--account".into(), self.key.owner.user.as_str().into()]);
        if let Some(action) = self.key.action.name() {
            arguments.extend(["--action".into(), action.as_str().into()]);
        }
        arguments
    }
}

/// How the last refresh of a grant went, if there was one.
pub fn last(files: &PrivateFiles, vault: &Vault<'_>, key: &GrantKey) -> Option<LastRefresh> {
    let content = files.read(&vault.state_name(key).file(LastRefresh::SUFFIX)).ok()??;
    LastRefresh::parse(&content)
}

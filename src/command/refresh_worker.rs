//! `loopin refresh-worker`: the one process that refreshes a grant. Its standard input is the locked file, so the lock
//! lives exactly as long as this process; it has a process session of its own, so that whoever asked may die.
#![deny(clippy::let_underscore_must_use)]

use std::{
    sync::{Arc, mpsc},
    thread,
    time::{Duration, SystemTime},
};

use super::{
    context::{Context, grant_key},
    journalled::{Journalled, Replayed, reached},
};
use crate::{
    catalog::Integration,
    cli,
    oauth::{self, Client, ExchangeError, HttpClient, Verdict},
    refresh::{self, LastRefresh, Reached, RefreshResult, Wish, Worth, same_refresh_token},
    report::{self, Failure, Outcome},
    secret::Secret,
    system::{clock, detach, entropy, http::Http, lock::Held, pause, private_files::PrivateFiles},
    vault::{GrantKey, Journal, Record, Sent, StateFiles, StoreError, Vault, seal::Nonce},
};

/// How long a store that is away is tried again before the reply is left to the next run.
const STORE_PATIENCE: Duration = Duration::from_secs(3);

pub fn run(context: &Context, args: &cli::RefreshWorker) -> Result<Outcome, Failure> {
    detach::own_session();
    let integration = context.integration(Some(&args.integration))?;
    let key = grant_key(&integration.name, &args.grant)?;
    let files = context.files()?;
    let items = context.items(&integration, &files);
    let vault = Vault { items: items.as_ref(), files: &files };
    let _held = detach::lock_of_worker(&files, &vault.state_name(&key).file(".lock"))?;
    refresh(context, &integration, &key, &files, &vault)
}

/// The same inside a program that links the crate, which knows no `refresh-worker`: gives what the command would print,
/// or `None` if it took too long. It runs on in either case, as long as that program does.
pub fn on_a_thread(
    context: &Context,
    integration: &Integration,
    key: &GrantKey,
    held: Held,
    patience: Duration,
) -> Option<Vec<u8>> {
    let (context, integration, key) = (context.heard_by(Arc::new(|_| ())), integration.clone(), key.clone());
    let (send, printed) = mpsc::channel();
    thread::spawn(move || {
        let run = || -> Result<Outcome, Failure> {
            let files = context.files()?;
            let items = context.items(&integration, &files);
            let vault = Vault { items: items.as_ref(), files: &files };
            refresh(&context, &integration, &key, &files, &vault)
        };
        let printed = report::json(&run(), clock::now());
        drop(held);
        send.send(printed.into_bytes())
    });
    printed.recv_timeout(patience).ok()
}

/// For whoever holds the grant's lock.
fn refresh(
    context: &Context,
    integration: &Integration,
    key: &GrantKey,
    files: &PrivateFiles,
    vault: &Vault<'_>,
) -> Result<Outcome, Failure> {
    let Some(record) = vault.read(key)? else { return Ok(Outcome::Refreshed(None)) };
    let client = context.client(integration, vault)?;
    let replayed = matches!(vault.journal(key).sent(&record)?, Sent::Answered { .. });
    let refresh = |record: &Record| Refresh { vault, key, client: &client, record }.run();
    let (mut result, mut unstored) = refresh(&record)?;
    let mut sent = record;
    match (stored(vault, key), &result) {
        // A reply that lay for longer than its token lives brought a new refresh token all the same.
        (Some(late), RefreshResult::Renewed) if replayed && late.grant.expiry.time() <= clock::now() => {
            (result, unstored) = refresh(&late)?;
            sent = late;
        }
        // Somebody who does not know this lock (another machine, an older program) was first: their tokens count.
        (Some(theirs), RefreshResult::Dead { .. }) if !same_refresh_token(&theirs.grant, &sent.grant) => {
            (result, unstored) = match Wish::USUAL.worth(&theirs.grant, clock::now()) {
                Worth::Fresh => (RefreshResult::Renewed, None),
                _ => refresh(&theirs)?,
            };
            sent = theirs;
        }
        _ => {}
    }
    let place = vault.state_name(key);
    // A failure is one of the grant that was sent, whatever is stored now.
    let last = match (&result, stored(vault, key), entropy::random()) {
        (RefreshResult::Renewed, Some(record), Ok(nonce)) => {
            LastRefresh::renewed(&record, &place, clock::now(), Nonce(nonce))
        }
        _ => LastRefresh::new(result, sent.generation, clock::now()),
    };
    #[expect(
        clippy::let_underscore_must_use,
        reason = "waiting callers read this file; without it they send one more request at most"
    )]
    let _ = files.replace(&place.file(LastRefresh::SUFFIX), &last.serialize());
    Ok(Outcome::Refreshed(unstored))
}

/// `None` also if the store cannot be asked any more: what was brought must not be lost over that.
fn stored(vault: &Vault<'_>, key: &GrantKey) -> Option<Record> {
    vault.read(key).ok().flatten()
}

struct Refresh<'a> {
    vault: &'a Vault<'a>,
    key: &'a GrantKey,
    client: &'a Client,
    record: &'a Record,
}

impl Refresh<'_> {
    /// The result, and the tokens if they could not be stored.
    fn run(&self) -> Result<(RefreshResult, Option<Box<Record>>), Failure> {
        let journal = self.vault.journal(self.key);
        let Some(refresh_token) = &self.record.grant.refresh_token else {
            return Ok((RefreshResult::Dead { message: "there is no refresh token".into() }, None));
        };
        // A reply that an earlier run put away and could not store: nothing is sent again.
        let before = journal.sent(self.record)?;
        let interrupted = matches!(before, Sent::Unanswered);
        let (tokens, came) = match before {
            Sent::Answered { reply, came } => (self.refresh(refresh_token, &Replayed(reply), came), came),
            Sent::Unanswered | Sent::No => {
                journal.intend(self.record)?;
                let http = Http::default();
                let http = Journalled { journal: &journal, record: self.record, http: &http };
                (self.refresh(refresh_token, &http, clock::now()), clock::now())
            }
        };
        match tokens.map(|tokens| refresh::renewed(self.record, tokens, came)) {
            Ok(Ok(record)) => Ok(self.keep(&journal, record)),
            Ok(Err(other)) => {
                journal.clear()?;
                Ok((RefreshResult::Refused { message: other.to_string() }, None))
            }
            Err(error) => {
                let verdict = error.verdict();
                match verdict == Verdict::Transient && reached(&error) == Reached::Maybe {
                    true => journal.forget_reply()?,
                    // Nothing was used up, or it never will be worth anything again.
                    false => journal.clear()?,
                }
                let message = match (verdict, interrupted) {
                    (Verdict::Dead, true) => {
                        "the last renewal was interrupted and the provider no longer accepts the old key".into()
                    }
                    (Verdict::Dead, false) => {
                        "the provider no longer accepts the stored refresh token (invalid_grant)".into()
                    }
                    _ => error.to_string(),
                };
                Ok((RefreshResult::failed(verdict, message), None))
            }
        }
    }

    fn refresh(
        &self,
        refresh_token: &Secret,
        http: &dyn HttpClient,
        now: SystemTime,
    ) -> Result<oauth::TokenSet, ExchangeError> {
        let pinned = &self.record.pinned;
        let (endpoint, issuer) = (&pinned.token_endpoint, pinned.issuer.as_ref());
        let original = self.record.grant.id_token.as_ref();
        oauth::refresh(endpoint, self.client, refresh_token, issuer, original, http, now)
    }

    fn keep(&self, journal: &Journal<'_>, record: Record) -> (RefreshResult, Option<Box<Record>>) {
        let deadline = clock::instant() + STORE_PATIENCE;
        loop {
            let nonce = entropy::random().map(Nonce).map_err(StoreError::from);
            match nonce.and_then(|nonce| self.vault.write(self.key, &record, nonce)) {
                Ok(()) => {
                    #[expect(
                        clippy::let_underscore_must_use,
                        reason = "a journal that stays can only be opened with the older record, which is gone"
                    )]
                    let _ = journal.clear();
                    return (RefreshResult::Renewed, None);
                }
                Err(_) if clock::instant() < deadline => pause::briefly(),
                Err(why) => return (RefreshResult::Unstored { message: why.to_string() }, Some(Box::new(record))),
            }
        }
    }
}

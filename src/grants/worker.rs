//! The refresh worker: the one process that refreshes a grant, or one thread of a program that links the crate. The worker
//! process has the locked file as its standard input, so the lock lives exactly as long as the process.
#![deny(clippy::let_underscore_must_use)]

use std::{
    slice,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use super::{Error, GrantId, Grants, LOCK, Settings};
use crate::{
    catalog::Integration,
    deadlines::STORE_RETRIES,
    oauth::{Client, HttpClient, Observed},
    refresh::{
        Attempt, Failed, LastRefresh, RefreshResult, Refreshed, Source, Wish, WorkerMessage, Worth, same_refresh_token,
    },
    system::{clock, detach, entropy, http::Http, journal::Journalled, lock::Held, pause},
    vault::{GrantKey, Journal, Record, StoreError, Vault, seal::Nonce},
};

/// What a worker reports to the caller that started it.
pub type Message = WorkerMessage<Error>;

impl Grants {
    /// The worker's part, in a process of its own that was started with the locked file as its standard input.
    ///
    /// # Errors
    /// Nothing was sent.
    pub fn refresh_as_worker(&self, grant: &GrantId) -> Result<Message, Error> {
        let items = self.items(self.of(grant)?);
        let lock = self.vault(items.as_ref()).state_name(&grant.key()).file(LOCK);
        let _held = detach::lock_of_worker(&self.files, &lock)?;
        self.refresh_locked(grant)
    }

    /// The worker's part on a thread, for a program that has no `refresh-worker` command. `None` if it took too long. The
    /// thread goes on in either case, as long as the program does.
    pub(super) fn refresh_on_a_thread(&self, grant: &GrantId, held: Held, patience: Duration) -> Option<Message> {
        let settings = Settings { hear: Arc::new(|_| ()), ..self.settings.clone() };
        let (catalog, grant) = (self.catalog.clone(), grant.clone());
        let (send, message) = mpsc::channel();
        thread::spawn(move || {
            let run = || {
                let files = settings.files()?;
                Self { settings, catalog, files }.refresh_locked(&grant)
            };
            let ended = run().unwrap_or_else(Message::Failure);
            drop(held);
            send.send(ended)
        });
        message.recv_timeout(patience).ok()
    }

    /// For the holder of the grant's lock.
    fn refresh_locked(&self, grant: &GrantId) -> Result<Message, Error> {
        let integration = self.of(grant)?;
        let items = self.items(integration);
        let vault = self.vault(items.as_ref());
        let key = grant.key();
        let Some(record) = vault.read(&key)? else { return Ok(Message::Nothing) };
        let pinned = record.pinned.authentication_method;
        let client = self.client(integration, &vault)?.authenticated_by(integration.authentication_pinned(pinned));
        let sender = Sender { client: &client, integration };
        refresh(&vault, &key, sender, record)
    }
}

/// Who sends a refresh, and to whom.
#[derive(Clone, Copy)]
struct Sender<'a> {
    client: &'a Client,
    integration: &'a Integration,
}

/// # Errors
/// The journal cannot be read or written, so nothing was sent.
fn refresh(vault: &Vault<'_>, key: &GrantKey, sender: Sender<'_>, record: Record) -> Result<Message, Error> {
    let refresh = |record: &Record| Refresh { vault, key, sender, record }.run();
    let mut ended = refresh(&record)?;
    match (stored(vault, key), &ended) {
        // A response that waited in the journal for longer than its token lives brought a new refresh token all the same.
        (Some(late), Ended { result: RefreshResult::Renewed, source: Source::Journal, .. })
            if late.grant.expiry.is_past(clock::now()) =>
        {
            ended = refresh(&late)?;
        }
        // A program that does not know this lock (on another machine, or an older one) was first: its tokens count.
        (Some(theirs), Ended { result: RefreshResult::Dead { .. }, .. })
            if !same_refresh_token(&theirs.grant, &record.grant) =>
        {
            ended = match Wish::USUAL.worth(&theirs.grant, clock::now()) {
                Worth::Fresh => Ended::of(RefreshResult::Renewed, theirs.generation),
                _ => refresh(&theirs)?,
            };
        }
        _ => {}
    }
    let Ended { result, unstored, generation, response, .. } = ended;
    let place = vault.state_name(key);
    // Without it the count of refusals begins again.
    let before = vault.files.read(&place.file(LastRefresh::SUFFIX)).ok().flatten();
    let before = before.and_then(|content| LastRefresh::parse(&content));
    // A failure is one of the grant that was sent, whatever is stored now.
    let last = match (&result, stored(vault, key), entropy::random()) {
        (RefreshResult::Renewed, Some(record), Ok(nonce)) => {
            LastRefresh::renewed(&record, &place, clock::now(), Nonce(nonce))
        }
        _ => LastRefresh::new(result, generation, clock::now()).after(before.as_ref()),
    };
    let last = last.with_response(response);
    #[expect(
        clippy::let_underscore_must_use,
        reason = "waiting callers read this file; without it they send one more request at most"
    )]
    let _ = vault.files.replace(&place.file(LastRefresh::SUFFIX), &last.serialize());
    Ok(unstored.map_or(Message::Nothing, Message::Unstored))
}

/// `None` also if the store cannot be asked any more: what was brought must not be lost over that.
fn stored(vault: &Vault<'_>, key: &GrantKey) -> Option<Record> {
    vault.read(key).ok().flatten()
}

struct Refresh<'a> {
    vault: &'a Vault<'a>,
    key: &'a GrantKey,
    sender: Sender<'a>,
    record: &'a Record,
}

/// A refresh that has ended.
struct Ended {
    result: RefreshResult,
    source: Source,
    /// The new record, if the store did not accept it.
    unstored: Option<Box<Record>>,
    /// Of the record that is stored now, as far as its result is about that.
    generation: u64,
    /// What is unusual about the response.
    response: Option<String>,
}

impl Ended {
    fn of(result: RefreshResult, generation: u64) -> Self {
        Self { result, source: Source::Provider, unstored: None, generation, response: None }
    }
}

impl Refresh<'_> {
    /// # Errors
    /// The journal cannot be read or written, so nothing was sent.
    fn run(&self) -> Result<Ended, StoreError> {
        let http = Http::at(self.sender.integration);
        let http = Observed::new(&http, self.sender.client.dialect.clone(), clock::now());
        let ended = self.attempt(&http)?;
        Ok(Ended { response: http.news(), ..ended })
    }

    fn attempt(&self, http: &dyn HttpClient) -> Result<Ended, StoreError> {
        let journal = self.vault.journal(self.key);
        let seal_keys = slice::from_ref(&self.record.seal_key);
        let attempt = Attempt { journal: &journal, record: self.record, seal_keys, client: self.sender.client };
        let http = Journalled { journal: &journal, record: self.record, http };
        match attempt.run(&http, &clock::now) {
            Ok(Refreshed { record, source }) => {
                let (result, unstored) = self.keep(&journal, record);
                Ok(Ended { source, unstored, ..Ended::of(result, self.record.generation) })
            }
            Err(Failed::Journal(why)) => Err(why),
            // Only the new refresh token is worth keeping; the failure is reported all the same. If the store does not
            // accept it, the journal keeps the response.
            Err(Failed::HalfRefreshed { error, record }) => {
                let result = RefreshResult::failed(&Failed::HalfRefreshed { error, record: record.clone() });
                Ok(match self.keep(&journal, *record) {
                    (RefreshResult::Renewed, _) => {
                        let now_stored = stored(self.vault, self.key);
                        let generation = now_stored.map_or(self.record.generation, |record| record.generation);
                        Ended::of(result, generation)
                    }
                    (unstored, _) => Ended::of(unstored, self.record.generation),
                })
            }
            Err(failed) => Ok(Ended::of(RefreshResult::failed(&failed), self.record.generation)),
        }
    }

    fn keep(&self, journal: &Journal<'_>, record: Record) -> (RefreshResult, Option<Box<Record>>) {
        let deadline = clock::instant() + STORE_RETRIES;
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

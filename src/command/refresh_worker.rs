//! `loopin refresh-worker`: the one process that refreshes a grant. Its standard input is the locked file, so the lock
//! lives exactly as long as this process; it has a process session of its own, so that whoever asked may die.

use std::{
    sync::{Arc, mpsc},
    thread,
    time::{Duration, SystemTime},
};

use super::context::{Context, grant_key};
use crate::{
    catalog::Integration,
    cli,
    oauth::{self, Client, ExchangeError, HttpClient, HttpError, HttpRequest, HttpResponse, Verdict},
    refresh::{self, LastRefresh, Reached, RefreshResult, pause_before_retry},
    report::{self, Failure, Outcome},
    secret::Secret,
    system::{clock, detach, entropy, http::Http, lock::Held, pause, private_files::PrivateFiles},
    vault::{GrantKey, Journal, Record, StateFiles, StoreError, Vault, seal::Nonce},
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
    let replayed = vault.journal(key).reply(&record)?.is_some();
    let (mut result, mut unstored) = Refresh { vault, key, client: &client, record: &record }.run()?;
    // A reply that lay for longer than its token lives brought a new refresh token all the same.
    if replayed && result == RefreshResult::Renewed {
        let late = vault.read(key)?.filter(|late| late.grant.expiry.time() <= clock::now());
        if let Some(record) = &late {
            (result, unstored) = Refresh { vault, key, client: &client, record }.run()?;
        }
    }
    let generation = vault.read(key)?.map_or(record.generation, |record| record.generation);
    let last = LastRefresh::new(result, generation, clock::now());
    // Who waits reads this; a full disk costs them one more request at most.
    let _ = files.replace(&vault.state_name(key).file(LastRefresh::SUFFIX), &last.serialize());
    Ok(Outcome::Refreshed(unstored))
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
        // A reply that an earlier run put away and could not store: nothing is sent again, and it is as old as it is.
        let (tokens, came, interrupted) = match journal.reply(self.record)? {
            Some((reply, came)) => (self.refresh(refresh_token, &Replayed(reply), came), came, false),
            None => {
                let interrupted = journal.intended(self.record)?.is_some();
                journal.intend(self.record)?;
                let http = Journalled { journal: &journal, record: self.record };
                (self.refresh(refresh_token, &http, clock::now()), clock::now(), interrupted)
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
                // Nothing was used up, or it never will be worth anything again.
                if verdict != Verdict::Transient || reached(&error) != Reached::Maybe {
                    journal.clear()?;
                }
                // A reply that was no answer must not be read again; that something was sent stays known.
                journal.forget_reply()?;
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
        oauth::refresh(&pinned.token_endpoint, self.client, refresh_token, pinned.issuer.as_ref(), http, now)
    }

    fn keep(&self, journal: &Journal<'_>, record: Record) -> (RefreshResult, Option<Box<Record>>) {
        let deadline = clock::instant() + STORE_PATIENCE;
        loop {
            let nonce = entropy::random().map(Nonce).map_err(|e| StoreError::Keychain(e.to_string()));
            match nonce.and_then(|nonce| self.vault.write(self.key, &record, nonce)) {
                Ok(()) => {
                    // What stays is for an older record, which nobody can open it with any more.
                    let _ = journal.clear();
                    return (RefreshResult::Renewed, None);
                }
                Err(_) if clock::instant() < deadline => pause::briefly(),
                Err(why) => return (RefreshResult::Unstored { message: why.to_string() }, Some(Box::new(record))),
            }
        }
    }
}

/// Sends, and puts every reply away before it is understood. Repeats what certainly had no effect.
struct Journalled<'a> {
    journal: &'a Journal<'a>,
    record: &'a Record,
}

impl HttpClient for Journalled<'_> {
    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut tried = 0;
        loop {
            tried += 1;
            let result = Http.send(request.clone());
            let reached = match &result {
                Ok(reply) if [429, 503].contains(&reply.status().as_u16()) => {
                    Reached::TurnedAway { retry_after: retry_after(reply) }
                }
                Ok(reply) => {
                    let nonce = entropy::random().map(Nonce).map_err(|e| HttpError::Broken(e.to_string()))?;
                    // Where it cannot be put away it can still be stored.
                    let _ = self.journal.put(self.record, reply, clock::now(), nonce);
                    return result;
                }
                Err(HttpError::Connect(_) | HttpError::Tls(_)) => Reached::Nobody,
                Err(_) => Reached::Maybe,
            };
            match pause_before_retry(tried, reached, pause::jitter()) {
                Some(pause) => pause::hold(pause),
                None => return result,
            }
        }
    }
}

/// Gives the reply that was put away.
struct Replayed(HttpResponse);

impl HttpClient for Replayed {
    fn send(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
        Ok(self.0.clone())
    }
}

fn reached(error: &ExchangeError) -> Reached {
    match error {
        ExchangeError::Unreachable(HttpError::Connect(_) | HttpError::Tls(_)) => Reached::Nobody,
        ExchangeError::NotOAuth(what) if [429, 503].contains(&what.status) => Reached::TurnedAway { retry_after: None },
        _ => Reached::Maybe,
    }
}

/// Seconds only; a date would need a clock that agrees with the provider's.
fn retry_after(reply: &HttpResponse) -> Option<Duration> {
    reply.headers().get("retry-after")?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

//! One refresh of one connection, for whoever holds its lease: a reply that lies in the journal counts as come, else one
//! request is sent. Blocks.
#![deny(clippy::let_underscore_must_use)]

use std::time::{Duration, SystemTime};

use crate::{
    command::journalled::{Journalled, Replayed, reached},
    oauth::{self, Client, ExchangeError, HttpClient},
    refresh::{self, OtherSubject, Reached},
    secret::{SealKey, Secret},
    system::{clock, http::Http},
    vault::{GrantKey, Journal, Record, Sent, StateFiles, StoreError},
};

/// All requests of one attempt together; a lease lasts longer.
pub const HTTP: Duration = Duration::from_secs(20);

/// What an attempt needs.
pub struct Attempt<'a> {
    pub files: &'a dyn StateFiles,
    /// Names the journal; bound to the connection, so that a later one of the same user never reads it.
    pub connection: &'a str,
    pub key: &'a GrantKey,
    pub record: &'a Record,
    /// That may have sealed a journal of an earlier run.
    pub keys: Vec<SealKey>,
    pub client: &'a Client,
    pub http: &'a dyn HttpClient,
}

/// Why there are no new tokens.
#[derive(Debug)]
pub enum Failed {
    Exchange(ExchangeError, Reached),
    /// Nothing was sent: what was to be known after a crash could not be written.
    Journal(StoreError),
    NoRefreshToken,
    OtherSubject(OtherSubject),
}

impl Attempt<'_> {
    pub fn run(&self) -> Result<Record, Failed> {
        let Some(refresh_token) = &self.record.grant.refresh_token else { return Err(Failed::NoRefreshToken) };
        let journal = self.journal();
        match self.answered(&journal).map_err(Failed::Journal)? {
            Some((reply, came)) => self.renewed(self.refresh(refresh_token, &Replayed(reply), came), came),
            None => {
                journal.intend(self.record).map_err(Failed::Journal)?;
                let http = Journalled { journal: &journal, record: self.record, http: self.http };
                self.renewed(self.refresh(refresh_token, &http, clock::now()), clock::now())
            }
        }
    }

    /// What came and was not stored, if the journal has it. Nothing is sent.
    pub fn unstored(&self) -> Option<Record> {
        let refresh_token = self.record.grant.refresh_token.as_ref()?;
        let (reply, came) = self.answered(&self.journal()).ok()??;
        self.renewed(self.refresh(refresh_token, &Replayed(reply), came), came).ok()
    }

    /// The refresh is over, and what it brought is stored or worthless. What stays is for this generation only.
    pub fn clear(&self) {
        #[expect(clippy::let_underscore_must_use, reason = "a journal that stays opens for this generation only")]
        let _ = self.journal().clear();
    }

    /// The reply, if there was one, is worth nothing.
    pub fn forget_reply(&self) {
        #[expect(
            clippy::let_underscore_must_use,
            reason = "the intent stays in any case, and the next refresh finds the same worthless response again"
        )]
        let _ = self.journal().forget_reply();
    }

    fn renewed(&self, tokens: Result<oauth::TokenSet, ExchangeError>, came: SystemTime) -> Result<Record, Failed> {
        match tokens.map(|tokens| refresh::renewed(self.record, tokens, came)) {
            Ok(Ok(record)) => Ok(record),
            Ok(Err(other)) => Err(Failed::OtherSubject(other)),
            Err(error) => {
                let reached = reached(&error);
                Err(Failed::Exchange(error, reached))
            }
        }
    }

    fn journal(&self) -> Journal<'_> {
        journal(self.files, self.key, self.connection)
    }

    fn answered(&self, journal: &Journal<'_>) -> Result<Option<(oauth::HttpResponse, SystemTime)>, StoreError> {
        for key in &self.keys {
            let record = Record { seal_key: key.clone(), ..self.record.clone() };
            if let Sent::Answered { reply, came } = journal.sent(&record)? {
                // Only tokens are worth keeping: a page or an error says nothing about what is sent now.
                return Ok(reply.status().is_success().then_some((reply, came)));
            }
        }
        Ok(None)
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
}

/// The journal of one connection.
pub fn journal<'a>(files: &'a dyn StateFiles, key: &GrantKey, connection: &str) -> Journal<'a> {
    Journal { files, name: key.state("serve", connection) }
}

/// The client of an ordinary provider, for one attempt.
pub fn http() -> Http {
    Http::within(HTTP)
}

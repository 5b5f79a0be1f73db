//! The one life of a refresh, for the command line's worker and for the service: refresh token, journal, request,
//! response, new record, and what stays in the journal. Clock and network are arguments; whoever runs an attempt holds
//! the grant's lock or lease.
#![deny(clippy::let_underscore_must_use)]

use std::time::SystemTime;

use super::{Judgement, Reached, same_refresh_token};
use crate::{
    oauth::{
        self, Client, ExchangeError, HttpClient, HttpError, HttpRequest, HttpResponse, Meaning, RefreshError,
        RefreshRequest, TokenSet,
    },
    secret::{SealKey, Secret},
    vault::{Grant, Journal, Record, Sent, StoreError},
};

/// One refresh of one grant.
pub struct Attempt<'a> {
    /// The journal of the grant.
    pub journal: &'a Journal<'a>,
    /// The stored grant.
    pub record: &'a Record,
    /// The keys that may have sealed a response in the journal: a service may have rotated its key since.
    pub seal_keys: &'a [SealKey],
    /// The client that the grant was made for.
    pub client: &'a Client,
}

/// A grant with new tokens.
#[derive(Debug)]
pub struct Refreshed {
    /// The record to store, with the generation of the old one.
    pub record: Record,
    /// Where its tokens come from.
    pub source: Source,
}

/// Where the response came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// An earlier run received it and could not store it.
    Journal,
    /// The provider answered the request of this attempt.
    Provider,
}

/// Why there are no new tokens.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The provider returned no tokens.
    #[error("{}", exchange_failed(.error, *.before))]
    Exchange {
        /// The reason.
        #[source]
        error: ExchangeError,
        /// What an earlier run did.
        before: Before,
    },
    /// The provider issued a new refresh token beside an access token that cannot be used. `record` holds it; without it
    /// the grant would be lost, since the provider may have used up the one that was sent.
    #[error("{error}")]
    HalfRefreshed {
        /// The reason.
        #[source]
        error: ExchangeError,
        /// The old grant with the new refresh token.
        record: Box<Record>,
    },
    /// Nothing was sent: the journal could not be read or written, so a crash could have lost the response.
    #[error("{0}")]
    Journal(#[source] StoreError),
    /// The grant has no refresh token.
    #[error("there is no refresh token")]
    NoRefreshToken,
    /// The response is for another user.
    #[error("{0}")]
    OtherSubject(#[source] OtherSubject),
}

/// Whether an earlier run sent the same refresh token without a known result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// It was sent, and its response was not stored.
    Interrupted,
    /// It was not sent, or its response was stored.
    Nothing,
}

/// The reason of a failed exchange; the end of a grant in words of a refresh.
fn exchange_failed(error: &ExchangeError, before: Before) -> String {
    match (error, before) {
        (ExchangeError::Denied(response), Before::Interrupted) if response.meaning == Meaning::DeadGrant => format!(
            "the last refresh was interrupted, and the provider no longer accepts the refresh token ({response})"
        ),
        (ExchangeError::Denied(response), Before::Nothing) if response.meaning == Meaning::DeadGrant => {
            format!("the provider no longer accepts the stored refresh token ({response})")
        }
        (error, _) => error.to_string(),
    }
}

impl Attempt<'_> {
    /// Takes the response that an earlier run left in the journal, otherwise sends the refresh token once.
    ///
    /// `http` stores every response in the journal before it returns it (`system::journal`). After a success, and after
    /// [`Failed::HalfRefreshed`], the journal keeps the response: the caller clears it when the new record is stored.
    /// After another failure it keeps only that something was sent, and only while the provider may have used up the
    /// refresh token.
    ///
    /// # Errors
    /// No new tokens; [`Judgement::of`] gives what that means.
    pub fn run(&self, http: &dyn HttpClient, now: &dyn Fn() -> SystemTime) -> Result<Refreshed, Failed> {
        let refresh_token = self.record.grant.refresh_token.as_ref().ok_or(Failed::NoRefreshToken)?;
        let (before, answered) = match self.sent().map_err(Failed::Journal)? {
            Sent::Answered { reply, came } => (Before::Nothing, Some((reply, came))),
            Sent::No => (Before::Nothing, None),
            Sent::Unanswered => (Before::Interrupted, None),
        };
        let (result, source) = match answered {
            Some((response, came)) => (self.replayed(refresh_token, response, came, before), Source::Journal),
            None => {
                self.journal.intend(self.record).map_err(Failed::Journal)?;
                let tokens = self.exchange(refresh_token, http, now());
                (self.new_record(tokens, before), Source::Provider)
            }
        };
        match result {
            Ok(record) => Ok(Refreshed { record, source }),
            Err(failed @ Failed::HalfRefreshed { .. }) => Err(failed),
            Err(failed) => {
                self.close_journal(Judgement::of(&failed).reached, before);
                Err(failed)
            }
        }
    }

    /// The grant with the tokens that an earlier run received and could not store. Nothing is sent.
    pub fn unstored(&self) -> Option<Record> {
        let refresh_token = self.record.grant.refresh_token.as_ref()?;
        match self.sent().ok()? {
            Sent::Answered { reply, came } => match self.replayed(refresh_token, reply, came, Before::Nothing) {
                Ok(record) => Some(record),
                Err(Failed::HalfRefreshed { record, .. }) => Some(*record),
                Err(_) => None,
            },
            Sent::No | Sent::Unanswered => None,
        }
    }

    fn sent(&self) -> Result<Sent, StoreError> {
        self.journal.sent_with(self.record, self.seal_keys)
    }

    fn replayed(
        &self,
        refresh_token: &Secret,
        response: HttpResponse,
        came: SystemTime,
        before: Before,
    ) -> Result<Record, Failed> {
        self.new_record(self.exchange(refresh_token, &Replayed(response), came), before)
    }

    fn exchange(
        &self,
        refresh_token: &Secret,
        http: &dyn HttpClient,
        now: SystemTime,
    ) -> Result<TokenSet, RefreshError> {
        let Record { pinned, grant, .. } = self.record;
        let request = RefreshRequest {
            token_endpoint: match &self.client.dialect.refresh_endpoint {
                Some(other) => other,
                None => &pinned.token_endpoint,
            },
            client: self.client,
            refresh_token,
            issuer: pinned.issuer.as_ref(),
            original: grant.id_token.as_ref(),
        };
        oauth::refresh(request, http, now)
    }

    fn new_record(&self, tokens: Result<TokenSet, RefreshError>, before: Before) -> Result<Record, Failed> {
        let tokens = match tokens {
            Ok(tokens) => tokens,
            Err(RefreshError { error, rotated }) => {
                let record = rotated.map(|rotated| rotated_only(self.record, rotated));
                let is_new = |record: &Record| !same_refresh_token(&record.grant, &self.record.grant);
                return Err(match record.filter(is_new) {
                    Some(record) => Failed::HalfRefreshed { error, record: Box::new(record) },
                    None => Failed::Exchange { error, before },
                });
            }
        };
        record_with(self.record, tokens).map_err(Failed::OtherSubject)
    }

    /// A response that brought no tokens is never read again. That something was sent stays known while the provider may
    /// have used up the refresh token, in this run or in an interrupted one before it.
    fn close_journal(&self, reached: Reached, before: Before) {
        let unknown = match (reached, before) {
            (Reached::Maybe, _) => true,
            (Reached::Nobody | Reached::TurnedAway { .. }, before) => before == Before::Interrupted,
            (Reached::Provider, _) => false,
        };
        #[expect(
            clippy::let_underscore_must_use,
            reason = "what stays holds for this generation only: the next attempt reads the same response or sends again"
        )]
        let _ = match unknown {
            true => self.journal.forget_reply(),
            false => self.journal.clear(),
        };
    }
}

/// Gives a response of the journal instead of sending.
struct Replayed(HttpResponse);

impl HttpClient for Replayed {
    fn send(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
        Ok(self.0.clone())
    }
}

/// The response to a refresh is for another `sub` (OpenID Connect Core section 12.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the response to the refresh is for another user (sub); the old grant was kept")]
pub struct OtherSubject;

/// The record after a refresh. What the response leaves out stays (RFC 6749 section 6: refresh token and scope).
///
/// # Errors
/// The response is for another user.
fn record_with(record: &Record, tokens: TokenSet) -> Result<Record, OtherSubject> {
    let old = &record.grant;
    let subject = tokens.claims.as_ref().map(|claims| claims.sub.clone());
    if let (Some(before), Some(after)) = (&old.subject, &subject)
        && before != after
    {
        return Err(OtherSubject);
    }
    let refresh_token = tokens.refresh_token.clone().or_else(|| old.refresh_token.clone());
    let grant = Grant {
        asked: old.asked.clone(),
        granted: tokens.granted.unwrap_or_else(|| old.granted.clone()),
        access_token: tokens.access_token,
        token_type: tokens.token_type,
        expiry: tokens.expiry.beside(refresh_token.as_ref()),
        // The provider named no end for the new refresh token, and that of the old one does not hold for it.
        refreshable_until: tokens
            .refreshable_until
            .or_else(|| old.refreshable_until.filter(|_| tokens.refresh_token.is_none())),
        refresh_token,
        id_token: tokens.id_token.or_else(|| old.id_token.clone()),
        subject: subject.or_else(|| old.subject.clone()),
        metadata: old.metadata.clone().updated_by(tokens.metadata),
        obtained_at: tokens.obtained_at,
    };
    Ok(Record { grant, ..record.clone() })
}

/// The record with a new refresh token and everything else as it was.
fn rotated_only(record: &Record, refresh_token: Secret) -> Record {
    let grant = Grant { refresh_token: Some(refresh_token), refreshable_until: None, ..record.grant.clone() };
    Record { grant, ..record.clone() }
}

#[cfg(test)]
mod tests;

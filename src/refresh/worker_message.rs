//! What a refresh worker reports to its caller: the value itself from a thread, one line of JSON from a process.
//!
//! The line has a version, because the worker may be a loopin of another release. It can hold tokens, and goes through
//! the pipe between the two processes only.
#![deny(clippy::let_underscore_must_use)]

use std::borrow::Cow;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{secret::Secret, vault::Record};

/// Version of the line. A caller ignores every other one.
const VERSION: u64 = 1;

/// What a worker has to report, beside what it stored. `F` is a failure in the form that the caller shows.
#[derive(Clone, Debug)]
pub enum WorkerMessage<F> {
    /// The worker could not do its work, so it stored no result.
    Failure(F),
    /// The stored result says everything: the grant, and [`LastRefresh`](super::LastRefresh) beside it.
    Nothing,
    /// The provider issued new tokens, and the store did not accept them.
    Unstored(Box<Record>),
}

#[derive(Deserialize, Serialize)]
struct Line<'a, F> {
    v: u64,
    message: Message<'a, F>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Message<'a, F> {
    Failure(F),
    Nothing,
    /// A record as it is stored.
    Unstored(Cow<'a, str>),
}

impl<F> WorkerMessage<F> {
    /// The message as one line, without its end.
    pub fn line(&self) -> Secret
    where
        F: Serialize,
    {
        let record;
        let message = match self {
            Self::Failure(failure) => Message::Failure(failure),
            Self::Nothing => Message::Nothing,
            Self::Unstored(unstored) => {
                record = unstored.serialize();
                Message::Unstored(record.expose().into())
            }
        };
        Secret::json(&Line { v: VERSION, message })
    }

    /// The same message with its failure in another form.
    pub fn map_failure<G>(self, form: impl FnOnce(F) -> G) -> WorkerMessage<G> {
        match self {
            Self::Failure(failure) => WorkerMessage::Failure(form(failure)),
            Self::Nothing => WorkerMessage::Nothing,
            Self::Unstored(record) => WorkerMessage::Unstored(record),
        }
    }

    /// `None` for a line of another version, and for what is no such line or is cut off.
    pub fn parse(line: &Secret) -> Option<Self>
    where
        F: DeserializeOwned,
    {
        let Line { v: VERSION, message } = serde_json::from_str(line.expose()).ok()? else { return None };
        Some(match message {
            Message::Failure(failure) => Self::Failure(failure),
            Message::Nothing => Self::Nothing,
            Message::Unstored(record) => {
                let record = Record::parse(&Secret::new(record.into_owned())).ok()?;
                Self::Unstored(Box::new(record))
            }
        })
    }
}

#[cfg(test)]
mod tests;

//! The authorization response as it arrives in a query (RFC 6749 sections 4.1.2 and 4.1.2.1, RFC 9207 section 2).

use std::fmt;

use url::form_urlencoded;

use super::RemoteText;
use crate::secret::Secret;

/// Longest query that is read, in bytes. Sizes are undefined (RFC 6749 section 4.1.2); known codes stay under 16 KiB.
const LONGEST: usize = 64 * 1024;

const CODE: &str = "code";
const ERROR: &str = "error";
const ERROR_DESCRIPTION: &str = "error_description";
const ERROR_URI: &str = "error_uri";
const ISS: &str = "iss";
const STATE: &str = "state";
const NAMES: [&str; 6] = [CODE, ERROR, ERROR_DESCRIPTION, ERROR_URI, ISS, STATE];

/// Whether the name of a registered query parameter would hide one of the answer's.
pub fn reserved_in_answers(name: &str) -> bool {
    NAMES.contains(&name)
}

/// A well-formed answer. Nothing counts before its `state` has shown to which login it belongs: see [`MatchedAnswer`].
#[derive(Debug)]
pub struct Answer {
    state: Secret,
    pub(super) iss: Option<String>,
    pub(super) result: Result<Secret, (RemoteText, Option<RemoteText>)>,
}

/// An answer with proof that it belongs to a login of ours: its `state` equals the one that was sent, or it opened a
/// sealed handle (RFC 6749 section 10.12). Only [`Answer`] makes one, so a login cannot take an answer unproven.
///
/// ```compile_fail,E0423
/// # use loopin::oauth::{Answer, MatchedAnswer};
/// fn take(answer: Answer) -> MatchedAnswer {
///     MatchedAnswer(answer)
/// }
/// ```
#[derive(Debug)]
pub struct MatchedAnswer(pub(super) Answer);

/// Why a request at the redirect is not the answer that is waited for. It ends nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unrelated {
    DuplicateParameter,
    /// Neither a code nor an error, or both.
    Incomplete,
    NoState,
    /// Bytes that no browser sends in a query.
    NotText,
    TooLong,
    WrongState,
}

impl fmt::Display for Unrelated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DuplicateParameter => "a parameter came twice",
            Self::Incomplete => "neither a code nor an error, or both",
            Self::NoState => "no state",
            Self::NotText => "bytes that no browser sends",
            Self::TooLong => "longer than 64 KiB",
            Self::WrongState => "the state of another sign-in",
        })
    }
}

impl Answer {
    /// Compares `state` with the one that was sent, in constant time.
    ///
    /// # Errors
    /// It is the state of another sign-in.
    pub(super) fn matching(self, sent: &Secret) -> Result<MatchedAnswer, Unrelated> {
        match sent.matches(self.state.expose()) {
            true => Ok(MatchedAnswer(self)),
            false => Err(Unrelated::WrongState),
        }
    }

    /// For a service that awaits many logins, where `state` is a sealed handle: `open` authenticates it and gives what
    /// it stands for. `None`: it did not open.
    pub fn opened_by<T>(self, open: impl FnOnce(&Secret) -> Option<T>) -> Option<(MatchedAnswer, T)> {
        let opened = open(&self.state)?;
        Some((MatchedAnswer(self), opened))
    }

    /// # Errors
    /// Why these bytes are no answer. Unknown parameters are ignored, as RFC 6749 section 4.1.2 demands.
    pub fn parse(query: &[u8]) -> Result<Self, Unrelated> {
        if query.len() > LONGEST {
            return Err(Unrelated::TooLong);
        }
        if !query.iter().all(u8::is_ascii_graphic) {
            return Err(Unrelated::NotText);
        }
        let mut values: [Option<String>; NAMES.len()] = Default::default();
        for (name, value) in form_urlencoded::parse(query) {
            let Some(at) = NAMES.iter().position(|known| *known == name) else { continue };
            if values[at].replace(value.into_owned()).is_some() {
                return Err(Unrelated::DuplicateParameter);
            }
        }
        let [code, error, description, _error_uri, iss, state] = values;
        let filled = |value: Option<String>| value.filter(|text| !text.is_empty());
        let [code, error, description, state] = [code, error, description, state].map(filled);
        let state = Secret::new(state.ok_or(Unrelated::NoState)?);
        let result = match (code, error) {
            (Some(code), None) => Ok(Secret::new(code)),
            (None, Some(error)) => Err((RemoteText::new(&error), description.map(|d| RemoteText::new(&d)))),
            _ => return Err(Unrelated::Incomplete),
        };
        Ok(Self { state, iss, result })
    }
}

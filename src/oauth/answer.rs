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

/// A well-formed answer; whether it belongs to us is for [`super::Pending::receive`] to say.
#[derive(Debug)]
pub struct Answer {
    pub(super) state: Secret,
    pub(super) iss: Option<String>,
    pub(super) result: Result<Secret, (RemoteText, Option<RemoteText>)>,
}

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
    /// By which a service finds the login that this answers. Nothing is judged yet.
    pub fn state(&self) -> &Secret {
        &self.state
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
        let [code, error, description, _error_uri, iss, state] = values.map(|v| v.filter(|text| !text.is_empty()));
        let state = Secret::new(state.ok_or(Unrelated::NoState)?);
        let result = match (code, error) {
            (Some(code), None) => Ok(Secret::new(code)),
            (None, Some(error)) => Err((RemoteText::new(&error), description.map(|d| RemoteText::new(&d)))),
            _ => return Err(Unrelated::Incomplete),
        };
        Ok(Self { state, iss, result })
    }
}

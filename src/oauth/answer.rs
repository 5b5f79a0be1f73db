//! The authorization response, as it arrives in a query (RFC 6749 sections 4.1.2 and 4.1.2.1, RFC 9207 section 2).

use std::fmt;

use url::form_urlencoded;

use super::{Endpoint, GrantMetadata, KeepRules, RemoteText, TokenServers, WireDialect, token_servers::Unlisted};
use crate::secret::Secret;

/// Longest accepted query in bytes. The RFCs set no limit (RFC 6749 section 4.1.2); known codes are shorter than 16
/// KiB.
const LONGEST: usize = 64 * 1024;

const CODE: &str = "code";
const ERROR: &str = "error";
const ERROR_DESCRIPTION: &str = "error_description";
const ERROR_URI: &str = "error_uri";
const ISS: &str = "iss";
const STATE: &str = "state";
const NAMES: [&str; 6] = [CODE, ERROR, ERROR_DESCRIPTION, ERROR_URI, ISS, STATE];

/// Whether a query parameter of a registered redirect URI would hide one of the response.
pub fn reserved_in_answers(name: &str) -> bool {
    NAMES.contains(&name)
}

/// The body of a POST at the redirect URI as the query of the same response (OAuth 2.0 Form Post Response Mode section 2).
/// Only parameters of the response are kept, byte for byte, and those that `dialect` uses: others, such as the user's name,
/// do not belong into a URL. `None`: the body has bytes that no form has.
pub fn form_response(body: &[u8], dialect: &WireDialect) -> Option<String> {
    let text = std::str::from_utf8(body).ok().filter(|text| text.bytes().all(|b| b.is_ascii_graphic() && b != b'#'))?;
    let of_response = |pair: &&str| {
        let name = form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name);
        name.is_some_and(|name| reserved_in_answers(&name) || dialect.uses_parameter(&name))
    };
    Some(text.split('&').filter(of_response).collect::<Vec<_>>().join("&"))
}

/// A well-formed response. It has no effect before its `state` has matched a login: see [`MatchedAnswer`].
#[derive(Debug)]
pub struct Answer {
    state: Secret,
    pub(super) iss: Option<String>,
    pub(super) result: Result<Secret, (RemoteText, Option<RemoteText>)>,
    query: Secret,
}

/// A response that belongs to a login: its `state` equals the one that was sent, or it opened an encrypted handle (RFC
/// 6749 section 10.12). Only [`Answer`] creates one, so a login cannot accept an unproven response.
///
/// ```compile_fail,E0423
/// # use loopin::oauth::{Answer, MatchedAnswer};
/// fn take(answer: Answer) -> MatchedAnswer {
///     MatchedAnswer(answer)
/// }
/// ```
#[derive(Debug)]
pub struct MatchedAnswer(pub(super) Answer);

impl MatchedAnswer {
    /// What is kept of its other parameters; never its code.
    pub(super) fn metadata(&self, rules: &KeepRules) -> GrantMetadata {
        rules.of_callback(self.0.query.expose()).without(&[self.0.result.as_ref().ok(), Some(&self.0.state)])
    }

    /// The server at which it says that the code is exchanged, of those that are listed; `None`: the configured one.
    pub(super) fn token_server(
        &self,
        servers: Option<&TokenServers>,
        configured: &Endpoint,
    ) -> Result<Option<Endpoint>, Unlisted> {
        let named = servers.map(|servers| servers.named_in(self.0.query.expose(), configured)).transpose()?;
        Ok(named.flatten().cloned())
    }
}

/// Why a request at the redirect URI is not the expected response. The login continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unrelated {
    /// A parameter occurs twice (RFC 6749 section 3.1).
    DuplicateParameter,
    /// It has neither a code nor an error, or both.
    Incomplete,
    /// It has no `state`.
    NoState,
    /// It has bytes that no browser sends in a query.
    NotText,
    /// It is longer than 64 KiB.
    TooLong,
    /// Its `state` is not the one that was sent.
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
    /// The `state` belongs to another login.
    pub(super) fn matching(self, sent: &Secret) -> Result<MatchedAnswer, Unrelated> {
        match sent.matches(self.state.expose()) {
            true => Ok(MatchedAnswer(self)),
            false => Err(Unrelated::WrongState),
        }
    }

    /// For a service with many logins whose `state` is an encrypted handle. `open` authenticates it and returns its
    /// content. `None`: it was not opened.
    pub fn opened_by<T>(self, open: impl FnOnce(&Secret) -> Option<T>) -> Option<(MatchedAnswer, T)> {
        let opened = open(&self.state)?;
        Some((MatchedAnswer(self), opened))
    }

    /// # Errors
    /// Why these bytes are no response. Unknown parameters are ignored, as RFC 6749 section 4.1.2 requires.
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
        let query = Secret::new(query.iter().map(|byte| char::from(*byte)).collect());
        Ok(Self { state, iss, result, query })
    }
}

//! A response that does not arrive at the listener: the user copies the address at which a browser on another machine
//! ended, or an application received the redirect itself.
//!
//! It is judged as one that arrived: the address has to be the redirect URI of this login, `state` and `iss` have to
//! match. A bare code is never accepted, because nothing would show that it belongs to this login.

use std::fmt;

use super::{Loopback, Reaction, SentBy, Stray};
use crate::{oauth::Unrelated, redirect::BoundRedirect};

/// Longest text that is looked at, in bytes: a query of 64 KiB, and the address before it.
pub const LONGEST: usize = 66 * 1024;

/// A parameter that every authorization request has and no response (RFC 6749 section 4.1.1).
const OF_A_REQUEST: &str = "response_type=";

/// Why a text is not the response. The login goes on waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotTheResponse {
    /// The address that begins the login, not the one that ends it.
    AuthorizationRequest,
    /// Text without an address, such as a code alone.
    NoAddress,
    /// The redirect URI without a query.
    NoQuery,
    /// Another address than the redirect URI of this login.
    OtherAddress,
    /// The response has come already.
    AlreadyAnswered,
    /// It is longer than 66 KiB.
    TooLong,
    /// The right address, but not the response of this login.
    Unrelated(Unrelated),
}

impl fmt::Display for NotTheResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AuthorizationRequest => "this is the address to open; the one to paste is where the browser ends",
            Self::NoAddress => "this is not an address; a code alone does not show which login it belongs to",
            Self::NoQuery => "this address has nothing after it; the whole one contains a code or an error",
            Self::OtherAddress => "this is the address of another page",
            Self::AlreadyAnswered => "the answer had come already",
            Self::TooLong => "this is longer than an answer can be",
            Self::Unrelated(why) => return write!(f, "this is not the answer of this login: {why}"),
        })
    }
}

impl Loopback {
    /// Judges a response that the user of this login handed over, as one that arrived at the listener. Line breaks, which
    /// terminals add to long lines, and quotes around the text do not count.
    ///
    /// # Errors
    /// Why it is not the response.
    pub fn take(&mut self, text: &str) -> Result<Reaction, NotTheResponse> {
        let text = joined(text)?;
        let query = query_of(&text, &self.redirect)?;
        self.answer(query.as_bytes(), || SentBy::User).map_err(|(_, why)| match why {
            Stray::Unrelated(why) => NotTheResponse::Unrelated(why),
            _ => NotTheResponse::AlreadyAnswered,
        })
    }
}

/// One line of what may have been wrapped. A blank within a line is no wrap, and stays.
fn joined(text: &str) -> Result<String, NotTheResponse> {
    if text.len() > LONGEST {
        return Err(NotTheResponse::TooLong);
    }
    let line: String = text.split(['\r', '\n']).map(str::trim).collect();
    let unquoted = [('"', '"'), ('\'', '\''), ('`', '`'), ('<', '>')]
        .iter()
        .find_map(|(open, close)| line.strip_prefix(*open)?.strip_suffix(*close))
        .map(str::trim);
    Ok(unquoted.map(str::to_owned).unwrap_or(line))
}

/// The query of the redirect URI, or of the relay's that stands before it. The scheme may be missing, as some browsers
/// show an address; a fragment was never sent to a server.
fn query_of<'t>(text: &'t str, redirect: &BoundRedirect) -> Result<&'t str, NotTheResponse> {
    let text = text.split_once('#').map_or(text, |(before, _)| before);
    let (address, query) = match text.split_once('?') {
        Some((address, query)) => (address, Some(query)),
        None => (text, None),
    };
    let ours = [Some(redirect.listened_at()), redirect.relay()];
    let matches = ours.into_iter().flatten().map(without_query).any(|uri| {
        let bare = uri.split_once("://").map_or(uri, |(_, rest)| rest);
        address == uri || address == bare
    });
    match (matches, query) {
        (true, Some(query)) if !query.is_empty() => Ok(query),
        (true, _) => Err(NotTheResponse::NoQuery),
        (false, Some(query)) if query.split('&').any(|pair| pair.starts_with(OF_A_REQUEST)) => {
            Err(NotTheResponse::AuthorizationRequest)
        }
        (false, _) if address.contains("://") || address.contains('/') => Err(NotTheResponse::OtherAddress),
        (false, _) => Err(NotTheResponse::NoAddress),
    }
}

fn without_query(uri: &str) -> &str {
    uri.split_once('?').map_or(uri, |(address, _)| address)
}

#[cfg(test)]
mod tests;

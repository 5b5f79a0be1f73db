//! The error response of a token endpoint (RFC 6749 section 5.2), in the shapes that providers send.
//!
//! Some providers name the error in a member of their own, inside an object or in a list of errors, and some send it
//! with status 200. All of them become an [`ErrorResponse`]; what it means is in `known_errors.rs`.

use std::{fmt, num::NonZeroU32, time::Duration};

use serde_json::{Map, Value};

use super::{
    HttpResponse, RemoteText, known_errors,
    normalise::{Fields, interval},
};
use crate::secret::Secret;

/// Longest word that counts as an error code, in characters.
const LONGEST_WORD: usize = 64;
/// Words that say only that something failed.
const GENERIC: [&str; 7] = ["error", "fail", "failed", "failure", "false", "ok", "success"];

/// The `error` of RFC 6749 section 5.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    InvalidClient,
    InvalidGrant,
    Other(String),
}

impl ErrorCode {
    fn of(word: &str) -> Self {
        match word {
            "invalid_client" => Self::InvalidClient,
            "invalid_grant" => Self::InvalidGrant,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::Other(code) => code,
        })
    }
}

/// What an error response says about a grant whose refresh token was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The provider rejects the client, whoever the user is.
    Client,
    /// The refresh token is no longer valid: the user has to log in again.
    DeadGrant,
    /// The provider is busy or broken: nothing is said about the grant.
    Later,
    /// Nobody knows: the client, the request or the grant.
    Unknown,
}

/// An error response. Its texts are fit to print, and none of the secrets of the request is in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorResponse {
    pub status: u16,
    pub code: ErrorCode,
    pub description: Option<RemoteText>,
    /// From the header of that name, in seconds (RFC 9110 section 10.2.3).
    pub retry_after: Option<Duration>,
    /// Seconds, from the member of that name: GitHub sends the new one with `slow_down` (RFC 8628 section 3.5).
    pub interval: Option<NonZeroU32>,
    pub meaning: Meaning,
    /// Every word of the response that may be an error code, the code itself first.
    words: Vec<String>,
}

impl ErrorResponse {
    /// `None`: the response names no error.
    pub(super) fn read(response: &HttpResponse, fields: &Fields, secrets: &OwnSecrets) -> Option<Self> {
        is_error(fields).then(|| Self::of_fields(response, fields, secrets))
    }

    /// A client error in JSON is an error response, even if no member of it is known.
    pub(super) fn unnamed(response: &HttpResponse, fields: &Fields, secrets: &OwnSecrets) -> Option<Self> {
        let refused = [400, 401, 403].contains(&response.status().as_u16());
        (refused && !fields.contains_key("access_token")).then(|| Self::of_fields(response, fields, secrets))
    }

    fn of_fields(response: &HttpResponse, fields: &Fields, secrets: &OwnSecrets) -> Self {
        let status = response.status().as_u16();
        let words: Vec<_> = words(fields).filter(|word| !secrets.hold(word)).collect();
        let description = description(fields).map(|text| RemoteText::new(&secrets.cut_out_of(text)));
        let code = words.first().map_or(ErrorCode::Other("unknown_error".into()), |word| ErrorCode::of(word));
        let meaning = match status {
            404 | 408 | 429 | 500.. => Meaning::Later,
            _ => known_errors::meaning(&words, description.as_ref().map(RemoteText::as_str)),
        };
        let retry_after = retry_after(response);
        let interval = fields.get("interval").and_then(interval);
        let interval = interval.and_then(|interval| NonZeroU32::new(interval.as_secs().try_into().ok()?));
        Self { status, code, description, retry_after, interval, meaning, words }
    }

    /// A response with this code alone.
    #[cfg(test)]
    pub fn of(status: u16, code: &str) -> Self {
        let mut response = HttpResponse::default();
        *response.status_mut() = oauth2::http::StatusCode::from_u16(status).expect("status");
        let fields = [("error".to_owned(), Value::from(code))].into();
        Self::read(&response, &fields, &OwnSecrets::default()).expect("an error")
    }

    /// With the words that the configuration adds to those of a dead grant. What the provider cannot do now is still
    /// no statement about the grant.
    pub fn with_dead_grant_errors<'w>(self, mut own: impl Iterator<Item = &'w str>) -> Self {
        let dead = self.meaning != Meaning::Later && own.any(|own| self.words.iter().any(|word| word == own));
        Self { meaning: if dead { Meaning::DeadGrant } else { self.meaning }, ..self }
    }
}

/// The code and what the provider adds to it.
impl fmt::Display for ErrorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.description {
            Some(description) => write!(f, "{}: \"{description}\"", self.code),
            None => self.code.fmt(f),
        }
    }
}

/// Seconds only: a date needs a clock that agrees with the provider's.
pub fn retry_after(response: &HttpResponse) -> Option<Duration> {
    response.headers().get("retry-after")?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// Whether a member of the response says that it is an error, whatever the status.
fn is_error(fields: &Fields) -> bool {
    let filled = |name: &str| match fields.get(name) {
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Object(_) | Value::Bool(true) | Value::Number(_)) => true,
        _ => false,
    };
    let is_false = |name: &str| fields.get(name) == Some(&Value::Bool(false));
    ["error", "errorCode"].into_iter().any(filled)
        || is_false("ok")
        || (!fields.contains_key("access_token")
            && (is_false("success")
                || filled("error_code")
                || matches!(fields.get("errors"), Some(Value::Array(list)) if !list.is_empty())))
}

/// The words of the response that may be an error code, in order of authority.
fn words(fields: &Fields) -> impl Iterator<Item = String> {
    let mut found: Vec<String> = Vec::new();
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    // Some add a sentence to the code: `invalid_grant: the token has expired`.
    found.extend(text("error").map(|error| error.split_once(": ").map_or(error, |(code, _)| code).to_owned()));
    if let Some(Value::Object(inner)) = fields.get("error") {
        found.extend(of_object(inner, &["code", "type", "status", "errorId", "message"]));
    }
    let own = ["errorCode", "error_code", "errorType", "error_type", "code", "status", "reason", "message"];
    found.extend(own.into_iter().filter_map(text).map(str::to_owned));
    if let Some(Value::Array(list)) = fields.get("errors") {
        for error in list.iter().filter_map(Value::as_object) {
            let of = |name: &str| error.get(name).and_then(Value::as_str);
            // Two members together are the code: a resource, and what is wrong with it.
            if let (Some(resource), Some(code)) = (of("resource"), of("code")) {
                found.push(format!("{resource}.{code}"));
            } else {
                found.extend(of_object(error, &["errorType", "code", "type"]));
            }
        }
    }
    found.into_iter().filter(|word| plain(word) && !GENERIC.contains(&word.to_ascii_lowercase().as_str()))
}

fn of_object<'a>(object: &'a Map<String, Value>, names: &'a [&str]) -> impl Iterator<Item = String> + 'a {
    names.iter().filter_map(|name| object.get(*name)?.as_str()).map(str::to_owned)
}

/// A word of RFC 6749 appendix A.7, without spaces: anything else is a text.
fn plain(word: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    !word.is_empty() && word.len() <= LONGEST_WORD && word.bytes().all(allowed)
}

fn description(fields: &Fields) -> Option<&str> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let of_error = || fields.get("error")?.as_object()?.get("message")?.as_str();
    let of_errors = || fields.get("errors")?.as_array()?.iter().find_map(|error| error.get("message")?.as_str());
    let own = ["error_description", "errorSummary", "error_message", "message", "msg", "detail", "reason"];
    let sentence = |name: &'static str| text(name).filter(|text| !plain(text));
    text("error_description")
        .or_else(|| own.into_iter().find_map(sentence))
        .or_else(of_error)
        .or_else(of_errors)
        // Some send the sentence in place of the code.
        .or_else(|| text("error").filter(|text| !plain(text)))
        .filter(|text| !text.trim().is_empty())
}

/// The secrets of a token request, so that a response which repeats one of them is not shown with it.
#[derive(Default)]
pub(super) struct OwnSecrets(Vec<Secret>);

/// Shorter parts of a secret are not looked for: they would be found in ordinary words.
const SHORTEST_PART: usize = 8;

impl OwnSecrets {
    pub(super) fn new(secrets: impl Iterator<Item = Secret>) -> Self {
        Self(secrets.filter(|secret| !secret.expose().is_empty()).collect())
    }

    /// Whether the text has a secret in it, or is a part of one.
    pub(super) fn hold(&self, text: &str) -> bool {
        self.0.iter().map(Secret::expose).any(|secret| {
            (secret.len() >= SHORTEST_PART && text.contains(secret))
                || (text.len() >= SHORTEST_PART && secret.contains(text))
                || secret == text
        })
    }

    /// The text with every secret, every part of one and everything that looks like a token replaced.
    fn cut_out_of(&self, text: &str) -> String {
        let mut whole = text.to_owned();
        for secret in self.0.iter().filter(|secret| secret.expose().len() >= SHORTEST_PART) {
            whole = whole.replace(secret.expose(), REDACTED);
        }
        let separates = |c: char| !c.is_ascii_alphanumeric() && !"._~+-".contains(c);
        let shown = |part: &str| {
            let end = part.find(separates).unwrap_or(part.len());
            let (word, rest) = part.split_at(end);
            let secret = self.hold(word) || looks_like_a_token(word);
            format!("{}{rest}", if secret { REDACTED } else { word })
        };
        whole.split_inclusive(separates).map(shown).collect()
    }
}

const REDACTED: &str = "[redacted]";
/// Shorter words with digits in them are numbers of errors and requests.
const SHORTEST_TOKEN: usize = 24;

/// A long word of letters and digits that is no UUID: those number requests, and help to find them at the provider.
fn looks_like_a_token(word: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| word.bytes().any(|b| kind(&b));
    let parts: Vec<_> = word.split('-').map(str::len).collect();
    let is_uuid = parts == [8, 4, 4, 4, 12];
    word.len() >= SHORTEST_TOKEN && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic) && !is_uuid
}

#[cfg(test)]
mod tests;

//! Turns the responses of real token endpoints into those of RFC 6749 section 5.
//!
//! The `oauth2` crate, which parses the result, is strict. This accepts form-encoded responses, status 201, status 200
//! with an error, `expires_in` in all its forms, a missing `token_type`, and scopes as a list or with the provider's
//! separator. An error becomes an [`ErrorResponse`]. Everything that is not recognizably OAuth becomes [`NotOAuth`],
//! which never counts as a decision about a grant.

use std::{collections::BTreeMap, fmt, time::Duration};

use oauth2::{HttpResponse, http};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{
    ErrorResponse, GrantMetadata, ScopeSeparator, WireDialect,
    error_response::{OwnSecrets, retry_after},
};
use crate::secret::Secret;

/// Members that state the lifetime of an access token, in seconds. Salesforce-like and Microsoft names are hints, where the
/// member of the RFC is missing.
pub(super) const LIFE: [&str; 3] = ["expires_in", "expires_in_sec", "ext_expires_in"];
/// Longest lifetime that is accepted: ten years, in seconds.
const LONGEST_LIFE_SECS: u64 = 10 * 365 * 24 * 3600;

/// A response that is neither tokens nor an OAuth error. Its body is never stored or shown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotOAuth {
    /// The HTTP status.
    pub status: u16,
    /// The length of the body.
    pub bytes: usize,
    /// From the header of that name, in seconds (RFC 9110 section 10.2.3).
    pub retry_after: Option<Duration>,
}

impl NotOAuth {
    /// Whether the response was a redirect, which is never followed.
    pub fn redirected(&self) -> bool {
        (300..400).contains(&self.status)
    }
}

impl fmt::Display for NotOAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.redirected() {
            write!(f, "answered with a redirect (status {}), which is never followed", self.status)
        } else {
            write!(f, "sent something that is not a token response (status {}, {} bytes)", self.status, self.bytes)
        }
    }
}

pub(super) use super::json_object::Members;

pub(super) type Fields = BTreeMap<String, Value>;

/// Why a reply has no normal form.
#[derive(Debug)]
pub(super) enum Unusable {
    Error(ErrorResponse),
    NotOAuth {
        what: NotOAuth,
        /// The one that is well formed in a reply of success, whose other members cannot be used.
        refresh_token: Option<Secret>,
    },
}

/// The normal form of a token reply.
///
/// # Errors
/// An error response, or no OAuth at all.
pub(super) fn normalise(
    reply: &HttpResponse,
    secrets: &OwnSecrets,
    dialect: &WireDialect,
) -> Result<HttpResponse, Unusable> {
    let status = reply.status().as_u16();
    let not_oauth = |refresh_token| {
        let what = NotOAuth { status, bytes: reply.body().len(), retry_after: retry_after(reply) };
        Unusable::NotOAuth { what, refresh_token }
    };
    if (300..400).contains(&status) {
        return Err(not_oauth(None));
    }
    let (Members { fields, twice }, form) = members(reply).ok_or_else(|| not_oauth(None))?;
    let success = (200..300).contains(&status);
    if !twice.is_empty() {
        // Which of the two would count is a parser's whim.
        return Err(not_oauth(rotated(&fields).filter(|_| success)));
    }
    let unnamed = || (form == Form::Json).then(|| ErrorResponse::unnamed(reply, &fields, secrets)).flatten();
    if let Some(error) = ErrorResponse::read(reply, &fields, secrets).or_else(unnamed) {
        return Err(Unusable::Error(error));
    }
    if !success {
        return Err(not_oauth(None));
    }
    let refresh_token = rotated(&fields);
    let kept = dialect.keep.of_response(&fields, secrets);
    let body = token(fields, kept, dialect.scope_separator).ok_or_else(|| not_oauth(refresh_token))?;
    let mut normal = HttpResponse::new(body.to_string().into_bytes());
    *normal.status_mut() = http::StatusCode::OK;
    normal.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    Ok(normal)
}

/// A refresh token that can be sent (RFC 6749 appendix A.17).
fn rotated(fields: &Fields) -> Option<Secret> {
    let token = fields.get("refresh_token")?.as_str().filter(|token| !token.is_empty())?;
    token.bytes().all(|b| (0x20..=0x7e).contains(&b)).then(|| Secret::new(token.to_owned()))
}

/// How a reply was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `application/x-www-form-urlencoded`, whatever its content type says.
    Encoded,
    Json,
}

/// The members of a body, and how it was written.
pub(super) fn members(reply: &HttpResponse) -> Option<(Members, Form)> {
    let body = reply.body().strip_prefix(b"\xef\xbb\xbf").unwrap_or(reply.body());
    let text = std::str::from_utf8(body).ok()?.trim();
    if text.starts_with('{') {
        let members = serde_json::from_str::<Members>(text).ok()?;
        return Some((members, Form::Json));
    }
    // GitHub (without an Accept header) and others send form-encoded responses.
    if text.is_empty() || text.contains(['<', ' ', '\n']) || !text.contains('=') {
        return None;
    }
    let mut members = Members::default();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        members.add(name.into_owned(), Value::String(value.into_owned()));
    }
    Some((members, Form::Encoded))
}

fn token(fields: Fields, kept: GrantMetadata, separator: ScopeSeparator) -> Option<Value> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
    // An empty token is kept, so that `token.rs` rejects it as malformed.
    let access_token = fields.get("access_token")?.as_str()?;
    let mut normal = json!({ "access_token": access_token, "token_type": text("token_type").unwrap_or("Bearer") });
    for name in ["refresh_token", "id_token"] {
        if let Some(value) = text(name) {
            normal[name] = value.into();
        }
    }
    if let Some(seconds) = LIFE.iter().find_map(|name| fields.get(*name).and_then(expires_in)) {
        normal["expires_in"] = seconds.into();
    } else if let Some(millis) = fields.get("expires_at").and_then(expires_at) {
        normal["expires_at"] = millis.into();
    }
    // No RFC defines these names: GitHub and others, Keycloak, Intuit. Keycloak sends 0 for no expiry. The end of the whole
    // authorization (draft-ietf-oauth-refresh-token-expiration) is that of every refresh token too.
    let refresh_life = ["refresh_token_expires_in", "refresh_expires_in", "x_refresh_token_expires_in"];
    let life = |names: &[&str]| {
        names.iter().find_map(|name| fields.get(*name).and_then(expires_in)).filter(|seconds| *seconds > 0)
    };
    if let Some(seconds) = [life(&refresh_life), life(&["authorization_expires_in"])].into_iter().flatten().min() {
        normal["refresh_token_expires_in"] = seconds.into();
    }
    if let Some(scope) = fields.get("scope").and_then(|value| scope(value, separator)) {
        normal["scope"] = scope.into();
    }
    if kept != GrantMetadata::default() {
        normal["kept"] = json!(kept);
    }
    Some(normal)
}

/// The time between two polls (RFC 8628 section 3.2), which may be less than a second here. `None` for zero, less, or what
/// is no number: it counts as not sent.
pub(super) fn interval(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        _ => return None,
    };
    let longest = LONGEST_LIFE_SECS as f64;
    (seconds > 0.0).then(|| Duration::from_secs_f64(seconds.min(longest)))
}

/// Seconds from `3600`, `"3600"`, `3600.0` or `1e3`; at most ten years. Zero or less means already expired; `None` for
/// anything else, which counts as not sent.
pub(super) fn expires_in(value: &Value) -> Option<u64> {
    let seconds = match value {
        Value::Number(number) => number.as_u64().map(|n| n as f64).or(number.as_f64())?,
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        _ => return None,
    };
    // `as` saturates: negative numbers become 0, infinity the largest number. NaN is rejected before.
    (!seconds.is_nan()).then_some((seconds as u64).min(LONGEST_LIFE_SECS))
}

/// Milliseconds since 1970, from a number or its text in seconds or in milliseconds.
pub(super) fn expires_at(value: &Value) -> Option<u64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        _ => return None,
    };
    // In seconds, 1e11 is the year 5138; in milliseconds, 1973.
    let millis = if number < 1e11 { number * 1000.0 } else { number };
    (number.is_finite() && number > 0.0).then_some(millis as u64)
}

fn scope(value: &Value, separator: ScopeSeparator) -> Option<String> {
    let text = match value {
        Value::String(text) => separator.spaced(text),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        _ => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

#[cfg(test)]
mod tests;

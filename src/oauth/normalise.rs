//! Turns the responses of real token endpoints into those of RFC 6749 section 5.
//!
//! The `oauth2` crate, which parses the result, is strict. This accepts form-encoded responses, status 201, status 200
//! with an error, `expires_in` in all its forms, a missing `token_type`, and scopes as a list or with commas.
//! Everything that is not recognizably OAuth becomes [`NotOAuth`], which never counts as a decision about a grant.

use std::{collections::BTreeMap, fmt};

use oauth2::{HttpResponse, http};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::JsonObject;

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

type Fields = BTreeMap<String, Value>;

/// # Errors
/// The response is not OAuth.
pub fn normalise(reply: &HttpResponse) -> Result<HttpResponse, NotOAuth> {
    let status = reply.status().as_u16();
    let not_oauth = || NotOAuth { status, bytes: reply.body().len() };
    // The body of an absent, overloaded or broken server is ignored.
    if (300..400).contains(&status) || status >= 500 || [404, 408, 429].contains(&status) {
        return Err(not_oauth());
    }
    let fields = fields(reply).ok_or_else(not_oauth)?;
    let success = (200..300).contains(&status);
    let (status, body) = match error_code(&fields) {
        Some(code) => (http::StatusCode::BAD_REQUEST, json!({ "error": code })),
        None if success => (http::StatusCode::OK, token(fields).ok_or_else(not_oauth)?),
        None => return Err(not_oauth()),
    };
    let mut normal = HttpResponse::new(body.to_string().into_bytes());
    *normal.status_mut() = status;
    normal.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    Ok(normal)
}

fn fields(reply: &HttpResponse) -> Option<Fields> {
    let body = reply.body().strip_prefix(b"\xef\xbb\xbf").unwrap_or(reply.body());
    let text = std::str::from_utf8(body).ok()?.trim();
    if text.starts_with('{') {
        return serde_json::from_str::<JsonObject>(text).ok().map(|object| object.0);
    }
    // GitHub (without an Accept header) and others send form-encoded responses.
    if text.is_empty() || text.contains(['<', ' ', '\n']) || !text.contains('=') {
        return None;
    }
    let mut fields = Fields::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        if fields.insert(name.into_owned(), Value::String(value.into_owned())).is_some() {
            return None;
        }
    }
    Some(fields)
}

/// `error` as in RFC 6749, as an object, with `ok: false` (Slack) or as `errorCode` (Okta).
fn error_code(fields: &Fields) -> Option<String> {
    let code = match fields.get("error").or_else(|| fields.get("errorCode")) {
        Some(Value::String(code)) if !code.is_empty() => code.clone(),
        Some(Value::Object(inner)) => ["code", "type", "status"]
            .iter()
            .find_map(|n| inner.get(*n)?.as_str())
            .unwrap_or("unknown_error")
            .to_owned(),
        Some(Value::Bool(true) | Value::Number(_)) => "unknown_error".to_owned(),
        _ if fields.get("ok") == Some(&Value::Bool(false)) => "unknown_error".to_owned(),
        _ => return None,
    };
    // The characters of RFC 6749 appendix A.7. Everything else would be untrusted text.
    let plain = code.len() <= 64 && code.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    Some(if plain { code } else { "unknown_error".to_owned() })
}

fn token(fields: Fields) -> Option<Value> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
    // An empty token is kept, so that `token.rs` rejects it as malformed.
    let access_token = fields.get("access_token")?.as_str()?;
    let mut normal = json!({ "access_token": access_token, "token_type": text("token_type").unwrap_or("Bearer") });
    for name in ["refresh_token", "id_token"] {
        if let Some(value) = text(name) {
            normal[name] = value.into();
        }
    }
    if let Some(seconds) = fields.get("expires_in").and_then(expires_in) {
        normal["expires_in"] = seconds.into();
    }
    // No RFC defines this name: GitHub and others, Keycloak, Intuit. Keycloak sends 0 for no expiry.
    let refresh_life = ["refresh_token_expires_in", "refresh_expires_in", "x_refresh_token_expires_in"];
    if let Some(seconds) =
        refresh_life.iter().find_map(|name| fields.get(*name).and_then(expires_in)).filter(|s| *s > 0)
    {
        normal["refresh_token_expires_in"] = seconds.into();
    }
    if let Some(scope) = fields.get("scope").and_then(scope) {
        normal["scope"] = scope.into();
    }
    Some(normal)
}

/// Seconds from `3600`, `"3600"`, `3600.0` or `1e3`; at most ten years. Zero or less means already expired; `None` for
/// anything else, which counts as not sent.
fn expires_in(value: &Value) -> Option<u64> {
    let seconds = match value {
        Value::Number(number) => number.as_u64().map(|n| n as f64).or(number.as_f64())?,
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        _ => return None,
    };
    // `as` saturates: negative numbers become 0, infinity the largest number. NaN is rejected before.
    (!seconds.is_nan()).then_some((seconds as u64).min(LONGEST_LIFE_SECS))
}

fn scope(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        _ => return None,
    };
    // A comma is allowed inside a scope, but a server that sends no space at all uses it as a separator.
    let text = if text.contains(',') && !text.contains(' ') { text.replace(',', " ") } else { text };
    (!text.trim().is_empty()).then_some(text)
}

#[cfg(test)]
mod tests;

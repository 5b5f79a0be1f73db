//! What a token endpoint wants or answers otherwise than RFC 6749 sections 4.1.3, 5 and 6 have it, as values.
//!
//! [`TokenRules::over`] stands between the token requests and the network: it completes what is sent and brings what
//! comes back into the form that the reader of responses knows.

use std::fmt;

use oauth2::http::{HeaderValue, header::CONTENT_TYPE};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

use super::{HttpClient, HttpError, HttpRequest, HttpResponse, json_object::JsonObject};

/// What the flow sends itself, at the exchange and at the refresh.
const OWNED: [&str; 7] =
    ["client_id", "client_secret", "code", "code_verifier", "device_code", "grant_type", "refresh_token"];

/// The default is the RFC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenRules {
    pub body: TokenBody,
    /// Of the exchange, of a poll with a device code, and of the refresh.
    pub params: Vec<(String, String)>,
    /// Of the refresh alone; they come before `params` of the same name.
    pub refresh_params: Vec<(String, String)>,
    pub resources: Vec<Resource>,
    /// Where the token response stands, if it is not the whole body.
    pub token_at: Option<MemberPath>,
    /// What names an error, beside `error`.
    pub error_at: Option<MemberPath>,
}

/// How the parameters of a token request are written.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum TokenBody {
    /// `application/x-www-form-urlencoded` (RFC 6749 section 4.1.3).
    #[default]
    Form,
    /// One JSON object.
    Json,
}

/// The target of a token, byte for byte as configured: an absolute URI without a fragment (RFC 8707 section 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource(String);

impl Resource {
    pub fn parse(text: &str) -> Option<Self> {
        let printable = text.bytes().all(|b| b.is_ascii_graphic());
        (printable && Url::parse(text).is_ok() && !text.contains('#')).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Names of members, from the outermost: `authed_user` or `body.tokens`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberPath(String);

impl MemberPath {
    /// Letters, digits, `_` and `-`, separated by dots.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
        let few = text.split('.').count() <= 8;
        let good = few && text.split('.').all(|name| !name.is_empty() && name.bytes().all(plain));
        good.then(|| Self(text.to_owned()))
    }

    /// The path as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value there. `member` gives the members of the outermost object.
    pub(super) fn of<'v>(&self, member: impl FnOnce(&str) -> Option<&'v Value>) -> Option<&'v Value> {
        let mut names = self.0.split('.');
        names
            .next()
            .and_then(member)
            .and_then(|outer| names.try_fold(outer, |value, name| value.as_object()?.get(name)))
    }
}

impl MemberPath {
    /// Puts a value there. The members of an object join those that are there already.
    pub fn put(&self, into: &mut Map<String, Value>, value: Value) {
        let mut names: Vec<_> = self.0.split('.').collect();
        let Some(last) = names.pop() else { return };
        let mut at = into;
        for name in names {
            let inner = at.entry(name).or_insert_with(|| Value::Object(Map::new()));
            if !inner.is_object() {
                *inner = Value::Object(Map::new());
            }
            let Value::Object(inner) = inner else { return };
            at = inner;
        }
        match (at.get_mut(last), value) {
            (Some(Value::Object(there)), Value::Object(members)) => there.extend(members),
            (_, value) => drop(at.insert(last.to_owned(), value)),
        }
    }
}

impl fmt::Display for MemberPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenOccasion {
    /// A code, or a device code, for tokens.
    Exchange,
    Refresh,
}

/// Whether `token_params` or `refresh_params` may set this name.
pub fn is_free(name: &str, occasion: TokenOccasion) -> bool {
    // A refresh sends no redirect_uri of its own, and some servers ask for one.
    let of_exchange = occasion == TokenOccasion::Exchange && name == "redirect_uri";
    !name.is_empty() && !OWNED.contains(&name) && !of_exchange
}

impl TokenRules {
    /// `http`, spoken to by these rules.
    pub fn over<'a>(&'a self, http: &'a dyn HttpClient, occasion: TokenOccasion) -> impl HttpClient + 'a {
        Adapted { rules: self, http, occasion }
    }

    fn request(&self, mut request: HttpRequest, occasion: TokenOccasion) -> HttpRequest {
        if *self == Self::default() {
            return request;
        }
        let mut pairs: Vec<(String, String)> = form_urlencoded::parse(request.body()).into_owned().collect();
        let own: &[_] = if occasion == TokenOccasion::Refresh { &self.refresh_params } else { &[] };
        for (name, value) in own.iter().chain(&self.params) {
            if !pairs.iter().any(|(known, _)| known == name) {
                pairs.push((name.clone(), value.clone()));
            }
        }
        pairs.extend(self.resources.iter().map(|resource| ("resource".to_owned(), resource.0.clone())));
        *request.body_mut() = match self.body {
            TokenBody::Form => {
                form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish().into_bytes()
            }
            TokenBody::Json => {
                request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                json(pairs).to_string().into_bytes()
            }
        };
        request
    }

    /// The members at `token_at` beside those at the top, and the error at `error_at` as `error`. Anything that is not a
    /// JSON object goes on as it came.
    pub(super) fn response(&self, response: HttpResponse) -> HttpResponse {
        if self.token_at.is_none() && self.error_at.is_none() {
            return response;
        }
        let body = response.body().strip_prefix(b"\xef\xbb\xbf").unwrap_or(response.body());
        let Ok(JsonObject(fields)) = serde_json::from_slice(body) else { return response };
        let mut object: Map<String, Value> = fields.into_iter().collect();
        if let Some(code) = self.error_at.as_ref().and_then(|path| error_code(path.of(|name| object.get(name))?)) {
            object.entry("error").or_insert(Value::String(code));
        }
        let inner = self.token_at.as_ref().and_then(|path| path.of(|name| object.get(name))?.as_object().cloned());
        object.extend(inner.into_iter().flatten());
        let (mut parts, _) = response.into_parts();
        parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        HttpResponse::from_parts(parts, Value::Object(object).to_string().into_bytes())
    }
}

/// A name that comes more than once is a list.
fn json(pairs: Vec<(String, String)>) -> Value {
    let mut object = Map::new();
    for (name, value) in pairs {
        let value = Value::String(value);
        match object.get_mut(&name) {
            None => drop(object.insert(name, value)),
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Value::Object(object)
}

/// `None`: success, which is 0, false, "", "ok" or null.
pub(super) fn error_code(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::Bool(true) | Value::Array(_) | Value::Object(_) => Some("unknown_error".to_owned()),
        Value::Number(number) => (number.as_f64() != Some(0.0)).then(|| number.to_string()),
        Value::String(text) => (!text.is_empty() && !text.eq_ignore_ascii_case("ok")).then(|| text.clone()),
    }
}

struct Adapted<'a> {
    rules: &'a TokenRules,
    http: &'a dyn HttpClient,
    occasion: TokenOccasion,
}

impl HttpClient for Adapted<'_> {
    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let response = self.http.send(self.rules.request(request, self.occasion))?;
        Ok(self.rules.response(response))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: &str) -> HttpRequest {
        HttpRequest::new(body.as_bytes().to_vec())
    }

    fn sent(rules: &TokenRules, occasion: TokenOccasion) -> String {
        let sent = rules.request(request("grant_type=x&code=a%20b"), occasion);
        String::from_utf8(sent.into_body()).expect("text")
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn path(text: &str) -> Option<MemberPath> {
        Some(MemberPath::parse(text).expect("a path"))
    }

    fn received(rules: &TokenRules, body: &str) -> Value {
        let response = rules.response(HttpResponse::new(body.as_bytes().to_vec()));
        serde_json::from_slice(response.body()).unwrap_or(Value::Null)
    }

    #[test]
    fn without_rules_a_request_goes_out_byte_for_byte() {
        assert_eq!("grant_type=x&code=a%20b", sent(&TokenRules::default(), TokenOccasion::Exchange));
    }

    #[test]
    fn d08_parameters_are_added_to_the_request_that_they_are_for() {
        let rules = TokenRules {
            params: pairs(&[("action", "requesttoken"), ("audience", "all")]),
            refresh_params: pairs(&[("audience", "refresh"), ("scope", "a b")]),
            ..TokenRules::default()
        };
        let exchange = "grant_type=x&code=a+b&action=requesttoken&audience=all";
        assert_eq!(exchange, sent(&rules, TokenOccasion::Exchange));
        let refresh = "grant_type=x&code=a+b&audience=refresh&scope=a+b&action=requesttoken";
        assert_eq!(refresh, sent(&rules, TokenOccasion::Refresh));
    }

    #[test]
    fn d08_each_resource_is_sent_byte_for_byte() {
        let resource = |text: &str| Resource::parse(text).expect("a resource");
        let resources = vec![resource("https://API.example:443/v1/"), resource("https://b.example/?x=1")];
        let rules = TokenRules { resources, ..TokenRules::default() };
        let sent = sent(&rules, TokenOccasion::Refresh);
        let values: Vec<_> = form_urlencoded::parse(sent.as_bytes()).filter(|(name, _)| name == "resource").collect();
        assert_eq!(["https://API.example:443/v1/", "https://b.example/?x=1"], [&*values[0].1, &*values[1].1]);
        for bad in ["", "/path", "https://a.example/#x", "https://a.example/ x", "a.example"] {
            assert_eq!(None, Resource::parse(bad), "{bad}");
        }
    }

    #[test]
    fn d08_what_the_flow_owns_cannot_be_set() {
        let owned =
            ["grant_type", "client_id", "client_secret", "code", "code_verifier", "device_code", "refresh_token"];
        for owned in owned.into_iter().chain([""]) {
            assert!(!is_free(owned, TokenOccasion::Exchange) && !is_free(owned, TokenOccasion::Refresh), "{owned}");
        }
        assert!(!is_free("redirect_uri", TokenOccasion::Exchange) && is_free("redirect_uri", TokenOccasion::Refresh));
    }

    #[test]
    fn d09_a_token_endpoint_that_reads_json_gets_one_object() {
        let rules = TokenRules { body: TokenBody::Json, ..TokenRules::default() };
        let adapted = rules.request(request("grant_type=x&code=a%20b&resource=1&resource=2"), TokenOccasion::Exchange);
        assert_eq!("application/json", adapted.headers()[CONTENT_TYPE]);
        let body: Value = serde_json::from_slice(adapted.body()).expect("JSON");
        assert_eq!(serde_json::json!({ "grant_type": "x", "code": "a b", "resource": ["1", "2"] }), body);
    }

    #[test]
    fn d09_a_nested_token_response_is_found_and_what_stands_at_the_top_stays() {
        let rules = TokenRules { token_at: path("authed_user"), ..TokenRules::default() };
        let reply =
            r#"{"ok":true,"access_token":"bot","team":{"id":"T"},"authed_user":{"access_token":"user","scope":"a"}}"#;
        let found = received(&rules, reply);
        assert_eq!(
            ("user", "a", "T"),
            (text(&found["access_token"]), text(&found["scope"]), text(&found["team"]["id"]))
        );
        let rules = TokenRules { token_at: path("data.tokens"), ..TokenRules::default() };
        assert_eq!("x", received(&rules, r#"{"data":{"tokens":{"access_token":"x"}}}"#)["access_token"]);
        for other in ["<html>", r#"{"error":"invalid_grant"}"#, r#"{"data":1}"#, "access_token=x"] {
            let response = rules.response(HttpResponse::new(other.as_bytes().to_vec()));
            assert!(!String::from_utf8_lossy(response.body()).contains("tokens"), "{other}");
        }
    }

    fn text(value: &Value) -> &str {
        value.as_str().unwrap_or_default()
    }

    #[test]
    fn d09_a_status_in_the_body_is_an_error_unless_it_says_success() {
        let rules = TokenRules { token_at: path("body"), error_at: path("status"), ..TokenRules::default() };
        for (reply, error) in [
            (r#"{"status":0,"body":{"access_token":"x"}}"#, Value::Null),
            (r#"{"status":"ok"}"#, Value::Null),
            (r#"{}"#, Value::Null),
            (r#"{"status":401,"body":{}}"#, "401".into()),
            (r#"{"status":"BAD_REFRESH_TOKEN"}"#, "BAD_REFRESH_TOKEN".into()),
            (r#"{"status":503,"error":"busy"}"#, "busy".into()),
        ] {
            assert_eq!(error, received(&rules, reply)["error"], "{reply}");
        }
        assert_eq!("x", received(&rules, r#"{"status":0,"body":{"access_token":"x"}}"#)["access_token"]);
    }

    #[test]
    fn d09_a_name_that_stands_twice_is_left_for_the_reader_to_refuse() {
        let rules = TokenRules { token_at: path("body"), ..TokenRules::default() };
        let twice = r#"{"body":{"access_token":"x"},"body":{"access_token":"y"}}"#;
        assert_eq!(twice.as_bytes(), rules.response(HttpResponse::new(twice.as_bytes().to_vec())).body());
        for bad in ["", "a..b", "a.", "a b", "$.a"] {
            assert_eq!(None, MemberPath::parse(bad), "{bad}");
        }
    }
}

//! A request as the service reads it: header fields, cookies, parameters, body.

use std::{collections::BTreeMap, sync::OnceLock};

use hyper::header::HeaderValue;

use crate::{
    oauth::HttpRequest,
    proxies::TrustedProxies,
    server::provider_failure::ProviderFailure,
    service::{jwt::Refused, problem::Problem, route::Route},
    system::server::Request,
};

/// A request with its number in the log.
pub struct ParsedRequest {
    pub http: HttpRequest,
    pub route: Option<Route>,
    pub client: std::net::IpAddr,
    /// Identifies the request in the log and in error responses.
    pub number: String,
    /// The result of the flow that this request ended.
    pub ending: OnceLock<&'static str>,
    /// Why the request's token was rejected.
    pub refused: OnceLock<Refused>,
    /// Why the provider was of no use.
    pub failure: OnceLock<ProviderFailure>,
    /// What is unusual about the response of the token endpoint.
    pub token_response: OnceLock<String>,
    /// Why the callback was unexpected.
    pub unexpected: OnceLock<String>,
}

impl ParsedRequest {
    pub fn new(request: Request, proxies: &TrustedProxies, number: String) -> Self {
        let Request { http, peer } = request;
        let forwarded = http.headers().get_all("x-forwarded-for").iter().map(|value| value.as_bytes());
        let client = proxies.client(peer, forwarded);
        Self {
            route: Route::of(http.uri().path()),
            http,
            client,
            number,
            ending: OnceLock::new(),
            refused: OnceLock::new(),
            failure: OnceLock::new(),
            token_response: OnceLock::new(),
            unexpected: OnceLock::new(),
        }
    }

    /// Records the result of a flow for the log: `success`, or the error code that the application gets.
    pub fn ended(&self, ending: &'static str) {
        let _ = self.ending.set(ending);
    }

    /// Records the reason for the log. The response only says that the token was rejected.
    pub fn refuse(&self, why: Refused) -> Problem {
        let _ = self.refused.set(why);
        Problem::Unauthenticated
    }

    /// What the operator reads in the log, if there is something.
    pub fn why(&self) -> Option<&str> {
        let failure = self.failure.get().map(|failure| failure.why.as_str());
        failure.or_else(|| self.unexpected.get().map(String::as_str))
    }

    pub fn query(&self) -> &str {
        self.http.uri().query().unwrap_or_default()
    }

    /// A field with a single value. A value that cannot be read is an error and not the same as a missing field:
    /// otherwise an unreadable value could allow what a readable one forbids.
    ///
    /// # Errors
    /// The field occurs twice, or is not UTF-8.
    pub fn field(&self, name: &str) -> Result<Option<&str>, Problem> {
        let mut values = self.http.headers().get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => readable(name, value).map(Some),
            (Some(_), Some(_)) => Err(Problem::InvalidHeader(name.to_owned())),
        }
    }

    /// A field that is a list, in one line or several (RFC 9110 section 5.3).
    ///
    /// # Errors
    /// A line is not UTF-8.
    pub fn list(&self, name: &str) -> Result<Vec<&str>, Problem> {
        let lines = self.http.headers().get_all(name).iter().map(|value| readable(name, value));
        Ok(lines.collect::<Result<Vec<_>, _>>()?.into_iter().flat_map(|line| line.split(',')).map(str::trim).collect())
    }

    /// Whether a user will see the response: a browser navigates here, and it is no request of a program.
    pub fn shows_a_page(&self) -> bool {
        let navigates = self.field("sec-fetch-mode").is_ok_and(|mode| mode == Some("navigate"));
        let html = |range: &&str| range.split(';').next().is_some_and(|kind| kind.trim() == "text/html");
        let browsed = matches!(self.route, Some(Route::Authorize(_) | Route::Callback(..)));
        browsed && (navigates || self.list("accept").is_ok_and(|ranges| ranges.iter().any(html)))
    }

    /// The bearer token of the `Authorization` field (RFC 6750 section 2.1).
    pub fn bearer(&self) -> Result<Option<&str>, Problem> {
        let field = self.field("authorization").map_err(|_| Problem::Unauthenticated)?;
        let Some((scheme, token)) = field.map(|field| field.split_once(' ').unwrap_or_default()) else {
            return Ok(None);
        };
        if scheme.eq_ignore_ascii_case("bearer") { Ok(Some(token.trim())) } else { Err(Problem::Unauthenticated) }
    }

    /// The cookie of this name. With two of them there is none: a server of a neighboring domain may have set one.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let mut found = self.cookies(name);
        match (found.next(), found.next()) {
            (Some(value), None) => std::str::from_utf8(value).ok(),
            _ => None,
        }
    }

    /// Every cookie of this name (RFC 6265 section 5.4), whatever bytes are around it.
    pub fn cookies(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let fields = self.http.headers().get_all("cookie").iter().map(|value| value.as_bytes());
        let pairs = fields.flat_map(|field| field.split(|&byte| byte == b';')).map(<[u8]>::trim_ascii);
        pairs.filter_map(move |pair| {
            let value = pair.strip_prefix(name.as_bytes())?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
            Some(value.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")).unwrap_or(value))
        })
    }

    /// # Errors
    /// The body is not a JSON object of this form.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Problem> {
        let json = self.field("content-type")?.is_some_and(|kind| {
            kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
        });
        if !json {
            return Err(Problem::InvalidBody("Content-Type is not application/json".into()));
        }
        serde_json::from_slice(self.http.body()).map_err(|error| {
            // serde's message quotes the input, so it is not returned.
            let why = match error.classify() {
                serde_json::error::Category::Data => "a field is missing, unknown, or not of its kind",
                _ => "it is not JSON",
            };
            Problem::InvalidBody(why.into())
        })
    }

    /// Decoded parameters, each at most once.
    ///
    /// # Errors
    /// One of `known` occurs twice.
    pub fn parameters(&self, known: &[&'static str]) -> Result<BTreeMap<&'static str, String>, Problem> {
        let mut found = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(self.query().as_bytes()) {
            let Some(name) = known.iter().find(|known| **known == name) else { continue };
            if found.insert(*name, value.into_owned()).is_some() {
                return Err(Problem::DuplicateParameter(name));
            }
        }
        Ok(found)
    }
}

fn readable<'v>(name: &str, value: &'v HeaderValue) -> Result<&'v str, Problem> {
    std::str::from_utf8(value.as_bytes()).map_err(|_| Problem::InvalidHeader(name.to_owned()))
}

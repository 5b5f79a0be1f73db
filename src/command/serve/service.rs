//! One request of the service: who asks, which address, the answer, and its line in the log.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use super::{
    access::{Entry, Metrics},
    ledger::Ledger,
    providers::Providers,
    renew::Renewer,
};
use crate::{
    catalog::{Integration, IntegrationName},
    oauth::HttpRequest,
    reply::{FieldValue, Reply},
    report::LogWriter,
    secret::Secret,
    serve::{
        authorize::{Credential, presented},
        config::Config,
        jwt::{Caller, OrgRefused, Refused, Verifier},
        problem::Problem,
        rate::{Exceeded, Limits},
        route::Route,
        store::StoreFault,
    },
    system::{
        clock,
        entropy::NoEntropy,
        http::Http,
        jwks,
        server::{Answering, Request, Respond, blocking},
    },
};

/// Everything that a request may need. Shared by all of them.
pub struct Service {
    pub config: Config,
    pub ledger: Ledger,
    pub renewer: Renewer,
    pub verifier: Arc<Verifier>,
    pub limits: Limits,
    pub providers: Providers,
    pub metrics: Arc<Metrics>,
    pub log: LogWriter,
    pub numbers: Numbers,
}

/// Numbers of requests, from a random one on, so that those of two starts are not mixed up in a log.
pub struct Numbers(AtomicU64);

impl Numbers {
    pub fn from(first: u64) -> Self {
        Self(AtomicU64::new(first))
    }

    fn next(&self) -> String {
        format!("{:016x}", self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// What an answer is, or why there is none.
pub type Answer = Result<Reply, Problem>;

impl Respond for Service {
    fn respond(&self, request: Request) -> Answering<'_> {
        Box::pin(self.answered(request))
    }
}

impl Service {
    async fn answered(&self, request: Request) -> Reply {
        let began = clock::instant();
        let asked = Asked::new(request, self);
        let result = match &asked.route {
            Some(route) => self.routed(route, &asked).await,
            None => Err(Problem::NotFound),
        };
        let code = result.as_ref().err().map(Problem::code);
        let reply = match result {
            Ok(reply) => reply,
            Err(problem) => problem.reply(&asked.number),
        };
        let reply = self.with_origin(reply, &asked);
        self.note(&asked, &reply, code, began);
        reply
    }

    async fn routed(&self, route: &Route, asked: &Asked) -> Answer {
        let method = asked.http.method().as_str();
        if !route.methods().split(", ").any(|known| known == method) {
            return Err(Problem::MethodNotAllowed(route.methods()));
        }
        if let Some(origin) = asked.field("origin") {
            let known = self.config.callbacks.admits_origin(None, origin);
            if !known && route.methods().contains("OPTIONS") {
                return Err(Problem::OriginNotAllowed);
            }
        }
        if method == "OPTIONS" {
            return Ok(preflight(route, asked));
        }
        match (route, method) {
            (Route::Health, _) => Ok(Reply::text(200, "ok\n")),
            (Route::Authorize(group), _) => self.authorize(self.integration(group)?, asked).await,
            (Route::Callback(group, _), _) => self.callback(self.integration(group)?, asked).await,
            (Route::Link(group), _) => self.link(self.integration(group)?, asked).await,
            (Route::Token(group), _) => self.token(self.integration(group)?, asked).await,
            (Route::Connections, _) => self.connections(asked).await,
            (Route::Connection(id), "DELETE") => self.disconnect(*id, asked).await,
            (Route::Connection(id), _) => self.connection(*id, asked).await,
        }
    }

    pub fn integration(&self, group: &IntegrationName) -> Result<&Integration, Problem> {
        self.config.catalog.get(group.as_str()).map_err(|_| Problem::UnknownGroup)
    }

    /// Who asks, by a header or, where `query` and the cookie may speak, by those.
    ///
    /// # Errors
    /// Nobody that is known, or for no organisation.
    pub async fn caller(
        &self,
        asked: &Asked,
        query: Option<&Secret>,
        cookie: Cookie,
    ) -> Result<(Caller, Credential), Problem> {
        let session = match (cookie, &self.config.session_cookie) {
            (Cookie::Counts, Some(name)) => asked.cookie(name),
            _ => None,
        };
        let header = asked.bearer()?;
        let presented = presented(header, query, session)?;
        let verified = match self.verifier.verify(presented.token, clock::now()) {
            Err((Refused::UnknownKey, Some(issuer))) => {
                let verifier = Arc::clone(&self.verifier);
                let fetch = move || jwks::refetch(&verifier, issuer, &Http::default(), clock::now());
                // What came of it shows when the token is looked at again.
                let _ = blocking(fetch).await;
                self.verifier.verify(presented.token, clock::now())
            }
            first => first,
        };
        let verified = verified.map_err(|(why, issuer)| match (asked.refused(why), issuer) {
            (_, Some(issuer)) if !self.verifier.has_keys(issuer) => Problem::IssuerUnavailable,
            (refused, _) => refused,
        })?;
        let org = verified.org_header().and_then(|name| asked.field(name)).map(str::to_owned);
        let caller = verified.caller(org.as_deref()).map_err(|why| match why {
            OrgRefused::Forbidden => Problem::OrgForbidden,
            OrgRefused::Required => Problem::OrgRequired,
        })?;
        if let Some(origin) = asked.field("origin")
            && !self.config.callbacks.admits_origin(Some(caller.owner.org.as_str()), origin)
        {
            return Err(Problem::OriginNotAllowed);
        }
        Ok((caller, presented.credential))
    }

    /// Pages of the application's origins may read the answer; of no others.
    fn with_origin(&self, reply: Reply, asked: &Asked) -> Reply {
        let shared = asked.route.as_ref().is_some_and(|route| route.methods().contains("OPTIONS"));
        let origin = asked.field("origin").filter(|origin| self.config.callbacks.admits_origin(None, origin));
        match origin.and_then(FieldValue::new) {
            Some(origin) if shared => reply
                .with_value("Access-Control-Allow-Origin", origin)
                .with_field("Access-Control-Allow-Credentials", "true")
                .with_field("Vary", "Origin"),
            _ => reply,
        }
    }

    fn note(&self, asked: &Asked, reply: &Reply, code: Option<&'static str>, began: Instant) {
        let route = asked.route.as_ref();
        let integration = route.and_then(Route::integration).filter(|name| self.integration(name).is_ok());
        let template = route.map_or("", Route::template);
        self.metrics.answered(template, reply.status_code());
        let took = clock::instant().duration_since(began);
        let entry = Entry {
            request: &asked.number,
            client: asked.client,
            method: match asked.http.method().as_str() {
                "GET" => "GET",
                "POST" => "POST",
                "DELETE" => "DELETE",
                "OPTIONS" => "OPTIONS",
                _ => "other",
            },
            route: template,
            group: integration.map(IntegrationName::as_str),
            status: reply.status_code(),
            code,
            ending: asked.ending.get().copied(),
            refused: asked.refused.get().map(|why| why.as_str()),
            ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        };
        if self.log.write(&entry, clock::now()).is_err() {
            self.metrics.lost_line();
        }
    }
}

/// Whether the application's session cookie says who asks: only where a browser navigates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    Counts,
    Ignored,
}

/// A request with its number and what was read of it first.
pub struct Asked {
    pub http: HttpRequest,
    pub route: Option<Route>,
    pub client: std::net::IpAddr,
    /// Under which the log knows it.
    pub number: String,
    /// Of the flow that this request ended.
    ending: OnceLock<&'static str>,
    /// Of the token that it brought.
    refused: OnceLock<Refused>,
}

impl Asked {
    fn new(request: Request, service: &Service) -> Self {
        let Request { http, peer } = request;
        let forwarded = http.headers().get_all("x-forwarded-for").iter().map(|value| value.as_bytes());
        let client = service.config.trusted_proxies.client(peer, forwarded);
        Self {
            route: Route::of(http.uri().path()),
            http,
            client,
            number: service.numbers.next(),
            ending: OnceLock::new(),
            refused: OnceLock::new(),
        }
    }

    /// For the log: `success`, or what the application is told.
    pub fn ended(&self, ending: &'static str) {
        let _ = self.ending.set(ending);
    }

    /// For the log; the caller learns no more than that its token is not taken.
    fn refused(&self, why: Refused) -> Problem {
        let _ = self.refused.set(why);
        Problem::Unauthenticated
    }

    pub fn query(&self) -> &str {
        self.http.uri().query().unwrap_or_default()
    }

    /// `None` also where it stands twice, or is no text.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.http.headers().get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        }
    }

    /// RFC 6750 section 2.1.
    fn bearer(&self) -> Result<Option<&str>, Problem> {
        if !self.http.headers().contains_key("authorization") {
            return Ok(None);
        }
        let token = self.field("authorization").and_then(|field| {
            let (scheme, token) = field.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        token.map(Some).ok_or(Problem::Unauthenticated)
    }

    /// RFC 6265 section 5.4. Two of one name are none: a neighbour's domain may have planted one.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let fields = self.http.headers().get_all("cookie").iter().filter_map(|value| value.to_str().ok());
        let pairs = fields.flat_map(|field| field.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut found = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value);
        match (found.next(), found.next()) {
            (Some(value), None) => Some(value.trim_matches('"')),
            _ => None,
        }
    }

    /// # Errors
    /// It is no JSON object of this form.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Problem> {
        let json = self.field("content-type").is_some_and(|kind| {
            kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
        });
        if !json {
            return Err(Problem::InvalidBody("Content-Type is not application/json".into()));
        }
        serde_json::from_slice(self.http.body()).map_err(|error| {
            // serde quotes what it met; only its own half of the sentence is told.
            let why = match error.classify() {
                serde_json::error::Category::Data => "a field is missing, unknown, or not of its kind",
                _ => "it is not JSON",
            };
            Problem::InvalidBody(why.into())
        })
    }

    /// Decoded parameters, each of which may stand once.
    ///
    /// # Errors
    /// One of `known` stands twice.
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

/// What a page of another origin may ask (Fetch standard, CORS protocol).
fn preflight(route: &Route, asked: &Asked) -> Reply {
    let own = |name: &str| {
        let usual = ["accept", "authorization", "content-type"].iter().any(|known| name.eq_ignore_ascii_case(known));
        usual || name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("x-"))
    };
    let wanted = asked.field("access-control-request-headers").unwrap_or_default();
    let allowed: Vec<_> = wanted.split(',').map(str::trim).filter(|name| own(name)).collect();
    let reply = Reply::bytes(204, "text/plain", Vec::new())
        .with_field("Access-Control-Allow-Methods", route.methods())
        .with_field("Access-Control-Max-Age", "600");
    match FieldValue::new(allowed.join(", ")) {
        Some(names) => reply.with_value("Access-Control-Allow-Headers", names),
        None => reply,
    }
}

impl From<StoreFault> for Problem {
    fn from(_: StoreFault) -> Self {
        Self::Unavailable
    }
}

impl From<Exceeded> for Problem {
    fn from(exceeded: Exceeded) -> Self {
        Self::TooManyRequests { retry_after: exceeded.retry_after() }
    }
}

impl From<NoEntropy> for Problem {
    fn from(_: NoEntropy) -> Self {
        Self::Unavailable
    }
}

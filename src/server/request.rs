//! One request: its caller, its route, its response and its line in the log.

use std::{
    sync::{
        Arc, Once,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use super::{
    access::{Entry, Metrics},
    integrations::Providers,
    notices::{Notice, Notices},
    parsed_request::ParsedRequest,
    provider_failure::{ProviderFailure, Reported},
    refresh::Refresher,
    sealed_store::SealedStore,
};
use crate::{
    catalog::{Integration, IntegrationName},
    oauth::{RemoteText, ResponseMode},
    reply::{FieldValue, Reply},
    secret::Secret,
    service::{
        authorize::{Credential, presented},
        config::Config,
        jwt::{Caller, OrgRefused, Refused, Verifier},
        pages,
        problem::Problem,
        rate::{Exceeded, Limits},
        route::Route,
        store::StoreFault,
    },
    system::{
        access_log::LogWriter,
        clock,
        entropy::NoEntropy,
        http::Http,
        jwks,
        server::{Answering, Request, Respond, blocking},
    },
};

/// What requests share.
pub struct Service {
    pub config: Config,
    pub sealed: SealedStore,
    pub refresher: Refresher,
    pub verifier: Arc<Verifier>,
    pub limits: Limits,
    pub providers: Providers,
    pub metrics: Arc<Metrics>,
    pub log: LogWriter,
    pub numbers: RequestNumbers,
    pub notices: Notices,
    pub forwarding: Once,
    pub reported: Reported,
}

/// Numbers for requests. They start at a random one, so that the numbers of two runs differ.
pub struct RequestNumbers(AtomicU64);

impl RequestNumbers {
    pub fn from(first: u64) -> Self {
        Self(AtomicU64::new(first))
    }

    fn next(&self) -> String {
        format!("{:016x}", self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// A response, or the problem instead of one.
pub type Answer = Result<Reply, Problem>;

impl Respond for Service {
    fn respond(&self, request: Request) -> Answering<'_> {
        Box::pin(self.answered(request))
    }
}

impl Service {
    async fn answered(&self, request: Request) -> Reply {
        let began = clock::instant();
        self.note_forwarding(&request);
        let request = ParsedRequest::new(request, &self.config.trusted_proxies, self.numbers.next());
        let result = match &request.route {
            Some(route) => self.routed(route, &request).await,
            None => Err(Problem::NotFound),
        };
        let code = result.as_ref().err().map(Problem::code);
        let reply = match result {
            Ok(reply) => reply,
            Err(Problem::TooManyRequests { retry_after }) if request.shows_a_page() => pages::too_often(retry_after),
            Err(problem) => problem.reply(&request.number),
        };
        let reply = self.with_origin(reply, &request);
        self.note(&request, &reply, code, began);
        reply
    }

    /// A proxy that is not trusted: all of its users would count as one address. Reported once, because any client can
    /// send such a header.
    fn note_forwarding(&self, request: &Request) {
        let headers = request.http.headers();
        let Some(name) = ["X-Forwarded-For", "Forwarded"].into_iter().find(|name| headers.contains_key(*name)) else {
            return;
        };
        if self.config.trusted_proxies.trusts(request.peer) {
            return;
        }
        let peer = request.peer.to_canonical();
        self.forwarding.call_once(|| (self.notices)(&Notice::ForwardingIgnored { peer, header: name }));
    }

    async fn routed(&self, route: &Route, request: &ParsedRequest) -> Answer {
        let method = request.http.method().as_str();
        let posted = method == "POST" && self.expects_a_post(route);
        if !posted && !route.methods().split(", ").any(|known| known == method) {
            return Err(Problem::MethodNotAllowed(route.methods()));
        }
        if let Some(origin) = request.field("origin")? {
            let known = self.config.callbacks.admits_origin(None, origin);
            if !known && route.methods().contains("OPTIONS") {
                return Err(Problem::OriginNotAllowed);
            }
        }
        if method == "OPTIONS" {
            return preflight(route, request);
        }
        match (route, method) {
            (Route::Health, _) => Ok(Reply::text(200, "ok\n")),
            (Route::Authorize(group), _) => self.authorize(self.integration(group)?, request).await,
            (Route::Callback(group, instance), "POST") => {
                self.posted_callback(self.integration(group)?, instance.as_ref(), request)
            }
            (Route::Callback(group, _), _) => self.callback(self.integration(group)?, request).await,
            (Route::Link(group), _) => self.link(self.integration(group)?, request).await,
            (Route::Token(group), _) => self.token(self.integration(group)?, request).await,
            (Route::Connections, _) => self.connections(request).await,
            (Route::Connection(id), "DELETE") => self.disconnect(*id, request).await,
            (Route::Connection(id), _) => self.connection(*id, request).await,
        }
    }

    /// Tells the operator why a provider was of no use: in the log line of this request, and as a notice if it is news.
    pub fn provider_failed(&self, integration: &Integration, request: &ParsedRequest, failure: ProviderFailure) {
        if self.reported.is_news(&integration.name, &failure) {
            (self.notices)(&Notice::ProviderFailed {
                integration: integration.name.as_str(),
                step: failure.step.as_str(),
                why: &failure.why,
                oauth_error: failure.oauth_error.as_ref().map(RemoteText::as_str),
            });
        }
        let _ = request.failure.set(failure);
    }

    /// Whether the provider posts its response to this callback.
    fn expects_a_post(&self, route: &Route) -> bool {
        let Route::Callback(group, _) = route else { return false };
        self.integration(group).is_ok_and(|integration| integration.response_mode == ResponseMode::FormPost)
    }

    pub fn integration(&self, group: &IntegrationName) -> Result<&Integration, Problem> {
        self.config.catalog.get(group.as_str()).map_err(|_| Problem::UnknownGroup)
    }

    /// The caller, by the `Authorization` header, or by `query` or the session cookie where those count.
    ///
    /// # Errors
    /// The token is missing or rejected, or there is no organization.
    pub async fn caller(
        &self,
        request: &ParsedRequest,
        query: Option<&Secret>,
        cookie: Cookie,
    ) -> Result<(Caller, Credential), Problem> {
        let session = match (cookie, &self.config.session_cookie) {
            (Cookie::Counts, Some(name)) => request.cookie(name),
            _ => None,
        };
        let header = request.bearer()?;
        let presented = presented(header, query, session)?;
        let verified = match self.verifier.verify(presented.token, clock::now()) {
            Err((Refused::UnknownKey, Some(issuer))) => {
                let verifier = Arc::clone(&self.verifier);
                let fetch = move || jwks::refetch(&verifier, issuer, &Http::default(), clock::now());
                // The second verification shows whether the fetch helped.
                let _ = blocking(fetch).await;
                self.verifier.verify(presented.token, clock::now())
            }
            first => first,
        };
        let verified = verified.map_err(|(why, issuer)| match (request.refuse(why), issuer) {
            (_, Some(issuer)) if !self.verifier.has_keys(issuer) => Problem::IssuerUnavailable,
            (refused, _) => refused,
        })?;
        let org = verified.org_header().map(|name| request.field(name)).transpose()?.flatten();
        let caller = verified.caller(org).map_err(|why| match why {
            OrgRefused::Forbidden => Problem::OrgForbidden,
            OrgRefused::Required => Problem::OrgRequired,
        })?;
        if let Some(origin) = request.field("origin")?
            && !self.config.callbacks.admits_origin(Some(&caller.owner), origin)
        {
            return Err(Problem::OriginNotAllowed);
        }
        Ok((caller, presented.credential))
    }

    /// Pages of the application's origins may read the response, and no others.
    fn with_origin(&self, reply: Reply, request: &ParsedRequest) -> Reply {
        let shared = request.route.as_ref().is_some_and(|route| route.methods().contains("OPTIONS"));
        let origin =
            request.field("origin").ok().flatten().filter(|origin| self.config.callbacks.admits_origin(None, origin));
        match origin.and_then(FieldValue::new) {
            Some(origin) if shared => reply
                .with_value("Access-Control-Allow-Origin", origin)
                .with_field("Access-Control-Allow-Credentials", "true")
                .with_field("Vary", "Origin"),
            _ => reply,
        }
    }

    fn note(&self, request: &ParsedRequest, reply: &Reply, code: Option<&'static str>, began: Instant) {
        let route = request.route.as_ref();
        let integration = route.and_then(Route::integration).filter(|name| self.integration(name).is_ok());
        let template = route.map_or("", Route::template);
        self.metrics.answered(template, reply.status_code());
        let took = clock::instant().duration_since(began);
        let failure = request.failure.get();
        let entry = Entry {
            request: &request.number,
            client: request.client,
            method: match request.http.method().as_str() {
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
            ending: request.ending.get().copied(),
            refused: request.refused.get().map(|why| why.as_str()),
            why: request.why(),
            oauth_error: failure.and_then(|failure| Some(failure.oauth_error.as_ref()?.as_str())),
            provider_status: failure.and_then(|failure| failure.status),
            token_response: request.token_response.get().map(String::as_str),
            ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        };
        if self.log.write(&entry, clock::now()).is_err() {
            self.metrics.lost_line();
        }
    }
}

/// Whether the application's session cookie identifies the caller: only in navigations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    Counts,
    Ignored,
}

/// The response to a CORS preflight (Fetch standard, CORS protocol).
fn preflight(route: &Route, request: &ParsedRequest) -> Answer {
    let own = |name: &str| {
        let usual = ["accept", "authorization", "content-type"].iter().any(|known| name.eq_ignore_ascii_case(known));
        usual || name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("x-"))
    };
    let wanted = request.list("access-control-request-headers")?;
    let allowed: Vec<_> = wanted.into_iter().filter(|name| own(name)).collect();
    let reply = Reply::bytes(204, "text/plain", Vec::new())
        .with_field("Access-Control-Allow-Methods", route.methods())
        .with_field("Access-Control-Max-Age", "600");
    Ok(match FieldValue::new(allowed.join(", ")) {
        Some(names) => reply.with_value("Access-Control-Allow-Headers", names),
        None => reply,
    })
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

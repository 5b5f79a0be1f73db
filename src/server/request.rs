//! One request of the service: who asks, which address, the answer, and its line in the log.

use std::{
    sync::{
        Arc, Once,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use super::{
    access::{Entry, Metrics},
    asked::Asked,
    notices::{Notice, Notices},
    providers::Providers,
    refresh::Refresher,
    sealed_store::SealedStore,
};
use crate::{
    catalog::{Integration, IntegrationName},
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

/// Everything that a request may need. Shared by all of them.
pub struct Service {
    pub config: Config,
    pub sealed: SealedStore,
    pub refresher: Refresher,
    pub verifier: Arc<Verifier>,
    pub limits: Limits,
    pub providers: Providers,
    pub metrics: Arc<Metrics>,
    pub log: LogWriter,
    pub numbers: Numbers,
    pub notices: Notices,
    pub forwarding: Once,
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
        self.note_forwarding(&request);
        let asked = Asked::new(request, &self.config.trusted_proxies, self.numbers.next());
        let result = match &asked.route {
            Some(route) => self.routed(route, &asked).await,
            None => Err(Problem::NotFound),
        };
        let code = result.as_ref().err().map(Problem::code);
        let reply = match result {
            Ok(reply) => reply,
            Err(Problem::TooManyRequests { retry_after }) if asked.shows_a_page() => pages::too_often(retry_after),
            Err(problem) => problem.reply(&asked.number),
        };
        let reply = self.with_origin(reply, &asked);
        self.note(&asked, &reply, code, began);
        reply
    }

    /// A proxy that is not trusted: all of its users would count as one address. Said once, since anybody can send such
    /// a header.
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

    async fn routed(&self, route: &Route, asked: &Asked) -> Answer {
        let method = asked.http.method().as_str();
        if !route.methods().split(", ").any(|known| known == method) {
            return Err(Problem::MethodNotAllowed(route.methods()));
        }
        if let Some(origin) = asked.field("origin")? {
            let known = self.config.callbacks.admits_origin(None, origin);
            if !known && route.methods().contains("OPTIONS") {
                return Err(Problem::OriginNotAllowed);
            }
        }
        if method == "OPTIONS" {
            return preflight(route, asked);
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
        let verified = verified.map_err(|(why, issuer)| match (asked.refuse(why), issuer) {
            (_, Some(issuer)) if !self.verifier.has_keys(issuer) => Problem::IssuerUnavailable,
            (refused, _) => refused,
        })?;
        let org = verified.org_header().map(|name| asked.field(name)).transpose()?.flatten();
        let caller = verified.caller(org).map_err(|why| match why {
            OrgRefused::Forbidden => Problem::OrgForbidden,
            OrgRefused::Required => Problem::OrgRequired,
        })?;
        if let Some(origin) = asked.field("origin")?
            && !self.config.callbacks.admits_origin(Some(&caller.owner), origin)
        {
            return Err(Problem::OriginNotAllowed);
        }
        Ok((caller, presented.credential))
    }

    /// Pages of the application's origins may read the answer; of no others.
    fn with_origin(&self, reply: Reply, asked: &Asked) -> Reply {
        let shared = asked.route.as_ref().is_some_and(|route| route.methods().contains("OPTIONS"));
        let origin =
            asked.field("origin").ok().flatten().filter(|origin| self.config.callbacks.admits_origin(None, origin));
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

/// What a page of another origin may ask (Fetch standard, CORS protocol).
fn preflight(route: &Route, asked: &Asked) -> Answer {
    let own = |name: &str| {
        let usual = ["accept", "authorization", "content-type"].iter().any(|known| name.eq_ignore_ascii_case(known));
        usual || name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("x-"))
    };
    let wanted = asked.list("access-control-request-headers")?;
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

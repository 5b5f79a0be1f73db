//! Health, readiness and metrics for operators and load balancers, on a separate listener that is never public
//! (docs/threats.md, V32).

use std::sync::Arc;

use tokio::sync::watch;

use super::access::Metrics;
use crate::{
    reply::Reply,
    service::{jwt::Verifier, store::Store},
    system::server::{Answering, Phase, Request, Respond},
};

/// Open connections at the same time.
pub const CONNECTIONS: usize = 64;

pub struct Admin {
    pub store: Arc<dyn Store>,
    pub verifier: Arc<Verifier>,
    pub metrics: Arc<Metrics>,
    pub phase: watch::Receiver<Phase>,
}

impl Respond for Admin {
    fn respond(&self, request: Request) -> Answering<'_> {
        Box::pin(async move {
            if request.http.method().as_str() != "GET" {
                return Reply::status(405).allow("GET");
            }
            match request.http.uri().path() {
                "/healthz" => Reply::text(200, "ok\n"),
                "/readyz" => self.ready().await,
                "/metrics" => Reply::bytes(200, "text/plain; version=0.0.4", self.metrics.text().into_bytes()),
                _ => Reply::status(404),
            }
        })
    }
}

impl Admin {
    async fn ready(&self) -> Reply {
        if *self.phase.borrow() != Phase::Open {
            return Reply::text(503, "draining\n");
        }
        if !self.verifier.is_ready() {
            return Reply::text(503, "an issuer's keys could not be fetched yet\n");
        }
        match self.store.ready().await {
            Ok(()) => Reply::text(200, "ready\n"),
            Err(_) => Reply::text(503, "the database cannot be used\n"),
        }
    }
}

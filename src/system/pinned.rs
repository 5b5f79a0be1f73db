//! HTTP to one server only, a [`Reach`]: its name is resolved once per request, the addresses are checked, and only
//! they are connected to. TLS and `Host` still contain the name. Redirects are not followed, and a proxy is not used,
//! because it would resolve the name itself.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use ureq::{
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{ResolvedSocketAddrs, Resolver},
        transport::NextTimeout,
    },
};

use super::http::{Http, Names};
use crate::{
    oauth::{HttpClient, HttpError, HttpRequest, HttpResponse},
    service::base_url::{BaseUrlRefused, Reach},
};

/// A client for one server.
#[derive(Debug)]
pub struct PinnedHttp<R = Names> {
    http: Http,
    reach: Reach,
    names: Arc<R>,
}

impl PinnedHttp {
    /// A client with the deadline and the CAs of `http`.
    pub fn through(http: Http, reach: Reach) -> Self {
        Self { http, reach, names: Arc::default() }
    }
}

impl<R: Resolver> HttpClient for PinnedHttp<R> {
    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let judged = Judged { reach: self.reach.clone(), names: Arc::clone(&self.names) };
        if !judged.is_for(request.uri()) {
            return Err(HttpError::Connect("the request is for another server than the base URL".into()));
        }
        self.http.send_through(request, judged, None)
    }
}

/// Resolves with another resolver and checks the addresses.
#[derive(Debug)]
struct Judged<R> {
    reach: Reach,
    names: Arc<R>,
}

impl<R> Judged<R> {
    fn is_for(&self, uri: &Uri) -> bool {
        let usual = match uri.scheme_str() {
            Some("https") => 443,
            _ => 80,
        };
        let scheme = uri.scheme_str().unwrap_or_default();
        self.reach.is_for(scheme, uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(usual))
    }
}

impl<R: Resolver> Resolver for Judged<R> {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        if !self.is_for(uri) {
            return Err(refused(BaseUrlRefused::NotListed));
        }
        let resolved = self.names.resolve(uri, config, timeout)?;
        let addresses: Vec<IpAddr> = resolved.iter().map(SocketAddr::ip).collect();
        self.reach.judge(&addresses).map_err(refused)?;
        Ok(resolved)
    }
}

fn refused(why: BaseUrlRefused) -> ureq::Error {
    ureq::Error::Other(Box::new(Refused(why)))
}

#[derive(Debug, thiserror::Error)]
#[error("the server of the base URL is refused: {0}")]
struct Refused(BaseUrlRefused);

#[cfg(test)]
mod tests;

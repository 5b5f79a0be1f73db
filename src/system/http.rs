//! HTTP by ureq: bounded body, deadlines on everything, no redirects, no compression, no proxy to loopback.

use std::time::{Duration, Instant};

use ureq::{
    Agent, Proxy,
    config::Config,
    http::Uri,
    tls::TlsConfig,
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::{DefaultConnector, NextTimeout},
    },
};

use super::clock;
use crate::oauth::{HttpClient, HttpError, HttpRequest, HttpResponse};

/// Largest reply in bytes.
const LONGEST_REPLY: u64 = 1024 * 1024;
const CONNECT: Duration = Duration::from_secs(10);
/// With what a command does before and after, it ends within 35 s.
const WHOLE: Duration = Duration::from_secs(28);
pub(super) const NO_NAME: &str = "the name cannot be resolved (DNS)";
const NOT_IN_TIME: &str = "no connection in time";

/// One connection a request. Requests that serve one purpose share their time, however many they are: a provider that is
/// silent, or drips, is waited for once.
#[derive(Clone, Copy, Debug)]
pub struct Http {
    until: Instant,
}

impl Default for Http {
    fn default() -> Self {
        Self { until: clock::instant() + WHOLE }
    }
}

impl Http {
    /// For requests that together may take this long.
    pub fn within(time: Duration) -> Self {
        Self { until: clock::instant() + time }
    }
}

impl HttpClient for Http {
    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let proxy = if is_loopback(&request) { None } else { Proxy::try_from_env() };
        self.send_through(request, Names::default(), proxy)
    }
}

fn is_loopback(request: &HttpRequest) -> bool {
    let host = request.uri().host().unwrap_or_default();
    host == "localhost" || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl Http {
    /// The same with another resolver, which is asked once: redirects are not followed.
    pub(super) fn send_through(
        &self,
        request: HttpRequest,
        names: impl Resolver,
        proxy: Option<Proxy>,
    ) -> Result<HttpResponse, HttpError> {
        let left = self.until.saturating_duration_since(clock::instant());
        if left.is_zero() {
            return Err(HttpError::Connect(NOT_IN_TIME.into()));
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .https_only(!is_loopback(&request))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy)
            // Shorter than the whole, so that what never got a connection is told as that.
            .timeout_connect(Some(CONNECT.min(left / 2)))
            .timeout_global(Some(left))
            .tls_config(TlsConfig::builder().root_certs(ureq::tls::RootCerts::PlatformVerifier).build())
            .user_agent(concat!("loopin/", env!("CARGO_PKG_VERSION")))
            .build();
        let agent = Agent::with_parts(config, DefaultConnector::default(), names);
        let reply = match request.body().is_empty() {
            true => agent.run(request.map(drop)),
            false => agent.run(request),
        };
        let (parts, body) = reply.map_err(error)?.into_parts();
        let body = body.into_with_config().limit(LONGEST_REPLY).read_to_vec().map_err(error)?;
        Ok(HttpResponse::from_parts(parts, body))
    }
}

/// The system's resolver. What it says about a name comes as an I/O error like any other, though nothing was sent: that
/// it was about a name has to be noted here.
#[derive(Debug, Default)]
pub struct Names(DefaultResolver);

impl Resolver for Names {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        self.0.resolve(uri, config, timeout).map_err(|error| match error {
            ureq::Error::Io(_) => ureq::Error::HostNotFound,
            other => other,
        })
    }
}

/// In words of our own: a library's error can quote the URL.
fn error(error: ureq::Error) -> HttpError {
    match error {
        ureq::Error::BodyExceedsLimit(_) => HttpError::TooLarge,
        ureq::Error::HostNotFound => HttpError::Connect(NO_NAME.into()),
        ureq::Error::ConnectionFailed => HttpError::Connect("the connection failed".into()),
        ureq::Error::ConnectProxyFailed(_) | ureq::Error::InvalidProxyUrl => {
            HttpError::Connect("the proxy failed".into())
        }
        ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => HttpError::Connect(NOT_IN_TIME.into()),
        ureq::Error::Timeout(_) => HttpError::Timeout,
        ureq::Error::Tls(why) => HttpError::Tls(why.into()),
        ureq::Error::Rustls(why) => HttpError::Tls(why.to_string()),
        ureq::Error::RequireHttpsOnly(_) | ureq::Error::TlsRequired => HttpError::Tls("plain http is refused".into()),
        ureq::Error::Io(why) => io(&why),
        // From a resolver of ours, before anything was sent.
        ureq::Error::Other(why) => HttpError::Connect(why.to_string()),
        _ => HttpError::Broken("the reply is not HTTP".into()),
    }
}

pub(super) fn io(error: &std::io::Error) -> HttpError {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::ConnectionRefused => HttpError::Connect("the connection was refused".into()),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            HttpError::Connect("the network cannot be reached".into())
        }
        ErrorKind::TimedOut => HttpError::Timeout,
        // rustls reports through io; its words name certificates, never what was sent.
        ErrorKind::InvalidData => HttpError::Tls(error.to_string()),
        kind => HttpError::Broken(kind.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_one_purpose_share_their_time() {
        let http = Http { until: clock::instant() };
        let request = HttpRequest::new(Vec::new());
        assert_eq!(Some(HttpError::Connect(NOT_IN_TIME.into())), http.send(request).err(), "it is over");
    }
}

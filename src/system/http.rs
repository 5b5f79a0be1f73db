//! An HTTP client by ureq: bounded bodies, deadlines for everything, no redirects, no compression, no proxy for
//! loopback.

mod ca;
mod proxy;
mod trust;

use std::time::{Duration, Instant};

use ureq::{
    Agent, ProxyProtocol,
    config::{Config, IpFamily},
    http::Uri,
    tls::{RootCerts, TlsConfig},
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::{
            ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, RustlsConnector, SocksConnector,
            TcpConnector, Transport,
        },
    },
};

use self::proxy::Named;
use super::{clock, environment};
use crate::{
    catalog::{CaFile, Integration},
    deadlines::{COMMAND_REQUESTS, CONNECTS},
    oauth::{AtMost, CaStore, HttpClient, HttpError, HttpRequest, HttpResponse},
};

/// Largest response in bytes.
const LONGEST_REPLY: u64 = 1024 * 1024;
pub(super) const NO_NAME: &str = "the name cannot be resolved (DNS)";
const NOT_IN_TIME: &str = "no connection in time";

/// One connection per request. All requests for one purpose share their time: a provider that is silent or slow is
/// waited for once.
#[derive(Clone, Debug)]
pub struct Http {
    until: Instant,
    /// The CAs that count in place of the system's.
    ca: Option<CaFile>,
}

impl Default for Http {
    fn default() -> Self {
        Self::within(COMMAND_REQUESTS)
    }
}

impl Http {
    /// For requests that together may take this long.
    pub fn within(time: Duration) -> Self {
        Self { until: clock::instant() + time, ca: None }
    }

    /// For the servers of this integration's provider.
    pub fn at(integration: &Integration) -> Self {
        Self::default().trusting(integration.ca.as_ref())
    }

    /// With the CAs of this file in place of the system's.
    pub fn trusting(self, ca: Option<&CaFile>) -> Self {
        Self { ca: ca.cloned(), ..self }
    }

    /// Checks the file of CA certificates before anything is sent. It is read again for every request, so that a file that
    /// was replaced counts at once.
    ///
    /// # Errors
    /// [`HttpError::UnusableCa`].
    pub fn check_ca(&self) -> Result<(), HttpError> {
        self.ca.as_ref().map_or(Ok(()), |ca| ca::read(ca).map(drop))
    }

    fn roots(&self, request: &HttpRequest) -> Result<RootCerts, HttpError> {
        match &self.ca {
            Some(ca) if request.uri().scheme_str() == Some("https") => Ok(RootCerts::Specific(ca::read(ca)?)),
            _ => Ok(RootCerts::PlatformVerifier),
        }
    }

    /// The reason in our own words. A CA that is unknown is one that the integration's own file does not have.
    fn error(&self, error: ureq::Error) -> HttpError {
        match (self::error(error), &self.ca) {
            (HttpError::UnknownCa(_), Some(ca)) => HttpError::UnknownCa(ca::store(ca)),
            (error, _) => error,
        }
    }
}

impl HttpClient for Http {
    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let proxy = if is_loopback(request.uri()) { None } else { proxy::choose(request.uri(), environment::raw)? };
        self.send_through(request, Names::default(), proxy)
    }
}

/// Checks that the environment names a usable proxy, or none. A service checks it at its start.
///
/// # Errors
/// [`HttpError::Proxy`].
pub fn check_proxy() -> Result<(), HttpError> {
    proxy::choose(&Uri::from_static("https://provider.example/"), environment::raw).map(drop)
}

/// The way to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    Direct,
    Proxy {
        variable: &'static str,
        /// Without user name and password.
        url: String,
    },
}

/// The way to the server of this host, with or without a port.
///
/// # Errors
/// [`HttpError::Proxy`].
pub fn route(authority: &str) -> Result<Route, HttpError> {
    let uri = Uri::builder().scheme("https").authority(authority).path_and_query("/").build();
    let uri = uri.map_err(|_| HttpError::Connect("not an address".into()))?;
    let proxy = if is_loopback(&uri) { None } else { proxy::choose(&uri, environment::raw)? };
    Ok(proxy.map_or(Route::Direct, |Named { proxy, variable }| {
        let scheme = proxy.uri().scheme_str().unwrap_or("http").to_owned();
        Route::Proxy { variable, url: format!("{scheme}://{}:{}", proxy.host(), proxy.port()) }
    }))
}

/// The CAs that count for servers of an integration with this file, or without one.
pub fn ca_store(ca: Option<&CaFile>) -> CaStore {
    ca.map_or_else(trust::store, ca::store)
}

fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    host == "localhost" || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl Http {
    /// The same client with another resolver. It resolves once, because redirects are not followed.
    pub(super) fn send_through(
        &self,
        request: HttpRequest,
        names: impl Resolver,
        proxy: Option<Named>,
    ) -> Result<HttpResponse, HttpError> {
        let limit = request.extensions().get::<AtMost>().map_or(Duration::MAX, |limit| limit.0);
        let left = self.until.saturating_duration_since(clock::instant()).min(limit);
        if left.is_zero() {
            return Err(HttpError::Connect(NOT_IN_TIME.into()));
        }
        let (variable, proxy) = proxy.map(|named| (named.variable, named.proxy)).unzip();
        // SOCKS 4 supports no other addresses.
        let family = match proxy.as_ref().map(ureq::Proxy::protocol) {
            Some(ProxyProtocol::Socks4) => IpFamily::Ipv4Only,
            _ => IpFamily::Any,
        };
        let config = Agent::config_builder()
            .ip_family(family)
            .http_status_as_error(false)
            .https_only(!is_loopback(request.uri()))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy)
            // Shorter than the whole time, so that a request that got no connection is reported as such.
            .timeout_connect(Some(CONNECTS.min(left / 2)))
            .timeout_global(Some(left))
            .tls_config(TlsConfig::builder().root_certs(self.roots(&request)?).build())
            .user_agent(concat!("loopin/", env!("CARGO_PKG_VERSION")))
            .build();
        let variable = variable.unwrap_or_default();
        let connector =
            ().chain(ProxyConnector { connector: SocksConnector::default(), variable })
                .chain(ProxyConnector { connector: ConnectProxyConnector::default(), variable })
                .chain(TcpConnector::default())
                .chain(RustlsConnector::default());
        let agent = Agent::with_parts(config, connector, names);
        let reply = match request.body().is_empty() {
            true => agent.run(request.map(drop)),
            false => agent.run(request),
        };
        let (parts, body) = reply.map_err(|why| self.error(why))?.into_parts();
        let body = body.into_with_config().limit(LONGEST_REPLY).read_to_vec().map_err(error)?;
        Ok(HttpResponse::from_parts(parts, body))
    }
}

/// The system's resolver. It reports failures as I/O errors like any other, though nothing was sent, so they are
/// recorded here.
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

/// Connects through a proxy only. If that fails, the proxy is the reason and the server received nothing, which is
/// recorded here.
#[derive(Debug)]
struct ProxyConnector<C> {
    connector: C,
    variable: &'static str,
}

impl<In: Transport, C: Connector<In>> Connector<In> for ProxyConnector<C> {
    type Out = C::Out;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<C::Out>, ureq::Error> {
        let failed = |why| ureq::Error::Other(Box::new(ProxyFailure { variable: self.variable, why: words(why) }));
        self.connector.connect(details, chained).map_err(failed)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the proxy that {variable} names failed: {why}")]
struct ProxyFailure {
    variable: &'static str,
    why: String,
}

/// What went wrong with a proxy.
fn words(error: ureq::Error) -> String {
    match error {
        // "proxy server responded 407/407", or that it did not respond.
        ureq::Error::ConnectProxyFailed(why) => match why.split(|c: char| !c.is_ascii_digit()).find(|d| d.len() == 3) {
            Some("407") => {
                "it answered with status 407; write the user name and password that it wants into the variable: \
                            http://USER:PASSWORD@HOST:PORT"
                    .into()
            }
            Some(status) => format!("it answered with status {status}"),
            None => "it did not answer".into(),
        },
        // The SOCKS handshake reports I/O errors with texts of the protocol.
        ureq::Error::Io(why) if why.get_ref().is_some() => why.to_string(),
        ureq::Error::Timeout(_) => "it did not answer in time".into(),
        other => match self::error(other) {
            HttpError::Connect(why) | HttpError::Broken(why) | HttpError::Tls(why) => why,
            why @ (HttpError::Certificate(_)
            | HttpError::NoCa(_)
            | HttpError::UnknownCa(_)
            | HttpError::UnusableCa { .. }) => why.to_string(),
            HttpError::Proxy { .. } | HttpError::Timeout | HttpError::TooLarge => "it did not answer".into(),
        },
    }
}

/// Our own texts: a library's error can quote the URL.
fn error(error: ureq::Error) -> HttpError {
    match error {
        ureq::Error::BodyExceedsLimit(_) => HttpError::TooLarge,
        ureq::Error::HostNotFound => HttpError::Connect(NO_NAME.into()),
        ureq::Error::ConnectionFailed => HttpError::Connect("the connection failed".into()),
        ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => HttpError::Connect(NOT_IN_TIME.into()),
        ureq::Error::Timeout(_) => HttpError::Timeout,
        ureq::Error::Tls(why) => HttpError::Tls(why.into()),
        ureq::Error::Rustls(why) => trust::error(&why),
        ureq::Error::RequireHttpsOnly(_) | ureq::Error::TlsRequired => HttpError::Tls("plain http is refused".into()),
        ureq::Error::Io(why) => io(&why),
        // An error of our resolver or connector, before anything was sent.
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
        // rustls reports I/O errors; their texts name certificates, never what was sent.
        ErrorKind::InvalidData => match error.get_ref().and_then(|why| why.downcast_ref()) {
            Some(why) => trust::error(why),
            None => HttpError::Tls(error.to_string()),
        },
        kind => HttpError::Broken(kind.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_one_purpose_share_their_time() {
        let http = Http::within(Duration::ZERO);
        let request = HttpRequest::new(Vec::new());
        assert_eq!(Some(HttpError::Connect(NOT_IN_TIME.into())), http.send(request).err(), "it is over");
    }
}

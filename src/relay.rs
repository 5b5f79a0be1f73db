//! A callback on one's own domain that forwards, byte for byte.
//!
//! Here: the routes, and what one request is answered. A target comes from the configuration alone; of the request only
//! the bytes after the first `?` reach the reply, and they are copied, never parsed. `file` reads the routes from
//! `relay.toml` and refuses those that could be confused; `template` is the one placeholder; `state` is what a log and an
//! operator may know; `odd` and `check` are queries that others alter, and whether they came
//! back; `export` says the same routes to other servers. Sockets are elsewhere.

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use memchr::memchr;

use crate::{
    head::{Head, Host, Method},
    proxies::{ClientField, TrustedProxies},
    reply::{Forwarding, Reply},
};
pub use check::{Answer, Callback, NotAPlace, Place, Scheme, Verdict};
pub use file::TlsFiles;
pub use odd::{ODD_QUERIES, OddQuery, Refusable};
pub use state::{Access, Readiness, Reload, State, Tally};
use template::Template;

mod check;
pub mod export;
mod file;
mod odd;
mod state;
mod template;
#[cfg(test)]
mod tests;

/// Bytes of a query that is still forwarded; a longer one is answered with 414.
pub const LONGEST_QUERY: usize = 64 * 1024;

/// All routes, by the host they are asked at.
#[derive(Debug)]
pub struct Relay {
    settings: Settings,
    proxies: TrustedProxies,
    /// By the Host field in lower case.
    hosts: BTreeMap<Box<[u8]>, Vec<Route>>,
    /// In the order of the file.
    order: Vec<Route>,
}

/// Where and how requests are taken, whatever the routes.
#[derive(Clone, Debug)]
pub struct Settings {
    pub listen: SocketAddr,
    /// Where the state of the relay is told, if anywhere.
    pub admin: Option<SocketAddr>,
    /// Without it somebody in front speaks TLS.
    pub tls: Option<TlsFiles>,
    pub access_log: AccessLogging,
}

/// Whether each request is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessLogging {
    Off,
    On,
}

/// One way from a path of a host to a target.
#[derive(Clone, Debug)]
pub struct Route(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    environment: Name,
    host: String,
    path: Template,
    target: Template,
    providers: Providers,
}

/// An environment or a provider: `[a-z0-9_-]{1,64}`. It stands in a path as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

/// What may stand in the place of `{provider}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Providers {
    /// Any [`Name`].
    Any,
    Listed(Vec<Name>),
    /// The route has no placeholder.
    None,
}

/// What becomes of one request, and what a log may know of it.
#[derive(Debug)]
pub struct Decision<'a> {
    pub reply: Reply,
    /// The route that was taken.
    pub route: Option<&'a Route>,
    pub provider: Option<&'a str>,
}

/// Why a request is not forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No Host or several, a target that is no path or has a fragment, or a body.
    Malformed,
    /// Neither GET nor HEAD: a 307 would send a POST's body to the target.
    MethodNotAllowed,
    /// A host that no route names (RFC 9110 §15.5.20).
    Misdirected,
    /// No route of this host has this path, or not with this provider.
    NotFound,
    /// More than [`LONGEST_QUERY`].
    QueryTooLong,
}

impl Refusal {
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::QueryTooLong => 414,
            Self::Misdirected => 421,
        }
    }

    fn reply(self) -> Reply {
        let reply = Reply::status(self.status());
        if self == Self::MethodNotAllowed { reply.allow("GET, HEAD") } else { reply }
    }
}

impl Relay {
    fn new(settings: Settings, proxies: TrustedProxies, order: Vec<Route>) -> Self {
        let mut hosts: BTreeMap<Box<[u8]>, Vec<Route>> = BTreeMap::new();
        for route in &order {
            hosts.entry(route.0.host.to_ascii_lowercase().into_bytes().into()).or_default().push(route.clone());
        }
        Self { settings, proxies, hosts, order }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Who has asked, as far as the peer is believed.
    pub fn client(&self, peer: IpAddr, head: &Head) -> IpAddr {
        let written = match self.proxies.field() {
            ClientField::Forwarded => &head.forwarded,
            ClientField::XForwardedFor => &head.forwarded_for,
        };
        self.proxies.client(peer, written.as_deref().into_iter())
    }

    /// In the order of the file.
    pub fn routes(&self) -> &[Route] {
        &self.order
    }

    /// What a request with this head is answered. A body is not read, so a head that announces one is refused.
    pub fn respond<'a>(&'a self, head: &'a Head) -> Decision<'a> {
        match self.forward(head) {
            Ok(decision) => decision,
            Err(refusal) => Decision { reply: refusal.reply(), route: None, provider: None },
        }
    }

    fn forward<'a>(&'a self, head: &'a Head) -> Result<Decision<'a>, Refusal> {
        let Host::One(host) = &head.host else { return Err(Refusal::Malformed) };
        // The absolute form is a proxy's (RFC 9112 §3.2.2), and says a second time which host is meant.
        if head.target.first() != Some(&b'/') || memchr(b'#', &head.target).is_some() {
            return Err(Refusal::Malformed);
        }
        if !matches!(head.method, Method::Get | Method::Head) {
            return Err(Refusal::MethodNotAllowed);
        }
        if head.content_length != 0 {
            return Err(Refusal::Malformed);
        }
        let routes = self.hosts.get(host.as_slice());
        let routes = routes.or_else(|| self.hosts.get(host.to_ascii_lowercase().as_slice()));
        let routes = routes.ok_or(Refusal::Misdirected)?;
        let (path, query) = (head.path(), head.query());
        let taken = routes.iter().find_map(|route| Some((route, route.taken_by(path)?)));
        let (route, provider) = taken.ok_or(Refusal::NotFound)?;
        if query.is_some_and(|query| query.len() > LONGEST_QUERY) {
            return Err(Refusal::QueryTooLong);
        }
        let length = route.0.target.as_str().len() + provider.map_or(0, str::len) + query.map_or(0, <[u8]>::len) + 1;
        let mut location = Vec::with_capacity(length);
        route.0.target.write(&mut location, provider.unwrap_or_default());
        if let Some(query) = query {
            location.push(b'?');
            location.extend_from_slice(query);
        }
        let to = Forwarding::new(location).ok_or(Refusal::Malformed)?;
        Ok(Decision { reply: Reply::forward(to), route: Some(route), provider })
    }
}

impl Route {
    pub fn environment(&self) -> &Name {
        &self.0.environment
    }

    /// As the Host field must be, letter case aside; with a port where it carries one.
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// With its `{provider}`, if it has one.
    pub fn path(&self) -> &str {
        self.0.path.as_str()
    }

    /// With its `{provider}`, if it has one.
    pub fn target(&self) -> &str {
        self.0.target.as_str()
    }

    pub fn providers(&self) -> &Providers {
        &self.0.providers
    }

    /// `Some(None)`: this path, and it names no provider.
    fn taken_by<'p>(&self, path: &'p [u8]) -> Option<Option<&'p str>> {
        let segment = self.0.path.matched(path)?;
        match (&self.0.providers, segment) {
            (Providers::None, None) => Some(None),
            (providers, Some(segment)) => providers.named(segment).map(Some),
            (Providers::Any | Providers::Listed(_), None) => None,
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: https://{}{} to {}", self.environment(), self.host(), self.path(), self.target())?;
        match self.providers() {
            Providers::Any => f.write_str(", for any provider"),
            Providers::Listed(names) => {
                let names: Vec<_> = names.iter().map(Name::as_str).collect();
                write!(f, ", for {}", names.join(", "))
            }
            Providers::None => Ok(()),
        }
    }
}

impl Providers {
    /// The segment of a path, if it is one of these.
    fn named<'s>(&self, segment: &'s [u8]) -> Option<&'s str> {
        let text = std::str::from_utf8(segment).ok()?;
        let known = match self {
            Self::Any => Name::is_one(text),
            Self::Listed(names) => names.iter().any(|name| name.0 == text),
            Self::None => false,
        };
        known.then_some(text)
    }

    /// A provider can be named that both take.
    fn meet(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, _) | (_, Self::None) => false,
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::Listed(these), Self::Listed(those)) => these.iter().any(|name| those.contains(name)),
        }
    }
}

impl Name {
    /// `None`: empty, longer than 64 bytes, or another character than `a-z 0-9 _ -`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::is_one(text).then(|| Self(text.to_owned()))
    }

    fn is_one(text: &str) -> bool {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        (1..=64).contains(&text.len()) && text.bytes().all(allowed)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

//! Redirect URIs: registered, then bound to the port of a listener, never rewritten in between.
//! What is registered is a [`RegisteredRedirect`]; what is sent is a [`BoundRedirect`], which only
//! [`RegisteredRedirect::bind`] (and, for a service, [`RegisteredRedirect::at_its_own_address`]) makes, so `:0` is never
//! sent and two requests cannot differ. A [`RelayedRedirect`] is sent in its place where a relay stands between.
//! The judgement is in [`rules`]; sockets are elsewhere.

mod host;
mod parts;
mod relayed;
pub mod rules;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;
use std::num::NonZeroU16;

use host::{LOCALHOST, LOOPBACK_V4, LOOPBACK_V6};
use parts::{Parts, canonical_port};
pub use relayed::{RelayedError, RelayedRedirect};
use rules::{Finding, Rule};

/// Port of `http` that no browser writes (RFC 9110 section 4.2.1).
const HTTP_PORT: u16 = 80;

/// The same of `https`.
const HTTPS_PORT: u16 = 443;

const ORIGIN_SCHEME: &str = "http://";

/// A redirect URI as registered at the provider, byte for byte (RFC 6749 section 3.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredRedirect {
    text: String,
    landing: Landing,
}

/// Where the answer of the provider will arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landing {
    /// At a listener on this machine, over plain http (RFC 8252 section 7.3).
    Loopback { host: LoopbackHost, port: Port },
    /// At a domain, a service or an application: custom schemes, and https on loopback too, for
    /// which there is no certificate.
    Elsewhere,
}

/// The host to listen on, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopbackHost {
    /// `127.0.0.1`
    V4,
    /// `[::1]`
    V6,
    /// The name `localhost`: both addresses, or another program may answer (docs/threats.md, L04).
    Localhost,
}

/// What the URI says of the port to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// `:0`, any free port.
    Ephemeral,
    Fixed(NonZeroU16),
    /// No port is written.
    Unstated,
}

impl RegisteredRedirect {
    /// # Errors
    /// When one of the fourteen rules is broken; a warning is no error.
    pub fn parse(text: &str) -> Result<Self, RedirectError> {
        Self::unless_broken(text, |_| true)
    }

    /// Tolerates `http://localhost:0/...`, and nothing else that [`Self::parse`] refuses. Only for
    /// an integration whose provider takes no other name: native rule 2 is broken knowingly.
    ///
    /// # Errors
    /// When any other rule is broken.
    pub fn parse_insisting_on_localhost(text: &str) -> Result<Self, RedirectError> {
        let parts = Parts::split(text);
        let by_name = parts.host() == LOCALHOST && parts.userinfo().is_none();
        Self::unless_broken(text, |rule| !(by_name && rule == Rule::NativeHost))
    }

    fn unless_broken(text: &str, counts: impl Fn(Rule) -> bool) -> Result<Self, RedirectError> {
        let report = rules::check(text);
        let findings: Vec<_> = report.broken().filter(|f| counts(f.rule)).cloned().collect();
        if !findings.is_empty() {
            return Err(RedirectError { findings });
        }
        Ok(Self { text: text.to_owned(), landing: Landing::of(&Parts::split(text)) })
    }

    /// The bytes that were registered.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn landing(&self) -> Landing {
        self.landing
    }

    /// As written, with the brackets of an IPv6 address; empty for a custom scheme without one.
    pub fn host(&self) -> &str {
        Parts::split(&self.text).host()
    }

    /// Begins with `/`.
    pub fn path(&self) -> &str {
        Parts::split(&self.text).path
    }

    /// Without its `?`; `Some("")` when nothing follows it.
    pub fn query(&self) -> Option<&str> {
        Parts::split(&self.text).query
    }

    /// Puts the port of the bound socket in the place of `:0` (native rule 3).
    ///
    /// # Errors
    /// When the answer does not arrive on loopback, when no port is stated, and when the stated
    /// port is not the bound one.
    pub fn bind(&self, port: NonZeroU16) -> Result<BoundRedirect, BindError> {
        let Landing::Loopback { port: stated, .. } = self.landing else {
            return Err(BindError::NotLoopback);
        };
        match stated {
            Port::Unstated => return Err(BindError::PortUnstated),
            Port::Fixed(registered) if registered != port => {
                return Err(BindError::OtherPort { registered, bound: port });
            }
            Port::Fixed(_) | Port::Ephemeral => {}
        }
        let parts = Parts::split(&self.text);
        let host = parts.host();
        let origin = match port.get() {
            HTTP_PORT => format!("{ORIGIN_SCHEME}{host}"),
            port => format!("{ORIGIN_SCHEME}{host}:{port}"),
        };
        let text = parts.with_port(Some(&port.to_string())).join();
        Ok(BoundRedirect { sent: text.clone(), text, origin, port })
    }

    /// As registered, for a service that answers at an address of its own: no port is put in.
    ///
    /// # Errors
    /// For `:0`, and for what is neither https nor on loopback: no service can be asked there.
    pub fn at_its_own_address(&self) -> Result<BoundRedirect, BindError> {
        let parts = Parts::split(&self.text);
        let (scheme, usual) = match (parts.scheme, self.landing) {
            (_, Landing::Loopback { port: Port::Ephemeral, .. }) => return Err(BindError::PortUnstated),
            (Some(scheme), Landing::Loopback { .. }) => (scheme, HTTP_PORT),
            (Some(scheme), Landing::Elsewhere) if scheme == "https" => (scheme, HTTPS_PORT),
            _ => return Err(BindError::NotLoopback),
        };
        let stated = parts.port().and_then(canonical_port);
        let port = stated.or(NonZeroU16::new(usual)).ok_or(BindError::PortUnstated)?;
        let origin = match port.get() {
            port if port == usual => format!("{scheme}://{}", parts.host()),
            port => format!("{scheme}://{}:{port}", parts.host()),
        };
        Ok(BoundRedirect { sent: self.text.clone(), text: self.text.clone(), origin, port })
    }
}

impl Landing {
    fn of(parts: &Parts<'_>) -> Self {
        let host = match parts.host() {
            LOOPBACK_V4 => LoopbackHost::V4,
            LOOPBACK_V6 => LoopbackHost::V6,
            LOCALHOST => LoopbackHost::Localhost,
            _ => return Self::Elsewhere,
        };
        let port = match parts.port() {
            None => Port::Unstated,
            Some("0") => Port::Ephemeral,
            Some(port) => match canonical_port(port) {
                Some(port) => Port::Fixed(port),
                None => return Self::Elsewhere,
            },
        };
        match parts.scheme {
            Some("http") => Self::Loopback { host, port },
            _ => Self::Elsewhere,
        }
    }
}

/// What goes to the authorization endpoint and to the token endpoint: the very same string.
///
/// It cannot be written down, only bound:
/// ```compile_fail,E0451
/// use loopin::redirect::BoundRedirect;
/// let port = std::num::NonZeroU16::MIN;
/// let bound = BoundRedirect { sent: String::new(), text: String::new(), origin: String::new(), port };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundRedirect {
    /// The text itself, or the relay's.
    sent: String,
    /// Where the listener is.
    text: String,
    /// The scheme, the host, and the port unless it is the scheme's own.
    origin: String,
    port: NonZeroU16,
}

impl BoundRedirect {
    pub fn as_str(&self) -> &str {
        &self.sent
    }

    /// Where the answer arrives in the end; another URI than the one that is sent where a relay stands between.
    pub fn listened_at(&self) -> &str {
        &self.text
    }

    /// The relay's URI, if a relay stands between.
    pub fn relay(&self) -> Option<&str> {
        (self.sent != self.text).then_some(self.sent.as_str())
    }

    /// What the Host field of a request must be: `127.0.0.1:25417`, and for port 80 the host alone
    /// (RFC 9110 section 7.2).
    pub fn authority(&self) -> &str {
        self.origin.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// What an Origin field of our own pages would be (RFC 6454 section 6.2).
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Begins with `/`.
    pub fn path(&self) -> &str {
        Parts::split(&self.text).path
    }

    /// Without its `?`; the provider's parameters are added behind it.
    pub fn query(&self) -> Option<&str> {
        Parts::split(&self.text).query
    }

    pub fn port(&self) -> NonZeroU16 {
        self.port
    }
}

/// The broken rules of a text, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectError {
    findings: Vec<Finding>,
}

impl RedirectError {
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

impl fmt::Display for RedirectError {
    /// One line a broken rule: `rule 10: why; write http://127.0.0.1:0/callback`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, finding) in self.findings.iter().enumerate() {
            let separator = if at == 0 { "" } else { "\n" };
            write!(f, "{separator}rule {}: {}", finding.rule.number(), finding.why)?;
            if let Some(remedy) = &finding.remedy {
                write!(f, "; write {remedy}")?;
            }
        }
        Ok(())
    }
}

impl Error for RedirectError {}

/// Why no listener of ours can receive the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BindError {
    NotLoopback,
    OtherPort { registered: NonZeroU16, bound: NonZeroU16 },
    PortUnstated,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLoopback => f.write_str(
                "the redirect URI does not lead to a listener on this machine; register one such as http://127.0.0.1:0/callback/NAME",
            ),
            Self::OtherPort { registered, bound } => write!(
                f,
                "the redirect URI has port {registered}, the listener has {bound}; listen on {registered}, or register :0 for any port",
            ),
            Self::PortUnstated => f.write_str(
                "the redirect URI has no port; write :0 for any port, or the port",
            ),
        }
    }
}

impl Error for BindError {}

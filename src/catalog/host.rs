//! The servers that may get an integration's tokens, and the user name for Basic authentication there.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use super::Server;

/// The protocol of a server. http is allowed for loopback addresses only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// For literal loopback addresses only.
    Http,
    /// TLS.
    Https,
}

impl Protocol {
    /// The protocol of a URL scheme.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "http" => Some(Self::Http),
            "https" => Some(Self::Https),
            _ => None,
        }
    }

    /// The URL scheme.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// A server by protocol, name and port. The port is compared as written, the name without case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    protocol: Protocol,
    authority: String,
}

impl Host {
    /// `git.example.com`, `git.example.com:8443`, `https://git.example.com` or `http://127.0.0.1:3000`.
    ///
    /// # Errors
    /// The text has another part of a URL, or is http to a host that is no literal loopback address.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let (protocol, authority) = match text.split_once("://") {
            Some((protocol, rest)) => (Protocol::parse(protocol).ok_or(HostError::Protocol)?, rest),
            None => (Protocol::Https, text),
        };
        let name = match authority.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => {
                let number = port.parse::<u16>().ok().filter(|number| *number > 0 && number.to_string() == port);
                number.ok_or(HostError::Port)?;
                name
            }
            _ => authority,
        };
        let literal = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let address_6 = literal.and_then(|literal| literal.parse::<Ipv6Addr>().ok());
        let letters = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
        let plain = !name.is_empty() && name.len() <= 253 && letters(name) && !name.starts_with(['.', '-']);
        if !plain && address_6.is_none() {
            return Err(HostError::Name);
        }
        let loopback = match address_6 {
            Some(address) => address.is_loopback(),
            None => name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback()),
        };
        if protocol == Protocol::Http && !loopback {
            return Err(HostError::PlainHttp);
        }
        Ok(Self { protocol, authority: authority.to_owned() })
    }

    /// Its protocol.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The name, with the port if one is written.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Whether `authority` is its name and port, both as written.
    pub fn is_at(&self, authority: &str) -> bool {
        self.authority.eq_ignore_ascii_case(authority)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.protocol.as_str(), self.authority)
    }
}

/// Why a text is no server for tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// The text is no host name or address.
    #[error("a host is a name or an address and nothing else: no path, no user, no pattern")]
    Name,
    /// It is http to a host that is no loopback address.
    #[error("http would carry the token unencrypted; it is for literal loopback addresses only")]
    PlainHttp,
    /// Its port is not from 1 to 65535.
    #[error("a port is a number from 1 to 65535")]
    Port,
    /// Its protocol is neither https nor http.
    #[error("a host is spoken to by https, or by http at a literal loopback address")]
    Protocol,
}

/// The servers that may get the tokens of an integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// `hosts` is not set: only the provider's own server.
    OfProvider(Option<Host>),
    /// `hosts` in the configuration.
    Written(Vec<Host>),
}

impl Hosts {
    pub(super) fn of(server: &Server) -> Self {
        let authority = match server {
            Server::Discovered(issuer) => {
                issuer.as_str().strip_prefix("https://").and_then(|rest| rest.split('/').next())
            }
            Server::Explicit(server) => {
                let endpoint = &server.authorization_endpoint;
                endpoint.as_str().starts_with("https:").then(|| endpoint.authority())
            }
        };
        Self::OfProvider(authority.and_then(|authority| Host::parse(authority).ok()))
    }

    /// The servers.
    pub fn iter(&self) -> impl Iterator<Item = &Host> {
        let (of_provider, written) = match self {
            Self::OfProvider(host) => (host.as_ref(), None),
            Self::Written(hosts) => (None, Some(hosts)),
        };
        of_provider.into_iter().chain(written.into_iter().flatten())
    }

    /// The listed servers.
    pub fn written(&self) -> &[Host] {
        match self {
            Self::OfProvider(_) => &[],
            Self::Written(hosts) => hosts,
        }
    }
}

/// The user name for Basic authentication (RFC 7617) with an access token as the password. Servers differ: GitLab and
/// Gitea expect `oauth2`, Bitbucket `x-token-auth`, Google's registries `oauth2accesstoken`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasicUsername(String);

impl BasicUsername {
    /// Parses printable ASCII that is not empty and has no colon.
    pub fn parse(text: &str) -> Option<Self> {
        let good = |b: u8| (b' '..=b'~').contains(&b) && b != b':';
        (!text.is_empty() && text.len() <= 255 && text.bytes().all(good)).then(|| Self(text.to_owned()))
    }

    /// The user name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for BasicUsername {
    fn default() -> Self {
        Self("oauth2".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p02_a_host_is_a_name_and_a_port_and_nothing_that_could_mean_another() {
        for good in
            ["git.example.com", "git.example.com:8443", "https://[::1]:3000", "http://127.0.0.1:3000", "http://[::1]"]
        {
            assert!(Host::parse(good).is_ok(), "{good}");
        }
        for (why, bad) in [
            (HostError::Name, ""),
            (HostError::Name, "https://"),
            (HostError::Name, "*.example.com"),
            (HostError::Name, "git.example.com/path"),
            (HostError::Name, "me@git.example.com"),
            (HostError::Name, "git.example.com evil"),
            (HostError::Name, "git.example.com\n"),
            (HostError::Name, "[::1"),
            (HostError::Port, "git.example.com:"),
            (HostError::Port, "git.example.com:0"),
            (HostError::Port, "git.example.com:080"),
            (HostError::Port, "git.example.com:65536"),
            (HostError::Port, "git.example.com:+1"),
            (HostError::Protocol, "ssh://git.example.com"),
            (HostError::PlainHttp, "http://git.example.com"),
            (HostError::PlainHttp, "http://localhost:3000"),
            (HostError::PlainHttp, "http://127.0.0.1.example.com"),
            (HostError::PlainHttp, "http://0x7f.1"),
        ] {
            assert_eq!(Err(why), Host::parse(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_user_name_fits_before_the_colon_of_basic_authentication() {
        assert!(BasicUsername::parse("x-token-auth").is_some());
        for bad in ["", "a:b", "a\nb", "\u{e4}"] {
            assert_eq!(None, BasicUsername::parse(bad), "{bad:?}");
        }
    }
}

//! A redirect URI on a domain of one's own, whose relay forwards the answer to a listener on this machine.

use std::{error::Error, fmt};

use super::{
    BoundRedirect, Landing, RedirectError, RegisteredRedirect,
    host::{LOCALHOST, LOOPBACK_V4, LOOPBACK_V6},
};

/// As registered at the provider, byte for byte. Both endpoints get it; the listener is elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayedRedirect(String);

/// Why a URI cannot be a relay's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelayedError {
    Broken(RedirectError),
    /// A relay copies the answer's query; one of its own would be in the way.
    Query,
    /// Nothing but https on another host.
    NotHttps,
}

impl RelayedRedirect {
    /// # Errors
    /// A rule is broken, it is not https, it lands on loopback, or it has a query.
    pub fn parse(text: &str) -> Result<Self, RelayedError> {
        let redirect = RegisteredRedirect::parse(text).map_err(RelayedError::Broken)?;
        let loopback = [LOCALHOST, LOOPBACK_V4, LOOPBACK_V6].contains(&redirect.host());
        if !text.starts_with("https://") || loopback || redirect.landing() != Landing::Elsewhere {
            return Err(RelayedError::NotHttps);
        }
        if redirect.query().is_some() {
            return Err(RelayedError::Query);
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl BoundRedirect {
    /// The same listener, reached through a relay: what is sent is the relay's URI.
    pub fn behind(self, relay: &RelayedRedirect) -> Self {
        Self { sent: relay.0.clone(), ..self }
    }
}

impl fmt::Display for RelayedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(why) => why.fmt(f),
            Self::NotHttps => f.write_str("a relay is at https://, on a domain of your own"),
            Self::Query => f.write_str("a relay's URI has no query: the answer's own is copied there"),
        }
    }
}

impl Error for RelayedError {}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use super::*;

    #[test]
    fn a_relay_is_https_on_a_domain_and_without_a_query() {
        let relay = RelayedRedirect::parse("https://acme.example/cli/withings").expect("a relay");
        assert_eq!("https://acme.example/cli/withings", relay.as_str());
        assert_eq!(Err(RelayedError::Query), RelayedRedirect::parse("https://acme.example/cb?a=b"));
        for text in
            ["http://acme.example/cb", "http://127.0.0.1:53127/callback", "https://127.0.0.1/cb", "app.example:///cb"]
        {
            assert_eq!(Err(RelayedError::NotHttps), RelayedRedirect::parse(text), "{text}");
        }
        for text in ["", "https://acme.example/cb#a", "https://user@acme.example/cb", "acme.example/cb"] {
            assert!(RelayedRedirect::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_sent_is_the_relays_and_what_is_listened_at_stays() {
        let port = NonZeroU16::new(53127).expect("a port");
        let redirect = RegisteredRedirect::parse("http://127.0.0.1:0/callback?a=b").expect("a redirect");
        let relay = RelayedRedirect::parse("https://acme.example/cli/withings").expect("a relay");
        let bound = redirect.bind(port).expect("bound").behind(&relay);
        assert_eq!("https://acme.example/cli/withings", bound.as_str());
        assert_eq!("http://127.0.0.1:53127/callback?a=b", bound.listened_at());
        assert_eq!(("/callback", Some("a=b")), (bound.path(), bound.query()));
        assert_eq!(("127.0.0.1:53127", "http://127.0.0.1:53127"), (bound.authority(), bound.origin()));
    }
}

//! `baseUrl`: which instance of a provider, such as a self-hosted one, a user's connection is at.
//!
//! The caller names a server that this program will connect to, so three things hold. The URL is on the integration's
//! list ([`BaseUrl::parse`]). What its name resolves to is judged, and just that address connected to
//! ([`Reach::judge`]; `system::pinned` asks it). A client secret goes only to the server it was configured for
//! ([`client_at`]).

mod address;
mod instance;

use std::{fmt, net::IpAddr};

pub use address::AddressClass;
pub use instance::InstanceId;

use super::url_bytes::{HostName, Scheme, UrlBytes, UrlFault};
use crate::{
    catalog::{Host, Instance, Instances, Integration, Others, SecretSource, SharedRedirect},
    oauth::{ClientId, Endpoint, IssParameter},
};

/// Ports that need no listing.
const PORTS: [u16; 2] = [443, 8443];

/// A base URL that an integration's list has admitted, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    reach: Reach,
}

impl BaseUrl {
    /// Asked at authorize, and again when a stored connection is used: the list may have changed in between.
    ///
    /// # Errors
    /// What is wrong with it; nothing was resolved or connected to.
    pub fn parse(text: &str, integration: &Integration) -> Result<Self, BaseUrlRefused> {
        let url = UrlBytes::parse(text).map_err(BaseUrlRefused::Malformed)?;
        if url.query.is_some() || url.fragment.is_some() {
            return Err(BaseUrlRefused::QueryOrFragment);
        }
        // One spelling of a path, so that it can be compared with the list byte for byte.
        if url.path.contains('%') {
            return Err(BaseUrlRefused::Escape);
        }
        let entry = listed(&integration.base_allow, &url);
        if entry.is_some_and(|entry| !entry.path.covers(url.path)) {
            return Err(BaseUrlRefused::Path);
        }
        let listed = entry.is_some();
        if url.scheme == Scheme::Http && !(listed && url.host.is_loopback_address()) {
            return Err(BaseUrlRefused::NotHttps);
        }
        if !listed && integration.base_allow.others == Others::Public {
            unlisted(&url)?;
        } else if !listed {
            return Err(BaseUrlRefused::NotListed);
        }
        let trust = if listed { Trust::Listed } else { Trust::Public };
        let reach = Reach { scheme: url.scheme, port: url.effective_port(), host: url.host.clone(), trust };
        Ok(Self { text: text.trim_end_matches('/').to_owned(), reach })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host, as a user would name the server.
    pub fn host(&self) -> String {
        match self.reach.port {
            port if port == self.reach.scheme.usual_port() => self.reach.host.to_string(),
            port => format!("{}:{port}", self.reach.host),
        }
    }

    /// Whom requests to this instance may be sent to.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// The same endpoint of this instance: path and query of `endpoint` below this URL. `None` if that would be longer
    /// than an endpoint can be.
    pub fn endpoint(&self, endpoint: &Endpoint) -> Option<Endpoint> {
        let (_, rest) = endpoint.as_str().split_once("://")?;
        let path = rest.find('/').map_or("/", |at| &rest[at..]);
        Endpoint::parse(&format!("{}{path}", self.text)).ok()
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A public server that nobody listed: at the usual ports, under a name that means the same everywhere.
fn unlisted(url: &UrlBytes<'_>) -> Result<(), BaseUrlRefused> {
    match &url.host {
        HostName::Address(address) => match AddressClass::of(*address) {
            AddressClass::Public => {}
            class => return Err(BaseUrlRefused::Address(class)),
        },
        HostName::Name(name) if !name.contains('.') || name.ends_with(".localhost") => {
            return Err(BaseUrlRefused::NotListed);
        }
        HostName::Name(_) => {}
    }
    if PORTS.contains(&url.effective_port()) { Ok(()) } else { Err(BaseUrlRefused::Port) }
}

fn listed<'i>(instances: &'i Instances, url: &UrlBytes<'_>) -> Option<&'i Instance> {
    let authority = match url.effective_port() {
        port if port == url.scheme.usual_port() => url.host.to_string(),
        port => format!("{}:{port}", url.host),
    };
    let same_server = |host: &Host| {
        let written = host.authority();
        let usual = format!(":{}", url.scheme.usual_port());
        written.strip_suffix(&usual).unwrap_or(written).eq_ignore_ascii_case(&authority)
    };
    let found =
        |instance: &&Instance| instance.host.protocol().as_str() == url.scheme.as_str() && same_server(&instance.host);
    instances.listed.iter().find(found)
}

/// Who we are at an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAt<'i> {
    pub id: &'i ClientId,
    pub secret: Option<&'i SecretSource>,
    pub redirect: RedirectAt,
}

/// Where answers of a server are awaited (RFC 9700 section 4.4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectAt {
    /// At the integration's redirect: the integration's own server, or an instance that the operator says may share it.
    Integration(IssParameter),
    /// At a redirect of its own: nothing else would show that the answer is this instance's.
    Own(InstanceId),
}

/// The client that is registered there. The integration's own secret is for its own provider: at an instance it is the
/// instance's entry that has one, or there is none.
pub fn client_at<'i>(integration: &'i Integration, base: Option<&BaseUrl>) -> ClientAt<'i> {
    let Some(base) = base else {
        let redirect = RedirectAt::Integration(IssParameter::NotPromised);
        return ClientAt { id: &integration.client_id, secret: integration.client_secret.as_ref(), redirect };
    };
    let entry = UrlBytes::parse(&base.text).ok().and_then(|url| listed(&integration.base_allow, &url));
    ClientAt {
        id: entry.and_then(|entry| entry.client_id.as_ref()).unwrap_or(&integration.client_id),
        secret: entry.and_then(|entry| entry.client_secret.as_ref()),
        redirect: match entry.map(|entry| (entry.iss_parameter, entry.shared_redirect)) {
            Some((promised @ IssParameter::Promised, _)) => RedirectAt::Integration(promised),
            Some((promise, SharedRedirect::Accepted)) => RedirectAt::Integration(promise),
            _ => RedirectAt::Own(InstanceId::of(base)),
        },
    }
}

/// Which server may be spoken to, and at which addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    scheme: Scheme,
    host: HostName,
    port: u16,
    trust: Trust,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// The configuration names it, so it may stand in a private network; as an address, wherever that is.
    Listed,
    Public,
}

impl Reach {
    /// Whether a request to this server is one to us: the scheme, the host as in its URL, and its port.
    pub fn is_for(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.scheme.as_str() == scheme && self.host.to_string().eq_ignore_ascii_case(host) && self.port == port
    }

    /// All that a name resolved to, before any of it is connected to. One address that may not be reached refuses all:
    /// an honest name has no such address among others.
    ///
    /// # Errors
    /// The class of the first address that may not be reached, or there is none.
    pub fn judge(&self, resolved: &[IpAddr]) -> Result<(), BaseUrlRefused> {
        if resolved.is_empty() {
            return Err(BaseUrlRefused::NoAddress);
        }
        let may = |address: IpAddr| match (&self.host, self.trust, AddressClass::of(address)) {
            (HostName::Address(written), Trust::Listed, _) if *written == address => Ok(()),
            (_, _, AddressClass::Public) | (HostName::Name(_), Trust::Listed, AddressClass::Private) => Ok(()),
            (_, _, class) => Err(BaseUrlRefused::Address(class)),
        };
        resolved.iter().copied().try_for_each(may)
    }
}

/// Why a base URL is not taken, or not connected to. None of these quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlRefused {
    /// It leads to an address that this service is not meant to reach.
    #[error("its address is {0}")]
    Address(AddressClass),
    /// A percent escape in its path.
    #[error("its path has a percent escape")]
    Escape,
    #[error(transparent)]
    Malformed(UrlFault),
    #[error("its name has no address")]
    NoAddress,
    #[error("it is not https://")]
    NotHttps,
    /// Well formed, but not in `base_allow`.
    #[error("it is not in the integration's base_allow")]
    NotListed,
    /// The server is in `base_allow`, with another path.
    #[error("its path is neither the one that base_allow lists for this server nor below it")]
    Path,
    #[error("its port is neither 443 nor 8443, nor listed in base_allow")]
    Port,
    #[error("it has a query or a fragment")]
    QueryOrFragment,
}

#[cfg(test)]
mod tests;

//! `baseUrl`: which instance of a provider, such as a self-hosted one, a user's connection is at.
//!
//! The caller names a server that this program will connect to, so three rules apply. The URL must be on the
//! integration's list ([`BaseUrl::parse`]). The addresses of its name are checked, and only a checked address is
//! connected to ([`Reach::judge`], called by `system::pinned`). A client secret is sent only to the server that it is
//! configured for ([`client_at`]).

mod address;
mod instance;

use std::{fmt, net::IpAddr};

pub use address::AddressClass;
pub use instance::InstanceId;

use super::url_bytes::{HostName, Scheme, UrlBytes, UrlFault};
use crate::{
    catalog::{Host, Instance, Instances, Integration, Others, SecretSource, Server, SharedRedirect},
    oauth::{ClientId, Endpoint, IssParameter},
};

/// Ports that an unlisted server may use.
const PORTS: [u16; 2] = [443, 8443];

/// A base URL that an integration's list allows, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    reach: Reach,
}

impl BaseUrl {
    /// The instance that a caller names. `None`: the integration's own server, as without a base URL, with its client and
    /// its redirect URI; this is so for a URL that the sign-in page of that server is at or below, unless an entry of the
    /// list has a client of its own for it.
    ///
    /// # Errors
    /// As [`BaseUrl::parse`].
    pub fn named(text: &str, integration: &Integration) -> Result<Option<Self>, BaseUrlRefused> {
        let own = UrlBytes::parse(text).is_ok_and(|url| is_own_server(&url, integration));
        if own { Ok(None) } else { Self::parse(text, integration).map(Some) }
    }

    /// Parses and checks the base URL of an instance. This is repeated when a stored connection is used, because the list may have
    /// changed.
    ///
    /// # Errors
    /// The URL is malformed or not allowed. Nothing is resolved or connected to here.
    pub fn parse(text: &str, integration: &Integration) -> Result<Self, BaseUrlRefused> {
        let url = UrlBytes::parse(text).map_err(BaseUrlRefused::Malformed)?;
        if url.query.is_some() || url.fragment.is_some() {
            return Err(BaseUrlRefused::QueryOrFragment);
        }
        // Each path has one spelling, so that it can be compared with the list byte for byte.
        if url.path.contains('%') {
            return Err(BaseUrlRefused::Escape);
        }
        let entry = Entry::of(&integration.base_allow, &url);
        let covered = match entry {
            Entry::Listed(instance) => instance.path.covers(url.path),
            Entry::ProviderDomain => matches!(url.path, "" | "/"),
            Entry::None => true,
        };
        if !covered {
            return Err(BaseUrlRefused::Path);
        }
        let listed = matches!(entry, Entry::Listed(_));
        if url.scheme == Scheme::Http && !(listed && url.host.is_loopback_address()) {
            return Err(BaseUrlRefused::NotHttps);
        }
        let trust = match (entry, integration.base_allow.others) {
            (Entry::Listed(_), _) => Trust::Listed,
            (Entry::ProviderDomain, _) => Trust::Public,
            (Entry::None, Others::Public) => unlisted(&url).map(|()| Trust::Public)?,
            (Entry::None, Others::Refused) => return Err(BaseUrlRefused::NotListed),
        };
        let reach = Reach { scheme: url.scheme, port: url.effective_port(), host: url.host.clone(), trust };
        Ok(Self { text: text.trim_end_matches('/').to_owned(), reach })
    }

    /// The URL as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host, with the port if it is not the usual one, as a user would write it.
    pub fn host(&self) -> String {
        match self.reach.port {
            port if port == self.reach.scheme.usual_port() => self.reach.host.to_string(),
            port => format!("{}:{port}", self.reach.host),
        }
    }

    /// The server that requests to this instance may be sent to.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// The endpoint of this instance: path and query of `endpoint` below this URL. `None` if the result is longer than
    /// an endpoint may be.
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

/// Checks a public server that is not listed: it needs a usual port and a name that means the same everywhere.
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

/// What `base_allow` says of a server.
#[derive(Clone, Copy, Debug)]
enum Entry<'i> {
    Listed(&'i Instance),
    /// One label of a domain that is wholly the provider's.
    ProviderDomain,
    None,
}

impl<'i> Entry<'i> {
    /// A server that is listed by name is not one of its domain.
    fn of(instances: &'i Instances, url: &UrlBytes<'_>) -> Self {
        if let Some(instance) = listed(instances, url) {
            return Self::Listed(instance);
        }
        let usual = url.scheme == Scheme::Https && url.effective_port() == Scheme::Https.usual_port();
        match &url.host {
            HostName::Name(name) if usual && instances.domains.iter().any(|domain| domain.covers(name)) => {
                Self::ProviderDomain
            }
            _ => Self::None,
        }
    }
}

/// Whether the integration's own sign-in page is at or below this URL, in whole segments.
fn is_own_server(url: &UrlBytes<'_>, integration: &Integration) -> bool {
    let sign_in = match &integration.server {
        Server::Discovered(issuer) => issuer.as_str(),
        Server::Explicit(server) => server.authorization_endpoint.as_str(),
    };
    let with_client = |instance: &Instance| instance.client_id.is_some() && instance.path.covers(url.path);
    let place = format!("{}://{}{}", url.scheme.as_str(), authority(url), url.path.trim_end_matches('/'));
    let below = sign_in.strip_prefix(&place).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    below
        && url.query.is_none()
        && url.fragment.is_none()
        && !listed(&integration.base_allow, url).is_some_and(with_client)
}

/// Host and port, without the scheme's usual port.
fn authority(url: &UrlBytes<'_>) -> String {
    match url.effective_port() {
        port if port == url.scheme.usual_port() => url.host.to_string(),
        port => format!("{}:{port}", url.host),
    }
}

fn listed<'i>(instances: &'i Instances, url: &UrlBytes<'_>) -> Option<&'i Instance> {
    let authority = authority(url);
    let same_server = |host: &Host| {
        let written = host.authority();
        let usual = format!(":{}", url.scheme.usual_port());
        written.strip_suffix(&usual).unwrap_or(written).eq_ignore_ascii_case(&authority)
    };
    let found =
        |instance: &&Instance| instance.host.protocol().as_str() == url.scheme.as_str() && same_server(&instance.host);
    instances.listed.iter().find(found)
}

/// Our client at a provider or an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAt<'i> {
    /// The client identifier there.
    pub id: &'i ClientId,
    /// Where its secret is; `None`: a public client.
    pub secret: Option<&'i SecretSource>,
    /// The redirect URI that is registered there.
    pub redirect: RedirectAt,
}

/// The redirect URI at which the responses of a server are expected (RFC 9700 section 4.4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectAt {
    /// The integration's redirect URI, for its own server, or for an instance that the operator lets share it.
    Integration(IssParameter),
    /// A redirect URI for this instance only. Nothing else would show that a response comes from it.
    Own(InstanceId),
}

/// Our client at `base`. The integration's secret is for its own provider: at a listed instance only the secret of the
/// instance's entry is used. A domain that is wholly the provider's has the integration's client, and its redirect URI
/// too: no host there is another party that could mix up servers.
pub fn client_at<'i>(integration: &'i Integration, base: Option<&BaseUrl>) -> ClientAt<'i> {
    let own = || {
        let redirect = RedirectAt::Integration(IssParameter::NotPromised);
        ClientAt { id: &integration.client_id, secret: integration.client_secret.as_ref(), redirect }
    };
    let Some(base) = base else { return own() };
    let entry = match UrlBytes::parse(&base.text).map(|url| Entry::of(&integration.base_allow, &url)) {
        Ok(Entry::ProviderDomain) => return own(),
        Ok(Entry::Listed(instance)) => Some(instance),
        Ok(Entry::None) | Err(_) => None,
    };
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

/// A server and the addresses that may be connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    scheme: Scheme,
    host: HostName,
    port: u16,
    trust: Trust,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// The configuration lists it, so a private address is allowed, and any address that is listed literally.
    Listed,
    Public,
}

impl Reach {
    /// Whether a URL's scheme, host and port are those of this server.
    pub fn is_for(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.scheme.as_str() == scheme && self.host.to_string().eq_ignore_ascii_case(host) && self.port == port
    }

    /// Checks everything that a name resolved to, before a connection is made. One forbidden address rejects all of
    /// them: a legitimate name never mixes such addresses.
    ///
    /// # Errors
    /// The class of the first forbidden address, or there is no address.
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

/// Why a base URL is rejected or not connected to. The texts never quote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlRefused {
    /// It resolves to a forbidden address.
    #[error("its address is {0}")]
    Address(AddressClass),
    /// Its path has a percent escape.
    #[error("its path has a percent escape")]
    Escape,
    /// It is no URL in its canonical spelling.
    #[error(transparent)]
    Malformed(UrlFault),
    /// Its name has no address.
    #[error("its name has no address")]
    NoAddress,
    /// It is http to a server that is not listed or not loopback.
    #[error("it is not https://")]
    NotHttps,
    /// Well formed, but not in `base_allow`.
    #[error("it is not in the integration's base_allow")]
    NotListed,
    /// The server is in `base_allow` with another path.
    #[error("its path is neither the one that base_allow lists for this server nor below it")]
    Path,
    /// Its port is unusual and not listed.
    #[error("its port is neither 443 nor 8443, nor listed in base_allow")]
    Port,
    /// It has a query or a fragment.
    #[error("it has a query or a fragment")]
    QueryOrFragment,
}

#[cfg(test)]
mod tests;

//! The application's callback, to which the browser is redirected when a flow ends.
//!
//! A free choice of that URL would be an open redirect. It is compared byte for byte with the origins and path segments
//! that the operator lists.

mod file;

use std::{collections::BTreeMap, fmt, num::NonZeroU16};

use url::form_urlencoded;

pub use file::Table;

use super::{
    callback::Warning,
    url_bytes::{HostName, Scheme, UrlBytes, UrlFault},
};
use crate::vault::{Namespace, OrgKey, Owner};

/// A URL that an [`AllowList`] allows, byte for byte, without its fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppCallbackUrl(String);

/// The result of a flow in the query of the callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status<'a> {
    /// `status=error&error=CODE`; the codes are a fixed list and never the provider's text.
    ///
    /// The flow failed; `code` is one of [`Ending::code`](crate::service::callback::Ending::code).
    Error { code: &'a str },
    /// `status=success&connection=ID`, and one `warning=CODE` for each warning.
    ///
    /// The connection was made; `connection` is its identifier.
    Success { connection: &'a str, warnings: &'a [Warning] },
}

impl AppCallbackUrl {
    /// The URL as it was given, without its fragment.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL with `status` and its parameters at the end of the query. Existing parameters named `status`, `error`,
    /// `connection` or `warning` are removed; the rest keeps its order and bytes.
    pub fn with_status(&self, status: Status<'_>) -> String {
        let (front, query) = self.0.split_once('?').unwrap_or((&self.0, ""));
        let others = query.split('&').filter(|pair| !pair.is_empty() && !is_ours(pair));
        let ours = match status {
            Status::Error { code } => vec![("status", "error"), ("error", code)],
            Status::Success { connection, warnings } => {
                let warnings = warnings.iter().map(|warning| ("warning", warning.code()));
                [("status", "success"), ("connection", connection)].into_iter().chain(warnings).collect()
            }
        };
        let encoded = |value: &str| form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>();
        let ours: Vec<_> = ours.into_iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let query: Vec<_> = others.chain(ours.iter().map(String::as_str)).collect();
        format!("{front}?{}", query.join("&"))
    }
}

impl fmt::Display for AppCallbackUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Compares the decoded name, because the application will decode it.
fn is_ours(pair: &str) -> bool {
    let name = form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name.into_owned());
    name.is_some_and(|name| matches!(name.as_str(), "status" | "error" | "connection" | "warning"))
}

/// The ports that an entry allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ports {
    /// `*`, for loopback addresses.
    Any,
    /// `None`: a URL without a port.
    One(Option<NonZeroU16>),
}

/// One entry: an origin, and a path that is compared in whole segments.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Allowed {
    scheme: Scheme,
    host: HostName,
    ports: Ports,
    /// With `/` at its end: everything below. Otherwise this path and everything below.
    path: String,
}

impl Allowed {
    fn covers(&self, url: &UrlBytes<'_>) -> bool {
        self.has_origin(url) && self.covers_path(url.path)
    }

    fn has_origin(&self, url: &UrlBytes<'_>) -> bool {
        let port = match self.ports {
            Ports::Any => true,
            Ports::One(listed) => listed == url.port,
        };
        self.scheme == url.scheme && self.host == url.host && port
    }

    fn covers_path(&self, path: &str) -> bool {
        let path = if path.is_empty() { "/" } else { path };
        match path.strip_prefix(self.path.as_str()) {
            Some(rest) => rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'),
            None => false,
        }
    }
}

/// The allowed callbacks: for everybody, and additional ones for the users of a namespace or an organization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList {
    everybody: Vec<Allowed>,
    of_namespace: BTreeMap<Namespace, Vec<Allowed>>,
    of_org: BTreeMap<(Namespace, OrgKey), Vec<Allowed>>,
}

impl AllowList {
    /// Checked when a flow starts, and again before the redirect, because the list may have changed.
    ///
    /// # Errors
    /// What is wrong with the URL. The caller must answer with an error and never redirect to it.
    pub fn admit(&self, owner: &Owner, text: &str) -> Result<AppCallbackUrl, CallbackRefused> {
        let url = well_formed(text)?;
        match self.of(owner).any(|allowed| allowed.covers(&url)) {
            true => Ok(AppCallbackUrl(url.without_fragment.to_owned())),
            false => Err(CallbackRefused::NotListed),
        }
    }

    /// Whether pages of this origin (an `Origin` field, RFC 6454 section 7) may read responses. Without an owner, as in
    /// a preflight without a token: whether they may for any owner.
    pub fn admits_origin(&self, owner: Option<&Owner>, origin: &str) -> bool {
        let Ok(url) = well_formed(origin) else { return false };
        let bare = url.path.is_empty() && url.query.is_none() && url.fragment.is_none();
        let fits = |allowed: &Allowed| allowed.has_origin(&url);
        bare && match owner {
            Some(owner) => self.of(owner).any(fits),
            None => self.all().any(fits),
        }
    }

    /// Whether no callback is allowed.
    pub fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    fn all(&self) -> impl Iterator<Item = &Allowed> {
        self.everybody.iter().chain(self.of_namespace.values().chain(self.of_org.values()).flatten())
    }

    fn of(&self, owner: &Owner) -> impl Iterator<Item = &Allowed> {
        let of_namespace = self.of_namespace.get(&owner.namespace);
        let of_org = self.of_org.get(&(owner.namespace.clone(), owner.org.clone()));
        self.everybody.iter().chain(of_namespace.into_iter().chain(of_org).flatten())
    }
}

/// https, or http at a loopback address. No other address is a callback.
fn well_formed(text: &str) -> Result<UrlBytes<'_>, CallbackRefused> {
    let url = UrlBytes::parse(text).map_err(CallbackRefused::Malformed)?;
    match (&url.host, url.scheme) {
        (host, _) if host.is_loopback_address() => Ok(url),
        (HostName::Name(_), Scheme::Https) => Ok(url),
        (HostName::Name(_), Scheme::Http) => Err(CallbackRefused::NotHttps),
        (HostName::Address(_), _) => Err(CallbackRefused::Malformed(UrlFault::Host)),
    }
}

/// Why a callback URL is rejected. The texts never quote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallbackRefused {
    /// It is no URL in its canonical spelling.
    #[error(transparent)]
    Malformed(UrlFault),
    /// It is http, and not to a loopback address.
    #[error("it is http, which is for 127.0.0.1 and [::1] alone")]
    NotHttps,
    /// Well formed, but not listed.
    #[error("it is not among the callbacks of the configuration")]
    NotListed,
}

#[cfg(test)]
mod tests;

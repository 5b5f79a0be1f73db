//! Endpoints of an authorization server, checked so that they are safe to open and to send credentials to.

use std::fmt;

use url::{Host, Url};

/// Longest endpoint and longest authorization URL in bytes: the limit of a Windows command line.
pub const LONGEST: usize = 8 * 1024;

/// An https URL (http only for loopback addresses), serialized again, with a host, without userinfo and fragment, and
/// without any byte that a shell or a browser launcher interprets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Url);

impl Endpoint {
    /// # Errors
    /// The first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let url = safe_url(text)?;
        match url.fragment() {
            Some(_) => Err(EndpointError::Fragment),
            None => Ok(Self(url)),
        }
    }

    /// The URL as it is sent.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Host and port, as a user would write the server.
    pub fn authority(&self) -> &str {
        self.0.authority()
    }

    /// Whether scheme, host and port are the same (RFC 6454 section 4).
    pub(super) fn has_origin_of(&self, other: &Self) -> bool {
        self.0.origin() == other.0.origin()
    }

    /// Whether it is scheme, host and port only.
    pub fn is_origin(&self) -> bool {
        self.0.path() == "/" && self.0.query().is_none()
    }

    /// The same path and query at the origin of `other`. `None`: that is no safe URL.
    pub(super) fn at_origin(&self, other: &Self) -> Option<Self> {
        let query = self.0.query().map(|query| format!("?{query}")).unwrap_or_default();
        Self::parse(&format!("{}{}{query}", other.0.origin().ascii_serialization(), self.0.path())).ok()
    }

    pub(super) fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A page of the provider for a user's browser. As an [`Endpoint`], except that it may have a fragment: the page of a
/// single-page application can be named by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageUrl(Url);

impl PageUrl {
    /// # Errors
    /// The first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        safe_url(text).map(Self)
    }

    /// In visible ASCII: whatever could move or hide something on a terminal was refused or encoded, and a host in another
    /// script is in Punycode.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// As a user would read it.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Whether scheme, host and port are the same (RFC 6454 section 4).
    pub fn has_origin_of(&self, other: &Self) -> bool {
        self.0.origin() == other.0.origin()
    }

    /// Whether it is at the host of this endpoint, or at a host above or below it.
    pub fn is_near(&self, endpoint: &Endpoint) -> bool {
        let (page, other) = (self.host(), endpoint.0.host_str().unwrap_or_default());
        let below = |one: &str, above: &str| one.strip_suffix(above).is_some_and(|rest| rest.ends_with('.'));
        page == other || below(page, other) || below(other, page)
    }
}

impl fmt::Display for PageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn safe_url(text: &str) -> Result<Url, EndpointError> {
    if text.len() > LONGEST {
        return Err(EndpointError::TooLong);
    }
    // The URL crate would silently drop these inside a text, and read a backslash as a slash.
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(EndpointError::UnsafeCharacter);
    }
    let url = Url::parse(text).map_err(|_| EndpointError::NotAUrl)?;
    safe_to_open(&url)?;
    // It would also read `https:x` and `https:///x` as `https://x`.
    if text.split_once("://").is_none_or(|(_, rest)| rest.starts_with('/')) {
        return Err(EndpointError::NoHost);
    }
    Ok(url)
}

/// Checks a complete URL before it is passed to a launcher (CVE-2025-6514, RUSTSEC-2026-0257).
pub(super) fn safe_to_open(url: &Url) -> Result<(), EndpointError> {
    match (url.scheme(), url.host()) {
        (_, None) => return Err(EndpointError::NoHost),
        ("https", Some(_)) => {}
        ("http", Some(host)) if loopback(&host) => {}
        ("http", _) => return Err(EndpointError::PlainHttp),
        _ => return Err(EndpointError::Scheme),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(EndpointError::Userinfo);
    }
    let unsafe_byte = |b: u8| !b.is_ascii_graphic() || b"\"'<>`{}|^\\".contains(&b);
    if url.as_str().bytes().any(unsafe_byte) {
        return Err(EndpointError::UnsafeCharacter);
    }
    Ok(())
}

fn loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Why a URL is rejected as an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// It has a fragment (RFC 6749 section 3.1).
    #[error("it has a fragment (the part after #)")]
    Fragment,
    /// Its query contains a parameter that the flow sets.
    #[error("its query has a parameter that the sign-in sets itself")]
    FlowParameter,
    /// It has no host.
    #[error("it has no host")]
    NoHost,
    /// It cannot be parsed.
    #[error("it is not a URL")]
    NotAUrl,
    /// It is http to a host that is not loopback.
    #[error("it is http; only https is safe, except on the loopback interface")]
    PlainHttp,
    /// It is neither https nor http.
    #[error("its scheme is not https")]
    Scheme,
    /// It is longer than 8 KiB.
    #[error("it is longer than 8 KiB")]
    TooLong,
    /// It has a byte that a shell or a launcher could interpret.
    #[error("it has a character that is not safe in a URL")]
    UnsafeCharacter,
    /// It has a user name or a password.
    #[error("it carries a user name or password")]
    Userinfo,
}

/// The issuer identifier, byte for byte as configured (RFC 8414 section 2). It is only compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer(String);

impl Issuer {
    /// # Errors
    /// As [`Endpoint::parse`]; an issuer has no query either.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let endpoint = Endpoint::parse(text)?;
        match endpoint.0.query() {
            None => Ok(Self(text.to_owned())),
            Some(_) => Err(EndpointError::UnsafeCharacter),
        }
    }

    /// The issuer that a user means, who may have pasted the address of its metadata instead: the well-known part is
    /// taken out again (RFC 8414 section 3.1, OpenID Connect Discovery section 4.1).
    ///
    /// # Errors
    /// As [`Issuer::parse`].
    pub fn configured(text: &str) -> Result<Self, EndpointError> {
        let names = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];
        let found = names.iter().find_map(|name| text.split_once(name));
        match found {
            Some((origin, path)) if path.is_empty() || path.starts_with('/') => {
                Self::parse(&format!("{origin}{}", path.strip_suffix('/').unwrap_or(path)))
            }
            _ => Self::parse(text),
        }
    }

    /// The origin of an endpoint, as an issuer (RFC 6454 section 6.2).
    pub fn at_origin_of(endpoint: &Endpoint) -> Self {
        Self(endpoint.0.origin().ascii_serialization())
    }

    /// Whether scheme, host and port are the same (RFC 6454 section 4).
    pub fn has_origin_of(&self, other: &Self) -> bool {
        let (own, other) = (Endpoint::parse(&self.0), Endpoint::parse(&other.0));
        own.is_ok_and(|own| other.is_ok_and(|other| own.has_origin_of(&other)))
    }

    /// The issuer as it is configured.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Host and port as written.
    pub fn authority(&self) -> &str {
        let rest = self.0.split_once("://").map_or(self.0.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or_default()
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d11_a_pasted_address_of_metadata_names_its_issuer() {
        for (pasted, issuer) in [
            ("https://op.example/.well-known/openid-configuration", "https://op.example"),
            ("https://op.example/realms/a/.well-known/openid-configuration", "https://op.example/realms/a"),
            ("https://op.example/.well-known/oauth-authorization-server/realms/a", "https://op.example/realms/a"),
            ("https://op.example/.well-known/oauth-authorization-server", "https://op.example"),
            ("https://op.example/", "https://op.example/"),
            (
                "https://op.example/.well-known/openid-configurations",
                "https://op.example/.well-known/openid-configurations",
            ),
        ] {
            assert_eq!(Ok(issuer), Issuer::configured(pasted).as_ref().map(Issuer::as_str), "{pasted}");
        }
    }

    #[test]
    fn b04_only_https_and_loopback_http_are_opened() {
        for good in [
            "https://a.example/authorize",
            "https://a.example:8443/x?y=z",
            "http://127.0.0.1:9/a",
            "http://[::1]:9/a",
            "http://localhost:9/a",
        ] {
            assert!(Endpoint::parse(good).is_ok(), "{good}");
        }
        for scheme in include_str!("../../tests/data/unsafe-schemes.txt").lines() {
            assert!(Endpoint::parse(&format!("{scheme}://a.example/x")).is_err(), "{scheme}");
        }
        for bad in [
            r"\\server\share",
            "//a.example/x",
            "-flag",
            "--help",
            "",
            "a.example",
            "javascript:alert(1)",
            "https:///x",
            "https://",
        ] {
            assert!(Endpoint::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn b01_what_a_launcher_could_misread_is_refused_or_encoded() {
        for payload in [
            "$(id)", "`id`", "&calc", "%PATH%", "\r\ncalc", "' -flag", "\" -flag", "|id", "^calc", "{a,b}", "<x>",
            "\\x", "a b", "\u{202e}",
        ] {
            for text in [
                format!("https://a.example/{payload}"),
                format!("https://a.example/?x={payload}"),
                format!("https://{payload}.example/"),
            ] {
                if let Ok(endpoint) = Endpoint::parse(&text) {
                    let url = endpoint.as_str();
                    assert!(
                        url.bytes().all(|b| b.is_ascii_graphic() && !b"\"'<>`{}|^\\".contains(&b)),
                        "{text} became {url}"
                    );
                    assert!(url.starts_with("https://"), "{url}");
                }
            }
        }
    }

    #[test]
    fn x02_userinfo_fragments_and_plain_http_are_refused() {
        assert_eq!(Err(EndpointError::Userinfo), Endpoint::parse("https://a@b.example/"));
        assert_eq!(Err(EndpointError::Userinfo), Endpoint::parse("https://a:b@b.example/"));
        assert_eq!(Err(EndpointError::Fragment), Endpoint::parse("https://b.example/#x"));
        assert_eq!(Err(EndpointError::PlainHttp), Endpoint::parse("http://b.example/"));
        assert_eq!(Err(EndpointError::PlainHttp), Endpoint::parse("http://127.0.0.1.example/"));
        assert_eq!(Err(EndpointError::TooLong), Endpoint::parse(&format!("https://b.example/{}", "x".repeat(LONGEST))));
    }
}

//! Where the pieces of a URI begin and end (RFC 3986 appendix B). Nothing is decoded, folded or
//! dropped: `join` gives back the bytes that `split` was given. No judgement lives here.

use std::num::NonZeroU16;

/// The pieces of one text, borrowed from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    /// Before the first `:`, if no `/`, `?` or `#` comes earlier.
    pub scheme: Option<&'a str>,
    /// Between `//` and the next `/`, `?` or `#`.
    pub authority: Option<Authority<'a>>,
    pub path: &'a str,
    /// After the first `?`; `Some("")` when nothing follows it.
    pub query: Option<&'a str>,
    /// After the first `#`; `Some("")` when nothing follows it.
    pub fragment: Option<&'a str>,
}

/// `[userinfo@]host[:port]` (RFC 3986 section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Authority<'a> {
    pub userinfo: Option<&'a str>,
    /// With its brackets if it has any.
    pub host: &'a str,
    /// `Some("")` for a colon with nothing behind it.
    pub port: Option<&'a str>,
}

/// Whom a scheme belongs to, letter case aside (RFC 3986 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SchemeKind {
    Custom,
    Http,
    Https,
}

impl<'a> Parts<'a> {
    /// Total: every text has pieces, though they may be nonsense.
    pub fn split(text: &'a str) -> Self {
        let (rest, fragment) = cut(text, '#');
        let (rest, query) = cut(rest, '?');
        let (scheme, rest) = match rest.split_once(':') {
            Some((scheme, rest)) if !scheme.contains('/') => (Some(scheme), rest),
            _ => (None, rest),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (Some(Authority::split(authority)), path)
            }
            None => (None, rest),
        };
        Self { scheme, authority, path, query, fragment }
    }

    /// The text again, byte for byte.
    pub fn join(&self) -> String {
        let mut text = String::new();
        if let Some(scheme) = self.scheme {
            text.extend([scheme, ":"]);
        }
        if let Some(authority) = self.authority {
            text.push_str("//");
            if let Some(userinfo) = authority.userinfo {
                text.extend([userinfo, "@"]);
            }
            text.push_str(authority.host);
            if let Some(port) = authority.port {
                text.extend([":", port]);
            }
        }
        text.push_str(self.path);
        if let Some(query) = self.query {
            text.extend(["?", query]);
        }
        if let Some(fragment) = self.fragment {
            text.extend(["#", fragment]);
        }
        text
    }

    pub fn scheme_kind(&self) -> SchemeKind {
        match self.scheme {
            Some(scheme) if scheme.eq_ignore_ascii_case("http") => SchemeKind::Http,
            Some(scheme) if scheme.eq_ignore_ascii_case("https") => SchemeKind::Https,
            _ => SchemeKind::Custom,
        }
    }

    /// Empty when there is no authority.
    pub fn host(&self) -> &'a str {
        self.authority.map_or("", |authority| authority.host)
    }

    pub fn port(&self) -> Option<&'a str> {
        self.authority.and_then(|authority| authority.port)
    }

    pub fn userinfo(&self) -> Option<&'a str> {
        self.authority.and_then(|authority| authority.userinfo)
    }

    /// The same URI with another host and no userinfo.
    pub fn with_host<'b>(self, host: &'b str) -> Parts<'b>
    where
        'a: 'b,
    {
        let authority = Authority { userinfo: None, host, port: self.port() };
        Parts { authority: Some(authority), ..self }
    }

    /// The same URI with another port, or none. Without an authority there is no port to set.
    pub fn with_port<'b>(self, port: Option<&'b str>) -> Parts<'b>
    where
        'a: 'b,
    {
        let authority = self.authority.map(|authority| Authority { port, ..authority });
        Parts { authority, ..self }
    }

    /// A port that is zero however it is written: it makes a URI native.
    pub fn is_native(&self) -> bool {
        self.port().is_some_and(|port| !port.is_empty() && port.bytes().all(|byte| byte == b'0'))
    }
}

impl<'a> Authority<'a> {
    fn split(text: &'a str) -> Self {
        // the last `@` ends the userinfo: the host that a browser would contact comes after it
        let (userinfo, rest) = match text.rsplit_once('@') {
            Some((userinfo, rest)) => (Some(userinfo), rest),
            None => (None, text),
        };
        let (host, port) = match rest.rsplit_once(':') {
            // a colon inside brackets belongs to the address
            Some((host, port)) if !rest.contains(['[', ']']) || is_bracketed(host) => (host, Some(port)),
            _ => (rest, None),
        };
        Self { userinfo, host, port }
    }
}

/// 1 to 65535 in the one decimal spelling that has no leading zero.
pub(super) fn canonical_port(text: &str) -> Option<NonZeroU16> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    plain.then(|| text.parse().ok()).flatten()
}

fn is_bracketed(host: &str) -> bool {
    host.starts_with('[') && host.ends_with(']')
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

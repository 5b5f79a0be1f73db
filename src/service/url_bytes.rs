//! A URL from a caller, parsed without decoding, folding or dropping anything.
//!
//! Each part has one accepted spelling, and the `url` crate must read the same parts. A URL that two programs could
//! read differently is rejected, never repaired.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    num::NonZeroU16,
};

use url::Url;

/// Longest URL in bytes.
pub const LONGEST: usize = 2048;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that browsers leave out.
    pub fn usual_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// A host in its canonical spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostName {
    Address(IpAddr),
    /// In lower case, without a final dot.
    Name(String),
}

impl HostName {
    fn parse(text: &str) -> Result<Self, UrlFault> {
        let literal = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let (address, canonical) = match literal {
            Some(literal) => {
                let address = literal.parse::<Ipv6Addr>().map_err(|_| UrlFault::Host)?;
                (IpAddr::V6(address), address.to_string() == literal)
            }
            None => match text.parse::<Ipv4Addr>() {
                Ok(address) => (IpAddr::V4(address), true),
                Err(_) if is_name(text) => return Ok(Self::Name(text.to_owned())),
                Err(_) => return Err(UrlFault::Host),
            },
        };
        if canonical { Ok(Self::Address(address)) } else { Err(UrlFault::Host) }
    }

    pub fn is_loopback_address(&self) -> bool {
        matches!(self, Self::Address(address) if *address == Ipv4Addr::LOCALHOST || *address == Ipv6Addr::LOCALHOST)
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// Parses a name in lower case. A name that could be read as an address is rejected.
fn is_name(host: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let label = |label: &str| {
        let ends = label.starts_with('-') || label.ends_with('-');
        !label.is_empty() && label.len() <= 63 && !ends && label.bytes().all(letters)
    };
    // Browsers read a name that ends in a number as an IPv4 address (WHATWG URL, "ends in a number").
    let number = host.rsplit('.').next().is_some_and(|last| last.starts_with(|first: char| first.is_ascii_digit()));
    host.len() <= 253 && host.split('.').all(label) && !number
}

#[derive(Debug)]
pub struct UrlBytes<'a> {
    pub scheme: Scheme,
    pub host: HostName,
    /// `None` if the URL does not contain one.
    pub port: Option<NonZeroU16>,
    /// Empty, or starts with a slash.
    pub path: &'a str,
    pub query: Option<&'a str>,
    pub fragment: Option<&'a str>,
    pub without_fragment: &'a str,
}

impl<'a> UrlBytes<'a> {
    /// # Errors
    /// It is no http or https URL, or not in its canonical spelling.
    pub fn parse(text: &'a str) -> Result<Self, UrlFault> {
        if text.len() > LONGEST {
            return Err(UrlFault::TooLong);
        }
        characters(text)?;
        escapes(text)?;
        let (scheme, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (Scheme::Https, rest),
            (_, Some(rest)) => (Scheme::Http, rest),
            _ => return Err(UrlFault::Scheme),
        };
        let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(UrlFault::Userinfo);
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let port = port.map(canonical_port).transpose()?;
        let host = HostName::parse(host)?;
        let (before, fragment) = cut(tail, '#');
        let (path, query) = cut(before, '?');
        segments(path)?;
        let without_fragment = &text[..text.len() - tail.len() + before.len()];
        let this = Self { scheme, host, port, path, query, fragment, without_fragment };
        match Url::parse(text) {
            Ok(url) if this.is_what_the_crate_sees(&url) => Ok(this),
            _ => Err(UrlFault::ReadTwoWays),
        }
    }

    fn is_what_the_crate_sees(&self, url: &Url) -> bool {
        url.scheme() == self.scheme.as_str()
            && url.host_str() == Some(self.host.to_string().as_str())
            && url.port_or_known_default() == Some(self.effective_port())
            && url.path() == if self.path.is_empty() { "/" } else { self.path }
            && url.username().is_empty()
            && url.password().is_none()
    }

    pub fn effective_port(&self) -> u16 {
        self.port.map_or(self.scheme.usual_port(), NonZeroU16::get)
    }
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// Checks the characters (RFC 3986 section 2), and that no percent escape is cut off.
fn characters(text: &str) -> Result<(), UrlFault> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    let hex = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_hexdigit);
    let whole = |(at, _): (usize, &str)| hex(at + 1) && hex(at + 2);
    match text.bytes().all(known) && text.match_indices('%').all(whole) {
        true => Ok(()),
        false => Err(UrlFault::Character),
    }
}

/// Checks that percent escapes are UTF-8 (RFC 3986 section 2.5). Programs read other encodings, and overlong forms such
/// as `%C0%AF` for a slash, in different ways.
fn escapes(text: &str) -> Result<(), UrlFault> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (escape, rest) = part.split_at_checked(2).ok_or(UrlFault::Character)?;
        bytes.push(u8::from_str_radix(escape, 16).map_err(|_| UrlFault::Character)?);
        bytes.extend(rest.as_bytes());
    }
    std::str::from_utf8(&bytes).map(drop).map_err(|_| UrlFault::NotUtf8)
}

fn canonical_port(text: &str) -> Result<NonZeroU16, UrlFault> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    plain.then(|| text.parse().ok()).flatten().ok_or(UrlFault::Port)
}

fn segments(path: &str) -> Result<(), UrlFault> {
    let lower = path.to_ascii_lowercase();
    for (at, _) in lower.match_indices('%') {
        let escape = &lower[at + 1..at + 3];
        let control = escape.starts_with(['0', '1']) || escape == "7f";
        if control || matches!(escape, "25" | "2f" | "5c") {
            return Err(UrlFault::HiddenSeparator);
        }
    }
    let plain = lower.replace("%2e", ".").replace("%3b", ";");
    // Some servers remove `;...` from a segment before they check it.
    let dots = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
    if plain.split('/').any(dots) {
        return Err(UrlFault::DotSegment);
    }
    match path.contains("//") {
        true => Err(UrlFault::EmptySegment),
        false => Ok(()),
    }
}

/// Why a text is rejected as a URL. The texts never quote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlFault {
    /// A byte that RFC 3986 does not allow, or an escape that is cut off.
    #[error("it has a character that no URL has; escape it")]
    Character,
    /// `.` or `..`, in any spelling.
    #[error("its path has . or .. as a segment")]
    DotSegment,
    /// `//` in the path.
    #[error("its path has //")]
    EmptySegment,
    /// `%2F`, `%5C`, `%25` or a control byte, escaped in the path.
    #[error("its path has an escaped slash, backslash, percent sign or control byte")]
    HiddenSeparator,
    /// The host is no canonical name or address.
    #[error("its host is not a name in lower case or an address in its usual spelling")]
    Host,
    /// The percent escapes are not UTF-8.
    #[error("its percent escapes are not UTF-8")]
    NotUtf8,
    /// The port is not in its canonical spelling.
    #[error("its port is not a number from 1 to 65535 in its shortest form")]
    Port,
    /// A browser would read the URL differently.
    #[error("programs would not agree on where it leads")]
    ReadTwoWays,
    /// The scheme is neither https nor http.
    #[error("it does not begin with https://")]
    Scheme,
    /// It is longer than 2048 bytes.
    #[error("it is longer than 2048 bytes")]
    TooLong,
    /// It has a user name or a password.
    #[error("it has an @ before its host")]
    Userinfo,
}

#[cfg(test)]
mod tests;

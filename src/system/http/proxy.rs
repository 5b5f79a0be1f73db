//! The proxy of a request, from environment variables. The environment is an argument.
//!
//! curl, Go and Python's requests agree that the variable of the scheme counts before `all_proxy`, that an empty
//! variable means none, and that `no_proxy` lists hosts with everything below them. Where they differ: the lower-case
//! name counts first, as in curl and requests; `NO_PROXY` may contain ports, as in Go and requests, and networks, as in
//! all three. Only https uses a proxy, so `http_proxy` is never read: plain http is for loopback, which no proxy can
//! reach.

use std::{ffi::OsString, net::IpAddr};

use ureq::{Proxy, http::Uri};

use crate::oauth::HttpError;

/// In the order in which they count.
const VARIABLES: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
const EXEMPT: [&str; 2] = ["no_proxy", "NO_PROXY"];
const HTTPS: u16 = 443;

/// A proxy, and the variable that names it.
#[derive(Clone, Debug)]
pub struct Named {
    pub proxy: Proxy,
    pub variable: &'static str,
}

/// The proxy for a request to `uri`; `None`: a direct connection.
///
/// # Errors
/// [`HttpError::Proxy`]: the variable cannot be parsed. It is never skipped, because it may be set to prevent direct
/// connections.
pub fn choose(uri: &Uri, variable: impl Fn(&str) -> Option<OsString>) -> Result<Option<Named>, HttpError> {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let port = uri.port_u16().unwrap_or(HTTPS);
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let exempt = EXEMPT.into_iter().find_map(set).unwrap_or_default();
    if exempts(&exempt.to_string_lossy(), host, port) {
        return Ok(None);
    }
    let Some((variable, value)) = VARIABLES.into_iter().find_map(|name| Some((name, set(name)?))) else {
        return Ok(None);
    };
    let unusable = |why: &'static str| HttpError::Proxy { variable, why };
    let proxy = value.to_str().ok_or("it is not UTF-8").and_then(parse).map_err(unusable)?;
    Ok(Some(Named { proxy, variable }))
}

fn parse(value: &str) -> Result<Proxy, &'static str> {
    let uri: Uri = value.parse().map_err(|_| NOT_A_URL)?;
    let authority = uri.authority().ok_or(NOT_A_URL)?;
    match uri.scheme_str().map(str::to_ascii_lowercase).as_deref() {
        None | Some("http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h") => {}
        Some("socks") => return Err("socks:// does not say which version: write socks5h:// or socks4a://"),
        Some(_) => return Err("its scheme is none of http, https, socks4, socks4a, socks5 and socks5h"),
    }
    // The URI crate reads an invalid port as a missing one.
    let (_, place) = authority.as_str().rsplit_once('@').unwrap_or(("", authority.as_str()));
    let port = place.strip_prefix(authority.host()).ok_or(NOT_A_URL)?;
    if authority.host().is_empty() || !(port.is_empty() || authority.port_u16().is_some_and(|port| port > 0)) {
        return Err(NOT_A_URL);
    }
    Proxy::new(value).map_err(|_| "its user name or password cannot be decoded")
}

const NOT_A_URL: &str = "it is not a URL such as http://proxy.example:3128 or socks5h://127.0.0.1:1080";

/// Whether a `NO_PROXY` list names this server. An invalid entry matches nothing.
fn exempts(list: &str, host: &str, port: u16) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    list.split([',', ' ', '\t']).filter(|entry| !entry.is_empty()).any(|entry| {
        let (name, wanted) = split_port(entry);
        wanted.is_none_or(|wanted| wanted == port)
            && match address {
                _ if entry == "*" => true,
                Some(address) => holds(name, address),
                None => is_below(&host, name),
            }
    })
}

/// `host:443`, `[::1]:443`, or a name or address alone.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    match entry.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => match port.parse() {
            Ok(port) => (name, Some(port)),
            Err(_) => (entry, None),
        },
        _ => (entry, None),
    }
}

/// `test`, `.test` and `*.test` match `test` and everything below it.
fn is_below(host: &str, entry: &str) -> bool {
    let domain = entry.strip_prefix('*').unwrap_or(entry).trim_matches('.').to_ascii_lowercase();
    let above = host.strip_suffix(&domain);
    !domain.is_empty() && above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

/// An address, or a network in CIDR notation (RFC 4632).
fn holds(entry: &str, address: IpAddr) -> bool {
    let (network, bits) = match entry.split_once('/') {
        Some((network, bits)) => (network, bits.parse::<u32>().ok()),
        None => (entry, Some(u32::MAX)),
    };
    let (Ok(network), Some(bits)) = (network.trim_matches(['[', ']']).parse::<IpAddr>(), bits) else { return false };
    let high = |value: u128, width: u32| value.checked_shr(width.saturating_sub(bits)).unwrap_or(0);
    match (network, address) {
        (IpAddr::V4(a), IpAddr::V4(b)) => high(a.to_bits().into(), 32) == high(b.to_bits().into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => high(a.to_bits(), 128) == high(b.to_bits(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests;

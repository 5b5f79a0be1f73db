//! The name of an instance in its redirect URI, `/:group/callback/INSTANCE`.

use std::{fmt, net::IpAddr};

use super::{BaseUrl, HostName};

/// Longest name: a host of 253 bytes with a port.
const LONGEST: usize = 260;
const HTTPS_PORT: u16 = 443;

/// Host and port of an instance as one path segment. It is made from the canonical host and port of an allowed base
/// URL, never from a caller's text: each server has exactly one name, and no two servers share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceId(String);

impl InstanceId {
    /// `git.acme.example`, `git.acme.example~8443`, `127.0.0.1~8080`. An IPv6 address begins with `~` and has `-` for
    /// each colon. No host name contains a `~`.
    pub fn of(base: &BaseUrl) -> Self {
        let host = match &base.reach.host {
            HostName::Address(IpAddr::V6(address)) => format!("~{}", address.to_string().replace(':', "-")),
            HostName::Address(address) => address.to_string(),
            HostName::Name(name) => name.clone(),
        };
        match base.reach.port {
            HTTPS_PORT => Self(host),
            port => Self(format!("{host}~{port}")),
        }
    }

    /// The segment of a request's path. It is only compared with the redirect URI of a flow.
    pub fn parse(segment: &str) -> Option<Self> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.~".contains(&b);
        let name = !segment.is_empty()
            && segment.len() <= LONGEST
            && segment.bytes().all(allowed)
            && !segment.bytes().all(|b| b == b'.');
        name.then(|| Self(segment.to_owned()))
    }

    /// The name as a path segment.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    fn id(url: &str) -> String {
        let text = format!(
            "[integration.git]\nauthorization_endpoint = \"https://git.example/authorize\"\n\
             token_endpoint = \"https://git.example/token\"\nclient_id = \"me\"\nbase_allow = [\"{url}\"]\n"
        );
        let catalog = Catalog::parse(&text).expect("configuration");
        let base = BaseUrl::parse(url, catalog.get("git").expect("there"));
        InstanceId::of(&base.unwrap_or_else(|why| panic!("{url}: {why}"))).to_string()
    }

    #[test]
    fn h03_each_server_has_one_name_and_no_two_have_the_same() {
        let servers = [
            ("https://git.acme.example", "git.acme.example"),
            ("https://git.acme.example:8443", "git.acme.example~8443"),
            ("https://git.acme.example-8443", "git.acme.example-8443"),
            ("https://10.0.0.7", "10.0.0.7"),
            ("http://127.0.0.1:80", "127.0.0.1~80"),
            ("http://127.0.0.1:3000", "127.0.0.1~3000"),
            ("http://[::1]:3000", "~--1~3000"),
            ("https://[2001:db8::1]", "~2001-db8--1"),
            ("https://2001-db8--1.example", "2001-db8--1.example"),
        ];
        for (url, expected) in servers {
            assert_eq!(expected, id(url), "{url}");
            assert!(InstanceId::parse(expected).is_some(), "it can stand in a path: {expected}");
        }
        assert_eq!(
            id("https://git.acme.example"),
            id("https://git.acme.example:443"),
            "another spelling of one server"
        );
    }

    #[test]
    fn h03_what_no_server_is_named_by_is_no_instance() {
        for segment in ["", ".", "..", "a/b", "A.example", "a%2eexample", "a b", "a?b", "a_b", "caf\u{e9}"] {
            assert_eq!(None, InstanceId::parse(segment), "{segment}");
        }
        assert_eq!(None, InstanceId::parse(&"a".repeat(LONGEST + 1)));
    }
}

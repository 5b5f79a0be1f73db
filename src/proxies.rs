//! The client's address behind reverse proxies. Only a proxy that the configuration lists is trusted to report it.

use std::{fmt, net::IpAddr};

/// The networks of trusted proxies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<Network>,
    field: ClientField,
}

/// The header field that the proxies write. Only one of them: the client could set the other one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientField {
    /// RFC 7239.
    Forwarded,
    #[default]
    XForwardedFor,
}

/// An address and the number of its leading bits that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

impl Network {
    /// Parses `10.0.0.0/8`, `fd00::/8` or one address. `None`: it is neither, or bits are set after the prefix.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let first: IpAddr = address.parse().ok()?;
        let all = if first.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(all), |bits| bits.parse().ok().filter(|&bits| bits <= all))?;
        let network = Self { first, bits };
        (network.prefix(first) == Some(number(first))).then_some(network)
    }

    /// Whether it is larger than a private network: wider than /8, or than the /7 of private IPv6 addresses (RFC 4193).
    fn is_wide(&self) -> bool {
        self.bits < if self.first.is_ipv4() { 8 } else { 7 }
    }

    fn holds(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.first.is_ipv4() && self.prefix(address) == Some(number(self.first))
    }

    fn prefix(&self, address: IpAddr) -> Option<u128> {
        let width: u8 = if address.is_ipv4() { 32 } else { 128 };
        let behind = u32::from(width.checked_sub(self.bits)?);
        Some(number(address).checked_shr(behind).unwrap_or(0).checked_shl(behind).unwrap_or(0))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

impl TrustedProxies {
    pub fn new(networks: Vec<Network>, field: ClientField) -> Self {
        Self { networks, field }
    }

    /// The header field that the proxies write.
    pub fn field(&self) -> ClientField {
        self.field
    }

    /// The networks that contain addresses of other people.
    pub fn wide(&self) -> impl Iterator<Item = &Network> {
        self.networks.iter().filter(|network| network.is_wide())
    }

    pub fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.networks.iter().any(|network| network.holds(peer))
    }

    /// The last address in the field that belongs to no trusted proxy. Everything to its left was written by that
    /// client. If an element cannot be parsed, the result is the last trusted proxy.
    pub fn client<'a>(&self, peer: IpAddr, written: impl DoubleEndedIterator<Item = &'a [u8]>) -> IpAddr {
        let mut nearest = peer.to_canonical();
        let mut hops = written.rev().flat_map(|value| value.rsplit(|&byte| byte == b','));
        while self.trusts(nearest) {
            let Some(hop) = hops.next().and_then(|hop| self.field.address(hop)) else { break };
            nearest = hop.to_canonical();
        }
        nearest
    }
}

impl ClientField {
    /// Parses one element of the list: an address, with an optional port, brackets or quotes.
    fn address(self, element: &[u8]) -> Option<IpAddr> {
        let text = std::str::from_utf8(element).ok()?;
        let node = match self {
            Self::XForwardedFor => text.trim(),
            Self::Forwarded => {
                let named = |pair: &str| {
                    let (name, value) = pair.split_once('=')?;
                    name.trim().eq_ignore_ascii_case("for").then(|| value.trim().trim_matches('"').to_owned())
                };
                return Self::XForwardedFor.address(text.split(';').find_map(named)?.as_bytes());
            }
        };
        let bracketed = node.strip_prefix('[').and_then(|rest| rest.split(']').next());
        let with_port = || node.rsplit_once(':').and_then(|(address, _)| address.parse::<std::net::Ipv4Addr>().ok());
        match bracketed {
            Some(address) => address.parse().ok(),
            None => node.parse().ok().or_else(|| with_port().map(IpAddr::from)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(networks: &[&str], field: ClientField) -> TrustedProxies {
        TrustedProxies::new(networks.iter().map(|text| Network::parse(text).expect(text)).collect(), field)
    }

    /// `values` are the lines of the field.
    fn client(proxies: &TrustedProxies, peer: &str, values: &[&str]) -> String {
        proxies.client(peer.parse().expect("peer"), values.iter().map(|value| value.as_bytes())).to_string()
    }

    #[test]
    fn y21_only_a_trusted_proxy_is_believed() {
        let nobody = TrustedProxies::default();
        assert_eq!("203.0.113.9", client(&nobody, "203.0.113.9", &["127.0.0.1"]));
        let one = proxies(&["127.0.0.1"], ClientField::XForwardedFor);
        assert_eq!("198.51.100.7", client(&one, "127.0.0.1", &["198.51.100.7"]));
        assert_eq!("203.0.113.9", client(&one, "203.0.113.9", &["198.51.100.7"]), "not from anybody");
        assert_eq!("127.0.0.1", client(&one, "127.0.0.1", &[]));
    }

    #[test]
    fn y21_what_a_client_writes_itself_stands_to_the_left() {
        let chain = proxies(&["10.0.0.0/8", "::1"], ClientField::XForwardedFor);
        assert_eq!("198.51.100.7", client(&chain, "10.9.9.9", &["6.6.6.6, 198.51.100.7, 10.1.2.3"]));
        let in_lines = ["6.6.6.6", "198.51.100.7 ,10.1.2.3"];
        assert_eq!("198.51.100.7", client(&chain, "::1", &in_lines), "several lines are one list");
        assert_eq!("10.1.2.3", client(&chain, "10.9.9.9", &["6.6.6.6, <script>, 10.1.2.3"]));
        assert_eq!("2001:db8::1", client(&chain, "::ffff:10.0.0.1", &["2001:db8::1"]));
    }

    #[test]
    fn y21_the_forms_of_an_address() {
        let legacy = proxies(&["127.0.0.1"], ClientField::XForwardedFor);
        for (written, read) in [("198.51.100.7:4711", "198.51.100.7"), ("[2001:db8::1]:4711", "2001:db8::1")] {
            assert_eq!(read, client(&legacy, "127.0.0.1", &[written]), "{written}");
        }
        let standard = proxies(&["127.0.0.1"], ClientField::Forwarded);
        for (written, read) in [
            ("for=198.51.100.7;proto=https", "198.51.100.7"),
            ("proto=https;For=\"[2001:db8::1]:4711\"", "2001:db8::1"),
            ("for=6.6.6.6, for=198.51.100.7", "198.51.100.7"),
            ("for=unknown", "127.0.0.1"),
            ("for=_hidden", "127.0.0.1"),
            ("proto=https", "127.0.0.1"),
            ("198.51.100.7", "127.0.0.1"),
        ] {
            assert_eq!(read, client(&standard, "127.0.0.1", &[written]), "{written}");
        }
    }

    #[test]
    fn a_network_is_an_address_and_a_prefix() {
        for text in ["", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "::/129", "example.com", "10.0.0.0/8/8", "10.0.0/8"]
        {
            assert_eq!(None, Network::parse(text), "{text}");
        }
        let every = Network::parse("0.0.0.0/0").expect("a network");
        assert!(every.holds("203.0.113.9".parse().expect("address")));
        assert!(!every.holds("::1".parse().expect("address")), "of the other family");
        let eight = Network::parse("fd00::/8").expect("a network");
        assert!(eight.holds("fdff::1".parse().expect("address")) && !eight.holds("fe00::1".parse().expect("address")));
    }
}

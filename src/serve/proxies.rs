//! Whose request it is when proxies stand in front: the address that the nearest untrusted one came from.

use std::net::IpAddr;

/// A network in the notation of RFC 4632: `10.0.0.0/8`; an address alone stands for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// `None`: no such notation, or with bits beyond the prefix.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address.parse::<IpAddr>().ok()?, Some(prefix.parse::<u32>().ok()?)),
            None => (text.parse::<IpAddr>().ok()?, None),
        };
        let (bits, width) = number(address);
        let prefix = prefix.unwrap_or(width);
        let network = Self { address, prefix };
        (prefix <= width && bits & !mask(prefix, width) == 0).then_some(network)
    }

    fn contains(&self, address: IpAddr) -> bool {
        let ((ours, width), (theirs, other)) = (number(self.address), number(address));
        width == other && ours == theirs & mask(self.prefix, width)
    }
}

fn number(address: IpAddr) -> (u128, u32) {
    match address.to_canonical() {
        IpAddr::V4(v4) => (v4.to_bits().into(), 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    }
}

fn mask(prefix: u32, width: u32) -> u128 {
    let all = if width == 128 { u128::MAX } else { (1 << width) - 1 };
    all & !all.checked_shr(prefix).unwrap_or(0)
}

/// `forwarded` are the values of `X-Forwarded-For` in their order. They are read from the end, where trusted proxies
/// wrote; what a stranger wrote before is not believed.
pub fn client<'a>(peer: IpAddr, forwarded: impl DoubleEndedIterator<Item = &'a str>, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer;
    let mut hops = forwarded.rev().flat_map(|value| value.rsplit(','));
    while is_trusted(client) {
        match hops.next().and_then(|hop| hop.trim().parse::<IpAddr>().ok()) {
            Some(hop) => client = hop,
            None => break,
        }
    }
    client.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> IpAddr {
        text.parse().expect("address")
    }

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        let trusted = [Network::parse("10.0.0.0/8").expect("network"), Network::parse("fd00::/8").expect("network")];
        let seen = |peer: &str, forwarded: &[&str]| client(at(peer), forwarded.iter().copied(), &trusted);
        assert_eq!(at("192.0.2.7"), seen("192.0.2.7", &["203.0.113.9"]), "a stranger says what it likes");
        assert_eq!(at("203.0.113.9"), seen("10.1.2.3", &["203.0.113.9"]));
        assert_eq!(at("203.0.113.9"), seen("10.1.2.3", &["198.51.100.1, 203.0.113.9, 10.9.9.9"]));
        assert_eq!(at("203.0.113.9"), seen("fd00::1", &["198.51.100.1", "203.0.113.9"]));
        assert_eq!(at("10.1.2.3"), seen("10.1.2.3", &["unknown"]));
        assert_eq!(at("10.1.2.3"), seen("::ffff:10.1.2.3", &[]));
    }

    #[test]
    fn a_network_has_no_bits_beyond_its_prefix() {
        for good in ["10.0.0.0/8", "192.0.2.1", "::1", "2001:db8::/32", "0.0.0.0/0", "::/0"] {
            assert!(Network::parse(good).is_some(), "{good}");
        }
        for bad in ["", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "x/8", "2001:db8::1/32", "::/129"] {
            assert!(Network::parse(bad).is_none(), "{bad}");
        }
    }
}

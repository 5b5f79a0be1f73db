//! The class of an IP address (IANA special-purpose registries, RFC 6890). IPv6 addresses that wrap an IPv4 address
//! (mapped, compatible, NAT64, 6to4, ISATAP) have the class of that address.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// The class of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressClass {
    /// For documentation (RFC 5737, RFC 3849, RFC 9637).
    Documentation,
    /// RFC 3927, RFC 4291 section 2.5.6.
    LinkLocal,
    /// This machine.
    Loopback,
    /// Where cloud machines get their credentials.
    Metadata,
    /// One address for several machines.
    Multicast,
    /// RFC 1918, RFC 4193, RFC 6598.
    Private,
    /// An address of the internet.
    Public,
    /// Every other special-purpose address.
    Reserved,
    /// `0.0.0.0/8` and `::`, which many systems treat as this machine.
    Unspecified,
}

/// Metadata services outside the link-local range: Alibaba, Azure, Oracle.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];
/// The metadata services of Amazon and Google, and one that several smaller clouds share.
const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42),
];

impl AddressClass {
    /// The class of `address`.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self::of_v4(v4),
            IpAddr::V6(v6) => Self::of_v6(v6),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        if METADATA_V4.contains(&address) || address == Ipv4Addr::new(169, 254, 169, 254) {
            return Self::Metadata;
        }
        match address.octets() {
            [0, ..] => Self::Unspecified,
            [127, ..] => Self::Loopback,
            [10, ..] | [192, 168, ..] | [172, 16..=31, ..] | [100, 64..=127, ..] => Self::Private,
            [169, 254, ..] => Self::LinkLocal,
            [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Self::Documentation,
            [192, 0, 0, _] | [192, 88, 99, _] | [198, 18..=19, ..] | [240..=255, ..] => Self::Reserved,
            [224..=239, ..] => Self::Multicast,
            _ => Self::Public,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        if METADATA_V6.contains(&address) {
            return Self::Metadata;
        }
        let low = |s: [u16; 2]| Self::of_v4(Ipv4Addr::from_bits(u32::from(s[0]) << 16 | u32::from(s[1])));
        match address.segments() {
            [0, 0, 0, 0, 0, 0, 0, 0] => Self::Unspecified,
            [0, 0, 0, 0, 0, 0, 0, 1] => Self::Loopback,
            // compatible, mapped, translated (RFC 2765), NAT64 (RFC 6052)
            [0, 0, 0, 0, 0, 0 | 0xffff, a, b] | [0, 0, 0, 0, 0xffff, 0, a, b] | [0x64, 0xff9b, 0, 0, 0, 0, a, b] => {
                low([a, b])
            }
            [0x2002, a, b, ..] => low([a, b]),
            [0xfe80..=0xfebf, ..] => Self::LinkLocal,
            [0xfc00..=0xfdff, ..] => Self::Private,
            [0xff00..=0xffff, ..] => Self::Multicast,
            [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Self::Documentation,
            // Teredo and the other protocol assignments.
            [0x2001, 0..=0x1ff, ..] => Self::Reserved,
            // ISATAP (RFC 5214 section 6.1)
            [_, _, _, _, 0 | 0x200, 0x5efe, a, b] => low([a, b]),
            [0x2000..=0x3fff, ..] => Self::Public,
            _ => Self::Reserved,
        }
    }
}

impl fmt::Display for AddressClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Documentation => "one for documentation",
            Self::LinkLocal => "link-local",
            Self::Loopback => "of the loopback interface",
            Self::Metadata => "of a cloud's metadata service",
            Self::Multicast => "multicast",
            Self::Private => "in a private network",
            Self::Public => "public",
            Self::Reserved => "reserved",
            Self::Unspecified => "unspecified",
        })
    }
}

//! What kind of host a URI names. Spellings that some programs read as 127.0.0.1 and others do not
//! (`127.1`, `0x7f.1`, `%31`) are told apart here and never corrected in silence.

use std::net::{Ipv4Addr, Ipv6Addr};

pub(super) const LOOPBACK_V4: &str = "127.0.0.1";
pub(super) const LOOPBACK_V6: &str = "[::1]";
pub(super) const LOCALHOST: &str = "localhost";

/// A host as it is written; compared by bytes, not by what it resolves to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// A well-written IP address that is not loopback.
    Address,
    /// Exactly `localhost`.
    Localhost,
    /// Another spelling of `localhost`, or a name below it (RFC 6761 section 6.3).
    LocalhostAlike,
    /// Exactly `127.0.0.1`.
    LoopbackV4,
    /// Exactly `[::1]`.
    LoopbackV6,
    /// A well-written address that reaches this machine, but not by the one canonical spelling.
    LoopbackAlike,
    Malformed(&'static str),
    Name,
    /// A name that works here and fails there.
    UnusualName(&'static str),
}

impl Host {
    /// Reads the host of an `http` or `https` URI.
    pub fn of(text: &str) -> Self {
        match text {
            "" => return Self::Malformed("there is no host"),
            LOCALHOST => return Self::Localhost,
            LOOPBACK_V4 => return Self::LoopbackV4,
            LOOPBACK_V6 => return Self::LoopbackV6,
            _ => {}
        }
        if text.contains(['[', ']', ':']) {
            return Self::bracketed(text);
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        if ends_in_a_number(name) {
            return match text.parse::<Ipv4Addr>() {
                Ok(address) if address.is_loopback() || address.is_unspecified() => Self::LoopbackAlike,
                Ok(_) => Self::Address,
                Err(_) => Self::Malformed(
                    "it ends in a number but is not four plain decimal numbers, so programs disagree about its address",
                ),
            };
        }
        Self::named(text, name)
    }

    fn bracketed(text: &str) -> Self {
        let Some(address) = inside_brackets(text) else {
            return Self::Malformed("an IPv6 address, and nothing else, stands in square brackets");
        };
        match address.parse::<Ipv6Addr>() {
            Ok(address) if reaches_this_machine(address) => Self::LoopbackAlike,
            Ok(_) => Self::Address,
            Err(_) => Self::Malformed("what stands in the brackets is not an IPv6 address"),
        }
    }

    /// `name` is `text` without a final dot.
    fn named(text: &str, name: &str) -> Self {
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if !name.bytes().all(letters) {
            return Self::Malformed("a host name has letters, digits, hyphens and dots only");
        }
        // lengths in bytes, RFC 1035 section 2.3.4
        if name.len() > 253 || name.split('.').any(|label| label.len() > 63) {
            return Self::Malformed("it is longer than a host name can be");
        }
        let lame = |label: &str| label.is_empty() || label.starts_with('-') || label.ends_with('-');
        if name.split('.').any(lame) {
            return Self::Malformed("each part of a host name begins and ends with a letter or digit");
        }
        let last = name.rsplit('.').next().unwrap_or(name);
        if last.eq_ignore_ascii_case(LOCALHOST) {
            return Self::LocalhostAlike;
        }
        if text.ends_with('.') {
            return Self::UnusualName("the final dot makes it another name for every comparison");
        }
        if name.contains('_') {
            return Self::UnusualName("`_` is not allowed in host names (RFC 1123 section 2.1)");
        }
        Self::Name
    }
}

/// The canonical spelling of a host that is an address in disguise, if it is one.
pub(super) fn plain_spelling(text: &str) -> Option<String> {
    if matches!(Host::of(text), Host::Localhost | Host::LocalhostAlike | Host::LoopbackV4) {
        return Some(LOOPBACK_V4.to_owned());
    }
    let bare = inside_brackets(text).unwrap_or(text);
    if let Ok(address) = bare.parse::<Ipv6Addr>() {
        return Some(match address.to_ipv4_mapped() {
            Some(mapped) if mapped.is_loopback() => LOOPBACK_V4.to_owned(),
            _ if reaches_this_machine(address) => LOOPBACK_V6.to_owned(),
            _ => format!("[{address}]"),
        });
    }
    let address = loose_ipv4(&unescaped(text))?;
    if address.is_loopback() || address.is_unspecified() {
        return Some(LOOPBACK_V4.to_owned());
    }
    Some(address.to_string())
}

fn inside_brackets(text: &str) -> Option<&str> {
    text.strip_prefix('[')?.strip_suffix(']')
}

/// `[::]` too: a browser that is sent to it arrives at this machine.
fn reaches_this_machine(address: Ipv6Addr) -> bool {
    let mapped = address.to_ipv4_mapped();
    address.is_loopback()
        || address.is_unspecified()
        || mapped.is_some_and(|v4| v4.is_loopback() || v4.is_unspecified())
}

/// The test by which browsers take a host for an IPv4 address (WHATWG URL, "ends in a number").
fn ends_in_a_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let hex = last.strip_prefix("0x").or(last.strip_prefix("0X"));
    digits(last) || hex.is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// One to four numbers, decimal, octal or hexadecimal, as the C library's `inet_aton` reads them.
/// Only ever used to word a remedy.
fn loose_ipv4(text: &str) -> Option<Ipv4Addr> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let mut numbers = Vec::new();
    for part in text.split('.') {
        if numbers.len() == 4 || !part.bytes().all(|byte| byte.is_ascii_hexdigit() || byte | 32 == b'x') {
            return None;
        }
        let (digits, radix) = match part.strip_prefix("0x").or(part.strip_prefix("0X")) {
            Some(hex) => (hex, 16),
            None if part.len() > 1 && part.starts_with('0') => (part, 8),
            None => (part, 10),
        };
        numbers.push(u32::from_str_radix(digits, radix).ok()?);
    }
    let last = numbers.pop()?;
    let mut address = 0_u32;
    for (shift, number) in [24, 16, 8].into_iter().zip(&numbers) {
        address |= u32::from(u8::try_from(*number).ok()?) << shift;
    }
    // the last number fills every byte that is left
    let room = u32::MAX.checked_shr(8 * u32::try_from(numbers.len()).ok()?)?;
    (last <= room).then(|| Ipv4Addr::from_bits(address | last))
}

/// Percent-escapes of ASCII resolved; anything else stays as it is and so is no address.
fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        plain.push_str(before);
        let byte = after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let Some(byte) = byte.filter(u8::is_ascii_alphanumeric) else {
            return text.to_owned();
        };
        plain.push(char::from(byte));
        rest = after.get(2..).unwrap_or_default();
    }
    plain + rest
}

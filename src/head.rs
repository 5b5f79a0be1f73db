//! The bounded head of one HTTP/1.1 request, read from bytes in whatever pieces they arrive.
//!
//! Keeps the request line and the few fields a decision can rest on; every other value is counted and skipped
//! as opaque bytes, because a browser sends a loopback port the cookies of every program on the machine.
//! Here: what is read and how much of it; `reader` does the reading. Bodies, sockets, deadlines and what to answer
//! live elsewhere.

use std::fmt;

use memchr::memchr;

pub use self::reader::HeadReader;

mod reader;
#[cfg(test)]
mod tests;

/// How much of a request is read before it is refused.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of the whole head, from the method to the empty line.
    pub head: usize,
    /// Bytes of the request line without its CRLF.
    pub request_line: usize,
    /// Number of field lines.
    pub fields: usize,
}

impl Limits {
    /// Room for a 64 KiB query and for 60 KB of cookies that are not ours.
    pub const DEFAULT: Self = Self { head: 128 * 1024, request_line: 66 * 1024, fields: 200 };
}

/// What the bytes so far amount to.
#[expect(clippy::large_enum_variant, reason = "made once a push and taken apart at once; a box would be an allocation")]
#[derive(Debug)]
#[cfg_attr(test, derive(PartialEq, Eq))]
pub enum Progress {
    /// The empty line was found; `consumed` bytes of this push belong to the head, the rest is body.
    Complete { head: Head, consumed: usize },
    /// The head is well-formed so far.
    NeedMore,
    /// The head will never be complete.
    Reject(Rejection),
}

/// Why a head was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// More bytes, more lines or a longer value than the limits allow.
    FieldsTooLarge,
    /// Not the grammar of RFC 9112, or an ambiguity that smuggling lives on.
    Malformed,
    /// A request line longer than the limit.
    TargetTooLong,
    /// HTTP, but neither 1.0 nor 1.1.
    VersionNotSupported,
}

impl Rejection {
    /// The status code to answer with (RFC 9110 §15.5, RFC 6585 §5).
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::TargetTooLong => 414,
            Self::FieldsTooLarge => 431,
            Self::VersionNotSupported => 505,
        }
    }
}

/// The head of one request. Its `Debug` shows no foreign bytes: a target carries codes and states.
#[cfg_attr(test, derive(PartialEq, Eq))]
pub struct Head {
    /// RFC 9110 §9.1.
    pub method: Method,
    /// The request target as it arrived, untouched (RFC 9112 §3.2). Bytes of 0x80 and above may be in it.
    pub target: Vec<u8>,
    /// RFC 9110 §7.2.
    pub host: Host,
    /// What the browser says about the request's cause (Fetch Metadata).
    pub fetch: Fetch,
    /// RFC 6454 §7.
    pub origin: Option<Vec<u8>>,
    /// RFC 7239 §4; several lines are one list. Anybody can write it.
    pub forwarded: Option<Vec<u8>>,
    /// X-Forwarded-For, which came before it; likewise.
    pub forwarded_for: Option<Vec<u8>>,
    /// RFC 9110 §11.6.2.
    pub authorization: Option<Authorization>,
    /// RFC 9110 §8.3.
    pub content_type: Option<Vec<u8>>,
    /// Bytes of body that follow; 0 if the field is missing (RFC 9112 §6.3).
    pub content_length: u64,
    pub persistence: Persistence,
}

/// Whether the peer wants to ask again on the same connection (RFC 9112 §9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// It said so, or speaks HTTP/1.0.
    Close,
    KeepAlive,
}

/// The methods anything here is decided by; all others are `Other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Options,
    Other,
    Post,
}

/// The Host field or fields. All but `One` are to be refused with 400 (RFC 9112 §3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    Missing,
    One(Vec<u8>),
    Several,
}

/// Sec-Fetch-Site, -Mode and -Dest, and Sec-Purpose joined with the older Purpose, X-Purpose and X-Moz.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetch {
    pub site: Option<Vec<u8>>,
    pub mode: Option<Vec<u8>>,
    pub dest: Option<Vec<u8>>,
    pub purpose: Option<Vec<u8>>,
}

/// Credentials of the Authorization field. `Debug` does not show them.
#[cfg_attr(test, derive(PartialEq, Eq))]
pub struct Authorization(Vec<u8>);

impl Authorization {
    /// Scheme and credentials as they arrived.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorization([redacted])")
    }
}

impl Head {
    /// The target up to the first `?`.
    pub fn path(&self) -> &[u8] {
        self.split().0
    }

    /// The target after the first `?`; `None` if there is none.
    pub fn query(&self) -> Option<&[u8]> {
        self.split().1
    }

    fn split(&self) -> (&[u8], Option<&[u8]>) {
        match memchr(b'?', &self.target) {
            Some(mark) => (&self.target[..mark], Some(&self.target[mark + 1..])),
            None => (&self.target, None),
        }
    }

    /// Before anything was read.
    fn blank() -> Self {
        Self {
            method: Method::Other,
            target: Vec::new(),
            host: Host::Missing,
            fetch: Fetch::default(),
            origin: None,
            forwarded: None,
            forwarded_for: None,
            authorization: None,
            content_type: None,
            content_length: 0,
            persistence: Persistence::KeepAlive,
        }
    }

    /// Bytes of memory behind this head.
    pub fn held(&self) -> usize {
        let host = match &self.host {
            Host::One(value) => value.capacity(),
            Host::Missing | Host::Several => 0,
        };
        let Fetch { site, mode, dest, purpose } = &self.fetch;
        let authorization = self.authorization.as_ref().map_or(0, |value| value.0.capacity());
        let optional =
            [site, mode, dest, purpose, &self.origin, &self.content_type, &self.forwarded, &self.forwarded_for];
        let optional: usize = optional.into_iter().flatten().map(Vec::capacity).sum();
        self.target.capacity() + host + authorization + optional
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("method", &self.method)
            .field("target_bytes", &self.target.len())
            .field("content_length", &self.content_length)
            .finish_non_exhaustive()
    }
}

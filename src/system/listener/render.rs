//! A reply as the bytes of an HTTP/1.1 message (RFC 9112 §4).

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use crate::head::{Method, Persistence};
use crate::reply::Reply;

/// What is the same in the replies of a second.
pub(super) struct Renderer {
    /// `Server` and `Date`, each with the end of its line.
    standing: Vec<u8>,
}

impl Renderer {
    pub(super) fn new(now: SystemTime) -> Self {
        // A clock before 1970 or behind the year 9999 has no such date.
        let date = Timestamp::try_from(now).ok().map(|now| DateTimePrinter::new().timestamp_to_rfc9110_string(&now));
        let date = date.and_then(Result::ok).map_or_else(String::new, |date| format!("Date: {date}\r\n"));
        Self { standing: format!("Server: loopin\r\n{date}").into_bytes() }
    }

    /// Appends the whole message. A reply to HEAD has no body (RFC 9110 §9.3.2).
    pub(super) fn append(&self, out: &mut Vec<u8>, reply: &Reply, method: Method, after: Persistence) {
        let start = out.len();
        if self.message(out, reply, method, after).is_none() {
            out.truncate(start);
            out.extend_from_slice(FAILED);
        }
    }

    /// `None`: a field could end its line. Fields are constants or checked; this is the last place to notice a slip.
    fn message(&self, out: &mut Vec<u8>, reply: &Reply, method: Method, after: Persistence) -> Option<()> {
        out.extend_from_slice(b"HTTP/1.1 ");
        number(out, reply.status_code().into());
        out.push(b' ');
        out.extend_from_slice(reason(reply.status_code()).as_bytes());
        out.extend_from_slice(b"\r\n");
        if after == Persistence::Close {
            out.extend_from_slice(b"Connection: close\r\n");
        }
        if let Some(to) = reply.forwarding() {
            out.extend_from_slice(b"Location: ");
            out.extend_from_slice(to.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(&self.standing);
        for (name, value) in reply.fields() {
            if value.bytes().fold(false, |control, byte| control | byte.is_ascii_control()) {
                return None;
            }
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        let body = reply.body();
        out.extend_from_slice(b"Content-Length: ");
        number(out, body.len());
        out.extend_from_slice(b"\r\n\r\n");
        if method != Method::Head {
            out.extend_from_slice(body);
        }
        Some(())
    }
}

fn number(out: &mut Vec<u8>, number: usize) {
    if number >= 10 {
        self::number(out, number / 10);
    }
    out.extend(u8::try_from(number % 10).map(|digit| b'0' + digit));
}

/// The phrase of RFC 9110 §15 and RFC 6585; it decides nothing.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        410 => "Gone",
        413 => "Content Too Large",
        414 => "URI Too Long",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        // The phrase may be empty, the space before it not (RFC 9112 §4).
        _ => "",
    }
}

const FAILED: &[u8] = b"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

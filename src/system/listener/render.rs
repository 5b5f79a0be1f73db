//! A reply as the bytes of an HTTP/1.1 message (RFC 9112 section 4). `tiny_http` writes it; its server is not used.
//!
//! A redirect of the relay is written here: its Location is not ASCII if the query was not, and a relay writes
//! thousands per second.

use std::time::SystemTime;

use jiff::{Timestamp, fmt::rfc2822::DateTimePrinter};
use tiny_http::{HTTPVersion, Header, Response, StatusCode};

use crate::{
    head::{Method, Persistence},
    reply::{Forwarding, Reply},
};

/// The parts that all redirects of a second share.
pub(super) struct Renderer {
    /// From the status line to the name of the Location field.
    before: Vec<u8>,
    before_close: Vec<u8>,
    /// From the end of the Location to the fields of [`Reply::additional`].
    after: Vec<u8>,
}

impl Renderer {
    pub(super) fn new(now: SystemTime) -> Self {
        // A clock before 1970 or after the year 9999 has no such date.
        let date = Timestamp::try_from(now).ok().map(|now| DateTimePrinter::new().timestamp_to_rfc9110_string(&now));
        let date = date.and_then(Result::ok).map_or_else(String::new, |date| format!("Date: {date}\r\n"));
        let mut after = format!("\r\nServer: loopin\r\n{date}").into_bytes();
        let reply = Forwarding::new(b"/".to_vec()).map(Reply::forward);
        for (name, value) in reply.iter().flat_map(Reply::fields) {
            [name, ": ", value, "\r\n"].iter().for_each(|part| after.extend_from_slice(part.as_bytes()));
        }
        let status = StatusCode(307);
        let line = format!("HTTP/1.1 {} {}\r\n", status.0, status.default_reason_phrase());
        let before = |connection: &[u8]| [line.as_bytes(), connection, b"Location: "].concat();
        Self { before: before(b""), before_close: before(CLOSE), after }
    }

    /// Appends the message. A reply to HEAD has no body (RFC 9110 section 9.3.2).
    pub(super) fn append(&self, out: &mut Vec<u8>, reply: &Reply, method: Method, after: Persistence) {
        let start = out.len();
        let whole = match reply.forwarding() {
            Some(to) => self.forward(out, reply, to, after),
            None => print(out, reply, method, after),
        };
        if whole.is_none() {
            out.truncate(start);
            out.extend_from_slice(FAILED);
        }
    }

    fn forward(&self, out: &mut Vec<u8>, reply: &Reply, to: &Forwarding, after: Persistence) -> Option<()> {
        out.extend_from_slice(if after == Persistence::Close { &self.before_close } else { &self.before });
        out.extend_from_slice(to.as_bytes());
        out.extend_from_slice(&self.after);
        for (name, value) in reply.additional() {
            for part in [checked(name)?, ": ", checked(value)?, "\r\n"] {
                out.extend_from_slice(part.as_bytes());
            }
        }
        out.extend_from_slice(b"Content-Length: 0\r\n\r\n");
        Some(())
    }
}

/// All other replies.
fn print(out: &mut Vec<u8>, reply: &Reply, method: Method, after: Persistence) -> Option<()> {
    let mut headers = vec![Header::from_bytes("Server", "loopin").ok()?];
    for (name, value) in reply.fields() {
        headers.push(Header::from_bytes(name, checked(value)?).ok()?);
    }
    let (start, body) = (out.len(), reply.body());
    Response::new(StatusCode(reply.status_code()), headers, body, Some(body.len()), None)
        // Never chunked: there are no request fields, and the threshold excludes it.
        .with_chunked_threshold(usize::MAX)
        .raw_print(&mut *out, HTTPVersion(1, 1), &[], method == Method::Head, None)
        .ok()?;
    if after == Persistence::Close {
        // `raw_print` drops a Connection field, so it is inserted after the status line.
        let line_end = start + out[start..].windows(2).position(|pair| pair == b"\r\n")? + 2;
        out.splice(line_end..line_end, CLOSE.iter().copied());
    }
    Some(())
}

/// `Header` accepts CR LF. Fields are constants or were checked; this is the last check.
fn checked(text: &str) -> Option<&str> {
    let control = text.bytes().fold(false, |control, byte| control | byte.is_ascii_control());
    if control { None } else { Some(text) }
}

const CLOSE: &[u8] = b"Connection: close\r\n";

const FAILED: &[u8] = b"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

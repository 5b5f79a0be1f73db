//! A reply as the bytes of an HTTP/1.1 message (RFC 9112 §4). `tiny_http` writes it; its server is not used.

use tiny_http::{HTTPVersion, Header, Response, StatusCode};

use crate::head::Method;
use crate::reply::Reply;

/// The whole message. Every reply ends its connection; one to HEAD has no body (RFC 9110 §9.3.2).
pub(super) fn bytes(reply: &Reply, method: Method) -> Vec<u8> {
    message(reply, method).unwrap_or_else(|| FAILED.to_vec())
}

fn message(reply: &Reply, method: Method) -> Option<Vec<u8>> {
    let mut headers = vec![Header::from_bytes("Server", "loopin").ok()?];
    for (name, value) in reply.fields() {
        // `Header` accepts CR LF. Fields are constants or checked; this is the last place to notice a slip.
        if value.bytes().any(|byte| byte.is_ascii_control()) {
            return None;
        }
        headers.push(Header::from_bytes(name, value).ok()?);
    }
    let body = reply.body();
    let mut out = Vec::with_capacity(body.len() + HEAD_ROOM);
    Response::new(StatusCode(reply.status_code()), headers, body, Some(body.len()), None)
        // Never chunked: without request fields and with this threshold nothing else asks for it.
        .with_chunked_threshold(usize::MAX)
        .raw_print(&mut out, HTTPVersion(1, 1), &[], method == Method::Head, None)
        .ok()?;
    // `raw_print` drops a Connection field and takes only ASCII, so these go in behind the status line.
    let line_end = out.windows(2).position(|pair| pair == b"\r\n")? + 2;
    let mut first = b"Connection: close\r\n".to_vec();
    if let Some(to) = reply.forwarding() {
        first.extend_from_slice(b"Location: ");
        first.extend_from_slice(to.as_bytes());
        first.extend_from_slice(b"\r\n");
    }
    out.splice(line_end..line_end, first);
    Some(out)
}

const FAILED: &[u8] = b"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// Bytes set aside for the status line and the fields.
const HEAD_ROOM: usize = 1024;

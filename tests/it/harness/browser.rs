//! A hand-made browser: one request, one reply, and a person who decides at the practice provider.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use loopin::system::uninterrupted::uninterrupted;

use super::PATIENCE;

/// A parameter of a URL, decoded.
pub fn parameter(url: &str, name: &str) -> String {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let found = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// A reply, head and body as they came.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Reply {
    pub fn field(&self, name: &str) -> Option<&str> {
        let line = self.head.lines().find(|l| l.split(':').next().is_some_and(|n| n.eq_ignore_ascii_case(name)))?;
        Some(line.split_once(':')?.1.trim())
    }

    /// Head and body again as one text.
    pub fn written(&self) -> String {
        format!("{}\r\n\r\n{}", self.head, self.body)
    }
}

/// One request as bytes, one reply; status 0 when the connection closed without one.
pub fn http(address: SocketAddr, request: &str) -> Reply {
    let mut stream = TcpStream::connect(address).expect("connect");
    let _ = stream.write_all(request.as_bytes());
    read_reply(stream)
}

pub fn read_reply(mut stream: TcpStream) -> Reply {
    stream.set_read_timeout(Some(PATIENCE)).expect("time-out");
    let mut bytes = Vec::new();
    let mut piece = [0; 16 * 1024];
    let mut end = None;
    while !is_whole(&bytes) && end.is_none() {
        match uninterrupted(|| stream.read(&mut piece)) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&piece[..count]),
            ended => end = Some(ended),
        }
    }
    if bytes.is_empty() {
        return Reply { status: 0, head: format!("no reply: {end:?}"), body: String::new() };
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    Reply { status, head: head.to_owned(), body: body.to_owned() }
}

/// A reply behind which the connection goes on. To see what comes behind any other is the caller's aim.
fn is_whole(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length = head.split("\r\ncontent-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse::<usize>().ok());
    !head.contains("\r\nconnection: close") && length.is_some_and(|length| bytes.len() >= end + 4 + length)
}

/// Plays the person at the practice provider.
pub struct Person {
    pub url: String,
}

impl Person {
    /// Allows, follows the redirects to the end and gives the last reply.
    pub fn allow(&self) -> Reply {
        follow(&self.decide("allow"))
    }

    pub fn deny(&self) -> Reply {
        follow(&self.decide("deny"))
    }

    /// The callback URL that the provider sends the browser to, without going there.
    pub fn decide(&self, decision: &str) -> String {
        let page = fetch(&self.url);
        assert_eq!(200, page.status, "{page:?}");
        let id = page
            .body
            .split("name=\"consent\" value=\"")
            .nth(1)
            .and_then(|t| t.split('"').next())
            .expect("form")
            .to_owned();
        let (address, host, _) = split(&self.url);
        let form = format!("consent={id}&decision={decision}");
        let request = format!(
            "POST /consent HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        http(address, &request).field("location").expect("redirect").to_owned()
    }
}

/// GETs a URL and follows redirects to the end.
pub fn follow(url: &str) -> Reply {
    let reply = fetch(url);
    match reply.field("location") {
        Some(to) if to.starts_with('/') => {
            let (_, host, _) = split(url);
            follow(&format!("http://{host}{to}"))
        }
        Some(to) => follow(to),
        None => reply,
    }
}

pub fn fetch(url: &str) -> Reply {
    let (address, host, target) = split(url);
    http(address, &format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"))
}

fn split(url: &str) -> (SocketAddr, String, String) {
    let rest = url.strip_prefix("http://").expect("http");
    let (host, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    (host.replace("localhost", "127.0.0.1").parse().expect("address"), host.to_owned(), target.to_owned())
}

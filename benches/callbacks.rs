//! A counted closed loop of callbacks, for `benches/relay`: so many requests over so many connections, one thread. Every
//! reply must be a 307 whose Location ends in the request's own query, or it ends with 1.
//!
//!     callbacks ADDRESS REQUESTS CONNECTIONS kept|new|pipelined
//!     callbacks ADDRESS 0 CONNECTIONS idle       one request each, then they stay open until standard input ends

use std::{
    collections::HashMap,
    error::Error,
    io::{self, Read, Write},
    net::SocketAddr,
};

use loopin::system::uninterrupted::uninterrupted;
use mio::{Events, Interest, Poll, Token, net::TcpStream};

/// Requests sent with one write, in `pipelined`.
const DEPTH: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Idle,
    Kept,
    New,
    Pipelined,
}

struct Client {
    stream: TcpStream,
    /// The number in the query of the next reply.
    expected: usize,
    /// Replies that are still to come.
    pending: usize,
    received: Vec<u8>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, address, requests, connections, kind] = arguments.as_slice() else { return Err("see the head".into()) };
    let (address, connections): (SocketAddr, usize) = (address.parse()?, connections.parse()?);
    let kind = match kind.as_str() {
        "idle" => Kind::Idle,
        "kept" => Kind::Kept,
        "new" => Kind::New,
        "pipelined" => Kind::Pipelined,
        _ => return Err("kept, new, pipelined or idle".into()),
    };
    let total = if kind == Kind::Idle { connections } else { requests.parse()? };
    let depth = if kind == Kind::Pipelined { DEPTH } else { 1 };
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let (mut clients, mut next_token) = (HashMap::new(), 0);
    let (mut sent, mut answered) = (0, 0);
    let mut open = |poll: &Poll, clients: &mut HashMap<usize, Client>| -> io::Result<()> {
        let mut stream = TcpStream::connect(address)?;
        poll.registry().register(&mut stream, Token(next_token), Interest::READABLE | Interest::WRITABLE)?;
        clients.insert(next_token, Client { stream, expected: 0, pending: 0, received: Vec::new() });
        next_token += 1;
        Ok(())
    };
    for _ in 0..connections.min(total) {
        open(&poll, &mut clients)?;
    }
    let mut waiting = total;
    while answered < total {
        poll.poll(&mut events, None)?;
        for token in events.iter().map(|event| event.token().0) {
            let Some(client) = clients.get_mut(&token) else { continue };
            let replies = client.replies()?;
            answered += replies;
            if client.pending > 0 {
                continue;
            }
            if replies > 0 && kind == Kind::Idle {
                continue;
            }
            if replies > 0 && kind == Kind::New {
                clients.remove(&token);
                if waiting > clients.len() {
                    open(&poll, &mut clients)?;
                }
                continue;
            }
            let count = depth.min(total - sent);
            if count > 0 && client.send(sent, count, kind)? {
                sent += count;
                waiting -= count;
            }
        }
    }
    if kind == Kind::Idle {
        writeln!(io::stdout(), "idle")?;
        io::stdin().read_to_end(&mut Vec::new())?;
    }
    Ok(())
}

impl Client {
    /// `false`: not connected yet.
    fn send(&mut self, first: usize, count: usize, kind: Kind) -> Result<bool, Box<dyn Error>> {
        let close = if kind == Kind::New { "Connection: close\r\n" } else { "" };
        let mut bytes = Vec::with_capacity(count * 128);
        for number in first..first + count {
            let query = format!("code=4%2F0abc{number:08}&state=a+b%20{number:08}");
            write!(bytes, "GET /oauth_callback/acme_fit?{query} HTTP/1.1\r\nHost: yourdomain.com\r\n{close}\r\n")?;
        }
        match uninterrupted(|| self.stream.write(&bytes)) {
            Ok(length) if length == bytes.len() => {}
            Ok(_) => return Err("a short write of so few bytes".into()),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected) => {
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        }
        (self.expected, self.pending) = (first, count);
        Ok(true)
    }

    /// How many have come.
    fn replies(&mut self) -> Result<usize, Box<dyn Error>> {
        let mut piece = [0; 16 * 1024];
        loop {
            match uninterrupted(|| self.stream.read(&mut piece)) {
                Ok(0) if self.pending > 0 => return Err("closed without a reply".into()),
                Ok(count) => {
                    self.received.extend_from_slice(&piece[..count]);
                    if count < piece.len() {
                        break;
                    }
                }
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected) => break,
                Err(error) => return Err(error.into()),
            }
        }
        let mut replies = 0;
        while let Some(end) = position(&self.received, b"\r\n\r\n") {
            let head = &self.received[..end];
            let length = field(head, b"Content-Length: ").and_then(|value| value.parse().ok()).unwrap_or(0);
            if self.received.len() < end + 4 + length {
                break;
            }
            let number = self.expected;
            let query = format!("?code=4%2F0abc{number:08}&state=a+b%20{number:08}");
            let forwarded = field(head, b"Location: ").is_some_and(|location| location.ends_with(&query));
            if !head.starts_with(b"HTTP/1.1 307 ") || !forwarded {
                return Err(format!("not forwarded: {}", head.escape_ascii()).into());
            }
            self.received.drain(..end + 4 + length);
            self.expected += 1;
            self.pending -= 1;
            replies += 1;
        }
        Ok(replies)
    }
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn field<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a str> {
    let start = position(head, name)? + name.len();
    let value = &head[start..];
    std::str::from_utf8(&value[..position(value, b"\r").unwrap_or(value.len())]).ok()
}

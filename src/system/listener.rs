//! An HTTP server on one thread with a `mio` loop. It serves a login on loopback, with one request per connection, and
//! a relay in public, with keep-alive, optional TLS and one thread per core.
//!
//! This module has the [`Service`] trait and the limits. `port` binds; `event_loop` accepts, enforces deadlines and
//! closes connections when `slots` or memory run out; `connection` is the life of one socket, `stream` its bytes;
//! `render` serializes replies. None of them knows what a request means.

use std::io;
use std::net::SocketAddr;
use std::num::{NonZeroU16, NonZeroUsize};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::net::TcpListener;
use mio::{Interest, Poll, Token};
use rustls::ServerConfig;

use self::event_loop::{ACCEPTOR, EventLoop};
use crate::deadlines::{CONNECTION_IDLES, LISTENER_LINGERS, RELAY_DRAINS, REQUEST_ARRIVES, RESPONSE_LEAVES};
use crate::head::{self, Head};
use crate::reply::Reply;

mod connection;
mod event_loop;
mod port;
mod render;
mod slots;
mod stream;
#[cfg(test)]
mod tests;

/// Decides the replies. It is called on the thread of [`Listener::run`] only, which serves nothing else meanwhile.
pub trait Service {
    /// The largest body in bytes for this request. 0: no body is read, and [`Service::respond`] sees only
    /// `content_length`. A body longer than this (if not 0) gets 413.
    fn body_limit(&self, _head: &Head) -> usize {
        0
    }

    /// A complete request. A panic becomes a 500 on this connection and affects no other.
    fn respond(&mut self, request: &Request<'_>) -> Answer;

    /// The loop itself replied with this status, because the bytes are no valid request or took too long. `since` is
    /// when the first of them arrived.
    fn refused(&mut self, _status: u16, _since: Instant) -> Option<Receipt> {
        None
    }

    /// Called after every batch of events, after every wake-up and at least once a second.
    fn turn(&mut self, now: Instant) -> Turn;

    /// The reply with this receipt was passed to the kernel completely at `at`. If the connection waits for the peer to
    /// close, that wait is over.
    fn sent(&mut self, _receipt: Receipt, _at: Instant) {}

    /// The reply with this receipt was not sent completely.
    fn lost(&mut self, _receipt: Receipt, _at: Instant) {}
}

/// A complete request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub head: &'a Head,
    pub body: &'a [u8],
    /// The address of the peer.
    pub peer: SocketAddr,
    /// When the first byte of the head arrived.
    pub since: Instant,
}

/// What is done with a request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The connection is held, without a deadline, until [`Turn::Settle`] names the ticket.
    Later(Ticket),
    Now(Reply),
    /// Like `Now`; [`Service::sent`] reports when it was sent.
    NowWithReceipt(Reply, Receipt),
}

/// What the loop does next.
#[derive(Debug)]
pub enum Turn {
    Continue,
    /// Replies to every connection that is held under a ticket. (With `Later` it is held under another one.) An unknown
    /// ticket is no error: the result of a login does not depend on the browser. [`Service::turn`] is called again
    /// without a wait.
    Settle(Vec<(Ticket, Answer)>),
    /// Accepts the connections in the queue, closes the port, and ends when all are served. A connection without a byte
    /// gets [`Limits::linger`], all together get [`Limits::drain_for`]. A second call changes nothing.
    Drain,
    /// Closes everything at once, unsent replies too. Where those matter, wait for their receipts.
    Stop,
}

/// Identifies a held connection; the service numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(pub u64);

/// Identifies a reply that must be sent completely; the service numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt(pub u64);

/// Limits on what clients can use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub head: head::Limits,
    /// Open connections. Idle ones use at most all slots but one.
    pub sockets: usize,
    /// Bytes of unfinished requests and unread replies, over all connections.
    pub held: usize,
    /// Time to the last byte of head and body, from the accept, or for a later request from its first byte. More bytes
    /// do not extend it.
    pub request: Duration,
    /// How long a connection is kept for its next request. `None`: one request per connection.
    pub idle: Option<Duration>,
    /// Time from a reply to its last byte in the kernel.
    pub write: Duration,
    /// Time from there to the peer's close.
    pub linger: Duration,
    /// Unread bytes that are read and dropped meanwhile, so that no reset overtakes the reply.
    pub drain: usize,
    /// Time from [`Turn::Drain`] to the end, whatever is still open.
    pub drain_for: Duration,
    /// System calls per connection before the next connection's turn.
    pub steps: usize,
    /// Time between two checks of the deadlines, and before the next accept after an error: a detail of the loop.
    pub sweep: Duration,
}

impl Limits {
    pub const DEFAULT: Self = Self {
        head: head::Limits::DEFAULT,
        sockets: 64,
        held: 2 * 1024 * 1024,
        request: REQUEST_ARRIVES,
        idle: None,
        write: RESPONSE_LEAVES,
        linger: LISTENER_LINGERS,
        drain: 256 * 1024,
        drain_for: RELAY_DRAINS,
        steps: 16,
        sweep: Duration::from_secs(1),
    };

    /// For a public server. One read can contain hundreds of pipelined requests, so turns are short and a single
    /// request does not wait long.
    pub const PUBLIC: Self =
        Self { sockets: 1024, held: 16 * 1024 * 1024, idle: Some(CONNECTION_IDLES), steps: 2, ..Self::DEFAULT };

    /// The limits of each of several loops that serve together.
    pub fn shared_by(self, loops: NonZeroUsize) -> Self {
        Self { sockets: self.sockets.div_ceil(loops.get()), held: self.held / loops, ..self }
    }
}

/// Sockets that stay bound from the start, so that nobody else can take the port before [`Listener::run`].
#[derive(Debug)]
pub struct Listener {
    poll: Poll,
    sockets: Vec<TcpListener>,
    port: NonZeroU16,
    waker: Waker,
    limits: Limits,
    tls: Option<Arc<ServerConfig>>,
}

/// Wakes the loop from another thread.
#[derive(Clone, Debug)]
pub struct Waker(Arc<mio::Waker>);

impl Waker {
    /// If the wake-up is lost, the next sweep does it.
    pub fn wake(&self) {
        let _ = self.0.wake();
    }
}

impl Listener {
    /// Binds all addresses to one port: the one they name, or for port 0 a port that is free for all.
    ///
    /// # Errors
    /// There is no address, one is not loopback, or the ports differ (`InvalidInput`); or the port is taken.
    pub fn bind(addresses: &[SocketAddr]) -> io::Result<Self> {
        let refuse = |why: &'static str| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        let Some(wanted) = addresses.first().map(SocketAddr::port) else {
            return refuse("no address to listen on; name 127.0.0.1 or [::1]");
        };
        if !addresses.iter().all(|address| address.ip().is_loopback()) {
            return refuse("not a loopback address; use 127.0.0.1 or [::1]");
        }
        if addresses.iter().any(|address| address.port() != wanted) {
            return refuse("the addresses name different ports; give all of them the same one");
        }
        let (sockets, port) = port::bind_all(addresses)?;
        Self::over(sockets, port)
    }

    /// Binds one address that other machines may reach, for several loops that serve it together.
    ///
    /// # Errors
    /// The port is taken, or this machine does not have the address.
    pub fn bind_public(address: SocketAddr, loops: NonZeroUsize) -> io::Result<Vec<Self>> {
        let (sockets, port) = port::bind_shared(address, loops)?;
        sockets.into_iter().map(|socket| Self::over(vec![socket], port)).collect()
    }

    fn over(mut sockets: Vec<TcpListener>, port: NonZeroU16) -> io::Result<Self> {
        let poll = Poll::new()?;
        for (index, socket) in sockets.iter_mut().enumerate() {
            poll.registry().register(socket, Token(ACCEPTOR - index), Interest::READABLE)?;
        }
        let waker = Waker(Arc::new(mio::Waker::new(poll.registry(), WAKE)?));
        Ok(Self { poll, sockets, port, waker, limits: Limits::DEFAULT, tls: None })
    }

    /// Replaces [`Limits::DEFAULT`].
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Every connection begins with a TLS handshake.
    pub fn with_tls(self, config: Arc<ServerConfig>) -> Self {
        Self { tls: Some(config), ..self }
    }

    /// The port of all addresses.
    pub fn port(&self) -> NonZeroU16 {
        self.port
    }

    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Serves until [`Turn::Stop`] or the end of a [`Turn::Drain`], and returns the service. No error of a peer, of
    /// accept or of poll ends it.
    pub fn run<S: Service>(self, service: S) -> S {
        EventLoop::new(self.poll, self.sockets, self.limits, self.tls, service).run()
    }
}

/// The token of the waker.
const WAKE: Token = Token(usize::MAX);

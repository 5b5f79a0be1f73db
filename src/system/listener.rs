//! One thread, one `mio` loop: accepts, reads requests, writes replies; for a login on loopback and one request a
//! connection, for a relay in public, kept alive, perhaps under TLS, and on one thread a core.
//!
//! Here: the [`Service`] that decides, the limits. `port` binds; `event_loop` is accepting, deadlines and who is dropped
//! when `slots` run out; `connection` the life of one socket, `stream` its bytes; `render` the bytes of a reply. What a
//! request means is not known here.

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

/// Decides what is answered. Called from the thread of [`Listener::run`] only; while it thinks, nobody is served.
pub trait Service {
    /// How many bytes of body this request may bring. 0: none is read, and [`Service::respond`] sees the
    /// `content_length` alone. A longer body than this (but not 0) is answered with 413 here.
    fn body_limit(&self, _head: &Head) -> usize {
        0
    }

    /// One complete request. A panic becomes a 500 on this connection and ends nothing else.
    fn respond(&mut self, request: &Request<'_>) -> Answer;

    /// The loop itself answers with this status: to bytes that will never be a request, or that took too long.
    /// `since` is when the first of them came.
    fn refused(&mut self, _status: u16, _since: Instant) -> Option<Receipt> {
        None
    }

    /// Called after every batch of events, after every wake-up and at least once a second.
    fn turn(&mut self, now: Instant) -> Turn;

    /// The reply with this receipt was handed to the kernel in full at `at`; if the connection ends with a wait for the
    /// peer's own end, that wait is over.
    fn sent(&mut self, _receipt: Receipt, _at: Instant) {}

    /// The reply with this receipt did not go out in full.
    fn lost(&mut self, _receipt: Receipt, _at: Instant) {}
}

/// One complete request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub head: &'a Head,
    pub body: &'a [u8],
    /// The other end of the connection.
    pub peer: SocketAddr,
    /// When the first byte of the head came.
    pub since: Instant,
}

/// What becomes of one request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The connection is held, without a deadline, until [`Turn::Settle`] names the ticket.
    Later(Ticket),
    Now(Reply),
    /// As `Now`; [`Service::sent`] tells when it is out.
    NowWithReceipt(Reply, Receipt),
}

/// What the loop does next.
#[derive(Debug)]
pub enum Turn {
    Continue,
    /// Answers every connection held under a ticket (with `Later`, it is held on under another one). A ticket that nobody holds any more is no error: the outcome
    /// of a login does not depend on the browser. [`Service::turn`] is asked again without waiting.
    Settle(Vec<(Ticket, Answer)>),
    /// Takes who already stands in the queue, closes the port, and ends when everybody was answered. Who has not sent a
    /// byte is given [`Limits::linger`], everybody together [`Limits::drain_for`]. Asked for again, it changes nothing.
    Drain,
    /// Closes everything at once, unsent replies too; wait for a receipt where that matters.
    Stop,
}

/// Names a held connection; numbered by the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(pub u64);

/// Names a reply whose sending matters; numbered by the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt(pub u64);

/// What strangers may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub head: head::Limits,
    /// Open connections. Idle ones fill at most all slots but one.
    pub sockets: usize,
    /// Bytes of unfinished requests and of replies that nobody reads, over all connections.
    pub held: usize,
    /// To the last byte of head and body, from accept or, of a later request, from its first byte; more bytes do not
    /// extend it.
    pub request: Duration,
    /// How long a connection is kept for the next request; `None`: one request a connection.
    pub idle: Option<Duration>,
    /// From the reply to its last byte in the kernel.
    pub write: Duration,
    /// From there to the peer's close.
    pub linger: Duration,
    /// Unread bytes swallowed meanwhile, so that no reset overtakes the reply.
    pub drain: usize,
    /// From [`Turn::Drain`] to the end, whoever is still there.
    pub drain_for: Duration,
    /// System calls on one connection before the next one gets its turn.
    pub steps: usize,
    /// Pause between two looks at the deadlines, and of accepting after an error.
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

    /// For a server that strangers are meant to reach. One read can hold hundreds of pipelined requests, so turns are
    /// short: who asks for one thing does not wait for those.
    pub const PUBLIC: Self =
        Self { sockets: 1024, held: 16 * 1024 * 1024, idle: Some(CONNECTION_IDLES), steps: 2, ..Self::DEFAULT };

    /// The share of each of so many loops that serve together.
    pub fn shared_by(self, loops: NonZeroUsize) -> Self {
        Self { sockets: self.sockets.div_ceil(loops.get()), held: self.held / loops, ..self }
    }
}

/// Sockets that are bound once and kept: the port cannot be taken by anybody else before [`Listener::run`].
#[derive(Debug)]
pub struct Listener {
    poll: Poll,
    sockets: Vec<TcpListener>,
    port: NonZeroU16,
    waker: Waker,
    limits: Limits,
    tls: Option<Arc<ServerConfig>>,
}

/// Makes the loop take its turn now; for other threads.
#[derive(Clone, Debug)]
pub struct Waker(Arc<mio::Waker>);

impl Waker {
    /// If the wake-up is lost, the turn comes with the next sweep.
    pub fn wake(&self) {
        let _ = self.0.wake();
    }
}

impl Listener {
    /// Binds all addresses to one port: the one they name, or with port 0 a free one that every address can have.
    ///
    /// # Errors
    /// No address, an address that is not loopback or ports that differ (`InvalidInput`); a port that is taken.
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

    /// Binds one address, which others than this machine may reach, for so many loops that serve it together.
    ///
    /// # Errors
    /// The port is taken, or the address is not this machine's.
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

    /// Every connection begins with a handshake.
    pub fn with_tls(self, config: Arc<ServerConfig>) -> Self {
        Self { tls: Some(config), ..self }
    }

    /// The port all addresses are bound to.
    pub fn port(&self) -> NonZeroU16 {
        self.port
    }

    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Serves until [`Turn::Stop`] or the end of a [`Turn::Drain`], and hands the service back. No fault of a peer, of accepting or of polling ends it.
    pub fn run<S: Service>(self, service: S) -> S {
        EventLoop::new(self.poll, self.sockets, self.limits, self.tls, service).run()
    }
}

/// The token of the waker.
const WAKE: Token = Token(usize::MAX);

//! One thread, one `mio` loop: accepts, for a login on loopback only, reads one request per connection, writes one reply.
//!
//! Here: the [`Service`] that decides, the limits, binding. `event_loop` is accepting, deadlines and who is dropped
//! when seats run out; `connection` the life of one socket; `render` the bytes of a reply. What a request means is
//! not known here.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::net::TcpListener;
use mio::{Interest, Poll, Token};

use self::event_loop::EventLoop;
use crate::head::{self, Head, Rejection};
use crate::reply::Reply;

mod connection;
mod event_loop;
mod render;
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

    /// Bytes that will never be a request. The loop answers them.
    fn unreadable(&mut self, _rejection: Rejection) {}

    /// Called after every batch of events, after every wake-up and at least once a second.
    fn turn(&mut self, now: Instant) -> Turn;

    /// The reply with this receipt was handed to the kernel in full, and the peer has closed or was given its time.
    fn sent(&mut self, _receipt: Receipt) {}
}

/// One complete request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub head: &'a Head,
    pub body: &'a [u8],
    /// The other end of the connection.
    pub peer: SocketAddr,
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
    /// Open connections. Idle ones fill at most all seats but one.
    pub sockets: usize,
    /// Bytes of unfinished requests, over all connections.
    pub held: usize,
    /// From accept to the last byte of head and body; more bytes do not extend it.
    pub request: Duration,
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
        request: Duration::from_secs(10),
        write: Duration::from_secs(10),
        linger: Duration::from_secs(1),
        drain: 256 * 1024,
        drain_for: Duration::from_secs(10),
        steps: 16,
        sweep: Duration::from_secs(1),
    };

    /// For a server that strangers are meant to reach.
    pub const PUBLIC: Self = Self { sockets: 1024, held: 16 * 1024 * 1024, ..Self::DEFAULT };
}

/// Sockets that are bound once and kept: the port cannot be taken by anybody else before [`Listener::run`].
#[derive(Debug)]
pub struct Listener {
    poll: Poll,
    sockets: Vec<TcpListener>,
    port: NonZeroU16,
    waker: Waker,
    limits: Limits,
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
        Self::bound(addresses, wanted)
    }

    /// Binds one address, which others than this machine may reach.
    ///
    /// # Errors
    /// The port is taken, or the address is not this machine's.
    pub fn bind_public(address: SocketAddr) -> io::Result<Self> {
        Self::bound(&[address], address.port())
    }

    fn bound(addresses: &[SocketAddr], wanted: u16) -> io::Result<Self> {
        // A port that is free for the first address may be taken for another.
        let mut tries = 1..if wanted == 0 { PORT_TRIES } else { 1 };
        let (mut sockets, port) = loop {
            match bind_all(addresses) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries.next().is_some() => {}
                bound => break bound?,
            }
        };
        let poll = Poll::new()?;
        for (index, socket) in sockets.iter_mut().enumerate() {
            poll.registry().register(socket, Token(index), Interest::READABLE)?;
        }
        let waker = Waker(Arc::new(mio::Waker::new(poll.registry(), WAKE)?));
        Ok(Self { poll, sockets, port, waker, limits: Limits::DEFAULT })
    }

    /// Replaces [`Limits::DEFAULT`].
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
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
        EventLoop::new(self.poll, self.sockets, self.limits, service).run()
    }
}

/// Binds every address to the port of the first.
fn bind_all(addresses: &[SocketAddr]) -> io::Result<(Vec<TcpListener>, NonZeroU16)> {
    let mut port = 0;
    let mut sockets = Vec::with_capacity(addresses.len());
    for &(mut address) in addresses {
        if port != 0 {
            address.set_port(port);
        }
        // The standard library sets SO_REUSEADDR on Unix, where it shares no port, and not on Windows, where it would.
        let socket = std::net::TcpListener::bind(address)?;
        socket.set_nonblocking(true)?;
        port = socket.local_addr()?.port();
        sockets.push(TcpListener::from_std(socket));
    }
    let port = NonZeroU16::new(port).ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok((sockets, port))
}

/// The token of the waker; those of the bound sockets count from 0, those of connections go on from there.
const WAKE: Token = Token(usize::MAX);

/// Ports tried until one is free for both families. A second try is rare unless somebody squats on purpose.
const PORT_TRIES: u32 = 16;

//! The loop: waiting, accepting, the deadline sweep, and who is dropped when seats or memory run out.
//! What happens on one socket is `connection`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use super::connection::{Connection, Context, Expendable, Fate};
use super::{Answer, Limits, Receipt, Service, Ticket, Turn, WAKE};

pub(super) struct EventLoop<S> {
    poll: Poll,
    limits: Limits,
    service: S,
    acceptors: Vec<Acceptor>,
    /// By token. Tokens only count up: the order is the order of accepting, and a late event of a connection that
    /// is gone meets no other.
    connections: BTreeMap<usize, Connection>,
    next_token: usize,
    /// Sum of [`Connection::held`] over all connections.
    held: usize,
    /// Connections that had more to do than one event allows.
    again: BTreeSet<usize>,
    /// Since when nobody new is let in.
    draining: Option<Instant>,
    /// Bytes come in here for every connection alike.
    scratch: Box<[u8]>,
}

struct Acceptor {
    socket: TcpListener,
    resume: Resume,
}

/// When to accept again. Readiness is told once, so a queue that was not emptied must be remembered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Resume {
    /// The queue was not emptied for fairness' sake.
    AtOnce,
    /// There was no descriptor or no seat to be had.
    AtSweep,
    /// The queue is empty.
    OnEvent,
}

/// Whether the next wait may take its time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    Prompt,
    Wait,
}

impl<S: Service> EventLoop<S> {
    pub(super) fn new(poll: Poll, sockets: Vec<TcpListener>, limits: Limits, service: S) -> Self {
        let next_token = sockets.len();
        let acceptors = sockets.into_iter().map(|socket| Acceptor { socket, resume: Resume::OnEvent }).collect();
        Self {
            poll,
            limits,
            service,
            acceptors,
            connections: BTreeMap::new(),
            next_token,
            held: 0,
            again: BTreeSet::new(),
            draining: None,
            scratch: vec![0; READ].into_boxed_slice(),
        }
    }

    pub(super) fn run(mut self) -> S {
        let mut events = Events::with_capacity(EVENTS);
        let mut sweep_at = clock() + self.limits.sweep;
        let mut pace = Pace::Wait;
        loop {
            let timeout = match pace {
                Pace::Prompt => Duration::ZERO,
                Pace::Wait => sweep_at.saturating_duration_since(clock()),
            };
            if let Err(error) = self.poll.poll(&mut events, Some(timeout)) {
                events.clear();
                // Without readiness there are still deadlines; the service's own one ends a wait that has no point.
                if error.kind() != io::ErrorKind::Interrupted {
                    thread::sleep(self.limits.sweep);
                }
            }
            let now = clock();
            let unfinished = mem::take(&mut self.again);
            for token in events.iter().map(|event| event.token()).filter(|&token| token != WAKE) {
                match self.acceptors.get_mut(token.0) {
                    Some(Acceptor { resume: Resume::AtSweep, .. }) => {}
                    Some(acceptor) => acceptor.resume = Resume::AtOnce,
                    None => self.advance(token.0, now),
                }
            }
            for token in unfinished {
                self.advance(token, now);
            }
            if now >= sweep_at {
                sweep_at = now + self.limits.sweep;
                self.sweep(now);
            }
            for index in 0..self.acceptors.len() {
                if self.acceptors[index].resume == Resume::AtOnce {
                    self.acceptors[index].resume = self.accept(index, now);
                }
            }
            let settled = match self.service.turn(now) {
                Turn::Continue => false,
                Turn::Settle(answers) => {
                    for (ticket, answer) in answers {
                        self.settle(ticket, &answer, now);
                    }
                    true
                }
                Turn::Drain => {
                    self.drain(now);
                    false
                }
                Turn::Stop => return self.service,
            };
            if self.draining.is_some_and(|since| self.is_drained(now - since)) {
                return self.service;
            }
            let waiting = self.acceptors.iter().any(|acceptor| acceptor.resume == Resume::AtOnce);
            pace = if settled || waiting || !self.again.is_empty() { Pace::Prompt } else { Pace::Wait };
        }
    }

    fn drain(&mut self, now: Instant) {
        if self.draining.is_some() {
            return;
        }
        self.draining = Some(now);
        // Who stands in the queue has connected before the end was said; closing the port would reset it.
        for index in 0..self.acceptors.len() {
            while self.accept(index, now) == Resume::AtOnce {}
        }
        self.acceptors.clear();
    }

    fn is_drained(&self, after: Duration) -> bool {
        let silent_alone = || self.connections.values().all(Connection::is_silent);
        after >= self.limits.drain_for || self.connections.is_empty() || (after >= self.limits.linger && silent_alone())
    }

    fn accept(&mut self, index: usize, now: Instant) -> Resume {
        let mut failures = 0;
        for _ in 0..ACCEPTS {
            // Room comes first: who is accepted has a seat.
            while self.connections.len() >= self.limits.sockets {
                if !self.give_up_one(now) {
                    return Resume::AtSweep;
                }
            }
            match self.acceptors[index].socket.accept() {
                Ok((stream, peer)) => {
                    failures = 0;
                    self.admit(stream, peer, now);
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return Resume::OnEvent,
                    // The peer has left while it was queued.
                    io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset => {}
                    io::ErrorKind::Interrupted => {}
                    // Mostly out of descriptors. Those of our idle peers are as good as new ones.
                    _ if failures == 0 && self.give_up_one(now) => failures += 1,
                    _ => return Resume::AtSweep,
                },
            }
        }
        Resume::AtOnce
    }

    fn admit(&mut self, mut stream: TcpStream, peer: SocketAddr, now: Instant) {
        let token = self.next_token;
        self.next_token += 1;
        // Registered once for both directions: readiness is told per change, so unwanted interest costs nothing.
        let interest = Interest::READABLE | Interest::WRITABLE;
        if self.poll.registry().register(&mut stream, Token(token), interest).is_err() {
            return;
        }
        self.put(token, Connection::new(stream, peer, &self.limits, now));
        // What has already arrived is served without another wait.
        self.advance(token, now);
    }

    /// Drops the oldest connection whose head is incomplete, or else the next best, but never one that waits for its
    /// answer. A candidate that turns out to have its request in the kernel is served instead; then try the next.
    /// `false`: nobody can be dropped.
    fn give_up_one(&mut self, now: Instant) -> bool {
        let Some((rank, token)) = self.most_expendable() else { return false };
        self.advance(token, now);
        if self.connections.get(&token).and_then(Connection::expendable) == Some(rank) {
            self.evict(token, now);
        }
        true
    }

    /// The oldest of the most expendable.
    fn most_expendable(&self) -> Option<(Expendable, usize)> {
        self.connections.iter().filter_map(|(&token, connection)| Some((connection.expendable()?, token))).min()
    }

    fn evict(&mut self, token: usize, now: Instant) {
        self.with(token, now, |connection, _| connection.end());
    }

    fn advance(&mut self, token: usize, now: Instant) {
        self.with(token, now, Connection::advance);
        while self.held > self.limits.held {
            let Some((_, token)) = self.most_expendable() else { break };
            self.evict(token, now);
        }
    }

    fn sweep(&mut self, now: Instant) {
        let due = |connection: &Connection| connection.due().is_some_and(|due| due <= now);
        let overdue: Vec<usize> =
            self.connections.iter().filter(|(_, connection)| due(connection)).map(|(&token, _)| token).collect();
        for token in overdue {
            self.with(token, now, Connection::expire);
        }
        for acceptor in &mut self.acceptors {
            if acceptor.resume == Resume::AtSweep {
                acceptor.resume = Resume::AtOnce;
            }
        }
    }

    fn settle(&mut self, ticket: Ticket, answer: &Answer, now: Instant) {
        let waiting = |connection: &Connection| connection.ticket() == Some(ticket);
        let tokens: Vec<usize> =
            self.connections.iter().filter(|(_, connection)| waiting(connection)).map(|(&token, _)| token).collect();
        for token in tokens {
            self.with(token, now, |connection, context| connection.settle(answer.clone(), context));
        }
    }

    /// Lets something happen to one connection and keeps the books. A panic in there costs this connection only.
    fn with<A>(&mut self, token: usize, now: Instant, act: A)
    where
        A: FnOnce(Connection, &mut Context<'_, S>) -> Fate,
    {
        let Some(connection) = self.connections.remove(&token) else { return };
        self.held -= connection.held();
        let Self { service, scratch, limits, .. } = self;
        let mut context = Context { service, scratch, limits, now };
        match contained(|| act(connection, &mut context)) {
            Some(Fate::Again(connection)) => {
                self.again.insert(token);
                self.put(token, connection);
            }
            Some(Fate::Waits(connection)) => self.put(token, connection),
            Some(Fate::Over(Some(receipt))) => self.sent(receipt),
            Some(Fate::Over(None)) | None => {}
        }
    }

    fn put(&mut self, token: usize, connection: Connection) {
        self.held += connection.held();
        self.connections.insert(token, connection);
    }

    fn sent(&mut self, receipt: Receipt) {
        contained(|| self.service.sent(receipt));
    }
}

/// `None` if the call panicked. The panic hook has said why by then.
pub(super) fn contained<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}

#[expect(clippy::disallowed_methods, reason = "deadlines of sockets; everybody else gets this time as an argument")]
fn clock() -> Instant {
    Instant::now()
}

/// Bytes of the one buffer that is read into.
const READ: usize = 16 * 1024;

/// Events taken from the system at once.
const EVENTS: usize = 256;

/// Connections accepted in a row before those that are already here get their turn.
const ACCEPTS: usize = 64;

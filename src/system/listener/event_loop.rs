//! The loop: it waits, accepts, checks deadlines, and closes connections when slots or memory run out. `connection`
//! handles each socket.

use std::collections::BTreeSet;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use rustls::ServerConfig;

use super::connection::{Connection, Context, Expendable, Fate, Replies, Spare};
use super::render::Renderer;
use super::slots::Slots;
use super::stream::Stream;
use super::{Answer, Limits, Service, Ticket, Turn, WAKE};
use crate::head::Persistence;
use crate::system::clock as wall_clock;

pub(super) struct EventLoop<S> {
    poll: Poll,
    limits: Limits,
    tls: Option<Arc<ServerConfig>>,
    service: S,
    acceptors: Vec<Acceptor>,
    slots: Slots,
    /// The number of connections so far.
    accepted: u64,
    /// The sum of [`Connection::held`] over all connections.
    held: usize,
    /// Slots of connections that had more to do than one turn allows.
    again: BTreeSet<usize>,
    /// When accepting was last stopped.
    draining: Option<Instant>,
    /// The shared buffers for reading and writing.
    scratch: Box<[u8]>,
    spare: Spare,
    replies: Replies,
    renderer: Renderer,
}

struct Acceptor {
    socket: TcpListener,
    resume: Resume,
}

/// When to accept again. Readiness is reported once, so a queue that was not emptied must be remembered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Resume {
    /// The queue was not emptied, to be fair to open connections.
    AtOnce,
    /// There was no descriptor or no slot.
    AtSweep,
    /// The queue is empty.
    OnEvent,
}

/// How long the next wait may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    Prompt,
    Wait,
}

impl<S: Service> EventLoop<S> {
    pub(super) fn new(
        poll: Poll,
        sockets: Vec<TcpListener>,
        limits: Limits,
        tls: Option<Arc<ServerConfig>>,
        service: S,
    ) -> Self {
        let acceptors = sockets.into_iter().map(|socket| Acceptor { socket, resume: Resume::OnEvent }).collect();
        Self {
            poll,
            limits,
            tls,
            service,
            acceptors,
            slots: Slots::default(),
            accepted: 0,
            held: 0,
            again: BTreeSet::new(),
            draining: None,
            scratch: vec![0; READ].into_boxed_slice(),
            spare: Spare::default(),
            replies: Replies::default(),
            renderer: Renderer::new(wall_clock::now()),
        }
    }

    pub(super) fn run(mut self) -> S {
        let mut events = Events::with_capacity(EVENTS);
        let mut now = clock();
        let mut sweep_at = now + self.limits.sweep;
        let mut pace = Pace::Wait;
        loop {
            let timeout = match pace {
                Pace::Prompt => Duration::ZERO,
                Pace::Wait => sweep_at.saturating_duration_since(now),
            };
            if let Err(error) = self.poll.poll(&mut events, Some(timeout)) {
                events.clear();
                // Deadlines are enforced without readiness too, so the wait ends when the service's own deadline does.
                if error.kind() != io::ErrorKind::Interrupted {
                    thread::sleep(self.limits.sweep);
                }
            }
            now = clock();
            let mut unfinished = mem::take(&mut self.again);
            for event in events.iter().filter(|event| event.token() != WAKE) {
                let token = event.token();
                if (event.is_read_closed() || event.is_error())
                    && let Some(connection) = self.slots.get_mut(token.0)
                {
                    connection.stream().has_ended();
                }
                match ACCEPTOR.checked_sub(token.0).and_then(|index| self.acceptors.get_mut(index)) {
                    Some(Acceptor { resume: Resume::AtSweep, .. }) => {}
                    Some(acceptor) => acceptor.resume = Resume::AtOnce,
                    None => self.advance(token.0, now),
                }
            }
            while let Some(slot) = unfinished.pop_first() {
                self.advance(slot, now);
            }
            if now >= sweep_at {
                sweep_at = now + self.limits.sweep;
                self.sweep(now);
            }
            self.slots.clear_left();
            for index in 0..self.acceptors.len() {
                if self.acceptors[index].resume == Resume::AtOnce {
                    // Serving earlier connections took time, which does not count against new ones.
                    self.acceptors[index].resume = self.accept(index, clock());
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
                Turn::Stop => return self.end(now),
            };
            if self.draining.is_some_and(|since| self.is_drained(now - since)) {
                // A connection whose request has just arrived is not silent.
                self.every_slot(now, Connection::advance);
                if self.slots.iter().all(|(_, connection)| connection.is_silent()) || self.is_late(now) {
                    return self.end(now);
                }
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
        // The queued connections were made before the end. Closing the port would reset them.
        for index in 0..self.acceptors.len() {
            // Later connections do not postpone the end.
            let mut turns = 0..QUEUED / ACCEPTS;
            while turns.next().is_some() && self.accept(index, now) == Resume::AtOnce {}
        }
        self.acceptors.clear();
    }

    fn is_drained(&self, after: Duration) -> bool {
        let silent_alone = || self.slots.iter().all(|(_, connection)| connection.is_silent());
        after >= self.limits.drain_for || self.slots.taken() == 0 || (after >= self.limits.linger && silent_alone())
    }

    fn is_late(&self, now: Instant) -> bool {
        self.draining.is_some_and(|since| now - since >= self.limits.drain_for)
    }

    /// Closes everything and reports every reply to the service.
    fn end(mut self, now: Instant) -> S {
        self.every_slot(now, Connection::end);
        self.service
    }

    fn every_slot(&mut self, now: Instant, act: impl Fn(Connection, &mut Context<'_, S>) -> Fate) {
        let slots: Vec<usize> = self.slots.iter().map(|(slot, _)| slot).collect();
        for slot in slots {
            self.with(slot, now, &act);
        }
    }

    fn accept(&mut self, index: usize, now: Instant) -> Resume {
        let mut failures = 0;
        for _ in 0..ACCEPTS {
            let full = self.slots.taken() >= self.limits.sockets;
            if full && self.slots.iter().all(|(_, connection)| connection.expendable().is_none()) {
                return Resume::AtSweep;
            }
            match self.acceptors[index].socket.accept() {
                Ok((stream, peer)) => {
                    failures = 0;
                    // No connection is closed before there is a new one. If the last candidate turns out to have sent
                    // its request, one more slot is used.
                    while self.slots.taken() >= self.limits.sockets && self.give_up_one(now) {}
                    self.admit(stream, peer, now);
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return Resume::OnEvent,
                    // The peer has left the queue.
                    io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset => {}
                    io::ErrorKind::Interrupted => {}
                    // Usually there are no descriptors left. Closing idle connections frees some.
                    _ if failures == 0 && self.give_up_one(now) => failures += 1,
                    _ => return Resume::AtSweep,
                },
            }
        }
        Resume::AtOnce
    }

    fn admit(&mut self, socket: TcpStream, peer: SocketAddr, now: Instant) {
        // On other systems it is inherited from the listening socket.
        #[cfg(not(target_os = "linux"))]
        let _ = socket.set_nodelay(true);
        let Ok(stream) = Stream::new(socket, self.tls.as_ref()) else { return };
        self.accepted += 1;
        let connection = Connection::new(stream, peer, self.accepted, now + self.limits.request);
        let slot = self.slots.reserve();
        self.slots.put(slot, connection);
        // Bytes that have arrived are handled without another wait. A connection that ends at once is never registered.
        self.advance(slot, now);
        self.with(slot, now, |mut connection, context| {
            // Registered once for both directions: readiness is reported per change, so unused interest costs nothing.
            let interest = Interest::READABLE | Interest::WRITABLE;
            match context.registry.register(connection.stream().socket(), Token(slot), interest) {
                Ok(()) => Fate::Waits(connection),
                Err(_) => connection.end(context),
            }
        });
    }

    /// Closes the connection that was silent for longest, otherwise the next candidate, but never one that waits for
    /// its reply. A candidate whose request is already in the kernel is served instead. Returns `false` if none can be
    /// closed.
    fn give_up_one(&mut self, now: Instant) -> bool {
        let number_of =
            |kind| self.slots.iter().filter(|(_, connection)| connection.expendable() == Some(kind)).count();
        // Clients without a request cannot take the slots of those with one, and those cannot take all slots.
        let many =
            if number_of(Expendable::Kept) > number_of(Expendable::Head) { Expendable::Kept } else { Expendable::Head };
        let rank = |connection: &Connection| {
            let kind = connection.expendable()?;
            Some((kind != many, kind, connection.due(), connection.number()))
        };
        let Some((first, slot)) = self.first_by(rank) else { return false };
        self.advance(slot, now);
        if self.slots.get(slot).and_then(rank) == Some(first) {
            self.evict(slot, now);
        }
        true
    }

    /// The slot of the connection with the lowest rank.
    fn first_by<R: Ord>(&self, rank: impl Fn(&Connection) -> Option<R>) -> Option<(R, usize)> {
        self.slots.iter().filter_map(|(slot, connection)| Some((rank(connection)?, slot))).min()
    }

    fn evict(&mut self, slot: usize, now: Instant) {
        self.with(slot, now, Connection::end);
    }

    fn advance(&mut self, slot: usize, now: Instant) {
        self.with(slot, now, Connection::advance);
        while self.held > self.limits.held {
            let burden = |connection: &Connection| Some((connection.burden()?, connection.number()));
            let Some((_, slot)) = self.first_by(burden) else { break };
            self.evict(slot, now);
        }
    }

    fn sweep(&mut self, now: Instant) {
        self.renderer = Renderer::new(wall_clock::now());
        let due = |connection: &Connection| connection.due().is_some_and(|due| due <= now);
        let overdue: Vec<usize> =
            self.slots.iter().filter(|(_, connection)| due(connection)).map(|(slot, _)| slot).collect();
        for slot in overdue {
            self.with(slot, now, Connection::expire);
        }
        for acceptor in &mut self.acceptors {
            if acceptor.resume == Resume::AtSweep {
                acceptor.resume = Resume::AtOnce;
            }
        }
    }

    fn settle(&mut self, ticket: Ticket, answer: &Answer, now: Instant) {
        let waiting = |connection: &Connection| connection.ticket() == Some(ticket);
        let slots: Vec<usize> =
            self.slots.iter().filter(|(_, connection)| waiting(connection)).map(|(slot, _)| slot).collect();
        for slot in slots {
            self.with(slot, now, |connection, context| connection.settle(answer.clone(), context));
        }
    }

    /// Runs a step of one connection and updates the sums. A panic affects this connection only.
    fn with<A>(&mut self, slot: usize, now: Instant, act: A)
    where
        A: FnOnce(Connection, &mut Context<'_, S>) -> Fate,
    {
        let Some(connection) = self.slots.take(slot) else { return };
        self.held -= connection.held();
        let persistence = match (self.limits.idle, self.draining) {
            (Some(_), None) => Persistence::KeepAlive,
            (None, _) | (_, Some(_)) => Persistence::Close,
        };
        let Self { service, scratch, spare, limits, replies, renderer, poll, .. } = self;
        let registry = poll.registry();
        let mut context = Context { service, scratch, spare, replies, renderer, limits, registry, now, persistence };
        match contained(|| act(connection, &mut context)) {
            Some(Fate::Again(connection)) => {
                self.again.insert(slot);
                self.put(slot, connection);
            }
            Some(Fate::Waits(connection)) => self.put(slot, connection),
            Some(Fate::Over) => self.slots.leave(slot),
            None => {
                self.replies = Replies::default();
                self.slots.leave(slot);
            }
        }
    }

    fn put(&mut self, slot: usize, connection: Connection) {
        self.held += connection.held();
        self.slots.put(slot, connection);
    }
}

/// `None` if the call panicked. The panic hook has printed the reason.
pub(super) fn contained<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}

#[expect(clippy::disallowed_methods, reason = "deadlines of sockets; everybody else gets this time as an argument")]
pub(super) fn clock() -> Instant {
    Instant::now()
}

/// The token of the first bound socket; the others count down. A connection's token is the number of its slot.
pub(super) const ACCEPTOR: usize = usize::MAX - 1;

/// The size of the shared read buffer in bytes.
const READ: usize = 16 * 1024;

/// Events per poll.
const EVENTS: usize = 256;

/// Connections accepted in a row before the open ones get their turn.
const ACCEPTS: usize = 64;

/// The usual length of a system's accept queue.
const QUEUED: usize = 4096;

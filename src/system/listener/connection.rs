//! The life of one socket: request heads, an optional body, an optional wait, replies, close. Its steps are in `steps`;
//! `event_loop` decides about deadlines and about connections that must be closed.

use std::net::SocketAddr;
use std::time::Instant;

use mio::Registry;

use super::render::Renderer;
use super::stream::Stream;
use super::{Answer, Limits, Receipt, Service, Ticket};
use crate::head::{Head, HeadReader, Method, Persistence};

mod steps;

pub(super) struct Connection {
    stream: Stream,
    peer: SocketAddr,
    /// Numbered in the order of accepts.
    number: u64,
    phase: Phase,
}

/// What a connection needs from the loop.
pub(super) struct Context<'a, S> {
    pub(super) service: &'a mut S,
    pub(super) scratch: &'a mut [u8],
    pub(super) spare: &'a mut Spare,
    pub(super) replies: &'a mut Replies,
    pub(super) renderer: &'a Renderer,
    pub(super) limits: &'a Limits,
    pub(super) registry: &'a Registry,
    pub(super) now: Instant,
    /// Whether a connection may send another request.
    pub(super) persistence: Persistence,
}

/// A reader that is reused by the next connection. Most heads arrive complete and leave nothing in it.
#[derive(Default)]
pub(super) struct Spare(Option<Box<Unfinished<HeadReader>>>);

/// Replies that are sent with one write. Both buffers are empty between two connections.
#[derive(Default)]
pub(super) struct Replies {
    pub(super) bytes: Vec<u8>,
    pub(super) receipts: Vec<Receipt>,
}

/// The state of a connection after its turn.
pub(super) enum Fate {
    /// Its turn ended; it may have more to do.
    Again(Connection),
    /// It is closed.
    Over,
    /// It waits for its next event.
    Waits(Connection),
}

/// Connections that may be closed for a new one, in this order. A connection that waits for its reply is never closed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Expendable {
    /// Its head is incomplete.
    Head,
    /// Its last request was answered.
    Kept,
    Body,
    Lingering,
}

/// Connections whose memory is freed, in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Burden {
    Asking,
    /// The peer does not read its replies.
    Deaf,
}

enum Phase {
    /// No byte has arrived.
    Fresh {
        due: Instant,
    },
    /// Between two requests.
    Kept {
        due: Instant,
    },
    Head(Box<Unfinished<HeadReader>>),
    Body(Box<Unfinished<(Head, Vec<u8>)>>),
    Held(Box<Waiting>),
    Writing(Box<Stalled>),
    Lingering(Box<Lingering>),
}

/// An incomplete part of a request.
struct Unfinished<P> {
    part: P,
    /// When its first byte arrived.
    since: Instant,
    due: Instant,
}

struct Waiting {
    ticket: Ticket,
    method: Method,
}

/// Replies that the kernel did not accept yet. Nothing is read meanwhile.
struct Stalled {
    bytes: Vec<u8>,
    written: usize,
    receipts: Vec<Receipt>,
    then: Then,
    due: Instant,
}

struct Lingering {
    drained: usize,
    receipts: Vec<Receipt>,
    /// When the replies were passed to the kernel.
    sent: Instant,
    due: Instant,
}

/// What follows after the replies.
enum Then {
    Await(Phase),
    /// All bytes of the peer were read.
    Close,
    /// A close with unread bytes would make the kernel send a reset, which may overtake the reply.
    Linger,
}

/// The result of one system call.
enum Step {
    Next(Phase),
    Over,
    Wait(Phase),
}

impl Connection {
    pub(super) fn new(stream: Stream, peer: SocketAddr, number: u64, due: Instant) -> Self {
        Self { stream, peer, number, phase: Phase::Fresh { due } }
    }

    pub(super) fn stream(&mut self) -> &mut Stream {
        &mut self.stream
    }

    /// Incremented for each connection.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Does what is possible without a wait, up to the number of steps per turn.
    pub(super) fn advance<S: Service>(mut self, context: &mut Context<'_, S>) -> Fate {
        for _ in 0..context.limits.steps {
            match context.step(&mut self.stream, self.peer, self.phase) {
                Step::Next(phase) => self.phase = phase,
                Step::Over => return Fate::Over,
                Step::Wait(phase) => return Fate::Waits(Self { phase, ..self }),
            }
        }
        Fate::Again(self)
    }

    /// Sends the reply that a held connection has waited for.
    pub(super) fn settle<S: Service>(self, answer: Answer, context: &mut Context<'_, S>) -> Fate {
        match self.phase {
            Phase::Held(ref waiting) => {
                let then = context.answer(answer, waiting.method, Persistence::Close, Then::Linger);
                self.send(then, context)
            }
            _ => Fate::Waits(self),
        }
    }

    /// Called when the deadline has passed.
    pub(super) fn expire<S: Service>(self, context: &mut Context<'_, S>) -> Fate {
        let since = match &self.phase {
            Phase::Head(head) => head.since,
            Phase::Body(body) => body.since,
            // A socket that a browser opened in advance, or an idle one: no client waits for a reply there.
            _ => return self.end(context),
        };
        context.refuse(408, since);
        self.send(Then::Linger, context)
    }

    /// Closes the socket.
    pub(super) fn end<S: Service>(mut self, context: &mut Context<'_, S>) -> Fate {
        match self.phase {
            Phase::Lingering(farewell) => context.sent(farewell.receipts, farewell.sent),
            Phase::Writing(stalled) => context.lost(stalled.receipts),
            Phase::Fresh { .. } | Phase::Kept { .. } => self.stream.take_leave(),
            Phase::Head(_) | Phase::Body(_) | Phase::Held(_) => {}
        }
        Fate::Over
    }

    /// Writes the replies and continues.
    fn send<S: Service>(mut self, then: Then, context: &mut Context<'_, S>) -> Fate {
        match context.send(&mut self.stream, then) {
            Step::Over => Fate::Over,
            Step::Next(phase) => Self { phase, ..self }.advance(context),
            Step::Wait(phase) => Fate::Waits(Self { phase, ..self }),
        }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Fresh { due } | Phase::Kept { due } => Some(*due),
            Phase::Head(head) => Some(head.due),
            Phase::Body(body) => Some(body.due),
            Phase::Writing(stalled) => Some(stalled.due),
            Phase::Lingering(farewell) => Some(farewell.due),
            Phase::Held(_) => None,
        }
    }

    pub(super) fn expendable(&self) -> Option<Expendable> {
        match self.phase {
            Phase::Fresh { .. } | Phase::Head(_) => Some(Expendable::Head),
            Phase::Body(_) => Some(Expendable::Body),
            Phase::Kept { .. } => Some(Expendable::Kept),
            Phase::Lingering(_) => Some(Expendable::Lingering),
            Phase::Held(_) | Phase::Writing(_) => None,
        }
    }

    pub(super) fn burden(&self) -> Option<Burden> {
        (self.held() > 0).then_some(match self.phase {
            Phase::Writing(_) => Burden::Deaf,
            _ => Burden::Asking,
        })
    }

    /// Whether no byte of a request has arrived since the accept or the last reply.
    pub(super) fn is_silent(&self) -> bool {
        matches!(self.phase, Phase::Fresh { .. } | Phase::Kept { .. })
    }

    pub(super) fn ticket(&self) -> Option<Ticket> {
        match &self.phase {
            Phase::Held(waiting) => Some(waiting.ticket),
            _ => None,
        }
    }

    /// Bytes of memory for an unfinished request or unsent replies.
    pub(super) fn held(&self) -> usize {
        self.stream.held() + self.phase.held()
    }
}

impl Phase {
    fn held(&self) -> usize {
        match self {
            Self::Head(head) => size_of::<HeadReader>() + head.part.held(),
            Self::Body(body) => body.part.0.held() + body.part.1.capacity(),
            Self::Writing(stalled) => {
                let then = if let Then::Await(phase) = &stalled.then { phase.held() } else { 0 };
                stalled.bytes.capacity() + then
            }
            Self::Fresh { .. } | Self::Kept { .. } | Self::Held(_) | Self::Lingering(_) => 0,
        }
    }
}

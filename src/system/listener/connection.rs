//! The life of one socket: heads, perhaps a body, perhaps a wait, the replies, the farewell.
//! Each step of it is in `steps`; whom to drop and when to look again is decided in `event_loop`.

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
    /// In the order of accepting.
    number: u64,
    phase: Phase,
}

/// What a connection needs of the loop to go on.
pub(super) struct Context<'a, S> {
    pub(super) service: &'a mut S,
    pub(super) scratch: &'a mut [u8],
    pub(super) spare: &'a mut Spare,
    pub(super) replies: &'a mut Replies,
    pub(super) renderer: &'a Renderer,
    pub(super) limits: &'a Limits,
    pub(super) registry: &'a Registry,
    pub(super) now: Instant,
    /// Whether anybody may ask again on a connection.
    pub(super) persistence: Persistence,
}

/// A reader between two connections, as new: most heads come whole and leave nothing in it.
#[derive(Default)]
pub(super) struct Spare(Option<Box<Unfinished<HeadReader>>>);

/// Replies that go out with one write; both are empty between two connections.
#[derive(Default)]
pub(super) struct Replies {
    pub(super) bytes: Vec<u8>,
    pub(super) receipts: Vec<Receipt>,
}

/// What has become of a connection that was handed over.
pub(super) enum Fate {
    /// It had no more turns; there may be more to do at once.
    Again(Connection),
    /// It is closed.
    Over,
    /// Nothing to do until the next event.
    Waits(Connection),
}

/// Who may lose the slot, most expendable first. Who waits for an answer or is being sent one may not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Expendable {
    /// No whole head has come.
    Head,
    /// Its last request was answered.
    Kept,
    Body,
    Lingering,
}

/// Whose memory is taken back first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Burden {
    Asking,
    /// Replies wait for a peer that does not read.
    Deaf,
}

enum Phase {
    /// Not one byte has come.
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

/// A part of a request.
struct Unfinished<P> {
    part: P,
    /// When its first byte came.
    since: Instant,
    due: Instant,
}

struct Waiting {
    ticket: Ticket,
    method: Method,
}

/// Replies that the kernel had no room for. Nothing is read meanwhile.
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
    /// When the replies were the kernel's.
    sent: Instant,
    due: Instant,
}

/// What follows once the replies are out.
enum Then {
    Await(Phase),
    /// Nothing of the peer is unread.
    Close,
    /// Closing with bytes unread would make the kernel send a reset, which may overtake the reply.
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

    /// Counts up from connection to connection.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Does what can be done without waiting, within a fair share.
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

    /// The answer that a held connection has waited for.
    pub(super) fn settle<S: Service>(self, answer: Answer, context: &mut Context<'_, S>) -> Fate {
        match self.phase {
            Phase::Held(ref waiting) => {
                let then = context.answer(answer, waiting.method, Persistence::Close, Then::Linger);
                self.send(then, context)
            }
            _ => Fate::Waits(self),
        }
    }

    /// The deadline has passed.
    pub(super) fn expire<S: Service>(self, context: &mut Context<'_, S>) -> Fate {
        let since = match &self.phase {
            Phase::Head(head) => head.since,
            Phase::Body(body) => body.since,
            // A socket that browsers open in advance and never use, or that nobody used again: nobody reads a reply there.
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

    /// Writes what was answered, and goes on.
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

    /// Not one byte of a request has come since it was accepted or answered.
    pub(super) fn is_silent(&self) -> bool {
        matches!(self.phase, Phase::Fresh { .. } | Phase::Kept { .. })
    }

    pub(super) fn ticket(&self) -> Option<Ticket> {
        match &self.phase {
            Phase::Held(waiting) => Some(waiting.ticket),
            _ => None,
        }
    }

    /// Bytes of memory behind an unfinished request, or behind replies that are not out.
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

//! The life of one socket: head, perhaps a body, perhaps a wait, the reply, the farewell. One request, then it ends.
//! Whom to drop and when to look again is decided in `event_loop`.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::Instant;

use mio::net::TcpStream;

use super::event_loop::contained;
use super::{Answer, Limits, Receipt, Request, Service, Ticket, render};
use crate::head::{Head, HeadReader, Method, Progress};
use crate::reply::Reply;

pub(super) struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    phase: Phase,
}

/// What a connection needs of the loop to go on.
pub(super) struct Context<'a, S> {
    pub(super) service: &'a mut S,
    pub(super) scratch: &'a mut [u8],
    pub(super) limits: &'a Limits,
    pub(super) now: Instant,
}

/// What has become of a connection that was handed over.
pub(super) enum Fate {
    /// It had no more turns; there may be more to do at once.
    Again(Connection),
    /// It is closed; the receipt, if its reply had one and went out.
    Over(Option<Receipt>),
    /// Nothing to do until the next event.
    Waits(Connection),
}

/// Who may lose the seat, most expendable first. Who waits for an answer or is being sent one may not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Expendable {
    Head,
    Body,
    Lingering,
}

enum Phase {
    Head { reader: HeadReader, due: Instant },
    Body { head: Head, body: Vec<u8>, due: Instant },
    Held { ticket: Ticket, method: Method },
    Writing { bytes: Vec<u8>, written: usize, receipt: Option<Receipt>, due: Instant },
    Lingering { drained: usize, receipt: Option<Receipt>, due: Instant },
}

/// The result of one system call.
enum Step {
    Next(Phase),
    Over(Option<Receipt>),
    Wait(Phase),
}

impl Connection {
    pub(super) fn new(stream: TcpStream, peer: SocketAddr, limits: &Limits, now: Instant) -> Self {
        let reader = HeadReader::new(limits.head);
        Self { stream, peer, phase: Phase::Head { reader, due: now + limits.request } }
    }

    /// Does what can be done without waiting, within a fair share.
    pub(super) fn advance<S: Service>(mut self, context: &mut Context<'_, S>) -> Fate {
        for _ in 0..context.limits.steps {
            match context.step(&mut self.stream, self.peer, self.phase) {
                Step::Next(phase) => self.phase = phase,
                Step::Over(receipt) => return Fate::Over(receipt),
                Step::Wait(phase) => return Fate::Waits(Self { phase, ..self }),
            }
        }
        Fate::Again(self)
    }

    /// The answer that a held connection has waited for.
    pub(super) fn settle<S: Service>(self, answer: Answer, context: &mut Context<'_, S>) -> Fate {
        match self.phase {
            Phase::Held { method, .. } => Self { phase: context.answer(answer, method), ..self }.advance(context),
            _ => Fate::Waits(self),
        }
    }

    /// The deadline has passed.
    pub(super) fn expire<S: Service>(self, context: &mut Context<'_, S>) -> Fate {
        match &self.phase {
            // A socket that browsers open in advance and never use; nobody reads a reply there.
            Phase::Head { reader, .. } if reader.is_empty() => Fate::Over(None),
            Phase::Head { .. } | Phase::Body { .. } => Self { phase: context.refuse(408), ..self }.advance(context),
            Phase::Held { .. } | Phase::Lingering { .. } | Phase::Writing { .. } => self.end(),
        }
    }

    /// Closes the socket.
    pub(super) fn end(self) -> Fate {
        match self.phase {
            Phase::Lingering { receipt, .. } => Fate::Over(receipt),
            _ => Fate::Over(None),
        }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        match self.phase {
            Phase::Head { due, .. }
            | Phase::Body { due, .. }
            | Phase::Writing { due, .. }
            | Phase::Lingering { due, .. } => Some(due),
            Phase::Held { .. } => None,
        }
    }

    pub(super) fn expendable(&self) -> Option<Expendable> {
        match self.phase {
            Phase::Head { .. } => Some(Expendable::Head),
            Phase::Body { .. } => Some(Expendable::Body),
            Phase::Lingering { .. } => Some(Expendable::Lingering),
            Phase::Held { .. } | Phase::Writing { .. } => None,
        }
    }

    /// Not one byte has come.
    pub(super) fn is_silent(&self) -> bool {
        matches!(&self.phase, Phase::Head { reader, .. } if reader.is_empty())
    }

    pub(super) fn ticket(&self) -> Option<Ticket> {
        match self.phase {
            Phase::Held { ticket, .. } => Some(ticket),
            _ => None,
        }
    }

    /// Bytes of memory behind an unfinished request.
    pub(super) fn held(&self) -> usize {
        match &self.phase {
            Phase::Head { reader, .. } => reader.held(),
            Phase::Body { head, body, .. } => head.held() + body.capacity(),
            Phase::Held { .. } | Phase::Writing { .. } | Phase::Lingering { .. } => 0,
        }
    }
}

impl<S: Service> Context<'_, S> {
    fn step(&mut self, stream: &mut TcpStream, peer: SocketAddr, phase: Phase) -> Step {
        match phase {
            Phase::Head { reader, due } => match stream.read(self.scratch) {
                Ok(0) => Step::Over(None),
                Ok(count) => Step::Next(self.head(peer, reader, count, due)),
                Err(error) => again_or_over(&error, Phase::Head { reader, due }, None),
            },
            Phase::Body { head, body, due } => match stream.read(self.scratch) {
                Ok(0) => Step::Over(None),
                Ok(count) => Step::Next(self.body(peer, head, body, 0..count, due)),
                Err(error) => again_or_over(&error, Phase::Body { head, body, due }, None),
            },
            // Not read: if the peer has left, the reply finds out.
            Phase::Held { .. } => Step::Wait(phase),
            Phase::Writing { bytes, written, receipt, due } => match stream.write(&bytes[written..]) {
                Ok(0) => Step::Over(None),
                Ok(count) if written + count < bytes.len() => {
                    Step::Next(Phase::Writing { bytes, written: written + count, receipt, due })
                }
                Ok(_) => match stream.shutdown(Shutdown::Write) {
                    Ok(()) => {
                        let due = self.now + self.limits.linger;
                        Step::Next(Phase::Lingering { drained: 0, receipt, due })
                    }
                    Err(_) => Step::Over(receipt),
                },
                Err(error) => again_or_over(&error, Phase::Writing { bytes, written, receipt, due }, None),
            },
            // Closing with bytes unread would make the kernel send a reset, which may overtake the reply. Who sends
            // more than is drained has until the deadline to read it.
            Phase::Lingering { drained, .. } if drained >= self.limits.drain => Step::Wait(phase),
            Phase::Lingering { drained, receipt, due } => match stream.read(self.scratch) {
                Ok(0) => Step::Over(receipt),
                Ok(count) => Step::Next(Phase::Lingering { drained: drained + count, receipt, due }),
                Err(error) => again_or_over(&error, Phase::Lingering { drained, receipt, due }, receipt),
            },
        }
    }

    fn head(&mut self, peer: SocketAddr, mut reader: HeadReader, count: usize, due: Instant) -> Phase {
        match reader.push(&self.scratch[..count]) {
            Progress::NeedMore => Phase::Head { reader, due },
            Progress::Reject(rejection) => {
                contained(|| self.service.unreadable(rejection));
                self.refuse(rejection.status())
            }
            Progress::Complete { head, consumed } => {
                let limit = contained(|| self.service.body_limit(&head)).unwrap_or(0);
                if limit == 0 || head.content_length == 0 {
                    self.respond(&Request { head: &head, body: &[], peer })
                } else if usize::try_from(head.content_length).is_ok_and(|length| length <= limit) {
                    self.body(peer, head, Vec::new(), consumed..count, due)
                } else {
                    self.refuse(413)
                }
            }
        }
    }

    /// Takes the part of the new bytes that belongs to the body; what follows it is never looked at.
    fn body(
        &mut self,
        peer: SocketAddr,
        head: Head,
        mut body: Vec<u8>,
        new: std::ops::Range<usize>,
        due: Instant,
    ) -> Phase {
        let missing = usize::try_from(head.content_length).unwrap_or(usize::MAX) - body.len();
        let new = &self.scratch[new];
        body.extend_from_slice(&new[..new.len().min(missing)]);
        if new.len() < missing {
            Phase::Body { head, body, due }
        } else {
            self.respond(&Request { head: &head, body: &body, peer })
        }
    }

    fn respond(&mut self, request: &Request<'_>) -> Phase {
        let answer = contained(|| self.service.respond(request));
        self.answer(answer.unwrap_or_else(|| Answer::Now(Reply::status(500))), request.head.method)
    }

    fn answer(&self, answer: Answer, method: Method) -> Phase {
        match answer {
            Answer::Later(ticket) => Phase::Held { ticket, method },
            Answer::Now(reply) => self.write(&reply, None, method),
            Answer::NowWithReceipt(reply, receipt) => self.write(&reply, Some(receipt), method),
        }
    }

    fn refuse(&self, status: u16) -> Phase {
        self.write(&Reply::status(status), None, Method::Other)
    }

    fn write(&self, reply: &Reply, receipt: Option<Receipt>, method: Method) -> Phase {
        let bytes = render::bytes(reply, method);
        Phase::Writing { bytes, written: 0, receipt, due: self.now + self.limits.write }
    }
}

/// What a failed system call means: wait, call again, or the peer is gone.
fn again_or_over(error: &io::Error, phase: Phase, receipt: Option<Receipt>) -> Step {
    match error.kind() {
        io::ErrorKind::WouldBlock => Step::Wait(phase),
        io::ErrorKind::Interrupted => Step::Next(phase),
        _ => Step::Over(receipt),
    }
}

//! The steps of a connection: read, reply or write, and the next phase.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Instant;

use super::{Context, Lingering, Phase, Stalled, Step, Then, Unfinished, Waiting};
use crate::head::{Head, HeadReader, Method, Persistence, Progress};
use crate::reply::Reply;
use crate::system::listener::event_loop::{clock, contained};
use crate::system::listener::stream::Stream;
use crate::system::listener::{Answer, Receipt, Request, Service};

impl<S: Service> Context<'_, S> {
    pub(super) fn step(&mut self, stream: &mut Stream, peer: SocketAddr, phase: Phase) -> Step {
        match phase {
            Phase::Fresh { due } => match stream.read(self.scratch) {
                Ok(0) => Step::Over,
                Ok(count) => {
                    let head = self.unfinished(due);
                    self.heads(stream, peer, head, count)
                }
                Err(error) => again_or_over(&error, phase),
            },
            Phase::Kept { .. } => match stream.read(self.scratch) {
                Ok(0) => Step::Over,
                Ok(count) => {
                    let head = self.unfinished(self.now + self.limits.request);
                    self.heads(stream, peer, head, count)
                }
                Err(error) => again_or_over(&error, phase),
            },
            Phase::Head(head) => match stream.read(self.scratch) {
                Ok(0) => Step::Over,
                Ok(count) => self.heads(stream, peer, head, count),
                Err(error) => again_or_over(&error, Phase::Head(head)),
            },
            Phase::Body(body) => match stream.read(self.scratch) {
                Ok(0) => Step::Over,
                Ok(count) => {
                    let then = self.body(peer, *body, 0..count);
                    self.send(stream, then)
                }
                Err(error) => again_or_over(&error, Phase::Body(body)),
            },
            // Nothing is read; if the peer has left, the write fails.
            Phase::Held(_) => Step::Wait(phase),
            Phase::Writing(stalled) => self.write(stream, stalled),
            // A peer that sends more than is drained has until the deadline to read the reply.
            Phase::Lingering(farewell) if farewell.drained >= self.limits.drain => {
                Step::Wait(Phase::Lingering(farewell))
            }
            Phase::Lingering(mut farewell) => match stream.read(self.scratch) {
                Ok(count) if count > 0 => {
                    farewell.drained += count;
                    Step::Next(Phase::Lingering(farewell))
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => Step::Wait(Phase::Lingering(farewell)),
                Err(error) if error.kind() == ErrorKind::Interrupted => Step::Next(Phase::Lingering(farewell)),
                Ok(_) | Err(_) => {
                    self.sent(farewell.receipts, farewell.sent);
                    Step::Over
                }
            },
        }
    }

    fn unfinished(&mut self, due: Instant) -> Box<Unfinished<HeadReader>> {
        match self.spare.0.take() {
            Some(mut head) => {
                (head.since, head.due) = (self.now, due);
                head
            }
            None => Box::new(Unfinished { part: HeadReader::new(self.limits.head), since: self.now, due }),
        }
    }

    /// Keeps the reader for the next connection.
    fn spare(&mut self, head: Box<Unfinished<HeadReader>>) {
        if head.part.is_empty() && head.part.held() == 0 {
            self.spare.0 = Some(head);
        }
    }

    /// Replies to all requests in the bytes that were read, with one write.
    fn heads(
        &mut self,
        stream: &mut Stream,
        peer: SocketAddr,
        mut head: Box<Unfinished<HeadReader>>,
        count: usize,
    ) -> Step {
        let mut at = 0;
        let then = loop {
            // There is no byte of another head.
            if at == count {
                self.spare(head);
                break Then::Await(self.kept());
            }
            match head.part.push(&self.scratch[at..count]) {
                Progress::NeedMore => break Then::Await(Phase::Head(head)),
                Progress::Reject(rejection) => {
                    self.refuse(rejection.status(), head.since);
                    break Then::Linger;
                }
                Progress::Complete { head: complete, consumed } => {
                    at += consumed;
                    match self.request(peer, complete, (head.since, head.due), at..count) {
                        // The reader holds nothing and can be reused.
                        None => (head.since, head.due) = (self.now, self.now + self.limits.request),
                        Some(then) => {
                            self.spare(head);
                            break then;
                        }
                    }
                }
            }
        };
        let emptied = count < self.scratch.len() && stream.empties_by_short_read();
        match self.send(stream, then) {
            Step::Next(phase @ (Phase::Kept { .. } | Phase::Head(_))) if emptied => Step::Wait(phase),
            step => step,
        }
    }

    /// `None`: the reply is written, and the peer may send another request. `rest` are the bytes after the head.
    fn request(
        &mut self,
        peer: SocketAddr,
        head: Head,
        (since, due): (Instant, Instant),
        rest: Range<usize>,
    ) -> Option<Then> {
        if head.content_length > 0 {
            let limit = contained(|| self.service.body_limit(&head)).unwrap_or(0);
            if limit > 0 {
                return Some(if usize::try_from(head.content_length).is_ok_and(|length| length <= limit) {
                    self.body(peer, Unfinished { part: (head, Vec::new()), since, due }, rest)
                } else {
                    self.refuse(413, since);
                    Then::Linger
                });
            }
        }
        let full = rest.end == self.scratch.len();
        let unread = head.content_length > 0 || !rest.is_empty() || full;
        let after = if head.content_length > 0 { Persistence::Close } else { head.persistence };
        // A peer that did not announce its last request may be sending more. To close at once would discard the reply.
        let is_all = after == Persistence::Close && !unread;
        let close = if self.limits.idle.is_some() && is_all { Then::Close } else { Then::Linger };
        match self.respond(&Request { head: &head, body: &[], peer, since }, after, close) {
            Then::Await(Phase::Kept { .. }) => None,
            then => Some(then),
        }
    }

    /// Takes the part of the new bytes that belongs to the body. Bytes after it are ignored.
    fn body(&mut self, peer: SocketAddr, request: Unfinished<(Head, Vec<u8>)>, new: Range<usize>) -> Then {
        let Unfinished { part: (head, mut body), since, due } = request;
        let missing = usize::try_from(head.content_length).unwrap_or(usize::MAX) - body.len();
        let new = &self.scratch[new];
        body.extend_from_slice(&new[..new.len().min(missing)]);
        if new.len() < missing {
            Then::Await(Phase::Body(Box::new(Unfinished { part: (head, body), since, due })))
        } else {
            self.respond(&Request { head: &head, body: &body, peer, since }, Persistence::Close, Then::Linger)
        }
    }

    fn respond(&mut self, request: &Request<'_>, after: Persistence, close: Then) -> Then {
        match contained(|| self.service.respond(request)) {
            Some(answer) => self.answer(answer, request.head.method, after, close),
            None => {
                self.refuse(500, request.since);
                Then::Linger
            }
        }
    }

    /// A rejected request ends its connection: what follows could be misread.
    pub(super) fn answer(&mut self, answer: Answer, method: Method, after: Persistence, close: Then) -> Then {
        let (reply, receipt) = match answer {
            Answer::Later(ticket) => return Then::Await(Phase::Held(Box::new(Waiting { ticket, method }))),
            Answer::Now(reply) => (reply, None),
            Answer::NowWithReceipt(reply, receipt) => (reply, Some(receipt)),
        };
        let kept = after == Persistence::KeepAlive && self.persistence == after && reply.status_code() < 400;
        let after = if kept { Persistence::KeepAlive } else { Persistence::Close };
        self.renderer.append(&mut self.replies.bytes, &reply, method, after);
        self.replies.receipts.extend(receipt);
        if kept { Then::Await(self.kept()) } else { close }
    }

    pub(super) fn refuse(&mut self, status: u16, since: Instant) {
        let receipt = contained(|| self.service.refused(status, since)).flatten();
        self.replies.receipts.extend(receipt);
        self.renderer.append(&mut self.replies.bytes, &Reply::status(status), Method::Other, Persistence::Close);
    }

    fn kept(&self) -> Phase {
        Phase::Kept { due: self.now + self.limits.idle.unwrap_or_default() }
    }

    /// Writes all collected replies at once.
    pub(super) fn send(&mut self, stream: &mut Stream, then: Then) -> Step {
        let length = self.replies.bytes.len();
        if length == 0 {
            return self.follow(stream, then, self.now);
        }
        let written = match stream.write(&self.replies.bytes) {
            Ok(count) if count > 0 => count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => 0,
            Ok(_) | Err(_) => {
                self.replies.bytes.clear();
                let receipts = std::mem::take(&mut self.replies.receipts);
                self.lost(receipts);
                return Step::Over;
            }
        };
        if written == length && stream.flush().is_ok() {
            self.replies.bytes.clear();
            // A buffer that has grown is not kept.
            self.replies.bytes.shrink_to(REPLIES);
            return self.out(stream, then);
        }
        let bytes = self.replies.bytes.split_off(written);
        self.replies.bytes.clear();
        self.replies.bytes.shrink_to(REPLIES);
        let receipts = std::mem::take(&mut self.replies.receipts);
        let due = self.now + self.limits.write;
        Step::Next(Phase::Writing(Box::new(Stalled { bytes, written: 0, receipts, then, due })))
    }

    fn write(&mut self, stream: &mut Stream, mut stalled: Box<Stalled>) -> Step {
        let rest = &stalled.bytes[stalled.written..];
        let result = if rest.is_empty() { stream.flush().map(|()| 0) } else { stream.write(rest) };
        match result {
            Ok(0) if rest.is_empty() => {
                let Stalled { receipts, then, .. } = *stalled;
                self.replies.receipts = receipts;
                self.out(stream, then)
            }
            Ok(count) if count > 0 => {
                stalled.written += count;
                Step::Next(Phase::Writing(stalled))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Step::Wait(Phase::Writing(stalled)),
            Err(error) if error.kind() == ErrorKind::Interrupted => Step::Next(Phase::Writing(stalled)),
            Ok(_) | Err(_) => {
                self.lost(stalled.receipts);
                Step::Over
            }
        }
    }

    /// All replies were passed to the kernel.
    fn out(&mut self, stream: &mut Stream, then: Then) -> Step {
        let sent = if self.replies.receipts.is_empty() { self.now } else { clock() };
        self.follow(stream, then, sent)
    }

    fn follow(&mut self, stream: &mut Stream, then: Then, sent: Instant) -> Step {
        let receipts = std::mem::take(&mut self.replies.receipts);
        match then {
            Then::Linger if stream.shut_down().is_ok() => {
                let due = self.now + self.limits.linger;
                Step::Next(Phase::Lingering(Box::new(Lingering { drained: 0, receipts, sent, due })))
            }
            Then::Linger => {
                self.sent(receipts, sent);
                Step::Over
            }
            Then::Close => {
                stream.take_leave();
                self.sent(receipts, sent);
                Step::Over
            }
            Then::Await(phase) => {
                self.sent(receipts, sent);
                // A deadline from before the replies had to wait does not count for what follows.
                Step::Next(if let Phase::Kept { .. } = phase { self.kept() } else { phase })
            }
        }
    }

    pub(super) fn sent(&mut self, receipts: Vec<Receipt>, at: Instant) {
        for receipt in receipts {
            contained(|| self.service.sent(receipt, at));
        }
    }

    pub(super) fn lost(&mut self, receipts: Vec<Receipt>) {
        for receipt in receipts {
            contained(|| self.service.lost(receipt, self.now));
        }
    }
}

/// What a failed system call means: wait, repeat, or the peer is gone.
fn again_or_over(error: &io::Error, phase: Phase) -> Step {
    match error.kind() {
        ErrorKind::WouldBlock => Step::Wait(phase),
        ErrorKind::Interrupted => Step::Next(phase),
        _ => Step::Over,
    }
}

/// The size of the replies' buffer that is kept from one write to the next, in bytes.
const REPLIES: usize = 64 * 1024;

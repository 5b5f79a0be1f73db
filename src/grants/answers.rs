//! The login's side of the listener: what arrives there goes to the waiting login, and how that ended comes back.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    num::NonZeroU16,
    sync::mpsc::{Receiver, Sender, TryRecvError},
    time::Instant,
};

use crate::{
    deadlines::{BROWSER_HELD, FINAL_PAGE_FETCHED},
    head::Head,
    loopback::{Loopback, NotTheResponse, Outcome, Reaction, SentBy, Stray, pages},
    oauth::{CodeReceived, Denial, Refusal},
    reply::Reply,
    secret::Secret,
    system::{
        browser::NotOpened,
        clock,
        listener::{Answer, Receipt, Request, Service, Ticket, Turn},
        peer::{self, Owner, UserId},
    },
};

/// The browser that brought the user's own code.
const HELD: Ticket = Ticket(0);
/// The connection of another user that brought a code.
const DOUBTED: Ticket = Ticket(1);
/// The final page.
const LAST: Receipt = Receipt(0);

/// What the waiting login gets.
pub(super) enum Heard {
    BrowserFailed(NotOpened),
    Cancelled,
    Code(CodeReceived, SentBy),
    Denied(Denial),
    /// What may be the response came another way than to the listener.
    Given(Secret),
    /// That was not the response.
    NotTheResponse(NotTheResponse),
    /// Another user of this machine sent the code that follows.
    PeerUser(UserId),
    Refused(Refusal),
    Stray(Stray),
}

/// What the waiting login gives back.
pub(super) enum Told {
    /// The token endpoint refused the code of another user: go on waiting.
    CodeRefused,
    Ended(Outcome),
    /// What may be the response came another way: judge it.
    Given(Secret),
}

pub(super) struct Answers {
    loopback: Loopback,
    port: NonZeroU16,
    heard: Sender<Heard>,
    told: Receiver<Told>,
    stage: Stage,
}

enum Stage {
    Waiting,
    Holding {
        since: Instant,
    },
    /// The response came another way, so that no browser waits for a page.
    Given,
    /// The browser was sent to the program already.
    Parted,
    Ending {
        since: Instant,
    },
    Over,
}

impl Answers {
    /// `port` is that of the listener.
    pub(super) fn new(loopback: Loopback, port: NonZeroU16, heard: Sender<Heard>, told: Receiver<Told>) -> Self {
        Self { loopback, port, heard, told, stage: Stage::Waiting }
    }

    /// Our end of a connection: loopback, in the peer's family.
    fn local(&self, peer: SocketAddr) -> SocketAddr {
        let ip = if peer.is_ipv4() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { Ipv6Addr::LOCALHOST.into() };
        SocketAddr::new(ip, self.port.get())
    }

    fn hear(&self, heard: Heard) {
        // The login may have given up already; turn() sees that.
        let _ = self.heard.send(heard);
    }

    /// A response that no connection brought.
    fn judge(&mut self, address: &Secret) {
        let reaction = self.loopback.take(address.expose());
        match reaction {
            Ok(Reaction::Code(code, sent_by)) => {
                self.stage = Stage::Given;
                self.hear(Heard::Code(code, sent_by));
            }
            Ok(Reaction::Denied(_, denial)) => {
                self.stage = Stage::Over;
                self.hear(Heard::Denied(denial));
            }
            Ok(Reaction::Refused(_, refusal)) => {
                self.stage = Stage::Over;
                self.hear(Heard::Refused(refusal));
            }
            Ok(Reaction::Landed(_) | Reaction::Stray(..)) => {}
            Err(why) => self.hear(Heard::NotTheResponse(why)),
        }
    }

    fn end(&mut self) {
        self.stage = Stage::Ending { since: clock::instant() };
    }
}

impl Service for Answers {
    fn body_limit(&self, head: &Head) -> usize {
        self.loopback.body_limit(head)
    }

    fn respond(&mut self, request: &Request<'_>) -> Answer {
        let (peer, local) = (request.peer, self.local(request.peer));
        let mut owner = Owner::Unknown;
        let reaction = self.loopback.receive_with_body(request.head, request.body, || {
            owner = peer::owner(peer, local);
            sent_by(owner)
        });
        match reaction {
            Reaction::Code(code, sent_by) => {
                if let Owner::Other(user) = owner {
                    self.hear(Heard::PeerUser(user));
                }
                self.stage = Stage::Holding { since: clock::instant() };
                self.hear(Heard::Code(code, sent_by));
                Answer::Later(match sent_by {
                    SentBy::Other => DOUBTED,
                    SentBy::User => HELD,
                })
            }
            Reaction::Denied(reply, denial) => {
                self.hear(Heard::Denied(denial));
                self.end();
                Answer::Now(reply)
            }
            Reaction::Refused(reply, refusal) => {
                self.hear(Heard::Refused(refusal));
                self.end();
                Answer::NowWithReceipt(reply, LAST)
            }
            Reaction::Landed(reply) => Answer::NowWithReceipt(reply, LAST),
            Reaction::Stray(reply, why) => {
                // Nobody reads on once there is an answer, and a flood must not pile up.
                if matches!(self.stage, Stage::Waiting) {
                    self.hear(Heard::Stray(why));
                }
                Answer::Now(reply)
            }
        }
    }

    fn turn(&mut self, now: Instant) -> Turn {
        let outcome = match (self.told.try_recv(), &self.stage) {
            (Ok(Told::CodeRefused), _) => {
                let reply = self.loopback.refuse();
                if self.loopback.is_waiting() {
                    self.stage = Stage::Waiting;
                }
                return Turn::Settle(vec![(DOUBTED, Answer::Now(reply))]);
            }
            (Ok(Told::Given(address)), _) => {
                self.judge(&address);
                return Turn::Continue;
            }
            // Whoever handed the response over sees no page.
            (Ok(Told::Ended(_)) | Err(TryRecvError::Disconnected), Stage::Given) => return Turn::Stop,
            (Ok(Told::Ended(outcome)), Stage::Waiting | Stage::Holding { .. } | Stage::Parted) => Some(outcome),
            // The login gave up before there was an answer, or in the very instant when it came.
            (Err(TryRecvError::Disconnected), Stage::Waiting) => return Turn::Stop,
            (Err(TryRecvError::Disconnected), Stage::Holding { .. } | Stage::Parted) => Some(Outcome::Failed),
            _ => None,
        };
        if let Some(outcome) = outcome {
            let reply: Reply = self.loopback.finish(outcome);
            self.stage = Stage::Ending { since: now };
            return Turn::Settle(vec![(HELD, Answer::Now(reply.clone())), (DOUBTED, Answer::Now(reply))]);
        }
        match self.stage {
            Stage::Holding { since } if now.duration_since(since) >= BROWSER_HELD => {
                self.stage = Stage::Parted;
                let page = || Answer::Now(pages::received());
                Turn::Settle(vec![(HELD, page()), (DOUBTED, page())])
            }
            Stage::Ending { since } if now.duration_since(since) >= FINAL_PAGE_FETCHED => Turn::Stop,
            Stage::Over => Turn::Stop,
            _ => Turn::Continue,
        }
    }

    fn sent(&mut self, _: Receipt, _: Instant) {
        self.stage = Stage::Over;
    }
}

/// Root can read this process, and is who forwards connections into WSL: what it sends counts as the user's own.
fn sent_by(owner: Owner) -> SentBy {
    match owner {
        Owner::Other(peer::ROOT) | Owner::Unknown | Owner::User => SentBy::User,
        Owner::Gone | Owner::Other(_) => SentBy::Other,
    }
}

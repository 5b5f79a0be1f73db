//! One conversation: who has introduced itself, which requests are open, what a line leads to.

use std::collections::BTreeMap;

use serde_json::json;

use super::{
    PROTOCOL,
    lines::{LONGEST_LINE, Line},
    message::{Answer, Call, Cancel, Id, Initialize, Login, Logout, Malformed, Status, Token, parse},
    reply::{Fault, Protocol, failed, succeeded},
};
use crate::secret::Secret;

/// Most logins that are open at once.
pub const LOGINS: usize = 16;

/// What a line leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// This line is the answer.
    Answer(String),
    /// Carry this out, [`Session::close`] the request, and answer.
    Begin(Id, Work),
    /// End this login if it still waits, and say by [`cancelled`] whether it did.
    Cancel {
        login: Id,
        request: Option<Id>,
    },
    /// The conversation is over; the answer, if one is wanted, is the last line.
    End(Option<String>),
    /// Give the login this address, and say by [`handed_over`] whether it waited for one.
    HandOver {
        login: Id,
        address: Secret,
        request: Option<Id>,
    },
    /// As `Begin`, for what waits for a person.
    LogIn(Id, Login),
    Nothing,
}

/// What takes a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    Logout(Logout),
    Status(Status),
    Token(Token),
}

#[derive(Debug, Default)]
pub struct Session {
    met: Met,
    open: BTreeMap<Id, Takes>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Met {
    #[default]
    NotYet,
    Yes,
}

/// How long an open request takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    AMoment,
    APerson,
}

impl Session {
    pub fn receive(&mut self, line: &Line) -> Step {
        let request = match line {
            Line::TooLong => {
                let what = format!("the line is longer than {LONGEST_LINE} bytes");
                return refuse(None, &Fault::of_protocol(Protocol::InvalidRequest, &what));
            }
            Line::Whole(bytes) if bytes.iter().all(u8::is_ascii_whitespace) => return Step::Nothing,
            Line::Whole(bytes) => match parse(bytes) {
                Ok(request) => request,
                Err(Malformed { id, fault }) => return refuse(id.as_ref(), &fault),
            },
        };
        let Some(id) = request.id else { return self.notified(request.call) };
        if self.is_open(&id) {
            // An answer with this id would be taken for the one that is still to come.
            return refuse(None, &invalid("this id is the one of a request that is still open"));
        }
        match (request.call, self.met) {
            (Call::Initialize(Initialize { protocol }), Met::NotYet) if protocol == PROTOCOL => self.meet(&id),
            (Call::Initialize(_), Met::NotYet) => {
                let what = format!("this loopin speaks protocol {PROTOCOL} only");
                refuse(Some(&id), &Fault::of_protocol(Protocol::InvalidParams, &what))
            }
            (Call::Initialize(_), Met::Yes) => refuse(Some(&id), &invalid("initialize came before")),
            (Call::Shutdown, _) => Step::End(Some(succeeded(&id, &json!({})))),
            (_, Met::NotYet) => refuse(Some(&id), &invalid("initialize must come first")),
            (Call::Answer(Answer { id: login, address }), Met::Yes) => {
                Step::HandOver { login, address, request: Some(id) }
            }
            (Call::Cancel(Cancel { id: login }), Met::Yes) => Step::Cancel { login, request: Some(id) },
            (Call::Login(login), Met::Yes) => self.log_in(id, login),
            (Call::Logout(logout), Met::Yes) => self.begin(id, Work::Logout(logout)),
            (Call::Status(status), Met::Yes) => self.begin(id, Work::Status(status)),
            (Call::Token(token), Met::Yes) => self.begin(id, Work::Token(token)),
        }
    }

    /// The request is answered; its id may come again.
    pub fn close(&mut self, id: &Id) {
        self.open.remove(id);
    }

    /// Whether its answer is still to come.
    pub fn is_open(&self, id: &Id) -> bool {
        self.open.contains_key(id)
    }

    /// Every request that is not answered yet.
    pub fn open(&self) -> impl Iterator<Item = &Id> {
        self.open.keys()
    }

    fn meet(&mut self, id: &Id) -> Step {
        self.met = Met::Yes;
        let version = env!("CARGO_PKG_VERSION");
        Step::Answer(succeeded(id, &json!({ "protocol": PROTOCOL, "name": "loopin", "version": version })))
    }

    /// A login that nobody could name, or a token that nobody gets, is not worth its side effects.
    fn notified(&self, call: Call) -> Step {
        match (call, self.met) {
            (Call::Answer(Answer { id: login, address }), Met::Yes) => Step::HandOver { login, address, request: None },
            (Call::Cancel(Cancel { id: login }), Met::Yes) => Step::Cancel { login, request: None },
            (Call::Shutdown, _) => Step::End(None),
            _ => Step::Nothing,
        }
    }

    fn log_in(&mut self, id: Id, login: Login) -> Step {
        if self.open.values().filter(|takes| **takes == Takes::APerson).count() >= LOGINS {
            let what = format!("{LOGINS} logins are open already");
            return refuse(Some(&id), &invalid(&what));
        }
        self.open.insert(id.clone(), Takes::APerson);
        Step::LogIn(id, login)
    }

    fn begin(&mut self, id: Id, work: Work) -> Step {
        self.open.insert(id.clone(), Takes::AMoment);
        Step::Begin(id, work)
    }
}

/// Whether a login was cancelled, or was over or not to be stopped any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cancelled {
    TooLate,
    Yes,
}

/// The answer to a `cancel`.
pub fn cancelled(id: &Id, cancelled: Cancelled) -> String {
    succeeded(id, &json!({ "cancelled": cancelled == Cancelled::Yes }))
}

/// Whether a login waited for its response when it was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandedOver {
    NobodyWaits,
    Yes,
}

/// The answer to a `login/answer`.
pub fn handed_over(id: &Id, handed_over: HandedOver) -> String {
    succeeded(id, &json!({ "taken": handed_over == HandedOver::Yes }))
}

fn invalid(what: &str) -> Fault {
    Fault::of_protocol(Protocol::InvalidRequest, what)
}

fn refuse(id: Option<&Id>, fault: &Fault) -> Step {
    Step::Answer(failed(id, fault))
}

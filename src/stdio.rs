//! `loopin stdio` as messages and their state: JSON-RPC 2.0, one message a line. No pipes, no threads, no clock: lines
//! in, steps and lines out. `docs/stdio.schema.json` describes every message; `command::stdio` is the edge.
//!
//! Everything that a peer can make large has a bound here: a line, a text, the logins that are open at once.

mod lines;
mod message;
mod reply;
mod session;

pub use lines::{LONGEST_LINE, Line, Lines};
pub use message::{
    Answer, Call, Cancel, How, Id, Initialize, Login, Logout, Malformed, Opening, Request, Status, Token, parse,
};
pub use reply::{Fault, LoginEvent, Protocol, WaitsFor, failed, note, succeeded};
pub use session::{Cancelled, HandedOver, LOGINS, Session, Step, Work, cancelled, handed_over};

/// Version of the messages. It changes when a program that speaks the one before would be misled.
pub const PROTOCOL: u64 = 1;

#[cfg(test)]
mod tests;

//! The refresh worker's one line on standard output.

use std::io::ErrorKind;

use super::{Code, print};
use crate::{grants::ReportedError, refresh::WorkerMessage, secret::Secret};

/// Prints the message of a refresh worker and returns its exit code.
pub fn worker(message: &WorkerMessage<ReportedError>) -> u8 {
    let line = Secret::new(format!("{}\n", message.line().expose()));
    match print(line.expose()) {
        // The caller may be gone; the refresh was done without it.
        Err(why) if why.kind() != ErrorKind::BrokenPipe => Code::Internal.exit(),
        _ => match message {
            WorkerMessage::Failure(reported) => reported.code.exit(),
            WorkerMessage::Nothing | WorkerMessage::Unstored(_) => 0,
        },
    }
}

//! Standard input from another program: limited in size and, if no user is typing, in time.

use std::{
    io::{self, Read},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use super::{clock, terminal, uninterrupted::uninterrupted};

/// Why nothing was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    #[error("standard input cannot be read")]
    Broken,
    #[error("standard input is longer than {limit} bytes")]
    TooLong { limit: usize },
    #[error("standard input did not end within {} s", .patience.as_secs())]
    TooSlow { patience: Duration },
}

/// Reads until `whole` returns that the input is complete, or to its end.
///
/// # Errors
/// The input is longer than `limit` bytes, or incomplete when the time ends.
pub fn read(limit: usize, patience: Duration, whole: impl Fn(&[u8]) -> bool) -> Result<Vec<u8>, InputError> {
    let (send, pieces) = mpsc::channel();
    // A blocking read cannot be cancelled; its thread ends with the program.
    thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        loop {
            let mut piece = vec![0; 16 * 1024];
            let read = uninterrupted(|| stdin.read(&mut piece)).map(|length| {
                piece.truncate(length);
                piece
            });
            let end = read.as_ref().map_or(true, Vec::is_empty);
            if send.send(read).is_err() || end {
                break;
            }
        }
    });
    let person = terminal::stdin_is_terminal();
    let deadline = clock::instant() + patience;
    let mut bytes = Vec::new();
    loop {
        let piece = match person {
            true => pieces.recv().map_err(|_| InputError::Broken)?,
            false => match pieces.recv_timeout(deadline.saturating_duration_since(clock::instant())) {
                Ok(piece) => piece,
                Err(RecvTimeoutError::Timeout) => return Err(InputError::TooSlow { patience }),
                Err(RecvTimeoutError::Disconnected) => return Err(InputError::Broken),
            },
        };
        let piece = piece.map_err(|_| InputError::Broken)?;
        let end = piece.is_empty();
        bytes.extend(piece);
        if bytes.len() > limit {
            return Err(InputError::TooLong { limit });
        }
        if end || whole(&bytes) {
            return Ok(bytes);
        }
    }
}

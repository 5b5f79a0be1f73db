//! Waiting for another process, counted in turns instead of time.
//!
//! On a machine that is overloaded or suspended, seconds pass in which the other process cannot run. The waiting
//! process gets no turn in those seconds either, so turns measure the wait better.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::Duration,
};

/// The length of a turn.
pub const TURN: Duration = Duration::from_millis(250);

/// The turns that are left.
#[derive(Clone, Copy, Debug)]
pub struct Patience(u32);

impl Patience {
    /// Turns for this time on an idle machine; they last longer on a busy one.
    pub fn of(time: Duration) -> Self {
        Self(u32::try_from(time.as_millis() / TURN.as_millis()).unwrap_or(u32::MAX))
    }

    /// Uses one turn, if there is one.
    pub fn spend(&mut self) -> bool {
        let left = self.0.checked_sub(1);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }

    pub fn left(self) -> Duration {
        TURN * self.0
    }
}

/// Waits for a message.
///
/// # Errors
/// No turn is left, or no sender exists.
pub fn receive<T>(from: &Receiver<T>, mut patience: Patience) -> Result<T, RecvTimeoutError> {
    loop {
        match from.recv_timeout(TURN) {
            Err(RecvTimeoutError::Timeout) if patience.spend() => {}
            result => return result,
        }
    }
}

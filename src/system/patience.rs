//! Waiting for another process, counted in turns instead of by the clock.
//!
//! Where hundreds of processes want two processors, or a virtual machine stands still, seconds pass in which whoever is
//! waited for cannot work. He who waits gets no turn in such seconds either, so turns are what he counts.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::Duration,
};

/// One wait.
pub const TURN: Duration = Duration::from_millis(250);

/// How many turns are left.
#[derive(Clone, Copy, Debug)]
pub struct Patience(u32);

impl Patience {
    /// So long where turns come at once; longer where they don't.
    pub fn of(time: Duration) -> Self {
        Self(u32::try_from(time.as_millis() / TURN.as_millis()).unwrap_or(u32::MAX))
    }

    /// Spends a turn, if one is left.
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
/// No turn is left, or nobody can send any more.
pub fn receive<T>(from: &Receiver<T>, mut patience: Patience) -> Result<T, RecvTimeoutError> {
    loop {
        match from.recv_timeout(TURN) {
            Err(RecvTimeoutError::Timeout) if patience.spend() => {}
            result => return result,
        }
    }
}

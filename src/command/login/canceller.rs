//! Ends a login that waits, from another thread, unless its answer has come already.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc::Sender};

use super::desk::Heard;
use crate::{
    report::{Code, Failure},
    stdio::Cancelled,
    system::signal::Signal,
};

/// Of one login; clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Canceller(Arc<Mutex<Stage>>);

#[derive(Debug, Default)]
enum Stage {
    #[default]
    Begun,
    Cancelled,
    /// The code counts once, so what begins with it is brought to its end.
    Decided,
    Waiting(Sender<Heard>),
}

impl Canceller {
    pub fn cancel(&self) -> Cancelled {
        let mut stage = self.stage();
        match &*stage {
            Stage::Decided => return Cancelled::TooLate,
            Stage::Begun | Stage::Cancelled => {}
            Stage::Waiting(heard) => {
                // It may have given up in this instant, which is as good.
                let _ = heard.send(Heard::Cancelled);
            }
        }
        *stage = Stage::Cancelled;
        Cancelled::Yes
    }

    /// From now on the login hears at once when it is cancelled.
    ///
    /// # Errors
    /// It was, before.
    pub fn waits(&self, heard: Sender<Heard>) -> Result<(), Failure> {
        self.go_on(Stage::Waiting(heard))
    }

    /// The code is there: from now on it is too late.
    ///
    /// # Errors
    /// It was cancelled before.
    pub fn decide(&self) -> Result<(), Failure> {
        self.go_on(Stage::Decided)
    }

    /// # Errors
    /// It was cancelled.
    pub fn check(&self) -> Result<(), Failure> {
        match *self.stage() {
            Stage::Cancelled => Err(cancelled()),
            _ => Ok(()),
        }
    }

    fn go_on(&self, next: Stage) -> Result<(), Failure> {
        let mut stage = self.stage();
        if matches!(*stage, Stage::Cancelled) {
            return Err(cancelled());
        }
        *stage = next;
        Ok(())
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As if by Ctrl-C.
pub fn cancelled() -> Failure {
    Failure::new(Code::Signalled(Signal::Interrupt), "cancelled; nothing was changed")
}

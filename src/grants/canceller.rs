//! Ends a login that waits, from another thread, unless its code has arrived already.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc::Sender};

use super::{Error, answers::Heard};
use crate::stdio::Cancelled;

/// Cancels one login. Clones cancel the same one.
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
    /// Cancels the login, unless its code has arrived already: a code can be exchanged once, so that login is completed.
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
    pub(super) fn waits(&self, heard: Sender<Heard>) -> Result<(), Error> {
        self.go_on(Stage::Waiting(heard))
    }

    /// The code is there: from now on it is too late.
    ///
    /// # Errors
    /// It was cancelled before.
    pub(super) fn decide(&self) -> Result<(), Error> {
        self.go_on(Stage::Decided)
    }

    /// # Errors
    /// It was cancelled.
    pub(super) fn check(&self) -> Result<(), Error> {
        match *self.stage() {
            Stage::Cancelled => Err(Error::Cancelled),
            _ => Ok(()),
        }
    }

    fn go_on(&self, next: Stage) -> Result<(), Error> {
        let mut stage = self.stage();
        if matches!(*stage, Stage::Cancelled) {
            return Err(Error::Cancelled);
        }
        *stage = next;
        Ok(())
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Brings a waiting login a response that did not arrive at its listener.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc::Sender};

use super::answers::Heard;
use crate::{secret::Secret, stdio::HandedOver};

/// The way to one login. Clones lead to the same one.
#[derive(Clone, Debug, Default)]
pub struct Handover(Arc<Mutex<Option<Sender<Heard>>>>);

impl Handover {
    /// Gives the login the address at which the browser ended. It is judged as a request at the listener is, and the login
    /// reports what is wrong with it as [`super::Event::NotTheResponse`].
    pub fn give(&self, address: Secret) -> HandedOver {
        match &*self.way() {
            Some(heard) if heard.send(Heard::Given(address)).is_ok() => HandedOver::Yes,
            _ => HandedOver::NobodyWaits,
        }
    }

    /// From now on the login hears what is given.
    pub(super) fn leads_to(&self, heard: Sender<Heard>) {
        *self.way() = Some(heard);
    }

    fn way(&self) -> MutexGuard<'_, Option<Sender<Heard>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

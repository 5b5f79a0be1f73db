//! The open connections, each on a numbered slot.

use super::connection::Connection;

#[derive(Default)]
pub(super) struct Slots {
    /// `None`: free, or its connection has the floor.
    slots: Vec<Option<Connection>>,
    free: Vec<usize>,
    /// Free from the next batch of events on: one of this batch may still mean who sat there.
    left: Vec<usize>,
}

impl Slots {
    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        self.slots.len() - self.free.len() - self.left.len()
    }

    /// A slot for one who comes in.
    pub(super) fn reserve(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        })
    }

    /// Lets the connection stand up; its slot stays reserved.
    pub(super) fn take(&mut self, slot: usize) -> Option<Connection> {
        self.slots.get_mut(slot)?.take()
    }

    /// On a slot that is reserved.
    pub(super) fn put(&mut self, slot: usize, connection: Connection) {
        self.slots[slot] = Some(connection);
    }

    /// Nobody comes back to this reserved slot.
    pub(super) fn leave(&mut self, slot: usize) {
        self.left.push(slot);
    }

    /// A batch of events is over.
    pub(super) fn clear_left(&mut self) {
        self.free.append(&mut self.left);
    }

    pub(super) fn get(&self, slot: usize) -> Option<&Connection> {
        self.slots.get(slot)?.as_ref()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Connection)> {
        self.slots.iter().enumerate().filter_map(|(slot, connection)| Some((slot, connection.as_ref()?)))
    }
}

//! The open connections in numbered slots.

use super::connection::Connection;

#[derive(Default)]
pub(super) struct Slots {
    /// `None`: free, or its connection is being served.
    slots: Vec<Option<Connection>>,
    free: Vec<usize>,
    /// Freed after the current batch of events, which may still contain events of their old connections.
    left: Vec<usize>,
}

impl Slots {
    /// The number of used slots.
    pub(super) fn taken(&self) -> usize {
        self.slots.len() - self.free.len() - self.left.len()
    }

    /// Reserves a slot for a new connection.
    pub(super) fn reserve(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        })
    }

    /// Takes the connection out; its slot stays reserved.
    pub(super) fn take(&mut self, slot: usize) -> Option<Connection> {
        self.slots.get_mut(slot)?.take()
    }

    /// Puts a connection into its reserved slot.
    pub(super) fn put(&mut self, slot: usize, connection: Connection) {
        self.slots[slot] = Some(connection);
    }

    /// Releases a reserved slot.
    pub(super) fn leave(&mut self, slot: usize) {
        self.left.push(slot);
    }

    /// Called after a batch of events.
    pub(super) fn clear_left(&mut self) {
        self.free.append(&mut self.left);
    }

    pub(super) fn get(&self, slot: usize) -> Option<&Connection> {
        self.slots.get(slot)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, slot: usize) -> Option<&mut Connection> {
        self.slots.get_mut(slot)?.as_mut()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Connection)> {
        self.slots.iter().enumerate().filter_map(|(slot, connection)| Some((slot, connection.as_ref()?)))
    }
}

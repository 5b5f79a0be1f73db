//! The open connections, each on a numbered seat.

use super::connection::Connection;

#[derive(Default)]
pub(super) struct Seats {
    /// `None`: free, or its connection has the floor.
    seats: Vec<Option<Connection>>,
    free: Vec<usize>,
    /// Free from the next batch of events on: one of this batch may still mean who sat there.
    left: Vec<usize>,
}

impl Seats {
    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        self.seats.len() - self.free.len() - self.left.len()
    }

    /// A seat for one who comes in.
    pub(super) fn reserve(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.seats.push(None);
            self.seats.len() - 1
        })
    }

    /// Lets the connection stand up; its seat stays reserved.
    pub(super) fn take(&mut self, seat: usize) -> Option<Connection> {
        self.seats.get_mut(seat)?.take()
    }

    /// On a seat that is reserved.
    pub(super) fn put(&mut self, seat: usize, connection: Connection) {
        self.seats[seat] = Some(connection);
    }

    /// Nobody comes back to this reserved seat.
    pub(super) fn leave(&mut self, seat: usize) {
        self.left.push(seat);
    }

    /// A batch of events is over.
    pub(super) fn clear_left(&mut self) {
        self.free.append(&mut self.left);
    }

    pub(super) fn get(&self, seat: usize) -> Option<&Connection> {
        self.seats.get(seat)?.as_ref()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Connection)> {
        self.seats.iter().enumerate().filter_map(|(seat, connection)| Some((seat, connection.as_ref()?)))
    }
}

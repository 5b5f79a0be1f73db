//! Standard output as lines of a protocol. One thread writes; what waits for a slow reader is bounded.

use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crate::system::clock;

/// Lines that may wait. Whoever has an answer then waits for room.
const ROOM: usize = 64;
/// How often whoever waits for room looks whether that is still worth it.
const GLANCE: Duration = Duration::from_millis(100);

#[derive(Clone)]
pub struct Wire(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

struct Queue {
    lines: VecDeque<String>,
    writer: Writer,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Writer {
    Busy,
    Idle,
    /// Nobody reads any more.
    Over,
}

impl Wire {
    pub fn open() -> Self {
        let queue = Mutex::new(Queue { lines: VecDeque::new(), writer: Writer::Idle });
        let wire = Self(Arc::new(Shared { queue, changed: Condvar::new() }));
        let own = wire.clone();
        thread::spawn(move || own.write());
        wire
    }

    /// Waits until there is room, the reader is gone, or `pointless` says so.
    pub fn wait_for_room(&self, pointless: impl Fn() -> bool) {
        let mut queue = self.queue();
        while queue.writer != Writer::Over && queue.lines.len() >= ROOM && !pointless() {
            queue = self.wait(queue, GLANCE);
        }
    }

    /// Never waits. Who has not waited for room says only what is bounded by itself.
    pub fn push(&self, line: String) {
        let mut queue = self.queue();
        if queue.writer != Writer::Over {
            queue.lines.push_back(line);
            self.0.changed.notify_all();
        }
    }

    /// What is soon said again need not wait for a slow reader.
    pub fn offer(&self, line: String) {
        if self.queue().lines.is_empty() {
            self.push(line);
        }
    }

    pub fn reader_is_gone(&self) -> bool {
        self.queue().writer == Writer::Over
    }

    /// Waits until everything is written, for `patience` at most.
    pub fn drain(&self, patience: Duration) {
        let deadline: Instant = clock::instant() + patience;
        let mut queue = self.queue();
        while !queue.lines.is_empty() || queue.writer == Writer::Busy {
            let left = deadline.saturating_duration_since(clock::instant());
            if left.is_zero() {
                return;
            }
            queue = self.wait(queue, left);
        }
    }

    fn write(&self) {
        let mut queue = self.queue();
        loop {
            let Some(line) = queue.lines.pop_front() else {
                queue.writer = Writer::Idle;
                self.0.changed.notify_all();
                queue = self.0.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            queue.writer = Writer::Busy;
            drop(queue);
            let mut stdout = io::stdout().lock();
            let written = stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush());
            drop(stdout);
            queue = self.queue();
            self.0.changed.notify_all();
            if written.is_err() {
                *queue = Queue { lines: VecDeque::new(), writer: Writer::Over };
                return;
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, queue: MutexGuard<'a, Queue>, patience: Duration) -> MutexGuard<'a, Queue> {
        self.0.changed.wait_timeout(queue, patience).unwrap_or_else(PoisonError::into_inner).0
    }
}

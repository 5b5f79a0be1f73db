//! The access log: one JSON object a line on standard output, written by a thread of its own, so that a reader who does
//! not read holds up nobody.

use std::{
    io::{self, Write},
    sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    thread,
    time::{Duration, SystemTime},
};

use serde::Serialize;

use super::outcome::time;
use crate::relay::Access;

pub struct AccessLog {
    lines: SyncSender<Vec<u8>>,
    ended: Receiver<()>,
}

/// The reader is too far behind, or gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    #[serde(flatten)]
    access: &'a Access<'a>,
}

impl AccessLog {
    pub fn new() -> Self {
        let (lines, written) = mpsc::sync_channel::<Vec<u8>>(BACKLOG);
        let (end, ended) = mpsc::channel();
        thread::spawn(move || {
            // Ends with `end`, which nobody is told of but by its loss.
            let _end = end;
            for line in written {
                let mut stdout = io::stdout().lock();
                if stdout.write_all(&line).and_then(|()| stdout.flush()).is_err() {
                    return;
                }
            }
        });
        Self { lines, ended }
    }

    /// # Errors
    /// The line will never be written.
    pub fn write(&self, access: &Access<'_>, now: SystemTime) -> Result<(), Lost> {
        let mut line = serde_json::to_vec(&Line { time: time(now), access }).map_err(|_| Lost)?;
        line.push(b'\n');
        self.lines.try_send(line).map_err(|_| Lost)
    }

    /// Waits until everything is written, or for as long as a reader may take that has stopped reading.
    pub fn finish(self) {
        drop(self.lines);
        let _: Result<(), RecvTimeoutError> = self.ended.recv_timeout(PATIENCE);
    }
}

impl Default for AccessLog {
    fn default() -> Self {
        Self::new()
    }
}

/// Lines that wait for a slow reader.
const BACKLOG: usize = 2048;

const PATIENCE: Duration = Duration::from_secs(2);

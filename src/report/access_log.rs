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

pub struct AccessLog {
    writer: LogWriter,
    ended: Receiver<()>,
}

/// Writes lines from any thread. The log is finished when all of these are gone.
#[derive(Clone)]
pub struct LogWriter(SyncSender<Vec<u8>>);

/// The reader is too far behind, or gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

#[derive(Serialize)]
struct Line<'a, T> {
    time: String,
    #[serde(flatten)]
    entry: &'a T,
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
        Self { writer: LogWriter(lines), ended }
    }

    pub fn writer(&self) -> LogWriter {
        self.writer.clone()
    }

    /// # Errors
    /// The line will never be written.
    pub fn write(&self, entry: &impl Serialize, now: SystemTime) -> Result<(), Lost> {
        self.writer.write(entry, now)
    }

    /// Waits until everything is written, or for as long as a reader may take that has stopped reading.
    pub fn finish(self) {
        drop(self.writer);
        let _: Result<(), RecvTimeoutError> = self.ended.recv_timeout(PATIENCE);
    }
}

impl LogWriter {
    /// # Errors
    /// The line will never be written.
    pub fn write(&self, entry: &impl Serialize, now: SystemTime) -> Result<(), Lost> {
        let mut line = serde_json::to_vec(&Line { time: time(now), entry }).map_err(|_| Lost)?;
        line.push(b'\n');
        self.0.try_send(line).map_err(|_| Lost)
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

//! The access log: one JSON object per line on standard output. A thread of its own writes it, so that a reader that
//! stops reading blocks nothing. A worker of the relay collects its lines on a sheet and passes them on together.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    },
    thread,
    time::{Duration, SystemTime},
};

use serde::Serialize;

use crate::{deadlines::LOG_FINISHES, timestamp::rfc3339};

pub struct AccessLog {
    writer: LogWriter,
    ended: Receiver<()>,
}

/// Passes lines to the log from any thread. The log ends when all of these are dropped.
#[derive(Clone)]
pub struct LogWriter {
    lines: SyncSender<Vec<u8>>,
    /// Bytes that were passed on and not written.
    backlog: Arc<AtomicUsize>,
}

/// The collected lines of one worker.
pub struct Sheet {
    writer: LogWriter,
    written: Vec<u8>,
    count: u64,
    second: Option<(SystemTime, String)>,
}

/// The number of lines that are lost, because the reader is too slow or gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost(pub u64);

#[derive(Serialize)]
struct Line<'a, T> {
    time: &'a str,
    #[serde(flatten)]
    entry: T,
}

impl AccessLog {
    pub fn new() -> Self {
        let (lines, written) = mpsc::sync_channel::<Vec<u8>>(SHEETS);
        let (end, ended) = mpsc::channel();
        let backlog = Arc::new(AtomicUsize::new(0));
        let behind = Arc::clone(&backlog);
        thread::spawn(move || {
            // Dropping `end` at the end of the thread ends the wait in `finish`.
            let _end = end;
            while let Ok(mut sheet) = written.recv() {
                // Lines that arrive meanwhile cause no wake-up, and one write is enough for all.
                thread::sleep(GATHERING);
                written.try_iter().for_each(|more| sheet.extend_from_slice(&more));
                let mut stdout = io::stdout().lock();
                if stdout.write_all(&sheet).and_then(|()| stdout.flush()).is_err() {
                    return;
                }
                behind.fetch_sub(sheet.len(), Ordering::Relaxed);
            }
        });
        Self { writer: LogWriter { lines, backlog }, ended }
    }

    /// A sheet for another worker.
    pub fn sheet(&self) -> Sheet {
        Sheet { writer: self.writer(), written: Vec::new(), count: 0, second: None }
    }

    pub fn writer(&self) -> LogWriter {
        self.writer.clone()
    }

    /// Waits until everything is written, or for [`LOG_FINISHES`] if the reader has stopped reading. All sheets and
    /// writers are dropped by then.
    pub fn finish(self) {
        drop(self.writer);
        let _: Result<(), RecvTimeoutError> = self.ended.recv_timeout(LOG_FINISHES);
    }
}

impl Default for AccessLog {
    fn default() -> Self {
        Self::new()
    }
}

impl LogWriter {
    /// # Errors
    /// The line is lost.
    pub fn write(&self, entry: &impl Serialize, now: SystemTime) -> Result<(), Lost> {
        let mut line = serde_json::to_vec(&Line { time: &rfc3339(now), entry }).map_err(|_| Lost(1))?;
        line.push(b'\n');
        self.hand_over(line).map_err(|Full| Lost(1))
    }

    fn hand_over(&self, lines: Vec<u8>) -> Result<(), Full> {
        let length = lines.len();
        if self.backlog.fetch_add(length, Ordering::Relaxed) + length <= BACKLOG && self.lines.try_send(lines).is_ok() {
            return Ok(());
        }
        self.backlog.fetch_sub(length, Ordering::Relaxed);
        Err(Full)
    }
}

struct Full;

impl Sheet {
    /// # Errors
    /// As [`Sheet::hand_over`], which is called here when the sheet is full.
    pub fn write(&mut self, entry: &impl Serialize, now: SystemTime) -> Result<(), Lost> {
        let start = self.written.len();
        let line = Line { time: text_of(&mut self.second, now), entry };
        if serde_json::to_writer(&mut self.written, &line).is_err() {
            self.written.truncate(start);
            return Err(Lost(1));
        }
        self.written.push(b'\n');
        self.count += 1;
        if self.written.len() < LONGEST_SHEET { Ok(()) } else { self.hand_over() }
    }

    /// Passes all lines to the writing thread.
    ///
    /// # Errors
    /// They are lost.
    pub fn hand_over(&mut self) -> Result<(), Lost> {
        if self.count == 0 {
            return Ok(());
        }
        let lost = Lost(std::mem::take(&mut self.count));
        self.writer.hand_over(std::mem::take(&mut self.written)).map_err(|Full| lost)
    }
}

/// The same text for all lines of a second.
fn text_of(second: &mut Option<(SystemTime, String)>, now: SystemTime) -> &str {
    let whole = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    if second.as_ref().is_none_or(|(at, _)| whole(*at) != whole(now)) {
        *second = None;
    }
    &second.get_or_insert_with(|| (now, rfc3339(now))).1
}

/// Bytes that wait for a slow reader.
const BACKLOG: usize = 1024 * 1024;

/// The longest time from the first line of a batch to its write: a detail of this buffer.
const GATHERING: Duration = Duration::from_millis(10);

/// Sheets that wait.
const SHEETS: usize = 4096;

/// Bytes after which a sheet is passed on at once.
const LONGEST_SHEET: usize = 64 * 1024;

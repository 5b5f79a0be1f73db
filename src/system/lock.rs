//! A lock of the kernel, on a file of its own that is never renamed or removed.

use std::{
    fs::{File, TryLockError},
    thread,
    time::{Duration, Instant},
};

use super::{clock, private_files::PrivateFiles};
use crate::vault::StoreError;

/// How long one waits for another program's lock.
pub const PATIENCE: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(25);

/// Held until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct Held(#[expect(dead_code, reason = "the open file is the lock")] File);

/// # Errors
/// Somebody held it for longer than `patience`, or it cannot be made.
pub fn hold(files: &PrivateFiles, name: &str, patience: Duration) -> Result<Held, StoreError> {
    let file = files.lock_file(name)?;
    let deadline: Instant = clock::instant() + patience;
    let mut pause = FIRST_PAUSE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Held(file)),
            Err(TryLockError::WouldBlock) if clock::instant() < deadline => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Busy),
            Err(TryLockError::Error(error)) => {
                return Err(StoreError::File { path: files.path().join(name), why: error.kind().to_string() });
            }
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

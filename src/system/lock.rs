//! A kernel lock on a file of its own, which is never renamed or removed.
#![deny(clippy::let_underscore_must_use)]

use std::{
    convert::Infallible,
    fs::{File, TryLockError},
    io::{Seek, Write},
    thread,
    time::{Duration, Instant},
};

use super::{clock, private_files::PrivateFiles};
use crate::vault::{StateFiles, StoreError};

/// Pauses between two tries to take the lock: details of one loop, which ends with the time that its caller allows.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(25);

/// Held until it is dropped or the process ends, for any reason.
#[derive(Debug)]
pub struct Held(File);

impl Held {
    /// The open file, which is the lock: the last process that has it open releases it.
    pub fn into_file(self) -> File {
        self.0
    }
}

/// Takes the lock if it is free.
///
/// # Errors
/// The file cannot be created.
pub fn take(files: &PrivateFiles, name: &str) -> Result<Option<Held>, StoreError> {
    let file = files.lock_file(name)?;
    match file.try_lock() {
        Ok(()) => {
            sign(&file);
            Ok(Some(Held(file)))
        }
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => {
            Err(StoreError::File { path: files.path().join(name), why: error.kind().to_string() })
        }
    }
}

/// Writes the holder's process id into the locked file. It is only shown to users.
pub fn sign(mut file: &File) {
    let text = format!("{}\n", std::process::id());
    #[expect(clippy::let_underscore_must_use, reason = "a lock holds whether or not its file says who has it")]
    let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(text.as_bytes()));
}

/// The process id of the holder, if known.
fn holder(files: &PrivateFiles, name: &str) -> Option<u32> {
    std::str::from_utf8(&files.read(name).ok()??).ok()?.trim().parse().ok()
}

/// # Errors
/// Another process held it for longer than `patience`, or the file cannot be created.
pub fn hold(files: &PrivateFiles, name: &str, patience: Duration) -> Result<Held, StoreError> {
    match hold_unless(files, name, patience, || None::<Infallible>)? {
        Waited::Held(held) => Ok(held),
        Waited::Answered(never) => match never {},
    }
}

/// The result of waiting.
pub enum Waited<T> {
    Answered(T),
    Held(Held),
}

/// Takes the lock, unless `answer` makes it unnecessary. `answer` is called before each try.
///
/// # Errors
/// Another process held it for longer than `patience`, or the file cannot be created.
pub fn hold_unless<T>(
    files: &PrivateFiles,
    name: &str,
    patience: Duration,
    mut answer: impl FnMut() -> Option<T>,
) -> Result<Waited<T>, StoreError> {
    let deadline: Instant = clock::instant() + patience;
    let mut pause = FIRST_PAUSE;
    loop {
        if let Some(answer) = answer() {
            return Ok(Waited::Answered(answer));
        }
        match take(files, name)? {
            Some(held) => return Ok(Waited::Held(held)),
            None if clock::instant() < deadline => {}
            None => return Err(StoreError::Busy { holder: holder(files, name) }),
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

//! The refresh worker: started with a locked file as its standard input, then independent of its caller.
//!
//! A lock of flock(2) belongs to the open file description. The worker is the only process that has it once the caller
//! has closed its copy, so the lock lasts exactly as long as the worker. Windows cannot pass a lock on: there the
//! worker takes it itself.
#![deny(clippy::let_underscore_must_use)]

use std::{
    ffi::OsString,
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use super::{
    lock::{self, Held},
    private_files::PrivateFiles,
};
use crate::{deadlines::LOCK_WAITS, secret::Secret, vault::StoreError};

/// A session of its own, so that neither a terminal's hang-up nor the end of the caller's process group reaches the
/// worker.
#[cfg(unix)]
pub fn own_session() {
    #[expect(
        clippy::let_underscore_must_use,
        reason = "it fails only for the leader of a process group, which has a session of its own already"
    )]
    let _ = nix::unistd::setsid();
}

#[cfg(not(unix))]
pub fn own_session() {}

/// The worker's lock: on Unix it is standard input.
///
/// # Errors
/// Another process has it.
#[cfg(unix)]
pub fn lock_of_worker(files: &PrivateFiles, name: &str) -> Result<Option<Held>, StoreError> {
    use std::{
        fs::File,
        os::{fd::AsFd, unix::fs::MetadataExt},
    };
    let inode = |file: &File| file.metadata().ok().map(|about| (about.dev(), about.ino()));
    let lock_file = files.lock_file(name)?;
    match io::stdin().as_fd().try_clone_to_owned().map(File::from) {
        Ok(file) if inode(&file) == inode(&lock_file) && file.try_lock().is_ok() => {
            lock::sign(&file);
            Ok(None)
        }
        // Somebody started the worker by hand.
        _ => lock::hold(files, name, LOCK_WAITS).map(Some),
    }
}

#[cfg(not(unix))]
pub fn lock_of_worker(files: &PrivateFiles, name: &str) -> Result<Option<Held>, StoreError> {
    lock::hold(files, name, LOCK_WAITS).map(Some)
}

/// The program that runs as the worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Worker {
    /// The `loopin` at this path.
    Program(PathBuf),
    /// The worker runs on a thread of this program, which is not `loopin` and does not know its arguments.
    Thread,
    ThisProgram,
}

/// Starts a worker with the locked file and returns what it printed, or `None` if that took too long; the worker
/// continues in both cases. Without a path this program is started. The output may contain tokens; it is empty if it is
/// not UTF-8.
///
/// # Errors
/// The worker was not started.
pub fn worker(
    program: Option<&Path>,
    arguments: Vec<OsString>,
    held: Held,
    patience: Duration,
) -> io::Result<Option<Secret>> {
    let mut command = match program {
        Some(path) => Command::new(path),
        None => Command::new(std::env::current_exe()?),
    };
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::null());
    #[cfg(unix)]
    command.stdin(Stdio::from(held.into_file()));
    #[cfg(not(unix))]
    {
        drop(held);
        command.stdin(Stdio::null());
    }
    let mut child = command.spawn()?;
    // The command keeps our copy of the locked file open.
    drop(command);
    let Some(mut stdout) = child.stdout.take() else { return Ok(None) };
    let (send, printed) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        #[expect(
            clippy::let_underscore_must_use,
            reason = "output that was cut off does not parse, and the store is read instead"
        )]
        let _ = stdout.read_to_string(&mut text);
        #[expect(clippy::let_underscore_must_use, reason = "its output is the result, its exit code is not used")]
        let _ = child.wait();
        send.send(Secret::new(text))
    });
    Ok(printed.recv_timeout(patience).ok())
}

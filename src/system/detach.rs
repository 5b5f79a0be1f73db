//! The refresh worker: started with a locked file as its standard input, and then on its own.
//!
//! A lock of flock(2) belongs to the open file description, which the worker shares with nobody once the asker has let
//! go: it lives exactly as long as the worker. Windows cannot hand a lock on: there the worker takes it itself.
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

/// Ours alone, so that neither a terminal's hang-up nor the end of the asker's group reaches the worker.
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

/// The worker's lock: on Unix it came with standard input.
///
/// # Errors
/// Another process holds it.
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
        // Somebody started it by hand.
        _ => lock::hold(files, name, LOCK_WAITS).map(Some),
    }
}

#[cfg(not(unix))]
pub fn lock_of_worker(files: &PrivateFiles, name: &str) -> Result<Option<Held>, StoreError> {
    lock::hold(files, name, LOCK_WAITS).map(Some)
}

/// Who does the worker's part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Worker {
    /// A loopin at this path.
    Program(PathBuf),
    /// Where this program is another, which does not know our arguments.
    Thread,
    ThisProgram,
}

/// Starts a loopin with the locked file and returns what it printed, or `None` if it took too long. It goes on in either
/// case. Without a path it is this program. What is printed may hold tokens, and is empty if it is not UTF-8.
///
/// # Errors
/// It could not be started.
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
    // The command holds our copy of the locked file.
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

//! Runs the user's command instead of this program, with a secret in a variable or a file descriptor.
//!
//! On Unix by exec(2): the command keeps the process, its signals and its exit code. Elsewhere it is a child process,
//! whose exit code is returned.

use std::{
    ffi::OsString,
    io::{self, ErrorKind},
    process::Command,
};

use crate::secret::Secret;

/// The bytes that a pipe accepts without a reader, on every system.
#[cfg(unix)]
const PIPE: usize = 16 * 1024;

/// How the command gets the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handover {
    /// A file descriptor that can be read to its end once.
    FileDescriptor(u16),
    Variable(String),
}

/// Why a command was not started.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    #[error("the command cannot be started: {0}")]
    Io(ErrorKind),
    #[error("file descriptors cannot be handed on here")]
    NoDescriptors,
    #[error("there is no such command")]
    NotFound,
    #[error("no pipe for the token can be made: {0}")]
    NoPipe(ErrorKind),
    #[error("the command may not be executed")]
    NotPermitted,
    #[error("the token is too long to be handed over so")]
    TooLong,
    #[error("its arguments and its environment, with the token, are too long for this system")]
    TooMuch,
}

impl From<io::Error> for NotStarted {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::PermissionDenied => Self::NotPermitted,
            ErrorKind::ArgumentListTooLong => Self::TooMuch,
            kind => Self::Io(kind),
        }
    }
}

/// Returns on Unix only if the command was not started, elsewhere also with its exit code.
///
/// # Errors
/// The command was not started.
pub fn exec(program: &OsString, arguments: &[OsString], secret: &Secret, to: &Handover) -> Result<u8, NotStarted> {
    let mut command = Command::new(program);
    command.args(arguments);
    match to {
        Handover::Variable(name) => {
            command.env(name, secret.expose());
        }
        Handover::FileDescriptor(number) => hand_over(&mut command, *number, secret)?,
    }
    start(command)
}

#[cfg(unix)]
fn hand_over(command: &mut Command, number: u16, secret: &Secret) -> Result<(), NotStarted> {
    use command_fds::{CommandFdExt, FdMapping};
    use std::io::Write;
    if secret.expose().len() > PIPE {
        return Err(NotStarted::TooLong);
    }
    let no_pipe = |error: io::Error| NotStarted::NoPipe(error.kind());
    let (reader, mut writer) = io::pipe().map_err(no_pipe)?;
    writer.write_all(secret.expose().as_bytes()).map_err(no_pipe)?;
    let mapping = FdMapping { parent_fd: reader.into(), child_fd: number.into() };
    command.fd_mappings(vec![mapping]).map_err(|_| NotStarted::NoDescriptors)?;
    Ok(())
}

#[cfg(not(unix))]
fn hand_over(_: &mut Command, _: u16, _: &Secret) -> Result<(), NotStarted> {
    Err(NotStarted::NoDescriptors)
}

#[cfg(unix)]
fn start(mut command: Command) -> Result<u8, NotStarted> {
    let _limit = super::core_dumps::usual_limit();
    Err(std::os::unix::process::CommandExt::exec(&mut command).into())
}

#[cfg(not(unix))]
fn start(mut command: Command) -> Result<u8, NotStarted> {
    let status = command.status()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

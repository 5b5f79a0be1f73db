//! The user's terminal: whether there is one, and input from it.

use std::io::{self, BufRead, IsTerminal, Read};

use super::environment;
use crate::secret::Secret;

/// Largest secret that is read from standard input, in bytes.
const LONGEST_SECRET: u64 = 64 * 1024;

pub fn stdin_is_terminal() -> bool {
    io::stdin().is_terminal()
}

pub fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether messages go to a terminal.
pub fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Whether a line of messages may be overwritten.
pub fn can_redraw() -> bool {
    stderr_is_terminal() && !environment::dumb_terminal()
}

/// Columns and lines of the terminal that messages go to.
#[cfg(feature = "cli")]
pub fn stderr_size() -> Option<(usize, usize)> {
    let (columns, lines) = terminal_size::terminal_size_of(io::stderr())?;
    Some((columns.0.into(), lines.0.into()))
}

/// Reads a line from the user. The caller has printed the prompt.
///
/// # Errors
/// Standard input ended or failed.
pub fn line() -> io::Result<String> {
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim().to_owned()),
    }
}

/// Reads a secret without echo.
///
/// # Errors
/// There is no terminal.
pub fn hidden(prompt: &str) -> io::Result<Secret> {
    rpassword::prompt_password(prompt).map(Secret::new)
}

/// Reads all of standard input, without the line end that `echo` adds.
///
/// # Errors
/// Standard input failed, or is not text.
pub fn secret_from_stdin() -> io::Result<Secret> {
    let mut text = String::new();
    io::stdin().lock().take(LONGEST_SECRET).read_to_string(&mut text)?;
    let end = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(end);
    Ok(Secret::new(text))
}

//! The person's terminal: whether there is one, and what is asked on it.

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

/// Whether talk goes to a person.
pub fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Whether a line of talk may be drawn over.
pub fn can_redraw() -> bool {
    stderr_is_terminal() && !environment::dumb_terminal()
}

/// One line from the person; the prompt was printed before.
///
/// # Errors
/// Standard input ended or broke.
pub fn line() -> io::Result<String> {
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim().to_owned()),
    }
}

/// A secret without echo.
///
/// # Errors
/// There is no terminal.
pub fn hidden(prompt: &str) -> io::Result<Secret> {
    rpassword::prompt_password(prompt).map(Secret::new)
}

/// All of standard input, without the line end that `echo` adds.
///
/// # Errors
/// Standard input broke, or is not text.
pub fn secret_from_stdin() -> io::Result<Secret> {
    let mut text = String::new();
    io::stdin().lock().take(LONGEST_SECRET).read_to_string(&mut text)?;
    let end = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(end);
    Ok(Secret::new(text))
}

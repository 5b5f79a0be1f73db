//! A secret from the user: by standard input, never on the command line.

use crate::{
    report::{Code, Failure},
    secret::Secret,
    system::terminal,
};

/// From standard input, or typed without echo where that is a terminal. `name` is what it is called in messages.
pub fn read(name: &str) -> Result<Secret, Failure> {
    let secret = match terminal::stdin_is_terminal() {
        true => terminal::hidden(&format!("The {name}: ")),
        false => terminal::secret_from_stdin(),
    };
    let secret = secret.map_err(|_| Failure::new(Code::Usage, "standard input is not text"))?;
    match secret.expose().is_empty() {
        true => Err(Failure::new(Code::Usage, format!("standard input is empty: the {name} was to come from there"))),
        false => Ok(secret),
    }
}

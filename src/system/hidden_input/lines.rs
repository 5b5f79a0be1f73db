//! The same where the terminal's own hidden line is long enough.

use std::{io, thread};

use crate::{secret::Secret, system::terminal};

/// What is heard of the user.
#[derive(Debug)]
pub enum Typed {
    /// So many characters are there, and Enter is awaited.
    Length(usize),
    Text(Secret),
}

/// The terminal, as long as texts are taken from it. Its thread ends with the program.
#[derive(Debug)]
pub struct HiddenInput(());

impl HiddenInput {
    /// `heard` runs on a thread of its own. `None`: standard input is no terminal.
    ///
    /// # Errors
    /// None here.
    pub fn start(heard: impl Fn(Typed) + Send + 'static) -> io::Result<Option<Self>> {
        if !terminal::stdin_is_terminal() {
            return Ok(None);
        }
        thread::spawn(move || {
            while let Ok(text) = rpassword::read_password() {
                if !text.trim().is_empty() {
                    heard(Typed::Text(Secret::new(text)));
                }
            }
        });
        Ok(Some(Self(())))
    }
}

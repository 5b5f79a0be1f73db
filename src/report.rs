//! Everything that is printed. Standard output is data, standard error is talk.
//!
//! [`Outcome`] and [`Failure`] become text or one JSON object (with a format number, times in RFC 3339 UTC); [`Talk`]
//! tells a person what is going on meanwhile. A stranger's text was made fit to print when it entered the program.

mod checkup;
mod command_line;
mod device;
mod diagnosis;
mod elsewhere;
mod failure;
mod handed_out;
mod integration;
mod login;
mod logout;
mod outcome;
mod provider;
mod redirect;
mod relay_check;
mod remedy;
mod status;
mod talk;
mod time;
mod verification;
mod wire;
mod worker;

use std::{
    io::{self, ErrorKind, Write},
    panic,
    time::SystemTime,
};

use serde_json::{Value, json};

pub use crate::grants::Code;
pub use checkup::{Check, CheckState, Checkup, Machine};
pub use command_line::{Typed, command, configured_command, typed_with};
pub use diagnosis::Diagnosed;
pub use elsewhere::sign_in_from_elsewhere;
pub use failure::{EXIT_CODES, Failure, describe};
pub use handed_out::{HandedOut, TokenForm};
pub use logout::{Left, LeftIn, Logout, Which};
pub use outcome::{Answered, Asked, Outcome};
pub use provider::{Registering, registration_steps};
pub use relay_check::{CheckedCallback, RelayCheck};
pub use remedy::{login_command, logout_command, missing_file};
pub use talk::{Event, Talk, Verbosity, Words, ask};
pub use time::time;
pub use verification::Verification;
pub use wire::Wire;
pub use worker::worker;

/// Version of the JSON forms.
const FORMAT: u64 = 1;

/// How a result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Json,
    Text,
}

/// What a closed pipe at standard output means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedPipe {
    /// The reader has seen enough.
    Fine,
    /// Half a token is no token.
    Fault,
}

/// Prints what a command led to and gives the exit code.
pub fn finish(result: Result<Outcome, Failure>, form: Form, now: SystemTime) -> u8 {
    match result {
        // Its access log was its output; a reader who has stopped reading may still hold that up.
        Ok(Outcome::Stopped) => 0,
        Ok(outcome) => {
            let text = match form {
                Form::Json => object(outcome.json(now)),
                Form::Text => outcome.text(now),
            };
            match print(&text) {
                Ok(()) => outcome.exit(now),
                Err(error) if error.kind() == ErrorKind::BrokenPipe && outcome.closed_pipe() == ClosedPipe::Fine => {
                    outcome.exit(now)
                }
                Err(error) if error.kind() == ErrorKind::BrokenPipe => Code::Internal.exit(),
                Err(error) => fail(
                    &Failure::new(Code::Internal, format!("standard output cannot be written: {}", error.kind())),
                    Form::Text,
                ),
            }
        }
        Err(failure) => fail(&failure, form),
    }
}

/// Prints a failure and gives its exit code.
pub fn fail(failure: &Failure, form: Form) -> u8 {
    match form {
        Form::Json => {
            // Where even this cannot be written, the exit code still tells.
            let _ = print(&object(json!({ "error": failure.json() })));
        }
        Form::Text => {
            talk::line(&format!("loopin: {}", failure.what));
            if let Some(remedy) = &failure.remedy {
                talk::line(&format!("  → {remedy}"));
            }
        }
    }
    failure.code.exit()
}

/// Prints what clap has to say: help and version are data, a wrong command line is talk.
pub fn command_line(error: &clap::Error, form: Form) -> u8 {
    if !error.use_stderr() {
        return match error.print() {
            Err(why) if why.kind() != ErrorKind::BrokenPipe => Code::Internal.exit(),
            _ => 0,
        };
    }
    if form == Form::Json {
        let text = error.render().to_string();
        let what = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        return fail(&Failure::new(Code::Usage, what), form);
    }
    let _ = error.print();
    Code::Usage.exit()
}

/// A panic tells where it was, never what it held.
pub fn install_panic_hook() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
        talk::line(&format!("loopin: internal fault{place}; please report it"));
    }));
}

fn object(mut value: Value) -> String {
    if let Value::Object(fields) = &mut value {
        fields.insert("format".into(), FORMAT.into());
    }
    format!("{value}\n")
}

fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

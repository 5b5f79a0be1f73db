//! A program that links loopin: `host INTEGRATION [refused]`. It signs in when a person is needed, and with `refused`
//! it behaves as if an API had answered 401.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a program of its own, not a part of loopin"
)]

use std::{env, process::ExitCode};

use loopin::{Code, Error, Event, Opening, Options};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Error> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let mut options = Options::new(&arguments[0]);
    // Refreshes then outlive this program.
    if let Some(loopin) = env::var_os("LOOPIN") {
        options = options.worker(loopin);
    }
    let mut token = match options.access_token() {
        Err(error) if error.code() == Code::LoginRequired => {
            let show = |event: &Event<'_>| match event {
                Event::Url(url) => println!("open {url}"),
                Event::CodeReceived | Event::Exchanging | Event::Done => println!("{event:?}"),
                _ => {}
            };
            options.clone().opening(Opening::Client).on_event(show).login()?;
            options.access_token()?
        }
        other => other?,
    };
    if arguments.get(1).is_some_and(|word| word == "refused") {
        token = options.clone().rejected(&token).access_token()?;
    }
    println!("a {} token", token.token_type.as_str());
    Ok(())
}

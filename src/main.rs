//! `loopin`: arguments to exit code. Everything else is in the library; its `lib.rs` is the map.

use std::process::ExitCode;

fn main() -> ExitCode {
    loopin::command::run(std::env::args_os())
}

//! The real parts, each with a life no longer than its value, and the real executable among them.
//!
//! A part that is not installed is `None`, and the test is skipped with a word on standard error; with CI=true it
//! fails instead.

use std::{
    ffi::OsStr,
    io::Write,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

mod bench;
mod browser;
mod gate;
mod keyring;
#[path = "../support/ports.rs"]
mod ports;
#[path = "../support/program.rs"]
mod program;
mod provider;
mod sandbox;

pub use bench::bench;
pub use browser::{Browser, consents, customer, files_with, on_another_device};
pub use gate::Gate;
pub use keyring::Keyring;
pub use ports::fixed_port;
pub use program::{Finished, lines};
pub use provider::Provider;
pub use sandbox::{IN_FILES, Login, Sandbox};

/// Longest wait for an event that must come. Only a broken program reaches it.
pub const PATIENCE: Duration = Duration::from_secs(100);

/// Where the kit of parts is.
fn kit(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/parts").join(part)
}

/// Whether all of these can be run or read. Skips the test where not, but nothing is skipped in CI.
pub fn installed(programs: &[&str], modules: &[&str]) -> Option<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = |program: &str| std::env::split_paths(&path).any(|directory| directory.join(program).is_file());
    let program = programs.iter().find(|program| !found(program)).map(|program| format!("no {program}"));
    let module = || modules.iter().find(|module| !kit("node_modules").join(module).is_dir());
    let why = program.or_else(|| module().map(|module| format!("no {module}: npm ci in tests/real/parts")));
    match why {
        None => Some(()),
        Some(why) => skip(&why),
    }
}

fn skip(why: &str) -> Option<()> {
    let name = thread::current().name().unwrap_or_default().to_owned();
    assert_ne!(Some(OsStr::new("true")), std::env::var_os("CI").as_deref(), "CI skips nothing: {name} ({why})");
    // Not by a macro of the test harness, which keeps what a passing test says to itself.
    let _ = std::io::stderr().write_all(format!("skipped: {name} ({why})\n").as_bytes());
    None
}

/// Whether there is a second loopback address.
pub fn ipv6() -> Option<()> {
    match std::net::TcpListener::bind("[::1]:0") {
        Ok(_) => Some(()),
        Err(_) => skip("no IPv6"),
    }
}

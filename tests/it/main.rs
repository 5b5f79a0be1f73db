//! The program as a person meets it: the real executable, real sockets, real files. One file a command or a theme;
//! names of tests carry the attack row they stand for.

#![expect(clippy::disallowed_methods, reason = "tests read the clock and the environment")]

mod canary;
mod completions;
mod configuration;
mod exchange;
mod harness;
mod integration;
mod layering;
mod login;
mod output;
mod redirect;
mod status;
#[cfg(unix)]
mod store;

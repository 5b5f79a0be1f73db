//! The program as a person meets it: the real executable, real sockets, real files. One file a command or a theme;
//! names of tests carry the id of the row in docs/threats.md that they hold.

#![expect(clippy::disallowed_methods, reason = "tests read the clock and the environment")]

#[cfg(unix)]
mod accounts;
#[cfg(unix)]
mod browser;
mod canary;
mod completions;
mod configuration;
#[cfg(target_os = "linux")]
mod core_dumps;
#[cfg(unix)]
mod device;
#[cfg(target_os = "linux")]
mod doctor;
mod exchange;
#[cfg(target_os = "linux")]
mod exec;
mod harness;
#[cfg(unix)]
mod helper;
mod integration;
mod layering;
#[cfg(target_os = "linux")]
mod library;
#[cfg(target_os = "linux")]
mod listener;
mod login;
mod mix_up;
mod output;
#[cfg(unix)]
mod overflow;
#[cfg(target_os = "linux")]
mod paste;
#[cfg(unix)]
mod providers;
mod proxies;
mod readme;
mod redirect;
#[cfg(unix)]
mod refresh;
#[cfg(unix)]
mod relay;
#[cfg(unix)]
mod remedies;
mod reports;
#[cfg(target_os = "linux")]
mod robustness;
#[cfg(unix)]
mod serve;
mod status;
#[cfg(target_os = "linux")]
mod stdio;
#[cfg(target_os = "linux")]
mod stopped;
#[cfg(unix)]
mod store;
mod threats;
#[cfg(unix)]
mod token;
#[cfg(target_os = "linux")]
mod trusted_files;

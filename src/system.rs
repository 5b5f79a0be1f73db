//! The adapters to the outside world, one per file. An adapter translates and returns; it decides nothing.

#[cfg(feature = "cli")]
pub mod access_log;
pub mod browser;
#[cfg(feature = "cli")]
pub mod certificate;
pub mod client_secret;
pub mod clock;
pub mod config_file;
pub mod core_dumps;
#[cfg(feature = "server")]
pub mod database;
pub mod detach;
pub mod entropy;
pub mod environment;
#[cfg(feature = "cli")]
pub mod exec;
pub mod file_store;
#[cfg(all(unix, feature = "cli"))]
pub mod hidden_input;
#[cfg(all(not(unix), feature = "cli"))]
#[path = "system/hidden_input/lines.rs"]
pub mod hidden_input;
pub mod http;
pub mod journal;
#[cfg(feature = "server")]
pub mod jwks;
pub mod keychain;
pub mod listener;
pub mod lock;
#[cfg(feature = "cli")]
pub mod loopback_probe;
#[cfg(feature = "cli")]
pub mod named_file;
#[cfg(feature = "cli")]
pub mod parent;
pub mod paths;
pub mod patience;
pub mod pause;
pub mod peer;
#[cfg(feature = "server")]
pub mod pinned;
pub mod private_files;
#[cfg(feature = "cli")]
pub mod raw_http;
#[cfg(target_os = "linux")]
mod secret_service;
#[cfg(feature = "server")]
pub mod server;
pub mod signal;
#[cfg(feature = "cli")]
pub mod stdin;
pub mod terminal;
pub mod trusted_file;
pub mod uninterrupted;

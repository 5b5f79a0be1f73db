//! Everything that touches the world, one adapter a file. An edge translates and returns; it decides nothing.

pub mod browser;
pub mod certificate;
pub mod clock;
pub mod config_file;
pub mod core_dumps;
#[cfg(feature = "server")]
pub mod database;
pub mod detach;
pub mod entropy;
pub mod environment;
pub mod exec;
pub mod file_store;
pub mod http;
#[cfg(feature = "server")]
pub mod jwks;
pub mod keychain;
pub mod listener;
pub mod lock;
pub mod parent;
pub mod paths;
pub mod patience;
pub mod pause;
pub mod peer;
#[cfg(feature = "server")]
pub mod pinned;
pub mod private_files;
pub mod raw_http;
#[cfg(target_os = "linux")]
mod secret_service;
#[cfg(feature = "server")]
pub mod server;
pub mod signal;
pub mod stdin;
pub mod terminal;
pub mod trusted_file;
pub mod uninterrupted;

//! Paths of files.

use std::path::PathBuf;

use super::environment::{self, LOOPIN_CONFIG, LOOPIN_STATE_DIR};

/// There is no home directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoHome {
    #[error("there is no home directory for the configuration; {LOOPIN_CONFIG} can name a place")]
    Config,
    #[error("there is no home directory for the state; {LOOPIN_STATE_DIR} can name a place")]
    State,
}

/// The path of this executable, or its name if the system does not know it.
pub fn program() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|_| "loopin".into())
}

/// The path of `config.toml`: LOOPIN_CONFIG, otherwise the platform's usual place.
///
/// # Errors
/// There is neither a variable nor a home directory.
pub fn config() -> Result<PathBuf, NoHome> {
    if let Some(path) = config_variable() {
        return Ok(path);
    }
    config_home().map(|home| home.join("loopin").join("config.toml")).ok_or(NoHome::Config)
}

/// The configuration file that LOOPIN_CONFIG names.
pub fn config_variable() -> Option<PathBuf> {
    environment::path(LOOPIN_CONFIG)
}

/// The directory of locks, the index and items that are too large for a keychain. It is the same for every process of a
/// user, whatever HOME, XDG_* and TMPDIR are: a lock must cover everything that its credential covers.
///
/// # Errors
/// There is neither a variable nor a home directory in the password database.
pub fn state() -> Result<PathBuf, NoHome> {
    if let Some(path) = environment::path(LOOPIN_STATE_DIR) {
        return Ok(path);
    }
    account_home().map(|home| home.join(STATE)).filter(|path| path.is_absolute()).ok_or(NoHome::State)
}

#[cfg(all(unix, not(target_os = "macos")))]
const STATE: &str = ".local/state/loopin";
#[cfg(target_os = "macos")]
const STATE: &str = "Library/Application Support/loopin";
#[cfg(windows)]
const STATE: &str = "loopin";

#[cfg(unix)]
fn account_home() -> Option<PathBuf> {
    nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten().map(|user| user.dir)
}

#[cfg(windows)]
fn account_home() -> Option<PathBuf> {
    environment::path("LOCALAPPDATA")
}

#[cfg(all(unix, not(target_os = "macos")))]
fn config_home() -> Option<PathBuf> {
    let home = || environment::path("HOME").or_else(account_home).map(|home| home.join(".config"));
    environment::path("XDG_CONFIG_HOME").filter(|path| path.is_absolute()).or_else(home)
}

#[cfg(target_os = "macos")]
fn config_home() -> Option<PathBuf> {
    environment::path("HOME").or_else(account_home).map(|home| home.join("Library").join("Application Support"))
}

#[cfg(windows)]
fn config_home() -> Option<PathBuf> {
    environment::path("APPDATA")
}

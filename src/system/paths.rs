//! Where files are.

use std::{fmt, path::PathBuf};

use super::environment::{self, LOOPIN_CONFIG, LOOPIN_STATE_DIR};

/// There is no home to put anything in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoHome {
    Config,
    State,
}

impl fmt::Display for NoHome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, variable) = match self {
            Self::Config => ("configuration", LOOPIN_CONFIG),
            Self::State => ("state", LOOPIN_STATE_DIR),
        };
        write!(f, "there is no home directory for the {what}; {variable} can name a place")
    }
}

impl std::error::Error for NoHome {}

/// This executable, for others to start; its bare name where the system does not tell.
pub fn program() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|_| "loopin".into())
}

/// `config.toml`, at the platform's own place unless LOOPIN_CONFIG says otherwise.
///
/// # Errors
/// No variable and no home.
pub fn config() -> Result<PathBuf, NoHome> {
    if let Some(path) = environment::path(LOOPIN_CONFIG) {
        return Ok(path);
    }
    config_home().map(|home| home.join("loopin").join("config.toml")).ok_or(NoHome::Config)
}

/// Locks, the index and what is too large for a keychain. The same for every process of this person, whatever its
/// HOME, XDG_* and TMPDIR say: the scope of a lock must be that of the credential.
///
/// # Errors
/// No variable and no home in the password database.
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

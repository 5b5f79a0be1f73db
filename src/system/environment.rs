//! The environment variables that are read, in one place.
#![expect(clippy::disallowed_methods, reason = "this is where the environment is read")]

use std::{env, ffi::OsString, path::PathBuf};

use crate::secret::Secret;

pub const BROWSER: &str = "BROWSER";
pub const LOOPIN_BROWSER: &str = "LOOPIN_BROWSER";
pub const LOOPIN_CONFIG: &str = "LOOPIN_CONFIG";
pub const LOOPIN_STATE_DIR: &str = "LOOPIN_STATE_DIR";

/// A variable that is set and not empty.
pub fn text(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// A variable with the path of a file or directory.
pub fn path(name: &str) -> Option<PathBuf> {
    raw(name).map(PathBuf::from)
}

/// A secret in a variable that the configuration names.
pub fn secret(name: &str) -> Option<Secret> {
    text(name).map(Secret::new)
}

/// A variable that is set and not empty, as bytes of the system.
pub fn raw(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// A variable that is set, empty or not.
pub fn as_set(name: &str) -> Option<OsString> {
    env::var_os(name)
}

/// Whether a user can see a browser here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Desktop {
    /// There is a desktop session for a browser.
    Here,
    /// `CI` is set, so there is no user.
    NoneCi,
    /// There is no display, on a system that does not always have one.
    NoneHeadless,
}

pub fn desktop() -> Desktop {
    let always = cfg!(any(windows, target_os = "macos"));
    let display = ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"].iter().any(|name| raw(name).is_some());
    match (raw("CI").is_some(), always || display) {
        (true, _) => Desktop::NoneCi,
        (false, true) => Desktop::Here,
        (false, false) => Desktop::NoneHeadless,
    }
}

/// Whether the output goes to the log of a build service.
pub fn github_actions() -> bool {
    text("GITHUB_ACTIONS").as_deref() == Some("true")
}

/// Whether a line may be overwritten.
pub fn dumb_terminal() -> bool {
    text("TERM").is_none_or(|term| term == "dumb")
}

/// Names of this program's variables, which no child process needs.
pub fn own_variables() -> Vec<OsString> {
    env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("LOOPIN_")).collect()
}

//! The environment variables that are read, in one place.
#![expect(clippy::disallowed_methods, reason = "this is where the environment is read")]

use std::{env, ffi::OsString, path::PathBuf};

use crate::secret::Secret;

pub const BROWSER: &str = "BROWSER";
pub const LOOPIN_BROWSER: &str = "LOOPIN_BROWSER";
pub const LOOPIN_CONFIG: &str = "LOOPIN_CONFIG";
pub const LOOPIN_STATE_DIR: &str = "LOOPIN_STATE_DIR";
pub const LOOPIN_STORE: &str = "LOOPIN_STORE";

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

/// Where the user's browser may be, if not on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// GitHub Codespaces.
    Codespaces,
    Container,
    Ssh(SshSession),
}

/// How the user reached this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshSession {
    /// The address of this machine that the user's machine knows.
    pub host: String,
    pub port: u16,
    pub user: Option<String>,
}

/// `None`: nothing shows that it is on another machine.
pub fn elsewhere() -> Option<Elsewhere> {
    if text("CODESPACES").as_deref() == Some("true") {
        return Some(Elsewhere::Codespaces);
    }
    let user = || text("USER").or_else(|| text("LOGNAME"));
    if let Some(ssh) = text("SSH_CONNECTION").and_then(|connection| SshSession::parse(&connection, user())) {
        return Some(Elsewhere::Ssh(ssh));
    }
    // What Docker and Podman put there, and what systemd and Podman set.
    let marked = ["/.dockerenv", "/run/.containerenv"].iter().any(|file| std::path::Path::new(file).exists());
    (marked || text("container").is_some()).then_some(Elsewhere::Container)
}

impl SshSession {
    /// The client's address and port, then the server's (sshd(8), ENVIRONMENT). A variable is not trusted: an address is
    /// an address, and a name that a shell would not take as one word is left out.
    fn parse(connection: &str, user: Option<String>) -> Option<Self> {
        let mut words = connection.split(' ').skip(2);
        let host: std::net::IpAddr = words.next()?.parse().ok()?;
        let port = words.next()?.parse().ok()?;
        let plain = |name: &String| {
            name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) && !name.starts_with('-')
        };
        Some(Self { host: host.to_string(), port, user: user.filter(plain) })
    }
}

/// The variable that names the command which opens a browser.
pub fn browser_variable() -> Option<&'static str> {
    [LOOPIN_BROWSER, BROWSER].into_iter().find(|name| text(name).is_some())
}

/// Whether the output goes to the log of a build service.
pub fn github_actions() -> bool {
    text("GITHUB_ACTIONS").as_deref() == Some("true")
}

/// Whether a line may be overwritten.
pub fn dumb_terminal() -> bool {
    text("TERM").is_none_or(|term| term == "dumb")
}

/// Whether a terminal shows more than ASCII: by the first of these variables that is set (POSIX.1, section 8.2).
pub fn utf8_locale() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| text(name));
    let is_utf8 = |locale: String| locale.to_ascii_lowercase().replace('-', "").contains("utf8");
    locale.map_or(cfg!(windows), is_utf8)
}

/// Names of this program's variables, which no child process needs.
pub fn own_variables() -> Vec<OsString> {
    env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("LOOPIN_")).collect()
}

/// Variables that change what this program does, beside its own.
const READ: [&str; 21] = [
    BROWSER,
    "ALL_PROXY",
    "CI",
    "CODESPACES",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "GITHUB_ACTIONS",
    "HOME",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSH_CONNECTION",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TERM",
    "WAYLAND_DISPLAY",
    "WSL_DISTRO_NAME",
    "XDG_CONFIG_HOME",
    "all_proxy",
    "container",
    "https_proxy",
    "no_proxy",
];

/// The names of the variables that change what this program does: those that are set, and those that are not.
pub fn names() -> (Vec<String>, Vec<String>) {
    let own = own_variables().into_iter().map(|name| name.to_string_lossy().into_owned());
    let (mut set, unset): (Vec<_>, Vec<_>) = READ.into_iter().map(str::to_owned).partition(|name| raw(name).is_some());
    set.extend(own);
    set.sort();
    (set, unset)
}

/// The operating system and the processor.
pub fn platform() -> String {
    format!("{} {}", env::consts::OS, env::consts::ARCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t01_the_ssh_session_is_read_and_nothing_of_it_reaches_a_shell_unchecked() {
        let parse = |text: &str, user: &str| SshSession::parse(text, Some(user.to_owned()));
        let session = |host: &str, port, user: Option<&str>| {
            Some(SshSession { host: host.to_owned(), port, user: user.map(str::to_owned) })
        };
        assert_eq!(session("10.0.0.5", 22, Some("ada")), parse("10.0.0.9 50022 10.0.0.5 22", "ada"));
        assert_eq!(session("fe80::1", 2222, Some("ada")), parse("fe80::2 50022 fe80::1 2222", "ada"));
        assert_eq!(session("10.0.0.5", 22, None), parse("10.0.0.9 50022 10.0.0.5 22", "ada;reboot"));
        assert_eq!(session("10.0.0.5", 22, None), parse("10.0.0.9 50022 10.0.0.5 22", "-oProxyCommand=x"));
        for odd in ["", "10.0.0.9 50022", "10.0.0.9 50022 $(reboot) 22", "10.0.0.9 50022 10.0.0.5 ssh"] {
            assert_eq!(None, parse(odd, "ada"), "{odd:?}");
        }
    }
}

//! A session bus with a keyring on it.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Output, Stdio},
};

use super::{installed, kit};

/// A session bus of its own, with the keyring on it that `with-keyring` knows as `mode`; ended when dropped.
pub struct Keyring {
    pub(super) bus: String,
    home: String,
    keyring: String,
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Keyring {
    pub fn start(mode: &str) -> Option<Self> {
        installed(&["dbus-daemon", "dbus-send", "setpriv"], &[])?;
        match mode {
            "absent" => {}
            fake if fake.starts_with("fake:") => installed(&["node"], &["@jellybrick/dbus-next"])?,
            _ => installed(&["gnome-keyring-daemon", "secret-tool"], &[])?,
        }
        let mut command = Command::new(kit("keyring/with-keyring"));
        let tell = r#"printf '%s\n' "$DBUS_SESSION_BUS_ADDRESS" "$HOME" "$KIT_KEYRING_PID"; exec cat"#;
        command.args([mode, "sh", "-c", tell]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("with-keyring starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
        let mut line = || lines.next().unwrap_or_else(|| panic!("the keyring is not {mode}"));
        let (bus, home, keyring) = (line(), line(), line());
        let stdin = child.stdin.take();
        Some(Self { bus, home, keyring, child, stdin })
    }

    /// The keyring is there and never answers again.
    pub fn stop(&self) {
        assert!(Command::new("kill").args(["-STOP", &self.keyring]).status().expect("kill runs").success());
    }

    /// As a person does in the desktop's password program.
    pub fn lock(&self) {
        let mut command = Command::new("dbus-send");
        command.args(["--session", "--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"]);
        command.arg("org.freedesktop.Secret.Service.Lock");
        command.arg("array:objpath:/org/freedesktop/secrets/collection/login");
        let output = command.env("DBUS_SESSION_BUS_ADDRESS", &self.bus).output().expect("dbus-send runs");
        assert!(output.status.success(), "{output:?}");
    }

    /// Whoever else is on the bus asks for items by attributes: label, attributes and secret as `secret-tool` prints them.
    pub fn search(&self, attributes: &[&str]) -> String {
        let output = self.secret_tool(&[&["search", "--all"], attributes].concat(), "");
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    pub fn clear(&self, attributes: &[&str]) {
        assert!(self.secret_tool(&[&["clear"], attributes].concat(), "").status.success());
    }

    pub fn secret_tool(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = Command::new("secret-tool");
        command.args(arguments).env("DBUS_SESSION_BUS_ADDRESS", &self.bus).env("HOME", &self.home);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("secret-tool starts");
        let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        child.wait_with_output().expect("secret-tool ends")
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

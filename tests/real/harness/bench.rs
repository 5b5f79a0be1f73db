//! The benches, small.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use super::{Finished, installed, skip};

/// Runs a bench on real parts with this executable, to its end; it says itself whether all went well.
pub fn bench(name: &str, arguments: &[&str], variables: &[(&str, &str)]) {
    let programs = ["bash", "python3", "node", "dbus-daemon", "dbus-send", "setpriv", "gnome-keyring-daemon"];
    let Some(()) = installed(&programs, &["oidc-provider"]) else { return };
    if name == "silence" && namespaces().is_none() {
        return;
    }
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join(name));
    command.args(arguments).env("PROGRAM", env!("CARGO_BIN_EXE_loopin")).envs(variables.iter().copied());
    let finished = Finished::new(command.stdin(Stdio::null()).output().expect("the bench runs"));
    finished.assert_code(0);
}

/// Whether a network may be made that leads nowhere.
fn namespaces() -> Option<()> {
    installed(&["unshare", "ip", "openssl"], &[])?;
    let made = |options: &[&str]| Command::new("unshare").args(options).arg("true").status().is_ok_and(|s| s.success());
    match made(&["--net", "--mount", "--map-root-user"]) || made(&["--net", "--mount"]) {
        true => Some(()),
        false => skip("no namespaces"),
    }
}

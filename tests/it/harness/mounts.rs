//! A place for files of which a test is the master: full, read-only, of another kind.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use super::Sandbox;

/// A mount namespace of its own, held open by a shell.
pub struct Mounts(Child);

impl Mounts {
    /// `None` where that is not allowed.
    pub fn with(script: &str) -> Option<Self> {
        let line = format!("{script} && echo ready && read line");
        let mut holder = Command::new("unshare");
        holder.args(["--mount", "sh", "-c", &line]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut holder = Self(holder.spawn().ok()?);
        let mut ready = String::new();
        let out = holder.0.stdout.take()?;
        BufReader::new(out).read_line(&mut ready).ok()?;
        (ready == "ready\n").then_some(holder)
    }

    /// A line of shell in there; `"$@"` is the program.
    pub fn shell(&self, sandbox: &Sandbox, line: &str, arguments: &[&str]) -> Command {
        sandbox.shell(&format!("exec nsenter --mount=/proc/{}/ns/mnt sh -c '{line}' sh \"$@\"", self.0.id()), arguments)
    }

    pub fn loopin(&self, sandbox: &Sandbox, arguments: &[&str]) -> Command {
        self.shell(sandbox, "exec \"$@\"", arguments)
    }
}

impl Drop for Mounts {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

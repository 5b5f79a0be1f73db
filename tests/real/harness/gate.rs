//! Servers that want a token, over HTTP and HTTPS.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
};

use serde_json::Value;

use super::{installed, kit};

/// `gate.py`, ended when dropped.
pub struct Gate {
    /// Host and port.
    pub http: String,
    pub https: String,
    directory: PathBuf,
    child: Child,
    _stdin: ChildStdin,
}

impl Gate {
    pub fn start(directory: &Path) -> Option<Self> {
        installed(&["python3", "openssl"], &[])?;
        std::fs::create_dir_all(directory.join("git")).expect("directory");
        let mut command = Command::new("python3");
        command.arg(kit("gate.py")).arg(directory);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3 starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let facts: Value = serde_json::from_str(&line).expect("the gate is ready");
        let place = |name: &str| facts[name].as_str().expect("an address").to_owned();
        let stdin = child.stdin.take().expect("piped");
        Some(Self { http: place("http"), https: place("https"), directory: directory.to_owned(), child, _stdin: stdin })
    }

    /// From now on this token, and no other.
    pub fn takes(&self, token: &str) {
        std::fs::write(self.directory.join("tokens"), token).expect("tokens");
    }

    /// The schemes that git is asked for.
    pub fn offers(&self, schemes: &str) {
        std::fs::write(self.directory.join("schemes"), schemes).expect("schemes");
    }

    /// The scheme of every request, or `nothing`, or `refused`.
    pub fn log(&self) -> Vec<String> {
        let mut reply = ureq::get(format!("http://{}/__log", self.http)).call().expect("log");
        let log: Value = serde_json::from_str(&reply.body_mut().read_to_string().expect("text")).expect("JSON");
        let entries = log.as_array().expect("a list").iter();
        entries.map(|entry| entry[1].as_str().expect("a scheme").to_owned()).collect()
    }

    pub fn forget(&self) {
        ureq::get(format!("http://{}/__log/forget", self.http)).call().expect("forgotten");
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

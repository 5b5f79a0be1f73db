//! The program in surroundings of its own, alone or with a person at a browser.

use std::{
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver},
    },
    thread,
};

use serde_json::Value;

use super::{Browser, Finished, Keyring, PATIENCE};

/// Kept in encrypted files: lines for the integration.
pub const IN_FILES: &str = "store = \"file\"\nstore_key = { file = \"{key}\" }\n";

/// A home, a configuration and a state directory of one test's own; removed at the end.
pub struct Sandbox {
    root: PathBuf,
    variables: Vec<(String, String)>,
}

impl Sandbox {
    /// Without any keychain.
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("loopin-real-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let root = std::env::temp_dir().join(name);
        for directory in ["home", "tmp"] {
            std::fs::create_dir_all(root.join(directory)).expect("sandbox");
        }
        let home = root.join("home").display().to_string();
        Self { root, variables: Vec::new() }.with("HOME", &home)
    }

    /// On the session bus of this keyring.
    pub fn beside(keyring: &Keyring) -> Self {
        Self::new().with("DBUS_SESSION_BUS_ADDRESS", &keyring.bus)
    }

    /// With a variable in the program's environment, and in that of the browser that it starts.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Writes the configuration; `{key}` stands for a key of the file store.
    pub fn configure(&self, text: &str) -> &Self {
        let key = self.path("store.key");
        std::fs::write(&key, [7; 32]).expect("key");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("mode");
        std::fs::write(self.path("config.toml"), text.replace("{key}", key.to_str().expect("path"))).expect("written");
        self
    }

    pub fn configuration(&self) -> String {
        std::fs::read_to_string(self.path("config.toml")).unwrap_or_default()
    }

    /// The program with nothing of the surroundings but the way to other programs.
    pub fn loopin(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loopin"));
        command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("LOOPIN_CONFIG", self.path("config.toml")).env("LOOPIN_STATE_DIR", self.path("state"));
        command.env("TMPDIR", self.path("tmp")).envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs to the end.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        Finished::new(self.loopin(arguments).output().expect("loopin runs"))
    }

    /// Runs to the end with this on standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Finished {
        let mut child = self.loopin(arguments).stdin(Stdio::piped()).spawn().expect("loopin starts");
        // A program that ends without reading all of it says why.
        let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        Finished::new(child.wait_with_output().expect("loopin ends"))
    }

    /// Logs in to `work`, with this browser as $BROWSER.
    pub fn login(&self, browser: Browser, arguments: &[&str]) -> Login {
        self.visit(browser, &[&["login", "work", "--timeout", "90s"], arguments].concat())
    }

    /// Runs a command that opens the browser.
    pub fn visit(&self, browser: Browser, arguments: &[&str]) -> Login {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let fifo = self.path(&format!("report-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("FIFO");
        let (hand, report) = mpsc::channel();
        let read = fifo.clone();
        thread::spawn(move || hand.send(std::fs::read_to_string(read)));
        let mut command = self.loopin(arguments);
        command.env("BROWSER", &browser.command).env("KIT_REPORT", &fifo);
        command.envs(browser.variables.iter().map(|(name, value)| (name, value)));
        Login { finished: Finished::new(command.output().expect("loopin runs")), report, _browser: browser }
    }

    /// A login that must end before a person is sent anywhere.
    pub fn login_without_a_person(&self) -> Finished {
        let finished = Finished::new(self.loopin(&["login", "work"]).env("BROWSER", "false").output().expect("runs"));
        assert!(!finished.stderr.contains("To sign in, open:"), "a person was asked: {finished:#?}");
        finished
    }

    /// Files that the program wrote. Locks are empty and do not count, nor does what Chromium keeps in a home.
    pub fn written(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for directory in ["home", "state", "tmp"] {
            collect(&self.path(directory), &mut files);
        }
        let chromium = [".cache", ".config/chromium"].map(|directory| self.path("home").join(directory));
        files.retain(|path| !chromium.iter().any(|directory| path.starts_with(directory)));
        files.retain(|path| std::fs::metadata(path).is_ok_and(|m| m.len() > 0));
        files
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => collect(&entry.path(), files),
            _ => files.push(entry.path()),
        }
    }
}

impl Finished {
    #[track_caller]
    pub fn assert_keeps_quiet_about(&self, text: &str) -> &Self {
        assert!(!self.stderr.contains(text) && !self.stdout.contains(text), "\"{text}\" is in {self:#?}");
        self
    }

    /// The token on standard output.
    #[track_caller]
    pub fn token(&self) -> &str {
        self.assert_code(0);
        self.stdout.strip_suffix('\n').expect("a line")
    }
}

/// A login that has ended, and a browser that may go on for a moment.
#[derive(Debug)]
pub struct Login {
    pub finished: Finished,
    report: Receiver<std::io::Result<String>>,
    /// Until it has ended no other may start.
    _browser: Browser,
}

impl Login {
    #[track_caller]
    pub fn assert_code(&self, code: i32) -> &Self {
        self.finished.assert_code(code);
        self
    }

    #[track_caller]
    pub fn assert_says(&self, text: &str) -> &Self {
        self.finished.assert_says(text);
        self
    }

    /// What the browser saw; waits until it has ended.
    #[track_caller]
    pub fn report(&self) -> Value {
        let text = self.report.recv_timeout(PATIENCE).expect("the browser was started and ends").expect("a report");
        let report: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: \"{text}\""));
        assert_eq!(Value::Null, report["error"], "{report:#}\n{:#?}", self.finished);
        report
    }
}

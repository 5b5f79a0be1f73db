//! The real executable in surroundings of its own, a practice provider with faults, and a hand-made browser.

use std::{
    io::Read,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

mod browser;
#[cfg(unix)]
mod mounts;
#[path = "../support/ports.rs"]
mod ports;
#[path = "../support/program.rs"]
mod program;
mod provider;
mod proxy;
mod raw_server;
mod stage;
mod users;

pub use browser::{Person, Reply, follow, http, parameter, read_reply};
#[cfg(unix)]
pub use mounts::Mounts;
pub use ports::fixed_port;
pub use program::{Finished, lines};
pub use provider::Provider;
pub use proxy::{Proxy, TlsServer};
pub use raw_server::{JSON, RawServer, TOKENS, json_reply, origin_of, reply, send};
pub use stage::{Gate, Pipe, Waiting, crowd, kill, status_line, target, tell, wait_for};
pub use users::{Manner, NamedUsers};

/// Longest wait for an event that must come. Only a broken program reaches it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `happened` returns true, and looks as often as it can: some tests kill a process at that very moment.
#[track_caller]
pub fn eventually(event: &str, mut happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !happened() {
        assert!(Instant::now() < deadline, "this never happened: {event}");
        thread::yield_now();
    }
}

/// A home of its own for one test; removed at the end.
pub struct Sandbox {
    root: PathBuf,
}

impl Sandbox {
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("loopin-it-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let root = std::env::temp_dir().join(name);
        std::fs::create_dir_all(root.join("home")).expect("sandbox");
        Self { root }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub fn config(&self) -> PathBuf {
        self.path("config.toml")
    }

    pub fn state(&self) -> PathBuf {
        self.path("state")
    }

    /// Writes the configuration; `{key}` stands for the file store's key.
    pub fn configure(&self, text: &str) -> &Self {
        let key = self.path("store.key");
        if !key.exists() {
            write_private(&key, &[7; 32]);
        }
        let text = text.replace("{key}", key.to_str().expect("path"));
        std::fs::write(self.config(), text).expect("configuration");
        self
    }

    /// One integration `work` at this provider, kept in encrypted files.
    pub fn with(provider: &Provider) -> Self {
        let sandbox = Self::new();
        sandbox.configure(&provider.integration());
        sandbox
    }

    /// The program with nothing of the surroundings but a path to find a browser on. A login waits for its person, who is
    /// the test.
    pub fn loopin(&self, arguments: &[&str]) -> Command {
        let mut command = self.unattended(arguments);
        if arguments.first() == Some(&"login") && !arguments.contains(&"--timeout") {
            command.args(["--timeout", "5m"]);
        }
        command
    }

    /// The same, and a login ends at once: there is neither a terminal nor a browser.
    pub fn unattended(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loopin"));
        command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
            .env("HOME", self.path("home"))
            .env("LOOPIN_CONFIG", self.config())
            .env("LOOPIN_STATE_DIR", self.state());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs to the end.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        Finished::new(self.loopin(arguments).output().expect("loopin runs"))
    }

    /// Starts a login and waits until it has printed its URL. Nothing opens a browser.
    pub fn login(&self, arguments: &[&str]) -> Login {
        Login::start(self.loopin(&[&["login", "work"], arguments].concat()))
    }

    /// Logs in, with the hand-made browser as the person.
    pub fn signed_in(provider: &Provider) -> Self {
        let sandbox = Self::with(provider);
        let login = sandbox.login(&[]);
        login.person().allow();
        login.finished().assert_code(0);
        sandbox
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

pub fn write_private(path: &Path, content: &[u8]) {
    std::fs::write(path, content).expect("file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("mode");
    }
}

/// A login that waits for its answer.
pub struct Login {
    pub child: Child,
    pub url: String,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Login {
    #[track_caller]
    pub fn start(command: Command) -> Self {
        Self::try_start(command).unwrap_or_else(|finished| panic!("no URL: {finished:#?}"))
    }

    /// With a code that a server takes for good; ended before if it was refused before there was a URL.
    pub fn whole(command: Command) -> Finished {
        match Self::try_start(command) {
            Ok(login) => {
                login.answer("a-code");
                login.finished()
            }
            Err(finished) => finished,
        }
    }

    /// As `start`, or how it ended before there was a URL.
    pub fn try_start(mut command: Command) -> Result<Self, Finished> {
        let mut child = command.spawn().expect("loopin starts");
        let stderr = child.stderr.take().expect("piped");
        let mut login = Self { child, url: String::new(), lines: lines(stderr), said: Vec::new() };
        match login.next_with("  http") {
            Some(line) => login.url = line.trim().to_owned(),
            None => return Err(login.finished()),
        }
        Ok(login)
    }

    /// The next line that contains `text`; the program must still be alive to say it.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> String {
        self.next_with(text).unwrap_or_else(|| panic!("\"{text}\" was never said: {:#?}", self.said))
    }

    /// `None` when nothing more will be said.
    fn next_with(&mut self, text: &str) -> Option<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if line.contains(text) {
                        return Some(line);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => panic!("\"{text}\" is awaited: {:#?}", self.said),
            }
        }
    }

    /// A decoded parameter of the authorization URL.
    pub fn parameter(&self, name: &str) -> String {
        parameter(&self.url, name)
    }

    pub fn redirect_uri(&self) -> String {
        self.parameter("redirect_uri")
    }

    pub fn state(&self) -> String {
        self.parameter("state")
    }

    pub fn port(&self) -> u16 {
        let uri = self.redirect_uri();
        let authority = uri.trim_start_matches("http://").split('/').next().expect("authority").to_owned();
        authority.rsplit(':').next().and_then(|p| p.parse().ok()).unwrap_or(80)
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port()))
    }

    /// The request line's target of a callback with this query.
    pub fn callback(&self, query: &str) -> String {
        format!("/callback?{query}")
    }

    /// Sends a GET for `target` with the right Host and gives the whole reply.
    pub fn get(&self, target: &str) -> Reply {
        http(self.address(), &format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", self.port()))
    }

    pub fn person(&self) -> Person {
        Person { url: self.url.clone() }
    }

    /// Waits for the end.
    pub fn finished(mut self) -> Finished {
        let mut stdout = String::new();
        self.child.stdout.take().expect("piped").read_to_string(&mut stdout).expect("standard output");
        let code = self.child.wait().expect("loopin ends").code();
        self.said.extend(self.lines.iter());
        Finished { code, stdout, stderr: self.said.join("\n") }
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Login {
    /// Brings a code with the right state, as a browser would, and follows to the last page.
    pub fn answer(&self, code: &str) -> Reply {
        self.answer_with(&[("code", code)])
    }

    /// Brings any answer with the right state.
    pub fn answer_with(&self, parameters: &[(&str, &str)]) -> Reply {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters).append_pair("state", &self.state());
        follow(&format!("{}?{}", self.redirect_uri(), query.finish()))
    }
}

impl Sandbox {
    /// A sandbox whose only integration is at this server.
    pub fn at(server: &RawServer) -> Self {
        let sandbox = Self::new();
        sandbox.configure(&server.integration());
        sandbox
    }

    /// A whole login there, with a code that a server took for good.
    pub fn log_in(&self, arguments: &[&str]) -> Finished {
        Login::whole(self.loopin(&[&["login", "work"], arguments].concat()))
    }

    /// Names in the state directory, locks aside.
    pub fn stored(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.state()).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.retain(|name| !name.ends_with(".lock"));
        names.sort();
        names
    }

    /// The one file of the store that ends so.
    #[track_caller]
    pub fn stored_file(&self, suffix: &str) -> PathBuf {
        let names: Vec<_> = self.stored().into_iter().filter(|name| name.ends_with(suffix)).collect();
        assert_eq!(1, names.len(), "{names:?}");
        self.state().join(&names[0])
    }

    /// Every file below, with its content.
    ///
    /// A database is read by another process: when a process closes a file, its locks on it end (fcntl(2)), those of the
    /// test's own connection among them.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        fn content(path: &Path) -> Vec<u8> {
            match path.to_string_lossy().contains("loopin.db") {
                true => Command::new("cat").arg(path).output().expect("cat").stdout,
                false => std::fs::read(path).unwrap_or_default(),
            }
        }
        fn walk(directory: &Path, all: &mut Vec<(PathBuf, Vec<u8>)>) {
            for path in std::fs::read_dir(directory).into_iter().flatten().flatten().map(|e| e.path()) {
                match path.is_dir() {
                    true => walk(&path, all),
                    false => all.push((path.clone(), content(&path))),
                }
            }
        }
        let mut all = Vec::new();
        walk(&self.root, &mut all);
        all
    }

    /// The program behind a line of shell, which gets it as `"$@"`.
    #[cfg(unix)]
    pub fn shell(&self, line: &str, arguments: &[&str]) -> Command {
        let program = self.loopin(arguments);
        let mut command = Command::new("sh");
        command.args(["-c", line, "sh"]).arg(program.get_program()).args(program.get_args()).env_clear();
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

impl Finished {
    /// The one JSON object on standard output.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self:#?}"))
    }

    /// Both streams.
    pub fn said(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }
}

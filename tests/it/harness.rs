//! The real executable in surroundings of its own, a practice provider with faults, and a hand-made browser.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime},
};

use loopin::{
    head::Head,
    practice::{self, Counters, Fault, Practice},
    system::listener::{Answer, Listener, Request, Service, Turn, Waker},
};

mod stage;

pub use stage::{Gate, Pipe, Stub, Waiting, crowd, fixed_port, json_reply, kill, status_line, target, tell};

/// Longest wait for an event that must come. Only a broken program reaches it.
pub const PATIENCE: Duration = Duration::from_secs(60);

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

    /// The program with nothing of the surroundings but a path to find a browser on.
    pub fn loopin(&self, arguments: &[&str]) -> Command {
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

/// What a run left behind.
#[derive(Debug)]
pub struct Finished {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    pub fn new(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    #[track_caller]
    pub fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(Some(code), self.code, "{self:#?}");
        self
    }

    /// The one JSON object on standard output.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self:#?}"))
    }

    #[track_caller]
    pub fn assert_says(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text) || self.stdout.contains(text), "\"{text}\" is not in {self:#?}");
        self
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

    /// As `start`, or how it ended before there was a URL.
    pub fn try_start(mut command: Command) -> Result<Self, Finished> {
        let mut child = command.spawn().expect("loopin starts");
        let stderr = child.stderr.take().expect("piped");
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let mut login = Self { child, url: String::new(), lines, said: Vec::new() };
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

/// A parameter of a URL, decoded.
pub fn parameter(url: &str, name: &str) -> String {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let found = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// A reply, head and body as they came.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Reply {
    pub fn field(&self, name: &str) -> Option<&str> {
        let line = self.head.lines().find(|l| l.split(':').next().is_some_and(|n| n.eq_ignore_ascii_case(name)))?;
        Some(line.split_once(':')?.1.trim())
    }
}

/// One request as bytes, one reply; status 0 when the connection closed without one.
pub fn http(address: SocketAddr, request: &str) -> Reply {
    let mut stream = TcpStream::connect(address).expect("connect");
    let _ = stream.write_all(request.as_bytes());
    read_reply(stream)
}

pub fn read_reply(mut stream: TcpStream) -> Reply {
    stream.set_read_timeout(Some(PATIENCE)).expect("time-out");
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    Reply { status, head: head.to_owned(), body: body.to_owned() }
}

/// Plays the person at the practice provider.
pub struct Person {
    url: String,
}

impl Person {
    /// Allows, follows the redirects to the end and gives the last reply.
    pub fn allow(&self) -> Reply {
        follow(&self.decide("allow"))
    }

    pub fn deny(&self) -> Reply {
        follow(&self.decide("deny"))
    }

    /// The callback URL that the provider sends the browser to, without going there.
    pub fn decide(&self, decision: &str) -> String {
        let page = fetch(&self.url);
        assert_eq!(200, page.status, "{page:?}");
        let id = page
            .body
            .split("name=\"consent\" value=\"")
            .nth(1)
            .and_then(|t| t.split('"').next())
            .expect("form")
            .to_owned();
        let (address, host, _) = split(&self.url);
        let form = format!("consent={id}&decision={decision}");
        let request = format!(
            "POST /consent HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        http(address, &request).field("location").expect("redirect").to_owned()
    }
}

/// GETs a URL and follows redirects to the end.
pub fn follow(url: &str) -> Reply {
    let reply = fetch(url);
    match reply.field("location") {
        Some(to) if to.starts_with('/') => {
            let (_, host, _) = split(url);
            follow(&format!("http://{host}{to}"))
        }
        Some(to) => follow(to),
        None => reply,
    }
}

pub fn fetch(url: &str) -> Reply {
    let (address, host, target) = split(url);
    http(address, &format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"))
}

fn split(url: &str) -> (SocketAddr, String, String) {
    let rest = url.strip_prefix("http://").expect("http");
    let (host, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    (host.replace("localhost", "127.0.0.1").parse().expect("address"), host.to_owned(), target.to_owned())
}

/// The practice provider on a thread, with faults; stopped when dropped.
pub struct Provider {
    pub origin: String,
    desk: Arc<Mutex<Practice>>,
    stop: Arc<Mutex<Running>>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Running {
    Yes,
    No,
}

struct Desk {
    practice: Arc<Mutex<Practice>>,
    stop: Arc<Mutex<Running>>,
    served: u64,
}

impl Provider {
    pub fn new() -> Self {
        Self::with(Vec::new())
    }

    pub fn with(faults: Vec<Fault>) -> Self {
        Self::living(Duration::from_secs(3600), faults)
    }

    /// `life` is that of an access token.
    pub fn living(life: Duration, faults: Vec<Fault>) -> Self {
        let listener = Listener::bind(&[SocketAddr::from((Ipv4Addr::LOCALHOST, 0))]).expect("port");
        let origin = format!("http://127.0.0.1:{}", listener.port());
        let desk = Arc::new(Mutex::new(Practice::new(origin.clone(), life, faults)));
        let stop = Arc::new(Mutex::new(Running::Yes));
        let waker = listener.waker();
        let service = Desk { practice: Arc::clone(&desk), stop: Arc::clone(&stop), served: 0 };
        let thread = thread::spawn(move || drop(listener.run(service)));
        Self { origin, desk, stop, waker, thread: Some(thread) }
    }

    pub fn counters(&self) -> Counters {
        self.desk.lock().expect("provider").counters
    }

    /// A configuration with one integration, endpoints discovered.
    pub fn integration(&self) -> String {
        format!(
            "[integration.work]\nissuer = \"{}\"\nclient_id = \"{}\"\nscopes = [\"read\"]\nstore = \"file\"\nstore_key = {{ file = \"{{key}}\" }}\n",
            self.origin,
            practice::CLIENT_ID
        )
    }

    /// The same with explicit endpoints.
    pub fn explicit(&self) -> String {
        let origin = &self.origin;
        let endpoints = format!(
            "authorization_endpoint = \"{origin}/authorize\"\ntoken_endpoint = \"{origin}/token\"\nrevocation_endpoint = \"{origin}/revoke\"\n"
        );
        self.integration().replace(&format!("issuer = \"{origin}\"\n"), &endpoints)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        *self.stop.lock().expect("provider") = Running::No;
        self.waker.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Service for Desk {
    fn body_limit(&self, head: &Head) -> usize {
        Practice::body_limit(head)
    }

    fn respond(&mut self, &Request { head, body, .. }: &Request<'_>) -> Answer {
        self.served += 1;
        // Unlike any other of this process, and recognisable in a leak.
        let mut chance = [0xca; 32];
        chance[24..].copy_from_slice(&self.served.to_be_bytes());
        chance[16..24].copy_from_slice(&u64::from(std::process::id()).to_be_bytes());
        Answer::Now(self.practice.lock().expect("provider").respond(head, body, chance, SystemTime::now()))
    }

    fn turn(&mut self, _: Instant) -> Turn {
        match *self.stop.lock().expect("provider") {
            Running::Yes => Turn::Continue,
            Running::No => Turn::Stop,
        }
    }
}

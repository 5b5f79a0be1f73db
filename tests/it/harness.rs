//! The real executable in surroundings of its own, a practice provider with faults, and a hand-made browser.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
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
    pub fn start(mut command: Command) -> Self {
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
        login.url = login.wait_for("  http").trim().to_owned();
        login
    }

    /// The next line that contains `text`; the program must still be alive to say it.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("\"{text}\" was never said: {:#?}", self.said)
                }
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

/// A server of a few lines, for what no honest provider does: endless, slow, silent, redirecting.
pub struct RawServer {
    pub origin: String,
    requests: Arc<Mutex<Vec<String>>>,
    stop: Arc<Mutex<Running>>,
    thread: Option<JoinHandle<()>>,
}

impl RawServer {
    /// `answer` gets each request, head and body, on a thread of its own.
    pub fn new(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("port");
        let origin = format!("http://{}", listener.local_addr().expect("address"));
        let (requests, stop) = (Arc::default(), Arc::new(Mutex::new(Running::Yes)));
        let (seen, stopped, answer) = (Arc::clone(&requests), Arc::clone(&stop), Arc::new(answer));
        let thread = thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                if *stopped.lock().expect("server") == Running::No {
                    break;
                }
                let (seen, answer): (Arc<Mutex<Vec<String>>>, _) = (Arc::clone(&seen), Arc::clone(&answer));
                thread::spawn(move || {
                    let request = read_request(&mut stream);
                    seen.lock().expect("server").push(request.clone());
                    answer(&request, &mut stream);
                });
            }
        });
        Self { origin, requests, stop, thread: Some(thread) }
    }

    /// Gives this JSON to everybody.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self::new(move |_, stream| send(stream, status, "Content-Type: application/json\r\n", &body))
    }

    /// All requests until now, as they came.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("server").clone()
    }

    /// One integration `work` with explicit endpoints here, and encrypted files.
    pub fn integration(&self) -> String {
        let origin = &self.origin;
        format!(
            "[integration.work]\nauthorization_endpoint = \"{origin}/authorize\"\ntoken_endpoint = \"{origin}/token\"\n\
             revocation_endpoint = \"{origin}/revoke\"\nclient_id = \"me\"\nstore = \"file\"\nstore_key = {{ file = \"{{key}}\" }}\n"
        )
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        *self.stop.lock().expect("server") = Running::No;
        let _ = TcpStream::connect(self.origin.trim_start_matches("http://"));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Head and body; what came until the end if it is cut.
fn read_request(stream: &mut TcpStream) -> String {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        bytes.push(byte[0]);
        // Not HTTP: somebody begins with TLS.
        if !bytes[0].is_ascii_graphic() {
            break;
        }
    }
    let head = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
    let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    let _ = stream.read_exact(&mut body);
    bytes.extend(body);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A whole reply. `fields` are lines that end in CR LF.
pub fn send(stream: &mut TcpStream, status: u16, fields: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {status} -\r\n{fields}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    // The client may have seen enough.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

/// What a token endpoint says when all is well.
pub const TOKENS: &str = r#"{"access_token":"an-access-token","token_type":"Bearer","expires_in":3600}"#;

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
        let login = self.login(arguments);
        login.answer("a-code");
        login.finished()
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
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        fn walk(directory: &Path, all: &mut Vec<(PathBuf, Vec<u8>)>) {
            for path in std::fs::read_dir(directory).into_iter().flatten().flatten().map(|e| e.path()) {
                match path.is_dir() {
                    true => walk(&path, all),
                    false => all.push((path.clone(), std::fs::read(&path).unwrap_or_default())),
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
    /// Both streams.
    pub fn said(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }
}

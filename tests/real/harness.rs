//! The real parts, each with a life no longer than its value, and the real executable among them.
//!
//! A part that is not installed is `None`, and the test is skipped with a word on standard error; with CI=true it
//! fails instead.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Output, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver},
    },
    thread,
    time::Duration,
};

use serde_json::Value;

#[path = "../shared/program.rs"]
mod program;

pub use program::{Finished, lines};

/// Longest wait for an event that must come. Only a broken program reaches it.
const PATIENCE: Duration = Duration::from_secs(100);

/// Where the kit of parts is.
fn kit(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/parts").join(part)
}

/// Whether all of these can be run or read. Skips the test where not, but nothing is skipped in CI.
pub fn installed(programs: &[&str], modules: &[&str]) -> Option<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = |program: &str| std::env::split_paths(&path).any(|directory| directory.join(program).is_file());
    let program = programs.iter().find(|program| !found(program)).map(|program| format!("no {program}"));
    let module = || modules.iter().find(|module| !kit("node_modules").join(module).is_dir());
    let why = program.or_else(|| module().map(|module| format!("no {module}: npm ci in tests/real/parts")));
    match why {
        None => Some(()),
        Some(why) => skip(&why),
    }
}

fn skip(why: &str) -> Option<()> {
    let name = thread::current().name().unwrap_or_default().to_owned();
    assert_ne!(Some(OsStr::new("true")), std::env::var_os("CI").as_deref(), "CI skips nothing: {name} ({why})");
    // Not by a macro of the test harness, which keeps what a passing test says to itself.
    let _ = std::io::stderr().write_all(format!("skipped: {name} ({why})\n").as_bytes());
    None
}

/// Whether there is a second loopback address.
pub fn ipv6() -> Option<()> {
    match std::net::TcpListener::bind("[::1]:0") {
        Ok(_) => Some(()),
        Err(_) => skip("no IPv6"),
    }
}

// ---- Surroundings ----

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

// ---- The provider ----

/// oidc-provider, ended when dropped.
pub struct Provider {
    pub issuer: String,
    facts: Value,
    child: Child,
    _stdin: ChildStdin,
}

impl Provider {
    pub fn start() -> Option<Self> {
        Self::run("provider.mjs", "oidc-provider", &[])
    }

    /// With one more redirect.
    pub fn for_redirect(redirect: &str) -> Option<Self> {
        Self::run("provider.mjs", "oidc-provider", &[("REDIRECT_URI", redirect)])
    }

    /// Of another make: @node-oauth/oauth2-server.
    pub fn second(redirect: &str) -> Option<Self> {
        Self::run("second-provider.mjs", "@node-oauth/oauth2-server", &[("REDIRECT_URI", redirect)])
    }

    fn run(script: &str, module: &str, variables: &[(&str, &str)]) -> Option<Self> {
        installed(&["node"], &[module])?;
        let mut command = Command::new("node");
        command.arg(kit(script)).envs(variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("node starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let facts: Value = serde_json::from_str(&line).expect("the provider is ready");
        let stdin = child.stdin.take().expect("piped");
        Some(Self { issuer: facts["issuer"].as_str().expect("issuer").to_owned(), facts, child, _stdin: stdin })
    }

    pub fn fact(&self, name: &str) -> &str {
        self.facts[name].as_str().unwrap_or_else(|| panic!("{name} in {}", self.facts))
    }

    pub fn secret(&self, client: &str) -> &str {
        self.facts["secrets"][client].as_str().expect("a secret")
    }

    /// Lines of a configuration: the integration `work`, its endpoints discovered.
    pub fn discovered(&self) -> String {
        self.discovered_with("read")
    }

    pub fn discovered_with(&self, scope: &str) -> String {
        format!("[integration.work]\nissuer = \"{}\"\n{CLIENT}scopes = [\"{scope}\"]\n", self.issuer)
    }

    /// The same with explicit endpoints.
    pub fn explicit(&self) -> String {
        let endpoint = |name: &str| format!("{name} = \"{}\"\n", self.fact(name));
        let endpoints = ["authorization_endpoint", "token_endpoint", "revocation_endpoint"].map(endpoint).concat();
        format!("[integration.work]\n{endpoints}{CLIENT}scopes = [\"read\"]\n")
    }

    /// How often something was asked of it or done by it, such as "POST /token".
    pub fn count(&self, what: &str) -> u64 {
        self.counters()[what].as_u64().unwrap_or_default()
    }

    /// How often its metadata was asked for, wherever.
    pub fn discoveries(&self) -> u64 {
        let counters = self.counters();
        let asked = counters.as_object().expect("counters").iter().filter(|(what, _)| what.contains("/.well-known/"));
        asked.filter_map(|(_, count)| count.as_u64()).sum()
    }

    pub fn counters(&self) -> Value {
        let mut reply = ureq::get(format!("{}/__counters", self.issuer)).call().expect("counters");
        serde_json::from_str(&reply.body_mut().read_to_string().expect("text")).expect("JSON")
    }

    /// Whether the provider takes this token, whosever it is (RFC 7662).
    pub fn takes(&self, token: &str) -> bool {
        let client = "loopin-web-post";
        let form = [("token", token), ("client_id", client), ("client_secret", self.secret(client))];
        let mut reply = ureq::post(self.fact("introspection_endpoint")).send_form(form).expect("introspection");
        let reply: Value = serde_json::from_str(&reply.body_mut().read_to_string().expect("text")).expect("JSON");
        reply["active"] == true
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const CLIENT: &str = "client_id = \"loopin-native\"\n";
/// Kept in encrypted files: lines for the integration.
pub const IN_FILES: &str = "store = \"file\"\nstore_key = { file = \"{key}\" }\n";

// ---- Servers that want a token ----

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

// ---- The browser ----

/// What stands in $BROWSER.
#[derive(Debug)]
pub struct Browser {
    command: String,
    variables: Vec<(String, String)>,
    /// Two of them at once are too much for a small machine.
    _alone: Option<MutexGuard<'static, ()>>,
}

impl Browser {
    fn command(script: &str, arguments: &str) -> String {
        format!("node '{}'{arguments}", kit(script).display())
    }

    /// A person without a browser, who allows. Whoever has a [`Provider`] has this too.
    pub fn person() -> Self {
        Self { command: Self::command("person.mjs", ""), variables: Vec::new(), _alone: None }
    }

    pub fn denying_person() -> Self {
        Self { command: Self::command("person.mjs", " --deny"), ..Self::person() }
    }

    /// Headless Chromium, whose person acts out a case of `chromium.mjs`.
    pub fn chromium(case: &str) -> Option<Self> {
        let alone = chromium()?;
        let browser = Self { command: Self::command("chromium.mjs", ""), variables: Vec::new(), _alone: Some(alone) };
        Some(browser.with("KIT_CASE", case))
    }

    /// With a variable of the kit's.
    pub fn with(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.to_owned(), value.as_ref().to_str().expect("text").to_owned()));
        self
    }
}

/// The place of the one Chromium that may run.
fn chromium() -> Option<MutexGuard<'static, ()>> {
    static ALONE: Mutex<()> = Mutex::new(());
    installed(&["node", "chromium"], &["playwright-core", "axe-core"])?;
    Some(ALONE.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A case of `customer.mjs`, to its end.
pub fn customer(case: &str, service: &Value, variables: &[(&str, &str)]) -> Option<Value> {
    let _alone = chromium()?;
    let mut command = Command::new("node");
    command.arg(kit("customer.mjs")).arg(case).env("KIT_SERVICE", service.to_string()).envs(variables.iter().copied());
    let finished = Finished::new(command.stdin(Stdio::null()).output().expect("node runs"));
    let report: Value = serde_json::from_str(&finished.stdout).unwrap_or_else(|e| panic!("{e}: {finished:#?}"));
    assert_eq!(Value::Null, report["error"], "{case}: {}", report["error"].as_str().unwrap_or_default());
    Some(report)
}

/// A person without a browser, sent to a provider: where they would go on at an address that starts so.
pub fn consents(url: &str, back_to: &str) -> String {
    let mut command = Command::new("node");
    command.arg(kit("person.mjs")).arg(url).env("KIT_STOP", back_to);
    let finished = Finished::new(command.stdin(Stdio::null()).output().expect("node runs"));
    finished.assert_code(0);
    finished.stdout.lines().next().and_then(|line| line.strip_prefix("stopped ")).expect("an address").to_owned()
}

// ---- The benches ----

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

/// Files of a browser's profile that hold this text, as paths relative to it.
pub fn files_with(profile: &Path, needle: &str) -> Vec<String> {
    let output =
        Command::new("node").arg(kit("profile-grep.mjs")).arg(profile).arg(needle).output().expect("node runs");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

// ---- The keyring ----

/// A session bus of its own, with the keyring on it that `with-keyring` knows as `mode`; ended when dropped.
pub struct Keyring {
    bus: String,
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

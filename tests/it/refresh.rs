//! `loopin token` when the stored token is stale: one request whoever asks, and a grant that survives.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    net::TcpStream,
    path::PathBuf,
    process::Child,
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc::{self, Receiver},
    },
    time::{Duration, SystemTime},
};

use loopin::{
    catalog::IntegrationName,
    oauth::Expiry,
    secret::Secret,
    system::{
        file_store::{FileStore, StoreKey},
        private_files::PrivateFiles,
    },
    vault::{AccountName, ActionKey, Grant, GrantKey, Record, Vault, seal::Nonce},
};

use crate::harness::{
    Finished, Gate, JSON, PATIENCE, Provider, RawServer, Sandbox, eventually, kill, parameter, send, tell,
};

mod answers;
mod clock;
#[cfg(target_os = "linux")]
mod crashes;
mod dialects;
#[cfg(target_os = "linux")]
mod endings;
mod lock;
mod message;
mod network;
mod sharing;
#[cfg(target_os = "linux")]
mod store;

/// What the login of a [`Scene`] brings.
const FIRST: &str =
    r#"{"access_token":"first","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-1","scope":"read"}"#;
const SECOND: &str = r#"{"access_token":"second","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-2"}"#;
/// What every further login there brings.
const LATER: &str = r#"{"access_token":"later","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-later","scope":"read"}"#;
const INVALID_GRANT: &str = r#"{"error":"invalid_grant"}"#;
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

fn hash(token: &str) -> String {
    use sha2::{Digest, Sha256};
    hex(&Sha256::digest(token.trim()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn finish(child: Child) -> Finished {
    Finished::new(child.wait_with_output().expect("loopin ends"))
}

/// Says what was not tested here; where nothing may be left out, that is a failure.
#[track_caller]
fn skipped(what: &str) {
    assert_ne!(Some("true"), std::env::var("CI").ok().as_deref(), "{what}");
    tell(&format!("SKIPPED {what}"));
}

/// An asker that has judged the stored token and waits for the lock.
#[cfg(target_os = "linux")]
struct Waiting {
    child: Child,
    pid: u32,
    trace: std::thread::JoinHandle<usize>,
}

#[cfg(target_os = "linux")]
impl Waiting {
    /// The program's, not the tracer's.
    fn pid(&self) -> u32 {
        self.pid
    }

    fn finish(self) -> Finished {
        let finished = finish(self.child);
        self.trace.join().expect("trace");
        finished
    }
}

/// Signed in at a server of a few lines.
struct Scene {
    server: RawServer,
    sandbox: Sandbox,
}

impl Scene {
    /// The login gets `first`; what a refresh gets is for `refresh` to say.
    fn new(first: &'static str, refresh: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        Self::with_revocation(200, first, refresh)
    }

    /// The same, and a revocation gets this status.
    fn with_revocation(
        status: u16,
        first: &'static str,
        refresh: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static,
    ) -> Self {
        let logins = AtomicU32::new(0);
        let server = RawServer::new(move |request, stream| {
            if request.contains("grant_type=refresh_token") {
                refresh(request, stream);
            } else if request.contains("grant_type=authorization_code") {
                let tokens = if logins.fetch_add(1, Ordering::SeqCst) == 0 { first } else { LATER };
                send(stream, 200, JSON, tokens.as_bytes());
            } else {
                send(stream, status, "", b"");
            }
        });
        let sandbox = Sandbox::at(&server);
        sandbox.log_in(&[]).assert_code(0);
        Self { server, sandbox }
    }

    /// Every refresh gets this.
    fn answering(status: u16, fields: &'static str, body: &'static str) -> Self {
        Self::new(FIRST, move |_, stream| send(stream, status, fields, body.as_bytes()))
    }

    /// Refreshes get these one after the other, and the last one again and again.
    fn answering_in_turn(replies: &'static [(u16, &'static str, &'static str)]) -> Self {
        let next = AtomicU32::new(0);
        Self::new(FIRST, move |_, stream| {
            let number = usize::try_from(next.fetch_add(1, Ordering::SeqCst)).expect("small");
            let (status, fields, body) = replies[number.min(replies.len() - 1)];
            send(stream, status, fields, body.as_bytes());
        })
    }

    fn refreshes(&self) -> Vec<String> {
        let mut requests = self.server.requests();
        requests.retain(|request| request.contains("grant_type=refresh_token"));
        requests
    }

    /// The refresh tokens that were presented, in order.
    fn presented(&self) -> Vec<String> {
        self.refreshes().iter().map(|request| presented(request)).collect()
    }

    /// Whether it is known that a refresh token was sent whose fate is not.
    fn has_journal(&self) -> bool {
        self.sandbox.stored().iter().any(|name| name.ends_with(".journal"))
    }

    fn token(&self) -> Finished {
        self.sandbox.run(&["token", "work"])
    }

    /// As a caller does who was refused with the first token.
    fn renew(&self) -> Finished {
        self.sandbox.run(&["token", "work", "--rejected", &hash("first")])
    }

    /// The same, without waiting for the end.
    fn renewing(&self) -> Child {
        self.sandbox.loopin(&["token", "work", "--rejected", &hash("first")]).spawn().expect("loopin starts")
    }

    /// The same, and it waits for somebody's lock.
    #[cfg(target_os = "linux")]
    fn waiting(&self) -> Waiting {
        self.sandbox.waiting(&["token", "work", "--rejected", &hash("first")])
    }

    /// Nothing was lost: the first token is still there, and so is what renews it.
    #[track_caller]
    fn assert_kept(&self) {
        assert_eq!("first\n", self.sandbox.run(&["token", "work"]).assert_code(0).stdout);
        self.sandbox.run(&["status", "work"]).assert_code(0).assert_says("a refresh token is stored");
    }
}

fn presented(request: &str) -> String {
    parameter(&format!("?{}", request.split("\r\n\r\n").nth(1).expect("body")), "refresh_token")
}

/// Signed in at a provider whose refreshes the test answers by hand.
struct ByHand {
    scene: Scene,
    arrivals: Receiver<Presented>,
}

/// A refresh token that was sent, and the connection for the answer. Dropped, it is never answered.
struct Presented {
    token: String,
    stream: TcpStream,
}

impl ByHand {
    fn new() -> Self {
        Self::with_revocation(200)
    }

    /// A revocation gets this status.
    fn with_revocation(status: u16) -> Self {
        let (arrive, arrivals) = mpsc::channel();
        let scene = Scene::with_revocation(status, FIRST, move |request, stream| {
            let _ = arrive.send(Presented { token: presented(request), stream: stream.try_clone().expect("stream") });
        });
        Self { scene, arrivals }
    }

    /// Whose refresh token is there now.
    #[track_caller]
    fn next(&self) -> Presented {
        self.arrivals.recv_timeout(PATIENCE).expect("no refresh was asked for")
    }
}

impl Presented {
    fn answer(mut self, status: u16, body: &str) {
        send(&mut self.stream, status, JSON, body.as_bytes());
    }
}

/// Signed in, with a gate before the provider's token endpoint.
struct Gated {
    gate: Gate,
    provider: Provider,
    sandbox: Sandbox,
    /// Hash of the token that the login brought.
    first: String,
}

impl Gated {
    fn new() -> Self {
        let provider = Provider::new();
        let gate = Gate::before(&provider);
        let sandbox = Sandbox::new();
        sandbox.configure(&gate.integration(&provider));
        let login = sandbox.login(&[]);
        gate.open();
        login.person().allow();
        login.finished().assert_code(0);
        gate.wait();
        let first = hash(&sandbox.run(&["token", "work"]).assert_code(0).stdout);
        Self { gate, provider, sandbox, first }
    }

    fn renewing(&self) -> Child {
        self.sandbox.loopin(&["token", "work", "--rejected", &self.first]).spawn().expect("loopin starts")
    }

    /// An asker whose worker's request stands at the gate.
    fn at_the_gate(&self) -> Child {
        let child = self.renewing();
        self.gate.wait();
        child
    }
}

impl Sandbox {
    fn lock_file(&self) -> PathBuf {
        let entries = std::fs::read_dir(self.state()).expect("state").flatten().map(|entry| entry.path());
        let locks: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == "lock")).collect();
        assert_eq!(1, locks.len(), "{locks:?}");
        locks[0].clone()
    }

    /// As another process of ours does that refreshes.
    fn hold_the_lock(&self) -> File {
        let lock = File::options().read(true).write(true).open(self.lock_file()).expect("lock");
        lock.try_lock().expect("nobody holds it");
        lock
    }

    /// Alters what is stored, as time would.
    pub fn alter(&self, change: impl FnOnce(&mut Grant)) {
        self.alter_record(|record| change(&mut record.grant));
    }

    fn alter_record(&self, change: impl FnOnce(&mut Record)) {
        let files = PrivateFiles::at(self.state());
        let items = FileStore::new(&files, StoreKey::File(self.path("store.key")));
        let vault = Vault { items: &items, files: &files };
        let name = IntegrationName::parse("work").expect("name");
        let key = GrantKey::personal(name, AccountName::default(), ActionKey::All);
        let mut record = vault.read(&key).expect("store").expect("a grant");
        change(&mut record);
        vault.write(&key, &record, Nonce([9; 24])).expect("store");
    }

    /// The token has come and gone long ago.
    pub fn expire(&self) {
        self.alter(|grant| {
            grant.obtained_at = SystemTime::now() - DAY;
            grant.expiry = Expiry::At(SystemTime::now() - DAY / 2);
        });
    }

    /// The token was got so long ago, and lives for this much longer.
    fn age(&self, obtained: Duration, left: Duration) {
        self.alter(|grant| {
            grant.obtained_at = SystemTime::now() - obtained;
            grant.expiry = Expiry::At(SystemTime::now() + left);
        });
    }

    /// The program and all that it starts, with a fault at system calls that name one file: `-e inject=` of strace.
    #[cfg(target_os = "linux")]
    fn with_fault(&self, file: &str, fault: &str, arguments: &[&str]) -> Finished {
        let line = format!("exec strace -f -qq -o /dev/null -P '{file}' -e 'inject={fault}' \"$@\"");
        Finished::new(self.shell(&line, arguments).output().expect("strace"))
    }

    /// Starts the program and returns when it has found the lock taken.
    #[cfg(target_os = "linux")]
    #[track_caller]
    fn waiting(&self, arguments: &[&str]) -> Waiting {
        let (child, mut trace) = self.traced("flock", arguments);
        let line = trace.find(|line| line.contains("EAGAIN")).expect("it did not have to wait");
        let pid = line.split_whitespace().next().and_then(|pid| pid.parse().ok()).expect("the pid comes first");
        Waiting { child, pid, trace: std::thread::spawn(move || trace.count()) }
    }

    /// Starts the program under strace and gives it with the lines that strace writes.
    fn traced(&self, what: &str, arguments: &[&str]) -> (Child, impl Iterator<Item = String> + use<>) {
        let pipe = self.pipe(&format!("trace-{}", self.files().len()));
        let line = format!("exec strace -f -e trace={what} -o '{}' \"$@\"", pipe.path());
        let child = self.shell(&line, arguments).spawn().expect("strace");
        let lines = BufReader::new(File::open(pipe.path()).expect("pipe")).lines().map_while(Result::ok);
        // Else whoever reads all files here would wait for a writer.
        std::fs::remove_file(pipe.path()).expect("pipe");
        (child, lines)
    }
}

/// The worker that refreshes for this sandbox.
#[cfg(target_os = "linux")]
fn worker(sandbox: &Sandbox) -> u32 {
    let config = sandbox.config();
    let processes = std::fs::read_dir("/proc").expect("proc").flatten();
    let mut found = processes.filter_map(|entry| {
        let command = std::fs::read(entry.path().join("cmdline")).ok()?;
        let words: Vec<_> = command.split(|byte| *byte == 0).collect();
        let ours =
            words.contains(&b"refresh-worker".as_slice()) && words.contains(&config.to_str().expect("path").as_bytes());
        ours.then(|| entry.file_name().to_string_lossy().parse().ok())?
    });
    let pid = found.next().expect("a worker");
    assert_eq!(None, found.next(), "one worker");
    pid
}

#[cfg(target_os = "linux")]
fn kill_worker(sandbox: &Sandbox) {
    kill("KILL", worker(sandbox));
}

//! `loopin token` when the stored token is stale: one request whoever asks, and a grant that survives.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    net::TcpStream,
    path::PathBuf,
    process::Child,
    time::{Duration, SystemTime},
};

use loopin::{
    catalog::IntegrationName,
    oauth::Expiry,
    system::{
        file_store::{FileStore, StoreKey},
        private_files::PrivateFiles,
    },
    vault::{AccountName, ActionKey, Grant, GrantKey, Vault, seal::Nonce},
};

use crate::harness::{Finished, Gate, Provider, RawServer, Sandbox, kill, send};

mod answers;
mod lock;
mod sharing;

const JSON: &str = "Content-Type: application/json\r\n";
/// What the login of a [`Scene`] brings.
const FIRST: &str =
    r#"{"access_token":"first","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-1","scope":"read"}"#;
const SECOND: &str = r#"{"access_token":"second","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-2"}"#;
const DAY: Duration = Duration::from_secs(86_400);

fn hash(token: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(token.trim()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn finish(child: Child) -> Finished {
    Finished::new(child.wait_with_output().expect("loopin ends"))
}

/// Signed in at a server of a few lines.
struct Scene {
    server: RawServer,
    sandbox: Sandbox,
}

impl Scene {
    /// The login gets `first`; what a refresh gets is for `refresh` to say.
    fn new(first: &'static str, refresh: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let server = RawServer::new(move |request, stream| match request.contains("grant_type=refresh_token") {
            true => refresh(request, stream),
            false => send(stream, 200, JSON, first.as_bytes()),
        });
        let sandbox = Sandbox::at(&server);
        sandbox.log_in(&[]).assert_code(0);
        Self { server, sandbox }
    }

    /// Every refresh gets this.
    fn answering(status: u16, fields: &'static str, body: &'static str) -> Self {
        Self::new(FIRST, move |_, stream| send(stream, status, fields, body.as_bytes()))
    }

    fn refreshes(&self) -> Vec<String> {
        let mut requests = self.server.requests();
        requests.retain(|request| request.contains("grant_type=refresh_token"));
        requests
    }

    /// As a caller does who was refused with the first token.
    fn renew(&self) -> Finished {
        self.sandbox.run(&["token", "work", "--rejected", &hash("first")])
    }

    /// Nothing was lost: the first token is still there, and so is what renews it.
    #[track_caller]
    fn assert_kept(&self) {
        assert_eq!("first\n", self.sandbox.run(&["token", "work"]).assert_code(0).stdout);
        self.sandbox.run(&["status", "work"]).assert_code(0).assert_says("a refresh token is stored");
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

    /// Alters what is stored, as time would.
    pub fn alter(&self, change: impl FnOnce(&mut Grant)) {
        let files = PrivateFiles::at(self.state());
        let items = FileStore::new(&files, StoreKey::File(self.path("store.key")));
        let vault = Vault { items: &items, files: &files };
        let name = IntegrationName::parse("work").expect("name");
        let key = GrantKey::personal(name, AccountName::default(), ActionKey::All);
        let mut record = vault.read(&key).expect("store").expect("a grant");
        change(&mut record.grant);
        vault.write(&key, &record, Nonce([9; 24])).expect("store");
    }

    /// The token has come and gone long ago.
    pub fn expire(&self) {
        self.alter(|grant| {
            grant.obtained_at = SystemTime::now() - DAY;
            grant.expiry = Expiry::At(SystemTime::now() - DAY / 2);
        });
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

//! `loopin relay`: the real executable behind a real socket. What the routes decide is tested beside them.
//! `LOOPIN_BAR=full` makes crowds of 1,000 and 100 restarts and reloads.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Stdio},
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::Receiver,
    },
    thread,
};

use crate::harness::{
    Finished, PATIENCE, Reply, Sandbox, crowd, eventually, http, kill, lines, read_reply, tell, wait_for,
};

mod check;
mod conduct;
mod kept;
mod login;
mod service;
mod tls;

/// One route to Junction, on free ports.
const CONFIG: &str = r#"
listen = "127.0.0.1:0"
admin = "127.0.0.1:0"

[[route]]
environment = "production"
host = "yourdomain.com"
path = "/oauth_callback/{provider}"
target = "https://api.us.junction.com/v2/link/connect/{provider}"
providers = ["acme_fit"]
"#;

const TARGET: &str = "https://api.us.junction.com/v2/link/connect/acme_fit";

/// A relay that runs.
pub struct Running {
    child: Child,
    pub address: SocketAddr,
    admin: SocketAddr,
    said: Receiver<String>,
    /// Lines of the access log.
    log: Receiver<String>,
    sandbox: Sandbox,
}

impl Running {
    fn new() -> Self {
        Self::with(CONFIG)
    }

    pub fn with(config: &str) -> Self {
        Self::within(Sandbox::new(), config)
    }

    fn within(sandbox: Sandbox, config: &str) -> Self {
        std::fs::write(sandbox.path("relay.toml"), config).expect("configuration");
        let mut command = sandbox.loopin(&["relay", "--config"]);
        let mut child = command.arg(sandbox.path("relay.toml")).stdout(Stdio::piped()).spawn().expect("loopin starts");
        let said = lines(child.stderr.take().expect("piped"));
        let log = lines(child.stdout.take().expect("piped"));
        let admin = address_in(&wait_for(&said, "state at http://"));
        let address = address_in(&wait_for(&said, "relaying at http"));
        Self { child, address, admin, said, log, sandbox }
    }

    fn get(&self, target: &str) -> Reply {
        http(self.address, &request(target))
    }

    fn send(&self, bytes: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(self.address).expect("connect");
        // It may be cut off in the middle; the reply tells.
        let _ = stream.write_all(bytes);
        read_reply(stream)
    }

    fn admin(&self, path: &str) -> Reply {
        http(self.admin, &format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"))
    }

    fn configure(&self, config: &str) {
        // Renamed into place, as an editor does: the relay reads the old text or the new one.
        std::fs::write(self.sandbox.path("relay.new"), config).expect("configuration");
        std::fs::rename(self.sandbox.path("relay.new"), self.sandbox.path("relay.toml")).expect("rename");
    }

    fn signal(&self, name: &str) {
        kill(name, self.child.id());
    }

    /// In KiB.
    #[cfg(target_os = "linux")]
    fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("status");
        let peak = status.lines().find(|line| line.starts_with("VmHWM")).expect("field");
        peak.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("number")
    }

    fn next_line(&self) -> serde_json::Value {
        serde_json::from_str(&self.log.recv_timeout(PATIENCE).expect("a line of the access log")).expect("JSON")
    }

    /// Waits for the end; everything that was not read yet.
    fn finished(mut self) -> Finished {
        let code = self.child.wait().expect("loopin ends").code();
        let all = |lines: &Receiver<String>| lines.iter().collect::<Vec<_>>().join("\n");
        Finished { code, stdout: all(&self.log), stderr: all(&self.said) }
    }

    fn terminated(self) -> Finished {
        self.signal("TERM");
        self.finished()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Restarts a relay again and again while four clients ask for as long as anybody listens: whatever it took, it answered,
/// as its log counts. A client counts what it asks, of which there is `warm` before the end is asked for, and gives how
/// many answers it received.
fn assert_restarts_lose_nothing(warm: usize, what: &str, client: impl Fn(SocketAddr, &AtomicUsize) -> usize + Sync) {
    let (mut answered, mut logged) = (0, 0);
    for _ in 0..rounds() {
        let relay = Running::new();
        let (address, asked) = (relay.address, AtomicUsize::new(0));
        let received: usize = thread::scope(|scope| {
            let clients: Vec<_> = (0..4).map(|_| scope.spawn(|| client(address, &asked))).collect();
            eventually("the clients have asked enough", || asked.load(Ordering::Relaxed) >= warm);
            relay.signal("TERM");
            clients.into_iter().map(|client| client.join().unwrap()).sum()
        });
        let finished = relay.finished();
        finished.assert_code(0);
        answered += received;
        logged += finished.stdout.lines().filter(|line| line.contains("\"status\":307")).count();
    }
    assert_eq!(logged, answered, "every request that was taken got its answer");
    tell(&format!("{} restarts, {answered} {what}, all answered", rounds()));
}

fn request(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: yourdomain.com\r\n\r\n")
}

fn address_in(line: &str) -> SocketAddr {
    let rest = line.split("://").nth(1).expect("URL");
    rest.split(' ').next().expect("authority").parse().expect("address")
}

fn rounds() -> usize {
    if std::env::var("LOOPIN_BAR").as_deref() == Ok("full") { 100 } else { 4 }
}

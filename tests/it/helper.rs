//! `loopin helper`: what git, kubectl and docker are told, through the real program. Against the clients themselves:
//! `tests/real/clients.rs`.

use std::{
    io::Write,
    os::unix::fs::symlink,
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

use serde_json::json;

use crate::harness::{Finished, JSON, RawServer, Sandbox, send};

mod docker;
mod git;
mod kubectl;

/// Signed in to `work`, whose tokens are for git.example.com and registry.example.com; every reply brings another token:
/// `token-0`, `token-1`.
struct Scene {
    server: RawServer,
    sandbox: Sandbox,
}

impl Scene {
    fn new() -> Self {
        let issued = AtomicU64::new(0);
        let server = RawServer::new(move |_, stream| {
            let number = issued.fetch_add(1, Ordering::SeqCst);
            let tokens = json!({ "access_token": format!("token-{number}"), "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r" });
            send(stream, 200, JSON, tokens.to_string().as_bytes());
        });
        let sandbox = Sandbox::new();
        sandbox.configure(&work(&server));
        sandbox.log_in(&[]).assert_code(0);
        Self { server, sandbox }
    }

    /// Another integration for the same hosts.
    fn with_another(self) -> Self {
        let both = work(&self.server) + &work(&self.server).replace("[integration.work]", "[integration.home]");
        self.sandbox.configure(&both);
        self
    }

    fn refreshes(&self) -> usize {
        self.server.requests().iter().filter(|request| request.contains("grant_type=refresh_token")).count()
    }
}

fn work(server: &RawServer) -> String {
    server.integration() + "hosts = [\"git.example.com\", \"registry.example.com\", \"http://127.0.0.1:3000\"]\n"
}

/// Runs to the end with this on standard input.
fn fed(mut command: Command, input: &[u8]) -> Finished {
    let mut child = command.stdin(Stdio::piped()).spawn().expect("loopin starts");
    // A program that has seen enough does not read on.
    let _ = child.stdin.take().expect("piped").write_all(input);
    Finished::new(child.wait_with_output().expect("loopin ends"))
}

impl Sandbox {
    fn helper(&self, words: &[&str], input: impl AsRef<[u8]>) -> Finished {
        fed(self.loopin(&[&["helper"], words].concat()), input.as_ref())
    }

    /// The program under another name.
    fn called(&self, name: &str, words: &[&str], input: &str) -> Finished {
        let link = self.path(name);
        let _ = symlink(env!("CARGO_BIN_EXE_loopin"), &link);
        let usual = self.loopin(&[]);
        let mut command = Command::new(link);
        command.args(words).env_clear().envs(usual.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        fed(command, input.as_bytes())
    }
}

/// How many: 10,000 by hand with LOOPIN_BAR=full.
fn many() -> u64 {
    match std::env::var("LOOPIN_BAR").as_deref() {
        Ok("full") => 10_000,
        _ => 150,
    }
}

/// Repeatable noise: xorshift64*.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[usize::try_from(self.next() >> 33).expect("small") % from.len()]
    }

    /// Pieces of the protocols, in any order, with a few bytes that are none.
    fn input(&mut self) -> Vec<u8> {
        const PIECES: [&[u8]; 20] = [
            b"protocol=https\n",
            b"host=git.example.com\n",
            b"host=",
            b"\n",
            b"\n\n",
            b"=",
            b"capability[]=authtype\n",
            b"wwwauth[]=Basic x\n",
            b"username=me\n",
            b"password=token-0\n",
            b"credential=token-0\n",
            b"\r",
            b"\0",
            b"\xff\xfe",
            b"registry.example.com",
            b"{\"ServerURL\":\"registry.example.com\",\"Username\":\"me\"}",
            b"https://",
            b"/v1/",
            b"{",
            b"\"",
        ];
        (0..self.next() % 12).flat_map(|_| self.pick(&PIECES).to_vec()).collect()
    }
}

#[test]
fn p01_fuzzed_input_ends_in_an_answer_of_the_protocol_or_in_nothing() {
    let scene = Scene::new();
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    let operations: [&[&str]; 8] = [
        &["git", "get"],
        &["git", "store"],
        &["git", "frob"],
        &["git", "capability"],
        &["docker", "get"],
        &["docker", "store"],
        &["docker", "erase"],
        &["docker", "frob"],
    ];
    for _ in 0..many() {
        let (operation, input) = (noise.pick(&operations), noise.input());
        let run = scene.sandbox.helper(operation, &input);
        let shown = || format!("{operation:?} {:?} {run:#?}", String::from_utf8_lossy(&input));
        assert!(run.code.is_some_and(|code| code < 10) && !run.stderr.contains("internal fault"), "{}", shown());
        if operation[0] == "git" {
            assert!(run.code == Some(0) || run.stdout.is_empty(), "{}", shown());
            let ours = |line: &str| line.contains('=') || CAPABILITY.contains(&line);
            assert!(run.stdout.lines().all(ours), "{}", shown());
        } else {
            let json = serde_json::from_str::<serde_json::Value>(&run.stdout).is_ok();
            assert!(run.code == Some(1) || json || run.stdout.is_empty(), "{}", shown());
        }
    }
    scene.sandbox.run(&["status", "work"]).assert_code(0);
}

const CAPABILITY: [&str; 2] = ["version 0", "capability authtype"];

#[test]
fn p10_a_helper_asks_nobody_for_the_passphrase_of_a_file_store() {
    let scene = Scene::new();
    let key = "store_key = { file = \"{key}\" }\n";
    scene.sandbox.configure(&work(&scene.server).replace(key, ""));
    let ask = "protocol=https\nhost=git.example.com\n\n";
    let run = scene.sandbox.helper(&["git", "get"], ask);
    assert!(run.code.is_some_and(|code| code != 0) && run.stdout.is_empty(), "{run:#?}");
    assert!(!run.stderr.contains("Passphrase"), "{run:#?}");
}

#[test]
fn o09_an_answer_that_nobody_reads_is_no_success() {
    let scene = Scene::new();
    for (words, input) in [
        (&["git", "get"][..], "protocol=https\nhost=git.example.com\n\n"),
        (&["git", "capability"], ""),
        (&["docker", "get"], "registry.example.com"),
    ] {
        let (reader, writer) = std::io::pipe().expect("pipe");
        drop(reader);
        let mut command = scene.sandbox.loopin(&[&["helper"], words].concat());
        command.stdout(writer);
        fed(command, input.as_bytes()).assert_code(1);
    }
}

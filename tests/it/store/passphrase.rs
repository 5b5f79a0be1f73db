//! A file store behind a passphrase, typed on a terminal. H01, T02.

use std::{
    io::{Read, Write},
    process::{Child, ChildStdin, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
};

use loopin::system::uninterrupted::uninterrupted;

use super::counting;
use crate::harness::{Finished, PATIENCE, RawServer, Sandbox, follow, parameter};

/// Data segment limit in bytes: enough for the program, too little for the 19 MiB of Argon2.
const TIGHT: &str = "prlimit --data=16777216 ";

/// A program on a pseudo terminal: both of its streams are one, and a test types.
struct Terminal {
    child: Child,
    input: ChildStdin,
    pieces: Receiver<Vec<u8>>,
    shown: String,
}

impl Terminal {
    /// `$1` in the line is the program.
    fn run(sandbox: &Sandbox, line: &str) -> Self {
        let mut command = sandbox.shell(&format!("exec script -qec \"{line}\" /dev/null"), &[]);
        let mut child = command.stdin(Stdio::piped()).spawn().expect("script");
        let (input, mut output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let (send, pieces) = mpsc::channel();
        thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = uninterrupted(|| output.read(&mut piece)) {
                if send.send(piece[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, input, pieces, shown: String::new() }
    }

    #[track_caller]
    fn wait_for(&mut self, text: &str) -> &mut Self {
        while !self.shown.contains(text) {
            let Ok(piece) = self.pieces.recv_timeout(PATIENCE) else {
                panic!("\"{text}\" was never shown: {}", self.shown)
            };
            self.shown += &String::from_utf8_lossy(&piece);
        }
        self
    }

    fn type_line(&mut self, line: &str) -> &mut Self {
        writeln!(self.input, "{line}").expect("typed");
        self
    }

    /// Answers the login that runs here.
    fn signs_in(mut self) -> Finished {
        self.wait_for("state=").wait_for("\r\n\r\n");
        let url = self.shown.split_whitespace().find(|word| word.starts_with("http")).expect("URL").to_owned();
        follow(&format!("{}?code=a-code&state={}", parameter(&url, "redirect_uri"), parameter(&url, "state")));
        self.finished()
    }

    fn finished(mut self) -> Finished {
        loop {
            match self.pieces.recv_timeout(PATIENCE) {
                Ok(piece) => self.shown += &String::from_utf8_lossy(&piece),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end: {}", self.shown),
            }
        }
        let code = self.child.wait().expect("ends").code();
        Finished { code, stdout: std::mem::take(&mut self.shown), stderr: String::new() }
    }

    /// Types a new passphrase, twice.
    fn type_new(&mut self, passphrase: &str) -> &mut Self {
        self.wait_for("New passphrase").type_line(passphrase).wait_for("again: ").type_line(passphrase)
    }

    fn passphrase(sandbox: &Sandbox, line: &str, passphrase: &str) -> Finished {
        let mut terminal = Self::run(sandbox, line);
        terminal.wait_for("file store: ").type_line(passphrase);
        terminal.finished()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Its only integration has no `store_key`, so the passphrase is asked for.
fn sandbox(server: &RawServer) -> Sandbox {
    let sandbox = Sandbox::new();
    let with_key = server.integration();
    let lines = with_key.lines().filter(|line| !line.starts_with("store_key"));
    sandbox.configure(&lines.map(|line| format!("{line}\n")).collect::<String>());
    sandbox
}

#[track_caller]
fn assert_no_key(refused: &Finished) {
    refused.assert_code(8).assert_says("needs 19 MiB of memory").assert_says("could not be derived");
    refused.assert_says("store_key = { file = ");
    assert!(!refused.said().contains("does not open"), "the passphrase was not wrong: {refused:?}");
}

#[test]
fn h01_a_key_that_could_not_be_derived_seals_nothing() {
    let server = counting();
    let sandbox = sandbox(&server);
    let mut login = Terminal::run(&sandbox, &format!("{TIGHT}$1 login work"));
    login.type_new("a passphrase");
    assert_no_key(&login.finished());
    assert_eq!(Vec::<String>::new(), sandbox.stored(), "nothing is written");
    assert_eq!(0, server.requests().len(), "nobody was sent to the provider");
}

#[test]
fn h01_a_key_that_could_not_be_derived_is_no_wrong_passphrase() {
    let server = counting();
    let sandbox = sandbox(&server);
    let mut login = Terminal::run(&sandbox, "$1 login work");
    login.type_new("a passphrase");
    login.signs_in().assert_code(0);

    let before = sandbox.state_files();
    assert_no_key(&Terminal::passphrase(&sandbox, &format!("{TIGHT}$1 token work"), "a passphrase"));
    assert_eq!(before, sandbox.state_files());
    Terminal::passphrase(&sandbox, "$1 token work", "a passphrase").assert_code(0).assert_says("token-1");

    let mut wrong = Terminal::run(&sandbox, "$1 token work");
    for tries in 1..=3 {
        while wrong.shown.matches("file store: ").count() < tries {
            let piece = wrong.pieces.recv_timeout(PATIENCE).expect("asked again");
            wrong.shown += &String::from_utf8_lossy(&piece);
        }
        wrong.type_line("another passphrase");
    }
    wrong.finished().assert_code(8).assert_says("the key does not open the file store");
}

#[test]
fn t02_a_new_passphrase_is_typed_twice_and_a_mistyped_one_seals_nothing() {
    let server = counting();
    let sandbox = sandbox(&server);
    let mut login = Terminal::run(&sandbox, "$1 login work");
    for tries in 1..=3 {
        while login.shown.matches("again: ").count() < tries {
            let asked = login.shown.matches("New passphrase").count();
            if asked == tries && login.shown.ends_with("file store: ") {
                login.type_line("one");
            }
            let piece = login.pieces.recv_timeout(PATIENCE).expect("asked again");
            login.shown += &String::from_utf8_lossy(&piece);
        }
        login.type_line("another");
    }
    login.finished().assert_code(8).assert_says("the two passphrases are not the same");
    assert_eq!(Vec::<String>::new(), sandbox.stored());
}

#[test]
fn t02_a_login_under_a_passphrase_stays_readable_when_its_store_becomes_permanent() {
    let server = counting();
    let sandbox = Sandbox::new();
    let lines = server.integration();
    let lines = lines.lines().filter(|line| !line.starts_with("store"));
    sandbox.configure(&lines.map(|line| format!("{line}\n")).collect::<String>());
    let mut login = Terminal::run(&sandbox, "$1 login work --store file");
    login.type_new("a passphrase");
    login.signs_in().assert_code(0).assert_says("loopin integration set work --store file");
    sandbox.run(&["token", "work"]).assert_code(8).assert_says("→ loopin integration set work --store file");
    Terminal::run(&sandbox, "$1 integration set work --store file").finished().assert_code(0);
    Terminal::passphrase(&sandbox, "$1 token work", "a passphrase").assert_code(0).assert_says("token-1");
}

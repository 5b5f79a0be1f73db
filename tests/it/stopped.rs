//! A program that is stopped and continued, by Ctrl-Z and fg or by a machine that is frozen for a while: whatever waits
//! for bytes of a server goes on waiting.

use std::{
    process::Child,
    sync::{
        Mutex,
        mpsc::{self, Receiver, Sender},
    },
    thread,
};

use crate::harness::{Finished, Gate, PATIENCE, Provider, RawServer, Sandbox, eventually, kill, send};

/// Waits until the first thread of the process is in this state.
fn wait_for(pid: u32, state: &str) {
    let is = |line: &str| line.starts_with("State:") && line.contains(state);
    eventually(&format!("process {pid} is {state}"), || {
        std::fs::read_to_string(format!("/proc/{pid}/status")).expect("status").lines().any(is)
    });
}

/// Again and again, each time while it waits for something.
fn stop_and_continue(child: &Child) {
    for _ in 0..20 {
        wait_for(child.id(), "S (sleeping)");
        kill("STOP", child.id());
        wait_for(child.id(), "T (stopped)");
        kill("CONT", child.id());
    }
}

#[test]
fn a_login_that_is_stopped_while_the_code_is_exchanged_ends_well() {
    let provider = Provider::new();
    let gate = Gate::before(&provider);
    let sandbox = Sandbox::new();
    sandbox.configure(&gate.integration(&provider));
    let login = sandbox.login(&[]);
    let person = login.person();
    let browser = thread::spawn(move || person.allow());
    gate.wait();
    stop_and_continue(&login.child);
    gate.open();
    assert!(browser.join().expect("browser").body.contains("You are signed in"));
    login.finished().assert_code(0);
}

/// A server whose replies wait for the test.
fn held() -> (RawServer, Receiver<()>, Sender<()>) {
    let ((arrive, arrived), (release, released)) = (mpsc::channel(), mpsc::channel());
    let (arrive, released) = (Mutex::new(arrive), Mutex::new(released));
    let server = RawServer::new(move |_, stream| {
        let _ = arrive.lock().expect("server").send(());
        // Only the first one is held; whoever is gone holds none.
        let _ = released.lock().expect("server").recv();
        send(stream, 404, "", b"");
    });
    (server, arrived, release)
}

#[test]
fn a_check_of_a_relay_that_is_stopped_while_it_reads_ends_with_its_report() {
    let (server, arrived, release) = held();
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path("relay.toml"), RELAY).expect("relay.toml");
    let config = sandbox.path("relay.toml").display().to_string();
    let arguments = ["relay", "check", "--json", "--config", &config, "--against", &server.origin];
    let mut command = sandbox.loopin(&arguments);
    let child = command.spawn().expect("loopin starts");
    arrived.recv_timeout(PATIENCE).expect("a request");
    stop_and_continue(&child);
    drop(release);
    let finished = Finished::new(child.wait_with_output().expect("loopin ends"));
    let report = finished.json();
    let failures = report["callbacks"][0]["failures"].as_array().expect("a list").clone();
    assert!(failures.len() > 1 && failures.iter().all(|failure| failure["status"] == 404), "{report:#}");
}

const RELAY: &str = r#"
listen = "127.0.0.1:0"
[[route]]
environment = "production"
host = "yourdomain.com"
path = "/oauth_callback/{provider}"
target = "https://api.us.junction.com/v2/link/connect/{provider}"
providers = ["acme_fit"]
"#;

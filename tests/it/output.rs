//! What is printed, where, and what never is. O02-O12.

use std::fs;

use crate::harness::{Finished, Provider, Sandbox};

mod arguments;
mod foreign;
mod json;
mod streams;
mod surroundings;

const CANARY: &str = "canary-7c19";

/// Every way to run a verb that ends by itself, and its exit code, in a sandbox that is signed in.
const VERBS: [(&[&str], i32); 12] = [
    (&["token", "work"], 0),
    (&["token", "work", "--json"], 0),
    (&["token", "work", "--account", "nobody"], 4),
    (&["status"], 0),
    (&["status", "work", "--json"], 0),
    (&["integration", "list"], 0),
    (&["integration", "show", "work"], 0),
    (&["redirect", "check", "http://localhost:0/callback"], 3),
    (&["completions", "bash"], 0),
    (&["man"], 0),
    (&["--help"], 0),
    (&["--version"], 0),
];

fn signed_in() -> Sandbox {
    Sandbox::signed_in(&Provider::new())
}

/// Runs a line of shell on a terminal; both streams of what runs there come back as one.
#[cfg(target_os = "linux")]
fn on_a_terminal(sandbox: &Sandbox, line: &str, environment: &[(&str, &str)]) -> Finished {
    let mut command = sandbox.shell(&format!("exec script -qec \"{line}\" /dev/null"), &[]);
    command.envs(environment.iter().copied());
    Finished::new(command.output().expect("script"))
}

#[cfg(target_os = "linux")]
#[test]
fn a_token_on_a_terminal_is_printed_with_a_hint_on_standard_error() {
    let sandbox = signed_in();
    let token = sandbox.run(&["token", "work"]);
    assert_eq!("", token.stderr, "in a pipe there is nobody to give a hint to");
    let talk = sandbox.path("talk");
    let finished = on_a_terminal(&sandbox, &format!("$1 token work 2>{}", talk.display()), &[]);
    finished.assert_code(0);
    assert_eq!(token.stdout.trim(), finished.stdout.trim(), "the token and nothing else");
    assert!(fs::read_to_string(&talk).expect("talk").starts_with("hint: pipe it"));
    let json = on_a_terminal(&sandbox, &format!("$1 token work --json 2>{}", talk.display()), &[]);
    json.assert_code(0);
    assert_eq!("", fs::read_to_string(&talk).expect("talk"), "who asks for JSON is a program");
}

#[test]
fn o02_in_a_build_log_the_mask_is_recommended_and_never_printed() {
    let sandbox = signed_in();
    let run = |value: &str| {
        Finished::new(sandbox.loopin(&["token", "work"]).env("GITHUB_ACTIONS", value).output().expect("runs"))
    };
    let token = sandbox.run(&["token", "work"]).stdout;
    let in_ci = run("true");
    in_ci.assert_code(0).assert_says("mask the token").assert_says("::add-mask::$TOKEN");
    assert_eq!(token, in_ci.stdout);
    assert!(!in_ci.stderr.contains(token.trim()));
    assert!(in_ci.said().lines().all(|line| !line.starts_with("::")), "no workflow command of ours");
    assert_eq!("", run("false").stderr);
}

#[test]
fn o12_what_status_shows_for_a_report_holds_no_token() {
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    let token = sandbox.run(&["token", "work"]).stdout.trim().to_owned();
    for verb in [["status", "-v"].as_slice(), &["status", "--json", "-v"], &["integration", "show", "work", "-v"]] {
        let said = sandbox.run(verb).said();
        assert!(!said.contains(&token) && !said.contains("access.") && !said.contains("refresh."), "{said}");
    }
}

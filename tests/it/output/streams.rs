//! Panics, and streams that are full, closed or gone. O08, O09.

use std::{
    fs::OpenOptions,
    process::{Command, Stdio},
    thread,
};

use super::{CANARY, VERBS, signed_in};
use crate::harness::Finished;

/// Run again as a process of its own by the test below.
#[test]
fn o08_child_that_panics() {
    let Some(how) = std::env::var_os("LOOPIN_TEST_PANIC") else { return };
    loopin::report::install_panic_hook();
    let secret = format!("{CANARY}-{}", how.to_string_lossy());
    match how.to_str() {
        Some("message") => panic!("the token is {secret}"),
        Some("unwrap") => drop(secret.parse::<u8>().map_err(|_| secret).unwrap()),
        Some("index") => drop(secret.as_bytes()[secret.len() + usize::from(how.is_empty())]),
        Some("slice") => drop(secret[secret.len() + 1..].to_owned()),
        _ => drop(thread::spawn(move || panic!("{secret}")).join()),
    }
}

#[test]
fn o08_a_panic_tells_its_place_and_never_what_it_held() {
    for how in ["message", "unwrap", "index", "slice", "thread"] {
        let mut child = Command::new(std::env::current_exe().expect("this binary"));
        child.args(["--exact", "output::streams::o08_child_that_panics", "--nocapture", "--test-threads=1"]);
        let finished = Finished::new(child.env("LOOPIN_TEST_PANIC", how).output().expect("runs"));
        finished.assert_says("loopin: internal fault at ").assert_says("please report it");
        assert!(!finished.said().contains(CANARY), "{finished:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn o09_when_standard_output_cannot_be_written_the_exit_code_is_1_and_nothing_panics() {
    let sandbox = signed_in();
    for (verb, usual) in VERBS {
        let full = OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
        let finished = Finished::new(sandbox.loopin(verb).stdout(full).output().expect("runs"));
        let expected = if usual == 4 { usual } else { 1 };
        finished.assert_code(expected);
        assert!(!finished.stderr.contains("panic") && !finished.stderr.contains("internal fault"), "{finished:?}");
        if !verb[0].starts_with("--") && usual != 4 {
            finished.assert_says("standard output cannot be written");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn o09_a_standard_error_that_cannot_be_written_changes_no_exit_code() {
    let sandbox = signed_in();
    for (verb, usual) in VERBS {
        let full = OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
        let finished = Finished::new(sandbox.loopin(verb).stderr(full).output().expect("runs"));
        finished.assert_code(usual);
    }
}

#[test]
fn o09_a_closed_pipe_ends_quietly_except_for_a_token() {
    let sandbox = signed_in();
    for (verb, usual) in VERBS {
        let (reader, writer) = std::io::pipe().expect("pipe");
        drop(reader);
        let finished = Finished::new(sandbox.loopin(verb).stdout(writer).output().expect("runs"));
        let token = verb[0] == "token" && usual == 0;
        finished.assert_code(if token { 1 } else { usual });
        if usual != 4 {
            assert_eq!("", finished.stderr, "{verb:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn o09_closed_standard_streams_do_not_panic() {
    let sandbox = signed_in();
    for (verb, _) in VERBS {
        for line in ["exec \"$@\" >&-", "exec \"$@\" 2>&-", "exec \"$@\" <&- >&- 2>&-"] {
            let finished = Finished::new(sandbox.shell(line, verb).output().expect("runs"));
            assert!(finished.code.is_some_and(|code| code < 10), "{line}: {finished:?}");
            assert!(!finished.said().contains("panic"), "{line}: {finished:?}");
        }
    }
}

#[test]
fn a_command_that_asks_nothing_reads_nothing_from_standard_input() {
    let sandbox = signed_in();
    for (verb, code) in VERBS {
        // A pipe that stays open and brings nothing would hold whoever reads.
        let mut child = sandbox.loopin(verb).stdin(Stdio::piped()).spawn().expect("starts");
        let open = child.stdin.take();
        Finished::new(child.wait_with_output().expect("ends")).assert_code(code);
        drop(open);
    }
}

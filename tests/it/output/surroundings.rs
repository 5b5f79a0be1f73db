//! Any terminal, locale, width, and variables that are no text. O11.

use super::{VERBS, on_a_terminal, signed_in};
use crate::harness::{Finished, Login, RawServer, Sandbox, TOKENS};

/// Surroundings that break programs.
const SURROUNDINGS: [&[(&str, &str)]; 10] = [
    &[("TERM", "dumb")],
    &[("TERM", "no-such-terminal")],
    &[("NO_COLOR", "1"), ("TERM", "xterm-256color")],
    &[("LC_ALL", "C")],
    &[("LC_ALL", "tr_TR.ISO-8859-9"), ("LANG", "xx")],
    &[("COLUMNS", "20")],
    &[("COLUMNS", "0")],
    &[("COLUMNS", "-7"), ("LINES", "x")],
    &[("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full")],
    &[("TZ", "Nowhere/Atlantis"), ("HOME", "/nonexistent")],
];

#[test]
fn o11_any_terminal_locale_and_width_will_do() {
    let sandbox = signed_in();
    for surroundings in SURROUNDINGS {
        for (verb, code) in VERBS {
            let output = sandbox.loopin(verb).envs(surroundings.iter().copied()).output().expect("runs");
            let finished = Finished::new(output);
            finished.assert_code(code);
            assert!(
                !finished.said().contains('\u{1b}') && !finished.said().contains("panic"),
                "{surroundings:?}: {finished:?}"
            );
        }
    }
}

#[test]
fn o11_a_login_works_in_any_surroundings() {
    let server = RawServer::json(200, TOKENS);
    for surroundings in SURROUNDINGS {
        let sandbox = Sandbox::at(&server);
        let mut command = sandbox.loopin(&["login", "work"]);
        command.envs(surroundings.iter().copied());
        let login = Login::start(command);
        assert!(!login.url.contains(' ') && login.url.contains("code_challenge="), "the URL is whole: {}", login.url);
        login.answer("a-code");
        login.finished().assert_code(0);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn o11_on_a_terminal_without_colour_there_is_none() {
    let sandbox = signed_in();
    for (environment, allowed) in
        [([("TERM", "dumb")], false), ([("NO_COLOR", "1")], false), ([("TERM", "xterm-256color")], true)]
    {
        for verb in ["--help", "status", "token work", "redirect check http://a/", "token other"] {
            let finished = on_a_terminal(&sandbox, &format!("$1 {verb}"), &environment);
            assert!(allowed || !finished.stdout.contains('\u{1b}'), "{environment:?} {verb}: {finished:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn o11_arguments_and_variables_that_are_no_text_do_not_panic() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let sandbox = signed_in();
    let bytes = OsStr::from_bytes(b"\xff\xfe");
    for verb in ["token", "login", "status", "logout"] {
        let finished = Finished::new(sandbox.loopin(&[verb]).arg(bytes).output().expect("runs"));
        finished.assert_code(2);
    }
    for name in ["LOOPIN_BROWSER", "BROWSER", "HTTPS_PROXY", "DBUS_SESSION_BUS_ADDRESS", "LANG", "TERM"] {
        let finished = Finished::new(sandbox.loopin(&["token", "work"]).env(name, bytes).output().expect("runs"));
        finished.assert_code(0);
    }
}

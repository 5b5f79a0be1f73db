//! `loopin exec`: a command with a token, and nothing of ours left around it.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    process::Stdio,
};

use crate::harness::{Finished, RawServer, Sandbox, TOKENS, kill};

const TOKEN: &str = "an-access-token";

fn signed_in() -> (RawServer, Sandbox) {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    (server, sandbox)
}

#[test]
fn the_command_finds_the_token_in_a_variable_and_keeps_its_words() {
    let (_server, sandbox) = signed_in();
    let run = sandbox.run(&[
        "exec",
        "work",
        "--",
        "sh",
        "-c",
        r#"printf '%s|%s|%s' "$ACCESS_TOKEN" "$1" "$2""#,
        "sh",
        "a b",
        "--json",
    ]);
    run.assert_code(0);
    assert_eq!(format!("{TOKEN}|a b|--json"), run.stdout);
    let run = sandbox.run(&[
        "exec",
        "--env",
        "GITHUB_TOKEN",
        "--",
        "sh",
        "-c",
        "printf %s.%s \"$GITHUB_TOKEN\" \"$ACCESS_TOKEN\"",
    ]);
    assert_eq!(format!("{TOKEN}."), run.assert_code(0).stdout, "one integration need not be named");
}

#[test]
fn the_command_reads_the_token_from_a_descriptor_once_and_finds_it_nowhere_else() {
    let (_server, sandbox) = signed_in();
    for number in ["3", "9"] {
        let script = format!("cat <&{number}; printf '|'; cat <&{number}; env; ls /proc/self/fd | tr '\\n' ' '");
        let run = sandbox.run(&["exec", "work", "--fd", number, "--", "sh", "-c", &script]);
        run.assert_code(0);
        let rest = run.stdout.strip_prefix(&format!("{TOKEN}|")).unwrap_or_else(|| panic!("{run:#?}"));
        assert!(!rest.contains(TOKEN) && !rest.contains("ACCESS_TOKEN="), "{rest}");
    }
}

#[test]
fn the_command_inherits_no_descriptor_of_ours_but_the_one_it_asked_for() {
    let (_server, sandbox) = signed_in();
    let list = "for fd in /proc/$$/fd/*; do echo ${fd##*/}; done";
    let numbers = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    // Whoever runs the tests may have left some open, which are the command's as they would be without us.
    let mut expected = numbers(&Finished::new(sandbox.shell(list, &[]).output().expect("sh")).stdout);
    expected.insert("77".into());
    let run = sandbox.run(&["exec", "work", "--fd", "77", "--", "sh", "-c", list]);
    assert_eq!(expected, numbers(&run.assert_code(0).stdout));
}

#[test]
fn the_exit_code_is_the_commands_own() {
    let (_server, sandbox) = signed_in();
    for code in [0, 1, 4, 77, 255] {
        sandbox.run(&["exec", "work", "--", "sh", "-c", &format!("exit {code}")]).assert_code(code);
    }
}

#[test]
fn the_command_has_the_process_itself_so_signals_and_their_effect_are_its_own() {
    use std::os::unix::process::ExitStatusExt;
    let (_server, sandbox) = signed_in();
    // Not SIGINT, which a shell has its background commands ignore, this test among them.
    for (signal, number) in [("TERM", 15), ("USR1", 10), ("KILL", 9)] {
        let mut child = sandbox
            .loopin(&["exec", "work", "--", "sh", "-c", "echo $$; exec sleep 600"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("loopin starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        assert_eq!(child.id().to_string(), line.trim(), "it is no child of ours");
        kill(signal, child.id());
        assert_eq!(Some(number), child.wait().expect("it ends").signal(), "SIG{signal}");
    }
    let run = sandbox.run(&["exec", "work", "--", "sh", "-c", "trap 'exit 7' TERM; kill -TERM $$; sleep 600"]);
    run.assert_code(7);
}

#[test]
fn a_command_with_a_closed_pipe_dies_of_it_as_it_would_without_us() {
    use std::os::unix::process::ExitStatusExt;
    let (_server, sandbox) = signed_in();
    let mut child = sandbox.loopin(&["exec", "work", "--", "yes"]).spawn().expect("loopin starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
    assert_eq!(Some(13), child.wait().expect("it ends").signal());
}

#[test]
fn what_fails_before_the_start_has_our_codes_and_starts_nothing() {
    let (_server, sandbox) = signed_in();
    let touched = sandbox.path("touched");
    let touch = ["touch", touched.to_str().expect("path")];
    let run = |arguments: &[&str]| -> Finished { sandbox.run(&[&["exec"], arguments, &["--"], &touch].concat()) };
    run(&["work", "--account", "nobody"]).assert_code(4).assert_says("loopin login work --account nobody");
    run(&["wrok"]).assert_code(3).assert_says("did you mean work?");
    for wrong in [
        &["--env", "1X"][..],
        &["--env", "A=B"],
        &["--env", ""],
        &["--fd", "2"],
        &["--fd", "999"],
        &["--fd", "3", "--env", "X"],
    ] {
        run(&[&["work"], wrong].concat()).assert_code(2);
    }
    sandbox.run(&["exec", "work"]).assert_code(2);
    assert!(!touched.exists());
}

#[test]
fn t13_a_command_that_is_not_started_has_the_exit_code_of_a_shell() {
    let (_server, sandbox) = signed_in();
    let write = |name: &str, text: &str| {
        std::fs::write(sandbox.path(name), text).expect("a file");
        sandbox.path(name).to_str().expect("path").to_owned()
    };
    let plain = write("plain", "#!/bin/sh\n");
    let inside = format!("{plain}/command");
    for (command, code, word, why) in [
        ("no-such-command", 127, "command_not_found", "there is no such command"),
        ("/no/such/command", 127, "command_not_found", "there is no such command"),
        ("/", 126, "command_not_executable", "may not be executed"),
        (&plain, 126, "command_not_executable", "may not be executed"),
        (&inside, 126, "command_not_executable", "cannot be started"),
    ] {
        let as_a_shell = std::process::Command::new("bash").args(["-c", "\"$0\"", command]).output().expect("bash");
        assert_eq!(Some(code), as_a_shell.status.code(), "{command}");
        let run = sandbox.run(&["exec", "work", "--", command]);
        run.assert_code(code).assert_says(&format!("{command}: ")).assert_says(why);
        assert_eq!("", run.stdout);
        let error = sandbox.run(&["--json", "exec", "work", "--", command]).assert_code(code).json()["error"].clone();
        assert_eq!(
            (word, i64::from(code)),
            (error["code"].as_str().expect("a word"), error["exit"].as_i64().expect("a number"))
        );
    }
}

#[test]
fn t13_a_variable_that_other_programs_act_on_is_refused() {
    let (_server, sandbox) = signed_in();
    let touched = sandbox.path("touched");
    let touch = touched.to_str().expect("path");
    for (name, why) in [
        ("PATH", "programs are searched there"),
        ("LD_PRELOAD", "it names code that programs load"),
        ("BASH_ENV", "shells act on it"),
        ("HOME", "it describes the user or the machine"),
        ("https_proxy", "it decides which server programs connect to or trust"),
    ] {
        let run = sandbox.run(&["exec", "work", "--env", name, "--", "touch", touch]);
        run.assert_code(2).assert_says(why).assert_says("choose a name of its own");
    }
    assert!(!touched.exists());
}

#[test]
fn a_token_that_no_pipe_holds_is_refused_and_fits_into_a_variable() {
    let long = "t".repeat(20_000);
    let server = RawServer::json(200, TOKENS.replace(TOKEN, &long));
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    sandbox.run(&["exec", "work", "--fd", "3", "--", "cat"]).assert_code(2).assert_says("too long");
    let run = sandbox.run(&["exec", "work", "--", "sh", "-c", "printf %s \"$ACCESS_TOKEN\""]);
    assert_eq!(long, run.assert_code(0).stdout);
}

#[test]
fn t13_a_token_that_no_variable_holds_is_a_command_that_cannot_be_executed() {
    // Linux allows 128 KiB for one variable.
    let server = RawServer::json(200, TOKENS.replace(TOKEN, &"t".repeat(140_000)));
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    let run = sandbox.run(&["exec", "work", "--", "true"]);
    run.assert_code(126).assert_says("its environment, with the token, are too long");
}

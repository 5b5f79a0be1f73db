//! A login whose browser is on another machine: the address at which it ended is pasted into the terminal. T01, L41.

use std::{io::Write, process::Stdio};

use crate::harness::{Finished, Login, RawServer, Sandbox, TOKENS};

const SSH: (&str, &str) = ("SSH_CONNECTION", "10.0.0.9 50022 10.0.0.5 2222");

/// How a terminal edits lines, one word a line.
const STTY: &str = "stty -a | tr ' ;' '\n\n' | grep -x -e -*echo -e -*icanon";

/// A login on a terminal of its own, run by lines of shell there.
fn on_a_terminal(sandbox: &Sandbox, shell: &str, lines: &str, environment: &[(&str, &str)]) -> Login {
    let script = sandbox.path("lines.sh");
    std::fs::write(&script, lines).expect("written");
    let mut command = sandbox.shell(&format!("exec script -qec \"{shell} {}\" /dev/null >&2", script.display()), &[]);
    command.env("TERM", "xterm-256color").env("SHELL", "/bin/sh").envs(environment.iter().copied());
    command.env("PROGRAM", env!("CARGO_BIN_EXE_loopin")).stdin(Stdio::piped());
    Login::start(command)
}

fn login_over_ssh(sandbox: &Sandbox) -> Login {
    let mut login = on_a_terminal(sandbox, "sh", "exec \"$PROGRAM\" login work", &[SSH, ("USER", "ada")]);
    login.wait_for("ssh -N -L");
    login
}

/// What the terminal sends.
fn types(login: &mut Login, bytes: &str) {
    login.child.stdin.as_mut().expect("piped").write_all(bytes.as_bytes()).expect("the terminal reads");
}

/// As terminals that mark a paste do.
fn pastes(login: &mut Login, text: &str) {
    types(login, &format!("\x1b[200~{text}\x1b[201~"));
}

fn address(login: &Login, query: &str) -> String {
    format!("{}?{query}&state={}", login.redirect_uri(), login.state())
}

/// The terminal stays open: `script` drops what it has not read yet when its input ends.
fn ended(mut login: Login) -> Finished {
    let _terminal = login.child.stdin.take();
    login.finished()
}

/// The terminal echoes and edits lines, as `STTY` found it.
#[track_caller]
fn assert_usual(said: &str) {
    let flags: Vec<_> = said.lines().filter(|line| line.ends_with("echo") || line.ends_with("icanon")).collect();
    assert!(
        flags.len() == 2 && flags.iter().all(|flag| !flag.contains("-echo") && !flag.contains("-icanon")),
        "{said}"
    );
}

fn signed_in(login: Login) -> Finished {
    let finished = ended(login);
    finished.assert_code(0).assert_says("signed in to work");
    finished
}

#[test]
fn t01_over_ssh_the_address_is_pasted_or_the_printed_tunnel_is_used() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    let mut login = on_a_terminal(&sandbox, "sh", "exec \"$PROGRAM\" login work", &[SSH, ("USER", "ada")]);
    login.wait_for("this terminal came over SSH");
    let tunnel = format!("ssh -N -L {0}:127.0.0.1:{0} -p 2222 ada@10.0.0.5", login.port());
    login.wait_for(&tunnel);
    let text = address(&login, "code=canary-of-the-paste");
    pastes(&mut login, &text);
    let finished = signed_in(login);
    assert!(!finished.said().contains("canary-of-the-paste"), "what is pasted is not shown: {finished:#?}");
    assert_eq!(1, server.requests().len(), "one exchange");
}

#[test]
fn t01_what_is_typed_ends_with_enter_and_long_addresses_are_taken_whole() {
    let server = RawServer::json(200, TOKENS);
    let code = "c".repeat(9000);
    for line_end in ["\r", "\n"] {
        let sandbox = Sandbox::at(&server);
        let mut login = login_over_ssh(&sandbox);
        let text = address(&login, &format!("code={code}"));
        // Wrapped at the width of a terminal, as it is copied out of a pager.
        let wrapped: Vec<_> = text.as_bytes().chunks(80).map(|line| String::from_utf8_lossy(line)).collect();
        types(&mut login, &(wrapped.join(line_end) + line_end));
        signed_in(login);
    }
    assert!(server.requests().iter().all(|request| request.contains(&code)), "the code arrived whole");
}

#[test]
fn l41_a_wrong_paste_is_named_and_the_right_one_still_counts() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    let mut login = login_over_ssh(&sandbox);
    let url = login.url.clone();
    let redirect = login.redirect_uri();
    for (text, why) in [
        ("canary-code".to_owned(), "a code alone does not show which login it belongs to"),
        (url, "this is the address to open"),
        ("https://op.example/welcome".to_owned(), "the address of another page"),
        (format!("{redirect}?code=canary-code&state=other"), "the state of another sign-in"),
        (redirect, "this address has nothing after it"),
    ] {
        pastes(&mut login, &text);
        login.wait_for(why);
    }
    assert_eq!(0, server.requests().len(), "none of them reached the provider");
    let right = address(&login, "code=right");
    pastes(&mut login, &right);
    let finished = signed_in(login);
    assert!(!finished.said().contains("canary-code"), "{finished:#?}");
}

#[test]
fn t01_the_listener_answers_beside_the_prompt_and_the_terminal_is_as_before() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    let lines = format!("\"$PROGRAM\" login work --how paste\n{STTY}");
    let login = on_a_terminal(&sandbox, "sh", &lines, &[]);
    login.answer("by-browser");
    let said = ended(login).said();
    assert!(said.contains("signed in to work"), "{said}");
    assert_usual(&said);
    assert_eq!(said.matches("\x1b[?2004h").count(), said.matches("\x1b[?2004l").count(), "{said:?}");
}

#[test]
fn l38_ctrl_c_at_the_prompt_leaves_the_terminal_as_before() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    let lines = format!("trap : INT\n\"$PROGRAM\" login work --how paste\necho code $?\n{STTY}");
    let mut login = on_a_terminal(&sandbox, "sh", &lines, &[]);
    login.wait_for("Copy the whole address");
    types(&mut login, "half of an addr\x03");
    let said = ended(login).said();
    assert!(said.contains("code 130") && said.contains("nothing was changed"), "{said}");
    assert_usual(&said);
}

#[test]
fn l38_a_login_that_is_suspended_gives_the_terminal_back_and_takes_it_again() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    let lines = format!("\"$PROGRAM\" login work --how paste\n{STTY}\necho suspended\nfg");
    let mut login = on_a_terminal(&sandbox, "bash -m", &lines, &[]);
    login.wait_for("Copy the whole address");
    types(&mut login, "\x1a");
    login.wait_for("suspended");
    let right = address(&login, "code=right");
    pastes(&mut login, &right);
    let said = ended(login).said();
    let (before, after) = said.split_once("suspended").expect("it was");
    assert_usual(before);
    assert!(after.contains("signed in to work"), "{said}");
}

#[test]
fn t01_without_a_terminal_and_a_browser_a_login_ends_at_once() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    for (environment, why) in
        [(None, "neither a browser nor a terminal"), (Some(("CI", "true")), "nobody can sign in here")]
    {
        let mut command = sandbox.unattended(&["login", "work"]);
        command.envs(environment);
        Finished::new(command.output().expect("loopin")).assert_code(4).assert_says(why);
    }
    let mut command = sandbox.unattended(&["login", "work", "--how", "paste"]);
    Finished::new(command.output().expect("loopin")).assert_code(2).assert_says("no terminal to paste into");
    assert_eq!(0, server.requests().len());
}

#[test]
fn t01_where_the_provider_posts_its_response_nothing_is_asked_for_that_no_address_has() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::new();
    sandbox.configure(&(server.integration() + "response_mode = \"form_post\"\n"));
    let mut login = on_a_terminal(&sandbox, "sh", "exec \"$PROGRAM\" login work", &[SSH]);
    login.wait_for("there is nothing to paste");
    login.wait_for("ssh -N -L");
    types(&mut login, "\x03");
    assert!(!ended(login).said().contains("paste the address here"));
    let lines = "\"$PROGRAM\" login work --how paste\necho code $?";
    let mut command = sandbox.shell("exec script -qec \"sh $2\" /dev/null", &[]);
    std::fs::write(sandbox.path("alone.sh"), lines).expect("written");
    command.arg(sandbox.path("alone.sh")).env("PROGRAM", env!("CARGO_BIN_EXE_loopin")).env("SHELL", "/bin/sh");
    Finished::new(command.output().expect("script")).assert_says("code 2").assert_says("leave out --how paste");
}

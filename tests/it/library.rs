//! A program that links the crate: `examples/host.rs`, built and run as one of somebody else's.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
    sync::OnceLock,
};

use crate::harness::{Finished, Person, Provider, Sandbox};

fn host() -> &'static PathBuf {
    static HOST: OnceLock<PathBuf> = OnceLock::new();
    HOST.get_or_init(|| {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let build = ["build", "--quiet", "--example", "host", "--manifest-path", manifest];
        assert!(Command::new(env!("CARGO")).args(build).status().expect("cargo").success());
        let target = PathBuf::from(env!("CARGO_BIN_EXE_loopin"));
        target.parent().expect("target").join("examples").join("host")
    })
}

/// The host in the sandbox, and a file with every program that it starts.
fn command(sandbox: &Sandbox, arguments: &[&str]) -> (Command, PathBuf) {
    let started = sandbox.path("started");
    let surroundings = sandbox.loopin(&[]);
    let mut command = Command::new("strace");
    command.args(["-f", "-e", "trace=execve", "-o"]).arg(&started).arg(host()).args(arguments).env_clear();
    command.envs(surroundings.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    (command, started)
}

/// Names of the programs that ran, the host itself aside.
fn others(started: &PathBuf) -> Vec<String> {
    let trace = std::fs::read_to_string(started).expect("trace");
    let programs = trace.lines().filter_map(|line| line.split("execve(\"").nth(1)?.split('"').next());
    let names = programs.map(|path| path.rsplit('/').next().unwrap_or_default().to_owned());
    names.filter(|name| name != "host").collect()
}

#[test]
fn a_program_that_links_the_crate_signs_in_and_gets_tokens_of_the_same_store() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let mut child = command(&sandbox, &["work"]).0.spawn().expect("host");
    let mut said = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let url = said.find_map(|line| Some(line.strip_prefix("open ")?.to_owned())).expect("a URL");
    Person::at(url).allow();
    let said: Vec<_> = said.collect();
    assert_eq!(["CodeReceived", "Exchanging", "Done", "a Bearer token"].as_slice(), said);
    let finished = Finished::new(child.wait_with_output().expect("host ends"));
    assert_eq!("", finished.assert_code(0).stderr, "nothing but what the program itself says");
    sandbox.run(&["token", "work"]).assert_code(0);
}

#[test]
fn a_program_that_links_the_crate_renews_by_itself_and_is_never_started_again() {
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    let first = sandbox.run(&["token", "work"]).stdout;
    let (mut command, started) = command(&sandbox, &["work", "refused"]);
    Finished::new(command.output().expect("host")).assert_code(0);
    assert_eq!(2, provider.counters().token, "the login's and one refresh");
    assert_ne!(first, sandbox.run(&["token", "work"]).stdout);
    assert_eq!(Vec::<String>::new(), others(&started));
}

#[test]
fn a_program_that_links_the_crate_can_leave_the_refresh_to_a_loopin_that_outlives_it() {
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    let first = sandbox.run(&["token", "work"]).stdout;
    let (mut command, started) = command(&sandbox, &["work", "refused"]);
    command.env("LOOPIN", env!("CARGO_BIN_EXE_loopin"));
    Finished::new(command.output().expect("host")).assert_code(0);
    assert_eq!(2, provider.counters().token);
    assert_ne!(first, sandbox.run(&["token", "work"]).stdout);
    assert_eq!(["loopin"].as_slice(), others(&started));
}

/// A program where the host expects loopin, which prints this and does nothing.
fn impostor(sandbox: &Sandbox, prints: &str) -> PathBuf {
    script(sandbox, &format!("cat <<'END'\n{prints}\nEND\n"))
}

fn script(sandbox: &Sandbox, commands: &str) -> PathBuf {
    let program = sandbox.path("impostor");
    std::fs::write(&program, format!("#!/bin/sh\n{commands}")).expect("script");
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("mode");
    program
}

#[test]
fn the_message_of_a_worker_is_read_and_any_other_version_of_it_is_not() {
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    let failure = r#"{"code":"store","message":"the disk is full","remedy":"delete something"}"#;
    let none = "the refresh worker ended without a result";
    for (prints, expected) in [
        (format!(r#"{{"v":1,"message":{{"failure":{failure}}}}}"#), "the disk is full"),
        (format!(r#"{{"v":2,"message":{{"failure":{failure}}}}}"#), none),
        (format!(r#"{{"format":1,"error":{failure}}}"#), none),
        (r#"{"v":1,"message":"nothing"}"#.into(), none),
        ("error: unrecognized subcommand 'refresh-worker'".into(), none),
    ] {
        let (mut command, _) = command(&sandbox, &["work", "refused"]);
        command.env("LOOPIN", impostor(&sandbox, &prints));
        let ended = Finished::new(command.output().expect("host"));
        assert!(ended.assert_code(1).stderr.contains(expected), "{prints}: {}", ended.stderr);
    }
    assert_eq!(1, provider.counters().token, "the login's; nobody has refreshed");
}

#[test]
fn x21_a_logout_between_a_refresh_and_its_caller_is_reported_as_what_it_is() {
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    let loopin = env!("CARGO_BIN_EXE_loopin");
    // The lock is the worker's standard input: closed here, it is free for the logout before the caller hears anything.
    let overtaken = format!(
        "line=$({loopin} \"$@\")\nexec <&-\n{loopin} logout work >'{}' 2>&1\nprintf '%s\\n' \"$line\"\n",
        sandbox.path("logout").display()
    );
    let (mut command, _) = command(&sandbox, &["work", "refused"]);
    command.env("LOOPIN", script(&sandbox, &overtaken));
    let ended = Finished::new(command.output().expect("host"));
    assert!(ended.assert_code(1).stderr.contains("somebody has logged out"), "{}", ended.stderr);
    let logout = std::fs::read_to_string(sandbox.path("logout")).expect("the logout's output");
    assert!(logout.starts_with("logged out of work"), "{logout}");
    assert_eq!(2, provider.counters().token, "the login's and one refresh");
}

#[test]
fn a_program_that_links_the_library_gets_no_argument_parser_no_async_runtime_and_no_database() {
    let tree = ["tree", "--offline", "--no-default-features", "--features", "grants", "--edges", "normal"];
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let form = ["--prefix", "none", "--format", "{p}", "--manifest-path", manifest];
    let output = Command::new(env!("CARGO")).args(tree).args(form).output().expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let linked: BTreeSet<_> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(linked.contains("loopin") && linked.contains("ureq"), "the tree is not that of the library: {text}");
    for unwanted in ["clap", "hyper", "libsqlite3-sys", "rusqlite", "tokio"] {
        assert!(!linked.contains(unwanted), "{unwanted} is linked: {text}");
    }
}

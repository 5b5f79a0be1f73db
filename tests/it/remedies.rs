//! What a message says to run is run, by a shell and as it stands, until the user is signed in. T02, T05, T06, T07.

use std::{
    fs,
    process::{Command, Stdio},
};

use crate::harness::{Finished, Login, RawServer, Sandbox, TOKENS};

/// Its only integration names no store: the keychain, of which there is none.
fn without_keychain(server: &RawServer) -> Sandbox {
    let sandbox = Sandbox::new();
    let lines = server.integration();
    let lines = lines.lines().filter(|line| !line.starts_with("store"));
    sandbox.configure(&lines.map(|line| format!("{line}\n")).collect::<String>());
    sandbox
}

impl Sandbox {
    /// A line for a shell that finds loopin on its PATH.
    fn line(&self, line: &str) -> Command {
        let directory = self.path("bin");
        fs::create_dir_all(&directory).expect("directory");
        let link = directory.join("loopin");
        if !link.exists() {
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_loopin"), &link).expect("link");
        }
        let program = self.loopin(&[]);
        let mut command = Command::new("sh");
        command.args(["-c", line]).env_clear();
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", directory.display())).current_dir(self.path("home"));
        // Opens nothing: the test is the user.
        command.env("BROWSER", "true");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// The command that a message ends with.
fn command_of(finished: &Finished) -> Option<String> {
    let said = finished.said();
    let line = said.lines().rev().find(|line| line.contains("→ ") || line.starts_with("next: "))?;
    Some(line[line.find("loopin ")?..].to_owned())
}

/// Runs `first` and whatever is said to be run next, until somebody is signed in.
#[track_caller]
fn walk(sandbox: &Sandbox, first: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let (mut walked, mut next) = (Vec::new(), first.to_owned());
    loop {
        assert!(walked.len() < 8, "it goes in a circle: {walked:#?}");
        let mut command = sandbox.line(&next);
        command.envs(environment.iter().copied());
        let finished = Login::whole(command);
        walked.push(next);
        if finished.stdout.contains("signed in to work") {
            return walked;
        }
        // A change that needs no login leads back to what was wanted.
        let wanted = if finished.code == Some(0) { Some(first.to_owned()) } else { None };
        next = command_of(&finished).or(wanted).unwrap_or_else(|| panic!("nothing to run: {finished:#?}"));
    }
}

#[test]
fn t02_without_a_keychain_the_commands_that_are_shown_end_with_a_login() {
    for first in ["loopin login work", "loopin token work", "loopin login work --timeout 30s"] {
        let server = RawServer::json(200, TOKENS);
        let sandbox = without_keychain(&server);
        let walked = walk(&sandbox, first, &[]);
        assert_eq!([first, "loopin integration set work --store file", "loopin login work"], *walked);
        sandbox.run(&["token", "work"]).assert_code(0);
    }
}

#[test]
fn t02_a_login_in_files_without_a_key_or_a_terminal_shows_the_command_that_makes_the_key() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = without_keychain(&server);
    let walked = walk(&sandbox, "loopin login work --store file", &[]);
    assert_eq!("loopin integration set work --store file", walked[1]);
    sandbox.run(&["token", "work"]).assert_code(0);

    let sandbox = without_keychain(&server);
    let walked = walk(&sandbox, "loopin login work", &[("LOOPIN_STORE", "file")]);
    assert_eq!("loopin integration set work --store file", walked[1]);
    sandbox.run(&["token", "work"]).assert_code(0);
}

#[test]
fn t02_a_lost_key_leads_to_a_new_login() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    fs::remove_file(sandbox.path("store.key")).expect("key");
    sandbox.run(&["token", "work"]).assert_code(8).assert_says("it is the key of the file store");
    let walked = walk(&sandbox, "loopin token work", &[]);
    assert!(walked.last().expect("commands").starts_with("loopin logout work --local && "), "{walked:#?}");
    sandbox.run(&["token", "work"]).assert_code(0);
}

#[test]
fn t02_the_store_of_all_integrations_is_named_by_the_variable_or_at_the_top_of_the_file() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = without_keychain(&server);
    let table = fs::read_to_string(sandbox.config()).expect("configuration");
    sandbox.configure(&format!("store = \"file\"\nstore_key = {{ file = \"{{key}}\" }}\n{table}"));
    sandbox.log_in(&[]).assert_code(0);
    sandbox.run(&["token", "work"]).assert_code(0);
    sandbox.run(&["integration", "show", "work"]).assert_says("store          file");

    sandbox.configure(&format!("store_key = {{ file = \"{{key}}\" }}\n{table}"));
    let token = |store: &str| {
        Finished::new(sandbox.loopin(&["token", "work"]).env("LOOPIN_STORE", store).output().expect("runs"))
    };
    token("file").assert_code(0);
    token("keychain").assert_code(8);
    token("").assert_code(8);
    token("files").assert_code(3).assert_says("LOOPIN_STORE is \"files\"").assert_says("file or keychain");
    sandbox.run(&["token", "work", "--store", "keychain"]).assert_code(8);
}

#[test]
fn t02_a_login_that_another_store_has_is_named_with_the_command_that_makes_it_permanent() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = without_keychain(&server);
    let table = fs::read_to_string(sandbox.config()).expect("configuration");
    sandbox.configure(&format!("store_key = {{ file = \"{{key}}\" }}\n{table}"));
    let login = sandbox.log_in(&["--store", "file"]);
    login.assert_code(0).assert_says("other commands find this login with --store file only");
    let token = sandbox.run(&["token", "work"]);
    token.assert_code(8).assert_says("no keychain here").assert_says("the login to work is in encrypted files");
    assert_eq!(Some("loopin integration set work --store file".to_owned()), command_of(&token));
    sandbox.run(&["integration", "set", "work", "--store", "file"]).assert_code(0);
    sandbox.run(&["token", "work"]).assert_code(0);
}

#[test]
fn t05_a_configuration_file_that_was_named_must_exist() {
    let sandbox = Sandbox::new();
    for verb in [["status"].as_slice(), &["token", "work"], &["login", "work"], &["integration", "list"]] {
        let named = sandbox.run(&[verb, &["--config", "no such.toml"]].concat());
        named.assert_code(3).assert_says("there is no configuration file no such.toml");
        named.assert_says("loopin integration add NAME --config 'no such.toml'");
        sandbox.run(verb).assert_code(3).assert_says("config.toml, which LOOPIN_CONFIG names");
    }
    // Where nothing is named, nothing is missing.
    let output = sandbox.loopin(&["status"]).env_remove("LOOPIN_CONFIG").output().expect("runs");
    Finished::new(output).assert_code(0).assert_says("nothing is stored");
    sandbox.run(&["integration", "add", "work", "--issuer", "https://op.example", "--client-id", "me"]).assert_code(0);
    sandbox.run(&["integration", "list"]).assert_code(0).assert_says("work");
}

#[test]
fn t06_the_login_that_is_missing_is_named_beside_those_that_are_there() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::new();
    sandbox.configure(&(server.integration() + "[integration.work.actions]\nread = [\"r\"]\n"));
    let nobody = sandbox.run(&["token", "work", "--account", "bob"]);
    nobody.assert_code(4).assert_says("nobody is logged in to work");
    assert!(!nobody.said().contains("stored:"), "{nobody:?}");
    sandbox.log_in(&["--account", "anna"]).assert_code(0);
    sandbox.log_in(&["--action", "read"]).assert_code(0);
    sandbox
        .run(&["token", "work", "--account", "bob"])
        .assert_code(4)
        .assert_says("nobody is logged in to work with account \"bob\"; stored: account \"anna\"; action \"read\"")
        .assert_says("→ loopin login work --account bob");
    sandbox
        .run(&["token", "work"])
        .assert_code(4)
        .assert_says("with the default account, all actions; stored: account \"anna\"; action \"read\"");
}

#[test]
fn t07_a_login_that_failed_is_repeated_with_everything_that_was_typed() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = without_keychain(&server);
    let config = sandbox.path("my conf'ig.toml");
    let table = fs::read_to_string(sandbox.config()).expect("configuration");
    fs::write(&config, format!("store_key = {{ file = \"store.key\" }}\n{table}")).expect("configuration");
    let typed = [
        "--account",
        "o'neil",
        "--scope",
        "a",
        "--scope",
        "b",
        "--prompt",
        "consent",
        "--login-hint",
        "a b",
        "--param",
        "x=$y",
        "--config",
        config.to_str().expect("path"),
        "--store",
        "file",
    ];
    let login = sandbox.login(&typed);
    let scope = login.parameter("scope");
    login.answer_with(&[("error", "access_denied")]);
    let denied = login.finished();
    let again = command_of(denied.assert_code(5)).expect("a command");
    for part in [" --store file", " --prompt consent", " --scope a --scope b", "'x=$y'", "'a b'"] {
        assert!(again.contains(part), "{part}: {again}");
    }
    let login = Login::start(sandbox.line(&again));
    assert_eq!((scope, "$y".into()), (login.parameter("scope"), login.parameter("x")));
    login.answer("a-code");
    login.finished().assert_code(0).assert_says("as o'neil");
    let token = ["token", "work", "--config", config.to_str().expect("path"), "--store", "file"];
    let other = command_of(&sandbox.run(&token)).expect("a command");
    assert!(other.starts_with("loopin login work --config '") && other.ends_with(" --store file"), "{other}");
    assert!(
        sandbox
            .line(&other.replace("login work", "token work --account \"o'neil\""))
            .output()
            .expect("sh")
            .status
            .success()
    );
}

//! The default store where there is no keychain, or none that answers. S02, S03, S20.

use crate::harness::{Finished, RawServer, Sandbox, TOKENS};

/// `{key}` must not be there: the default store is the keychain.
fn with_keychain(server: &RawServer) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.configure(
        &server.integration().lines().filter(|l| !l.starts_with("store")).map(|l| format!("{l}\n")).collect::<String>(),
    );
    sandbox
}

#[test]
fn s02_without_a_keychain_the_choices_are_named_and_nothing_is_stored() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = with_keychain(&server);
    let nowhere = format!("unix:path={}", sandbox.path("no-bus").display());
    for bus in [None, Some(nowhere.as_str())] {
        for verb in [
            ["login", "work", "--timeout", "1s"].as_slice(),
            &["token", "work"],
            &["logout", "work"],
            &["login", "work", "--timeout", "1s", "--json"],
        ] {
            let mut command = sandbox.loopin(verb);
            if let Some(address) = bus {
                command.env("DBUS_SESSION_BUS_ADDRESS", address);
            }
            let finished = Finished::new(command.output().expect("runs"));
            finished.assert_code(8).assert_says("no keychain here").assert_says("--store file");
            assert!(!finished.said().contains("To sign in"), "a person is not bothered: {finished:?}");
        }
    }
    assert_eq!(Vec::<String>::new(), sandbox.stored());
    assert_eq!(0, server.requests().len());
}

#[test]
fn s02_a_bus_that_is_not_a_socket_of_this_machine_is_not_trusted_with_secrets() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = with_keychain(&server);
    for address in ["tcp:host=127.0.0.1,port=1", "unixexec:path=/bin/true", "unix:path=/x;tcp:host=192.0.2.1,port=1"] {
        let output = sandbox.loopin(&["token", "work"]).env("DBUS_SESSION_BUS_ADDRESS", address).output();
        Finished::new(output.expect("runs"))
            .assert_code(8)
            .assert_says("the session bus is not a socket of this machine");
    }
}

#[test]
fn s03_a_bus_that_accepts_and_says_nothing_is_given_up() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = with_keychain(&server);
    let path = sandbox.path("silent-bus");
    let _silent = std::os::unix::net::UnixListener::bind(&path).expect("socket");
    let mut command = sandbox.loopin(&["token", "work"]);
    command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", path.display()));
    let finished = Finished::new(command.output().expect("runs"));
    finished.assert_code(8).assert_says("the keychain did not answer within").assert_says("--store file");
}

#[test]
fn s20_a_keychain_that_fails_never_becomes_a_file() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = with_keychain(&server);
    sandbox.run(&["login", "work", "--timeout", "1s"]).assert_code(8);
    assert!(!sandbox.files().iter().any(|(path, _)| path.extension().is_some_and(|e| e == "item")));

    // Nor does a grant in files stand in for one in the keychain.
    sandbox.configure(&server.integration());
    sandbox.log_in(&[]).assert_code(0);
    let before = sandbox.files();
    sandbox.run(&["token", "work", "--store", "keychain"]).assert_code(8);
    sandbox.run(&["login", "work", "--timeout", "1s", "--store", "keychain"]).assert_code(8);
    sandbox.run(&["status", "work", "--store", "keychain"]).assert_code(8).assert_says("in another store");
    assert_eq!(before, sandbox.files());
    sandbox.run(&["token", "work", "--store", "file"]).assert_code(0);
}

//! docker's credential helper. P04.

use std::{io::Write, process::Stdio};

use super::Scene;
use crate::harness::Finished;

impl Scene {
    fn docker(&self, action: &str, input: &str) -> Finished {
        self.sandbox.called("docker-credential-loopin", &[action], input)
    }
}

const NOT_FOUND: &str = "credentials not found in native keychain\n";

#[test]
fn p04_docker_gets_the_token_by_the_registrys_name() {
    let scene = Scene::new();
    let run = scene.docker("get", include_str!("../../data/helper/docker-get.in"));
    run.assert_code(0);
    assert_eq!(include_str!("../../data/helper/docker-get.out").replace("the-token", "token-0"), run.stdout);
    assert_eq!("", run.stderr);
    let same = scene.sandbox.helper(&["docker", "get"], "https://registry.example.com/v2/\n");
    assert_eq!("token-0", same.assert_code(0).json()["Secret"]);
}

#[test]
fn p04_errors_stand_on_standard_output_in_dockers_words_with_1() {
    let scene = Scene::new();
    let stored = |url: &str, name: &str| format!(r#"{{"ServerURL":"{url}","Username":"{name}","Secret":"x"}}"#);
    for (action, input, text) in [
        ("get", "evil.example", NOT_FOUND),
        ("get", "registry.example.com.evil.example", NOT_FOUND),
        ("get", "http://registry.example.com", NOT_FOUND),
        ("get", "", "no credentials server URL\n"),
        ("erase", "\n", "no credentials server URL\n"),
        ("store", &stored("", "me"), "no credentials server URL\n"),
        ("store", &stored("registry.example.com", ""), "no credentials username\n"),
        ("frob", "", "docker-credential-loopin: unknown action: frob\n"),
    ] {
        let run = scene.docker(action, input);
        run.assert_code(1);
        assert_eq!((text, ""), (run.stdout.as_str(), run.stderr.as_str()), "{action} {input}");
    }
    let usage = scene.sandbox.called("docker-credential-loopin", &[], "");
    usage.assert_code(1).assert_says("<store|get|erase|list|version>");
    let version = scene.docker("version", "");
    assert_eq!(
        format!("docker-credential-loopin (loopin) v{}\n", env!("CARGO_PKG_VERSION")),
        version.assert_code(0).stdout
    );
}

#[test]
fn p04_store_and_erase_leave_the_grant_as_it_is() {
    let scene = Scene::new();
    let before = scene.sandbox.state_files();
    scene.docker("store", include_str!("../../data/helper/docker-store.in")).assert_code(0);
    scene.docker("erase", "registry.example.com").assert_code(0);
    scene.docker("erase", "evil.example").assert_code(0);
    let lost = scene.docker("store", r#"{"ServerURL":"other.example","Username":"me","Secret":"pw"}"#);
    lost.assert_code(1).assert_says("passwords are not kept here");
    assert!(!lost.said().contains("pw"), "{lost:#?}");
    assert_eq!(before, scene.sandbox.state_files());
}

#[test]
fn p04_too_much_input_and_input_that_never_ends_are_given_up() {
    let scene = Scene::new();
    let run = scene.docker("get", &"a".repeat(64 * 1024 + 1));
    run.assert_code(1).assert_says("longer than 65536 bytes");
    let whole = scene.docker("get", &format!("registry.example.com/{}", "a".repeat(64 * 1024 - 21)));
    whole.assert_code(0);
    let mut child =
        scene.sandbox.loopin(&["helper", "docker", "get"]).stdin(Stdio::piped()).spawn().expect("loopin starts");
    let mut open = child.stdin.take().expect("piped");
    open.write_all(b"registry.example.com").expect("written");
    let run = Finished::new(child.wait_with_output().expect("it ends"));
    drop(open);
    run.assert_code(1).assert_says("did not end within 4 s");
}

#[test]
fn p04_nobody_logged_in_is_not_taken_for_an_anonymous_pull() {
    let scene = Scene::new();
    scene.sandbox.run(&["logout", "work", "--local"]).assert_code(0);
    let run = scene.docker("get", "registry.example.com");
    run.assert_code(1);
    assert!(run.stdout.contains("loopin login work") && run.stdout != NOT_FOUND, "{run:#?}");
    assert_eq!("{}\n", scene.docker("list", "").assert_code(0).stdout);
}

#[test]
fn the_list_has_written_hosts_alone_and_setup_names_them() {
    let scene = Scene::new();
    let listed = scene.docker("list", "").assert_code(0).json();
    assert_eq!(
        serde_json::json!({ "127.0.0.1:3000": "oauth2", "git.example.com": "oauth2", "registry.example.com": "oauth2" }),
        listed
    );
    let setup = scene.sandbox.helper(&["docker", "setup"], "");
    assert_eq!("loopin", setup.assert_code(0).json()["credHelpers"]["registry.example.com"]);
    setup.assert_says("docker-credential-loopin");
}

#[test]
fn two_integrations_for_one_registry_are_told() {
    let scene = Scene::new().with_another();
    scene.docker("get", "registry.example.com").assert_code(1).assert_says("home, work");
    let run = scene.sandbox.helper(&["docker", "--integration", "work", "get"], "registry.example.com");
    assert_eq!("token-0", run.assert_code(0).json()["Secret"]);
}

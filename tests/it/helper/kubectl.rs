//! kubectl's exec credential plugin. P05, P10.

use super::Scene;
use crate::harness::{Finished, RawServer, Sandbox};

const QUESTIONS: [&str; 2] =
    [include_str!("../../data/helper/kubectl-v1.in"), include_str!("../../data/helper/kubectl-v1beta1.in")];

fn ask(sandbox: &Sandbox, words: &[&str], question: &str) -> Finished {
    let mut command = sandbox.loopin(&[&["helper", "kubectl"], words].concat());
    Finished::new(command.env("KUBERNETES_EXEC_INFO", question).output().expect("loopin runs"))
}

#[test]
fn p05_standard_output_is_one_object_of_the_version_that_was_asked_for() {
    let scene = Scene::new();
    for question in QUESTIONS {
        let run = ask(&scene.sandbox, &["work"], question);
        let asked: serde_json::Value = serde_json::from_str(question).expect("JSON");
        let said = run.assert_code(0).json();
        assert_eq!(asked["apiVersion"], said["apiVersion"]);
        assert_eq!(
            ("ExecCredential", "token-0"),
            (said["kind"].as_str().expect("kind"), said["status"]["token"].as_str().expect("token"))
        );
        assert_eq!(1, run.stdout.lines().count());
        assert_eq!("", run.stderr);
    }
}

#[test]
fn p05_the_client_is_told_to_come_back_when_the_token_would_be_renewed() {
    let scene = Scene::new();
    let expires_at = |said: &serde_json::Value| -> i64 {
        said.as_str().expect("time").parse::<jiff::Timestamp>().expect("RFC 3339").as_second()
    };
    let told = expires_at(&ask(&scene.sandbox, &["work"], QUESTIONS[0]).json()["status"]["expirationTimestamp"]);
    let until = expires_at(&scene.sandbox.run(&["token", "work", "--json"]).json()["expires_at"]);
    assert_eq!(60, until - told, "the margin of an hour");
}

#[test]
fn p05_a_question_that_is_none_is_answered_on_standard_error() {
    let scene = Scene::new();
    let none = scene.sandbox.run(&["helper", "kubectl", "work"]);
    none.assert_code(2).assert_says("KUBERNETES_EXEC_INFO is not set");
    assert_eq!("", none.stdout);
    for question in
        ["{}", "nonsense", r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1alpha1"}"#]
    {
        let run = ask(&scene.sandbox, &["work"], question);
        run.assert_code(2);
        assert_eq!("", run.stdout);
    }
}

#[test]
fn p05_without_a_login_it_opens_nothing_whatever_interactive_says() {
    let sandbox = Sandbox::at(&RawServer::json(500, ""));
    let opened = sandbox.path("opened");
    for interactive in ["true", "false"] {
        let question = QUESTIONS[0].replace("false", interactive);
        let mut command = sandbox.loopin(&["helper", "kubectl", "work"]);
        command.env("BROWSER", format!("touch '{}'", opened.display())).env("DISPLAY", ":0");
        let run = Finished::new(command.env("KUBERNETES_EXEC_INFO", question).output().expect("loopin runs"));
        run.assert_code(4).assert_says("loopin login work");
        assert_eq!("", run.stdout);
    }
    assert!(!opened.exists());
}

#[test]
fn an_api_server_that_wants_an_id_token_gets_that() {
    let jwt = crate::token::id_token("me", 0, 600);
    let tokens =
        serde_json::json!({ "access_token": "a", "token_type": "Bearer", "expires_in": 3600, "id_token": jwt });
    let server = RawServer::json(200, tokens.to_string());
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    let run = ask(&sandbox, &["work", "--id-token"], QUESTIONS[0]);
    assert_eq!(jwt, run.assert_code(0).json()["status"]["token"]);
}

#[test]
fn setup_prints_a_user_of_a_kubeconfig() {
    let scene = Scene::new();
    let run = scene.sandbox.run(&["helper", "kubectl", "setup", "work", "--account", "it's", "--id-token"]);
    run.assert_code(0);
    assert!(
        run.stdout.contains(r#"args: ["helper", "kubectl", "work", "--account", "it's", "--id-token"]"#),
        "{run:#?}"
    );
    assert!(run.stdout.contains("interactiveMode: Never"), "{run:#?}");
}

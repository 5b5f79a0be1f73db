//! The worker's message: one line of its own, whatever the command line says about the form of results.

use super::*;

#[test]
fn a_worker_prints_one_line_and_no_token_that_was_stored() {
    let scene = Scene::answering(200, JSON, SECOND);
    let worked = scene.sandbox.run(&["refresh-worker", "work"]);
    assert_eq!("{\"v\":1,\"message\":\"nothing\"}\n", worked.assert_code(0).stdout);
    assert_eq!("second\n", scene.token().assert_code(0).stdout);
}

#[test]
fn a_worker_that_cannot_begin_prints_its_failure_and_exits_with_its_code() {
    let scene = Scene::answering(200, JSON, SECOND);
    for form in [&[][..], &["--json"]] {
        let worked = scene.sandbox.run(&[form, &["refresh-worker", "elsewhere"]].concat());
        let message: serde_json::Value = serde_json::from_str(&worked.assert_code(3).stdout).expect("one line");
        let failure = &message["message"]["failure"];
        assert_eq!((1, "configuration"), (message["v"].as_i64().expect("v"), failure["code"].as_str().expect("code")));
        assert_eq!("there is no integration \"elsewhere\"", failure["message"]);
        assert_eq!("", worked.stderr);
    }
}

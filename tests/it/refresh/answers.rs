//! What the provider answers to a refresh, and what that says about the grant. R13.

use super::*;

#[test]
fn r13_a_dead_grant_asks_for_a_login_deletes_nothing_and_status_tells() {
    let scene = Scene::answering(400, JSON, r#"{"error":"invalid_grant"}"#);
    let before = scene.sandbox.stored_file(".item");
    scene.renew().assert_code(4).assert_says("no longer accepts").assert_says("loopin login work");
    assert_eq!(before, scene.sandbox.stored_file(".item"));
    assert_eq!("first\n", scene.sandbox.run(&["token", "work"]).assert_code(0).stdout, "it is still valid");
    scene.sandbox.run(&["status", "work"]).assert_code(4).assert_says("no longer accepts").assert_says("loopin login");
    assert_eq!(1, scene.refreshes().len());
}

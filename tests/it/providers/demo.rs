//! `loopin demo --provider NAME`: the whole demo in a provider's shape, on this machine alone.

use super::{known, text};
use crate::harness::Sandbox;

#[test]
fn the_demo_runs_in_the_shape_of_every_provider() {
    let sandbox = Sandbox::new();
    for preset in known(&sandbox) {
        let id = text(&preset, "provider");
        let demo = sandbox.run(&["demo", "--provider", id, "--yes"]);
        demo.assert_code(0).assert_says(&format!("in the shape of {}:", text(&preset, "name")));
        demo.assert_says("the access token was refreshed").assert_says("recognized as the end of the grant");
        demo.assert_says("signed in to demo").assert_says("a refresh token is stored too");
    }
    assert!(sandbox.stored().is_empty(), "nothing is left");
}

#[test]
fn the_demo_names_what_is_unlike_the_rfcs() {
    let demo = |id: &str| Sandbox::new().run(&["demo", "--provider", id, "--yes"]);
    demo("slack-user").assert_says("the tokens are at authed_user").assert_says("scopes are separated by \",\"");
    demo("notion").assert_says("requests to the token endpoint are JSON").assert_says("client_secret_basic");
    let withings = demo("withings");
    withings.assert_says("the tokens are at body").assert_says("errors are at status, with status 200");
    withings.assert_says("need action=requesttoken");
    demo("google").assert_says("a refresh token comes only with access_type=offline");
}

#[test]
fn an_unknown_provider_of_the_demo_names_the_nearest_three() {
    let demo = Sandbox::new().run(&["demo", "--provider", "slak", "--yes"]);
    demo.assert_code(2).assert_says("there is no provider \"slak\"").assert_says("the nearest are slack, ");
}

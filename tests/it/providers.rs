//! Providers that the program knows: listing them, and adding an integration with one.

use std::{collections::BTreeSet, fs, path::Path};

use crate::harness::Sandbox;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The presets that the program has.
fn known(sandbox: &Sandbox) -> Vec<serde_json::Value> {
    let listed = sandbox.run(&["integration", "providers", "--json"]);
    listed.assert_code(0).json()["providers"].as_array().expect("a list").clone()
}

#[test]
fn every_file_of_a_preset_is_compiled_in() {
    let names: BTreeSet<_> = known(&Sandbox::new())
        .iter()
        .map(|preset| format!("{}.toml", preset["provider"].as_str().expect("an identifier")))
        .collect();
    let files: BTreeSet<_> = fs::read_dir(root().join("src/catalog/presets"))
        .expect("presets")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    assert_eq!(files, names);
}

#[test]
fn providers_are_listed_and_searched_by_name() {
    let sandbox = Sandbox::new();
    sandbox.run(&["integration", "providers"]).assert_code(0).assert_says("gitlab").assert_says("google");
    sandbox.run(&["integration", "providers", "GIT"]).assert_code(0).assert_says("github").assert_says("gitlab");
    let one = sandbox.run(&["integration", "providers", "gitlab"]);
    for text in [
        "enter this redirect URI: http://127.0.0.1/callback/NAME",
        "access token: 2 hours",
        "next: loopin integration add NAME --provider gitlab --client-id ID",
    ] {
        one.assert_code(0).assert_says(text);
    }
    sandbox
        .run(&["integration", "providers", "gitlap"])
        .assert_code(2)
        .assert_says("there is no provider \"gitlap\"")
        .assert_says("the nearest are gitlab, ");
}

#[test]
fn an_added_provider_needs_a_client_and_nothing_else_and_says_what_to_register() {
    let sandbox = Sandbox::new();
    let add = ["integration", "add", "work", "--provider", "gitlab", "--client-id", "me", "--store", "file"];
    sandbox
        .run(&add)
        .assert_code(0)
        .assert_says("enter this redirect URI: http://127.0.0.1/callback/work")
        .assert_says("https://gitlab.com/-/user_settings/applications")
        .assert_says("next: loopin login work");
    let text = fs::read_to_string(sandbox.config()).expect("the configuration");
    assert!(text.contains("provider = \"gitlab\"") && !text.contains("endpoint"), "{text}");
    let shown = sandbox.run(&["integration", "show", "work", "--json"]).json()["integration"].clone();
    assert_eq!("gitlab", shown["provider"]);
    assert_eq!("https://gitlab.com/oauth/token", shown["token_endpoint"]);
    assert_eq!("http://127.0.0.1:0/callback/work", shown["redirect_uris"][0]);
}

#[test]
fn an_instance_of_ones_own_is_added_by_its_base_url() {
    let sandbox = Sandbox::new();
    let add = ["integration", "add", "work", "--provider", "gitlab", "--client-id", "me", "--store", "file"];
    sandbox
        .run(&[&add[..], &["--base-url", "https://git.acme.example"]].concat())
        .assert_code(0)
        .assert_says("https://git.acme.example/-/user_settings/applications");
    let shown = sandbox.run(&["integration", "show", "work", "--json"]).json()["integration"].clone();
    assert_eq!("https://git.acme.example/oauth/token", shown["token_endpoint"]);
}

#[test]
fn adding_without_a_client_prints_the_steps_and_what_is_missing() {
    let sandbox = Sandbox::new();
    sandbox
        .run(&["integration", "add", "work", "--provider", "gitlab"])
        .assert_code(2)
        .assert_says("enter this redirect URI: http://127.0.0.1/callback/work")
        .assert_says("add --client-id ID");
    sandbox
        .run(&["integration", "add", "work", "--provider", "github", "--client-id", "me"])
        .assert_code(2)
        .assert_says("the client secret is missing")
        .assert_says("add --secret-stdin");
    sandbox
        .run(&["integration", "add", "work", "--provider", "gitlap", "--client-id", "me"])
        .assert_code(2)
        .assert_says("the nearest are gitlab, ");
    assert!(!sandbox.config().exists());
}

//! Providers that the program knows: listing them, and adding an integration with one.

use std::{collections::BTreeSet, fs, io::Write, path::Path, process::Stdio};

use crate::harness::{Finished, RawServer, Sandbox, TOKENS};

mod demo;
mod service;
mod shapes;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The presets that the program has.
fn known(sandbox: &Sandbox) -> Vec<serde_json::Value> {
    let listed = sandbox.run(&["integration", "providers", "--json"]);
    listed.assert_code(0).json()["providers"].as_array().expect("a list").clone()
}

fn text<'v>(value: &'v serde_json::Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} in {value}"))
}

/// Standard input gets this.
fn run_with_input(sandbox: &Sandbox, arguments: &[&str], input: &[u8]) -> Finished {
    let mut child = sandbox.loopin(arguments).stdin(Stdio::piped()).spawn().expect("starts");
    // It may end without reading.
    let _ = child.stdin.take().expect("piped").write_all(input);
    Finished::new(child.wait_with_output().expect("ends"))
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

#[test]
fn the_command_that_is_printed_for_a_provider_adds_it_and_the_steps_name_what_is_registered() {
    let sandbox = Sandbox::new();
    for preset in known(&sandbox) {
        let (id, command) = (text(&preset, "provider"), text(&preset, "command"));
        let command = command.replace("NAME", id);
        let arguments: Vec<_> = command.split(' ').skip(1).chain(["--store", "file"]).collect();
        let added = run_with_input(&sandbox, &arguments, b"a secret\n");
        added.assert_code(0).assert_says(&format!("added {id} to"));
        let shown = sandbox.run(&["integration", "show", id, "--json"]).json()["integration"].clone();
        let redirect = shown["redirect_uris"][0].as_str().expect("a redirect").to_owned();
        let host = redirect.split("://").nth(1).expect("a host").split([':', '/']).next().expect("a host");
        match text(&preset, "loopback") {
            "any_port" => assert!(redirect.contains(":0/callback/"), "{id}: {redirect}"),
            "refused" => assert_eq!(format!("https://acme.example/cli/{id}"), shown["relay"], "{id}"),
            _ => assert!(redirect.contains(":47128/callback/"), "{id}: {redirect}"),
        }
        if let Some(preferred) = preset["hosts"][0].as_str() {
            assert_eq!(preferred, host, "{id}");
        }
    }
}

#[test]
fn every_field_of_an_integration_is_documented_and_every_documented_field_is_known() {
    let text = fs::read_to_string(root().join("docs/configuration.md")).expect("docs/configuration.md");
    let documented: BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .map(|(field, _)| field.to_owned())
        .collect();
    // The reader lists the fields that it knows when it meets another.
    let error = loopin::catalog::Catalog::parse("[integration.work]\nnot_a_field = 1\n").expect_err("refused");
    let expected = error.what.split("expected one of ").nth(1).expect("a list");
    let known: BTreeSet<_> = expected.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    assert_eq!(known, documented);
}

/// What loopin keeps beside the tokens.
fn kept(metadata: &serde_json::Value) -> String {
    let mut lines = String::new();
    for (place, field) in [("token response", "from_token"), ("callback", "from_callback")] {
        for name in metadata[field].as_array().expect("a list").iter().filter_map(|name| name.as_str()) {
            let account = if metadata["account"] == name { "; it identifies the account" } else { "" };
            lines += &format!("| `{name}` | {place}{account} |\n");
        }
    }
    let intro = "`token --json`, `login --json`, `stdio`, the library and the service return these as `metadata`.";
    match lines.is_empty() {
        true => lines,
        false => format!("\n## What is kept beside the tokens\n\n{intro}\n\n| name | from |\n| --- | --- |\n{lines}"),
    }
}

/// A page for each provider, from what the program knows.
fn page(preset: &serde_json::Value) -> String {
    let strings = |field: &str| {
        let list = preset[field].as_array().expect("a list").clone();
        list.into_iter().map(|item| item.as_str().expect("a text").to_owned()).collect::<Vec<_>>()
    };
    let lifetime = |which: &str| preset["lifetimes"][which].as_str().unwrap_or("not documented").to_owned();
    let mut page = format!("# {}\n\n", text(preset, "name"));
    page += "Generated from the preset (`LOOPIN_BLESS=1 cargo test --test it providers`). Facts as of their sources' dates.\n";
    page += "\n## Register a client\n\n";
    for (at, step) in strings("registration").iter().enumerate() {
        page += &format!("{}. {step}\n", at + 1);
    }
    page += &format!("\n## Add it\n\n```\n{}\n```\n", text(preset, "command"));
    for variable in ["base_url", "tenant"] {
        let (default, example) = (&preset[variable]["default"], &preset[variable]["example"]);
        if let Some(example) = example.as_str() {
            let usual = default.as_str().map(|default| format!("default: `{default}`; ")).unwrap_or_default();
            page += &format!("\n`{variable}`: {usual}example: `{example}`\n");
        }
    }
    page += "\n## What the tokens do\n\n| token | life |\n| --- | --- |\n";
    page += &format!("| access token | {} |\n| refresh token | {} |\n", lifetime("access"), lifetime("refresh"));
    page += &kept(&preset["metadata"]);
    let notes = strings("notes");
    if !notes.is_empty() {
        page += "\n## Notes\n\n";
        notes.iter().for_each(|note| page += &format!("- {note}\n"));
    }
    page += "\n## Sources\n\n";
    for source in preset["sources"].as_array().expect("sources") {
        let of: Vec<_> = source["of"].as_array().expect("subjects").iter().filter_map(|s| s.as_str()).collect();
        page += &format!("- {}: {} (read {})\n", of.join(", "), text(source, "at"), text(source, "read"));
    }
    page
}

#[test]
fn the_page_of_each_provider_is_what_its_preset_says() {
    let directory = root().join("docs/providers");
    let mut names = BTreeSet::new();
    for preset in known(&Sandbox::new()) {
        let name = format!("{}.md", text(&preset, "provider"));
        let (path, page) = (directory.join(&name), page(&preset));
        if std::env::var_os("LOOPIN_BLESS").is_some() {
            fs::write(&path, &page).expect("a page");
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == page, "{} is out of date: LOOPIN_BLESS=1 cargo test --test it providers", path.display());
        names.insert(name);
    }
    let present: BTreeSet<_> = fs::read_dir(&directory)
        .expect("pages")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    assert_eq!(names, present, "no page without a preset");
}

#[test]
fn d15_what_brings_a_refresh_token_is_added_to_a_login_and_said() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::new();
    let lines = "scopes = [\"read\", \"offline_access\"]\n";
    sandbox.configure(&(server.integration() + lines));
    let login = sandbox.login(&[]);
    assert_eq!("consent", login.parameter("prompt"));
    login.answer("x");
    login.finished().assert_code(0).assert_says("added, so that the provider gives a refresh token: prompt=consent");
    let stated = sandbox.login(&["--prompt", "login"]);
    assert_eq!("login", stated.parameter("prompt"), "what the user states counts");
    stated.answer("x");
    stated.finished().assert_code(0);

    let own = "offline_scopes = [\"offline\"]\noffline_params = { access_type = \"offline\" }\n";
    sandbox.configure(&(server.integration() + "scopes = [\"read\"]\n" + own));
    let login = sandbox.login(&[]);
    assert_eq!(("read offline", "offline"), (&*login.parameter("scope"), &*login.parameter("access_type")));
    login.answer("x");
    login.finished().assert_code(0).assert_says("scope offline, access_type=offline");
}

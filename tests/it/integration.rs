//! `loopin integration add|list|show|remove`: changes to a file that a person keeps by hand.

use std::{fs, io::Write, process::Stdio};

use serde_json::json;

mod diagnose;

use crate::harness::{Finished, Provider, RawServer, Sandbox, TOKENS, reply};

mod changes;

const ISSUER: &str = "https://op.example";

/// `integration add` with an issuer and a client id, in encrypted files.
fn add(sandbox: &Sandbox, more: &[&str]) -> Finished {
    let usual = ["integration", "add", "work", "--issuer", ISSUER, "--client-id", "me", "--store", "file"];
    sandbox.run(&[&usual, more].concat())
}

fn config(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.config()).unwrap_or_default()
}

/// Standard input gets this.
fn run_with_input(sandbox: &Sandbox, arguments: &[&str], input: &[u8]) -> Finished {
    let mut child = sandbox.loopin(arguments).stdin(Stdio::piped()).spawn().expect("starts");
    // It may end without reading.
    let _ = child.stdin.take().expect("piped").write_all(input);
    Finished::new(child.wait_with_output().expect("ends"))
}

#[test]
fn an_added_integration_is_listed_shown_and_removed() {
    let sandbox = Sandbox::new();
    sandbox.configure("").run(&["integration", "list"]).assert_code(0).assert_says("no integrations yet");
    add(&sandbox, &["--scope", "a", "--scope", "b", "--redirect-uri", "http://127.0.0.1:8080/callback"])
        .assert_code(0)
        .assert_says("added work to")
        .assert_says("next: loopin login work");
    sandbox.run(&["integration", "list"]).assert_code(0).assert_says("work").assert_says(ISSUER);
    let shown = sandbox.run(&["integration", "show", "work"]);
    for text in
        ["[integration.work]", ISSUER, "me", "none (public client)", "http://127.0.0.1:8080/callback", "a b", "file"]
    {
        shown.assert_code(0).assert_says(text);
    }
    let json = sandbox.run(&["integration", "show", "work", "--json"]).json()["integration"].clone();
    assert_eq!(
        (json!(ISSUER), json!("me"), json!(["a", "b"]), json!("file")),
        (json["issuer"].clone(), json["client_id"].clone(), json["scopes"].clone(), json["store"].clone())
    );
    sandbox.run(&["integration", "remove", "work"]).assert_code(0).assert_says("removed work");
    sandbox.run(&["integration", "show", "work"]).assert_code(3).assert_says("there is no integration");
}

#[test]
fn an_added_integration_can_be_logged_in_to() {
    let provider = Provider::new();
    let sandbox = Sandbox::new();
    let arguments = [
        "integration",
        "add",
        "work",
        "--issuer",
        &provider.origin,
        "--client-id",
        loopin::practice::CLIENT_ID,
        "--store",
        "file",
    ];
    sandbox.run(&arguments).assert_code(0).assert_says("register at the provider: http://127.0.0.1:0/callback/work");
    provider.register("http://127.0.0.1:0/callback/work".into());
    let login = sandbox.login(&[]);
    login.person().allow();
    login.finished().assert_code(0);
    sandbox.run(&["token", "work"]).assert_code(0);
}

#[test]
fn without_a_terminal_nothing_is_asked_and_what_is_missing_is_named() {
    for (arguments, option) in [
        (&["--client-id", "me"][..], "--issuer URL"),
        (&["--issuer", ISSUER][..], "--client-id ID"),
        (&[][..], "--issuer URL"),
    ] {
        let sandbox = Sandbox::new();
        let missing = run_with_input(
            &sandbox,
            &[&["integration", "add", "work"], arguments].concat(),
            b"https://op.example\nme\n",
        );
        missing.assert_code(2).assert_says("is missing").assert_says(option);
        assert!(!sandbox.config().exists());
    }
}

#[test]
fn an_add_that_fails_leaves_nothing_behind() {
    let sandbox = Sandbox::new();
    for wrong in [
        ["--redirect-uri", "http://localhost:0/callback"],
        ["--redirect-uri", "https://app.example"],
        ["--revocation-endpoint", "http://op.example/revoke"],
        ["--scope", "two words\u{e9}"],
        ["--token-endpoint", "https://op.example/token"],
    ] {
        add(&sandbox, &wrong).assert_code(3);
        assert!(!sandbox.config().exists(), "{wrong:?}: {}", config(&sandbox));
        assert!(!sandbox.path("store.key").exists(), "{wrong:?}");
    }
    for name in ["", "Work", "a b", "../x", "ä", &"x".repeat(65)] {
        sandbox
            .run(&["integration", "add", name, "--issuer", ISSUER, "--client-id", "me"])
            .assert_code(2)
            .assert_says("is not a name");
    }
    assert_eq!(Vec::<String>::new(), sandbox.stored());
}

#[test]
fn a_redirect_that_breaks_a_rule_is_refused_with_its_number_and_the_remedy() {
    let sandbox = Sandbox::new();
    add(&sandbox, &["--redirect-uri", "http://localhost:0/callback"])
        .assert_code(3)
        .assert_says("rule native 2")
        .assert_says("write http://127.0.0.1:0/callback");
}

#[test]
fn the_key_of_the_file_store_is_made_once_and_for_its_owner_alone() {
    let sandbox = Sandbox::new();
    add(&sandbox, &[]).assert_code(0);
    let key = fs::read(sandbox.path("store.key")).expect("key");
    assert_eq!(32, key.len());
    assert_ne!(vec![key[0]; 32], key);
    #[cfg(unix)]
    assert_eq!(
        0o600,
        std::os::unix::fs::MetadataExt::mode(&fs::metadata(sandbox.path("store.key")).expect("key")) & 0o777
    );
    sandbox
        .run(&["integration", "add", "other", "--issuer", ISSUER, "--client-id", "me", "--store", "file"])
        .assert_code(0);
    assert_eq!(key, fs::read(sandbox.path("store.key")).expect("key"), "other grants are under it");
}

#[test]
fn s18_a_client_secret_comes_by_standard_input_goes_into_the_store_and_stands_in_no_file() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::new();
    let (authorize, token) = (format!("{}/authorize", server.origin), format!("{}/token", server.origin));
    let arguments = [
        "integration",
        "add",
        "work",
        "--authorization-endpoint",
        &authorize,
        "--token-endpoint",
        &token,
        "--client-id",
        "me",
        "--store",
        "file",
        "--secret-stdin",
    ];
    let added = run_with_input(&sandbox, &arguments, b"canary-secret\r\n");
    added.assert_code(0);
    assert!(!added.said().contains("canary"));
    assert!(config(&sandbox).contains("client_secret = { keychain = true }"), "{}", config(&sandbox));
    assert!(!sandbox.files().iter().any(|(_, content)| String::from_utf8_lossy(content).contains("canary-secret")));
    sandbox.run(&["integration", "show", "work"]).assert_says("client secret  in the store");

    sandbox.log_in(&[]).assert_code(0);
    let sent = server.requests().remove(0);
    // base64 of me:canary-secret
    assert!(sent.to_ascii_lowercase().contains("authorization: basic bwu6y2fuyxj5lxnly3jlda=="), "{sent}");

    sandbox.run(&["integration", "remove", "work"]).assert_code(2).assert_says("loopin logout work");
    sandbox.run(&["logout", "work"]).assert_code(0);
    sandbox.run(&["integration", "remove", "work"]).assert_code(0);
    assert_eq!(Vec::<String>::new(), sandbox.stored(), "the secret is gone too");
}

#[test]
fn an_empty_or_unreadable_secret_and_a_store_that_fails_add_nothing() {
    let sandbox = Sandbox::new();
    let arguments =
        ["integration", "add", "work", "--issuer", ISSUER, "--client-id", "me", "--secret-stdin", "--store"];
    let with = |store: &str, input: &[u8]| run_with_input(&sandbox, &[&arguments[..], &[store]].concat(), input);
    with("file", b"").assert_code(2).assert_says("standard input is empty");
    with("file", b"\n").assert_code(2).assert_says("standard input is empty");
    with("file", &[0xff, 0xfe]).assert_code(2).assert_says("not text");
    with("keychain", b"canary-secret").assert_code(8).assert_says("no keychain here");
    assert!(!sandbox.config().exists() && !sandbox.path("store.key").exists());
}

#[test]
fn a_secret_that_is_missing_where_the_configuration_says_is_told_with_its_place() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::new();
    for (source, code, says) in [
        ("{ keychain = true }", 3, "the client secret of work is not in the store"),
        ("{ env = \"WORK_SECRET\" }", 3, "set WORK_SECRET"),
        ("{ file = \"/nonexistent/secret\" }", 8, "/nonexistent/secret: no such file"),
    ] {
        sandbox.configure(&format!("{}client_secret = {source}\n", server.integration()));
        sandbox.run(&["login", "work"]).assert_code(code).assert_says(says);
    }
    assert_eq!(0, server.requests().len());
}

#[test]
fn a_taken_name_is_refused_and_the_file_is_left_as_it_is() {
    let sandbox = Sandbox::new();
    add(&sandbox, &[]).assert_code(0);
    let before = config(&sandbox);
    add(&sandbox, &["--scope", "other"])
        .assert_code(3)
        .assert_says("integration \"work\" already exists")
        .assert_says("loopin integration set work");
    assert_eq!(before, config(&sandbox));
}

#[test]
fn comments_order_mode_and_link_of_the_persons_file_stay() {
    let mine = "# mine\n[integration.b]   # b\nissuer = \"https://b.example\" # here\nclient_id = 'x'\n\n# the end\n";
    let sandbox = Sandbox::new();
    let real = sandbox.path("dotfiles.toml");
    fs::write(&real, mine).expect("file");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&real, sandbox.config()).expect("link");
        fs::set_permissions(&real, std::os::unix::fs::PermissionsExt::from_mode(0o640)).expect("mode");
    }
    #[cfg(not(unix))]
    fs::write(sandbox.config(), mine).expect("file");
    add(&sandbox, &[]).assert_code(0);
    assert!(
        config(&sandbox)
            .contains("# mine\n[integration.b]   # b\nissuer = \"https://b.example\" # here\nclient_id = 'x'\n"),
        "{}",
        config(&sandbox)
    );
    sandbox.run(&["integration", "remove", "work"]).assert_code(0);
    assert_eq!(mine, config(&sandbox));
    #[cfg(unix)]
    {
        assert!(fs::symlink_metadata(sandbox.config()).expect("link").is_symlink());
        assert_eq!(0o640, std::os::unix::fs::MetadataExt::mode(&fs::metadata(&real).expect("file")) & 0o777);
    }
}

#[test]
fn a_broken_file_is_told_with_its_place_and_never_rewritten() {
    let sandbox = Sandbox::new();
    let broken = "[integration.a]\nissuer = \n";
    sandbox.configure(broken);
    add(&sandbox, &[]).assert_code(3).assert_says("line 2, column");
    sandbox.run(&["integration", "remove", "a"]).assert_code(3).assert_says("line 2, column");
    assert_eq!(broken, config(&sandbox));
}

#[test]
fn removing_or_showing_a_misspelt_name_offers_the_nearest() {
    let sandbox = Sandbox::new();
    add(&sandbox, &[]).assert_code(0);
    for verb in ["remove", "show"] {
        sandbox
            .run(&["integration", verb, "wrok"])
            .assert_code(3)
            .assert_says("there is no integration")
            .assert_says("did you mean work?");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_a_person_is_asked_for_what_is_missing() {
    let sandbox = Sandbox::new();
    let line = "exec script -qec \"$1 integration add work --store file\" /dev/null";
    let mut child = sandbox.shell(line, &[]).stdin(Stdio::piped()).spawn().expect("script");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(b"https://op.example\nme\n\n").expect("typed");
    let finished = Finished::new(child.wait_with_output().expect("ends"));
    finished
        .assert_code(0)
        .assert_says("Issuer of the provider")
        .assert_says("Client identifier")
        .assert_says("added work");
    assert!(config(&sandbox).contains("issuer = \"https://op.example\"\nclient_id = \"me\""), "{}", config(&sandbox));
}

/// Metadata with another authorization endpoint than the one that is configured.
const MOVED: &str = r#"{"issuer":"{origin}","authorization_endpoint":"{origin}/v2/authorize","token_endpoint":"{origin}/token","code_challenge_methods_supported":["S256"]}"#;

#[test]
fn verify_finds_no_difference_at_a_provider_that_is_discovered() {
    let provider = Provider::new();
    let verified = Sandbox::with(&provider).run(&["integration", "verify", "work"]);
    verified.assert_code(0).assert_says(&format!("work agrees with the metadata of {}", provider.origin));
}

#[test]
fn verify_lists_what_the_provider_publishes_otherwise_with_the_line_that_takes_it_over() {
    let server = RawServer::metadata(MOVED);
    let sandbox = Sandbox::at(&server);
    let (verified, published) =
        (sandbox.run(&["integration", "verify", "work"]), format!("{}/v2/authorize", server.origin));
    verified.assert_code(0).assert_says(&format!("work differs from the metadata of {}:", server.origin));
    verified.assert_says("warning: authorization_endpoint");
    verified.assert_says(&format!("→ authorization_endpoint = \"{published}\""));
    assert!(!verified.stdout.contains("token_endpoint"), "it is the same: {verified:?}");
    let json = sandbox.run(&["integration", "verify", "work", "--json"]).json();
    let endpoint =
        json["differences"].as_array().and_then(|list| list.iter().find(|d| d["name"] == "authorization_endpoint"));
    assert_eq!(
        Some((json!(published), json!("warning"))),
        endpoint.map(|found| (found["published"].clone(), found["effect"].clone()))
    );
}

#[test]
fn verify_ends_with_3_where_a_login_cannot_work() {
    let plain = RawServer::metadata(MOVED.replace("S256", "plain"));
    let config =
        |origin: &str| format!("[integration.work]\nissuer = \"{origin}\"\nclient_id = \"me\"\nrequire_pkce = true\n");
    let sandbox = Sandbox::new();
    sandbox
        .configure(&config(&plain.origin))
        .run(&["integration", "verify", "work"])
        .assert_code(3)
        .assert_says("error: code_challenge_methods_supported");
    let other = RawServer::metadata(MOVED.replace(r#""issuer":"{origin}""#, r#""issuer":"https://op.example""#));
    let verified = sandbox.configure(&config(&other.origin)).run(&["integration", "verify", "work"]);
    verified.assert_code(3).assert_says("error: issuer").assert_says("issuer = \"https://op.example\"");
    let nothing = RawServer::json(404, "{}");
    sandbox.configure(&config(&nothing.origin)).run(&["integration", "verify", "work"]).assert_code(3);
}

#[test]
fn verify_compares_with_the_issuer_that_a_provider_names_at_its_own_origin_only() {
    let named =
        RawServer::replying(|request| match request.starts_with("GET /.well-known/oauth-authorization-server ") {
            true => tenant(request, "{host}/tenant"),
            false if request.starts_with("GET /.well-known/oauth-authorization-server/tenant ") => {
                tenant(request, "{host}/tenant")
            }
            false => reply(404, "", ""),
        });
    let verified = Sandbox::at(&named).run(&["integration", "verify", "work"]);
    verified.assert_code(0).assert_says(&format!("→ issuer = \"{}/tenant\"", named.origin));
    let other = RawServer::replying(|request| tenant(request, "https://op.example"));
    let verified = Sandbox::at(&other).run(&["integration", "verify", "work"]);
    verified.assert_code(0).assert_says("there is no metadata of");
    assert!(!verified.said().contains("op.example"), "{verified:?}");
}

/// Metadata with this issuer; `{host}` stands for the origin that was asked.
fn tenant(request: &str, issuer: &str) -> String {
    let host = request.lines().find_map(|line| line.strip_prefix("host: ").or(line.strip_prefix("Host: ")));
    let origin = format!("http://{}", host.unwrap_or_default());
    let document = MOVED.replacen("{origin}", issuer, 1).replace("{host}", &origin).replace("{origin}", &origin);
    reply(200, "Content-Type: application/json\r\n", &document)
}

#[test]
fn verify_reports_a_provider_that_cannot_be_reached_or_is_down_as_unavailable() {
    let down = RawServer::json(503, "{}");
    let sandbox = Sandbox::at(&down);
    sandbox.run(&["integration", "verify", "work"]).assert_code(7).assert_says("answers 503");
    drop(down);
    sandbox.run(&["integration", "verify", "work"]).assert_code(7).assert_says("cannot connect");
    let provider = Sandbox::at(&RawServer::json(404, "{}"));
    provider.run(&["integration", "verify", "nowork"]).assert_code(3).assert_says("there is no integration");
}

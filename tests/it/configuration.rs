//! Bad input of every kind: one clear message each, and nothing stored.

use std::net::{Ipv4Addr, TcpListener};

use loopin::practice::Fault;

use crate::harness::{Login, Provider, RawServer, Sandbox, TOKENS};

/// One integration whose issuer is there.
fn discovered(issuer: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.configure(&format!(
        "[integration.work]\nissuer = \"{issuer}\"\nclient_id = \"me\"\nstore = \"file\"\nstore_key = {{ file = \"{{key}}\" }}\n"
    ));
    sandbox
}

#[test]
fn an_unknown_integration_offers_the_nearest_name() {
    let sandbox = Sandbox::new();
    let table = |name: &str| format!("[integration.{name}]\nissuer = \"https://op.example\"\nclient_id = \"x\"\n");
    sandbox.configure(&(table("gitlab") + &table("github-work")));
    for verb in ["login", "token", "status", "logout"] {
        for (typed, meant) in [("gitlub", "gitlab"), ("github-wrok", "github-work"), ("GitLab", "gitlab")] {
            sandbox
                .run(&[verb, typed])
                .assert_code(3)
                .assert_says(&format!("there is no integration \"{typed}\""))
                .assert_says(&format!("did you mean {meant}?"));
        }
        sandbox.run(&[verb, "something-else"]).assert_code(3).assert_says("loopin integration list");
    }
    for verb in ["login", "token"] {
        sandbox.run(&[verb]).assert_code(2).assert_says("there is more than one integration; name one");
    }
    sandbox.configure("");
    sandbox
        .run(&["login"])
        .assert_code(3)
        .assert_says("there is no integration yet")
        .assert_says("loopin integration add NAME");
}

/// What is in the file, the place, what is said, and what is expected instead.
const TYPOS: [(&str, &str, &str, &str); 21] = [
    (
        "issuer = \"https://a.example\"\nclientid = \"x\"\n",
        "line 3, column 1",
        "unknown field `clientid`",
        "did you mean client_id?",
    ),
    (
        "isuer = \"https://a.example\"\nclient_id = \"x\"\n",
        "line 2, column 1",
        "unknown field `isuer`",
        "did you mean issuer?",
    ),
    ("issuer = \"https://a.example\"\n", "line 1, column 1", "client_id is missing", "add: client_id"),
    ("client_id = \"x\"\n", "line 1, column 1", "no provider", "add: provider"),
    ("issuer = \"https://a.example\nclient_id = \"x\"\n", "line 2, column", "", ""),
    ("issuer = \"http://a.example\"\nclient_id = \"x\"\n", "line 2, column 10", "issuer is not a safe URL", ""),
    ("issuer = 5\nclient_id = \"x\"\n", "line 2, column 10", "expected a string", ""),
    ("issuer = \"https://a.example\"\nclient_id = \"x\"\nstore = \"files\"\n", "line 4, column 9", "files", "keychain"),
    ("issuer = \"https://a.example\"\nclient_id = \"x\"\nscopes = [\"a b\"]\n", "line 4, column 11", "", ""),
    (
        "issuer = \"https://a.example\"\nclient_id = \"x\"\nscopes = \"a\"\n",
        "line 4, column 10",
        "expected a sequence",
        "",
    ),
    (
        "issuer = \"https://a.example\"\nclient_id = \"x\"\nclient_secret = \"canary\"\n",
        "line 4, column 17",
        "a secret never stands in this file",
        "keychain = true",
    ),
    (
        "issuer = \"https://a.example\"\nclient_id = \"x\"\nclient_secret = { value = \"canary\" }\n",
        "line 4, column 17",
        "a secret never stands in this file",
        "env =",
    ),
    (
        "issuer = \"https://a.example\"\nclient_id = \"x\"\nclient_secret = 5318008\n",
        "line 4, column 17",
        "a secret never stands in this file",
        "file =",
    ),
    (
        "issuer = \"https://a.example\"\nclient_id = \"x\"\nredirect_uri = \"http://localhost:0/callback\"\n",
        "line 4, column 16",
        "rule native 2",
        "loopin redirect check",
    ),
    (
        "issuer = \"https://a.example\"\nclient_id = \"x\"\nredirect_uri = \"http://127.0.0.1:0/callback#x\"\n",
        "line 4, column 16",
        "rule 10",
        "write http://127.0.0.1:0/callback",
    ),
    (
        "issuer = \"https://a.example\"\nclient_id = \"x\"\nredirect_uri = [\"http://127.0.0.1:0/callback\", \"https://a.example\"]\n",
        "line 4, column 16",
        "rule 2",
        "write https://a.example/",
    ),
    (
        "issuer = \"https://a.example\"\nclient_id = \"x\"\nredirect_uri = []\n",
        "line 4, column 16",
        "redirect_uri is an empty list",
        "write: redirect_uri",
    ),
    (
        "issuer = \"https://a.example\"\nclient_id = \"x\"\nredirect_uri = \"http://127.0.0.1:0/callback?state=x\"\n",
        "line 4, column 16",
        "its query has state",
        "another parameter name",
    ),
    (
        "issuer = \"https://a.example\"\nclient_id = \"x\"\n[integration.work.params]\nstate = \"x\"\n",
        "line 5, column 1",
        "state",
        "itself",
    ),
    (
        "issuer = \"https://a.example\"\nclient_id = \"x\"\n[integration.work.actions]\nall = [\"x\"]\n",
        "line 5, column 1",
        "\"all\" stands for every action",
        "",
    ),
    (
        "authorization_endpoint = \"https://a.example/a\"\nclient_id = \"x\"\n",
        "line 1, column 1",
        "token_endpoint is missing",
        "leave both out and write issuer",
    ),
];

#[test]
fn a_fault_in_the_file_is_told_with_line_column_and_what_is_expected() {
    for (text, place, says, expected) in TYPOS {
        let sandbox = Sandbox::new();
        sandbox.configure(&format!("[integration.work]\n{text}"));
        let config = sandbox.config();
        for verb in [["login", "work", "--timeout", "1s"].as_slice(), &["token"], &["status"], &["integration", "list"]]
        {
            let told = sandbox.run(verb);
            told.assert_code(3)
                .assert_says(&format!("{}: {place}", config.display()))
                .assert_says(says)
                .assert_says(expected);
            assert!(!told.said().contains("canary") && !told.said().contains("5318008"), "{told:?}");
        }
        let json = sandbox.run(&["status", "--json"]);
        assert_eq!("configuration", json.assert_code(3).json()["error"]["code"], "{json:?}");
        assert_eq!(Vec::<String>::new(), sandbox.stored());
    }
}

#[test]
fn a_revocation_endpoint_beside_an_issuer_counts_where_the_metadata_has_none() {
    let server = RawServer::discovered();
    let sandbox = discovered(&server.origin);
    for (line, revoked) in
        [(String::new(), false), (format!("revocation_endpoint = \"{}/end\"\n", server.origin), true)]
    {
        sandbox.configure(&(std::fs::read_to_string(sandbox.config()).expect("configuration") + &line));
        let login = sandbox.login(&[]);
        login.answer("x");
        login.finished().assert_code(0);
        let words = if revoked { "the tokens are revoked at the provider" } else { "write it as revocation_endpoint" };
        sandbox.run(&["logout", "work"]).assert_code(0).assert_says(words);
        assert_eq!(revoked, server.requests().iter().any(|request| request.starts_with("POST /end ")));
    }
    let shown = sandbox.run(&["integration", "show", "work", "--json"]).json();
    assert_eq!(format!("{}/end", server.origin), shown["integration"]["revocation_endpoint"]);
}

#[test]
fn a_name_that_is_no_name_a_stray_table_and_bytes_that_are_no_text_are_told() {
    let sandbox = Sandbox::new();
    for (text, says) in [
        ("[integration.\"Not Good\"]\nissuer = \"https://a.example\"\nclient_id = \"x\"\n", "is not a name"),
        ("[integrations.work]\nissuer = \"https://a.example\"\n", "did you mean integration?"),
        ("[integration]\nwork = 5\n", "line 2"),
    ] {
        sandbox.configure(text);
        sandbox.run(&["status"]).assert_code(3).assert_says(says);
    }
    std::fs::write(sandbox.config(), [0xff, 0xfe, b'a']).expect("file");
    sandbox.run(&["status"]).assert_code(3).assert_says("config.toml");
    std::fs::remove_file(sandbox.config()).expect("removed");
    std::fs::create_dir(sandbox.config()).expect("directory");
    sandbox.run(&["status"]).assert_code(3).assert_says("config.toml");
}

#[test]
fn config_and_its_variable_name_the_file_in_that_order() {
    let sandbox = Sandbox::new();
    let table = |name: &str| format!("[integration.{name}]\nissuer = \"https://op.example\"\nclient_id = \"x\"\n");
    sandbox.configure(&table("by-variable"));
    let other = sandbox.path("other.toml");
    std::fs::write(&other, table("by-option")).expect("file");
    sandbox.run(&["integration", "list"]).assert_says("by-variable");
    sandbox.run(&["integration", "list", "--config", other.to_str().expect("path")]).assert_says("by-option");
    let usual = sandbox.path("home").join(".config/loopin/config.toml");
    std::fs::create_dir_all(usual.parent().expect("folder")).expect("folder");
    std::fs::write(usual, table("at-home")).expect("file");
    if cfg!(all(unix, not(target_os = "macos"))) {
        let output = sandbox.loopin(&["integration", "list"]).env_remove("LOOPIN_CONFIG").output();
        crate::harness::Finished::new(output.expect("runs")).assert_code(0).assert_says("at-home");
    }
}

#[test]
fn a_command_line_that_is_wrong_exits_with_2_and_changes_nothing() {
    let sandbox = Sandbox::with(&Provider::new());
    for arguments in [
        ["login", "--timeout", "soon"].as_slice(),
        &["login", "--timeout", "0s"],
        &["login", "--port", "0"],
        &["login", "--port", "65536"],
        &["login", "--how", "magic"],
        &["login", "--param", "no-value"],
        &["login", "--param", "=x"],
        &["login", "--browser", "x 'unclosed"],
        &["login", "--scope", "a\"b"],
        &["login", "one", "two"],
        &["login", "--client-secret", "x"],
        &["token", "--store", "memory"],
        &["nonsense"],
        &["--nonsense"],
        &["redirect", "check"],
        &["logout"],
    ] {
        sandbox.run(arguments).assert_code(2);
        let json = sandbox.run(&[arguments, &["--json"]].concat());
        assert_eq!("usage", json.assert_code(2).json()["error"]["code"], "{json:?}");
    }
    for owned in [
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "nonce",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
    ] {
        sandbox
            .run(&["login", "--param", &format!("{owned}=x")])
            .assert_code(2)
            .assert_says(&format!("sets {owned} itself"));
    }
    assert_eq!(Vec::<String>::new(), sandbox.stored());
}

/// A port that somebody else holds.
fn taken() -> (TcpListener, u16) {
    let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("port");
    let port = holder.local_addr().expect("address").port();
    (holder, port)
}

#[test]
fn a_port_that_is_taken_is_told_and_the_next_redirect_is_tried() {
    let server = RawServer::json(200, TOKENS);
    let (_holder, port) = taken();
    let fixed = format!("http://127.0.0.1:{port}/callback");
    let sandbox = Sandbox::new();
    sandbox.configure(&format!("{}redirect_uri = \"{fixed}\"\n", server.integration()));
    sandbox
        .run(&["login", "work"])
        .assert_code(3)
        .assert_says(&format!("port {port} is in use by another program"))
        .assert_says("another registered redirect");
    sandbox.configure(&server.integration());
    sandbox.run(&["login", "work", "--port", &port.to_string()]).assert_code(3).assert_says("is in use");
    assert_eq!(Vec::<String>::new(), sandbox.stored());

    sandbox
        .configure(&format!("{}redirect_uri = [\"{fixed}\", \"http://127.0.0.1:0/callback\"]\n", server.integration()));
    let finished = sandbox.log_in(&[]);
    finished.assert_code(0).assert_says(&format!("{fixed}: port {port} is in use by another program; trying the next"));
}

#[test]
fn a_port_that_contradicts_the_registered_one_is_refused() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::new();
    sandbox.configure(&format!("{}redirect_uri = \"http://127.0.0.1:8123/callback\"\n", server.integration()));
    sandbox.run(&["login", "work", "--port", "8124"]).assert_code(3).assert_says("has port 8123").assert_says("8124");
}

#[test]
fn a_redirect_that_nobody_can_listen_at_is_told_with_the_one_to_register() {
    let server = RawServer::json(200, TOKENS);
    for (redirect, says) in [
        ("http://127.0.0.1/callback", "write :0 for any port, or the port"),
        ("https://app.example/callback", "register http://127.0.0.1:0/callback/NAME"),
        ("com.example.app://callback/", "register http://127.0.0.1:0/callback/NAME"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.configure(&format!("{}redirect_uri = \"{redirect}\"\n", server.integration()));
        sandbox.run(&["login", "work"]).assert_code(3).assert_says(says);
    }
}

#[test]
fn without_a_browser_the_url_is_printed_or_with_how_browser_the_login_fails() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    sandbox
        .run(&["login", "work", "--how", "browser"])
        .assert_code(7)
        .assert_says("there is no display to open a browser on")
        .assert_says("--browser COMMAND");
    sandbox
        .log_in(&[])
        .assert_code(0)
        .assert_says("there is no display")
        .assert_says("open the URL above on this machine");

    let mut in_ci = sandbox.loopin(&["login", "work"]);
    in_ci.env("CI", "true").env("DISPLAY", ":0");
    let login = Login::start(in_ci);
    login.answer("a-code");
    login.finished().assert_code(0).assert_says("no browser is opened in CI");
}

#[cfg(unix)]
#[test]
fn a_browser_that_fails_is_told_and_only_how_browser_ends_the_login() {
    let server = RawServer::json(200, TOKENS);
    for (command, says) in [
        ("false", "the browser command false failed (exit code 1)"),
        ("no-such-browser-anywhere", "no browser command was found"),
        ("sh -c 'kill -9 $$'", "the browser command sh was ended by a signal"),
    ] {
        let sandbox = Sandbox::at(&server);
        let failed = sandbox.run(&["login", "work", "--how", "browser", "--browser", command]);
        failed.assert_code(7).assert_says(says).assert_says("open the URL above yourself");
        assert_eq!(Vec::<String>::new(), sandbox.stored());

        let mut login = sandbox.login(&["--browser", command]);
        login.wait_for(says);
        login.answer("a-code");
        login.finished().assert_code(0);
    }
}

#[test]
fn nobody_answering_is_a_time_out_that_names_the_command() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    let late = sandbox.run(&["login", "work", "--timeout", "1s"]);
    late.assert_code(6).assert_says("nobody answered within 1 s").assert_says("→ loopin login work");
    assert_eq!("timeout", sandbox.run(&["login", "work", "--timeout", "1s", "--json"]).json()["error"]["code"]);
    assert_eq!(Vec::<String>::new(), sandbox.stored());
}

#[test]
fn a_person_who_says_no_is_told_so_and_nothing_is_stored() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let login = sandbox.login(&[]);
    let page = login.person().deny();
    assert!(page.body.contains("You are not signed in"), "{page:?}");
    login
        .finished()
        .assert_code(5)
        .assert_says("the provider said: \"access_denied")
        .assert_says("→ loopin login work");
    assert_eq!(0, provider.counters().token);
    assert_eq!(Vec::<String>::new(), sandbox.stored());
}

#[test]
fn a_provider_that_is_down_is_told() {
    let origin = RawServer::json(200, "").origin.clone();
    let sandbox = discovered(&origin);
    let down = sandbox.run(&["login", "work"]);
    down.assert_code(7)
        .assert_says("/.well-known/oauth-authorization-server cannot be read")
        .assert_says("the connection was refused")
        .assert_says("check the network and issuer");
    assert_eq!(Vec::<String>::new(), sandbox.stored());
}

#[test]
fn a_provider_that_answers_nonsense_is_told() {
    for (status, body, code, says) in [
        (200, "<html>canary</html>", 7, "no usable metadata for http://127.0.0.1"),
        (200, "", 7, "/.well-known/openid-configuration is not JSON"),
        (200, "\"canary\"", 7, "is not metadata"),
        (200, "[]", 7, "has no issuer"),
        (200, "{\"issuer\":", 7, "is not JSON"),
        (404, "canary", 7, "/.well-known/oauth-authorization-server answers 404"),
        (500, "canary", 7, "answers 500"),
        (200, "{\"issuer\":\"https://evil.example\"}", 9, "issuer = \"https://evil.example\""),
        (200, "{\"issuer\":\"https://op.example/{tenantid}/v2.0\"}", 9, "write issuer with your tenant's ID in it"),
    ] {
        let server = RawServer::json(status, body);
        let sandbox = discovered(&server.origin);
        let told = sandbox.run(&["login", "work"]);
        told.assert_code(code).assert_says(says);
        assert!(!told.said().contains("canary") && !told.said().contains("To sign in"), "{told:?}");
        assert_eq!(Vec::<String>::new(), sandbox.stored());
    }
    let not_http = RawServer::new(|_, stream| drop(std::io::Write::write_all(stream, b"SSH-2.0-canary\r\n")));
    let told = discovered(&not_http.origin).run(&["login", "work"]);
    told.assert_code(7).assert_says("cannot be read");
    assert!(!told.said().contains("canary"), "{told:?}");
}

#[test]
fn metadata_without_an_endpoint_is_told_by_its_name() {
    let server = RawServer::metadata(r#"{"issuer":"{origin}","authorization_endpoint":"{origin}/a"}"#);
    discovered(&server.origin)
        .run(&["login", "work"])
        .assert_code(7)
        .assert_says("/.well-known/openid-configuration has no token_endpoint");
}

#[test]
fn x01_metadata_of_another_issuer_is_refused_byte_for_byte() {
    let provider = Provider::with(vec![Fault::MetadataOfOtherIssuer]);
    Sandbox::with(&provider).run(&["login", "work"]).assert_code(9);
}

#[test]
fn d12_an_issuer_that_does_not_match_is_shown_beside_the_configured_one() {
    let provider = Provider::with(vec![Fault::MetadataOfOtherIssuer]);
    let origin = &provider.origin;
    Sandbox::with(&provider).run(&["login", "work"]).assert_code(9).assert_says(&format!(
        "the issuer in the provider's metadata is {origin}/, and {origin} is configured\n  \
         → if you trust {origin}/, write: issuer = \"{origin}/\""
    ));
}

#[test]
fn a_provider_that_does_not_promise_pkce_is_told_and_with_require_pkce_refused() {
    let provider = Provider::with(vec![Fault::MetadataWithoutS256]);
    let sandbox = Sandbox::with(&provider);
    let login = sandbox.login(&[]);
    login.person().allow();
    login.finished().assert_code(0).assert_says("pkce_unverified");
    sandbox.configure(&(provider.integration() + "require_pkce = true\n"));
    sandbox.run(&["login", "work"]).assert_code(9).assert_says("require_pkce is set");
}

#[test]
fn a_state_directory_that_cannot_be_had_is_told_with_its_path() {
    let sandbox = Sandbox::with(&Provider::new());
    let file = sandbox.path("a-file");
    std::fs::write(&file, "").expect("file");
    let output = sandbox.loopin(&["token", "work"]).env("LOOPIN_STATE_DIR", file.join("below")).output();
    crate::harness::Finished::new(output.expect("runs")).assert_code(8).assert_says("a-file");
}

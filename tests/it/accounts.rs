//! Several accounts and actions, who signed in, and logins whose integration or store is gone. T04, T10.

use std::{
    fs,
    io::Write,
    process::Stdio,
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::harness::{Finished, JSON, RawServer, Sandbox, TOKENS, send, write_private};

/// Signed in as the default account, as anna, and for one action.
fn three_logins(server: &RawServer) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.configure(&(server.integration() + "[integration.work.actions]\nread = [\"r\"]\n"));
    for arguments in [[].as_slice(), &["--account", "anna"], &["--action", "read"]] {
        sandbox.log_in(arguments).assert_code(0);
    }
    sandbox
}

fn revocations(server: &RawServer) -> usize {
    server.requests().iter().filter(|request| request.starts_with("POST /revoke ")).count()
}

#[test]
fn t04_a_logout_lists_the_logins_that_are_left_with_their_commands() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = three_logins(&server);
    let logout = sandbox.run(&["logout", "work"]);
    logout.assert_code(0).assert_says("logged out of work;").assert_says("still stored:");
    logout.assert_says("account \"anna\": loopin logout work --account anna\n");
    logout.assert_says("action \"read\": loopin logout work --action read\n");
    logout.assert_says("all of them: loopin logout work --all\n");
    let left = sandbox.run(&["logout", "work", "--json"]).json();
    assert_eq!(json!("nothing_stored"), left["revocation"]);
    assert_eq!(json!("loopin logout work --account anna"), left["left"][0]["command"]);
    sandbox.run(&["logout", "work", "--account", "anna"]).assert_code(0).assert_says("(account \"anna\")");
    let last = sandbox.run(&["logout", "work", "--action", "read"]);
    assert!(!last.assert_code(0).said().contains("still stored"), "{last:?}");
}

#[test]
fn t04_all_logins_of_an_integration_or_of_every_integration_are_ended_at_once() {
    let server = RawServer::json(200, TOKENS);
    for arguments in [["logout", "work", "--all"].as_slice(), &["logout", "--all"]] {
        let sandbox = three_logins(&server);
        let before = revocations(&server);
        let logout = sandbox.run(arguments);
        logout.assert_code(0).assert_says("(account \"anna\")").assert_says("(action \"read\")");
        assert!(revocations(&server) >= before + 3, "each at the provider");
        assert_eq!(Vec::<String>::new(), sandbox.stored());
        sandbox.run(arguments).assert_code(0).assert_says("nobody was logged in");
    }
    let sandbox = Sandbox::at(&server);
    sandbox.run(&["logout"]).assert_code(2).assert_says("loopin logout NAME, or --all");
    sandbox.run(&["logout", "work", "--all", "--account", "a"]).assert_code(2);
    sandbox.run(&["logout", "wrok", "--all"]).assert_code(3).assert_says("did you mean work?");
}

#[test]
fn t04_an_integration_is_removed_after_the_command_that_is_shown() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = three_logins(&server);
    sandbox
        .run(&["integration", "remove", "work"])
        .assert_code(2)
        .assert_says(
            "work still has stored logins: account \"anna\"; the default account, all actions; action \"read\"",
        )
        .assert_says("loopin logout work --all");
    sandbox.run(&["logout", "work", "--all"]).assert_code(0);
    sandbox.run(&["integration", "remove", "work"]).assert_code(0);
}

#[test]
fn t04_a_login_whose_integration_is_gone_is_shown_revoked_and_forgotten() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = three_logins(&server);
    sandbox.configure("");
    let status = sandbox.run(&["status", "work"]);
    status.assert_code(3).assert_says("not in the configuration any more");
    status.assert_says("→ loopin logout work --account anna");
    sandbox.run(&["logout", "work", "--account", "anna"]).assert_code(0).assert_says("revoked at the provider");
    assert!(server.requests().last().expect("request").contains("client_id=me"), "the login knows its client");
    sandbox.run(&["logout", "work", "--account", "anna"]).assert_code(0).assert_says("nobody was logged in");
    // Without its key there is nothing to show to the provider.
    fs::remove_file(sandbox.path("store.key")).expect("key");
    sandbox.run(&["logout", "work", "--all"]).assert_code(0).assert_says("cannot be read");
    assert_eq!(Vec::<String>::new(), sandbox.stored());
    sandbox.run(&["status", "work"]).assert_code(3).assert_says("there is no integration");
    sandbox.run(&["logout", "work"]).assert_code(3).assert_says("there is no integration");
}

/// The state directory of before, at another place: its logins belong to a store that is not in use.
fn moved(sandbox: &Sandbox) -> impl Fn(&[&str]) -> Finished {
    let place = sandbox.path("moved");
    fs::rename(sandbox.state(), &place).expect("moved");
    move |arguments| {
        let mut command = sandbox.loopin(arguments);
        Finished::new(command.env("LOOPIN_STATE_DIR", &place).output().expect("runs"))
    }
}

#[test]
fn t04_logins_of_stores_that_are_not_in_use_are_counted_and_shown_on_request() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = three_logins(&server);
    let run = moved(&sandbox);
    let status = run(&["status"]);
    status.assert_code(0).assert_says("not logged in").assert_says("3 more in keychains or state directories");
    assert!(!status.said().contains("anna"), "{status:?}");
    run(&["status", "--all"]).assert_code(0).assert_says("anna").assert_says("that is not in use now");
    assert_eq!(json!(3), run(&["status", "--json"]).json()["elsewhere"]);
    run(&["logout", "work", "--all"]).assert_code(0).assert_says("this only forgets it");
    run(&["logout", "work", "--account", "anna", "--local"])
        .assert_code(0)
        .assert_says("what loopin knew about it is gone");
    assert_eq!(json!(2), run(&["status", "--json"]).json()["elsewhere"]);
}

#[test]
fn t04_a_login_in_a_keychain_that_is_gone_is_forgotten_by_the_command_that_is_shown() {
    // src/vault/key.rs pins this name: the default account of work, in the keychain.
    const INDEX: &str = "114526d04bd2efbddab10e9fcbea1bfa133893a4ebf514c9649850d70735db53.index";
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&["--account", "anna"]).assert_code(0);
    let entry = json!({ "v": 1, "integration": "work", "account": "default", "action": "all", "store": "keychain",
        "store_identity": "", "iss": null, "sub": null, "obtained_at": 0 });
    write_private(&sandbox.state().join(INDEX), entry.to_string().as_bytes());
    sandbox.run(&["logout", "work", "--account", "anna"]).assert_says("loopin logout work --store keychain");
    let stuck = sandbox.run(&["logout", "work", "--all"]);
    stuck.assert_code(8).assert_says("no keychain here").assert_says("loopin logout work --local --store keychain");
    let forgotten = sandbox.run(&["logout", "work", "--local", "--store", "keychain"]);
    forgotten.assert_code(0).assert_says("what loopin knew about it is gone");
    assert_eq!(Vec::<String>::new(), sandbox.stored());
    sandbox.run(&["integration", "remove", "work"]).assert_code(0);
}

/// A login whose id_token has these claims beside the usual ones.
fn login_as(claims: &Value, arguments: &[&str]) -> (Sandbox, Finished) {
    let claims = claims.clone();
    let nonce = Arc::new(Mutex::new(String::new()));
    let sent = Arc::clone(&nonce);
    let server = RawServer::new(move |_, stream| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let mut payload = json!({ "iss": "https://op.example", "sub": "7", "aud": "me", "exp": now + 600, "iat": now });
        payload["nonce"] = sent.lock().expect("nonce").as_str().into();
        for (name, value) in claims.as_object().expect("claims") {
            payload[name] = value.clone();
        }
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let id_token = format!("{}.{}.c2ln", part(&json!({ "alg": "RS256" })), part(&payload));
        let tokens = json!({ "access_token": "a", "refresh_token": "r", "expires_in": 600, "id_token": id_token,
            "refresh_token_expires_in": 999_999, "authorization_expires_in": 86_400 });
        send(stream, 200, JSON, tokens.to_string().as_bytes());
    });
    let sandbox = Sandbox::at(&server);
    let login = sandbox.login(&[&["--scope", "openid"], arguments].concat());
    *nonce.lock().expect("nonce") = login.parameter("nonce");
    login.answer("a-code");
    (sandbox, login.finished())
}

#[test]
fn t10_login_and_status_name_the_user_of_the_id_token() {
    let ada = json!({ "email": "ada@op.example", "name": "Ada\u{1b}[31m" });
    let (sandbox, login) = login_as(&ada, &[]);
    login.assert_code(0).assert_says("signed in to work as ada@op.example;");
    sandbox.run(&["status"]).assert_code(0).assert_says("signed in as ada@op.example");
    assert_eq!(json!("ada@op.example"), sandbox.run(&["status", "--json"]).json()["grants"][0]["user"]);
    let (sandbox, login) = login_as(&json!({ "name": "Ada\u{1b}[31m" }), &["--account", "anna"]);
    login.assert_code(0).assert_says("signed in to work as Ada [31m, stored as anna;");
    sandbox.run(&["status"]).assert_code(0).assert_says("account anna").assert_says("signed in as Ada [31m");
    login_as(&json!({}), &[]).1.assert_code(0).assert_says("signed in to work as 7;");
}

#[test]
fn t10_status_says_when_the_next_sign_in_is_due_where_the_provider_has_said_it() {
    let (sandbox, _) = login_as(&json!({}), &[]);
    sandbox.run(&["status"]).assert_says("next sign-in: by 2").assert_says("(23 h left)");
    assert!(sandbox.run(&["status", "--json"]).json()["grants"][0]["sign_in_due"].is_string());
    let server = RawServer::json(200, r#"{"access_token":"a","refresh_token":"r","expires_in":600}"#);
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    sandbox.run(&["status"]).assert_says("next sign-in: when the provider ends this one");
    let server = RawServer::json(200, r#"{"access_token":"a","expires_in":600}"#);
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    sandbox.run(&["status"]).assert_says("next sign-in: by 2").assert_says("(9 min left)");
}

#[cfg(unix)]
#[test]
fn t10_a_login_says_that_it_opens_a_browser_and_a_demo_what_comes_next() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    let browser = sandbox.script("browser", "exit 0");
    sandbox.log_in(&["--browser", &browser]).assert_code(0).assert_says("opening the browser");
    sandbox.run(&["demo", "--yes"]).assert_code(0).assert_says("next: add an integration of your own");
}

/// `loopin login work --refresh-token-stdin`, with this on standard input.
fn import(sandbox: &Sandbox, arguments: &[&str], input: &str) -> Finished {
    let mut command = sandbox.loopin(&[&["login", "work", "--refresh-token-stdin"], arguments].concat());
    let mut child = command.stdin(Stdio::piped()).spawn().expect("starts");
    // It may end without reading.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    Finished::new(child.wait_with_output().expect("ends"))
}

#[test]
fn a_refresh_token_of_another_program_is_used_once_and_becomes_a_login() {
    let server = RawServer::json(200, r#"{"access_token":"a-token","refresh_token":"canary-new","expires_in":600}"#);
    let sandbox = Sandbox::at(&server);
    let imported = import(&sandbox, &[], "canary-old\n");
    imported.assert_code(0).assert_says("signed in to work;").assert_says("must not use this refresh token any more");
    assert!(!imported.said().contains("canary"), "{imported:?}");
    let requests = server.requests();
    assert_eq!(1, requests.len());
    assert!(requests[0].contains("grant_type=refresh_token") && requests[0].contains("refresh_token=canary-old"));
    assert_eq!("a-token\n", sandbox.run(&["token", "work"]).assert_code(0).stdout);
    assert!(!sandbox.files().iter().any(|(_, content)| String::from_utf8_lossy(content).contains("canary")));
    import(&sandbox, &[], "canary-other").assert_code(2).assert_says("loopin logout work");
    assert_eq!("a-token\n", sandbox.run(&["token", "work"]).stdout);
    import(&sandbox, &["--account", "anna"], "canary-other").assert_code(0).assert_says("as anna");
}

#[test]
fn a_refresh_token_that_the_provider_refuses_leaves_nothing_behind_and_an_outage_loses_nothing() {
    let server = RawServer::json(400, r#"{"error":"invalid_grant"}"#);
    let sandbox = Sandbox::at(&server);
    import(&sandbox, &[], "canary").assert_code(4).assert_says("loopin login work");
    assert_eq!(Vec::<String>::new(), sandbox.stored());
    import(&sandbox, &[], "").assert_code(2).assert_says("standard input is empty: the refresh token");
    import(&sandbox, &["--prompt", "login"], "canary").assert_code(2);

    let down = RawServer::json(503, "{}");
    let sandbox = Sandbox::at(&down);
    import(&sandbox, &[], "canary").assert_code(7);
    sandbox.run(&["status", "work"]).assert_says("a refresh token is stored");
}

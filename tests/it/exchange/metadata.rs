//! What a provider sends beside the tokens: what is kept of it, for how long, and what never is. D10.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::harness::{JSON, RawServer, Sandbox, http, send};

/// The lines of an integration that keeps these.
const KEEP: &str = "keep_from_token = [\"instance_url\", \"team.id\", \"hub_id\"]\n\
                    keep_from_callback = [\"realmId\", \"location\"]\naccount_from = \"realmId\"\n";
/// The first 16 digits of the SHA-256 of "t0".
const FIRST: &str = "512f26ada3c3d634";

/// A token endpoint whose n-th response has the token `tN` and these members.
fn server(responses: Vec<Value>) -> RawServer {
    let count = AtomicUsize::new(0);
    RawServer::new(move |_, stream| {
        let n = count.fetch_add(1, Ordering::SeqCst);
        let mut body = responses[n.min(responses.len() - 1)].clone();
        body["access_token"] = format!("t{n}").into();
        body["refresh_token"] = format!("r{n}").into();
        body["expires_in"] = 3600.into();
        send(stream, 200, JSON, body.to_string().as_bytes());
    })
}

fn keeping(server: &RawServer, lines: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.configure(&(server.integration() + lines));
    sandbox
}

fn metadata(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    sandbox.run(&[&["token", "work", "--json"], arguments].concat()).assert_code(0).json()["metadata"].clone()
}

#[test]
fn d10_what_comes_beside_the_tokens_is_kept_over_refreshes_and_replaced_by_a_login() {
    let server = server(vec![
        json!({ "instance_url": "https://one.example", "team": { "id": "T1", "name": "unwanted" }, "hub_id": 62_515 }),
        json!({ "instance_url": "https://two.example", "team": {}, "hub_id": null }),
        json!({ "hub_id": 7 }),
    ]);
    let sandbox = keeping(&server, KEEP);
    let login = sandbox.login(&["--json"]);
    login.answer_with(&[("code", "x"), ("realmId", "9130"), ("location", "eu"), ("other", "unwanted")]);
    let first = json!({
        "instance_url": "https://one.example", "team.id": "T1", "hub_id": 62_515, "realmId": "9130", "location": "eu",
    });
    assert_eq!(first, login.finished().assert_code(0).json()["metadata"]);
    assert_eq!(first, metadata(&sandbox, &[]));
    let mut refreshed = first;
    refreshed["instance_url"] = "https://two.example".into();
    assert_eq!(
        refreshed,
        metadata(&sandbox, &["--rejected", FIRST]),
        "a new value replaces the old one, the others stay"
    );
    assert_eq!(refreshed, metadata(&sandbox, &[]));
    let again = sandbox.login(&[]);
    again.answer_with(&[("code", "x"), ("realmId", "9131")]);
    again.finished().assert_code(0);
    assert_eq!(json!({ "hub_id": 7, "realmId": "9131" }), metadata(&sandbox, &[]), "another login begins anew");
}

#[test]
fn d10_nothing_is_kept_that_no_line_names() {
    let server = server(vec![json!({ "instance_url": "https://one.example" })]);
    let sandbox = keeping(&server, "");
    let login = sandbox.login(&[]);
    login.answer_with(&[("code", "x"), ("realmId", "9130")]);
    login.finished().assert_code(0);
    assert_eq!(json!({}), metadata(&sandbox, &[]));
}

#[test]
fn d10_only_the_callback_that_ends_the_login_leaves_values() {
    let server = server(vec![json!({})]);
    let sandbox = keeping(&server, KEEP);
    let login = sandbox.login(&[]);
    assert_eq!(400, login.get("/callback?code=x&state=wrong&realmId=evil").status);
    login.answer_with(&[("code", "x"), ("location", "eu")]);
    login.finished().assert_code(0);
    assert_eq!(json!({ "location": "eu" }), metadata(&sandbox, &[]));

    let named = keeping(&server, &format!("{KEEP}issuer = \"https://op.example\"\n"));
    let login = named.login(&[]);
    login.answer_with(&[("code", "x"), ("realmId", "evil"), ("iss", "https://evil.example")]);
    login.finished().assert_code(9);
    super::assert_nothing_stored(&named);
}

#[test]
fn d10_hostile_values_never_reach_a_terminal_and_none_is_without_end() {
    let server = server(vec![json!({
        "instance_url": "\u{1b}]0;owned\u{7}https://one.example\r\n\u{202e}",
        "team": { "id": { "deep": [[["x"]]] } },
        "hub_id": "x".repeat(5000),
    })]);
    let sandbox = keeping(&server, KEEP);
    let login = sandbox.login(&[]);
    login.answer_with(&[("code", "x"), ("realmId", "9130\u{1b}[2J"), ("location", &"y".repeat(2000))]);
    login.finished().assert_code(0);
    let shown = sandbox.run(&["token", "work", "--json"]).assert_code(0).stdout.clone();
    assert!(!shown.contains("\\u001b") && !shown.trim_end().contains(|c: char| c.is_control()), "{shown}");
    assert_eq!(
        json!({ "instance_url": "]0;owned https://one.example", "realmId": "9130 [2J" }),
        metadata(&sandbox, &[])
    );
}

#[test]
fn d10_no_token_is_kept_beside_the_tokens() {
    let lines = "keep_from_token = [\"copy\", \"sent\", \"scope\"]\nkeep_from_callback = [\"echo\"]\n";
    let server = server(vec![json!({ "copy": "t0", "sent": "x-the-code-x", "scope": "read" })]);
    let sandbox = keeping(&server, lines);
    let login = sandbox.login(&[]);
    login.answer_with(&[("code", "x-the-code-x"), ("echo", "x-the-code-x")]);
    login.finished().assert_code(0);
    assert_eq!(json!({ "scope": "read" }), metadata(&sandbox, &[]));
}

#[test]
fn d10_what_is_kept_is_readable_in_no_file() {
    let canary = "canary-5c1e";
    let server = server(vec![json!({ "instance_url": format!("https://hooks.example/{canary}") })]);
    let sandbox = keeping(&server, KEEP);
    sandbox.log_in(&[]).assert_code(0);
    assert!(metadata(&sandbox, &[]).to_string().contains(canary));
    for (path, content) in sandbox.files() {
        assert!(!content.windows(canary.len()).any(|bytes| bytes == canary.as_bytes()), "{}", path.display());
    }
    let status = sandbox.run(&["status", "--json"]).assert_code(0).stdout.clone();
    assert!(!status.contains(canary), "it may give access, and status shows no secret: {status}");
}

#[test]
fn d10_a_posted_response_brings_its_values_and_no_others() {
    let server = server(vec![json!({})]);
    let sandbox = keeping(&server, &format!("{KEEP}response_mode = \"form_post\"\n"));
    let login = sandbox.login(&[]);
    let body = format!("code=x&state={}&realmId=9130&user=Ada", login.state());
    let port = login.port();
    let request = format!(
        "POST /callback HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let reply = http(login.address(), &request);
    login.get(reply.field("location").expect("the last page"));
    login.finished().assert_code(0);
    assert_eq!(json!({ "realmId": "9130" }), metadata(&sandbox, &[]));
}

#[test]
fn d10_a_name_that_cannot_be_kept_is_refused_with_its_line() {
    let sandbox = Sandbox::new();
    for (line, what) in [
        ("keep_from_token = [\"refresh_token\"]", "keep_from_token: \"refresh_token\": it is a token, a secret"),
        ("keep_from_token = [\"authed_user.access_token\"]", "it is a token, a secret"),
        ("keep_from_callback = [\"state\"]", "keep_from_callback: \"state\": it is a token, a secret"),
        ("keep_from_callback = [\"iss\"]", "it is a token, a secret"),
        ("keep_from_token = [\"a b\"]", "it is not a name"),
        ("keep_from_token = [\"a\", \"a\"]", "it is named twice"),
        ("account_from = \"realmId\"", "account_from: \"realmId\": nothing of that name is kept"),
        ("token_servers = { parameter = \"state\", origins = [\"https://a.example\"] }", "token_servers: parameter:"),
        ("token_servers = { parameter = \"a\", origins = [] }", "token_servers: origins is empty"),
        (
            "token_servers = { parameter = \"a\", origins = [\"https://a.example/x\"] }",
            "not an https address without a path",
        ),
        (
            "token_servers = { parameter = \"a\", origins = [\"http://a.example\"] }",
            "not an https address without a path",
        ),
        ("issuer_template = \"https://op.example/common\"", "issuer_template: {tenantid} has to be one segment"),
    ] {
        sandbox
            .configure(&format!("[integration.work]\nissuer = \"https://op.example\"\nclient_id = \"me\"\n{line}\n"));
        sandbox.run(&["login"]).assert_code(3).assert_says("line 4, column").assert_says(what);
    }
}

/// Two servers of one provider, and an integration at the first.
fn centers() -> (RawServer, RawServer, Sandbox) {
    let (one, two) = (server(vec![json!({})]), server(vec![json!({})]));
    let lines = format!(
        "token_servers = {{ parameter = \"accounts-server\", origins = [\"{}\", \"{}\"] }}\n",
        one.origin, two.origin
    );
    let sandbox = keeping(&one, &lines);
    (one, two, sandbox)
}

#[test]
fn d10_the_server_that_the_callback_chooses_gets_the_code_the_refresh_and_the_revocation() {
    let (one, two, sandbox) = centers();
    let login = sandbox.login(&[]);
    login.answer_with(&[("code", "x"), ("accounts-server", &two.origin)]);
    login.finished().assert_code(0);
    assert_eq!("t1\n", sandbox.run(&["token", "work", "--rejected", FIRST]).assert_code(0).stdout);
    sandbox.run(&["logout", "work"]).assert_code(0);
    let places: Vec<_> =
        two.requests().iter().map(|request| request.split(' ').nth(1).expect("a path").to_owned()).collect();
    assert_eq!(["/token", "/token", "/revoke", "/revoke"], places[..]);
    assert_eq!(Vec::<String>::new(), one.requests());

    sandbox.log_in(&[]).assert_code(0);
    assert_eq!(1, one.requests().len(), "without that parameter it is the configured one");
}

#[test]
fn d10_a_server_that_is_not_listed_gets_nothing_and_ends_the_login() {
    let (one, two, sandbox) = centers();
    let evil = server(vec![json!({})]);
    for named in
        [evil.origin.clone(), format!("{}/x", two.origin), format!("{}@evil.example", two.origin), String::new()]
    {
        let login = sandbox.login(&[]);
        login.answer_with(&[("code", "x"), ("accounts-server", &named)]);
        login.finished().assert_code(9).assert_says("none of the provider's servers that are listed (token_servers)");
    }
    for server in [&one, &two, &evil] {
        assert_eq!(Vec::<String>::new(), server.requests());
    }
    super::assert_nothing_stored(&sandbox);
}

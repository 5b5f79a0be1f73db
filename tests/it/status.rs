//! `loopin status`, `loopin token` when it has none to give, and `loopin logout` with providers that do not help.

use loopin::practice::Fault;
use serde_json::json;

use crate::harness::{Provider, RawServer, Sandbox, TOKENS, eventually, parameter, send};

/// The only grant of `status --json`.
fn grant(sandbox: &Sandbox) -> serde_json::Value {
    let mut status = sandbox.run(&["status", "--json"]).json();
    assert_eq!(1, status["grants"].as_array().expect("grants").len(), "{status}");
    status["grants"][0].take()
}

#[test]
fn before_any_login_status_names_the_command_and_only_a_named_integration_sets_the_exit_code() {
    let sandbox = Sandbox::with(&Provider::new());
    sandbox.run(&["status"]).assert_code(0).assert_says("not logged in").assert_says("loopin login work");
    sandbox.run(&["status", "work"]).assert_code(4);
    let grant = grant(&sandbox);
    assert_eq!(
        (json!("not_logged_in"), json!(true), json!("loopin login work")),
        (grant["state"].clone(), grant["login_required"].clone(), grant["repair"].clone())
    );
    sandbox.run(&["status", "wrok"]).assert_code(3).assert_says("did you mean work?");
}

#[test]
fn a_stored_grant_is_told_with_its_scopes_times_and_place() {
    let sandbox = Sandbox::signed_in(&Provider::new());
    let status = sandbox.run(&["status", "work"]);
    status.assert_code(0).assert_says("access token valid until").assert_says("a refresh token is stored");
    status.assert_says("scopes: read").assert_says("kept in encrypted files");
    let grant = grant(&sandbox);
    assert_eq!(
        (json!("valid"), json!(false), json!(null)),
        (grant["state"].clone(), grant["login_required"].clone(), grant["repair"].clone())
    );
    for time in ["expires_at", "obtained_at"] {
        let text = grant[time].as_str().expect("time");
        assert!(text.len() == 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T', "RFC 3339 in UTC: {text}");
    }
}

#[test]
fn an_expired_token_without_a_refresh_token_needs_a_person_and_names_the_command() {
    let server = RawServer::json(200, r#"{"access_token":"a","expires_in":0}"#);
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    let token = sandbox.run(&["token", "work"]);
    token.assert_code(4).assert_says("the access token expired").assert_says("→ loopin login work");
    assert_eq!("", token.stdout);
    let error = sandbox.run(&["token", "work", "--json"]).json()["error"].clone();
    assert_eq!(
        (json!("login_required"), json!(4), json!("loopin login work")),
        (error["code"].clone(), error["exit"].clone(), error["remedy"].clone())
    );
    sandbox.run(&["status", "work"]).assert_code(4).assert_says("which has passed").assert_says("→ loopin login work");
    assert_eq!(json!("expired"), grant(&sandbox)["state"]);
}

#[test]
fn min_ttl_is_met_or_told_with_what_is_left() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    sandbox.run(&["token", "work", "--min-ttl", "30m"]).assert_code(0);
    let short = sandbox.run(&["token", "work", "--min-ttl", "2h"]);
    short.assert_code(4).assert_says("is valid for 3").assert_says("→ loopin login work");
    assert_eq!("", short.stdout);
    for bad in ["", "soon", "5d", "-1", "0s", "25h", "99999999999999999999h"] {
        sandbox.run(&["token", "work", "--min-ttl", bad]).assert_code(2);
    }
}

#[test]
fn accounts_are_kept_apart_and_the_remedy_names_the_account() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    for account in ["anna", "o'neil & söhne"] {
        let login = sandbox.login(&["--account", account]);
        login.person().allow();
        login.finished().assert_code(0).assert_says(&format!("as {account}"));
    }
    let token = |account: &str| sandbox.run(&["token", "work", "--account", account]).assert_code(0).stdout.clone();
    assert_ne!(token("anna"), token("o'neil & söhne"));
    sandbox.run(&["token", "work"]).assert_code(4);
    sandbox
        .run(&["token", "work", "--account", "it's"])
        .assert_code(4)
        .assert_says(r"loopin login work --account 'it'\''s'");
    sandbox.run(&["logout", "work", "--account", "anna"]).assert_code(0);
    sandbox.run(&["token", "work", "--account", "anna"]).assert_code(4).assert_says("loopin login work --account anna");
    sandbox.run(&["token", "work", "--account", "o'neil & söhne"]).assert_code(0);
    for bad in ["", " a", "a\nb", "\u{202e}a", &"x".repeat(255)] {
        sandbox.run(&["token", "work", "--account", bad]).assert_code(2).assert_says("an account name is");
    }
}

#[test]
fn a_token_of_all_actions_serves_an_action_that_its_scopes_cover() {
    let provider = Provider::new();
    let sandbox = Sandbox::new();
    sandbox.configure(&(provider.integration() + "[integration.work.actions]\nview = [\"view\"]\nedit = [\"edit\"]\n"));
    let login = sandbox.login(&["--action", "view"]);
    assert_eq!("read view", login.parameter("scope"));
    login.person().allow();
    login.finished().assert_code(0);
    sandbox.run(&["token", "work", "--action", "view"]).assert_code(0);
    sandbox.run(&["token", "work", "--action", "edit"]).assert_code(4).assert_says("loopin login work --action edit");
    sandbox.run(&["token", "work"]).assert_code(4);
    sandbox.run(&["token", "work", "--action", "veiw"]).assert_code(3).assert_says("did you mean view?");

    let login = sandbox.login(&[]);
    assert_eq!("read edit view", login.parameter("scope"));
    login.person().allow();
    login.finished().assert_code(0);
    let edit = sandbox.run(&["token", "work", "--action", "edit"]);
    assert_eq!(sandbox.run(&["token", "work"]).stdout, edit.assert_code(0).stdout);
    sandbox.run(&["logout", "work", "--action", "view"]).assert_code(0);
    sandbox.run(&["token", "work", "--action", "view"]).assert_code(0);
}

#[test]
fn a_grant_whose_file_is_gone_and_one_out_of_the_configuration_are_told() {
    let sandbox = Sandbox::signed_in(&Provider::new());
    std::fs::remove_file(sandbox.stored_file(".item")).expect("removed");
    sandbox.run(&["status", "work"]).assert_code(4).assert_says("is not there any more");
    assert_eq!(json!("gone"), grant(&sandbox)["state"]);
    sandbox.configure("");
    sandbox.run(&["status"]).assert_code(0).assert_says("not in the configuration any more");
}

#[test]
fn logout_revokes_the_refresh_token_first_and_then_the_access_token() {
    let server = RawServer::json(200, r#"{"access_token":"the-access","refresh_token":"the-refresh"}"#);
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    sandbox.run(&["logout", "work"]).assert_code(0).assert_says("the tokens are revoked at the provider");
    let sent = |at: usize| format!("?{}", server.requests()[at].split("\r\n\r\n").nth(1).expect("body"));
    assert_eq!(3, server.requests().len());
    for (at, token, hint) in [(1, "the-refresh", "refresh_token"), (2, "the-access", "access_token")] {
        assert!(server.requests()[at].starts_with("POST /revoke "));
        assert_eq!(
            (token.into(), hint.into()),
            (parameter(&sent(at), "token"), parameter(&sent(at), "token_type_hint"))
        );
    }
    assert_eq!(Vec::<String>::new(), sandbox.stored(), "nothing is left");
}

#[test]
fn x20_a_revocation_that_fails_is_told_and_the_grant_is_forgotten_all_the_same() {
    for status in [400, 503] {
        let provider = Provider::with(vec![Fault::Revocation { status }]);
        let sandbox = Sandbox::signed_in(&provider);
        let logout = sandbox.run(&["logout", "work"]);
        logout.assert_code(0).assert_says("did not confirm the revocation");
        logout.assert_says(&format!("signed out here, but the provider refused to revoke (status {status}); the refresh token may stay valid there"));
        assert_eq!(Vec::<String>::new(), sandbox.stored());
        sandbox.run(&["token", "work"]).assert_code(4);
    }
}

#[test]
fn x20_an_unreachable_provider_does_not_keep_anybody_signed_in() {
    let server = RawServer::json(200, r#"{"access_token":"a","refresh_token":"r"}"#);
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    drop(server);
    let logout = sandbox.run(&["logout", "work", "--json"]);
    logout.assert_code(0).assert_says("the provider could not be reached");
    let json = logout.json();
    assert_eq!(json!("unconfirmed"), json["revocation"]);
    assert!(json["revocation_error"].as_str().expect("why").contains("connection was refused"), "{json}");
    assert_eq!(Vec::<String>::new(), sandbox.stored());
}

#[test]
fn x20_a_provider_that_hangs_up_is_asked_once() {
    let server = RawServer::new(|request, stream| {
        if request.starts_with("POST /token") {
            send(stream, 200, "", br#"{"access_token":"a","refresh_token":"r"}"#);
        }
    });
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    sandbox.run(&["logout", "work"]).assert_code(0).assert_says("could not be reached");
    assert_eq!(2, server.requests().len(), "one for the token, one revocation");
}

#[test]
fn logout_local_tells_the_provider_nothing() {
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    sandbox.run(&["logout", "work", "--local"]).assert_code(0).assert_says("stay valid at the provider");
    assert_eq!(0, provider.counters().revoke);
    assert_eq!(Vec::<String>::new(), sandbox.stored());
}

#[test]
fn logging_out_twice_or_of_nothing_is_no_fault() {
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    for word in ["revoked", "nothing_stored", "nothing_stored"] {
        let logout = sandbox.run(&["logout", "work", "--json"]);
        assert_eq!(json!(word), logout.assert_code(0).json()["revocation"]);
    }
}

#[test]
fn without_a_revocation_endpoint_logout_says_so() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::new();
    let text = server.integration();
    sandbox.configure(
        &text.lines().filter(|l| !l.starts_with("revocation")).map(|l| format!("{l}\n")).collect::<String>(),
    );
    sandbox.log_in(&[]).assert_code(0);
    sandbox.run(&["logout", "work"]).assert_code(0).assert_says("names no revocation endpoint");
}

#[test]
fn until_when_a_grant_can_be_renewed_is_told_where_the_provider_says_so() {
    let reply = |life: &str| format!(r#"{{"access_token":"t","expires_in":0,"refresh_token":"r"{life}}}"#);
    for (life, says, code) in [
        (r#","refresh_token_expires_in":"86400""#, "a refresh token is stored until 2", 0),
        (r#","refresh_expires_in":86400"#, "a refresh token is stored until 2", 0),
        (r#","refresh_expires_in":0"#, "a refresh token is stored; ", 0),
        ("", "a refresh token is stored; ", 0),
        (r#","refresh_token_expires_in":1"#, "the refresh token expired 2", 4),
    ] {
        let body = reply(life);
        let server = RawServer::json(200, body);
        let sandbox = Sandbox::at(&server);
        sandbox.log_in(&[]).assert_code(0);
        eventually("the refresh token has expired", || sandbox.run(&["status", "work"]).code == Some(code));
        sandbox.run(&["status", "work"]).assert_code(code).assert_says(says);
        let unknown = life.is_empty() || life.ends_with(":0");
        let status = sandbox.run(&["status", "work", "--json"]).json();
        assert_eq!(unknown, status["grants"][0]["refreshable_until"].is_null(), "{life}: {status}");
    }
}

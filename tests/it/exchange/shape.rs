//! The shape of a response that cannot be used, or that has more than is read: with -v, and without any value. D09.

use serde_json::json;

use super::CANARY;
use crate::harness::{RawServer, Sandbox, TOKENS, json_reply};

/// What a login at a server with this response says with `-v`, and without.
fn told(status: u16, body: &str) -> (String, String) {
    let said = |arguments: &[&str]| {
        let server = RawServer::json(status, body);
        let said = Sandbox::at(&server).log_in(arguments).said();
        assert!(!said.contains(CANARY), "{said}");
        said
    };
    (said(&["-v"]), said(&[]))
}

#[test]
fn d09_a_response_that_cannot_be_read_is_named_by_its_members_and_the_field_that_would_read_it() {
    let nested = json!({ "ok": true, "data": { "access_token": CANARY, "owner": { "mail": CANARY } }, "U0123456": 1 });
    let (verbose, usual) = told(200, &nested.to_string());
    for text in ["data.access_token", "data.owner.mail", "ok", "token_at = \"data\""] {
        assert!(verbose.contains(text), "{text}: {verbose}");
    }
    assert!(!verbose.contains("U0123456"), "a name that may be data is hidden: {verbose}");
    assert!(!usual.contains("data.access_token"), "{usual}");
    let (page, _) = told(200, &format!("<p>{CANARY}"));
    assert!(page.contains("the token response is an HTML page"), "{page}");
}

#[test]
fn d09_a_second_token_in_the_response_is_named_and_the_login_succeeds() {
    let slack = json!({ "access_token": CANARY, "expires_in": 60, "authed_user": { "access_token": CANARY } });
    let (verbose, usual) = told(200, &slack.to_string());
    assert!(verbose.contains("token_at = \"authed_user\"") && verbose.contains("signed in to work"), "{verbose}");
    assert!(!usual.contains("authed_user"), "{usual}");
    let (plain, _) = told(200, TOKENS);
    assert!(!plain.contains("the token response is"), "{plain}");
}

#[test]
fn d09_the_response_to_a_refresh_is_named_as_well() {
    let server = RawServer::replying(|request| {
        let refresh = request.contains("grant_type=refresh_token");
        let tokens = json!({ "access_token": "first", "expires_in": 3600, "refresh_token": "refresh-1" });
        let nested = json!({ "result": { "access_token": CANARY, "refresh_token": CANARY } });
        json_reply(&if refresh { nested } else { tokens }.to_string())
    });
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    let renew = |arguments: &[&str]| {
        // The first 16 digits of the SHA-256 of "first".
        let usual = ["token", "work", "--rejected", "a7937b64b8caa58f"];
        let finished = sandbox.run(&[&usual, arguments].concat());
        assert!(!finished.assert_code(7).said().contains(CANARY), "{finished:#?}");
        finished.stderr
    };
    let verbose = renew(&["-v"]);
    assert!(verbose.contains("result.access_token") && verbose.contains("token_at = \"result\""), "{verbose}");
    assert!(!renew(&[]).contains("result.access_token"));
}

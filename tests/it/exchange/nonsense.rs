//! Replies that are no token response. X06.

use loopin::practice::Fault;
use serde_json::json;

use super::{CANARY, assert_nothing_stored, login_with};
use crate::harness::{Provider, Sandbox};

#[test]
fn x06_what_is_not_a_token_response_is_told_by_status_and_size_and_never_shown() {
    let valid = format!("{{\"access_token\":\"{CANARY}\",\"token_type\":\"Bearer\"}}");
    let cut = |at: usize| (200, valid.as_bytes()[..at].to_vec());
    let text = |status: u16, text: &str| (status, text.replace("CANARY", CANARY).into_bytes());
    let replies = [
        text(200, ""),
        text(200, " \r\n"),
        text(200, "{"),
        text(200, "}"),
        text(200, "{}"),
        text(200, "[]"),
        text(200, "null"),
        text(200, "0"),
        text(200, "\"CANARY\""),
        text(200, "CANARY"),
        text(200, "\u{feff}"),
        text(200, "<!doctype html><title>CANARY</title>"),
        text(200, "\u{feff}<html>CANARY access_token=x</html>"),
        text(200, "<?xml version=\"1.0\"?><access_token>CANARY</access_token>"),
        text(200, "{\"access_token\":\"CANARY\",\"access_token\":\"other\"}"),
        text(200, "{\"access_token\":\"CANARY\"}{\"access_token\":\"other\"}"),
        text(200, "{\"access_token\":5}"),
        text(200, "{\"access_token\":null}"),
        text(200, "{\"access_token\":[\"CANARY\"]}"),
        text(200, "{\"access_token\":{\"is\":\"CANARY\"}}"),
        text(200, "{\"Access_Token\":\"CANARY\"}"),
        text(200, "{access_token:'CANARY'}"),
        text(200, "[{\"access_token\":\"CANARY\"}]"),
        text(200, "access_token=CANARY&access_token=other"),
        text(200, "access_token = CANARY"),
        text(200, "access_token: CANARY"),
        text(200, "CANARY=access_token\n"),
        text(204, ""),
        cut(1),
        cut(20),
        (200, valid.as_bytes()[..valid.len() - 1].to_vec()),
        (200, [b"{\"access_token\":\"".as_slice(), &[0xff, 0xfe], b"\"}"].concat()),
        (200, vec![0; 4096]),
        (200, b"[".repeat(100_000)),
        (200, b"{\"a\":".repeat(20_000)),
        text(500, &valid),
        text(503, &valid),
        text(503, "{\"message\":\"CANARY\"}"),
        text(502, "<html>CANARY</html>"),
        text(404, "<html>CANARY</html>"),
        text(400, "CANARY"),
        text(401, ""),
        text(429, "CANARY"),
        text(418, &valid),
    ];
    assert!(replies.len() >= 40);
    for (status, body) in replies {
        let (sandbox, finished) = login_with(status, &body);
        let told = format!("sent something that is not a token response (status {status}, {} bytes)", body.len());
        finished.assert_code(7).assert_says(&told).assert_says("nothing was stored");
        assert!(!finished.said().contains(CANARY), "{finished:#?}");
        assert_nothing_stored(&sandbox);
    }
}

#[test]
fn x06_a_byte_order_mark_a_wrong_content_type_and_a_form_are_understood() {
    for (content_type, body) in [
        ("application/json", "\u{feff}{\"access_token\":\"a-token\"}"),
        ("text/html", "{\"access_token\":\"a-token\"}"),
        ("text/plain; charset=utf-16", " {\"access_token\":\"a-token\"}\n"),
        ("application/x-www-form-urlencoded", "access_token=a-token&token_type=bearer&expires_in=60"),
    ] {
        let provider =
            Provider::with(vec![Fault::TokenReply { status: 200, content_type, body: body.as_bytes().to_vec() }]);
        let sandbox = Sandbox::signed_in(&provider);
        assert_eq!("a-token\n", sandbox.run(&["token", "work"]).stdout);
    }
}

#[test]
fn the_error_code_of_the_token_endpoint_decides_the_exit_code() {
    for (error, code, remedy) in [
        ("invalid_grant", 9, "start the login again"),
        ("invalid_client", 3, "check client_id"),
        ("unauthorized_client", 3, "registered at the provider"),
        ("invalid_request", 3, "registered at the provider"),
        ("invalid_scope", 3, "registered at the provider"),
        ("temporarily_unavailable", 7, "try again later"),
        ("server_error", 7, "try again later"),
    ] {
        for status in [200, 400, 401] {
            let (sandbox, finished) = login_with(status, json!({ "error": error }).to_string().as_bytes());
            finished.assert_code(code).assert_says(error).assert_says(remedy).assert_says("nothing was stored");
            assert_nothing_stored(&sandbox);
        }
    }
}

//! Tokens in every shape: their life, their type, their characters, their scopes. X07-X11.

use serde_json::{Value, json};

use super::{CANARY, assert_nothing_stored, login_with};
use crate::harness::{Finished, RawServer, Sandbox, TOKENS};

/// What `token --json` makes of one field of the reply.
fn token_after(field: &str, value: &Value) -> (Sandbox, Finished) {
    let mut reply = json!({ "access_token": "a-token", "token_type": "Bearer" });
    if value != "missing" {
        reply[field] = value.clone();
    }
    let (sandbox, finished) = login_with(200, reply.to_string().as_bytes());
    finished.assert_code(0);
    let token = sandbox.run(&["token", "work", "--json"]);
    (sandbox, token)
}

#[test]
fn x07_every_shape_of_expires_in_is_a_time_or_an_assumption() {
    const TEN_YEARS: i64 = 10 * 365 * 24 * 3600;
    for (value, life) in [
        (json!(3600), 3600),
        (json!("3600"), 3600),
        (json!(3600.0), 3600),
        (json!("3600.0"), 3600),
        (json!(1e3), 1000),
        (json!(u64::MAX), TEN_YEARS),
        (json!("18446744073709551615"), TEN_YEARS),
    ] {
        let (_sandbox, token) = token_after("expires_in", &value);
        token.assert_code(0);
        let token = token.json();
        assert_eq!(false, token["expiry_assumed"], "{value}: {token}");
        let left = token["expires_in"].as_i64().expect("seconds");
        assert!((life - 300..=life).contains(&left), "{value}: {left} of {life}");
    }
}

#[test]
fn x07_d01_where_no_life_is_named_an_hour_is_assumed_only_if_there_is_a_refresh_token() {
    for value in [json!("missing"), json!(null), json!(true), json!("soon"), json!([3600])] {
        for refresh_token in [None, Some("a-refresh-token")] {
            let mut reply = json!({ "access_token": "a-token", "refresh_token": refresh_token });
            if value != "missing" {
                reply["expires_in"] = value.clone();
            }
            let (sandbox, finished) = login_with(200, reply.to_string().as_bytes());
            finished.assert_code(0);
            let token = sandbox.run(&["token", "work", "--json"]).assert_code(0).json();
            assert_eq!(refresh_token.is_some(), token["expiry_assumed"], "{value}: {token}");
            match refresh_token {
                None => assert!(token["expires_at"].is_null() && token["expires_in"].is_null(), "{value}: {token}"),
                Some(_) => assert!((3300..=3600).contains(&token["expires_in"].as_i64().expect("seconds")), "{token}"),
            }
        }
    }
}

#[test]
fn x07_a_life_of_zero_or_less_has_expired_already() {
    for value in [json!(0), json!(-1), json!("-3600"), json!(-1e300), json!(0.0)] {
        let (_sandbox, token) = token_after("expires_in", &value);
        token.assert_code(4).assert_says("expired").assert_says("loopin login work");
    }
}

#[test]
fn x08_bearer_is_bearer_in_any_case_and_another_type_is_kept_and_told() {
    for (sent, kept) in [
        (json!("Bearer"), "Bearer"),
        (json!("bearer"), "Bearer"),
        (json!("BEARER"), "Bearer"),
        (json!("missing"), "Bearer"),
        (json!(""), "Bearer"),
        (json!(null), "Bearer"),
        (json!("bot"), "bot"),
        (json!("mac"), "mac"),
    ] {
        let mut reply = json!({ "access_token": "a-token" });
        if sent != json!("missing") {
            reply["token_type"] = sent.clone();
        }
        let (sandbox, finished) = login_with(200, reply.to_string().as_bytes());
        finished.assert_code(0);
        assert_eq!(kept != "Bearer", finished.stderr.contains(&format!("calls its token \"{kept}\"")), "{finished:#?}");
        assert_eq!(kept, sandbox.run(&["token", "--json"]).json()["token_type"], "{sent}");
    }
}

#[test]
fn h12_a_token_of_an_unknown_type_is_written_into_no_header() {
    for name in ["bot", "Bearer x", "\"quoted\"", "a b: c", "mac", "Basic"] {
        let reply = json!({ "access_token": CANARY, "token_type": name });
        let (sandbox, finished) = login_with(200, reply.to_string().as_bytes());
        finished.assert_code(0);
        let file = sandbox.path("header");
        let written = ["token", "--format", "header", "--write", file.to_str().expect("path")];
        for arguments in [&["token", "--format", "header"][..], &["token", "--format", "curl"], &written] {
            let refused = sandbox.run(arguments);
            refused.assert_code(9).assert_says(&format!("\"{}\"", name.to_lowercase()));
            refused.assert_says("loopin token work --format raw");
            assert!(!refused.said().contains(CANARY), "{refused:#?}");
        }
        assert!(!file.exists());
        assert_eq!(format!("{CANARY}\n"), sandbox.run(&["token"]).assert_code(0).stdout);
        assert_eq!(
            format!("ACCESS_TOKEN={CANARY}\n"),
            sandbox.run(&["token", "--format", "env"]).assert_code(0).stdout
        );
        for json in [&["token", "--format", "json"][..], &["token", "--format", "header", "--json"]] {
            assert_eq!(CANARY, sandbox.run(json).assert_code(0).json()["access_token"], "{name}");
        }
    }
}

#[test]
fn x08_a_dpop_token_that_nobody_asked_for_is_refused() {
    for name in ["DPoP", "dpop"] {
        let reply = json!({ "access_token": CANARY, "token_type": name });
        let (sandbox, finished) = login_with(200, reply.to_string().as_bytes());
        finished.assert_code(9).assert_says("DPoP").assert_says("nothing was stored");
        assert_nothing_stored(&sandbox);
    }
}

#[test]
fn x09_a_token_that_no_header_can_carry_is_refused() {
    let tokens = [
        "",
        " ",
        "a b",
        "a\rb",
        "a\nb",
        "a\r\nX-Evil: 1",
        "a\tb",
        "a\0b",
        "a\u{7f}b",
        "a\u{1b}[31m",
        "tökén",
        "a\u{202e}b",
    ];
    assert_eq!(12, tokens.len());
    for token in tokens {
        let reply = json!({ "access_token": token, "token_type": "Bearer" });
        let (sandbox, finished) = login_with(200, reply.to_string().as_bytes());
        finished.assert_code(9).assert_says("malformed access token").assert_says("nothing was stored");
        assert_nothing_stored(&sandbox);
    }
    let reply = json!({ "access_token": "fine", "refresh_token": "a\nb" });
    let (sandbox, finished) = login_with(200, reply.to_string().as_bytes());
    finished.assert_code(9).assert_says("malformed refresh token");
    assert_nothing_stored(&sandbox);
}

#[test]
fn x10_scopes_are_stored_as_answered_in_whatever_shape() {
    for (sent, granted) in [
        (json!("read write"), vec!["read", "write"]),
        (json!(["read", "write"]), vec!["read", "write"]),
        (json!("read,write"), vec!["read", "write"]),
        (json!("read"), vec!["read"]),
        (json!("missing"), vec!["read", "write"]),
        (json!(""), vec!["read", "write"]),
    ] {
        let mut reply = json!({ "access_token": "a-token" });
        if sent != json!("missing") {
            reply["scope"] = sent.clone();
        }
        let server = RawServer::json(200, reply.to_string());
        let sandbox = Sandbox::at(&server);
        let finished = sandbox.log_in(&["--scope", "read write", "--json"]);
        finished.assert_code(0);
        let narrower = granted == ["read"];
        assert_eq!(narrower, finished.stderr.contains("granted less than was asked; missing: write"), "{finished:#?}");
        let warnings = finished.json()["warnings"].to_string();
        assert_eq!(narrower, warnings.contains("narrower_scopes"), "{warnings}");
        let status = sandbox.run(&["status", "--json"]).json();
        assert_eq!(json!(granted), status["grants"][0]["scopes"], "{sent}: {status}");
    }
}

#[test]
fn x11_without_a_refresh_token_the_login_succeeds_and_says_what_that_means() {
    let (sandbox, finished) = login_with(200, TOKENS.as_bytes());
    finished.assert_code(0).assert_says("no refresh token").assert_says("offline_access");
    let status = sandbox.run(&["status", "--json"]).json();
    assert_eq!(false, status["grants"][0]["refreshable"]);

    let (_sandbox, finished) = login_with(200, br#"{"access_token":"a","refresh_token":"r"}"#);
    finished.assert_code(0);
    assert!(!finished.stderr.contains("no refresh token"), "{finished:?}");
}

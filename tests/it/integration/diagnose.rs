//! `integration diagnose`: what a saved token response is to loopin, without any value of it.

use std::{fs, io::Write, process::Stdio};

use serde_json::json;

use crate::harness::{Finished, Sandbox};

/// Stands in for every value.
const CANARY: &str = "canary-0123456789abcdef";

/// Reads the response from standard input.
fn diagnosed(response: &[u8], arguments: &[&str]) -> Finished {
    let sandbox = Sandbox::new();
    let mut child = sandbox
        .loopin(&[&["integration", "diagnose"], arguments].concat())
        .stdin(Stdio::piped())
        .spawn()
        .expect("starts");
    // It may have read enough.
    let _ = child.stdin.take().expect("piped").write_all(response);
    let finished = Finished::new(child.wait_with_output().expect("ends"));
    assert!(!finished.said().contains(CANARY), "{finished:#?}");
    assert!(sandbox.stored().is_empty(), "nothing is stored");
    finished
}

#[test]
fn d09_the_lines_that_would_read_a_nested_response_are_proposed() {
    let response = format!(
        r#"{{"status":0,"body":{{"userid":"{CANARY}","access_token":"{CANARY}","refresh_token":"{CANARY}","scope":"{CANARY},{CANARY}","expires_in":9}}}}"#
    );
    let found = diagnosed(response.as_bytes(), &[]);
    found.assert_code(3).assert_says("body.access_token").assert_says("body.userid");
    for line in ["token_at = \"body\"", "error_at = \"status\"", "scope_separator = \",\""] {
        found.assert_says(line);
    }
    let json = diagnosed(response.as_bytes(), &["--json"]).json();
    assert_eq!((json!("lines_missing"), json!("json")), (json["result"].clone(), json["body"].clone()));
    assert_eq!(json!("token_at = \"body\""), json["lines"][0]["line"]);
    assert!(json["takes"].is_null(), "nothing as it is");
    found.assert_says("by body.expires_in");
    assert_eq!(json!("body.refresh_token"), json["takes_with_lines"]["refresh_token_at"]);
}

#[test]
fn a_response_that_is_read_as_it_is_names_where_everything_comes_from() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
    let response = format!(
        r#"{head}{{"access_token":"{CANARY}","token_type":"Bearer","expires_in":3600,"refresh_token":"{CANARY}","scope":"a b"}}"#
    );
    let found = diagnosed(response.as_bytes(), &[]);
    found.assert_code(0).assert_says("status 200").assert_says("by expires_in").assert_says("separated by spaces");
    let takes = diagnosed(response.as_bytes(), &["--json"]).json()["takes"].clone();
    assert_eq!(
        (json!("access_token"), json!("refresh_token")),
        (takes["access_token_at"].clone(), takes["refresh_token_at"].clone())
    );
    assert_eq!((json!("member"), json!("expires_in")), (takes["expiry"].clone(), takes["expiry_at"].clone()));
    let form = diagnosed(format!("access_token={CANARY}&scope=a%2Cb&token_type=bearer").as_bytes(), &[]);
    form.assert_code(0).assert_says("the response is a form").assert_says("used until a server rejects it");
}

#[test]
fn d03_an_error_is_judged_as_a_refresh_judges_it() {
    for (response, exit, result, says) in [
        (r#"{"error":"invalid_grant","error_description":"canary-0123456789abcdef"}"#, 4, "dead_grant", "log in again"),
        (r#"{"ok":false,"error":"invalid_refresh_token"}"#, 4, "dead_grant", "log in again"),
        ("HTTP/2 400\r\n\r\n{\"status\":\"BAD_REFRESH_TOKEN\"}", 4, "dead_grant", "log in again"),
        ("HTTP/1.1 401 -\r\n\r\n{\"error\":\"invalid_client\"}", 3, "client_rejected", "rejects the client"),
        (r#"{"error":"canary-0123456789abcdef"}"#, 3, "unknown_error", "dead_grant_errors = [\"CODE\"]"),
        ("HTTP/1.1 503 -\r\n\r\n{\"error\":\"invalid_grant\"}", 7, "later", "busy"),
        ("<!doctype html>canary-0123456789abcdef", 7, "later", "an HTML page"),
        ("canary-0123456789abcdef", 7, "later", "neither a JSON object nor a form"),
        (r#"{"access_token":"canary-0123456789abcdef\n"}"#, 9, "unusable", "no header can carry"),
    ] {
        diagnosed(response.as_bytes(), &[]).assert_code(exit).assert_says(says);
        let json = diagnosed(response.as_bytes(), &["--json"]).json();
        assert_eq!(result, json["result"], "{response}: {json}");
    }
}

#[test]
fn what_is_no_response_is_a_usage_error_that_says_why() {
    for (input, why) in [
        (&b""[..], "is empty"),
        (b" \n", "is empty"),
        (b"\x1f\x8b\x08\x00\xff", "is not text"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "no body"),
        (&[b'x'; 1024 * 1024 + 1], "longer than 1048576 bytes"),
    ] {
        diagnosed(input, &[]).assert_code(2).assert_says(why);
    }
    let sandbox = Sandbox::new();
    let run = |file: &str| sandbox.run(&["integration", "diagnose", sandbox.path(file).to_str().expect("path")]);
    run("missing").assert_code(2).assert_says("cannot be read");
    run("").assert_code(2);
    fs::write(sandbox.path("long"), vec![b'x'; 1024 * 1024 + 1]).expect("file");
    run("long").assert_code(2).assert_says("longer than 1048576 bytes");
    fs::write(sandbox.path("empty"), "").expect("file");
    run("empty").assert_code(2).assert_says("is empty");
    fs::write(sandbox.path("response"), r#"{"access_token":"a","expires_in":5}"#).expect("file");
    run("response").assert_code(0).assert_says("by expires_in");
}

//! What is sent, and that it is sent once. X12, X13.

use std::io::Write;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::assert_nothing_stored;
use crate::harness::{RawServer, Sandbox, TOKENS, parameter, write_private};

#[test]
fn x12_a_code_whose_reply_is_lost_is_never_sent_again() {
    for part in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"access_token\":\"x\""] {
        let server = RawServer::new(move |_, stream| drop(stream.write_all(part.as_bytes())));
        let sandbox = Sandbox::at(&server);
        sandbox.log_in(&[]).assert_code(7).assert_says("log in again").assert_says("nothing was stored");
        assert_eq!(1, server.requests().len());
        assert_nothing_stored(&sandbox);
    }
}

#[test]
fn x12_a_token_endpoint_that_is_down_is_told() {
    let nobody = { RawServer::json(200, "").integration() };
    let sandbox = Sandbox::new();
    sandbox.configure(&nobody);
    sandbox.log_in(&[]).assert_code(7).assert_says("connection was refused").assert_says("nothing was stored");
    assert_nothing_stored(&sandbox);
}

/// What the token endpoint is sent by a client with this secret.
fn request_with(id: &str, secret: &str, method: &str) -> String {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::new();
    let file = sandbox.path("secret");
    write_private(&file, format!("{secret}\n").as_bytes());
    let lines =
        format!("client_secret = {{ file = \"{}\" }}\ntoken_endpoint_auth_method = \"{method}\"\n", file.display());
    sandbox.configure(&(server.integration().replace("\"me\"", &format!("\"{id}\"")) + &lines));
    sandbox.log_in(&[]).assert_code(0);
    server.requests().remove(0)
}

#[test]
fn x13_client_id_and_secret_are_form_encoded_before_basic_joins_them() {
    for (id, secret, joined) in [
        ("me", "simple", "me:simple"),
        ("me", "a:b%c+d e", "me:a%3Ab%25c%2Bd+e"),
        ("me", "é", "me:%C3%A9"),
        ("me", "a&b=c/d?e\"f", "me:a%26b%3Dc%2Fd%3Fe%22f"),
        ("m:e", "x", "m%3Ae:x"),
    ] {
        let request = request_with(id, secret, "client_secret_basic");
        let expected = format!("authorization: basic {}", STANDARD.encode(joined).to_ascii_lowercase());
        assert!(request.lines().any(|line| line.to_ascii_lowercase() == expected), "{request}");
        let body = request.split("\r\n\r\n").nth(1).expect("body");
        assert_eq!("", parameter(&format!("?{body}"), "client_secret"), "the secret goes one way only");
    }
}

#[test]
fn x13_a_secret_in_the_body_arrives_as_it_is_and_in_no_header() {
    for secret in ["simple", "a:b%c+d e", "é&=\"/?"] {
        let request = request_with("me", secret, "client_secret_post");
        let (head, body) = request.split_once("\r\n\r\n").expect("head and body");
        assert!(!head.to_ascii_lowercase().contains("authorization:"), "{head}");
        let sent = format!("?{body}");
        assert_eq!(
            ("me".into(), secret.to_owned()),
            (parameter(&sent, "client_id"), parameter(&sent, "client_secret"))
        );
    }
}

#[test]
fn the_token_endpoint_gets_the_very_redirect_uri_that_the_browser_was_sent_with() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    let login = sandbox.login(&[]);
    let redirect_uri = login.redirect_uri();
    login.answer("a+code/with=signs&");
    login.finished().assert_code(0);
    let request = server.requests().remove(0);
    let sent = format!("?{}", request.split("\r\n\r\n").nth(1).expect("body"));
    assert_eq!(redirect_uri, parameter(&sent, "redirect_uri"));
    assert_eq!("a+code/with=signs&", parameter(&sent, "code"));
    assert_eq!("authorization_code", parameter(&sent, "grant_type"));
    assert_eq!(43, parameter(&sent, "code_verifier").len());
}

#[test]
fn a_masked_secret_goes_out_in_the_place_of_the_secret() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::new();
    let file = sandbox.path("secret");
    write_private(&file, b"secret\n");
    let lines = format!(
        "client_secret = {{ file = \"{}\" }}\ntoken_endpoint_auth_method = \"client_secret_post\"\n\
         client_secret_mask = \"sha256_client_id\"\n",
        file.display()
    );
    sandbox.configure(&(server.integration().replace("\"me\"", "\" My-Client\"") + &lines));
    sandbox.log_in(&[]).assert_code(0);
    let request = server.requests().remove(0);
    let sent = format!("?{}", request.split("\r\n\r\n").nth(1).expect("body"));
    assert_eq!("DdSHFZxzjq+7uYRZduNfcEmRq3JTw9lzhb5yp7NkOx8=", parameter(&sent, "client_secret"));
}

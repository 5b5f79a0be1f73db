//! What is sent, and that it is sent once. X12, X13.

use std::io::Write;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::assert_nothing_stored;
use crate::harness::{RawServer, Sandbox, TOKENS, origin_of, parameter, send, write_private};

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

/// A server with metadata that lists these methods, and tokens for everybody.
fn listing(methods: &'static str) -> RawServer {
    RawServer::new(move |request, stream| {
        let origin = origin_of(stream);
        let body = match request.starts_with("GET /.well-known/") {
            true => format!(
                r#"{{"issuer":"{origin}","authorization_endpoint":"{origin}/authorize","token_endpoint":"{origin}/token",
                "revocation_endpoint":"{origin}/revoke","token_endpoint_auth_methods_supported":{methods}}}"#
            ),
            false => r#"{"access_token":"a","token_type":"Bearer","expires_in":3600,"refresh_token":"r"}"#.to_owned(),
        };
        send(stream, 200, "Content-Type: application/json\r\n", body.as_bytes());
    })
}

/// An integration that names the issuer alone, with a secret and these lines.
fn discovered(server: &RawServer, lines: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let file = sandbox.path("secret");
    write_private(&file, b"simple\n");
    sandbox.configure(&format!(
        "[integration.work]\nissuer = \"{}\"\nclient_id = \"me\"\nclient_secret = {{ file = \"{}\" }}\nstore = \"file\"\n\
         store_key = {{ file = \"{{key}}\" }}\n{lines}",
        server.origin,
        file.display()
    ));
    sandbox
}

#[test]
fn d07_the_secret_is_sent_as_the_metadata_lists_at_the_exchange_the_refresh_and_the_revocation() {
    for (methods, lines, in_body) in [
        (r#"["client_secret_post"]"#, "", true),
        (r#"["client_secret_post","client_secret_basic"]"#, "", false),
        (r#"["client_secret_post"]"#, "token_endpoint_auth_method = \"client_secret_basic\"\n", false),
        ("[]", "", false),
    ] {
        let server = listing(methods);
        let sandbox = discovered(&server, lines);
        sandbox.log_in(&[]).assert_code(0);
        // The SHA-256 of "a".
        sandbox.run(&["token", "work", "--rejected", "ca978112ca1bbdca"]);
        sandbox.run(&["logout", "work"]).assert_code(0);
        let sent: Vec<_> = server.requests().into_iter().filter(|request| request.starts_with("POST ")).collect();
        assert_eq!(4, sent.len(), "a code, a refresh token, two revocations: {sent:?}");
        for request in sent {
            let (head, body) = request.split_once("\r\n\r\n").expect("head and body");
            let secret = parameter(&format!("?{body}"), "client_secret");
            let basic = head.to_ascii_lowercase().contains("authorization: basic");
            assert_eq!((in_body, !in_body), (secret == "simple", basic), "{methods} {lines}: {request}");
        }
    }
}

#[test]
fn d07_a_provider_that_lists_no_method_of_ours_is_refused_by_what_it_lists_and_asked_nothing() {
    let server = listing(r#"["private_key_jwt","tls_client_auth"]"#);
    let sandbox = discovered(&server, "");
    sandbox
        .run(&["login"])
        .assert_code(3)
        .assert_says("private_key_jwt, tls_client_auth")
        .assert_says("token_endpoint_auth_method");
    assert!(server.requests().iter().all(|request| request.starts_with("GET ")));
}

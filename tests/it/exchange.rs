//! What a token endpoint can answer: redirects, floods, silence, nonsense, and tokens in every shape. X02-X13.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use loopin::practice::Fault;
use serde_json::{Value, json};

use crate::harness::{Finished, PATIENCE, Provider, RawServer, Sandbox, TOKENS, parameter, send, write_private};

const CANARY: &str = "canary-0b54";

/// A login whose token endpoint gives this reply.
fn login_with(status: u16, body: &[u8]) -> (Sandbox, Finished) {
    let server = RawServer::json(status, body);
    let sandbox = Sandbox::at(&server);
    let finished = sandbox.log_in(&[]);
    assert_eq!(1, server.requests().len(), "the code is sent once");
    (sandbox, finished)
}

#[track_caller]
fn assert_nothing_stored(sandbox: &Sandbox) {
    assert_eq!(Vec::<String>::new(), sandbox.stored());
    sandbox.run(&["token", "work"]).assert_code(4).assert_says("nobody is logged in");
}

#[test]
fn x02_an_endpoint_that_is_not_safe_is_refused_with_its_place_in_the_file() {
    let unsafe_urls = [
        "http://provider.example/x",
        "ftp://provider.example/x",
        "https://me:word@provider.example/x",
        "https://provider.example/x#y",
        "https:\\\\\\\\provider.example/x",
        "https:///x",
        "file:///etc/passwd",
        "http://127.0.0.1.provider.example/x",
        "javascript:alert(1)",
    ];
    let usual = RawServer::json(200, TOKENS);
    for key in ["authorization_endpoint", "token_endpoint", "revocation_endpoint"] {
        for url in unsafe_urls {
            let sandbox = Sandbox::new();
            let text: String = usual
                .integration()
                .lines()
                .map(|line| if line.starts_with(key) { format!("{key} = \"{url}\"\n") } else { format!("{line}\n") })
                .collect();
            let line = text.lines().position(|l| l.starts_with(key)).expect("the key") + 1;
            sandbox.configure(&text);
            let refused = sandbox.run(&["login", "work", "--timeout", "1s"]);
            refused.assert_code(3).assert_says(&format!("{key} is not a safe URL"));
            refused.assert_says(&format!("line {line}, column {}", key.len() + 4));
        }
    }
    assert_eq!(0, usual.requests().len());
}

#[test]
fn x02_metadata_that_names_an_unsafe_endpoint_is_refused_before_anybody_is_sent_there() {
    for (key, url) in [
        ("authorization_endpoint", "http://provider.example/a"),
        ("token_endpoint", "http://provider.example/t"),
        ("token_endpoint", "https://me:word@provider.example/t"),
        ("revocation_endpoint", "http://provider.example/r"),
    ] {
        let server = RawServer::new(move |request, stream| {
            let host =
                request.lines().find_map(|l| l.strip_prefix("host: ").or(l.strip_prefix("Host: "))).expect("host");
            let origin = format!("http://{host}");
            let mut metadata = json!({
                "issuer": origin, "authorization_endpoint": format!("{origin}/a"),
                "token_endpoint": format!("{origin}/t"), "code_challenge_methods_supported": ["S256"],
            });
            metadata[key] = url.into();
            send(stream, 200, "Content-Type: application/json\r\n", metadata.to_string().as_bytes());
        });
        let sandbox = Sandbox::new();
        sandbox.configure(&format!("[integration.work]\nissuer = \"{}\"\nclient_id = \"me\"\nstore = \"file\"\nstore_key = {{ file = \"{{key}}\" }}\n", server.origin));
        let refused = sandbox.run(&["login", "work", "--timeout", "1s"]);
        refused.assert_code(9).assert_says(&format!("{key} in the provider's metadata is not a safe URL"));
        assert!(!refused.stderr.contains("To sign in"), "{refused:?}");
        assert_nothing_stored(&sandbox);
    }
}

#[test]
fn x02_a_grant_belongs_to_the_endpoints_it_was_made_at() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    for (from, to) in [("/token", "/other"), ("client_id = \"me\"", "client_id = \"other\"")] {
        sandbox.configure(&server.integration().replace(from, to));
        let token = sandbox.run(&["token", "work"]);
        token.assert_code(4).assert_says("changed since the login").assert_says("loopin login work");
        assert_eq!("", token.stdout);
        sandbox.run(&["status", "work"]).assert_code(4).assert_says("changed since");
    }
    sandbox.configure(&server.integration());
    sandbox.run(&["token", "work"]).assert_code(0);
}

#[test]
fn x03_a_token_endpoint_that_redirects_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let sink = RawServer::json(200, TOKENS);
        let provider = Provider::with(vec![Fault::TokenRedirect { status, to: format!("{}/token", sink.origin) }]);
        let sandbox = Sandbox::with(&provider);
        let login = sandbox.login(&[]);
        let page = login.person().allow();
        assert!(page.body.contains("You are not signed in"), "{page:?}");
        let finished = login.finished();
        finished.assert_code(7).assert_says(&format!("answered with a redirect (status {status})"));
        finished.assert_says("write the final address as token_endpoint").assert_says("nothing was stored");
        assert_eq!(0, sink.requests().len(), "the code went on to another server");
        assert_nothing_stored(&sandbox);
    }
}

#[test]
fn x03_discovery_and_revocation_follow_no_redirect_either() {
    let sink = RawServer::json(200, TOKENS);
    let away = format!("Location: {}/x\r\n", sink.origin);
    let to = away.clone();
    let issuer = RawServer::new(move |_, stream| send(stream, 302, &to, b""));
    let sandbox = Sandbox::new();
    sandbox.configure(&format!("[integration.work]\nissuer = \"{}\"\nclient_id = \"me\"\nstore = \"file\"\nstore_key = {{ file = \"{{key}}\" }}\n", issuer.origin));
    sandbox.run(&["login", "work", "--timeout", "1s"]).assert_code(7).assert_says("publishes no metadata");

    let server = RawServer::new(move |request, stream| match request.starts_with("POST /revoke") {
        true => send(stream, 307, &away, b""),
        false => send(stream, 200, "", TOKENS.as_bytes()),
    });
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    sandbox.run(&["logout", "work"]).assert_code(0).assert_says("refused to revoke (status 307)");
    assert_eq!(0, sink.requests().len());
}

/// Writes `part` until the other side has had enough, and counts.
fn flood(stream: &mut TcpStream, part: &[u8], sent: &AtomicU64) {
    while stream.write_all(part).is_ok() {
        sent.fetch_add(part.len() as u64, Ordering::Relaxed);
    }
}

#[test]
fn x04_a_reply_without_end_is_cut_at_1_mib() {
    // What two socket buffers may hold beside the megabyte that is read.
    const MOST: u64 = 32 * 1024 * 1024;
    let heads: [(&str, &str, &str); 4] = [
        ("until it closes", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", "larger than 1 MiB"),
        ("of a stated GiB", "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", "larger than 1 MiB"),
        ("in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "larger than 1 MiB"),
        ("in the head", "HTTP/1.1 200 OK\r\nX: ", "gave no reply"),
    ];
    for (what, head, said) in heads {
        let sent = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&sent);
        let server = RawServer::new(move |_, stream| {
            let _ = stream.write_all(head.as_bytes());
            let part =
                if what == "in chunks" { format!("8000\r\n{}\r\n", " ".repeat(0x8000)) } else { " ".repeat(0x8000) };
            flood(stream, part.as_bytes(), &counter);
        });
        let sandbox = Sandbox::at(&server);
        sandbox.log_in(&[]).assert_code(7).assert_says(said);
        assert_nothing_stored(&sandbox);
        assert!(sent.load(Ordering::Relaxed) < MOST, "{what}: {sent:?} bytes were taken");
    }
}

#[test]
fn x04_a_megabyte_is_still_read() {
    let padded = format!("{{\"access_token\":\"a-token\",\"pad\":\"{}\"}}", "x".repeat(1024 * 1024 - 100));
    let (_sandbox, finished) = login_with(200, padded.as_bytes());
    finished.assert_code(0);
}

#[test]
fn x04_no_compression_is_asked_for_and_none_is_undone() {
    // gzip of a token reply: whoever undoes it is open to a bomb.
    let gzip: &[u8] = &[
        0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0xff, 0xab, 0x56, 0x4a, 0x4c, 0x4e, 0x4e, 0x2d, 0x2e, 0x8e, 0x2f, 0xc9,
        0xcf,
    ];
    let server = RawServer::new(move |_, stream| {
        send(stream, 200, "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", gzip);
    });
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(7).assert_says("not a token response (status 200, 22 bytes)");
    let request = server.requests().remove(0).to_ascii_lowercase();
    let accepted = request.lines().find(|line| line.starts_with("accept-encoding:"));
    assert!(accepted.is_none_or(|line| line == "accept-encoding: identity"), "{accepted:?}");
    assert_nothing_stored(&sandbox);
}

/// These three really last the 30 seconds that one request may take, side by side.
#[test]
fn x04_a_silent_or_dripping_token_endpoint_is_given_up() {
    let drip = |stream: &mut TcpStream, head: &str| {
        let _ = stream.write_all(head.as_bytes());
        stream.set_read_timeout(Some(Duration::from_millis(500))).expect("time-out");
        let mut closed = [0];
        // One byte each time nothing has come for a while, until the other side is gone.
        while !matches!(stream.read(&mut closed), Ok(0)) && stream.write_all(b" ").is_ok() {}
    };
    let silent = RawServer::new(|_, stream| {
        let _ = stream.set_read_timeout(Some(PATIENCE));
        let _ = stream.read(&mut [0]);
    });
    let head = RawServer::new(move |_, stream| drip(stream, "HTTP/1.1 200 OK\r\nX: "));
    let body = RawServer::new(move |_, stream| drip(stream, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"));
    thread::scope(|scope| {
        for server in [&silent, &head, &body] {
            scope.spawn(move || {
                let sandbox = Sandbox::at(server);
                let login = sandbox.login(&[]);
                let page = login.answer("a-code");
                assert!(page.body.contains("Your answer was received"), "the browser is not held so long: {page:?}");
                login.finished().assert_code(7).assert_says("no answer in time").assert_says("log in again");
                assert_eq!(1, server.requests().len());
                assert_nothing_stored(&sandbox);
            });
        }
    });
}

#[test]
fn x05_a_server_without_tls_is_told_as_such_and_never_spoken_to_in_clear() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::new();
    sandbox.configure(&server.integration().replace("http://", "https://"));
    sandbox.log_in(&[]).assert_code(7).assert_says("TLS");
    assert!(server.requests().iter().all(|request| !request.contains("a-code")));
    assert_nothing_stored(&sandbox);
}

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
        text(503, "{\"error\":\"invalid_grant\"}"),
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
    for (value, life, assumed) in [
        (json!(3600), 3600, false),
        (json!("3600"), 3600, false),
        (json!(3600.0), 3600, false),
        (json!("3600.0"), 3600, false),
        (json!(1e3), 1000, false),
        (json!(u64::MAX), TEN_YEARS, false),
        (json!("18446744073709551615"), TEN_YEARS, false),
        (json!("missing"), 3600, true),
        (json!(null), 3600, true),
        (json!(true), 3600, true),
        (json!("soon"), 3600, true),
        (json!([3600]), 3600, true),
    ] {
        let (_sandbox, token) = token_after("expires_in", &value);
        token.assert_code(0);
        let token = token.json();
        assert_eq!(assumed, token["expiry_assumed"], "{value}: {token}");
        let left = token["expires_in"].as_i64().expect("seconds");
        assert!((life - 300..=life).contains(&left), "{value}: {left} of {life}");
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

//! What goes over the wire, and what stands in the log.

use super::*;

#[test]
fn y13_the_example_of_seed_001_over_the_wire() {
    let relay = Running::new();
    for method in ["GET", "HEAD"] {
        let asked =
            format!("{method} /oauth_callback/acme_fit?code=abc123&state=xyz HTTP/1.1\r\nHost: yourdomain.com\r\n\r\n");
        let reply = relay.send(asked.as_bytes());
        assert!(reply.head.starts_with("HTTP/1.1 307 Temporary Redirect\r\n"), "{reply:?}");
        assert_eq!(
            Some("https://api.us.junction.com/v2/link/connect/acme_fit?code=abc123&state=xyz"),
            reply.field("location")
        );
        assert_eq!(Some("0"), reply.field("content-length"));
        assert_eq!("", reply.body);
    }
}

#[test]
fn y14_nothing_is_kept() {
    let reply = Running::new().get("/oauth_callback/acme_fit?code=a");
    assert_eq!(Some("no-store"), reply.field("cache-control"));
    assert_eq!(Some("no-cache"), reply.field("pragma"));
}

#[test]
fn y15_no_referrer_is_sent() {
    for target in ["/oauth_callback/acme_fit?code=a", "/else?code=a"] {
        assert_eq!(Some("no-referrer"), Running::new().get(target).field("referrer-policy"), "{target}");
    }
}

#[test]
fn y01_every_byte_that_may_stand_in_a_query_comes_back() {
    let relay = Running::new();
    let query: Vec<u8> = (0x21..=0xff).filter(|byte| !b"#\x7f".contains(byte)).collect();
    let mut stream = TcpStream::connect(relay.address).unwrap();
    let end = b" HTTP/1.1\r\nHost: yourdomain.com\r\nConnection: close\r\n\r\n";
    let asked = [b"GET /oauth_callback/acme_fit?", &query[..], end].concat();
    stream.write_all(&asked).unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).unwrap();
    let expected = [b"\r\nLocation: ", TARGET.as_bytes(), b"?", &query, b"\r\n"].concat();
    assert!(reply.windows(expected.len()).any(|part| part == expected), "{}", reply.escape_ascii());
}

#[test]
fn y16_no_query_is_in_the_log_or_anywhere_else() {
    let relay = Running::new();
    relay.get("/oauth_callback/acme_fit?code=CANARY&state=CANARY");
    relay.get("/oauth_callback/acme_fit?error=access_denied&state=CANARY");
    relay.get("/CANARY?code=CANARY");
    relay.send(b"GET /CANARY#CANARY HTTP/1.1\r\nHost: CANARY\r\nCookie: CANARY\r\n\r\n");
    relay.send(b"CANARY CANARY\r\n\r\n");
    assert!(!relay.admin("/metrics").body.contains("CANARY"));
    // Each worker has its own order.
    let lines: Vec<_> = (0..5).map(|_| relay.next_line()).collect();
    let line = |of: &dyn Fn(&serde_json::Value) -> bool| lines.iter().find(|line| of(line)).expect("logged");
    let code = line(&|line| line["has_code"] == true && line["status"] == 307);
    assert_eq!((Some(307), Some("GET")), (code["status"].as_u64(), code["method"].as_str()), "{code}");
    assert_eq!(
        (Some("production"), Some("acme_fit")),
        (code["environment"].as_str(), code["provider"].as_str()),
        "{code}"
    );
    assert_eq!(
        (Some("yourdomain.com"), Some("/oauth_callback/{provider}")),
        (code["host"].as_str(), code["path"].as_str()),
        "{code}"
    );
    assert_eq!((Some(true), Some(false)), (code["has_code"].as_bool(), code["has_error"].as_bool()), "{code}");
    assert_eq!(Some("code=CANARY&state=CANARY".len() as u64), code["query_len"].as_u64(), "{code}");
    assert!(code["time"].as_str().is_some_and(|time| time.ends_with('Z')), "{code}");
    let denied = line(&|line| line["has_error"] == true);
    assert_eq!((Some(false), Some(true)), (denied["has_code"].as_bool(), denied["has_error"].as_bool()), "{denied}");
    let unknown = line(&|line| line["status"] == 404);
    assert_eq!(None, unknown["path"].as_str(), "{unknown}");
    assert_eq!(2, lines.iter().filter(|line| line["status"] == 400).count(), "{lines:?}");
    assert!(!format!("{lines:?}").contains("CANARY"), "{lines:?}");
    let finished = relay.terminated();
    finished.assert_code(0);
    assert!(!finished.said().contains("CANARY"), "{finished:?}");
}

#[test]
fn y17_what_two_readers_could_read_differently_is_refused_and_the_connection_closed() {
    let relay = Running::new();
    let start = "GET /oauth_callback/acme_fit?a HTTP/1.1\r\n";
    let second = "GET /oauth_callback/acme_fit?second HTTP/1.1\r\nHost: yourdomain.com\r\n\r\n";
    for fields in [
        "Host: yourdomain.com\r\nContent-Length: 5",
        "Host: yourdomain.com\r\nTransfer-Encoding: chunked",
        "Host: yourdomain.com\r\nTransfer-Encoding: identity",
        "Host: yourdomain.com\r\nTransfer-Encoding : chunked",
        "Host: yourdomain.com\r\ntransfer-encoding:\tchunked",
        "Host: yourdomain.com\r\nContent-Length: 0\r\nContent-Length: 5",
        "Host: yourdomain.com\r\nContent-Length: 0\r\nContent-Length: 0",
        "Host: yourdomain.com\r\nContent-Length: 5, 5",
        "Host: yourdomain.com\r\nContent-Length: +5",
        "Host: yourdomain.com\r\nContent-Length: -1",
        "Host: yourdomain.com\r\nContent-Length: 0x5",
        "Host: yourdomain.com\r\nContent-Length: 99999999999999999999",
        "Host: yourdomain.com\r\nContent-Length:",
        "Host: yourdomain.com\r\nX-A: b\r\n folded",
        "Host: yourdomain.com\r\n\tfolded: a",
        "Host : yourdomain.com",
        "Host: yourdomain.com\r\nHost: yourdomain.com",
        "Host: yourdomain.com\nX: y",
        "Host: yourdomain.com\r\nX: a\rb",
        "Host: yourdomain.com\r\nX: a\0b",
        "Host: yourdomain.com\r\n: a",
        "Host: yourdomain.com\r\nno colon",
    ] {
        let reply = relay.send(format!("{start}{fields}\r\n\r\n{second}").as_bytes());
        assert_eq!((400, Some("close")), (reply.status, reply.field("connection")), "{fields:?}: {reply:?}");
        assert!(!reply.body.contains("HTTP/1.1") && !reply.head.contains("Location"), "{fields:?}: {reply:?}");
    }
}

#[test]
fn y12_the_body_of_a_post_goes_nowhere() {
    let relay = Running::new();
    let reply = relay
        .send(b"POST /oauth_callback/acme_fit?a HTTP/1.1\r\nHost: yourdomain.com\r\nContent-Length: 6\r\n\r\ncode=a");
    assert_eq!((405, Some("GET, HEAD"), None), (reply.status, reply.field("allow"), reply.field("location")));
}

#[test]
fn y18_a_query_of_64_kib_passes_and_one_byte_more_does_not() {
    let relay = Running::new();
    for (length, status) in [(65_535, 307), (65_536, 307), (65_537, 414), (70_000, 414), (200_000, 414)] {
        let query = "q".repeat(length);
        let reply = relay.get(&format!("/oauth_callback/acme_fit?{query}"));
        assert_eq!(status, reply.status, "{length}");
        if status == 307 {
            assert_eq!(Some(format!("{TARGET}?{query}").as_str()), reply.field("location"));
        }
    }
}

#[test]
fn y20_only_the_hosts_of_the_configuration() {
    let relay = Running::new();
    for (host, status) in [("yourdomain.com", 307), ("YOURDOMAIN.COM", 307), ("127.0.0.1", 421), ("evil.example", 421)]
    {
        let reply = relay.send(format!("GET /oauth_callback/acme_fit HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
        assert_eq!(status, reply.status, "{host}");
    }
}

#[test]
fn y21_the_log_names_the_client_that_a_trusted_proxy_names() {
    let ask = |relay: &Running, fields: &str| {
        let asked = format!("GET /oauth_callback/acme_fit?a HTTP/1.1\r\nHost: yourdomain.com\r\n{fields}\r\n");
        let reply = relay.send(asked.as_bytes());
        assert_eq!(Some(format!("{TARGET}?a").as_str()), reply.field("location"));
        relay.next_line()["client"].clone()
    };
    let alone = Running::new();
    assert_eq!("127.0.0.1", ask(&alone, "X-Forwarded-For: 198.51.100.7\r\n"), "nobody is trusted");
    let behind = Running::with(&format!("trusted_proxies = [\"127.0.0.0/8\"]\n{CONFIG}"));
    assert_eq!("198.51.100.7", ask(&behind, "X-Forwarded-For: 6.6.6.6, 198.51.100.7\r\n"));
    assert_eq!("127.0.0.1", ask(&behind, "Forwarded: for=198.51.100.7\r\n"), "the other field is anybody's");
    let forged = "X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: http\r\nX-Original-URL: /cli\r\n";
    assert_eq!("127.0.0.1", ask(&behind, forged), "and nothing else is taken");
    let standard = Running::with(&format!("trusted_proxies = [\"127.0.0.1\"]\nclient_field = \"forwarded\"\n{CONFIG}"));
    assert_eq!("198.51.100.7", ask(&standard, "Forwarded: for=198.51.100.7\r\nX-Forwarded-For: 6.6.6.6\r\n"));
}

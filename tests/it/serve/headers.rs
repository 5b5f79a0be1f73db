//! Headers that decide something: what is there and cannot be read is refused, and never taken for absent.

use std::io::Write;

use super::*;
use crate::harness::read_reply;

/// A request of bytes, since a header may hold any.
fn sent(serving: &Serving, target: &str, fields: &[&[u8]]) -> Reply {
    let mut request =
        format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n", serving.port).into_bytes();
    for field in fields {
        request.extend(*field);
        request.extend(b"\r\n");
    }
    request.extend(b"\r\n");
    let mut stream = TcpStream::connect(serving.address()).expect("connect");
    stream.write_all(&request).expect("sent");
    read_reply(stream)
}

/// A member of both organizations, whose token is for the first.
fn member(orgs: [&str; 2]) -> String {
    let mut claims = claims("ada", orgs[0]);
    claims["orgs"] = json!(orgs);
    jwt(claims)
}

#[test]
fn h05_an_organization_that_cannot_be_read_is_refused_and_never_replaced_by_the_tokens_own() {
    let serving = Serving::new();
    let authorization = format!("Authorization: Bearer {}", member(["acme", "globex"]));
    let targets = [format!("{BASE}/wiki/authorize?{}", wish("all")), format!("{BASE}/connections")];
    for target in &targets {
        for unreadable in [
            &[&b"X-Active-Org: B\xfcro"[..]][..],
            &[b"X-Active-Org: globex\xff"],
            &[b"X-Active-Org: \xc0\xaf"],
            &[b"X-Active-Org: globex", b"X-Active-Org: globex"],
            &[b"X-Active-Org: globex", b"x-active-org: acme"],
            &[b"X-Active-Org: globex", b"X-Active-Org: B\xfcro"],
            &[b"X-Active-Org:", b"X-Active-Org: globex"],
        ] {
            let fields = [&[authorization.as_bytes()], unreadable].concat();
            let reply = sent(&serving, target, &fields);
            assert_eq!((400, "invalid_header".into()), (reply.status, code(&reply)), "{unreadable:?}");
            assert!(json_of(&reply)["detail"].as_str().is_some_and(|why| why.contains("X-Active-Org")), "{reply:?}");
        }
    }
}

#[test]
fn h05_an_organization_has_any_name_in_utf_8() {
    let serving = Serving::new();
    let authorization = format!("Authorization: Bearer {}", member(["acme", "Büro"]));
    let target = format!("{BASE}/wiki/authorize?{}", wish("all"));
    let begun = sent(&serving, &target, &[authorization.as_bytes(), "X-Active-Org: Büro".as_bytes()]);
    assert_eq!(302, begun.status, "{begun:?}");
    let org: String = serving.database().query_row("SELECT org_key FROM flow", [], |row| row.get(0)).expect("a flow");
    assert_eq!("Büro", org);
    let other = sent(&serving, &target, &[authorization.as_bytes(), "X-Active-Org: Küche".as_bytes()]);
    assert_eq!("org_forbidden", code(&other));
}

/// What a request with this header is refused with must not be had by spoiling the header.
#[test]
fn h05_no_header_opens_anything_by_being_doubled_or_unreadable() {
    let serving = Serving::new();
    let bearer = format!("Authorization: Bearer {}", token_of("ada", "acme"));
    let cookie = format!("Cookie: session={}", token_of("ada", "acme"));
    let (start, list) = (format!("{BASE}/wiki/authorize?{}", wish("all")), format!("{BASE}/connections"));
    let cases: &[(&str, &str, &[&[u8]], &str)] = &[
        (&list, &bearer, &[b"Origin: https://evil.example", b"Origin: https://evil.example"], "invalid_header"),
        (&list, &bearer, &[b"Origin: https://app.example.com", b"Origin: https://evil.example"], "invalid_header"),
        (&list, &bearer, &[b"Origin: https://evil.example\xff"], "invalid_header"),
        (&start, &bearer, &[b"Origin: https://evil.example\xff"], "invalid_header"),
        (&start, &cookie, &[b"Sec-Fetch-Site: cross-site", b"Sec-Fetch-Site: same-origin"], "invalid_header"),
        (
            &start,
            &cookie,
            &[b"Sec-Fetch-Site: same-origin", b"Sec-Fetch-Mode: no-cors", b"Sec-Fetch-Mode: x"],
            "invalid_header",
        ),
        (&start, &cookie, &[b"Sec-Fetch-Site: same-origin", b"Sec-Fetch-Mode: no-cors\xff"], "invalid_header"),
        (&start, &bearer, &[b"Accept: application/json\xff"], "invalid_header"),
        (&list, &bearer, &[b"Authorization: Bearer x"], "unauthenticated"),
        (&list, "Authorization: Bearer \u{e9}", &[], "unauthenticated"),
        (&start, &cookie, &[b"Sec-Purpose: prefetch\xff"], "prefetch"),
        (&start, &cookie, &[b"Sec-Purpose: prefetch", b"Sec-Purpose: x"], "prefetch"),
    ];
    for (target, credential, fields, expected) in cases {
        let reply = sent(&serving, target, &[&[credential.as_bytes()], *fields].concat());
        assert_eq!(*expected, code(&reply), "{fields:?}: {reply:?}");
        assert_eq!((None, None), (reply.field("access-control-allow-origin"), reply.field("set-cookie")), "{fields:?}");
    }
    let twice = sent(&serving, &start, &[bearer.as_bytes(), b"Accept: text/html", b"Accept: application/json"]);
    assert_eq!(200, twice.status, "Accept is a list, on one line or two: {twice:?}");
}

#[test]
fn h05_a_second_cookie_hides_nothing() {
    let serving = Serving::new();
    let session = |org: &str| format!("session={}", token_of("ada", org));
    for second in ["session=x".into(), session("acme"), "a=\u{e9}; session=x".into(), "session =\u{e9}".into()] {
        let mut jar = Jar::default();
        let begun = serving.begin("ada", &mut jar, "");
        let target = serving.decided(&begun, "allow");
        let own = jar.field();
        let fields = format!("{}; {}; {second}", own.trim_end(), session("other"));
        let back = sent(&serving, &target, &[fields.as_bytes()]);
        assert_error(&back, "org_forbidden");
    }
    let fields = format!("Cookie: {}; a=\u{e9}; session=\u{e9}", session("acme"));
    let started = sent(&serving, &format!("{BASE}/wiki/authorize?{}", wish("all")), &[fields.as_bytes()]);
    assert_eq!("unauthenticated", code(&started), "two sessions are none");
}

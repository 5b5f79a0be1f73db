//! What every reply carries, and what can never get into one.

use super::*;

const DONE: Location = Location::from_static("/done");

fn field<'a>(reply: &'a Reply, name: &str) -> Vec<&'a str> {
    reply.fields().filter(|(other, _)| *other == name).map(|(_, value)| value).collect()
}

fn of_every_kind() -> [Reply; 5] {
    [
        Reply::html(200, "<p>"),
        Reply::json(200, b"{}".to_vec()),
        Reply::text(200, "x"),
        Reply::redirect(303, DONE),
        Reply::status(405).allow("GET"),
    ]
}

#[test]
fn l28_every_reply_carries_the_guards() {
    for reply in of_every_kind() {
        assert_eq!(field(&reply, "Cache-Control"), ["no-store"]);
        assert_eq!(field(&reply, "Referrer-Policy"), ["no-referrer"]);
        assert_eq!(field(&reply, "X-Content-Type-Options"), ["nosniff"]);
        assert_eq!(field(&reply, "X-Frame-Options"), ["DENY"]);
        let policy = field(&reply, "Content-Security-Policy");
        assert_eq!(
            policy,
            ["default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; \
              frame-ancestors 'none'"]
        );
        assert!(!reply.body().is_empty(), "an empty 4xx shows the browser's own error page");
    }
}

#[test]
fn l37_the_type_and_its_charset_are_always_stated() {
    let types = of_every_kind().map(|reply| field(&reply, "Content-Type").join("|"));
    let (html, json, text) =
        ("text/html; charset=utf-8", "application/json; charset=utf-8", "text/plain; charset=utf-8");
    assert_eq!(types, [html, json, text, html, html]);
}

#[test]
fn a_form_may_lead_to_another_port() {
    let reply = Reply::html(200, "<form>".to_owned()).with_policy(ContentSecurityPolicy::Form);
    let policy = field(&reply, "Content-Security-Policy").join("");
    assert!(policy.contains("form-action 'self' http://127.0.0.1:*;") && policy.contains("default-src 'none'"));
}

#[test]
fn a_location_cannot_end_its_line() {
    for text in ["", "/a\r\nSet-Cookie: x=y", "/a\n", "/a b", "/caf\u{e9}", "/\u{7f}", "/\0"] {
        assert_eq!(Location::new(text.to_owned()), Err(NotALocation), "{text:?}");
    }
    let location = Location::new("http://[::1]:1/cb?code=SECRET").unwrap();
    assert_eq!(location.as_str(), "http://[::1]:1/cb?code=SECRET");
    let reply = Reply::redirect(302, location);
    assert_eq!(field(&reply, "Location"), ["http://[::1]:1/cb?code=SECRET"]);
    assert!(!format!("{reply:?} {:?}", reply.location()).contains("SECRET"));
}

#[test]
fn a_status_page_is_fixed_and_asks_for_no_icon() {
    for status in [200, 303, 400, 404, 405, 408, 418, 431, 500, 503, 505] {
        let reply = Reply::status(status);
        assert_eq!(reply, Reply::status(status));
        assert_eq!(reply.status_code(), status);
        assert!(String::from_utf8_lossy(reply.body()).contains("<link rel=\"icon\" href=\"data:,\">"));
    }
    assert_eq!(field(&Reply::status(405).allow("GET"), "Allow"), ["GET"]);
}

#[test]
fn y13_a_forward_is_307_without_content_and_cannot_end_its_line() {
    let forward = |bytes: &[u8]| Forwarding::new(bytes.to_vec());
    for bytes in [&b""[..], b"/a\r\nX: y", b"/a\n", b"/a b", b"/\x7f", b"/\0", b"/\t"] {
        assert_eq!(forward(bytes), None, "{}", bytes.escape_ascii());
    }
    let reply = Reply::forward(forward(b"https://a.example/cb?code=SECRET\xe9").unwrap());
    assert_eq!((307, &b""[..]), (reply.status_code(), reply.body()));
    assert_eq!(reply.forwarding().unwrap().as_bytes(), b"https://a.example/cb?code=SECRET\xe9");
    let fields: Vec<_> = reply.fields().collect();
    assert_eq!(fields, [("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer"), ("Pragma", "no-cache")]);
    assert!(!format!("{reply:?} {:?}", reply.forwarding()).contains("SECRET"));
}

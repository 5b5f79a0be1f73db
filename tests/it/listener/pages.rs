//! What the browser is shown: constants, whatever was asked.

use std::collections::BTreeSet;

use crate::harness::{Reply, Waiting};

#[test]
fn l28_nothing_of_a_request_is_ever_in_a_page() {
    let waiting = Waiting::new();
    let payloads = [
        "<script>alert(1)</script>",
        "\"><img/src=x/onerror=alert(1)>",
        "'-alert(1)-'",
        "javascript:alert(1)",
        "</title><svg/onload=alert(1)>",
        "{{7*7}}",
        "${7*7}",
        "<!--",
        "]]>",
        "&lt;script&gt;",
        "+ADw-script+AD4-",
        "<base/href=//evil.example>",
        "<meta/http-equiv=refresh>",
        "<style>*{}</style>",
        "<iframe/srcdoc=x>",
        "%3Cscript%3Ealert(1)%3C/script%3E",
        "%0d%0aSet-Cookie:%20a=b",
        "%0d%0a%0d%0a<script>",
        "%E2%80%AE<script>",
        "%00<script>",
    ];
    let places = [
        "error=access_denied&error_description=",
        "error=access_denied&error_uri=",
        "error=",
        "code=x&state=",
        "state=x&code=",
        "code=x&iss=",
        "",
        "x=",
        "code=x&state=y&",
        "error_description=x&error=access_denied&state=",
    ];
    let mut pages = BTreeSet::new();
    for payload in payloads {
        for place in places {
            let target = waiting.login.callback(&format!("{place}{payload}"));
            pages.insert(constant(&waiting.login.get(&target)));
        }
        let elsewhere = constant(&waiting.login.get(&format!("/{payload}")));
        assert_eq!(elsewhere, constant(&waiting.login.get("/another-path")));
    }
    assert_eq!(1, pages.len(), "{pages:#?}");

    // The same with the right state: the provider itself is hostile.
    let (state, iss) = (waiting.login.state(), &waiting.provider.origin);
    let query = format!("error=%3Cb%3E&error_description=%3Cscript%3Ealert(1)&state={state}&iss={iss}");
    let reply = waiting.login.get(&waiting.login.callback(&query));
    assert_eq!(Some("/failed"), reply.field("location"));
    let page = waiting.login.get("/failed");
    assert!(page.body.contains("You are not signed in"));
    assert!(!page.body.contains("alert") && !page.body.contains("<b>"), "{page:?}");
    waiting.login.finished().assert_code(5);
}

/// All of a reply but the time.
fn constant(reply: &Reply) -> String {
    let head: Vec<_> = reply.head.lines().filter(|line| !line.starts_with("Date:")).collect();
    format!("{}\n\n{}", head.join("\n"), reply.body)
}

#[test]
fn l37_every_page_is_shown_and_kept_by_nobody() {
    let waiting = Waiting::new();
    let answer = waiting.answer();
    let strays = [("/callback?state=x", 400), ("/x", 404)].map(|(target, status)| (waiting.login.get(target), status));
    let answered = waiting.login.get(&answer);
    let again = waiting.login.get(&answer);
    let done = waiting.login.get("/done");
    for (page, status) in strays.into_iter().chain([(answered, 303), (again, 410), (done, 200)]) {
        assert_eq!(status, page.status);
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("connection", "close"),
        ] {
            assert_eq!(Some(value), page.field(name), "{name} of {page:?}");
        }
        let policy = page.field("content-security-policy").unwrap_or_default();
        assert!(policy.contains("default-src 'none'"), "{page:?}");
        assert!(!page.body.contains("<script") && !page.body.contains("http"), "nothing runs, nothing is fetched");
    }
    waiting.login.finished().assert_code(0);
}

//! What is no answer: it is turned away, and the wait goes on.

use super::*;

#[test]
fn l05_wrong_state_keeps_waiting_however_often_it_comes() {
    let mut login = login();
    for at in 0..1000 {
        let target = [
            "/callback?code=x&state=wrong",
            "/callback?code=x",
            "/callback",
            "/callback?",
            "/callback?state=canary-state",
            "/callback?code=x&state=canary-stat",
        ][at % 6];
        let (reply, why) = stray(login.receive(&get(target), user));
        assert!(matches!(why, Stray::Unrelated(_)), "{target}: {why:?}");
        assert_eq!((400, pages::unrelated().body()), (reply.status_code(), reply.body()), "{target}");
    }
    assert_code(&mut login);
}

#[test]
fn l06_the_right_answer_counts_after_a_forged_one() {
    let (_, why) = stray(login().receive(&get("/callback?code=forged&state=guess"), user));
    assert_eq!(Stray::Unrelated(Unrelated::WrongState), why);
    assert_stray("forged first", &get("/callback?code=forged&state=guess"), 400, why);
}

#[test]
fn l10_a_parameter_that_comes_twice_keeps_waiting() {
    for query in [
        "code=a&code=b&state=canary-state",
        "code=a&state=x&state=canary-state",
        "code=a&state=canary-state&%73tate=canary-state",
    ] {
        assert_stray(query, &get(&format!("/callback?{query}")), 400, Stray::Unrelated(Unrelated::DuplicateParameter));
    }
}

#[test]
fn l11_a_forged_error_keeps_waiting() {
    assert_stray("no state", &get("/callback?error=access_denied"), 400, Stray::Unrelated(Unrelated::NoState));
    assert_stray("wrong", &get("/callback?error=access_denied&state=x"), 400, Stray::Unrelated(Unrelated::WrongState));
}

#[test]
fn l14_favicons_scans_and_other_paths_are_404() {
    for target in [
        "/",
        "/favicon.ico",
        "/apple-touch-icon.png",
        "/apple-touch-icon-precomposed.png",
        "/robots.txt",
        "/.well-known/appspecific/com.chrome.devtools.json",
        "/.env",
        "/wp-login.php",
        "/json/version",
        "/favicon.ico?code=canary-code&state=canary-state",
        "/done",
        "/failed",
    ] {
        assert_stray(target, &get(target), 404, Stray::Path);
    }
    for reply in [
        pages::landing(Outcome::Done),
        pages::landing(Outcome::Failed),
        pages::received(),
        pages::unrelated(),
        Reply::status(404),
    ] {
        let page = String::from_utf8_lossy(reply.body());
        assert!(
            page.contains("<link rel=\"icon\" href=\"data:,\">"),
            "no page makes a browser ask for an icon: {page}"
        );
    }
}

#[test]
fn l16_a_prefetch_keeps_waiting() {
    for fields in [
        "Sec-Purpose: prefetch\r\n",
        "Sec-Purpose: prefetch;prerender\r\n",
        "Sec-Purpose: prefetch;anonymous-client-ip\r\n",
        "Purpose: prefetch\r\n",
        "X-Purpose: preview\r\n",
        "X-Moz: prefetch\r\n",
        "sec-purpose: PREFETCH\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n",
    ] {
        assert_stray(fields, &request("GET", RIGHT, HOST, fields), 403, Stray::Prefetch);
    }
}

#[test]
fn l17_what_a_hostile_page_can_make_a_browser_send_keeps_waiting() {
    for (vector, site, mode, dest) in [
        ("img", "cross-site", "no-cors", "image"),
        ("script", "cross-site", "no-cors", "script"),
        ("style", "cross-site", "no-cors", "style"),
        ("fetch cors", "cross-site", "cors", "empty"),
        ("fetch no-cors", "cross-site", "no-cors", "empty"),
        ("iframe", "cross-site", "navigate", "iframe"),
        ("frame", "same-site", "navigate", "frame"),
        ("object", "cross-site", "navigate", "object"),
        ("embed", "cross-site", "navigate", "embed"),
        ("websocket", "cross-site", "websocket", "websocket"),
        ("empty fields", "", "", ""),
    ] {
        let fields = format!("Sec-Fetch-Site: {site}\r\nSec-Fetch-Mode: {mode}\r\nSec-Fetch-Dest: {dest}\r\n");
        assert_stray(vector, &request("GET", RIGHT, HOST, &fields), 403, Stray::Subresource);
    }
    for half in [
        "Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: document\r\n",
        "Sec-Fetch-Dest: image\r\n",
        "Sec-Fetch-Mode: no-cors\r\n",
    ] {
        assert_stray(half, &request("GET", RIGHT, HOST, half), 403, Stray::Subresource);
    }
}

#[test]
fn l18_a_preflight_opens_nothing_and_the_answer_still_counts() {
    for fields in [
        "Origin: https://evil.example\r\nAccess-Control-Request-Method: GET\r\n",
        "Origin: https://evil.example\r\nAccess-Control-Request-Method: GET\r\nAccess-Control-Request-Private-Network: true\r\n",
        "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n",
    ] {
        let reply = assert_stray(fields, &request("OPTIONS", RIGHT, HOST, fields), 403, Stray::Method);
        assert!(reply.fields().all(|(name, _)| !name.to_ascii_lowercase().starts_with("access-control")), "{fields}");
    }
}

#[test]
fn l19_only_get_is_an_answer() {
    let reply = assert_stray("POST", &request("POST", RIGHT, HOST, ""), 405, Stray::Posted);
    assert_eq!(["GET"], *field(&reply, "Allow"));
    assert_stray("POST", &request("POST", "/other", HOST, ""), 405, Stray::Method);
    for method in ["HEAD", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "get", "GET2"] {
        let reply = assert_stray(method, &request(method, RIGHT, HOST, ""), 405, Stray::Method);
        assert_eq!(["GET"], *field(&reply, "Allow"), "{method}");
    }
    assert_stray("a body", &request("GET", RIGHT, HOST, "Content-Length: 1\r\n"), 400, Stray::Body);
}

#[test]
fn l20_the_host_is_the_redirects_byte_for_byte() {
    for host in [
        "evil.example",
        "evil.example:25417",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:25418",
        "127.0.0.1:025417",
        "127.0.0.1.evil.example:25417",
        "127.0.0.1:25417.evil.example",
        "127.0.0.1:25417@evil.example",
        "me@127.0.0.1:25417",
        "127.0.0.1:25417,127.0.0.1:25417",
        "127.0.0.1:25417/",
        "127.0.0.1.:25417",
        "localhost:25417",
        "localhost.evil.example:25417",
        "[::1]:25417",
        "[::ffff:127.0.0.1]:25417",
        "0.0.0.0:25417",
        "127.1:25417",
        "2130706433:25417",
        "0x7f.0.0.1:25417",
        "http://127.0.0.1:25417",
        "",
    ] {
        assert_stray(host, &request("GET", RIGHT, host, ""), 421, Stray::Host);
    }
    let line = format!("GET {RIGHT} HTTP/1.1\r\n");
    assert_stray("missing", &head(format!("{line}\r\n").as_bytes()), 400, Stray::Host);
    assert_stray("twice", &head(format!("{line}Host: {HOST}\r\nHost: {HOST}\r\n\r\n").as_bytes()), 400, Stray::Host);
}

#[test]
fn l20_every_landing_has_its_own_host() {
    for (registered, port, host) in [
        ("http://[::1]:0/callback", 25417, "[::1]:25417"),
        ("http://localhost:0/callback", 25417, "localhost:25417"),
        ("http://127.0.0.1:8085/callback", 8085, "127.0.0.1:8085"),
    ] {
        let mut login = login_at(registered, port, IssParameter::NotPromised);
        assert_eq!(Stray::Host, stray(login.receive(&request("GET", RIGHT, "127.0.0.1:1", ""), user)).1);
        assert!(matches!(login.receive(&request("GET", RIGHT, host, ""), user), Reaction::Code(..)), "{registered}");
    }
}

#[test]
fn l21_the_path_is_the_redirects_byte_for_byte_and_in_origin_form() {
    let query = "code=canary-code&state=canary-state";
    for path in [
        "http://127.0.0.1:25417/callback",
        "http://evil.example/callback",
        "//evil.example/callback",
        "//127.0.0.1:25417/callback",
        "//callback",
        "/\\evil/callback",
        "\\callback",
        "*",
        "callback",
        "/callback/",
        "/Callback",
        "/CALLBACK",
        "/%63allback",
        "/callbac%6b",
        "/callback%00",
        "/callback%20",
        "/callback;x",
        "/callback.html",
        "/./callback",
        "/x/../callback",
        "/callback/../callback",
        "/callback&",
        "/callbackx",
        "/callbac",
        "127.0.0.1:25417",
        "/",
        "?",
    ] {
        assert_stray(path, &get(&format!("{path}?{query}")), 404, Stray::Path);
    }
}

#[test]
fn t17_a_target_with_a_fragment_is_no_request() {
    for target in [
        &format!("{RIGHT}#"),
        &format!("{RIGHT}#fragment"),
        "/callback#?code=canary-code&state=canary-state",
        "/callback?code=canary-code#&state=canary-state",
        "/callback?code=canary-code&state=canary-state#_=_",
        "/#",
    ] {
        assert_stray(target, &get(target), 400, Stray::Fragment);
    }
}

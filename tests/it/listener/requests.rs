//! What a request at the listener may look like. Every one in these tables carries the true answer, as far as it can;
//! the browser's own request still counts afterwards.

use super::assert_turned_away;
use crate::harness::{Login, Provider, Sandbox, Waiting};

#[test]
fn l14_favicons_and_scans_are_nothing_here() {
    let waiting = Waiting::new();
    for path in [
        "/",
        "/favicon.ico",
        "/apple-touch-icon.png",
        "/apple-touch-icon-precomposed.png",
        "/robots.txt",
        "/.well-known/appspecific/com.chrome.devtools.json",
        "/.git/config",
        "/wp-login.php",
        "/done",
        "/failed",
        "/json/version",
    ] {
        let referer = format!("Referer: http://127.0.0.1{}\r\n", waiting.login.callback("code=x&state=y"));
        assert_turned_away(404, &waiting.login.get_with(path, &referer));
    }
    let finished = waiting.ends_well();
    assert!(!finished.stderr.contains("turned away"), "everyday requests are not told: {finished:?}");
}

#[test]
fn l16_a_prefetch_of_the_answer_is_not_the_answer() {
    let waiting = Waiting::new();
    let answer = waiting.answer();
    for field in [
        "Sec-Purpose: prefetch",
        "Sec-Purpose: prefetch;prerender",
        "Sec-Purpose: prefetch;anonymous-client-ip",
        "sec-purpose: PREFETCH",
        "Purpose: prefetch",
        "X-Purpose: preview",
        "X-Moz: prefetch",
        "Purpose: prefetch\r\nSec-Purpose: prefetch",
    ] {
        assert_turned_away(403, &waiting.login.get_with(&answer, &format!("{field}\r\n")));
    }
    waiting.ends_well();
}

#[test]
fn l17_what_a_hostile_page_makes_a_browser_send_is_not_the_answer() {
    let waiting = Waiting::new();
    let answer = waiting.answer();
    for (what, mode, dest) in [
        ("img", "no-cors", "image"),
        ("fetch", "no-cors", "empty"),
        ("fetch with cors", "cors", "empty"),
        ("iframe", "navigate", "iframe"),
        ("frame", "navigate", "frame"),
        ("object", "navigate", "object"),
        ("script", "no-cors", "script"),
        ("link rel=prefetch", "no-cors", "empty"),
        ("worker", "same-origin", "worker"),
        ("WebSocket", "websocket", "empty"),
    ] {
        let fields = format!("Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: {mode}\r\nSec-Fetch-Dest: {dest}\r\n");
        let reply = waiting.login.get_with(&answer, &fields);
        assert_turned_away(403, &reply);
        assert_eq!(Some("DENY"), reply.field("x-frame-options"), "{what}");
        assert!(reply.field("content-security-policy").is_some_and(|p| p.contains("frame-ancestors 'none'")), "{what}");
    }
    // A form that sends itself.
    let form = format!(
        "POST {answer} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nOrigin: https://evil.example\r\nSec-Fetch-Mode: navigate\r\n\
         Sec-Fetch-Dest: document\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b",
        waiting.login.port()
    );
    assert_turned_away(405, &waiting.login.send(form));

    // What Chromium sends when the provider redirects it here.
    let navigation =
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nSec-Fetch-User: ?1\r\n";
    let reply = waiting.login.get_with(&answer, navigation);
    assert_eq!((303, Some("/done")), (reply.status, reply.field("location")), "{reply:?}");
    assert!(waiting.login.get_with("/done", navigation).body.contains("You are signed in"));
    waiting.login.finished().assert_code(0);
}

/// The form that a provider's page submits.
fn form(login: &Login, body: &str) -> String {
    format!(
        "POST /callback HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nOrigin: https://op.example\r\nSec-Fetch-Site: cross-site\r\n\
         Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        login.port(),
        body.len()
    )
}

#[test]
fn d19_a_response_is_posted_where_the_integration_asks_for_it() {
    let (provider, sandbox) = (Provider::new(), Sandbox::new());
    sandbox.configure(&(provider.integration() + "response_mode = \"form_post\"\n"));
    let waiting = Waiting { login: sandbox.login(&[]), sandbox, provider };
    assert!(waiting.login.url.contains("response_mode=form_post"), "{}", waiting.login.url);
    let answer = waiting.answer();
    let body = answer.split_once('?').expect("query").1;
    let reply = waiting.login.send(form(&waiting.login, &body.replace("state=", "state=x")));
    assert_eq!(400, reply.status, "{reply:?}");
    let reply = waiting.login.send(form(&waiting.login, body));
    assert_eq!((303, Some("/done")), (reply.status, reply.field("location")), "{reply:?}");
    assert!(waiting.login.get_with("/done", "").body.contains("You are signed in"));
    waiting.login.finished().assert_code(0);
}

#[test]
fn d19_a_post_that_nobody_asked_for_is_said_on_the_terminal_with_the_line_to_write() {
    let waiting = Waiting::new();
    let answer = waiting.answer();
    let reply = waiting.login.send(form(&waiting.login, answer.split_once('?').expect("query").1));
    assert_turned_away(405, &reply);
    waiting.ends_well().assert_says("response_mode = \"form_post\"");
}

#[test]
fn l18_a_preflight_opens_nothing() {
    let waiting = Waiting::new();
    let answer = waiting.answer();
    let reply = waiting.login.send(format!(
        "OPTIONS {answer} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nOrigin: https://evil.example\r\nAccess-Control-Request-Method: GET\r\n\
         Access-Control-Request-Private-Network: true\r\nAccess-Control-Request-Local-Network: true\r\n\r\n",
        waiting.login.port()
    ));
    assert_turned_away(403, &reply);
    assert!(!reply.head.to_ascii_lowercase().contains("access-control-"), "{reply:?}");
    waiting.ends_well();
}

#[test]
fn l19_only_get_is_an_answer() {
    let waiting = Waiting::new();
    let answer = waiting.answer();
    for method in ["HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "get", "GETT"] {
        let request = format!("{method} {answer} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", waiting.login.port());
        let reply = waiting.login.send(request);
        assert_turned_away(405, &reply);
        assert_eq!(Some("GET"), reply.field("allow"), "{method}");
        assert_eq!(method == "HEAD", reply.body.is_empty(), "{method}");
    }
    waiting.ends_well();
}

#[test]
fn l20_the_host_is_the_redirects_byte_for_byte() {
    let waiting = Waiting::new();
    let (answer, port) = (waiting.answer(), waiting.login.port());
    let send = |fields: String| waiting.login.send(format!("GET {answer} HTTP/1.1\r\n{fields}\r\n"));
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        format!("127.0.0.1.evil.example:{port}"),
        format!("localhost:{port}"),
        format!("LOCALHOST:{port}"),
        "127.0.0.1".to_owned(),
        "127.0.0.1:".to_owned(),
        format!("127.0.0.1:0{port}"),
        format!("127.0.0.1:{}", port ^ 1),
        format!("127.0.0.1:{port}.evil.example"),
        format!("127.0.0.1:{port}@evil.example"),
        format!("me@127.0.0.1:{port}"),
        format!("127.1:{port}"),
        format!("127.0.0.2:{port}"),
        format!("0x7f.0.0.1:{port}"),
        format!("2130706433:{port}"),
        format!("0.0.0.0:{port}"),
        format!("[::1]:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        format!("127.0.0.1:{port}, evil.example"),
        format!("127.0.0.1:{port}/"),
        String::new(),
    ] {
        assert_turned_away(421, &send(format!("Host: {host}\r\n")));
    }
    assert_turned_away(400, &send(String::new()));
    assert_turned_away(400, &send(format!("Host: 127.0.0.1:{port}\r\nHost: 127.0.0.1:{port}\r\n")));
    assert_turned_away(400, &send(format!("Host: 127.0.0.1:{port}\r\nhost: evil.example\r\n")));
    waiting.ends_well();
}

#[test]
fn l21_the_path_is_the_redirects_byte_for_byte_and_in_origin_form() {
    let waiting = Waiting::new();
    let (answer, port) = (waiting.answer(), waiting.login.port());
    let query = answer.split_once('?').expect("query").1;
    for path in [
        "//callback",
        "///callback",
        "//evil.example/callback",
        "/\\callback",
        "\\callback",
        "callback",
        "*",
        "/callback/",
        "/callback//",
        "/callback/.",
        "/./callback",
        "/x/../callback",
        "/CALLBACK",
        "/Callback",
        "/%63allback",
        "/callbac%6b",
        "/callback%2f",
        "/callback;x",
        "/callback%3f",
        "/callback%00",
        "/callback.html",
        "/callbackx",
        "/callbac",
        "/",
        "?",
        "http://127.0.0.1/callback",
        "http://evil.example/callback",
    ] {
        assert_turned_away(404, &waiting.login.get(&format!("{path}?{query}")));
    }
    assert_turned_away(404, &waiting.login.get(&format!("http://127.0.0.1:{port}{answer}")));
    assert_turned_away(400, &waiting.login.get("/callback"));
    assert_turned_away(400, &waiting.login.get("/callback?"));
    waiting.ends_well();
}

#[test]
fn t17_a_target_with_a_fragment_is_refused_and_the_login_goes_on() {
    let waiting = Waiting::new();
    let answer = waiting.answer();
    let (path, query) = answer.split_once('?').expect("a query");
    for target in [
        format!("{answer}#"),
        format!("{answer}#fragment"),
        format!("{path}#?{query}"),
        format!("{path}?#{query}"),
        format!("{path}?{}", query.replace('&', "#&")),
    ] {
        assert_turned_away(400, &waiting.login.get(&target));
    }
    waiting.ends_well();
}

#[test]
fn t17_a_page_that_the_browser_fetches_before_the_user_goes_there_is_not_the_answer() {
    let waiting = Waiting::new();
    let answer = waiting.answer();
    for field in ["X-Moz: prefetch", "x-moz: PREFETCH", "X-Purpose: preview", "X-Purpose: instant"] {
        assert_turned_away(403, &waiting.login.get_with(&answer, &format!("{field}\r\n")));
    }
    waiting.ends_well();
}

#[test]
fn l25_cookies_of_other_programs_do_not_lose_the_answer() {
    let long = format!("Cookie: {}\r\n", "c=0123456789abcdef; ".repeat(3000));
    assert!(long.len() > 56_000);
    let ten = format!("Cookie: {}\r\n", "c".repeat(6000)).repeat(10);
    for cookies in ["Cookie: dev=café\r\n", "Cookie: a=\x01\x7f\x1b[31m\r\n", "Cookie:\r\n", &long, &ten] {
        let waiting = Waiting::new();
        let reply = waiting.login.get_with(&waiting.answer(), cookies);
        assert_eq!((303, Some("/done")), (reply.status, reply.field("location")), "{reply:?}");
        assert_eq!(200, waiting.login.get_with("/done", cookies).status);
        waiting.login.finished().assert_code(0);
    }
}

#[test]
fn l26_a_request_hidden_in_another_is_never_served() {
    let waiting = Waiting::new();
    let host = format!("Host: 127.0.0.1:{}\r\n", waiting.login.port());
    let hidden = format!("GET {} HTTP/1.1\r\n{host}\r\n", waiting.answer());
    let length = hidden.len();
    for fields in [
        "Transfer-Encoding: chunked\r\n".to_owned(),
        "Transfer-Encoding: xchunked\r\n".to_owned(),
        "Transfer-Encoding: identity\r\n".to_owned(),
        "Transfer-Encoding : chunked\r\n".to_owned(),
        "Transfer-Encoding:\x0bchunked\r\n".to_owned(),
        "X: y\r\n Transfer-Encoding: chunked\r\n".to_owned(),
        "Content-Length: 0\r\nContent-Length: 5\r\n".to_owned(),
        "Content-Length: 0\r\nContent-Length: 0\r\n".to_owned(),
        "Content-Length: +0\r\n".to_owned(),
        "Content-Length: -1\r\n".to_owned(),
        "Content-Length: 0x0\r\n".to_owned(),
        "Content-Length: 99999999999999999999\r\n".to_owned(),
        "Content-Length: 0, 0\r\n".to_owned(),
        "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n".to_owned(),
        format!("Content-Length: {length}\r\n"),
    ] {
        // 400 and not the 404 of this path: the request itself is refused.
        let reply = waiting.login.send(format!("GET /x HTTP/1.1\r\n{host}{fields}\r\n{hidden}"));
        assert_turned_away(400, &reply);
        assert!(!reply.body.contains("HTTP/1.1"), "two replies to {fields:?}: {reply:?}");
        assert_eq!(Some("close"), reply.field("connection"));
    }
    let pipelined = waiting.login.send(format!("GET /x HTTP/1.1\r\n{host}Connection: keep-alive\r\n\r\n{hidden}"));
    assert_turned_away(404, &pipelined);
    assert!(!pipelined.body.contains("HTTP/1.1"), "{pipelined:?}");
    assert_eq!(0, waiting.provider.counters().token, "no hidden answer was taken");
    waiting.ends_well();
}

#[test]
fn l27_bytes_that_are_no_request_are_refused_and_disturb_nobody() {
    let waiting = Waiting::new();
    let host = format!("Host: 127.0.0.1:{}", waiting.login.port());
    let answer = waiting.answer();
    let table: [(u16, Vec<u8>); 14] = [
        (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
        (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        (400, format!("GET {answer}\r\n{host}\r\n\r\n").into_bytes()),
        (400, format!("GET {answer} HTTP/1.1\n{host}\n\n").into_bytes()),
        (400, format!("GET {answer} HTTP/1.1\r{host}\r\r").into_bytes()),
        (400, format!("GET {answer}\0 HTTP/1.1\r\n{host}\r\n\r\n").into_bytes()),
        (400, format!("GET {answer} x HTTP/1.1\r\n{host}\r\n\r\n").into_bytes()),
        (400, format!("GET\t{answer}\tHTTP/1.1\r\n{host}\r\n\r\n").into_bytes()),
        (400, format!("GET {answer} HTTP/1.1\r\n{host}\0\r\n\r\n").into_bytes()),
        (400, format!("GET {answer} HTTP/1.1\r\n: x\r\n{host}\r\n\r\n").into_bytes()),
        (400, format!("GET {answer} FTP/1.1\r\n{host}\r\n\r\n").into_bytes()),
        (505, format!("GET {answer} HTTP/3.0\r\n{host}\r\n\r\n").into_bytes()),
        (400, [&b"\x80\xff\xfe /"[..], b" HTTP/1.1\r\n\r\n"].concat()),
        (
            400,
            [format!("GET {answer}").as_bytes(), b"\xc3\xa9\xff HTTP/1.1\r\n", host.as_bytes(), b"\r\n\r\n"].concat(),
        ),
    ];
    for (status, bytes) in table {
        let reply = waiting.login.send(&bytes);
        assert_eq!(status, reply.status, "{}: {reply:?}", bytes.escape_ascii());
    }
    // Every single byte, alone and on an otherwise empty connection.
    for byte in 0..=255_u8 {
        let mut stream = waiting.login.connect();
        std::io::Write::write_all(&mut stream, &[byte]).unwrap();
    }
    let finished = waiting.ends_well();
    assert!(!finished.stderr.contains("internal fault"), "{finished:?}");
}

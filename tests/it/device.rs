//! `loopin login --how device`: a provider that plays the server of RFC 8628, well or badly, and a user who is elsewhere.

use std::{
    io::Write,
    process::Child,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use crate::harness::{Finished, JSON, PATIENCE, RawServer, Sandbox, TOKENS, kill, origin_of, reply};

/// A code that is asked for often, so that a test waits for little.
const CODE: &str = r#"{"device_code":"canary-device-code","user_code":"WDJB-MJHT","verification_uri":"{origin}/device",
    "verification_uri_complete":"{origin}/device?user_code=WDJB-MJHT","expires_in":600,"interval":0.05}"#;
const PENDING: &str = r#"{"error":"authorization_pending"}"#;

/// Answers the request for a code with this, and the polls with these, the last one again and again. Tells of each poll.
fn provider(code: (u16, &str), polls: Vec<String>) -> (RawServer, Receiver<usize>) {
    let (code, asked) = ((code.0, code.1.to_owned()), AtomicUsize::new(0));
    let (tell, told) = mpsc::channel();
    let tell = Mutex::new(tell);
    let server = RawServer::new(move |request, stream| {
        let origin = origin_of(stream);
        let answer = if request.starts_with("POST /device") {
            reply(code.0, JSON, &code.1.replace("{origin}", &origin))
        } else {
            let poll = asked.fetch_add(1, Ordering::SeqCst);
            // The test may have seen enough.
            let _ = tell.lock().expect("test").send(poll + 1);
            polls[poll.min(polls.len() - 1)].clone()
        };
        // A program that is stopped reads no more.
        let _ = stream.write_all(answer.as_bytes());
    });
    (server, told)
}

fn json_of(status: u16, body: &str) -> String {
    reply(status, JSON, body)
}

fn configured(server: &RawServer) -> Sandbox {
    let sandbox = Sandbox::new();
    let device = format!("device_authorization_endpoint = \"{}/device\"\n", server.origin);
    sandbox.configure(&(server.integration() + &device));
    sandbox
}

/// How a login ends, whose polls are answered like this.
fn ended(polls: Vec<String>) -> (Finished, Sandbox) {
    let (server, _) = provider((200, CODE), polls);
    let sandbox = configured(&server);
    (sandbox.run(&["login", "work", "--how", "device"]), sandbox)
}

/// How a login ends that gets no code.
fn refused(status: u16, code: &str) -> Finished {
    let (server, _) = provider((status, code), vec![json_of(200, TOKENS)]);
    let finished = configured(&server).run(&["login", "work", "--how", "device"]);
    assert_eq!(0, server.token_requests(), "nobody can approve it: {finished:?}");
    finished
}

#[test]
fn x18_a_login_outlives_a_provider_that_is_busy_and_broken_and_stores_the_tokens() {
    let pending = || json_of(400, PENDING);
    let polls = vec![
        pending(),
        reply(503, "", "<html>"),
        reply(503, "", "<html>"),
        json_of(200, "error=authorization_pending"),
        // Five seconds more from here on.
        reply(429, "Retry-After: 1\r\n", ""),
        json_of(200, TOKENS),
    ];
    let (server, _) = provider((200, CODE), polls);
    let sandbox = configured(&server);
    let finished = sandbox.run(&["login", "work", "--how", "device"]);
    finished.assert_code(0).assert_says("signed in to work").assert_says("WDJB-MJHT");
    finished.assert_says("Enter the code only if you started this login yourself");
    assert_eq!(
        1,
        finished.stderr.matches("status 503").count(),
        "a failure is told once, not each second: {finished:?}"
    );
    assert!(finished.stderr.contains(&format!("\n  {}/device\n", server.origin)), "{finished:?}");
    assert!(!finished.stderr.contains('\u{2588}'), "a QR code is for a terminal: {finished:?}");
    assert_eq!("an-access-token\n", sandbox.run(&["token", "work"]).assert_code(0).stdout);
    assert_eq!(6, server.token_requests());
}

#[test]
fn x18_a_denial_is_5_and_an_expired_code_is_6_with_the_command_that_begins_again() {
    let again = "loopin login work --how device";
    for (answer, code, says) in [
        (r#"{"error":"access_denied","error_description":"The user said no"}"#, 5, "access_denied: The user said no"),
        (r#"{"error":"expired_token"}"#, 6, "the login was not approved within"),
    ] {
        let (finished, sandbox) = ended(vec![json_of(400, PENDING), json_of(400, answer)]);
        finished.assert_code(code).assert_says(says).assert_says(again);
        sandbox.run(&["token", "work"]).assert_code(4);
    }
    let (server, _) = provider((200, &CODE.replace("600", "1")), vec![json_of(400, PENDING)]);
    let finished = configured(&server).run(&["login", "work", "--how", "device", "--account", "me"]);
    finished.assert_code(6).assert_says("within").assert_says("loopin login work --account me --how device");
    let (server, _) = provider((200, CODE), vec![json_of(400, PENDING)]);
    configured(&server).run(&["login", "work", "--how", "device", "--timeout", "1s"]).assert_code(6).assert_says(again);
}

#[test]
fn x18_a_refusal_that_no_waiting_repairs_ends_the_login_with_its_reason() {
    for (answer, code) in [
        (json_of(401, r#"{"error":"invalid_client"}"#), 3),
        (json_of(400, r#"{"error":"invalid_grant"}"#), 9),
        (reply(404, "", "<html>"), 7),
        (json_of(200, r#"{"access_token":"a b"}"#), 9),
    ] {
        let (finished, sandbox) = ended(vec![answer]);
        finished.assert_code(code).assert_says("nothing was stored");
        sandbox.run(&["token", "work"]).assert_code(4);
    }
}

#[test]
fn without_an_endpoint_the_user_reads_what_else_there_is() {
    let (server, _) = provider((200, CODE), vec![json_of(200, TOKENS)]);
    let sandbox = Sandbox::new();
    sandbox.configure(&server.integration());
    let finished = sandbox.run(&["login", "work", "--how", "device"]);
    finished.assert_code(3).assert_says("device_authorization_endpoint").assert_says("loopin login work;");
    assert!(server.requests().is_empty(), "{finished:?}");
    let metadata = RawServer::metadata(
        r#"{"issuer":"{origin}","authorization_endpoint":"{origin}/a","token_endpoint":"{origin}/token"}"#,
    );
    let discovered =
        format!("[integration.work]\nissuer = \"{}\"\nclient_id = \"me\"\nstore = \"file\"\n", metadata.origin);
    sandbox.configure(&(discovered + "store_key = { file = \"{key}\" }\n"));
    sandbox.run(&["login", "work", "--how", "device"]).assert_code(3).assert_says("metadata");
}

#[test]
fn a_client_that_may_not_use_the_device_flow_is_told_what_to_change() {
    for (status, body, code, says) in [
        (200, r#"{"error":"device_flow_disabled"}"#, 3, "allow this client the device flow"),
        (400, r#"{"error":"unauthorized_client"}"#, 3, "without --how device"),
        (401, r#"{"error":"invalid_client"}"#, 3, "check client_id"),
        (400, r#"{"error":"invalid_scope"}"#, 3, "check scopes"),
        (429, "", 7, "try again later"),
        (503, "<html>", 7, "try again later"),
        (200, r#"{"device_code":"d","verification_uri":"https://op.example/device"}"#, 7, "no usable user_code"),
    ] {
        refused(status, body).assert_code(code).assert_says(says);
    }
}

#[test]
fn x19_a_page_or_a_code_that_could_deceive_is_refused_before_it_is_shown() {
    let page = |page: &str| CODE.replace("{origin}/device\",", &format!("{page}\","));
    for (body, code) in [
        (page("http://op.example/device"), 9),
        (page("https://op.example/\\u001b]0;gone\\u0007"), 9),
        (page("javascript:alert(1)"), 9),
        (page("https://github.com@op.example/device"), 9),
        (CODE.replace("WDJB-MJHT\",\"verification_uri\"", "\\u001b[2JWDJB\",\"verification_uri\""), 7),
        (
            CODE.replace(
                "WDJB-MJHT\",\"verification_uri\"",
                &format!("{}\",\"verification_uri\"", "call us ".repeat(9)),
            ),
            7,
        ),
    ] {
        assert_ne!(CODE, body, "the case changes something");
        let finished = refused(200, &body);
        finished.assert_code(code);
        let shown = format!("{}{}", finished.stdout, finished.stderr);
        assert!(
            !shown.contains('\u{1b}') && !shown.contains("op.example") && !shown.contains("enter this code"),
            "{shown}"
        );
    }
}

#[test]
fn x19_the_user_reads_who_asks_and_that_the_page_is_on_another_host() {
    let body = CODE.replace("{origin}/device\",", "https://b\u{fc}cher.example/device\",");
    let (server, _) = provider((200, &body), vec![json_of(400, r#"{"error":"access_denied"}"#)]);
    let finished = configured(&server).run(&["login", "work", "--how", "device"]);
    finished.assert_code(5).assert_says("To sign in to work").assert_says("client \"me\"");
    finished
        .assert_says("\n  https://xn--bcher-kva.example/device\n")
        .assert_says("note: the page is on xn--bcher-kva.example");
    assert!(!finished.stderr.contains("user_code="), "a shortcut to another host is not offered: {finished:?}");
}

#[test]
fn x19_without_being_asked_for_no_code_is_shown_and_no_device_endpoint_is_asked() {
    let (server, _) = provider((200, CODE), vec![json_of(200, TOKENS)]);
    let sandbox = configured(&server);
    let login = sandbox.login(&["--timeout", "30s"]);
    assert!(login.url.contains("/authorize?"), "{}", login.url);
    login.answer("a-code");
    login.finished().assert_code(0);
    assert!(!server.requests().iter().any(|request| request.starts_with("POST /device")));
}

#[test]
fn no_browser_is_opened_and_no_option_of_a_redirect_is_taken() {
    let (server, _) = provider((200, CODE), vec![json_of(200, TOKENS)]);
    let sandbox = configured(&server);
    let opened = sandbox.path("opened");
    let browser = sandbox.script("browser.sh", &format!("echo \"$1\" > '{}'", opened.display()));
    let mut command = sandbox.loopin(&["login", "work", "--how", "device"]);
    command.env("LOOPIN_BROWSER", &browser).env("DISPLAY", ":0");
    Finished::new(command.output().expect("loopin runs")).assert_code(0);
    assert!(!opened.exists(), "the user signs in on another device");
    for option in [&["--port", "9"][..], &["--browser", "true"], &["--relay", "https://acme.example/cli/work"]] {
        let finished = sandbox.run(&[&["login", "work", "--how", "device"], option].concat());
        finished.assert_code(2).assert_says(option[0]).assert_says("--how device");
    }
}

#[test]
fn the_device_code_is_shown_and_kept_nowhere() {
    let repeats = r#"{"error":"invalid_request","error_description":"no canary-device-code here"}"#;
    for polls in [vec![json_of(400, repeats)], vec![json_of(400, PENDING), json_of(200, TOKENS)]] {
        let (server, _) = provider((200, CODE), polls);
        let sandbox = configured(&server);
        let finished = sandbox.run(&["login", "work", "--how", "device", "-v", "--json"]);
        assert!(!format!("{finished:?}").contains("canary"), "{finished:?}");
        let kept = sandbox.state_files();
        assert!(!kept.iter().any(|(_, content)| String::from_utf8_lossy(content).contains("canary")), "{kept:?}");
    }
}

#[test]
fn a_store_that_cannot_keep_the_tokens_is_reported_before_the_user_is_asked_for_anything() {
    let (server, _) = provider((200, CODE), vec![json_of(200, TOKENS)]);
    let sandbox = configured(&server);
    let text = std::fs::read_to_string(sandbox.config()).expect("configuration");
    sandbox.configure(&text.replace("store.key", "no-such.key"));
    let finished = sandbox.run(&["login", "work", "--how", "device"]);
    finished.assert_code(8);
    assert!(server.requests().is_empty(), "{finished:?}");
}

/// A login that waits for its user.
fn waiting(sandbox: &Sandbox, polled: &Receiver<usize>) -> Child {
    let child = sandbox.loopin(&["login", "work", "--how", "device"]).spawn().expect("loopin starts");
    polled.recv_timeout(PATIENCE).expect("a poll");
    child
}

#[test]
fn a_signal_ends_the_wait_at_once_and_leaves_nothing_behind() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let (server, polled) = provider((200, CODE), vec![json_of(400, PENDING)]);
        let sandbox = configured(&server);
        let child = waiting(&sandbox, &polled);
        kill(signal, child.id());
        let finished = Finished::new(child.wait_with_output().expect("loopin ends"));
        finished.assert_code(code).assert_says("nothing was changed");
        sandbox.run(&["status", "work"]).assert_code(4);
        sandbox.run(&["login", "work", "--how", "device", "--timeout", "1s"]).assert_code(6);
    }
}

#[test]
fn another_user_than_the_stored_one_is_refused_where_the_account_was_named() {
    let tokens = |sub: &str| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("now").as_secs();
        let claims = json!({ "iss": "https://op.example", "sub": sub, "aud": "me", "iat": now, "exp": now + 600 });
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let id_token = format!("{}.{}.c2ln", part(r#"{"alg":"RS256"}"#), part(&claims.to_string()));
        json_of(200, &json!({ "access_token": format!("of-{sub}"), "id_token": id_token }).to_string())
    };
    let (server, _) = provider((200, CODE), vec![tokens("7"), tokens("8")]);
    let sandbox = configured(&server);
    let login = ["login", "work", "--how", "device", "--account", "me", "--scope", "openid"];
    sandbox.run(&login).assert_code(0);
    sandbox.run(&login).assert_code(9).assert_says("the stored grant was kept");
    assert_eq!("of-7\n", sandbox.run(&["token", "work", "--account", "me"]).stdout);
}

//! Other people's words: nothing of them is obeyed, and what could be a secret is not shown. O04-O06.

use std::{io::Write, thread};

use serde_json::json;

use super::CANARY;
use crate::harness::{Login, RawServer, Sandbox, TOKENS, send};

#[test]
fn o04_nothing_of_what_the_token_endpoint_wrote_is_shown_but_its_error_and_its_description() {
    let field =
        format!("X-Debug: {CANARY}\r\nSet-Cookie: s={CANARY}\r\nWWW-Authenticate: Bearer error=\"{CANARY}\"\r\n");
    let described = json!({ "error": "invalid_grant", "error_description": "it was used", "error_uri": format!("https://{CANARY}.example"), "hint": CANARY });
    let replies = [
        (400, described.to_string()),
        (200, described.to_string()),
        (401, json!({ "error": { "code": "invalid_client", "link": CANARY } }).to_string()),
        (400, json!({ "errorCode": "E0000011", "errorId": CANARY }).to_string()),
        (200, json!({ "ok": false, "trace": CANARY }).to_string()),
        (500, format!("<pre>{CANARY}</pre>")),
        (200, CANARY.to_owned()),
        (200, json!({ "access_token": format!("{CANARY}\n") }).to_string()),
        (200, json!({ "access_token": "a", "refresh_token": format!("{CANARY}\n") }).to_string()),
        (200, json!({ "access_token": "a", "id_token": CANARY }).to_string()),
        (200, json!({ "access_token": "a", "token_type": "DPoP", "note": CANARY }).to_string()),
    ];
    for (status, body) in replies {
        let (field, sent) = (field.clone(), body.clone());
        let server = RawServer::new(move |_, stream| send(stream, status, &field, sent.as_bytes()));
        let sandbox = Sandbox::at(&server);
        for arguments in [["-v"].as_slice(), &["-v", "--json"]] {
            let finished = sandbox.log_in(arguments);
            // An id_token that was not asked for costs no login (D16).
            let succeeds = body.contains("id_token");
            assert_eq!(succeeds, finished.code == Some(0), "{finished:#?}");
            assert!(!finished.said().contains(CANARY), "{finished:#?}");
        }
    }
    let reason = RawServer::new(|_, stream| {
        let _ = stream.write_all(format!("HTTP/1.1 400 {CANARY}\r\nContent-Length: 0\r\n\r\n").as_bytes());
    });
    assert!(!Sandbox::at(&reason).log_in(&["-v"]).said().contains(CANARY));
}

/// Characters that a terminal obeys or that reorder what is read.
fn obeyed(c: char) -> bool {
    c.is_control() && c != '\n'
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// One hundred texts: every control character, and what is known to be done with them.
fn payloads() -> Vec<String> {
    let controls = (0..=0x1f).chain(0x7f..=0x9f).filter_map(char::from_u32);
    let mut all: Vec<String> = controls.map(|c| format!("a{c}[31mb")).collect();
    let others = [
        "\u{1b}]0;title\u{7}",
        "\u{1b}]8;;https://evil.example\u{1b}\\click",
        "\u{1b}]52;c;ZXZpbA==\u{7}",
        "\u{1b}P+q544e\u{1b}\\",
        "\u{1b}[2J\u{1b}[H",
        "\u{1b}[6n",
        "\u{1b}c",
        "\u{1b}[?1049h",
        "\u{1b}_x\u{1b}\\",
        "\u{1b}^x\u{1b}\\",
        "\u{9d}0;t\u{9c}",
        "two\nlines\nloopin: signed in",
        "over\rwritten",
        "back\u{8}\u{8}\u{8}\u{8}",
        "\u{202e}txet desrever",
        "\u{2066}isolate\u{2069}",
        "zero\u{200b}width",
        "\u{feff}mark",
        "soft\u{ad}hyphen",
        "\u{e0041}\u{e0042}tags",
        "\u{fff9}annotation\u{fffb}",
        "line\u{2028}separator",
        "paragraph\u{2029}separator",
        "next\u{85}line",
        "\u{61c}arabic mark",
        "\u{2060}joiner",
        "\u{180e}mongolian",
        "%1b[31m",
        "\\u001b[31m",
        "\u{1b}[31m\u{1b}[0m",
    ];
    all.extend(others.map(str::to_owned));
    all.extend(["x".repeat(5000), "é".repeat(5000), "\u{1b}".repeat(500), "\n".repeat(500), " ".repeat(500)]);
    all
}

#[test]
fn o05_no_payload_in_an_answer_reaches_a_terminal() {
    let server = RawServer::json(200, TOKENS);
    let payloads = payloads();
    assert_eq!(100, payloads.len());
    // Each one in text and in JSON: 200 logins, four at a time.
    thread::scope(|scope| {
        for part in payloads.chunks(25) {
            let server = &server;
            scope.spawn(move || {
                let sandbox = Sandbox::at(server);
                for payload in part {
                    for form in [[].as_slice(), &["--json"]] {
                        let login = sandbox.login(form);
                        let page = login.answer_with(&[("error", payload), ("error_description", payload)]);
                        assert!(
                            page.body.contains("You are not signed in") && !page.body.chars().any(obeyed),
                            "{page:?}"
                        );
                        let finished = login.finished();
                        finished.assert_code(5);
                        assert!(!finished.said().chars().any(obeyed), "{payload:?} became {finished:?}");
                        assert!(!finished.said().contains(&"x".repeat(202)), "cut at 200 characters");
                        let messages = finished.stderr.lines().filter(|line| line.starts_with("loopin: ")).count();
                        assert_eq!(usize::from(form.is_empty()), messages, "{finished:?}");
                    }
                }
            });
        }
    });
    assert_eq!(0, server.requests().len());
}

#[cfg(target_os = "linux")]
#[test]
fn o05_on_a_terminal_the_only_sequences_are_ours_for_the_line_and_for_pastes() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    for payload in payloads().iter().filter(|p| p.contains('\u{1b}') || p.contains('\u{9b}')) {
        let mut command = sandbox.shell("exec script -qec \"$1 login work\" /dev/null >&2", &[]);
        command.env("TERM", "xterm-256color");
        let login = Login::start(command);
        login.answer_with(&[("error", "access_denied"), ("error_description", payload)]);
        let said = login.finished().assert_code(5).said();
        assert!(said.contains("\r\u{1b}[K"), "the line with the time left is taken away");
        assert!(
            !said
                .replace("\u{1b}[K", "")
                .replace("\u{1b}[?2004h", "")
                .replace("\u{1b}[?2004l", "")
                .replace('\r', "")
                .chars()
                .any(obeyed),
            "{payload:?} became {said:?}"
        );
    }
}

#[test]
fn o06_no_query_of_a_request_is_shown_at_any_verbosity() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    let login = sandbox.login(&["-v"]);
    for target in [
        login.callback(&format!("code={CANARY}&state=wrong")),
        login.callback(&format!("code={CANARY}")),
        login.callback(&format!("error={CANARY}&state={CANARY}")),
        format!("/favicon.ico?{CANARY}"),
        format!("/{CANARY}?{CANARY}"),
    ] {
        assert!(login.get(&target).status >= 400);
    }
    login.answer(CANARY);
    let finished = login.finished();
    finished.assert_code(0).assert_says("turned away").assert_says("the code arrived");
    assert!(!finished.said().contains(CANARY), "{finished:#?}");
}

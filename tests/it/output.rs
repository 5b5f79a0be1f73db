//! What is printed, where, and what never is. O02-O12.

use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use serde_json::{Value, json};

use crate::harness::{Finished, Login, Provider, RawServer, Sandbox, TOKENS, send};

const CANARY: &str = "canary-7c19";

/// Every way to run a verb that ends by itself, and its exit code, in a sandbox that is signed in.
const VERBS: [(&[&str], i32); 12] = [
    (&["token", "work"], 0),
    (&["token", "work", "--json"], 0),
    (&["token", "work", "--account", "nobody"], 4),
    (&["status"], 0),
    (&["status", "work", "--json"], 0),
    (&["integration", "list"], 0),
    (&["integration", "show", "work"], 0),
    (&["redirect", "check", "http://localhost:0/callback"], 3),
    (&["completions", "bash"], 0),
    (&["man"], 0),
    (&["--help"], 0),
    (&["--version"], 0),
];

fn signed_in() -> Sandbox {
    Sandbox::signed_in(&Provider::new())
}

/// Runs a line of shell on a terminal; both streams of what runs there come back as one.
#[cfg(target_os = "linux")]
fn on_a_terminal(sandbox: &Sandbox, line: &str, environment: &[(&str, &str)]) -> Finished {
    let mut command = sandbox.shell(&format!("exec script -qec \"{line}\" /dev/null"), &[]);
    command.envs(environment.iter().copied());
    Finished::new(command.output().expect("script"))
}

#[cfg(target_os = "linux")]
#[test]
fn a_token_on_a_terminal_is_printed_with_a_hint_on_standard_error() {
    let sandbox = signed_in();
    let token = sandbox.run(&["token", "work"]);
    assert_eq!("", token.stderr, "in a pipe there is nobody to give a hint to");
    let talk = sandbox.path("talk");
    let finished = on_a_terminal(&sandbox, &format!("$1 token work 2>{}", talk.display()), &[]);
    finished.assert_code(0);
    assert_eq!(token.stdout.trim(), finished.stdout.trim(), "the token and nothing else");
    assert!(fs::read_to_string(&talk).expect("talk").starts_with("hint: pipe it"));
    let json = on_a_terminal(&sandbox, &format!("$1 token work --json 2>{}", talk.display()), &[]);
    json.assert_code(0);
    assert_eq!("", fs::read_to_string(&talk).expect("talk"), "who asks for JSON is a program");
}

#[test]
fn o02_in_a_build_log_the_mask_is_recommended_and_never_printed() {
    let sandbox = signed_in();
    let run = |value: &str| {
        Finished::new(sandbox.loopin(&["token", "work"]).env("GITHUB_ACTIONS", value).output().expect("runs"))
    };
    let token = sandbox.run(&["token", "work"]).stdout;
    let in_ci = run("true");
    in_ci.assert_code(0).assert_says("mask the token").assert_says("::add-mask::$TOKEN");
    assert_eq!(token, in_ci.stdout);
    assert!(!in_ci.stderr.contains(token.trim()));
    assert!(in_ci.said().lines().all(|line| !line.starts_with("::")), "no workflow command of ours");
    assert_eq!("", run("false").stderr);
}

#[test]
fn o04_nothing_of_what_the_token_endpoint_wrote_is_shown() {
    let field =
        format!("X-Debug: {CANARY}\r\nSet-Cookie: s={CANARY}\r\nWWW-Authenticate: Bearer error=\"{CANARY}\"\r\n");
    let described = json!({ "error": "invalid_grant", "error_description": CANARY, "error_uri": format!("https://{CANARY}.example"), "hint": CANARY });
    let replies = [
        (400, described.to_string()),
        (200, described.to_string()),
        (401, json!({ "error": { "code": "invalid_client", "message": CANARY } }).to_string()),
        (400, json!({ "error": format!("{CANARY} with spaces"), "error_description": CANARY }).to_string()),
        (400, json!({ "errorCode": "E0000011", "errorSummary": CANARY }).to_string()),
        (200, json!({ "ok": false, "detail": CANARY }).to_string()),
        (500, format!("<pre>{CANARY}</pre>")),
        (200, CANARY.to_owned()),
        (200, json!({ "access_token": format!("{CANARY}\n") }).to_string()),
        (200, json!({ "access_token": "a", "refresh_token": format!("{CANARY}\n") }).to_string()),
        (200, json!({ "access_token": "a", "id_token": CANARY }).to_string()),
        (200, json!({ "access_token": "a", "token_type": "DPoP", "note": CANARY }).to_string()),
    ];
    for (status, body) in replies {
        let field = field.clone();
        let server = RawServer::new(move |_, stream| send(stream, status, &field, body.as_bytes()));
        let sandbox = Sandbox::at(&server);
        for arguments in [["-v"].as_slice(), &["-v", "--json"]] {
            let finished = sandbox.log_in(arguments);
            assert_ne!(Some(0), finished.code);
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
fn o05_on_a_terminal_the_only_sequence_is_ours_that_clears_the_line() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    for payload in payloads().iter().filter(|p| p.contains('\u{1b}') || p.contains('\u{9b}')) {
        let mut command = sandbox.shell("exec script -qec \"$1 login work\" /dev/null >&2", &[]);
        command.env("TERM", "xterm-256color");
        let login = Login::start(command);
        login.answer_with(&[("error", "access_denied"), ("error_description", payload)]);
        let said = login.finished().assert_code(5).said();
        assert!(said.contains("\r\u{1b}[K"), "the line with the time left is taken away");
        assert!(!said.replace("\u{1b}[K", "").replace('\r', "").chars().any(obeyed), "{payload:?} became {said:?}");
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

/// Names of all fields, at any depth.
fn fields(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(map) => map.iter().flat_map(|(name, v)| fields(v).into_iter().chain([name.clone()])).collect(),
        Value::Array(list) => list.iter().flat_map(fields).collect(),
        _ => BTreeSet::new(),
    }
}

#[test]
fn o07_every_json_form_is_one_line_with_a_format_number_and_exactly_these_fields() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let login = sandbox.login(&["--json"]);
    login.person().allow();
    let grant = "account action expires_at expires_in expiry_assumed format integration refreshable scopes store";
    let integration = "authorization_endpoint basic_username client_id client_secret format hosts issuer redirect_uris relay revocation_endpoint scopes store token_endpoint actions";
    let error = "error code exit message remedy format";
    let relay = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/relay/relay.toml");
    let forms = [
        (login.finished(), format!("{grant} warnings")),
        (
            sandbox.run(&["token", "--json"]),
            "access_token expires_at expires_in expiry_assumed format scopes token_type".into(),
        ),
        (
            sandbox.run(&["status", "--json"]),
            format!(
                "{grant} grants last_refresh_at last_refresh_error login_required obtained_at refreshable_until repair state"
            ),
        ),
        (sandbox.run(&["integration", "show", "work", "--json"]), format!("{integration} integration name")),
        (sandbox.run(&["integration", "list", "--json"]), format!("{integration} integrations name")),
        (
            sandbox.run(&["redirect", "check", "http://a/", "--json"]),
            "broken findings format remedy rule statement uri verdict why".into(),
        ),
        (
            sandbox.run(&["relay", "check", "--config", relay, "--json"]),
            "against broken callbacks copied enter_at_target environment failures format not_asked provider queries refused \
             register_at_provider target"
                .into(),
        ),
        (sandbox.run(&["completions", "bash", "--json"]), "document format".into()),
        (sandbox.run(&["man", "--json"]), "document format".into()),
        (
            sandbox.run(&["logout", "work", "--json"]),
            "account action format integration revocation revocation_error".into(),
        ),
        (sandbox.run(&["integration", "remove", "work", "--json"]), "config format integration".into()),
        (sandbox.run(&["token", "work", "--json"]), error.into()),
        (sandbox.run(&["--json", "nonsense"]), error.into()),
    ];
    for (finished, expected) in forms {
        let json = finished.json();
        assert_eq!(1, json["format"]);
        assert_eq!(1, finished.stdout.matches('\n').count(), "{finished:?}");
        let expected: BTreeSet<String> = expected.split(' ').map(str::to_owned).collect();
        assert_eq!(expected, fields(&json), "{json}");
    }
}

#[test]
fn every_failure_in_json_carries_the_word_of_its_exit_code() {
    let server = RawServer::json(400, json!({ "error": "invalid_grant" }).to_string());
    let sandbox = Sandbox::at(&server);
    let refused = sandbox.log_in(&["--json"]);
    let login = sandbox.login(&["--json"]);
    login.answer_with(&[("error", "access_denied")]);
    let denied = login.finished();
    for (finished, code, word) in [
        (sandbox.run(&["login", "--json", "--timeout", "x"]), 2, "usage"),
        (sandbox.run(&["token", "other", "--json"]), 3, "configuration"),
        (sandbox.run(&["token", "work", "--json"]), 4, "login_required"),
        (denied, 5, "denied"),
        (sandbox.run(&["login", "work", "--json", "--timeout", "1s"]), 6, "timeout"),
        (sandbox.run(&["login", "work", "--json", "--how", "browser"]), 7, "unavailable"),
        (sandbox.run(&["token", "work", "--json", "--store", "keychain"]), 8, "store"),
        (refused, 9, "refused"),
    ] {
        let error = finished.assert_code(code).json()["error"].clone();
        assert_eq!((json!(word), json!(code)), (error["code"].clone(), error["exit"].clone()));
        assert!(!error["message"].as_str().expect("message").is_empty());
    }
}

/// Run again as a process of its own by the test below.
#[test]
fn o08_child_that_panics() {
    let Some(how) = std::env::var_os("LOOPIN_TEST_PANIC") else { return };
    loopin::report::install_panic_hook();
    let secret = format!("{CANARY}-{}", how.to_string_lossy());
    match how.to_str() {
        Some("message") => panic!("the token is {secret}"),
        Some("unwrap") => drop(secret.parse::<u8>().map_err(|_| secret).unwrap()),
        Some("index") => drop(secret.as_bytes()[secret.len() + usize::from(how.is_empty())]),
        Some("slice") => drop(secret[secret.len() + 1..].to_owned()),
        _ => drop(thread::spawn(move || panic!("{secret}")).join()),
    }
}

#[test]
fn o08_a_panic_tells_its_place_and_never_what_it_held() {
    for how in ["message", "unwrap", "index", "slice", "thread"] {
        let mut child = Command::new(std::env::current_exe().expect("this binary"));
        child.args(["--exact", "output::o08_child_that_panics", "--nocapture", "--test-threads=1"]);
        let finished = Finished::new(child.env("LOOPIN_TEST_PANIC", how).output().expect("runs"));
        finished.assert_says("loopin: internal fault at ").assert_says("please report it");
        assert!(!finished.said().contains(CANARY), "{finished:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn o09_when_standard_output_cannot_be_written_the_exit_code_is_1_and_nothing_panics() {
    let sandbox = signed_in();
    for (verb, usual) in VERBS {
        let full = OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
        let finished = Finished::new(sandbox.loopin(verb).stdout(full).output().expect("runs"));
        let expected = if usual == 4 { usual } else { 1 };
        finished.assert_code(expected);
        assert!(!finished.stderr.contains("panic") && !finished.stderr.contains("internal fault"), "{finished:?}");
        if !verb[0].starts_with("--") && usual != 4 {
            finished.assert_says("standard output cannot be written");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn o09_a_standard_error_that_cannot_be_written_changes_no_exit_code() {
    let sandbox = signed_in();
    for (verb, usual) in VERBS {
        let full = OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
        let finished = Finished::new(sandbox.loopin(verb).stderr(full).output().expect("runs"));
        finished.assert_code(usual);
    }
}

#[test]
fn o09_a_closed_pipe_ends_quietly_except_for_a_token() {
    let sandbox = signed_in();
    for (verb, usual) in VERBS {
        let (reader, writer) = std::io::pipe().expect("pipe");
        drop(reader);
        let finished = Finished::new(sandbox.loopin(verb).stdout(writer).output().expect("runs"));
        let token = verb[0] == "token" && usual == 0;
        finished.assert_code(if token { 1 } else { usual });
        if usual != 4 {
            assert_eq!("", finished.stderr, "{verb:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn o09_closed_standard_streams_do_not_panic() {
    let sandbox = signed_in();
    for (verb, _) in VERBS {
        for line in ["exec \"$@\" >&-", "exec \"$@\" 2>&-", "exec \"$@\" <&- >&- 2>&-"] {
            let finished = Finished::new(sandbox.shell(line, verb).output().expect("runs"));
            assert!(finished.code.is_some_and(|code| code < 10), "{line}: {finished:?}");
            assert!(!finished.said().contains("panic"), "{line}: {finished:?}");
        }
    }
}

/// Words that would ask for a secret in an argument.
fn asks_for_a_secret(option: &str) -> bool {
    let named = ["secret", "password", "passphrase", "token", "code", "assertion", "verifier"];
    let harmless = ["--id-token", "--secret-stdin", "--token-endpoint"];
    !harmless.contains(&option) && named.iter().any(|word| option.contains(word))
}

fn options(text: &str) -> BTreeSet<String> {
    let text = text.replace("\\-", "-");
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned).collect()
}

#[test]
fn o10_no_option_of_any_verb_takes_a_secret() {
    let sandbox = Sandbox::new();
    let verbs: [&[&str]; 15] = [
        &[],
        &["login"],
        &["token"],
        &["status"],
        &["logout"],
        &["integration"],
        &["integration", "add"],
        &["integration", "list"],
        &["integration", "show"],
        &["integration", "remove"],
        &["redirect"],
        &["redirect", "check"],
        &["demo"],
        &["relay"],
        &["completions"],
    ];
    let mut all = BTreeSet::new();
    for verb in verbs {
        let help = sandbox.run(&[verb, &["--help"]].concat());
        all.extend(options(&help.assert_code(0).stdout));
    }
    all.extend(options(&sandbox.run(&["man"]).stdout));
    assert!(all.len() > 20 && all.contains("--secret-stdin"), "{all:?}");
    assert_eq!(Vec::<&String>::new(), all.iter().filter(|option| asks_for_a_secret(option)).collect::<Vec<_>>());
    for attempt in ["--client-secret", "--secret", "--access-token", "--password"] {
        let glued = format!("{attempt}={CANARY}");
        let refused = sandbox.run(&["integration", "add", "work", &glued]);
        refused.assert_code(2);
        assert!(!refused.said().contains(CANARY), "what was typed by mistake is not repeated: {refused:?}");
    }
}

#[test]
fn o10_the_documents_show_no_secret_in_an_argument() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["README.md", "CHANGELOG.md", "docs/SECURITY.md"] {
        let text = fs::read_to_string(root.join(name)).unwrap_or_default();
        for line in text.lines().filter(|line| line.contains("loopin ")) {
            let wrong: Vec<_> = options(line).into_iter().filter(|option| asks_for_a_secret(option)).collect();
            assert!(wrong.is_empty(), "{name}: {line}");
        }
    }
}

/// Surroundings that break programs.
const SURROUNDINGS: [&[(&str, &str)]; 10] = [
    &[("TERM", "dumb")],
    &[("TERM", "no-such-terminal")],
    &[("NO_COLOR", "1"), ("TERM", "xterm-256color")],
    &[("LC_ALL", "C")],
    &[("LC_ALL", "tr_TR.ISO-8859-9"), ("LANG", "xx")],
    &[("COLUMNS", "20")],
    &[("COLUMNS", "0")],
    &[("COLUMNS", "-7"), ("LINES", "x")],
    &[("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full")],
    &[("TZ", "Nowhere/Atlantis"), ("HOME", "/nonexistent")],
];

#[test]
fn o11_any_terminal_locale_and_width_will_do() {
    let sandbox = signed_in();
    for surroundings in SURROUNDINGS {
        for (verb, code) in VERBS {
            let output = sandbox.loopin(verb).envs(surroundings.iter().copied()).output().expect("runs");
            let finished = Finished::new(output);
            finished.assert_code(code);
            assert!(
                !finished.said().contains('\u{1b}') && !finished.said().contains("panic"),
                "{surroundings:?}: {finished:?}"
            );
        }
    }
}

#[test]
fn o11_a_login_works_in_any_surroundings() {
    let server = RawServer::json(200, TOKENS);
    for surroundings in SURROUNDINGS {
        let sandbox = Sandbox::at(&server);
        let mut command = sandbox.loopin(&["login", "work"]);
        command.envs(surroundings.iter().copied());
        let login = Login::start(command);
        assert!(!login.url.contains(' ') && login.url.contains("code_challenge="), "the URL is whole: {}", login.url);
        login.answer("a-code");
        login.finished().assert_code(0);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn o11_on_a_terminal_without_colour_there_is_none() {
    let sandbox = signed_in();
    for (environment, allowed) in
        [([("TERM", "dumb")], false), ([("NO_COLOR", "1")], false), ([("TERM", "xterm-256color")], true)]
    {
        for verb in ["--help", "status", "token work", "redirect check http://a/", "token other"] {
            let finished = on_a_terminal(&sandbox, &format!("$1 {verb}"), &environment);
            assert!(allowed || !finished.stdout.contains('\u{1b}'), "{environment:?} {verb}: {finished:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn o11_arguments_and_variables_that_are_no_text_do_not_panic() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let sandbox = signed_in();
    let bytes = OsStr::from_bytes(b"\xff\xfe");
    for verb in ["token", "login", "status", "logout"] {
        let finished = Finished::new(sandbox.loopin(&[verb]).arg(bytes).output().expect("runs"));
        finished.assert_code(2);
    }
    for name in ["LOOPIN_BROWSER", "BROWSER", "HTTPS_PROXY", "DBUS_SESSION_BUS_ADDRESS", "LANG", "TERM"] {
        let finished = Finished::new(sandbox.loopin(&["token", "work"]).env(name, bytes).output().expect("runs"));
        finished.assert_code(0);
    }
}

#[test]
fn o12_what_status_shows_for_a_report_holds_no_token() {
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    let token = sandbox.run(&["token", "work"]).stdout.trim().to_owned();
    for verb in [["status", "-v"].as_slice(), &["status", "--json", "-v"], &["integration", "show", "work", "-v"]] {
        let said = sandbox.run(verb).said();
        assert!(!said.contains(&token) && !said.contains("access.") && !said.contains("refresh."), "{said}");
    }
}

#[test]
fn a_command_that_asks_nothing_reads_nothing_from_standard_input() {
    let sandbox = signed_in();
    for (verb, code) in VERBS {
        // A pipe that stays open and brings nothing would hold whoever reads.
        let mut child = sandbox.loopin(verb).stdin(Stdio::piped()).spawn().expect("starts");
        let open = child.stdin.take();
        Finished::new(child.wait_with_output().expect("ends")).assert_code(code);
        drop(open);
    }
}

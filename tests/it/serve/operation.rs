//! Starting, refusing to start, hard times, and the end.

use loopin::system::uninterrupted::uninterrupted;

use super::*;

fn run(config: impl FnOnce(String) -> String, verb: &[&str]) -> Finished {
    let sandbox = Sandbox::new();
    prepare(&sandbox, &config(self::config(&Provider::new(), fixed_port())));
    let path = sandbox.path("loopin.toml");
    sandbox.run(&[&["serve"], verb, &["--config", path.to_str().expect("path")]].concat())
}

#[test]
fn check_says_what_to_register_and_what_is_weak() {
    let finished =
        run(|config| config.replace("session_cookie", "query_token = \"redirect\"\nsession_cookie"), &["check"]);
    finished.assert_code(0).assert_says("/api/v1/oauth2/wiki/callback");
    finished.assert_says("Weaker than it could be: query_token");
}

#[test]
fn check_compares_each_integration_with_its_providers_metadata_and_fails_for_no_difference() {
    let moved = "authorization_endpoint = \"https://old.example/authorize\"";
    let changed = |config: String| {
        let lines = config.lines().map(|line| match line.starts_with("authorization_endpoint") {
            true => format!("{moved}\n"),
            false => format!("{line}\n"),
        });
        lines.collect::<String>()
    };
    let provider = Provider::new();
    let differs = checked_at(&provider, changed);
    differs.assert_code(0).assert_says("[integration.wiki] differs from the metadata of");
    differs.assert_says(&format!("→ authorization_endpoint = \"{}/authorize\"", provider.origin));
    let agrees = checked_at(&provider, |config| {
        let kept = config.lines().filter(|line| !line.contains("_endpoint = "));
        kept.map(|line| format!("{line}\n")).collect()
    });
    assert!(!agrees.assert_code(0).said().contains("metadata"), "{agrees:?}");
    let other = checked_at(&provider, |config| {
        let table = format!("[integration.other]\nissuer = \"{}/elsewhere\"\nclient_id = \"me\"\n", provider.origin);
        format!("{config}\n{table}")
    });
    other.assert_code(0).assert_says("[integration.other] was not compared with its provider's metadata");
}

#[test]
fn check_works_without_a_network() {
    let provider = Provider::new();
    let configuration = config(&provider, fixed_port());
    // Nobody listens there any more.
    drop(provider);
    let checked = checked_at(&Provider::new(), |_| configuration);
    checked.assert_code(0).assert_says("[integration.wiki] was not compared").assert_says("cannot connect");
    checked.assert_says("/api/v1/oauth2/wiki/callback");
}

fn checked_at(provider: &Provider, change: impl FnOnce(String) -> String) -> Finished {
    let sandbox = Sandbox::new();
    prepare(&sandbox, &change(config(provider, fixed_port())));
    let path = sandbox.path("loopin.toml");
    sandbox.run(&["serve", "check", "--config", path.to_str().expect("path")])
}

#[test]
fn what_could_not_work_is_not_started_with() {
    for (from, to, says) in [
        ("public_url", "public_uri", "line 3, column 1: unknown field"),
        ("[[jwt]]", "[[jwts]]", "line 15, column 3"),
        ("{dir}/k1", "{dir}/k2", "k2"),
        ("hs256\" }", "none\" }", "none"),
        ("current = \"k1\"", "current = \"k9\"", "line 12, column 11"),
        ("https://app.example.com/oauth/", "https://app.example.com", "[callbacks]: allow"),
    ] {
        let change = |config: String| config.replacen(from, to, 1);
        for verb in [&["check"][..], &[]] {
            let finished = run(change, verb);
            assert!(matches!(finished.code, Some(3 | 8)), "{finished:?}");
            finished.assert_says(says);
        }
    }
    Sandbox::new().run(&["serve"]).assert_code(2).assert_says("loopin serve --config loopin.toml");
}

#[test]
fn v23_another_key_than_the_databases_does_not_start() {
    let serving = Serving::new();
    assert_success(&serving.connect("ada"));
    let sandbox_path = serving.sandbox.path("k1");
    serving.signal("TERM");
    let mut serving = serving;
    serving.child.wait().expect("ends");
    write_private(&sandbox_path, &[1; 32]);
    let config = serving.sandbox.path("loopin.toml");
    let finished = serving.sandbox.run(&["serve", "--config", config.to_str().expect("path")]);
    finished.assert_code(3).assert_says("k1 is not the key that this database was sealed with");
    assert!(TcpStream::connect(serving.address()).is_err(), "nobody answers");
}

#[test]
fn migrate_makes_the_database_and_ends() {
    let sandbox = Sandbox::new();
    prepare(&sandbox, &config(&Provider::new(), fixed_port()));
    let path = sandbox.path("loopin.toml");
    for _ in 0..2 {
        sandbox.run(&["serve", "migrate", "--config", path.to_str().expect("path")]).assert_code(0);
        assert!(sandbox.path("loopin.db").exists());
    }
}

#[test]
fn v27_without_its_database_nothing_is_used_up_and_everything_says_later() {
    let serving = Serving::new();
    let mut jar = Jar::default();
    let begun = serving.begin("ada", &mut jar, "");
    let answer = serving.decided(&begun, "allow");
    let database = serving.database();
    database
        .execute_batch("ALTER TABLE flow RENAME TO flow_away; ALTER TABLE connection RENAME TO connection_away; ALTER TABLE schema_version RENAME TO version_away")
        .expect("rename");
    let reply = serving.finish(&jar, &answer);
    assert_eq!((503, true), (reply.status, reply.field("retry-after").is_some()), "{reply:?}");
    assert_eq!(0, serving.provider.counters().token, "the code can be brought again");
    let token = serving.token("ada");
    assert_eq!((503, "unavailable".into()), (token.status, code(&token)));
    assert!(token.field("retry-after").is_some());
    assert_eq!("unavailable", code(&serving.begin("grace", &mut Jar::default(), "")));
    assert_eq!((200, 503), (serving.admin("/healthz").status, serving.admin("/readyz").status));
    database
        .execute_batch("ALTER TABLE flow_away RENAME TO flow; ALTER TABLE connection_away RENAME TO connection; ALTER TABLE version_away RENAME TO schema_version")
        .expect("rename");
    assert_success(&serving.finish(&jar, &answer));
}

#[test]
fn a_signal_lets_everybody_finish() {
    let (serving, gate) = Serving::gated();
    let mut jar = Jar::default();
    let begun = serving.begin("ada", &mut jar, "");
    let target = serving.decided(&begun, "allow");
    let (address, request) = (serving.address(), serving.written("GET", &target, &jar.field(), ""));
    let answer = std::thread::spawn(move || http(address, &request));
    gate.wait();
    serving.signal("TERM");
    eventually("it is not ready any more", || serving.admin("/readyz").status != 200);
    assert_eq!("draining\n", serving.admin("/readyz").body);
    gate.open();
    assert_success(&answer.join().expect("reply"));
    serving.ended().0.assert_code(0);
}

#[test]
fn a_second_service_on_one_database_is_refused() {
    let serving = Serving::new();
    let path = serving.sandbox.path("loopin.toml");
    let finished = serving.sandbox.run(&["serve", "--config", path.to_str().expect("path")]);
    finished.assert_says("another loopin serve uses");
}

#[test]
fn requests_without_end_and_bodies_without_measure_are_cut_off() {
    let serving = Serving::new();
    let huge = "a".repeat(70 * 1024);
    let reply = serving.request("POST", &format!("{BASE}/wiki/token"), "Content-Type: application/json\r\n", &huge);
    assert!(matches!(reply.status, 413 | 0), "{reply:?}");
    let stream = opened(&serving, &format!("GET / HTTP/1.1\r\nHost: a\r\nX-A: {}", "a".repeat(200 * 1024)));
    assert!(matches!(crate::harness::read_reply(stream).status, 431 | 400 | 0));
    assert_eq!(200, serving.get("/healthz", "").status);
}

/// A connection with these bytes sent, of which the service may have taken a part only.
fn opened(serving: &Serving, bytes: &str) -> TcpStream {
    use std::io::Write;
    let mut stream = TcpStream::connect(serving.address()).expect("connect");
    let _ = stream.write_all(bytes.as_bytes());
    stream
}

#[test]
fn many_who_never_finish_a_request_keep_nobody_from_being_served() {
    let serving = Serving::new();
    assert_success(&serving.connect("ada"));
    let beginnings =
        ["", "GET ", "GET / HTTP/1.1\r\nHost: a\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"];
    let unfinished: Vec<_> = beginnings.iter().cycle().take(400).map(|bytes| opened(&serving, bytes)).collect();
    for _ in 0..20 {
        assert_eq!(200, serving.token("ada").status);
    }
    drop(unfinished);
}

#[test]
fn who_comes_beyond_the_places_waits_and_nobody_inside_is_disturbed() {
    const KEPT: &str = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    let serving = Serving::with(Provider::new(), |config| config.replace("[store]", "connections = 4\n[store]"));
    let mut inside: Vec<_> = (0..4).map(|_| opened(&serving, "")).collect();
    let ask = |stream: &mut TcpStream| {
        std::io::Write::write_all(stream, KEPT.as_bytes()).expect("sent");
        crate::harness::read_reply(stream.try_clone().expect("same stream")).status
    };
    inside.iter_mut().for_each(|stream| assert_eq!(200, ask(stream)));
    let waiting = opened(&serving, KEPT);
    waiting.set_nonblocking(true).expect("mode");
    inside.iter_mut().for_each(|stream| assert_eq!(200, ask(stream)));
    let nothing = uninterrupted(|| waiting.peek(&mut [0])).expect_err("it has to wait");
    assert_eq!(std::io::ErrorKind::WouldBlock, nothing.kind());
    waiting.set_nonblocking(false).expect("mode");
    drop(inside.pop());
    assert_eq!(200, crate::harness::read_reply(waiting).status, "a place came free");
}

//! Whatever comes, and however it ends. P07, P08, P09, P10. `LOOPIN_BAR=full` sends 10,000 fuzzed messages.

use super::*;

/// Of the peak over the memory in use before, in KiB.
const GROWTH: u64 = 8 * 1024;
/// A writer without progress for this long is blocked. No event reports that it is.
const STILL: std::time::Duration = std::time::Duration::from_secs(2);
/// For what is under way when input ends.
const GRANTED: std::time::Duration = std::time::Duration::from_millis(700);
/// The reader, the writer, eight workers and what each has for the keychain.
const THREADS: u64 = 20;

fn many(small: usize, full: usize) -> usize {
    match std::env::var("LOOPIN_BAR").as_deref() {
        Ok("full") => full,
        _ => small,
    }
}

#[test]
fn p07_whatever_a_line_holds_the_next_request_is_served() {
    let sandbox = Sandbox::signed_in(&Provider::new());
    let mut client = Client::of(&sandbox);
    let long = [vec![b'x'; 3 << 20], b"\n".to_vec()].concat();
    let deep = [vec![b'['; 1 << 20], b"\n".to_vec()].concat();
    for line in [b"\xff\xfe\n".as_slice(), b"nonsense\n", b"[]\n", b"{\"jsonrpc\":\"2.0\",\"id\":1}\n", &long, &deep] {
        client.write(line);
        let refused = client.next().expect("an answer");
        assert_eq!("usage", refused["error"]["data"]["code"], "{refused}");
    }
    client.write(b"\n\r\n{\"jsonrpc\":\"2.0\",");
    client.write(b"\"id\":\"cut\",\"method\":\"status\"}\n");
    client.methods.insert("cut".into(), "status".into());
    client.result("cut");
    client.token("token");
    let (code, rest, said) = client.end();
    assert_eq!((Some(0), Vec::<Value>::new(), String::new()), (code, rest, said));
}

#[test]
fn p07_a_flood_of_requests_is_answered_each_once_by_few_threads() {
    let sandbox = Sandbox::signed_in(&Provider::new());
    let mut client = Client::of(&sandbox);
    let before = client.status("VmRSS");
    let count = many(500, 5000);
    let mut stdin = client.stdin.take().expect("open");
    let flood = thread::spawn(move || {
        for id in 0..count {
            let request = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"token\",\"params\":{{}}}}\n");
            stdin.write_all(request.as_bytes()).expect("loopin reads");
        }
        stdin
    });
    let mut ids: Vec<u64> = (0..count)
        .map(|_| {
            let reply = client.next().expect("an answer");
            assert!(reply["result"]["access_token"].is_string(), "{reply}");
            assert!(client.status("Threads") <= THREADS);
            reply["id"].as_u64().expect("an id")
        })
        .collect();
    ids.sort_unstable();
    assert_eq!((0..count as u64).collect::<Vec<_>>(), ids);
    let grown = client.status("VmHWM").saturating_sub(before);
    assert!(grown <= GROWTH, "{grown} KiB");
    client.stdin = Some(flood.join().expect("flood"));
    assert_eq!(Some(0), client.end().0);
}

#[test]
fn p07_a_slow_reader_is_waited_for_and_memory_does_not_grow() {
    let sandbox = Sandbox::signed_in(&Provider::new());
    let mut child = sandbox.loopin(&["stdio"]).stdin(Stdio::piped()).spawn().expect("loopin starts");
    let (mut stdin, stdout) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
    let count = 100_000;
    let (progress, progressed) = mpsc::channel();
    let flood = thread::spawn(move || {
        stdin
            .write_all(b"{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"initialize\",\"params\":{\"protocol\":1}}\n")
            .expect("write");
        for id in 0..count {
            let method = if id % 10 == 0 { "status" } else { "unknown" };
            let request = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"{method}\"}}\n");
            if stdin.write_all(request.as_bytes()).is_err() {
                break;
            }
            let _ = progress.send(id);
        }
        stdin
    });
    // Reading nothing, until the writer stands still.
    let mut written = 0;
    while let Ok(id) = progressed.recv_timeout(STILL) {
        written = id;
    }
    assert!(written < count - 1, "all of it was taken though nobody reads");
    let mut client = Client::around(child, None, stdout);
    assert!(client.status("VmHWM") < 40 * 1024, "{} KiB", client.status("VmHWM"));
    client.methods.insert("a".into(), "initialize".into());
    for answered in 0..=count {
        assert!(client.next().is_some(), "only {answered} answers");
    }
    client.stdin = Some(flood.join().expect("flood"));
    assert_eq!(Some(0), client.end().0);
}

#[test]
fn p07_the_end_of_input_is_seen_though_nobody_reads_the_answers() {
    let sandbox = Sandbox::new();
    let pipe = sandbox.pipe("parent");
    let script = "exec 3>\"$1\"; while printf '%s\\n' \"$2\" >&3; do echo on; done";
    let lines = [r#"{"jsonrpc":"2.0","id":1,"method":"unknown"}"#; 200].join("\n");
    let mut parent = Command::new("sh");
    parent.args(["-c", script, "sh", pipe.path(), &lines]).stdout(Stdio::piped());
    let mut parent = parent.spawn().expect("sh");
    let stdin = std::fs::File::open(pipe.path()).expect("pipe");
    let mut child = sandbox.loopin(&["stdio"]).stdin(stdin).spawn().expect("loopin starts");
    let (progress, progressed) = mpsc::channel();
    let told = BufReader::new(parent.stdout.take().expect("piped"));
    thread::spawn(move || told.lines().map_while(Result::ok).try_for_each(|_| progress.send(())));
    // Until it stands still: everything on the way is full.
    while progressed.recv_timeout(STILL).is_ok() {}
    assert_eq!(None, child.try_wait().expect("child"));
    kill("KILL", parent.id());
    parent.wait().expect("the parent ends");
    let unread = child.stdout.take();
    assert_eq!(Some(0), child.wait().expect("loopin ends").code());
    drop(unread);
}

#[test]
fn t11_what_needs_no_user_is_answered_though_input_ends_at_once() {
    const TOKENS: usize = 12;
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    let request = |id: usize, method: &str, params: Value| {
        format!("{}\n", json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
    };
    // More than there are workers.
    let tokens: String = (0..TOKENS).map(|id| request(id, "token", json!({ "integration": "work" }))).collect();
    let requests = [
        request(100, "initialize", json!({ "protocol": 1 })),
        tokens,
        request(101, "status", json!({})),
        request(102, "token", json!({ "account": "nobody" })),
    ];
    std::fs::write(sandbox.path("requests"), requests.concat()).expect("requests");
    let piped = format!("cat '{}' | \"$@\"", sandbox.path("requests").display());
    let (mut answered, mut rounds) = (0, 0);
    while answered < 20 && rounds < 60 {
        rounds += 1;
        let begun = Instant::now();
        let run = Finished::new(sandbox.shell(&piped, &["stdio"]).output().expect("sh"));
        let took = begun.elapsed();
        run.assert_code(0);
        // On a machine that is too busy some get no answer within the moment that is granted; never before it is over.
        let whole = run.stdout.lines().count() == TOKENS + 3 && !run.stdout.contains("the conversation ended");
        if !whole && took >= GRANTED {
            continue;
        }
        let mut answers: Vec<Value> =
            run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        answers.sort_by_key(|answer| answer["id"].as_u64());
        assert_eq!(TOKENS + 3, answers.len(), "{run:?}");
        assert!(answers[..TOKENS].iter().all(|answer| answer["result"]["access_token"].is_string()), "{run:?}");
        assert_eq!("valid", answers[TOKENS + 1]["result"]["grants"][0]["state"], "{run:?}");
        assert_eq!("login_required", answers[TOKENS + 2]["error"]["data"]["code"], "{run:?}");
        answered += 1;
    }
    assert!(answered > 0, "no round of {rounds} was answered");
}

#[test]
fn p07_the_end_of_input_ends_a_login_that_waits_and_its_listener() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let mut client = Client::of(&sandbox);
    let person = client.login("in");
    let (code, rest, said) = client.end();
    assert_eq!((Some(0), String::new()), (code, said));
    assert!(rest.iter().any(|message| message["id"] == "in" && message["error"]["code"] == -32130), "{rest:#?}");
    let callback = person.decide("allow");
    let address = callback.trim_start_matches("http://").split('/').next().expect("an address").to_owned();
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens any more");
}

/// Signed in by a conversation, with a gate before the token endpoint.
fn gated() -> (Provider, Gate, Sandbox, Client, String) {
    let provider = Provider::new();
    let gate = Gate::before(&provider);
    let sandbox = Sandbox::new();
    sandbox.configure(&gate.integration(&provider));
    let mut client = Client::of(&sandbox);
    gate.open();
    client.login("in").allow();
    client.result("in");
    gate.wait();
    let token = client.token("first");
    (provider, gate, sandbox, client, token)
}

#[test]
fn p07_a_refresh_in_flight_completes_after_the_end() {
    let (provider, gate, sandbox, mut client, first) = gated();
    client.call("again", "token", &json!({ "rejected": hash(&first) }));
    gate.wait();
    let (code, rest, _) = client.end();
    assert_eq!(Some(0), code, "while the request still stands at the gate");
    assert_eq!(json!(-32007), rest.last().expect("an answer")["error"]["code"]);
    gate.open();
    let second = sandbox.run(&["token", "work", "--rejected", &hash(&first)]).assert_code(0).stdout.trim().to_owned();
    assert_ne!(first, second);
    assert_eq!(2, provider.counters().token, "the login's and the one refresh");
}

#[test]
fn p08_when_the_parent_is_killed_a_code_that_is_there_still_becomes_a_stored_token() {
    let provider = Provider::new();
    let gate = Gate::before(&provider);
    let sandbox = Sandbox::new();
    sandbox.configure(&gate.integration(&provider));
    let pipe = sandbox.pipe("parent");
    // The parent: it alone holds the other end of standard input.
    let script = "exec 3>\"$1\"; printf '%s\\n%s\\n' \"$2\" \"$3\" >&3; exec sleep 600";
    let messages = [
        r#"{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"protocol":1}}"#,
        r#"{"jsonrpc":"2.0","id":"in","method":"login","params":{"open":"client"}}"#,
    ];
    let mut parent = Command::new("sh").args(["-c", script, "sh", pipe.path()]).args(messages).spawn().expect("sh");
    let stdin = std::fs::File::open(pipe.path()).expect("pipe");
    let mut child = sandbox.loopin(&["stdio"]).stdin(stdin).spawn().expect("loopin starts");
    let stdout = child.stdout.take().expect("piped");
    let mut client = Client::around(child, None, stdout);
    client.methods.extend([("hello".into(), "initialize".into()), ("in".into(), "login".into())]);
    let person = Person::at(client.event("in", "url")["url"].as_str().expect("a URL").to_owned());
    let browser = thread::spawn(move || person.allow());
    gate.wait();
    kill("KILL", parent.id());
    parent.wait().expect("the parent ends");
    gate.open();
    assert_eq!(Some(0), client.ended().0);
    browser.join().expect("browser");
    sandbox.run(&["token", "work"]).assert_code(0);
}

#[test]
fn p09_nothing_but_standard_input_is_listened_to() {
    if !nix::unistd::geteuid().is_root() {
        // A process that cannot be dumped shows its descriptors to root only.
        return;
    }
    let sandbox = Sandbox::signed_in(&Provider::new());
    let mut client = Client::of(&sandbox);
    client.token("token");
    let open = std::fs::read_dir(format!("/proc/{}/fd", client.child.id())).expect("proc").flatten();
    let targets = open.filter_map(|fd| std::fs::read_link(fd.path()).ok());
    let sockets: Vec<_> = targets.filter(|target| target.to_string_lossy().starts_with("socket:")).collect();
    assert!(sockets.is_empty(), "{sockets:?}");
}

#[test]
fn p10_only_a_login_opens_a_browser() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let opened = sandbox.path("opened");
    let browser = sandbox.script("browser", &format!("echo \"$1\" >>'{}'", opened.display()));
    let mut command = sandbox.loopin(&["stdio"]);
    command.env("LOOPIN_BROWSER", browser);
    let mut client = Client::unmet(command);
    client.call("hello", "initialize", &json!({ "protocol": 1 }));
    client.call("token", "token", &json!({}));
    assert_eq!((-32004, "login_required".into()), client.error("token"));
    client.call("status", "status", &json!({}));
    client.result("status");
    client.call("in", "login", &json!({ "open": "client" }));
    client.event("in", "url");
    assert_eq!(Some(0), client.end().0);
    assert!(!opened.exists());
}

#[test]
fn p07_fuzzed_messages_bring_neither_a_crash_nor_a_hang_nor_a_stray_byte() {
    let sandbox = Sandbox::signed_in(&Provider::new());
    let mut command = sandbox.loopin(&["stdio"]);
    command.env("LOOPIN_BROWSER", "true");
    let mut client = Client::unmet(command);
    client.call("hello", "initialize", &json!({ "protocol": 1 }));
    client.result("hello");
    let seeds = [
        r#"{"jsonrpc":"2.0","id":1,"method":"token","params":{"integration":"work","min_ttl":60}}"#,
        r#"{"jsonrpc":"2.0","id":"a","method":"status","params":{"integration":"work"}}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"login","params":{"open":"client","timeout":1,"scopes":["x"]}}"#,
        r#"{"jsonrpc":"2.0","id":3,"method":"cancel","params":{"id":2}}"#,
        r#"{"jsonrpc":"2.0","method":"cancel","params":{"id":2}}"#,
        r#"{"jsonrpc":"2.0","id":4,"method":"logout","params":{"integration":"elsewhere","local":true}}"#,
        r#"{"jsonrpc":"2.0","id":5,"method":"initialize","params":{"protocol":1}}"#,
    ];
    let count = many(1000, 10_000);
    let mut stdin = client.stdin.take().expect("open");
    let flood = thread::spawn(move || {
        let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
        for _ in 0..count {
            let mut line = seeds[chance.below(seeds.len())].as_bytes().to_vec();
            for _ in 0..chance.below(4) {
                let at = chance.below(line.len());
                match chance.below(5) {
                    0 => line[at] = (chance.below(256)) as u8,
                    1 if line.len() > 1 => drop(line.remove(at)),
                    2 => line.truncate(at.max(1)),
                    3 => line.insert(at, b"\"{}[],:\\\n0"[chance.below(10)]),
                    _ => line.extend_from_within(at..),
                }
            }
            line.push(b'\n');
            stdin.write_all(&line).expect("loopin reads");
        }
        stdin.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":\"the last\",\"method\":\"status\"}\n").expect("loopin reads");
        stdin
    });
    loop {
        let line = client.lines.recv_timeout(PATIENCE).expect("it goes on");
        let message: Value = serde_json::from_slice(&line).expect("JSON and nothing else");
        client.schema.assert_holds("FromLoopin", &message);
        if message["id"] == "the last" {
            break;
        }
    }
    client.stdin = Some(flood.join().expect("flood"));
    drop(client.stdin.take());
    while let Ok(line) = client.lines.recv_timeout(PATIENCE) {
        serde_json::from_slice::<Value>(&line).expect("JSON and nothing else");
    }
    assert_eq!(Some(0), client.child.wait().expect("loopin ends").code());
}

/// SplitMix64: the same messages in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) % bound as u64) as usize
    }
}

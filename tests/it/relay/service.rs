//! Starting, reloading, draining, what an operator sees, and who may not hold it up.

use super::*;

fn refused(config: Option<&str>, code: i32) -> Finished {
    let sandbox = Sandbox::new();
    let path = sandbox.path("relay.toml");
    if let Some(config) = config {
        std::fs::write(&path, config).unwrap();
    }
    let finished = sandbox.run(&["relay", "--config", path.to_str().unwrap()]);
    finished.assert_code(code);
    finished
}

#[test]
fn y10_a_configuration_that_could_misroute_is_not_started_with() {
    refused(Some(&CONFIG.replace("https://", "http://")), 3)
        .assert_says("relay.toml: line 9, column 10: target: not https");
    let mixed = format!(
        "{CONFIG}\n{}",
        CONFIG[CONFIG.find("[[").unwrap()..].replace("production", "staging").replace("us.junction.com", "example")
    );
    refused(Some(&mixed), 3).assert_says("line 12, column 1: one host and path for two environments");
    refused(Some(""), 3).assert_says("there is no route");
    refused(Some(&CONFIG.replace("[\"acme_fit\"]", "[")), 3).assert_says("line");
    refused(Some(&CONFIG.replace("\"127.0.0.1:0\"", "\"nowhere\"")), 3).assert_says("line 2, column 10: listen");
    refused(None, 3).assert_says("relay.toml");
    Sandbox::new().run(&["relay"]).assert_code(2).assert_says("loopin relay --config relay.toml");
}

#[test]
fn a_port_that_is_taken_is_said() {
    let running = Running::new();
    let taken = CONFIG.replacen("127.0.0.1:0", &running.address.to_string(), 1);
    refused(Some(&taken), 7).assert_says(&running.address.to_string());
}

#[test]
fn y10_the_start_tells_every_route() {
    let finished = Running::new().terminated();
    let table = "production: https://yourdomain.com/oauth_callback/{provider} to https://api.us.junction.com/v2/link/connect/{provider}, for acme_fit";
    // Said before the address, which was waited for.
    assert!(!finished.stderr.contains(table));
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path("relay.toml"), CONFIG).unwrap();
    let mut child = sandbox.loopin(&["relay", "--config"]).arg(sandbox.path("relay.toml")).spawn().unwrap();
    let said = lines(child.stderr.take().unwrap());
    wait_for(&said, table);
    wait_for(&said, "plain http: whoever stands in front of it speaks TLS");
    kill("TERM", child.id());
    child.wait().unwrap();
}

#[test]
fn y25_probes_say_no_more_than_they_must() {
    let relay = Running::new();
    assert_eq!((200, "ok\n"), (relay.admin("/healthz").status, relay.admin("/healthz").body.as_str()));
    assert_eq!((200, "ready\n"), (relay.admin("/readyz").status, relay.admin("/readyz").body.as_str()));
    assert_eq!(404, relay.admin("/oauth_callback/acme_fit").status);
    assert_eq!(404, relay.get("/healthz").status, "not where strangers ask");
    relay.get("/oauth_callback/acme_fit?a");
    let metrics = relay.admin("/metrics");
    assert!(
        metrics.body.contains("loopin_relay_answers_total{environment=\"production\",status=\"307\"} 1\n"),
        "{metrics:?}"
    );
    assert!(metrics.body.contains("loopin_relay_answers_total{environment=\"\",status=\"404\"} 1\n"), "{metrics:?}");
    for secret in ["junction", "yourdomain", "acme_fit"] {
        assert!(!metrics.body.contains(secret), "{secret}");
    }
}

#[test]
fn y23_a_reload_takes_all_of_a_good_configuration_and_nothing_of_a_bad_one() {
    let relay = Running::new();
    let with = |provider: &str| CONFIG.replace("acme_fit", provider);
    relay.configure(&with("other"));
    relay.signal("HUP");
    wait_for(&relay.said, "read again");
    assert_eq!(404, relay.get("/oauth_callback/acme_fit").status);
    assert_eq!(307, relay.get("/oauth_callback/other").status);
    for bad in [
        with("other").replace("https://", "http://"),
        String::new(),
        CONFIG.replace("listen = \"127.0.0.1:0\"", "listen = \"127.0.0.1:1\""),
    ] {
        relay.configure(&bad);
        relay.signal("HUP");
        let said = wait_for(&relay.said, "the old configuration stays");
        assert!(said.contains("relay.toml") && said.contains('→'), "{said}");
        assert_eq!(307, relay.get("/oauth_callback/other").status);
    }
    let metrics = relay.admin("/metrics").body;
    assert!(metrics.contains("{result=\"refused\"} 3\n") && metrics.contains("{result=\"taken\"} 1\n"), "{metrics}");
}

#[test]
fn y23_reloads_under_load_fail_nobody() {
    let relay = Running::new();
    let address = relay.address;
    let (stop, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let reply = http(address, &request("/oauth_callback/acme_fit?a"));
                    assert_eq!(307, reply.status);
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for round in 0..rounds() {
            let comment = format!("# {round}\n");
            relay.configure(&match round % 2 {
                0 => CONFIG.to_owned() + &comment,
                _ => comment,
            });
            relay.signal("HUP");
            wait_for(&relay.said, if round % 2 == 0 { "read again" } else { "the old configuration stays" });
        }
        stop.store(true, Ordering::Relaxed);
    });
    tell(&format!("{} reloads, {} requests, none failed", rounds(), asked.into_inner()));
}

#[test]
fn y22_whoever_was_accepted_before_sigterm_is_answered() {
    assert_restarts_lose_nothing(50, "requests taken", |address, asked| {
        let mut received = 0;
        // Ends when nobody listens any more.
        while let Ok(mut stream) = TcpStream::connect(address) {
            let _ = stream.write_all(request("/oauth_callback/acme_fit?a").as_bytes());
            received += usize::from(read_reply(stream).status == 307);
            asked.fetch_add(1, Ordering::Relaxed);
        }
        received
    });
}

#[test]
fn y22_a_draining_relay_is_not_ready_and_a_second_signal_ends_it() {
    let relay = Running::new();
    let mut half = TcpStream::connect(relay.address).unwrap();
    half.write_all(b"GET /oauth_callback/acme_fit?a HTTP/1.1\r\n").unwrap();
    // It has been read: who came later was answered.
    relay.get("/later");
    relay.signal("TERM");
    eventually("it is not ready any more", || relay.admin("/readyz").status != 200);
    assert_eq!((503, 200), (relay.admin("/readyz").status, relay.admin("/healthz").status));
    relay.signal("TERM");
    relay.finished().assert_code(0);
    assert_eq!(0, read_reply(half).status);
}

#[cfg(target_os = "linux")]
#[test]
fn y19_hostile_connections_cost_little_and_delay_nobody() {
    let relay = Running::new();
    let mut open: Vec<_> = (0..crowd()).map(|_| TcpStream::connect(relay.address).unwrap()).collect();
    for (index, stream) in open.iter_mut().enumerate() {
        let _ = match index % 3 {
            0 => Ok(()),
            1 => stream.write_all(b"GET /oauth_callback/acme_fit?code=a"),
            _ => write!(stream, "GET / HTTP/1.1\r\nHost: yourdomain.com\r\nX-A: {}", "a".repeat(40_000)),
        };
    }
    let mut endless = TcpStream::connect(relay.address).unwrap();
    endless.set_write_timeout(Some(PATIENCE)).unwrap();
    let _ = endless.write_all(b"GET / HTTP/1.1\r\nCookie: ");
    let taken = (0..3200).take_while(|_| endless.write_all(&[b'a'; 64 * 1024]).is_ok()).count();
    assert!(taken < 3200, "200 MiB were taken");
    for _ in 0..20 {
        assert_eq!(307, relay.get("/oauth_callback/acme_fit?a").status);
    }
    let peak = relay.peak_memory();
    tell(&format!("{} hostile connections: at most {peak} KiB of memory", open.len()));
    assert!(peak < 64 * 1024, "{peak} KiB");
}

#[test]
fn a_log_that_nobody_reads_holds_up_nobody() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path("relay.toml"), CONFIG).unwrap();
    let mut child = sandbox.loopin(&["relay", "--config"]).arg(sandbox.path("relay.toml")).spawn().unwrap();
    let said = lines(child.stderr.take().unwrap());
    let admin = address_in(&wait_for(&said, "state at"));
    let address = address_in(&wait_for(&said, "relaying at"));
    // Longer than the pipe and the lines that may wait; the pipe stays unread.
    eventually("a line of the log is lost", || {
        for _ in 0..500 {
            let reply = http(address, &request("/x"));
            assert_eq!(404, reply.status, "{reply:?}, and the relay: {:?}", child.try_wait());
        }
        !http(admin, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").body.contains("lost_log_lines_total 0\n")
    });
    kill("TERM", child.id());
    assert_eq!(Some(0), child.wait().unwrap().code());
}

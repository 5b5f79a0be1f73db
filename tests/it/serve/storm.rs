//! Many callers on one expired connection, and a service that dies under them.

use std::{
    io::{Read, Write},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::*;
use crate::harness::{JSON, RawServer, json_reply, reply, tell};

/// A token endpoint that rotates, detects reuse, and takes its time.
struct Rotating {
    server: RawServer,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    came: u32,
    /// That were answered.
    requests: u32,
    issued: u32,
    /// When each refresh token was used first; the token of the login is number 0.
    used: BTreeMap<u32, Instant>,
    revoked: bool,
}

impl Rotating {
    /// A refresh token counts once more for as long as it is forgiven.
    fn new(delay: Duration, forgives: Duration) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let state = Arc::clone(&seen);
        let server = RawServer::replying(move |request| {
            let sent = request.split("refresh_token=").nth(1).unwrap_or_default();
            let sent = sent.split('&').next().unwrap_or_default().trim();
            let number = sent.strip_prefix("rotated-").map_or(0, |number| number.parse().expect("number"));
            state.lock().expect("provider").came += 1;
            // This sleeps because a slow provider is what is tested.
            thread::sleep(delay);
            let mut seen = state.lock().expect("provider");
            seen.requests += 1;
            let first = *seen.used.entry(number).or_insert_with(Instant::now);
            if seen.revoked || first.elapsed() > forgives && number != seen.issued {
                seen.revoked = true;
                return reply(400, JSON, r#"{"error":"invalid_grant"}"#);
            }
            seen.issued += 1;
            let new = seen.issued;
            json_reply(&format!(
                r#"{{"access_token":"fresh-{new}","token_type":"Bearer","expires_in":3600,"refresh_token":"rotated-{new}"}}"#
            ))
        });
        Self { server, seen }
    }

    fn requests(&self) -> u32 {
        self.seen.lock().expect("provider").requests
    }

    /// Whether a request has come that is not answered yet.
    fn is_answering(&self) -> bool {
        let seen = self.seen.lock().expect("provider");
        seen.came > seen.requests
    }

    /// The connection of this service is refreshed here.
    fn takes_over(&self, serving: &Serving) {
        let endpoint = format!("{}/token", self.server.origin);
        let changed = serving.database().execute("UPDATE connection SET token_endpoint = ?1", [endpoint]);
        assert_eq!(1, changed.expect("update"));
    }
}

/// The request of a back end that asks on behalf of `ada`.
fn asking(serving: &Serving, service: usize) -> String {
    asking_for(serving, service, "ada")
}

fn asking_for(serving: &Serving, service: usize, user: &str) -> String {
    let mut claims = claims(&format!("service-{service}"), "acme");
    claims["scope"] = "loopin:service".into();
    let fields = format!("{}Content-Type: application/json\r\n", bearer(&jwt(claims)));
    let body = json!({ "action": "all", "userId": user, "orgKey": "acme" }).to_string();
    serving.written("POST", &format!("{BASE}/wiki/token"), &fields, &body)
}

/// So many callers at once; what each got, if the service lived long enough to answer.
fn callers(serving: &Serving, number: usize) -> Vec<JoinHandle<Option<Vec<u8>>>> {
    let address = serving.address();
    let request = |n: usize| asking(serving, n / 50);
    let send = move |request: String| {
        thread::spawn(move || {
            let mut stream = TcpStream::connect(address).ok()?;
            stream.set_read_timeout(Some(PATIENCE)).ok()?;
            stream.write_all(request.as_bytes()).ok()?;
            let mut reply = Vec::new();
            stream.read_to_end(&mut reply).ok()?;
            Some(reply)
        })
    };
    (0..number).map(|n| send(request(n))).collect()
}

impl Serving {
    /// Killed, and started again on what that left.
    fn killed(mut self) -> Self {
        self.child.kill().expect("killed");
        self.child.wait().expect("loopin ends");
        let provider = std::mem::replace(&mut self.provider, Provider::new());
        let sandbox = std::mem::replace(&mut self.sandbox, Sandbox::new());
        let port = self.port;
        drop(self);
        Self::start(sandbox, provider, port)
    }
}

#[test]
fn v25_200_callers_of_one_expired_connection_are_all_served_by_one_request() {
    // The second provider is slower than any poll.
    for delay in [Duration::from_millis(20), Duration::from_millis(2500)] {
        let (serving, provider) = (Serving::new(), Rotating::new(delay, Duration::ZERO));
        assert_success(&serving.connect("ada"));
        provider.takes_over(&serving);
        serving.age();
        for caller in callers(&serving, 200) {
            let reply = caller.join().expect("caller").expect("reply");
            let text = String::from_utf8_lossy(&reply);
            assert!(text.starts_with("HTTP/1.1 200 ") && text.contains("fresh-1"), "{text}");
        }
        assert_eq!(1, provider.requests(), "{delay:?}");
    }
}

/// `LOOPIN_BAR=full`: 100 kills below 200 callers; benches/serve-storm.
#[test]
fn v26_a_service_killed_under_load_loses_no_grant_of_a_provider_that_forgives() {
    let (kills, crowd) = (bar(4, 100), bar(40, 200));
    let provider = Rotating::new(Duration::from_millis(200), Duration::from_secs(60));
    let mut serving = Serving::new();
    assert_success(&serving.connect("ada"));
    provider.takes_over(&serving);
    let (mut lost, mut interrupted) = (0, 0);
    for kill in 0..kills {
        serving.age();
        let waiting = callers(&serving, crowd);
        // This sleeps because the kills are spread over a refresh: before it is sent, while it is answered or stored.
        let instant = Duration::from_millis(u64::try_from(kill * 97 % 360).expect("short"));
        thread::sleep(instant);
        interrupted += usize::from(provider.is_answering());
        serving = serving.killed();
        waiting.into_iter().for_each(|caller| drop(caller.join().expect("caller")));
        // What the dead one had sent is finished by the new one, within the pause after a failure at most.
        let ask = || http(serving.address(), &asking(&serving, 9));
        let mut reply = ask();
        eventually("the service is past its pause", || {
            if reply.status == 503 {
                reply = ask();
            }
            reply.status != 503
        });
        if reply.status != 200 {
            lost += 1;
            tell(&format!("kill {kill} after {instant:?}: {reply:?}"));
        }
    }
    let when = "while the provider was answering";
    tell(&format!("{kills} kills under {crowd} callers, {interrupted} of them {when}: {lost} grants lost"));
    assert_eq!(0, lost);
}

/// A token endpoint that rejects some refresh tokens, in words that are known and in words that are not.
struct Partly {
    server: RawServer,
    /// The refresh tokens that it has rejected, for ever.
    dead: Arc<Mutex<BTreeMap<String, &'static str>>>,
}

impl Partly {
    /// The first so many refresh tokens that it sees are dead.
    fn new(dead_ones: usize) -> Self {
        const WORDS: [&str; 4] = [
            r#"{"error":"nobody_knows"}"#,
            r#"{"error":"invalid_grant"}"#,
            r#"{"error":"unauthorized_client"}"#,
            r#"{"ok":false,"error":"invalid_refresh_token"}"#,
        ];
        let dead = Arc::new(Mutex::new(BTreeMap::new()));
        let (state, issued) = (Arc::clone(&dead), Mutex::new(0));
        let server = RawServer::replying(move |request| {
            let sent = request.split("refresh_token=").nth(1).unwrap_or_default();
            let sent = sent.split('&').next().unwrap_or_default().trim().to_owned();
            let mut dead = state.lock().expect("provider");
            let number = dead.len();
            if number < dead_ones {
                dead.entry(sent.clone()).or_insert(WORDS[number % WORDS.len()]);
            }
            if let Some(word) = dead.get(&sent) {
                return reply(400, JSON, word);
            }
            let mut issued = issued.lock().expect("provider");
            *issued += 1;
            json_reply(&format!(
                r#"{{"access_token":"fresh-{issued}","expires_in":3600,"refresh_token":"next-{issued}"}}"#
            ))
        });
        Self { server, dead }
    }
}

/// `LOOPIN_BAR=full`: 200 connections, 10 of them dead; benches/serve-storm.
#[test]
fn d04_dead_grants_cost_no_other_user_a_token() {
    const DEAD: usize = 10;
    let (connections, rounds) = (bar(40, 200), bar(2, 5));
    let (serving, provider) = (Serving::new(), Partly::new(DEAD));
    let users: Vec<_> = (0..connections).map(|n| format!("user-{n}")).collect();
    for user in &users {
        assert_success(&serving.connect(user));
    }
    let endpoint = format!("{}/token", provider.server.origin);
    serving.database().execute("UPDATE connection SET token_endpoint = ?1", [endpoint]).expect("update");
    let ask = |user: &String| http(serving.address(), &asking_for(&serving, 0, user)).status;
    let mut refused = 0;
    for round in 0..rounds {
        serving.database().execute("UPDATE connection SET obtained_at = 1000, expires_at = 2000", []).expect("update");
        let answers: Vec<_> = users.iter().map(ask).collect();
        let (dead, healthy) = answers.split_at(DEAD);
        assert!(dead.iter().all(|status| *status != 200), "round {round}: {dead:?}");
        refused += healthy.iter().filter(|status| **status != 200).count();
    }
    assert_eq!(DEAD, provider.dead.lock().expect("provider").len());
    tell(&format!(
        "{connections} connections, {DEAD} of them dead, {rounds} rounds: {refused} healthy requests refused"
    ));
    assert_eq!(0, refused);
}

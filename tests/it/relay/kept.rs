//! Connections that serve many requests, and who abuses them. `LOOPIN_BAR=full` asks a million queries.

use std::{
    io::{BufRead, BufReader},
    time::Duration,
};

use loopin::system::uninterrupted::uninterrupted;

use super::{tls::next_head, *};

/// Random queries of the bytes that may stand in one, the same in every run.
struct Queries(u64);

impl Iterator for Queries {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let length = self.random() % 64;
        let mut query = Vec::new();
        while query.len() < length as usize {
            let byte = (self.random() % 256) as u8;
            if byte > b' ' && byte != b'#' && byte != 0x7f {
                query.push(byte);
            }
        }
        Some(query)
    }
}

impl Queries {
    /// xorshift64.
    fn random(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

#[test]
fn y01_no_random_query_is_altered_on_its_way() {
    let count = if std::env::var("LOOPIN_BAR").as_deref() == Ok("full") { 1_000_000 } else { 5_000 };
    let relay = Running::with(&format!("access_log = false\n{CONFIG}"));
    let mut stream = BufReader::new(TcpStream::connect(relay.address).unwrap());
    stream.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
    let mut queries = Queries(0x9e37_79b9_7f4a_7c15).take(count);
    let mut altered = 0;
    loop {
        let batch: Vec<_> = queries.by_ref().take(100).collect();
        if batch.is_empty() {
            break;
        }
        let asked: Vec<u8> = (batch.iter())
            .flat_map(|query| {
                [b"GET /oauth_callback/acme_fit?", &query[..], b" HTTP/1.1\r\nHost: yourdomain.com\r\n\r\n"].concat()
            })
            .collect();
        stream.get_mut().write_all(&asked).unwrap();
        for query in batch {
            let (mut line, mut location) = (Vec::new(), Vec::new());
            while line != b"\r\n" {
                line.clear();
                stream.read_until(b'\n', &mut line).unwrap();
                if line.starts_with(b"Location: ") {
                    location.clone_from(&line);
                }
            }
            altered += usize::from(location != [b"Location: ", TARGET.as_bytes(), b"?", &query, b"\r\n"].concat());
        }
    }
    tell(&format!("{count} random queries, {altered} altered"));
    assert_eq!(0, altered);
}

#[test]
fn y07_the_example_of_seed_001_again_and_again_on_one_connection() {
    let relay = Running::new();
    let mut stream = TcpStream::connect(relay.address).unwrap();
    for _ in 0..3 {
        stream.write_all(request("/oauth_callback/acme_fit?code=abc123&state=xyz").as_bytes()).unwrap();
        let head = next_head(&mut stream).unwrap();
        assert!(head.contains(&format!("\r\nLocation: {TARGET}?code=abc123&state=xyz\r\n")), "{head}");
    }
    // What is odd is answered, and the connection closed.
    stream.write_all(b"GET /oauth_callback/acme_fit?a\x01b HTTP/1.1\r\nHost: yourdomain.com\r\n\r\n").unwrap();
    let reply = read_reply(stream);
    assert_eq!((400, Some("close")), (reply.status, reply.field("connection")));
}

#[test]
fn y09_a_target_that_is_no_path_is_refused() {
    let relay = Running::new();
    for target in [
        "http://yourdomain.com/oauth_callback/acme_fit?a",
        "https://yourdomain.com/oauth_callback/acme_fit?a",
        "http://evil.example/",
        "yourdomain.com:443",
        "*",
        "@evil.example/",
        "oauth_callback/acme_fit",
        "?/oauth_callback/acme_fit",
    ] {
        let reply = relay.get(target);
        assert_eq!((400, Some("close"), None), (reply.status, reply.field("connection"), reply.field("location")));
    }
}

#[test]
fn y16_every_answer_is_logged_with_its_time_or_none_where_that_is_asked_for() {
    let relay = Running::new();
    let three: String = (0..3).map(|n| request(&format!("/oauth_callback/acme_fit?code={n}"))).collect();
    let mut stream = TcpStream::connect(relay.address).unwrap();
    // The third head is cut for a while.
    stream.write_all(&three.as_bytes()[..three.len() - 2]).unwrap();
    (0..2).for_each(|_| drop(next_head(&mut stream).unwrap()));
    assert!((0..2).all(|_| relay.next_line()["ms"].as_f64().is_some_and(|ms| (0.0..10_000.0).contains(&ms))));
    // This sleeps because a time is what is logged.
    thread::sleep(Duration::from_millis(50));
    stream.write_all(b"\r\n").unwrap();
    next_head(&mut stream).unwrap();
    let cut = relay.next_line();
    assert!(cut["ms"].as_f64().is_some_and(|ms| ms >= 50.0), "from the first byte of the head: {cut}");
    assert_eq!((Some(307), Some(true)), (cut["status"].as_u64(), cut["has_code"].as_bool()), "{cut}");
    let silent = Running::with(&format!("access_log = false\n{CONFIG}"));
    assert_eq!(307, silent.get("/oauth_callback/acme_fit?a").status);
    assert_eq!("", silent.terminated().stdout);
}

#[test]
fn y22_kept_connections_are_answered_before_they_end() {
    assert_restarts_lose_nothing(200, "requests on kept connections", |address, asked| {
        let mut received = 0;
        while let Ok(mut stream) = TcpStream::connect(address) {
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            for number in 0.. {
                let _ = stream.write_all(request("/oauth_callback/acme_fit?a").as_bytes());
                asked.fetch_add(1, Ordering::Relaxed);
                let Ok(head) = next_head(&mut stream) else {
                    // Nobody had accepted it. Who was answered once is answered again, or was told of the end.
                    assert_eq!(0, number, "a request on a kept connection was dropped");
                    break;
                };
                received += 1;
                if head.contains("\r\nConnection: close\r\n") {
                    break;
                }
            }
        }
        received
    });
}

#[cfg(target_os = "linux")]
#[test]
fn y19_who_pipelines_and_never_reads_costs_little_and_delays_nobody() {
    let relay = Running::with(&format!("access_log = false\n{CONFIG}"));
    let burst = request("/oauth_callback/acme_fit?code=a&state=b").repeat(1000);
    let mut deaf: Vec<_> = (0..crowd() / 4).map(|_| TcpStream::connect(relay.address).unwrap()).collect();
    // As much as the kernel and the relay take; then it is not read any more.
    for stream in &mut deaf {
        stream.set_nonblocking(true).unwrap();
    }
    let mut taken = 0;
    for _ in 0..200 {
        taken +=
            deaf.iter_mut().filter_map(|stream| uninterrupted(|| stream.write(burst.as_bytes())).ok()).sum::<usize>();
    }
    for _ in 0..20 {
        let reply = relay.get("/oauth_callback/acme_fit?a");
        assert_eq!(307, reply.status, "{reply:?}");
    }
    let peak = relay.peak_memory();
    tell(&format!("{} peers that never read, {taken} bytes sent: at most {peak} KiB of memory", deaf.len()));
    assert!(peak < 64 * 1024, "{peak} KiB");
}

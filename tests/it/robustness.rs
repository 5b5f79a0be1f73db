//! Twelve hostile crowds: each is sent while a login waits, then the true answer must succeed, at a bounded price.
//! `LOOPIN_BAR=full` makes crowds of 1,000 instead of 200.

use std::{io::Write, net::TcpStream};

use crate::harness::{Waiting, crowd, status_line, tell};

/// Of the peak over the memory in use while the login was only waiting, in KiB.
const GROWTH: u64 = 4 * 1024;
const THREADS: u64 = 8;

/// Gives the connections that shall stay open until the end.
type Case = fn(&Waiting) -> Vec<TcpStream>;

const CASES: [(&str, Case); 12] = [
    ("wrong state", |waiting| turned_away(400, waiting, "GET", "/callback?code=x&state=y", "")),
    ("missing state", |waiting| turned_away(400, waiting, "GET", "/callback?code=x", "")),
    ("favicon", |waiting| turned_away(404, waiting, "GET", "/favicon.ico", "")),
    ("HEAD", |waiting| turned_away(405, waiting, "HEAD", &waiting.answer(), "")),
    ("OPTIONS", |waiting| turned_away(403, waiting, "OPTIONS", &waiting.answer(), "Origin: https://evil.example\r\n")),
    ("forged error", |waiting| turned_away(400, waiting, "GET", "/callback?error=access_denied&state=y", "")),
    ("one idle connection", |waiting| idle(waiting, 1)),
    ("a crowd of idle connections", |waiting| idle(waiting, crowd())),
    ("a drip", drip),
    ("a header line of 50 MB", fifty_megabytes),
    ("duplicate parameters", |waiting| {
        turned_away(400, waiting, "GET", &format!("{}&state={}", waiting.answer(), waiting.login.state()), "")
    }),
    ("POST", |waiting| turned_away(405, waiting, "POST", &waiting.answer(), "Content-Length: 0\r\n")),
];

#[test]
fn whatever_comes_first_the_true_answer_succeeds_at_a_bounded_price() {
    let mut costly = Vec::new();
    for (name, case) in CASES {
        let mut waiting = Waiting::new();
        let before = waiting.login.status("VmRSS");
        let open = case(&waiting);
        waiting.login.assert_waiting();
        let grown = waiting.login.status("VmHWM").saturating_sub(before);
        let threads = waiting.login.status("Threads");
        waiting.ends_well();
        drop(open);
        tell(&format!("{name}: signed in, memory grew by {grown} KiB, {threads} threads"));
        if grown > GROWTH || threads > THREADS {
            costly.push((name, grown, threads));
        }
    }
    assert!(costly.is_empty(), "more than {GROWTH} KiB or {THREADS} threads: {costly:?}");
}

fn turned_away(status: u16, waiting: &Waiting, method: &str, target: &str, fields: &str) -> Vec<TcpStream> {
    let host = format!("Host: 127.0.0.1:{}\r\n", waiting.login.port());
    assert_eq!(status, waiting.login.send(format!("{method} {target} HTTP/1.1\r\n{host}{fields}\r\n")).status);
    Vec::new()
}

fn idle(waiting: &Waiting, count: usize) -> Vec<TcpStream> {
    let idle = (0..count).map(|_| waiting.login.connect()).collect();
    // Who comes later has been answered, so all of these were accepted.
    turned_away(404, waiting, "GET", "/later", "");
    idle
}

fn drip(waiting: &Waiting) -> Vec<TcpStream> {
    let mut stream = waiting.login.connect();
    for byte in format!("GET {} HTTP/1.1\r\n", waiting.answer()).bytes() {
        stream.write_all(&[byte]).unwrap();
    }
    turned_away(404, waiting, "GET", "/later", "");
    vec![stream]
}

fn fifty_megabytes(waiting: &Waiting) -> Vec<TcpStream> {
    let mut stream = waiting.login.connect();
    let reply = status_line(&stream);
    write!(stream, "GET {} HTTP/1.1\r\nCookie: ", waiting.answer()).unwrap();
    let taken = (0..1000).take_while(|_| stream.write_all(&[b'a'; 50_000]).is_ok()).count();
    assert!(taken < 1000, "all of it was taken");
    assert_eq!("HTTP/1.1 431", reply.join().unwrap());
    vec![stream]
}

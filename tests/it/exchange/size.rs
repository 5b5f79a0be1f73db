//! How much is read, and how long is waited for it. X04.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use loopin::system::uninterrupted::uninterrupted;

use super::{assert_nothing_stored, login_with};
use crate::harness::{PATIENCE, RawServer, Sandbox, send};

/// Writes `part` until the other side has had enough, and counts.
fn flood(stream: &mut TcpStream, part: &[u8], sent: &AtomicU64) {
    while stream.write_all(part).is_ok() {
        sent.fetch_add(part.len() as u64, Ordering::Relaxed);
    }
}

#[test]
fn x04_a_reply_without_end_is_cut_at_1_mib() {
    // What two socket buffers may hold beside the megabyte that is read.
    const MOST: u64 = 32 * 1024 * 1024;
    let heads: [(&str, &str, &str); 4] = [
        ("until it closes", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", "larger than 1 MiB"),
        ("of a stated GiB", "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", "larger than 1 MiB"),
        ("in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "larger than 1 MiB"),
        ("in the head", "HTTP/1.1 200 OK\r\nX: ", "gave no reply"),
    ];
    for (what, head, said) in heads {
        let sent = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&sent);
        let server = RawServer::new(move |_, stream| {
            let _ = stream.write_all(head.as_bytes());
            let part =
                if what == "in chunks" { format!("8000\r\n{}\r\n", " ".repeat(0x8000)) } else { " ".repeat(0x8000) };
            flood(stream, part.as_bytes(), &counter);
        });
        let sandbox = Sandbox::at(&server);
        sandbox.log_in(&[]).assert_code(7).assert_says(said);
        assert_nothing_stored(&sandbox);
        assert!(sent.load(Ordering::Relaxed) < MOST, "{what}: {sent:?} bytes were taken");
    }
}

#[test]
fn x04_a_megabyte_is_still_read() {
    let padded = format!("{{\"access_token\":\"a-token\",\"pad\":\"{}\"}}", "x".repeat(1024 * 1024 - 100));
    let (_sandbox, finished) = login_with(200, padded.as_bytes());
    finished.assert_code(0);
}

#[test]
fn x04_no_compression_is_asked_for_and_none_is_undone() {
    // gzip of a token reply: whoever undoes it is open to a bomb.
    let gzip: &[u8] = &[
        0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0xff, 0xab, 0x56, 0x4a, 0x4c, 0x4e, 0x4e, 0x2d, 0x2e, 0x8e, 0x2f, 0xc9,
        0xcf,
    ];
    let server = RawServer::new(move |_, stream| {
        send(stream, 200, "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", gzip);
    });
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(7).assert_says("not a token response (status 200, 22 bytes)");
    let request = server.requests().remove(0).to_ascii_lowercase();
    let accepted = request.lines().find(|line| line.starts_with("accept-encoding:"));
    assert!(accepted.is_none_or(|line| line == "accept-encoding: identity"), "{accepted:?}");
    assert_nothing_stored(&sandbox);
}

/// These three really last the 28 seconds that one request may take, side by side.
#[test]
fn x04_a_silent_or_dripping_token_endpoint_is_given_up() {
    let drip = |stream: &mut TcpStream, head: &str| {
        let _ = stream.write_all(head.as_bytes());
        stream.set_read_timeout(Some(Duration::from_millis(500))).expect("time-out");
        let mut closed = [0];
        // One byte each time nothing has come for a while, until the other side is gone.
        while !matches!(uninterrupted(|| stream.read(&mut closed)), Ok(0)) && stream.write_all(b" ").is_ok() {}
    };
    let silent = RawServer::new(|_, stream| {
        let _ = stream.set_read_timeout(Some(PATIENCE));
        let _ = uninterrupted(|| stream.read(&mut [0]));
    });
    let head = RawServer::new(move |_, stream| drip(stream, "HTTP/1.1 200 OK\r\nX: "));
    let body = RawServer::new(move |_, stream| drip(stream, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"));
    thread::scope(|scope| {
        for server in [&silent, &head, &body] {
            scope.spawn(move || {
                let sandbox = Sandbox::at(server);
                let login = sandbox.login(&[]);
                let page = login.answer("a-code");
                assert!(page.body.contains("Your answer was received"), "the browser is not held so long: {page:?}");
                login.finished().assert_code(7).assert_says("no answer in time").assert_says("log in again");
                assert_eq!(1, server.requests().len());
                assert_nothing_stored(&sandbox);
            });
        }
    });
}

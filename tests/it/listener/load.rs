//! What strangers may cost: time, memory, threads.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use loopin::system::uninterrupted::uninterrupted;

use crate::harness::{PATIENCE, Waiting, crowd, read_reply, status_line, tell};

/// Growth of the peak over the memory in use while the login was only waiting, in KiB.
const GROWTH: u64 = 4 * 1024;

#[test]
fn l15_idle_connections_do_not_delay_the_answer() {
    let waiting = Waiting::new();
    let idle: Vec<TcpStream> = (0..20).map(|_| waiting.login.connect()).collect();
    waiting.ends_well();
    // They were there all the time and were never answered.
    assert!(idle.into_iter().all(|stream| read_reply(stream).status == 0));
}

#[test]
fn l22_a_drip_gets_408_at_the_deadline_and_the_answer_counts_meanwhile_and_after() {
    let waiting = Waiting::new();
    let silent = waiting.login.connect();
    let mut drips: Vec<TcpStream> = (0..60).map(|_| waiting.login.connect()).collect();
    for drip in &mut drips {
        drip.write_all(b"GET /callback?code=x HTTP/1.1\r\nX-Drip: ").unwrap();
    }
    assert_eq!(404, waiting.login.get("/meanwhile").status);
    let replies: Vec<_> = drips.into_iter().map(|drip| thread::spawn(move || drip_until_answered(drip))).collect();
    for reply in replies {
        let reply = reply.join().expect("drip");
        assert!(reply.starts_with("HTTP/1.1 408 "), "{reply}");
    }
    assert_eq!(0, read_reply(silent).status, "nobody reads a 408 on a connection that was never used");
    waiting.ends_well();
}

/// A byte whenever nothing was heard for a while; then all that was answered.
fn drip_until_answered(mut stream: TcpStream) -> String {
    stream.set_read_timeout(Some(Duration::from_millis(250))).unwrap();
    let mut reply = [0; 64];
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        match uninterrupted(|| stream.read(&mut reply)) {
            Ok(count) => return String::from_utf8_lossy(&reply[..count]).into_owned(),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                let _ = stream.write_all(b"a");
            }
            Err(error) => panic!("{error}"),
        }
    }
    panic!("nobody ends it");
}

#[test]
fn l23_fifty_megabytes_of_header_are_refused_without_being_kept() {
    let waiting = Waiting::new();
    let before = waiting.login.status("VmRSS");
    let host = format!("Host: 127.0.0.1:{}\r\n", waiting.login.port());
    let start = format!("GET /callback HTTP/1.1\r\n{host}");
    for (what, status, start, piece) in [
        ("a header line without end", 431, format!("{start}Cookie: "), "a".repeat(50_000)),
        ("header lines without end", 431, start.clone(), "X: y\r\n".repeat(8_000)),
        ("a name without end", 431, start, "a".repeat(50_000)),
        ("a request line without end", 414, "GET /callback?".to_owned(), "a".repeat(50_000)),
        ("a method without end", 414, String::new(), "A".repeat(50_000)),
    ] {
        let mut stream = waiting.login.connect();
        let reply = status_line(&stream);
        stream.write_all(start.as_bytes()).unwrap();
        let taken = (0..1000).take_while(|_| stream.write_all(piece.as_bytes()).is_ok()).count();
        assert_eq!(format!("HTTP/1.1 {status}"), reply.join().unwrap(), "{what}");
        assert!(taken < 1000, "{what}: all 50 MB were taken");
    }
    let grown = waiting.login.status("VmHWM").saturating_sub(before);
    assert!(grown <= GROWTH, "grown by {grown} KiB");
    waiting.ends_well();
}

#[test]
fn l23_two_hundred_fields_are_read_and_one_more_is_not() {
    let waiting = Waiting::new();
    let answer = waiting.answer();
    let fields = |count: usize| "X: y\r\n".repeat(count);
    assert_eq!(431, waiting.login.get_with(&answer, &fields(200)).status, "with Host they are 201");
    assert_eq!(303, waiting.login.get_with(&answer, &fields(199)).status);
    waiting.login.get("/done");
    waiting.login.finished().assert_code(0);
}

#[test]
fn l24_a_flood_of_idle_connections_costs_no_threads_and_no_answer() {
    let waiting = Waiting::new();
    let before = waiting.login.status("VmRSS");
    let answer = waiting.answer();
    let idle: Vec<TcpStream> = (0..crowd()).map(|_| waiting.login.connect()).collect();
    assert_eq!(404, waiting.login.get("/x").status, "everybody before this one has been accepted");
    let (threads, grown) = (waiting.login.status("Threads"), waiting.login.status("VmHWM").saturating_sub(before));
    assert!(threads <= 8, "{threads} threads");
    assert!(grown <= GROWTH, "grown by {grown} KiB");
    // A process that cannot be dumped shows its descriptors to root only.
    if nix::unistd::geteuid().is_root() {
        let descriptors = std::fs::read_dir(format!("/proc/{}/fd", waiting.login.child.id())).unwrap().count();
        assert!(descriptors <= 64 + 16, "{descriptors} descriptors");
    }
    assert_eq!(303, waiting.login.get(&answer).status);
    assert_eq!(200, waiting.login.get("/done").status);
    waiting.login.finished().assert_code(0);
    drop(idle);
}

#[test]
fn t17_peers_that_leave_in_the_middle_of_a_head_leave_no_descriptors() {
    // A process that cannot be dumped shows its descriptors to root only.
    if !nix::unistd::geteuid().is_root() {
        tell("skipped: only root sees the descriptors of another process");
        return;
    }
    let waiting = Waiting::new();
    let descriptors =
        || std::fs::read_dir(format!("/proc/{}/fd", waiting.login.child.id())).expect("descriptors").count();
    // Each of them waits until everybody before it was served, and the last one for an event of its own end.
    let served = || (0..3).for_each(|_| assert_eq!(404, waiting.login.get("/x").status));
    served();
    let before = descriptors();
    for _ in 0..1_000 {
        let mut stream = waiting.login.connect();
        stream.write_all(b"GET /callb").expect("half a line");
    }
    served();
    let after = descriptors();
    assert!(after <= before + 1, "{after} descriptors instead of {before}; one may belong to the last request");
    waiting.ends_well();
}

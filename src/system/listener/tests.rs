//! The loop against real sockets: what a service can rely on. Nothing here sleeps or measures: every wait is for a byte, an end or a call.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, TcpStream};
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

use super::render::Renderer;
use super::*;
use crate::head::{Method, Persistence};
use crate::system::uninterrupted::uninterrupted;

mod hostile;
mod kept;

/// Only what a test asks for may happen: no deadline passes, no sweep repairs a lost event.
const PATIENT: Limits = Limits {
    held: 4 * BIG,
    request: Duration::from_secs(3600),
    write: Duration::from_secs(3600),
    linger: Duration::from_secs(3600),
    drain_for: Duration::from_secs(3600),
    sweep: Duration::from_secs(3600),
    ..Limits::DEFAULT
};

/// A test that would wait for ever fails after this.
const STUCK: Duration = Duration::from_secs(30);

const BIG: usize = 16 * 1024 * 1024;

#[derive(Debug, PartialEq, Eq)]
enum Event {
    Asked(String),
    Sent(Receipt),
    Refused(u16),
}

struct TestService {
    events: Sender<Event>,
    gate: Receiver<()>,
    turns: Receiver<Turn>,
}

impl Service for TestService {
    fn body_limit(&self, head: &Head) -> usize {
        match head.path() {
            b"/body" => 100_000,
            b"/panic-limit" => resume_unwind(Box::new("on purpose")),
            _ => 0,
        }
    }

    fn respond(&mut self, &Request { head, body, .. }: &Request<'_>) -> Answer {
        self.events.send(Event::Asked(String::from_utf8_lossy(&head.target).into_owned())).unwrap();
        match head.path() {
            b"/big" => Answer::Now(Reply::html(200, "x".repeat(BIG))),
            b"/body" => Answer::Now(Reply::json(200, body.to_vec())),
            b"/gate" => {
                self.gate.recv_timeout(STUCK).unwrap();
                Answer::Now(Reply::text(200, "open"))
            }
            b"/held" => Answer::Later(Ticket(1)),
            b"/missing" => Answer::Now(Reply::status(404)),
            b"/panic" => resume_unwind(Box::new("on purpose")),
            b"/receipt" => Answer::NowWithReceipt(Reply::text(200, "signed"), Receipt(7)),
            _ => Answer::Now(Reply::text(200, "fine")),
        }
    }

    fn refused(&mut self, status: u16, _: Instant) -> Option<Receipt> {
        self.events.send(Event::Refused(status)).unwrap();
        None
    }

    fn turn(&mut self, _now: Instant) -> Turn {
        self.turns.try_recv().unwrap_or(Turn::Continue)
    }

    fn sent(&mut self, receipt: Receipt, _: Instant) {
        self.events.send(Event::Sent(receipt)).unwrap();
    }
}

struct Running {
    address: SocketAddr,
    waker: Waker,
    events: Receiver<Event>,
    gate: Sender<()>,
    turns: Sender<Turn>,
    thread: Option<JoinHandle<TestService>>,
}

fn run(limits: Limits) -> Running {
    run_on(Listener::bind(&[(Ipv4Addr::LOCALHOST, 0).into()]).unwrap().with_limits(limits))
}

fn run_on(listener: Listener) -> Running {
    let (events_in, events) = channel();
    let (gate, gate_out) = channel();
    let (turns, turns_out) = channel();
    let address = (Ipv4Addr::LOCALHOST, listener.port().get()).into();
    let waker = listener.waker();
    let service = TestService { events: events_in, gate: gate_out, turns: turns_out };
    let thread = Some(thread::spawn(move || listener.run(service)));
    Running { address, waker, events, gate, turns, thread }
}

impl Running {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(STUCK)).unwrap();
        stream.set_write_timeout(Some(STUCK)).unwrap();
        stream
    }

    fn send(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        stream
    }

    fn ask(&self, path: &str) -> TcpStream {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes())
    }

    /// A whole round trip, where connections are kept.
    fn get_closing(&self, path: &str) -> String {
        rest(self.send(format!("GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n").as_bytes()))
    }

    /// A whole round trip.
    fn get(&self, path: &str) -> String {
        rest(self.ask(path))
    }

    fn event(&self) -> Event {
        self.events.recv_timeout(STUCK).unwrap()
    }

    fn turn(&self, turn: Turn) {
        self.turns.send(turn).unwrap();
        self.waker.wake();
    }

    fn settle(&self, ticket: u64, answer: Answer) {
        self.turn(Turn::Settle(vec![(Ticket(ticket), answer)]));
    }

    /// Ends the loop; everything that was served and not asked for yet.
    fn stop(mut self) -> Vec<Event> {
        self.turn(Turn::Stop);
        self.thread.take().unwrap().join().unwrap();
        self.events.try_iter().collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.turns.send(Turn::Stop);
        self.waker.wake();
    }
}

/// What comes until the peer closes. A reset counts as a failure.
fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// The peer has closed without a word.
fn is_dropped(mut stream: TcpStream) -> bool {
    match uninterrupted(|| stream.read(&mut [0; 1])) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
    }
}

fn asked(path: &str) -> Event {
    Event::Asked(path.to_owned())
}

#[test]
fn a_reply_is_whole_and_carries_what_every_reply_carries() {
    let running = run(PATIENT);
    let reply = running.get("/x");
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\nConnection: close\r\n"), "{head}");
    for line in
        ["Server: loopin", "Content-Length: 4", "Cache-Control: no-store", "Content-Type: text/plain; charset=utf-8"]
    {
        assert_eq!(head.matches(&format!("\r\n{line}")).count(), 1, "{head}");
    }
    assert!(head.contains("\r\nDate: ") && !head.contains("Transfer-Encoding") && !head.contains("tiny"), "{head}");
    assert_eq!(body, "fine");
    let head_only = rest(running.send(b"HEAD /x HTTP/1.1\r\n\r\n"));
    assert!(head_only.ends_with("\r\nContent-Length: 4\r\n\r\n"), "{head_only}");
}

#[test]
fn l02_only_loopback_addresses_and_one_port_are_bound() {
    let table = "|0.0.0.0:0|[::]:0|192.0.2.1:0|[::ffff:127.0.0.1]:0|127.0.0.1:0 10.0.0.1:0|127.0.0.1:1 [::1]:2";
    for row in table.split('|') {
        let addresses: Vec<SocketAddr> = row.split_whitespace().map(|address| address.parse().unwrap()).collect();
        assert_eq!(Listener::bind(&addresses).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{row}");
    }
}

#[test]
fn l01_the_port_is_held_from_bind_on() {
    let listener = Listener::bind(&[(Ipv4Addr::LOCALHOST, 0).into()]).unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, listener.port().get()));
    assert_eq!(Listener::bind(&[address]).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    // Who comes before the loop runs is served by it.
    let mut early = TcpStream::connect(address).unwrap();
    early.write_all(b"GET /early HTTP/1.1\r\n\r\n").unwrap();
    let _running = run_on(listener);
    assert!(rest(early).ends_with("fine"));
}

#[test]
fn l04_both_families_share_one_port_or_none() {
    if std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        return; // no IPv6 on this machine
    }
    let both = |port| [(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()];
    let listener = Listener::bind(&both(0)).unwrap();
    let port = listener.port().get();
    for address in both(port) {
        assert_eq!(Listener::bind(&[address]).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
    drop(listener);
    let squatter = std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
    let port = squatter.local_addr().unwrap().port();
    assert_eq!(Listener::bind(&both(port)).unwrap_err().kind(), io::ErrorKind::AddrInUse);
}

#[test]
fn l30_a_peer_that_leaves_a_held_connection_changes_nothing() {
    let running = run(PATIENT);
    drop(running.ask("/held"));
    assert_eq!(running.event(), asked("/held"));
    let half_closed = running.ask("/held");
    half_closed.shutdown(Shutdown::Write).unwrap();
    assert_eq!(running.event(), asked("/held"));
    assert!(running.get("/x").ends_with("fine"));
    running.settle(1, Answer::Now(Reply::text(200, "settled")));
    running.settle(99, Answer::Now(Reply::text(200, "nobody waits for this")));
    assert!(rest(half_closed).ends_with("settled"));
    assert!(running.get("/x").ends_with("fine"));
}

#[test]
fn l29_a_held_answer_survives_other_traffic() {
    let running = run(PATIENT);
    let held = running.ask("/held");
    assert_eq!(running.event(), asked("/held"));
    for _ in 0..200 {
        assert!(running.get("/x").ends_with("fine"));
    }
    running.settle(1, Answer::Later(Ticket(2)));
    running.settle(1, Answer::Now(Reply::text(200, "the old ticket")));
    running.settle(2, Answer::NowWithReceipt(Reply::text(200, "settled"), Receipt(3)));
    assert!(rest(held).ends_with("settled"));
    while running.event() != Event::Sent(Receipt(3)) {}
}

#[test]
fn a_receipt_comes_when_the_reply_is_out() {
    let running = run(PATIENT);
    let reply = running.ask("/receipt");
    assert_eq!(running.event(), asked("/receipt"));
    assert!(rest(reply).ends_with("signed"));
    assert_eq!(running.event(), Event::Sent(Receipt(7)));
    // A peer that keeps its end open is given its time and no more.
    let running = run(Limits { linger: Duration::from_millis(20), sweep: Duration::from_millis(10), ..PATIENT });
    let open = running.ask("/receipt");
    assert_eq!([running.event(), running.event()], [asked("/receipt"), Event::Sent(Receipt(7))]);
    assert!(rest(open).ends_with("signed"));
}

#[test]
fn a_panicking_service_costs_one_connection_only() {
    let running = run(PATIENT);
    let held = running.ask("/held");
    for _ in 0..3 {
        assert!(running.get("/panic").starts_with("HTTP/1.1 500 "));
        let body = rest(running.send(b"POST /panic-limit HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"));
        assert!(body.ends_with("fine"), "without a limit no body is read");
    }
    running.settle(1, Answer::Now(Reply::text(200, "settled")));
    assert!(rest(held).ends_with("settled"));
}

#[test]
fn a_body_is_read_in_pieces_up_to_its_length() {
    let running = run(PATIENT);
    let body = "0123456789".repeat(10_000);
    let mut stream = running.send(b"POST /body HTTP/1.1\r\nContent-Length: 100000\r\n\r\n0123");
    for piece in body.as_bytes()[4..].chunks(7_001) {
        stream.write_all(piece).unwrap();
    }
    assert!(rest(stream).ends_with(&format!("\r\n\r\n{body}")));
    assert!(rest(running.send(b"POST /body HTTP/1.1\r\n\r\n")).ends_with("\r\nContent-Length: 0\r\n\r\n"));
}

#[test]
fn a_reply_larger_than_the_kernel_takes_arrives_whole() {
    let running = run(PATIENT);
    let slow = running.ask("/big");
    assert_eq!(running.event(), asked("/big"));
    assert!(running.get("/x").ends_with("fine"));
    assert_eq!(rest(slow).split_once("\r\n\r\n").unwrap().1.len(), BIG);
}

#[test]
fn stop_hands_the_service_back_and_closes_everything() {
    let running = run(PATIENT);
    let held = running.ask("/held");
    assert_eq!(running.event(), asked("/held"));
    let address = running.address;
    assert_eq!(running.stop(), []);
    assert!(is_dropped(held));
    assert!(Listener::bind(&[address]).is_ok(), "the port is free again");
}

#[test]
fn y22_a_drain_answers_everybody_who_has_connected() {
    let running = run(Limits { drain_for: STUCK, sockets: 1000, ..PATIENT });
    let mut half = running.send(b"GET /half HTTP/1.1\r\n");
    let held = running.ask("/held");
    assert_eq!(running.event(), asked("/held"));
    let gate = running.ask("/gate");
    assert_eq!(running.event(), asked("/gate"));
    // These stand in the queue of the kernel when the loop looks again, and the drain is asked for before it does.
    // More of them than are accepted in a row, fewer than the kernel keeps.
    let queued: Vec<_> = (0..100).map(|_| running.ask("/queued")).collect();
    let mut silent = running.connect();
    running.turns.send(Turn::Drain).unwrap();
    running.gate.send(()).unwrap();
    assert!(rest(gate).ends_with("open"));
    assert!(queued.into_iter().all(|stream| rest(stream).ends_with("fine")));
    // Nobody new is let in, however long they come.
    while TcpStream::connect(running.address).is_ok() {}
    half.write_all(b"\r\n").unwrap();
    silent.write_all(b"GET /late HTTP/1.1\r\n\r\n").unwrap();
    assert!(rest(half).ends_with("fine"));
    assert!(rest(silent).ends_with("fine"));
    running.settle(1, Answer::Now(Reply::text(200, "settled")));
    assert!(rest(held).ends_with("settled"));
    let mut running = running;
    running.thread.take().unwrap().join().unwrap();
}

#[test]
fn y22_a_drain_does_not_wait_for_sockets_that_nobody_uses() {
    let limits = Limits { linger: Duration::from_millis(20), sweep: Duration::from_millis(10), ..PATIENT };
    let mut running = run(limits);
    let silent = running.connect();
    assert!(running.get("/x").ends_with("fine"));
    running.turn(Turn::Drain);
    running.thread.take().unwrap().join().unwrap();
    assert!(is_dropped(silent));
}

#[test]
fn y22_a_drain_ends_whoever_is_still_there() {
    let limits = Limits { drain_for: Duration::from_millis(50), sweep: Duration::from_millis(10), ..PATIENT };
    let mut running = run(limits);
    let held = running.ask("/held");
    assert_eq!(running.event(), asked("/held"));
    running.turn(Turn::Drain);
    running.thread.take().unwrap().join().unwrap();
    assert!(is_dropped(held));
}

#[test]
fn a_field_with_a_line_end_in_it_is_never_written() {
    let mut bad = Vec::new();
    let reply = Reply::text(200, "x").with_field("X-A", "a\r\nX-B: b");
    Renderer::new(SystemTime::UNIX_EPOCH).append(&mut bad, &reply, Method::Get, Persistence::KeepAlive);
    assert!(bad.starts_with(b"HTTP/1.1 500 ") && !bad.windows(3).any(|bytes| bytes == b"X-B"));
}

#[test]
fn a_connection_with_more_to_read_than_one_turn_gets_another() {
    let running = run(Limits { steps: 1, ..PATIENT });
    let gate = running.ask("/gate");
    assert_eq!(running.event(), asked("/gate"));
    // All of it lies in the kernel before the loop looks, so that no later event can help.
    let body = "b".repeat(40_000);
    let posted = running.send(format!("POST /body HTTP/1.1\r\nContent-Length: 40000\r\n\r\n{body}").as_bytes());
    running.gate.send(()).unwrap();
    assert!(rest(posted).ends_with(&body));
    assert!(rest(gate).ends_with("open"));
}

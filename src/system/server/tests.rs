use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
};

use super::*;
use crate::system::uninterrupted::uninterrupted;

/// Only a broken server reaches it.
const EVENT_ARRIVES: Duration = Duration::from_secs(30);
const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(100);
/// More than the kernel holds for somebody who does not read.
const BIG: usize = 32 * 1024 * 1024;

const UNHURRIED: Limits = Limits { connections: 64, head: LONG, body: LONG, write: LONG };

/// Answers at once with the length of the body; `/big` with more than anybody wants; `/wait` when it may.
struct Handler {
    entered: Mutex<Sender<()>>,
    may_leave: Semaphore,
    inside: AtomicUsize,
    most: AtomicUsize,
}

impl Respond for Handler {
    fn respond(&self, request: Request) -> Answering<'_> {
        Box::pin(async move {
            match request.http.uri().path() {
                "/big" => Reply::bytes(200, "text/plain", vec![b'x'; BIG]),
                "/wait" => {
                    let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
                    self.most.fetch_max(inside, Ordering::SeqCst);
                    self.entered.lock().expect("handler").send(()).expect("test");
                    self.may_leave.acquire().await.expect("open").forget();
                    self.inside.fetch_sub(1, Ordering::SeqCst);
                    Reply::text(200, "waited")
                }
                _ => Reply::bytes(200, "text/plain", request.http.body().len().to_string().into_bytes()),
            }
        })
    }
}

struct Served {
    address: SocketAddr,
    handler: Arc<Handler>,
    entered: Receiver<()>,
    tell: watch::Sender<Phase>,
    runtime: Option<Runtime>,
}

impl Served {
    fn within(limits: Limits) -> Self {
        let door = Door::open((Ipv4Addr::LOCALHOST, 0).into()).expect("port");
        let address = door.address().expect("address");
        let (enter, entered) = mpsc::channel();
        let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let handler = Arc::new(Handler { entered: Mutex::new(enter), may_leave: Semaphore::new(0), inside, most });
        let (tell, phase) = watch::channel(Phase::Open);
        let runtime = Runtime::new().expect("runtime");
        runtime.spawn(Listener::new(door, Arc::clone(&handler) as Arc<dyn Respond>, limits, phase).serve());
        Self { address, handler, entered, tell, runtime: Some(runtime) }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("connect");
        stream.set_read_timeout(Some(EVENT_ARRIVES)).expect("time-out");
        stream
    }

    fn sent(&self, bytes: &str) -> TcpStream {
        let mut stream = self.connect();
        stream.write_all(bytes.as_bytes()).expect("sent");
        stream
    }

    /// The first line of the answer, and whether the connection ended behind it.
    fn answer(&self, bytes: &str) -> String {
        end(&mut self.sent(bytes))
    }

    fn waiting(&self) -> JoinHandle<String> {
        let mut stream = self.sent("GET /wait HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        thread::spawn(move || end(&mut stream))
    }

    fn serves(&self) {
        let answer = self.answer("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.tell.send_replace(Phase::Over);
        self.runtime.take().expect("once").shutdown_timeout(EVENT_ARRIVES);
    }
}

/// All that still comes, to the end of the connection.
#[track_caller]
fn end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        // It was closed while something of ours was unread.
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
        Err(error) => panic!("the connection goes on: {error}"),
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn a_head_that_does_not_end_is_not_waited_for() {
    let served = Served::within(Limits { head: SHORT, ..UNHURRIED });
    for beginning in ["", "GET", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX-A: b"] {
        assert!(!served.answer(beginning).contains(" 200 "), "{beginning:?}");
    }
    let idle = served.answer("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(idle.starts_with("HTTP/1.1 200 "), "then nothing is asked for, and the connection ends: {idle}");
}

#[test]
fn more_bytes_do_not_extend_the_time_of_a_head() {
    let served = Served::within(Limits { head: SHORT, ..UNHURRIED });
    let mut stream = served.sent("GET / HTTP/1.1\r\nHost: a\r\n");
    let mut writer = stream.try_clone().expect("same stream");
    let (ended, hung_up) = mpsc::channel();
    let trickle = thread::spawn(move || {
        let mut once = |_| writer.write_all(b"X: y\r\n").is_ok() && hung_up.recv_timeout(SHORT / 10).is_err();
        // Less than the number of fields that are refused.
        (0..90).take_while(|n| once(*n)).count()
    });
    assert!(!end(&mut stream).contains(" 200 "));
    let _ = ended.send(());
    assert!(trickle.join().expect("writer") < 90, "nobody listened any more");
}

#[test]
fn a_body_that_does_not_end_is_answered_with_408() {
    let served = Served::within(Limits { body: SHORT, ..UNHURRIED });
    for unfinished in ["Content-Length: 9\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"] {
        let answer = served.answer(&format!("POST / HTTP/1.1\r\nHost: a\r\n{unfinished}"));
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
}

#[test]
fn a_body_may_have_64_kib_and_no_more() {
    let served = Served::within(UNHURRIED);
    for (length, status) in [(BODY, " 200 "), (BODY + 1, " 413 ")] {
        let body = "a".repeat(length);
        for how in [format!("Content-Length: {length}\r\n\r\n{body}"), {
            format!("Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n")
        }] {
            let answer = served.answer(&format!("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{how}"));
            assert!(answer.starts_with(&format!("HTTP/1.1{status}")), "{length}: {answer}");
        }
    }
}

#[test]
fn a_head_that_is_too_long_is_refused() {
    let served = Served::within(UNHURRIED);
    let long = "a".repeat(BUFFER);
    for fields in [format!("X: {long}\r\n"), "X: y\r\n".repeat(FIELDS + 1)] {
        let answer = served.answer(&format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}"));
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    let answer = served.answer(&format!("GET /{long}"));
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    served.serves();
}

#[test]
fn who_comes_beyond_the_places_waits_and_disturbs_nobody() {
    let served = Served::within(Limits { connections: 2, ..UNHURRIED });
    let callers: Vec<_> = (0..6).map(|_| served.waiting()).collect();
    for _ in 0..2 {
        served.entered.recv_timeout(EVENT_ARRIVES).expect("somebody enters");
    }
    for _ in 0..4 {
        served.handler.may_leave.add_permits(1);
        served.entered.recv_timeout(EVENT_ARRIVES).expect("the next one enters");
    }
    served.handler.may_leave.add_permits(2);
    for caller in callers {
        assert!(caller.join().expect("caller").ends_with("waited"));
    }
    assert_eq!(2, served.handler.most.load(Ordering::SeqCst));
}

#[test]
fn who_does_not_read_loses_the_place() {
    let served = Served::within(Limits { connections: 1, write: SHORT, ..UNHURRIED });
    let deaf = served.sent("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    served.serves();
    drop(deaf);
}

#[test]
fn a_byte_now_and_then_does_not_extend_the_time_of_an_answer() {
    let served = Served::within(Limits { write: SHORT * 3, ..UNHURRIED });
    let mut slow = served.sent("GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let mut piece = vec![0; 512 * 1024];
    let mut read = 0;
    while let Ok(count @ 1..) = uninterrupted(|| slow.read(&mut piece)) {
        read += count;
        // At this rate the whole takes about a second, and no pause of it as long as an answer may.
        thread::sleep(SHORT / 6);
    }
    assert!(read < BIG, "{read}");
}

#[test]
fn who_reads_gets_the_whole_answer() {
    let served = Served::within(UNHURRIED);
    let mut stream = served.sent("GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(end(&mut stream).len() > BIG);
}

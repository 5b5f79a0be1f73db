//! The loop where connections are kept: order, back pressure, deadlines, and who is closed how.

use super::*;

/// As `PATIENT`, for more than one request.
const KEEPING: Limits = Limits { idle: Some(Duration::from_secs(3600)), ..PATIENT };

const ONE: &[u8] = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

/// One reply to a GET, of a connection that goes on.
fn reply(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap();
    let length = head.split("Content-Length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

/// Sends so many requests and reads nothing.
fn deaf(running: &Running, requests: usize) -> TcpStream {
    let stream = running.connect();
    let mut writer = stream.try_clone().unwrap();
    thread::spawn(move || (0..requests).all(|_| writer.write_all(ONE).is_ok()));
    stream
}

#[test]
fn a_connection_serves_one_request_after_the_other() {
    let running = run(KEEPING);
    let mut stream = running.connect();
    for _ in 0..3 {
        stream.write_all(ONE).unwrap();
        let reply = reply(&mut stream);
        assert!(reply.ends_with("fine") && !reply.contains("Connection:"), "{reply}");
    }
    for (last, ending) in [
        (&b"GET /x HTTP/1.1\r\nConnection: foo, Close\r\n\r\n"[..], "fine"),
        (b"GET /x HTTP/1.0\r\n\r\n", "fine"),
        (b"GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "fine"),
        (b"POST /x HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", "fine"),
        (b"POST /body HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", "x"),
    ] {
        let mut stream = running.send(ONE);
        assert!(reply(&mut stream).ends_with("fine"));
        stream.write_all(last).unwrap();
        let reply = rest(stream);
        assert!(reply.contains("\r\nConnection: close\r\n") && reply.ends_with(ending), "{reply}");
    }
}

#[test]
fn requests_in_the_same_bytes_are_answered_in_their_order() {
    let running = run(KEEPING);
    // Longer than one read, and the last head is cut.
    let paths: Vec<String> = (0..2000).map(|number| format!("/{number}")).collect();
    let mut bytes: Vec<u8> =
        paths.iter().flat_map(|path| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes()).collect();
    bytes.extend_from_slice(b"GET /last HTTP/1.1\r\nConnection: close\r\n");
    let mut stream = running.connect();
    let mut writer = stream.try_clone().unwrap();
    let sender = thread::spawn(move || writer.write_all(&bytes).unwrap());
    for path in &paths {
        assert!(reply(&mut stream).ends_with("fine"));
        assert_eq!(running.event(), asked(path));
    }
    sender.join().unwrap();
    stream.write_all(b"\r\n").unwrap();
    assert!(rest(stream).ends_with("fine"));
    assert_eq!(running.stop(), [asked("/last")]);
}

#[test]
fn y17_nothing_behind_a_refusal_or_a_body_is_served() {
    let running = run(KEEPING);
    let table: [(&[u8], &str); 6] = [
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400"),
        (b"GET /missing HTTP/1.1\r\n\r\n", "404"),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 31\r\n\r\n", "200"),
        (b"POST /body HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", "200"),
        (b"GET /panic HTTP/1.1\r\n\r\n", "500"),
    ];
    for (bytes, status) in table {
        let reply = rest(running.send(&[ONE, bytes, b"GET /second HTTP/1.1\r\nHost: a\r\n\r\n"].concat()));
        assert_eq!(reply.matches("HTTP/1.1 ").count(), 2, "{reply}");
        assert!(reply.contains(&format!("fineHTTP/1.1 {status} ")), "{reply}");
    }
    assert!(running.stop().iter().all(|event| *event != asked("/second")));
}

#[test]
fn y19_who_pipelines_and_never_reads_is_not_read_either() {
    let running = run(KEEPING);
    // Unread replies fill the kernel's buffers, a few MB; then no request is taken any more.
    let deaf = deaf(&running, 2_000_000);
    let mut asked = 0_usize;
    while running.events.recv_timeout(Duration::from_secs(2)).is_ok() {
        asked += 1;
    }
    assert!(asked < 200_000, "{asked} requests were taken");
    assert!(running.get_closing("/x").ends_with("fine"));
    // Whoever reads at last gets all of it.
    let mut reader = deaf;
    (0..asked + 1000).for_each(|_| assert!(reply(&mut reader).ends_with("fine")));
}

#[test]
fn y19_replies_that_nobody_reads_are_bounded_in_time_and_in_memory() {
    let limits = Limits { write: Duration::from_millis(50), sweep: Duration::from_millis(10), sockets: 1, ..KEEPING };
    let running = run(limits);
    let deaf_one = running.ask("/big");
    assert_eq!(running.event(), asked("/big"));
    assert!(running.get_closing("/x").ends_with("fine"), "the only slot is free again");
    drop(deaf_one);
    // Without a deadline it is the memory that ends it.
    let running = run(Limits { held: BIG, ..KEEPING });
    let streams: Vec<_> = (0..3).map(|_| running.ask("/big")).collect();
    assert!((0..3).all(|_| running.event() == asked("/big")));
    let whole = |mut stream: TcpStream| {
        let mut bytes = Vec::new();
        // The reply that stayed has nothing behind it; its connection goes on.
        stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        let _ = stream.read_to_end(&mut bytes);
        bytes.len() > BIG
    };
    assert_eq!(streams.into_iter().map(whole).filter(|whole| *whole).count(), 1);
}

#[test]
fn y19_a_later_head_has_its_own_deadline_and_an_idle_connection_another() {
    let limits = Limits { request: Duration::from_millis(100), sweep: Duration::from_millis(10), ..KEEPING };
    let running = run(limits);
    let mut kept = running.send(ONE);
    assert!(reply(&mut kept).ends_with("fine"));
    let mut drip = running.send(ONE);
    assert!(reply(&mut drip).ends_with("fine"));
    drip.write_all(b"GET /slow HTTP/1.1\r\nX: ").unwrap();
    drip.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let mut cut = Vec::new();
    assert!((0..3000).any(|_| drip.write_all(b"a").is_err() || drip.read_to_end(&mut cut).is_ok()));
    assert!(cut.starts_with(b"HTTP/1.1 408 "), "{}", cut.escape_ascii());
    // The other one has outlived all this, which took longer than a head may.
    kept.write_all(ONE).unwrap();
    assert!(reply(&mut kept).ends_with("fine"));
    let running = run(Limits { idle: Some(Duration::from_millis(50)), sweep: Duration::from_millis(10), ..KEEPING });
    let mut idle = running.send(ONE);
    assert!(reply(&mut idle).ends_with("fine"));
    assert_eq!(rest(idle), "");
}

#[test]
fn y19_the_silent_lose_their_seat_before_those_who_have_asked() {
    let running = run(Limits { sockets: 8, ..KEEPING });
    let mut kept = running.send(ONE);
    assert!(reply(&mut kept).ends_with("fine"));
    let silent: Vec<_> = (0..50).map(|_| running.connect()).collect();
    kept.write_all(ONE).unwrap();
    assert!(reply(&mut kept).ends_with("fine"));
    drop(silent);
    // Where all have asked the oldest goes.
    let mut all: Vec<_> = (0..9)
        .map(|_| {
            let mut stream = running.send(ONE);
            reply(&mut stream);
            stream
        })
        .collect();
    assert!(is_dropped(kept));
    all[8].write_all(ONE).unwrap();
    assert!(reply(&mut all[8]).ends_with("fine"));
}

#[test]
fn y19_who_has_the_last_seat_keeps_it_until_somebody_else_comes() {
    let running = run(Limits { sockets: 1, ..KEEPING });
    let mut kept = running.send(ONE);
    assert!(reply(&mut kept).ends_with("fine"));
    kept.write_all(ONE).unwrap();
    assert!(reply(&mut kept).ends_with("fine"));
    assert!(reply(&mut running.send(ONE)).ends_with("fine"));
    assert!(is_dropped(kept));
}

#[test]
fn y22_a_drain_answers_the_next_request_and_closes() {
    let mut running = run(KEEPING);
    let mut busy = running.send(ONE);
    assert!(reply(&mut busy).ends_with("fine"));
    let mut pipelined = running.send(&[ONE, b"GET /half HTTP/1.1\r\n"].concat());
    assert!(reply(&mut pipelined).ends_with("fine"));
    running.turn(Turn::Drain);
    // Nobody new is let in: the drain has begun.
    while TcpStream::connect(running.address).is_ok() {}
    for (mut stream, bytes) in [(busy, ONE), (pipelined, b"\r\n")] {
        stream.write_all(bytes).unwrap();
        let reply = rest(stream);
        assert!(reply.contains("\r\nConnection: close\r\n") && reply.ends_with("fine"), "{reply}");
    }
    running.thread.take().unwrap().join().unwrap();
}

#[test]
fn a_reply_behind_a_close_is_whole_though_the_peer_goes_on_sending() {
    let running = run(KEEPING);
    for _ in 0..20 {
        let mut stream = running.send(b"GET /missing HTTP/1.1\r\nHost: a\r\n\r\n");
        // It has been answered before the rest arrives.
        uninterrupted(|| stream.peek(&mut [0; 1])).unwrap();
        // More than one read takes, of which nothing is looked at.
        (0..40).for_each(|_| drop(stream.write_all(&[b'x'; 1000])));
        assert!(rest(stream).starts_with("HTTP/1.1 "));
    }
}

#[test]
fn loops_share_one_port_and_nobody_else_has_it() {
    let listeners = Listener::bind_public((Ipv4Addr::LOCALHOST, 0).into(), NonZeroUsize::new(3).unwrap()).unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, listeners[0].port().get()));
    assert!(listeners.iter().all(|listener| listener.port() == listeners[0].port()));
    for loops in [1, 2] {
        let taken = Listener::bind_public(address, NonZeroUsize::new(loops).unwrap());
        assert_eq!(taken.unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
    let all: Vec<_> = listeners.into_iter().map(|listener| run_on(listener.with_limits(KEEPING))).collect();
    // Each of them serves its share of so many.
    let streams: Vec<_> = (0..200).map(|_| all[0].send(ONE)).collect();
    streams.into_iter().for_each(|mut stream| assert!(reply(&mut stream).ends_with("fine")));
    let shares: Vec<usize> = all.into_iter().map(|running| running.stop().len()).collect();
    assert_eq!(shares.iter().sum::<usize>(), 200, "{shares:?}");
    assert!(cfg!(not(target_os = "linux")) || shares.iter().all(|&share| share > 0), "{shares:?}");
}

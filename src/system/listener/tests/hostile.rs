//! The loop against peers that are slow, greedy, many, rude or gone.

use super::*;

#[test]
fn l15_idle_connections_do_not_delay_a_request() {
    let running = run(PATIENT);
    let idle: Vec<_> = (0..20).map(|_| running.connect()).collect();
    let half: Vec<_> = (0..20).map(|_| running.send(b"GET /half HTTP/1.1\r\n")).collect();
    assert!(running.get("/x").ends_with("fine"));
    // They are alive and get their turn.
    for mut stream in half {
        stream.write_all(b"\r\n").unwrap();
        assert!(rest(stream).ends_with("fine"));
    }
    drop(idle);
}

#[test]
fn l22_a_dripping_head_gets_408_at_the_deadline() {
    let running = run(Limits { request: Duration::from_millis(100), sweep: Duration::from_millis(10), ..PATIENT });
    let silent = running.connect();
    let mut drip = running.send(b"GET /slow HTTP/1.1\r\nX: ");
    drip.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let mut reply = Vec::new();
    let cut = (0..3000).any(|_| drip.write_all(b"a").is_err() || drip.read_to_end(&mut reply).is_ok());
    assert!(cut && reply.starts_with(b"HTTP/1.1 408 "), "{}", reply.escape_ascii());
    assert!(is_dropped(silent), "nobody reads a 408 on a connection that was never used");
    let body = running.send(b"POST /body HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc");
    assert!(rest(body).starts_with("HTTP/1.1 408 "));
    assert_eq!(running.stop(), [Event::Refused(408), Event::Refused(408)]);
}

#[test]
fn t17_the_end_of_a_peer_is_seen_though_it_comes_together_with_bytes() {
    for limits in [PATIENT, Limits { idle: Some(Duration::from_secs(3600)), ..PATIENT }] {
        let running = run(limits);
        let leaving: Vec<_> = [&b"GET /half"[..], b"GET /whole HTTP/1.1\r\n\r\nGET /half"]
            .map(|bytes| (running.connect(), bytes))
            .into_iter()
            .collect();
        running.get_closing("/x");
        let gate = running.send(b"GET /gate HTTP/1.1\r\nConnection: close\r\n\r\n");
        assert_eq!([running.event(), running.event()], [asked("/x"), asked("/gate")]);
        // The loop is busy: it will learn of the bytes and of the end from one event.
        for (stream, bytes) in &leaving {
            let mut writer = stream;
            writer.write_all(bytes).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
        }
        running.gate.send(()).unwrap();
        assert!(rest(gate).ends_with("open"));
        // Nothing else would close them: no deadline passes here.
        for (stream, _) in leaving {
            rest(stream);
        }
    }
}

#[test]
fn l23_an_endless_header_line_is_cut_with_431() {
    let running = run(Limits { linger: Duration::from_millis(500), sweep: Duration::from_millis(50), ..PATIENT });
    let mut stream = running.send(b"GET / HTTP/1.1\r\nCookie: ");
    let mut reader = stream.try_clone().unwrap();
    let reply = thread::spawn(move || {
        let mut reply = [0; 12];
        reader.read_exact(&mut reply).map(|()| reply)
    });
    // 50 MB, of which the loop takes its limit and the drain and no more.
    let written = (0..800).take_while(|_| stream.write_all(&[b'a'; 64 * 1024]).is_ok()).count();
    assert_eq!(&reply.join().unwrap().unwrap(), b"HTTP/1.1 431");
    assert!(written < 800, "the connection was not cut");
    assert_eq!(running.stop(), [Event::Refused(431)]);
}

#[test]
fn l24_a_flood_evicts_the_oldest_silent_socket_never_a_complete_one() {
    let running = run(Limits { sockets: 8, ..PATIENT });
    let held = running.ask("/held");
    assert_eq!(running.event(), asked("/held"));
    let mut silent: Vec<_> = (0..100).map(|_| running.connect()).collect();
    let newest = silent.pop().unwrap();
    assert!(running.get("/x").ends_with("fine"));
    assert!(silent.drain(..90).all(is_dropped));
    let mut newest = newest;
    newest.write_all(b"GET /newest HTTP/1.1\r\n\r\n").unwrap();
    assert!(rest(newest).ends_with("fine"), "the newest silent one still has its slot");
    running.settle(1, Answer::Now(Reply::text(200, "at last")));
    assert!(rest(held).ends_with("at last"));
}

#[test]
fn l24_a_request_that_has_arrived_outlives_the_flood_behind_it() {
    let running = run(Limits { sockets: 8, ..PATIENT });
    let mut half = running.send(b"GET /half HTTP/1.1\r\n");
    assert!(running.get("/x").ends_with("fine"));
    let gate = running.ask("/gate");
    assert_eq!([running.event(), running.event()], [asked("/x"), asked("/gate")]);
    // All this lies in the kernel when the loop looks again.
    let whole = running.ask("/whole");
    let flood: Vec<_> = (0..60).map(|_| running.connect()).collect();
    half.write_all(b"\r\n").unwrap();
    running.gate.send(()).unwrap();
    assert!(rest(whole).ends_with("fine"));
    assert!(rest(half).ends_with("fine"));
    assert!(rest(gate).ends_with("open"));
    drop(flood);
}

#[test]
fn l24_when_every_seat_waits_for_an_answer_newcomers_wait_too() {
    let running = run(Limits { sockets: 3, sweep: Duration::from_millis(10), ..PATIENT });
    let held: Vec<_> = (0..3).map(|_| running.ask("/held")).collect();
    assert!((0..3).all(|_| running.event() == asked("/held")));
    let late = running.ask("/late");
    running.settle(1, Answer::Now(Reply::text(200, "settled")));
    assert!(held.into_iter().all(|stream| rest(stream).ends_with("settled")));
    assert!(rest(late).ends_with("fine"));
}

#[test]
fn l24_unfinished_requests_share_a_bounded_memory() {
    let running = run(Limits { held: 100_000, ..PATIENT });
    let start = [b"GET /", &[b'a'; 40_000][..]].concat();
    let mut streams: Vec<_> = (0..10).map(|_| running.send(&start)).collect();
    let mut newest = streams.pop().unwrap();
    assert!(is_dropped(streams.remove(0)));
    newest.write_all(b" HTTP/1.1\r\n\r\n").unwrap();
    assert!(rest(newest).ends_with("fine"));
}

#[test]
fn l26_a_second_request_in_the_same_bytes_is_never_served() {
    let running = run(PATIENT);
    let table: [&[u8]; 4] = [
        b"GET /first HTTP/1.1\r\n\r\nGET /second HTTP/1.1\r\n\r\n",
        b"POST /first HTTP/1.1\r\nContent-Length: 4\r\n\r\nGET /second HTTP/1.1\r\n\r\n",
        b"POST /body HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}GET /second HTTP/1.1\r\n\r\n",
        b"GET /first HTTP/1.1\r\nConnection: keep-alive\r\n\r\nGET /second HTTP/1.1\r\n\r\n",
    ];
    for bytes in table {
        let reply = rest(running.send(bytes));
        assert!(reply.matches("HTTP/1.1 200").count() == 1 && !reply.contains("second"), "{reply}");
        assert!(matches!(running.event(), Event::Asked(target) if target == "/first" || target == "/body"));
    }
    assert_eq!(running.stop(), []);
}

#[test]
fn l27_nonsense_is_answered_and_disturbs_nobody() {
    let running = run(PATIENT);
    let table: [(&[u8], &str); 12] = [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"),
        (b"GET /\r\n", "400"),
        (b"GET / HTTP/1.1\nHost: a\n\n", "400"),
        (b"\r\n\r\n", "400"),
        (b"GET /\0 HTTP/1.1\r\n\r\n", "400"),
        (b"\x80\xff\xfe / HTTP/1.1\r\n\r\n", "400"),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400"),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\nGET /second HTTP/1.1\r\n\r\n", "400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", "400"),
        (b"POST /body HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n", "413"),
        (b"POST /body HTTP/1.1\r\nContent-Length: 100001\r\n\r\n", "413"),
    ];
    for (bytes, status) in table {
        let reply = rest(running.send(bytes));
        assert!(reply.starts_with(&format!("HTTP/1.1 {status} ")), "{}: {reply}", bytes.escape_ascii());
        assert!(reply.contains("\r\nConnection: close\r\n") && reply.contains("<p>"), "{reply}");
    }
    assert!(running.get("/x").ends_with("fine"));
    let events = running.stop();
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Refused(_))).count(), 12);
    assert_eq!(events.last(), Some(&asked("/x")));
    assert_eq!(events.len(), 13);
}

#[test]
fn three_thousand_peers_that_leave_at_once_cause_no_panic() {
    let running = run(Limits { sweep: Duration::from_millis(10), ..PATIENT });
    for round in 0..3000 {
        let mut stream = running.ask("/receipt");
        // Closing with the reply unread resets the connection: in the middle of it, or behind it.
        if round % 2 == 0 {
            stream.read_exact(&mut [0; 1]).unwrap();
        }
    }
    assert!(running.get("/x").ends_with("fine"));
    running.stop();
}

#[test]
fn a_reply_is_complete_although_a_large_body_was_not_read() {
    let running = run(PATIENT);
    let body = vec![b'b'; 200_000];
    for _ in 0..20 {
        let mut stream = running.send(b"POST /unread HTTP/1.1\r\nContent-Length: 200000\r\n\r\n");
        // The reply is here already; what is still sent must not meet a closed socket.
        uninterrupted(|| stream.peek(&mut [0; 1])).unwrap();
        body.chunks(5000).for_each(|piece| stream.write_all(piece).unwrap());
        assert!(rest(stream).ends_with("fine"));
    }
}

#[test]
fn a_peer_that_never_reads_loses_its_seat_at_the_deadline() {
    let running =
        run(Limits { sockets: 1, write: Duration::from_millis(50), sweep: Duration::from_millis(10), ..PATIENT });
    let deaf = running.ask("/big");
    assert_eq!(running.event(), asked("/big"));
    assert!(running.get("/x").ends_with("fine"), "the only slot is free again");
    drop(deaf);
}

#[test]
fn l24_a_long_queue_is_accepted_to_its_end() {
    let running = run(Limits { sockets: 200, ..PATIENT });
    let mut gate = running.send(b"GET /gate HTTP/1.1\r\n");
    assert!(running.get("/x").ends_with("fine"));
    gate.write_all(b"\r\n").unwrap();
    assert_eq!([running.event(), running.event()], [asked("/x"), asked("/gate")]);
    let queue: Vec<_> = (0..100).map(|_| running.ask("/x")).collect();
    running.gate.send(()).unwrap();
    assert!(queue.into_iter().all(|stream| rest(stream).ends_with("fine")));
    assert!(rest(gate).ends_with("open"));
}

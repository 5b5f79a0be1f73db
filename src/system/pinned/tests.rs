//! V13 and V14 at the socket: where connections go, and where they do not.

use std::{
    collections::VecDeque,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::*;
use crate::{catalog::Catalog, service::base_url::BaseUrl, system::uninterrupted::uninterrupted};

/// A resolver whose answers change, as an attacker's would.
#[derive(Debug, Default)]
struct Rebinding {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Rebinding {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let addresses = |list: &&[&str]| list.iter().map(|a| a.parse().expect("address")).collect();
        Arc::new(Self { answers: Mutex::new(answers.iter().map(addresses).collect()), asked: AtomicUsize::new(0) })
    }
}

impl Resolver for Rebinding {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answers.lock().expect("answers").pop_front().ok_or(ureq::Error::HostNotFound)?;
        let mut addresses = self.empty();
        for address in answer {
            addresses.push(SocketAddr::new(address, uri.port_u16().unwrap_or(443)));
        }
        Ok(addresses)
    }
}

fn reach(base: &str, base_allow: &str) -> Reach {
    let text = format!(
        "[integration.git]\nissuer = \"https://git.example\"\nclient_id = \"x\"\nbase_allow = [{base_allow}]\n"
    );
    let catalog = Catalog::parse(&text).expect("configuration");
    BaseUrl::parse(base, catalog.get("git").expect("integration")).expect("admitted").reach().clone()
}

fn pinned(reach: Reach, names: &Arc<Rebinding>) -> PinnedHttp<Rebinding> {
    PinnedHttp { http: Http::default(), reach, names: Arc::clone(names) }
}

fn get(url: &str) -> HttpRequest {
    let mut request = HttpRequest::new(Vec::new());
    *request.uri_mut() = url.parse().expect("a URI");
    request
}

/// A listener that nobody should reach.
fn sink() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("listener");
    listener.set_nonblocking(true).expect("non-blocking");
    let port = listener.local_addr().expect("address").port();
    (listener, port)
}

fn untouched(listener: &TcpListener) -> bool {
    listener.accept().is_err()
}

#[test]
fn v13_a_name_that_turns_inward_between_two_questions_is_refused_at_the_second() {
    let (listener, port) = sink();
    let base = format!("https://rebind.example:{port}");
    let names = Rebinding::new(&[&["1.1.1.1"], &["127.0.0.1"], &["1.1.1.1", "127.0.0.1"], &["::ffff:127.0.0.1"]]);
    let judged = Judged { reach: reach(&base, &format!("\"{base}\"")), names: Arc::clone(&names) };
    let uri: Uri = format!("{base}/oauth/token").parse().expect("a URI");
    let no_limit = || NextTimeout {
        after: std::time::Duration::from_secs(5).into(),
        reason: ureq::Timeout::Resolve,
        ..NextTimeout::default()
    };
    let first = judged.resolve(&uri, &Config::default(), no_limit()).expect("public");
    assert_eq!(vec!["1.1.1.1"], first.iter().map(|a| a.ip().to_string()).collect::<Vec<_>>(), "just what was judged");
    let http = pinned(judged.reach.clone(), &names);
    for asked in 2..=4 {
        let error = http.send(get(&uri.to_string())).expect_err("loopback");
        assert!(matches!(&error, HttpError::Connect(why) if why.contains("loopback")), "{error}");
        assert_eq!(asked, names.asked.load(Ordering::SeqCst), "one question a request");
    }
    assert!(untouched(&listener));
}

/// What names of the outside world could be made to answer.
#[test]
fn v13_no_answer_of_a_resolver_leads_inside() {
    let (listener, port) = sink();
    let base = format!("https://rebind.example:{port}");
    for address in [
        "127.0.0.1",
        "127.1.2.3",
        "0.0.0.0",
        "::1",
        "::",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::1",
        "169.254.169.254",
        "fe80::1",
        "100.100.100.200",
        "fd00:ec2::254",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "192.0.2.1",
        "2001:db8::1",
        "240.0.0.1",
        "198.18.0.1",
    ] {
        let names = Rebinding::new(&[&[address]]);
        let http = pinned(reach(&base, &format!("\"{base}\"")), &names);
        assert!(matches!(http.send(get(&base)), Err(HttpError::Connect(_))), "{address}");
    }
    for address in ["10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd12::1"] {
        let http = pinned(reach("https://public.example", "\"*\""), &Rebinding::new(&[&[address]]));
        let error = http.send(get("https://public.example/oauth/token")).expect_err("private");
        assert!(matches!(&error, HttpError::Connect(why) if why.contains("private")), "{address}: {error}");
    }
    assert!(untouched(&listener));
}

#[test]
fn v14_a_request_for_another_server_than_the_base_is_not_sent() {
    let (listener, port) = sink();
    let (other, other_port) = sink();
    let base = format!("http://127.0.0.1:{port}");
    let names = Rebinding::new(&[]);
    let http = pinned(reach(&base, &format!("\"{base}\"")), &names);
    for url in [
        format!("http://127.0.0.1:{other_port}/oauth/token"),
        format!("https://127.0.0.1:{port}/oauth/token"),
        format!("http://localhost:{port}/oauth/token"),
        "https://evil.example/oauth/token".to_owned(),
    ] {
        let error = http.send(get(&url)).expect_err("elsewhere");
        assert!(matches!(&error, HttpError::Connect(why) if why.contains("another server")), "{url}: {error}");
    }
    assert_eq!(0, names.asked.load(Ordering::SeqCst), "nothing was even resolved");
    assert!(untouched(&listener) && untouched(&other));
}

#[test]
fn v13_a_listed_address_is_reached_once_and_its_redirect_is_not_followed() {
    let (elsewhere, elsewhere_port) = sink();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("listener");
    let base = format!("http://127.0.0.1:{}", listener.local_addr().expect("address").port());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut request = [0; 4096];
        let length = uninterrupted(|| stream.read(&mut request)).expect("a request");
        let reply =
            format!("HTTP/1.1 307 x\r\nLocation: http://127.0.0.1:{elsewhere_port}/\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(reply.as_bytes()).expect("reply");
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let names = Rebinding::new(&[&["127.0.0.1"]]);
    let reply =
        pinned(reach(&base, &format!("\"{base}\"")), &names).send(get(&format!("{base}/token"))).expect("reply");
    assert_eq!(307, reply.status().as_u16());
    assert!(untouched(&elsewhere));
    let request = server.join().expect("server").to_ascii_lowercase();
    assert!(request.contains(&format!("host: {}", base.trim_start_matches("http://"))), "{request}");
}

//! The relay behind and beside real servers: nginx and Caddy from Debian, Chromium.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Instant,
};

use loopin::system::uninterrupted::uninterrupted;
use serde_json::Value;

use crate::harness::{Browser, PATIENCE, Sandbox, fixed_port, installed};

/// Routes of all kinds, those whose exports are kept as they were tried.
fn routes(listen: SocketAddr) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/relay/relay.toml");
    let text = std::fs::read_to_string(path).expect("relay.toml");
    text.replace("127.0.0.1:8080", &listen.to_string())
}

/// The README's one block in this language.
fn readme(language: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(path).expect("README.md");
    let block = readme.split(&format!("```{language}\n")).nth(1).and_then(|rest| rest.split("```").next());
    block.unwrap_or_else(|| panic!("no {language} in the README")).to_owned()
}

/// For a server that has to be told its port.
fn address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, fixed_port()).into()
}

/// Ended when dropped.
pub struct Server(Child);

impl Server {
    /// Waits until somebody listens.
    fn start(command: &mut Command, address: SocketAddr) -> Self {
        let mut child = command.stdin(Stdio::null()).spawn().expect("the server starts");
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            assert_eq!(None, child.try_wait().expect("child"), "the server has ended");
            assert!(Instant::now() < deadline, "nobody listens");
            thread::yield_now();
        }
        Self(child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Caddy and nginx end their workers on SIGTERM; a kill would leave those behind.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// nginx in the foreground, with this in its http block.
fn nginx(sandbox: &Sandbox, http: &str, address: SocketAddr) -> Server {
    let at = |name: &str| sandbox.path(name).display().to_string();
    let text = format!(
        "daemon off;\npid {};\nerror_log {};\nevents {{}}\nhttp {{\n{http}\n}}\n",
        at("nginx.pid"),
        at("nginx-error.log")
    );
    std::fs::write(sandbox.path("nginx.conf"), text).expect("nginx.conf");
    let arguments = ["-c", &at("nginx.conf"), "-e", &at("nginx-error.log")];
    let tested = Command::new("nginx").arg("-t").args(arguments).output().expect("nginx runs");
    assert!(tested.status.success(), "{tested:?}");
    Server::start(Command::new("nginx").args(arguments).stderr(Stdio::null()), address)
}

/// A relay that runs with these routes, and its access log.
pub fn relay(sandbox: &Sandbox, config: &str, address: SocketAddr) -> (Server, impl FnMut() -> Value + use<>) {
    std::fs::write(sandbox.path("relay.toml"), config).expect("relay.toml");
    let mut command = sandbox.loopin(&["relay", "--config", &sandbox.path("relay.toml").display().to_string()]);
    let mut server = Server::start(command.stderr(Stdio::null()), address);
    let mut lines = BufReader::new(server.0.stdout.take().expect("piped")).lines();
    let next = move || {
        let line = lines.next().expect("a line of the log").expect("text");
        serde_json::from_str(&line).expect("JSON")
    };
    (server, next)
}

fn export(sandbox: &Sandbox, server: &str, config: &str) -> String {
    std::fs::write(sandbox.path("relay.toml"), config).expect("relay.toml");
    let path = sandbox.path("relay.toml").display().to_string();
    let exported = sandbox.run(&["relay", "export", server, "--config", &path]);
    exported.assert_code(0);
    exported.stdout
}

/// Every odd query of every route, and what came of them.
#[track_caller]
fn assert_keeps_every_byte(sandbox: &Sandbox, against: &str) {
    let path = sandbox.path("relay.toml").display().to_string();
    let mut command = sandbox.loopin(&["relay", "check", "--json", "--config", &path, "--against", against]);
    let output = command.env("SSL_CERT_FILE", sandbox.path("cert.pem")).output().expect("loopin runs");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let callbacks = report["callbacks"].as_array().unwrap_or_else(|| panic!("{report:#}"));
    let broken = callbacks.iter().flat_map(|callback| callback["failures"].as_array().expect("a list"));
    let broken: Vec<_> = broken.map(|found| (&found["query"], &found["status"])).collect();
    assert!(broken.is_empty(), "{broken:?}");
    let counts = |callback: &Value| (callback["copied"].as_u64(), callback["refused"].as_u64());
    assert!(callbacks.iter().all(|callback| counts(callback) == (Some(23), Some(2))) && callbacks.len() == 4);
    assert_eq!(Some(0), output.status.code());
}

fn send(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("connect");
    stream.set_read_timeout(Some(PATIENCE)).expect("time-out");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply);
    String::from_utf8_lossy(&reply).into_owned()
}

fn get(address: SocketAddr, method: &str, host: &str, target: &str) -> String {
    send(address, &format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
}

/// What an exported configuration must do besides the odd queries.
#[track_caller]
fn assert_routes(address: SocketAddr) {
    for (method, host, target, status) in [
        ("HEAD", "acme.example", "/oauth_callback/other?a", "307"),
        ("GET", "sandbox.acme.example:8443", "/oauth_callback/any_name?a", "307"),
        ("GET", "acme.example", "/oauth_callback/unlisted?a", "404"),
        ("GET", "acme.example", "/oauth_callback/acme%5ffit?a", "404"),
        ("GET", "acme.example", "/oauth_callback/acme_fit/?a", "404"),
        ("GET", "acme.example", "//evil.example/?a", "404"),
        ("GET", "sandbox.acme.example:8443", "/cli/$a(b)/withings?a", "404"),
        ("GET", "evil.example", "/oauth_callback/acme_fit?a", "421"),
        ("GET", "sandbox.acme.example", "/oauth_callback/acme_fit?a", "421"),
        ("POST", "acme.example", "/oauth_callback/acme_fit?a", "405"),
    ] {
        let reply = get(address, method, host, target);
        assert!(reply.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {host} {target}: {reply}");
        assert_eq!(status == "307", reply.contains("\r\nLocation: "), "{reply}");
        assert!(reply.contains("\r\nCache-Control: no-store\r\n"), "{reply}");
        assert!(reply.contains("\r\nReferrer-Policy: no-referrer\r\n"), "{reply}");
    }
}

/// For 127.0.0.1, for a day.
pub fn certificate(sandbox: &Sandbox) {
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]);
    command.args([
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        "-subj",
        "/CN=acme.example",
        "-addext",
        "subjectAltName=IP:127.0.0.1,DNS:acme.example",
        "-keyout",
    ]);
    command.arg(sandbox.path("key.pem")).arg("-out").arg(sandbox.path("cert.pem"));
    assert!(command.stderr(Stdio::null()).status().expect("openssl runs").success());
}

#[test]
fn y01_through_nginx_with_tls_every_odd_query_arrives_as_it_was_sent() {
    let Some(()) = installed(&["nginx", "openssl"], &[]) else { return };
    let sandbox = Sandbox::new();
    certificate(&sandbox);
    let (front, plain, behind) = (address(), address(), address());
    let config = format!("trusted_proxies = [\"127.0.0.1\"]\n{}", routes(behind));
    let (_relay, mut next_line) = relay(&sandbox, &config, behind);
    let http = format!(
        "server {{\n listen {front} ssl;\n listen {plain};\n ssl_certificate {};\n ssl_certificate_key {};\n{}}}",
        sandbox.path("cert.pem").display(),
        sandbox.path("key.pem").display(),
        readme("nginx").replace("127.0.0.1:8080", &behind.to_string())
    );
    let _front = nginx(&sandbox, &http, front);
    assert_keeps_every_byte(&sandbox, &format!("https://{front}"));
    assert_eq!("127.0.0.1", next_line()["client"], "nginx named its client");
    let longest = "q".repeat(64 * 1024);
    let reply = get(plain, "GET", "acme.example", &format!("/oauth_callback/acme_fit?{longest}"));
    let location = format!("\r\nLocation: https://api.us.junction.com/v2/link/connect/acme_fit?{longest}\r\n");
    assert!(reply.contains(&location), "{}", reply.lines().next().unwrap_or_default());
    let marked = "q".repeat(777);
    let forged = format!(
        "GET /oauth_callback/acme_fit?{marked} HTTP/1.1\r\nHost: acme.example\r\nX-Forwarded-For: 198.51.100.7\r\nConnection: close\r\n\r\n"
    );
    assert!(send(plain, &forged).starts_with("HTTP/1.1 307 "));
    let last = std::iter::from_fn(|| Some(next_line())).find(|line| line["query_len"] == 777).expect("the last one");
    assert_eq!("198.51.100.7", last["client"], "behind nginx, which is trusted, stood another: y21");
}

#[test]
fn y01_the_exported_nginx_configuration_answers_as_the_relay_does() {
    let Some(()) = installed(&["nginx"], &[]) else { return };
    let sandbox = Sandbox::new();
    let address = self::address();
    let exported = export(&sandbox, "nginx", &routes(address));
    let log = sandbox.path("access.log");
    let http = exported.replace("/var/log/nginx/loopin-relay.log", &log.display().to_string());
    assert_ne!(exported, http);
    let _nginx = nginx(&sandbox, &http, address);
    assert_keeps_every_byte(&sandbox, &format!("http://{address}"));
    assert_routes(address);
    get(address, "GET", "acme.example", "/oauth_callback/acme_fit?code=CANARY");
    get(address, "GET", "acme.example", "/CANARY?code=CANARY");
    get(address, "CANARY", "acme.example", "/?code=CANARY");
    let logged = std::fs::read_to_string(log).expect("access log");
    assert!(logged.contains("production acme.example/oauth_callback/{provider}"), "{logged}");
    let errors = std::fs::read_to_string(sandbox.path("nginx-error.log")).unwrap_or_default();
    assert!(
        !logged.contains("CANARY") && !logged.contains("abc123") && !errors.contains("CANARY"),
        "y16: {logged}{errors}"
    );
    for line in logged.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
}

#[test]
fn y01_the_exported_caddyfile_answers_as_the_relay_does() {
    let Some(()) = installed(&["caddy"], &[]) else { return };
    let sandbox = Sandbox::new();
    let address = self::address();
    let exported = export(&sandbox, "caddy", &routes(address));
    std::fs::write(sandbox.path("Caddyfile"), &exported).expect("Caddyfile");
    let log = std::fs::File::create(sandbox.path("caddy.log")).expect("log");
    let mut command = Command::new("caddy");
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(sandbox.path("Caddyfile"));
    command.env("HOME", sandbox.path("home")).env("XDG_DATA_HOME", sandbox.path("home"));
    command.stdout(Stdio::null()).stderr(log);
    let caddy = Server::start(&mut command, address);
    assert_keeps_every_byte(&sandbox, &format!("http://{address}"));
    assert_routes(address);
    get(address, "GET", "acme.example", "/oauth_callback/acme_fit?code=CANARY");
    get(address, "GET", "acme.example", "/CANARY?code=CANARY");
    drop(caddy);
    let logged = std::fs::read_to_string(sandbox.path("caddy.log")).expect("log");
    assert!(logged.contains("handled request"), "{logged}");
    assert!(!logged.contains("CANARY") && !logged.contains("abc123"), "y16: {logged}");
}

/// A target page on a port of its own; keeps the target of every request for it.
fn target_page() -> (SocketAddr, Arc<Mutex<Vec<Vec<u8>>>>) {
    const PAGE: &str = "<!doctype html><link rel=icon href=data:,><p id=seen></p><script>\
        seen.textContent = 'SEEN ' + btoa(location.search) + ' ' + location.hash + ' [' + document.referrer + '] SEEN'</script>";
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("address");
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut head = Vec::new();
            let mut piece = [0; 4096];
            while !head.windows(4).any(|four| four == b"\r\n\r\n") {
                match uninterrupted(|| stream.read(&mut piece)) {
                    Ok(count) if count > 0 => head.extend_from_slice(&piece[..count]),
                    _ => break,
                }
            }
            // Browsers open connections in advance, which bring nothing.
            if let Some(target) = head.split(|&byte| byte == b' ').nth(1) {
                kept.lock().expect("asked").push(target.to_vec());
            }
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{PAGE}",
                PAGE.len()
            );
        }
    });
    (address, asked)
}

/// Visits a URL with Chromium and gives what the page at the end has seen.
fn visit(sandbox: &Sandbox, url: &str) -> String {
    let mut command = Command::new("timeout");
    command.args(["90", "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]);
    command.arg(format!("--user-data-dir={}", sandbox.path("profile").display())).arg(url);
    let output = command.env("HOME", sandbox.path("home")).output().expect("chromium runs");
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    page.split("SEEN ")
        .nth(1)
        .unwrap_or_else(|| panic!("{url}: {output:?}"))
        .split(" SEEN")
        .next()
        .expect("end")
        .to_owned()
}

#[test]
fn y24_through_the_relay_a_browsers_page_sees_the_query_as_it_came_and_the_fragment_too() {
    // No two browsers at once.
    let Some(_alone) = Browser::chromium("none") else { return };
    let sandbox = Sandbox::new();
    let ((page, asked), behind) = (target_page(), address());
    let config = format!(
        "listen = \"{behind}\"\n[[route]]\nenvironment = \"cli\"\nhost = \"{behind}\"\npath = \"/cb\"\ntarget = \"http://{page}/callback\"\n"
    );
    let (_relay, _) = relay(&sandbox, &config, behind);
    let odd = "code=1+2%2B%2b&state=%c3%a9%C3%A9&&=&z=1&a='b'&z=2&p={a}|b^`c\\d&%zz&%&x?y=/../%2e%2e/;:@!$,*()~";
    let through = visit(&sandbox, &format!("http://{behind}/cb?{odd}#_=_"));
    let last = || asked.lock().expect("asked").last().cloned().expect("the page was asked for");
    let arrived = last();
    let directly = visit(&sandbox, &format!("http://{page}/callback?{odd}#_=_"));
    assert_eq!(last().escape_ascii().to_string(), arrived.escape_ascii().to_string(), "on the wire");
    assert_eq!(directly, through, "in the page: query, fragment, and no referrer");
    assert!(through.contains(" #_=_ []"), "the browser carries the fragment on: {through}");
    let relayed = arrived.escape_ascii().to_string();
    assert!(relayed.starts_with("/callback?code=1+2%2B%2b&state=%c3%a9%C3%A9&&=&z=1&a="), "{relayed}");
}

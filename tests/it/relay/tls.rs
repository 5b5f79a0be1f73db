//! TLS with certificate files: the handshake, what is refused, what is noticed. Real certificates, by openssl.

use std::sync::Arc;

use loopin::system::uninterrupted::uninterrupted;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::*;

const NAMES: &str = "DNS:yourdomain.com";

type Tls = StreamOwned<ClientConnection, TcpStream>;

/// Named in line 4 of the configuration.
fn config(certificate: &str, key: &str) -> String {
    CONFIG.replacen("\n\n", &format!("\ntls = {{ cert = \"{certificate}\", key = \"{key}\" }}\n\n"), 1)
}

/// A relay with the pair `one`; there is another, `two`.
fn running() -> Running {
    let sandbox = Sandbox::new();
    sandbox.certificate("one", NAMES);
    sandbox.certificate("two", NAMES);
    Running::within(sandbox, &config("one.pem", "one.key"))
}

fn connect(relay: &Running, name: &str, protocols: &[&str]) -> Tls {
    let certificate = CertificateDer::from_pem_file(relay.sandbox.path(&format!("{name}.pem"))).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let builder = ClientConfig::builder_with_provider(ring::default_provider().into());
    let mut config =
        builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let session = ClientConnection::new(Arc::new(config), "yourdomain.com".try_into().unwrap()).unwrap();
    let stream = TcpStream::connect(relay.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    StreamOwned::new(session, stream)
}

/// The head of one reply, or why there is none.
fn ask(stream: &mut Tls, query: &str) -> std::io::Result<String> {
    stream.write_all(request(&format!("/oauth_callback/acme_fit?{query}")).as_bytes())?;
    next_head(stream)
}

/// Without a body, as every 307.
pub(super) fn next_head(stream: &mut impl Read) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8(head).expect("text"))
}

#[track_caller]
fn assert_forwards(stream: &mut Tls, query: &str) {
    let head = ask(stream, query).expect("a reply");
    assert!(head.contains(&format!("\r\nLocation: {TARGET}?{query}\r\n")), "{head}");
}

#[test]
fn y01_the_query_is_as_intact_under_tls() {
    let relay = running();
    let mut stream = connect(&relay, "one", &["h2", "http/1.1"]);
    for query in ["code=abc123&state=xyz", "a=1+2%2B%zz'&&=", &"q".repeat(65_536), "behind=the+long+one"] {
        assert_forwards(&mut stream, query);
    }
    assert_eq!(Some(&b"http/1.1"[..]), stream.conn.alpn_protocol());
    // Several in one record, and a head in several.
    let three: String = (0..3).map(|n| request(&format!("/oauth_callback/acme_fit?n={n}"))).collect();
    stream.write_all(three.as_bytes()).unwrap();
    (0..3).for_each(|n| assert!(next_head(&mut stream).unwrap().contains(&format!("?n={n}\r\n"))));
    for byte in request("/oauth_callback/acme_fit?slow").bytes() {
        stream.write_all(&[byte]).unwrap();
    }
    assert!(next_head(&mut stream).unwrap().contains("?slow\r\n"));
    // An end that is said: nothing was cut off by somebody in between.
    stream.write_all(b"GET /else HTTP/1.1\r\nHost: yourdomain.com\r\n\r\n").unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).expect("close_notify");
    assert!(rest.starts_with("HTTP/1.1 404 ") && rest.contains("\r\nConnection: close\r\n"), "{rest}");
}

#[test]
fn only_http_1_1_is_agreed_on() {
    let relay = running();
    assert!(ask(&mut connect(&relay, "one", &["h2"]), "a").is_err());
    assert!(ask(&mut connect(&relay, "one", &[]), "a").is_ok());
    assert!(ask(&mut connect(&relay, "two", &[]), "a").is_err(), "the client trusts another certificate");
    // Nobody is redirected to https who has shown the code already.
    assert_eq!(0, relay.get("/oauth_callback/acme_fit?a").status);
}

#[test]
fn a_certificate_that_does_not_serve_is_not_started_with() {
    let sandbox = Sandbox::new();
    sandbox.certificate("one", NAMES);
    sandbox.certificate("two", NAMES);
    // It is named in the place of a key, too.
    std::fs::set_permissions(sandbox.path("one.pem"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::write(sandbox.path("empty"), "").unwrap();
    std::fs::write(sandbox.path("broken.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        .unwrap();
    for (certificate, key, says) in [
        ("one.pem", "two.key", "tls.key: two.key: the key is not the certificate's"),
        ("none.pem", "one.key", "tls.cert: none.pem: no such file"),
        ("empty", "one.key", "tls.cert: empty: there is no PEM certificate in it"),
        ("one.key", "one.key", "tls.cert: one.key: there is no PEM certificate in it"),
        ("broken.pem", "one.key", "tls.cert: broken.pem: TLS has no use for this certificate"),
        ("one.pem", "none.key", "tls.key: none.key: no such file"),
        ("one.pem", "one.pem", "tls.key: one.pem: there is no PEM private key in it"),
    ] {
        let path = sandbox.path("relay.toml");
        let config = config(certificate, key);
        std::fs::write(&path, &config).unwrap();
        let named = if says.starts_with("tls.cert") { "cert = " } else { "key = " };
        let column = config.lines().nth(3).unwrap().find(named).unwrap() + named.len() + 1;
        let finished = sandbox.run(&["relay", "--config", path.to_str().unwrap()]);
        finished.assert_code(3).assert_says(&format!("relay.toml: line 4, column {column}: {says}")).assert_says("→");
    }
}

/// Renamed into place, as whoever renews certificates does.
fn replace(sandbox: &Sandbox, from: &str, to: &str) {
    std::fs::copy(sandbox.path(from), sandbox.path("new")).unwrap();
    std::fs::rename(sandbox.path("new"), sandbox.path(to)).unwrap();
}

#[test]
fn y23_a_certificate_that_changes_is_taken_and_one_that_does_not_fit_is_not() {
    let relay = running();
    let mut old = connect(&relay, "one", &[]);
    assert_forwards(&mut old, "a");
    let is = |file: &str, other: &str| {
        let read = |name: &str| std::fs::read(relay.sandbox.path(name)).unwrap();
        read(file) == read(other)
    };
    std::fs::copy(relay.sandbox.path("one.pem"), relay.sandbox.path("first.pem")).unwrap();
    // The certificate alone does not fit the key, which comes a moment later.
    replace(&relay.sandbox, "two.pem", "one.pem");
    let said = wait_for(&relay.said, "the old certificate stays");
    assert!(said.contains("tls.key") && said.contains('→'), "{said}");
    assert_forwards(&mut connect(&relay, "first", &[]), "a");
    replace(&relay.sandbox, "two.key", "one.key");
    wait_for(&relay.said, "the certificate was read again");
    assert!(is("one.pem", "two.pem"));
    assert_forwards(&mut connect(&relay, "two", &[]), "a");
    assert_forwards(&mut old, "the connection goes on".replace(' ', "+").as_str());
    // By SIGHUP other files are named; with a bad one nothing of the new configuration counts.
    relay.configure(&config("first.pem", "two.key").replace("[\"acme_fit\"]", "[\"other\"]"));
    relay.signal("HUP");
    wait_for(&relay.said, "the old configuration stays");
    assert_forwards(&mut connect(&relay, "two", &[]), "a");
    relay.configure(CONFIG);
    relay.signal("HUP");
    assert!(wait_for(&relay.said, "the old configuration stays").contains("only with a restart"));
    relay.configure(&config("two.pem", "two.key"));
    relay.signal("HUP");
    wait_for(&relay.said, "the configuration was read again");
    assert_forwards(&mut connect(&relay, "two", &[]), "a");
    let metrics = relay.admin("/metrics").body;
    assert!(metrics.contains("{result=\"refused\"} 3\n") && metrics.contains("{result=\"taken\"} 2\n"), "{metrics}");
}

#[test]
fn h09_a_key_that_others_can_read_is_refused_until_the_chmod() {
    let set_mode = |path: &std::path::Path, mode: u32| {
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    };
    let relay = running();
    let (path, key) = (relay.sandbox.path("relay.toml"), relay.sandbox.path("one.key"));
    let start = || relay.sandbox.run(&["relay", "--config", path.to_str().unwrap()]);
    let exposed = "one.key can be read or changed by others (mode 644)";
    set_mode(&key, 0o644);
    let chmod = |said: &str| said.contains("chmod ") && said.contains(&format!("'{}'", key.display()));
    // The one that runs keeps what it has read.
    let said = wait_for(&relay.said, "the old certificate stays");
    assert!(said.contains(exposed) && chmod(&said), "{said}");
    assert_forwards(&mut connect(&relay, "one", &[]), "a");
    let refused = start();
    refused.assert_code(3).assert_says("line 4, column").assert_says(exposed);
    assert!(chmod(&refused.stderr), "{refused:?}");
    set_mode(&key, 0o600);
    wait_for(&relay.said, "the certificate was read again");
    // A certificate may be read by all and changed by its owner alone.
    set_mode(&relay.sandbox.path("one.pem"), 0o646);
    start().assert_code(3).assert_says("one.pem can be changed by others (mode 646)").assert_says("chmod go-w");
}

#[cfg(target_os = "linux")]
#[test]
fn y19_handshakes_that_never_end_cost_little_and_delay_nobody() {
    let relay = running();
    // A record of handshake that announces more than ever comes.
    let hello = [&[0x16, 3, 1, 0x3f, 0xff, 1, 0, 0xff, 0xff][..], &[0; 12_000]].concat();
    let mut open: Vec<_> = (0..crowd()).map(|_| TcpStream::connect(relay.address).unwrap()).collect();
    for (index, stream) in open.iter_mut().enumerate() {
        let _ = if index % 2 == 0 { stream.write_all(&hello) } else { Ok(()) };
    }
    let mut endless = TcpStream::connect(relay.address).unwrap();
    endless.set_write_timeout(Some(PATIENCE)).unwrap();
    let record = [&[0x16, 3, 1, 0x3f, 0xff][..], &[0; 0x3fff]].concat();
    assert!((0..10_000).any(|_| endless.write_all(&record).is_err()), "160 MB of handshake were taken");
    (0..5).for_each(|_| assert_forwards(&mut connect(&relay, "one", &[]), "a"));
    let peak = relay.peak_memory();
    tell(&format!("{} handshakes that never end: at most {peak} KiB of memory", open.len()));
    assert!(peak < 64 * 1024, "{peak} KiB");
}

#[test]
fn y22_a_drain_ends_tls_with_a_farewell() {
    let relay = running();
    let mut stream = connect(&relay, "one", &[]);
    assert_forwards(&mut stream, "a");
    relay.signal("TERM");
    // Each loop hears of the end by itself.
    while !ask(&mut stream, "b").unwrap().contains("\r\nConnection: close\r\n") {}
    assert_eq!(0, uninterrupted(|| stream.read(&mut [0])).expect("close_notify"));
    relay.finished().assert_code(0);
}

//! A proxy that leads everybody to one server, whatever they ask for, and an https server to lead them to.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use super::{
    Sandbox,
    raw_server::{Accepting, read_request},
};

/// Speaks SOCKS 4, 4a and 5 and HTTP CONNECT.
pub struct Proxy {
    accepting: Accepting,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub fn to(server: &TlsServer) -> Self {
        Self::leading(Some(server.accepting.address))
    }

    /// Says no to everybody.
    pub fn refusing() -> Self {
        Self::leading(None)
    }

    fn leading(to: Option<SocketAddr>) -> Self {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&asked);
        let serve = move |mut stream: TcpStream| {
            let mut version = [0];
            let _ = stream.read_exact(&mut version).and_then(|()| match version {
                [4] => socks4(&mut stream, &seen, to),
                [5] => socks5(&mut stream, &seen, to),
                _ => connect(&mut stream, &seen, to),
            });
        };
        Self { accepting: Accepting::new(serve), asked }
    }

    /// With the given scheme, and perhaps user and password.
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}{}", self.accepting.address)
    }

    /// What was asked for: protocol, credentials, server.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("proxy").clone()
    }
}

fn socks4(stream: &mut TcpStream, asked: &Mutex<Vec<String>>, to: Option<SocketAddr>) -> io::Result<()> {
    let [_command, port @ .., a, b, c, d] = take::<7>(stream)?;
    let port = u16::from_be_bytes(port);
    let user = until(stream, b"\0")?;
    let (version, host) = match [a, b, c] {
        [0, 0, 0] => ("socks4a", until(stream, b"\0")?),
        _ => ("socks4", Ipv4Addr::new(a, b, c, d).to_string()),
    };
    asked.lock().expect("proxy").push(format!("{version} {user}{host}:{port}"));
    stream.write_all(&[0, if to.is_some() { 90 } else { 91 }, 0, 0, 0, 0, 0, 0])?;
    lead(stream, to)
}

fn socks5(stream: &mut TcpStream, asked: &Mutex<Vec<String>>, to: Option<SocketAddr>) -> io::Result<()> {
    let [methods] = take(stream)?;
    let methods = text(stream, methods)?;
    let mut user = String::new();
    if methods.contains('\u{2}') {
        stream.write_all(&[5, 2])?;
        let [_version, length] = take(stream)?;
        let name = text(stream, length)?;
        let [length] = take(stream)?;
        user = format!("{name}:{}@", text(stream, length)?);
        stream.write_all(&[1, 0])?;
    } else {
        stream.write_all(&[5, 0])?;
    }
    let [_version, _command, _reserved, kind] = take(stream)?;
    let host = match kind {
        1 => Ipv4Addr::from(take::<4>(stream)?).to_string(),
        _ => {
            let [length] = take(stream)?;
            text(stream, length)?
        }
    };
    let port = u16::from_be_bytes(take(stream)?);
    asked.lock().expect("proxy").push(format!("socks5 {user}{host}:{port}"));
    stream.write_all(&[5, if to.is_some() { 0 } else { 2 }, 0, 1, 0, 0, 0, 0, 0, 0])?;
    lead(stream, to)
}

fn connect(stream: &mut TcpStream, asked: &Mutex<Vec<String>>, to: Option<SocketAddr>) -> io::Result<()> {
    let head = until(stream, b"\r\n\r\n")?;
    let host = head.split(' ').nth(1).unwrap_or_default().to_owned();
    asked.lock().expect("proxy").push(format!("CONNECT {host}"));
    let status = if to.is_some() { "200 OK" } else { "407 Proxy Authentication Required" };
    stream.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes())?;
    lead(stream, to)
}

fn take<const N: usize>(stream: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).map(|()| bytes)
}

fn text(stream: &mut TcpStream, length: u8) -> io::Result<String> {
    let mut bytes = vec![0; length.into()];
    stream.read_exact(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What comes before `end`.
fn until(stream: &mut TcpStream, end: &[u8]) -> io::Result<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(end) {
        bytes.extend(take::<1>(stream)?);
    }
    Ok(String::from_utf8_lossy(&bytes[..bytes.len() - end.len()]).into_owned())
}

/// Carries bytes both ways until both ends have closed.
fn lead(stream: &TcpStream, to: Option<SocketAddr>) -> io::Result<()> {
    let Some(to) = to else { return Ok(()) };
    let server = TcpStream::connect(to)?;
    let (mut from, mut there) = (stream.try_clone()?, server.try_clone()?);
    let up = thread::spawn(move || {
        let _ = io::copy(&mut from, &mut there);
        let _ = there.shutdown(Shutdown::Write);
    });
    let _ = io::copy(&mut &server, &mut &*stream);
    let _ = stream.shutdown(Shutdown::Write);
    let _ = up.join();
    Ok(())
}

/// An https server, and the certificate that its clients have to trust.
pub struct TlsServer {
    accepting: Accepting,
    connections: Arc<AtomicUsize>,
}

impl TlsServer {
    /// With the certificate `server` of the sandbox. `respond` gets a request and gives the bytes of a reply.
    pub fn new(sandbox: &Sandbox, respond: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let at = |kind: &str| sandbox.path(&format!("server.{kind}"));
        let certificate = CertificateDer::from_pem_file(at("pem")).expect("certificate");
        let key = PrivateKeyDer::from_pem_file(at("key")).expect("key");
        let builder = ServerConfig::builder_with_provider(ring::default_provider().into());
        let config = builder.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
        let config = Arc::new(config.with_single_cert(vec![certificate], key).expect("pair"));
        let connections: Arc<AtomicUsize> = Arc::default();
        let counted = Arc::clone(&connections);
        let accepting = Accepting::new(move |stream| {
            counted.fetch_add(1, Ordering::SeqCst);
            let session = ServerConnection::new(Arc::clone(&config)).expect("session");
            let mut stream = StreamOwned::new(session, stream);
            let request = read_request(&mut stream);
            // The client may have seen enough.
            let _ = stream.write_all(respond(&request).as_bytes());
            stream.conn.send_close_notify();
            let _ = stream.flush();
        });
        Self { accepting, connections }
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Sandbox {
    /// Makes `NAME.pem`, which vouches for itself, and `NAME.key`.
    pub fn certificate(&self, name: &str, names: &str) {
        self.made_by_openssl(
            name,
            &["-subj", "/CN=test", "-addext", &format!("subjectAltName={names}"), "-addext", LEAF],
        );
    }

    /// Makes `NAME.pem`, a CA that no system knows, and `NAME.key`.
    pub fn ca(&self, name: &str) {
        let subject = format!("/CN={name}");
        self.made_by_openssl(name, &["-subj", &subject, "-addext", "basicConstraints=critical,CA:TRUE"]);
    }

    /// Makes `NAME.pem`, for which the CA vouches, and `NAME.key`.
    pub fn certificate_of(&self, ca: &str, name: &str, names: &str) {
        let [certificate, key] = ["pem", "key"].map(|kind| self.path(&format!("{ca}.{kind}")));
        let (certificate, key) = (certificate.to_str().expect("path"), key.to_str().expect("path"));
        let names = format!("subjectAltName={names}");
        let signed = ["-CA", certificate, "-CAkey", key, "-subj", "/CN=test", "-addext", &names, "-addext", LEAF];
        self.made_by_openssl(name, &signed);
    }

    fn made_by_openssl(&self, name: &str, arguments: &[&str]) {
        let mut openssl = Command::new("openssl");
        openssl.args("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2".split(' ')).args(arguments);
        openssl.arg("-keyout").arg(self.path(&format!("{name}.key")));
        openssl.arg("-out").arg(self.path(&format!("{name}.pem")));
        assert!(openssl.stderr(Stdio::null()).status().expect("openssl").success());
    }
}

const LEAF: &str = "basicConstraints=critical,CA:FALSE";

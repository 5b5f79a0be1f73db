//! Servers of a few lines, for whatever the practice provider does not do.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use loopin::system::uninterrupted::uninterrupted;

use super::{Provider, Reply, http};

/// Accepts connections, each on a thread of its own, until dropped.
pub(super) struct Accepting {
    pub(super) address: SocketAddr,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Accepting {
    pub(super) fn new(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("port");
        let address = listener.local_addr().expect("address");
        let (stopping, serve) = (Arc::new(AtomicBool::new(false)), Arc::new(serve));
        let stop = Arc::clone(&stopping);
        let thread = thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let serve = Arc::clone(&serve);
                thread::spawn(move || serve(stream));
            }
        });
        Self { address, stopping, thread: Some(thread) }
    }
}

impl Drop for Accepting {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// An HTTP server that answers whatever a test says, byte for byte, and records every request. Stopped when dropped.
pub struct RawServer {
    pub origin: String,
    requests: Arc<Mutex<Vec<String>>>,
    _accepting: Accepting,
}

impl RawServer {
    /// `answer` gets each request, head and body, on a thread of its own.
    pub fn new(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&requests);
        let accepting = Accepting::new(move |mut stream| {
            let request = read_request(&mut stream);
            seen.lock().expect("server").push(request.clone());
            answer(&request, &mut stream);
        });
        Self { origin: format!("http://{}", accepting.address), requests, _accepting: accepting }
    }

    /// `respond` gets one request at a time and returns the bytes of the reply.
    pub fn replying(respond: impl FnMut(&str) -> String + Send + 'static) -> Self {
        let respond = Mutex::new(respond);
        Self::new(move |request, stream| {
            let reply = (*respond.lock().expect("server"))(request);
            // The client may have seen enough.
            let _ = stream.write_all(reply.as_bytes());
        })
    }

    /// Returns this JSON for every request.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self::new(move |_, stream| send(stream, status, JSON, &body))
    }

    /// Publishes this document as the metadata of its origin; `{origin}` stands for it.
    pub fn metadata(document: impl Into<String>) -> Self {
        let document = document.into();
        Self::new(move |_, stream| {
            let document = document.replace("{origin}", &origin_of(stream));
            send(stream, 200, JSON, document.as_bytes());
        })
    }

    /// An authorization server whose metadata names `/authorize` and `/token` and nothing else.
    pub fn discovered() -> Self {
        Self::new(|request, stream| {
            let origin = origin_of(stream);
            let metadata = format!(
                r#"{{"issuer":"{origin}","authorization_endpoint":"{origin}/authorize","token_endpoint":"{origin}/token"}}"#
            );
            let body = if request.starts_with("GET ") { &metadata } else { TOKENS };
            send(stream, 200, JSON, body.as_bytes());
        })
    }

    /// Forwards every request to the provider and returns what `change` makes of its reply.
    pub fn before(provider: &Provider, mut change: impl FnMut(Reply) -> String + Send + 'static) -> Self {
        let address = provider.address();
        Self::replying(move |request| change(http(address, request)))
    }

    /// All requests until now, as they came.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("server").clone()
    }

    /// How many requests brought a code or a refresh token.
    pub fn token_requests(&self) -> usize {
        self.requests().iter().filter(|request| request.starts_with("POST /token")).count()
    }

    /// One integration `work` with explicit endpoints here, and encrypted files.
    pub fn integration(&self) -> String {
        let origin = &self.origin;
        format!(
            "[integration.work]\nauthorization_endpoint = \"{origin}/authorize\"\ntoken_endpoint = \"{origin}/token\"\n\
             revocation_endpoint = \"{origin}/revoke\"\nclient_id = \"me\"\nstore = \"file\"\nstore_key = {{ file = \"{{key}}\" }}\n"
        )
    }

    /// Changes a configuration so that this server is the provider's token endpoint.
    pub fn as_token_endpoint_of(&self, provider: &Provider) -> impl Fn(String) -> String + use<> {
        let (replaced, own) = (provider.token_endpoint(), format!("token_endpoint = \"{}/token\"", self.origin));
        move |config| config.replace(&replaced, &own)
    }
}

/// The origin of the server at this end of the connection.
pub fn origin_of(stream: &TcpStream) -> String {
    format!("http://{}", stream.local_addr().expect("address"))
}

/// Head and body; what came until the end if it is cut.
pub(super) fn read_request(stream: &mut impl Read) -> String {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") && matches!(uninterrupted(|| stream.read(&mut byte)), Ok(1)) {
        bytes.push(byte[0]);
        // Not HTTP: somebody begins with TLS.
        if !bytes[0].is_ascii_graphic() {
            break;
        }
    }
    let head = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
    let length = head.lines().find_map(|l| l.strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    let _ = stream.read_exact(&mut body);
    bytes.extend(body);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn head(status: u16, fields: &str, length: usize) -> String {
    format!("HTTP/1.1 {status} -\r\n{fields}Content-Length: {length}\r\nConnection: close\r\n\r\n")
}

/// The text of a whole reply. `fields` are lines that end in CR LF.
pub fn reply(status: u16, fields: &str, body: &str) -> String {
    head(status, fields, body.len()) + body
}

pub fn json_reply(body: &str) -> String {
    reply(200, JSON, body)
}

/// Writes a whole reply. `fields` are lines that end in CR LF.
pub fn send(stream: &mut TcpStream, status: u16, fields: &str, body: &[u8]) {
    // The client may have seen enough.
    let _ = stream.write_all(head(status, fields, body.len()).as_bytes()).and_then(|()| stream.write_all(body));
}

pub const JSON: &str = "Content-Type: application/json\r\n";
/// What a token endpoint answers when all is well.
pub const TOKENS: &str = r#"{"access_token":"an-access-token","token_type":"Bearer","expires_in":3600}"#;

//! Token endpoints that answer whatever a test says, byte for byte.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
};

use loopin::system::uninterrupted::uninterrupted;

use super::provider::Running;

/// A server of a few lines, for what no honest provider does: endless, slow, silent, redirecting.
pub struct RawServer {
    pub origin: String,
    requests: Arc<Mutex<Vec<String>>>,
    stop: Arc<Mutex<Running>>,
    thread: Option<JoinHandle<()>>,
}

impl RawServer {
    /// `answer` gets each request, head and body, on a thread of its own.
    pub fn new(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("port");
        let origin = format!("http://{}", listener.local_addr().expect("address"));
        let (requests, stop) = (Arc::default(), Arc::new(Mutex::new(Running::Yes)));
        let (seen, stopped, answer) = (Arc::clone(&requests), Arc::clone(&stop), Arc::new(answer));
        let thread = thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                if *stopped.lock().expect("server") == Running::No {
                    break;
                }
                let (seen, answer): (Arc<Mutex<Vec<String>>>, _) = (Arc::clone(&seen), Arc::clone(&answer));
                thread::spawn(move || {
                    let request = read_request(&mut stream);
                    seen.lock().expect("server").push(request.clone());
                    answer(&request, &mut stream);
                });
            }
        });
        Self { origin, requests, stop, thread: Some(thread) }
    }

    /// Gives this JSON to everybody.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self::new(move |_, stream| send(stream, status, "Content-Type: application/json\r\n", &body))
    }

    /// All requests until now, as they came.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("server").clone()
    }

    /// One integration `work` with explicit endpoints here, and encrypted files.
    pub fn integration(&self) -> String {
        let origin = &self.origin;
        format!(
            "[integration.work]\nauthorization_endpoint = \"{origin}/authorize\"\ntoken_endpoint = \"{origin}/token\"\n\
             revocation_endpoint = \"{origin}/revoke\"\nclient_id = \"me\"\nstore = \"file\"\nstore_key = {{ file = \"{{key}}\" }}\n"
        )
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        *self.stop.lock().expect("server") = Running::No;
        let _ = TcpStream::connect(self.origin.trim_start_matches("http://"));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
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
    let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    let _ = stream.read_exact(&mut body);
    bytes.extend(body);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A whole reply. `fields` are lines that end in CR LF.
pub fn send(stream: &mut TcpStream, status: u16, fields: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {status} -\r\n{fields}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    // The client may have seen enough.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

/// What a token endpoint says when all is well.
pub const TOKENS: &str = r#"{"access_token":"an-access-token","token_type":"Bearer","expires_in":3600}"#;

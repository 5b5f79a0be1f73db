//! The practice provider on a thread, with faults.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime},
};

use loopin::{
    head::Head,
    practice::{self, Counters, Fault, Practice, Shape},
    system::listener::{Answer, Listener, Request, Service, Turn, Waker},
};

/// The practice provider on a thread, with faults; stopped when dropped.
pub struct Provider {
    pub origin: String,
    desk: Arc<Mutex<Practice>>,
    stop: Arc<Mutex<Running>>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Running {
    Yes,
    No,
}

struct Desk {
    practice: Arc<Mutex<Practice>>,
    stop: Arc<Mutex<Running>>,
    served: u64,
}

impl Provider {
    pub fn new() -> Self {
        Self::with(Vec::new())
    }

    pub fn with(faults: Vec<Fault>) -> Self {
        Self::living(Duration::from_secs(3600), faults)
    }

    /// `life` is that of an access token.
    pub fn living(life: Duration, faults: Vec<Fault>) -> Self {
        Self::start(|origin| Practice::new(origin, life, faults))
    }

    /// In the shape of a real provider.
    pub fn shaped(shape: Shape) -> Self {
        Self::start(|origin| Practice::new(origin, Duration::from_secs(3600), Vec::new()).shaped(shape))
    }

    fn start(practice: impl FnOnce(String) -> Practice) -> Self {
        let listener = Listener::bind(&[SocketAddr::from((Ipv4Addr::LOCALHOST, 0))]).expect("port");
        let origin = format!("http://127.0.0.1:{}", listener.port());
        let desk = Arc::new(Mutex::new(practice(origin.clone())));
        let stop = Arc::new(Mutex::new(Running::Yes));
        let waker = listener.waker();
        let service = Desk { practice: Arc::clone(&desk), stop: Arc::clone(&stop), served: 0 };
        let thread = thread::spawn(move || drop(listener.run(service)));
        Self { origin, desk, stop, waker, thread: Some(thread) }
    }

    pub fn counters(&self) -> Counters {
        self.desk.lock().expect("provider").counters
    }

    /// Registers a redirect of a service.
    pub fn register(&self, redirect_uri: String) {
        self.desk.lock().expect("provider").register(redirect_uri);
    }

    /// Commits one more fault from now on.
    pub fn misbehave(&self, fault: Fault) {
        self.desk.lock().expect("provider").misbehave(fault);
    }

    /// Another provider in its place that knows none of its tokens.
    pub fn forget(&self) {
        self.desk.lock().expect("provider").forget();
    }

    pub fn address(&self) -> SocketAddr {
        self.origin.trim_start_matches("http://").parse().expect("address")
    }

    /// The line of a configuration that names its token endpoint.
    pub(super) fn token_endpoint(&self) -> String {
        format!("token_endpoint = \"{}/token\"", self.origin)
    }

    /// A configuration with one integration, endpoints discovered.
    pub fn integration(&self) -> String {
        format!(
            "[integration.work]\nissuer = \"{}\"\nclient_id = \"{}\"\nscopes = [\"read\"]\nstore = \"file\"\nstore_key = {{ file = \"{{key}}\" }}\n",
            self.origin,
            practice::CLIENT_ID
        )
    }

    /// The same with explicit endpoints.
    pub fn explicit(&self) -> String {
        let origin = &self.origin;
        let endpoints = format!(
            "authorization_endpoint = \"{origin}/authorize\"\n{}\nrevocation_endpoint = \"{origin}/revoke\"\n",
            self.token_endpoint()
        );
        self.integration().replace(&format!("issuer = \"{origin}\"\n"), &endpoints)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        *self.stop.lock().expect("provider") = Running::No;
        self.waker.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Service for Desk {
    fn body_limit(&self, head: &Head) -> usize {
        Practice::body_limit(head)
    }

    fn respond(&mut self, &Request { head, body, .. }: &Request<'_>) -> Answer {
        self.served += 1;
        // Unlike any other of this process, and recognisable in a leak.
        let mut chance = [0xca; 32];
        chance[24..].copy_from_slice(&self.served.to_be_bytes());
        chance[16..24].copy_from_slice(&u64::from(std::process::id()).to_be_bytes());
        Answer::Now(self.practice.lock().expect("provider").respond(head, body, chance, SystemTime::now()))
    }

    fn turn(&mut self, _: Instant) -> Turn {
        match *self.stop.lock().expect("provider") {
            Running::Yes => Turn::Continue,
            Running::No => Turn::Stop,
        }
    }
}

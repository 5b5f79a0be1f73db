//! A login on the stage: what it costs, what is sent to it, a gate before its token endpoint, and browsers that are
//! shell scripts.

use std::{
    fs::File,
    io::{Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::Command,
    sync::mpsc::{self, Receiver, Sender},
    thread::{self, JoinHandle},
};

use super::{Finished, Login, PATIENCE, Person, Provider, RawServer, Reply, Sandbox, http, read_reply};

/// A login that waits for its answer, with everything it needs.
pub struct Waiting {
    pub login: Login,
    pub sandbox: Sandbox,
    pub provider: Provider,
}

impl Waiting {
    pub fn new() -> Self {
        Self::at(Provider::new())
    }

    pub fn at(provider: Provider) -> Self {
        let sandbox = Sandbox::with(&provider);
        Self { login: sandbox.login(&[]), sandbox, provider }
    }

    /// Target of the true answer: the person has allowed, the browser has not gone there yet.
    pub fn answer(&self) -> String {
        target(&self.login.person().decide("allow"))
    }

    /// The person allows, and all is well: nothing that came before has done harm.
    #[track_caller]
    pub fn ends_well(self) -> Finished {
        let page = self.login.person().allow();
        assert!(page.body.contains("You are signed in"), "{page:?}");
        let finished = self.login.finished();
        finished.assert_code(0);
        assert_eq!(1, self.provider.counters().token, "one token request in all");
        finished
    }
}

/// A line for whoever runs the tests, shown in any case.
pub fn tell(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Path and query of a URL.
pub fn target(url: &str) -> String {
    let rest = url.split_once("://").expect("absolute").1;
    rest[rest.find('/').expect("path")..].to_owned()
}

impl Login {
    /// GETs `target` with the right Host and more field lines, each ended by CR LF.
    pub fn get_with(&self, target: &str, fields: &str) -> Reply {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n{fields}\r\n", self.port()))
    }

    /// The same request as `get`, for another thread to make.
    pub fn asking(&self, target: &str) -> impl FnOnce() -> Reply + Send + use<> {
        let (address, request) =
            (self.address(), format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", self.port()));
        move || http(address, &request)
    }

    /// Any bytes on a connection of their own.
    pub fn send(&self, bytes: impl AsRef<[u8]>) -> Reply {
        let mut stream = self.connect();
        // It may be cut off in the middle; the reply tells.
        let _ = stream.write_all(bytes.as_ref());
        read_reply(stream)
    }

    pub fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address()).expect("connect")
    }

    #[track_caller]
    pub fn assert_waiting(&mut self) {
        assert_eq!(None, self.child.try_wait().expect("child"), "the login has ended");
    }

    /// Sends the signal of that name.
    pub fn signal(&self, name: &str) {
        kill(name, self.child.id());
    }

    /// A number of `/proc/PID/status`: a count, or KiB.
    pub fn status(&self, field: &str) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("status");
        let line = text.lines().find(|line| line.starts_with(&format!("{field}:"))).expect("field");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("number")
    }
}

impl Person {
    /// At a URL that is not the login's own.
    pub fn at(url: String) -> Self {
        Self { url }
    }
}

/// Reads the version and the status of the reply, while the request may still be on its way.
pub fn status_line(stream: &TcpStream) -> JoinHandle<String> {
    let mut reader = stream.try_clone().expect("stream");
    reader.set_read_timeout(Some(PATIENCE)).expect("time-out");
    thread::spawn(move || {
        let mut line = [0; "HTTP/1.1 200".len()];
        reader.read_exact(&mut line).expect("reply");
        String::from_utf8_lossy(&line).into_owned()
    })
}

/// How many make a crowd, and room for the descriptors of this many in our own process.
pub fn crowd() -> usize {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("limit");
    let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    match std::env::var("LOOPIN_BAR").as_deref() {
        Ok("full") => 1000,
        _ => 200,
    }
}

/// The next line that contains `text`.
#[track_caller]
pub fn wait_for(said: &Receiver<String>, text: &str) -> String {
    loop {
        let line = said.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("\"{text}\" was never said"));
        if line.contains(text) {
            return line;
        }
    }
}

/// By the shell, which has it built in. `-N` is the group N.
pub fn kill(signal: &str, pid: impl std::fmt::Display) {
    let status = Command::new("sh").args(["-c", &format!("kill -{signal} {pid}")]).status().expect("sh");
    assert!(status.success(), "kill -{signal} {pid}");
}

/// Holds each request for a provider's token endpoint until the test opens it.
pub struct Gate {
    open: Sender<()>,
    arrived: Receiver<()>,
    server: RawServer,
}

impl Gate {
    pub fn before(provider: &Provider) -> Self {
        let (open, opened) = mpsc::channel();
        let (arrive, arrived) = mpsc::channel();
        let address = provider.address();
        let server = RawServer::replying(move |request| {
            let _ = arrive.send(());
            // Without a gate nobody opens it any more, and the connection closes without a reply.
            opened.recv().map(|()| http(address, request).written()).unwrap_or_default()
        });
        Self { open, arrived, server }
    }

    /// A configuration whose token requests come here.
    pub fn integration(&self, provider: &Provider) -> String {
        self.as_token_endpoint_of(provider)(provider.explicit())
    }

    /// Changes a configuration so that token requests come here.
    pub fn as_token_endpoint_of(&self, provider: &Provider) -> impl Fn(String) -> String + use<> {
        self.server.as_token_endpoint_of(provider)
    }

    /// A token request stands at the gate.
    pub fn wait(&self) {
        self.arrived.recv_timeout(PATIENCE).expect("no token request");
    }

    pub fn open(&self) {
        self.open.send(()).expect("gate");
    }
}

/// A named pipe, by which a script tells what it sees.
pub struct Pipe(PathBuf);

impl Pipe {
    pub fn path(&self) -> &str {
        self.0.to_str().expect("path")
    }

    /// All that one writer writes.
    #[track_caller]
    pub fn read(&self) -> String {
        let path = self.0.clone();
        let (send, text) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = File::open(path).and_then(|mut file| file.read_to_end(&mut bytes));
            let _ = send.send(read.map(|_| String::from_utf8_lossy(&bytes).into_owned()));
        });
        text.recv_timeout(PATIENCE).expect("nobody wrote").expect("pipe")
    }
}

impl Sandbox {
    pub fn pipe(&self, name: &str) -> Pipe {
        let path = self.path(name);
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("pipe");
        Pipe(path)
    }

    /// A browser command that runs this shell script. The shell reads it, so nobody executes a file that is being
    /// written.
    pub fn script(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).expect("script");
        format!("sh '{}'", path.to_str().expect("path"))
    }

    /// A directory with one program in it, to be the whole PATH. Another process writes it, so that no file
    /// descriptor of ours makes it busy.
    pub fn program(&self, name: &str, text: &str) -> PathBuf {
        let (source, directory) = (self.path(&format!("{name}.sh")), self.path("bin"));
        std::fs::create_dir_all(&directory).expect("directory");
        std::fs::write(&source, format!("#!/bin/sh\n{text}")).expect("script");
        let installed = Command::new("install").args(["-m", "755"]).arg(&source).arg(directory.join(name)).status();
        assert!(installed.expect("install").success());
        directory
    }

    /// Name and content of every file below the state directory.
    pub fn state_files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found: Vec<_> = self.files().into_iter().filter(|(path, _)| path.starts_with(self.state())).collect();
        found.sort();
        found
    }
}

//! `loopin stdio`: a program at the other end. Every line, both ways, is checked against docs/stdio.schema.json.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread::{self, JoinHandle},
    time::Instant,
};

use serde_json::{Value, json};

use crate::harness::{Finished, Gate, PATIENCE, Person, Provider, Sandbox, kill};

mod conduct;
mod device;
mod examples;
mod hostile;
mod schema;
mod shared;

use schema::Schema;

/// A client of one `loopin stdio`.
struct Client {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Vec<u8>>,
    reader: JoinHandle<()>,
    methods: BTreeMap<String, String>,
    /// Heard while something else was awaited.
    heard: Vec<Value>,
    schema: Schema,
}

impl Client {
    /// Has introduced itself.
    fn of(sandbox: &Sandbox) -> Self {
        let mut client = Self::unmet(sandbox.loopin(&["stdio"]));
        client.call("hello", "initialize", &json!({ "protocol": 1 }));
        client.result("hello");
        client
    }

    fn unmet(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).spawn().expect("loopin starts");
        let stdout = child.stdout.take().expect("piped");
        let stdin = child.stdin.take();
        Self::around(child, stdin, stdout)
    }

    fn around(child: Child, stdin: Option<ChildStdin>, stdout: ChildStdout) -> Self {
        let (send, lines) = mpsc::channel();
        let reader = thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let (methods, heard) = (BTreeMap::new(), Vec::new());
        Self { child, stdin, lines, reader, methods, heard, schema: Schema::read() }
    }

    /// Any bytes.
    fn write(&mut self, bytes: &[u8]) {
        self.stdin.as_mut().expect("open").write_all(bytes).expect("loopin reads");
    }

    fn call(&mut self, id: &str, method: &str, params: &Value) {
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.schema.assert_holds("FromClient", &message);
        self.methods.insert(id.to_owned(), method.to_owned());
        self.write(format!("{message}\n").as_bytes());
    }

    /// The next message, or `None` when there is none any more.
    fn next(&mut self) -> Option<Value> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Some(self.read(&line)),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("nothing comes; heard: {:#?}", self.heard),
        }
    }

    /// Checks one line, and a result by the method that it answers.
    fn read(&mut self, line: &[u8]) -> Value {
        let stray = |why: String| -> ! { panic!("{why}: {}", String::from_utf8_lossy(line)) };
        let message: Value = serde_json::from_slice(line).unwrap_or_else(|why| stray(format!("not JSON ({why})")));
        self.schema.assert_holds("FromLoopin", &message);
        if let (Some(result), Some(id)) = (message.get("result"), message["id"].as_str()) {
            let method = self.methods.remove(id).unwrap_or_else(|| stray("an answer to nothing".into()));
            let verb = method.rsplit('/').next().unwrap_or_default();
            let name = format!("{}{}Result", verb[..1].to_uppercase(), &verb[1..]);
            self.schema.assert_holds(&name, result);
        }
        message
    }

    /// The first message that is wanted; others are remembered.
    #[track_caller]
    fn wait_for(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.heard.iter().position(&wanted) {
            return self.heard.remove(at);
        }
        loop {
            match self.next() {
                Some(message) if wanted(&message) => return message,
                Some(message) => self.heard.push(message),
                None => panic!("{what} never came: {:#?}", self.heard),
            }
        }
    }

    #[track_caller]
    fn reply(&mut self, id: &str) -> Value {
        self.wait_for(id, |message| message["id"] == id)
    }

    #[track_caller]
    fn result(&mut self, id: &str) -> Value {
        let mut reply = self.reply(id);
        assert!(reply.get("error").is_none(), "{reply:#}");
        reply["result"].take()
    }

    /// Its code and its word.
    #[track_caller]
    fn error(&mut self, id: &str) -> (i64, String) {
        let reply = self.reply(id);
        let error = &reply["error"];
        assert!(error.is_object(), "{reply:#}");
        (error["code"].as_i64().expect("a code"), error["data"]["code"].as_str().expect("a word").to_owned())
    }

    /// What a notification of this login says.
    #[track_caller]
    fn event(&mut self, id: &str, name: &str) -> Value {
        let method = format!("login/{name}");
        let mut event = self.wait_for(&method, |m| m["method"] == method && m["params"]["id"] == id);
        event["params"].take()
    }

    /// Begins a login whose URL the client opens.
    #[track_caller]
    fn login(&mut self, id: &str) -> Person {
        self.call(id, "login", &json!({ "integration": "work", "open": "client" }));
        Person::at(self.event(id, "url")["url"].as_str().expect("a URL").to_owned())
    }

    #[track_caller]
    fn token(&mut self, id: &str) -> String {
        self.call(id, "token", &json!({}));
        self.result(id)["access_token"].as_str().expect("a token").to_owned()
    }

    /// Closes standard input and gives the exit code with what came after that, and what was said on standard error.
    fn end(mut self) -> (Option<i32>, Vec<Value>, String) {
        drop(self.stdin.take());
        self.ended()
    }

    fn ended(mut self) -> (Option<i32>, Vec<Value>, String) {
        let mut said = String::new();
        while let Some(message) = self.next() {
            self.heard.push(message);
        }
        if let Some(stderr) = &mut self.child.stderr {
            stderr.read_to_string(&mut said).expect("standard error");
        }
        let code = self.child.wait().expect("loopin ends").code();
        self.reader.join().expect("reader");
        (code, self.heard, said)
    }

    /// A number of `/proc/PID/status`.
    fn status(&self, field: &str) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("status");
        let line = text.lines().find(|line| line.starts_with(&format!("{field}:"))).expect("field");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("number")
    }
}

fn hash(token: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect()
}

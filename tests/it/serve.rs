//! `loopin serve`: the real executable behind a real socket, the practice provider as the third party, and browsers made
//! by hand. What the parts decide is tested beside them.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    sync::mpsc::Receiver,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{
    Finished, Gate, PATIENCE, Person, Provider, Reply, Sandbox, eventually, fixed_port, http, kill, lines, parameter,
    write_private,
};

mod answers;
mod ca;
mod callback;
#[path = "../support/connections.rs"]
mod connections;
mod documentation;
mod form_post;
mod guards;
mod headers;
mod instances;
mod issuers;
mod keys;
mod limits;
mod metadata;
mod migration;
mod mistakes;
mod operation;
mod reasons;
mod reconnect;
mod relayed;
mod requests;
mod rotation;
#[path = "../support/jwt.rs"]
mod signed;
mod start;
mod stated;
mod storm;
mod tenants;
mod tokens;

pub const BASE: &str = "/api/v1/oauth2";
/// Shared with the application, which signs its users' tokens with it.
const SECRET: &str = "a shared secret of more than thirty-two bytes";
const KEY: [u8; 32] = [0x5a; 32];
const APP: &str = "https://app.example.com/oauth/done?tab=1";
const ORIGIN: &str = "https://app.example.com";

fn jwt(claims: Value) -> String {
    signed::jwt(&claims, SECRET)
}

fn claims(user: &str, org: &str) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    json!({
        "iss": "https://id.example.com", "aud": "loopin", "sub": user, "org_id": org, "orgs": [org],
        "iat": now, "exp": now + 300,
    })
}

pub fn token_of(user: &str, org: &str) -> String {
    jwt(claims(user, org))
}

/// Cookies as a browser keeps them for the one host of the service.
#[derive(Clone, Default)]
pub struct Jar(BTreeMap<String, String>);

impl Jar {
    pub fn take(&mut self, reply: &Reply) {
        for line in reply.head.lines() {
            let Some((name, value)) = line.split_once(": ") else { continue };
            if !name.eq_ignore_ascii_case("set-cookie") {
                continue;
            }
            let (pair, attributes) = value.split_once(';').expect("attributes");
            let (name, value) = pair.split_once('=').expect("cookie");
            if attributes.contains("Max-Age=0") {
                self.0.remove(name);
            } else {
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    fn field(&self) -> String {
        let pairs: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { String::new() } else { format!("Cookie: {}\r\n", pairs.join("; ")) }
    }
}

/// A service that runs.
pub struct Serving {
    child: Child,
    port: u16,
    admin: SocketAddr,
    /// What it said at its start, and what it says after.
    heard: Vec<String>,
    said: Receiver<String>,
    /// Lines of the access log.
    log: Receiver<String>,
    provider: Provider,
    sandbox: Sandbox,
}

/// The configuration, with the port in its place; `{dir}` stands for the sandbox.
fn config(provider: &Provider, port: u16) -> String {
    format!(
        r#"
[server]
public_url = "http://127.0.0.1:{port}"
listen = "127.0.0.1:{port}"
admin = "127.0.0.1:0"
session_cookie = "session"

[store]
url = "sqlite://{{dir}}/loopin.db"

[keys]
current = "k1"
k1 = {{ file = "{{dir}}/k1" }}

[[jwt]]
issuer = "https://id.example.com"
audience = "loopin"
hs256 = {{ file = "{{dir}}/hs256" }}
org = "org_id"
orgs = "orgs"
org_header = "X-Active-Org"
service_scope = "loopin:service"

[callbacks]
allow = ["https://app.example.com/oauth/"]

[integration.wiki]
authorization_endpoint = "{origin}/authorize"
token_endpoint = "{origin}/token"
revocation_endpoint = "{origin}/revoke"
issuer = "{origin}"
client_id = "practice-client"
scopes = ["base"]
allowed_scopes = ["extra", "more"]
requiresPKCE = true
[integration.wiki.actions]
read = ["read"]
write = ["write"]
"#,
        origin = provider.origin
    )
}

fn prepare(sandbox: &Sandbox, config: &str) {
    let directory = sandbox.path("").to_str().expect("path").trim_end_matches('/').to_owned();
    write_private(&sandbox.path("k1"), &KEY);
    write_private(&sandbox.path("hs256"), SECRET.as_bytes());
    std::fs::write(sandbox.path("loopin.toml"), config.replace("{dir}", &directory)).expect("configuration");
}

impl Serving {
    fn new() -> Self {
        Self::with(Provider::new(), |config| config)
    }

    pub fn with(provider: Provider, change: impl FnOnce(String) -> String) -> Self {
        let (sandbox, port) = (Sandbox::new(), fixed_port());
        prepare(&sandbox, &change(config(&provider, port)));
        provider.register(format!("http://127.0.0.1:{port}{BASE}/wiki/callback"));
        Self::start(sandbox, provider, port)
    }

    /// Its token requests stand at a gate first.
    fn gated() -> (Self, Gate) {
        let provider = Provider::new();
        let gate = Gate::before(&provider);
        let gated = gate.as_token_endpoint_of(&provider);
        (Self::with(provider, gated), gate)
    }

    fn start(sandbox: Sandbox, provider: Provider, port: u16) -> Self {
        Self::run(sandbox.loopin(&["serve", "--config"]), sandbox, provider, port)
    }

    /// With this command, which lacks the path of the configuration.
    fn run(mut command: Command, sandbox: Sandbox, provider: Provider, port: u16) -> Self {
        let mut child = command.arg(sandbox.path("loopin.toml")).stdout(Stdio::piped()).spawn().expect("loopin starts");
        let said = lines(child.stderr.take().expect("piped"));
        let log = lines(child.stdout.take().expect("piped"));
        let mut heard = Vec::new();
        let line = loop {
            let line = said.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("it does not start: {heard:?}"));
            heard.push(line.clone());
            if line.contains("state at http://") {
                break line;
            }
        };
        let admin = line.split("http://").nth(1).and_then(|rest| rest.trim().parse().ok()).expect("address");
        let serving = Self { child, port, admin, heard, said, log, provider, sandbox };
        // The port is ours already; whoever answers first is ready.
        assert_eq!(200, serving.get("/healthz", "").status);
        serving
    }

    fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    pub fn request(&self, method: &str, target: &str, fields: &str, body: &str) -> Reply {
        http(self.address(), &self.written(method, target, fields, body))
    }

    /// The bytes of a request, for another thread to send.
    fn written(&self, method: &str, target: &str, fields: &str, body: &str) -> String {
        let length = body.len();
        format!(
            "{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nContent-Length: {length}\r\n{fields}\r\n{body}",
            self.port
        )
    }

    pub fn get(&self, target: &str, fields: &str) -> Reply {
        self.request("GET", target, fields, "")
    }

    pub fn post(&self, path: &str, token: &str, body: Value) -> Reply {
        let fields = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
        self.request("POST", &format!("{BASE}{path}"), &fields, &body.to_string())
    }

    fn admin(&self, path: &str) -> Reply {
        http(self.admin, &format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
    }

    /// A server-side start: header JWT, plain 302.
    fn begin(&self, user: &str, jar: &mut Jar, query: &str) -> Reply {
        let fields = bearer(&token_of(user, "acme"));
        let reply = self.get(&format!("{BASE}/wiki/authorize?{}{query}", wish("all")), &fields);
        jar.take(&reply);
        reply
    }

    /// The callback's target that the provider sends the browser to.
    fn decided(&self, begun: &Reply, decision: &str) -> String {
        let url = begun.field("location").unwrap_or_else(|| panic!("{begun:?}")).to_owned();
        crate::harness::target(&Person::at(url).decide(decision))
    }

    /// The browser brings the provider's answer.
    pub fn finish(&self, jar: &Jar, target: &str) -> Reply {
        self.get(target, &jar.field())
    }

    /// A whole connection for this user; the last reply.
    fn connect(&self, user: &str) -> Reply {
        let mut jar = Jar::default();
        let begun = self.begin(user, &mut jar, "");
        let target = self.decided(&begun, "allow");
        self.finish(&jar, &target)
    }

    fn token(&self, user: &str) -> Reply {
        self.post("/wiki/token", &token_of(user, "acme"), json!({ "action": "all" }))
    }

    /// As if every token had been obtained and had expired long ago.
    pub fn age(&self) {
        connections::age(&self.database());
    }

    fn database(&self) -> rusqlite::Connection {
        connections::database(&self.sandbox.path("loopin.db"))
    }

    fn signal(&self, name: &str) {
        kill(name, self.child.id());
    }

    fn terminated(self) -> (Finished, Provider) {
        self.signal("TERM");
        self.ended()
    }

    /// Waits for the end, and gives everything that was not read yet.
    fn ended(mut self) -> (Finished, Provider) {
        let code = self.child.wait().expect("loopin ends").code();
        let all = |lines: &Receiver<String>| lines.iter().collect::<Vec<_>>().join("\n");
        let stderr = format!("{}\n{}", self.heard.join("\n"), all(&self.said));
        let finished = Finished { code, stdout: all(&self.log), stderr };
        let provider = std::mem::replace(&mut self.provider, Provider::new());
        (finished, provider)
    }

    /// As `terminated`, to start again on what is there.
    fn again(mut self) -> Self {
        self.signal("TERM");
        self.child.wait().expect("loopin ends");
        let provider = std::mem::replace(&mut self.provider, Provider::new());
        let sandbox = std::mem::replace(&mut self.sandbox, Sandbox::new());
        let port = self.port;
        drop(self);
        Self::start(sandbox, provider, port)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How many: so many by hand with LOOPIN_BAR=full.
fn bar(small: usize, full: usize) -> usize {
    if std::env::var("LOOPIN_BAR").as_deref() == Ok("full") { full } else { small }
}

pub fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

pub fn wish(action: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("appCallbackUrl", APP)
        .append_pair("action", action)
        .finish()
}

#[track_caller]
pub fn json_of(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap_or_else(|e| panic!("{e}: {reply:?}"))
}

/// The code of a problem, which has to be one.
#[track_caller]
pub fn code(reply: &Reply) -> String {
    assert_eq!(Some("application/problem+json"), reply.field("content-type"), "{reply:?}");
    let body = json_of(reply);
    assert_eq!(u64::from(reply.status), body["status"].as_u64().expect("status"));
    assert!(body["request"].as_str().is_some_and(|number| number.len() == 16), "{body}");
    body["code"].as_str().expect("code").to_owned()
}

/// Where the browser is sent to the application, with this status and error.
#[track_caller]
fn sent_back(reply: &Reply) -> (String, String) {
    assert_eq!(302, reply.status, "{reply:?}");
    let to = reply.field("location").expect("location");
    assert!(to.starts_with("https://app.example.com/oauth/done?tab=1&status="), "{to}");
    (parameter(to, "status"), parameter(to, "error"))
}

#[track_caller]
fn assert_error(reply: &Reply, error: &str) {
    assert_eq!(("error".into(), error.into()), sent_back(reply));
}

#[track_caller]
pub fn assert_success(reply: &Reply) -> String {
    assert_eq!(("success".into(), String::new()), sent_back(reply));
    parameter(reply.field("location").expect("location"), "connection")
}

//! `loopin serve` between parts that nobody here wrote: two providers of different make, and headless Chromium as the
//! customer. It is set up as docs/serve.md says, by the very commands and the very configuration that stand there.

use std::{
    net::Ipv4Addr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::Receiver,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use crate::harness::{Finished, PATIENCE, Provider, Sandbox, fixed_port, installed, lines};

mod attacks;
mod browser;
#[path = "../support/connections.rs"]
mod connections;
mod providers;
mod relayed;
#[path = "../support/jwt.rs"]
mod signed;

const BASE: &str = "/api/v1/oauth2";

/// Of the document, the first block in this language that has these words.
fn documented(language: &str, words: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/serve.md");
    let document = std::fs::read_to_string(path).expect("docs/serve.md");
    let fence = format!("```{language}\n");
    let mut blocks = document.split(&fence).skip(1).filter_map(|rest| rest.split("```").next());
    let block = blocks.find(|block| block.contains(words)).unwrap_or_else(|| panic!("no {language} with {words}"));
    block.lines().map(|line| format!("{}\n", line.strip_prefix("   ").unwrap_or(line))).collect()
}

/// The text with what is real here in the place of an example, which has to be there.
fn swapped(text: &str, example: &str, real: &str) -> String {
    assert!(text.contains(example), "docs/serve.md no longer says {example}");
    text.replace(example, real)
}

/// The service that docs/serve.md sets up, with oidc-provider in the place of gitlab.com, and `second` beside it.
pub struct Service {
    pub origin: String,
    pub app_port: u16,
    pub first: Provider,
    pub second: Provider,
    /// Shared with the application.
    secret: String,
    sandbox: Sandbox,
    child: Child,
    /// Lines of the access log.
    log: Receiver<String>,
}

impl Service {
    pub fn start() -> Option<Self> {
        Self::with(|config| config)
    }

    pub fn with(change: impl FnOnce(String) -> String) -> Option<Self> {
        Self::registered(fixed_port(), None, change)
    }

    /// At this port, and with another redirect URI at the first provider than the service's own callback.
    pub fn registered(port: u16, redirect: Option<&str>, change: impl FnOnce(String) -> String) -> Option<Self> {
        installed(&["openssl"], &[])?;
        let app_port = fixed_port();
        let origin = format!("http://127.0.0.1:{port}");
        let own = format!("{origin}{BASE}/gitlab/callback");
        let redirect = redirect.unwrap_or(&own);
        let first = Provider::for_redirect(redirect)?;
        let second = Provider::second(&format!("{origin}{BASE}/second/callback"))?;
        let sandbox = Sandbox::new();
        let (etc, var) = (text_of(&sandbox.path("etc")), text_of(&sandbox.path("var")));
        let placed = |text: &str| swapped(&swapped(text, "/etc/loopin", &etc), "/var/lib/loopin", &var);

        let mut commands = Command::new("sh");
        commands
            .args(["-eu", "-c", &placed(&documented("sh", "CLIENT_SECRET"))])
            .env("CLIENT_SECRET", first.secret("loopin-web-basic"));
        Finished::new(commands.stdin(Stdio::null()).output().expect("sh runs")).assert_code(0);

        let config = placed(&documented("toml", "[server]"));
        let config = [
            ("https://connect.example.com", origin.as_str()),
            ("127.0.0.1:8080", &format!("127.0.0.1:{port}")),
            ("127.0.0.1:9090", "127.0.0.1:0"),
            ("https://app.example.com", &format!("http://127.0.0.1:{app_port}")),
            ("https://gitlab.com/oauth/authorize", first.fact("authorization_endpoint")),
            ("https://gitlab.com/oauth/token", first.fact("token_endpoint")),
            ("https://gitlab.com/oauth/revoke", first.fact("revocation_endpoint")),
            ("your-client-id", "loopin-web-basic"),
            ("[\"read_api\"]", "[\"openid\", \"offline_access\", \"read\"]"),
            ("[\"api\"]", "[\"openid\", \"read\"]"),
            // A refresh token comes with consent only, and the answer says who gave it.
            (
                "[integration.gitlab]",
                &format!("[integration.gitlab]\nissuer = \"{}\"\nparams = {{ prompt = \"consent\" }}", first.issuer),
            ),
        ]
        .iter()
        .fold(config, |config, (example, real)| swapped(&config, example, real));
        let beside = sandbox.path("etc/keys/second");
        std::fs::write(&beside, second.secret("second")).expect("secret");
        private(&beside);
        let config = format!(
            r#"{config}
[integration.second]
authorization_endpoint = "{}"
token_endpoint = "{}"
revocation_endpoint = "{}"
client_id = "second"
client_secret = {{ file = "{}" }}
token_endpoint_auth_method = "client_secret_post"
scopes = ["profile"]
"#,
            second.fact("authorization_endpoint"),
            second.fact("token_endpoint"),
            second.fact("revocation_endpoint"),
            beside.display()
        );
        std::fs::write(sandbox.path("etc/loopin.toml"), change(config)).expect("configuration");

        let file = text_of(&sandbox.path("etc/loopin.toml"));
        let checked = sandbox.run(&["serve", "check", "--config", &file]);
        checked.assert_code(0).assert_says(&format!("gitlab: {redirect}"));
        checked.assert_says(&format!("second: {origin}{BASE}/second/callback"));

        let secret = std::fs::read_to_string(sandbox.path("etc/keys/jwt")).expect("secret").trim().to_owned();
        let mut child = sandbox.loopin(&["serve", "--config", &file]).spawn().expect("loopin starts");
        let said = lines(child.stderr.take().expect("piped"));
        let log = lines(child.stdout.take().expect("piped"));
        let mut heard = Vec::new();
        while !heard.last().is_some_and(|line: &String| line.contains("state at http://")) {
            heard.push(said.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("it does not start: {heard:#?}")));
        }
        let service = Self { origin, app_port, first, second, secret, sandbox, child, log };
        assert_eq!(200, service.ask("GET", "/healthz", None, None).0);
        Some(service)
    }

    /// Runs the commands of the document that have this word; what they print.
    pub fn follow(&self, words: &str) -> String {
        let etc = text_of(&self.sandbox.path("etc"));
        let text =
            swapped(&swapped(&documented("sh", words), "/etc/loopin", &etc), "http://127.0.0.1:8080", &self.origin);
        let mut commands = Command::new("sh");
        commands.args(["-eu", "-c", &text]).stdin(Stdio::null());
        let finished = Finished::new(commands.output().expect("sh runs"));
        finished.assert_code(0);
        finished.stdout
    }

    /// What `customer.mjs` has to know.
    pub fn facts(&self) -> Value {
        json!({ "service": self.origin, "secret": self.secret, "port": self.app_port })
    }

    pub fn done(&self) -> String {
        format!("http://127.0.0.1:{}/oauth/done", self.app_port)
    }

    /// A token as the application makes them.
    pub fn jwt(&self, user: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let claims = json!({
            "iss": "https://id.example.com", "aud": "loopin", "sub": user, "org_id": "acme", "orgs": ["acme"],
            "iat": now, "exp": now + 300,
        });
        signed::jwt(&claims, &self.secret)
    }

    /// One request by this user: status and body.
    pub fn ask(&self, method: &str, path: &str, user: Option<&str>, body: Option<Value>) -> (u16, Value) {
        let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.origin));
        let request = match user {
            Some(user) => request.header("authorization", format!("Bearer {}", self.jwt(user))),
            None => request,
        };
        let text = body.map(|body| body.to_string()).unwrap_or_default();
        let request = request.header("content-type", "application/json").body(text).expect("a request");
        let mut reply = agent().run(request).expect("a reply");
        let text = reply.body_mut().read_to_string().expect("text");
        (reply.status().as_u16(), serde_json::from_str(&text).unwrap_or_default())
    }

    /// `POST /:group/token`.
    pub fn token(&self, group: &str, user: &str, wish: Value) -> (u16, Value) {
        self.ask("POST", &format!("{BASE}/{group}/token"), Some(user), Some(wish))
    }

    /// A caller that is no browser begins: the provider's address, and the cookie.
    pub fn begin(&self, group: &str, user: &str, action: &str) -> (String, String) {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("appCallbackUrl", &self.done())
            .append_pair("action", action)
            .finish();
        let request = agent().get(format!("{}{BASE}/{group}/authorize?{query}", self.origin));
        let reply = request.header("authorization", format!("Bearer {}", self.jwt(user))).call().expect("a reply");
        let field = |name: &str| reply.headers()[name].to_str().expect("ASCII").to_owned();
        (field("location"), field("set-cookie").split(';').next().expect("a pair").to_owned())
    }

    /// Ends the service; every line of its log.
    pub fn ended(&mut self) -> Vec<Value> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill runs").success());
        assert!(self.child.wait().expect("loopin ends").success());
        self.log.iter().map(|line| serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
    }

    /// Flows that wait for a provider's answer. A one-time link has a row of its own, without a browser.
    pub fn flows(&self) -> u32 {
        self.database()
            .query_row("SELECT count(*) FROM flow WHERE browser IS NOT NULL", [], |row| row.get(0))
            .expect("count")
    }

    /// User and integration of every connection.
    pub fn connections(&self) -> Vec<(String, String)> {
        let database = self.database();
        let mut rows = database.prepare("SELECT user_id, integration FROM connection ORDER BY 1, 2").expect("query");
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
        rows.map(|row| row.expect("row")).collect()
    }

    /// As if every token had been obtained and had expired long ago.
    pub fn age(&self) {
        connections::age(&self.database());
    }

    fn database(&self) -> rusqlite::Connection {
        connections::database(&self.sandbox.path("var/loopin.db"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where a callback leads: status and `Location`. `from` is the address that the proxy in front would name.
fn callback(url: &str, cookie: &str, from: Ipv4Addr) -> (u16, String) {
    let request = agent().get(url).header("cookie", cookie).header("x-forwarded-for", from.to_string());
    let reply = request.call().expect("a reply");
    let to = reply.headers().get("location").map(|to| to.to_str().expect("ASCII").to_owned());
    (reply.status().as_u16(), to.unwrap_or_default())
}

fn text_of(path: &Path) -> String {
    path.to_str().expect("path").to_owned()
}

fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("mode");
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into()
}

/// A parameter of a URL's query.
fn parameter(url: &str, name: &str) -> String {
    let url = url::Url::parse(url).unwrap_or_else(|e| panic!("{e}: {url}"));
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

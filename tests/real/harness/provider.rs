//! Authorization servers: oidc-provider, and four of other makes.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdin, Command, Stdio},
};

use serde_json::Value;

use super::{installed, kit, skip};

/// oidc-provider, ended when dropped.
pub struct Provider {
    pub issuer: String,
    facts: Value,
    child: Child,
    _stdin: ChildStdin,
}

impl Provider {
    pub fn start() -> Option<Self> {
        Self::run("provider.mjs", "oidc-provider", &[])
    }

    /// With one more redirect.
    pub fn for_redirect(redirect: &str) -> Option<Self> {
        Self::run("provider.mjs", "oidc-provider", &[("REDIRECT_URI", redirect)])
    }

    /// Whose device codes live for this many seconds.
    pub fn with_device_codes_of(seconds: u64) -> Option<Self> {
        Self::run("provider.mjs", "oidc-provider", &[("DEVICE_CODE_TTL", &seconds.to_string())])
    }

    /// Of another make: @node-oauth/oauth2-server.
    pub fn second(redirect: &str) -> Option<Self> {
        Self::run("second-provider.mjs", "@node-oauth/oauth2-server", &[("REDIRECT_URI", redirect)])
    }

    /// @cloudflare/workers-oauth-provider, by a Node that is new enough for it.
    pub fn cloudflare(redirect: &str) -> Option<Self> {
        installed(&[], &["@cloudflare/workers-oauth-provider", "miniflare"])?;
        let nodes = ["x64", "arm64"].map(|of| kit(&format!("node_modules/node-linux-{of}/bin/node")));
        let Some(node) = nodes.into_iter().find(|node| node.is_file()) else {
            return skip("no Node 22: npm ci in tests/real/parts").and(None);
        };
        Some(Self::by(Command::new(node), "cloudflare-provider.mjs", &[("REDIRECT_URI", redirect)]))
    }

    /// authgent-server.
    pub fn authgent(redirect: &str) -> Option<Self> {
        Some(Self::by(python()?, "authgent-provider.py", &[("REDIRECT_URI", redirect)]))
    }

    /// django-oauth-toolkit.
    pub fn django(redirect: &str) -> Option<Self> {
        Some(Self::by(python()?, "django-provider.py", &[("REDIRECT_URI", redirect)]))
    }

    fn run(script: &str, module: &str, variables: &[(&str, &str)]) -> Option<Self> {
        installed(&["node"], &[module])?;
        Some(Self::by(Command::new("node"), script, variables))
    }

    fn by(mut command: Command, script: &str, variables: &[(&str, &str)]) -> Self {
        command.arg(kit(script)).envs(variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the provider starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let facts: Value = serde_json::from_str(&line).expect("the provider is ready");
        let stdin = child.stdin.take().expect("piped");
        Self { issuer: facts["issuer"].as_str().expect("issuer").to_owned(), facts, child, _stdin: stdin }
    }

    pub fn fact(&self, name: &str) -> &str {
        self.facts[name].as_str().unwrap_or_else(|| panic!("{name} in {}", self.facts))
    }

    pub fn secret(&self, client: &str) -> &str {
        self.facts["secrets"][client].as_str().expect("a secret")
    }

    /// Lines of a configuration: the integration `work`, its endpoints discovered.
    pub fn discovered(&self) -> String {
        self.discovered_with("read")
    }

    pub fn discovered_with(&self, scope: &str) -> String {
        format!("[integration.work]\nissuer = \"{}\"\n{CLIENT}scopes = [\"{scope}\"]\n", self.issuer)
    }

    /// The same with explicit endpoints.
    pub fn explicit(&self) -> String {
        let endpoint = |name: &str| format!("{name} = \"{}\"\n", self.fact(name));
        let endpoints = ["authorization_endpoint", "token_endpoint", "revocation_endpoint"].map(endpoint).concat();
        format!("[integration.work]\n{endpoints}{CLIENT}scopes = [\"read\"]\n")
    }

    /// How often something was asked of it or done by it, such as "POST /token".
    pub fn count(&self, what: &str) -> u64 {
        self.counters()[what].as_u64().unwrap_or_default()
    }

    /// How often its metadata was asked for, wherever.
    pub fn discoveries(&self) -> u64 {
        let counters = self.counters();
        let asked = counters.as_object().expect("counters").iter().filter(|(what, _)| what.contains("/.well-known/"));
        asked.filter_map(|(_, count)| count.as_u64()).sum()
    }

    pub fn counters(&self) -> Value {
        let mut reply = ureq::get(format!("{}/__counters", self.issuer)).call().expect("counters");
        serde_json::from_str(&reply.body_mut().read_to_string().expect("text")).expect("JSON")
    }

    /// Whether a resource of the provider's own takes this token.
    pub fn serves(&self, token: &str) -> bool {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = agent.get(self.fact("resource_endpoint")).header("authorization", format!("Bearer {token}"));
        request.call().expect("a reply").status().is_success()
    }

    /// As an administrator would, or the user on the provider's own pages.
    pub fn end_all_grants(&self) {
        let origin = url::Url::parse(&self.issuer).expect("a URL").origin().ascii_serialization();
        ureq::post(format!("{origin}/__end")).send_empty().expect("ended");
    }

    /// Whether the provider takes this token, whosever it is (RFC 7662).
    pub fn takes(&self, token: &str) -> bool {
        let client = "loopin-web-post";
        let form = [("token", token), ("client_id", client), ("client_secret", self.secret(client))];
        let mut reply = ureq::post(self.fact("introspection_endpoint")).send_form(form).expect("introspection");
        let reply: Value = serde_json::from_str(&reply.body_mut().read_to_string().expect("text")).expect("JSON");
        reply["active"] == true
    }
}

/// The Python of the kit, with the packages of `requirements.txt`.
fn python() -> Option<Command> {
    let python = kit("venv/bin/python");
    match python.is_file() {
        true => Some(Command::new(python)),
        false => skip("no tests/real/parts/venv: tests/run makes it").and(None),
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const CLIENT: &str = "client_id = \"loopin-native\"\n";

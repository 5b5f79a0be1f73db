//! Every preset through login, token, refresh, dead grant and logout, at a practice provider in its provider's shape. What
//! that provider wants and answers is compared with the preset's file, which is read here by other means.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use loopin::{catalog::Catalog, practice, practice::Shape, secret::Secret};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{known, root, text};
use crate::harness::{
    Finished, Login, Provider, RawServer, Sandbox, fixed_port, http, json_reply, parameter, write_private,
};

const SECRET: &str = "the secret";

/// The `[integration]` table of a preset.
pub(super) fn stated(id: &str) -> toml_edit::Table {
    let path = root().join("src/catalog/presets").join(format!("{id}.toml"));
    let text = std::fs::read_to_string(path).expect("a preset");
    let document: toml_edit::DocumentMut = text.parse().expect("TOML");
    document["integration"].as_table().expect("a table").clone()
}

fn word<'t>(table: &'t toml_edit::Table, field: &str) -> Option<&'t str> {
    table.get(field).map(|item| item.as_str().expect("a text"))
}

/// The names of what the preset keeps from one place.
fn names(table: &toml_edit::Table, field: &str) -> Vec<String> {
    let list = table.get(field).map(|item| item.as_array().expect("a list"));
    list.into_iter().flatten().map(|name| name.as_str().expect("a name").to_owned()).collect()
}

/// What the preset keeps of the callback. The parameter that chooses a server of the provider, which a test must not reach,
/// is left out.
fn of_callback(table: &toml_edit::Table) -> Vec<String> {
    let chooses = table.get("token_servers").and_then(|servers| servers["parameter"].as_str());
    names(table, "keep_from_callback").into_iter().filter(|name| Some(name.as_str()) != chooses).collect()
}

/// Everything that is kept, with the values that the tests send.
pub(super) fn kept(table: &toml_edit::Table) -> Value {
    let all = of_callback(table).into_iter().chain(names(table, "keep_from_token"));
    all.map(|name| (name.clone(), Value::from(format!("value of {name}")))).collect::<serde_json::Map<_, _>>().into()
}

/// Puts what the preset keeps beside the tokens of a response.
fn with_kept(table: &toml_edit::Table, body: &str) -> String {
    let mut object: Value = serde_json::from_str(body).expect("JSON");
    for path in names(table, "keep_from_token") {
        *path.split('.').fold(&mut object, |inner, name| &mut inner[name]) = format!("value of {path}").into();
    }
    object.to_string()
}

/// An integration with the preset, whose own lines are overruled: endpoints here, a free port.
fn integration(preset: &Value, authorization: &str, token: &str, port: u16) -> String {
    let id = text(preset, "provider");
    let host = preset["hosts"][0].as_str().unwrap_or("127.0.0.1");
    let mut lines = format!(
        "[integration.work]\nprovider = \"{id}\"\nauthorization_endpoint = \"{authorization}/authorize\"\n\
         token_endpoint = \"{token}/token\"\nrevocation_endpoint = \"{token}/revoke\"\nclient_id = \"{}\"\n\
         redirect_uri = \"http://{host}:{port}/callback\"\nscopes = [\"read\", \"write\"]\n",
        practice::CLIENT_ID
    );
    for variable in ["base_url", "tenant"] {
        if let Some(example) = preset[variable]["example"].as_str() {
            lines += &format!("{variable} = \"{example}\"\n");
        }
    }
    if text(preset, "loopback") == "refused" {
        lines += "relay = \"https://acme.example/cli/work\"\n";
    }
    lines
}

/// The practice provider in the shape of a preset, and what goes in and out at its token endpoint.
pub(super) struct Shaped {
    pub(super) provider: Provider,
    pub(super) server: RawServer,
    responses: Arc<Mutex<Vec<String>>>,
    /// What the provider adds to the callback.
    callback: Vec<String>,
    host: String,
    port: u16,
}

impl Shaped {
    pub(super) fn of(preset: &Value) -> Self {
        let (host, port) = (preset["hosts"][0].as_str().unwrap_or("127.0.0.1").to_owned(), fixed_port());
        let nowhere = "http://127.0.0.1:1";
        let catalog = Catalog::parse(&integration(preset, nowhere, nowhere, port)).expect("a configuration");
        let shape = Shape::of(catalog.get("work").expect("work"), Some(Secret::new(SECRET.into())));
        let provider = Provider::shaped(shape);
        provider.register(format!("http://{host}:{port}/callback"));
        provider.register("https://acme.example/cli/work".into());
        let responses = Arc::<Mutex<Vec<String>>>::default();
        let (seen, table) = (Arc::clone(&responses), stated(text(preset, "provider")));
        let server = RawServer::before(&provider, move |reply| {
            let mut seen = seen.lock().expect("responses");
            seen.push(reply.body.clone());
            // A refresh brings nothing beside the tokens.
            match seen.len() {
                1 => json_reply(&with_kept(&table, &reply.body)),
                _ => reply.written(),
            }
        });
        Self { provider, server, responses, callback: of_callback(&stated(text(preset, "provider"))), host, port }
    }

    /// The query of a callback, with what the provider adds.
    pub(super) fn query(&self, callback: &str) -> String {
        let (_, query) = callback.split_once('?').expect("a query");
        let added: String = self.callback.iter().map(|name| format!("&{name}=value+of+{name}")).collect();
        query.to_owned() + &added
    }

    fn configure(&self, sandbox: &Sandbox, preset: &Value) {
        let secret = sandbox.path("secret");
        write_private(&secret, format!("{SECRET}\n").as_bytes());
        let more = format!(
            "client_secret = {{ file = \"{}\" }}\nstore = \"file\"\nstore_key = {{ file = \"{{key}}\" }}\n",
            secret.display()
        );
        sandbox.configure(&(integration(preset, &self.provider.origin, &self.server.origin, self.port) + &more));
    }

    /// The user allows. The browser brings the code to the listener, past a relay where there is one, and fetches the last
    /// page.
    fn allowed(&self, login: Login) -> Finished {
        let listener = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let (host, port) = (&self.host, self.port);
        let get = |target: &str| http(listener, &format!("GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n"));
        let to = login.person().decide("allow");
        let reply = get(&format!("/callback?{}", self.query(&to)));
        if let Some(to) = reply.field("location") {
            get(to.split_once(&format!(":{port}")).map_or(to, |(_, path)| path));
        }
        login.finished()
    }
}

fn hash(token: &str) -> String {
    Sha256::digest(token.trim()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_preset_serves_a_login_a_refresh_a_dead_grant_and_a_logout_in_its_providers_shape() {
    for preset in known(&Sandbox::new()) {
        let id = text(&preset, "provider");
        let table = stated(id);
        let (shaped, sandbox) = (Shaped::of(&preset), Sandbox::new());
        shaped.configure(&sandbox, &preset);
        let login = sandbox.login(&[]);
        for field in ["params", "offline_params"] {
            let sent = table.get(field).and_then(|item| item.as_table_like());
            for (name, value) in sent.into_iter().flat_map(|table| table.iter()) {
                assert_eq!(value.as_str(), Some(&*login.parameter(name)), "{id}: {name}");
            }
        }
        let separator = word(&table, "scope_separator").unwrap_or(" ");
        assert!(login.parameter("scope").starts_with(&format!("read{separator}write")), "{id}");
        shaped.allowed(login).assert_code(0);
        let first = sandbox.run(&["token", "work"]).assert_code(0).stdout.clone();
        let second = sandbox.run(&["token", "work", "--rejected", &hash(&first)]).assert_code(0).stdout.clone();
        assert!(first.starts_with("access.") && second.starts_with("access.") && first != second, "{id}");
        let shown = sandbox.run(&["token", "work", "--json"]).assert_code(0).json()["metadata"].clone();
        assert_eq!(kept(&table), shown, "{id}");
        shaped.provider.forget();
        sandbox.run(&["token", "work", "--rejected", &hash(&second)]).assert_code(4);
        sandbox.run(&["logout", "work"]).assert_code(0);
        for request in shaped.server.requests().iter().filter(|request| request.starts_with("POST /token")) {
            assert_shape(id, &table, request);
        }
        assert_nested(id, &table, &shaped.responses.lock().expect("responses"));
    }
}

/// Tokens and errors are where the preset says.
fn assert_nested(id: &str, table: &toml_edit::Table, responses: &[String]) {
    let at = |field: &str, usual: &[&str]| -> Vec<String> {
        let path = word(table, field).map(|path| path.split('.').map(str::to_owned).collect());
        path.unwrap_or_else(|| usual.iter().map(|name| (*name).to_owned()).collect())
    };
    let value = |response: &String, path: &[String]| -> Value {
        let whole: Value = serde_json::from_str(response).expect("JSON");
        path.iter().fold(whole, |inner, name| inner[name].clone())
    };
    for tokens in &responses[..2] {
        assert!(value(tokens, &at("token_at", &[]))["access_token"].is_string(), "{id}: {tokens}");
    }
    assert_eq!("invalid_grant", value(&responses[2], &at("error_at", &["error"])), "{id}: {}", responses[2]);
}

/// How the secret is sent, how the request is written, and what is in it beside the RFC's own parameters.
pub(super) fn assert_shape(id: &str, table: &toml_edit::Table, request: &str) {
    let (head, body) = request.split_once("\r\n\r\n").expect("head and body");
    let head = head.to_ascii_lowercase();
    let json: Option<Value> = (word(table, "token_request") == Some("json"))
        .then(|| serde_json::from_str(body).unwrap_or_else(|_| panic!("{id}: {request}")));
    let sent = |name: &str| match &json {
        Some(object) => object[name].as_str().unwrap_or_default().to_owned(),
        None => parameter(&format!("?{body}"), name),
    };
    let post = word(table, "token_endpoint_auth_method") == Some("client_secret_post");
    let masked = word(table, "client_secret_mask").is_some();
    assert_eq!(!post, head.contains("authorization: basic "), "{id}: {request}");
    assert_eq!((post && !masked, post), (sent("client_secret") == SECRET, !sent("client_secret").is_empty()), "{id}");
    let params = table.get("token_params").and_then(|item| item.as_table_like());
    for (name, value) in params.into_iter().flat_map(|table| table.iter()) {
        assert_eq!(value.as_str(), Some(&*sent(name)), "{id}: {name}");
    }
}

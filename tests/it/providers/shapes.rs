//! Every preset through login, token, refresh, dead grant and logout, at a server that has the preset's shape: how the
//! secret is sent, how requests are written, where the response is nested.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::{Value, json};

use super::{known, root, text};
use crate::harness::{Finished, Login, RawServer, Sandbox, fixed_port, http, parameter, send, write_private};

/// The first 16 digits of the SHA-256 of "first".
const FIRST: &str = "a7937b64b8caa58f";
/// Of "second".
const SECOND: &str = "16367aacb67a4a01";

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

/// Puts the response where the preset says that it stands.
fn nested(table: &toml_edit::Table, response: Value) -> String {
    let nested = match word(table, "token_at") {
        None => response,
        Some(path) => path.rsplit('.').fold(response, |inner, name| json!({ name: inner })),
    };
    nested.to_string()
}

/// A token endpoint of that shape. Its second refresh finds a dead grant.
pub(super) fn server(table: &toml_edit::Table) -> RawServer {
    let tokens = |access: &str, refresh: &str| {
        nested(table, json!({ "access_token": access, "refresh_token": refresh, "expires_in": 3600 }))
    };
    let (first, second, refreshed) =
        (tokens("first", "refresh-1"), tokens("second", "refresh-2"), Arc::new(AtomicBool::new(false)));
    RawServer::new(move |request, stream| {
        let refresh = request.contains("refresh-");
        let (status, body) = match (refresh, request.starts_with("POST /revoke")) {
            (_, true) => (200, "{}"),
            (false, _) => (200, &*first),
            (true, _) if !refreshed.swap(true, Ordering::SeqCst) => (200, &*second),
            (true, _) => (400, r#"{"error":"invalid_grant"}"#),
        };
        send(stream, status, "Content-Type: application/json\r\n", body.as_bytes());
    })
}

/// Where the preset's own lines are overruled: endpoints here, a free port, a secret in a file.
fn configure(sandbox: &Sandbox, server: &RawServer, preset: &Value) -> u16 {
    let (id, origin, port) = (text(preset, "provider"), &server.origin, fixed_port());
    let host = preset["hosts"][0].as_str().unwrap_or("127.0.0.1");
    let secret = sandbox.path("secret");
    write_private(&secret, b"the secret\n");
    let mut lines = format!(
        "[integration.work]\nprovider = \"{id}\"\nauthorization_endpoint = \"{origin}/authorize\"\n\
         token_endpoint = \"{origin}/token\"\nrevocation_endpoint = \"{origin}/revoke\"\nclient_id = \"me\"\n\
         client_secret = {{ file = \"{}\" }}\nredirect_uri = \"http://{host}:{port}/callback\"\nscopes = [\"read\"]\n\
         store = \"file\"\nstore_key = {{ file = \"{{key}}\" }}\n",
        secret.display()
    );
    for variable in ["base_url", "tenant"] {
        if let Some(example) = preset[variable]["example"].as_str() {
            lines += &format!("{variable} = \"{example}\"\n");
        }
    }
    if text(preset, "loopback") == "refused" {
        lines += "relay = \"https://acme.example/cli/work\"\n";
    }
    sandbox.configure(&lines);
    port
}

/// Brings a code to the listener, past a relay where there is one, and fetches the last page.
fn answered(login: Login, host: &str, port: u16) -> Finished {
    let listener = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let get = |target: &str| http(listener, &format!("GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n"));
    let reply = get(&format!("/callback?code=x&state={}", login.state()));
    if let Some(to) = reply.field("location") {
        get(to.split_once(&format!(":{port}")).map_or(to, |(_, path)| path));
    }
    login.finished()
}

#[test]
fn every_preset_serves_a_login_a_refresh_a_dead_grant_and_a_logout_in_its_providers_shape() {
    for preset in known(&Sandbox::new()) {
        let id = text(&preset, "provider");
        let table = stated(id);
        let (server, sandbox) = (server(&table), Sandbox::new());
        let port = configure(&sandbox, &server, &preset);
        let host = preset["hosts"][0].as_str().unwrap_or("127.0.0.1");
        let login = sandbox.login(&[]);
        for field in ["params", "offline_params"] {
            let sent = table.get(field).and_then(|item| item.as_table_like());
            for (name, value) in sent.into_iter().flat_map(|table| table.iter()) {
                assert_eq!(value.as_str(), Some(&*login.parameter(name)), "{id}: {name}");
            }
        }
        answered(login, host, port).assert_code(0);
        assert_eq!("first\n", sandbox.run(&["token", "work"]).assert_code(0).stdout, "{id}");
        let second = sandbox.run(&["token", "work", "--rejected", FIRST]);
        assert_eq!("second\n", second.assert_code(0).stdout, "{id}");
        sandbox.run(&["token", "work", "--rejected", SECOND]).assert_code(4);
        sandbox.run(&["logout", "work"]).assert_code(0);
        for request in server.requests().iter().filter(|request| request.starts_with("POST /token")) {
            assert_shape(id, &table, request);
        }
    }
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
    assert_eq!(
        (post && !masked, post),
        (sent("client_secret") == "the secret", !sent("client_secret").is_empty()),
        "{id}"
    );
    let params = table.get("token_params").and_then(|item| item.as_table_like());
    for (name, value) in params.into_iter().flat_map(|table| table.iter()) {
        assert_eq!(value.as_str(), Some(&*sent(name)), "{id}: {name}");
    }
}

//! Which endpoints are spoken to at all, and that nothing leads away from them. X02, X03, X05.

use loopin::practice::Fault;
use serde_json::json;

use super::assert_nothing_stored;
use crate::harness::{JSON, Provider, RawServer, Sandbox, TOKENS, origin_of, send};

#[test]
fn x02_an_endpoint_that_is_not_safe_is_refused_with_its_place_in_the_file() {
    let unsafe_urls = [
        "http://provider.example/x",
        "ftp://provider.example/x",
        "https://me:word@provider.example/x",
        "https://provider.example/x#y",
        "https:\\\\\\\\provider.example/x",
        "https:///x",
        "file:///etc/passwd",
        "http://127.0.0.1.provider.example/x",
        "javascript:alert(1)",
    ];
    let usual = RawServer::json(200, TOKENS);
    for key in ["authorization_endpoint", "token_endpoint", "revocation_endpoint"] {
        for url in unsafe_urls {
            let sandbox = Sandbox::new();
            let text: String = usual
                .integration()
                .lines()
                .map(|line| if line.starts_with(key) { format!("{key} = \"{url}\"\n") } else { format!("{line}\n") })
                .collect();
            let line = text.lines().position(|l| l.starts_with(key)).expect("the key") + 1;
            sandbox.configure(&text);
            let refused = sandbox.run(&["login", "work", "--timeout", "1s"]);
            refused.assert_code(3).assert_says(&format!("{key} is not a safe URL"));
            refused.assert_says(&format!("line {line}, column {}", key.len() + 4));
        }
    }
    assert_eq!(0, usual.requests().len());
}

#[test]
fn x02_metadata_that_names_an_unsafe_endpoint_is_refused_before_anybody_is_sent_there() {
    for (key, url) in [
        ("authorization_endpoint", "http://provider.example/a"),
        ("token_endpoint", "http://provider.example/t"),
        ("token_endpoint", "https://me:word@provider.example/t"),
    ] {
        let server = RawServer::new(move |_, stream| {
            let origin = origin_of(stream);
            let mut metadata = json!({
                "issuer": origin, "authorization_endpoint": format!("{origin}/a"),
                "token_endpoint": format!("{origin}/t"), "code_challenge_methods_supported": ["S256"],
            });
            metadata[key] = url.into();
            send(stream, 200, JSON, metadata.to_string().as_bytes());
        });
        let sandbox = Sandbox::new();
        sandbox.configure(&format!("[integration.work]\nissuer = \"{}\"\nclient_id = \"me\"\nstore = \"file\"\nstore_key = {{ file = \"{{key}}\" }}\n", server.origin));
        let refused = sandbox.run(&["login", "work", "--timeout", "1s"]);
        refused.assert_code(9).assert_says(&format!("{key} in the provider's metadata is not a safe URL"));
        assert!(!refused.stderr.contains("To sign in"), "{refused:?}");
        assert_nothing_stored(&sandbox);
    }
}

#[test]
fn x02_a_grant_belongs_to_the_endpoints_it_was_made_at() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    for (from, to) in [("/token", "/other"), ("client_id = \"me\"", "client_id = \"other\"")] {
        sandbox.configure(&server.integration().replace(from, to));
        let token = sandbox.run(&["token", "work"]);
        token.assert_code(4).assert_says("changed since the login").assert_says("loopin login work");
        assert_eq!("", token.stdout);
        sandbox.run(&["status", "work"]).assert_code(4).assert_says("changed since");
    }
    sandbox.configure(&server.integration());
    sandbox.run(&["token", "work"]).assert_code(0);
}

#[test]
fn x03_a_token_endpoint_that_redirects_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let sink = RawServer::json(200, TOKENS);
        let provider = Provider::with(vec![Fault::TokenRedirect { status, to: format!("{}/token", sink.origin) }]);
        let sandbox = Sandbox::with(&provider);
        let login = sandbox.login(&[]);
        let page = login.person().allow();
        assert!(page.body.contains("You are not signed in"), "{page:?}");
        let finished = login.finished();
        finished.assert_code(7).assert_says(&format!("answered with a redirect (status {status})"));
        finished.assert_says("write the final address as token_endpoint").assert_says("nothing was stored");
        assert_eq!(0, sink.requests().len(), "the code went on to another server");
        assert_nothing_stored(&sandbox);
    }
}

#[test]
fn x03_discovery_and_revocation_follow_no_redirect_to_another_server() {
    let sink = RawServer::json(200, TOKENS);
    let away = format!("Location: {}/x\r\n", sink.origin);
    let to = away.clone();
    let issuer = RawServer::new(move |_, stream| send(stream, 302, &to, b""));
    let sandbox = Sandbox::new();
    sandbox.configure(&format!("[integration.work]\nissuer = \"{}\"\nclient_id = \"me\"\nstore = \"file\"\nstore_key = {{ file = \"{{key}}\" }}\n", issuer.origin));
    sandbox.run(&["login", "work", "--timeout", "1s"]).assert_code(7).assert_says("no usable metadata");

    let server = RawServer::new(move |request, stream| match request.starts_with("POST /revoke") {
        true => send(stream, 307, &away, b""),
        false => send(stream, 200, "", TOKENS.as_bytes()),
    });
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    sandbox.run(&["logout", "work"]).assert_code(0).assert_says("refused to revoke (status 307)");
    assert_eq!(0, sink.requests().len());
}

#[test]
fn x05_a_server_without_tls_is_told_as_such_and_never_spoken_to_in_clear() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::new();
    sandbox.configure(&server.integration().replace("http://", "https://"));
    sandbox.log_in(&[]).assert_code(7).assert_says("TLS");
    assert!(server.requests().iter().all(|request| !request.contains("a-code")));
    assert_nothing_stored(&sandbox);
}

//! `ca` of an integration: a provider whose certificate only the integration's own file makes known.

use super::*;
use crate::harness::{Proxy, TlsServer, json_reply};

/// The configuration with one integration, at an issuer that a proxy leads to.
fn naming(provider: &Provider, port: u16, ca: &str) -> String {
    let config = config(provider, port);
    let (before, _) = config.split_once("[integration.wiki]").expect("a table");
    format!(
        "{before}[integration.wiki]\nissuer = \"https://op.test\"\nca = \"{ca}\"\nclient_id = \"me\"\nscopes = \
         [\"base\"]\n"
    )
}

fn certified(sandbox: &Sandbox) -> TlsServer {
    sandbox.ca("corp");
    sandbox.certificate_of("corp", "server", "DNS:op.test");
    let issued = std::sync::atomic::AtomicU32::new(0);
    TlsServer::new(sandbox, move |request| {
        let at = |path: &str| format!("https://op.test{path}");
        let metadata = json!({
            "issuer": at(""), "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
            "revocation_endpoint": at("/revoke"), "code_challenge_methods_supported": ["S256"],
        });
        let next = issued.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let tokens = json!({
            "access_token": format!("token-{next}"), "refresh_token": "r", "token_type": "Bearer", "expires_in": 3600,
        });
        json_reply(&if request.starts_with("GET ") { metadata } else { tokens }.to_string())
    })
}

#[test]
fn d21_the_service_trusts_the_cas_of_the_integration_for_discovery_code_refresh_and_revocation() {
    let (sandbox, provider, port) = (Sandbox::new(), Provider::new(), fixed_port());
    prepare(&sandbox, &naming(&provider, port, "corp.pem"));
    let server = certified(&sandbox);
    let proxy = Proxy::to(&server);
    let mut command = sandbox.loopin(&["serve", "--config"]);
    command.env("ALL_PROXY", proxy.url("http://"));
    let serving = Serving::run(command, sandbox, provider, port);
    let mut jar = Jar::default();
    let begun = serving.begin("ada", &mut jar, "");
    let state = parameter(begun.field("location").unwrap_or_else(|| panic!("{begun:?}")), "state");
    assert_success(&serving.finish(&jar, &format!("{BASE}/wiki/callback?code=x&state={state}")));
    let first = json_of(&serving.token("ada"));
    serving.age();
    let second = json_of(&serving.token("ada"));
    assert_ne!(first["access_token"], second["access_token"], "{second:#}");
    let path = format!("{BASE}/connections/{}", second["connection"].as_str().expect("an identifier"));
    let ended = serving.request("DELETE", &path, &bearer(&token_of("ada", "acme")), "");
    assert_eq!("yes", json_of(&ended)["revoked"], "{ended:?}");
    // Metadata, code, refresh, revocation.
    assert_eq!(4, server.connections());
}

#[test]
fn d21_the_service_does_not_start_with_a_file_of_cas_that_cannot_be_used() {
    let (sandbox, provider) = (Sandbox::new(), Provider::new());
    let config = naming(&provider, fixed_port(), "missing.pem");
    prepare(&sandbox, &config);
    let line = config.lines().position(|line| line.starts_with("ca = ")).expect("a line") + 1;
    let path = sandbox.path("loopin.toml").display().to_string();
    for verb in [&["serve", "check", "--config", &path][..], &["serve", "--config", &path]] {
        sandbox.run(verb).assert_code(3).assert_says("[integration.wiki]: ").assert_says(&format!(
            "missing.pem\" (ca in line {line} of the configuration) cannot be used: no such file"
        ));
    }
    assert!(!sandbox.path("loopin.db").exists());
}

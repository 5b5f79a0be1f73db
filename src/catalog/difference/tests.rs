use super::*;
use crate::{
    catalog::Catalog,
    oauth::{Endpoint, IdTokenAlgorithms},
};

const EXPLICIT: &str = "authorization_endpoint = \"https://op.example/authorize\"\n\
     token_endpoint = \"https://op.example/token\"\nissuer = \"https://op.example\"\ncode_challenge_method = \"S256\"\n";
const DISCOVERED: &str = "issuer = \"https://op.example\"\n";
const SECRET: &str = "client_secret = { env = \"SECRET\" }\n";

fn integration(lines: &str) -> Integration {
    let text = format!("[integration.work]\nclient_id = \"me\"\n{lines}");
    Catalog::parse(&text).expect("configuration").get("work").expect("work").clone()
}

fn endpoint(path: &str) -> Endpoint {
    Endpoint::parse(&format!("https://op.example/{path}")).expect("endpoint")
}

fn published() -> AuthorizationServer {
    AuthorizationServer {
        issuer: Issuer::parse("https://op.example").ok(),
        issuer_template: None,
        authorization_endpoint: endpoint("authorize"),
        token_endpoint: endpoint("token"),
        revocation_endpoint: None,
        device_authorization_endpoint: None,
        iss_parameter: IssParameter::NotPromised,
        s256: S256::Promised,
        id_token_algorithms: IdTokenAlgorithms::Unstated,
        authentication_methods: AuthenticationMethods::Unstated,
    }
}

fn listed(names: &[&str]) -> AuthenticationMethods {
    AuthenticationMethods::new(names.iter().map(|name| (*name).to_owned()))
}

/// Name, effect and fix of each difference.
fn found(lines: &str, published: &AuthorizationServer) -> Vec<(&'static str, Effect, String)> {
    let differences = integration(lines).differences(published).into_iter();
    differences.map(|found| (found.name, found.effect, found.fix.unwrap_or_default())).collect()
}

#[test]
fn a_table_that_agrees_with_the_metadata_has_no_differences() {
    for lines in [EXPLICIT, DISCOVERED, "issuer = \"https://op.example\"\nrequire_pkce = true\n"] {
        assert_eq!(Vec::<(&str, Effect, String)>::new(), found(lines, &published()), "{lines}");
    }
}

#[test]
fn each_endpoint_that_differs_is_shown_with_the_line_that_takes_over_the_published_one() {
    let moved = AuthorizationServer {
        authorization_endpoint: endpoint("v2/authorize"),
        token_endpoint: endpoint("v2/token"),
        revocation_endpoint: Some(endpoint("v2/revoke")),
        ..published()
    };
    let line = |name: &str, path: &str| format!("{name} = \"https://op.example/{path}\"");
    assert_eq!(
        vec![
            ("authorization_endpoint", Effect::Warning, line("authorization_endpoint", "v2/authorize")),
            ("token_endpoint", Effect::Warning, line("token_endpoint", "v2/token")),
            ("revocation_endpoint", Effect::Warning, line("revocation_endpoint", "v2/revoke")),
        ],
        found(EXPLICIT, &moved)
    );
    let unnamed = EXPLICIT.replace("issuer = \"https://op.example\"\n", "");
    assert_eq!(
        vec![("issuer", Effect::Warning, "issuer = \"https://op.example\"".into())],
        found(&unnamed, &published())
    );
    assert!(found(DISCOVERED, &moved).is_empty(), "discovered endpoints are the published ones");
}

#[test]
fn a_device_authorization_endpoint_differs_only_where_one_is_stated() {
    const NAME: &str = "device_authorization_endpoint";
    let published = AuthorizationServer { device_authorization_endpoint: Some(endpoint("v2/device")), ..published() };
    assert!(found(EXPLICIT, &published).is_empty(), "most integrations need none");
    for lines in [EXPLICIT, DISCOVERED] {
        let stated = |path: &str| format!("{NAME} = \"https://op.example/{path}\"\n{lines}");
        let expected = vec![(NAME, Effect::Warning, format!("{NAME} = \"https://op.example/v2/device\""))];
        assert_eq!(expected, found(&stated("device"), &published), "{lines}");
        assert!(found(&stated("v2/device"), &published).is_empty(), "{lines}");
    }
}

#[test]
fn a_client_secret_that_the_server_does_not_accept_as_it_is_sent_is_a_difference() {
    let name = "token_endpoint_auth_methods_supported";
    let post = AuthorizationServer { authentication_methods: listed(&["client_secret_post"]), ..published() };
    let line = "token_endpoint_auth_method = \"client_secret_post\"".to_owned();
    assert_eq!(vec![(name, Effect::Warning, line)], found(&format!("{EXPLICIT}{SECRET}"), &post));
    assert!(found(&format!("{DISCOVERED}{SECRET}"), &post).is_empty(), "a discovered method is used");
    let keys = AuthorizationServer { authentication_methods: listed(&["private_key_jwt"]), ..published() };
    for (lines, effect) in [(DISCOVERED, Effect::LoginFails), (EXPLICIT, Effect::Warning)] {
        let found = found(&format!("{lines}{SECRET}"), &keys);
        assert_eq!(vec![(name, effect)], found.iter().map(|found| (found.0, found.1)).collect::<Vec<_>>(), "{lines}");
    }
    assert_eq!(Some(name), found(DISCOVERED, &post).first().map(|found| found.0), "a client without a secret");
    let public = AuthorizationServer { authentication_methods: listed(&["client_secret_post", "none"]), ..published() };
    assert!(found(DISCOVERED, &public).is_empty());
}

#[test]
fn pkce_that_is_required_and_not_published_makes_a_login_fail() {
    let plain = AuthorizationServer { s256: S256::NotPromised, ..published() };
    let required = |lines: &str| lines.replace("code_challenge_method = \"S256\"", "require_pkce = true");
    for (lines, published, effect) in [
        ("issuer = \"https://op.example\"\nrequire_pkce = true\n", &plain, Some(Effect::LoginFails)),
        (&required(EXPLICIT), &published(), Some(Effect::LoginFails)),
        (DISCOVERED, &plain, Some(Effect::Warning)),
        (EXPLICIT, &plain, Some(Effect::Warning)),
        (&EXPLICIT.replace("\"S256\"", "\"off\""), &published(), Some(Effect::Warning)),
        (&EXPLICIT.replace("code_challenge_method = \"S256\"\n", ""), &published(), Some(Effect::Warning)),
        (&EXPLICIT.replace("\"S256\"", "\"off\""), &plain, None),
    ] {
        let found = found(lines, published);
        assert_eq!(effect, found.first().map(|found| found.1), "{lines}");
        assert!(found.iter().all(|found| found.0 == "code_challenge_methods_supported"), "{found:?}");
    }
}

#[test]
fn an_iss_parameter_that_is_published_can_be_relied_on() {
    let name = "authorization_response_iss_parameter_supported";
    let promised = AuthorizationServer { iss_parameter: IssParameter::Promised, ..published() };
    assert_eq!(vec![(name, Effect::Warning, format!("{name} = true"))], found(EXPLICIT, &promised));
    assert!(found(DISCOVERED, &promised).is_empty());
    let stated = format!("{EXPLICIT}{name} = true\n");
    assert!(found(&stated, &promised).is_empty());
    assert_eq!(Some(name), found(&stated, &published()).first().map(|found| found.0));
}

#[test]
fn metadata_is_looked_for_at_the_issuer_or_at_the_origin_of_the_authorization_endpoint() {
    let unnamed = EXPLICIT.replace("issuer = \"https://op.example\"\n", "").replace("op.example", "op.example:8443/a");
    for (lines, issuer) in [
        (DISCOVERED, "https://op.example"),
        (&DISCOVERED.replace("op.example", "op.example/realms/a"), "https://op.example/realms/a"),
        (EXPLICIT, "https://op.example"),
        (&unnamed, "https://op.example:8443"),
    ] {
        assert_eq!(issuer, integration(lines).presumed_issuer().as_str(), "{lines}");
    }
}

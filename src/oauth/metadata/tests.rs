//! Where metadata is looked for, and what of it is believed.

use std::{cell::RefCell, collections::BTreeMap};

use serde_json::{Value, json};

use super::*;
use crate::oauth::HttpResponse;

/// A site: what it answers at which address; 404 everywhere else.
#[derive(Default)]
struct Site {
    answers: BTreeMap<String, (u16, String)>,
    asked: RefCell<Vec<String>>,
}

impl Site {
    fn with(mut self, url: &str, status: u16, body: impl ToString) -> Self {
        self.answers.insert(url.to_owned(), (status, body.to_string()));
        self
    }

    fn discover(&self, issuer: &str) -> Result<AuthorizationServer, DiscoveryError> {
        discover(&Issuer::parse(issuer).expect("issuer"), self)
    }
}

impl HttpClient for Site {
    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        assert_eq!("GET", request.method());
        let url = request.uri().to_string();
        let (status, body) = self.answers.get(&url).cloned().unwrap_or((404, "nothing here".into()));
        self.asked.borrow_mut().push(url);
        let mut reply = HttpResponse::new(body.into_bytes());
        *reply.status_mut() = http::StatusCode::from_u16(status).expect("status");
        Ok(reply)
    }
}

const ISSUER: &str = "https://op.example";
const RFC_8414: &str = "https://op.example/.well-known/oauth-authorization-server";
const OPENID: &str = "https://op.example/.well-known/openid-configuration";

/// A good document with these fields changed; `null` takes one away.
fn document(changes: Value) -> Value {
    let mut document = json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://op.example/authorize",
        "token_endpoint": "https://op.example/token",
        "revocation_endpoint": "https://op.example/revoke",
        "code_challenge_methods_supported": ["plain", "S256"],
        "authorization_response_iss_parameter_supported": true,
        "jwks_uri": "https://op.example/jwks",
    });
    for (name, value) in changes.as_object().expect("object") {
        match value {
            Value::Null => drop(document.as_object_mut().expect("object").remove(name)),
            value => document[name] = value.clone(),
        }
    }
    document
}

fn read(changes: Value) -> Result<AuthorizationServer, DiscoveryError> {
    Site::default().with(RFC_8414, 200, document(changes)).discover(ISSUER)
}

#[test]
fn a_document_gives_every_endpoint_and_promise() {
    let endpoint = |path: &str| Endpoint::parse(&format!("{ISSUER}{path}")).expect("endpoint");
    let expected = AuthorizationServer {
        issuer: Some(Issuer::parse(ISSUER).expect("issuer")),
        authorization_endpoint: endpoint("/authorize"),
        token_endpoint: endpoint("/token"),
        revocation_endpoint: Some(endpoint("/revoke")),
        iss_parameter: IssParameter::Promised,
        s256: S256::Promised,
        id_token_algorithms: IdTokenAlgorithms::Unstated,
    };
    assert_eq!(Ok(expected), read(json!({})));
}

#[test]
fn h13_the_algorithms_of_id_tokens_are_those_in_the_document() {
    let read = |listed: Value| {
        read(json!({ "id_token_signing_alg_values_supported": listed })).map(|server| server.id_token_algorithms)
    };
    let listed = IdTokenAlgorithms::Listed(vec!["RS256".into(), "ES256".into()]);
    assert_eq!(Ok(listed), read(json!(["RS256", "ES256"])));
    for none in [json!([]), json!(null), json!(["two words", ""])] {
        assert_eq!(Ok(IdTokenAlgorithms::Unstated), read(none));
    }
    let many = IdTokenAlgorithms::new((0..1000).map(|number| format!("A{number}")));
    assert_eq!(64, many.names().len(), "a service keeps them with every flow");
}

#[test]
fn the_well_known_places_are_those_of_both_standards_in_order() {
    for (issuer, places) in [
        ("https://op.example", [RFC_8414, OPENID]),
        ("https://op.example/", [RFC_8414, OPENID]),
        (
            "https://op.example:8443/realms/a",
            [
                "https://op.example:8443/.well-known/oauth-authorization-server/realms/a",
                "https://op.example:8443/realms/a/.well-known/openid-configuration",
            ],
        ),
        (
            "https://op.example/realms/a/",
            [
                "https://op.example/.well-known/oauth-authorization-server/realms/a",
                "https://op.example/realms/a/.well-known/openid-configuration",
            ],
        ),
        (
            "http://127.0.0.1:8000",
            [
                "http://127.0.0.1:8000/.well-known/oauth-authorization-server",
                "http://127.0.0.1:8000/.well-known/openid-configuration",
            ],
        ),
    ] {
        let site = Site::default();
        assert_eq!(Err(DiscoveryError::NotFound), site.discover(issuer));
        assert_eq!(places, **site.asked.borrow(), "{issuer}");
    }
}

#[test]
fn the_first_document_ends_the_search() {
    let site = Site::default().with(RFC_8414, 200, document(json!({}))).with(
        OPENID,
        200,
        document(json!({ "token_endpoint": "https://x.example/" })),
    );
    assert_eq!("https://op.example/token", site.discover(ISSUER).expect("server").token_endpoint.as_str());
    assert_eq!([RFC_8414], **site.asked.borrow());
}

#[test]
fn what_is_no_document_leads_on_to_the_next_place() {
    for (status, body) in [
        (404, "nothing here"),
        (403, "{}"),
        (301, ""),
        (200, "<!doctype html><title>Welcome</title>"),
        (200, ""),
        (200, "{}"),
        (200, "[]"),
        (200, r#"{"error":"not found"}"#),
        (200, r#"{"issuer":7}"#),
        (200, r#"{"issuer":"https://op.example","issuer":"https://evil.example"}"#),
    ] {
        let site = Site::default().with(RFC_8414, status, body).with(OPENID, 200, document(json!({})));
        assert!(site.discover(ISSUER).is_ok(), "{status} {body}");
        assert_eq!([RFC_8414, OPENID], **site.asked.borrow(), "{status} {body}");
    }
}

#[test]
fn a_failing_server_is_asked_again_later_and_not_elsewhere() {
    for status in [500, 502, 503] {
        let site = Site::default().with(RFC_8414, status, "<h1>oops</h1>").with(OPENID, 200, document(json!({})));
        let expected = DiscoveryError::Unreachable(HttpError::Broken(format!("status {status}")));
        assert_eq!(Err(expected), site.discover(ISSUER));
        assert_eq!([RFC_8414], **site.asked.borrow());
    }
}

#[test]
fn no_reply_is_told_as_what_it_is() {
    struct Dead;
    impl HttpClient for Dead {
        fn send(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
            Err(HttpError::Timeout)
        }
    }
    let issuer = Issuer::parse(ISSUER).expect("issuer");
    assert_eq!(Err(DiscoveryError::Unreachable(HttpError::Timeout)), discover(&issuer, &Dead));
}

#[test]
fn x01_the_issuer_in_the_document_is_the_configured_one_byte_for_byte() {
    for other in [
        "https://op.example/",
        "https://OP.example",
        "https://op.example:443",
        "http://op.example",
        "https://op.example.evil.example",
        "https://evil.example",
        "HTTPS://op.example",
        " https://op.example",
        "",
    ] {
        assert_eq!(Err(DiscoveryError::OtherIssuer), read(json!({ "issuer": other })), "{other:?}");
    }
    let with_slash = Site::default().with(RFC_8414, 200, document(json!({})));
    assert_eq!(Err(DiscoveryError::OtherIssuer), with_slash.discover("https://op.example/"));
}

#[test]
fn x02_an_unsafe_endpoint_is_refused_by_name() {
    use EndpointError::*;
    for name in ["authorization_endpoint", "token_endpoint", "revocation_endpoint"] {
        for (url, why) in [
            ("http://op.example/x", PlainHttp),
            ("https://user@op.example/x", Userinfo),
            ("https://user:pass@op.example/x", Userinfo),
            ("https://op.example/x#fragment", Fragment),
            ("ftp://op.example/x", Scheme),
            ("file://op.example/etc/passwd", Scheme),
            ("javascript:alert(1)", NoHost),
            ("/authorize", NotAUrl),
            ("", NotAUrl),
            ("https:op.example/x", NoHost),
            ("https:///op.example/x", NoHost),
            ("https://op.example\\x", UnsafeCharacter),
            ("https://op.example/a b", UnsafeCharacter),
            ("https://op.example/\r\nx", UnsafeCharacter),
        ] {
            assert_eq!(Err(DiscoveryError::Endpoint { name, why }), read(json!({ name: url })), "{name} {url}");
        }
    }
}

#[test]
fn x02_plain_http_is_for_the_loopback_interface_only() {
    let endpoint = "http://127.0.0.1:8000/token";
    assert_eq!(endpoint, read(json!({ "token_endpoint": endpoint })).expect("server").token_endpoint.as_str());
}

#[test]
fn an_endpoint_that_a_login_needs_may_not_be_missing() {
    for name in ["authorization_endpoint", "token_endpoint"] {
        assert_eq!(Err(DiscoveryError::Missing(name)), read(json!({ name: null })));
    }
    assert_eq!(None, read(json!({ "revocation_endpoint": null })).expect("server").revocation_endpoint);
}

#[test]
fn a_promise_counts_only_when_it_is_made() {
    for (methods, expected) in [
        (json!(null), S256::NotPromised),
        (json!([]), S256::NotPromised),
        (json!(["plain"]), S256::NotPromised),
        (json!(["s256"]), S256::NotPromised),
        (json!(["S256"]), S256::Promised),
        (json!(["plain", "S256"]), S256::Promised),
    ] {
        assert_eq!(
            expected,
            read(json!({ "code_challenge_methods_supported": methods })).expect("server").s256,
            "{methods}"
        );
    }
    for (promise, expected) in [
        (json!(null), IssParameter::NotPromised),
        (json!(false), IssParameter::NotPromised),
        (json!(true), IssParameter::Promised),
    ] {
        let server = read(json!({ "authorization_response_iss_parameter_supported": promise })).expect("server");
        assert_eq!(expected, server.iss_parameter, "{promise}");
    }
}

//! Where metadata is looked for, and what of it is believed.

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use oauth2::http;
use serde_json::{Value, json};

use super::*;
use crate::oauth::{AtMost, EndpointError, HttpClient, HttpError, HttpRequest, HttpResponse};

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
        "device_authorization_endpoint": "https://op.example/device",
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
        issuer_template: None,
        authorization_endpoint: endpoint("/authorize"),
        token_endpoint: endpoint("/token"),
        revocation_endpoint: Some(endpoint("/revoke")),
        device_authorization_endpoint: Some(endpoint("/device")),
        iss_parameter: IssParameter::Promised,
        s256: S256::Promised,
        id_token_algorithms: IdTokenAlgorithms::Unstated,
        authentication_methods: crate::oauth::AuthenticationMethods::Unstated,
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
        assert!(matches!(site.discover(issuer), Err(DiscoveryError::NotFound { .. })));
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
fn d11_whatever_fails_at_the_first_place_the_second_is_asked() {
    for status in [204, 400, 429, 500, 502, 503] {
        let site = Site::default().with(RFC_8414, status, "<h1>oops</h1>").with(OPENID, 200, document(json!({})));
        assert!(site.discover(ISSUER).is_ok(), "{status}");
    }
    /// Gives no answer at the first place, and remembers how long it was to be waited for.
    struct Silent(Site, HttpError, RefCell<Vec<Option<AtMost>>>);
    impl HttpClient for Silent {
        fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
            self.2.borrow_mut().push(request.extensions().get().copied());
            if request.uri() == RFC_8414 { Err(self.1.clone()) } else { self.0.send(request) }
        }
    }
    let issuer = Issuer::parse(ISSUER).expect("issuer");
    for error in [HttpError::Timeout, HttpError::Broken("reset".into()), HttpError::TooLarge] {
        let site = Site::default().with(OPENID, 200, document(json!({})));
        let silent = Silent(site, error.clone(), RefCell::default());
        assert!(discover(&issuer, &silent).is_ok(), "{error}");
        assert_eq!([Some(AtMost(Duration::from_secs(8))), None], **silent.2.borrow());
    }
    let incomplete = Site::default().with(RFC_8414, 200, document(json!({ "token_endpoint": "" }))).with(
        OPENID,
        200,
        document(json!({})),
    );
    assert!(incomplete.discover(ISSUER).is_ok(), "the second document is complete");
}

#[test]
fn d11_when_no_place_has_metadata_each_is_named_with_what_it_has() {
    let site = Site::default().with(RFC_8414, 503, "").with(OPENID, 200, r#"{"issuer":null}"#);
    let error = site.discover(ISSUER).expect_err("no metadata");
    assert!(error.is_passing(), "the first place may recover");
    let said = error.to_string();
    assert!(
        said.starts_with(&format!("no usable metadata for {ISSUER}: {RFC_8414} answers 503; {OPENID} has no issuer"))
    );
    for (body, why) in [
        ("<html>", "is not JSON"),
        ("{}", "has no issuer"),
        (r#"{"issuer":"https://op.example","issuer":"https://op.example"}"#, "is not metadata"),
        (&document(json!({ "authorization_endpoint": null })).to_string(), "has no authorization_endpoint"),
    ] {
        let site = Site::default().with(OPENID, 200, body);
        let error = site.discover(ISSUER).expect_err(why);
        assert!(error.to_string().contains(&format!("{RFC_8414} answers 404; {OPENID} {why}")), "{error}");
        assert!(!error.is_passing(), "{error}");
    }
}

#[test]
fn d11_a_value_that_says_nothing_is_as_good_as_none() {
    for nothing in ["null", "\"\"", "7", "{}"] {
        for name in [
            "revocation_endpoint",
            "device_authorization_endpoint",
            "code_challenge_methods_supported",
            "id_token_signing_alg_values_supported",
            "authorization_response_iss_parameter_supported",
        ] {
            let mut document = document(json!({}));
            document[name] = nothing.parse().expect("JSON");
            let server = Site::default().with(RFC_8414, 200, document).discover(ISSUER);
            assert!(server.is_ok(), "{name}: {nothing}");
        }
    }
    let server = read(json!({
        "revocation_endpoint": "http://op.example/revoke",
        "device_authorization_endpoint": "http://op.example/device",
        "code_challenge_methods_supported": "S256",
        "authorization_response_iss_parameter_supported": "true",
    }));
    let server = server.expect("the rest is good");
    assert_eq!(None, server.revocation_endpoint, "one that is not safe costs itself only");
    assert_eq!(None, server.device_authorization_endpoint, "this one too");
    assert_eq!((S256::Promised, IssParameter::Promised), (server.s256, server.iss_parameter));
    let marked = format!("\u{feff}{}", document(json!({})));
    assert!(Site::default().with(RFC_8414, 200, marked).discover(ISSUER).is_ok(), "a byte order mark");
}

#[test]
fn d11_a_redirect_is_followed_once_and_within_its_origin_only() {
    struct Moved(&'static str, Site);
    impl HttpClient for Moved {
        fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
            if request.uri() != RFC_8414 {
                return self.1.send(request);
            }
            let mut response = HttpResponse::new(Vec::new());
            *response.status_mut() = http::StatusCode::PERMANENT_REDIRECT;
            response.headers_mut().insert("location", self.0.parse().expect("a value"));
            Ok(response)
        }
    }
    let issuer = Issuer::parse(ISSUER).expect("issuer");
    let site = || Site::default().with("https://op.example/meta", 200, document(json!({})));
    for same in ["https://op.example/meta", "/meta", "../meta"] {
        assert!(discover(&issuer, &Moved(same, site())).is_ok(), "{same}");
    }
    for (other, shown) in [
        ("https://evil.example/meta", "answers 308 and leads to https://evil.example/meta"),
        ("http://op.example/meta", "answers 308 and leads to http://op.example/meta"),
        ("//evil.example/meta", "answers 308 and leads to //evil.example/meta"),
        (RFC_8414, "answers 308 and leads to "),
    ] {
        let moved = Moved(other, site().with("https://evil.example/meta", 200, document(json!({}))));
        let error = discover(&issuer, &moved).expect_err(other);
        assert!(error.to_string().contains(shown), "{error}");
        assert!(!moved.1.asked.borrow().iter().any(|url| url.contains("evil")), "{other}");
    }
}

#[test]
fn no_reply_is_told_as_what_it_is() {
    struct Dead(HttpError);
    impl HttpClient for Dead {
        fn send(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
            Err(self.0.clone())
        }
    }
    let issuer = Issuer::parse(ISSUER).expect("issuer");
    let error = discover(&issuer, &Dead(HttpError::Timeout)).expect_err("nobody answers");
    assert!(error.is_passing() && error.to_string().contains("no answer in time"), "{error}");
    let proxy = HttpError::Proxy { variable: "HTTPS_PROXY", why: "not a URL" };
    assert_eq!(Err(DiscoveryError::Connection(proxy.clone())), discover(&issuer, &Dead(proxy)));
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
    ] {
        let error = read(json!({ "issuer": other })).expect_err(other);
        let DiscoveryError::OtherIssuer { configured, found } = &error else { panic!("{error}") };
        assert_eq!((ISSUER, other.trim()), (configured.as_str(), found.as_str()));
        assert!(error.to_string().contains(other.trim()), "d12: both values are shown: {error}");
    }
    let with_slash = Site::default().with(RFC_8414, 200, document(json!({})));
    assert!(matches!(with_slash.discover("https://op.example/"), Err(DiscoveryError::OtherIssuer { .. })));
}

#[test]
fn x02_an_unsafe_endpoint_is_refused_by_name() {
    use EndpointError::*;
    for name in ["authorization_endpoint", "token_endpoint"] {
        for (url, why) in [
            ("http://op.example/x", PlainHttp),
            ("https://user@op.example/x", Userinfo),
            ("https://user:pass@op.example/x", Userinfo),
            ("https://op.example/x#fragment", Fragment),
            ("ftp://op.example/x", Scheme),
            ("file://op.example/etc/passwd", Scheme),
            ("javascript:alert(1)", NoHost),
            ("/authorize", NotAUrl),
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
        let error = read(json!({ name: null })).expect_err(name);
        assert!(error.to_string().contains(&format!("has no {name}")), "{error}");
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

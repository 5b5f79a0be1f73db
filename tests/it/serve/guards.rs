//! What a request may ask for and where it may lead, through the whole program. The full lists stand beside the modules.

use std::net::{Ipv4Addr, TcpListener};

use super::*;
use crate::harness::RawServer;

/// A start by a user of its own, so that nobody's rate is used up.
fn start(serving: &Serving, number: usize, parameters: &[(&str, &str)]) -> Reply {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in [("appCallbackUrl", APP), ("action", "all")] {
        if !parameters.iter().any(|(given, _)| *given == name) {
            query.append_pair(name, value);
        }
    }
    let query = query.extend_pairs(parameters).finish();
    serving.get(&format!("{BASE}/wiki/authorize?{query}"), &bearer(&token_of(&format!("user{number}"), "acme")))
}

/// Refused with this code, sent nowhere.
#[track_caller]
fn assert_refused(expected: &str, reply: &Reply, what: &str) {
    assert_eq!((expected.to_owned(), 400, None), (code(reply), reply.status, reply.field("location")), "{what}");
}

#[test]
fn v11_a_callback_that_is_not_listed_is_never_redirected_to() {
    let serving = Serving::new();
    for (number, url) in [
        "https://evil.example/oauth/",
        "https://app.example.com/oauthx",
        "https://app.example.com.evil.example/oauth/",
        "https://app.example.com@evil.example/oauth/",
        "https://app.example.com\\@evil.example/oauth/",
        "https://app.example.com/oauth/../admin",
        "https://app.example.com/oauth/%2e%2e/admin",
        "https://app.example.com//oauth/",
        "https://APP.example.com/oauth/",
        "https://app.example.com:8443/oauth/",
        "http://app.example.com/oauth/",
        "//app.example.com/oauth/",
        "javascript:alert(1)//https://app.example.com/oauth/",
        "https://app.example.com/oauth/\r\nLocation: https://evil.example/",
        "",
    ]
    .into_iter()
    .enumerate()
    {
        assert_refused("invalid_app_callback_url", &start(&serving, number, &[("appCallbackUrl", url)]), url);
    }
}

#[test]
fn v13_a_base_url_that_is_not_listed_begins_nothing() {
    let sink = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("listener");
    sink.set_nonblocking(true).expect("non-blocking");
    let here = format!("http://127.0.0.1:{}", sink.local_addr().expect("address").port());
    let any = |config: String| {
        config.replace("[integration.wiki.actions]", "base_allow = [\"*\"]\n[integration.wiki.actions]")
    };
    for serving in [Serving::new(), Serving::with(Provider::new(), any)] {
        for (number, url) in [
            &here[..],
            "https://127.0.0.1",
            "https://127.1",
            "https://0x7f000001",
            "https://2130706433",
            "https://[::1]",
            "https://[::ffff:127.0.0.1]",
            "https://169.254.169.254",
            "https://10.0.0.1",
            "https://localhost",
            "https://user@git.example.com",
            "https://git.example.com/?x",
            "https://git.example.com:22",
            "http://git.example.com",
        ]
        .into_iter()
        .enumerate()
        {
            assert_refused("base_url_not_allowed", &start(&serving, number, &[("baseUrl", url)]), url);
        }
    }
    assert!(sink.accept().is_err(), "and nothing was connected to");
}

#[test]
fn v14_the_integrations_secret_never_goes_to_an_instance() {
    let instance = RawServer::json(400, r#"{"error":"invalid_grant"}"#);
    let base = instance.origin.as_str();
    let serving = Serving::with(Provider::new(), |config| {
        let more = format!(
            "client_secret = {{ file = \"{{dir}}/hs256\" }}\nbase_allow = [\"{base}\"]\n[integration.wiki.actions]"
        );
        config.replace("[integration.wiki.actions]", &more)
    });
    // The secret of this integration is "a shared secret of more ...".
    let mut jar = Jar::default();
    let begun = start(&serving, 0, &[("baseUrl", base)]);
    jar.take(&begun);
    let to = begun.field("location").expect("location").to_owned();
    assert!(to.starts_with(&format!("{base}/authorize?")), "the person signs in there: {to}");
    let state = parameter(&to, "state");
    let back = serving.finish(&jar, &format!("{BASE}/wiki/callback/{}?code=abc&state={state}", instances::id(base)));
    assert_eq!("error", sent_back(&back).0);
    let requests = instance.requests();
    let [request] = &requests[..] else { panic!("one token request at the instance: {requests:?}") };
    assert!(request.starts_with("POST /token "), "{request}");
    assert!(request.contains("code=abc") && request.contains("client_id=practice-client"), "{request}");
    let lower = request.to_ascii_lowercase();
    for word in ["shared", "client_secret", "authorization:"] {
        assert!(!lower.contains(word), "{word}: {request}");
    }
    assert_eq!(0, serving.provider.counters().token, "and the provider's own server is not asked");
}

#[test]
fn v15_and_v16_only_listed_scopes_and_actions_can_be_asked_for() {
    let serving = Serving::new();
    for (number, scopes) in
        ["admin", "extra admin", "EXTRA", "extra\"", "extra\\", "extra\n", "\u{202e}"].into_iter().enumerate()
    {
        assert_refused("scope_not_allowed", &start(&serving, number, &[("scopes", scopes)]), scopes);
    }
    let huge = "x".repeat(10 * 1024);
    for (number, action) in ["ALL", "", "reads", "read\0", "\u{202e}daer", "read,write", &huge].into_iter().enumerate()
    {
        let reply = start(&serving, 100 + number, &[("action", action)]);
        assert!(matches!(code(&reply).as_str(), "unknown_action" | "missing_parameter"), "{action:?}: {reply:?}");
        assert_eq!((400, None), (reply.status, reply.field("location")));
    }
}

#[test]
fn v06_to_v08_only_a_token_of_the_issuer_begins_anything() {
    let serving = Serving::new();
    let good = token_of("ada", "acme");
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let (_, payload_and_signature) = good.split_once('.').expect("three parts");
    let (payload, _) = payload_and_signature.split_once('.').expect("three parts");
    let with = |name: &str, value: Value| {
        let mut claims = claims("ada", "acme");
        claims[name] = value;
        jwt(claims)
    };
    let target = format!("{BASE}/wiki/authorize?{}", wish("all"));
    for token in [
        format!("{}.{payload}.", encode(&json!({"alg": "none"}))),
        format!("{}.{payload_and_signature}", encode(&json!({"alg": "RS256", "typ": "JWT"}))),
        format!(
            "{}.{payload_and_signature}",
            encode(&json!({"alg": "HS256", "typ": "JWT", "jku": "https://evil.example/"}))
        ),
        format!("{}x", good),
        with("exp", json!(1)),
        with("exp", json!("9999999999")),
        with("nbf", json!(253_402_300_000_u64)),
        with("iss", json!("https://evil.example")),
        with("aud", json!("other")),
        with("sub", json!(7)),
    ] {
        let reply = serving.get(&target, &bearer(&token));
        assert_eq!(("unauthenticated".into(), 401), (code(&reply), reply.status), "{token}");
    }
    assert_eq!(302, serving.get(&target, &bearer(&good)).status);
}

//! Why a sign-in failed, for the operator: in the access log and on standard error.

use loopin::practice::Fault;

use super::*;
use crate::harness::{RawServer, wait_for};

/// The log line of the next request of this route.
fn logged(serving: &Serving, route: &str) -> Value {
    loop {
        let line = serving.log.recv_timeout(PATIENCE).expect("a line of the log");
        let line: Value = serde_json::from_str(&line).expect("JSON");
        if line["route"] == route {
            return line;
        }
    }
}

#[test]
fn d14_a_failed_exchange_is_logged_with_the_place_and_the_oauth_error() {
    let serving = Serving::new();
    serving.provider.misbehave(Fault::TokenReply {
        status: 401,
        content_type: "application/json",
        body: br#"{"error":"invalid_client","error_description":"canary"}"#.to_vec(),
    });
    assert_error(&serving.connect("ada"), "config_error");
    let line = logged(&serving, "/:group/callback");
    assert_eq!(json!("invalid_client"), line["oauth_error"], "{line}");
    let place = format!("{}/token: ", serving.provider.origin);
    assert!(line["why"].as_str().is_some_and(|why| why.starts_with(&place)), "{line}");
    for secret in ["code=", "state=", "access.", "refresh."] {
        assert!(!line.to_string().contains(secret), "{line}");
    }
    let notice = wait_for(&serving.said, "[integration.wiki]: exchange failed: ");
    assert!(notice.contains(&place) && notice.contains("OAuth error invalid_client"), "{notice}");
}

#[test]
fn d14_a_failed_exchange_that_is_no_oauth_is_logged_with_its_status() {
    let serving = Serving::new();
    serving.provider.misbehave(Fault::TokenReply {
        status: 502,
        content_type: "text/html",
        body: b"<h1>canary</h1>".to_vec(),
    });
    assert_error(&serving.connect("ada"), "provider_unreachable");
    let line = logged(&serving, "/:group/callback");
    assert_eq!((json!(502), Value::Null), (line["provider_status"].clone(), line["oauth_error"].clone()), "{line}");
    assert!(!line.to_string().contains("canary"), "{line}");
}

#[test]
fn d09_the_shape_of_a_response_without_tokens_is_logged_and_no_value() {
    let serving = Serving::new();
    let body = br#"{"data":{"access_token":"canary","user":{"mail":"canary"}}}"#;
    let fault = Fault::TokenReply { status: 200, content_type: "application/json", body: body.to_vec() };
    serving.provider.misbehave(fault);
    assert_error(&serving.connect("ada"), "provider_unreachable");
    let line = logged(&serving, "/:group/callback");
    let response = line["token_response"].as_str().expect("the shape");
    assert!(response.contains("data.user.mail") && response.contains("token_at = \"data\""), "{line}");
    assert!(!line.to_string().contains("canary"), "{line}");
}

#[test]
fn d09_the_shape_of_a_refresh_without_tokens_is_a_notice_and_no_value() {
    let serving = Serving::new();
    assert_success(&serving.connect("ada"));
    assert!(logged(&serving, "/:group/callback")["token_response"].is_null(), "tokens as they should be");
    let body = br#"{"data":{"access_token":"canary"}}"#;
    let fault = Fault::TokenReply { status: 200, content_type: "application/json", body: body.to_vec() };
    serving.provider.misbehave(fault);
    serving.age();
    serving.token("ada");
    let notice = wait_for(&serving.said, "[integration.wiki]: refresh: the token response is ");
    assert!(notice.contains("token_at = \"data\"") && !notice.contains("canary"), "{notice}");
}

#[test]
fn d14_a_failed_discovery_is_logged_with_each_place_and_its_status() {
    let away = RawServer::json(503, "{}");
    let origin = away.origin.clone();
    let serving = Serving::with(Provider::new(), |config| {
        let kept = config.lines().filter(|line| !line.contains("_endpoint = "));
        let discovered = |line: &str| match line.starts_with("issuer = \"http://") {
            true => format!("issuer = \"{origin}\"\n"),
            false => format!("{line}\n"),
        };
        kept.map(discovered).collect()
    });
    let refused = serving.begin("ada", &mut Jar::default(), "");
    assert_eq!((503, "provider_unavailable".into()), (refused.status, code(&refused)));
    let line = logged(&serving, "/:group/authorize");
    assert_eq!(json!(503), line["provider_status"], "{line}");
    let place = format!("{}/.well-known/oauth-authorization-server answers 503", away.origin);
    assert!(line["why"].as_str().is_some_and(|why| why.contains(&place)), "{line}");
    wait_for(&serving.said, "[integration.wiki]: discovery failed: ");
}

#[test]
fn an_unexpected_callback_and_an_error_of_the_provider_are_logged_with_the_reason() {
    let serving = Serving::new();
    serving.get(&format!("{BASE}/wiki/callback?code=canary&state=other"), "");
    let line = logged(&serving, "/:group/callback");
    assert_eq!(json!("the state of another sign-in"), line["why"], "{line}");
    assert!(!line.to_string().contains("canary"), "{line}");
    let mut jar = Jar::default();
    let begun = serving.begin("ada", &mut jar, "");
    assert_error(&serving.finish(&jar, &serving.decided(&begun, "deny")), "access_denied");
    assert_eq!(json!("access_denied"), logged(&serving, "/:group/callback")["oauth_error"]);
}

//! What a caller gets of a connection, and what of others'.

use loopin::practice::Fault;

use super::*;
use crate::harness::{RawServer, json_reply};

fn connections(serving: &Serving, user: &str, query: &str) -> Value {
    let reply = serving.get(&format!("{BASE}/connections{query}"), &bearer(&token_of(user, "acme")));
    assert_eq!(200, reply.status, "{reply:?}");
    json_of(&reply)
}

#[test]
fn connections_are_listed_shown_and_forgotten_without_a_secret() {
    let serving = Serving::new();
    let id = assert_success(&serving.connect("ada"));
    let list = connections(&serving, "ada", "?group=wiki");
    let shown = &list["connections"][0];
    assert_eq!(
        (id.as_str(), "wiki", "all", "ok"),
        (
            shown["id"].as_str().expect("id"),
            shown["group"].as_str().expect("group"),
            shown["action"].as_str().expect("action"),
            shown["status"].as_str().expect("status"),
        )
    );
    assert!(!list.to_string().contains("access.") && !list.to_string().contains("refresh."));
    assert_eq!(0, connections(&serving, "ada", "?group=other")["connections"].as_array().expect("list").len());
    let at = format!("{BASE}/connections/{id}");
    assert_eq!(200, serving.get(&at, &bearer(&token_of("ada", "acme"))).status);
    let gone = serving.request("DELETE", &at, &bearer(&token_of("ada", "acme")), "");
    assert_eq!(json!({ "deleted": true, "revoked": "yes" }), json_of(&gone));
    assert_eq!(1, serving.provider.counters().revoke);
    assert_eq!("not_found", code(&serving.get(&at, &bearer(&token_of("ada", "acme")))));
    assert_eq!("not_connected", code(&serving.token("ada")));
}

#[test]
fn v24_nobody_sees_or_forgets_anothers_connection() {
    let serving = Serving::new();
    let id = assert_success(&serving.connect("ada"));
    for (user, org) in [("eve", "acme"), ("ada", "other"), ("acme", "ada")] {
        let token = token_of(user, org);
        assert_eq!("not_connected", code(&serving.post("/wiki/token", &token, json!({ "action": "all" }))));
        for method in ["GET", "DELETE"] {
            let reply = serving.request(method, &format!("{BASE}/connections/{id}"), &bearer(&token), "");
            assert_eq!("not_found", code(&reply), "{method}");
        }
        let list = serving.get(&format!("{BASE}/connections"), &bearer(&token));
        assert_eq!(json!([]), json_of(&list)["connections"]);
        let named = json!({ "action": "all", "userId": "ada", "orgKey": "acme" });
        assert_eq!("service_only", code(&serving.post("/wiki/token", &token, named)));
    }
    assert_eq!(200, serving.token("ada").status);
}

#[test]
fn all_serves_one_action_that_it_covers() {
    let serving = Serving::new();
    assert_success(&serving.connect("ada"));
    let reply = serving.post("/wiki/token", &token_of("ada", "acme"), json!({ "action": "read" }));
    assert_eq!(200, reply.status, "{reply:?}");
    let unknown = serving.post("/wiki/token", &token_of("ada", "acme"), json!({ "action": "none" }));
    assert_eq!("unknown_action", code(&unknown));
}

#[test]
fn an_expired_token_is_refreshed_before_it_is_handed_out() {
    let serving = Serving::new();
    assert_success(&serving.connect("ada"));
    serving.age();
    let reply = serving.token("ada");
    assert_eq!(200, reply.status, "{reply:?}");
    assert_eq!(Some(true), json_of(&reply)["refreshed"].as_bool());
    assert_eq!(2, serving.provider.counters().token);
}

#[test]
fn a_refresh_token_that_the_provider_forgot_asks_for_the_person() {
    let serving = Serving::new();
    assert_success(&serving.connect("ada"));
    serving.age();
    serving.provider.forget();
    let reply = serving.token("ada");
    assert_eq!((409, "reauth_required".into()), (reply.status, code(&reply)));
    assert_eq!(Some("refresh_token_refused"), json_of(&reply)["reason"].as_str());
    assert_success(&serving.connect("ada"));
    assert_eq!(200, serving.token("ada").status, "connecting again repairs it");
}

/// A provider that names another scope than was asked for. The service stays with it for as long as the server lives.
fn granting(asked: &'static str, granted: &'static str, change: impl FnOnce(String) -> String) -> (Serving, RawServer) {
    let provider = Provider::new();
    let server = RawServer::before(&provider, move |Reply { head, body, .. }| {
        let mut tokens: Value = serde_json::from_str(&body).expect("tokens");
        assert_eq!(asked, tokens["scope"]);
        tokens["scope"] = granted.into();
        assert!(head.starts_with("HTTP/1.1 200"));
        json_reply(&tokens.to_string())
    });
    let other = server.as_token_endpoint_of(&provider);
    let serving = Serving::with(provider, |config| change(other(config)));
    assert_success(&serving.connect("ada"));
    (serving, server)
}

/// The command line has the same rule: `token::a_login_covers_an_action_...`.
#[test]
fn v35_scopes_that_permit_nothing_are_never_missing() {
    let (serving, _server) = granting("offline_access read write", "read", |config| {
        config.replace("scopes = [\"base\"]", "scopes = [\"offline_access\"]")
    });
    let ask = |action: &str| serving.post("/wiki/token", &token_of("ada", "acme"), json!({ "action": action }));
    assert_eq!(200, ask("read").status);
    assert_eq!("not_connected", code(&ask("write")));
    let all = serving.token("ada");
    assert_eq!((json!(["write"]), "insufficient_scope".into()), (json_of(&all)["missing"].clone(), code(&all)));
}

#[test]
fn d05_a_narrower_grant_is_told_to_the_application_at_the_callback() {
    for (granted, warning) in [("base read write", ""), ("base read", "insufficient_scope")] {
        let (serving, _server) = granting("base read write", granted, |config| config);
        let reply = serving.connect("ada");
        assert_success(&reply);
        assert_eq!(warning, parameter(reply.field("location").expect("location"), "warning"), "{granted}");
    }
}

#[test]
fn v35_what_the_person_granted_is_shown_and_what_it_does_not_cover_is_refused() {
    // The user unticks a box.
    let (serving, _server) = granting("base read write", "base read", |config| config);
    let shown = &connections(&serving, "ada", "")["connections"][0];
    assert_eq!(json!(["base", "read"]), shown["scopes"], "{shown}");
    let reply = serving.token("ada");
    assert_eq!((403, "insufficient_scope".into()), (reply.status, code(&reply)));
    assert_eq!(json!(["write"]), json_of(&reply)["missing"]);
    let ask = |action: &str| serving.post("/wiki/token", &token_of("ada", "acme"), json!({ "action": action }));
    assert_eq!(200, ask("read").status, "this much was granted");
    assert_eq!("not_connected", code(&ask("write")));
}

#[test]
fn v29_who_waits_for_a_connection_that_is_deleted_meanwhile_is_told_so() {
    let (serving, gate) = Serving::gated();
    gate.open();
    let id = assert_success(&serving.connect("ada"));
    gate.wait();
    serving.age();
    let fields = format!("{}Content-Type: application/json\r\n", bearer(&token_of("ada", "acme")));
    let request = serving.written("POST", &format!("{BASE}/wiki/token"), &fields, r#"{"action": "all"}"#);
    let address = serving.address();
    let waiting = std::thread::spawn(move || http(address, &request));
    gate.wait();
    let at = format!("{BASE}/connections/{id}");
    assert_eq!(200, serving.request("DELETE", &at, &bearer(&token_of("ada", "acme")), "").status);
    gate.open();
    let reply = waiting.join().expect("reply");
    assert_eq!((410, "connection_deleted".into()), (reply.status, code(&reply)));
    let later = serving.token("ada");
    assert_eq!((404, "not_connected".into()), (later.status, code(&later)), "nobody waited for this one");
}

fn refused_with(status: u16, content_type: &'static str, body: &str) -> Reply {
    let serving = Serving::new();
    assert_success(&serving.connect("ada"));
    serving.age();
    serving.provider.misbehave(Fault::TokenReply { status, content_type, body: body.as_bytes().to_vec() });
    let reply = serving.token("ada");
    let shown = serving.get(&format!("{BASE}/connections"), &bearer(&token_of("ada", "acme")));
    assert_eq!(Some("ok"), json_of(&shown)["connections"][0]["status"].as_str(), "the person's connection stays");
    reply
}

#[test]
fn a_client_that_the_provider_refuses_is_the_operators_affair() {
    let reply = refused_with(401, "application/json", "{\"error\":\"invalid_client\"}");
    assert_eq!((424, "integration_misconfigured".into()), (reply.status, code(&reply)));
}

#[test]
fn a_provider_that_cannot_answer_is_told_with_a_time_to_come_back() {
    let reply = refused_with(500, "text/html", "<h1>canary</h1>");
    assert_eq!((503, "provider_unavailable".into()), (reply.status, code(&reply)));
    assert!(reply.field("retry-after").is_some_and(|wait| wait.parse::<u64>().is_ok_and(|wait| wait > 0)), "{reply:?}");
    assert!(!reply.body.contains("canary"));
}

#[test]
fn a_connection_lives_at_the_instance_that_was_named_and_nowhere_else() {
    let instance = Provider::new();
    let serving = Serving::with(Provider::new(), |config| {
        config.replace("requiresPKCE", &format!("base_allow = [\"{}\"]\nrequiresPKCE", instance.origin))
    });
    instance.register(instances::redirect(&serving, &instance.origin));
    let mut jar = Jar::default();
    let begun = serving.begin("ada", &mut jar, &format!("&baseUrl={}", instance.origin));
    assert!(begun.field("location").is_some_and(|to| to.starts_with(&instance.origin)), "{begun:?}");
    let target = serving.decided(&begun, "allow");
    let id = assert_success(&serving.finish(&jar, &target));
    serving.age();
    let reply = serving.token("ada");
    assert_eq!(
        (200, Some(instance.origin.as_str())),
        (reply.status, json_of(&reply)["base_url"].as_str()),
        "{reply:?}"
    );
    serving.request("DELETE", &format!("{BASE}/connections/{id}"), &bearer(&token_of("ada", "acme")), "");
    let (here, there) = (instance.counters(), serving.provider.counters());
    assert_eq!((2, 1), (here.token, here.revoke), "exchange and refresh, and the end");
    assert_eq!((0, 0, 0), (there.authorize, there.token, there.revoke));
}

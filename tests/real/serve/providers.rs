//! Connections at oidc-provider and at @node-oauth/oauth2-server: made, renewed, ended.

use super::*;
use crate::harness::consents;

const HERE: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// The whole way without a browser; the connection's id.
#[track_caller]
fn connected(service: &Service, group: &str, action: &str) -> String {
    let (there, cookie) = service.begin(group, "ada", action);
    let answer = consents(&there, &service.origin);
    let (status, to) = callback(&answer, &cookie, HERE);
    assert_eq!((302, "success".to_owned()), (status, parameter(&to, "status")), "{to}");
    assert!(to.starts_with(&service.done()), "{to}");
    parameter(&to, "connection")
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap_or_else(|| panic!("{name} in {body:#}"))
}

/// Whether the second provider takes this token for a request of its own.
fn userinfo(provider: &Provider, token: &str) -> u16 {
    let request = agent().get(provider.fact("userinfo_endpoint")).header("authorization", format!("Bearer {token}"));
    request.call().expect("a reply").status().as_u16()
}

#[test]
fn a_connection_at_oidc_provider_is_made_renewed_and_ended() {
    let Some(service) = Service::start() else { return };
    let connection = connected(&service, "gitlab", "read");
    let (status, first) = service.token("gitlab", "ada", json!({ "action": "read" }));
    assert_eq!((200, connection.as_str()), (status, text(&first, "connection")), "{first:#}");
    assert!(service.first.takes(text(&first, "access_token")));
    assert_eq!(1, service.first.count("POST /token"), "a valid token is handed out again");

    // Each refresh is by the token that the last one left.
    let mut last = text(&first, "access_token").to_owned();
    for turn in 1..=3 {
        service.age();
        let (status, body) = service.token("gitlab", "ada", json!({ "action": "read"}));
        assert_eq!((200, &Value::Bool(true)), (status, &body["refreshed"]), "{turn}: {body:#}");
        assert_ne!(last, text(&body, "access_token"));
        last = text(&body, "access_token").to_owned();
        assert!(service.first.takes(&last));
        assert_eq!(turn, service.first.count("grant refresh_token"));
    }
    assert_eq!(0, service.first.count("grant revoked"), "no refresh token was used twice");

    let path = format!("{BASE}/connections/{connection}");
    let (status, body) = service.ask("DELETE", &path, Some("ada"), None);
    assert_eq!((200, "yes"), (status, text(&body, "revoked")), "{body:#}");
    assert!(!service.first.takes(&last), "the provider has ended it");
    let (status, body) = service.token("gitlab", "ada", json!({ "action": "read" }));
    assert_eq!((404, "not_connected"), (status, text(&body, "code")), "{body:#}");
    assert!(service.connections().is_empty());
}

#[test]
fn a_connection_at_a_provider_of_another_make_is_made_renewed_and_ended() {
    let Some(service) = Service::start() else { return };
    let connection = connected(&service, "second", "all");
    let (status, first) = service.token("second", "ada", json!({ "action": "all" }));
    assert_eq!((200, connection.as_str()), (status, text(&first, "connection")), "{first:#}");
    assert_eq!(200, userinfo(&service.second, text(&first, "access_token")));

    let mut last = text(&first, "access_token").to_owned();
    for turn in 1..=3 {
        service.age();
        let (status, body) = service.token("second", "ada", json!({ "action": "all"}));
        assert_eq!((200, &Value::Bool(true)), (status, &body["refreshed"]), "{turn}: {body:#}");
        assert_ne!(last, text(&body, "access_token"));
        last = text(&body, "access_token").to_owned();
        assert_eq!(200, userinfo(&service.second, &last));
        assert_eq!(1 + turn, service.second.count("POST /token"));
    }
    assert_eq!(0, service.second.count("reuse"), "no refresh token was used twice");

    let (status, body) = service.ask("DELETE", &format!("{BASE}/connections/{connection}"), Some("ada"), None);
    assert_eq!((200, "yes"), (status, text(&body, "revoked")), "{body:#}");
    assert_eq!(401, userinfo(&service.second, &last), "the provider has ended it");
    let (status, body) = service.token("second", "ada", json!({ "action": "all" }));
    assert_eq!((404, "not_connected"), (status, text(&body, "code")), "{body:#}");
}

#[test]
fn a_connection_at_django_oauth_toolkit_is_made_renewed_lost_made_again_and_ended() {
    let port = fixed_port();
    let Some(django) = Provider::django(&format!("http://127.0.0.1:{port}{BASE}/django/callback")) else { return };
    let (files, client) = (Sandbox::new(), django.fact("confidential"));
    let secret = files.path("secret");
    std::fs::write(&secret, django.secret(client)).expect("secret");
    private(&secret);
    let table = format!(
        "\n[integration.django]\nissuer = \"{}\"\nrevocation_endpoint = \"{}\"\nclient_id = \"{client}\"\nclient_secret = {{ file = \"{}\" }}\nscopes = \
         [\"openid\", \"read\"]\n",
        django.issuer,
        django.fact("revocation_endpoint"),
        secret.display()
    );
    let Some(service) = Service::registered(port, None, |config| config + &table) else { return };
    let token = || service.token("django", "ada", json!({ "action": "all" }));
    connected(&service, "django", "all");
    let (status, first) = token();
    assert_eq!(200, status, "{first:#}");
    let mut last = text(&first, "access_token").to_owned();
    for turn in 1..=3 {
        assert!(django.serves(&last), "{turn}");
        service.age();
        let (status, body) = token();
        assert_eq!((200, &Value::Bool(true)), (status, &body["refreshed"]), "{turn}: {body:#}");
        assert_ne!(last, text(&body, "access_token"));
        last = text(&body, "access_token").to_owned();
    }

    django.end_all_grants();
    service.age();
    let (status, body) = token();
    assert_eq!((409, "reauth_required"), (status, text(&body, "code")), "{body:#}");

    let connection = connected(&service, "django", "all");
    let (status, body) = token();
    assert_eq!(200, status, "{body:#}");
    let last = text(&body, "access_token").to_owned();
    assert!(django.serves(&last));
    let (status, body) = service.ask("DELETE", &format!("{BASE}/connections/{connection}"), Some("ada"), None);
    assert_eq!((200, "yes"), (status, text(&body, "revoked")), "{body:#}");
    assert!(!django.serves(&last), "the provider has ended it");
}

#[test]
fn who_follows_the_document_step_by_step_gets_answers_at_the_last_one() {
    let Some(()) = installed(&["curl", "python3"], &[]) else { return };
    let Some(mut service) = Service::start() else { return };
    let said = service.follow("curl");
    let mut answers = said.split_inclusive('}').map(|answer| serde_json::from_str::<Value>(answer).expect("JSON"));
    assert_eq!(Some(json!({ "connections": [], "next": null })), answers.next());
    assert_eq!("not_connected", text(&answers.next().expect("two answers"), "code"));
    // A user whose name is none: the caller learns nothing, the log has the reason.
    let (status, body) = service.ask("GET", &format!("{BASE}/connections"), Some("ada\n"), None);
    assert_eq!((401, "unauthenticated"), (status, text(&body, "code")));
    let log = service.ended();
    assert!(log.iter().any(|line| line["refused"] == "user"), "{log:#?}");
}

#[test]
fn v24_both_providers_connections_stand_side_by_side_and_are_their_owners_alone() {
    let Some(service) = Service::start() else { return };
    let (first, second) = (connected(&service, "gitlab", "read"), connected(&service, "second", "all"));
    let (status, body) = service.ask("GET", &format!("{BASE}/connections"), Some("ada"), None);
    let ids: Vec<_> = body["connections"].as_array().expect("a list").iter().map(|each| text(each, "id")).collect();
    assert_eq!((200, 2), (status, ids.len()), "{body:#}");
    assert!(ids.contains(&first.as_str()) && ids.contains(&second.as_str()), "{body:#}");
    for id in [first, second] {
        let path = format!("{BASE}/connections/{id}");
        assert_eq!(404, service.ask("GET", &path, Some("eve"), None).0);
        assert_eq!(404, service.ask("DELETE", &path, Some("eve"), None).0);
        assert_eq!(200, service.ask("GET", &path, Some("ada"), None).0);
    }
}

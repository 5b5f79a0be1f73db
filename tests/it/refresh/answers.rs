//! What the provider answers to a refresh, and what that says about the grant. R13, R14, R18, S10, X11.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::*;

#[test]
fn r13_a_dead_grant_asks_for_a_login_deletes_nothing_and_status_tells() {
    let scene = Scene::answering(400, JSON, r#"{"error":"invalid_grant"}"#);
    let before = scene.sandbox.stored_file(".item");
    scene.renew().assert_code(4).assert_says("no longer accepts").assert_says("loopin login work");
    assert_eq!(before, scene.sandbox.stored_file(".item"));
    assert!(!scene.has_journal(), "the answer is final");
    assert_eq!("first\n", scene.token().assert_code(0).stdout, "it is still valid");
    scene.sandbox.run(&["status", "work"]).assert_code(4).assert_says("no longer accepts").assert_says("loopin login");
    assert_eq!(1, scene.refreshes().len());
}

/// Another machine with the same keychain, or an older program: somebody who does not know our lock.
#[test]
fn r13_tokens_that_somebody_else_has_stored_meanwhile_outlive_an_invalid_grant() {
    let desk = ByHand::new();
    let asker = desk.scene.renewing();
    let request = desk.next();
    desk.scene.sandbox.alter(|grant| {
        grant.access_token = Secret::new("theirs".into());
        grant.refresh_token = Some(Secret::new("refresh-theirs".into()));
    });
    request.answer(400, INVALID_GRANT);
    assert_eq!("theirs\n", finish(asker).assert_code(0).stdout);
    desk.scene.sandbox.run(&["status", "work"]).assert_code(0);
    // What was refused is not what is stored now: that one is presented when its time has come.
    desk.scene.sandbox.expire();
    let asker = desk.scene.sandbox.loopin(&["token", "work"]).spawn().expect("loopin starts");
    desk.next().answer(200, SECOND);
    assert_eq!("second\n", finish(asker).assert_code(0).stdout);
    assert_eq!(["refresh-1", "refresh-theirs"], desk.scene.presented()[..]);
}

#[test]
fn r13_a_stale_token_that_somebody_else_has_stored_meanwhile_is_renewed_in_the_same_run() {
    let desk = ByHand::new();
    let asker = desk.scene.renewing();
    let request = desk.next();
    desk.scene.sandbox.alter(|grant| grant.refresh_token = Some(Secret::new("refresh-theirs".into())));
    desk.scene.sandbox.expire();
    request.answer(400, INVALID_GRANT);
    desk.next().answer(200, SECOND);
    assert_eq!("second\n", finish(asker).assert_code(0).stdout);
    assert_eq!(["refresh-1", "refresh-theirs"], desk.scene.presented()[..]);
}

#[test]
fn r14_a_refresh_token_that_is_not_replaced_is_kept_and_used_again() {
    let scene = Scene::answering_in_turn(&[
        (200, JSON, r#"{"access_token":"second","expires_in":3600}"#),
        (200, JSON, r#"{"access_token":"third","expires_in":3600,"refresh_token":""}"#),
        (200, JSON, r#"{"access_token":"fourth","expires_in":3600,"refresh_token":"refresh-2"}"#),
        (200, JSON, r#"{"access_token":"fifth","expires_in":3600}"#),
    ]);
    for (old, new) in [("first", "second"), ("second", "third"), ("third", "fourth"), ("fourth", "fifth")] {
        let renewed = scene.sandbox.run(&["token", "work", "--rejected", &hash(old)]);
        assert_eq!(new, renewed.assert_code(0).stdout.trim());
    }
    assert_eq!(["refresh-1", "refresh-1", "refresh-1", "refresh-2"], scene.presented()[..]);
}

const HTML: &str = "Content-Type: text/html\r\n";

/// Whatever comes, only a well-formed `invalid_grant` ends a grant; it is never "log in again" otherwise.
#[test]
fn r18_nothing_but_an_oauth_error_says_anything_about_a_grant() {
    for (status, fields, body) in [
        (200, JSON, ""),
        (200, HTML, "<html>Sign in to the guest network</html>"),
        (200, JSON, "null"),
        (204, "", ""),
        (302, "Location: https://login.example/\r\n", ""),
        (307, "Location: https://login.example/\r\n", r#"{"error":"invalid_grant"}"#),
        (400, HTML, "<html>Bad request: invalid_grant</html>"),
        (400, JSON, ""),
        (400, JSON, r#"{"error":"invalid_grant""#),
        (400, JSON, r#"{"error":"temporarily_unavailable"}"#),
        (401, "WWW-Authenticate: Basic\r\n", ""),
        (403, HTML, "<html>Blocked by your organization's proxy</html>"),
        (404, HTML, "<html>not found</html>"),
        (404, JSON, r#"{"error":"invalid_grant"}"#),
        (408, JSON, r#"{"error":"invalid_grant"}"#),
        (500, JSON, r#"{"error":"invalid_grant"}"#),
        (502, HTML, "<html>Bad gateway</html>"),
    ] {
        let scene = Scene::answering(status, fields, body);
        let renewed = scene.renew();
        assert_eq!((Some(7), ""), (renewed.code, renewed.stdout.as_str()), "{status} {body}: {renewed:?}");
        renewed.assert_says("the grant is kept");
        assert!(scene.has_journal(), "the provider may have used up the refresh token: {status} {body}");
        scene.assert_kept();
        // And the next one asks again, with the same refresh token.
        scene.renew().assert_code(7);
        assert_eq!(["refresh-1", "refresh-1"], scene.presented()[..], "{status} {body}");
    }
}

#[test]
fn r18_an_error_about_the_client_is_no_verdict_on_the_grant() {
    for (status, error) in [
        (401, "invalid_client"),
        (400, "unauthorized_client"),
        (400, "unsupported_grant_type"),
        (400, "invalid_scope"),
        (403, "access_denied"),
    ] {
        let body: &'static str = format!(r#"{{"error":"{error}"}}"#).leak();
        let scene = Scene::answering(status, JSON, body);
        scene.renew().assert_code(3).assert_says(error).assert_says("check the integration; the grant is kept");
        assert!(!scene.has_journal(), "the answer is final: {error}");
        assert_eq!("first\n", scene.token().assert_code(0).stdout);
        scene.renew().assert_code(3);
        assert_eq!(["refresh-1", "refresh-1"], scene.presented()[..], "the configuration may have been repaired");
    }
}

/// The provider has issued tokens, so it may have used up the refresh token. A strict one ends the grant when that comes
/// again: while the old token is valid, it does not.
#[test]
fn r12_after_tokens_that_cannot_be_used_nothing_is_sent_while_the_old_token_is_valid() {
    let scene = Scene::answering(200, JSON, r#"{"access_token":"a b"}"#);
    scene.sandbox.age(HOUR, Duration::from_secs(50));
    scene.renew().assert_code(9).assert_says("malformed access token");
    assert!(scene.has_journal());
    assert_eq!("first\n", scene.token().assert_code(0).stdout);
    assert_eq!(["refresh-1"], scene.presented()[..]);
}

fn tokens_of(subject: &str, number: u32) -> String {
    tokens_with(&json!({ "sub": subject }), number)
}

/// Not signed by anybody: it came straight from the token endpoint.
fn tokens_with(changes: &serde_json::Value, number: u32) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("now").as_secs();
    let mut claims = json!({ "iss": "https://op.example", "aud": "me", "exp": now + 600, "iat": now });
    for (name, value) in changes.as_object().expect("object") {
        claims[name] = value.clone();
    }
    let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let id_token = format!("{}.{}.c2ln", part(json!({ "alg": "RS256" })), part(claims));
    json!({
        "access_token": format!("token-{number}"), "expires_in": 3600,
        "refresh_token": format!("refresh-{number}"), "id_token": id_token,
    })
    .to_string()
}

#[test]
fn s10_a_refresh_that_answers_with_another_person_is_refused_and_the_old_grant_kept() {
    let scene = Scene::new(tokens_of("anna", 1).leak(), |request, stream| {
        let (subject, number) = if presented(request) == "refresh-1" { ("bert", 2) } else { ("anna", 3) };
        send(stream, 200, JSON, tokens_of(subject, number).as_bytes());
    });
    let renew = || scene.sandbox.run(&["token", "work", "--rejected", &hash("token-1")]);
    let refused = renew();
    refused
        .assert_code(9)
        .assert_says("the response to the refresh is for another user (sub)")
        .assert_says("the old grant was kept");
    assert_eq!("", refused.stdout);
    assert_eq!("token-1\n", scene.token().assert_code(0).stdout);
    // Nothing of it comes to light later, from the journal or from anywhere.
    renew().assert_code(9);
    assert_eq!(["refresh-1", "refresh-1"], scene.presented()[..]);
    scene.sandbox.alter(|grant| grant.refresh_token = Some(Secret::new("refresh-of-anna".into())));
    assert_eq!("token-3\n", renew().assert_code(0).stdout, "the same person is welcome");
}

#[test]
fn h13_an_id_token_of_a_refresh_that_is_not_of_this_login_replaces_nothing_and_loses_nothing() {
    let of_this_login = json!({ "sub": "anna", "nonce": "n" });
    let scene = Scene::new(tokens_with(&of_this_login, 1).leak(), move |request, stream| {
        let changes = match presented(request).as_str() {
            "refresh-1" => json!({ "sub": "anna", "nonce": "of another login" }),
            "refresh-2" => json!({ "sub": "anna", "iss": "https://another.example" }),
            "refresh-3" => json!({ "sub": "anna", "aud": ["me", "another"], "azp": "me" }),
            _ => json!({ "sub": "anna", "jti": "new" }),
        };
        let number = presented(request).trim_start_matches("refresh-").parse::<u32>().expect("a number") + 1;
        send(stream, 200, JSON, tokens_with(&changes, number).as_bytes());
    });
    let id_token = || scene.sandbox.run(&["token", "work", "--id-token"]).assert_code(0).stdout.clone();
    let first = id_token();
    for number in 1..=3 {
        let rejected = hash(&format!("token-{number}"));
        let renewed = scene.sandbox.run(&["token", "work", "--rejected", &rejected]);
        assert_eq!(format!("token-{}\n", number + 1), renewed.assert_code(0).stdout);
        assert_eq!(first, id_token(), "{number}");
    }
    // Without a nonce, as section 12.2 would have it.
    scene.sandbox.run(&["token", "work", "--rejected", &hash("token-4")]).assert_code(0);
    assert_ne!(first, id_token());
    assert_eq!(["refresh-1", "refresh-2", "refresh-3", "refresh-4"], scene.presented()[..], "no rotation was lost");
}

#[test]
fn x11_without_a_refresh_token_the_token_serves_to_its_end_and_then_a_person_is_needed() {
    let scene = Scene::new(r#"{"access_token":"first","expires_in":3600}"#, |_, _| {});
    scene.sandbox.age(HOUR, Duration::from_secs(30));
    assert_eq!("first\n", scene.token().assert_code(0).stdout, "within the margin, and there is no other");
    scene.renew().assert_code(4).assert_says("was rejected, and there is no refresh token").assert_says("loopin login");
    let wish = scene.sandbox.run(&["token", "work", "--min-ttl", "10m"]);
    wish.assert_code(4)
        .assert_says("the access token is valid for ")
        .assert_says(" s only, and there is no refresh token");
    scene.sandbox.expire();
    scene.token().assert_code(4).assert_says("expired").assert_says("loopin login work");
    assert_eq!(0, scene.refreshes().len());
}

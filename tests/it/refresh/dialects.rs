//! Providers that answer a refresh in words and shapes of their own. D01, D02, D03, D13, D14.

use super::*;

#[test]
fn d03_a_dead_grant_in_any_words_asks_for_a_login_and_is_sent_once() {
    for (status, fields, body) in [
        (200, JSON, r#"{"error":"bad_refresh_token","error_description":"incorrect or expired"}"#),
        (200, "Content-Type: application/x-www-form-urlencoded\r\n", "error=bad_refresh_token"),
        (200, JSON, r#"{"ok":false,"error":"invalid_refresh_token"}"#),
        (400, JSON, r#"{"error_code":"refresh_token_not_found","code":400}"#),
        (400, JSON, r#"{"status":"BAD_REFRESH_TOKEN"}"#),
        (400, JSON, r#"{"errors":[{"errorType":"invalid_grant"}],"success":false}"#),
        (400, JSON, r#"{"errors":[{"resource":"RefreshToken","code":"invalid"}]}"#),
        (403, JSON, r#"{"error":"unauthorized_client","error_description":"refresh_token is invalid"}"#),
        (400, JSON, r#"{"error":"interaction_required"}"#),
    ] {
        let scene = Scene::answering(status, fields, body);
        scene.renew().assert_code(4).assert_says("no longer accepts").assert_says("loopin login work");
        scene.sandbox.run(&["status", "work"]).assert_code(4);
        scene.renew().assert_code(4);
        assert_eq!(1, scene.refreshes().len(), "a dead refresh token is not sent again: {body}");
    }
}

#[test]
fn d03_a_word_of_the_configuration_ends_a_grant() {
    let scene = Scene::answering(400, JSON, r#"{"error":"KEY_GONE"}"#);
    scene.renew().assert_code(3);
    let text = std::fs::read_to_string(scene.sandbox.config()).expect("configuration");
    scene.sandbox.configure(&text.replacen("client_id", "dead_grant_errors = [\"KEY_GONE\"]\nclient_id", 1));
    scene.renew().assert_code(4).assert_says("KEY_GONE").assert_says("loopin login work");
}

#[test]
fn d03_a_refusal_for_an_unknown_reason_names_both_remedies_and_keeps_the_grant() {
    for body in [r#"{"error":"nobody_knows"}"#, r#"{"message":"no"}"#, "{}"] {
        let scene = Scene::answering(403, JSON, body);
        scene
            .renew()
            .assert_code(3)
            .assert_says("check the integration; the grant is kept")
            .assert_says("loopin login work");
        assert_eq!("first\n", scene.token().assert_code(0).stdout, "{body}");
    }
}

/// The stored count of refusals, as if the first was so long ago.
fn age_refusals(scene: &Scene, count: u64, ago: Duration) {
    let path = scene.sandbox.stored_file(".last");
    let text = std::fs::read_to_string(&path).expect("last refresh");
    let mut last: serde_json::Value = serde_json::from_str(text.trim()).expect("JSON");
    let since = last["refusals"]["since"].as_u64().expect("milliseconds");
    last["refusals"]["count"] = count.into();
    last["refusals"]["since"] = (since - u64::try_from(ago.as_millis()).expect("milliseconds")).into();
    std::fs::write(&path, format!("{last}\n")).expect("last refresh");
}

#[test]
fn d03_five_refusals_over_an_hour_ask_for_a_login_and_keep_the_tokens() {
    let scene = Scene::answering(400, JSON, r#"{"error":"nobody_knows"}"#);
    let before = scene.sandbox.stored_file(".item");
    for _ in 0..6 {
        scene.renew().assert_code(3);
    }
    age_refusals(&scene, 4, HOUR);
    scene.renew().assert_code(4).assert_says("nobody_knows").assert_says("loopin login work");
    scene.sandbox.run(&["status", "work"]).assert_code(4);
    assert_eq!("first\n", scene.token().assert_code(0).stdout, "the tokens are kept");
    assert_eq!(before, scene.sandbox.stored_file(".item"));
    assert_eq!(7, scene.refreshes().len());
    scene.renew().assert_code(4);
    assert_eq!(7, scene.refreshes().len(), "a dead refresh token is not sent again");
    scene.sandbox.log_in(&[]).assert_code(0);
    scene.sandbox.run(&["status", "work"]).assert_code(0);
}

#[test]
fn d13_a_new_refresh_token_beside_an_unusable_access_token_is_used_next() {
    let scene = Scene::answering_in_turn(&[
        (200, JSON, r#"{"access_token":"a b","refresh_token":"refresh-2"}"#),
        (200, JSON, r#"{"access_token":"x","access_token":"y","refresh_token":"refresh-3"}"#),
        (200, JSON, SECOND),
    ]);
    scene.renew().assert_code(9).assert_says("malformed access token");
    assert!(!scene.has_journal(), "the new refresh token is stored");
    assert_eq!("first\n", scene.token().assert_code(0).stdout, "the old access token is still valid");
    scene.renew().assert_code(7);
    assert_eq!("second\n", scene.renew().assert_code(0).stdout);
    assert_eq!(["refresh-1", "refresh-2", "refresh-3"], scene.presented()[..]);
}

#[test]
fn d14_the_description_of_a_refusal_is_shown_without_secrets() {
    let scene = Scene::new(FIRST, |_, stream| {
        let body =
            r#"{"error":"invalid_client","error_description":"AADSTS7000215: wrong secret; token refresh-1-and-more"}"#;
        send(stream, 401, JSON, body.as_bytes());
    });
    scene.renew().assert_code(3).assert_says("AADSTS7000215: wrong secret");
    let scene = Scene::answering(429, "Content-Type: application/json\r\nRetry-After: 3600\r\n", r#"{"error":"rate"}"#);
    scene.renew().assert_code(7).assert_says("rate").assert_says("the grant is kept");
}

#[test]
fn d01_a_token_without_a_known_end_is_handed_out_until_it_is_rejected() {
    let scene = Scene::new(r#"{"access_token":"first","token_type":"bearer","scope":"read"}"#, |_, _| {});
    let later = |days: u32| {
        scene.sandbox.alter(|grant| grant.obtained_at = SystemTime::now() - DAY * days);
        assert_eq!("first\n", scene.token().assert_code(0).stdout, "after {days} days");
    };
    later(1);
    later(3650);
    let token = scene.sandbox.run(&["token", "work", "--json"]).json();
    assert_eq!((&serde_json::Value::Null, &serde_json::Value::Null), (&token["expires_at"], &token["expires_in"]));
    scene.sandbox.run(&["status", "work"]).assert_code(0).assert_says("the provider named no end");
    assert_eq!("first\n", scene.sandbox.run(&["token", "work", "--min-ttl", "24h"]).assert_code(0).stdout);
    scene.renew().assert_code(4).assert_says("rejected").assert_says("loopin login work");
    scene.token().assert_code(4).assert_says("rejected").assert_says("loopin login work");
    scene.sandbox.run(&["status", "work"]).assert_code(4);
    scene.sandbox.log_in(&[]).assert_code(0);
    assert_eq!("later\n", scene.token().assert_code(0).stdout);
}

#[test]
fn d02_a_token_that_has_just_come_is_handed_out_once_however_short_its_life() {
    for life in ["0", "-5", "1"] {
        let reply: &'static str =
            format!(r#"{{"access_token":"second","expires_in":{life},"refresh_token":"refresh-2"}}"#).leak();
        let scene = Scene::answering(200, JSON, reply);
        for call in 1..=3 {
            scene.sandbox.expire();
            assert_eq!("second\n", scene.token().assert_code(0).stdout, "{life} s");
            assert_eq!(call, scene.refreshes().len(), "one request a call");
        }
        scene.sandbox.run(&["status", "work"]).assert_code(0).assert_says("warning: the provider issues tokens for");
    }
}

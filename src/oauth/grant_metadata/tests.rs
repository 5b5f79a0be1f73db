//! What is kept of a response and of a callback, and what never is.

use serde_json::json;

use super::*;

fn rules(from_token: &[&str], from_callback: &[&str]) -> KeepRules {
    let mut rules = KeepRules::default();
    from_token.iter().for_each(|path| rules.keep_from_token(path).expect(path));
    from_callback.iter().for_each(|name| rules.keep_from_callback(name).expect(name));
    rules
}

fn of_response(paths: &[&str], response: Value) -> Value {
    let fields: Fields = response.as_object().expect("an object").clone().into_iter().collect();
    shown(&rules(paths, &[]).of_response(&fields, &OwnSecrets::default()))
}

fn of_callback(names: &[&str], query: &str) -> Value {
    shown(&rules(&[], names).of_callback(query))
}

fn shown(metadata: &GrantMetadata) -> Value {
    json!(metadata.values())
}

#[test]
fn d10_what_is_named_is_kept_by_its_path_and_nothing_else() {
    let response = json!({
        "access_token": "t", "instance_url": "https://acme.example", "hub_id": 62_515, "is_enterprise": false,
        "team": { "id": "T1", "name": "Acme é" }, "other": "x",
    });
    assert_eq!(
        json!({ "instance_url": "https://acme.example", "hub_id": 62_515, "is_enterprise": false, "team.id": "T1", "team.name": "Acme é" }),
        of_response(
            &["instance_url", "hub_id", "is_enterprise", "team.id", "team.name", "absent", "team.absent"],
            response
        )
    );
    assert_eq!(
        json!({ "realmId": "9130", "accounts-server": "https://accounts.zoho.eu" }),
        of_callback(
            &["realmId", "accounts-server", "shop"],
            "code=c&state=s&realmId=9130&accounts-server=https%3A%2F%2Faccounts.zoho.eu&other=x"
        )
    );
}

#[test]
fn d10_hostile_values_are_cleaned_or_left_out() {
    let keep = ["a"];
    let kept = |value: Value| of_response(&keep, json!({ "a": value }));
    for nothing in [
        json!(null),
        json!(""),
        json!(" \u{1b}\u{7} "),
        json!([1]),
        json!({ "b": "c" }),
        json!("x".repeat(LONGEST_TEXT + 1)),
        // One digit more than a number of JSON readers has.
        json!(90_071_992_547_409_930.0),
    ] {
        assert_eq!(json!({}), kept(nothing.clone()), "{nothing}");
    }
    assert_eq!(json!({ "a": "x".repeat(LONGEST_TEXT) }), kept(json!("x".repeat(LONGEST_TEXT))));
    assert_eq!(json!({ "a": "[31mred" }), kept(json!("\u{1b}[31mred\u{202e}")));
    assert_eq!(json!({ "a": "two lines" }), kept(json!("two\nlines\r\n")));
    assert_eq!(json!({ "a": u64::MAX }), kept(json!(u64::MAX)));
    let deep = (0..60).fold(json!("x"), |inner, _| json!({ "a": inner }));
    assert_eq!(json!({}), of_response(&["a.a.a"], deep));
}

#[test]
fn d10_a_parameter_that_occurs_twice_has_no_value() {
    assert_eq!(json!({ "b": "3" }), of_callback(&["a", "b"], "a=1&a=2&b=3&%61=1"));
    assert_eq!(json!({}), of_callback(&["a"], "a="));
    let many: String = (0..5000).map(|n| format!("p{n}=x&")).collect();
    assert_eq!(json!({ "a": "1" }), of_callback(&["a"], &(many + "a=1")));
}

#[test]
fn d10_no_name_of_a_token_a_secret_or_of_the_sign_in_is_kept() {
    for name in [
        "access_token",
        "refresh_token",
        "id_token",
        "authed_user.access_token",
        "accessToken",
        "token",
        "client_secret",
        "team.Secret",
        "code",
        "state",
        "iss",
        "error",
        "code_verifier",
    ] {
        assert_eq!(Err(KeepError::Secret), KeepRules::default().keep_from_token(name), "{name}");
        assert_eq!(Err(KeepError::Secret), KeepRules::default().keep_from_callback(name), "{name}");
    }
    for name in ["", "a b", "a\n", "é", "a=b", &"x".repeat(LONGEST_NAME + 1)] {
        assert_eq!(Err(KeepError::NotAName), KeepRules::default().keep_from_token(name), "{name}");
        assert_eq!(Err(KeepError::NotAName), KeepRules::default().keep_from_callback(name), "{name}");
    }
    let mut rules = rules(&["scope", "refresh_token_expires_in"], &["realmId"]);
    assert_eq!(Err(KeepError::Twice), rules.keep_from_callback("scope"));
    assert_eq!(Err(KeepError::Twice), rules.keep_from_token("realmId"));
    assert_eq!(Err(KeepError::NotKept), rules.account_from("shop"));
    assert_eq!(Ok(()), rules.account_from("realmId"));
    let mut full = KeepRules::default();
    (0..MOST).for_each(|n| full.keep_from_callback(&format!("p{n}")).expect("room"));
    assert_eq!(Err(KeepError::TooMany), full.keep_from_callback("more"));
}

#[test]
fn d10_a_value_that_is_a_secret_of_the_request_or_a_token_is_left_out() {
    let sent = OwnSecrets::new([Secret::new("the client secret".into())].into_iter());
    let fields: Fields = [("a", "the client secret"), ("b", "fine"), ("c", "the token")]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect();
    let metadata = rules(&["a", "b", "c"], &[]).of_response(&fields, &sent);
    let token = Secret::new("the token".into());
    assert_eq!(json!({ "b": "fine" }), shown(&metadata.without(&[Some(&token), None])));
}

#[test]
fn d10_newer_values_replace_those_of_the_same_name_and_the_others_stay() {
    let old = rules(&[], &["realmId", "location"]).of_callback("realmId=1&location=eu");
    let mut newer = rules(&["location", "realmId"], &[]);
    newer.account_from("realmId").expect("kept");
    let fields: Fields = [("location".to_owned(), Value::from("us")), ("realmId".to_owned(), Value::Null)].into();
    let both = old.updated_by(newer.of_response(&fields, &OwnSecrets::default()));
    assert_eq!(json!({ "realmId": "1", "location": "us" }), shown(&both));
    assert_eq!(Some("1".to_owned()), both.account().map(ToString::to_string));
}

#[test]
fn d10_nothing_kept_is_shown_by_debug() {
    let metadata = rules(&[], &["webhook"]).of_callback("webhook=https://hooks.example/canary");
    let value = metadata.get("webhook").expect("kept");
    let shown = format!("{metadata:?} {value:?}");
    assert!(shown.contains("webhook") && !shown.contains("canary"), "{shown}");
}

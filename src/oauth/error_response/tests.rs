//! Error responses in the shapes that providers send, and what they mean.

use std::collections::BTreeMap;

use oauth2::http;
use serde_json::json;

use super::*;

const SENT: &str = "sent-refresh-token-0123456789";

fn read(status: u16, body: Value) -> Option<ErrorResponse> {
    let mut response = HttpResponse::default();
    *response.status_mut() = http::StatusCode::from_u16(status).expect("status");
    let fields: Fields = body.as_object().expect("object").clone().into_iter().collect::<BTreeMap<_, _>>();
    let secrets = OwnSecrets::new([Secret::new(SENT.into()), Secret::new("s".into())].into_iter());
    let unnamed = || ErrorResponse::unnamed(&response, &fields, &secrets);
    ErrorResponse::read(&response, &fields, &secrets).or_else(unnamed)
}

fn code(status: u16, body: Value) -> String {
    read(status, body.clone()).unwrap_or_else(|| panic!("{body}")).code.to_string()
}

fn meaning(status: u16, body: Value) -> Meaning {
    read(status, body.clone()).unwrap_or_else(|| panic!("{body}")).meaning
}

#[test]
fn an_error_is_an_error_under_every_status_and_in_every_dialect() {
    for (status, body, expected) in [
        (400, json!({ "error": "invalid_grant" }), "invalid_grant"),
        (401, json!({ "error": "invalid_client", "error_description": "x" }), "invalid_client"),
        (200, json!({ "error": "bad_verification_code", "error_description": "x" }), "bad_verification_code"),
        (200, json!({ "ok": false, "error": "invalid_code" }), "invalid_code"),
        (200, json!({ "ok": false }), "unknown_error"),
        // an error and a token: the error counts
        (200, json!({ "error": "invalid_grant", "access_token": "a" }), "invalid_grant"),
        (201, json!({ "error": "invalid_grant" }), "invalid_grant"),
        // an object, a list, and other names
        (400, json!({ "error": { "code": "expired", "message": "x" } }), "expired"),
        (400, json!({ "error": { "type": "OAuthException", "code": 190 } }), "OAuthException"),
        (403, json!({ "error": { "code": 403, "status": "PERMISSION_DENIED" } }), "PERMISSION_DENIED"),
        (400, json!({ "error": {} }), "unknown_error"),
        (400, json!({ "errorCode": "E0000011", "errorSummary": "x" }), "E0000011"),
        (400, json!({ "error_code": "refresh_token_not_found", "code": 400 }), "refresh_token_not_found"),
        (400, json!({ "status": "BAD_REFRESH_TOKEN", "message": "x y" }), "BAD_REFRESH_TOKEN"),
        (400, json!({ "errors": [{ "errorType": "invalid_grant" }], "success": false }), "invalid_grant"),
        (400, json!({ "errors": [{ "resource": "RefreshToken", "code": "invalid" }] }), "RefreshToken.invalid"),
        (400, json!({ "error": "invalid_grant: Token is expired or invalid." }), "invalid_grant"),
        (400, json!({ "error": true }), "unknown_error"),
        (400, json!({ "error": 17 }), "unknown_error"),
        // a client error in JSON
        (403, json!({}), "unknown_error"),
        (400, json!({ "status": "error", "message": "two words" }), "unknown_error"),
    ] {
        assert_eq!(expected, code(status, body.clone()), "{body}");
    }
    for (status, body) in [
        (200, json!({ "access_token": "a" })),
        (200, json!({ "access_token": "a", "errors": [{ "code": "x" }], "success": false })),
        (200, json!({ "error": null })),
        (404, json!({ "message": "x" })),
        (500, json!({})),
        (400, json!({ "access_token": "a" })),
    ] {
        assert_eq!(None, read(status, body.clone()), "{body}");
    }
}

#[test]
fn an_error_code_that_is_a_strangers_text_is_replaced() {
    let long = "a".repeat(65);
    for hostile in ["two words", "\u{1b}[31mred", "é", "a\nb", "<script>", "a\u{202e}b", "Not Found", long.as_str()] {
        assert_eq!("unknown_error", code(400, json!({ "error": hostile })), "{hostile:?}");
    }
}

#[test]
fn d14_the_description_is_shown_on_one_line_and_cut_short() {
    for (body, expected) in [
        (
            json!({ "error": "x", "error_description": "AADSTS50011: redirect_uri\r\nTrace ID: 1" }),
            "AADSTS50011: redirect_uri  Trace ID: 1",
        ),
        (json!({ "error": "x", "message": "no such app" }), "no such app"),
        (json!({ "error": { "message": "API key not valid" } }), "API key not valid"),
        (json!({ "errors": [{ "errorType": "x", "message": "Invalid id" }] }), "Invalid id"),
        (json!({ "error": "Not allowed here" }), "Not allowed here"),
        (json!({ "error": "x", "error_description": "\u{1b}[2Jgone" }), "[2Jgone"),
    ] {
        let shown = read(400, body.clone()).and_then(|error| error.description).expect("a description");
        assert_eq!(expected, shown.as_str(), "{body}");
    }
    let long = json!({ "error": "x", "error_description": "é".repeat(5000) });
    assert_eq!(201, read(400, long).and_then(|error| error.description).expect("text").as_str().chars().count());
    assert_eq!(
        "x: \"y z\"",
        read(400, json!({ "error": "x", "error_description": "y z" })).expect("error").to_string()
    );
}

#[test]
fn d14_what_the_provider_repeats_of_the_request_is_cut_out() {
    let part = &SENT[4..20];
    for body in [
        json!({ "error": "invalid_grant", "error_description": format!("Refresh token invalid: {SENT}. Visit the docs") }),
        json!({ "error": "invalid_grant", "error_description": format!("token={SENT}&x") }),
        json!({ "error": "invalid_grant", "error_description": format!("'{part}' is gone") }),
        json!({ "error": SENT }),
        json!({ "error": "x", "code": part }),
        json!({ "error": { "message": format!("<{SENT}>") } }),
        json!({ "error": format!("no such token {SENT}") }),
    ] {
        let error = read(400, body.clone()).expect("error");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(part), "{body}: {shown}");
    }
    // An access token of somebody, as one provider names it; its trace identifiers stay.
    let named = "no client for access token=eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI3In0.c2ln, Trace ID: f3cac613-d5ed-454b-abd4-a487a7f28800";
    let error = read(400, json!({ "error": "x", "error_description": named })).expect("error");
    let expected = "no client for access token=[redacted], Trace ID: f3cac613-d5ed-454b-abd4-a487a7f28800";
    assert_eq!(Some(expected), error.description.as_ref().map(RemoteText::as_str));
    // A secret of one letter is in every word, and no word of it is lost.
    let kept = read(400, json!({ "error": "x", "error_description": "scopes missing" })).expect("error");
    assert_eq!(Some("scopes missing"), kept.description.as_ref().map(RemoteText::as_str));
}

#[test]
fn d03_the_words_of_a_configuration_are_those_of_a_dead_grant() {
    let own = |status, body: Value| {
        let own = ["KEY_GONE", "Token.revoked"];
        read(status, body).expect("error").with_dead_grant_errors(own.into_iter()).meaning
    };
    assert_eq!(Meaning::DeadGrant, own(400, json!({ "error": "KEY_GONE" })));
    assert_eq!(Meaning::DeadGrant, own(200, json!({ "ok": false, "code": "KEY_GONE" })));
    assert_eq!(Meaning::DeadGrant, own(403, json!({ "errors": [{ "resource": "Token", "code": "revoked" }] })));
    assert_eq!(Meaning::Unknown, own(400, json!({ "error": "key_gone" })), "as it is written");
    for status in [404, 429, 500, 503] {
        assert_eq!(Meaning::Later, own(status, json!({ "error": "KEY_GONE" })), "{status}");
    }
}

#[test]
fn d03_a_status_that_means_later_outweighs_every_word() {
    for status in [404, 408, 429, 500, 502, 503, 504, 599] {
        for word in ["invalid_grant", "invalid_client", "bad_refresh_token", "nobody_knows"] {
            assert_eq!(Meaning::Later, meaning(status, json!({ "error": word })), "{status} {word}");
        }
    }
}

#[test]
fn d03_a_word_with_two_meanings_is_judged_by_its_text() {
    let text = |word: &str, text: &str| meaning(403, json!({ "error": word, "error_description": text }));
    assert_eq!(Meaning::DeadGrant, text("unauthorized_client", "refresh_token is invalid"));
    assert_eq!(Meaning::Unknown, text("unauthorized_client", "Missing valid authorization header"));
    assert_eq!(Meaning::Unknown, text("invalid_request", "A required parameter \"refresh_token\" is missing"));
}

#[test]
fn d03_every_line_of_the_table_has_a_source_and_applies() {
    for known in &known_errors::KNOWN {
        assert!(!known.source.is_empty(), "{known:?}");
        let body = json!({ "error": known.word, "error_description": known.text, "ok": false });
        assert_eq!(known.means, meaning(400, body), "{known:?}");
    }
}

//! What servers answer at the token endpoint, and what is made of it. Errors are in `error_response/tests.rs`.

use proptest::prelude::*;

use super::*;
use crate::oauth::Meaning;

/// Stands in every body that must not be seen again.
const CANARY: &str = "canary";

fn reply(status: u16, body: impl Into<Vec<u8>>) -> HttpResponse {
    let mut reply = HttpResponse::new(body.into());
    *reply.status_mut() = http::StatusCode::from_u16(status).expect("status");
    reply
}

fn normalised(reply: &HttpResponse) -> Result<HttpResponse, Unusable> {
    normalise(reply, &OwnSecrets::default(), &WireDialect::default())
}

/// Status and body of the normal form.
fn normal(status: u16, body: impl Into<Vec<u8>>) -> Option<(u16, Value)> {
    let normal = normalised(&reply(status, body)).ok()?;
    assert_eq!("application/json", normal.headers()[http::header::CONTENT_TYPE]);
    Some((normal.status().as_u16(), serde_json::from_slice(normal.body()).expect("JSON")))
}

fn not_oauth(status: u16, body: &[u8]) -> (NotOAuth, Option<Secret>) {
    match normalised(&reply(status, body)) {
        Err(Unusable::NotOAuth { what, refresh_token }) => (what, refresh_token),
        other => panic!("{status} {}: {other:?}", body.escape_ascii()),
    }
}

fn error(status: u16, body: &str) -> ErrorResponse {
    match normalised(&reply(status, body)) {
        Err(Unusable::Error(error)) => error,
        other => panic!("{status} {body}: {other:?}"),
    }
}

fn assert_not_oauth(status: u16, body: &[u8]) {
    let (error, _) = not_oauth(status, body);
    assert_eq!(NotOAuth { status, bytes: body.len(), retry_after: None }, error);
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(CANARY), "{shown}");
}

fn nested(depth: usize) -> String {
    format!(r#"{{"access_token":"{CANARY}","x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth))
}

#[test]
fn a_reply_as_rfc_6749_has_it_passes() {
    let body = r#"{"access_token":"a","token_type":"Bearer","expires_in":3600,"refresh_token":"r","scope":"x y","id_token":"i"}"#;
    assert_eq!(Some((200, serde_json::from_str(body).expect("JSON"))), normal(200, body));
}

#[test]
fn what_is_not_of_rfc_6749_is_left_out() {
    let body = r#"{"access_token":"a","token_type":"Bearer","refresh_token":"","id_token":null,"scope":7,"user":{"name":"x"}}"#;
    assert_eq!(Some((200, json!({ "access_token": "a", "token_type": "Bearer" }))), normal(200, body));
}

#[test]
fn x03_a_redirect_is_told_as_one() {
    for status in [300, 301, 302, 303, 307, 308] {
        let (error, _) = not_oauth(status, br#"{"access_token":"canary","token_type":"Bearer"}"#);
        assert!(error.redirected(), "{status}");
        assert_eq!(format!("answered with a redirect (status {status}), which is never followed"), error.to_string());
    }
    assert!(!NotOAuth { status: 200, bytes: 0, retry_after: None }.redirected());
}

#[test]
fn x06_what_is_no_token_reply_is_named_and_never_shown() {
    let texts = [
        "",
        " ",
        "\r\n\r\n",
        "canary",
        "canary canary",
        "null",
        "true",
        "0",
        "\"canary\"",
        "[]",
        r#"["canary"]"#,
        r#"[{"access_token":"canary","token_type":"Bearer"}]"#,
        "{}",
        r#"{"canary":1}"#,
        "<!doctype html><title>canary</title>",
        "<html><body>access_token=canary</body></html>",
        r#"<?xml version="1.0"?><token>canary</token>"#,
        "<a href=\"?access_token=canary\">",
        r#"{"access_token":"canary""#,
        r#"{"access_token":"canary","token_type":"Bearer","#,
        r#"{"access_token":"canary","token_type":"Bearer",}"#,
        r#"{"access_token":"canary"} trailing"#,
        r#"{"access_token":"canary"}{"access_token":"canary"}"#,
        r#"{'access_token':'canary'}"#,
        r#"{access_token:"canary"}"#,
        r#"{"access_token":"canary" /* why */}"#,
        r#"{"access_token":"canary","expires_in":NaN}"#,
        r#"{"access_token":"canary","expires_in":0x10}"#,
        r#"{"access_token":"canary","lone":"\ud800"}"#,
        "{\"access_token\":\"can\nary\"}",
        r#"callback({"access_token":"canary"})"#,
        ")]}',\n{\"access_token\":\"canary\"}",
        "\u{feff}\u{feff}{\"access_token\":\"canary\"}",
        // twice, in every form
        r#"{"access_token":"canary","access_token":"canary2","token_type":"Bearer"}"#,
        r#"{"access_token":"canary","\u0061ccess_token":"canary2","token_type":"Bearer"}"#,
        r#"{"access_token":"canary","token_type":"Bearer","x":1,"x":2}"#,
        r#"{"error":"invalid_grant","error":"canary"}"#,
        "access_token=canary&access_token=canary2",
        "access_token=canary&%61ccess_token=canary2",
        // no access token, or none that is a text
        r#"{"access_token":null,"token_type":"canary"}"#,
        r#"{"access_token":7,"token_type":"canary"}"#,
        r#"{"access_token":true,"token_type":"canary"}"#,
        r#"{"access_token":["canary"]}"#,
        r#"{"access_token":{"value":"canary"}}"#,
        r#"{"data":{"access_token":"canary"}}"#,
        r#"{"Access_Token":"canary","token_type":"Bearer"}"#,
        r#"{"token_type":"Bearer","refresh_token":"canary","expires_in":3600}"#,
        // almost form-encoded
        "access_token",
        "token_type=bearer&scope=canary",
        "access_token=canary canary",
        "access_token=canary\nscope=x",
        "access_token: canary",
        "--canary\r\nContent-Disposition: form-data; name=\"access_token\"\r\n\r\ncanary\r\n--canary--",
        "eyJhbGciOiJSUzI1NiJ9.canary.c2ln",
    ];
    assert!(texts.len() >= 40);
    for text in texts {
        assert_not_oauth(200, text.as_bytes());
    }
    let utf16: Vec<u8> = "\u{feff}{\"access_token\":\"canary\"}".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let bytes: [&[u8]; 5] = [
        b"\x1f\x8b\x08\0canary",
        b"\xff\xfe{\0}\0",
        &utf16,
        b"{\"access_token\":\"canary\xff\"}",
        b"access_token=canary\xff",
    ];
    for bytes in bytes {
        assert_not_oauth(200, bytes);
    }
}

#[test]
fn x06_deep_nesting_is_refused_without_exhausting_the_stack() {
    for depth in [128, 1_000, 500_000] {
        assert_not_oauth(200, nested(depth).as_bytes());
    }
    assert!(normal(200, nested(50)).is_some());
}

#[test]
fn x06_a_byte_order_mark_and_any_content_type_are_accepted() {
    let body = "\u{feff} {\"access_token\":\"a\",\"token_type\":\"Bearer\"}\r\n";
    let expected = Some((200, json!({ "access_token": "a", "token_type": "Bearer" })));
    assert_eq!(expected, normal(200, body));
    for content_type in ["text/html", "text/plain; charset=x", "", "application/x-www-form-urlencoded"] {
        let mut reply = reply(200, body);
        reply.headers_mut().insert(http::header::CONTENT_TYPE, content_type.parse().expect("value"));
        let normal = normalised(&reply).expect("a token reply");
        assert_eq!(
            expected,
            Some((normal.status().as_u16(), serde_json::from_slice(normal.body()).expect("JSON"))),
            "{content_type}"
        );
    }
}

#[test]
fn x06_a_success_of_another_number_is_a_success() {
    let body = r#"{"access_token":"a","token_type":"Bearer"}"#;
    for status in [200, 201, 203, 206] {
        assert_eq!(
            Some((200, json!({ "access_token": "a", "token_type": "Bearer" }))),
            normal(status, body),
            "{status}"
        );
    }
    assert_not_oauth(204, b"");
    for status in [400, 401, 403, 404, 418, 429] {
        assert_not_oauth(status, r#"{"access_token":"canary","token_type":"Bearer"}"#.as_bytes());
    }
}

#[test]
fn x06_a_failing_server_says_nothing_about_a_grant() {
    for status in [500, 502, 503, 504, 599] {
        for body in [r#"{"access_token":"canary","token_type":"Bearer"}"#, "<h1>canary</h1>"] {
            assert_not_oauth(status, body.as_bytes());
        }
        for body in [r#"{"error":"invalid_grant"}"#, "error=invalid_grant&x=canary"] {
            assert_eq!(Meaning::Later, error(status, body).meaning, "{status} {body}");
        }
    }
}

#[test]
fn x06_a_client_error_that_names_no_oauth_error_says_nothing_about_a_grant() {
    let json = ["{}", r#"{"message":"canary"}"#, r#"{"error":null}"#, r#"{"error":""}"#, r#"{"error":["canary"]}"#];
    for status in [400, 401, 403, 404, 408, 429] {
        for body in ["", "<h1>canary</h1>", "[]", "\"canary\"", "canary=1"] {
            assert_not_oauth(status, body.as_bytes());
        }
        for body in json {
            match status {
                400 | 401 | 403 => assert_eq!(Meaning::Unknown, error(status, body).meaning, "{status} {body}"),
                _ => assert_not_oauth(status, body.as_bytes()),
            }
        }
    }
}

#[test]
fn d13_the_one_refresh_token_of_a_reply_that_cannot_be_used_is_kept() {
    for body in [
        r#"{"refresh_token":"r"}"#,
        r#"{"access_token":7,"refresh_token":"r"}"#,
        r#"{"access_token":"a","access_token":"b","refresh_token":"r"}"#,
        r#"{"access_token":"a","refresh_token":"r","scope":"x","scope":"y"}"#,
        "access_token=a&access_token=b&refresh_token=r",
    ] {
        let (_, kept) = not_oauth(200, body.as_bytes());
        assert!(kept.is_some_and(|token| token.matches("r")), "{body}");
    }
    for body in [
        r#"{"access_token":"a","refresh_token":"r","refresh_token":"s"}"#,
        r#"{"access_token":7,"refresh_token":""}"#,
        r#"{"access_token":7,"refresh_token":"a\nb"}"#,
        r#"{"access_token":7,"refresh_token":7}"#,
        r#"{"data":{"refresh_token":"r"}}"#,
    ] {
        assert!(not_oauth(200, body.as_bytes()).1.is_none(), "{body}");
    }
    for status in [404, 500] {
        assert!(not_oauth(status, br#"{"refresh_token":"r"}"#).1.is_none(), "only a success issues tokens: {status}");
    }
}

#[test]
fn d01_other_names_of_a_life_count_where_expires_in_is_missing() {
    for (members, expected) in [
        (r#""expires_in":60,"ext_expires_in":7200,"expires_at":1"#, json!({ "expires_in": 60 })),
        (r#""ext_expires_in":7200"#, json!({ "expires_in": 7200 })),
        (r#""expires_in_sec":"3600""#, json!({ "expires_in": 3600 })),
        (r#""expires_at":1800000000"#, json!({ "expires_at": 1_800_000_000_000_u64 })),
        (r#""expires_at":"1800000000""#, json!({ "expires_at": 1_800_000_000_000_u64 })),
        (r#""expires_at":1800000000123"#, json!({ "expires_at": 1_800_000_000_123_u64 })),
        (r#""expires_at":null"#, json!({})),
        (r#""expires_at":"2027-01-15T08:00:00Z""#, json!({})),
        (r#""expires_at":-1"#, json!({})),
    ] {
        let (_, mut normal) = normal(200, format!(r#"{{"access_token":"a",{members}}}"#)).expect("a token reply");
        let normal = normal.as_object_mut().expect("object");
        normal.retain(|name, _| name.starts_with("expires"));
        assert_eq!(expected, Value::Object(normal.clone()), "{members}");
    }
}

#[test]
fn x07_expires_in_in_all_its_shapes() {
    const TEN_YEARS: u64 = 315_360_000;
    for (written, expected) in [
        ("3600", Some(3600)),
        ("\"3600\"", Some(3600)),
        ("\" 3600 \"", Some(3600)),
        ("3600.0", Some(3600)),
        ("\"3600.0\"", Some(3600)),
        ("1e3", Some(1000)),
        ("\"1e3\"", Some(1000)),
        ("3599.9", Some(3599)),
        ("0", Some(0)),
        ("-0", Some(0)),
        ("-1", Some(0)),
        ("\"-3600\"", Some(0)),
        ("-1e300", Some(0)),
        ("315360000", Some(TEN_YEARS)),
        ("315360001", Some(TEN_YEARS)),
        ("18446744073709551615", Some(TEN_YEARS)),
        ("18446744073709551616", Some(TEN_YEARS)),
        ("1e300", Some(TEN_YEARS)),
        ("\"1e999\"", Some(TEN_YEARS)),
        ("null", None),
        ("true", None),
        ("\"\"", None),
        ("\"soon\"", None),
        ("\"NaN\"", None),
        ("\"0x10\"", None),
        ("[3600]", None),
        ("{\"s\":3600}", None),
    ] {
        let body = format!(r#"{{"access_token":"a","token_type":"Bearer","expires_in":{written}}}"#);
        let (_, normal) = normal(200, body).unwrap_or_else(|| panic!("{written}"));
        assert_eq!(expected, normal.get("expires_in").map(|n| n.as_u64().expect("whole seconds")), "{written}");
    }
}

#[test]
fn x08_a_missing_token_type_means_bearer() {
    for written in ["", r#","token_type":null"#, r#","token_type":"""#, r#","token_type":7"#] {
        let (_, normal) = normal(200, format!(r#"{{"access_token":"a"{written}}}"#)).expect("a token reply");
        assert_eq!("Bearer", normal["token_type"], "{written}");
    }
    let (_, normal) = normal(200, r#"{"access_token":"a","token_type":"bOt"}"#).expect("a token reply");
    assert_eq!("bOt", normal["token_type"]);
}

#[test]
fn x09_an_empty_access_token_is_kept_for_its_judge() {
    for body in [r#"{"access_token":""}"#, "access_token=&token_type=bearer"] {
        assert_eq!("", normal(200, body).expect("a token reply").1["access_token"], "{body}");
    }
}

#[test]
fn x10_scopes_come_as_a_list_an_array_or_with_commas() {
    for (written, expected) in [
        (r#""read write""#, Some("read write")),
        (r#""read""#, Some("read")),
        (r#""read,write""#, Some("read write")),
        (r#""a,b c""#, Some("a,b c")),
        (r#"["read","write"]"#, Some("read write")),
        (r#"["read",7,"write"]"#, Some("read write")),
        (r#""""#, None),
        (r#"" ""#, None),
        ("[]", None),
        ("null", None),
        ("7", None),
    ] {
        let (_, normal) = normal(200, format!(r#"{{"access_token":"a","scope":{written}}}"#)).expect("a token reply");
        assert_eq!(expected, normal.get("scope").map(|s| s.as_str().expect("text")), "{written}");
    }
}

#[test]
fn d06_scopes_are_split_at_the_provider_s_separator() {
    let granted = |text: &str, separator| scope(&Value::from(text), separator).expect("scopes");
    assert_eq!("read write", granted("read,write", ScopeSeparator::Space));
    assert_eq!("a,b c", granted("a,b c", ScopeSeparator::Space), "a comma in one scope");
    assert_eq!("a b c", granted("a,b c", ScopeSeparator::Other(',')));
    assert_eq!("read write", granted("read+write", ScopeSeparator::Other('+')));
    assert_eq!("read write", granted("read write", ScopeSeparator::Other('+')));
}

#[test]
fn a_form_encoded_reply_is_read() {
    let body = "access_token=gho_a%2Bb&expires_in=28800&refresh_token=ghr_r&scope=repo%2Cuser&token_type=bearer";
    let expected = json!({ "access_token": "gho_a+b", "expires_in": 28800, "refresh_token": "ghr_r", "scope": "repo user", "token_type": "bearer" });
    assert_eq!(Some((200, expected)), normal(200, body));
}

proptest! {
    #[test]
    fn random_bytes_never_panic_and_the_normal_form_is_a_fixed_point(
        status in 100u16..600,
        body in prop_oneof![any::<Vec<u8>>(), "\\PC{0,60}".prop_map(String::into_bytes), r#"\{("(error|ok|scope|access_token|expires_in)":("a b,c"|-?[0-9]{1,25}|null|false),?){0,4}\}"#.prop_map(String::into_bytes), "((error|access_token|scope)=[a-z%&,+]{0,9}&?){1,4}".prop_map(String::into_bytes)],
    ) {
        match normalised(&reply(status, body.clone())) {
            Ok(once) => {
                let twice = normalised(&once).expect("the normal form is OAuth");
                prop_assert_eq!((once.status(), once.body()), (twice.status(), twice.body()));
            }
            Err(Unusable::Error(error)) => {
                let code = error.code.to_string();
                prop_assert!(!code.is_empty() && code.bytes().all(|b| b.is_ascii_graphic()), "{}", code);
            }
            Err(Unusable::NotOAuth { what, .. }) => {
                prop_assert_eq!(NotOAuth { status, bytes: body.len(), retry_after: None }, what);
            }
        }
    }
}

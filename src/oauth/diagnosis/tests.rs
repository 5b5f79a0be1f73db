//! What is said about responses of real shapes. Values are canaries: none may be seen again.

use std::time::UNIX_EPOCH;

use oauth2::http::StatusCode;

use super::*;
use crate::oauth::{MemberPath, ScopeSeparator, TokenBody, TokenRules};

const CANARY: &str = "canary";

fn response(status: u16, body: &str) -> HttpResponse {
    let mut response = HttpResponse::new(body.as_bytes().to_vec());
    *response.status_mut() = StatusCode::from_u16(status).expect("status");
    response
}

fn by(dialect: &WireDialect, status: u16, body: &str) -> Diagnosis {
    let diagnosis = Diagnosis::of(&response(status, body), dialect, UNIX_EPOCH);
    let shown = format!("{diagnosis} {:?} {:?}", diagnosis.names, diagnosis.advice);
    assert!(!shown.contains(CANARY), "{shown}");
    diagnosis
}

fn of(status: u16, body: &str) -> Diagnosis {
    by(&WireDialect::default(), status, body)
}

fn path(text: &str) -> MemberPath {
    MemberPath::parse(text).expect("a path")
}

fn lines(diagnosis: &Diagnosis) -> Vec<String> {
    diagnosis.advice.iter().filter_map(Advice::line).collect()
}

#[test]
fn the_field_that_would_read_a_response_is_named() {
    for (status, body, expected) in [
        (200, r#"{"data":{"access_token":"canary","expires_in":60}}"#, &[r#"token_at = "data""#][..]),
        (200, r#"{"ok":true,"a":{"b":{"access_token":"canary"}}}"#, &[r#"token_at = "a.b""#]),
        (
            200,
            r#"{"status":0,"body":{"access_token":"canary","scope":"a,b"}}"#,
            &[r#"token_at = "body""#, r#"error_at = "status""#, r#"scope_separator = ",""#],
        ),
        (200, r#"{"status":401,"body":{}}"#, &[r#"error_at = "status""#]),
        (200, r#"{"meta":{"error_code":17,"text":"canary"}}"#, &[r#"error_at = "meta.error_code""#]),
        (200, r#"{"access_token":"canary","scope":"a;b"}"#, &[r#"scope_separator = ";""#]),
        (200, r#"{"access_token":"canary","authed_user":{"access_token":"canary"}}"#, &[r#"token_at = "authed_user""#]),
        (
            400,
            r#"{"object":"error","code":"invalid_json","message":"Error parsing JSON body: canary"}"#,
            &[r#"token_request = "json""#, r#"dead_grant_errors = ["CODE"]"#],
        ),
        (415, r#"{"title":"canary"}"#, &[r#"token_request = "json""#]),
    ] {
        let found = of(status, body);
        assert_eq!(expected, lines(&found), "{body}");
        assert!(found.is_news(), "{body}");
    }
}

#[test]
fn every_line_that_is_proposed_for_tokens_is_one_with_which_they_are_read() {
    for (body, token_at, separator) in [
        (r#"{"data":{"access_token":"canary","scope":"a|b"}}"#, "data", '|'),
        (r#"{"x":{"y":{"access_token":"canary","scope":"a;b"}}}"#, "x.y", ';'),
    ] {
        let token = TokenRules { token_at: Some(path(token_at)), ..TokenRules::default() };
        let dialect =
            WireDialect { token, scope_separator: ScopeSeparator::Other(separator), ..WireDialect::default() };
        let read = by(&dialect, 200, body);
        let taken = read.reading.as_ref().expect("tokens");
        assert_eq!(format!("{token_at}.access_token"), taken.access_token);
        assert!(read.advice.is_empty() && !read.is_news(), "{:?}", read.advice);
    }
    // An array, a name with a space or a dot: no path leads there, so none is proposed.
    for body in [
        r#"[{"access_token":"canary"}]"#,
        r#"{"a":[{"access_token":"canary"}]}"#,
        r#"{"a b":{"access_token":"canary"}}"#,
    ] {
        assert!(!lines(&of(200, body)).iter().any(|line| line.contains("token_at")), "{body}");
    }
}

#[test]
fn what_is_taken_is_named_with_its_place() {
    let plain = of(
        200,
        r#"{"access_token":"canary","expires_in":60,"refresh_token":"canary","scope":"a b","id_token":"canary"}"#,
    );
    let expected = Taken {
        access_token: "access_token".into(),
        expiry: ExpirySource::Member("expires_in".into()),
        refresh_token: Some("refresh_token".into()),
        id_token: Some("id_token".into()),
        scope: Some(TakenScope { at: "scope".into(), spelling: ScopeSpelling::Separated(' ') }),
    };
    assert_eq!(Some(&expected), plain.reading.as_ref().ok());
    assert!(plain.advice.is_empty() && !plain.is_news());
    let form = of(200, "access_token=canary&expires_at=1900000000&scope=a%2Cb&token_type=bearer");
    assert_eq!((BodyKind::Form, vec![Advice::RequestSeparator(',')]), (form.body, form.advice.clone()));
    assert_eq!(ExpirySource::Member("expires_at".into()), form.reading.as_ref().expect("tokens").expiry);
    assert!(!form.is_news(), "commas are read anyway");
    for (body, expiry) in [
        (r#"{"access_token":"canary"}"#, ExpirySource::Unknown),
        (r#"{"access_token":"canary","refresh_token":"canary"}"#, ExpirySource::Assumed),
        (r#"{"access_token":"e30.eyJleHAiOjE5MDAwMDAwMDB9.x"}"#, ExpirySource::Jwt),
        (r#"{"access_token":"canary","expires_in_sec":5}"#, ExpirySource::Member("expires_in_sec".into())),
    ] {
        assert_eq!(expiry, of(200, body).reading.expect("tokens").expiry, "{body}");
    }
}

#[test]
fn a_response_with_many_places_is_read_a_few_times_only() {
    // A line feed keeps every one of them from being a token.
    let place = serde_json::json!({ "access_token": "canary\n", "code": "canary" });
    let many: Fields = (0..200).map(|at| (format!("name{at}"), place.clone())).collect();
    let reads = std::cell::Cell::new(0);
    let read = |dialect: &WireDialect| {
        reads.set(reads.get() + 1);
        let body = Value::Object(many.clone().into_iter().collect()).to_string();
        TokenSet::of_response(response(200, &body), dialect, UNIX_EPOCH)
    };
    let dialect = WireDialect::default();
    let tokens = read(&dialect);
    advice::of(200, &many, &dialect, &tokens, &read);
    assert!(reads.get() < 12, "{} reads", reads.get());
}

#[test]
fn an_error_that_is_understood_is_no_news_and_another_one_is() {
    assert!(!of(400, r#"{"error":"invalid_grant","error_description":"canary"}"#).is_news());
    assert!(!of(200, "error=bad_refresh_token").is_news());
    let unknown = of(400, r#"{"error":"canary"}"#);
    assert!(unknown.is_news());
    assert_eq!([Advice::DeadGrantErrors], unknown.advice[..]);
    assert!(!unknown.to_string().contains("dead_grant_errors"), "at a login the code may be about anything");
}

#[test]
fn a_server_that_wants_the_other_form_of_requests_is_recognized() {
    let token = TokenRules { body: TokenBody::Json, ..TokenRules::default() };
    let dialect = WireDialect { token, ..WireDialect::default() };
    let refused = by(&dialect, 400, r#"{"error":"invalid_request","error_description":"use form encoding"}"#);
    assert!(refused.advice.contains(&Advice::TokenRequest(TokenBody::Form)), "{:?}", refused.advice);
    assert!(!of(400, r#"{"error":"invalid_request"}"#).advice.iter().any(|a| matches!(a, Advice::TokenRequest(_))));
}

#[test]
fn a_token_under_a_name_that_no_field_can_change_is_named_as_that() {
    let other = of(200, r#"{"accessToken":"canary"}"#);
    assert_eq!([Advice::OtherName("accessToken".into())], other.advice[..]);
    assert_eq!(None, other.advice[0].line());
}

#[test]
fn names_that_may_be_data_are_hidden_and_their_number_is_bounded() {
    let names = |body: &str| of(200, body).names.to_string();
    assert_eq!("a.b, list[].c, plain", names(r#"{"a":{"b":"canary"},"list":[{"c":1},{"c":2}],"plain":["canary"]}"#));
    for data in
        ["U0123456", "ada@example.com", "", "a b", "\u{1b}[31m", "kQzXwVbNmLpO7aSd", "Yx1wVuTsRqPoNmLkJiHgFeDcBa"]
    {
        let body = serde_json::json!({ data: 1 }).to_string();
        assert_eq!("*", names(&body), "{data}");
    }
    let many: serde_json::Map<_, _> = (0..100).map(|at| (format!("name_{at}"), Value::Null)).collect();
    let names = names(&Value::Object(many).to_string());
    assert!(names.ends_with(" and 70 more") && names.len() < 500, "{names}");
}

#[test]
fn a_body_without_members_is_named_by_its_kind() {
    for (body, kind) in [
        ("", BodyKind::Empty),
        (" \n", BodyKind::Empty),
        ("<!doctype html><p>canary", BodyKind::Html),
        ("canary", BodyKind::Other),
        ("[]", BodyKind::Other),
        // No form: what stands before the equals sign may be a secret.
        ("canary==", BodyKind::Other),
    ] {
        let found = of(200, body);
        assert_eq!((kind, true), (found.body, found.names.is_empty()), "{body}");
        assert!(found.is_news());
    }
}

#[test]
fn a_saved_response_may_begin_with_heads() {
    let parsed = |text: &str| SavedResponse::parse(text.as_bytes());
    for (text, status) in [
        ("{\"a\":1}", None),
        ("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"a\":1}", Some(200)),
        ("HTTP/2 401 \n\n{\"a\":1}", Some(401)),
        (
            "HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/2 503\r\nretry-after: 9\r\n\r\n{\"a\":1}",
            Some(503),
        ),
    ] {
        let saved = parsed(text).expect("a response");
        assert_eq!((status, &b"{\"a\":1}"[..]), (saved.status, &saved.response.body()[..]), "{text}");
    }
    let later = parsed("HTTP/1.1 429 -\r\nRetry-After: 9\r\n\r\n{\"error\":\"slow_down\"}").expect("a response");
    assert_eq!("9", later.response.headers()["retry-after"]);
    for (text, why) in [
        ("", NotAResponse::Empty),
        (" \r\n", NotAResponse::Empty),
        ("HTTP/1.1 200 OK\r\n\r\n", NotAResponse::HeadAlone),
        ("HTTP/1.1 200 OK\r\nA: b", NotAResponse::HeadAlone),
        ("HTTP/1.1 twenty\r\n\r\n{}", NotAResponse::Head),
        ("a\0b", NotAResponse::Binary),
    ] {
        assert_eq!(Some(why), parsed(text).err(), "{text:?}");
    }
    assert_eq!(Some(NotAResponse::Binary), SavedResponse::parse(b"\x1f\x8b\xff\xfe").err());
}

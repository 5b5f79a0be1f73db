//! `response_mode = "form_post"`: the response comes in the body of a POST.

use super::*;
use crate::oauth::ResponseMode;

/// A login that has requested a POST, or not.
fn expecting(mode: ResponseMode) -> Loopback {
    let mut extra = ExtraParameters::default();
    extra.set_response_mode(mode);
    login_with("http://127.0.0.1:0/callback", 25417, IssParameter::Promised, extra)
}

const FORM: &str = "code=canary-code&state=canary-state&iss=https%3A%2F%2Fop.example";
/// What browsers send with a form that a page of another site submits.
const NAVIGATION: &str = "Origin: https://op.example\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n\
                          Sec-Fetch-Dest: document\r\nContent-Type: application/x-www-form-urlencoded\r\n";

fn post(target: &str, body: &str) -> Head {
    request("POST", target, HOST, &format!("{NAVIGATION}Content-Length: {}\r\n", body.len()))
}

#[test]
fn d19_a_posted_response_ends_the_login_that_has_requested_it() {
    let mut login = expecting(ResponseMode::FormPost);
    let head = post("/callback", FORM);
    assert!(login.body_limit(&head) >= FORM.len());
    assert!(matches!(login.receive_with_body(&head, FORM.as_bytes(), user), Reaction::Code(..)));
    let denied = "error=access_denied&state=canary-state&iss=https%3A%2F%2Fop.example";
    let mut login = expecting(ResponseMode::FormPost);
    assert!(
        matches!(login.receive(&get(&format!("/callback?{denied}")), user), Reaction::Denied(..)),
        "a query counts too"
    );
}

#[test]
fn d19_state_and_issuer_of_a_posted_response_are_checked_and_its_query_does_not_count() {
    let react = |target: &str, body: &str| {
        expecting(ResponseMode::FormPost).receive_with_body(&post(target, body), body.as_bytes(), user)
    };
    let other_issuer = FORM.replace("op.example", "other.example");
    assert!(matches!(react("/callback", &other_issuer), Reaction::Refused(..)));
    let why = |target: &str, body: &str| stray(react(target, body)).1;
    assert_eq!(Stray::Unrelated(Unrelated::WrongState), why("/callback", &FORM.replace("canary-state", "guess")));
    assert_eq!(Stray::Unrelated(Unrelated::NoState), why(RIGHT, ""));
    assert_eq!(Stray::Unrelated(Unrelated::DuplicateParameter), why("/callback", &format!("{FORM}&code=second")));
    assert_eq!(Stray::Unrelated(Unrelated::NotText), why("/callback", "code=a b&state=canary-state"));
    assert_eq!(Stray::Method, why("/other", FORM));
}

#[test]
fn d19_a_post_that_nobody_requested_is_a_stray_that_names_the_setting() {
    let mut login = expecting(ResponseMode::Query);
    let head = post("/callback", FORM);
    assert_eq!(0, login.body_limit(&head), "its body is not read");
    let (reply, why) = stray(login.receive_with_body(&head, FORM.as_bytes(), user));
    assert_eq!((405, Stray::Posted), (reply.status_code(), why));
    assert!(why.to_string().contains("response_mode = \"form_post\""), "{why}");
    assert!(login.is_waiting());
}

#[test]
fn d19_a_form_from_a_frame_or_a_fetch_is_no_response() {
    for (mode, dest) in [("navigate", "iframe"), ("no-cors", "empty"), ("cors", "empty")] {
        let fields = format!("Sec-Fetch-Mode: {mode}\r\nSec-Fetch-Dest: {dest}\r\nContent-Length: {}\r\n", FORM.len());
        let head = request("POST", "/callback", HOST, &fields);
        let reaction = expecting(ResponseMode::FormPost).receive_with_body(&head, FORM.as_bytes(), user);
        assert_eq!(Stray::Subresource, stray(reaction).1, "{mode} {dest}");
    }
}

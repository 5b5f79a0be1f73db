//! Every request that can reach the redirect, and the one that ends the wait.

mod other_users;
mod posted;
mod strays;

use std::num::NonZeroU16;

use super::*;
use crate::{
    head::{HeadReader, Limits, Progress},
    oauth::{
        AuthorizationRequest, AuthorizationServer, Client, ClientAuthentication, ClientId, Endpoint, Entropy,
        ExtraParameters, IdTokenAlgorithms, IssParameter, Issuer, Pkce, S256, Scopes,
    },
    redirect::RegisteredRedirect,
    secret::Secret,
};

const HOST: &str = "127.0.0.1:25417";
const RIGHT: &str = "/callback?code=canary-code&state=canary-state";

pub(super) fn login() -> Loopback {
    login_at("http://127.0.0.1:0/callback", 25417, IssParameter::NotPromised)
}

pub(super) fn login_at(registered: &str, port: u16, iss_parameter: IssParameter) -> Loopback {
    login_with(registered, port, iss_parameter, ExtraParameters::default())
}

fn login_with(registered: &str, port: u16, iss_parameter: IssParameter, extra: ExtraParameters) -> Loopback {
    let endpoint = |text: &str| Endpoint::parse(text).expect("endpoint");
    let secret = |text: &str| Secret::new(text.to_owned());
    let registered = RegisteredRedirect::parse_insisting_on_localhost(registered).expect("redirect");
    let request = AuthorizationRequest {
        server: AuthorizationServer {
            issuer: Some(Issuer::parse("https://op.example").expect("issuer")),
            issuer_template: None,
            authorization_endpoint: endpoint("https://op.example/authorize"),
            token_endpoint: endpoint("https://op.example/token"),
            revocation_endpoint: None,
            device_authorization_endpoint: None,
            iss_parameter,
            s256: S256::Promised,
            id_token_algorithms: IdTokenAlgorithms::Unstated,
            authentication_methods: crate::oauth::AuthenticationMethods::Unstated,
        },
        client: Client::new(ClientId::parse("me").expect("id"), ClientAuthentication::None),
        redirect: registered.bind(NonZeroU16::new(port).expect("port")).expect("bound"),
        scopes: Scopes::default(),
        pkce: Pkce::S256,
        extra,
    };
    let entropy = Entropy {
        state: secret("canary-state"),
        code_verifier: secret("canary-verifier-canary-verifier-canary-veri"),
        nonce: secret("canary-nonce"),
    };
    Loopback::new(request.begin(entropy).expect("begun").1, Pkce::S256)
}

fn user() -> SentBy {
    SentBy::User
}

fn head(bytes: &[u8]) -> Head {
    match HeadReader::new(Limits::DEFAULT).push(bytes) {
        Progress::Complete { head, .. } => head,
        other => panic!("{}: {other:?}", bytes.escape_ascii()),
    }
}

fn request(method: &str, target: &str, host: &str, fields: &str) -> Head {
    head(format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n").as_bytes())
}

pub(super) fn get(target: &str) -> Head {
    request("GET", target, HOST, "")
}

fn stray(reaction: Reaction) -> (Reply, Stray) {
    match reaction {
        Reaction::Stray(reply, why) => (reply, why),
        other => panic!("no stray: {other:?}"),
    }
}

/// The request is answered with this status for this reason, and the login goes on waiting.
fn assert_stray(what: &str, head: &Head, status: u16, why: Stray) -> Reply {
    let mut login = login();
    let (reply, found) = stray(login.receive(head, user));
    assert_eq!((status, why), (reply.status_code(), found), "{what}");
    assert_code(&mut login);
    reply
}

/// The login still waits, and takes the right answer.
pub(super) fn assert_code(login: &mut Loopback) {
    match login.receive(&get(RIGHT), user) {
        Reaction::Code(..) => {}
        other => panic!("no code: {other:?}"),
    }
}

fn field<'a>(reply: &'a Reply, name: &str) -> Vec<&'a str> {
    reply.fields().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

#[test]
fn the_right_answer_is_the_code() {
    assert_code(&mut login());
}

#[test]
fn a_browsers_own_navigation_counts_and_so_does_a_plain_program() {
    for fields in [
        "",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nSec-Fetch-User: ?1\r\n",
        "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n",
        "Sec-Fetch-Mode: Navigate\r\nSec-Fetch-Dest: DOCUMENT\r\n",
        "Sec-Fetch-Mode: navigate\r\n",
        "Cookie: a=\u{e9}\r\nReferer: https://op.example/\r\nOrigin: null\r\nContent-Length: 0\r\n",
    ] {
        match login().receive(&request("GET", RIGHT, HOST, fields), user) {
            Reaction::Code(..) => {}
            other => panic!("{fields:?}: {other:?}"),
        }
    }
}

#[test]
fn l07_the_right_state_is_enough_here_and_pkce_judges_the_code() {
    assert!(matches!(login().receive(&get("/callback?code=attackers&state=canary-state"), user), Reaction::Code(..)));
}

#[test]
fn l09_the_second_answer_is_told_so_and_gives_no_second_code() {
    let mut login = login();
    assert_code(&mut login);
    for _ in 0..20 {
        for target in [
            RIGHT,
            "/callback?code=other&state=canary-state",
            "/callback?error=access_denied&state=canary-state",
            "/callback?code=x&state=wrong",
        ] {
            let (reply, why) = stray(login.receive(&get(target), user));
            assert_eq!((Stray::AlreadyAnswered, 410), (why, reply.status_code()));
            assert_eq!(pages::already_answered().body(), reply.body());
        }
    }
    for outcome in [Outcome::Done, Outcome::Failed] {
        login.finish(outcome);
        assert_eq!(Stray::AlreadyAnswered, stray(login.receive(&get(RIGHT), user)).1, "after the end too");
    }
}

#[test]
fn l12_a_genuine_error_ends_the_login_with_a_fixed_page() {
    let mut login = login();
    match login.receive(&get("/callback?error=access_denied&error_description=canary&state=canary-state"), user) {
        Reaction::Denied(reply, denial) => {
            assert_eq!(
                ("access_denied", Some("canary")),
                (denial.error.as_str(), denial.description.as_ref().map(|d| d.as_str()))
            );
            assert_eq!((303, Some("/failed")), (reply.status_code(), reply.location().map(Location::as_str)));
        }
        other => panic!("{other:?}"),
    }
    assert!(
        matches!(login.receive(&get("/failed"), user), Reaction::Landed(reply) if reply == pages::landing(Outcome::Failed))
    );
    assert_eq!(Stray::AlreadyAnswered, stray(login.receive(&get(RIGHT), user)).1);
}

#[test]
fn l13_an_answer_from_another_provider_ends_the_login_without_a_code() {
    for (promise, iss, why) in [
        (IssParameter::Promised, "", Refusal::IssuerMissing),
        (IssParameter::Promised, "&iss=https://evil.example", Refusal::OtherIssuer),
        (IssParameter::NotPromised, "&iss=https://evil.example", Refusal::OtherIssuer),
    ] {
        let mut login = login_at("http://127.0.0.1:0/callback", 25417, promise);
        match login.receive(&get(&format!("{RIGHT}{iss}")), user) {
            Reaction::Refused(reply, refusal) => {
                assert_eq!(why, refusal);
                assert_eq!((400, pages::refused().body()), (reply.status_code(), reply.body()));
            }
            other => panic!("{iss}: {other:?}"),
        }
        assert_eq!(
            Stray::AlreadyAnswered,
            stray(login.receive(&get(&format!("{RIGHT}&iss=https://op.example")), user)).1
        );
    }
}

#[test]
fn a_path_with_escapes_and_a_query_of_its_own_is_met_as_registered() {
    let mut login = login_at("http://127.0.0.1:0/%63b?tenant=7", 25417, IssParameter::NotPromised);
    assert_eq!(Stray::Path, stray(login.receive(&get("/cb?tenant=7&code=x&state=canary-state"), user)).1);
    assert!(matches!(login.receive(&get("/%63b?tenant=7&code=x&state=canary-state"), user), Reaction::Code(..)));
}

#[test]
fn l28_replies_are_constants_whatever_is_asked() {
    let payloads = [
        "canary",
        "%3Cscript%3Ealert(1)%3C/script%3E",
        "<script>alert(1)</script>",
        "%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E",
        "javascript:alert(1)",
        "%0d%0aX-Evil:%201",
        "{{7*7}}",
        "%00",
        "%e2%80%ae",
    ];
    let shown = |reply: &Reply| {
        (reply.status_code(), reply.fields().map(|(n, v)| (n, v.to_owned())).collect::<Vec<_>>(), reply.body().to_vec())
    };
    let react = |target: &str, fields: &str| match login().receive(&request("GET", target, HOST, fields), user) {
        Reaction::Stray(reply, _) | Reaction::Denied(reply, _) | Reaction::Refused(reply, _) => shown(&reply),
        other => panic!("{target}: {other:?}"),
    };
    for (target, plain) in [
        ("/callback?code=x&state={}", "/callback?code=x&state=wrong"),
        ("/callback?error={}&error_description={}&error_uri={}", "/callback?error=x"),
        (
            "/callback?error={}&error_description={}&error_uri={}&state=canary-state",
            "/callback?error=x&state=canary-state",
        ),
        ("/callback?code={}&state=canary-state&iss={}", "/callback?code=x&state=canary-state&iss=x"),
        ("/{}?{}", "/x"),
    ] {
        for payload in payloads {
            let fields = format!(
                "Referer: {payload}\r\nUser-Agent: {payload}\r\nOrigin: {payload}\r\nX-Forwarded-Host: {payload}\r\nCookie: {payload}\r\n"
            );
            assert_eq!(react(plain, ""), react(&target.replace("{}", payload), &fields), "{target} {payload}");
        }
    }
}

#[test]
fn l29_the_page_that_says_done_is_there_after_it_is_true() {
    let done = |login: &mut Loopback| stray(login.receive(&get("/done"), user)).1;
    let mut login = login();
    assert_eq!(Stray::Path, done(&mut login), "before the answer");
    assert_code(&mut login);
    assert_eq!(Stray::Path, done(&mut login), "before the tokens are stored");
    let reply = login.finish(Outcome::Done);
    assert_eq!((303, Some("/done")), (reply.status_code(), reply.location().map(Location::as_str)));
    assert_eq!(Stray::Path, stray(login.receive(&get("/failed"), user)).1);
    match login.receive(&get("/done"), user) {
        Reaction::Landed(page) => {
            assert_eq!(200, page.status_code());
            assert!(String::from_utf8_lossy(page.body()).contains("You are signed in"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn l29_a_failure_leads_to_a_page_that_says_so() {
    let mut login = login();
    assert_code(&mut login);
    let reply = login.finish(Outcome::Failed);
    assert_eq!((303, Some("/failed")), (reply.status_code(), reply.location().map(Location::as_str)));
    assert_eq!(Stray::Path, stray(login.receive(&get("/done"), user)).1, "never the good page after a failure");
    match login.receive(&get("/failed"), user) {
        Reaction::Landed(page) => assert!(String::from_utf8_lossy(page.body()).contains("You are not signed in")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn l29_the_page_for_a_slow_provider_claims_nothing() {
    let page = String::from_utf8_lossy(pages::received().body()).into_owned();
    assert!(page.contains("Your answer was received") && !page.contains("signed in"), "{page}");
}

#[test]
fn the_final_page_is_for_navigations_of_our_host_only() {
    let mut login = login();
    assert_code(&mut login);
    login.finish(Outcome::Done);
    for (head, why) in [
        (request("GET", "/done", "evil.example", ""), Stray::Host),
        (request("HEAD", "/done", HOST, ""), Stray::Method),
        (request("GET", "/done", HOST, "Sec-Fetch-Dest: image\r\n"), Stray::Subresource),
        (request("GET", "/done", HOST, "Sec-Purpose: prefetch\r\n"), Stray::Prefetch),
    ] {
        assert_eq!(why, stray(login.receive(&head, user)).1);
    }
}

#[test]
fn a_redirect_that_is_called_like_a_final_page_leads_to_another() {
    for (registered, outcome, landing) in [
        ("http://127.0.0.1:0/done", Outcome::Done, "/signed-in"),
        ("http://127.0.0.1:0/done", Outcome::Failed, "/failed"),
        ("http://127.0.0.1:0/failed", Outcome::Failed, "/not-signed-in"),
        ("http://127.0.0.1:0/signed-in", Outcome::Done, "/done"),
    ] {
        let mut login = login_at(registered, 25417, IssParameter::NotPromised);
        let path = registered.rsplit('/').next().expect("path");
        assert!(matches!(login.receive(&get(&format!("/{path}?code=x&state=canary-state")), user), Reaction::Code(..)));
        let reply = login.finish(outcome);
        assert_eq!(Some(landing), reply.location().map(Location::as_str), "{registered}");
        assert!(matches!(login.receive(&get(landing), user), Reaction::Landed(_)), "{registered}");
    }
}

#[test]
fn l31_no_reply_carries_the_code_or_the_state_anywhere() {
    let mut login = login();
    assert_code(&mut login);
    let replies = [login.finish(Outcome::Done), stray(login.receive(&get(RIGHT), user)).0];
    for reply in replies {
        assert!(reply.fields().all(|(_, value)| !value.contains("canary")));
        assert!(!reply.body().windows(6).any(|w| w == b"canary"));
    }
    let shown = format!("{:?} {:?}", self::login(), self::login().receive(&get(RIGHT), user));
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn l32_the_answer_to_an_earlier_login_keeps_waiting() {
    let old = "/callback?code=old&state=state-of-the-login-before&iss=https://op.example";
    assert_stray(old, &get(old), 400, Stray::Unrelated(Unrelated::WrongState));
}

#[test]
fn l37_every_reply_is_shown_and_kept_by_nobody() {
    let mut answered = login();
    assert_code(&mut answered);
    let replies = [
        pages::landing(Outcome::Done),
        pages::landing(Outcome::Failed),
        pages::received(),
        pages::refused(),
        answered.finish(Outcome::Done),
        stray(answered.receive(&get(RIGHT), user)).0,
        stray(login().receive(&get("/"), user)).0,
        stray(login().receive(&get("/callback"), user)).0,
        stray(login().receive(&request("POST", RIGHT, HOST, ""), user)).0,
        stray(login().receive(&request("OPTIONS", RIGHT, HOST, ""), user)).0,
        stray(login().receive(&request("GET", RIGHT, "x", ""), user)).0,
    ];
    for reply in replies {
        for (name, value) in [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
        ] {
            assert_eq!([value], *field(&reply, name), "{name} {reply:?}");
        }
        let policy = field(&reply, "Content-Security-Policy").concat();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(field(&reply, "Content-Disposition").is_empty());
        let page = String::from_utf8_lossy(reply.body()).into_owned();
        assert!(page.starts_with("<!doctype html>") && page.contains("<meta charset=\"utf-8\">"), "{page}");
        assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"), "{page}");
    }
}

#[test]
fn l40_a_long_code_and_unknown_parameters_are_an_answer() {
    for kilobytes in [1, 16, 60] {
        let target =
            format!("/callback?x&session_state=7&code={}&state=canary-state&authuser=0", "c".repeat(kilobytes * 1024));
        assert!(matches!(login().receive(&get(&target), user), Reaction::Code(..)), "{kilobytes} K");
    }
}

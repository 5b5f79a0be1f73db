//! The practice provider: a good server to a good client, and a strict one to every other.

use std::{
    cell::{Cell, RefCell},
    num::NonZeroU16,
    time::UNIX_EPOCH,
};

use serde_json::Value;

use super::*;
use crate::{
    head::{HeadReader, Limits, Progress},
    oauth::{
        AuthorizationRequest, AuthorizationServer, Client, ClientAuthentication, ClientId, DiscoveryError, Entropy,
        ExchangeError, Extent, ExtraParameters, GrantTokens, HttpClient, HttpError, HttpRequest, HttpResponse, Issuer,
        Pkce, Received, Refusal, S256, Scopes, TokenSet, discover, revoke_grant,
    },
    redirect::RegisteredRedirect,
};

const ORIGIN: &str = "http://127.0.0.1:8000";
const REDIRECT: &str = "http://127.0.0.1:25417/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The server with a clock, a source of chance that never repeats itself, and the HTTP client that asks it.
struct World {
    server: RefCell<Practice>,
    now: Cell<SystemTime>,
    chance: Cell<u8>,
}

impl World {
    fn new(faults: Vec<Fault>) -> Self {
        let server = Practice::new(ORIGIN.into(), Duration::from_secs(3600), faults);
        Self {
            server: RefCell::new(server),
            now: Cell::new(UNIX_EPOCH + Duration::from_secs(1_800_000_000)),
            chance: Cell::new(0),
        }
    }

    fn ask(&self, method: &str, target: &str, body: &str) -> Reply {
        self.chance.set(self.chance.get() + 1);
        let head = head(&format!(
            "{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nContent-Length: {}\r\n\r\n",
            body.len()
        ));
        self.server.borrow_mut().respond(&head, body.as_bytes(), [self.chance.get(); 32], self.now.get())
    }

    fn post(&self, path: &str, form: &[(&str, &str)]) -> Reply {
        self.ask("POST", path, &encode(form))
    }

    /// The form on which a person decides, or why there is none.
    fn authorize(&self, changes: &[(&str, &str)]) -> Reply {
        self.ask("GET", &format!("/authorize?{}", encode(&with(AUTHORIZE, changes))), "")
    }

    fn decide(&self, page: &Reply, decision: &str) -> Reply {
        self.post("/consent", &[("consent", &consent_of(page)), ("decision", decision)])
    }

    fn code(&self) -> String {
        answer(&self.decide(&self.authorize(&[]), "allow")).remove("code").expect("a code")
    }

    fn redeem(&self, code: &str, changes: &[(&str, &str)]) -> (u16, Value) {
        json_of(&self.post("/token", &with(&[REDEEM, &[("code", code)]].concat(), changes)))
    }

    fn refresh(&self, token: &Value) -> (u16, Value) {
        let token = token.as_str().expect("a refresh token");
        json_of(
            &self
                .post("/token", &[("grant_type", "refresh_token"), ("client_id", CLIENT_ID), ("refresh_token", token)]),
        )
    }
}

impl HttpClient for World {
    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let target = request.uri().path_and_query().expect("target").as_str().to_owned();
        let method = request.method().as_str().to_owned();
        let body = String::from_utf8(request.into_body()).expect("text");
        let reply = self.ask(&method, &target, &body);
        let mut response = HttpResponse::new(reply.body().to_vec());
        *response.status_mut() = reply.status_code().try_into().expect("status");
        Ok(response)
    }
}

const AUTHORIZE: &[(&str, &str)] = &[
    ("response_type", "code"),
    ("client_id", CLIENT_ID),
    ("redirect_uri", REDIRECT),
    ("state", "s&t"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
    ("scope", "openid read"),
];

const REDEEM: &[(&str, &str)] = &[
    ("grant_type", "authorization_code"),
    ("client_id", CLIENT_ID),
    ("redirect_uri", REDIRECT),
    ("code_verifier", VERIFIER),
];

pub(super) fn head(text: &str) -> Head {
    match HeadReader::new(Limits::DEFAULT).push(text.as_bytes()) {
        Progress::Complete { head, .. } => head,
        other => panic!("{text}: {other:?}"),
    }
}

fn encode(form: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}

/// An empty value takes the parameter away.
fn with<'a>(good: &[(&'a str, &'a str)], changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = good.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    kept.chain(changes.iter().filter(|(_, value)| !value.is_empty())).copied().collect()
}

fn consent_of(page: &Reply) -> String {
    let text = String::from_utf8(page.body().to_vec()).expect("text");
    let (_, rest) = text.split_once("name=\"consent\" value=\"").expect("a form");
    rest.split('"').next().expect("value").to_owned()
}

/// What came back to the client.
fn answer(reply: &Reply) -> Parameters {
    assert_eq!(303, reply.status_code());
    let location = reply.location().expect("Location").as_str();
    let (redirect, query) = location.split_once('?').expect("query");
    assert_eq!(REDIRECT, redirect);
    parameters(query.as_bytes()).expect("each name once")
}

fn json_of(reply: &Reply) -> (u16, Value) {
    (reply.status_code(), serde_json::from_slice(reply.body()).expect("JSON"))
}

fn refused(error: &str) -> (u16, Value) {
    (if error == "invalid_client" { 401 } else { 400 }, json!({ "error": error }))
}

fn known(issuer: &str) -> AuthorizationServer {
    discover(&Issuer::parse(issuer).expect("issuer"), &World::new(Vec::new())).expect("metadata")
}

fn client() -> Client {
    Client::new(ClientId::parse(CLIENT_ID).expect("id"), ClientAuthentication::None)
}

/// The whole way of a login, up to the answer.
fn log_in(world: &World, server: AuthorizationServer) -> Received {
    let registered = RegisteredRedirect::parse(REDIRECT_URI).expect("redirect");
    let request = AuthorizationRequest {
        server,
        client: client(),
        redirect: registered.bind(NonZeroU16::new(25417).expect("port")).expect("bound"),
        scopes: Scopes::parse("read write").expect("scopes"),
        pkce: Pkce::S256,
        extra: ExtraParameters::default(),
    };
    let (url, pending) = request.begin(Entropy::from_bytes(&[9; 96])).expect("begun");
    let page = world.ask("GET", url.as_str().strip_prefix(ORIGIN).expect("our server"), "");
    let back = world.decide(&page, "allow");
    let (_, query) = back.location().expect("Location").as_str().split_once('?').expect("query");
    pending.receive(query.as_bytes())
}

fn tokens(world: &World) -> Result<TokenSet, ExchangeError> {
    match log_in(world, known(ORIGIN)) {
        Received::Code(code) => code.exchange(world, world.now.get()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn our_own_login_goes_all_the_way() {
    let world = World::new(Vec::new());
    let server = discover(&Issuer::parse(ORIGIN).expect("issuer"), &world).expect("metadata");
    assert_eq!(S256::Promised, server.s256);
    let Received::Code(code) = log_in(&world, server.clone()) else { panic!("no code") };
    let tokens = code.exchange(&world, world.now.get()).expect("tokens");
    assert_eq!(Some(Scopes::parse("read write").expect("scopes")), tokens.granted);
    assert_eq!(world.now.get() + Duration::from_secs(3600), tokens.expiry.end().expect("an end"));
    let refresh = tokens.refresh_token.expect("refresh token");
    let grant = GrantTokens { access: &tokens.access_token, refresh: Some(&refresh) };
    let endpoint = server.revocation_endpoint.expect("endpoint");
    revoke_grant(&endpoint, &client(), grant, Extent::First, &world).expect("revoked");
    assert_eq!(Counters { authorize: 1, metadata: 1, revoke: 1, token: 1 }, world.server.borrow().counters);
}

#[test]
fn the_redirect_is_the_registered_one_with_any_port() {
    let world = World::new(Vec::new());
    for port in [1, 80, 8080, 65535] {
        let page = world.authorize(&[("redirect_uri", &format!("http://127.0.0.1:{port}/callback"))]);
        assert_eq!(200, page.status_code(), "{port}");
    }
    for other in [
        "http://127.0.0.1:0/callback",
        "http://127.0.0.1/callback",
        "http://127.0.0.1:/callback",
        "http://127.0.0.1:65536/callback",
        "http://127.0.0.1:080/callback",
        "http://127.0.0.1:8080/callback/",
        "http://127.0.0.1:8080/Callback",
        "http://127.0.0.1:8080/%63allback",
        "http://127.0.0.1:8080/callback?x",
        "http://127.0.0.1:8080/callback#x",
        "http://127.0.0.1:8080/other",
        "http://localhost:8080/callback",
        "http://[::1]:8080/callback",
        "http://127.0.0.1.evil.example:8080/callback",
        "http://me@127.0.0.1:8080/callback",
        "http://127.0.0.1:8080@evil.example/callback",
        "https://127.0.0.1:8080/callback",
        "https://evil.example/callback",
        "http://127.0.0.1:8080/callback\r\nX-Evil: 1",
        "",
    ] {
        let reply = world.authorize(&[("redirect_uri", other)]);
        assert_eq!((400, None), (reply.status_code(), reply.location()), "nothing is sent to {other:?}");
    }
}

#[test]
fn an_unknown_client_is_told_to_the_person_and_not_to_the_redirect() {
    let reply = World::new(Vec::new()).authorize(&[("client_id", "somebody")]);
    assert_eq!((400, None), (reply.status_code(), reply.location()));
}

#[test]
fn pkce_with_s256_is_demanded() {
    let world = World::new(Vec::new());
    for changes in [
        [("code_challenge", ""), ("code_challenge_method", "")],
        [("code_challenge", CHALLENGE), ("code_challenge_method", "")],
        [("code_challenge", VERIFIER), ("code_challenge_method", "plain")],
        [("code_challenge", ""), ("code_challenge_method", "S256")],
        [("code_challenge", "short"), ("code_challenge_method", "S256")],
    ] {
        let answer = answer(&world.authorize(&changes));
        assert_eq!(
            ("invalid_request", "s&t", ORIGIN),
            (&*answer["error"], &*answer["state"], &*answer["iss"]),
            "{changes:?}"
        );
    }
    for wrong in ["", CHALLENGE, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK"] {
        assert_eq!(refused("invalid_grant"), world.redeem(&world.code(), &[("code_verifier", wrong)]), "{wrong}");
    }
    assert_eq!(200, world.redeem(&world.code(), &[]).0);
}

#[test]
fn another_response_type_is_answered_with_an_error() {
    for other in ["token", "id_token", ""] {
        assert_eq!(
            "unsupported_response_type",
            answer(&World::new(Vec::new()).authorize(&[("response_type", other)]))["error"]
        );
    }
}

#[test]
fn l10_a_parameter_may_not_come_twice() {
    let world = World::new(Vec::new());
    let twice = format!("/authorize?{}&%73tate=other", encode(AUTHORIZE));
    assert_eq!(400, world.ask("GET", &twice, "").status_code());
    let form = format!("{}&code={}&code_verifier=x", encode(REDEEM), world.code());
    assert_eq!(refused("invalid_request"), json_of(&world.ask("POST", "/token", &form)));
}

#[test]
fn the_person_decides_and_decides_once() {
    let world = World::new(Vec::new());
    let page = world.authorize(&[]);
    let said_yes = answer(&world.decide(&page, "allow"));
    assert_eq!(("s&t", ORIGIN), (&*said_yes["state"], &*said_yes["iss"]));
    assert!(said_yes.contains_key("code") && !said_yes.contains_key("error"));
    assert_eq!(400, world.decide(&page, "allow").status_code(), "the form counts once");
    for no in ["deny", "", "Allow"] {
        let said_no = answer(&world.decide(&world.authorize(&[]), no));
        assert_eq!(("access_denied", "s&t"), (&*said_no["error"], &*said_no["state"]), "{no}");
        assert!(!said_no.contains_key("code"));
    }
    for unknown in ["consent=x&decision=allow", "decision=allow", ""] {
        assert_eq!(400, world.ask("POST", "/consent", unknown).status_code(), "{unknown}");
    }
}

#[test]
fn l09_a_code_counts_once_whatever_comes_with_it() {
    let world = World::new(Vec::new());
    let code = world.code();
    assert_eq!(200, world.redeem(&code, &[]).0);
    assert_eq!(refused("invalid_grant"), world.redeem(&code, &[]));
    let code = world.code();
    assert_eq!(refused("invalid_grant"), world.redeem(&code, &[("code_verifier", "wrong")]));
    assert_eq!(refused("invalid_grant"), world.redeem(&code, &[]), "a failed attempt uses it up");
}

#[test]
fn a_code_belongs_to_its_client_its_redirect_and_its_minute() {
    let world = World::new(Vec::new());
    assert_eq!(refused("invalid_client"), world.redeem(&world.code(), &[("client_id", "somebody")]));
    for other in ["http://127.0.0.1:25418/callback", "http://127.0.0.1:0/callback", ""] {
        assert_eq!(refused("invalid_grant"), world.redeem(&world.code(), &[("redirect_uri", other)]), "{other}");
    }
    assert_eq!(refused("invalid_grant"), world.redeem("unknown", &[]));
    assert_eq!(refused("unsupported_grant_type"), world.redeem(&world.code(), &[("grant_type", "password")]));
    for (seconds, status) in [(60, 200), (61, 400)] {
        let code = world.code();
        world.now.set(world.now.get() + Duration::from_secs(seconds));
        assert_eq!(status, world.redeem(&code, &[]).0, "{seconds} s");
    }
}

#[test]
fn a_refresh_token_rotates_and_its_reuse_ends_the_whole_grant() {
    let world = World::new(Vec::new());
    let (_, first) = world.redeem(&world.code(), &[]);
    let (_, bystander) = world.redeem(&world.code(), &[]);
    let (status, second) = world.refresh(&first["refresh_token"]);
    assert_eq!(200, status);
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_ne!(first["access_token"], second["access_token"]);
    assert_eq!(refused("invalid_grant"), world.refresh(&first["refresh_token"]), "reuse");
    assert_eq!(refused("invalid_grant"), world.refresh(&second["refresh_token"]), "the newest is revoked with it");
    assert_eq!(200, world.refresh(&bystander["refresh_token"]).0, "another grant lives on");
    assert_eq!(refused("invalid_grant"), world.refresh(&json!("unknown")));
}

#[test]
fn a_revoked_refresh_token_refreshes_no_more() {
    let world = World::new(Vec::new());
    let (_, granted) = world.redeem(&world.code(), &[]);
    let token = granted["refresh_token"].as_str().expect("token");
    for _ in 0..2 {
        assert_eq!(200, world.post("/revoke", &[("token", token)]).status_code(), "an unknown token counts as revoked");
    }
    assert_eq!(refused("invalid_grant"), world.refresh(&granted["refresh_token"]));
}

#[test]
fn other_methods_and_paths_are_refused_and_no_body_is_read_for_them() {
    let world = World::new(Vec::new());
    for (method, path, status) in [
        ("POST", "/authorize", 405),
        ("GET", "/token", 405),
        ("GET", "/consent", 405),
        ("GET", "/revoke", 405),
        ("POST", "/.well-known/oauth-authorization-server", 404),
        ("GET", "/", 404),
        ("GET", "/token/", 404),
    ] {
        assert_eq!(status, world.ask(method, path, "").status_code(), "{method} {path}");
    }
    for (line, limit) in [
        ("POST /token", LONGEST_BODY),
        ("POST /consent", LONGEST_BODY),
        ("POST /revoke", LONGEST_BODY),
        ("POST /authorize", 0),
        ("GET /token", 0),
        ("POST /", 0),
    ] {
        assert_eq!(limit, Practice::body_limit(&head(&format!("{line} HTTP/1.1\r\nHost: x\r\n\r\n"))), "{line}");
    }
}

#[test]
fn each_fault_is_committed_and_found_out_by_our_client() {
    let discovered = |fault: Fault| discover(&Issuer::parse(ORIGIN).expect("issuer"), &World::new(vec![fault]));
    assert!(matches!(discovered(Fault::MetadataOfOtherIssuer), Err(DiscoveryError::OtherIssuer { .. })));
    assert_eq!(Ok(S256::NotPromised), discovered(Fault::MetadataWithoutS256).map(|server| server.s256));
    for (fault, why) in
        [(Fault::AnswersWithoutIss, Refusal::IssuerMissing), (Fault::AnswersWithOtherIss, Refusal::OtherIssuer)]
    {
        match log_in(&World::new(vec![fault]), known(ORIGIN)) {
            Received::Refused(found) => assert_eq!(why, found),
            other => panic!("{other:?}"),
        }
    }
    let html = Fault::TokenReply { status: 502, content_type: "text/html", body: b"<h1>busy</h1>".to_vec() };
    let elsewhere = Fault::TokenRedirect { status: 307, to: "https://evil.example/".into() };
    for (fault, status) in [(html, 502), (elsewhere, 307)] {
        match tokens(&World::new(vec![fault])) {
            Err(ExchangeError::NotOAuth(what)) => assert_eq!(status, what.status),
            other => panic!("{other:?}"),
        }
    }
    let world = World::new(vec![Fault::Revocation { status: 503 }]);
    assert_eq!(503, world.post("/revoke", &[("token", "x")]).status_code());
}

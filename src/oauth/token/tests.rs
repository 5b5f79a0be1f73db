//! The code goes out once, as it should, and every reply is judged before a token is believed.

use std::{cell::RefCell, num::NonZeroU16, time::UNIX_EPOCH};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use oauth2::http;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::*;
use crate::{
    oauth::{
        AuthorizationRequest, AuthorizationServer, Client, ClientId, Endpoint, Entropy, ExtraParameters, HttpRequest,
        HttpResponse, IdTokenAlgorithms, IssParameter, Issuer, Pkce, Received, S256,
    },
    redirect::RegisteredRedirect,
};

const CODE: &str = "canary-code";
const VERIFIER: &str = "canary-verifier-canary-verifier-canary-veri";
const SECRET: &str = "canary-secret";
const TOKEN: &str = "canary-token";
const NONCE: &str = "canary-nonce";

/// A provider that gives every request the same reply and remembers them all.
struct Provider {
    requests: RefCell<Vec<HttpRequest>>,
    reply: Result<HttpResponse, HttpError>,
}

impl HttpClient for Provider {
    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.requests.borrow_mut().push(request);
        self.reply.clone()
    }
}

impl Provider {
    fn says(status: u16, body: &str) -> Self {
        let mut reply = HttpResponse::new(body.as_bytes().to_vec());
        *reply.status_mut() = http::StatusCode::from_u16(status).expect("status");
        Self { requests: RefCell::default(), reply: Ok(reply) }
    }

    /// A good reply with these fields changed; `null` takes one away.
    fn grants(changes: Value) -> Self {
        let mut body = json!({ "access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600 });
        for (name, value) in changes.as_object().expect("object") {
            body[name] = value.clone();
        }
        Self::says(200, &body.to_string())
    }

    fn fails(why: HttpError) -> Self {
        Self { requests: RefCell::default(), reply: Err(why) }
    }

    fn one_request(self) -> HttpRequest {
        let mut requests = self.requests.into_inner();
        assert_eq!(1, requests.len(), "a code is sent once");
        requests.remove(0)
    }
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn public() -> Client {
    Client::new(ClientId::parse("me").expect("id"), ClientAuthentication::None)
}

fn confidential(id: &str, secret: &str, method: AuthenticationMethod) -> Client {
    let authentication = ClientAuthentication::Secret { secret: Secret::new(secret.into()), method };
    Client::new(ClientId::parse(id).expect("id"), authentication)
}

fn request(client: Client, scopes: &str) -> AuthorizationRequest {
    let endpoint = |text: &str| Endpoint::parse(text).expect("endpoint");
    let registered = RegisteredRedirect::parse("http://127.0.0.1:0/call%62ack?tenant=a%2Fb").expect("redirect");
    AuthorizationRequest {
        server: AuthorizationServer {
            issuer: Some(Issuer::parse("https://op.example").expect("issuer")),
            issuer_template: None,
            authorization_endpoint: endpoint("https://op.example/authorize"),
            token_endpoint: endpoint("https://op.example/token?v=2"),
            revocation_endpoint: None,
            device_authorization_endpoint: None,
            iss_parameter: IssParameter::NotPromised,
            s256: S256::Promised,
            id_token_algorithms: IdTokenAlgorithms::Unstated,
            authentication_methods: crate::oauth::AuthenticationMethods::Unstated,
        },
        client,
        redirect: registered.bind(NonZeroU16::new(25417).expect("port")).expect("bound"),
        scopes: Scopes::parse(scopes).expect("scopes"),
        pkce: Pkce::S256,
        extra: ExtraParameters::default(),
    }
}

/// The URL that was opened, and the code that came back.
fn walk(request: AuthorizationRequest) -> (String, CodeReceived) {
    let secret = |text: &str| Secret::new(text.to_owned());
    let entropy = Entropy { state: secret("state"), code_verifier: secret(VERIFIER), nonce: secret(NONCE) };
    let (url, pending) = request.begin(entropy).expect("begun");
    match pending.receive(format!("code={CODE}&state=state").as_bytes()) {
        Received::Code(code) => (url.as_str().to_owned(), code),
        other => panic!("{other:?}"),
    }
}

fn code() -> CodeReceived {
    walk(request(public(), "read")).1
}

fn exchange(provider: &Provider) -> Result<TokenSet, ExchangeError> {
    code().exchange(provider, now())
}

fn form(text: &[u8]) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = form_urlencoded::parse(text).into_owned().collect();
    pairs.sort();
    pairs
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn id_token(changes: Value) -> String {
    let now = now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let mut claims =
        json!({ "iss": "https://op.example", "sub": "7", "aud": "me", "exp": now + 60, "iat": now, "nonce": NONCE });
    for (name, value) in changes.as_object().expect("object") {
        claims[name] = value.clone();
    }
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.c2ln", part(r#"{"alg":"RS256"}"#), part(&claims.to_string()))
}

#[test]
fn the_request_is_that_of_rfc_6749_section_4_1_3() {
    let provider = Provider::grants(json!({}));
    exchange(&provider).expect("tokens");
    let sent = provider.one_request();
    assert_eq!("POST", sent.method());
    assert_eq!("https://op.example/token?v=2", sent.uri().to_string());
    assert_eq!("application/x-www-form-urlencoded", sent.headers()[http::header::CONTENT_TYPE]);
    assert_eq!("application/json", sent.headers()[http::header::ACCEPT]);
    assert!(!sent.headers().contains_key(http::header::AUTHORIZATION));
    let expected = owned(&[
        ("client_id", "me"),
        ("code", CODE),
        ("code_verifier", VERIFIER),
        ("grant_type", "authorization_code"),
        ("redirect_uri", "http://127.0.0.1:25417/call%62ack?tenant=a%2Fb"),
    ]);
    assert_eq!(expected, form(sent.body()));
}

#[test]
fn the_same_redirect_uri_is_sent_to_authorize_and_token() {
    let (url, code) = walk(request(public(), "read"));
    let provider = Provider::grants(json!({}));
    code.exchange(&provider, now()).expect("tokens");
    let redirect = |pairs: Vec<(String, String)>| -> Vec<String> {
        pairs.into_iter().filter(|(name, _)| name == "redirect_uri").map(|(_, value)| value).collect()
    };
    let (_, query) = url.split_once('?').expect("query");
    assert_eq!(redirect(form(query.as_bytes())), redirect(form(provider.one_request().body())));
}

#[test]
fn without_pkce_no_verifier_is_sent() {
    let provider = Provider::grants(json!({}));
    let (_, code) = walk(AuthorizationRequest { pkce: Pkce::Off, ..request(public(), "read") });
    code.exchange(&provider, now()).expect("tokens");
    assert!(form(provider.one_request().body()).iter().all(|(name, _)| name != "code_verifier"));
}

#[test]
fn x13_basic_form_encodes_identifier_and_secret_before_joining_them() {
    for (id, secret, joined) in [
        ("me", "plain", "me:plain"),
        ("m:%+ e", "s:%+ é", "m%3A%25%2B+e:s%3A%25%2B+%C3%A9"),
        ("me@x.example", "a&b=c/d", "me%40x.example:a%26b%3Dc%2Fd"),
    ] {
        let provider = Provider::grants(json!({}));
        let (_, code) = walk(request(confidential(id, secret, AuthenticationMethod::Basic), "read"));
        code.exchange(&provider, now()).expect("tokens");
        let sent = provider.one_request();
        assert_eq!(
            format!("Basic {}", STANDARD.encode(joined)),
            sent.headers()[http::header::AUTHORIZATION].to_str().expect("text")
        );
        assert!(form(sent.body()).iter().all(|(name, _)| !name.starts_with("client_")), "{secret}");
    }
}

#[test]
fn x13_post_puts_identifier_and_secret_into_the_body() {
    let provider = Provider::grants(json!({}));
    let (_, code) = walk(request(confidential("m:%+ e", "s:%+ é&x=y", AuthenticationMethod::Post), "read"));
    code.exchange(&provider, now()).expect("tokens");
    let sent = provider.one_request();
    assert!(!sent.headers().contains_key(http::header::AUTHORIZATION));
    let clients: Vec<_> = form(sent.body()).into_iter().filter(|(name, _)| name.starts_with("client_")).collect();
    assert_eq!(owned(&[("client_id", "m:%+ e"), ("client_secret", "s:%+ é&x=y")]), clients);
}

#[test]
fn a_good_reply_gives_every_part_of_the_token_set() {
    let tokens = exchange(&Provider::grants(json!({ "refresh_token": "canary-refresh", "scope": "read write" })))
        .expect("tokens");
    assert!(tokens.access_token.matches(TOKEN));
    assert_eq!(TokenType::Bearer, tokens.token_type);
    assert_eq!(Expiry::At(now() + Duration::from_secs(3600)), tokens.expiry);
    assert!(tokens.refresh_token.expect("refresh token").matches("canary-refresh"));
    assert_eq!(Some(Scopes::parse("read write").expect("scopes")), tokens.granted);
    assert!(tokens.id_token.is_none() && tokens.claims.is_none());
}

#[test]
fn x08_token_types_are_bearer_in_any_case_or_kept_but_never_an_unasked_dpop() {
    let other = |name: &str| Ok(TokenType::Other(name.to_owned()));
    for (sent, expected) in [
        ("Bearer", Ok(TokenType::Bearer)),
        ("bearer", Ok(TokenType::Bearer)),
        ("BEARER", Ok(TokenType::Bearer)),
        ("bot", other("bot")),
        ("Bot", other("bot")),
        ("mac", other("mac")),
        ("N_A", other("n_a")),
        ("a\u{1b}[31m", other("a [31m")),
        ("DPoP", Err(ExchangeError::Malformed(MalformedToken::UnaskedDpop))),
        ("dpop", Err(ExchangeError::Malformed(MalformedToken::UnaskedDpop))),
    ] {
        assert_eq!(
            expected,
            exchange(&Provider::grants(json!({ "token_type": sent }))).map(|t| t.token_type),
            "{sent}"
        );
    }
    assert_eq!(Ok(TokenType::Bearer), exchange(&Provider::grants(json!({ "token_type": null }))).map(|t| t.token_type));
}

#[test]
fn x09_an_access_token_that_no_header_can_carry_is_refused() {
    for malformed in [
        "",
        " ",
        "a b",
        " a",
        "a ",
        "a\tb",
        "a\r\nX-Evil: 1",
        "a\n",
        "a\0b",
        "a\u{1b}[31m",
        "a\u{7f}",
        "é",
        "a\u{202e}b",
        "\u{feff}a",
    ] {
        let error = exchange(&Provider::grants(json!({ "access_token": malformed }))).expect_err(malformed);
        assert_eq!(ExchangeError::Malformed(MalformedToken::AccessToken), error, "{malformed:?}");
    }
    for form in [
        "access_token=&token_type=bearer",
        "access_token=a%0d%0ab&token_type=bearer",
        "access_token=a+b&token_type=bearer",
    ] {
        assert_eq!(
            ExchangeError::Malformed(MalformedToken::AccessToken),
            exchange(&Provider::says(200, form)).expect_err(form)
        );
    }
}

#[test]
fn x09_a_refresh_token_that_is_not_printable_ascii_is_refused() {
    for malformed in ["a\nb", "a\0", "a\u{7f}", "é", "\u{1b}[31m"] {
        let error = exchange(&Provider::grants(json!({ "refresh_token": malformed }))).expect_err(malformed);
        assert_eq!(ExchangeError::Malformed(MalformedToken::RefreshToken), error, "{malformed:?}");
    }
    // RFC 6749 appendix A.17 allows a space.
    for absent_or_fine in [(json!(null), None), (json!(""), None), (json!("a b~"), Some("a b~"))] {
        let tokens = exchange(&Provider::grants(json!({ "refresh_token": absent_or_fine.0 }))).expect("tokens");
        assert_eq!(absent_or_fine.1.is_some(), tokens.refresh_token.is_some());
        assert!(absent_or_fine.1.is_none_or(|text| tokens.refresh_token.is_some_and(|t| t.matches(text))));
    }
}

#[test]
fn x07_the_life_of_a_token_is_dated_from_now_and_never_overflows() {
    let seconds = Duration::from_secs;
    let ten_years = now() + seconds(10 * 365 * 24 * 3600);
    for (sent, expected) in [
        (json!(3600), Expiry::At(now() + seconds(3600))),
        (json!("60"), Expiry::At(now() + seconds(60))),
        (json!(0), Expiry::At(now())),
        (json!(-5), Expiry::At(now())),
        (json!(u64::MAX), Expiry::At(ten_years)),
        (json!(1e300), Expiry::At(ten_years)),
        (json!(null), Expiry::Assumed(now() + seconds(3600))),
        (json!("soon"), Expiry::Assumed(now() + seconds(3600))),
    ] {
        assert_eq!(
            expected,
            exchange(&Provider::grants(json!({ "expires_in": sent }))).expect("tokens").expiry,
            "{sent}"
        );
    }
    let last = UNIX_EPOCH + seconds(i64::MAX.unsigned_abs());
    for sent in [json!(u64::MAX), json!(null), json!(1)] {
        let tokens = code().exchange(&Provider::grants(json!({ "expires_in": sent })), last).expect("tokens");
        assert_eq!(last, tokens.expiry.end().expect("an end"), "{sent} at the end of time");
    }
    let before_1970 = UNIX_EPOCH - seconds(86_400);
    let tokens = code().exchange(&Provider::grants(json!({})), before_1970).expect("tokens");
    assert_eq!(before_1970 + seconds(3600), tokens.expiry.end().expect("an end"));
}

#[test]
fn x10_granted_scopes_are_kept_as_answered() {
    for (sent, expected) in [
        (json!(null), None),
        (json!("read"), Some("read")),
        (json!("read read write"), Some("read write")),
        (json!(["read", "write"]), Some("read write")),
        (json!("read,write"), Some("read write")),
        (json!("read w\u{e9}ird \"x\" write"), Some("read write")),
    ] {
        let granted = exchange(&Provider::grants(json!({ "scope": sent }))).expect("tokens").granted;
        assert_eq!(expected.map(str::to_owned), granted.map(|scopes| scopes.to_string()), "{sent}");
    }
}

#[test]
fn l07_a_code_that_was_not_for_this_sign_in_is_denied() {
    for status in [400, 401, 200] {
        let error = exchange(&Provider::says(status, r#"{"error":"invalid_grant"}"#)).expect_err("denied");
        assert!(matches!(&error, ExchangeError::Denied(response) if response.code == ErrorCode::InvalidGrant));
        assert!(error.to_string().starts_with("the code was not accepted for this sign-in"), "{error}");
    }
    for (code, expected) in [
        ("invalid_client", ErrorCode::InvalidClient),
        ("unauthorized_client", ErrorCode::Other("unauthorized_client".into())),
        ("bad_verification_code", ErrorCode::Other("bad_verification_code".into())),
        ("two words", ErrorCode::Other("unknown_error".into())),
    ] {
        let body = json!({ "error": code }).to_string();
        let error = exchange(&Provider::says(400, &body)).expect_err(code);
        assert!(matches!(error, ExchangeError::Denied(response) if response.code == expected), "{code}");
    }
}

#[test]
fn h06_an_error_is_about_the_code_where_another_code_could_have_passed() {
    let denied = |code: &str| exchange(&Provider::says(400, &json!({ "error": code }).to_string())).expect_err(code);
    for code in ["invalid_grant", "invalid_request", "bad_verification_code"] {
        assert!(denied(code).blames_code(), "{code}");
    }
    for code in ["invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "server_error"] {
        assert!(!denied(code).blames_code(), "{code}");
    }
    assert!(ExchangeError::IdToken(IdTokenError::OtherNonce).blames_code());
    assert!(!ExchangeError::IdToken(IdTokenError::OtherIssuer).blames_code());
    assert!(!exchange(&Provider::fails(HttpError::Timeout)).expect_err("no reply").blames_code());
}

#[test]
fn x12_whatever_goes_wrong_the_code_was_sent_exactly_once() {
    for why in [
        HttpError::Connect("refused".into()),
        HttpError::Tls("expired".into()),
        HttpError::Timeout,
        HttpError::Broken("reset".into()),
        HttpError::TooLarge,
    ] {
        let provider = Provider::fails(why.clone());
        assert_eq!(ExchangeError::Unreachable(why), exchange(&provider).expect_err("no reply"));
        provider.one_request();
    }
    for (status, body) in
        [(503, "busy"), (429, "{}"), (408, ""), (200, "<h1>"), (400, r#"{"error":"temporarily_unavailable"}"#)]
    {
        let provider = Provider::says(status, body);
        exchange(&provider).expect_err(body);
        provider.one_request();
    }
}

#[test]
fn x03_a_redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let provider = Provider::says(status, r#"{"access_token":"a","token_type":"Bearer"}"#);
        match exchange(&provider) {
            Err(ExchangeError::NotOAuth(what)) => assert!(what.redirected(), "{status}"),
            other => panic!("{status}: {other:?}"),
        }
        provider.one_request();
    }
}

#[test]
fn with_openid_the_id_token_is_that_of_this_sign_in() {
    let claims = |changes: Value| {
        let provider = Provider::grants(json!({ "id_token": id_token(changes) }));
        walk(request(public(), "openid")).1.exchange(&provider, now()).map(|tokens| tokens.claims)
    };
    assert_eq!(Ok(Some(Claims { iss: "https://op.example".into(), sub: "7".into() })), claims(json!({})));
    for (changes, why) in [
        (json!({ "nonce": "of-another-sign-in" }), IdTokenError::OtherNonce),
        (json!({ "nonce": null }), IdTokenError::OtherNonce),
        (json!({ "aud": "you" }), IdTokenError::OtherAudience),
        (json!({ "iss": "https://op.example/" }), IdTokenError::OtherIssuer),
        (json!({ "exp": 1 }), IdTokenError::Expired),
    ] {
        assert_eq!(Err(ExchangeError::IdToken(why)), claims(changes));
    }
}

#[test]
fn d16_an_id_token_that_nobody_asked_for_and_that_breaks_a_rule_costs_no_login() {
    let tokens = exchange(&Provider::grants(json!({ "id_token": id_token(json!({})) }))).expect("tokens");
    assert!(tokens.claims.is_some() && tokens.id_token.is_some());
    for odd in [
        id_token(json!({ "aud": "you" })),
        id_token(json!({ "sub": 7 })),
        id_token(json!({ "exp": "soon" })),
        id_token(json!({ "aud": ["me", "you"] })),
        "no JWT".to_owned(),
    ] {
        let tokens = exchange(&Provider::grants(json!({ "id_token": odd }))).expect("tokens");
        assert!(tokens.claims.is_none() && tokens.id_token.is_none() && tokens.ignored_id_token.is_some(), "{odd}");
    }
}

#[test]
fn no_error_and_no_token_set_prints_what_was_sent_or_received() {
    let sent = format!("{CODE} {VERIFIER} {SECRET}");
    let echo = format!("{sent} {TOKEN}");
    let id_token = id_token(json!({ "nonce": TOKEN, "sub": "canary-sub" }));
    let providers = [
        Provider::says(200, &format!("<p>{echo}</p>")),
        Provider::says(200, &format!(r#"{{"access_token":"{TOKEN}","access_token":"{echo}"}}"#)),
        Provider::says(400, &json!({ "error": sent, "error_description": sent }).to_string()),
        Provider::says(
            400,
            &json!({ "error": "invalid_grant", "error_description": sent, "error_uri": echo }).to_string(),
        ),
        Provider::says(400, &json!({ "error": { "code": sent, "message": sent } }).to_string()),
        Provider::says(500, &echo),
        Provider::says(302, &echo),
        Provider::grants(json!({ "access_token": echo })),
        Provider::grants(json!({ "refresh_token": format!("{echo}\n") })),
        Provider::grants(json!({ "token_type": "DPoP" })),
        Provider::grants(json!({ "id_token": id_token })),
        Provider::grants(json!({ "id_token": echo })),
        Provider::fails(HttpError::Timeout),
    ];
    for provider in providers {
        let (_, code) = walk(request(confidential("me", SECRET, AuthenticationMethod::Post), "openid"));
        let error = code.exchange(&provider, now()).expect_err("refused");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("canary"), "{shown}");
    }
    let tokens = exchange(&Provider::grants(
        json!({ "refresh_token": "canary-refresh", "id_token": self::id_token(json!({})) }),
    ));
    let shown = format!("{:?}", tokens.expect("tokens"));
    assert!(!shown.contains("canary") && !shown.contains("eyJ"), "{shown}");
}

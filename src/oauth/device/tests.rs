use std::{
    cell::RefCell,
    collections::VecDeque,
    time::{Duration, SystemTime},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth2::http::{HeaderValue, StatusCode, header};
use url::form_urlencoded;

use super::*;
use crate::oauth::{
    AuthenticationMethod, AuthenticationMethods, ClientAuthentication, ClientId, Denial, ErrorCode, HttpRequest,
    HttpResponse, IdTokenAlgorithms, IdTokenError, IssParameter, Issuer, MalformedToken, PageUrl, RemoteText, Resource,
    S256, ScopeSeparator, TokenRules, WireDialect,
};

/// What a provider answers, or why it does not.
type Reply = Result<(u16, Option<&'static str>, String), HttpError>;

/// Gives the replies in order and keeps the requests.
#[derive(Default)]
struct Provider {
    replies: RefCell<VecDeque<Reply>>,
    sent: RefCell<Vec<HttpRequest>>,
}

impl Provider {
    fn of(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self { replies: RefCell::new(replies.into_iter().collect()), sent: RefCell::default() }
    }

    fn forms(&self) -> Vec<Vec<(String, String)>> {
        self.sent.borrow().iter().map(|request| form_urlencoded::parse(request.body()).into_owned().collect()).collect()
    }
}

impl HttpClient for Provider {
    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.sent.borrow_mut().push(request);
        let (status, retry_after, body) = self.replies.borrow_mut().pop_front().expect("a reply")?;
        let mut response = HttpResponse::new(body.into_bytes());
        *response.status_mut() = StatusCode::from_u16(status).expect("status");
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        Ok(response)
    }
}

fn json(status: u16, body: &str) -> Reply {
    Ok((status, None, body.to_owned()))
}

/// The example of RFC 8628 section 3.2.
const RFC: &str = r#"{"device_code":"GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS","user_code":"WDJB-MJHT",
    "verification_uri":"https://example.com/device","verification_uri_complete":"https://example.com/device?user_code=WDJB-MJHT",
    "expires_in":1800,"interval":5}"#;
const TOKENS: &str =
    r#"{"access_token":"an-access-token","token_type":"Bearer","expires_in":3600,"refresh_token":"r"}"#;

fn client() -> Client {
    Client::new(ClientId::parse("1406020730").expect("id"), ClientAuthentication::None)
}

fn request(client: Client, scopes: &str) -> DeviceRequest {
    let endpoint = |text: &str| Endpoint::parse(text).expect("endpoint");
    DeviceRequest {
        server: AuthorizationServer {
            issuer: Some(Issuer::parse("https://server.example.com").expect("issuer")),
            issuer_template: None,
            authorization_endpoint: endpoint("https://server.example.com/authorize"),
            token_endpoint: endpoint("https://server.example.com/token"),
            revocation_endpoint: None,
            device_authorization_endpoint: None,
            iss_parameter: IssParameter::NotPromised,
            s256: S256::Unstated,
            id_token_algorithms: IdTokenAlgorithms::Unstated,
            authentication_methods: AuthenticationMethods::Unstated,
        },
        endpoint: endpoint("https://server.example.com/device_authorization"),
        client,
        scopes: Scopes::parse(scopes).expect("scopes"),
        extra: ExtraParameters::default(),
    }
}

fn read(status: u16, body: &str) -> Result<DeviceAuthorization, DeviceError> {
    request(client(), "").send(&Provider::of([json(status, body)])).map(|(authorization, _)| authorization)
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn the_requests_are_those_of_rfc_8628_sections_3_1_and_3_4() {
    let provider = Provider::of([json(200, RFC), json(200, TOKENS)]);
    let (_, flow) = request(client(), "example_scope").send(&provider).expect("a code");
    let tokens = flow.poll(&provider, SystemTime::UNIX_EPOCH).expect("tokens");
    assert!(tokens.access_token.matches("an-access-token"));
    let grant_type = "urn:ietf:params:oauth:grant-type:device_code";
    let code = "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS";
    assert_eq!(
        vec![
            pairs(&[("scope", "example_scope"), ("client_id", "1406020730")]),
            pairs(&[("grant_type", grant_type), ("device_code", code), ("client_id", "1406020730")]),
        ],
        provider.forms()
    );
    let sent = provider.sent.borrow();
    let places: Vec<_> = sent.iter().map(|request| request.uri().to_string()).collect();
    assert_eq!(["https://server.example.com/device_authorization", "https://server.example.com/token"], places[..]);
    assert!(sent.iter().all(|request| request.headers()[header::ACCEPT] == "application/json"), "GitHub sends a form");
}

#[test]
fn a_client_proves_itself_and_speaks_the_providers_dialect_in_both_requests() {
    let secret =
        || ClientAuthentication::Secret { secret: Secret::new("s:%".into()), method: AuthenticationMethod::Post };
    let dialect = WireDialect {
        token: TokenRules {
            params: pairs(&[("action", "requesttoken")]),
            resources: vec![Resource::parse("https://api.example/").expect("a resource")],
            ..TokenRules::default()
        },
        scope_separator: ScopeSeparator::Other(','),
        ..WireDialect::default()
    };
    let client = Client::new(ClientId::parse("me").expect("id"), secret()).speaking(dialect);
    let mut request = request(client, "a b");
    request.extra.add("audience", "https://api.example").expect("a parameter");
    request.extra.set_response_mode(ResponseMode::FormPost);
    let provider = Provider::of([json(200, RFC), json(200, TOKENS)]);
    let (_, flow) = request.send(&provider).expect("a code");
    flow.poll(&provider, SystemTime::UNIX_EPOCH).expect("tokens");
    let forms = provider.forms();
    let own = pairs(&[("client_id", "me"), ("client_secret", "s:%")]);
    let asked = pairs(&[("scope", "a,b"), ("resource", "https://api.example/"), ("audience", "https://api.example")]);
    assert_eq!([asked, own.clone()].concat(), forms[0]);
    assert!(own.iter().all(|pair| forms[1].contains(pair)), "{forms:?}");
    let of_rules = pairs(&[("action", "requesttoken"), ("resource", "https://api.example/")]);
    assert!(of_rules.iter().all(|pair| forms[1].contains(pair)), "{forms:?}");
}

#[test]
fn what_providers_really_answer_is_read() {
    let page = |authorization: &DeviceAuthorization| authorization.verification_uri.to_string();
    let rfc = read(200, RFC).expect("a code");
    assert_eq!(("WDJB-MJHT", "https://example.com/device"), (rfc.user_code.as_str(), page(&rfc).as_str()));
    assert_eq!(
        Some("https://example.com/device?user_code=WDJB-MJHT"),
        rfc.verification_uri_complete.as_ref().map(PageUrl::as_str)
    );
    assert_eq!((Some(Duration::from_secs(1800)), Duration::from_secs(5)), (rfc.life, rfc.interval));

    // panva/oauth4webapi issue 154, int128/kubelogin pull request 846
    let google = r#"{"device_code":"AH-1Ng","user_code":"NCL-GLP-ZQK","expires_in":1800,"interval":5,
        "verification_url":"https://www.google.com/device"}"#;
    assert_eq!("https://www.google.com/device", page(&read(200, google).expect("a code")));

    // github/docs, authorizing OAuth apps: the form without an Accept header
    let github = "device_code=3584d83530557fdd1f46af8289938c8ef79f9dc5&expires_in=900&interval=5&user_code=WDJB-MJHT&\
                  verification_uri=https%3A%2F%2Fgithub.com%2Flogin%2Fdevice";
    let read_github = read(200, github).expect("a code");
    assert_eq!("https://github.com/login/device", page(&read_github));
    assert_eq!(Some(Duration::from_secs(900)), read_github.life);

    // Microsoft's first version: numbers as texts, and a sentence that is for nobody but its own programs
    let microsoft = r#"{"user_code":"CJZLVG7QV","device_code":"CAQABAAEAAAD","verification_url":"https://microsoft.com/devicelogin",
        "expires_in":"900","interval":"5","message":"To sign in, open https://evil.example \u001b[31m and enter the code"}"#;
    let read_microsoft = read(200, microsoft).expect("a code");
    assert_eq!(
        (Some(Duration::from_secs(900)), Duration::from_secs(5)),
        (read_microsoft.life, read_microsoft.interval)
    );
    assert!(!format!("{read_microsoft:?}").contains("evil"), "the provider's sentence is not kept");
}

#[test]
fn x18_without_an_interval_or_with_none_that_can_be_kept_a_client_waits_five_seconds() {
    // sigstore/sigstore pull request 2381, netbirdio/netbird pull request 7013
    for interval in ["", r#","interval":0"#, r#","interval":-1"#, r#","interval":null"#, r#","interval":"soon""#] {
        let body = format!(
            r#"{{"device_code":"d","user_code":"u","verification_uri":"https://op.example/device"{interval}}}"#
        );
        let authorization = read(200, &body).expect("a code");
        assert_eq!(Duration::from_secs(5), authorization.interval, "{interval}");
        assert_eq!(None, authorization.life, "expires_in is missing: the login's own time counts");
    }
    for (stated, expected) in [("7", 7000), ("\"7\"", 7000), ("0.5", 500), ("0.000001", 50), ("1e300", 315_360_000_000)]
    {
        let body = RFC.replace(r#""interval":5"#, &format!(r#""interval":{stated}"#));
        let interval = read(200, &body).expect("a code").interval;
        assert_eq!(Duration::from_millis(expected), interval, "{stated}");
    }
}

#[test]
fn x19_a_page_that_is_not_safe_to_open_is_refused_and_a_shortcut_may_not_lead_elsewhere() {
    let with =
        |page: &str| read(200, &RFC.replace("\"https://example.com/device\"", &serde_json::json!(page).to_string()));
    for page in [
        "http://example.com/device",
        "javascript:alert(1)",
        "https://user@example.com/device",
        "https://example.com/\u{1b}]0;gone\u{7}",
        "https://example.com/ device",
        "example.com/device",
        "",
    ] {
        let error = with(page).expect_err(page);
        assert!(
            matches!(error, DeviceError::UnsafePage(_) | DeviceError::Incomplete("verification_uri")),
            "{page}: {error}"
        );
        assert!(!error.to_string().contains("example.com"), "{error}");
    }
    for page in [
        "https://example.com/#/device",
        "https://example.com/\u{202e}device",
        "http://127.0.0.1:9/device",
        "https://bücher.example/device",
    ] {
        let authorization = with(page).expect(page);
        assert!(authorization.verification_uri.as_str().bytes().all(|byte| byte.is_ascii_graphic()), "{page}");
        assert_eq!(
            page.starts_with("https://example.com/"),
            authorization.verification_uri_complete.is_some(),
            "{page}"
        );
    }
    for complete in ["https://evil.example/device?user_code=X", "http://example.com/device", "\u{1b}[2J"] {
        let body = RFC.replace("https://example.com/device?user_code=WDJB-MJHT", complete);
        assert_eq!(None, read(200, &body).ok().and_then(|read| read.verification_uri_complete), "{complete:?}");
    }
}

#[test]
fn x19_a_code_that_no_user_could_type_is_refused() {
    for code in ["", "   ", "\\u001b[2J", "two\\nlines", "\\u202eTHJM", &"A".repeat(33)] {
        let error = read(200, &RFC.replace("WDJB-MJHT\",\n", &format!("{code}\",\n"))).expect_err(code);
        assert_eq!(DeviceError::Incomplete("user_code"), error, "{code}");
    }
    assert_eq!(
        "ABC DEF",
        read(200, &RFC.replace("\"WDJB-MJHT\"", "\" ABC DEF \"")).expect("a code").user_code.as_str()
    );
}

#[test]
fn a_response_that_lacks_a_member_or_is_none_at_all_is_told_by_what_it_lacks() {
    for name in ["device_code", "user_code", "verification_uri"] {
        let error = read(200, &RFC.replace(&format!("\"{name}\":"), "\"other\":")).expect_err(name);
        assert!(error == DeviceError::Incomplete(name) || matches!(error, DeviceError::NotOAuth(_)), "{error}");
    }
    for (status, body) in [(200, "<html>"), (404, "not here"), (302, RFC), (503, ""), (200, "[]")] {
        assert!(matches!(read(status, body), Err(DeviceError::NotOAuth(_))), "{status}: {body}");
    }
    let twice = RFC.replace(r#""interval":5"#, r#""user_code":"EVIL""#);
    assert!(matches!(read(200, &twice), Err(DeviceError::NotOAuth(_))), "which of two would count is a parser's whim");
    // simoneb/ghenv issue 10
    let disabled =
        r#"{"error":"device_flow_disabled","error_description":"Device Flow must be explicitly enabled for this App"}"#;
    for status in [200, 400] {
        let Err(DeviceError::Denied(response)) = read(status, disabled) else { panic!("{status}") };
        assert_eq!(ErrorCode::Other("device_flow_disabled".into()), response.code);
    }
}

/// A login against a scripted provider, on a clock that stands still while the provider is asked.
struct Login {
    gaps: Vec<u64>,
    ended: Result<TokenSet, PollEnd>,
}

fn login(timeout: u64, replies: impl IntoIterator<Item = Reply>) -> Login {
    login_of(&read(200, RFC).expect("a code"), timeout, replies)
}

fn login_of(authorization: &DeviceAuthorization, timeout: u64, replies: impl IntoIterator<Item = Reply>) -> Login {
    let provider = Provider::of([json(200, RFC)].into_iter().chain(replies));
    let (_, flow) = request(client(), "").send(&provider).expect("a code");
    let mut polling = Polling::new(authorization, Duration::from_secs(timeout));
    let (mut now, mut due, mut gaps) = (Duration::ZERO, polling.first(), Vec::new());
    loop {
        gaps.push((due - now).as_secs());
        now = due;
        assert!(now <= polling.end(), "no poll comes after the end");
        match flow.poll(&provider, SystemTime::UNIX_EPOCH).map_err(|error| polling.after(error, now)) {
            Ok(tokens) => return Login { gaps, ended: Ok(tokens) },
            Err(Next::At(at)) => due = at,
            Err(Next::Ended(end)) => return Login { gaps, ended: Err(end) },
        }
    }
}

fn error(status: u16, code: &str) -> Reply {
    json(status, &format!(r#"{{"error":"{code}"}}"#))
}

#[test]
fn x18_each_slow_down_adds_five_seconds_for_good() {
    // flyteorg/flyte-sdk pull request 1587: gaps of 1, 1, 1
    let pending = || error(400, "authorization_pending");
    let slow = || error(400, "slow_down");
    let ended = login(300, [slow(), slow(), pending(), slow(), pending(), json(200, TOKENS)]);
    assert_eq!(vec![5, 10, 15, 15, 20, 20], ended.gaps);
    assert!(ended.ended.is_ok());
    let patient = login(300, [pending(), pending(), json(200, TOKENS)]);
    assert_eq!(vec![5, 5, 5], patient.gaps, "who is not told to slow down keeps the interval");
}

#[test]
fn x18_a_new_interval_that_comes_with_slow_down_counts_if_it_is_longer() {
    let github = |interval: &str| json(200, &format!(r#"{{"error":"slow_down","interval":{interval}}}"#));
    let ended = login(300, [github("30"), github("10"), github("\"60\""), json(200, TOKENS)]);
    assert_eq!(vec![5, 30, 35, 60], ended.gaps);
    let form = login(300, [json(200, "error=slow_down&interval=12"), json(200, TOKENS)]);
    assert_eq!(vec![5, 12], form.gaps);
}

#[test]
fn x18_a_429_means_slow_down_with_or_without_a_body_and_its_retry_after_is_kept_once() {
    // heygen-com/hyperframes pull request 2836, use-novamira/novamira issue 111
    let with = |seconds: &'static str, body: &str| Ok((429, Some(seconds), body.to_owned()));
    for body in [
        "",
        "Too Many Requests! Wait for 0s",
        "<html>",
        r#"{"error":"temporarily_unavailable"}"#,
        r#"{"error":"slow_down"}"#,
    ] {
        let pending = error(400, "authorization_pending");
        let ended = login(300, [json(429, body), with("60", body), pending, json(200, TOKENS)]);
        assert_eq!(vec![5, 10, 60, 15], ended.gaps, "{body}");
    }
}

#[test]
fn x18_what_is_broken_for_now_is_asked_again_at_growing_distances() {
    let broken = || Err(HttpError::Broken("reset".into()));
    let pending = error(428, "authorization_pending");
    let replies =
        [broken(), json(502, "<html>"), Err(HttpError::Timeout), json(503, ""), broken(), pending, json(200, TOKENS)];
    let ended = login(600, replies);
    assert_eq!(vec![5, 10, 20, 40, 60, 60, 5], ended.gaps, "up to a minute, until it answers again");
    let asked = login(600, [Ok((503, Some("90"), String::new())), error(400, "server_error"), json(200, TOKENS)]);
    assert_eq!(vec![5, 90, 20], asked.gaps, "and as long as the provider asks for");
}

#[test]
fn x18_the_time_of_the_login_and_that_of_the_code_are_both_obeyed() {
    let pending = || std::iter::repeat_with(|| error(400, "authorization_pending"));
    let ended = login(22, pending().take(4));
    assert_eq!((vec![5, 5, 5, 5], Some(PollEnd::Expired)), (ended.gaps, ended.ended.err()), "--timeout comes first");
    let short = DeviceAuthorization { life: Some(Duration::from_secs(11)), ..read(200, RFC).expect("a code") };
    let ended = login_of(&short, 300, pending().take(2));
    assert_eq!((vec![5, 5], Some(PollEnd::Expired)), (ended.gaps, ended.ended.err()), "expires_in comes first");
    let ended = login(3, [json(200, TOKENS)]);
    assert_eq!(vec![3], ended.gaps, "a login that is shorter than the interval asks once, at its end");
    let far = Ok((429, Some("4000000000"), String::new()));
    assert_eq!(Some(PollEnd::Expired), login(300, [far]).ended.err(), "nobody waits beyond the end");
    let Err(PollEnd::Failed(why)) = login(20, [Err(HttpError::Timeout), Err(HttpError::Timeout)]).ended else {
        panic!("a provider that was not there to the end is the reason")
    };
    assert_eq!(ExchangeError::Unreachable(HttpError::Timeout), why);
}

#[test]
fn x18_a_denial_and_an_expired_code_end_the_login_in_every_providers_words() {
    for (status, code) in
        [(400, "access_denied"), (403, "access_denied"), (400, "authorization_declined"), (200, "access_denied")]
    {
        let ended = login(300, [json(status, &format!(r#"{{"error":"{code}","error_description":"no \u001b[31m"}}"#))]);
        let denial = Denial { error: RemoteText::new(code), description: Some(RemoteText::new("no \u{1b}[31m")) };
        assert_eq!(Some(PollEnd::Denied(denial)), ended.ended.err(), "{status} {code}");
    }
    for (status, code) in [(400, "expired_token"), (200, "expired_token"), (401, "code_expired")] {
        assert_eq!(Some(PollEnd::Expired), login(300, [error(status, code)]).ended.err(), "{status} {code}");
    }
}

#[test]
fn x18_what_no_waiting_repairs_ends_the_login_at_once() {
    let certificate = || HttpError::Certificate("expired".into());
    for reply in [
        error(400, "invalid_grant"),
        error(401, "invalid_client"),
        error(400, "incorrect_device_code"),
        error(400, "unsupported_grant_type"),
        json(404, "<html>"),
        json(302, ""),
        json(200, "<html>"),
        json(200, r#"{"access_token":""}"#),
        Err(certificate()),
    ] {
        let shown = format!("{reply:?}");
        let ended = login(300, [reply]);
        assert!(matches!(ended.ended, Err(PollEnd::Failed(_))), "{shown}");
        assert_eq!(vec![5], ended.gaps, "{shown}");
    }
}

#[test]
fn x18_githubs_200_with_an_error_is_no_token() {
    // panva/openid-client issue 575, ramosbugs/oauth2-rs issue 218
    let pending = || {
        json(
            200,
            r#"{"error":"authorization_pending","error_description":"The authorization request is still pending."}"#,
        )
    };
    let form = json(200, "error=authorization_pending&error_description=still+pending");
    let ended =
        login(300, [pending(), form, json(200, "access_token=an-access-token&token_type=bearer&scope=repo%2Cgist")]);
    let tokens = ended.ended.expect("tokens");
    assert!(tokens.access_token.matches("an-access-token"));
    assert_eq!(Some(Scopes::parse("repo gist").expect("scopes")), tokens.granted);
}

#[test]
fn tokens_pass_the_checks_of_every_login() {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let answer = |claims: &str| {
        let id_token = format!("{}.{}.c2ln", part(r#"{"alg":"RS256"}"#), part(claims));
        json(200, &format!(r#"{{"access_token":"a","id_token":"{id_token}"}}"#))
    };
    let poll = |scopes: &str, reply: Reply| {
        let provider = Provider::of([json(200, RFC), reply]);
        let (_, flow) = request(client(), scopes).send(&provider).expect("a code");
        flow.poll(&provider, SystemTime::UNIX_EPOCH)
    };
    let good = r#"{"iss":"https://server.example.com","sub":"7","aud":"1406020730","exp":60,"iat":0}"#;
    let other = good.replace("server.example.com", "other.example");
    let claims = poll("openid", answer(good)).expect("tokens").claims.expect("claims");
    assert_eq!("7", claims.sub);
    let refused = poll("openid", answer(&other)).expect_err("another issuer");
    assert_eq!(ExchangeError::IdToken(IdTokenError::OtherIssuer), refused);
    let unasked = poll("read", answer(&other)).expect("an id_token that nobody asked for");
    assert_eq!((true, Some(IdTokenError::OtherIssuer)), (unasked.id_token.is_none(), unasked.ignored_id_token));
    let malformed = poll("read", json(200, r#"{"access_token":"a b"}"#)).expect_err("a space");
    assert_eq!(ExchangeError::Malformed(MalformedToken::AccessToken), malformed);
}

#[test]
fn no_error_and_no_value_shows_the_device_code_or_the_client_secret() {
    let secret = ClientAuthentication::Secret {
        secret: Secret::new("canary-secret-word".into()),
        method: AuthenticationMethod::Basic,
    };
    let client = Client::new(ClientId::parse("me").expect("id"), secret);
    let code = "canary-device-code";
    let repeats = |what: &str| json(400, &format!(r#"{{"error":"invalid_request","error_description":"bad {what}"}}"#));
    let answer = RFC.replace("GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS", code);
    let provider = Provider::of([json(200, &answer), repeats(code)]);
    let (authorization, flow) = request(client.clone(), "").send(&provider).expect("a code");
    let refused = flow.poll(&provider, SystemTime::UNIX_EPOCH).expect_err("refused");
    let denied = request(client, "").send(&Provider::of([repeats("canary-secret-word")])).expect_err("refused");
    let shown = format!("{authorization:?} {flow:?} {refused} {refused:?} {denied} {denied:?}");
    assert!(!shown.contains("canary"), "{shown}");
}

//! The authorization request as it is sent, and every answer that can come back.

use std::num::NonZeroU16;

use super::*;
use crate::{
    oauth::{AuthenticationMethod, ClientId, Endpoint, IdTokenAlgorithms, IssParameter, Issuer, S256},
    redirect::RegisteredRedirect,
};

const ISSUER: &str = "https://op.example";
const STATE: &str = "state-of-this-sign-in";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const NONCE: &str = "nonce-of-this-sign-in";

fn entropy() -> Entropy {
    let secret = |text: &str| Secret::new(text.to_owned());
    Entropy { state: secret(STATE), code_verifier: secret(VERIFIER), nonce: secret(NONCE) }
}

fn bound(registered: &str) -> BoundRedirect {
    let port = NonZeroU16::new(25417).expect("port");
    RegisteredRedirect::parse_insisting_on_localhost(registered).expect("redirect").bind(port).expect("bound")
}

fn request() -> AuthorizationRequest {
    let endpoint = |path: &str| Endpoint::parse(&format!("{ISSUER}{path}")).expect("endpoint");
    AuthorizationRequest {
        server: AuthorizationServer {
            issuer: Some(Issuer::parse(ISSUER).expect("issuer")),
            issuer_template: None,
            authorization_endpoint: endpoint("/authorize"),
            token_endpoint: endpoint("/token"),
            revocation_endpoint: None,
            device_authorization_endpoint: None,
            iss_parameter: IssParameter::NotPromised,
            s256: S256::Promised,
            id_token_algorithms: IdTokenAlgorithms::Unstated,
            authentication_methods: crate::oauth::AuthenticationMethods::Unstated,
        },
        client: Client::new(ClientId::parse("me").expect("id"), ClientAuthentication::None),
        redirect: bound("http://127.0.0.1:0/callback"),
        scopes: Scopes::parse("openid read").expect("scopes"),
        pkce: Pkce::S256,
        extra: ExtraParameters::default(),
    }
}

fn begin(request: AuthorizationRequest) -> (AuthorizationUrl, Pending) {
    request.begin(entropy()).expect("begun")
}

fn pending() -> Pending {
    begin(request()).1
}

fn parameters(url: &AuthorizationUrl) -> Vec<(String, String)> {
    let url = url::Url::parse(url.as_str()).expect("URL");
    let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    pairs.sort();
    pairs
}

fn values(url: &AuthorizationUrl, name: &str) -> Vec<String> {
    parameters(url).into_iter().filter(|(n, _)| n == name).map(|(_, value)| value).collect()
}

/// The login that goes on waiting, and why the answer was not its own.
fn unrelated(received: Received) -> (Pending, Unrelated) {
    match received {
        Received::Unrelated(pending, why) => (pending, why),
        other => panic!("not unrelated: {other:?}"),
    }
}

fn assert_code(code: &str, received: Received) {
    match received {
        Received::Code(received) => assert!(received.code.matches(code)),
        other => panic!("no code: {other:?}"),
    }
}

fn right(code: &str) -> String {
    format!("code={code}&state={STATE}")
}

#[test]
fn x17_the_challenge_is_that_of_rfc_7636_appendix_b() {
    let (url, _) = begin(request());
    assert_eq!(["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"], *values(&url, "code_challenge"));
    assert_eq!(["S256"], *values(&url, "code_challenge_method"));
}

#[test]
fn every_parameter_stands_in_the_url_exactly_once() {
    let (url, _) = begin(request());
    assert!(url.as_str().starts_with("https://op.example/authorize?"), "{url:?}");
    let expected = [
        ("client_id", "me"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
        ("nonce", NONCE),
        ("redirect_uri", "http://127.0.0.1:25417/callback"),
        ("response_type", "code"),
        ("scope", "openid read"),
        ("state", STATE),
    ];
    assert_eq!(expected.map(|(name, value)| (name.to_owned(), value.to_owned())), *parameters(&url));
}

#[test]
fn the_redirect_uri_carries_the_bound_port_and_is_otherwise_as_registered() {
    for (registered, sent) in [
        ("http://127.0.0.1:0/callback", "http://127.0.0.1:25417/callback"),
        ("http://127.0.0.1:25417/callback", "http://127.0.0.1:25417/callback"),
        ("http://[::1]:0/cb", "http://[::1]:25417/cb"),
        ("http://localhost:0/cb/", "http://localhost:25417/cb/"),
        ("http://127.0.0.1:0/%63b?tenant=a%2Fb", "http://127.0.0.1:25417/%63b?tenant=a%2Fb"),
        ("http://127.0.0.1:0/", "http://127.0.0.1:25417/"),
    ] {
        let (url, pending) = begin(AuthorizationRequest { redirect: bound(registered), ..request() });
        assert_eq!([sent], *values(&url, "redirect_uri"), "{registered}");
        assert_eq!(sent, pending.redirect().as_str());
    }
}

#[test]
fn an_endpoint_keeps_the_query_it_has() {
    let mut asked = request();
    asked.server.authorization_endpoint = Endpoint::parse("https://op.example/authorize?tenant=7").expect("endpoint");
    let (url, _) = begin(asked);
    assert_eq!(["7"], *values(&url, "tenant"));
    assert_eq!([STATE], *values(&url, "state"));
}

#[test]
fn a_nonce_goes_along_with_openid_only() {
    for (scopes, nonces) in [("openid read", 1), ("read openid", 1), ("read", 0), ("", 0), ("openid2", 0)] {
        let (url, _) = begin(AuthorizationRequest { scopes: Scopes::parse(scopes).expect("scopes"), ..request() });
        assert_eq!(nonces, values(&url, "nonce").len(), "{scopes}");
        assert_eq!(usize::from(!scopes.is_empty()), values(&url, "scope").len(), "{scopes}");
    }
}

#[test]
fn without_pkce_there_is_no_challenge_and_no_verifier_but_a_state() {
    let (url, pending) = begin(AuthorizationRequest { pkce: Pkce::Off, ..request() });
    assert!(!url.as_str().contains("code_challenge"), "{url:?}");
    assert_eq!([STATE], *values(&url, "state"));
    assert!(pending.flow.code_verifier.is_none());
}

#[test]
fn what_the_flow_owns_cannot_be_given_as_a_parameter() {
    let mut extra = ExtraParameters::default();
    for name in [
        "client_id",
        "client_secret",
        "code_challenge",
        "code_challenge_method",
        "nonce",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
    ] {
        assert_eq!(Err(ParameterError::Owned(name.into())), extra.add(name, "mine"));
    }
    assert_eq!(Err(ParameterError::Empty), extra.add("", "mine"));
    let (url, _) = begin(AuthorizationRequest { extra, ..request() });
    assert!(!url.as_str().contains("mine"), "{url:?}");
}

#[test]
fn other_parameters_are_encoded_and_the_last_of_a_name_counts() {
    let mut extra = ExtraParameters::default();
    extra.add("access_type", "online").expect("added");
    extra.add("access_type", "offline").expect("added");
    extra.add("hd", "a b&state=mine#'\"<>`{}|^\\é\r\n").expect("added");
    extra.add("prompt", "none").expect("added");
    extra.set_prompt("consent");
    extra.set_login_hint("a@b.example");
    extra.set_login_hint("c@d.example");
    let (url, _) = begin(AuthorizationRequest { extra, ..request() });
    assert_eq!(["offline"], *values(&url, "access_type"));
    assert_eq!(["a b&state=mine#'\"<>`{}|^\\é\r\n"], *values(&url, "hd"));
    assert_eq!(["consent"], *values(&url, "prompt"));
    assert_eq!(["c@d.example"], *values(&url, "login_hint"));
    assert_eq!([STATE], *values(&url, "state"));
    assert!(url.as_str().bytes().all(|b| b.is_ascii_graphic() && !b"\"'<>`{}|^\\#".contains(&b)), "{url:?}");
}

#[test]
fn a_url_longer_than_a_command_line_carries_is_refused() {
    let mut extra = ExtraParameters::default();
    extra.add("long", &"x".repeat(8 * 1024)).expect("added");
    let asked = AuthorizationRequest { extra, ..request() };
    assert_eq!(EndpointError::TooLong, asked.begin(entropy()).expect_err("too long"));
}

#[test]
fn injected_entropy_gives_the_exact_state_verifier_and_nonce() {
    let mut bytes = [0; 96];
    bytes.iter_mut().zip(0..).for_each(|(byte, at)| *byte = at);
    let (url, pending) = request().begin(Entropy::from_bytes(&bytes)).expect("begun");
    assert_eq!(["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"], *values(&url, "state"));
    assert!(
        pending.flow.code_verifier.as_ref().expect("verifier").matches("ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8")
    );
    assert_eq!(["QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8"], *values(&url, "nonce"));
}

#[test]
fn a_wait_and_a_code_print_nothing_of_what_they_hold() {
    let mut asked = request();
    let secret = Secret::new("canary-secret".into());
    asked.client.authentication = ClientAuthentication::Secret { secret, method: AuthenticationMethod::Basic };
    let (_, pending) = begin(asked);
    let waiting = format!("{pending:?}");
    let received = format!("{:?}", pending.receive(right("canary-code").as_bytes()));
    for shown in [waiting, received] {
        for canary in [STATE, VERIFIER, NONCE, "canary"] {
            assert!(!shown.contains(canary), "{canary} in {shown}");
        }
    }
}

#[test]
fn l05_wrong_state_keeps_waiting() {
    use Unrelated::*;
    let wrong = [
        ("", NoState),
        ("&&&", NoState),
        ("code=x", NoState),
        ("code=x&state=", NoState),
        ("code=x&State=state-of-this-sign-in", NoState),
        ("code=x&state[]=state-of-this-sign-in", NoState),
        ("code=x&state=other", WrongState),
        ("code=x&state=state-of-this-sign-i", WrongState),
        ("code=x&state=state-of-this-sign-inn", WrongState),
        ("code=x&state=STATE-OF-THIS-SIGN-IN", WrongState),
        ("code=x&state=+state-of-this-sign-in", WrongState),
        ("code=x&state=state-of-this-sign-in%00", WrongState),
        ("code=x&state=state-of-this-sign-in;", WrongState),
        ("state=state-of-this-sign-in", Incomplete),
        ("code=&state=state-of-this-sign-in", Incomplete),
        ("code=x&error=access_denied&state=state-of-this-sign-in", Incomplete),
        ("code=x y&state=state-of-this-sign-in", NotText),
        ("code=\u{e9}&state=state-of-this-sign-in", NotText),
        ("code=x\r\n&state=state-of-this-sign-in", NotText),
    ];
    let mut waiting = pending();
    for (query, expected) in wrong.into_iter().cycle().take(1000) {
        let (pending, why) = unrelated(waiting.receive(query.as_bytes()));
        assert_eq!(expected, why, "{query:?}");
        waiting = pending;
    }
    assert_code("real", waiting.receive(right("real").as_bytes()));
}

#[test]
fn l06_the_right_answer_counts_after_a_forged_one() {
    let (waiting, why) = unrelated(pending().receive(b"code=forged&state=guess"));
    assert_eq!(Unrelated::WrongState, why);
    assert_code("real", waiting.receive(right("real").as_bytes()));
}

#[test]
fn l10_a_parameter_that_comes_twice_is_not_an_answer() {
    for twice in [
        format!("code=a&code=a&state={STATE}"),
        format!("code=a&%63ode=b&state={STATE}"),
        format!("code=&code=b&state={STATE}"),
        format!("code=a&state={STATE}&state={STATE}"),
        format!("code=a&state=other&%73tate={STATE}"),
        format!("code=a&state={STATE}&state="),
        format!("error=x&error=x&state={STATE}"),
        format!("error=x&error_description=a&error_description=b&state={STATE}"),
        format!("error=x&error_uri=a&error_uri=b&state={STATE}"),
        format!("code=a&iss={ISSUER}&i%73s={ISSUER}&state={STATE}"),
    ] {
        let (waiting, why) = unrelated(pending().receive(twice.as_bytes()));
        assert_eq!(Unrelated::DuplicateParameter, why, "{twice}");
        assert_code("real", waiting.receive(right("real").as_bytes()));
    }
}

#[test]
fn l11_a_forged_error_keeps_waiting() {
    for (forged, expected) in [
        ("error=access_denied", Unrelated::NoState),
        ("error=access_denied&state=", Unrelated::NoState),
        ("error=access_denied&state=guess", Unrelated::WrongState),
        ("error=server_error&state=guess&iss=https://op.example", Unrelated::WrongState),
        // Before the state is right, another issuer ends nothing either.
        ("error=access_denied&state=guess&iss=https://evil.example", Unrelated::WrongState),
    ] {
        let (waiting, why) = unrelated(pending().receive(forged.as_bytes()));
        assert_eq!(expected, why, "{forged}");
        assert_code("real", waiting.receive(right("real").as_bytes()));
    }
}

#[test]
fn l12_an_error_with_the_right_state_is_the_providers_no() {
    for error in [
        "access_denied",
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "invalid_request",
        "invalid_request_uri",
        "invalid_scope",
        "login_required",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_response_type",
    ] {
        let query =
            format!("error={error}&error_description=no+%1b%5B31mway%0A&error_uri=https://x.example&state={STATE}");
        match pending().receive(query.as_bytes()) {
            Received::Denied(denial) => {
                assert_eq!(error, denial.error.as_str());
                assert_eq!("no  [31mway", denial.description.expect("description").as_str(), "fit to print");
            }
            other => panic!("{error}: {other:?}"),
        }
    }
}

#[test]
fn l13_iss_is_compared_byte_for_byte_and_a_promise_is_kept() {
    use IssParameter::{NotPromised, Promised};
    let ours = "&iss=https://op.example";
    let encoded = "&iss=https%3A%2F%2Fop.example";
    for (promise, iss, expected) in [
        (Promised, ours, None),
        (Promised, encoded, None),
        (Promised, "", Some(Refusal::IssuerMissing)),
        (Promised, "&iss=", Some(Refusal::OtherIssuer)),
        (Promised, "&iss=https://evil.example", Some(Refusal::OtherIssuer)),
        (Promised, "&iss=https://op.example/", Some(Refusal::OtherIssuer)),
        (Promised, "&iss=https://OP.example", Some(Refusal::OtherIssuer)),
        (NotPromised, "", None),
        (NotPromised, ours, None),
        (NotPromised, "&iss=https://evil.example", Some(Refusal::OtherIssuer)),
        (NotPromised, "&iss=https://op.example:443", Some(Refusal::OtherIssuer)),
    ] {
        for answer in [format!("code=real&state={STATE}{iss}"), format!("error=access_denied&state={STATE}{iss}")] {
            let mut asked = request();
            asked.server.iss_parameter = promise;
            match (begin(asked).1.receive(answer.as_bytes()), &expected) {
                (Received::Refused(why), Some(expected)) => assert_eq!(*expected, why, "{promise:?} {answer}"),
                (Received::Code(_) | Received::Denied(_), None) => {}
                (other, _) => panic!("{promise:?} {answer}: {other:?}"),
            }
        }
    }
}

#[test]
fn l40_long_codes_and_unknown_parameters_are_accepted() {
    for kilobytes in [1, 4, 8, 16, 32, 48, 60] {
        let code = "c".repeat(kilobytes * 1024);
        let query = format!("session_state=7&code={code}&scope=a+b&state={STATE}&authuser=0&authuser=1&x");
        assert_code(&code, pending().receive(query.as_bytes()));
    }
}

#[test]
fn l40_a_query_of_more_than_64_kib_is_not_read() {
    let (waiting, why) = unrelated(pending().receive(right(&"c".repeat(64 * 1024)).as_bytes()));
    assert_eq!(Unrelated::TooLong, why);
    assert_code("real", waiting.receive(right("real").as_bytes()));
}

#[test]
fn an_endpoint_whose_query_sets_what_the_sign_in_sets_is_refused() {
    for query in ["state=x", "client_id=other", "redirect_uri=x", "code_challenge=x", "%73tate=x"] {
        let mut request = request();
        request.server.authorization_endpoint =
            Endpoint::parse(&format!("https://op.example/authorize?{query}")).expect("an endpoint");
        assert_eq!(Some(EndpointError::FlowParameter), request.begin(Entropy::from_bytes(&[7; 96])).err(), "{query}");
    }
}

#[test]
fn h14_a_resumed_login_takes_only_an_answer_whose_state_has_opened_its_handle() {
    let answer = || Answer::parse(format!("code=real&state={STATE}").as_bytes()).expect("an answer");
    assert!(answer().opened_by(|_| None::<()>).is_none(), "a handle that does not open proves nothing");
    let (matched, handle) = answer().opened_by(|state| Some(state.expose().to_owned())).expect("opened");
    assert_eq!(STATE, handle, "the handle is the answer's own state");
    let asked = request();
    let kept = Kept { code_verifier: None, nonce: None };
    let resumed = Resumed::new(asked.server, asked.client, asked.redirect, kept);
    assert!(matches!(resumed.receive(matched), Settled::Code(_)));
}

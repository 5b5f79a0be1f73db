//! Responses of real providers, as public reports have them: each case of tests/data/reports goes through the parser and
//! the judgement that the program uses.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use loopin::{
    oauth::{
        self, Client, ClientAuthentication, ClientId, Endpoint, HttpClient, HttpError, HttpRequest, HttpResponse,
        RefreshError, RefreshRequest, Scope, ScopeCheck, ScopeRules, Scopes, TokenSet,
    },
    refresh::{
        Before, Failed, Judgement, Verdict,
        covering::{Coverage, Granted, coverage},
    },
    secret::Secret,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases<T> {
    case: Vec<T>,
}

/// A response to a refresh.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    source: String,
    status: u16,
    content_type: String,
    body_from: BodyFrom,
    body: String,
    #[serde(default, rename = "note")]
    _note: String,
}

/// Where the body of a response comes from. A body that no report quotes is reconstructed from what the report names.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum BodyFrom {
    /// Reconstructed from an error code.
    Code,
    /// Made of a code that a provider's documentation lists.
    Documentation,
    /// Written down from notes about the report, which was not read again.
    Notes,
    /// As the report quotes it.
    Report,
    /// Reconstructed from a status.
    Status,
    /// Reconstructed from a message.
    Text,
}

/// A token response, and what is read from it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tokens {
    source: String,
    body: String,
    /// Seconds, `unknown` or `assumed`.
    life: String,
    scopes: Option<String>,
}

/// What was asked for, and what the provider says that it granted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scoped {
    source: String,
    asked: String,
    granted: String,
    covered: String,
    missing: Option<String>,
    strict: Option<String>,
    #[serde(default)]
    aliases: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    implies: BTreeMap<String, Vec<String>>,
    #[serde(default, rename = "note")]
    _note: String,
}

fn cases<T: for<'de> Deserialize<'de>>(name: &str) -> Vec<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reports").join(name).with_extension("toml");
    let text = fs::read_to_string(&path).expect("reports");
    toml_edit::de::from_str::<Cases<T>>(&text).unwrap_or_else(|error| panic!("{name}: {error}")).case
}

struct Provider(HttpResponse);

impl HttpClient for Provider {
    fn send(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
        Ok(self.0.clone())
    }
}

/// When every response is received.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn refreshed(status: u16, content_type: &str, body: &str) -> Result<TokenSet, RefreshError> {
    let mut response = HttpResponse::new(body.as_bytes().to_vec());
    *response.status_mut() = oauth2::http::StatusCode::from_u16(status).expect("status");
    response.headers_mut().insert("content-type", content_type.parse().expect("content type"));
    let endpoint = Endpoint::parse("https://op.example/token").expect("endpoint");
    let client = Client::new(ClientId::parse("me").expect("id"), ClientAuthentication::None);
    let refresh_token = Secret::new("refresh-token-of-a-user".into());
    let request = RefreshRequest {
        token_endpoint: &endpoint,
        client: &client,
        refresh_token: &refresh_token,
        issuer: None,
        original: None,
    };
    oauth::refresh(request, &Provider(response), now())
}

fn verdict(case: &Refused) -> Verdict {
    let RefreshError { error, .. } = refreshed(case.status, &case.content_type, &case.body).expect_err(&case.source);
    Judgement::of(&Failed::Exchange { error, before: Before::Nothing }).verdict
}

fn assert_all(name: &str, expected: Verdict) -> usize {
    let cases = cases::<Refused>(name);
    for case in &cases {
        assert_eq!(expected, verdict(case), "{}: {} {}", case.source, case.status, case.body);
    }
    cases.len()
}

#[test]
fn d03_every_reported_end_of_a_grant_asks_for_a_login() {
    assert!(assert_all("dead", Verdict::Dead) >= 25);
}

#[test]
fn d03_no_reported_outage_costs_a_grant() {
    assert!(assert_all("transient", Verdict::Transient) >= 25);
}

#[test]
fn d03_a_reported_refusal_for_an_unknown_reason_keeps_the_grant() {
    assert!(assert_all("ambiguous", Verdict::Ambiguous) >= 5);
}

#[test]
fn d01_d06_reported_token_responses_are_read() {
    for Tokens { source, body, life, scopes } in cases::<Tokens>("tokens") {
        let tokens = refreshed(200, "application/json", &body).unwrap_or_else(|error| panic!("{source}: {error:?}"));
        let end = tokens.expiry.beside(tokens.refresh_token.as_ref()).end();
        let expected = match life.as_str() {
            "unknown" => None,
            "assumed" => Some(3600),
            seconds => Some(seconds.parse().expect("seconds")),
        };
        assert_eq!(expected.map(|seconds| now() + Duration::from_secs(seconds)), end, "{source}");
        assert_eq!(scopes, tokens.granted.map(|granted| granted.to_string()), "{source}");
    }
}

#[test]
fn d05_reported_scopes_are_covered_unless_the_provider_plainly_granted_less() {
    let scopes = |text: &str| Scopes::parse(text).expect("scopes");
    let table = |table: BTreeMap<String, Vec<String>>| -> BTreeMap<Scope, Scopes> {
        let scope = |text: &str| Scope::parse(text).expect("scope");
        table.into_iter().map(|(name, list)| (scope(&name), list.iter().map(|text| scope(text)).collect())).collect()
    };
    for case in cases::<Scoped>("scopes") {
        let check = case.strict.map_or(ScopeCheck::Lenient, |_| ScopeCheck::Strict);
        let rules = ScopeRules { aliases: table(case.aliases), implies: table(case.implies), check };
        let (asked, granted) = (scopes(&case.asked), scopes(&case.granted));
        let judged = coverage(Granted { asked: &asked, granted: &granted }, &asked, &rules);
        assert_eq!(case.covered == "yes", judged.is_covered(), "{}: {judged:?}", case.source);
        if let Coverage::Lacking { missing } = judged {
            assert_eq!(case.missing, Some(missing.to_string()), "{}", case.source);
        }
    }
}

#[test]
fn a_body_says_where_it_comes_from_and_no_status_alone_ends_a_grant() {
    let quoted = ["dead", "transient", "ambiguous"]
        .into_iter()
        .flat_map(cases::<Refused>)
        .filter(|case| case.body_from == BodyFrom::Report)
        .count();
    assert!(quoted >= 10, "{quoted} bodies are quoted");
    for case in ["dead", "ambiguous"].into_iter().flat_map(cases::<Refused>) {
        assert_ne!(BodyFrom::Status, case.body_from, "{}", case.source);
    }
}

#[test]
fn the_reports_are_many_and_each_has_a_source() {
    let refused = ["dead", "transient", "ambiguous"].into_iter().flat_map(cases::<Refused>).map(|case| case.source);
    let tokens = cases::<Tokens>("tokens").into_iter().map(|case| case.source);
    let scoped = cases::<Scoped>("scopes").into_iter().map(|case| case.source);
    let sources: Vec<_> = refused.chain(tokens).chain(scoped).collect();
    let different: BTreeSet<_> = sources.iter().collect();
    assert!(sources.len() >= 60 && different.len() >= 30, "{} from {}", sources.len(), different.len());
    let well_formed = |source: &str| source.contains('#') || source.contains('.');
    assert!(sources.iter().all(|source| source.contains('/') && well_formed(source)), "{sources:?}");
}

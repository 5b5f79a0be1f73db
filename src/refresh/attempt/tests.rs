//! One refresh without a clock and without a network: what is sent, what the new record is, what stays in the journal.

use std::cell::{Cell, RefCell};

use oauth2::http::StatusCode;

use super::*;
use crate::{
    catalog::IntegrationName,
    oauth::{Claims, ClientAuthentication, ClientId, Expiry, TokenType},
    refresh::tests::{DAY, START, at, grant, record, scopes},
    vault::{
        AccountName, ActionKey, GrantKey, StateFiles,
        memory::MemoryFiles,
        seal::{NONCE_BYTES, Nonce},
    },
};

fn tokens() -> TokenSet {
    TokenSet {
        access_token: Secret::new("new-access".into()),
        token_type: TokenType::Bearer,
        expiry: Expiry::At(at(START + 7200)),
        obtained_at: at(START + 3600),
        refresh_token: None,
        refreshable_until: None,
        granted: None,
        id_token: None,
        claims: None,
        ignored_id_token: None,
        metadata: crate::oauth::GrantMetadata::default(),
    }
}

fn same(expected: &str, secret: Option<&Secret>) -> bool {
    secret.is_some_and(|secret| secret.matches(expected))
}

#[test]
fn r14_what_the_reply_leaves_out_stays() {
    let new = record_with(&record(), tokens()).expect("renewed");
    assert!(same("new-access", Some(&new.grant.access_token)));
    assert!(same("old-refresh", new.grant.refresh_token.as_ref()));
    assert!(same("old-id", new.grant.id_token.as_ref()));
    assert_eq!((scopes("read write"), scopes("read")), (new.grant.asked, new.grant.granted));
    assert_eq!(Some("me"), new.grant.subject.as_deref());
    assert_eq!((Expiry::At(at(START + 7200)), at(START + 3600)), (new.grant.expiry, new.grant.obtained_at));
    assert_eq!(3, new.generation, "the vault counts");
    assert_eq!(record().seal_key.expose(), new.seal_key.expose(), "else a journal could not be opened");
}

#[test]
fn r14_what_the_reply_brings_replaces() {
    let brought = TokenSet {
        refresh_token: Some(Secret::new("new-refresh".into())),
        granted: Some(scopes("write")),
        id_token: Some(Secret::new("new-id".into())),
        claims: Some(Claims { iss: "https://op.example".into(), sub: "me".into() }),
        ..tokens()
    };
    let new = record_with(&record(), brought).expect("renewed").grant;
    assert!(same("new-refresh", new.refresh_token.as_ref()) && same("new-id", new.id_token.as_ref()));
    assert_eq!(scopes("write"), new.granted);
}

#[test]
fn d10_what_a_refresh_brings_beside_the_tokens_replaces_only_that() {
    let kept = |values: &str| -> crate::oauth::GrantMetadata { serde_json::from_str(values).expect("metadata") };
    let before = kept(r#"{"values":{"realmId":"1","instance_url":"old"},"account":"realmId"}"#);
    let before = Record { grant: Grant { metadata: before, ..grant(3600) }, ..record() };
    let brought = TokenSet { metadata: kept(r#"{"values":{"instance_url":"new"}}"#), ..tokens() };
    let after = record_with(&before, brought).expect("renewed").grant.metadata;
    assert_eq!(kept(r#"{"values":{"realmId":"1","instance_url":"new"},"account":"realmId"}"#), after);
    let half = rotated_only(&before, Secret::new("new-refresh".into())).grant.metadata;
    assert_eq!(before.grant.metadata, half);
}

#[test]
fn r14_until_when_a_grant_can_be_renewed_belongs_to_its_refresh_token() {
    let before = Record { grant: Grant { refreshable_until: Some(at(START + DAY)), ..grant(3600) }, ..record() };
    let after = |tokens| record_with(&before, tokens).expect("renewed").grant.refreshable_until;
    let rotated = || TokenSet { refresh_token: Some(Secret::new("new-refresh".into())), ..tokens() };
    assert_eq!(Some(at(START + DAY)), after(tokens()), "the old one stays");
    assert_eq!(None, after(rotated()), "of the new one nothing is known");
    let said = Some(at(START + 2 * DAY));
    assert_eq!(said, after(TokenSet { refreshable_until: said, ..rotated() }));
}

#[test]
fn s10_another_users_tokens_are_refused() {
    let of =
        |sub: &str| TokenSet { claims: Some(Claims { iss: "https://op.example".into(), sub: sub.into() }), ..tokens() };
    for other in ["you", "", "Me", "me "] {
        assert_eq!(Some(OtherSubject), record_with(&record(), of(other)).err(), "{other:?}");
    }
    let mut nameless = record();
    nameless.grant.subject = None;
    let named = record_with(&nameless, of("you")).expect("nobody was known before");
    assert_eq!(Some("you"), named.grant.subject.as_deref());
    assert_eq!(Some(OtherSubject), record_with(&named, of("me")).err());
}

const TOKENS: &str =
    r#"{"access_token":"new-access","token_type":"Bearer","expires_in":60,"refresh_token":"new-refresh"}"#;
const REJECTED: &str = r#"{"error":"invalid_grant"}"#;

fn response(status: u16, body: &str) -> HttpResponse {
    let mut response = HttpResponse::new(body.as_bytes().to_vec());
    *response.status_mut() = StatusCode::from_u16(status).expect("status");
    response
}

/// One grant with its journal.
struct Scene {
    files: MemoryFiles,
    record: Record,
    requests: Cell<u32>,
}

/// Stores every response in the journal before it returns it, as the adapter does.
struct Provider<'a> {
    scene: &'a Scene,
    answer: RefCell<Option<Result<HttpResponse, HttpError>>>,
}

impl HttpClient for Provider<'_> {
    fn send(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.scene.requests.set(self.scene.requests.get() + 1);
        assert!(!matches!(self.scene.sent(), Sent::No), "the intent is written before anything is sent");
        let answer = self.answer.take().expect("one request");
        if let Ok(response) = &answer {
            self.scene.put(response);
        }
        answer
    }
}

impl Scene {
    fn new() -> Self {
        Self { files: MemoryFiles::default(), record: record(), requests: Cell::new(0) }
    }

    /// An earlier run was killed after it had sent the refresh token.
    fn interrupted() -> Self {
        let scene = Self::new();
        scene.journal().intend(&scene.record).expect("intent");
        scene
    }

    /// An earlier run was killed after it had stored this response.
    fn killed_after(status: u16, body: &str) -> Self {
        let scene = Self::interrupted();
        scene.put(&response(status, body));
        scene
    }

    fn journal(&self) -> Journal<'_> {
        let name = IntegrationName::parse("work").expect("name");
        let key = GrantKey::personal(name, AccountName::default(), ActionKey::All);
        Journal { files: &self.files, name: key.state("memory", "") }
    }

    fn put(&self, response: &HttpResponse) {
        let nonce = Nonce([u8::try_from(self.requests.get()).expect("few"); NONCE_BYTES]);
        self.journal().put(&self.record, response, at(START + 9), nonce).expect("journal");
    }

    fn sent(&self) -> Sent {
        self.journal().sent(&self.record).expect("files")
    }

    fn attempt<T>(&self, work: impl FnOnce(&Attempt<'_>) -> T) -> T {
        let client = Client::new(ClientId::parse("me").expect("id"), ClientAuthentication::None);
        let (journal, seal_keys) = (self.journal(), [self.record.seal_key.clone()]);
        work(&Attempt { journal: &journal, record: &self.record, seal_keys: &seal_keys, client: &client })
    }

    /// One attempt at a provider that answers like this.
    fn run(&self, answer: Result<HttpResponse, HttpError>) -> Result<Refreshed, Failed> {
        let provider = Provider { scene: self, answer: RefCell::new(Some(answer)) };
        self.attempt(|attempt| attempt.run(&provider, &|| at(START + 100)))
    }
}

fn no_connection() -> Result<HttpResponse, HttpError> {
    Err(HttpError::Connect("refused".into()))
}

#[test]
fn a_refresh_sends_once_and_keeps_the_response_until_the_record_is_stored() {
    let scene = Scene::new();
    let refreshed = scene.run(Ok(response(200, TOKENS))).expect("tokens");
    assert_eq!((Source::Provider, 1), (refreshed.source, scene.requests.get()));
    let grant = refreshed.record.grant;
    assert!(grant.access_token.matches("new-access") && same("new-refresh", grant.refresh_token.as_ref()));
    assert_eq!((at(START + 100), Expiry::At(at(START + 160))), (grant.obtained_at, grant.expiry));
    assert!(matches!(scene.sent(), Sent::Answered { .. }));
}

#[test]
fn r11_the_response_of_an_interrupted_run_is_used_and_nothing_is_sent() {
    let scene = Scene::killed_after(200, TOKENS);
    let unstored = scene.attempt(|attempt| attempt.unstored()).expect("tokens");
    let refreshed = scene.run(no_connection()).expect("tokens");
    assert_eq!((Source::Journal, 0), (refreshed.source, scene.requests.get()));
    for grant in [refreshed.record.grant, unstored.grant] {
        assert!(grant.access_token.matches("new-access"));
        assert_eq!((at(START + 9), Expiry::At(at(START + 69))), (grant.obtained_at, grant.expiry), "when it came");
    }
}

#[test]
fn r11_only_a_2xx_response_counts_as_an_answer() {
    for (status, body) in [(400, REJECTED), (401, r#"{"error":"invalid_client"}"#), (502, "<html>"), (302, "")] {
        let scene = Scene::killed_after(status, body);
        assert!(scene.attempt(|attempt| attempt.unstored()).is_none());
        let refreshed = scene.run(Ok(response(200, TOKENS))).expect("tokens");
        assert_eq!((Source::Provider, 1), (refreshed.source, scene.requests.get()), "{status} {body}");
    }
}

#[test]
fn after_an_answer_that_is_final_nothing_stays_in_the_journal() {
    for body in [REJECTED, r#"{"error":"invalid_client"}"#, r#"{"error":"unauthorized_client"}"#] {
        for scene in [Scene::new(), Scene::interrupted()] {
            scene.run(Ok(response(400, body))).expect_err("no tokens");
            assert!(matches!(scene.sent(), Sent::No), "{body}");
        }
    }
}

#[test]
fn after_an_answer_that_says_nothing_only_that_something_was_sent_stays_in_the_journal() {
    let malformed = r#"{"access_token":"a b","token_type":"Bearer"}"#;
    for answer in [
        Err(HttpError::Timeout),
        Err(HttpError::Broken("reset".into())),
        Ok(response(200, "<html>")),
        Ok(response(200, malformed)),
        Ok(response(400, r#"{"error":"server_error"}"#)),
        Ok(response(502, "<html>")),
    ] {
        let scene = Scene::new();
        let failed = scene.run(answer).expect_err("no tokens");
        assert!(matches!(scene.sent(), Sent::Unanswered), "{failed:?}");
        scene.run(Ok(response(200, TOKENS))).expect("the next attempt sends again");
    }
}

#[test]
fn r12_what_reached_nobody_leaves_nothing_and_forgets_no_interrupted_request() {
    for answer in [no_connection, || Ok(response(503, "")), || Ok(response(429, ""))] {
        let scene = Scene::new();
        scene.run(answer()).expect_err("no tokens");
        assert!(matches!(scene.sent(), Sent::No));
        let scene = Scene::interrupted();
        scene.run(answer()).expect_err("no tokens");
        assert!(matches!(scene.sent(), Sent::Unanswered), "the one before may have used up the refresh token");
    }
}

#[test]
fn r12_a_rejection_after_an_interrupted_request_is_told_from_any_other() {
    let before = |scene: Scene| match scene.run(Ok(response(400, REJECTED))) {
        Err(Failed::Exchange { before, .. }) => before,
        other => panic!("{other:?}"),
    };
    assert_eq!(Before::Nothing, before(Scene::new()));
    assert_eq!(Before::Interrupted, before(Scene::interrupted()));
    assert_eq!(Before::Interrupted, before(Scene::killed_after(502, "<html>")));
}

#[test]
fn without_a_refresh_token_or_a_journal_nothing_is_sent() {
    let mut scene = Scene::new();
    scene.record.grant.refresh_token = None;
    assert!(matches!(scene.run(no_connection()), Err(Failed::NoRefreshToken)));
    assert!(matches!(scene.sent(), Sent::No) && scene.requests.get() == 0);

    struct Full;
    impl StateFiles for Full {
        fn read(&self, _: &str) -> Result<Option<Vec<u8>>, StoreError> {
            Ok(None)
        }
        fn replace(&self, name: &str, _: &[u8]) -> Result<(), StoreError> {
            Err(StoreError::File { path: name.into(), why: "no space left".into() })
        }
        fn overwrite(&self, _: &str, _: usize, _: &[u8]) -> Result<(), StoreError> {
            unreachable!("nothing was sent")
        }
        fn remove(&self, _: &str) -> Result<(), StoreError> {
            unreachable!("what an earlier run left stays")
        }
        fn list(&self, _: &str) -> Result<Vec<String>, StoreError> {
            Ok(Vec::new())
        }
    }
    let scene = Scene::new();
    let journal = Journal { files: &Full, name: scene.journal().name };
    let provider = Provider { scene: &scene, answer: RefCell::new(None) };
    let failed = scene.attempt(|attempt| Attempt { journal: &journal, ..*attempt }.run(&provider, &|| at(START)));
    assert!(matches!(failed, Err(Failed::Journal(_))));
}

#[test]
fn s10_tokens_of_another_user_are_refused_and_nothing_of_them_stays() {
    let part = |text: &str| base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text);
    let claims = r#"{"iss":"https://op.example","sub":"you","aud":"me","exp":1900000000,"iat":1800000000}"#;
    let id_token = format!("{}.{}.c2ln", part(r#"{"alg":"RS256"}"#), part(claims));
    let body = format!(r#"{{"access_token":"theirs","token_type":"Bearer","id_token":"{id_token}"}}"#);
    let mut scene = Scene::new();
    scene.record.grant.id_token = None;
    assert!(matches!(scene.run(Ok(response(200, &body))), Err(Failed::OtherSubject(_))));
    assert!(matches!(scene.sent(), Sent::No));
}

#[test]
fn d13_a_new_refresh_token_beside_an_unusable_access_token_is_kept() {
    for body in [
        r#"{"access_token":"a b","refresh_token":"new-refresh"}"#,
        r#"{"access_token":"","refresh_token":"new-refresh"}"#,
        r#"{"access_token":"a","token_type":"DPoP","refresh_token":"new-refresh"}"#,
        r#"{"access_token":"a","access_token":"b","refresh_token":"new-refresh"}"#,
        r#"{"refresh_token":"new-refresh"}"#,
    ] {
        let scene = Scene::new();
        let Err(Failed::HalfRefreshed { record, .. }) = scene.run(Ok(response(200, body))) else { panic!("{body}") };
        assert!(same("new-refresh", record.grant.refresh_token.as_ref()), "{body}");
        assert!(record.grant.access_token.matches("an-access-token"), "the old access token stays: {body}");
        assert!(matches!(scene.sent(), Sent::Answered { .. }), "until the record is stored: {body}");
        // A crash before that loses nothing.
        let unstored = scene.attempt(|attempt| attempt.unstored()).expect("a refresh token");
        assert!(same("new-refresh", unstored.grant.refresh_token.as_ref()), "{body}");
        assert!(matches!(scene.run(no_connection()), Err(Failed::HalfRefreshed { .. })), "{body}");
    }
    for body in [
        r#"{"access_token":"a b","refresh_token":"old-refresh"}"#,
        r#"{"access_token":"a","refresh_token":"r","refresh_token":"s"}"#,
        r#"{"error":"x","refresh_token":"new-refresh"}"#,
    ] {
        let failed = Scene::new().run(Ok(response(200, body))).expect_err("no tokens");
        assert!(matches!(failed, Failed::Exchange { .. }), "{body}: {failed:?}");
    }
}

#[test]
fn r19_a_life_counts_from_one_moment_however_slow_the_provider_is() {
    let (scene, clock) = (Scene::new(), Cell::new(START + 100));
    let now = || at(clock.replace(clock.get() + 25));
    let provider = Provider { scene: &scene, answer: RefCell::new(Some(Ok(response(200, TOKENS)))) };
    let refreshed = scene.attempt(|attempt| attempt.run(&provider, &now)).expect("refreshed");
    let grant = refreshed.record.grant;
    let life = grant.expiry.end().expect("an end").duration_since(grant.obtained_at).expect("a life");
    assert_eq!(60, life.as_secs(), "as the provider said");
}

use std::{
    path::PathBuf,
    sync::{Condvar, LazyLock, atomic::AtomicU64},
};

use rusqlite::Connection as Sqlite;
use tokio::runtime::{Builder, Runtime};

use super::*;
use crate::{
    oauth::{ClientAuthentication, ClientId, Endpoint, HttpError, HttpRequest, HttpResponse, TokenType},
    secret::SealKey,
    serve::{
        keys::{KeyId, KeyRing},
        renewal::TokenSource,
        store::ReauthReason,
    },
    system::database::{Database, Node},
    vault::{AccountName, Pinned},
};

/// Rotates, and takes the grant away when a refresh token is used twice, unless it forgives.
#[derive(Default)]
struct Provider {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Number of the refresh token that is good.
    current: u32,
    requests: u32,
    revoked: bool,
    forgives: bool,
    /// What is done to replies.
    mood: Mood,
    /// Requests are not answered as long as it is shut.
    shut: bool,
    /// Tokens that it was asked to revoke.
    ended: Vec<String>,
    /// Revocations are not answered.
    slow_to_end: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Mood {
    #[default]
    Good,
    /// The refresh token is used up, and the reply is lost.
    Loses,
    NoNewRefreshToken,
    Refuses(&'static str),
    /// It is not there.
    Away,
    GrantsLess,
}

impl Provider {
    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut locked(&self.state));
        self.changed.notify_all();
    }

    fn requests(&self) -> u32 {
        locked(&self.state).requests
    }

    /// Until so many requests have come.
    fn came(&self, requests: u32) {
        let state = locked(&self.state);
        drop(self.changed.wait_while(state, |state| state.requests < requests).expect("provider"));
    }

    fn ended(&self) -> Vec<String> {
        locked(&self.state).ended.clone()
    }

    fn ends(&self, request: &HttpRequest) -> HttpResponse {
        let sent = url::form_urlencoded::parse(request.body()).find(|(name, _)| name == "token").expect("token");
        let mut state = locked(&self.state);
        state.ended.push(sent.1.into_owned());
        self.changed.notify_all();
        drop(self.changed.wait_while(state, |state| state.slow_to_end).expect("provider"));
        HttpResponse::default()
    }

    fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        if request.uri().path() == "/revoke" {
            return Ok(self.ends(request));
        }
        let mut state = locked(&self.state);
        if state.mood == Mood::Away {
            return Err(HttpError::Connect("refused".into()));
        }
        state.requests += 1;
        self.changed.notify_all();
        let mut state = self.changed.wait_while(state, |state| state.shut).expect("provider");
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let sent = body.split('&').find_map(|pair| pair.strip_prefix("refresh_token=r")).expect("refresh token");
        let sent: u32 = sent.parse().expect("number");
        let denied = |code: &str| {
            let mut reply = HttpResponse::new(format!(r#"{{"error":"{code}"}}"#).into_bytes());
            *reply.status_mut() = oauth2::http::StatusCode::BAD_REQUEST;
            reply
        };
        if let Mood::Refuses(code) = state.mood {
            return Ok(denied(code));
        }
        if state.revoked || sent != state.current && !(state.forgives && sent + 1 == state.current) {
            state.revoked = true;
            return Ok(denied("invalid_grant"));
        }
        if state.mood == Mood::NoNewRefreshToken {
            return Ok(HttpResponse::new(
                br#"{"access_token":"plain","token_type":"Bearer","expires_in":3600}"#.to_vec(),
            ));
        }
        state.current = sent + 1;
        let scope = if state.mood == Mood::GrantsLess { r#","scope":"read""# } else { "" };
        let next = state.current;
        let reply = format!(
            r#"{{"access_token":"a{next}","token_type":"Bearer","expires_in":3600,"refresh_token":"r{next}"{scope}}}"#
        );
        match state.mood {
            Mood::Loses => Err(HttpError::Timeout),
            _ => Ok(HttpResponse::new(reply.into_bytes())),
        }
    }
}

struct To(Arc<Provider>);

impl HttpClient for To {
    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.0.answer(&request)
    }
}

impl Integrations for To {
    fn client(&self, _: &Connection) -> Option<Client> {
        Some(Client { id: ClientId::parse("me")?, authentication: ClientAuthentication::None })
    }

    fn scopes(&self, _: &IntegrationName, action: &ActionKey) -> Option<&Scopes> {
        static ALL: LazyLock<Scopes> = LazyLock::new(|| Scopes::parse("read write").expect("scopes"));
        static ONE: LazyLock<Scopes> = LazyLock::new(|| Scopes::parse("read").expect("scopes"));
        Some(if *action == ActionKey::All { &ALL } else { &ONE })
    }

    fn http(&self, _: &Connection) -> Box<dyn HttpClient + Send> {
        Box::new(Self(self.0.clone()))
    }
}

/// A database of its own with one connection, and a provider.
struct Stage {
    root: PathBuf,
    provider: Arc<Provider>,
    runtime: Runtime,
    key: GrantKey,
}

impl Stage {
    /// The access token has expired.
    fn expired() -> Self {
        Self::with_life(-10)
    }

    /// Obtained 1,000 s ago, valid for so many seconds from now.
    fn with_life(left: i64) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("loopin-renew-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&root).expect("directory");
        let provider = Arc::new(Provider::default());
        let runtime = Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("runtime");
        let key = GrantKey {
            user: AccountName::parse("ada").expect("user"),
            org: "acme".into(),
            integration: IntegrationName::parse("work").expect("name"),
            action: ActionKey::All,
        };
        let stage = Self { root, provider, runtime, key };
        stage.connect(left);
        stage
    }

    fn connect(&self, left: i64) {
        let obtained_at = clock::now() - Duration::from_secs(1000);
        let until = obtained_at + Duration::from_secs(u64::try_from(1000 + left).expect("life"));
        let both = Scopes::parse("read write").expect("scopes");
        let grant = Grant {
            asked: both.clone(),
            granted: both,
            access_token: Secret::new("a0".into()),
            token_type: TokenType::Bearer,
            expiry: Expiry::At(until),
            refresh_token: Some(Secret::new("r0".into())),
            refreshable_until: None,
            id_token: None,
            subject: None,
            obtained_at,
        };
        let pinned = Pinned {
            issuer: None,
            token_endpoint: Endpoint::parse("https://op.example/token").expect("endpoint"),
            revocation_endpoint: Endpoint::parse("https://op.example/revoke").ok(),
            client_id: ClientId::parse("me").expect("id"),
        };
        let ledger = self.ledger();
        self.runtime.block_on(ledger.connect(&self.key, None, pinned, &grant, clock::now())).expect("connected");
    }

    fn database(&self) -> PathBuf {
        self.root.join("loopin.db")
    }

    fn ledger(&self) -> Ledger {
        let id = KeyId::parse("k1").expect("id");
        let keys = KeyRing::new(id.clone(), [(id, SealKey::new([1; 32]))].into()).expect("ring");
        Ledger { store: Arc::new(Database::open_or_make(&self.database()).expect("database")), keys: Arc::new(keys) }
    }

    /// A process of its own, as far as this database can tell.
    fn node(&self) -> Renewer {
        let files = PrivateFiles::at(self.root.join("loopin.db.node"));
        Renewer::new(self.ledger(), Arc::new(To(self.provider.clone())), files)
    }

    fn row(&self) -> Option<Connection> {
        self.runtime.block_on(self.ledger().store.connection(&self.key)).expect("read")
    }

    fn ask(&self, node: &Renewer) -> TokenAnswer {
        self.runtime.block_on(node.token(&self.key, USUAL)).expect("answer")
    }

    /// So many at once, spread over the nodes.
    fn crowd(&self, nodes: &[Renewer], callers: usize) -> Vec<task::JoinHandle<TokenAnswer>> {
        let ask = |node: &Renewer| {
            let (node, key) = (node.clone(), self.key.clone());
            self.runtime.spawn(async move { node.token(&key, USUAL).await.expect("answer") })
        };
        (0..callers).map(|n| ask(&nodes[n % nodes.len()])).collect()
    }

    /// As `DELETE /connections/:id` does it.
    fn delete(&self) -> Connection {
        let id = self.row().expect("row").id;
        let deleted = self.runtime.block_on(self.ledger().store.delete_connection(id, "ada", "acme"));
        deleted.expect("deleted").expect("it was there")
    }

    /// A refresh whose connection is deleted while the provider holds the answer.
    fn deleted_meanwhile(&self, node: &Renewer, meanwhile: impl FnOnce()) -> TokenAnswer {
        self.provider.set(|state| state.shut = true);
        let answer = self.crowd(std::slice::from_ref(node), 1).remove(0);
        self.provider.came(1);
        self.delete();
        meanwhile();
        self.provider.set(|state| state.shut = false);
        self.runtime.block_on(answer).expect("caller")
    }

    fn sql(&self, statement: &str) {
        let db = Sqlite::open(self.database()).expect("open");
        db.busy_timeout(Duration::from_secs(10)).expect("patience");
        db.execute_batch(statement).expect("statement");
    }

    fn journals(&self) -> usize {
        PrivateFiles::at(self.root.join("loopin.db.node")).list(Journal::SUFFIX).expect("list").len()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

const USUAL: TokenWish = TokenWish { min_validity: Duration::from_secs(60), source: TokenSource::Stored };
/// The database takes leases and no tokens.
const NO_TOKENS: &str = "CREATE TRIGGER no_tokens BEFORE UPDATE OF generation ON connection \
    BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";

fn token(answer: &TokenAnswer) -> &str {
    match answer {
        TokenAnswer::Ok(issued) => issued.access_token.expose(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn v25_200_callers_of_an_expired_connection_cost_one_request() {
    let stage = Stage::expired();
    stage.provider.set(|state| state.shut = true);
    let answers = stage.crowd(&[stage.node()], 200);
    stage.provider.came(1);
    stage.provider.set(|state| state.shut = false);
    for answer in answers {
        assert_eq!("a1", token(&stage.runtime.block_on(answer).expect("caller")));
    }
    assert_eq!(1, stage.provider.requests());
    assert_eq!(Some(2), stage.row().map(|row| row.generation));
    assert_eq!(0, stage.journals(), "nothing is left behind");
}

#[test]
fn v25_four_nodes_on_one_database_send_one_request() {
    let stage = Stage::expired();
    let nodes: Vec<_> = (0..4).map(|_| stage.node()).collect();
    stage.provider.set(|state| state.shut = true);
    let answers = stage.crowd(&nodes, 200);
    stage.provider.came(1);
    stage.provider.set(|state| state.shut = false);
    for answer in answers {
        assert_eq!("a1", token(&stage.runtime.block_on(answer).expect("caller")));
    }
    assert_eq!(1, stage.provider.requests());
}

#[test]
fn v25_what_is_used_is_refreshed_before_anybody_asks_and_by_one_node() {
    let stage = Stage::with_life(100);
    let nodes: Vec<_> = (0..4).map(|_| stage.node()).collect();
    let rounds = |nodes: &[Renewer]| {
        stage.runtime.block_on(async {
            for node in nodes {
                node.round().await;
            }
            for node in nodes {
                node.settle().await;
            }
        });
    };
    stage.sql("UPDATE connection SET last_used_at = 1000");
    rounds(&nodes);
    assert_eq!(0, stage.provider.requests(), "nobody has used it for a week");
    stage.connect(3000);
    rounds(&nodes);
    assert_eq!(0, stage.provider.requests(), "it is good for long");
    stage.connect(100);
    rounds(&nodes);
    assert_eq!(1, stage.provider.requests());
    assert_eq!("a1", token(&stage.ask(&nodes[0])));
}

#[test]
fn v26_tokens_that_the_database_does_not_take_are_handed_out_and_stored_when_it_does() {
    let stage = Stage::expired();
    stage.sql(NO_TOKENS);
    let node = stage.node();
    assert_eq!("a1", token(&stage.ask(&node)));
    assert_eq!("a1", token(&stage.ask(&node)), "nobody sends the old refresh token again");
    assert_eq!(1, stage.journals());
    stage.sql("DROP TRIGGER no_tokens");
    let stored = async {
        while stage.ledger().store.connection(&stage.key).await.expect("read").expect("row").generation < 2 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    stage.runtime.block_on(async { timeout(Duration::from_secs(60), stored).await }).expect("stored");
    assert_eq!(1, stage.provider.requests());
}

#[test]
fn v26_a_reply_that_a_crash_left_in_the_journal_is_stored_at_the_start_and_nothing_is_sent() {
    let mut stage = Stage::expired();
    stage.sql(NO_TOKENS);
    assert_eq!("a1", token(&stage.ask(&stage.node())));
    // The end of the process: nothing of it goes on.
    let ended = std::mem::replace(&mut stage.runtime, Runtime::new().expect("runtime"));
    ended.shutdown_timeout(Duration::from_secs(60));
    stage.sql("DROP TRIGGER no_tokens");
    let node = stage.node();
    assert_eq!(1, stage.runtime.block_on(node.recover()).expect("recovered"));
    assert_eq!("a1", token(&stage.ask(&node)));
    assert_eq!(1, stage.provider.requests());
    assert_eq!(0, stage.journals());
    assert!(stage.row().is_some_and(|row| row.generation == 2 && !row.in_doubt));
}

#[test]
fn v26_a_lost_reply_costs_nothing_with_a_provider_that_forgives() {
    let stage = Stage::expired();
    stage.provider.set(|state| (state.mood, state.forgives) = (Mood::Loses, true));
    let node = stage.node();
    assert!(matches!(stage.ask(&node), TokenAnswer::Unavailable { .. }));
    let row = stage.row().expect("row");
    assert!(row.in_doubt && row.status == Status::Ok, "{row:?}");
    assert!(matches!(stage.ask(&node), TokenAnswer::Unavailable { .. }));
    assert_eq!(1, stage.provider.requests(), "not asked again before the pause is over");
    stage.provider.set(|state| state.mood = Mood::Good);
    let restarted = stage.node();
    assert_eq!(1, stage.runtime.block_on(restarted.recover()).expect("recovered"));
    assert_eq!("a1", token(&stage.ask(&restarted)));
}

#[test]
fn v29_a_connection_that_is_deleted_while_it_is_refreshed_stays_deleted_and_what_came_is_revoked() {
    let stage = Stage::expired();
    let node = stage.node();
    let answer = stage.deleted_meanwhile(&node, || {});
    assert!(matches!(answer, TokenAnswer::Gone), "{answer:?}");
    assert!(stage.row().is_none(), "risen from the dead");
    stage.runtime.block_on(node.settle());
    assert_eq!(["r1"], *stage.provider.ended());
    assert!(matches!(stage.ask(&node), TokenAnswer::NotConnected));
}

#[test]
fn v29_who_waited_is_not_kept_for_the_revocation_and_the_service_does_not_end_before_it() {
    let stage = Stage::expired();
    stage.provider.set(|state| state.slow_to_end = true);
    let node = stage.node();
    let answer = stage.deleted_meanwhile(&node, || {});
    assert!(matches!(answer, TokenAnswer::Gone), "{answer:?}");
    let settled = |patience| stage.runtime.block_on(async { timeout(patience, node.settle()).await });
    assert!(settled(Duration::ZERO).is_err(), "the provider has not answered yet");
    stage.provider.set(|state| state.slow_to_end = false);
    settled(Duration::from_secs(60)).expect("settled");
    assert_eq!((1, 0), (stage.provider.ended().len(), stage.journals()));
}

#[test]
fn v29_who_has_connected_again_meanwhile_keeps_the_new_grant() {
    let stage = Stage::expired();
    let node = stage.node();
    let answer = stage.deleted_meanwhile(&node, || stage.connect(3000));
    assert!(matches!(answer, TokenAnswer::Gone), "{answer:?}");
    stage.runtime.block_on(node.settle());
    assert!(stage.provider.ended().is_empty(), "providers may end all that the client has of this person");
    assert_eq!("a0", token(&stage.ask(&node)));
}

#[test]
fn v29_what_a_crash_left_in_the_journal_is_revoked_with_its_connection() {
    let mut stage = Stage::expired();
    stage.sql(NO_TOKENS);
    assert_eq!("a1", token(&stage.ask(&stage.node())));
    let ended = std::mem::replace(&mut stage.runtime, Runtime::new().expect("runtime"));
    ended.shutdown_timeout(Duration::from_secs(60));
    let row = stage.delete();
    assert_eq!(Revoked::Yes, stage.node().revoke(&row));
    assert_eq!(["r1"], *stage.provider.ended(), "not the one that it was changed for");
    assert_eq!(1, stage.provider.requests(), "nothing is refreshed for that");
}

#[test]
fn v29_a_login_that_was_quicker_than_a_refresh_wins() {
    let stage = Stage::expired();
    stage.provider.set(|state| state.shut = true);
    let answers = stage.crowd(&[stage.node()], 1);
    stage.provider.came(1);
    stage.connect(3000);
    stage.provider.set(|state| state.shut = false);
    for answer in answers {
        assert_eq!("a0", token(&stage.runtime.block_on(answer).expect("caller")));
    }
}

#[test]
fn r08_invalid_grant_asks_for_a_person_and_is_not_sent_again() {
    let stage = Stage::expired();
    stage.provider.set(|state| state.mood = Mood::Refuses("invalid_grant"));
    let node = stage.node();
    for _ in 0..2 {
        let answer = stage.ask(&node);
        let refused = ReauthReason::RefreshTokenRefused;
        assert!(matches!(answer, TokenAnswer::ReauthRequired { reason, .. } if reason == refused), "{answer:?}");
    }
    assert_eq!(1, stage.provider.requests());
    assert_eq!(0, stage.journals());
}

#[test]
fn r08_a_refused_client_marks_the_integration_and_no_connection() {
    for code in ["invalid_client", "unauthorized_client"] {
        let stage = Stage::expired();
        stage.provider.set(|state| state.mood = Mood::Refuses(code));
        let node = stage.node();
        for _ in 0..2 {
            assert!(matches!(stage.ask(&node), TokenAnswer::Misconfigured { .. }));
        }
        assert_eq!(1, stage.provider.requests(), "it is left alone for a while");
        assert_eq!(1, node.misconfigured().len());
        let row = stage.row().expect("row");
        assert_eq!((Status::Ok, None, false), (row.status, row.delay, row.in_doubt), "{code}");
        stage.provider.set(|state| state.mood = Mood::Good);
        node.accepted(&stage.key.integration);
        assert_eq!("a1", token(&stage.ask(&node)), "the user's grant has lost nothing");
    }
}

#[test]
fn a_provider_that_is_away_is_asked_again_later_and_a_valid_token_serves_meanwhile() {
    let stage = Stage::with_life(100);
    stage.provider.set(|state| state.mood = Mood::Away);
    let node = stage.node();
    assert_eq!("a0", token(&stage.ask(&node)), "in the margin");
    let row = stage.row().expect("row");
    assert_eq!(Some(1), row.delay.map(|delay| delay.failures));
    assert!(!row.in_doubt, "nothing was sent");
    assert_eq!("a0", token(&stage.ask(&node)));
}

#[test]
fn the_old_refresh_token_stays_where_none_comes() {
    let stage = Stage::expired();
    stage.provider.set(|state| state.mood = Mood::NoNewRefreshToken);
    assert_eq!("plain", token(&stage.ask(&stage.node())));
    let row = stage.row().expect("row");
    let kept = stage.ledger().refresh_token(&row).expect("opens").expect("there");
    assert!(kept.matches("r0"));
}

#[test]
fn v35_a_refresh_that_grants_less_is_stored_as_granted_and_answered_as_insufficient() {
    let stage = Stage::expired();
    stage.provider.set(|state| state.mood = Mood::GrantsLess);
    let node = stage.node();
    for _ in 0..2 {
        match stage.ask(&node) {
            TokenAnswer::InsufficientScope { granted, missing, .. } => {
                assert_eq!(("read".to_owned(), "write".to_owned()), (granted.to_string(), missing.to_string()));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(Some("read".to_owned()), stage.row().map(|row| row.access.granted.to_string()));
    let read = GrantKey { action: ActionKey::One(IntegrationName::parse("read").expect("name")), ..stage.key.clone() };
    let answer = stage.runtime.block_on(node.token(&read, USUAL)).expect("answer");
    assert_eq!("a1", token(&answer), "what was granted covers this action");
}

#[test]
fn a_second_service_is_kept_from_the_database() {
    let stage = Stage::expired();
    let held = Node::take(&stage.database()).expect("first");
    assert!(Node::take(&stage.database()).is_err());
    drop(held);
    assert!(Node::take(&stage.database()).is_ok());
}

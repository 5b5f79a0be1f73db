//! A provider that rotates refresh tokens and rejects used ones, and one database per test.

mod crashes;
mod deletions;
mod reconnections;
mod storms;
mod verdicts;

use std::{
    path::PathBuf,
    sync::{Condvar, LazyLock, atomic::AtomicU64},
};

use rusqlite::Connection as Sqlite;
use tokio::{
    runtime::{Builder, Runtime},
    task,
};

use super::*;
use crate::{
    oauth::{ClientAuthentication, ClientId, Endpoint, HttpError, HttpRequest, HttpResponse, TokenType},
    secret::SealKey,
    service::{
        keys::{KeyId, KeyRing},
        refresh_plan::TokenSource,
        store::{Fate, ReauthReason, State as Life},
    },
    system::database::{Database, Node},
    vault::{Grant, Journal, Owner, Pinned, StateFiles},
};

/// Rotates refresh tokens. A second use of one ends the grant, unless `forgives` is set.
#[derive(Default)]
struct Provider {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The number of the valid refresh token.
    current: u32,
    requests: u32,
    revoked: bool,
    forgives: bool,
    /// How it responds.
    mood: Mood,
    /// While it is set, requests wait for their response.
    shut: bool,
    /// The tokens of revocation requests.
    ended: Vec<String>,
    /// While it is set, revocations wait for their response.
    slow_to_end: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Mood {
    #[default]
    Good,
    /// The refresh token is used up, and the response is lost.
    Loses,
    NoNewRefreshToken,
    Refuses(&'static str),
    /// It cannot be reached.
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

    /// Waits until it has received this many requests.
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
    fn note_response(&self, _: &IntegrationName, _: &str) {}

    fn client(&self, _: &Connection) -> Option<Client> {
        Some(Client::new(ClientId::parse("me")?, ClientAuthentication::None))
    }

    fn needed(&self, _: &IntegrationName, action: &ActionKey) -> Option<Needed<'_>> {
        static ALL: LazyLock<Scopes> = LazyLock::new(|| Scopes::parse("read write").expect("scopes"));
        static ONE: LazyLock<Scopes> = LazyLock::new(|| Scopes::parse("read").expect("scopes"));
        static RULES: LazyLock<ScopeRules> = LazyLock::new(ScopeRules::default);
        Some(Needed { scopes: if *action == ActionKey::All { &ALL } else { &ONE }, rules: &RULES })
    }

    fn http(&self, _: &Connection) -> Box<dyn HttpClient + Send> {
        Box::new(Self(self.0.clone()))
    }
}

/// A database with one connection, and a provider.
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
            owner: Owner::ada(),
            integration: IntegrationName::parse("work").expect("name"),
            action: ActionKey::All,
        };
        let stage = Self { root, provider, runtime, key };
        stage.connect(left);
        stage
    }

    fn connect(&self, left: i64) {
        self.connect_as(&self.key, left);
    }

    fn connect_as(&self, key: &GrantKey, left: i64) {
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
            metadata: crate::oauth::GrantMetadata::default(),
            obtained_at,
        };
        let pinned = Pinned {
            issuer: None,
            token_endpoint: Endpoint::parse("https://op.example/token").expect("endpoint"),
            revocation_endpoint: Endpoint::parse("https://op.example/revoke").ok(),
            client_id: ClientId::parse("me").expect("id"),
            authentication_method: crate::oauth::AuthenticationMethod::Basic,
        };
        let sealed = self.sealed();
        self.runtime.block_on(sealed.connect(key, None, pinned, &grant, clock::now())).expect("connected");
    }

    fn database(&self) -> PathBuf {
        self.root.join("loopin.db")
    }

    fn sealed(&self) -> SealedStore {
        let id = KeyId::parse("k1").expect("id");
        let keys = KeyRing::new(id.clone(), [(id, SealKey::new([1; 32]))].into()).expect("ring");
        SealedStore {
            store: Arc::new(Database::open_or_make(&self.database()).expect("database")),
            keys: Arc::new(keys),
        }
    }

    /// A node, as far as this database can tell.
    fn node(&self) -> Refresher {
        let files = PrivateFiles::at(self.root.join("loopin.db.node"));
        Refresher::new(self.sealed(), Arc::new(To(self.provider.clone())), files)
    }

    fn row(&self) -> Option<Connection> {
        self.runtime.block_on(self.sealed().store.connection(&self.key)).expect("read")
    }

    fn ask(&self, node: &Refresher) -> TokenAnswer {
        self.runtime.block_on(node.token(&self.key, USUAL)).expect("answer")
    }

    /// Callers at the same time, spread over the nodes.
    fn crowd(&self, nodes: &[Refresher], callers: usize) -> Vec<task::JoinHandle<TokenAnswer>> {
        let ask = |node: &Refresher| {
            let (node, key) = (node.clone(), self.key.clone());
            self.runtime.spawn(async move { node.token(&key, USUAL).await.expect("answer") })
        };
        (0..callers).map(|n| ask(&nodes[n % nodes.len()])).collect()
    }

    /// Deletes the connection as `DELETE /connections/:id` does.
    fn delete(&self) -> Connection {
        let id = self.row().expect("row").id;
        let deleted = self.runtime.block_on(self.sealed().store.delete_connection(id, &self.key.owner));
        deleted.expect("deleted").expect("it was there")
    }

    /// A refresh whose connection is deleted before the provider responds.
    fn deleted_meanwhile(&self, node: &Refresher, meanwhile: impl FnOnce()) -> TokenAnswer {
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

const USUAL: TokenRequest = TokenRequest { min_validity: Duration::from_secs(60), source: TokenSource::Stored };
/// The database accepts leases and rejects tokens.
const NO_TOKENS: &str = "CREATE TRIGGER no_tokens BEFORE UPDATE OF generation ON connection \
    BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";

fn token(answer: &TokenAnswer) -> &str {
    match answer {
        TokenAnswer::Ok(issued) => issued.access_token.expose(),
        other => panic!("{other:?}"),
    }
}

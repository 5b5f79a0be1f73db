#![expect(clippy::let_underscore_must_use, reason = "a test stops tools and removes files on purpose")]
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{runtime::Runtime, time::sleep};

use super::*;
use crate::{
    catalog::IntegrationName,
    oauth::{ClientId, Endpoint, Expiry, Scopes, TokenType},
    secret::{SealKey, Secret},
    service::{keys::KeyRing, store::Resealed},
    system::{clock, database::Database, entropy},
    vault::{
        AccountName, ActionKey, Grant, GrantKey, Namespace, OrgKey, Owner, Pinned,
        seal::{NONCE_BYTES, Nonce},
    },
};

const ROWS: usize = 250;

struct Stage(PathBuf);

impl Stage {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("loopin-keys-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let root = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&root).expect("directory");
        Self(root)
    }

    fn path(&self) -> PathBuf {
        self.0.join("loopin.db")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn id(name: &str) -> KeyId {
    KeyId::parse(name).expect("id")
}

/// With the keys k1 and k2, or the first of them.
fn sealed(path: &Path, current: &str) -> SealedStore {
    let mut keys = BTreeMap::from([(id("k1"), SealKey::new([1; 32]))]);
    if current == "k2" {
        keys.insert(id("k2"), SealKey::new([2; 32]));
    }
    let store = Arc::new(Database::open_or_make(path).expect("database"));
    SealedStore { store, keys: Arc::new(KeyRing::new(id(current), keys).expect("ring")) }
}

fn key(n: usize) -> GrantKey {
    GrantKey {
        owner: Owner {
            namespace: Namespace::default(),
            user: AccountName::parse(&format!("user-{n}")).expect("user"),
            org: OrgKey::parse("acme").expect("org"),
        },
        integration: IntegrationName::parse("work").expect("name"),
        action: ActionKey::All,
    }
}

fn grant(n: usize, round: usize) -> Grant {
    Grant {
        asked: Scopes::default(),
        granted: Scopes::default(),
        access_token: Secret::new(format!("a-{n}-{round}")),
        token_type: TokenType::Bearer,
        expiry: Expiry::At(clock::now() + Duration::from_secs(3600)),
        refresh_token: Some(Secret::new(format!("r-{n}-{round}"))),
        refreshable_until: None,
        id_token: None,
        subject: None,
        metadata: serde_json::from_str(&format!(r#"{{"values":{{"n":"m-{n}-{round}"}}}}"#)).expect("metadata"),
        obtained_at: clock::now(),
    }
}

async fn connect(sealed: &SealedStore, n: usize, round: usize) {
    let pinned = Pinned {
        issuer: None,
        token_endpoint: Endpoint::parse("https://op.example/token").expect("endpoint"),
        revocation_endpoint: None,
        client_id: ClientId::parse("me").expect("id"),
        authentication_method: crate::oauth::AuthenticationMethod::Basic,
    };
    sealed.connect(&key(n), None, pinned, &grant(n, round), clock::now()).await.expect("connected");
}

async fn prove(sealed: &SealedStore) {
    let current = sealed.keys.current();
    let proof = sealed.keys.proof(current, Nonce(entropy::random().expect("chance")));
    sealed.store.set_key_check(current.clone(), Some(proof)).await.expect("proof");
}

async fn all_readable(sealed: &SealedStore) {
    for n in 0..ROWS {
        let row = sealed.store.connection(&key(n)).await.expect("read").expect("row");
        let access = sealed.access_token(&row).expect("opens");
        let refresh = sealed.refresh_token(&row).expect("opens").expect("there");
        assert!(access.expose().starts_with(&format!("a-{n}-")), "row {n}");
        assert!(refresh.expose().starts_with(&format!("r-{n}-")), "row {n}");
        let metadata = sealed.metadata(&row).expect("opens");
        let kept = metadata.get("n").and_then(|value| value.as_str());
        assert!(kept.is_some_and(|kept| kept.starts_with(&format!("m-{n}-"))), "row {n}");
    }
}

#[test]
fn v22_rotation_under_load_stopped_at_any_moment_leaves_every_row_readable() {
    let stage = Stage::new();
    let runtime = Runtime::new().expect("runtime");
    runtime.block_on(async {
        let old = sealed(&stage.path(), "k1");
        for n in 0..ROWS {
            connect(&old, n, 0).await;
        }
        let new = sealed(&stage.path(), "k2");
        assert_eq!(Err(RotationError::Unproven(id("k2"))), rotate(&new).await, "no service has this key yet");
        prove(&new).await;
        let service = new.clone();
        let load = tokio::spawn(async move {
            for n in (0..ROWS).cycle().step_by(7).take(200) {
                connect(&service, n, 1).await;
            }
        });
        for stopped_after in 0..8 {
            let tool = sealed(&stage.path(), "k2");
            let rotation = tokio::spawn(async move { rotate(&tool).await });
            sleep(Duration::from_millis(stopped_after)).await;
            rotation.abort();
            let _ = rotation.await;
            all_readable(&new).await;
        }
        load.await.expect("load");
        let rotated = rotate(&new).await.expect("rotated");
        assert!(rotated.unreadable.is_empty());
        assert_eq!(BTreeMap::from([(id("k1"), 0), (id("k2"), ROWS as u64)]), status(&new).await.expect("status"));
        all_readable(&new).await;
        let only = KeyRing::new(id("k2"), BTreeMap::from([(id("k2"), SealKey::new([2; 32]))])).expect("ring");
        all_readable(&SealedStore { keys: Arc::new(only), ..new }).await;
    });
}

#[test]
fn v22_a_refresh_between_read_and_reseal_is_not_undone() {
    let stage = Stage::new();
    Runtime::new().expect("runtime").block_on(async {
        let old = sealed(&stage.path(), "k1");
        connect(&old, 0, 0).await;
        let new = sealed(&stage.path(), "k2");
        let read = new.store.sealed_with(&id("k1"), None, 10).await.expect("rows");
        let cells = read.iter().map(|row| new.resealed(row).expect("opens")).collect();
        connect(&old, 0, 1).await;
        assert_eq!(0, new.store.reseal(cells).await.expect("reseal"));
        let row = new.store.connection(&key(0)).await.expect("read").expect("row");
        assert!(new.access_token(&row).expect("opens").matches("a-0-1"));
    });
}

#[test]
fn v21_no_two_cells_have_one_nonce() {
    let stage = Stage::new();
    Runtime::new().expect("runtime").block_on(async {
        let old = sealed(&stage.path(), "k1");
        // The same user's again and again, with the same tokens, and another's.
        for n in [0, 0, 0, 1] {
            connect(&old, n, 0).await;
        }
        let new = sealed(&stage.path(), "k2");
        let mut nonces = std::collections::BTreeSet::new();
        for n in [0, 1] {
            let row = new.store.connection(&key(n)).await.expect("read").expect("row");
            for Resealed { access, refresh, .. } in (0..4).map(|_| new.resealed(&row).expect("opens")) {
                for cell in
                    [access, refresh.expect("there"), row.access.token.clone(), row.refresh.clone().expect("there")]
                {
                    // After version, length of the name, and the name.
                    nonces.insert(cell.bytes()[4..4 + NONCE_BYTES].to_vec());
                }
            }
        }
        assert_eq!(2 * (4 * 2 + 2), nonces.len());
    });
}

#[test]
fn v21_a_row_that_was_tampered_with_is_named_and_the_others_are_resealed() {
    let stage = Stage::new();
    Runtime::new().expect("runtime").block_on(async {
        let old = sealed(&stage.path(), "k1");
        connect(&old, 0, 0).await;
        connect(&old, 1, 0).await;
        let swap = "UPDATE connection SET access = (SELECT access FROM connection WHERE user_id = 'user-1') \
                    WHERE user_id = 'user-0'";
        rusqlite::Connection::open(stage.path()).and_then(|db| db.execute(swap, [])).expect("swapped");
        let new = sealed(&stage.path(), "k2");
        prove(&new).await;
        let swapped = new.store.connection(&key(0)).await.expect("read").expect("row");
        assert!(new.access_token(&swapped).is_err());
        let rotated = rotate(&new).await.expect("rotated");
        assert_eq!((1, vec![swapped.id]), (rotated.resealed, rotated.unreadable));
    });
}

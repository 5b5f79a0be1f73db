//! Key rotation beside a service that works, killed midway again and again. `LOOPIN_BAR=full` kills twenty times.

use std::{
    os::unix::process::ExitStatusExt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use loopin::{
    catalog::IntegrationName,
    oauth::{ClientId, Endpoint, Expiry, Scopes, TokenType},
    secret::{SealKey, Secret},
    server::sealed_store::SealedStore,
    service::keys::{KeyId, KeyRing},
    system::{clock, database::Database, entropy},
    vault::{AccountName, ActionKey, Grant, GrantKey, Namespace, OrgKey, Owner, Pinned},
};
use rusqlite::Connection as Sqlite;
use tokio::runtime::Runtime;

use super::{
    keys::{keys, with_keys},
    *,
};
use crate::harness::{RawServer, json_reply, reply, tell};

/// In every token, and in nothing else.
const CANARY: &str = "canary-7c1f0b";
/// Users whose tokens are refreshed during the rotation: every fourth.
const BUSY: usize = 4;

fn user(n: usize) -> String {
    format!("{}-{n}", if n.is_multiple_of(BUSY) { "busy" } else { "still" })
}

fn access(n: usize, refreshes: u32) -> String {
    format!("{CANARY}-access-{n}-{refreshes}")
}

fn refresh(n: usize, refreshes: u32) -> String {
    format!("{CANARY}-refresh-{n}-{refreshes}")
}

/// Below `most`; which one is nobody's plan.
fn any(most: usize) -> usize {
    u32::from_ne_bytes(entropy::random().expect("entropy")) as usize % most
}

/// A token endpoint where every refresh token counts once.
struct Strict {
    server: RawServer,
    /// How often each user's token was refreshed.
    refreshes: Arc<Mutex<Vec<u32>>>,
    reused: Arc<AtomicU32>,
}

impl Strict {
    fn new(rows: usize) -> Self {
        let (refreshes, reused) = (Arc::new(Mutex::new(vec![0; rows])), Arc::new(AtomicU32::new(0)));
        let (known, twice) = (Arc::clone(&refreshes), Arc::clone(&reused));
        let server = RawServer::replying(move |request| {
            let token = request.rsplit("refresh_token=").next().unwrap_or_default();
            let token = token.split('&').next().unwrap_or_default().trim();
            let mut numbers = token.rsplit('-').map(|number| number.parse::<u32>().expect("one of ours"));
            let (sent, n) = (numbers.next().expect("number"), numbers.next().expect("number") as usize);
            let mut known = known.lock().expect("provider");
            if known[n] != sent {
                twice.fetch_add(1, Ordering::SeqCst);
                return reply(400, "", "");
            }
            known[n] += 1;
            let (access, refresh) = (access(n, sent + 1), refresh(n, sent + 1));
            json_reply(
                &json!({
                    "access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": 3600,
                })
                .to_string(),
            )
        });
        Self { server, refreshes, reused }
    }

    fn total(&self) -> u32 {
        self.refreshes.lock().expect("provider").iter().sum()
    }
}

fn key(n: usize) -> GrantKey {
    GrantKey {
        owner: Owner {
            namespace: Namespace::default(),
            user: AccountName::parse(&user(n)).expect("user"),
            org: OrgKey::parse("acme").expect("org"),
        },
        integration: IntegrationName::parse("wiki").expect("name"),
        action: ActionKey::All,
    }
}

/// The database as a tool beside the service sees it.
struct Tool {
    sealed: SealedStore,
    runtime: Runtime,
    rows: usize,
}

impl Tool {
    fn new(serving: &Serving, keys: &[&str], rows: usize) -> Self {
        let id = |name: &str| KeyId::parse(name).expect("id");
        let bytes = |name| std::fs::read(serving.sandbox.path(name)).expect("key");
        let keys = keys.iter().map(|name| (*name, SealKey::new(bytes(name).try_into().expect("32 bytes"))));
        let keys: BTreeMap<_, _> = keys.map(|(name, key)| (id(name), key)).collect();
        let current = keys.keys().next().expect("a key").clone();
        let store = Arc::new(Database::open(&serving.sandbox.path("loopin.db")).expect("database"));
        let sealed = SealedStore { store, keys: Arc::new(KeyRing::new(current, keys).expect("ring")) };
        Self { sealed, runtime: Runtime::new().expect("runtime"), rows }
    }

    /// A connection for every user.
    fn fill(&self, provider: &Strict) {
        let pinned = Pinned {
            issuer: None,
            token_endpoint: Endpoint::parse(&format!("{}/token", provider.server.origin)).expect("endpoint"),
            revocation_endpoint: None,
            client_id: ClientId::parse("practice-client").expect("id"),
            authentication_method: loopin::oauth::AuthenticationMethod::Basic,
        };
        let scopes = Scopes::parse("base read write").expect("scopes");
        let now = clock::now();
        let grant = |n| Grant {
            asked: scopes.clone(),
            granted: scopes.clone(),
            access_token: Secret::new(access(n, 0)),
            token_type: TokenType::Bearer,
            expiry: Expiry::At(now + Duration::from_secs(24 * 3600)),
            refresh_token: Some(Secret::new(refresh(n, 0))),
            refreshable_until: None,
            id_token: None,
            subject: None,
            metadata: loopin::oauth::GrantMetadata::default(),
            obtained_at: now,
        };
        self.runtime.block_on(async {
            let connect = |n| {
                let (sealed, pinned, grant) = (self.sealed.clone(), pinned.clone(), grant(n));
                tokio::spawn(async move { sealed.connect(&key(n), None, pinned, &grant, now).await })
            };
            let connected: Vec<_> = (0..self.rows).map(connect).collect();
            for connected in connected {
                connected.await.expect("task").expect("stored");
            }
        });
    }

    /// How many rows do not open, or give anything but their user's tokens.
    fn unreadable(&self, is_right: impl Fn(usize, &str, &str) -> bool) -> usize {
        let is_readable = |n: usize| {
            let row = self.runtime.block_on(self.sealed.store.connection(&key(n))).expect("read").expect("row");
            let (access, refresh) = (self.sealed.access_token(&row), self.sealed.refresh_token(&row));
            matches!((access, refresh), (Ok(access), Ok(Some(refresh))) if is_right(n, access.expose(), refresh.expose()))
        };
        (0..self.rows).filter(|n| !is_readable(*n)).count()
    }
}

/// Rows that this key has sealed.
fn all(database: &Sqlite, key: &str) -> usize {
    count(database, "SELECT count(*) FROM connection WHERE key_id = ?1", key)
}

/// Those of busy users left out: only a rotation moves the others.
fn still(database: &Sqlite, key: &str) -> usize {
    count(database, "SELECT count(*) FROM connection WHERE key_id = ?1 AND user_id >= 'still'", key)
}

fn count(database: &Sqlite, sql: &str, key: &str) -> usize {
    database.query_row(sql, [key], |row| row.get::<_, u32>(0)).expect("count") as usize
}

/// Somebody asks for tokens all the time, and those of busy users are stale when they are asked for.
struct Load {
    ended: Arc<AtomicBool>,
    thread: JoinHandle<u32>,
}

impl Load {
    fn on(serving: &Serving, rows: usize) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let (stop, database, address, port) = (Arc::clone(&ended), serving.database(), serving.address(), serving.port);
        let thread = thread::spawn(move || {
            let mut asked = 0;
            while !stop.load(Ordering::SeqCst) {
                let n = any(rows);
                if n.is_multiple_of(BUSY) {
                    let age = "UPDATE connection SET obtained_at = 1000, expires_at = 2000 WHERE user_id = ?1";
                    assert_eq!(1, database.execute(age, [user(n)]).expect("update"));
                }
                let reply = http(address, &asking(port, n));
                assert_answer(n, &reply);
                asked += 1;
            }
            asked
        });
        Self { ended, thread }
    }

    /// How many answers there were, all of them right.
    fn ended(self) -> u32 {
        self.ended.store(true, Ordering::SeqCst);
        self.thread.join().expect("every answer is right")
    }
}

fn asking(port: u16, n: usize) -> String {
    let (token, body) = (token_of(&user(n), "acme"), json!({ "action": "all" }).to_string());
    format!(
        "POST {BASE}/wiki/token HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: {}\r\n\
         Content-Type: application/json\r\n{}\r\n{body}",
        body.len(),
        bearer(&token)
    )
}

#[track_caller]
fn assert_answer(n: usize, reply: &Reply) {
    assert_eq!(200, reply.status, "{}: {reply:?}", user(n));
    let token = json_of(reply)["access_token"].as_str().expect("token").to_owned();
    assert!(token.starts_with(&format!("{CANARY}-access-{n}-")), "{token} for {}", user(n));
}

/// How a rotation ended that was to be killed.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Killed,
    /// It was quicker.
    Finished,
}

/// Where in a rotation it is killed, once enough rows were seen resealed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// Between two of its transactions, or wherever it is by then.
    Seen,
    /// While it writes the next one.
    Writing,
}

fn spawn(serving: &Serving) -> Child {
    let path = serving.sandbox.path("loopin.toml");
    let mut rotation = serving.sandbox.loopin(&["serve", "--config", path.to_str().expect("path"), "keys", "rotate"]);
    rotation.spawn().expect("loopin starts")
}

/// Bytes that a process has written, where the kernel tells.
fn written(process: &Child) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{}/io", process.id())).ok()?;
    text.lines().find_map(|line| line.strip_prefix("wchar: ")?.parse().ok())
}

/// Kills the rotation when at most `left` rows are seen to be sealed with the old key still.
fn killed(rotation: &mut Child, database: &Sqlite, old: &str, left: usize, moment: Moment) -> Fate {
    let ended = |rotation: &mut Child| rotation.try_wait().expect("child").is_some();
    let mut finished = false;
    eventually("few rows are left, or the rotation has ended", || {
        still(database, old) <= left || {
            finished = ended(rotation);
            finished
        }
    });
    if finished {
        return Fate::Finished;
    }
    let before = written(rotation);
    if let (Moment::Writing, Some(_)) = (moment, before) {
        eventually("the rotation writes, or has ended", || written(rotation) != before || ended(rotation));
    }
    let _ = rotation.kill();
    match rotation.wait().expect("ends").signal() {
        Some(9) if still(database, old) > 0 => Fate::Killed,
        _ => Fate::Finished,
    }
}

/// No token is readable in any file of the database, of its journal, or beside it.
fn assert_sealed(serving: &Serving) {
    let files = serving.sandbox.files();
    let of_database = files.iter().filter(|(path, _)| path.to_string_lossy().contains("loopin.db"));
    let found = |word: &str| {
        let holds = |(_, bytes): &&(_, Vec<u8>)| memchr::memmem::find(bytes, word.as_bytes()).is_some();
        of_database.clone().filter(holds).map(|(path, _)| path.display().to_string()).collect::<Vec<_>>()
    };
    assert!(!found("still-1").is_empty(), "what is not sealed is found");
    assert_eq!(Vec::<String>::new(), found(CANARY));
}

/// What `status` says of the old key, between what the database said before and after: it only gets less.
fn assert_status(serving: &Serving, database: &Sqlite, old: &str) {
    let before = all(database, old);
    let finished = keys(serving, "status");
    let after = all(database, old);
    finished.assert_code(0);
    let line = finished.stdout.lines().find(|line| line.starts_with(&format!("{old}  "))).expect("line");
    let told: usize = line.split_whitespace().nth(1).and_then(|rows| rows.parse().ok()).expect("number");
    assert!((after..=before).contains(&told) && !line.contains("taken out"), "{after} to {before}: {line}");
}

#[test]
fn v22_a_rotation_killed_midway_under_load_leaves_no_row_unreadable() {
    let (kills, rows) = (bar(5, 20), bar(1000, 3000));
    let mut serving = Serving::new();
    let provider = Strict::new(rows);
    write_private(&serving.sandbox.path("k2"), &[0x77; 32]);
    Tool::new(&serving, &["k1"], rows).fill(&provider);
    assert_sealed(&serving);
    let (mut midway, mut ended, mut answers, mut unreadable) = (0, 0, 0, 0);
    // A rotation that was done before it had died often enough is followed by one the other way round.
    let (mut old, mut new) = ("k1", "k2");
    loop {
        with_keys(&serving, &[old, new]);
        serving = serving.again();
        let (database, tool) = (serving.database(), Tool::new(&serving, &["k1", "k2"], rows));
        let load = Load::on(&serving, rows);
        while midway < kills {
            let before = still(&database, old);
            let left = before.saturating_sub(1 + any(rows / 6));
            let moment = if midway.is_multiple_of(2) { Moment::Seen } else { Moment::Writing };
            if killed(&mut spawn(&serving), &database, old, left, moment) == Fate::Finished {
                ended += 1;
                break;
            }
            assert!(still(&database, old) < before, "it has begun");
            midway += 1;
            unreadable += tool.unreadable(|n, access, refresh| {
                access.starts_with(&format!("{CANARY}-access-{n}-"))
                    && refresh.starts_with(&format!("{CANARY}-refresh-{n}-"))
            });
            assert_status(&serving, &database, old);
            assert_sealed(&serving);
        }
        keys(&serving, "rotate").assert_code(0);
        answers += load.ended();
        if midway == kills {
            break;
        }
        assert_eq!(0, all(&database, old));
        (old, new) = (new, old);
    }
    let status = keys(&serving, "status");
    status.assert_says(&format!("{old}  0 rows  can be taken out of [keys]"));
    status.assert_says(&format!("{new}  {rows} rows  current"));
    with_keys(&serving, &[new]);
    std::fs::remove_file(serving.sandbox.path(old)).expect("removed");
    let serving = serving.again();
    let refreshes = provider.refreshes.lock().expect("provider").clone();
    unreadable += Tool::new(&serving, &[new], rows)
        .unreadable(|n, held, kept| held == access(n, refreshes[n]) && kept == refresh(n, refreshes[n]));
    for n in (0..rows).step_by(bar(10, 1)) {
        assert_answer(n, &http(serving.address(), &asking(serving.port, n)));
    }
    assert_sealed(&serving);
    let refreshed = provider.total();
    let load = format!("{answers} answers and {refreshed} refreshes beside");
    let killed = format!("{midway} kills midway in {rows} rows, {ended} rotations ended first");
    tell(&format!("{killed}; {load}: {unreadable} rows unreadable"));
    assert!(answers > 0 && refreshed > 0, "there was load");
    assert_eq!((0, 0), (unreadable, provider.reused.load(Ordering::SeqCst)));
}

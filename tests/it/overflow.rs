//! docs/threats.md, S05, with processes and files: writers that race for one grant and are killed, readers that need no lock.
//!
//! The store is one of small items (2,560 bytes, as on Windows), so that records go from item to file and back.
//! `LOOPIN_BAR=full cargo test --test it s05_racing` runs 1,000 writers, without the variable it is 120.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, UNIX_EPOCH},
};

use loopin::{
    catalog::IntegrationName,
    oauth::{ClientId, Endpoint, Expiry, Scopes, TokenType},
    secret::{SealKey, Secret},
    system::{entropy, lock, private_files::PrivateFiles},
    vault::{
        AccountName, ActionKey, Grant, GrantKey, ItemName, Items, Pinned, Record, Removal, StateFiles, StoreError,
        Vault, seal::Nonce,
    },
};

use crate::harness::tell;

const WINDOWS: usize = 2560;
/// Sizes of a token on both sides of the limit.
const SIZES: [usize; 6] = [40, 5000, 1200, 20_000, 9000, 300];
const AT_ONCE: usize = 8;
const PATIENCE: Duration = Duration::from_secs(100);

/// Where a writer is to write, who it is, and how it ends; a test that starts itself again knows no arguments.
const WRITER: &str = "LOOPIN_TEST_WRITER";

/// Items of limited size, each in a file that is replaced as a whole.
struct SmallItems(PrivateFiles);

impl Items for SmallItems {
    fn read(&self, name: &ItemName) -> Result<Option<Secret>, StoreError> {
        let bytes = self.0.read(name.hash())?;
        Ok(bytes.map(|bytes| Secret::new(String::from_utf8(bytes).expect("an item is text"))))
    }

    fn write(&self, name: &ItemName, _: &str, secret: &Secret) -> Result<(), StoreError> {
        match secret.expose().len() <= WINDOWS {
            true => self.0.replace(name.hash(), secret.expose().as_bytes()),
            false => Err(StoreError::TooLarge),
        }
    }

    fn delete(&self, name: &ItemName) -> Result<Removal, StoreError> {
        self.0.remove(name.hash()).map(|()| Removal::Removed)
    }

    fn limit(&self) -> usize {
        WINDOWS
    }

    fn identity(&self) -> String {
        String::new()
    }

    fn kind(&self) -> &'static str {
        "keychain"
    }
}

/// Ends the process, as a crash does, before or after one of its changes.
struct Dying<'a, T> {
    inner: &'a T,
    changes: &'a AtomicUsize,
    dies_at: usize,
}

impl<T> Dying<'_, T> {
    fn change<R>(&self, act: impl FnOnce() -> R) -> R {
        self.die();
        let result = act();
        self.die();
        result
    }

    #[expect(clippy::disallowed_methods, reason = "this is the crash")]
    fn die(&self) {
        if self.changes.fetch_add(1, Ordering::SeqCst) == self.dies_at {
            std::process::exit(9);
        }
    }
}

impl<T: Items> Items for Dying<'_, T> {
    fn read(&self, name: &ItemName) -> Result<Option<Secret>, StoreError> {
        self.inner.read(name)
    }

    fn write(&self, name: &ItemName, label: &str, secret: &Secret) -> Result<(), StoreError> {
        self.change(|| self.inner.write(name, label, secret))
    }

    fn delete(&self, name: &ItemName) -> Result<Removal, StoreError> {
        self.change(|| self.inner.delete(name))
    }

    fn limit(&self) -> usize {
        self.inner.limit()
    }

    fn identity(&self) -> String {
        self.inner.identity()
    }

    fn kind(&self) -> &'static str {
        self.inner.kind()
    }
}

impl<T: StateFiles> StateFiles for Dying<'_, T> {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.read(name)
    }

    fn replace(&self, name: &str, content: &[u8]) -> Result<(), StoreError> {
        self.change(|| self.inner.replace(name, content))
    }

    fn overwrite(&self, name: &str, at: usize, content: &[u8]) -> Result<(), StoreError> {
        self.change(|| self.inner.overwrite(name, at, content))
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.change(|| self.inner.remove(name))
    }

    fn list(&self, suffix: &str) -> Result<Vec<String>, StoreError> {
        self.inner.list(suffix)
    }
}

fn key() -> GrantKey {
    let name = IntegrationName::parse("work").expect("name");
    GrantKey::personal(name, AccountName::default(), ActionKey::All)
}

/// Everything in it tells its writer, so that a mixed one is seen.
fn record(writer: usize) -> Record {
    let endpoint = |path: &str| Endpoint::parse(&format!("https://op.example/{writer}{path}")).expect("endpoint");
    let access_token = format!("{writer}.").chars().cycle().take(SIZES[writer % SIZES.len()]).collect();
    let mut seal_key = [7; 32];
    seal_key[..8].copy_from_slice(&writer.to_be_bytes());
    Record {
        seal_key: SealKey::new(seal_key),
        generation: 0,
        pinned: Pinned {
            issuer: None,
            token_endpoint: endpoint("/token"),
            revocation_endpoint: Some(endpoint("/revoke")),
            client_id: ClientId::parse("me").expect("id"),
            authentication_method: loopin::oauth::AuthenticationMethod::Basic,
        },
        grant: Grant {
            asked: Scopes::default(),
            granted: Scopes::default(),
            access_token: Secret::new(access_token),
            token_type: TokenType::Bearer,
            expiry: Expiry::At(UNIX_EPOCH + Duration::from_secs(1_800_000_000)),
            refresh_token: Some(Secret::new(format!("refresh-{writer}"))),
            refreshable_until: None,
            id_token: None,
            subject: Some(writer.to_string()),
            metadata: loopin::oauth::GrantMetadata::default(),
            obtained_at: UNIX_EPOCH,
        },
    }
}

#[track_caller]
fn assert_whole(found: &Record) {
    let writer = found.grant.subject.as_deref().and_then(|subject| subject.parse().ok()).expect("a writer");
    let expected = Record { generation: found.generation, ..record(writer) };
    assert!(expected.serialize().matches(found.serialize().expose()), "mixed: {found:?}");
}

struct Place(PathBuf);

impl Place {
    fn items(&self) -> SmallItems {
        SmallItems(PrivateFiles::at(self.0.join("items")))
    }

    fn files(&self) -> PrivateFiles {
        PrivateFiles::at(self.0.join("state"))
    }

    fn read(&self) -> Result<Option<Record>, StoreError> {
        Vault { items: &self.items(), files: &self.files() }.read(&key())
    }

    /// Names of files that end so, in the state directory.
    fn state(&self, suffix: &str) -> usize {
        self.files().list(suffix).expect("list").len()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
#[ignore = "a process of s05_racing_writers..., which starts it"]
fn writer() {
    let Ok(told) = std::env::var(WRITER) else { return };
    let [directory, number, dies_at]: [&str; 3] =
        told.split('|').collect::<Vec<_>>().try_into().expect("a directory, a number and a step");
    let (number, dies_at): (usize, usize) = (number.parse().expect("number"), dies_at.parse().expect("step"));
    let place = Place(directory.into());
    let (items, files, changes) = (place.items(), place.files(), AtomicUsize::new(0));
    let dying = Vault {
        items: &Dying { inner: &items, changes: &changes, dies_at },
        files: &Dying { inner: &files, changes: &changes, dies_at },
    };
    // Read before the lock, as whoever asks for a token does.
    if let Some(found) = dying.read(&key()).expect("readable") {
        assert_whole(&found);
    }
    let _held = lock::hold(&files, "grant.lock", PATIENCE).expect("the lock");
    tell("\nholds the lock");
    dying.write(&key(), &record(number), Nonce(entropy::random().expect("chance"))).expect("written");
    let found = dying.read(&key()).expect("readable").expect("a record");
    assert_eq!(Some(number.to_string()), found.grant.subject, "nobody else wrote under this lock");
    tell("\nwrote");
    // The directory stays.
    std::mem::forget(place);
}

/// How a writer came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Crashed,
    Killed,
    Wrote,
}

fn start(directory: &Path, number: usize, dies_at: usize) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "overflow::writer", "--ignored"]);
    command.env(WRITER, format!("{}|{number}|{dies_at}", directory.display()));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command.spawn().expect("a writer starts")
}

/// One of four dies at a change of its own, one is killed at some instant while it has the lock, two write.
fn run_writer(directory: &Path, number: usize) -> End {
    let dies_at = if number % 4 == 1 { number / 4 % 12 } else { usize::MAX };
    let mut child = start(directory, number, dies_at);
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "holds the lock"), "writer {number} gets the lock");
    if number % 4 == 3 {
        // This sleeps because any instant of a write may be the last.
        thread::sleep(Duration::from_micros(number as u64 * 7919 % 4000));
        child.kill().expect("killed");
    }
    let wrote = lines.any(|line| line == "wrote");
    match (child.wait().expect("it ends").code(), wrote) {
        (Some(0), true) => End::Wrote,
        (Some(9), false) => End::Crashed,
        (None, _) => End::Killed,
        other => panic!("writer {number}: {other:?}"),
    }
}

#[test]
fn s05_racing_writers_that_are_killed_leave_no_grant_that_is_mixed_or_cannot_be_read() {
    let writers = if std::env::var("LOOPIN_BAR").is_ok_and(|bar| bar == "full") { 1000 } else { 120 };
    let place = Place(std::env::temp_dir().join(format!("loopin-overflow-{}", std::process::id())));
    let (next, done) = (AtomicUsize::new(1), AtomicBool::new(false));
    assert_eq!(End::Wrote, run_writer(&place.0, 0));
    let (ends, reads) = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut reads, mut latest) = (0, 0);
            while !done.load(Ordering::SeqCst) {
                let found = place.read().expect("readable at any instant").expect("there since the first writer");
                assert_whole(&found);
                assert!(found.generation >= latest, "an older one came back");
                (reads, latest) = (reads + 1, found.generation);
            }
            reads
        });
        let writer = || {
            let mut ends = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::SeqCst);
                if number >= writers {
                    return ends;
                }
                ends.push(run_writer(&place.0, number));
            }
        };
        let racing: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(writer)).collect();
        let ended: Vec<_> = racing.into_iter().map(thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::SeqCst);
        let ends: Vec<End> = ended.into_iter().flat_map(|ends| ends.expect("each end is known")).collect();
        (ends, reader.join().expect("every read went well"))
    });
    let count = |end| ends.iter().filter(|one| **one == end).count();
    let (wrote, crashed, killed) = (count(End::Wrote), count(End::Crashed), count(End::Killed));
    tell(&format!("{wrote} wrote, {crashed} crashed, {killed} were killed; {reads} reads, all whole"));
    assert!(wrote > 0 && crashed > 0 && killed > 0 && reads > 0);
    // The next write clears away what the crashes left.
    assert_eq!(End::Wrote, run_writer(&place.0, writers - writers % 12 + 16));
    let found = place.read().expect("readable").expect("a record");
    let in_file = found.serialize().expose().len() > WINDOWS;
    assert_eq!(usize::from(in_file), place.state(".grant"));
}

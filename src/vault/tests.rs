//! What a vault promises whatever the store under it does: too small, lying, or dead at any step.

mod crashes;
mod overflow;

use std::{
    cell::{Cell, RefCell},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{
    memory::{MemoryFiles, MemoryItems},
    *,
};
use crate::{
    catalog::IntegrationName,
    oauth::{Claims, ClientId, Endpoint, Expiry, Issuer, Scopes, TokenSet, TokenType},
    secret::SealKey,
};

/// Largest item of the Windows Credential Manager, in bytes.
const WINDOWS: usize = 2560;

fn key() -> GrantKey {
    key_of("default")
}

fn key_of(account: &str) -> GrantKey {
    let account = AccountName::parse(account).expect("account");
    GrantKey::personal(IntegrationName::parse("work").expect("name"), account, ActionKey::All)
}

fn time(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn record(generation: u64, token: String) -> Record {
    let endpoint = |path: &str| Endpoint::parse(&format!("https://op.example{path}")).expect("endpoint");
    let scopes = |text: &str| Scopes::parse(text).expect("scopes");
    Record {
        seal_key: SealKey::new([7; 32]),
        generation,
        pinned: Pinned {
            issuer: Some(Issuer::parse("https://op.example").expect("issuer")),
            token_endpoint: endpoint("/token"),
            revocation_endpoint: Some(endpoint("/revoke")),
            client_id: ClientId::parse("me").expect("id"),
            authentication_method: crate::oauth::AuthenticationMethod::Post,
        },
        grant: Grant {
            asked: scopes("openid read write"),
            granted: scopes("openid read"),
            access_token: Secret::new(token),
            token_type: TokenType::Bearer,
            expiry: Expiry::At(time(1_800_003_600)),
            refresh_token: Some(Secret::new("canary-refresh".into())),
            refreshable_until: None,
            id_token: Some(Secret::new("canary-id".into())),
            subject: Some("subject-7".into()),
            metadata: crate::oauth::GrantMetadata::default(),
            obtained_at: time(1_800_000_000),
        },
    }
}

/// An access token of this many bytes with a canary in front.
fn token(bytes: usize) -> String {
    "canary-access".chars().cycle().take(bytes).collect()
}

/// Every record is written under a nonce of its own.
fn nonce(generation: u64) -> Nonce {
    let mut nonce = [0; seal::NONCE_BYTES];
    nonce[..8].copy_from_slice(&generation.to_be_bytes());
    Nonce(nonce)
}

fn write(vault: &Vault<'_>, record: &Record) -> Result<(), StoreError> {
    vault.write(&key(), record, nonce(record.generation))
}

fn assert_same(expected: &Record, found: Option<Record>) {
    let found = found.expect("a record");
    let text = |record: &Record| record.serialize();
    assert!(text(expected).matches(text(&found).expose()), "{expected:?} is not {found:?}");
}

fn contents(files: &dyn StateFiles) -> Vec<(String, Vec<u8>)> {
    let names = files.list("").expect("list");
    names.into_iter().map(|name| (name.clone(), files.read(&name).expect("read").expect("content"))).collect()
}

fn spills(files: &dyn StateFiles) -> usize {
    files.list(".grant").expect("list").len()
}

/// A store and its files that count the calls, and may stop working at one of them.
struct World {
    items: MemoryItems,
    files: MemoryFiles,
    calls: RefCell<Vec<&'static str>>,
    /// The first call that fails; all later ones fail with it, as after a crash.
    dies_at: Cell<Option<(usize, Death)>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Death {
    BeforeTheCall,
    /// The call took effect, but nobody was told.
    AfterTheCall,
}

impl World {
    fn new(limit: usize) -> Self {
        Self {
            items: MemoryItems::limited(limit),
            files: MemoryFiles::default(),
            calls: RefCell::default(),
            dies_at: Cell::default(),
        }
    }

    fn vault(&self) -> Vault<'_> {
        Vault { items: self, files: self }
    }

    fn call<T>(&self, name: &'static str, act: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let at = self.calls.borrow().len();
        self.calls.borrow_mut().push(name);
        match self.dies_at.get() {
            Some((dies, death)) if at >= dies => {
                if at == dies && death == Death::AfterTheCall {
                    act()?;
                }
                Err(StoreError::Absent)
            }
            _ => act(),
        }
    }

    fn forget_calls(&self) {
        self.calls.borrow_mut().clear();
    }

    /// The calls that change something, in order.
    fn changes(&self) -> Vec<&'static str> {
        self.calls.borrow().iter().filter(|name| !name.starts_with("read")).copied().collect()
    }
}

impl Items for World {
    fn read(&self, name: &ItemName) -> Result<Option<Secret>, StoreError> {
        self.call("read item", || self.items.read(name))
    }

    fn write(&self, name: &ItemName, label: &str, secret: &Secret) -> Result<(), StoreError> {
        self.call("write item", || self.items.write(name, label, secret))
    }

    fn delete(&self, name: &ItemName) -> Result<Removal, StoreError> {
        self.call("delete item", || self.items.delete(name))
    }

    fn limit(&self) -> usize {
        self.items.limit()
    }

    fn identity(&self) -> String {
        self.items.identity()
    }

    fn kind(&self) -> &'static str {
        self.items.kind()
    }
}

impl StateFiles for World {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.call("read file", || self.files.read(name))
    }

    fn replace(&self, name: &str, content: &[u8]) -> Result<(), StoreError> {
        let call = if name.ends_with(IndexEntry::SUFFIX) { "write index" } else { "write spill" };
        self.call(call, || self.files.replace(name, content))
    }

    fn overwrite(&self, name: &str, at: usize, content: &[u8]) -> Result<(), StoreError> {
        self.call("write journal", || self.files.overwrite(name, at, content))
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        let call = match name {
            _ if name.ends_with(IndexEntry::SUFFIX) => "remove index",
            _ if name.ends_with(Spilled::SUFFIX) => "remove spill",
            _ => "remove journal",
        };
        self.call(call, || self.files.remove(name))
    }

    fn list(&self, suffix: &str) -> Result<Vec<String>, StoreError> {
        self.call("read list", || self.files.list(suffix))
    }
}

#[test]
fn what_is_written_is_read_and_what_is_deleted_is_gone() {
    let world = World::new(usize::MAX);
    let vault = world.vault();
    assert!(vault.read(&key()).expect("read").is_none());
    let first = record(1, token(40));
    write(&vault, &first).expect("written");
    assert_same(&first, vault.read(&key()).expect("read"));
    let second = record(2, token(50));
    write(&vault, &second).expect("written");
    assert_same(&second, vault.read(&key()).expect("read"));
    assert_eq!(Ok(Removal::Removed), vault.delete(&key()));
    assert!(vault.read(&key()).expect("read").is_none());
    assert_eq!(Vec::<(String, Vec<u8>)>::new(), contents(&world));
    assert_eq!(Ok(Removal::WasAbsent), vault.delete(&key()));
}

#[test]
fn grants_of_two_accounts_do_not_touch_each_other() {
    let world = World::new(WINDOWS);
    let (one, two) = (record(1, token(9000)), record(1, token(9001)));
    world.vault().write(&key_of("one"), &one, nonce(1)).expect("written");
    world.vault().write(&key_of("two"), &two, nonce(2)).expect("written");
    assert_same(&one, world.vault().read(&key_of("one")).expect("read"));
    world.vault().delete(&key_of("one")).expect("deleted");
    assert_same(&two, world.vault().read(&key_of("two")).expect("read"));
    assert_eq!(1, spills(&world));
}

/// A store that says yes and does something else.
struct Liar {
    items: MemoryItems,
    lie: Cell<Lie>,
}

#[derive(Clone, Copy, Debug)]
enum Lie {
    None,
    KeepsWhatItHad,
    LosesWhatItHad,
    CutsTheEnd,
    ChangesOneByte,
}

impl Items for Liar {
    fn read(&self, name: &ItemName) -> Result<Option<Secret>, StoreError> {
        self.items.read(name)
    }

    fn write(&self, name: &ItemName, label: &str, secret: &Secret) -> Result<(), StoreError> {
        let text = secret.expose();
        match self.lie.get() {
            Lie::None => self.items.write(name, label, secret),
            Lie::KeepsWhatItHad => Ok(()),
            Lie::LosesWhatItHad => self.items.delete(name).map(drop),
            Lie::CutsTheEnd => self.items.write(name, label, &Secret::new(text[..text.len() / 2].into())),
            Lie::ChangesOneByte => self.items.write(
                name,
                label,
                &Secret::new(text.replacen("canary", "canarx", 1).replacen("sha256\":\"", "sha256\":\"A", 1)),
            ),
        }
    }

    fn delete(&self, name: &ItemName) -> Result<Removal, StoreError> {
        self.items.delete(name)
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

#[test]
fn a_grant_of_a_newer_program_is_refused_and_never_overwritten() {
    for newer in [
        r#"{"v":2}"#,
        r#"{"v":2,"anything":{"else":[1]},"seal_key":7}"#,
        r#"{"v":3,"spilled":true}"#,
        r#"{"v":3,"spilled":{"parts":2}}"#,
        r#"{"v":18446744073709551615}"#,
    ] {
        let world = World::new(WINDOWS);
        let item = Secret::new(newer.into());
        world.items.write(&key().item(), "", &item).expect("written");
        let refused = |result: Result<(), StoreError>| {
            assert!(matches!(result, Err(StoreError::Newer { version }) if version > 1), "{newer}: {result:?}")
        };
        refused(world.vault().read(&key()).map(drop));
        refused(write(&world.vault(), &record(1, token(40))));
        refused(write(&world.vault(), &record(1, token(5000))));
        assert!(world.items.read(&key().item()).expect("read").expect("item").matches(newer));
        assert_eq!(Vec::<(String, Vec<u8>)>::new(), contents(&world));
    }
}

#[test]
fn s13_a_damaged_grant_is_told_and_is_not_taken_for_none() {
    let good = record(1, token(40)).serialize();
    let broken = |from: &str, to: &str| {
        assert!(good.expose().contains(from), "{from}");
        good.expose().replacen(from, to, 1)
    };
    for damaged in [
        String::new(),
        "null".into(),
        "{}".into(),
        "canary".into(),
        r#"{"v":0}"#.into(),
        r#"{"v":1}"#.into(),
        r#"{"v":1,"spilled":true}"#.into(),
        r#"{"v":"1"}"#.into(),
        good.expose()[..good.expose().len() - 1].into(),
        broken("\"seal_key\":\"Bw", "\"seal_key\":\"!!"),
        broken("\"seal_key\":\"BwcH", "\"seal_key\":\""),
        broken("\"token_endpoint\":\"https:", "\"token_endpoint\":\"http:"),
        broken("\"issuer\":\"https:", "\"issuer\":\"file:"),
        broken("\"client_id\":\"me\"", "\"client_id\":\"\""),
        broken("\"granted\":\"", "\"granted\":\"\\\\"),
        broken("\"expires_at\":1800003600", "\"expires_at\":18446744073709551615"),
        broken("\"expires_at\":1800003600", "\"expires_at\":-1"),
        broken("\"generation\":1", "\"generation\":1,\"generation\":2"),
    ] {
        let world = World::new(WINDOWS);
        world.items.write(&key().item(), "", &Secret::new(damaged.clone())).expect("written");
        let error = world.vault().read(&key()).expect_err(&damaged);
        assert_eq!(StoreError::Damaged { kept_as: None }, error, "{damaged}");
        assert!(!format!("{error} {error:?}").contains("canary"));
        write(&world.vault(), &record(2, token(40))).expect("a new login replaces it");
        world.vault().delete(&key()).expect("deleted");
    }
}

#[test]
fn a_record_comes_back_with_every_field() {
    let full = record(41, token(40));
    let mut bare = record(0, "a".into());
    bare.pinned.issuer = None;
    bare.pinned.revocation_endpoint = None;
    bare.grant = Grant {
        asked: Scopes::default(),
        granted: Scopes::default(),
        token_type: TokenType::Other("bot".into()),
        expiry: Expiry::Unknown,
        refresh_token: None,
        refreshable_until: None,
        id_token: None,
        subject: None,
        metadata: crate::oauth::GrantMetadata::default(),
        ..bare.grant
    };
    let mut odd = record(u64::MAX, "\"\\\u{0}é😀\n".into());
    odd.grant.subject = Some("\u{202e}\"".into());
    for before in [full, bare, odd] {
        let after = Record::parse(&before.serialize()).expect("parsed");
        assert_eq!(before.seal_key.expose(), after.seal_key.expose());
        assert_eq!((before.generation, &before.pinned), (after.generation, &after.pinned));
        assert_eq!((&before.grant.asked, &before.grant.granted), (&after.grant.asked, &after.grant.granted));
        assert_eq!((&before.grant.token_type, before.grant.expiry), (&after.grant.token_type, after.grant.expiry));
        assert_eq!((&before.grant.subject, before.grant.obtained_at), (&after.grant.subject, after.grant.obtained_at));
        assert!(before.grant.access_token.matches(after.grant.access_token.expose()));
        for (ours, theirs) in
            [(before.grant.refresh_token, after.grant.refresh_token), (before.grant.id_token, after.grant.id_token)]
        {
            assert_eq!(ours.as_ref().map(Secret::expose), theirs.as_ref().map(Secret::expose));
        }
    }
}

#[test]
fn a_time_before_1970_is_stored_as_1970() {
    let mut early = record(1, token(40));
    early.grant.obtained_at = UNIX_EPOCH - Duration::from_secs(60);
    early.grant.expiry = Expiry::At(UNIX_EPOCH - Duration::from_secs(60));
    let world = World::new(WINDOWS);
    write(&world.vault(), &early).expect("written");
    assert_eq!(
        UNIX_EPOCH,
        world.vault().read(&key()).expect("read").expect("record").grant.expiry.end().expect("an end")
    );
}

#[test]
fn s10_a_grant_keeps_whose_it_is() {
    let claims = Claims { iss: "https://op.example".into(), sub: "subject-7".into() };
    let tokens = |granted: Option<&str>| TokenSet {
        access_token: Secret::new(token(40)),
        token_type: TokenType::Bearer,
        expiry: Expiry::At(time(9)),
        obtained_at: time(1),
        refresh_token: None,
        refreshable_until: None,
        granted: granted.map(|text| Scopes::parse(text).expect("scopes")),
        id_token: None,
        claims: Some(claims.clone()),
        ignored_id_token: None,
        metadata: crate::oauth::GrantMetadata::default(),
    };
    let asked = Scopes::parse("openid read write").expect("scopes");
    let grant = Grant::new(tokens(Some("read")), asked.clone());
    assert_eq!((Some("subject-7"), "read"), (grant.subject.as_deref(), grant.granted.to_string().as_str()));
    assert_eq!(asked, Grant::new(tokens(None), asked.clone()).granted, "no scope in the reply means as asked");

    let world = World::new(WINDOWS);
    write(&world.vault(), &record(1, token(40))).expect("written");
    let found = world.vault().read(&key()).expect("read").expect("record");
    assert_eq!(Some("subject-7"), found.grant.subject.as_deref());
    assert_eq!(Some("https://op.example"), found.pinned.issuer.as_ref().map(Issuer::as_str));
}

#[test]
fn x02_a_grant_fits_only_the_client_endpoint_and_issuer_it_was_made_for() {
    let pinned = record(1, token(40)).pinned;
    let client = |text: &str| ClientId::parse(text).expect("id");
    let token_endpoint = |text: &str| Endpoint::parse(text).expect("endpoint");
    let issuer = |text: &str| Issuer::parse(text).expect("issuer");
    let ours = (token_endpoint("https://op.example/token"), issuer("https://op.example"));
    assert!(pinned.fits(&client("me"), Some(&ours.0), Some(&ours.1)));
    assert!(pinned.fits(&client("me"), None, Some(&ours.1)));
    assert!(pinned.fits(&client("me"), Some(&ours.0), None));
    assert!(!pinned.fits(&client("you"), Some(&ours.0), Some(&ours.1)));
    assert!(!pinned.fits(&client("me"), Some(&token_endpoint("https://op.example/token2")), Some(&ours.1)));
    assert!(!pinned.fits(&client("me"), Some(&ours.0), Some(&issuer("https://op.example/"))));
    assert!(!Pinned { issuer: None, ..pinned }.fits(&client("me"), None, Some(&ours.1)));
}

#[test]
fn the_index_says_which_grants_there_are_and_nothing_secret() {
    let world = World::new(WINDOWS);
    for (account, generation) in [("zoe", 1), ("ann", 2)] {
        world.vault().write(&key_of(account), &record(generation, token(40)), nonce(generation)).expect("written");
    }
    let entries = entries(&world).expect("entries");
    assert_eq!(["ann", "zoe"], *entries.iter().map(|e| e.account.as_str()).collect::<Vec<_>>());
    let ann = &entries[0];
    assert_eq!(
        ("work", "all", "memory", ""),
        (ann.integration.as_str(), ann.action.as_str(), ann.store.as_str(), ann.store_identity.as_str())
    );
    assert_eq!(
        (Some("https://op.example"), Some("subject-7"), 1_800_000_000),
        (ann.iss.as_deref(), ann.sub.as_deref(), ann.obtained_at)
    );
    for (name, content) in contents(&world) {
        let text = String::from_utf8(content).expect("text");
        assert!(!text.contains("canary") && !text.contains("BwcH"), "{name}: {text}");
    }
}

#[test]
fn a_damaged_index_entry_hides_no_other() {
    let world = World::new(WINDOWS);
    write(&world.vault(), &record(1, token(40))).expect("written");
    for (name, content) in [("a.index", ""), ("b.index", "{}"), ("c.index", "canary"), ("d.other", "{}")] {
        world.files.replace(name, content.as_bytes()).expect("replaced");
    }
    assert_eq!(1, entries(&world).expect("entries").len());
}

#[test]
fn o03_nothing_that_is_stored_prints_a_secret() {
    let world = World::new(WINDOWS);
    write(&world.vault(), &record(1, token(40))).expect("written");
    let found = world.vault().read(&key()).expect("read").expect("record");
    let shown = format!("{found:?} {:?} {:?}", found.serialize(), key());
    assert!(!shown.contains("canary") && !shown.contains("BwcH") && !shown.contains("[7, 7"), "{shown}");
    let label = key().label();
    assert_eq!("loopin: work (default, all)", label);
}

#[test]
fn d10_what_is_kept_beside_the_tokens_is_stored_and_a_record_from_before_has_none() {
    let metadata: crate::oauth::GrantMetadata =
        serde_json::from_str(r#"{"values":{"realmId":"9130","hub_id":7},"account":"realmId"}"#).expect("metadata");
    let record = || record(1, "canary-access".into());
    let mut with = record();
    with.grant.metadata = metadata.clone();
    assert_eq!(metadata, Record::parse(&with.serialize()).expect("a record").grant.metadata);
    let before = record().serialize();
    assert!(!before.expose().contains("metadata"), "without any it is written as before");
    assert!(Record::parse(&before).expect("a record").grant.metadata.is_empty());
    let mut damaged: serde_json::Value = serde_json::from_str(before.expose()).expect("JSON");
    damaged["metadata"] = "{".into();
    assert!(matches!(Record::parse(&Secret::new(damaged.to_string())), Err(RecordError::Damaged)));
}

//! The store end to end: no keychain, and everything that can happen to the files of the file store. S02-S20.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use crate::harness::{
    Finished, Login, Mounts, PATIENCE, Provider, RawServer, Sandbox, TOKENS, http, send, write_private,
};

const NOBODY: u32 = 65534;

fn root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// A server whose access tokens are `token-1`, `token-2` and so on.
fn counting() -> RawServer {
    let count = AtomicU64::new(0);
    RawServer::new(move |_, stream| {
        let number = count.fetch_add(1, Ordering::Relaxed) + 1;
        send(stream, 200, "", json!({ "access_token": format!("token-{number}") }).to_string().as_bytes());
    })
}

/// Signed in once, with `token-1` in the store.
fn signed_in() -> (Sandbox, RawServer) {
    let server = counting();
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    assert_eq!("token-1\n", sandbox.run(&["token"]).stdout);
    (sandbox, server)
}

/// `{key}` must not be there: the default store is the keychain.
fn with_keychain(server: &RawServer) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.configure(
        &server.integration().lines().filter(|l| !l.starts_with("store")).map(|l| format!("{l}\n")).collect::<String>(),
    );
    sandbox
}

#[test]
fn s02_without_a_keychain_the_choices_are_named_and_nothing_is_stored() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = with_keychain(&server);
    let nowhere = format!("unix:path={}", sandbox.path("no-bus").display());
    for bus in [None, Some(nowhere.as_str())] {
        for verb in [
            ["login", "work", "--timeout", "1s"].as_slice(),
            &["token", "work"],
            &["logout", "work"],
            &["login", "work", "--timeout", "1s", "--json"],
        ] {
            let mut command = sandbox.loopin(verb);
            if let Some(address) = bus {
                command.env("DBUS_SESSION_BUS_ADDRESS", address);
            }
            let finished = Finished::new(command.output().expect("runs"));
            finished.assert_code(8).assert_says("no keychain here").assert_says("--store file");
            assert!(!finished.said().contains("To sign in"), "a person is not bothered: {finished:?}");
        }
    }
    assert_eq!(Vec::<String>::new(), sandbox.stored());
    assert_eq!(0, server.requests().len());
}

#[test]
fn s02_a_bus_that_is_not_a_socket_of_this_machine_is_not_trusted_with_secrets() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = with_keychain(&server);
    for address in ["tcp:host=127.0.0.1,port=1", "unixexec:path=/bin/true", "unix:path=/x;tcp:host=192.0.2.1,port=1"] {
        let output = sandbox.loopin(&["token", "work"]).env("DBUS_SESSION_BUS_ADDRESS", address).output();
        Finished::new(output.expect("runs"))
            .assert_code(8)
            .assert_says("the session bus is not a socket of this machine");
    }
}

#[test]
fn s03_a_bus_that_accepts_and_says_nothing_is_given_up() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = with_keychain(&server);
    let path = sandbox.path("silent-bus");
    let _silent = std::os::unix::net::UnixListener::bind(&path).expect("socket");
    let mut command = sandbox.loopin(&["token", "work"]);
    command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", path.display()));
    let finished = Finished::new(command.output().expect("runs"));
    finished.assert_code(8).assert_says("the keychain did not answer within").assert_says("--store file");
}

#[test]
fn s20_a_keychain_that_fails_never_becomes_a_file() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = with_keychain(&server);
    sandbox.run(&["login", "work", "--timeout", "1s"]).assert_code(8);
    assert!(!sandbox.files().iter().any(|(path, _)| path.extension().is_some_and(|e| e == "item")));

    // Nor does a grant in files stand in for one in the keychain.
    sandbox.configure(&server.integration());
    sandbox.log_in(&[]).assert_code(0);
    let before = sandbox.files();
    sandbox.run(&["token", "work", "--store", "keychain"]).assert_code(8);
    sandbox.run(&["login", "work", "--timeout", "1s", "--store", "keychain"]).assert_code(8);
    sandbox.run(&["status", "work", "--store", "keychain"]).assert_code(8).assert_says("in another store");
    assert_eq!(before, sandbox.files());
    sandbox.run(&["token", "work", "--store", "file"]).assert_code(0);
}

#[test]
fn s08_no_account_name_becomes_part_of_a_path() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    for account in ["../../escape", "/etc/passwd", "a/b", "%2e%2e%2f", "*", "-rf", "~", "C:\\x", "é ß", "'; touch x"]
    {
        let option = format!("--account={account}");
        sandbox.log_in(&[&option]).assert_code(0);
        sandbox.run(&["token", "work", &option]).assert_code(0);
    }
    assert_eq!(20, sandbox.stored().len(), "an item and an index entry each");
    for (path, _) in sandbox.files() {
        let name = path.file_name().expect("name").to_string_lossy().into_owned();
        let ours = ["config.toml", "store.key"].contains(&name.as_str());
        let hash = name.split('.').next().is_some_and(|h| h.len() == 64 && h.bytes().all(|b| b.is_ascii_hexdigit()));
        assert!(ours || hash && path.parent() == Some(&sandbox.state()), "{}", path.display());
    }
}

#[test]
fn s09_accounts_and_actions_are_separate_items() {
    let server = counting();
    let sandbox = Sandbox::new();
    sandbox.configure(&(server.integration() + "[integration.work.actions]\na = [\"x\"]\nb = [\"x\"]\n"));
    let grants: [&[&str]; 5] =
        [&[], &["--account", "anna"], &["--action", "a"], &["--action", "b"], &["--account", "anna", "--action", "a"]];
    for grant in grants {
        sandbox.log_in(grant).assert_code(0);
    }
    let tokens: BTreeSet<_> = grants
        .iter()
        .map(|grant| sandbox.run(&[&["token", "work"], *grant].concat()).assert_code(0).stdout.clone())
        .collect();
    assert_eq!(grants.len(), tokens.len());
}

/// Not signed by anybody: it came straight from the token endpoint.
fn id_token(subject: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("now").as_secs();
    let claims = json!({ "iss": "https://op.example", "sub": subject, "aud": "me", "exp": now + 600, "iat": now });
    let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}.c2ln", part(json!({ "alg": "RS256" })), part(claims))
}

#[test]
fn s10_another_person_than_the_stored_one_is_told_or_with_an_account_refused() {
    let subject = Arc::new(Mutex::new("1"));
    let current = Arc::clone(&subject);
    let server = RawServer::new(move |_, stream| {
        let subject = *current.lock().expect("subject");
        let reply = json!({ "access_token": format!("token-of-{subject}"), "id_token": id_token(subject) });
        send(stream, 200, "", reply.to_string().as_bytes());
    });
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    sandbox.log_in(&["--account", "anna"]).assert_code(0);
    *subject.lock().expect("subject") = "2";

    let refused = sandbox.log_in(&["--account", "anna"]);
    refused.assert_code(9).assert_says("another person signed in").assert_says("the stored grant was kept");
    assert_eq!("token-of-1\n", sandbox.run(&["token", "work", "--account", "anna"]).stdout);

    sandbox.log_in(&[]).assert_code(0).assert_says("another person (sub) than before");
    assert_eq!("token-of-2\n", sandbox.run(&["token", "work"]).stdout);
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("metadata").mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
}

#[test]
fn s11_files_are_made_for_their_owner_alone_whatever_the_umask() {
    let server = RawServer::json(200, TOKENS);
    for umask in ["000", "022", "077"] {
        let sandbox = Sandbox::at(&server);
        let login = Login::start(sandbox.shell(&format!("umask {umask}; exec \"$@\""), &["login", "work"]));
        login.answer("a-code");
        login.finished().assert_code(0);
        assert_eq!(0o700, mode(&sandbox.state()), "umask {umask}");
        let names = fs::read_dir(sandbox.state()).expect("state").flatten();
        let modes: Vec<_> = names.map(|entry| mode(&entry.path())).collect();
        assert_eq!(vec![0o600; 3], modes, "item, index and lock; umask {umask}");
    }
}

#[test]
fn s11_a_file_that_others_may_use_is_refused_with_the_command_that_repairs_it() {
    let (sandbox, _server) = signed_in();
    let secret = sandbox.path("secret");
    write_private(&secret, b"canary-secret");
    let text = fs::read_to_string(sandbox.config()).expect("configuration");
    sandbox.configure(&format!("{text}client_secret = {{ file = \"{}\" }}\n", secret.display()));
    let places: [(PathBuf, &[&str]); 6] = [
        (sandbox.stored_file(".item"), &["token", "work"]),
        (sandbox.path("store.key"), &["token", "work"]),
        (sandbox.state(), &["token", "work"]),
        (secret, &["login", "work"]),
        (
            fs::read_dir(sandbox.state())
                .expect("state")
                .flatten()
                .map(|e| e.path())
                .find(|p| p.extension().is_some_and(|e| e == "lock"))
                .expect("lock"),
            &["logout", "work"],
        ),
        (
            sandbox.state().join(sandbox.stored().into_iter().find(|n| !n.ends_with(".item")).expect("index")),
            &["status", "work"],
        ),
    ];
    for (path, verb) in places {
        let right = mode(&path);
        for bit in [0o001, 0o002, 0o004, 0o010, 0o020, 0o040, 0o077] {
            set_mode(&path, right | bit);
            let refused = sandbox.run(verb);
            refused.assert_code(8).assert_says("can be read or changed by others");
            refused
                .assert_says(&format!("(mode {:o})", right | bit))
                .assert_says(&format!("chmod go-rwx '{}'", path.display()));
            assert!(!refused.said().contains("canary-secret") && !refused.said().contains("token-1"), "{refused:?}");
        }
        set_mode(&path, right);
    }
    sandbox.run(&["token", "work"]).assert_code(0);
}

/// Only root can give a file away.
#[test]
fn s11_a_file_of_somebody_else_is_refused_and_ours_cannot_be_read_by_anybody_else() {
    if !root() {
        return;
    }
    let (sandbox, _server) = signed_in();
    let places = [
        (sandbox.stored_file(".item"), ["token", "work"]),
        (sandbox.path("store.key"), ["token", "work"]),
        (sandbox.state(), ["token", "work"]),
    ];
    for (path, verb) in &places {
        chown(path, Some(NOBODY), None).expect("chown");
        sandbox.run(verb).assert_code(8).assert_says("belongs to somebody else");
        chown(path, Some(0), None).expect("chown");
    }
    sandbox.run(&["token", "work"]).assert_code(0);

    for (path, _) in &places[..2] {
        let mut other = Command::new("setpriv");
        other.args(["--reuid=65534", "--regid=65534", "--clear-groups", "cat"]).arg(path);
        let output = other.output().expect("setpriv");
        assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    }
}

/// Puts something else where `path` was; gives the file that must stay as it is.
type Trap = fn(&Path, &Path);

const TRAPS: [(&str, Trap); 5] = [
    ("is a symbolic link", |path, victim| symlink(victim, path).expect("link")),
    ("is a symbolic link", |path, victim| symlink(victim.with_extension("missing"), path).expect("dangling link")),
    ("has a second name", |path, victim| fs::hard_link(victim, path).expect("hard link")),
    ("is not what it should be", |path, _| {
        nix_mkfifo(path);
    }),
    ("is not what it should be", |path, _| fs::create_dir(path).expect("directory")),
];

fn nix_mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").args(["-m", "600"]).arg(path).status().expect("mkfifo").success());
}

#[test]
fn s12_what_lies_in_the_place_of_an_item_is_neither_read_nor_written_through() {
    for (words, trap) in TRAPS {
        let (sandbox, server) = signed_in();
        let item = sandbox.stored_file(".item");
        let victim = sandbox.path("victim");
        // A whole item, so that only the way there is wrong.
        fs::rename(&item, &victim).expect("moved");
        let content = fs::read(&victim).expect("item");
        trap(&item, &victim);
        for verb in ["token", "login", "logout"] {
            let refused = sandbox.run(&[verb, "work"]);
            refused.assert_code(8).assert_says(words).assert_says(&format!("ls -la '{}'", item.display()));
        }
        sandbox.run(&["status", "work"]).assert_code(8).assert_says(words);
        assert_eq!(content, fs::read(&victim).expect("victim"));
        assert!(!victim.with_extension("missing").exists(), "nothing is made through a dangling link");
        assert_eq!(1, server.requests().len(), "nobody was sent to the provider again");
    }
}

#[test]
fn s12_what_lies_in_the_place_of_the_key_or_of_a_client_secret_is_not_read() {
    for (words, trap) in TRAPS {
        let (sandbox, _server) = signed_in();
        let (key, victim) = (sandbox.path("store.key"), sandbox.path("victim"));
        fs::rename(&key, &victim).expect("moved");
        trap(&key, &victim);
        sandbox.run(&["token", "work"]).assert_code(8).assert_says(words);
    }
}

#[test]
fn s12_a_trap_that_is_set_while_a_person_signs_in_is_not_written_through() {
    for (words, trap) in TRAPS {
        let (sandbox, _server) = signed_in();
        let login = sandbox.login(&[]);
        let (item, victim) = (sandbox.stored_file(".item"), sandbox.path("victim"));
        fs::remove_file(&item).expect("removed");
        write_private(&victim, b"somebody's own");
        trap(&item, &victim);
        login.answer("a-code");
        login.finished().assert_code(8).assert_says(words);
        assert_eq!(b"somebody's own".to_vec(), fs::read(&victim).expect("victim"));
        assert!(!victim.with_extension("missing").exists());
    }
}

#[test]
fn s12_a_lock_or_an_index_entry_that_is_a_link_is_refused() {
    let (sandbox, _server) = signed_in();
    let names = fs::read_dir(sandbox.state()).expect("state").flatten().map(|e| e.path());
    for path in names.filter(|path| path.extension().is_some_and(|e| e != "item")).collect::<Vec<_>>() {
        let victim = sandbox.path("victim");
        fs::rename(&path, &victim).expect("moved");
        let content = fs::read(&victim).expect("content");
        symlink(&victim, &path).expect("link");
        sandbox.log_in(&[]).assert_code(8).assert_says("is a symbolic link");
        assert_eq!(content, fs::read(&victim).expect("victim"));
        fs::rename(&victim, &path).expect("moved back");
    }
    sandbox.log_in(&[]).assert_code(0);
}

#[test]
fn s12_a_state_directory_that_is_no_directory_is_refused() {
    let server = RawServer::json(200, TOKENS);
    for trap in [TRAPS[3].1, |path: &Path, _: &Path| write_private(path, b"")] {
        let sandbox = Sandbox::at(&server);
        trap(&sandbox.state(), Path::new(""));
        sandbox.run(&["token", "work"]).assert_code(8).assert_says("is not what it should be");
    }
}

/// Waits for the event, or for the program's end.
fn until(child: &mut Child, mut event: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !event() && child.try_wait().expect("child").is_none() {
        assert!(Instant::now() < deadline, "neither the event nor the end came");
    }
}

#[test]
fn s13_killed_at_any_instant_of_a_write_the_store_holds_the_old_token_or_the_new_one() {
    const ROUNDS: u32 = 60;
    let (sandbox, server) = signed_in();
    let item = sandbox.stored_file(".item");
    let mut last = "token-1\n".to_owned();
    let mut kept = BTreeSet::new();
    for round in 0..ROUNDS {
        let mut login = sandbox.login(&[]);
        let (address, before) = (login.address(), fs::read(&item).expect("item"));
        let (asked, names) = (server.requests().len(), sandbox.stored().len());
        let request = format!("GET /callback?code=x&state={} HTTP/1.1\r\nHost: {address}\r\n\r\n", login.state());
        let browser = thread::spawn(move || http(address, &request));
        until(&mut login.child, || match round % 3 {
            0 => server.requests().len() > asked,
            1 => sandbox.stored().len() > names,
            _ => fs::read(&item).expect("never without an item") != before,
        });
        // Then a little later each time, to pass over all the steps of a write.
        let instant = Instant::now() + Duration::from_micros(u64::from(round) * 40);
        while Instant::now() < instant {}
        login.child.kill().expect("killed");
        login.child.wait().expect("ended");
        browser.join().expect("browser");

        let new = format!("token-{}\n", round + 2);
        let token = sandbox.run(&["token", "work"]);
        token.assert_code(0);
        assert!(token.stdout == last || token.stdout == new, "{token:?}, not {last:?} nor {new:?}");
        kept.insert(token.stdout == new);
        last = token.stdout;
        sandbox.run(&["status", "work"]).assert_code(0);
    }
    assert!(kept.contains(&true), "some were killed late enough to keep the new token");
    sandbox.log_in(&[]).assert_code(0);
}

#[test]
fn s13_a_damaged_file_is_told_and_kept_and_a_login_repairs_it() {
    let (whole, _server) = signed_in();
    let content = fs::read(whole.stored_file(".item")).expect("item");
    let mut damaged: Vec<Vec<u8>> =
        vec![Vec::new(), b"loopin-items-1".to_vec(), b"{}".to_vec(), vec![0; 4096], [&content[..], b"x"].concat()];
    damaged.extend((1..8).map(|eighth| content[..content.len() * eighth / 8].to_vec()));
    damaged.extend([0, 14, 15, 40, content.len() - 1].map(|at| {
        let mut altered = content.clone();
        altered[at] ^= 0x40;
        altered
    }));
    for (at, damage) in damaged.into_iter().enumerate() {
        let (sandbox, _server) = signed_in();
        let item = sandbox.stored_file(".item");
        write_private(&item, &damage);
        let aside = item.with_extension("item.damaged");
        let told = sandbox.run(&["token", "work"]);
        told.assert_code(8)
            .assert_says("the stored grant is damaged")
            .assert_says(&format!("kept as {}", aside.display()));
        told.assert_says("loopin login");
        assert_eq!(damage, fs::read(&aside).expect("kept"), "damage {at}");
        sandbox.log_in(&[]).assert_code(0);
        sandbox.run(&["token", "work"]).assert_code(0);
    }
}

#[test]
fn s13_a_damaged_file_can_be_logged_out_of_and_logged_in_over() {
    for verb in ["login", "logout"] {
        let (sandbox, _server) = signed_in();
        write_private(&sandbox.stored_file(".item"), b"loopin-items-1 torn");
        match verb {
            "login" => sandbox.log_in(&[]).assert_code(0),
            _ => sandbox.run(&["logout", "work"]).assert_code(0).assert_says("damaged"),
        };
    }
}

#[test]
fn s21_a_wrong_key_is_told_apart_from_a_damaged_file_and_destroys_nothing() {
    let (sandbox, _server) = signed_in();
    let (item, key) = (sandbox.stored_file(".item"), sandbox.path("store.key"));
    let content = fs::read(&item).expect("item");
    write_private(&key, &[8; 32]);
    for verb in ["token", "login", "logout"] {
        sandbox.run(&[verb, "work"]).assert_code(8).assert_says("the key does not open the file store");
    }
    for wrong in [vec![], vec![7; 31], vec![7; 33]] {
        write_private(&key, &wrong);
        sandbox.run(&["token", "work"]).assert_code(8).assert_says("a store key is exactly 32 bytes");
    }
    fs::remove_file(&key).expect("removed");
    sandbox.run(&["token", "work"]).assert_code(8).assert_says("no such file");
    assert_eq!(content, fs::read(&item).expect("item"));
    write_private(&key, &[7; 32]);
    sandbox.run(&["token", "work"]).assert_code(0);
}

#[test]
fn s21_an_item_moved_to_another_name_is_not_opened() {
    let server = counting();
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&["--account", "anna"]).assert_code(0);
    let of_anna = sandbox.stored_file(".item");
    sandbox.log_in(&["--account", "bert"]).assert_code(0);
    let items = sandbox.stored().into_iter().filter(|n| n.ends_with(".item")).map(|n| sandbox.state().join(n));
    let of_bert = items.into_iter().find(|path| *path != of_anna).expect("bert's");
    fs::copy(&of_anna, &of_bert).expect("copied");
    let swapped = sandbox.run(&["token", "work", "--account", "bert"]);
    swapped.assert_code(8);
    assert_eq!("", swapped.stdout);
}

#[test]
fn s21_a_passphrase_is_asked_on_a_terminal_only() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::new();
    sandbox.configure(
        &server
            .integration()
            .lines()
            .filter(|l| !l.starts_with("store_key"))
            .map(|l| format!("{l}\n"))
            .collect::<String>(),
    );
    sandbox.log_in(&[]).assert_code(8).assert_says("there is no terminal to ask on").assert_says("store_key");
    assert_eq!(Vec::<String>::new(), sandbox.stored());
}

#[test]
fn s14_when_nothing_can_be_written_the_path_is_told_and_the_old_token_stays() {
    let (sandbox, _server) = signed_in();
    let before = sandbox.stored();
    // Every write to a file fails as on a full disk; the signal that usually comes with it is ignored.
    let login = Login::start(sandbox.shell("trap '' XFSZ; ulimit -f 0; exec \"$@\"", &["login", "work"]));
    let page = login.answer("a-code");
    assert!(page.body.contains("You are not signed in"), "{page:?}");
    login.finished().assert_code(8).assert_says(sandbox.state().to_str().expect("path")).assert_says("file too large");
    assert_eq!(before, sandbox.stored(), "no temporary file is left");
    assert_eq!("token-1\n", sandbox.run(&["token", "work"]).stdout);
}

#[test]
fn s14_a_directory_that_cannot_be_written_is_told() {
    if root() {
        // Root writes everywhere; the next test mounts a read-only place for it.
        return;
    }
    let (sandbox, _server) = signed_in();
    set_mode(&sandbox.state(), 0o500);
    sandbox.log_in(&[]).assert_code(8).assert_says("permission denied");
    sandbox.run(&["token", "work"]).assert_code(0);
    set_mode(&sandbox.state(), 0o700);
}

#[test]
fn s14_on_a_full_or_read_only_file_system_the_old_token_stays() {
    for (spoil, words) in [
        ("head -c 1000000 /dev/zero >\"$LOOPIN_STATE_DIR/filler\"", "no storage space"),
        ("mount -o remount,ro \"$LOOPIN_STATE_DIR\"", "read-only file system"),
    ] {
        let server = counting();
        let sandbox = Sandbox::at(&server);
        fs::create_dir(sandbox.state()).expect("state");
        let state = sandbox.state();
        let mount = format!("mount -t tmpfs -o size=64k,mode=700 tmpfs '{}'", state.display());
        let Some(mounts) = Mounts::with(&mount) else { return };
        let log_in = || Login::whole(mounts.loopin(&sandbox, &["login", "work"]));
        log_in().assert_code(0);
        let _ = mounts.shell(&sandbox, spoil, &[]).output().expect("spoilt");
        log_in().assert_code(8).assert_says(words).assert_says(state.to_str().expect("path"));
        let token = Finished::new(mounts.loopin(&sandbox, &["token", "work"]).output().expect("runs"));
        assert_eq!("token-1\n", token.assert_code(0).stdout);
    }
}

/// What the kernel shows of every process of this sandbox: arguments and environment.
fn processes(sandbox: &Path) -> Vec<String> {
    let read = |path: PathBuf| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    let entries = fs::read_dir("/proc").expect("/proc").flatten().map(|entry| entry.path());
    let shown = entries.map(|path| format!("{}\n{}", read(path.join("cmdline")), read(path.join("environ"))));
    let place = sandbox.to_string_lossy().into_owned();
    shown.filter(|text| text.contains(&place)).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn s18_no_secret_stands_in_the_arguments_or_the_environment_of_any_process() {
    let (secret, code, refresh) = ("canary-client-secret", "canary-code", "canary-refresh");
    let sandbox = Sandbox::new();
    let (place, seen) = (sandbox.path(""), Arc::new(Mutex::new(Vec::new())));
    let (sampled, root) = (Arc::clone(&seen), place.clone());
    // While the code is being exchanged every secret is in memory: the moment to look.
    let server = RawServer::new(move |_, stream| {
        sampled.lock().expect("samples").extend(processes(&root));
        send(
            stream,
            200,
            "",
            json!({ "access_token": "canary-access", "refresh_token": refresh }).to_string().as_bytes(),
        );
    });
    write_private(&sandbox.path("secret"), secret.as_bytes());
    let file = format!("client_secret = {{ file = \"{}\" }}\n", sandbox.path("secret").display());
    sandbox.configure(&(server.integration() + &file));
    let dump = sandbox.path("dump");
    let browser = fake_browser(&sandbox, &dump);
    let login = sandbox.login(&["--browser", &browser]);
    wait_for(&dump);
    login.answer(code);
    login.finished().assert_code(0);
    sandbox.run(&["token", "work"]).assert_code(0);
    sandbox.run(&["logout", "work"]).assert_code(0);

    let samples = seen.lock().expect("samples").clone();
    assert!(samples.iter().any(|text| text.contains("login\0work")), "the login was seen: {samples:?}");
    assert_eq!(3, server.requests().len());
    let shown = samples.join("\n") + &fs::read_to_string(&dump).expect("dump");
    for canary in [secret, code, refresh, "canary-access"] {
        assert!(!shown.contains(canary), "{canary} in {shown}");
    }
}

/// Writes what it and its parent show of themselves.
fn fake_browser(sandbox: &Sandbox, dump: &Path) -> String {
    let script = sandbox.path("browser.sh");
    let line = "tr '\\0' '\\n' </proc/$PPID/cmdline; tr '\\0' '\\n' </proc/$PPID/environ; echo --child--; tr '\\0' '\\n' </proc/$$/cmdline; env";
    let part = dump.with_extension("part");
    let text =
        format!("#!/bin/sh\n{{ {line}; }} >'{}' && mv '{}' '{}'\n", part.display(), part.display(), dump.display());
    fs::write(&script, text).expect("script");
    set_mode(&script, 0o700);
    script.to_string_lossy().into_owned()
}

fn wait_for(path: &Path) {
    let deadline = Instant::now() + PATIENCE;
    while !path.exists() {
        assert!(Instant::now() < deadline, "{} never came", path.display());
        thread::yield_now();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn s18_the_browser_inherits_neither_the_secret_variable_nor_ours() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::new();
    sandbox.configure(&(server.integration() + "client_secret = { env = \"WORK_SECRET\" }\n"));
    let dump = sandbox.path("dump");
    let browser = fake_browser(&sandbox, &dump);
    let mut command = sandbox.loopin(&["login", "work"]);
    command.env("WORK_SECRET", "canary-client-secret").env("LOOPIN_BROWSER", browser).env("MINE", "stays");
    let login = Login::start(command);
    wait_for(&dump);
    let dump = fs::read_to_string(&dump).expect("dump");
    let (_, child) = dump.split_once("--child--").expect("two parts");
    assert!(child.contains("MINE=stays") && child.contains(&login.url), "{child}");
    for word in ["canary-client-secret", "WORK_SECRET", "LOOPIN_"] {
        assert!(!child.contains(word), "{word} in {child}");
    }
    login.answer("a-code");
    login.finished().assert_code(0);
}

#[test]
fn a_login_of_the_practice_provider_leaves_nothing_readable_in_files() {
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    let token = sandbox.run(&["token", "work"]).stdout;
    for (path, content) in sandbox.files() {
        let text = String::from_utf8_lossy(&content);
        assert!(!text.contains(token.trim()) && !text.contains("refresh."), "{}", path.display());
    }
}

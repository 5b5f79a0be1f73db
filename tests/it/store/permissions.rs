//! Who may read and write the files. S11.

use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
    process::Command,
};

use super::{root, set_mode, signed_in};
use crate::harness::{Login, RawServer, Sandbox, TOKENS, write_private};

const NOBODY: u32 = 65534;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("metadata").mode() & 0o7777
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
            let may_be_shared = root() && !path.starts_with(sandbox.state());
            if may_be_shared && bit == 0o040 {
                // Root shares a secret with the group of a service: a login gets as far as its URL.
                let ended = Login::try_start(sandbox.loopin(verb)).err();
                assert!(ended.is_none_or(|ended| ended.code == Some(0)), "{}", path.display());
                continue;
            }
            let chmod = if may_be_shared { "g-wx,o-rwx" } else { "go-rwx" };
            let refused = sandbox.run(verb);
            refused.assert_code(8).assert_says("can be read or changed by others");
            refused
                .assert_says(&format!("(mode {:o})", right | bit))
                .assert_says(&format!("chmod {chmod} '{}'", path.display()));
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
        sandbox.run(verb).assert_code(8).assert_says("belongs to another user");
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

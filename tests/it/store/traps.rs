//! Links, pipes and directories in the place of a file. S12.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use super::signed_in;
use crate::harness::{RawServer, Sandbox, TOKENS, write_private};

/// Puts something else where `path` was; gives the file that must stay as it is.
type Trap = fn(&Path, &Path);

const TRAPS: [(&str, Trap); 5] = [
    ("is a symbolic link", |path, victim| symlink(victim, path).expect("link")),
    ("is a symbolic link", |path, victim| symlink(victim.with_extension("missing"), path).expect("dangling link")),
    ("has a second name", |path, victim| fs::hard_link(victim, path).expect("hard link")),
    ("is not what it should be", |path, _| pipe(path)),
    ("is not what it should be", |path, _| fs::create_dir(path).expect("directory")),
];

fn pipe(path: &Path) {
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
    // A link is followed: what lies at its end decides.
    let nowhere: (&str, Trap) = ("no such file", TRAPS[1].1);
    for (words, trap) in TRAPS[2..].iter().chain([&nowhere]) {
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

//! The key of the file store, and what is sealed with it. S21.

use std::fs;

use super::{counting, signed_in};
use crate::harness::{Provider, RawServer, Sandbox, TOKENS, write_private};

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
    sandbox
        .log_in(&[])
        .assert_code(8)
        .assert_says("there is no terminal")
        .assert_says("loopin integration set work --store file");
    assert_eq!(Vec::<String>::new(), sandbox.stored());
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

//! Against gnome-keyring in every state, and against a Secret Service with faults.
//!
//! Where nothing can be kept, nothing is left: no item, and no file but empty locks (S20).

use crate::harness::{Browser, Finished, IN_FILES, Keyring, Provider, Sandbox};

const LOOPIN: [&str; 2] = ["service", "loopin"];

const ABSENT: &str = "no keychain here";
const FAITHLESS: &str = "the keychain did not keep the secret";
const LOCKED: &str = "the keychain is locked";
const REFUSED: &str = "unlocking the keychain was refused";
const SILENT: &str = "the keychain did not answer within";

/// A sandbox on this keyring's bus, with the integration `work` at this provider, kept in the keychain.
fn beside(keyring: &Keyring, provider: &Provider) -> Sandbox {
    let sandbox = Sandbox::beside(keyring);
    sandbox.configure(&provider.discovered());
    sandbox
}

fn sign_in(sandbox: &Sandbox) {
    let login = sandbox.login(Browser::person(), &[]);
    login.assert_code(0).assert_says("kept in: the keychain of this system");
    login.report();
}

/// The login ends with 8 and these words, and the page says that it failed.
#[track_caller]
fn assert_not_kept(sandbox: &Sandbox, words: &str) {
    let login = sandbox.login(Browser::person(), &[]);
    login.assert_code(8).assert_says(words);
    let page = login.report();
    assert!(page["body"].as_str().is_some_and(|body| body.contains("You are not signed in")), "{page:#}");
}

#[track_caller]
fn assert_nothing_written(sandbox: &Sandbox) {
    assert!(sandbox.written().is_empty(), "{:?}", sandbox.written());
}

/// Adds an integration with a client secret of so many bytes, which goes into the keychain.
fn add(sandbox: &Sandbox, bytes: usize) -> Finished {
    let arguments =
        ["integration", "add", "shop", "--issuer", "https://op.example", "--client-id", "me", "--secret-stdin"];
    sandbox.run_with(&arguments, &"s".repeat(bytes))
}

#[track_caller]
fn assert_not_added(sandbox: &Sandbox, words: &str) {
    add(sandbox, 40).assert_code(8).assert_says(words);
    assert!(!sandbox.configuration().contains("shop"), "an integration without its secret is of no use");
}

// ---- gnome-keyring ----

#[test]
fn the_tokens_are_in_the_keyring_and_in_no_file() {
    let (Some(provider), Some(keyring)) = (Provider::start(), Keyring::start("unlocked")) else { return };
    let sandbox = beside(&keyring, &provider);
    sign_in(&sandbox);
    let token = sandbox.run(&["token", "work"]).token().to_owned();
    assert!(provider.takes(&token));
    let found = keyring.search(&LOOPIN);
    assert!(found.contains("label = loopin: work (default, all)"), "{found}");
    assert!(found.contains(&format!("\"access_token\":\"{token}\"")), "{found}");
    for path in sandbox.written() {
        let bytes = std::fs::read(&path).expect("file");
        assert!(!bytes.windows(token.len()).any(|part| part == token.as_bytes()), "{}", path.display());
    }
    sandbox.run(&["logout", "work"]).assert_code(0);
    assert!(!keyring.search(&LOOPIN).contains("loopin: work"), "forgotten");
    assert!(!provider.takes(&token));
}

#[test]
fn each_account_is_an_item_of_its_own() {
    let (Some(provider), Some(keyring)) = (Provider::start(), Keyring::start("unlocked")) else { return };
    let sandbox = beside(&keyring, &provider);
    sign_in(&sandbox);
    sandbox.run(&["token", "work", "--account", "me@home"]).assert_code(4).assert_says("--account me@home");
    let login = sandbox.login(Browser::person(), &["--account", "me@home"]);
    login.assert_code(0);
    login.report();
    assert_ne!(
        sandbox.run(&["token", "work"]).token(),
        sandbox.run(&["token", "work", "--account", "me@home"]).token()
    );
    let found = keyring.search(&LOOPIN);
    assert_eq!(2, found.matches("label = loopin: work").count(), "{found}");
}

#[test]
fn an_item_that_was_removed_or_overwritten_by_somebody_else_is_told() {
    let (Some(provider), Some(keyring)) = (Provider::start(), Keyring::start("unlocked")) else { return };
    let sandbox = beside(&keyring, &provider);
    sign_in(&sandbox);
    let found = keyring.search(&LOOPIN);
    let name = found.split("attribute.username = ").nth(1).and_then(|rest| rest.lines().next()).expect("a name");
    let attributes = ["application", "rust-keyring", "service", "loopin", "target", "default", "username", name];
    keyring.secret_tool(&[&["store", "--label=nonsense"], &attributes[..]].concat(), "nonsense");
    sandbox
        .run(&["token", "work"])
        .assert_code(8)
        .assert_says("the stored grant is damaged")
        .assert_says("the stored grant is damaged")
        .assert_says("loopin login work");
    sign_in(&sandbox);
    sandbox.run(&["token", "work"]).assert_code(0);
    keyring.clear(&LOOPIN);
    sandbox.run(&["token", "work"]).assert_code(4).assert_says("loopin login work");
    sandbox.run(&["status", "work"]).assert_code(4).assert_says("is not there any more");
}

#[test]
fn s05_a_client_secret_of_60_000_bytes_is_kept_whole() {
    let Some(keyring) = Keyring::start("unlocked") else { return };
    let sandbox = Sandbox::beside(&keyring);
    add(&sandbox, 60_000).assert_code(0);
    assert!(keyring.search(&LOOPIN).contains(&format!("secret = {}\n", "s".repeat(60_000))));
    assert!(!sandbox.configuration().contains("ssss"));
    assert_nothing_written(&sandbox);
}

#[test]
fn s02_without_a_keychain_the_choices_are_told_and_nobody_is_sent_to_a_browser() {
    let (Some(provider), Some(keyring)) = (Provider::start(), Keyring::start("absent")) else { return };
    let sandbox = beside(&keyring, &provider);
    sandbox.login_without_a_person().assert_code(8).assert_says(ABSENT).assert_says("--store file");
    sandbox.run(&["token", "work"]).assert_code(8).assert_says(ABSENT);
    assert_not_added(&sandbox, ABSENT);
    assert_nothing_written(&sandbox);
    assert_eq!(0, provider.discoveries(), "nothing was asked for");
}

#[test]
fn s02_without_a_session_bus_it_is_the_same() {
    let Some(provider) = Provider::start() else { return };
    for bus in ["", "unix:path=/nonexistent/bus"] {
        let sandbox = Sandbox::new().with("DBUS_SESSION_BUS_ADDRESS", bus);
        sandbox.configure(&provider.discovered());
        sandbox.login_without_a_person().assert_code(8).assert_says(ABSENT).assert_says("--store file");
        sandbox.run(&["token", "work"]).assert_code(8).assert_says(ABSENT);
        assert_nothing_written(&sandbox);
    }
}

#[test]
fn s20_the_store_that_was_asked_for_is_the_only_one_that_is_used() {
    let (Some(provider), Some(keyring)) = (Provider::start(), Keyring::start("absent")) else { return };
    let sandbox = Sandbox::beside(&keyring);
    sandbox.configure(&format!("{}{IN_FILES}", provider.discovered()));
    let login = sandbox.login(Browser::person(), &[]);
    login.assert_code(0).assert_says("kept in: encrypted files");
    login.report();
    let (token, before) = (sandbox.run(&["token", "work"]).token().to_owned(), sandbox.written());
    sandbox
        .run(&["token", "work", "--store", "keychain"])
        .assert_code(8)
        .assert_says(ABSENT)
        .assert_keeps_quiet_about(&token);
    assert_eq!(before, sandbox.written());
}

#[test]
fn s03_a_locked_keyring_is_told_and_keeps_nothing() {
    let (Some(provider), Some(keyring)) = (Provider::start(), Keyring::start("locked")) else { return };
    let sandbox = beside(&keyring, &provider);
    sandbox.login_without_a_person().assert_code(8).assert_says(LOCKED);
    assert_not_added(&sandbox, LOCKED);
    assert_nothing_written(&sandbox);
}

#[test]
fn s03_a_keyring_that_is_locked_after_the_login_keeps_the_tokens_to_itself() {
    let (Some(provider), Some(keyring)) = (Provider::start(), Keyring::start("unlocked")) else { return };
    let sandbox = beside(&keyring, &provider);
    sign_in(&sandbox);
    let (token, before) = (sandbox.run(&["token", "work"]).token().to_owned(), sandbox.written());
    keyring.lock();
    sandbox.run(&["token", "work"]).assert_code(8).assert_says(LOCKED).assert_keeps_quiet_about(&token);
    sandbox.run(&["status", "work"]).assert_code(8).assert_says(LOCKED);
    sandbox.run(&["logout", "work"]).assert_code(8).assert_says(LOCKED);
    sandbox.login_without_a_person().assert_code(8).assert_says(LOCKED);
    assert_eq!(before, sandbox.written());
    assert!(provider.takes(&token), "nothing was revoked that could not be forgotten");
}

#[test]
fn s03_a_keyring_that_stopped_answering_is_told_within_the_deadline() {
    let (Some(provider), Some(keyring)) = (Provider::start(), Keyring::start("stopped")) else { return };
    let sandbox = beside(&keyring, &provider);
    sandbox.login_without_a_person().assert_code(8).assert_says(SILENT).assert_says("--store file");
    assert_nothing_written(&sandbox);
}

#[test]
fn s20_a_keyring_that_stops_after_the_login_is_told_by_token_and_no_file_takes_its_place() {
    let (Some(provider), Some(keyring)) = (Provider::start(), Keyring::start("unlocked")) else { return };
    let sandbox = beside(&keyring, &provider);
    sign_in(&sandbox);
    let before = sandbox.written();
    keyring.stop();
    let token = sandbox.run(&["token", "work"]);
    token.assert_code(8).assert_says(SILENT);
    assert_eq!("", token.stdout);
    assert_eq!(before, sandbox.written());
}

// ---- A Secret Service with faults ----

#[test]
fn a_secret_service_without_faults_is_as_good_as_gnome_keyring() {
    let (Some(provider), Some(keyring)) = (Provider::start(), Keyring::start("fake:none")) else { return };
    let sandbox = beside(&keyring, &provider);
    sign_in(&sandbox);
    assert!(provider.takes(sandbox.run(&["token", "work"]).token()));
    sandbox.run(&["logout", "work"]).assert_code(0);
    sandbox.run(&["token", "work"]).assert_code(4);
}

#[test]
fn s01_a_keychain_that_keeps_nothing_or_something_else_is_found_out() {
    for fault in ["fake:lies", "fake:alters"] {
        let (Some(provider), Some(keyring)) = (Provider::start(), Keyring::start(fault)) else { return };
        let sandbox = beside(&keyring, &provider);
        sandbox.login_without_a_person().assert_code(8).assert_says(FAITHLESS);
        assert_not_added(&sandbox, FAITHLESS);
        sandbox.run(&["token", "work"]).assert_code(4).assert_says("nobody is logged in");
        assert_nothing_written(&sandbox);
    }
}

#[test]
fn s01_a_keychain_that_keeps_the_old_secret_is_found_out_and_the_old_grant_stays() {
    let (Some(provider), Some(keyring)) = (Provider::start(), Keyring::start("fake:keeps-old")) else { return };
    let sandbox = beside(&keyring, &provider);
    sign_in(&sandbox);
    let token = sandbox.run(&["token", "work"]).token().to_owned();
    assert_not_kept(&sandbox, FAITHLESS);
    assert_eq!(token, sandbox.run(&["token", "work"]).token());
}

#[test]
fn s03_a_keychain_that_never_replies_is_told_before_anybody_is_sent_to_a_browser() {
    let (Some(provider), Some(keyring)) = (Provider::start(), Keyring::start("fake:hangs")) else { return };
    let sandbox = beside(&keyring, &provider);
    sandbox.login_without_a_person().assert_code(8).assert_says(SILENT);
    assert_nothing_written(&sandbox);
}

#[test]
fn s03_a_keychain_that_hangs_while_writing_is_told_before_anybody_is_sent_to_a_browser() {
    let (Some(provider), Some(keyring)) = (Provider::start(), Keyring::start("fake:hangs-on-write")) else { return };
    let sandbox = beside(&keyring, &provider);
    sandbox.login_without_a_person().assert_code(8).assert_says(SILENT);
    sandbox.run(&["token", "work"]).assert_code(4);
    assert_nothing_written(&sandbox);
}

#[test]
fn s03_a_prompt_that_never_comes_to_an_end_is_not_waited_for_without_a_display() {
    let (Some(provider), Some(keyring)) = (Provider::start(), Keyring::start("fake:prompts-for-ever")) else { return };
    let sandbox = beside(&keyring, &provider);
    sandbox.login_without_a_person().assert_code(8).assert_says(SILENT);
    assert_nothing_written(&sandbox);
}

#[test]
fn s04_a_dismissed_unlock_is_told_as_locked_where_nobody_could_be_asked_and_as_refused_on_a_desktop() {
    let (Some(provider), Some(keyring)) = (Provider::start(), Keyring::start("fake:dismissed")) else { return };
    let sandbox = beside(&keyring, &provider);
    sandbox.login_without_a_person().assert_code(8).assert_says(LOCKED);
    let desktop = beside(&keyring, &provider).with("DISPLAY", ":99");
    desktop.login_without_a_person().assert_code(8).assert_says(REFUSED);
    assert_not_added(&desktop, REFUSED);
    assert_nothing_written(&sandbox);
    assert_nothing_written(&desktop);
}

#[test]
fn s05_a_secret_over_the_keychains_limit_is_told_in_the_keychains_words() {
    let Some(keyring) = Keyring::start("fake:limit") else { return };
    let sandbox = Sandbox::beside(&keyring);
    add(&sandbox, 2561).assert_code(8).assert_says("The secret is longer than 2560 bytes");
    assert!(!sandbox.configuration().contains("shop"));
    add(&sandbox, 2560).assert_code(0);
}

#[test]
fn a_keychain_that_has_too_much_to_do_is_told() {
    let (Some(provider), Some(keyring)) = (Provider::start(), Keyring::start("fake:limits-exceeded")) else { return };
    let sandbox = beside(&keyring, &provider);
    sandbox.login_without_a_person().assert_code(8).assert_says("The maximum number of pending replies");
    assert_nothing_written(&sandbox);
}

#[test]
fn a_keychain_that_ends_during_the_call_is_asked_again_and_then_told() {
    let (Some(provider), Some(keyring)) = (Provider::start(), Keyring::start("fake:vanishes")) else { return };
    let sandbox = beside(&keyring, &provider);
    assert_not_kept(&sandbox, ABSENT);
    sandbox.run(&["token", "work"]).assert_code(8).assert_says(ABSENT);
}

/// gnome-keyring takes note of a caller beside the call, and under load after it: a search is then refused, OpenSession
/// is the end of it for everybody.
#[test]
fn s03_a_keychain_that_does_not_know_a_caller_yet_is_asked_again_and_is_not_brought_down() {
    let (Some(provider), Some(keyring)) = (Provider::start(), Keyring::start("fake:strangers")) else { return };
    let sandbox = beside(&keyring, &provider);
    sign_in(&sandbox);
    let first = sandbox.run(&["token", "work"]).token().to_owned();
    sign_in(&sandbox);
    let second = sandbox.run(&["token", "work"]).token().to_owned();
    assert!(first != second && provider.takes(&second));
}

#[test]
fn a_keychain_without_a_default_collection_is_told_with_what_to_make() {
    let (Some(provider), Some(keyring)) = (Provider::start(), Keyring::start("fake:no-default")) else { return };
    let sandbox = beside(&keyring, &provider);
    sandbox.login_without_a_person().assert_code(8).assert_says("it has no default collection");
    assert_nothing_written(&sandbox);
}

#[test]
fn a_session_bus_across_the_network_gets_no_secret() {
    let Some(provider) = Provider::start() else { return };
    for bus in ["tcp:host=127.0.0.1,port=9", "unix:path=/nonexistent/bus;tcp:host=127.0.0.1,port=9"] {
        let sandbox = Sandbox::new().with("DBUS_SESSION_BUS_ADDRESS", bus);
        sandbox.configure(&provider.discovered());
        sandbox.login_without_a_person().assert_code(8).assert_says("not a socket of this machine");
    }
}

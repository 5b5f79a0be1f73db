//! Whoever refreshes is killed: the asker, the worker before the answer, the worker after it. R10, R11, R12.

use std::os::unix::process::CommandExt;

use super::*;

#[test]
fn r10_the_refresh_goes_on_when_the_asker_and_its_whole_group_are_killed() {
    let desk = ByHand::new();
    let mut command = desk.scene.sandbox.loopin(&["token", "work", "--rejected", &hash("first")]);
    // As a terminal, a time-out of a caller or a service manager kills.
    let mut asker = command.process_group(0).spawn().expect("loopin starts");
    let request = desk.next();
    kill("KILL", format!("-{}", asker.id()));
    assert!(!asker.wait().expect("asker").success());
    request.answer(200, SECOND);
    // Waits for the worker where it has not stored yet.
    assert_eq!("second\n", desk.scene.renew().assert_code(0).stdout);
    assert_eq!("second\n", desk.scene.token().assert_code(0).stdout);
    assert_eq!(1, desk.scene.refreshes().len());
    // The rotated refresh token is there as well.
    let next = desk.scene.sandbox.loopin(&["token", "work", "--rejected", &hash("second")]).spawn().expect("starts");
    let request = desk.next();
    assert_eq!("refresh-2", request.token);
    request.answer(200, LATER);
    assert_eq!("later\n", finish(next).assert_code(0).stdout);
}

/// A file of the grant in the store or beside it; the item is there from the login on.
fn file(sandbox: &Sandbox, suffix: &str) -> String {
    let place = if suffix == ".item" { ".item" } else { ".index" };
    let path = sandbox.stored_file(place);
    let name = path.file_name().and_then(|name| name.to_str()).expect("name");
    name.replace(place, suffix)
}

/// `strace` kills whoever is about to put this file in its place: after the bytes of everything before it are on disk.
fn killed_before(sandbox: &Sandbox, suffix: &str) -> Finished {
    let fault = "rename,renameat,renameat2:signal=KILL";
    let name = file(sandbox, suffix);
    sandbox.with_fault(&name, fault, &["token", "work", "--rejected", &hash("first")])
}

#[test]
fn r11_a_worker_that_is_killed_between_answer_and_store_costs_no_second_request() {
    for (suffix, what) in [
        (".item", "the answer is in the journal"),
        (".index", "and in the store"),
        (".last", "and the journal is cleared"),
    ] {
        let scene = Scene::answering_in_turn(&[(200, JSON, SECOND), (200, JSON, LATER)]);
        let killed = killed_before(&scene.sandbox, suffix);
        assert_eq!(1, scene.refreshes().len(), "{what}: {killed:?}");
        assert!(!scene.sandbox.stored().contains(&file(&scene.sandbox, ".last")), "{what}: it was killed");
        assert_eq!("second\n", scene.renew().assert_code(0).stdout, "{what}");
        assert_eq!("second\n", scene.token().assert_code(0).stdout);
        assert_eq!(1, scene.refreshes().len(), "{what}: without another request");
        // And the grant lives on with the rotated refresh token.
        scene.sandbox.run(&["token", "work", "--rejected", &hash("second")]).assert_code(0);
        assert_eq!(["refresh-1", "refresh-2"], scene.presented()[..], "{what}");
    }
}

/// Only a 2xx response can hold tokens: an error that was stored says nothing about the request that is sent now.
#[test]
fn r11_an_error_that_a_killed_worker_left_in_the_journal_is_no_answer() {
    const INVALID_CLIENT: &str = r#"{"error":"invalid_client"}"#;
    for (status, error) in [(401, INVALID_CLIENT), (400, INVALID_GRANT)] {
        let replies = [(status, JSON, error), (200, JSON, SECOND)];
        let scene = Scene::answering_in_turn(Box::leak(Box::new(replies)));
        let journal = file(&scene.sandbox, ".journal");
        let fault = "unlink,unlinkat:signal=KILL";
        scene.sandbox.with_fault(&journal, fault, &["token", "work", "--rejected", &hash("first")]);
        scene.sandbox.stored_file(".journal");
        assert_eq!("second\n", scene.renew().assert_code(0).stdout, "{error}");
        assert_eq!(["refresh-1", "refresh-1"], scene.presented()[..], "{error}");
    }
}

/// The answer of a provider that is asked again lies there for longer than its token lives.
#[test]
fn r11_an_answer_that_was_found_too_late_brings_its_refresh_token_all_the_same() {
    let scene = Scene::answering_in_turn(&[
        (200, JSON, r#"{"access_token":"second","expires_in":0,"refresh_token":"refresh-2"}"#),
        (200, JSON, LATER),
    ]);
    killed_before(&scene.sandbox, ".item");
    assert_eq!("later\n", scene.renew().assert_code(0).stdout);
    assert_eq!(["refresh-1", "refresh-2"], scene.presented()[..]);
}

#[test]
fn r11_an_answer_in_the_journal_shows_nothing_and_belongs_to_this_grant_alone() {
    let scene = Scene::answering(200, JSON, SECOND);
    killed_before(&scene.sandbox, ".item");
    let journal = scene.sandbox.stored_file(".journal");
    assert_eq!(0o600, std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&journal).expect("journal")) & 0o777);
    for (path, content) in scene.sandbox.state_files() {
        let text = String::from_utf8_lossy(&content);
        assert!(!["second", "refresh-", "first"].iter().any(|word| text.contains(word)), "{}", path.display());
    }
    // Somebody else has signed in since: what lies there is no answer to their refresh token.
    scene.sandbox.log_in(&[]).assert_code(0);
    assert_eq!("later\n", scene.token().assert_code(0).stdout);
    assert_eq!("second\n", scene.sandbox.run(&["token", "work", "--rejected", &hash("later")]).assert_code(0).stdout);
    assert_eq!(["refresh-1", "refresh-later"], scene.presented()[..]);
    // What is stored needs no journal.
    let left = scene.sandbox.stored();
    assert!(!left.iter().any(|name| name.ends_with(".journal")), "{left:?}");
}

/// Sent, and then nobody knows: the worker is gone and the provider never answered.
fn interrupted() -> ByHand {
    let desk = ByHand::new();
    let asker = desk.scene.renewing();
    let _request = desk.next();
    kill_worker(&desk.scene.sandbox);
    finish(asker).assert_code(1).assert_says("try again");
    desk
}

#[test]
fn r12_after_an_interruption_a_forgiving_provider_gets_the_old_refresh_token_once_more() {
    let desk = interrupted();
    let next = desk.scene.renewing();
    desk.next().answer(200, SECOND);
    assert_eq!("second\n", finish(next).assert_code(0).stdout);
    assert_eq!("second\n", desk.scene.renew().assert_code(0).stdout);
    assert_eq!(["refresh-1", "refresh-1"], desk.scene.presented()[..]);
}

#[test]
fn r12_a_strict_provider_is_asked_once_and_a_person_is_told_what_happened() {
    let desk = interrupted();
    let next = desk.scene.renewing();
    desk.next().answer(400, INVALID_GRANT);
    let message = "the last refresh was interrupted, and the provider no longer accepts the refresh token";
    finish(next).assert_code(4).assert_says(message).assert_says("loopin login work");
    for _ in 0..3 {
        desk.scene.renew().assert_code(4).assert_says(message);
    }
    desk.scene.sandbox.run(&["status", "work"]).assert_code(4).assert_says(message);
    assert_eq!(["refresh-1", "refresh-1"], desk.scene.presented()[..], "never a third time");
    // A login ends it.
    desk.scene.sandbox.log_in(&[]).assert_code(0);
    assert_eq!("later\n", desk.scene.renew().assert_code(0).stdout);
}

/// A strict server ends a valid token too when a used refresh token comes back.
#[test]
fn r12_while_the_old_token_is_valid_nothing_is_presented_after_an_interruption() {
    let desk = ByHand::new();
    desk.scene.sandbox.age(HOUR, Duration::from_secs(59 * 6));
    let asker = desk.scene.renewing();
    let _request = desk.next();
    kill_worker(&desk.scene.sandbox);
    finish(asker).assert_code(1);
    for _ in 0..3 {
        assert_eq!("first\n", desk.scene.token().assert_code(0).stdout);
    }
    assert_eq!(1, desk.scene.refreshes().len());
}

#[test]
fn r12_neither_is_it_while_the_token_is_shorter_than_the_margin() {
    let desk = ByHand::new();
    desk.scene.sandbox.age(HOUR, Duration::from_secs(50));
    let asker = desk.scene.sandbox.loopin(&["token", "work"]).spawn().expect("loopin starts");
    let _request = desk.next();
    kill_worker(&desk.scene.sandbox);
    assert_eq!("first\n", finish(asker).assert_code(0).stdout);
    assert_eq!("first\n", desk.scene.token().assert_code(0).stdout);
    assert_eq!(1, desk.scene.refreshes().len());
    // Who cannot use it needs another one.
    let refused = desk.scene.renewing();
    desk.next().answer(200, SECOND);
    assert_eq!("second\n", finish(refused).assert_code(0).stdout);
}

/// Nothing was sent, so nothing is uncertain.
#[test]
fn r12_a_worker_that_is_killed_before_it_sends_has_done_nothing() {
    let scene = Scene::answering(200, JSON, SECOND);
    killed_before(&scene.sandbox, ".journal");
    assert_eq!(0, scene.refreshes().len());
    scene.assert_kept();
    assert_eq!("second\n", scene.renew().assert_code(0).stdout);
    assert_eq!(["refresh-1"], scene.presented()[..]);
}

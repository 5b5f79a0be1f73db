//! Many who ask at once. R01, R02, R03, R24.

use loopin::refresh::{LastRefresh, RefreshResult};

use super::*;
use crate::harness::{crowd, write_private};

fn processes() -> usize {
    crowd();
    match std::env::var("LOOPIN_BAR").as_deref() {
        Ok("full") => 500,
        _ => 20,
    }
}

#[test]
fn a_stale_token_is_renewed_by_one_request_and_the_rotated_refresh_token_is_kept() {
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    let first = sandbox.run(&["token", "work"]).stdout;
    let rejected = hash(&first);
    let second = sandbox.run(&["token", "work", "--rejected", &rejected]);
    second.assert_code(0);
    assert_ne!(first, second.stdout);
    assert_eq!(2, provider.counters().token, "the login's and one refresh");
    // The old hash is not the stored token's any more.
    assert_eq!(second.stdout, sandbox.run(&["token", "work", "--rejected", &rejected]).stdout);
    assert_eq!(2, provider.counters().token);
    // Again and again: the provider revokes the grant if an old refresh token comes twice.
    for round in 3..6 {
        let token = sandbox.run(&["token", "work"]).stdout;
        sandbox.run(&["token", "work", "--rejected", &hash(&token)]).assert_code(0);
        assert_eq!(round, provider.counters().token);
    }
}

/// All get one token by one request, and the grant lives on.
#[track_caller]
fn share_one_request(provider: &Provider, sandbox: &Sandbox, count: usize, arguments: &[&str]) {
    let start = |_| sandbox.loopin(arguments).spawn().expect("loopin starts");
    let children: Vec<_> = (0..count).map(start).collect();
    let finished: Vec<_> = children.into_iter().map(finish).collect();
    for one in &finished {
        assert_eq!(finished[0].stdout, one.assert_code(0).stdout);
    }
    assert_eq!(2, provider.counters().token, "the login's and one refresh");
    sandbox.run(&["token", "work", "--rejected", &hash(&finished[0].stdout)]).assert_code(0);
}

#[test]
fn r01_many_processes_with_an_expired_token_send_one_request_and_get_one_token() {
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    sandbox.expire();
    share_one_request(&provider, &sandbox, processes(), &["token", "work"]);
}

#[test]
fn r24_many_callers_that_were_refused_with_one_token_send_one_request() {
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    let rejected = hash(&sandbox.run(&["token", "work"]).stdout);
    share_one_request(&provider, &sandbox, processes().max(50), &["token", "work", "--rejected", &rejected]);
}

#[test]
fn r02_who_waited_for_the_lock_takes_what_is_stored_then_and_sends_nothing() {
    let Gated { gate, provider, sandbox, first } = &Gated::new();
    let winner = sandbox.loopin(&["token", "work", "--rejected", first]).spawn().expect("loopin starts");
    gate.wait();
    let (waiter, mut trace) = sandbox.traced("flock", &["token", "work", "--rejected", first]);
    assert!(trace.any(|line| line.contains("EAGAIN")), "it has judged the stored token, and waits");
    gate.open();
    let unread = std::thread::spawn(move || trace.count());
    let (winner, waiter) = (finish(winner), finish(waiter));
    unread.join().expect("trace");
    assert_eq!(winner.assert_code(0).stdout, waiter.assert_code(0).stdout);
    assert_ne!(*first, hash(&winner.stdout));
    assert_eq!(2, provider.counters().token);
}

#[test]
fn r02_who_waited_for_a_refresh_that_failed_does_not_send_the_same_again() {
    let (release, released) = std::sync::mpsc::channel::<()>();
    let (arrive, arrived) = std::sync::mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let scene = Scene::new(FIRST, move |_, stream| {
        let _ = arrive.send(());
        let _ = released.lock().expect("server").recv();
        send(stream, 500, "", b"");
    });
    let arguments = ["token", "work", "--rejected", &hash("first")];
    let winner = scene.sandbox.loopin(&arguments).spawn().expect("loopin starts");
    arrived.recv_timeout(crate::harness::PATIENCE).expect("a request");
    let (waiter, mut trace) = scene.sandbox.traced("flock", &arguments);
    assert!(trace.any(|line| line.contains("EAGAIN")));
    drop(release);
    let unread = std::thread::spawn(move || trace.count());
    for one in [finish(winner), finish(waiter)] {
        one.assert_code(7).assert_says("the grant is kept");
    }
    unread.join().expect("trace");
    assert_eq!(1, scene.refreshes().len());
    scene.assert_kept();
}

#[test]
fn r03_processes_with_other_homes_share_the_lock_of_one_state_directory() {
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    sandbox.expire();
    let children: Vec<_> = (0..8)
        .map(|number| {
            let elsewhere = sandbox.path(&format!("elsewhere-{number}"));
            std::fs::create_dir(&elsewhere).expect("directory");
            let mut command = sandbox.loopin(&["token", "work"]);
            for name in ["HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME"] {
                command.env(name, &elsewhere);
            }
            command.spawn().expect("loopin starts")
        })
        .collect();
    for child in children {
        finish(child).assert_code(0);
    }
    assert_eq!(2, provider.counters().token);
    for number in 0..8 {
        let left = std::fs::read_dir(sandbox.path(&format!("elsewhere-{number}"))).expect("directory").count();
        assert_eq!(0, left, "R05: nothing in a directory that others could be in first");
    }
}

/// Before it waited, it knew refresh-1; what it sends is what is stored when the lock is its own.
#[cfg(target_os = "linux")]
#[test]
fn r02_who_waited_and_finds_a_stale_token_sends_the_stored_refresh_token_and_not_its_own() {
    let scene = Scene::answering(200, JSON, SECOND);
    scene.sandbox.expire();
    let held = scene.sandbox.hold_the_lock();
    let waiter = scene.sandbox.waiting(&["token", "work"]);
    // Another one rotated, and its access token has expired as well.
    scene.sandbox.alter(|grant| {
        grant.access_token = Secret::new("rotated".into());
        grant.refresh_token = Some(Secret::new("refresh-rotated".into()));
    });
    drop(held);
    assert_eq!("second\n", waiter.finish().assert_code(0).stdout);
    assert_eq!(["refresh-rotated"], scene.presented()[..]);
}

#[cfg(target_os = "linux")]
#[test]
fn r02_who_waited_and_finds_a_fresh_token_sends_nothing() {
    let scene = Scene::answering(200, JSON, SECOND);
    scene.sandbox.expire();
    let held = scene.sandbox.hold_the_lock();
    let waiter = scene.sandbox.waiting(&["token", "work"]);
    scene.sandbox.alter(|grant| grant.access_token = Secret::new("rotated".into()));
    scene.sandbox.age(HOUR, HOUR);
    drop(held);
    assert_eq!("rotated\n", waiter.finish().assert_code(0).stdout);
    assert_eq!(0, scene.refreshes().len());
}

/// While it waited another one rotated, and the provider ended that grant: to ask again would only be told the same.
#[cfg(target_os = "linux")]
#[test]
fn r02_who_waited_and_finds_a_grant_that_died_meanwhile_does_not_send_its_refresh_token() {
    let scene = Scene::answering(200, JSON, SECOND);
    scene.sandbox.expire();
    let held = scene.sandbox.hold_the_lock();
    let waiter = scene.sandbox.waiting(&["token", "work"]);
    let mut generation = 0;
    scene.sandbox.alter_record(|record| {
        record.grant.refresh_token = Some(Secret::new("refresh-rotated".into()));
        generation = record.generation + 1;
    });
    let dead = RefreshResult::Dead { message: "it died".into() };
    let last = LastRefresh::new(dead, generation, SystemTime::now()).serialize();
    let name = scene.sandbox.lock_file().with_extension("last");
    write_private(&name, &last);
    drop(held);
    waiter.finish().assert_code(4).assert_says("it died").assert_says("loopin login work");
    assert_eq!(0, scene.refreshes().len());
}

#[test]
fn r03_while_the_provider_of_one_integration_hangs_another_one_is_served_and_renewed() {
    let desk = ByHand::new();
    let sandbox = &desk.scene.sandbox;
    let provider = Provider::new();
    let other = provider.integration().replace("[integration.work]", "[integration.other]");
    sandbox.configure(&format!("{}{other}", desk.scene.server.integration()));
    let login = crate::harness::Login::start(sandbox.loopin(&["login", "other"]));
    login.person().allow();
    login.finished().assert_code(0);
    let asker = desk.scene.renewing();
    let request = desk.next();
    let served = sandbox.run(&["token", "other"]);
    let renewed = sandbox.run(&["token", "other", "--rejected", &hash(&served.assert_code(0).stdout)]);
    assert_ne!(served.stdout, renewed.assert_code(0).stdout);
    assert_eq!(2, provider.counters().token);
    // Only now is the first one answered.
    request.answer(200, SECOND);
    assert_eq!("second\n", finish(asker).assert_code(0).stdout);
}

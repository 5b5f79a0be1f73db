//! The lock: of the kernel, on a file of its own, and not where none is needed. R04-R07, R09.

use std::os::unix::fs::MetadataExt;

use super::*;

#[test]
fn r04_r05_the_lock_is_a_file_of_its_own_that_nothing_renames_or_removes() {
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    let lock = sandbox.lock_file();
    let identity = || std::fs::metadata(&lock).map(|lock| (lock.ino(), lock.mode() & 0o777)).expect("lock");
    let before = identity();
    assert_eq!(0o600, before.1);
    let content = std::fs::read_to_string(&lock).expect("lock");
    assert!(content.trim().parse::<u32>().is_ok(), "only who held it last stands in it: {content}");
    assert_eq!(Some(sandbox.state().as_path()), lock.parent());
    sandbox.expire();
    sandbox.run(&["token", "work"]).assert_code(0);
    assert_eq!(before, identity(), "after a refresh");
    sandbox.run(&["logout", "work"]).assert_code(0);
    assert_eq!(before, identity(), "after a logout");
    let login = sandbox.login(&[]);
    login.person().allow();
    login.finished().assert_code(0);
    assert_eq!(before, identity(), "after a login");
}

#[cfg(target_os = "linux")]
#[test]
fn r06_when_the_holder_is_killed_the_next_is_served() {
    let (arrive, arrived) = std::sync::mpsc::channel();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let (count, ended) = (std::sync::atomic::AtomicU32::new(0), std::sync::Mutex::new(ended));
    let scene = Scene::new(FIRST, move |_, stream| {
        if count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 {
            let _ = arrive.send(());
            let _ = ended.lock().expect("server").recv();
        } else {
            send(stream, 200, JSON, SECOND.as_bytes());
        }
    });
    let asker = scene.sandbox.loopin(&["token", "work", "--rejected", &hash("first")]).spawn().expect("loopin starts");
    arrived.recv_timeout(crate::harness::PATIENCE).expect("a request");
    kill_worker(&scene.sandbox);
    let next = scene.renew();
    assert_eq!("second\n", next.assert_code(0).stdout);
    // Either it was told that its worker is gone, or the next one's token was there already.
    let asker = finish(asker);
    assert!(asker.code == Some(1) || asker.stdout == "second\n", "{asker:?}");
    drop(end);
    assert_eq!(2, scene.refreshes().len());
}

/// Takes the 30 s that a waiter waits.
#[cfg(target_os = "linux")]
#[test]
fn r07_a_holder_that_hangs_costs_a_valid_token_nothing_and_a_waiter_a_clear_word() {
    let gated = Gated::new();
    let asker = gated.at_the_gate();
    let worker = worker(&gated.sandbox);
    kill("STOP", worker);
    let valid = gated.sandbox.run(&["token", "work"]);
    assert_eq!(gated.first, hash(&valid.assert_code(0).stdout));
    let waiter = finish(gated.renewing());
    kill("CONT", worker);
    let who = format!("another loopin (pid {worker}) is refreshing this grant");
    waiter.assert_code(7).assert_says(&who).assert_says("try again");
    assert_eq!("", waiter.stdout);
    // Its own deadline has passed meanwhile.
    finish(asker).assert_code(7).assert_says("the grant is kept");
    assert_eq!(1, gated.provider.counters().token, "nothing came through the gate");
}

/// The gate stays closed: what is served was there before.
#[test]
fn r07_a_token_that_expires_soon_is_served_while_the_provider_hangs() {
    let gated = Gated::new();
    gated.sandbox.alter(|grant| {
        grant.obtained_at = SystemTime::now() - Duration::from_secs(3570);
        grant.expiry = Expiry::At(SystemTime::now() + Duration::from_secs(30));
    });
    let ask = || gated.sandbox.loopin(&["token", "work"]).spawn().expect("loopin starts");
    let sender = ask();
    gated.gate.wait();
    for asker in [ask(), sender] {
        assert_eq!(gated.first, hash(&finish(asker).assert_code(0).stdout));
    }
    assert_eq!(1, gated.provider.counters().token, "nothing came through the gate");
    gated.gate.open();
}

#[cfg(target_os = "linux")]
#[test]
fn r09_a_fresh_token_takes_no_lock_no_request_and_no_write() {
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    let before = sandbox.state_files();
    let what = "flock,fcntl,connect,socket,openat,renameat,renameat2,rename,unlinkat,unlink,clone,clone3,vfork,fork";
    let (child, trace) = sandbox.traced(what, &["token", "work"]);
    let trace: Vec<_> = trace.collect();
    finish(child).assert_code(0);
    assert!(trace.iter().any(|line| line.contains(".item")), "the trace is blind: {trace:#?}");
    for line in &trace {
        let forbidden = ["flock(", "F_SETLK", "F_OFD", "connect(", "socket(", "rename", "unlink", ".lock", "O_CREAT"];
        let worker = ["clone", "fork("].iter().any(|call| line.contains(call));
        assert!(!worker && !forbidden.iter().any(|call| line.contains(call)), "{line}");
    }
    assert_eq!((before, 1), (sandbox.state_files(), provider.counters().token));
}

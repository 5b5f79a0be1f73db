//! The lock: of the kernel, on a file of its own, and not where none is needed. R04-R07, R09, R23.

use std::os::unix::fs::{MetadataExt, chown};

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

const NOBODY: u32 = 65534;

/// A program as another user of this machine runs it.
fn of_somebody_else(sandbox: &Sandbox, line: &str, arguments: &[&str]) -> Finished {
    let line = format!("exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups {line}");
    Finished::new(sandbox.shell(&line, arguments).output().expect("sh"))
}

#[test]
fn r05_nobody_else_can_hold_our_lock_or_use_our_directory() {
    if !nix::unistd::geteuid().is_root() {
        return skipped("r05: only root can be two users");
    }
    let scene = Scene::answering(200, JSON, SECOND);
    let lock = scene.sandbox.lock_file();
    let held = of_somebody_else(&scene.sandbox, &format!("sh -c 'exec 9<\"{}\"'", lock.display()), &[]);
    assert!(held.code != Some(0) && held.stderr.contains("ermission denied"), "{held:?}");
    // As somebody whose surroundings name our state directory.
    let theirs = of_somebody_else(&scene.sandbox, "\"$@\"", &["token", "work"]);
    theirs.assert_code(8).assert_says(scene.sandbox.state().to_str().expect("path"));
    assert_eq!("", theirs.stdout);
    assert_eq!("second\n", scene.renew().assert_code(0).stdout);
}

#[test]
fn r05_what_somebody_else_has_made_in_our_place_is_named_and_nothing_is_sent() {
    if !nix::unistd::geteuid().is_root() {
        return skipped("r05: only root can give a file away");
    }
    let scene = Scene::answering(200, JSON, SECOND);
    for path in [scene.sandbox.lock_file(), scene.sandbox.state()] {
        chown(&path, Some(NOBODY), None).expect("chown");
        let refused = scene.renew();
        refused.assert_code(8).assert_says(&format!("{} belongs to another user", path.display()));
        refused.assert_says("check what is in it, then make it yours: sudo chown");
        assert_eq!(("", 0), (refused.stdout.as_str(), scene.refreshes().len()));
        chown(&path, Some(0), None).expect("chown");
    }
    assert_eq!("second\n", scene.renew().assert_code(0).stdout);
}

/// `strace` tells the program that its directory is on NFS, whatever it is on.
#[cfg(target_os = "linux")]
#[test]
fn r23_a_directory_on_nfs_is_refused_with_the_remedy_before_anything_is_sent() {
    let scene = Scene::answering(200, JSON, SECOND);
    let type_of_nfs = format!("poke_exit=@arg2={}", hex(&0x6969_i64.to_le_bytes()));
    let on_nfs = |arguments: &[&str]| {
        let line = format!("exec strace -f -qq -o /dev/null -e 'inject=fstatfs:{type_of_nfs}' \"$@\"");
        Finished::new(scene.sandbox.shell(&line, arguments).output().expect("strace"))
    };
    for arguments in [
        &["token", "work", "--rejected", &hash("first")][..],
        &["login", "work", "--timeout", "30s"],
        &["logout", "work"],
    ] {
        let refused = on_nfs(arguments);
        refused.assert_code(8).assert_says("is on NFS, where another machine could refresh the same grant at once");
        refused.assert_says("set LOOPIN_STATE_DIR to a directory on a disk of this machine");
    }
    assert_eq!(1, scene.server.requests().len(), "the login's at the beginning");
    // A valid token needs no lock.
    assert_eq!("first\n", on_nfs(&["token", "work"]).assert_code(0).stdout);
    scene.assert_kept();
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

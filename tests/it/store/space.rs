//! Where nothing can be written. S14.

use std::fs;

use super::{counting, root, set_mode, signed_in};
use crate::harness::{Finished, Login, Mounts, Sandbox};

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

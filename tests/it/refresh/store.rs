//! A store that fails after the provider has renewed: the token is handed out, and nothing is lost. R15.

use super::*;
use crate::harness::Mounts;

const NOTE: &str = "the renewed token could not be stored; it is kept sealed, and the next run stores it";

/// What the run before could not store is stored by the next, without another request.
#[track_caller]
fn assert_stored_by_the_next_run(scene: &Scene) {
    assert_eq!("first\n", scene.token().assert_code(0).stdout, "the store still holds the old one");
    let next = scene.renew();
    assert_eq!(("second\n", ""), (next.assert_code(0).stdout.as_str(), next.stderr.as_str()));
    assert_eq!("second\n", scene.token().assert_code(0).stdout);
    assert_eq!(1, scene.refreshes().len());
    scene.sandbox.run(&["token", "work", "--rejected", &hash("second")]).assert_code(0);
    assert_eq!(["refresh-1", "refresh-2"], scene.presented()[..], "the rotated refresh token was kept");
}

/// Every error that a file system gives when it takes no more.
#[test]
fn r15_a_token_that_cannot_be_stored_is_handed_out_with_a_warning() {
    for error in ["ENOSPC", "EDQUOT", "EROFS", "EIO"] {
        let scene = Scene::answering_in_turn(&[(200, JSON, SECOND), (200, JSON, LATER)]);
        let item = scene.sandbox.stored_file(".item").file_name().expect("name").to_string_lossy().into_owned();
        let fault = format!("rename,renameat,renameat2:error={error}");
        let renewed = scene.sandbox.with_fault(&item, &fault, &["token", "work", "--rejected", &hash("first")]);
        assert_eq!("second\n", renewed.assert_code(0).stdout, "{error}");
        renewed.assert_says(NOTE);
        scene.sandbox.run(&["status", "work"]).assert_says("failed");
        assert_stored_by_the_next_run(&scene);
    }
}

#[test]
fn r15_a_store_that_cannot_be_opened_any_more_costs_no_token_either() {
    let desk = ByHand::new();
    let asker = desk.scene.renewing();
    let request = desk.next();
    let (key, away) = (desk.scene.sandbox.path("store.key"), desk.scene.sandbox.path("away.key"));
    std::fs::rename(&key, &away).expect("key");
    request.answer(200, SECOND);
    let renewed = finish(asker);
    assert_eq!("second\n", renewed.assert_code(0).stdout);
    renewed.assert_says(NOTE);
    desk.scene.renew().assert_code(8).assert_says("store.key");
    std::fs::rename(&away, &key).expect("key");
    assert_eq!("second\n", desk.scene.renew().assert_code(0).stdout);
    assert_eq!("second\n", desk.scene.token().assert_code(0).stdout);
    assert_eq!(1, desk.scene.refreshes().len());
}

/// Who waited for that refresh has no part in its token, and is told where it is.
#[test]
fn r15_who_waited_for_a_refresh_that_was_not_stored_stores_it() {
    let desk = ByHand::new();
    let asker = desk.scene.renewing();
    let request = desk.next();
    let waiter = desk.scene.waiting();
    let (key, away) = (desk.scene.sandbox.path("store.key"), desk.scene.sandbox.path("away.key"));
    std::fs::rename(&key, &away).expect("key");
    request.answer(200, SECOND);
    assert_eq!("second\n", finish(asker).assert_code(0).stdout);
    waiter.finish().assert_code(8).assert_says("store.key");
    std::fs::rename(&away, &key).expect("key");
    assert_eq!("second\n", desk.scene.renew().assert_code(0).stdout);
    assert_eq!(1, desk.scene.refreshes().len());
}

#[test]
fn r15_a_disk_that_is_full_before_costs_no_request() {
    let scene = Scene::answering(200, JSON, SECOND);
    let full = "trap '' XFSZ; ulimit -f 0; exec \"$@\"";
    let renew = ["token", "work", "--rejected", &hash("first")];
    let renewed = Finished::new(scene.sandbox.shell(full, &renew).output().expect("sh"));
    renewed.assert_code(8).assert_says(scene.sandbox.state().to_str().expect("path"));
    assert_eq!(0, scene.refreshes().len(), "what could not be kept is not asked for");
    scene.assert_kept();
    assert_eq!("second\n", scene.renew().assert_code(0).stdout);
}

/// A real disk, filled to its last byte while the provider works.
struct FilledMeanwhile {
    desk: ByHand,
    mounts: Mounts,
}

impl FilledMeanwhile {
    /// `None` where nothing can be mounted.
    fn new() -> Option<Self> {
        let desk = ByHand::new();
        let (state, kept) = (desk.scene.sandbox.state(), desk.scene.sandbox.path("kept"));
        let mount = format!(
            "cp -a '{state}' '{kept}' && mount -t tmpfs -o size=1m,mode=700 tmpfs '{state}' && cp -a '{kept}/.' '{state}'",
            state = state.display(),
            kept = kept.display(),
        );
        Some(Self { mounts: Mounts::with(&mount)?, desk })
    }

    fn renewing(&self) -> Child {
        let renew = ["token", "work", "--rejected", &hash("first")];
        self.mounts.loopin(&self.desk.scene.sandbox, &renew).spawn().expect("loopin starts")
    }

    /// What a caller gets whose answer came to a full disk, which has room again afterwards.
    fn renewed(&self, answer: &str) -> Finished {
        let run = |line: &str| self.mounts.shell(&self.desk.scene.sandbox, line, &[]).status().expect("sh").success();
        let asker = self.renewing();
        let request = self.desk.next();
        assert!(!run("cat /dev/zero >\"$LOOPIN_STATE_DIR/filler\""));
        request.answer(200, answer);
        let renewed = finish(asker);
        assert!(run("rm \"$LOOPIN_STATE_DIR/filler\""));
        renewed
    }
}

#[test]
fn r15_on_a_disk_that_fills_up_meanwhile_the_answer_has_its_room_already() {
    let Some(disk) = FilledMeanwhile::new() else { return skipped("r15: nothing can be mounted here") };
    let renewed = disk.renewed(SECOND);
    assert_eq!("second\n", renewed.assert_code(0).stdout);
    renewed.assert_says("kept sealed, and the next run stores it");
    assert_eq!("second\n", finish(disk.renewing()).assert_code(0).stdout);
    assert_eq!(1, disk.desk.scene.refreshes().len());
}

#[test]
fn r15_an_answer_too_long_for_its_room_on_a_full_disk_is_handed_out_and_the_loss_is_told() {
    let Some(disk) = FilledMeanwhile::new() else { return skipped("r15: nothing can be mounted here") };
    let renewed = disk.renewed(&format!("{}{SECOND}", " ".repeat(40_000)));
    assert_eq!("second\n", renewed.assert_code(0).stdout);
    renewed.assert_says("could be stored nowhere").assert_says("log in again");
    // What became of the old refresh token is for the provider to say, once.
    let next = disk.renewing();
    disk.desk.next().answer(400, INVALID_GRANT);
    finish(next).assert_code(4).assert_says("the last refresh was interrupted");
}

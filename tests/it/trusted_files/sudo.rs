//! Root at work in the home directory of another user, as `sudo` with HOME kept.

use super::*;

fn owner(path: &Path) -> (u32, u32) {
    let about = fs::metadata(path).expect("metadata");
    (about.uid(), about.gid())
}

/// The home of this sandbox belongs to another user.
fn of_another_user() -> Sandbox {
    let sandbox = Sandbox::new();
    chown(sandbox.path("home"), Some(NOBODY), Some(NOBODY)).expect("chown");
    sandbox
}

fn as_root(sandbox: &Sandbox, arguments: &[&str]) -> Finished {
    Finished::new(sandbox.loopin(arguments).env_remove("LOOPIN_CONFIG").output().expect("runs"))
}

#[test]
fn h09_what_root_makes_in_the_home_of_another_user_is_that_users() {
    if !is_root() {
        return;
    }
    let sandbox = of_another_user();
    as_root(&sandbox, &ADD).assert_code(0);
    let place = sandbox.path("home/.config/loopin");
    for path in [place.parent().expect("parent"), &place, &place.join("config.toml"), &place.join("store.key")] {
        assert_eq!((NOBODY, NOBODY), owner(path), "{}", path.display());
        assert_eq!(0, mode(path) & 0o077, "{}", path.display());
    }
    let line = format!("exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups \"$@\"");
    let mut theirs = sandbox.shell(&line, &["integration", "list"]);
    Finished::new(theirs.env_remove("LOOPIN_CONFIG").output().expect("sh")).assert_code(0).assert_says("work");
}

#[test]
fn h09_a_configuration_that_root_changes_stays_its_users() {
    if !is_root() {
        return;
    }
    let sandbox = of_another_user();
    let path = sandbox.path("home/.config/loopin/config.toml");
    fs::create_dir_all(path.parent().expect("parent")).expect("directory");
    for (uid, gid, right) in [(NOBODY, NOBODY, 0o600), (NOBODY, 1, 0o640), (0, 0, 0o644)] {
        fs::write(&path, "# mine\n").expect("written");
        chown(&path, Some(uid), Some(gid)).expect("chown");
        set_mode(&path, right);
        as_root(&sandbox, &ADD).assert_code(0);
        assert_eq!(((uid, gid), right), (owner(&path), mode(&path)));
        as_root(&sandbox, &["integration", "remove", "work"]).assert_code(0);
        assert_eq!(((uid, gid), right), (owner(&path), mode(&path)));
    }
    // A third user's file is nobody's that root works for.
    chown(&path, Some(1), None).expect("chown");
    as_root(&sandbox, &["integration", "list"]).assert_code(3).assert_says("belongs to another user");
}

//! No core dump holds a token, and the commands that are started for the user are as they would be without us. H10.

use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
    process::Command,
};

use crate::harness::{Finished, Login, Provider, RawServer, Sandbox, TOKENS, tell};

const NOBODY: u32 = 65534;

/// Soft and hard limit of core files of a process, as the kernel prints them.
fn limits(pid: u32) -> (String, String) {
    let text = fs::read_to_string(format!("/proc/{pid}/limits")).expect("limits");
    let line = text.lines().find(|line| line.starts_with("Max core file size")).expect("a line");
    let mut words = line["Max core file size".len()..].split_whitespace().map(str::to_owned);
    (words.next().expect("soft"), words.next().expect("hard"))
}

/// Some limit that is none of the usual ones, in the units of the shell.
const SOME: &str = "ulimit -S -c 4242 && exec \"$@\"";

/// `None` where even that is more than this machine allows.
fn possible() -> Option<()> {
    let allowed = Command::new("sh").args(["-c", "ulimit -S -c 4242 2>&1 >/dev/null"]).status().expect("sh").success();
    if !allowed {
        tell("skipped: the hard limit of core files is too small here");
    }
    allowed.then_some(())
}

#[test]
fn h10_a_process_that_holds_secrets_writes_no_core_file() {
    if possible().is_none() {
        return;
    }
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let login = Login::start(sandbox.shell(SOME, &["login", "work"]));
    let (soft, hard) = limits(login.child.id());
    assert_eq!("0", soft);
    assert_eq!(limits(std::process::id()).1, hard, "the hard limit is the user's own affair");
}

#[test]
fn h10_a_command_that_is_started_has_the_limit_of_before() {
    if possible().is_none() {
        return;
    }
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    let command = ["exec", "work", "--", "sh", "-c", "ulimit -S -c"];
    let shown = Finished::new(sandbox.shell(SOME, &command).output().expect("sh"));
    assert_eq!("4242\n", shown.assert_code(0).stdout);

    let pipe = sandbox.pipe("limit");
    let browser = sandbox.script("browser", &format!("ulimit -S -c > '{}'; exit 1", pipe.path()));
    let mut login = Login::start(sandbox.shell(SOME, &["login", "work", "--browser", &browser]));
    assert_eq!("4242\n", pipe.read());
    login.wait_for("failed (exit code 1)");
    assert_eq!("0", limits(login.child.id()).0, "the login itself is as before");
}

/// The kernel gives what belongs to a process in /proc to root where the process cannot be dumped: nobody else may read
/// its memory. That can be told apart only where another user runs it.
#[test]
fn h10_no_other_process_of_the_user_reads_its_memory() {
    if !nix::unistd::geteuid().is_root() {
        return tell("skipped: only root can be two users");
    }
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    for path in [sandbox.path(""), sandbox.path("home"), sandbox.path("store.key"), sandbox.config()] {
        chown(path, Some(NOBODY), Some(NOBODY)).expect("chown");
    }
    let other = format!("exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups \"$@\"");
    let login = Login::start(sandbox.shell(&other, &["login", "work"]));
    let owner = |what: &str| fs::metadata(format!("/proc/{}/{what}", login.child.id())).expect("process").uid();
    assert_eq!((0, 0), (owner("mem"), owner("environ")));
    login.answer("a-code");
    login.finished().assert_code(0);
    let command = ["exec", "work", "--", "sh", "-c", "stat -c %u /proc/$$/mem"];
    let shown = Finished::new(sandbox.shell(&other, &command).output().expect("sh"));
    assert_eq!(format!("{NOBODY}\n"), shown.assert_code(0).stdout, "the command can be debugged");
}

//! The login's listener against everybody who can reach it. Rows L01 to L40 of docs/threats.md: where it listens,
//! what counts as an answer, what a request may look like, what strangers may cost, and how a login ends.

mod answers;
mod endings;
mod load;
mod other_users;
mod pages;
mod place;
mod requests;

use std::{os::unix::process::CommandExt, process::Command};

use crate::harness::{Reply, tell};

/// A page that says that this was not the answer, and nothing else.
#[track_caller]
fn assert_turned_away(status: u16, reply: &Reply) {
    assert_eq!(status, reply.status, "{reply:?}");
    for word in ["code=", "state=", "iss="] {
        assert!(!reply.head.contains(word) && !reply.body.contains(word), "{reply:?}");
    }
}

/// Runs a shell script as user nobody, or tells that this system does not allow it.
fn as_nobody(script: &str) -> Option<String> {
    const NOBODY: u32 = 65534;
    let child = Command::new("bash").args(["-c", script]).uid(NOBODY).gid(NOBODY).current_dir("/").output();
    match child {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(error) => {
            tell(&format!("skipped: cannot become another user ({})", error.kind()));
            None
        }
    }
}

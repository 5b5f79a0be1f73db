//! The store end to end: no keychain, and everything that can happen to the files of the file store. S02-S21.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use serde_json::json;

use crate::harness::{RawServer, Sandbox, send};

mod crashes;
mod items;
mod keychain;
#[cfg(target_os = "linux")]
mod passphrase;
mod permissions;
#[cfg(target_os = "linux")]
mod processes;
mod sealing;
mod space;
mod traps;

fn root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// A server whose access tokens are `token-1`, `token-2` and so on.
fn counting() -> RawServer {
    let count = AtomicU64::new(0);
    RawServer::new(move |_, stream| {
        let number = count.fetch_add(1, Ordering::Relaxed) + 1;
        send(stream, 200, "", json!({ "access_token": format!("token-{number}") }).to_string().as_bytes());
    })
}

/// Signed in once, with `token-1` in the store.
fn signed_in() -> (Sandbox, RawServer) {
    let server = counting();
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    assert_eq!("token-1\n", sandbox.run(&["token"]).stdout);
    (sandbox, server)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
}

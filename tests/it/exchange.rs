//! What a token endpoint can answer: redirects, floods, silence, nonsense, and tokens in every shape. X02-X13.

use crate::harness::{Finished, RawServer, Sandbox};

mod dialect;
mod endpoints;
mod id_tokens;
mod metadata;
mod nonsense;
mod request;
mod shape;
mod size;
mod tokens;

const CANARY: &str = "canary-0b54";

/// A login whose token endpoint gives this reply.
fn login_with(status: u16, body: &[u8]) -> (Sandbox, Finished) {
    let server = RawServer::json(status, body);
    let sandbox = Sandbox::at(&server);
    let finished = sandbox.log_in(&[]);
    assert_eq!(1, server.requests().len(), "the code is sent once");
    (sandbox, finished)
}

#[track_caller]
fn assert_nothing_stored(sandbox: &Sandbox) {
    assert_eq!(Vec::<String>::new(), sandbox.stored());
    sandbox.run(&["token", "work"]).assert_code(4).assert_says("nobody is logged in");
}

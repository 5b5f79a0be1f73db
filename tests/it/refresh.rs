//! `loopin token` when the stored token is stale: one request whoever asks, and a grant that survives.

use crate::harness::{Finished, Provider, Sandbox};

#[test]
fn a_stale_token_is_renewed_by_one_request_and_the_rotated_refresh_token_is_kept() {
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    let first = sandbox.run(&["token", "work"]).stdout;
    let rejected = hash(first.trim());
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
        sandbox.run(&["token", "work", "--rejected", &hash(token.trim())]).assert_code(0);
        assert_eq!(round, provider.counters().token);
    }
}

fn hash(token: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn r01_fifty_processes_with_a_stale_token_send_one_request_and_get_one_token() {
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    let rejected = hash(sandbox.run(&["token", "work"]).stdout.trim());
    let children: Vec<_> = (0..50)
        .map(|_| sandbox.loopin(&["token", "work", "--rejected", &rejected]).spawn().expect("loopin starts"))
        .collect();
    let finished: Vec<_> =
        children.into_iter().map(|child| Finished::new(child.wait_with_output().expect("loopin ends"))).collect();
    for one in &finished {
        assert_eq!(finished[0].stdout, one.assert_code(0).stdout);
    }
    assert_eq!(2, provider.counters().token, "the login's and one refresh");
}

//! Many at once, and killed in between: small runs of `benches/refresh-storm` and `benches/refresh-kill`, with
//! gnome-keyring and with oidc-provider, which ends a grant whose refresh token is used twice.

use std::sync::{Mutex, PoisonError};

use crate::harness::bench;

/// Two of them at once are too much for a small machine.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn r01_forty_processes_with_a_refused_token_send_one_request_and_get_one_token() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    bench("refresh-storm", &[], &[("PROCESSES", "40"), ("ROUNDS", "2")]);
}

#[test]
fn r03_processes_whose_homes_and_directories_all_differ_send_one_request() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    bench("refresh-storm", &[], &[("PROCESSES", "20"), ("ROUNDS", "2"), ("DELAYS", "20"), ("APART", "1")]);
}

#[test]
fn r10_a_killed_asker_takes_no_grant_with_it() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    bench("refresh-kill", &[], &[("KILLS", "20")]);
}

#[test]
fn r11_a_killed_worker_takes_no_grant_with_it_but_between_request_and_journal() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    bench("refresh-kill", &["worker"], &[("KILLS", "12")]);
}

//! Many at once, killed in between, and left without an answer: small runs of `benches/refresh-storm`,
//! `benches/refresh-kill` and `benches/silence`, with gnome-keyring and with oidc-provider, which ends a grant whose
//! refresh token is used twice.

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

#[test]
fn s05_a_killed_worker_takes_no_grant_with_it_that_overflows_its_item() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let padding = ("TOKEN_PADDING", "300000");
    bench("refresh-kill", &["worker"], &[("KILLS", "6"), ("PROVIDERS", "forgiving"), padding]);
}

#[test]
fn s03_no_command_waits_for_long_where_a_provider_or_a_keychain_is_silent() {
    let only = "says no TLS hello: logout,says no TLS hello: token,bus says nothing: status,bus says nothing: token";
    bench("silence", &[], &[("ONLY", only), ("SLACK", "3")]);
}

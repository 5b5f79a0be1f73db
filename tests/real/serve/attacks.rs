//! Fixation, mix-up and replay (docs/threats.md, V01 to V05) against real providers. `LOOPIN_BAR=full` plays twenty
//! rounds in two browsers and flips the bits of ten states in either mode.

use std::{sync::Barrier, thread};

use super::*;
use crate::harness::{consents, customer};

fn rounds(full: u16) -> u16 {
    match std::env::var("LOOPIN_BAR").as_deref() {
        Ok("full") => full,
        _ => 1,
    }
}

/// An address of the network that is kept for measuring (RFC 2544), so that no limit for one address is met.
fn address(n: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() + u32::try_from(n).expect("few"))
}

/// A flow of this user that waits for its answer: the answer, and the cookie.
fn waiting(service: &Service, user: &str) -> (String, String) {
    let (there, cookie) = service.begin("gitlab", user, "read");
    (consents(&there, &service.origin), cookie)
}

#[test]
fn v01_v03_v05_two_browsers_end_with_the_victims_own_connection_and_one_token_request_a_round() {
    let Some(service) = Service::start() else { return };
    let rounds = rounds(20);
    let mut facts = service.facts();
    facts["rounds"] = rounds.into();
    let Some(report) = customer("attacks", &facts, &[]) else { return };
    let played = report["rounds"].as_array().expect("rounds");
    assert_eq!(usize::from(rounds), played.len());
    for (n, seen) in played.iter().enumerate() {
        let outcome = |what: &str| {
            let url = seen[what]["url"].as_str().unwrap_or_else(|| panic!("{what}: {seen:#}"));
            assert!(url.starts_with(&service.done()), "{what}: {seen:#}");
            (parameter(url, "status"), parameter(url, "error"))
        };
        let refused = |error: &str| ("error".to_owned(), error.to_owned());
        assert_eq!(refused("browser_mismatch"), outcome("the provider's address of another browser"));
        assert_eq!(refused("browser_mismatch"), outcome("the answer of another browser"));
        assert_eq!(refused("state_replayed"), outcome("that answer, in its own browser, too late"));
        let asked = seen["an address with the attacker's token"]["text"].as_str().expect("text");
        assert!(asked.contains(&format!("eve-{n}")) && asked.contains("If this is not you"), "{asked}");
        assert_eq!(410, seen["the attacker's button"]["status"], "{seen:#}");
        let mixed = &seen["mixed up: the state of one integration at the redirect of another"];
        assert_eq!(
            (&json!(400), true),
            (&mixed["status"], mixed["url"].as_str().expect("url").starts_with(&service.origin))
        );
        assert_eq!(("success".into(), String::new()), outcome("the victim's own"), "{seen:#}");
        assert_eq!(refused("state_replayed"), outcome("again in the same browser"));
        assert_eq!("error", outcome("again in another browser").0);
    }
    let mut own: Vec<_> = (0..rounds).map(|n| (format!("ada-{n}"), "gitlab".to_owned())).collect();
    own.sort();
    assert_eq!(own, service.connections(), "no row of anybody else");
    assert_eq!(u64::from(rounds), service.first.count("POST /token"), "one a round");
    assert_eq!(0, service.second.count("POST /token"));
}

#[test]
fn v03_of_a_hundred_equal_callbacks_at_once_one_reaches_a_real_provider() {
    let Some(service) = Service::start() else { return };
    for n in 0..rounds(20) {
        let (answer, cookie) = waiting(&service, &format!("ada-{n}"));
        let gate = Barrier::new(100);
        let replies: Vec<_> = thread::scope(|scope| {
            let (answer, cookie, gate) = (&answer, &cookie, &gate);
            let one = |from| {
                move || {
                    gate.wait();
                    callback(answer, cookie, address(from))
                }
            };
            let callers: Vec<_> = (0..100).map(|from| scope.spawn(one(from))).collect();
            callers.into_iter().map(|caller| caller.join().expect("a reply")).collect()
        });
        let of = |error: &str| replies.iter().filter(|(_, to)| parameter(to, "error") == error).count();
        assert_eq!((1, 99), (of(""), of("state_replayed")), "{replies:?}");
        assert_eq!(u64::from(n) + 1, service.first.count("POST /token"));
        assert_eq!(0, service.first.count("grant revoked"), "the code was shown once");
    }
}

/// As a parameter's value, whatever the byte.
fn percent(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn v02_every_bit_of_a_state_counts() {
    for mode in ["handle", "sealed"] {
        let documented = "state_mode = \"handle\"";
        let change = |config: String| swapped(&config, documented, &format!("state_mode = \"{mode}\""));
        let Some(service) = Service::with(change) else { return };
        for n in 0..rounds(10) {
            let user = format!("ada-{n}");
            let (answer, cookie) = waiting(&service, &user);
            let state = parameter(&answer, "state");
            let (path, code) = (answer.split('?').next().expect("path"), parameter(&answer, "code"));
            let bring = |state: &[u8], from: usize| {
                let issuer = percent(service.first.issuer.as_bytes());
                callback(&format!("{path}?code={code}&iss={issuer}&state={}", percent(state)), &cookie, address(from))
            };
            for bit in 0..state.len() * 8 {
                let mut altered = state.clone().into_bytes();
                altered[bit / 8] ^= 1 << (bit % 8);
                assert_eq!((400, String::new()), bring(&altered, bit), "{mode}: bit {bit} of {state}");
            }
            assert_eq!(u64::from(n), service.first.count("POST /token"));
            let (status, to) = bring(state.as_bytes(), 0);
            assert_eq!((302, "success".to_owned()), (status, parameter(&to, "status")), "what was sent is good: {to}");
        }
    }
}

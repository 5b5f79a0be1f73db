//! V06, V07: a token that was verified once is as good as the first time, and no better.

use super::*;
use crate::service::jwt::verified_tokens::MOST;

fn issued(exp: u64) -> String {
    hs(&with(json!({ "exp": exp })))
}

#[test]
fn v07_a_remembered_token_expires_when_any_other_does() {
    let verifier = verifier();
    let token = issued(NOW + 100);
    let at = |second: u64| verifier.verify(&token, UNIX_EPOCH + Duration::from_secs(second)).map_err(|(why, _)| why);
    assert!(at(NOW).is_ok() && at(NOW + 159).is_ok(), "the leeway is a minute");
    assert_eq!(Err(Refused::Expired), at(NOW + 160));
}

#[test]
fn v07_a_clock_that_is_set_back_has_it_judged_anew() {
    let verifier = verifier();
    let token = hs(&with(json!({"nbf": NOW, "exp": NOW + 100})));
    assert!(verifier.verify(&token, now()).is_ok());
    let before = verifier.verify(&token, now() - Duration::from_secs(61)).map_err(|(why, _)| why);
    assert_eq!(Err(Refused::NotYetValid), before);
}

#[test]
fn v06_what_differs_from_a_remembered_token_is_another_token() {
    let verifier = verifier();
    let token = issued(NOW + 100);
    assert!(verifier.verify(&token, now()).is_ok());
    for other in [format!("{token}A"), token[..token.len() - 1].to_owned(), format!(" {token}"), token.to_uppercase()] {
        assert!(verifier.verify(&other, now()).is_err(), "{other}");
    }
    assert_eq!(1, verifier.verified_count(), "a refused token is not kept");
}

#[test]
fn v06_so_many_tokens_are_remembered_and_the_expired_go_first() {
    let verifier = verifier();
    for n in 0..MOST as u64 {
        assert!(verifier.verify(&issued(NOW + 100 + n), now()).is_ok());
    }
    assert_eq!(MOST, verifier.verified_count());
    // By then the leeway of a thousand is over.
    let later = now() + Duration::from_secs(100 + 999 + 60);
    assert!(verifier.verify(&issued(NOW + 90_000), later).is_ok());
    assert_eq!(MOST - 1000 + 1, verifier.verified_count());
}

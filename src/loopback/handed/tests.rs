//! What a user pastes instead of the browser's request.

use proptest::prelude::*;

use super::super::tests::{assert_code, get, login, login_at};
use super::*;
use crate::{oauth::IssParameter, redirect::RelayedRedirect};

const RIGHT: &str = "http://127.0.0.1:25417/callback?code=canary-code&state=canary-state";

fn is_code(reaction: &Result<Reaction, NotTheResponse>) -> bool {
    matches!(reaction, Ok(Reaction::Code(_, SentBy::User)))
}

#[test]
fn l41_the_address_where_the_browser_ended_is_the_answer() {
    let accepted = [
        RIGHT.to_owned(),
        format!("  {RIGHT}\r\n"),
        format!("\"{RIGHT}\""),
        format!("<{RIGHT}>"),
        format!("{RIGHT}#_=_"),
        RIGHT.replace("http://", ""),
        RIGHT.replace("code&", "code\n&"),
        RIGHT.replace("code&", "code\r&"),
        RIGHT.replace("canary-st", "canary-\r\n   st"),
    ];
    for text in accepted {
        assert!(is_code(&login().take(&text)), "{text:?}");
    }
}

#[test]
fn l41_everything_else_is_named_and_the_login_goes_on_waiting() {
    use NotTheResponse as Not;
    let long = "a".repeat(LONGEST + 1);
    let refused = [
        ("canary-code", Not::NoAddress),
        ("canary-code#canary-state", Not::NoAddress),
        ("code=canary-code&state=canary-state", Not::NoAddress),
        ("", Not::NoAddress),
        ("http://127.0.0.1:25417/callback", Not::NoQuery),
        ("http://127.0.0.1:25417/callback?", Not::NoQuery),
        ("https://op.example/authorize?response_type=code&state=canary-state", Not::AuthorizationRequest),
        ("https://op.example/signed-in?code=canary-code&state=canary-state", Not::OtherAddress),
        ("http://localhost:25417/callback?code=canary-code&state=canary-state", Not::OtherAddress),
        ("http://127.0.0.1:25418/callback?code=canary-code&state=canary-state", Not::OtherAddress),
        ("https://127.0.0.1:25417/callback?code=canary-code&state=canary-state", Not::OtherAddress),
        ("http://127.0.0.1:25417/callback/?code=canary-code&state=canary-state", Not::OtherAddress),
        ("curl http://127.0.0.1:25417/callback?code=canary-code&state=canary-state", Not::OtherAddress),
        ("http://127.0.0.1:25417/callback?code=canary-code", Not::Unrelated(Unrelated::NoState)),
        ("http://127.0.0.1:25417/callback?code=canary-code&state=other", Not::Unrelated(Unrelated::WrongState)),
        ("http://127.0.0.1:25417/callback?state=canary-state", Not::Unrelated(Unrelated::Incomplete)),
        ("http://127.0.0.1:25417/callback?code=a b&state=canary-state", Not::Unrelated(Unrelated::NotText)),
        (&format!("{RIGHT}&state=canary-state"), Not::Unrelated(Unrelated::DuplicateParameter)),
        (&format!("{RIGHT}{RIGHT}"), Not::Unrelated(Unrelated::DuplicateParameter)),
        (&long, Not::TooLong),
    ];
    for (text, why) in refused {
        let mut login = login();
        match login.take(text) {
            Err(found) => assert_eq!(why, found, "{text:.100}"),
            Ok(other) => panic!("{text}: {other:?}"),
        }
        assert_code(&mut login);
    }
}

#[test]
fn l41_iss_is_judged_as_at_the_listener() {
    let mut promised = login_at("http://127.0.0.1:0/callback", 25417, IssParameter::Promised);
    assert!(matches!(promised.take(RIGHT), Ok(Reaction::Refused(..))), "a server that promises iss sends it");
    let foreign = format!("{RIGHT}&iss=https%3A%2F%2Fevil.example");
    assert!(matches!(login().take(&foreign), Ok(Reaction::Refused(..))));
}

#[test]
fn l41_a_denial_can_be_pasted_too() {
    let text = "http://127.0.0.1:25417/callback?error=access_denied&state=canary-state";
    assert!(matches!(login().take(text), Ok(Reaction::Denied(..))));
}

#[test]
fn l41_one_response_counts_whichever_way_it_came() {
    let mut first = login();
    assert!(is_code(&first.take(RIGHT)));
    assert_eq!(Some(NotTheResponse::AlreadyAnswered), first.take(RIGHT).err());
    let mut arrived = login();
    assert_code(&mut arrived);
    assert_eq!(Some(NotTheResponse::AlreadyAnswered), arrived.take(RIGHT).err());
}

#[test]
fn l41_behind_a_relay_both_addresses_are_the_redirect() {
    let relay = RelayedRedirect::parse("https://acme.example/cli/work").expect("relay");
    for address in ["https://acme.example/cli/work", "acme.example/cli/work", "http://127.0.0.1:25417/callback"] {
        let mut login = login();
        login.redirect = login.redirect.clone().behind(&relay);
        assert!(is_code(&login.take(&format!("{address}?code=canary-code&state=canary-state"))), "{address}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// Cut, doubled and changed anywhere: what is accepted is what the listener accepts as a request.
    #[test]
    fn l41_nothing_is_accepted_that_the_listener_would_not_accept(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<char>()), 1..4)
    ) {
        let mut text: Vec<char> = RIGHT.chars().collect();
        for (at, what, character) in edits {
            let at = at.index(text.len().max(1)).min(text.len());
            match what {
                0 if at < text.len() => { text.remove(at); }
                1 if at < text.len() => text[at] = character,
                2 => text.truncate(at),
                _ => text.insert(at, character),
            }
        }
        let text: String = text.into_iter().collect();
        if is_code(&login().take(&text)) {
            let clean = joined(&text).expect("short");
            let before_fragment = clean.split('#').next().expect("text");
            let (_, target) = before_fragment.split_once("127.0.0.1:25417").expect("the address is ours");
            let mut same = login();
            prop_assert!(matches!(same.receive(&get(target), || SentBy::User), Reaction::Code(..)), "{text:?}");
        }
    }
}

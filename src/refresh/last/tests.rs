//! Who may take the result of a refresh for their own.

use super::*;
use crate::{
    catalog::IntegrationName,
    oauth::{ErrorResponse, ExchangeError, HttpError, MalformedToken},
    refresh::{
        Before, OtherSubject,
        tests::{DAY, S, after, grant, record},
    },
    secret::SealKey,
    vault::{AccountName, ActionKey, GrantKey, seal::NONCE_BYTES},
};

#[test]
fn r02_a_refresh_answers_those_who_began_to_wait_before_it_ended() {
    let last = LastRefresh::new(RefreshResult::Renewed, 1, after(500));
    assert!(last.answers(after(0), after(600)));
    assert!(last.answers(after(500), after(500)));
    assert!(!last.answers(after(501), after(600)), "it ended before");
}

#[test]
fn r19_a_refresh_that_ended_in_the_future_answers_nobody() {
    let last = LastRefresh::new(RefreshResult::Transient { message: "no answer".into() }, 1, after(10 * DAY * S));
    assert!(!last.answers(after(0), after(600)));
}

#[test]
fn r12_a_refresh_token_that_the_provider_takes_no_more_is_never_sent_again() {
    let why = || "why".to_owned();
    let of_now = Record { generation: 3, ..record() };
    let of_later = Record { generation: 4, ..record() };
    let (start, now) = (after(100), after(200));
    let spares = |result: RefreshResult, at: u64, record: &Record| {
        LastRefresh::new(result, 3, after(at)).spares_a_request(record, start, now)
    };
    assert!(spares(RefreshResult::Dead { message: why() }, 1, &of_now), "however long ago");
    assert!(!spares(RefreshResult::Dead { message: why() }, 150, &of_later), "another login came since");
    assert!(spares(RefreshResult::Transient { message: why() }, 150, &of_now), "while this one waited");
    assert!(!spares(RefreshResult::Transient { message: why() }, 50, &of_now), "before it asked");
    let of_before = Record { generation: 2, ..record() };
    assert!(spares(RefreshResult::Renewed, 150, &of_before), "while this one waited");
    assert!(!spares(RefreshResult::Renewed, 150, &of_now), "what it brought is what was refused");
    assert!(!spares(RefreshResult::Unstored { message: why() }, 150, &of_now), "its tokens lie in the journal");
}

#[test]
fn how_a_refresh_went_is_read_as_it_was_written_and_nonsense_is_nothing() {
    let message = || "why".to_owned();
    for result in [
        RefreshResult::Dead { message: message() },
        RefreshResult::Misconfigured { message: message() },
        RefreshResult::Refused { message: message() },
        RefreshResult::Renewed,
        RefreshResult::Unstored { message: message() },
        RefreshResult::Transient { message: message() },
    ] {
        let last = LastRefresh::new(result, 1, after(1));
        assert_eq!(Some(last.clone()), LastRefresh::parse(&last.serialize()));
        assert_eq!(after(1), last.at());
    }
    for bad in [
        "",
        "{}",
        "null",
        r#"{"v":1,"at":-1,"generation":1,"result":"renewed"}"#,
        r#"{"v":1,"at":1,"generation":1,"result":"new"}"#,
    ] {
        assert_eq!(None, LastRefresh::parse(format!("{bad}\n").as_bytes()), "{bad}");
    }
}

#[test]
fn r01_who_waited_takes_the_renewed_record_from_what_the_refresh_left() {
    let place = |account| {
        let account = AccountName::parse(account).expect("account");
        GrantKey::personal(IntegrationName::parse("work").expect("name"), account, ActionKey::All).state("memory", "")
    };
    let (before, renewed) = (record(), Record { generation: 4, grant: grant(7200), ..record() });
    let left = LastRefresh::renewed(&renewed, &place("me"), after(1), Nonce([9; NONCE_BYTES])).serialize();
    for secret in ["an-access-token", "old-refresh", "old-id"] {
        assert!(!left.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()), "{secret} can be read");
    }
    let left = LastRefresh::parse(&left).expect("what was left");
    let found = left.record(&before, &place("me")).expect("a record");
    assert_eq!((4, renewed.grant.expiry), (found.generation, found.grant.expiry));
    assert!(left.record(&before, &place("another")).is_none(), "another grant's place");
    let other_login = Record { seal_key: SealKey::new([8; 32]), ..record() };
    assert!(left.record(&other_login, &place("me")).is_none(), "another login's key");
    let failed = LastRefresh::new(RefreshResult::Transient { message: "no answer".into() }, 3, after(1));
    assert!(failed.record(&before, &place("me")).is_none(), "it brought nothing");
}

#[test]
fn r18_each_failure_has_a_result_and_words_of_its_own() {
    let exchange = |error, before| Failed::Exchange { error, before };
    let dead = || ExchangeError::Denied(ErrorResponse::of(400, "invalid_grant"));
    for (failed, expected) in [
        (
            exchange(dead(), Before::Nothing),
            RefreshResult::Dead {
                message: "the provider no longer accepts the stored refresh token (invalid_grant)".into(),
            },
        ),
        (
            exchange(dead(), Before::Interrupted),
            RefreshResult::Dead {
                message: "the last refresh was interrupted, and the provider no longer accepts the refresh token \
                    (invalid_grant)"
                    .into(),
            },
        ),
        (Failed::NoRefreshToken, RefreshResult::Dead { message: "there is no refresh token".into() }),
        (
            exchange(ExchangeError::Denied(ErrorResponse::of(401, "invalid_client")), Before::Nothing),
            RefreshResult::Misconfigured { message: "the token endpoint refused the request: invalid_client".into() },
        ),
        (
            exchange(ExchangeError::Unreachable(HttpError::Timeout), Before::Interrupted),
            RefreshResult::Transient { message: "the token endpoint gave no reply: no answer in time".into() },
        ),
        (Failed::OtherSubject(OtherSubject), RefreshResult::Refused { message: OtherSubject.to_string() }),
        (
            exchange(ExchangeError::Malformed(MalformedToken::UnaskedDpop), Before::Nothing),
            RefreshResult::Refused { message: MalformedToken::UnaskedDpop.to_string() },
        ),
    ] {
        assert_eq!(expected, RefreshResult::failed(&failed), "{failed:?}");
    }
}

#[test]
fn d03_ambiguous_refusals_are_counted_until_they_are_final() {
    let minute = |minute: u64| after(minute * 60 * S);
    let ambiguous = || RefreshResult::Ambiguous { message: "refused: x".into() };
    let result = |results: &[(u64, u64, RefreshResult)]| {
        let one = |before: Option<LastRefresh>, (at, generation, result): &(u64, u64, RefreshResult)| {
            let last = LastRefresh::new(result.clone(), *generation, minute(*at)).after(before.as_ref());
            // As it is read again.
            LastRefresh::parse(&last.serialize())
        };
        results.iter().fold(None, one).expect("a result").result
    };
    let hourly = |generations: [u64; 5]| [0, 15, 30, 45, 60].into_iter().zip(generations);
    let refused: Vec<_> = hourly([3; 5]).map(|(at, generation)| (at, generation, ambiguous())).collect();
    assert!(matches!(result(&refused), RefreshResult::Dead { .. }));
    assert_eq!(ambiguous(), result(&refused[..4]), "four");
    let renewed: Vec<_> = hourly([3, 3, 4, 4, 4]).map(|(at, generation)| (at, generation, ambiguous())).collect();
    assert_eq!(ambiguous(), result(&renewed), "a refresh succeeded in between");
    let mut interrupted = refused.clone();
    interrupted.insert(2, (20, 3, RefreshResult::Transient { message: "no answer".into() }));
    assert!(matches!(result(&interrupted), RefreshResult::Dead { .. }), "a network failure proves nothing");
}

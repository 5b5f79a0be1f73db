//! What a stored token is worth, and what becomes of a refresh: without a clock, without a network.

use super::*;
use crate::{
    catalog::IntegrationName,
    oauth::{Claims, ClientId, Endpoint, Expiry, Scopes, TokenType},
    secret::SealKey,
    vault::{AccountName, ActionKey, GrantKey, Pinned, seal::NONCE_BYTES},
};

const DAY: u64 = 86_400;
const START: u64 = 1_800_000_000;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// A second, in milliseconds.
const S: u64 = 1000;

fn after(millis: u64) -> SystemTime {
    at(START) + Duration::from_millis(millis)
}

fn scopes(text: &str) -> Scopes {
    Scopes::parse(text).expect("scopes")
}

/// Obtained at `START`, for this many seconds.
fn grant(life: u64) -> Grant {
    Grant {
        asked: scopes("read write"),
        granted: scopes("read"),
        access_token: Secret::new("an-access-token".into()),
        token_type: TokenType::Bearer,
        expiry: Expiry::At(at(START + life)),
        refresh_token: Some(Secret::new("old-refresh".into())),
        refreshable_until: None,
        id_token: Some(Secret::new("old-id".into())),
        subject: Some("me".into()),
        obtained_at: at(START),
    }
}

fn record() -> Record {
    Record {
        seal_key: SealKey::new([7; 32]),
        generation: 3,
        pinned: Pinned {
            issuer: None,
            token_endpoint: Endpoint::parse("https://op.example/token").expect("endpoint"),
            revocation_endpoint: None,
            client_id: ClientId::parse("client").expect("id"),
        },
        grant: grant(3600),
    }
}

const MARGIN: Wish = Wish::USUAL;

fn at_least(seconds: u64) -> Wish {
    Wish { min_ttl: MinTtl::AtLeast(Duration::from_secs(seconds)), rejected: None }
}

fn short(millis: u64) -> Worth {
    Worth::Short { left: Duration::from_millis(millis) }
}

fn expired(millis: u64) -> Worth {
    Worth::Expired { ago: Duration::from_millis(millis) }
}

#[test]
fn r21_the_margin_is_a_tenth_of_the_life_and_never_more_than_a_minute() {
    for (life, margin) in [(2, 200), (10, S), (600, 60 * S), (3600, 60 * S), (10 * 365 * DAY, 60 * S)] {
        let (grant, end) = (grant(life), life * S);
        for (now, worth) in [
            (0, Worth::Fresh),
            (end - margin, Worth::Fresh),
            (end - margin + 1, short(margin - 1)),
            (end - 1, short(1)),
            (end, expired(0)),
            (end + 1, expired(1)),
            (end + 400 * DAY * S, expired(400 * DAY * S)),
        ] {
            assert_eq!(worth, MARGIN.worth(&grant, after(now)), "life {life} s, {now} ms after it came");
        }
    }
}

#[test]
fn r21_a_wish_for_more_or_for_less_replaces_the_margin() {
    let grant = grant(3600);
    assert_eq!(Worth::Fresh, at_least(0).worth(&grant, after(3600 * S - 1)));
    assert_eq!(expired(0), at_least(0).worth(&grant, after(3600 * S)));
    assert_eq!(Worth::Fresh, at_least(600).worth(&grant, after(3000 * S)));
    assert_eq!(short(600 * S - 1), at_least(600).worth(&grant, after(3000 * S + 1)));
    assert!(MARGIN.takes_short());
    assert!(!at_least(600).takes_short() && !at_least(0).takes_short(), "who names a time means it");
}

#[test]
fn r19_r20_a_clock_that_has_gone_back_makes_no_token_live_longer_than_its_life() {
    let grant = grant(3600);
    let before = |seconds| at(START - seconds);
    for seconds in [0, 1, 60] {
        assert_eq!(Worth::Fresh, MARGIN.worth(&grant, before(seconds)), "{seconds} s are no more than clocks differ");
    }
    for seconds in [61, 3600, 10 * DAY, 365 * DAY] {
        // Short, so that one request finds out; not expired, so that it serves while there is no other.
        assert_eq!(short(3600 * S), MARGIN.worth(&grant, before(seconds)), "{seconds} s");
    }
    assert_eq!(short(3600 * S), MARGIN.worth(&grant, UNIX_EPOCH));
}

#[test]
fn r19_a_clock_that_has_gone_forward_makes_every_token_old() {
    for days in [10, 365] {
        assert_eq!(expired(days * DAY * S - 3600 * S), MARGIN.worth(&grant(3600), after(days * DAY * S)));
    }
}

#[test]
fn a_token_that_is_older_than_its_own_arrival_has_no_life_and_no_panic() {
    let upside_down = Grant { obtained_at: at(START + 10 * DAY), ..grant(5) };
    assert_eq!(short(0), MARGIN.worth(&upside_down, at(START - 3600)));
    assert_eq!(expired(S), MARGIN.worth(&upside_down, at(START + 6)));
}

/// SHA-256 of `an-access-token`.
fn hash() -> String {
    Sha256::digest("an-access-token").iter().map(|byte| format!("{byte:02x}")).collect()
}

fn refused(hash: &str) -> Wish {
    Wish { min_ttl: MinTtl::Margin, rejected: Rejected::parse(hash) }
}

#[test]
fn r24_only_the_stored_token_can_be_the_rejected_one() {
    let hash = hash();
    for ours in [hash.as_str(), &hash[..8], &hash[..40], &hash.to_ascii_uppercase()] {
        let wish = refused(ours);
        assert!(wish.rejected.is_some(), "{ours}");
        assert_eq!(Worth::Rejected, wish.worth(&grant(3600), after(0)), "{ours}");
        assert_eq!(Worth::Rejected, wish.worth(&grant(3600), after(DAY * S)), "{ours}");
    }
    let other: String = hash.chars().map(|c| if c == '0' { '1' } else { '0' }).collect();
    for theirs in [other.as_str(), &hash[1..], &format!("{}{}", &hash[..63], &other[63..])] {
        let wish = refused(theirs);
        assert!(wish.rejected.is_some(), "{theirs}");
        assert_eq!(Worth::Fresh, wish.worth(&grant(3600), after(0)), "{theirs}");
    }
}

#[test]
fn r24_a_hash_is_8_to_64_hexadecimal_digits() {
    let hash = hash();
    for good in [&hash[..8], &hash[..9], &hash, "ABCDEF01"] {
        assert!(Rejected::parse(good).is_some(), "{good}");
    }
    for bad in ["", "a", &hash[..7], &format!("{hash}0"), "abcdefgh", "0x123456", " abcdef01", "abcdef0\u{e9}"] {
        assert_eq!(None, Rejected::parse(bad), "{bad}");
    }
}

#[test]
fn r19_a_wish_beyond_the_life_of_a_new_token_exceeds_and_is_asked_for_again_after_the_pause() {
    let (grant, life) = (grant(600), Some(Duration::from_secs(600)));
    assert_eq!(life, at_least(600).exceeds(&grant, after(0)));
    assert_eq!(life, at_least(3600).exceeds(&grant, after(30 * S - 1)));
    assert_eq!(None, at_least(3600).exceeds(&grant, after(30 * S)), "the provider may have changed its mind");
    assert_eq!(None, at_least(599).exceeds(&grant, after(0)));
    assert_eq!(None, MARGIN.exceeds(&grant, after(0)));
    assert_eq!(life, at_least(600).exceeds(&grant, at(START - 10 * DAY)), "no loop under a clock that has gone back");
}

fn tokens() -> TokenSet {
    TokenSet {
        access_token: Secret::new("new-access".into()),
        token_type: TokenType::Bearer,
        expiry: Expiry::At(at(START + 7200)),
        refresh_token: None,
        refreshable_until: None,
        granted: None,
        id_token: None,
        claims: None,
    }
}

fn same(expected: &str, secret: Option<&Secret>) -> bool {
    secret.is_some_and(|secret| secret.matches(expected))
}

#[test]
fn r14_what_the_reply_leaves_out_stays() {
    let new = renewed(&record(), tokens(), at(START + 3600)).expect("renewed");
    assert!(same("new-access", Some(&new.grant.access_token)));
    assert!(same("old-refresh", new.grant.refresh_token.as_ref()));
    assert!(same("old-id", new.grant.id_token.as_ref()));
    assert_eq!((scopes("read write"), scopes("read")), (new.grant.asked, new.grant.granted));
    assert_eq!(Some("me"), new.grant.subject.as_deref());
    assert_eq!((Expiry::At(at(START + 7200)), at(START + 3600)), (new.grant.expiry, new.grant.obtained_at));
    assert_eq!(3, new.generation, "the vault counts");
    assert_eq!(record().seal_key.expose(), new.seal_key.expose(), "else a journal could not be opened");
}

#[test]
fn r14_what_the_reply_brings_replaces() {
    let brought = TokenSet {
        refresh_token: Some(Secret::new("new-refresh".into())),
        granted: Some(scopes("write")),
        id_token: Some(Secret::new("new-id".into())),
        claims: Some(Claims { iss: "https://op.example".into(), sub: "me".into() }),
        ..tokens()
    };
    let new = renewed(&record(), brought, at(START)).expect("renewed").grant;
    assert!(same("new-refresh", new.refresh_token.as_ref()) && same("new-id", new.id_token.as_ref()));
    assert_eq!(scopes("write"), new.granted);
}

#[test]
fn r14_until_when_a_grant_can_be_renewed_belongs_to_its_refresh_token() {
    let before = Record { grant: Grant { refreshable_until: Some(at(START + DAY)), ..grant(3600) }, ..record() };
    let after = |tokens| renewed(&before, tokens, at(START)).expect("renewed").grant.refreshable_until;
    let rotated = || TokenSet { refresh_token: Some(Secret::new("new-refresh".into())), ..tokens() };
    assert_eq!(Some(at(START + DAY)), after(tokens()), "the old one stays");
    assert_eq!(None, after(rotated()), "of the new one nothing is known");
    let said = Some(at(START + 2 * DAY));
    assert_eq!(said, after(TokenSet { refreshable_until: said, ..rotated() }));
}

#[test]
fn s10_another_persons_tokens_are_refused() {
    let of =
        |sub: &str| TokenSet { claims: Some(Claims { iss: "https://op.example".into(), sub: sub.into() }), ..tokens() };
    for other in ["you", "", "Me", "me "] {
        assert_eq!(Some(OtherSubject), renewed(&record(), of(other), at(START)).err(), "{other:?}");
    }
    let mut nameless = record();
    nameless.grant.subject = None;
    let named = renewed(&nameless, of("you"), at(START)).expect("nobody was known before");
    assert_eq!(Some("you"), named.grant.subject.as_deref());
    assert_eq!(Some(OtherSubject), renewed(&named, of("me"), at(START)).err());
}

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
fn r17_at_most_three_tries_and_only_of_what_certainly_had_no_effect() {
    let jitter = Duration::from_millis(7);
    let pause_at = |millis, tried, reached| {
        pause_before_retry(tried, Duration::from_millis(millis), reached, jitter).map(|pause| pause.as_millis())
    };
    let pause = |tried, reached| pause_at(0, tried, reached);
    let away = |seconds: Option<u64>| Reached::TurnedAway { retry_after: seconds.map(Duration::from_secs) };
    assert_eq!([Some(407), Some(807), None], [1, 2, 3].map(|tried| pause(tried, Reached::Nobody)));
    assert_eq!([Some(1007), Some(2007), None], [1, 2, 3].map(|tried| pause(tried, away(None))));
    assert_eq!([Some(5007), Some(5007), None], [1, 2, 3].map(|tried| pause(tried, away(Some(5)))));
    assert_eq!((Some(10_007), None), (pause(1, away(Some(10))), pause(1, away(Some(11)))), "nobody waits for longer");
    assert_eq!(Some(7), pause(1, away(Some(0))));
    assert_eq!(None, pause(1, away(Some(u64::MAX))));
    assert_eq!([None; 3], [1, 2, 3].map(|tried| pause(tried, Reached::Maybe)), "it may have arrived");
    for reached in [Reached::Nobody, away(None), away(Some(5))] {
        assert!(pause_at(9_999, 1, reached).is_some());
        assert_eq!(None, pause_at(10_000, 1, reached), "callers have waited for long enough");
    }
}

#[test]
fn r18_each_verdict_has_a_result_of_its_own() {
    let message = || "why".to_owned();
    for (verdict, result) in [
        (Verdict::Dead, RefreshResult::Dead { message: message() }),
        (Verdict::Misconfigured, RefreshResult::Misconfigured { message: message() }),
        (Verdict::Refused, RefreshResult::Refused { message: message() }),
        (Verdict::Transient, RefreshResult::Transient { message: message() }),
    ] {
        assert_eq!(result, RefreshResult::failed(verdict, message()));
    }
}

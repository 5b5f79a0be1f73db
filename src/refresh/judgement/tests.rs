//! What a failed refresh means, and whether it is sent again.

use super::*;
use crate::{
    oauth::{CaStore, MalformedToken, NotOAuth},
    refresh::{Before, OtherSubject},
    vault::StoreError,
};

fn judged(error: ExchangeError) -> (Verdict, Reached) {
    let Judgement { verdict, reached } = Judgement::of(&Failed::Exchange { error, before: Before::Nothing });
    (verdict, reached)
}

fn denied(status: u16, code: &str) -> ExchangeError {
    ExchangeError::Denied(ErrorResponse::of(status, code))
}

#[test]
fn d03_known_words_end_a_grant_and_unknown_ones_are_ambiguous() {
    for code in ["invalid_grant", "bad_refresh_token", "invalid_refresh_token", "token_revoked", "invalid_code"] {
        for status in [200, 400, 401, 403] {
            assert_eq!((Verdict::Dead, Reached::Provider), judged(denied(status, code)), "{status} {code}");
        }
        assert_eq!((Verdict::Transient, Reached::Maybe), judged(denied(500, code)), "{code}");
    }
    assert_eq!((Verdict::Misconfigured, Reached::Provider), judged(denied(401, "invalid_client")));
    for code in ["unauthorized_client", "unsupported_grant_type", "invalid_scope", "access_denied", "unknown_error"] {
        assert_eq!((Verdict::Ambiguous, Reached::Provider), judged(denied(400, code)), "{code}");
    }
    for code in ["server_error", "slow_down", "temporarily_unavailable", "internal_failure"] {
        assert_eq!((Verdict::Transient, Reached::Maybe), judged(denied(400, code)), "{code}");
    }
}

#[test]
fn d03_five_refusals_over_an_hour_are_final() {
    let at = |minutes: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(60 * minutes);
    let after = |minutes: &[u64]| {
        let times = minutes.iter().map(|minute| at(*minute));
        let counted = times.fold(None, |before, now| Some(Refusals::and_one_more(before, now)));
        counted.expect("refusals").are_final(at(*minutes.last().expect("a time")))
    };
    assert!(after(&[0, 15, 30, 45, 60]));
    assert!(after(&[0, 0, 0, 0, 0, 0, 0, 61]));
    assert!(!after(&[0, 15, 30, 45, 59]), "within an hour");
    assert!(!after(&[0, 0, 0, 0, 0, 0, 0, 0]), "many at once");
    assert!(!after(&[0, 600, 1200, 1800]), "four");
    assert!(!after(&[100, 100, 100, 100, 0]), "the clock was set back");
}

#[test]
fn d14_a_provider_that_is_busy_names_the_pause_in_an_error_as_well() {
    let later = |seconds: Option<u64>| Reached::TurnedAway { retry_after: seconds.map(Duration::from_secs) };
    for status in [429, 503] {
        let mut response = ErrorResponse::of(status, "busy");
        response.retry_after = Some(Duration::from_secs(7));
        assert_eq!((Verdict::Transient, later(Some(7))), judged(ExchangeError::Denied(response)), "{status}");
        let page = NotOAuth { status, bytes: 9, retry_after: Some(Duration::from_secs(8)) };
        assert_eq!((Verdict::Transient, later(Some(8))), judged(ExchangeError::NotOAuth(page)), "{status}");
    }
}

#[test]
fn r18_a_response_that_is_not_oauth_says_nothing_about_the_grant() {
    for status in [200, 204, 302, 400, 401, 403, 404, 408, 500, 502, 504] {
        let page = ExchangeError::NotOAuth(NotOAuth { status, bytes: 9, retry_after: None });
        assert_eq!((Verdict::Transient, Reached::Maybe), judged(page), "{status}");
    }
    for status in [429, 503] {
        let later = ExchangeError::NotOAuth(NotOAuth { status, bytes: 9, retry_after: None });
        assert_eq!((Verdict::Transient, Reached::TurnedAway { retry_after: None }), judged(later), "{status}");
    }
}

#[test]
fn r16_a_request_without_a_connection_reached_nobody() {
    for why in [HttpError::Connect("refused".into()), HttpError::Tls("expired".into())] {
        assert_eq!((Verdict::Transient, Reached::Nobody), judged(ExchangeError::Unreachable(why)));
    }
    let proxy = HttpError::Proxy { variable: "HTTPS_PROXY", why: "no port" };
    assert_eq!((Verdict::Misconfigured, Reached::Nobody), judged(ExchangeError::Unreachable(proxy)));
    let no_ca = HttpError::NoCa(CaStore::System);
    assert_eq!((Verdict::Misconfigured, Reached::Nobody), judged(ExchangeError::Unreachable(no_ca)));
    for why in [HttpError::Certificate("expired".into()), HttpError::UnknownCa(CaStore::System)] {
        assert_eq!((Verdict::Refused, Reached::Nobody), judged(ExchangeError::Unreachable(why)));
    }
    for why in [HttpError::Broken("reset".into()), HttpError::Timeout, HttpError::TooLarge] {
        assert_eq!((Verdict::Transient, Reached::Maybe), judged(ExchangeError::Unreachable(why)));
    }
}

#[test]
fn tokens_that_cannot_be_used_may_have_used_up_the_refresh_token() {
    let malformed = judged(ExchangeError::Malformed(MalformedToken::AccessToken));
    assert_eq!((Verdict::Refused, Reached::Maybe), malformed);
}

#[test]
fn without_a_request_nothing_has_reached_the_provider() {
    let of = |failed| Judgement::of(&failed);
    let nobody = |verdict| Judgement { verdict, reached: Reached::Nobody };
    assert_eq!(nobody(Verdict::NoRefreshToken), of(Failed::NoRefreshToken));
    assert_eq!(nobody(Verdict::Transient), of(Failed::Journal(StoreError::TooLarge)));
    let other = Judgement { verdict: Verdict::OtherSubject, reached: Reached::Provider };
    assert_eq!(other, of(Failed::OtherSubject(OtherSubject)));
}

#[test]
fn r17_a_busy_provider_names_the_pause_in_seconds() {
    let response = |status: u16, field: &str| {
        let mut response = HttpResponse::default();
        *response.status_mut() = oauth2::http::StatusCode::from_u16(status).expect("status");
        response.headers_mut().insert("retry-after", field.parse().expect("field"));
        Reached::by_response(&response)
    };
    let after = |seconds| Reached::TurnedAway { retry_after: Some(Duration::from_secs(seconds)) };
    assert_eq!([after(5), after(7)], [response(429, "5"), response(503, " 7 ")]);
    assert_eq!(Reached::TurnedAway { retry_after: None }, response(503, "Fri, 31 Dec 1999 23:59:59 GMT"));
    assert_eq!([Reached::Maybe; 2], [response(200, "5"), response(500, "5")]);
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
    for reached in [Reached::Maybe, Reached::Provider] {
        assert_eq!([None; 3], [1, 2, 3].map(|tried| pause(tried, reached)), "it may have arrived");
    }
    for reached in [Reached::Nobody, away(None), away(Some(5))] {
        assert!(pause_at(9_999, 1, reached).is_some());
        assert_eq!(None, pause_at(10_000, 1, reached), "callers have waited for long enough");
    }
}

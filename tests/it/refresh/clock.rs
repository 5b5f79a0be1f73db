//! Clocks that are wrong and tokens that live shortly: at most one request a call, and no loop. R19, R20, R21.

use super::*;

/// A token endpoint whose own clock says something else.
fn server_that_is_off(date: &'static str) -> Scene {
    let fields: &'static str = format!("{JSON}Date: {date}\r\n").leak();
    Scene::answering(200, fields, SECOND)
}

#[test]
fn r19_the_life_of_a_token_counts_from_its_arrival_whatever_the_servers_clock_says() {
    // The end of 2016, and a date that no program of today will see.
    for date in ["Sat, 31 Dec 2016 23:59:59 GMT", "Thu, 01 Jan 2099 00:00:00 GMT", "yesterday"] {
        let scene = server_that_is_off(date);
        scene.sandbox.expire();
        for call in 1..=5 {
            assert_eq!("second\n", scene.token().assert_code(0).stdout, "{date}, call {call}");
            assert_eq!(1, scene.refreshes().len(), "{date}, call {call}");
        }
    }
}

/// What is stored was written under another clock: this is what our own one's jump looks like.
fn jump(scene: &Scene, change: impl Fn(SystemTime) -> SystemTime) {
    scene.sandbox.alter(|grant| {
        grant.obtained_at = change(grant.obtained_at);
        grant.expiry = Expiry::At(change(grant.expiry.end().expect("an end")));
    });
}

#[test]
fn r19_a_clock_that_jumps_by_days_or_years_costs_one_request_and_no_loop() {
    for days in [10, 365] {
        for (way, jump_of_clock) in [("forward", true), ("back", false)] {
            let scene = Scene::answering(200, JSON, SECOND);
            jump(&scene, |time| if jump_of_clock { time - DAY * days } else { time + DAY * days });
            for call in 1..=5 {
                assert_eq!("second\n", scene.token().assert_code(0).stdout, "{days} d {way}, call {call}");
                assert_eq!(1, scene.refreshes().len(), "{days} d {way}, call {call}");
            }
        }
    }
}

#[test]
fn r19_under_a_clock_that_has_gone_back_a_token_serves_while_there_is_no_other() {
    let scene = Scene::answering(503, "Retry-After: 3600\r\n", "");
    jump(&scene, |time| time + DAY * 10);
    for call in 1..=3 {
        assert_eq!("first\n", scene.token().assert_code(0).stdout);
        assert_eq!(call, scene.refreshes().len(), "one request a call");
    }
}

#[test]
fn r19_a_provider_that_gives_tokens_without_life_is_asked_once_a_call() {
    let scene = Scene::answering(200, JSON, r#"{"access_token":"second","expires_in":0,"refresh_token":"refresh-2"}"#);
    for call in 1..=3 {
        scene.sandbox.expire();
        assert_eq!("second\n", scene.token().assert_code(0).stdout);
        assert_eq!(call, scene.refreshes().len());
    }
}

#[test]
fn r19_a_wish_that_no_token_fulfils_is_told_without_a_request_and_then_without_a_loop() {
    let scene = Scene::answering(200, JSON, r#"{"access_token":"second","expires_in":600}"#);
    scene.sandbox.age(HOUR, Duration::from_secs(60));
    for _ in 0..3 {
        let wish = scene.sandbox.run(&["token", "work", "--min-ttl", "2h"]);
        wish.assert_code(2).assert_says("live for 600 s only").assert_says("--min-ttl of less than 600s");
        assert_eq!(1, scene.refreshes().len(), "the first has found out, the others know");
    }
    assert_eq!("second\n", scene.token().assert_code(0).stdout);
}

#[cfg(target_os = "linux")]
#[test]
fn r20_a_waiter_that_slept_while_the_refresh_ended_takes_what_is_stored() {
    let desk = ByHand::new();
    let winner = desk.scene.renewing();
    let request = desk.next();
    let waiter = desk.scene.waiting();
    kill("STOP", waiter.pid());
    request.answer(200, SECOND);
    assert_eq!("second\n", finish(winner).assert_code(0).stdout);
    kill("CONT", waiter.pid());
    assert_eq!("second\n", waiter.finish().assert_code(0).stdout);
    assert_eq!(1, desk.scene.refreshes().len());
}

#[cfg(target_os = "linux")]
#[test]
fn r20_a_worker_that_slept_while_the_answer_came_stores_it() {
    let desk = ByHand::new();
    let asker = desk.scene.renewing();
    let request = desk.next();
    let worker = worker(&desk.scene.sandbox);
    kill("STOP", worker);
    request.answer(200, SECOND);
    kill("STOP", asker.id());
    kill("CONT", worker);
    // Another one waits for the same worker while its first asker still sleeps.
    assert_eq!("second\n", desk.scene.renew().assert_code(0).stdout);
    kill("CONT", asker.id());
    assert_eq!("second\n", finish(asker).assert_code(0).stdout);
    assert_eq!(1, desk.scene.refreshes().len());
}

#[test]
fn r21_a_token_is_renewed_within_a_tenth_of_its_life_before_its_end() {
    // Life, what is left of it: in seconds.
    for (life, left, renewed) in [
        (600, 90, false),
        (600, 59, true),
        (3600, 90, false),
        (3600, 59, true),
        (86_400 * 365, 90, false),
        (86_400 * 365, 59, true),
        (300, 60, false),
        (300, 29, true),
    ] {
        let scene = Scene::answering(200, JSON, SECOND);
        scene.sandbox.age(Duration::from_secs(life - left), Duration::from_secs(left));
        let token = scene.token();
        let expected = if renewed { ("second\n", 1) } else { ("first\n", 0) };
        assert_eq!(
            expected,
            (token.assert_code(0).stdout.as_str(), scene.refreshes().len()),
            "{left} of {life} s left"
        );
    }
}

#[test]
fn r21_tokens_of_two_seconds_are_handed_out_with_one_request_each() {
    let scene = Scene::answering(200, JSON, r#"{"access_token":"second","expires_in":2,"refresh_token":"refresh-2"}"#);
    for call in 1..=3 {
        scene.sandbox.age(Duration::from_secs(3), Duration::ZERO);
        assert_eq!("second\n", scene.token().assert_code(0).stdout);
        assert_eq!(call, scene.refreshes().len());
    }
}

#[test]
fn r21_who_asks_for_more_or_for_less_replaces_the_margin() {
    let scene = Scene::answering(200, JSON, SECOND);
    scene.sandbox.age(HOUR - Duration::from_secs(30), Duration::from_secs(30));
    // For providers that refuse an early refresh.
    assert_eq!("first\n", scene.sandbox.run(&["token", "work", "--min-ttl", "1s"]).assert_code(0).stdout);
    assert_eq!(0, scene.refreshes().len());
    scene.sandbox.age(HOUR / 2, HOUR / 2);
    assert_eq!("second\n", scene.sandbox.run(&["token", "work", "--min-ttl", "45m"]).assert_code(0).stdout);
    assert_eq!(1, scene.refreshes().len());
}

//! A refresh in flight while the same grant is logged in to, or out of. R26, X20, X21.

use super::*;

/// Sends the login's code, as the person's browser would, and returns when the provider has it: the tokens are there.
fn exchanged(scene: &Scene, login: &crate::harness::Login) {
    let exchanges = || scene.server.requests().iter().filter(|r| r.contains("grant_type=authorization_code")).count();
    let before = exchanges();
    let page = login.asking(&login.callback(&format!("code=a-code&state={}", login.state())));
    std::thread::spawn(page);
    eventually("the code is exchanged", || exchanges() > before);
}

/// The login's tokens are what is stored, and its refresh token is what is presented next.
#[track_caller]
fn assert_the_login_has_won(desk: &ByHand) {
    let sandbox = &desk.scene.sandbox;
    assert_eq!("later\n", sandbox.run(&["token", "work"]).assert_code(0).stdout);
    sandbox.run(&["status", "work"]).assert_code(0).assert_says("a refresh token is stored");
    let next = sandbox.loopin(&["token", "work", "--rejected", &hash("later")]).spawn().expect("loopin starts");
    let request = desk.next();
    assert_eq!("refresh-later", request.token);
    request.answer(400, INVALID_GRANT);
    // Of an interruption before the login nothing is said.
    finish(next).assert_code(4).assert_says("the provider no longer accepts the stored refresh token");
}

#[test]
fn r26_a_login_outlives_whatever_a_refresh_that_was_in_flight_brings() {
    for (status, body) in [(200, SECOND), (400, INVALID_GRANT), (400, r#"{"error":"invalid_client"}"#), (500, "")] {
        let desk = ByHand::new();
        let asker = desk.scene.renewing();
        let request = desk.next();
        let login = desk.scene.sandbox.login(&[]);
        exchanged(&desk.scene, &login);
        request.answer(status, body);
        login.finished().assert_code(0);
        let asker = finish(asker);
        assert!(!asker.stdout.contains("first"), "it was refused with that: {asker:?}");
        assert_the_login_has_won(&desk);
    }
}

#[test]
fn r26_a_login_outlives_a_refresh_that_never_ended() {
    let desk = ByHand::new();
    let asker = desk.scene.renewing();
    let _request = desk.next();
    let login = desk.scene.sandbox.login(&[]);
    exchanged(&desk.scene, &login);
    kill_worker(&desk.scene.sandbox);
    login.finished().assert_code(0);
    finish(asker);
    assert_the_login_has_won(&desk);
}

/// An answer that could not be stored waits for a store; the person has signed in before it came to that.
#[test]
fn r26_a_login_outlives_an_answer_that_waits_in_the_journal() {
    let desk = ByHand::new();
    let sandbox = &desk.scene.sandbox;
    let (key, away) = (sandbox.path("store.key"), sandbox.path("away.key"));
    let asker = desk.scene.renewing();
    let request = desk.next();
    std::fs::rename(&key, &away).expect("key");
    request.answer(200, SECOND);
    finish(asker).assert_code(0);
    std::fs::rename(&away, &key).expect("key");
    sandbox.stored_file(".journal");
    sandbox.log_in(&[]).assert_code(0);
    let left = |suffix: &str| sandbox.stored().iter().any(|name| name.ends_with(suffix));
    assert!(!left(".journal") && !left(".last"), "{:?}", sandbox.stored());
    assert_the_login_has_won(&desk);
}

#[test]
fn r26_who_waited_for_the_refresh_while_somebody_signed_in_gets_the_login_s_token() {
    let desk = ByHand::new();
    let asker = desk.scene.renewing();
    let request = desk.next();
    let waiter = desk.scene.waiting();
    // It sleeps through the end of the refresh and the whole login.
    kill("STOP", waiter.pid());
    request.answer(200, SECOND);
    finish(asker).assert_code(0);
    desk.scene.sandbox.log_in(&[]).assert_code(0);
    kill("CONT", waiter.pid());
    assert_eq!("later\n", waiter.finish().assert_code(0).stdout);
    assert_eq!(1, desk.scene.refreshes().len());
    assert_the_login_has_won(&desk);
}

/// Nothing of the grant is there any more, and nobody gets a token of it.
#[track_caller]
fn assert_gone(scene: &Scene) {
    assert_eq!(Vec::<String>::new(), scene.sandbox.stored());
    scene.token().assert_code(4).assert_says("nobody is logged in");
    scene.renew().assert_code(4);
}

/// The tokens whose revocation was asked for, in order.
fn revoked(scene: &Scene) -> Vec<String> {
    let mut requests = scene.server.requests();
    requests.retain(|request| request.starts_with("POST /revoke "));
    requests.iter().map(|r| parameter(&format!("?{}", r.split("\r\n\r\n").nth(1).expect("body")), "token")).collect()
}

#[test]
fn x20_a_logout_waits_for_the_refresh_in_flight_and_revokes_what_it_brought() {
    for (status, says) in [
        (200, "the tokens are revoked at the provider"),
        (400, "signed out here, but the provider refused to revoke (status 400)"),
        (503, "signed out here, but the provider refused to revoke (status 503)"),
    ] {
        let desk = ByHand::with_revocation(status);
        let asker = desk.scene.renewing();
        let request = desk.next();
        let logout = desk.scene.sandbox.waiting(&["logout", "work"]);
        request.answer(200, SECOND);
        assert_eq!("second\n", finish(asker).assert_code(0).stdout);
        logout.finish().assert_code(0).assert_says(says);
        assert_eq!(["refresh-2", "second"], revoked(&desk.scene)[..], "not those that were used up");
        assert_gone(&desk.scene);
    }
}

/// Takes the 28 s that a reply may take.
#[test]
fn x20_a_revocation_that_is_never_answered_keeps_nobody_signed_in() {
    let (keep, kept) = mpsc::channel();
    let server = RawServer::new(move |request, stream| match request.starts_with("POST /revoke ") {
        true => keep.send(stream.try_clone().expect("stream")).expect("test"),
        false => send(stream, 200, JSON, FIRST.as_bytes()),
    });
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    let logout = sandbox.run(&["logout", "work"]);
    logout.assert_code(0).assert_says("could not be reached").assert_says("no answer in time");
    assert_eq!(Vec::<String>::new(), sandbox.stored());
    assert_eq!(1, kept.try_iter().count(), "who does not answer is not asked twice");
}

#[test]
fn x21_who_judged_the_token_before_the_logout_gets_none_after_it() {
    let scene = Scene::answering(200, JSON, SECOND);
    let held = scene.sandbox.hold_the_lock();
    let asker = scene.waiting();
    kill("STOP", asker.pid());
    drop(held);
    scene.sandbox.run(&["logout", "work"]).assert_code(0);
    kill("CONT", asker.pid());
    asker.finish().assert_code(4).assert_says("somebody has logged out").assert_says("loopin login work");
    assert_eq!(0, scene.refreshes().len());
    assert_gone(&scene);
}

#[test]
fn x21_a_logout_during_a_refresh_that_fails_leaves_nothing() {
    for (status, body) in [(400, INVALID_GRANT), (500, ""), (200, "<html>")] {
        let desk = ByHand::new();
        let asker = desk.scene.renewing();
        let request = desk.next();
        let logout = desk.scene.sandbox.waiting(&["logout", "work"]);
        request.answer(status, body);
        finish(asker);
        logout.finish().assert_code(0);
        assert_gone(&desk.scene);
    }
}

/// Any order that the scheduler makes: LOOPIN_BAR=full for 1,000.
#[test]
fn x21_after_a_logout_no_token_reappears_however_it_races_with_refreshes() {
    let rounds: u32 = if std::env::var("LOOPIN_BAR").as_deref() == Ok("full") { 1000 } else { 12 };
    let scene = Scene::answering(200, JSON, SECOND);
    let mut served = 0;
    for round in 0..rounds {
        scene.sandbox.log_in(&[]).assert_code(0);
        let first = scene.token().stdout;
        let renew = || {
            let arguments = ["token", "work", "--rejected", &hash(&first)];
            scene.sandbox.loopin(&arguments).spawn().expect("loopin starts")
        };
        let mut askers = vec![renew()];
        // This sleeps because a head start is no event: up to the length of a whole refresh.
        let head_start = |number: u32| std::thread::sleep(Duration::from_micros(u64::from(round * number % 60_000)));
        head_start(7919);
        let logout = scene.sandbox.loopin(&["logout", "work"]).spawn().expect("loopin starts");
        head_start(10_007);
        askers.push(renew());
        finish(logout).assert_code(0);
        for asker in askers.into_iter().map(finish) {
            assert!([Some(0), Some(4)].contains(&asker.code), "round {round}: {asker:?}");
            served += u32::from(asker.code == Some(0));
        }
        assert_gone(&scene);
    }
    tell(&format!("x21: {rounds} rounds, {served} of {} askers were served before the logout", 2 * rounds));
}

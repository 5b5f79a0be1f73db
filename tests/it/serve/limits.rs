//! Limits: what others send, from the same address or with a user's own cookie, locks nobody out.
//! `LOOPIN_BAR=full` sends 10,000 junk callbacks.

use super::*;

const PAGE: &str = "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nAccept: text/html,*/*;q=0.8\r\n";

/// A page for the user, and not JSON.
#[track_caller]
fn assert_page_429(reply: &Reply) {
    assert_eq!((429, Some("text/html; charset=utf-8")), (reply.status, reply.field("content-type")), "{reply:?}");
    assert!(reply.field("retry-after").is_some_and(|wait| wait.parse::<u64>().is_ok_and(|wait| wait > 0)), "{reply:?}");
    assert!(reply.body.contains("Too many attempts"), "{reply:?}");
}

#[test]
fn h07_junk_callbacks_from_a_users_own_address_do_not_keep_the_valid_one_out() {
    let serving = Serving::new();
    let mut jar = Jar::default();
    let begun = serving.begin("ada", &mut jar, "");
    let answer = serving.decided(&begun, "allow");
    let state = parameter(&format!("http://a{answer}"), "state");
    let junk = bar(200, 10_000);
    let mut refused = 0;
    for n in 0..junk {
        let query = match n % 4 {
            0 => "code=x&state=x".to_owned(),
            1 => "nothing".to_owned(),
            2 => format!("code=x&state={}", "A".repeat(state.len())),
            _ => format!("code=x&state=A{}", &state[1..]),
        };
        let reply = serving.get(&format!("{BASE}/wiki/callback?{query}"), PAGE);
        match reply.status {
            400 => assert!(reply.body.contains("<h1>"), "{reply:?}"),
            _ => assert_page_429(&reply),
        }
        refused += usize::from(reply.status == 429);
    }
    assert!(refused > junk / 4, "{refused} of {junk} are refused by the limit");
    assert_success(&serving.get(&answer, &format!("{}{PAGE}", jar.field())));
}

#[test]
fn h07_a_flow_that_is_answered_again_and_again_keeps_no_other_one_out() {
    let serving = Serving::new();
    let (mut ada, mut bob) = (Jar::default(), Jar::default());
    let first = serving.begin("ada", &mut ada, "");
    let first = serving.decided(&first, "allow");
    let second = serving.begin("bob", &mut bob, "");
    let second = serving.decided(&second, "allow");
    assert_success(&serving.finish(&ada, &first));
    let refused = (0..100).filter(|_| serving.finish(&ada, &first).status == 429).count();
    assert!(refused >= 30, "{refused}: each costs a write");
    assert_success(&serving.finish(&bob, &second));
}

#[test]
fn h07_images_and_pages_of_other_sites_use_up_none_of_a_users_starts() {
    let serving = Serving::new();
    let target = format!("{BASE}/wiki/authorize?{}", wish("all"));
    let cookie = format!("Cookie: session={}\r\n", token_of("ada", "acme"));
    let with = |fields: &str| serving.get(&target, &format!("{cookie}{fields}"));
    for fields in [
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n",
        "Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: script\r\n",
        "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n",
        "Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: object\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
    ] {
        for _ in 0..12 {
            let reply = with(fields);
            assert_eq!((403, "navigation_required".into()), (reply.status, code(&reply)), "{fields}");
            assert_eq!(None, reply.field("set-cookie"));
        }
    }
    let shown = (0..30).filter(|_| with(&format!("Sec-Fetch-Site: cross-site\r\n{PAGE}")).status == 200).count();
    assert_eq!(30, shown, "a page that asks the user begins nothing");
    let own = format!("Sec-Fetch-Site: same-site\r\n{PAGE}");
    assert_eq!(10, (0..10).filter(|_| with(&own).status == 302).count(), "all of them are left");
    assert_page_429(&with(&own));
    let other_org = format!("Cookie: session={}\r\n{own}", token_of("ada", "globex"));
    assert_eq!(302, serving.get(&target, &other_org).status, "the same name in another organization");
}

#[test]
fn h07_a_service_is_limited_for_each_connection_and_not_as_one_caller() {
    let serving = Serving::with(Provider::new(), |config| {
        config.replace("[callbacks]", "[limits]\ntoken_reads_per_second = 1\nrequests_per_second = 1\n\n[callbacks]")
    });
    let mut service = claims("backend", "acme");
    service["scope"] = "loopin:service".into();
    let service = jwt(service);
    let read = |user: &str| {
        serving.post("/wiki/token", &service, json!({ "action": "all", "userId": user, "orgKey": "acme" }))
    };
    let list = |user: &str| serving.get(&format!("{BASE}/connections?userId={user}&orgKey=acme"), &bearer(&service));
    for n in 0..50 {
        let user = format!("user{n}");
        assert_eq!("not_connected", code(&read(&user)), "{user}");
        assert_eq!(200, list(&user).status, "{user}");
    }
    let refused = (0..50).filter(|_| read("ada").status == 429).count();
    assert!(refused > 0, "one connection has its limit");
    assert!((0..50).filter(|_| list("ada").status == 429).count() > 0);
}

#[test]
fn h07_limits_are_set_in_the_file_and_told_with_their_line() {
    let strict = |limits: &str| {
        let limits = format!("[limits]\n{limits}\n\n[callbacks]");
        move |config: String| config.replace("[callbacks]", &limits)
    };
    let serving = Serving::with(Provider::new(), strict("starts_per_minute = 2\nunfinished_flows = 1"));
    let begin = |user: &str| serving.begin(user, &mut Jar::default(), "");
    assert_eq!(302, begin("ada").status);
    let second = begin("ada");
    assert_eq!((429, Some("60")), (second.status, second.field("retry-after")), "one unfinished flow");
    let third = begin("ada");
    assert_eq!((429, Some("30")), (third.status, third.field("retry-after")), "two starts a minute");
    let (sandbox, provider) = (Sandbox::new(), Provider::new());
    let config = strict("starts_per_minute = 0")(config(&provider, fixed_port()));
    let line = config.lines().position(|line| line.starts_with("starts_per_minute")).expect("the line") + 1;
    prepare(&sandbox, &config);
    let path = sandbox.path("loopin.toml");
    let refused = sandbox.run(&["serve", "check", "--config", path.to_str().expect("path")]);
    refused.assert_code(3).assert_says("[limits]: starts_per_minute: 0 is out of bounds");
    refused.assert_says(&format!("line {line}, column 21: ")).assert_says("write a number from 1 to 100000");
}

#[test]
fn h07_a_proxy_that_is_not_trusted_is_reported_once() {
    let serving = Serving::new();
    for _ in 0..3 {
        serving.get("/healthz", "X-Forwarded-For: 192.0.2.1\r\n");
        serving.get("/healthz", "Forwarded: for=192.0.2.1\r\n");
    }
    let (finished, _) = serving.terminated();
    let said = "a request from 127.0.0.1 has X-Forwarded-For, which is ignored";
    assert_eq!(1, finished.stderr.matches(said).count(), "{finished:?}");
    assert_eq!(1, finished.stderr.matches("trusted_proxies = [\"127.0.0.1\"]").count(), "{finished:?}");
    let trusted = Serving::with(Provider::new(), |config| {
        config.replace("session_cookie", "trusted_proxies = [\"127.0.0.1\"]\nsession_cookie")
    });
    trusted.get("/healthz", "X-Forwarded-For: 192.0.2.1\r\n");
    let (finished, _) = trusted.terminated();
    assert!(!finished.stderr.contains("trusted_proxies"), "{finished:?}");
}

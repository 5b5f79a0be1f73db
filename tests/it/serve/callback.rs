//! The answer of the provider: once, in its own browser, for its own integration.

use std::{sync::Barrier, thread};

use loopin::practice::Fault;

use super::*;
use crate::harness::RawServer;

/// A flow that waits for its answer, and the answer.
struct Waiting {
    serving: Serving,
    jar: Jar,
    /// The callback's target.
    answer: String,
}

fn waiting() -> Waiting {
    waiting_at(Serving::new())
}

fn waiting_at(serving: Serving) -> Waiting {
    let mut jar = Jar::default();
    let begun = serving.begin("ada", &mut jar, "");
    let answer = serving.decided(&begun, "allow");
    Waiting { serving, jar, answer }
}

/// The same target with another value for one parameter.
fn with(target: &str, name: &str, value: &str) -> String {
    let (path, query) = target.split_once('?').expect("query");
    let mut changed = url::form_urlencoded::Serializer::new(String::new());
    for (known, old) in url::form_urlencoded::parse(query.as_bytes()) {
        changed.append_pair(&known, if known == name { value } else { &old });
    }
    format!("{path}?{}", changed.finish())
}

#[track_caller]
fn assert_lost(reply: &Reply) {
    assert_eq!((400, None), (reply.status, reply.field("location")), "{reply:?}");
    assert!(reply.body.contains("This sign-in has expired or was already completed"), "{reply:?}");
}

#[test]
fn a_connection_is_made_and_its_token_handed_out() {
    let Waiting { serving, jar, answer } = waiting();
    let back = serving.finish(&jar, &answer);
    let connection = assert_success(&back);
    assert_eq!((Some("no-store"), Some("no-referrer")), (back.field("cache-control"), back.field("referrer-policy")));
    assert!(back.field("set-cookie").is_some_and(|cookie| cookie.contains("Max-Age=0")), "the cookie has served");
    let reply = serving.token("ada");
    assert_eq!(200, reply.status, "{reply:?}");
    let body = json_of(&reply);
    assert!(body["access_token"].as_str().expect("token").starts_with("access."));
    assert_eq!(
        (connection.as_str(), "Bearer"),
        (body["connection"].as_str().expect("id"), body["token_type"].as_str().expect("type"))
    );
    assert!(!reply.body.contains("refresh."), "the refresh token never leaves");
}

#[test]
fn v01_another_browser_ends_the_flow_without_a_token_request() {
    let Waiting { serving, jar, answer } = waiting();
    let mut other = Jar::default();
    serving.begin("victim", &mut other, "");
    assert_error(&serving.finish(&other, &answer), "browser_mismatch");
    assert_eq!(0, serving.provider.counters().token);
    assert_error(&serving.finish(&jar, &answer), "state_replayed");
    assert_eq!(0, serving.provider.counters().token);
    assert_eq!("not_connected", code(&serving.token("ada")));
}

#[test]
fn v01_the_cookie_is_for_this_host_alone_and_for_ten_minutes() {
    let serving = Serving::new();
    let begun = serving.begin("ada", &mut Jar::default(), "");
    let cookie = begun.field("set-cookie").expect("cookie").to_owned();
    assert!(cookie.starts_with("__Host-"), "{cookie}");
    for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=600"] {
        assert!(cookie.split("; ").any(|part| part == attribute), "{attribute}: {cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
}

#[test]
fn v02_an_altered_state_and_another_groups_are_refused_and_redirect_nowhere() {
    for mode in ["handle", "sealed"] {
        let serving = Serving::with(Provider::new(), |config| {
            let second = config
                .split("[integration.wiki]")
                .nth(1)
                .expect("table")
                .replace("integration.wiki", "integration.play");
            let config = format!("{config}[integration.play]{second}");
            config.replace("session_cookie", &format!("state_mode = \"{mode}\"\nsession_cookie"))
        });
        let Waiting { serving, jar, answer } = waiting_at(serving);
        let state = parameter(&answer, "state");
        // Every bit is tried beside the code; here one of each part goes the whole way.
        for at in [0, 20, state.len() / 2, state.len() - 2] {
            let mut altered = state.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            assert_lost(&serving.finish(&jar, &with(&answer, "state", std::str::from_utf8(&altered).expect("ASCII"))));
        }
        for other in ["", "x", &state[1..], &format!("{state}A"), &state.to_lowercase()] {
            assert_lost(&serving.finish(&jar, &with(&answer, "state", other)));
        }
        assert_lost(&serving.finish(&jar, &answer.replace("/wiki/", "/play/")));
        assert_eq!(404, serving.finish(&jar, &answer.replace("/wiki/", "/none/")).status);
        assert_eq!(0, serving.provider.counters().token);
        assert_success(&serving.finish(&jar, &answer));
    }
}

#[test]
fn v03_of_a_hundred_equal_callbacks_one_is_exchanged() {
    let Waiting { serving, jar, answer } = waiting();
    let (address, request) = (serving.address(), serving.written("GET", &answer, &jar.field(), ""));
    let gate = Barrier::new(100);
    let replies: Vec<_> = thread::scope(|scope| {
        let callers: Vec<_> = (0..100)
            .map(|_| {
                scope.spawn(|| {
                    gate.wait();
                    http(address, &request)
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().expect("reply")).collect()
    });
    let successes = replies.iter().filter(|reply| reply.status == 302 && sent_back(reply).0 == "success").count();
    assert_eq!((1, 1), (successes, serving.provider.counters().token));
    for reply in replies.iter().filter(|reply| reply.status != 429) {
        let (status, error) = sent_back(reply);
        assert!(status == "success" || error == "state_replayed", "{reply:?}");
    }
}

#[test]
fn v04_an_answer_after_ten_minutes_is_told_to_the_application_and_not_exchanged() {
    let Waiting { serving, jar, answer } = waiting();
    expire(&serving);
    assert_error(&serving.finish(&jar, &answer), "state_expired");
    assert_eq!(0, serving.provider.counters().token);
}

/// As if every flow had begun long ago.
fn expire(serving: &Serving) {
    let database = serving.database();
    let changed = database.execute("UPDATE flow SET expires_at = 1000", []).expect("update");
    assert!(changed > 0);
}

#[test]
fn v05_an_answer_from_another_issuer_reaches_no_token_endpoint() {
    let serving = Serving::with(Provider::with(vec![Fault::AnswersWithOtherIss]), |config| config);
    let Waiting { serving, jar, answer } = waiting_at(serving);
    assert_error(&serving.finish(&jar, &answer), "issuer_mismatch");
    assert_eq!(0, serving.provider.counters().token);
}

#[test]
fn v05_an_answer_without_the_issuer_that_was_promised_reaches_no_token_endpoint() {
    let serving = Serving::with(Provider::with(vec![Fault::AnswersWithoutIss]), |config| {
        // Only the metadata makes the promise.
        let is_discovered = |line: &&str| !line.contains("_endpoint = ");
        config.lines().filter(is_discovered).map(|line| format!("{line}\n")).collect()
    });
    let Waiting { serving, jar, answer } = waiting_at(serving);
    assert!(!answer.contains("iss="), "{answer}");
    // The promise is kept with the flow.
    let serving = serving.again();
    assert_error(&serving.finish(&jar, &answer), "issuer_mismatch");
    assert_eq!(0, serving.provider.counters().token);
}

#[test]
fn v05_the_answer_to_one_integration_is_no_answer_to_another() {
    let hostile = Provider::new();
    let serving = Serving::with(Provider::new(), |config| {
        format!(
            "{config}\n[integration.other]\nauthorization_endpoint = \"{0}/authorize\"\ntoken_endpoint = \"{0}/token\"\nclient_id = \"practice-client\"\n",
            hostile.origin
        )
    });
    let Waiting { serving, jar, answer } = waiting_at(serving);
    let mut both = jar.clone();
    let begun = serving.get(&format!("{BASE}/other/authorize?{}", wish("all")), &bearer(&token_of("ada", "acme")));
    both.take(&begun);
    let at_other = begun.field("location").expect("location").to_owned();
    assert!(parameter(&at_other, "redirect_uri").ends_with("/other/callback"), "each has a redirect of its own");
    // The code of `wiki` with the state of `other`, at either address.
    let mixed = with(&answer, "state", &parameter(&at_other, "state"));
    assert_lost(&serving.finish(&both, &mixed));
    let reply = serving.finish(&both, &mixed.replace("/wiki/", "/other/"));
    assert_eq!(302, reply.status, "{reply:?}");
    assert_eq!(0, serving.provider.counters().token, "the honest one sees no code");
    // A provider that names no issuer is told apart by its redirect; what it gets is refused for want of its verifier.
    assert_eq!("error", sent_back(&reply).0);
    assert_success(&serving.finish(&both, &answer));
}

/// What was waiting, after a restart with another configuration.
fn changed(waiting: Waiting, change: impl FnOnce(String) -> String) -> Waiting {
    let path = waiting.serving.sandbox.path("loopin.toml");
    let text = std::fs::read_to_string(&path).expect("configuration");
    std::fs::write(&path, change(text)).expect("write");
    Waiting { serving: waiting.serving.again(), ..waiting }
}

#[test]
fn v05_a_code_goes_where_its_flow_began_whatever_the_configuration_says_by_then() {
    let (honest, other) = (Provider::new(), Provider::new());
    let origin = honest.origin.clone();
    let waiting = waiting_at(Serving::with(honest, |config| config));
    let endpoints = |config: String| config.replace(&origin, &other.origin);
    let Waiting { serving, jar, answer } = changed(waiting, endpoints);
    assert_success(&serving.finish(&jar, &answer));
    assert_eq!((1, 0), (serving.provider.counters().token, other.counters().token));
}

#[test]
fn v05_a_code_for_one_client_is_not_shown_as_another() {
    let client = |config: String| config.replace("practice-client", "another-client");
    let Waiting { serving, jar, answer } = changed(waiting(), client);
    assert_error(&serving.finish(&jar, &answer), "config_error");
    assert_eq!(0, serving.provider.counters().token);
}

#[test]
fn v19_an_answer_without_code_and_error_or_with_both_is_a_page_and_ends_nothing() {
    let Waiting { serving, jar, answer } = waiting();
    let state = parameter(&answer, "state");
    let path = answer.split('?').next().expect("path").to_owned();
    for query in [
        String::new(),
        "state=".into(),
        format!("state={state}"),
        format!("state={state}&code="),
        format!("state={state}&code=a&error=access_denied"),
        format!("state={state}&code=a&code=b"),
        format!("state={state}&state={state}&code=a"),
        "code=a".into(),
    ] {
        assert_lost(&serving.finish(&jar, &format!("{path}?{query}")));
    }
    let post = serving.request("POST", &answer, &jar.field(), "");
    assert_eq!((405, Some("GET")), (post.status, post.field("allow")), "{post:?}");
    assert_success(&serving.finish(&jar, &answer));
}

#[test]
fn v20_what_a_provider_says_is_told_in_words_of_our_own() {
    let serving = Serving::new();
    for (said, told) in [
        ("access_denied", "access_denied"),
        ("temporarily_unavailable", "temporarily_unavailable"),
        ("<script>alert(1)</script>", "provider_error"),
        ("x\r\nSet-Cookie: a=b", "provider_error"),
        ("https://evil.example/", "provider_error"),
    ] {
        let mut jar = Jar::default();
        let begun = serving.begin(&format!("ada{}", told.len()), &mut jar, "");
        let denied = serving.decided(&begun, "deny");
        let reply = serving.finish(&jar, &with(&denied, "error", said));
        assert_error(&reply, told);
        assert!(!reply.head.contains("evil.example") && !reply.head.contains("The person said no"), "{reply:?}");
    }
}

#[test]
fn v11_a_callback_that_left_the_list_meanwhile_is_not_redirected_to() {
    let elsewhere = |config: String| config.replace("https://app.example.com/oauth/", "https://app.example.com/other/");
    let Waiting { serving, jar, answer } = changed(waiting(), elsewhere);
    let reply = serving.finish(&jar, &answer);
    assert_eq!((400, None, 0), (reply.status, reply.field("location"), serving.provider.counters().token), "{reply:?}");
}

#[test]
fn v26_tokens_that_cannot_be_stored_are_revoked_and_the_application_is_told() {
    let Waiting { serving, jar, answer } = waiting();
    let full = "CREATE TRIGGER full BEFORE INSERT ON connection BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    serving.database().execute_batch(full).expect("trigger");
    assert_error(&serving.finish(&jar, &answer), "storage_error");
    let asked = serving.provider.counters();
    assert_eq!((1, 1), (asked.token, asked.revoke));
    assert_eq!("not_connected", code(&serving.token("ada")));
}

#[test]
fn v33_the_verifier_is_sealed_while_it_waits_and_gone_afterwards() {
    let provider = Provider::new();
    let server = RawServer::before(&provider, |reply| reply.written());
    let seen = server.as_token_endpoint_of(&provider);
    let serving = Serving::with(provider, seen);
    let mut jar = Jar::default();
    let begun = serving.begin("ada", &mut jar, "");
    let challenge = parameter(begun.field("location").expect("location"), "code_challenge");
    let answer = serving.decided(&begun, "allow");
    let row = |serving: &Serving| {
        let database = serving.database();
        database.query_row("SELECT count(*) FROM flow", [], |row| row.get::<_, u32>(0)).expect("count")
    };
    assert_eq!(1, row(&serving));
    let mut files = serving.sandbox.files();
    assert_success(&serving.finish(&jar, &answer));
    assert_eq!(0, row(&serving));
    let requests = server.requests();
    let verifier = requests.iter().find_map(|request| request.split("code_verifier=").nth(1)?.split('&').next());
    let verifier = verifier.expect("token request").trim();
    assert_eq!(challenge, URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)), "requiresPKCE");
    files.extend(serving.sandbox.files());
    for (path, bytes) in files.iter().filter(|(path, _)| path.to_string_lossy().contains("loopin.db")) {
        for word in [verifier.as_bytes(), b"code_verifier"] {
            assert!(memchr::memmem::find(bytes, word).is_none(), "{}", path.display());
        }
    }
}

#[test]
fn a_restart_between_the_two_halves_of_a_flow_loses_nothing() {
    let Waiting { serving, jar, answer } = waiting();
    let serving = serving.again();
    assert_success(&serving.finish(&jar, &answer));
}

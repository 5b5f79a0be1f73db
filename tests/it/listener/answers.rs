//! What counts as the answer, and what is told about everything that does not.

use std::{
    io::Write,
    sync::{Arc, Barrier},
    thread,
};

use loopin::practice::Fault;

use super::assert_turned_away;
use crate::harness::{Gate, Person, Provider, RawServer, Sandbox, Waiting, json_reply, parameter, read_reply, target};

const UNRELATED: &str = "This sign-in link does not belong to the sign-in that is waiting";

#[test]
fn l05_wrong_state_keeps_waiting_a_thousand_times() {
    let waiting = Waiting::new();
    let right = waiting.login.state();
    for number in 0..1000 {
        let query = match number % 5 {
            0 => format!("code=x&state={number}"),
            1 => "code=x".to_owned(),
            2 => "code=x&state=".to_owned(),
            3 => format!("code=x&state={right}{number}"),
            _ => format!("code=x&state={}", &right[..right.len() - 1]),
        };
        let reply = waiting.login.get(&waiting.login.callback(&query));
        assert_turned_away(400, &reply);
        assert!(reply.body.contains(UNRELATED), "{query}: {reply:?}");
    }
    let finished = waiting.ends_well();
    assert_eq!(3, finished.stderr.matches("turned away").count(), "told, but not a thousand times: {finished:?}");
}

#[test]
fn l06_the_right_answer_counts_while_a_forged_one_holds_its_connection() {
    let waiting = Waiting::new();
    let mut forged = waiting.login.connect();
    let host = format!("127.0.0.1:{}", waiting.login.port());
    write!(forged, "GET /callback?code=x&state=y HTTP/1.1\r\nHost: {host}\r\n").unwrap();
    waiting.ends_well();
    assert_eq!(0, read_reply(forged).status, "it never got an answer");
}

#[test]
fn l07_the_right_state_with_a_code_for_another_verifier_stores_nothing() {
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    let (token, stored) = (sandbox.run(&["token", "work"]).stdout, sandbox.state_files());
    let login = sandbox.login(&[]);
    // The state was read in the process list. The code is for the same redirect, and the attacker's own challenge.
    let challenge = login.parameter("code_challenge");
    let attacker = Person::at(login.url.replace(&challenge, &"A".repeat(43)));
    let page = login.get(&target(&attacker.decide("allow")));
    assert_eq!(Some("/failed"), page.field("location"), "{page:?}");
    login.get("/failed");
    login
        .finished()
        .assert_code(9)
        .assert_says("the code was not accepted for this sign-in")
        .assert_says("nothing was");
    assert_eq!(stored, sandbox.state_files());
    assert_eq!(token, sandbox.run(&["token", "work"]).stdout);
}

#[test]
fn l08_a_provider_that_does_not_promise_pkce_is_told_and_can_be_refused() {
    let waiting = Waiting::at(Provider::with(vec![Fault::MetadataWithoutS256]));
    let finished = waiting.ends_well();
    finished.assert_says("pkce_unverified");

    let provider = Provider::with(vec![Fault::MetadataWithoutS256]);
    let sandbox = Sandbox::new();
    sandbox.configure(&format!("{}require_pkce = true\n", provider.integration()));
    sandbox.run(&["login", "work", "--timeout", "1s"]).assert_code(9).assert_says("require_pkce is set");
    assert_eq!(0, provider.counters().authorize);
}

#[test]
fn l09_twenty_copies_of_the_answer_are_one_token_request() {
    let provider = Provider::new();
    let gate = Gate::before(&provider);
    let sandbox = Sandbox::new();
    sandbox.configure(&gate.integration(&provider));
    let login = sandbox.login(&[]);
    let answer = target(&login.person().decide("allow"));
    let start = Arc::new(Barrier::new(20));
    let copies: Vec<_> = (0..20)
        .map(|_| {
            let (ask, start) = (login.asking(&answer), Arc::clone(&start));
            thread::spawn(move || {
                start.wait();
                ask()
            })
        })
        .collect();
    gate.wait();
    gate.open();
    let replies: Vec<_> = copies.into_iter().map(|copy| copy.join().expect("copy")).collect();
    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((1, 19), (count(303), count(410)), "{replies:?}");
    assert!(replies.iter().filter(|r| r.status == 410).all(|r| r.body.contains("This answer was received already")));
    assert!(login.get("/done").body.contains("You are signed in"));
    login.finished().assert_code(0);
    assert_eq!(1, provider.counters().token);
}

#[test]
fn l10_a_parameter_that_comes_twice_is_no_answer() {
    let waiting = Waiting::new();
    let (answer, state) = (waiting.answer(), waiting.login.state());
    let duplications = [
        format!("{answer}&code=x"),
        format!("{answer}&state={state}"),
        format!("{answer}&%73tate={state}"),
        format!("{answer}&%63ode=x"),
        format!("{answer}&iss=https://other.example"),
        format!("/callback?code=x&{}", &answer["/callback?".len()..]),
        format!("/callback?error=a&error=b&state={state}"),
        format!("/callback?error=a&error_description=b&error_description=c&state={state}"),
        format!("{answer}&error=access_denied"),
    ];
    for duplication in duplications {
        let reply = waiting.login.get(&duplication);
        assert_turned_away(400, &reply);
        assert!(reply.body.contains(UNRELATED), "{duplication}: {reply:?}");
    }
    waiting.ends_well().assert_says("a parameter came twice");
}

#[test]
fn l11_a_forged_error_does_not_end_the_login() {
    let waiting = Waiting::new();
    for query in ["error=access_denied", "error=access_denied&state=x", "error=access_denied&state=", "state=x&error="]
    {
        assert_turned_away(400, &waiting.login.get(&waiting.login.callback(query)));
    }
    let finished = waiting.ends_well();
    assert!(!finished.stderr.contains("access_denied"), "{finished:?}");
}

#[test]
fn l12_an_error_of_the_provider_ends_the_login_in_its_words_made_safe() {
    let provider = Provider::new();
    let sandbox = Sandbox::new();
    sandbox.configure(&provider.explicit());
    let remedies = [
        ("access_denied", 5, "loopin login work"),
        ("account_selection_required", 4, "loopin login work"),
        ("consent_required", 4, "loopin login work"),
        ("interaction_required", 4, "loopin login work"),
        ("invalid_request", 5, "registered at the provider"),
        ("invalid_scope", 5, "check scopes"),
        ("login_required", 4, "loopin login work"),
        ("server_error", 7, "try again later"),
        ("temporarily_unavailable", 7, "try again later"),
        ("unauthorized_client", 5, "registered at the provider"),
        ("unsupported_response_type", 5, "registered at the provider"),
        ("x-own-word", 5, "loopin login work"),
    ];
    for (error, code, remedy) in remedies {
        let login = sandbox.login(&[]);
        let description = "%1b%5b31mred%07%0aline%e2%80%ae";
        let query = format!("error={error}&error_description={description}&state={}", login.state());
        let reply = login.get(&login.callback(&query));
        assert_eq!((303, Some("/failed")), (reply.status, reply.field("location")));
        assert!(login.get("/failed").body.contains("You are not signed in"));
        let finished = login.finished();
        finished.assert_code(code).assert_says(&format!("the provider said: \"{error}")).assert_says(remedy);
        let unsafe_character = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!finished.stderr.contains(unsafe_character), "{finished:?}");
        assert!(!finished.stderr.lines().any(|line| line.starts_with("line")), "one line: {finished:?}");
    }
    assert_eq!(0, provider.counters().token);
}

#[test]
fn l12_the_persons_no_is_exit_5_and_the_page_says_so() {
    let Waiting { login, sandbox, provider } = Waiting::new();
    assert!(login.person().deny().body.contains("You are not signed in"));
    login.finished().assert_code(5).assert_says("access_denied: The person said no");
    assert_eq!(0, provider.counters().token);
    assert_eq!(Vec::<String>::new(), tokens(&sandbox));
}

fn tokens(sandbox: &Sandbox) -> Vec<String> {
    Some(sandbox.run(&["token", "work"]).stdout).filter(|token| !token.is_empty()).into_iter().collect()
}

#[test]
fn l13_an_answer_from_another_provider_or_from_none_is_refused() {
    for (fault, why) in [
        (Fault::AnswersWithOtherIss, "came from another provider"),
        (Fault::AnswersWithoutIss, "promises to name itself in its answer"),
    ] {
        let Waiting { login, sandbox: _sandbox, provider } = Waiting::at(Provider::with(vec![fault]));
        assert!(login.person().allow().body.contains("This answer was refused"));
        login.finished().assert_code(9).assert_says(why).assert_says("nothing was stored");
        assert_eq!(0, provider.counters().token, "the code went nowhere");
    }
}

#[test]
fn l13_iss_is_compared_byte_for_byte() {
    let changes: [fn(&str) -> String; 4] = [
        |iss| format!("{iss}/"),
        |iss| iss.replace("http", "HTTP"),
        |iss| format!("{iss}%00"),
        |iss| format!("+{iss}"),
    ];
    for change in changes {
        let Waiting { login, sandbox: _sandbox, provider } = Waiting::new();
        let answer = login.person().decide("allow");
        let (rest, iss) = answer.split_once("&iss=").expect("iss");
        assert_eq!(provider.origin, parameter(&answer, "iss"));
        let reply = login.get(&target(&format!("{rest}&iss={}", change(iss))));
        assert_turned_away(400, &reply);
        login.finished().assert_code(9).assert_says("came from another provider");
        assert_eq!(0, provider.counters().token);
    }
}

#[test]
fn l13_without_a_promise_iss_may_be_missing_but_not_wrong() {
    let code = |provider: &Provider| {
        let sandbox = Sandbox::new();
        let endpoint = |path| format!("\"{}{path}\"", provider.origin);
        let metadata = RawServer::metadata(format!(
            r#"{{"issuer":"{{origin}}","authorization_endpoint":{},"token_endpoint":{}}}"#,
            endpoint("/authorize"),
            endpoint("/token")
        ));
        sandbox.configure(&provider.integration().replace(&provider.origin, &metadata.origin));
        let login = sandbox.login(&[]);
        login.person().allow();
        login.finished().code
    };
    assert_eq!(Some(0), code(&Provider::with(vec![Fault::AnswersWithoutIss])));
    assert_eq!(Some(9), code(&Provider::new()), "its iss is not the issuer that was asked");
}

#[test]
fn l40_a_code_of_any_length_up_to_60_kib_is_sent_on_as_it_is() {
    for length in [1, 1024, 16 * 1024, 32 * 1024, 60 * 1024] {
        let code = "c".repeat(length);
        let sent = format!("code={code}&");
        let token = RawServer::replying(move |request| {
            json_reply(&format!(
                r#"{{"access_token":"{}","token_type":"Bearer"}}"#,
                if request.contains(&sent) { "whole" } else { "cut" }
            ))
        });
        let provider = Provider::new();
        let sandbox = Sandbox::new();
        sandbox.configure(&token.as_token_endpoint_of(&provider)(provider.explicit()));
        let login = sandbox.login(&[]);
        let unknown = "&session_state=s&scope=read&authuser=0&hd=a.example";
        login.get(&login.callback(&format!("code={code}&state={}{unknown}", login.state())));
        login.get("/done");
        login.finished().assert_code(0);
        assert_eq!("whole\n", sandbox.run(&["token", "work"]).stdout, "{length}");
    }
}

#[test]
fn l40_an_answer_of_more_than_64_kib_is_turned_away() {
    let waiting = Waiting::new();
    let answer = waiting.answer();
    for (length, status) in [(64 * 1024, 400), (70 * 1024, 414), (200 * 1024, 414)] {
        assert_turned_away(status, &waiting.login.get(&format!("{answer}&x={}", "x".repeat(length))));
    }
    waiting.ends_well();
}

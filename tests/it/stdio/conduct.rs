//! What a program asks for and gets.

use super::*;

#[test]
fn a_program_signs_in_gets_tokens_and_logs_out_in_one_conversation() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let mut client = Client::of(&sandbox);
    client.call("early", "token", &json!({ "integration": "work" }));
    assert_eq!((-32004, "login_required".into()), client.error("early"));

    let person = client.login("in");
    assert_eq!("person", client.event("in", "waiting")["on"]);
    person.allow();
    for event in ["code", "exchanging", "done"] {
        assert_eq!(format!("login/{event}"), client.next_but_waiting()["method"], "in this order");
    }
    let signed_in = client.result("in");
    assert_eq!((&json!("work"), &json!(true)), (&signed_in["integration"], &signed_in["refreshable"]));

    let token = client.token("token");
    assert_eq!(format!("{token}\n"), sandbox.run(&["token", "work"]).stdout, "one store for all");
    client.call("status", "status", &json!({}));
    assert_eq!("valid", client.result("status")["grants"][0]["state"]);
    client.call("out", "logout", &json!({ "integration": "work" }));
    assert_eq!("revoked", client.result("out")["revocation"]);
    client.call("late", "token", &json!({}));
    assert_eq!((-32004, "login_required".into()), client.error("late"));

    client.call("bye", "shutdown", &json!({}));
    client.result("bye");
    let (code, rest, said) = client.ended();
    assert_eq!((Some(0), Vec::<Value>::new(), String::new()), (code, rest, said), "the answer is the last line");
}

#[test]
fn the_code_and_the_word_of_a_failure_are_those_of_the_command() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let mut client = Client::of(&sandbox);
    for (method, params, code, word) in [
        ("token", json!({ "integration": "nowhere" }), -32003, "configuration"),
        ("token", json!({ "min_ttl": 60, "account": "" }), -32002, "usage"),
        ("token", json!({ "integration": "work" }), -32004, "login_required"),
        ("status", json!({ "integration": "nowhere" }), -32003, "configuration"),
        ("login", json!({ "action": "none" }), -32003, "configuration"),
        ("login", json!({ "params": { "state": "mine" } }), -32002, "usage"),
        ("login", json!({ "open": "client", "timeout": 1 }), -32006, "timeout"),
    ] {
        client.call("x", method, &params);
        assert_eq!((code, word.to_owned()), client.error("x"), "{method} {params}");
    }
    for (method, params) in
        [("token", r#"{"min_ttl":0}"#), ("token", r#"{"rejected":"xyz"}"#), ("login", r#"{"timeout":86401}"#)]
    {
        client.write(
            format!("{{\"jsonrpc\":\"2.0\",\"id\":\"y\",\"method\":\"{method}\",\"params\":{params}}}\n").as_bytes(),
        );
        assert_eq!((-32002, "usage".to_owned()), client.error("y"), "{method} {params}");
    }
}

#[test]
fn a_token_is_renewed_when_it_was_refused_or_is_too_short_and_served_while_a_login_waits() {
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    let mut client = Client::of(&sandbox);
    client.login("in");
    let first = client.token("1");
    client.call("2", "token", &json!({ "rejected": hash(&first) }));
    assert_ne!(first, client.result("2")["access_token"]);
    assert_eq!(2, provider.counters().token, "the login's and one refresh");
    client.call("3", "token", &json!({ "min_ttl": 80_000 }));
    assert_eq!((-32002, "usage".into()), client.error("3"), "no token of this provider lives that long");
}

#[test]
fn r25_a_login_elsewhere_is_seen_by_the_next_request() {
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    let mut client = Client::of(&sandbox);
    let old = client.token("1");
    let login = sandbox.login(&[]);
    login.person().allow();
    login.finished().assert_code(0);
    let new = client.token("2");
    assert_ne!(old, new);
    assert_eq!(format!("{new}\n"), sandbox.run(&["token", "work"]).stdout);
}

#[test]
fn a_login_is_cancelled_while_it_waits_and_not_once_its_code_is_there() {
    let provider = Provider::new();
    let gate = Gate::before(&provider);
    let sandbox = Sandbox::new();
    sandbox.configure(&gate.integration(&provider));
    let mut client = Client::of(&sandbox);
    let person = client.login("in");
    client.call("no", "cancel", &json!({ "id": "in" }));
    assert_eq!(json!({ "cancelled": true }), client.result("no"));
    assert_eq!((-32130, "signal".into()), client.error("in"));
    let callback = person.decide("allow");
    let address = callback.trim_start_matches("http://").split('/').next().expect("an address").to_owned();
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens any more");

    let person = client.login("in");
    let browser = thread::spawn(move || person.allow());
    client.event("in", "exchanging");
    gate.wait();
    client.call("late", "cancel", &json!({ "id": "in" }));
    assert_eq!(json!({ "cancelled": false }), client.result("late"));
    gate.open();
    client.result("in");
    browser.join().expect("the last page");
    client.call("what", "cancel", &json!({ "id": "nobody" }));
    assert_eq!(json!({ "cancelled": false }), client.result("what"));
}

#[test]
fn l41_a_client_hands_over_the_address_at_which_the_browser_ended() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let mut client = Client::of(&sandbox);
    let person = client.login("in");
    let address = person.decide("allow");
    let (redirect, _) = address.split_once('?').expect("a query");
    client.call(
        "wrong",
        "login/answer",
        &json!({ "id": "in", "address": format!("{redirect}?code=canary&state=other") }),
    );
    assert_eq!(json!({ "taken": true }), client.result("wrong"));
    assert_eq!(
        json!("this is not the answer of this login: the state of another sign-in"),
        client.event("in", "not_the_answer")["reason"]
    );
    client.call("right", "login/answer", &json!({ "id": "in", "address": address }));
    assert_eq!(json!({ "taken": true }), client.result("right"));
    client.result("in");
    client.call("late", "login/answer", &json!({ "id": "in", "address": address }));
    assert_eq!(json!({ "taken": false }), client.result("late"));
    assert_eq!(1, provider.counters().token, "the wrong code was never sent");
}

#[test]
fn a_stray_request_is_told_and_the_denial_of_the_person_is_the_answer() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let mut client = Client::of(&sandbox);
    let person = client.login("in");
    let forged = person.decide("allow").split("state=").next().expect("a URL").to_owned() + "state=forged";
    assert_eq!(400, crate::harness::follow(&forged).status);
    assert_ne!(json!(""), client.event("in", "stray")["reason"]);
    person.deny();
    assert_eq!((-32005, "denied".into()), client.error("in"));
}

#[test]
fn what_a_browser_prints_is_no_message_and_a_browser_that_fails_is_told() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let noisy = sandbox.script("noisy", "echo stray; echo stray >&2; exit 3");
    let mut command = sandbox.loopin(&["stdio"]);
    command.env("LOOPIN_BROWSER", noisy);
    let mut client = Client::unmet(command);
    client.call("hello", "initialize", &json!({ "protocol": 1 }));
    client.call("in", "login", &json!({}));
    client.event("in", "url");
    assert!(client.event("in", "note")["message"].as_str().is_some_and(|text| text.contains("exit code 3")));
    let (code, rest, said) = client.end();
    assert_eq!((Some(0), String::new()), (code, said));
    assert!(rest.iter().any(|message| message["error"]["code"] == -32130), "{rest:#?}");
}

#[test]
fn every_message_is_described() {
    let names = Schema::read().names();
    for method in ["Initialize", "Login", "Cancel", "Token", "Status", "Logout", "Shutdown"] {
        assert!(names.contains(&method.to_owned()) && names.contains(&format!("{method}Result")), "{method}");
    }
}

impl Client {
    fn next_but_waiting(&mut self) -> Value {
        loop {
            let message = self.next().expect("a message");
            if message["method"] != "login/waiting" {
                return message;
            }
        }
    }
}

#[test]
fn d10_what_comes_beside_the_tokens_is_in_the_results_of_login_and_token() {
    let provider = Provider::new();
    let sandbox = Sandbox::new();
    let keep = "keep_from_token = [\"expires_in\"]\nkeep_from_callback = [\"realmId\"]\n";
    sandbox.configure(&(provider.integration() + keep));
    let mut client = Client::of(&sandbox);
    let callback = client.login("l").decide("allow");
    crate::harness::follow(&format!("{callback}&realmId=9130%1B%5B2J"));
    let kept = json!({ "realmId": "9130 [2J", "expires_in": 3600 });
    assert_eq!(kept, client.result("l")["metadata"]);
    client.call("t", "token", &json!({}));
    assert_eq!(kept, client.result("t")["metadata"]);
}

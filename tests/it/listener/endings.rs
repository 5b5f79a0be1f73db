//! How a login ends: what the browser is told and when, what is left behind, whoever leaves first.

use std::{
    io::Write,
    net::TcpStream,
    thread::{self, JoinHandle},
};

use loopin::practice::Fault;

use super::assert_turned_away;
use crate::harness::{Gate, Login, Provider, Reply, Sandbox, Waiting, target};

/// A login whose token request stands at the gate, and the browser that brought the code.
struct Exchanging {
    login: Login,
    browser: JoinHandle<Reply>,
    sandbox: Sandbox,
    gate: Gate,
    provider: Provider,
}

impl Exchanging {
    fn new(provider: Provider) -> Self {
        let gate = Gate::before(&provider);
        let sandbox = Sandbox::new();
        sandbox.configure(&gate.integration(&provider));
        Self::in_sandbox(sandbox, gate, provider)
    }

    fn in_sandbox(sandbox: Sandbox, gate: Gate, provider: Provider) -> Self {
        let login = sandbox.login(&[]);
        let browser = thread::spawn(login.asking(&target(&login.person().decide("allow"))));
        gate.wait();
        Self { login, browser, sandbox, gate, provider }
    }
}

#[test]
fn l29_the_page_says_done_when_the_tokens_are_in_the_store() {
    let Exchanging { login, browser, sandbox, gate, provider: _provider } = Exchanging::new(Provider::new());
    assert!(!browser.is_finished(), "the browser is held while the provider is asked");
    assert_turned_away(404, &login.get("/done"));
    sandbox.run(&["token", "work"]).assert_code(4);
    gate.open();
    let answer = browser.join().expect("browser");
    assert_eq!((303, Some("/done")), (answer.status, answer.field("location")));
    assert!(sandbox.run(&["token", "work"]).assert_code(0).stdout.starts_with("access."), "stored before it is said");
    assert!(login.get("/done").body.contains("You are signed in"));
    login.finished().assert_code(0);
}

#[test]
fn l29_a_refused_code_leads_to_a_page_that_says_so() {
    for (status, body, code) in [
        (400, r#"{"error":"invalid_grant"}"#, 9),
        (500, "<h1>Internal Server Error</h1>", 7),
        (200, "{}", 7),
        (200, r#"{"access_token":"","token_type":"Bearer"}"#, 9),
    ] {
        let fault = Fault::TokenReply { status, content_type: "application/json", body: body.into() };
        let Waiting { login, sandbox, provider: _provider } = Waiting::at(Provider::with(vec![fault]));
        let page = login.person().allow();
        assert!(page.body.contains("You are not signed in"), "{body}: {page:?}");
        login.finished().assert_code(code).assert_says("nothing was stored");
        sandbox.run(&["token", "work"]).assert_code(4);
    }
}

#[test]
fn l29_a_store_that_fails_is_no_success_on_the_page() {
    let provider = Provider::new();
    let gate = Gate::before(&provider);
    let sandbox = Sandbox::new();
    sandbox.configure(&gate.integration(&provider));
    let Exchanging { login, browser, sandbox, gate, provider: _provider } =
        Exchanging::in_sandbox(sandbox, gate, provider);
    // Where the tokens should go there is a file now.
    std::fs::remove_dir_all(sandbox.state()).ok();
    std::fs::write(sandbox.state(), "in the way").unwrap();
    gate.open();
    assert_eq!(Some("/failed"), browser.join().expect("browser").field("location"));
    assert!(login.get("/failed").body.contains("You are not signed in"));
    login.finished().assert_code(8);
}

#[test]
fn l29_while_the_provider_is_slow_the_browser_is_told_that_the_answer_was_received() {
    let Exchanging { login, browser, sandbox, gate, provider: _provider } = Exchanging::new(Provider::new());
    let page = browser.join().expect("browser");
    assert_eq!(200, page.status);
    assert!(page.body.contains("Your answer was received"), "{page:?}");
    assert!(!page.body.contains("You are"), "it claims no outcome");
    gate.open();
    login.finished().assert_code(0);
    sandbox.run(&["token", "work"]).assert_code(0);
}

#[test]
fn l30_the_outcome_does_not_depend_on_the_browser() {
    let waiting = Waiting::new();
    let answer = waiting.answer();
    let mut browser = waiting.login.connect();
    write!(browser, "GET {answer} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", waiting.login.port()).unwrap();
    drop(browser);
    waiting.login.finished().assert_code(0).assert_says("signed in to work");
    waiting.sandbox.run(&["token", "work"]).assert_code(0);
}

#[test]
fn l31_the_browser_is_sent_on_to_an_address_without_the_code() {
    let waiting = Waiting::new();
    let answer = waiting.login.get(&waiting.answer());
    assert_eq!((303, Some("/done")), (answer.status, answer.field("location")));
    assert_eq!(Some("no-store"), answer.field("cache-control"));
    assert_eq!(Some("no-referrer"), answer.field("referrer-policy"));
    assert_turned_away(303, &answer);
    assert_turned_away(200, &waiting.login.get("/done"));
    let finished = waiting.login.finished();
    finished.assert_code(0);
    for word in ["code=", "access.", "refresh."] {
        assert!(!finished.stdout.contains(word) && !finished.stderr.contains(word), "{finished:?}");
    }
}

#[test]
fn l32_the_answer_to_an_earlier_login_is_nothing_to_the_next() {
    let waiting = Waiting::new();
    let login = waiting.sandbox.login(&[]);
    let earlier = target(&login.person().decide("allow"));
    drop(login);
    let page = waiting.login.get(&earlier);
    assert_turned_away(400, &page);
    assert!(page.body.contains("does not belong to the sign-in that is waiting"));
    let finished = waiting.ends_well();
    finished.assert_says("the state of another sign-in");
    assert!(!finished.stderr.contains("code="), "{finished:?}");
}

#[test]
fn l36_a_time_out_says_what_the_browser_may_have_done() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let login = sandbox.login(&["--timeout", "1s"]);
    let address = login.address();
    let finished = login.finished();
    finished.assert_code(6).assert_says("nobody answered within 1 s").assert_says("switched to https");
    finished.assert_says("loopin login work");
    assert!(TcpStream::connect(address).is_err(), "the port is closed");
    sandbox.run(&["token", "work"]).assert_code(4);
}

#[test]
fn d22_a_login_without_an_answer_shows_what_was_sent_and_what_to_compare_it_with() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let mut login = sandbox.login(&["--timeout", "2s"]);
    let (client_id, redirect_uri) = (login.parameter("client_id"), login.redirect_uri());
    login.wait_for("if the provider shows an error, compare this with the client's registration there");
    login.wait_for(&format!("client_id     {client_id}"));
    login.wait_for(&format!("redirect_uri  {redirect_uri}"));
    let finished = login.finished();
    finished.assert_code(6).assert_says("nobody answered within 2 s").assert_says(&format!(
        "compare client_id \"{client_id}\" and redirect_uri \"{redirect_uri}\" with the client's registration there"
    ));
    assert_eq!(1, finished.stderr.matches("if the provider shows an error").count(), "once in a login: {finished:?}");
}

#[test]
fn l36_the_redirect_is_a_literal_address_that_no_browser_upgrades() {
    let waiting = Waiting::new();
    assert_eq!(format!("http://127.0.0.1:{}/callback", waiting.login.port()), waiting.login.redirect_uri());
    waiting.ends_well();
}

const SIGNALS: [(&str, i32); 3] = [("HUP", 129), ("INT", 130), ("TERM", 143)];

#[test]
fn l38_a_signal_ends_a_login_that_waits_and_the_store_is_untouched() {
    for (signal, code) in SIGNALS {
        let provider = Provider::new();
        let sandbox = Sandbox::signed_in(&provider);
        let (stored, token) = (sandbox.state_files(), sandbox.run(&["token", "work"]).stdout);
        let login = sandbox.login(&[]);
        let address = login.address();
        login.signal(signal);
        login.finished().assert_code(code).assert_says("nothing was changed");
        assert!(TcpStream::connect(address).is_err(), "the port is closed");
        assert_eq!(stored, sandbox.state_files());
        assert_eq!(token, sandbox.run(&["token", "work"]).stdout);
    }
}

#[test]
fn l38_a_signal_ends_a_login_that_waits_for_the_provider_and_the_store_is_untouched() {
    for (signal, code) in SIGNALS {
        let provider = Provider::new();
        let sandbox = Sandbox::signed_in(&provider);
        let gate = Gate::before(&provider);
        sandbox.configure(&gate.integration(&provider));
        let stored = sandbox.state_files();
        let Exchanging { login, browser, sandbox, gate: _gate, provider: _provider } =
            Exchanging::in_sandbox(sandbox, gate, provider);
        login.signal(signal);
        login.finished().assert_code(code).assert_says("nothing was changed");
        assert_eq!(0, browser.join().expect("browser").status, "no page says anything");
        assert_eq!(stored, sandbox.state_files());
    }
}

#[test]
fn l38_a_signal_after_the_tokens_are_stored_does_not_say_that_nothing_was_changed() {
    for (signal, _) in SIGNALS {
        let provider = Provider::new();
        let sandbox = Sandbox::with(&provider);
        let login = sandbox.login(&["--json"]);
        assert_eq!(303, login.get(&target(&login.person().decide("allow"))).status);
        // The browser has not come for the last page, so the program still listens.
        login.signal(signal);
        let finished = login.finished();
        finished.assert_code(0);
        assert_eq!("work", finished.json()["integration"], "one object, and it is the truth");
        sandbox.run(&["token", "work"]).assert_code(0);
    }
}

#[test]
fn l38_a_signal_is_told_in_json_too() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let login = sandbox.login(&["--json"]);
    login.signal("TERM");
    let finished = login.finished();
    finished.assert_code(143);
    assert_eq!("signal", finished.json()["error"]["code"]);
}

//! `loopin login --relay`: a provider that takes nothing on loopback, a relay that runs, and a login behind it.

use loopin::practice::Fault;
use sha2::{Digest, Sha256};

use super::*;
use crate::harness::{Login, Person, Provider, fixed_port, follow, target};

/// What is registered at the provider.
const REGISTERED: &str = "https://yourdomain.com/cli/work";

/// A route that ends on this port.
fn relay_to(port: u16) -> Running {
    Running::with(&format!(
        "listen = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n\n[[route]]\nenvironment = \"cli\"\nhost = \"yourdomain.com\"\npath = \"/cli/work\"\ntarget = \"http://127.0.0.1:{port}/callback\"\n"
    ))
}

fn strict() -> Provider {
    Provider::with(vec![Fault::TakesOnly { redirect_uri: REGISTERED.into() }])
}

/// The browser is sent to the relay's domain, which is this relay here, and from there on.
fn through(relay: &Running, url: &str) -> String {
    assert!(url.starts_with(&format!("{REGISTERED}?")), "the provider sends the person to the registered URI: {url}");
    let reply = relay.get(&target(url));
    assert_eq!(307, reply.status, "{reply:?}");
    reply.field("location").expect("a target").to_owned()
}

#[test]
fn y01_a_provider_that_refuses_loopback_is_used_from_a_terminal() {
    let (provider, port) = (strict(), fixed_port());
    let relay = relay_to(port);
    let sandbox = Sandbox::with(&provider);
    let mut login = sandbox.login(&["--relay", REGISTERED, "--port", &port.to_string()]);
    assert_eq!(
        REGISTERED,
        login.redirect_uri(),
        "the same string at both endpoints: the provider compares it at /token"
    );
    let answer = through(&relay, &login.person().decide("allow"));
    assert!(answer.starts_with(&format!("http://127.0.0.1:{port}/callback?")), "{answer}");
    assert!(follow(&answer).body.contains("You are signed in"));
    assert_eq!(None, login.child.try_wait().unwrap().filter(|status| !status.success()));
    let finished = login.finished();
    finished.assert_code(0).assert_says("signed in to work");
    let said = format!(
        "registered at the provider is {REGISTERED}; its relay must forward to http://127.0.0.1:{port}/callback"
    );
    finished.assert_says(&said);
    let first = sandbox.run(&["token", "work"]).assert_code(0).stdout.clone();
    let refused = format!("{:x}", Sha256::digest(first.trim_end()));
    let second = sandbox.run(&["token", "work", "--rejected", &refused]).assert_code(0).stdout.clone();
    assert_ne!(first, second, "it is renewed without any relay");
}

#[test]
fn y01_without_the_relay_that_provider_refuses() {
    let provider = strict();
    let sandbox = Sandbox::with(&provider);
    let login = sandbox.login(&[]);
    let refused = follow(&login.url);
    assert!(refused.status == 400 && refused.body.contains("not the registered one"), "{refused:?}");
}

#[test]
fn the_integration_names_its_relay_and_the_port_where_the_route_ends() {
    let (provider, port) = (strict(), fixed_port());
    let relay = relay_to(port);
    let sandbox = Sandbox::new();
    let keys = format!("relay = \"{REGISTERED}\"\nredirect_uri = \"http://127.0.0.1:{port}/callback\"\n");
    sandbox.configure(&(provider.integration() + &keys));
    let login = sandbox.login(&[]);
    follow(&through(&relay, &login.person().decide("allow")));
    login.finished().assert_code(0);
    sandbox.run(&["integration", "show", "work"]).assert_code(0).assert_says(REGISTERED);
}

#[test]
fn l05_behind_a_relay_a_wrong_state_keeps_waiting() {
    let (provider, port) = (strict(), fixed_port());
    let relay = relay_to(port);
    let sandbox = Sandbox::with(&provider);
    let login = sandbox.login(&["--relay", REGISTERED, "--port", &port.to_string()]);
    let forged = through(&relay, &format!("{REGISTERED}?code=forged&state=wrong"));
    assert_eq!(400, follow(&forged).status);
    let denied = through(&relay, &login.person().decide("deny"));
    follow(&denied);
    let finished = login.finished();
    finished.assert_code(5).assert_says(&format!("--relay {REGISTERED} --port {port}"));
    assert_eq!(0, provider.counters().token);
}

#[test]
fn l13_behind_a_relay_the_issuer_is_compared() {
    let faults = vec![Fault::TakesOnly { redirect_uri: REGISTERED.into() }, Fault::AnswersWithOtherIss];
    let (provider, port) = (Provider::with(faults), fixed_port());
    let relay = relay_to(port);
    let sandbox = Sandbox::with(&provider);
    let login = sandbox.login(&["--relay", REGISTERED, "--port", &port.to_string()]);
    follow(&through(&relay, &login.person().decide("allow")));
    login.finished().assert_code(9);
    assert_eq!(0, provider.counters().token);
}

#[test]
fn a_relay_needs_a_fixed_port_and_a_uri_of_its_own() {
    let provider = strict();
    let sandbox = Sandbox::with(&provider);
    let refused = |arguments: &[&str]| match Login::try_start(sandbox.loopin(&[&["login", "work"], arguments].concat()))
    {
        Ok(login) => panic!("{} was printed", login.url),
        Err(finished) => finished,
    };
    refused(&["--relay", REGISTERED]).assert_code(3).assert_says("add --port N");
    refused(&["--relay", "http://yourdomain.com/cb", "--port", "4711"]).assert_code(3).assert_says("https://");
    refused(&["--relay", "https://yourdomain.com/cb?a=b", "--port", "4711"]).assert_code(3).assert_says("query");
    refused(&["--relay", "http://127.0.0.1:1/cb", "--port", "4711"]).assert_code(3);
    let two = "redirect_uri = [\"http://127.0.0.1:4711/callback\", \"http://127.0.0.1:4712/callback\"]\n";
    sandbox.configure(&(provider.integration() + two));
    refused(&["--relay", REGISTERED]).assert_code(3).assert_says("redirect_uri is a list");
    sandbox.configure(&(provider.integration() + "relay = \"http://yourdomain.com/cb\"\n"));
    refused(&[]).assert_code(3).assert_says("relay: a relay is at https://");
    assert_eq!(0, provider.counters().authorize);
}

#[test]
fn a_relay_that_leads_elsewhere_is_what_the_time_out_speaks_of() {
    let (provider, port) = (strict(), fixed_port());
    let sandbox = Sandbox::with(&provider);
    let login = sandbox.login(&["--relay", REGISTERED, "--port", &port.to_string(), "--timeout", "1s"]);
    let _: &Person = &login.person();
    let expected = format!("see that the relay's route {REGISTERED} ends on http://127.0.0.1:{port}/callback");
    login.finished().assert_code(6).assert_says(&expected);
}

//! Registered, bound, sent: the values and the errors a login sees.

use std::num::NonZeroU16;

use proptest::prelude::*;

use super::rules::{Rule, check, compare};
use super::{BindError, BoundRedirect, Landing, LoopbackHost, Port, RegisteredRedirect};

fn port(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).expect("a port")
}

fn parse(text: &str) -> RegisteredRedirect {
    RegisteredRedirect::parse(text).expect("a redirect URI")
}

fn bind(text: &str, number: u16) -> Result<BoundRedirect, BindError> {
    parse(text).bind(port(number))
}

#[test]
fn the_bytes_that_were_registered_are_kept() {
    for text in [
        "http://127.0.0.1:0/callback",
        "https://app.example:443/callback",
        "HTTPS://App.Example/callback",
        "https://app.example/%63allback?a=%2f&b",
        "my_iracing_app://callback/",
    ] {
        assert_eq!(text, parse(text).as_str());
    }
}

#[test]
fn the_landing_says_where_the_answer_arrives() {
    let loopback = |host, port| Landing::Loopback { host, port };
    for (text, landing) in [
        ("http://127.0.0.1:0/", loopback(LoopbackHost::V4, Port::Ephemeral)),
        ("http://[::1]:0/", loopback(LoopbackHost::V6, Port::Ephemeral)),
        ("http://127.0.0.1:8080/", loopback(LoopbackHost::V4, Port::Fixed(port(8080)))),
        ("http://localhost:8080/cb", loopback(LoopbackHost::Localhost, Port::Fixed(port(8080)))),
        ("http://127.0.0.1/callback", loopback(LoopbackHost::V4, Port::Unstated)),
        ("https://127.0.0.1:8080/", Landing::Elsewhere),
        ("https://app.example/", Landing::Elsewhere),
        ("com.example.app://127.0.0.1:8080/", Landing::Elsewhere),
        // other spellings are heard by no listener of ours: the Host field would not be equal
        ("http://LOCALHOST:8080/", Landing::Elsewhere),
        ("http://localhost.:8080/", Landing::Elsewhere),
        ("http://127.0.0.2:8080/", Landing::Elsewhere),
        ("http://0.0.0.0:8080/", Landing::Elsewhere),
        ("http://[0:0:0:0:0:0:0:1]:8080/", Landing::Elsewhere),
    ] {
        assert_eq!(landing, parse(text).landing(), "{text}");
    }
}

#[test]
fn the_pieces_are_those_of_the_text() {
    let redirect = parse("http://[::1]:0/a/b?c=d?e");
    assert_eq!("[::1]", redirect.host());
    assert_eq!("/a/b", redirect.path());
    assert_eq!(Some("c=d?e"), redirect.query());
    assert_eq!(None, parse("https://app.example/").query());
    assert_eq!(Some(""), parse("https://app.example/?").query());
    assert_eq!("", parse("com.example.app:///cb").host());
}

#[test]
fn the_port_of_the_listener_takes_the_place_of_0() {
    let bound = bind("http://127.0.0.1:0/callback?flow=one:0", 25417).expect("bound");
    assert_eq!("http://127.0.0.1:25417/callback?flow=one:0", bound.as_str());
    assert_eq!("127.0.0.1:25417", bound.authority());
    assert_eq!("http://127.0.0.1:25417", bound.origin());
    assert_eq!("/callback", bound.path());
    assert_eq!(Some("flow=one:0"), bound.query());
    assert_eq!(port(25417), bound.port());
    let v6 = bind("http://[::1]:0/", 1).expect("bound");
    assert_eq!("http://[::1]:1/", v6.as_str());
    assert_eq!("[::1]:1", v6.authority());
}

#[test]
fn browsers_leave_port_80_out_of_host_and_origin_but_the_redirect_keeps_it() {
    let bound = bind("http://127.0.0.1:80/callback", 80).expect("bound");
    assert_eq!("http://127.0.0.1:80/callback", bound.as_str());
    assert_eq!("127.0.0.1", bound.authority());
    assert_eq!("http://127.0.0.1", bound.origin());
}

#[test]
fn a_fixed_port_must_be_the_bound_one() {
    assert!(bind("http://127.0.0.1:8080/", 8080).is_ok());
    let error = bind("http://127.0.0.1:8080/", 8081).expect_err("another port");
    let expected = BindError::OtherPort { registered: port(8080), bound: port(8081) };
    assert_eq!(expected, error);
    assert!(error.to_string().contains("listen on 8080"));
}

#[test]
fn without_a_port_there_is_nothing_to_bind() {
    let error = bind("http://127.0.0.1/callback", 8080).expect_err("no port");
    assert_eq!(BindError::PortUnstated, error);
    assert!(error.to_string().contains("write :0 for any port, or the port"));
}

#[test]
fn only_loopback_over_http_is_bound() {
    for text in [
        "https://127.0.0.1:8080/",
        "https://app.example:8080/",
        "http://127.0.0.2:8080/",
        "http://0.0.0.0:8080/",
        "http://LOCALHOST:8080/",
        "com.example.app://localhost:8080/",
    ] {
        assert_eq!(Err(BindError::NotLoopback), bind(text, 8080), "{text}");
    }
}

#[test]
fn localhost_with_port_0_takes_an_integration_that_insists() {
    let text = "http://localhost:0/callback";
    let error = RegisteredRedirect::parse(text).expect_err("native rule 2");
    assert_eq!(1, error.findings().len());
    assert_eq!(Rule::NativeHost, error.findings()[0].rule);
    let redirect = RegisteredRedirect::parse_insisting_on_localhost(text).expect("insisting");
    let landing = Landing::Loopback { host: LoopbackHost::Localhost, port: Port::Ephemeral };
    assert_eq!(landing, redirect.landing());
    let bound = redirect.bind(port(25417)).expect("bound");
    assert_eq!("http://localhost:25417/callback", bound.as_str());
}

#[test]
fn insisting_on_localhost_tolerates_nothing_else() {
    for text in [
        "http://LOCALHOST:0/callback",
        "http://localhost.:0/callback",
        "http://app.localhost:0/callback",
        "http://user@localhost:0/callback",
        "http://localhost@evil.example:0/callback",
        "https://localhost:0/callback",
        "http://localhost:00/callback",
        "http://localhost:0/callback#",
        "http://localhost:0",
        "http://127.1:0/callback",
        "http://127.0.0.2:0/callback",
        "http://app.example:0/callback",
    ] {
        assert!(RegisteredRedirect::parse_insisting_on_localhost(text).is_err(), "{text}");
    }
    // and refuses nothing that `parse` takes
    assert!(RegisteredRedirect::parse_insisting_on_localhost("http://127.0.0.1:0/").is_ok());
}

#[test]
fn the_error_lists_every_broken_rule_with_its_remedy() {
    let error = RegisteredRedirect::parse("https://127.0.0.1:8080#x").expect_err("two rules");
    let expected = "\
rule 2: the `/` after the host is missing; write https://127.0.0.1:8080/#x
rule 10: there must be no `#`, not even with nothing behind it; write https://127.0.0.1:8080";
    assert_eq!(expected, error.to_string());
}

proptest! {
    // a failure belongs into the table, not into a file of seeds
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn binding_changes_nothing_but_the_port(
        host in prop::sample::select(vec!["127.0.0.1", "[::1]"]),
        rest in "/[a-zA-Z0-9:@!$&()*+,;=~_-]{0,20}(\\?[a-zA-Z0-9:@!$&'()*+,;=/?._~-]{0,20})?",
        number in 1_u16..,
    ) {
        let registered = format!("http://{host}:0{rest}");
        let bound = bind(&registered, number).expect("bound");
        prop_assert_eq!(format!("http://{host}:{number}{rest}"), bound.as_str());
        prop_assert_eq!(0, compare(&registered, bound.as_str()).broken().count());
        let fixed = bind(bound.as_str(), number).expect("bound");
        prop_assert_eq!(bound, fixed);
    }

    #[test]
    fn no_text_makes_parse_or_bind_panic(text in any::<String>(), number in 1_u16..) {
        let parsed = RegisteredRedirect::parse(&text);
        prop_assert_eq!(parsed.is_ok(), check(&text).broken().count() == 0);
        for redirect in [parsed, RegisteredRedirect::parse_insisting_on_localhost(&text)] {
            match redirect {
                Ok(redirect) => drop(redirect.bind(port(number))),
                Err(error) => prop_assert!(error.to_string().starts_with("rule ")),
            }
        }
    }
}

//! `loopin doctor`: whether a machine is ready, through the real executable. The judgement of each check is tested beside it.

use std::{net::TcpListener, time::SystemTime};

use serde_json::Value;

use crate::harness::*;

/// An authorization server whose responses have this header field.
fn server(field: &'static str) -> RawServer {
    RawServer::new(move |_, stream| {
        let origin = origin_of(stream);
        let metadata = format!(
            r#"{{"issuer":"{origin}","authorization_endpoint":"{origin}/authorize","token_endpoint":"{origin}/token","code_challenge_methods_supported":["S256"]}}"#
        );
        send(stream, 200, &format!("{JSON}{field}"), metadata.as_bytes());
    })
}

/// The table of an integration in encrypted files, with a redirect of its own.
fn table(name: &str, issuer: &str, lines: &str) -> String {
    let store = "store = \"file\"\nstore_key = { file = \"{key}\" }";
    format!("[integration.{name}]\nissuer = \"{issuer}\"\nclient_id = \"me\"\n{store}\n{lines}\n")
}

fn configured(tables: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.configure(tables);
    sandbox
}

fn doctor(sandbox: &Sandbox, arguments: &[&str], variables: &[(&str, &str)]) -> Finished {
    let mut command = sandbox.loopin(&[&["doctor"], arguments].concat());
    command.envs(variables.iter().copied());
    Finished::new(command.output().expect("loopin runs"))
}

/// State, message and fix of each line of a check.
#[track_caller]
fn lines(finished: &Finished, check: &str) -> Vec<(String, String, String)> {
    let json = finished.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = json["checks"].as_array().expect("checks").iter();
    let found: Vec<_> = all
        .filter(|line| line["check"] == check)
        .map(|line| (text(&line["state"]), text(&line["message"]), text(&line["remedy"])))
        .collect();
    assert!(!found.is_empty(), "no {check}: {json}");
    found
}

#[track_caller]
fn line(finished: &Finished, check: &str) -> (String, String, String) {
    let found = lines(finished, check);
    assert_eq!(1, found.len(), "{found:?}");
    found.into_iter().next().expect("a line")
}

#[test]
fn a_machine_that_is_ready_has_a_good_line_for_each_check_and_nothing_is_left_behind() {
    let server = server("");
    let sandbox = configured(&table("work", &server.origin, ""));
    let variables = [("LOOPIN_BROWSER", "firefox --profile canary")];
    let finished = doctor(&sandbox, &[], &variables);
    finished.assert_code(0);
    assert!(finished.stdout.contains("good     loopback 127.0.0.1  can be bound and reached\n"), "{finished:#?}");
    let json = doctor(&sandbox, &["--json"], &variables);
    for check in ["configuration", "store", "proxy", "ca", "network", "metadata work", "redirect work", "leftovers"] {
        assert_eq!("good", line(&json, check).0, "{check}");
    }
    // What follows says where the tests run.
    let browser = line(&json, "browser").1;
    assert!(browser.starts_with("login opens firefox (LOOPIN_BROWSER)") && !browser.contains("canary"), "{browser}");
    assert!(line(&json, "store").1.contains("written, read and deleted"));
    assert_eq!(Vec::<String>::new(), sandbox.stored());
    assert_eq!(0, server.token_requests());
}

#[test]
fn without_a_keychain_the_store_is_bad() {
    let server = server("");
    let sandbox = configured(&table("work", &server.origin, ""));
    let finished = doctor(&sandbox, &["--json", "--store", "keychain"], &[]);
    finished.assert_code(8);
    let (state, message, remedy) = line(&finished, "store");
    assert_eq!("bad", state);
    assert!(
        message.contains("no keychain here") && remedy.ends_with("loopin integration set work --store file"),
        "{message} {remedy}"
    );
}

#[test]
fn a_clock_that_is_wrong_is_bad_unless_the_response_is_from_a_cache() {
    let origin = server("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    let sandbox = configured(&table("work", &origin.origin, ""));
    let finished = doctor(&sandbox, &["--json"], &[]);
    finished.assert_code(3);
    let (state, message, remedy) = line(&finished, "clock");
    assert_eq!("bad", state);
    assert!(
        message.contains("s ahead of the clock of 127.0.0.1:") && remedy.contains("set it: "),
        "{message} {remedy}"
    );

    let cached = server("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nAge: 7\r\n");
    let finished = doctor(&configured(&table("work", &cached.origin, "")), &["--json"], &[]);
    finished.assert_code(0);
    assert_eq!("warning", line(&finished, "clock").0);
}

#[test]
fn a_clock_that_is_right_agrees_with_the_provider() {
    let server = RawServer::new(|_, stream| {
        let now = date();
        send(stream, 404, &format!("Date: {now}\r\n"), b"");
    });
    let finished = doctor(&configured(&server.integration()), &["--json"], &[]);
    finished.assert_code(0);
    assert_eq!("good", line(&finished, "clock").0, "a provider without metadata has a clock too");
    assert!(line(&finished, "metadata work").1.contains("publishes none, and login needs none"));
}

/// Now, as a server writes it.
fn date() -> String {
    let now = jiff::Timestamp::try_from(SystemTime::now()).expect("now");
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now).expect("date")
}

#[test]
fn a_provider_without_the_metadata_that_a_login_needs_is_a_fault_of_the_configuration() {
    let server = RawServer::new(|_, stream| send(stream, 404, "", b"no such page"));
    let finished = doctor(&configured(&table("work", &server.origin, "")), &["--json"], &[]);
    finished.assert_code(3);
    let (state, message, remedy) = line(&finished, "metadata work");
    assert_eq!("bad", state);
    assert!(message.contains("no usable metadata") && remedy.contains("check issuer"), "{message} {remedy}");
}

#[test]
fn a_network_that_is_off_is_reported_and_the_other_checks_are_made() {
    let sandbox = configured(&table("work", "http://127.0.0.1:1", ""));
    let finished = doctor(&sandbox, &["--json"], &[]);
    finished.assert_code(7);
    assert_eq!("bad", line(&finished, "network").0);
    assert_eq!("bad", line(&finished, "metadata work").0);
    assert_eq!("warning", line(&finished, "clock").0);
    assert_eq!("good", line(&finished, "store").0);
    doctor(&sandbox, &[], &[]).assert_code(7).assert_says("not ready: 2 bad");
}

#[test]
fn a_redirect_that_two_servers_share_is_a_warning_and_one_integration_can_be_checked_alone() {
    let (one, other) = (server(""), server(""));
    let sandbox = configured(&(table("work", &one.origin, "") + &table("other", &other.origin, "")));
    let finished = doctor(&sandbox, &["--json"], &[]);
    finished.assert_code(0);
    for (own, with) in [("work", "other"), ("other", "work")] {
        let (state, message, remedy) = line(&finished, &format!("redirect {own}"));
        assert_eq!("warning", state);
        assert!(message.contains(&format!("is shared with {with} at another server")), "{message}");
        assert!(remedy.contains(&format!("redirect_uri = \"http://127.0.0.1:0/callback/{own}\"")), "{remedy}");
    }
    let alone = doctor(&sandbox, &["work", "--json"], &[]);
    assert_eq!("warning", line(&alone, "redirect work").0, "whom it is shared with is still seen");
    assert!(!alone.stdout.contains("metadata other"), "{alone:#?}");
    doctor(&sandbox, &["wrok"], &[]).assert_code(3).assert_says("did you mean work?");
}

#[test]
fn a_fixed_port_that_another_program_has_is_bad() {
    let server = server("");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("address").port();
    let redirect = format!("redirect_uri = \"http://127.0.0.1:{port}/callback\"");
    let sandbox = configured(&table("work", &server.origin, &redirect));
    let finished = doctor(&sandbox, &["--json"], &[]);
    finished.assert_code(3);
    let (state, message, remedy) = line(&finished, "redirect work");
    assert_eq!("bad", state);
    assert!(message.contains(&port.to_string()) && remedy.contains("free it"), "{message} {remedy}");
    drop(taken);
    doctor(&sandbox, &[], &[]).assert_code(0);
}

#[test]
fn a_proxy_variable_is_shown_as_it_is_understood_without_its_password() {
    let sandbox = configured(&table("work", "https://op.test", ""));
    for (value, state, says, code) in [
        ("http://me:canary@127.0.0.1:1", "good", "http://127.0.0.1:1 (HTTPS_PROXY)", 7),
        ("ftp://me:canary@127.0.0.1", "bad", "the variable HTTPS_PROXY names no usable proxy", 3),
    ] {
        let finished = doctor(&sandbox, &["--json", "--report"], &[("HTTPS_PROXY", value)]);
        finished.assert_code(code);
        let (found, message, _) = line(&finished, "proxy");
        assert_eq!(state, found);
        assert!(message.contains(says), "{message}");
        assert!(!finished.said().contains("canary"), "{finished:#?}");
    }
    let exempt = doctor(&sandbox, &["--json"], &[("HTTPS_PROXY", "http://127.0.0.1:1"), ("NO_PROXY", "test")]);
    assert_eq!("no proxy", line(&exempt, "proxy").1);
}

#[test]
fn the_ca_store_in_use_is_named_and_a_file_that_cannot_be_used_is_bad() {
    let server = server("");
    let sandbox = configured(&table("work", &server.origin, "ca = \"cas.pem\""));
    let missing = doctor(&sandbox, &["--json"], &[("SSL_CERT_FILE", "/some/cas.pem")]);
    missing.assert_code(3);
    assert_eq!("SSL_CERT_FILE (\"/some/cas.pem\")", line(&missing, "ca").1);
    let (state, message, remedy) = line(&missing, "ca work");
    assert_eq!("bad", state);
    assert!(message.contains("cas.pem") && remedy.contains("remove ca"), "{message} {remedy}");
}

#[test]
fn a_server_with_a_certificate_of_an_unknown_ca_is_bad_and_the_network_is_not_blamed() {
    let sandbox = configured(&table("work", "https://op.test", ""));
    sandbox.ca("corp");
    sandbox.certificate_of("corp", "server", "DNS:op.test");
    let server = TlsServer::new(&sandbox, |_| json_reply("{}"));
    let proxy = Proxy::to(&server);
    let url = proxy.url("http://");
    let finished = doctor(&sandbox, &["--json"], &[("HTTPS_PROXY", &url)]);
    finished.assert_code(9);
    let (state, message, remedy) = line(&finished, "metadata work");
    assert_eq!("bad", state);
    assert!(message.contains("of a CA that is not in the certificate store of this system"), "{message}");
    assert!(remedy.contains("ca = \"FILE\""), "{remedy}");
    assert!(!finished.stdout.contains("\"network\""), "{finished:#?}");
}

#[test]
fn what_earlier_runs_left_is_listed_with_the_command_for_it() {
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    assert_eq!("good", line(&doctor(&sandbox, &["--json"], &[]), "leftovers").0);
    let index = sandbox.stored_file(".index");
    // A refresh that is going on, or was cut off, has a grant.
    write_private(&index.with_extension("journal"), b"");
    assert_eq!("good", line(&doctor(&sandbox, &["--json"], &[]), "leftovers").0);
    // Of a grant that has lost its index entry.
    let kept = std::fs::read(&index).expect("index");
    std::fs::remove_file(&index).expect("removed");
    assert_eq!("good", line(&doctor(&sandbox, &["--json"], &[]), "leftovers").0);
    write_private(&index, &kept);
    std::fs::remove_file(index.with_extension("journal")).expect("removed");

    write_private(&sandbox.state().join("feed.journal"), b"");
    std::fs::remove_file(sandbox.stored_file(".item")).expect("removed");
    let finished = doctor(&sandbox, &["--json"], &[]);
    finished.assert_code(0);
    let found = lines(&finished, "leftovers");
    let remedies: Vec<_> = found.iter().map(|(_, _, remedy)| remedy.as_str()).collect();
    let journal = format!("rm '{}'", sandbox.state().join("feed.journal").display());
    assert_eq!(vec!["loopin login work", journal.as_str()], remedies, "{found:?}");
}

#[test]
fn a_configuration_that_cannot_be_read_is_bad_and_this_machine_is_checked_all_the_same() {
    let sandbox = configured("[integration.work]\nissuer = 7\n");
    let finished = doctor(&sandbox, &["--json", "--store", "file"], &[]);
    finished.assert_code(3);
    assert_eq!("bad", line(&finished, "configuration").0);
    assert_eq!("good", line(&finished, "loopback 127.0.0.1").0);
    let empty = doctor(&configured(""), &["--json", "--store", "file"], &[]);
    assert_eq!("loopin integration add NAME --store file", line(&empty, "configuration").2);
}

#[test]
fn a_report_names_variables_and_never_their_values() {
    let server = server("");
    let sandbox = configured(&table("work", &server.origin, ""));
    let variables = [
        ("DISPLAY", ":canary"),
        ("LOOPIN_OTHER", "canary"),
        ("SSH_CONNECTION", "canary"),
        ("UNRELATED_NAME", "canary"),
    ];
    let report = doctor(&sandbox, &["--report"], &variables);
    report.assert_code(0);
    assert!(!report.said().contains("canary"), "{report:#?}");
    let named = |start: &str| {
        let line = report.stdout.lines().find(|line| line.starts_with(start)).expect("variables");
        line.split_whitespace().skip(2).map(str::to_owned).collect::<Vec<_>>()
    };
    let (set, unset) = (named("variables set"), named("variables unset"));
    for name in ["DISPLAY", "LOOPIN_OTHER", "LOOPIN_CONFIG", "SSH_CONNECTION", "HOME"] {
        assert!(set.iter().any(|set| set == name), "{name}: {set:?}");
    }
    assert!(unset.iter().any(|unset| unset == "CI") && !report.stdout.contains("UNRELATED_NAME"), "{report:#?}");
    assert!(report.stdout.starts_with(&format!("loopin {}, linux ", env!("CARGO_PKG_VERSION"))), "{report:#?}");
    let json = doctor(&sandbox, &["--report", "--json"], &variables).json();
    assert_eq!(env!("CARGO_PKG_VERSION"), json["version"]);
    assert!(
        json["environment"]["set"].as_array().is_some_and(|set| set.iter().any(|name| name == "DISPLAY")),
        "{json}"
    );
}

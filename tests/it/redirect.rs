//! `loopin redirect check`: the fourteen rules by number, each with a remedy. 0 with warnings, 3 when one is broken.

use serde_json::Value;

use crate::harness::{Finished, Sandbox};

fn check(arguments: &[&str]) -> Finished {
    Sandbox::new().run(&[&["redirect", "check"], arguments].concat())
}

/// Number → verdict and remedy, from the JSON form.
fn findings(arguments: &[&str]) -> Vec<(String, String, Option<String>)> {
    let json = check(&[arguments, &["--json"]].concat()).json();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let list = json["findings"].as_array().expect("findings").iter();
    list.map(|f| (text(&f["rule"]).expect("rule"), text(&f["verdict"]).expect("verdict"), text(&f["remedy"]))).collect()
}

/// The rules with this verdict.
fn rules(verdict: &str, arguments: &[&str]) -> Vec<String> {
    findings(arguments).into_iter().filter(|(_, v, _)| v == verdict).map(|(rule, ..)| rule).collect()
}

const NUMBERS: [&str; 14] =
    ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "native 1", "native 2", "native 3", "native 4"];

#[test]
fn the_recommended_redirect_is_good_by_all_fourteen_rules() {
    let good = check(&["http://127.0.0.1:0/callback"]);
    good.assert_code(0);
    assert!(good.stdout.ends_with("\ngood\n"), "{good:?}");
    let lines: Vec<_> = good.stdout.lines().skip(1).take(NUMBERS.len()).collect();
    for (line, number) in lines.iter().zip(NUMBERS) {
        assert!(line[10..].trim_start().starts_with(number), "rule {number}: {line:?}");
    }
    assert_eq!(
        NUMBERS.map(str::to_owned).to_vec(),
        findings(&["http://127.0.0.1:0/callback"]).into_iter().map(|f| f.0).collect::<Vec<_>>()
    );
}

/// One line a rule: what breaks it, and the line that the remedy proposes. Rule 3 only ever warns.
#[test]
fn every_rule_that_can_be_broken_is_named_by_its_number_with_a_remedy() {
    let native = "http://127.0.0.1:0/callback";
    let cases: [(&str, &[&str], &str); 13] = [
        (
            "1",
            &["https://app.example/callback", "--sent", "https://app.example/Callback"],
            "https://app.example/callback",
        ),
        ("2", &["https://app.example"], "https://app.example/"),
        ("4", &["javascript://callback/"], native),
        ("5", &["http://me@127.0.0.1:8080/callback"], "http://127.0.0.1:8080/callback"),
        ("6", &["http://127.0.0.1:08080/callback"], "http://127.0.0.1:8080/callback"),
        (
            "7",
            &["https://app.example/callback", "--sent", "https://app.example:443/callback"],
            "https://app.example/callback",
        ),
        ("8", &["https://app.example/a/../callback"], "https://app.example/callback"),
        (
            "9",
            &["https://app.example/callback?a=1", "--sent", "https://app.example/callback?a=2"],
            "https://app.example/callback?a=1",
        ),
        ("10", &["https://app.example/callback#part"], "https://app.example/callback"),
        ("native 1", &["https://127.0.0.1:0/callback"], native),
        ("native 2", &["http://localhost:0/callback"], native),
        ("native 3", &["http://127.0.0.1:00/callback"], native),
        ("native 3", &[native, "--sent", native], "http://127.0.0.1:25417/callback"),
    ];
    for (number, arguments, line) in cases {
        let found = findings(arguments);
        let (_, verdict, remedy) = found.iter().find(|(rule, ..)| rule == number).expect("rule");
        assert_eq!(("broken", Some(line)), (verdict.as_str(), remedy.as_deref()), "{number}: {arguments:?}");

        let text = check(arguments);
        text.assert_code(3).assert_says(&format!("→ {line}")).assert_says("not acceptable");
        let broken = text
            .stdout
            .lines()
            .any(|l| l.trim_start().strip_prefix("BROKEN").is_some_and(|l| l.trim_start().starts_with(number)));
        assert!(broken, "{number}: {text:?}");
        assert_eq!("", text.stderr, "the verdict is data");
    }
    let native_4 = findings(&["http://127.0.0.1:0/callback#part"]);
    assert_eq!("broken", native_4[13].1, "native rule 4 is broken with any general rule");
    check(&["http://127.0.0.1:0/callback#part"]).assert_code(3).assert_says("broken general rules: 10");
}

#[test]
fn what_is_only_not_preferred_is_a_warning_and_exits_with_0() {
    for (number, uri, line) in [
        ("1", "HTTPS://app.example/callback", Some("https://app.example/callback")),
        ("3", "http://app.example/callback", Some("https://app.example/callback")),
        ("4", "my_iracing_app://callback/", None),
        ("5", "http://localhost:8080/callback", Some("http://127.0.0.1:8080/callback")),
        ("5", "https://192.0.2.7/callback", None),
        ("7", "https://app.example:443/callback", Some("https://app.example/callback")),
        ("8", "http://127.0.0.1:0/any/other/path", Some("http://127.0.0.1:0/callback")),
        ("9", "https://app.example/callback?", Some("https://app.example/callback")),
    ] {
        assert_eq!(vec![number], rules("warning", &[uri]), "{uri}");
        assert_eq!(Vec::<String>::new(), rules("broken", &[uri]), "{uri}");
        let text = check(&[uri]);
        text.assert_code(0).assert_says("good, with 1 warning");
        if let Some(line) = line {
            text.assert_says(&format!("→ {line}"));
        }
    }
}

/// Where two rules pull in different directions: the port 0 makes a URI native, and native rules come first.
#[test]
fn the_examples_of_the_source_document_are_judged_as_it_means_them() {
    check(&["https://app.yourdomain.example/callback"]).assert_code(0);
    check(&["my_iracing_app://callback/"]).assert_code(0);
    check(&["my_iracing_app://callback"]).assert_code(3);
    check(&["http://127.0.0.1/callback"]).assert_code(0);
    assert!(
        !rules("warning", &["http://127.0.0.1:0/callback"]).contains(&"3".to_owned()),
        "native: no https is asked for"
    );
}

#[test]
fn for_port_0_any_port_may_be_sent_and_nothing_else_may_differ() {
    let sent = |sent: &str| check(&["http://127.0.0.1:0/callback", "--sent", sent]).code;
    for port in ["1", "80", "25417", "65535"] {
        assert_eq!(Some(0), sent(&format!("http://127.0.0.1:{port}/callback")), "{port}");
    }
    for wrong in [
        "http://127.0.0.1:0/callback",
        "http://127.0.0.1/callback",
        "http://127.0.0.1:08080/callback",
        "http://127.0.0.1:65536/callback",
        "http://127.0.0.1:8080/callback/",
        "http://127.0.0.1:8080/Callback",
        "http://127.0.0.1:8080/callback?x",
        "http://127.0.0.1:8080/callback#",
        "http://localhost:8080/callback",
        "http://[::1]:8080/callback",
        "https://127.0.0.1:8080/callback",
    ] {
        assert_eq!(Some(3), sent(wrong), "{wrong}");
    }
}

#[test]
fn the_json_form_carries_every_finding_and_whether_one_is_broken() {
    for (uri, broken) in [("http://127.0.0.1:0/callback", false), ("http://localhost:0/callback", true)] {
        let finished = check(&[uri, "--json"]);
        finished.assert_code(if broken { 3 } else { 0 });
        let json = finished.json();
        assert_eq!(
            (Value::from(1), Value::from(uri), Value::from(broken)),
            (json["format"].clone(), json["uri"].clone(), json["broken"].clone())
        );
        for finding in json["findings"].as_array().expect("findings") {
            let mut keys: Vec<_> = finding.as_object().expect("finding").keys().collect();
            keys.sort();
            assert_eq!(vec!["remedy", "rule", "statement", "verdict", "why"], keys);
            assert!(
                ["broken", "holds", "not_applicable", "warning"]
                    .contains(&finding["verdict"].as_str().expect("verdict"))
            );
        }
    }
}

#[test]
fn hostile_text_in_a_uri_reaches_no_terminal() {
    for uri in
        ["http://127.0.0.1:0/\u{1b}[31m", "\u{202e}http://a/", "http://a/\u{9b}31m#\u{7}", "x\ny", &"a".repeat(100_000)]
    {
        let text = check(&[uri]);
        text.assert_code(3);
        assert!(
            text.stdout.chars().all(|c| c == '\n' || !c.is_control() && !('\u{202a}'..='\u{202e}').contains(&c)),
            "{text:?}"
        );
        assert!(text.stdout.lines().all(|line| line.chars().count() < 300), "{text:?}");
    }
}

#[test]
fn judging_needs_no_configuration() {
    let sandbox = Sandbox::new();
    sandbox.configure("this is = not = TOML");
    sandbox.run(&["redirect", "check", "http://127.0.0.1:0/callback"]).assert_code(0);
}

//! The table of tests/data/redirects.tsv, and what holds for every text.

use std::collections::HashSet;

use proptest::prelude::*;

use super::text::LONGEST;
use super::{Finding, Rule, Verdict, check, compare};
use crate::redirect::parts::Parts;

const TABLE: &str = include_str!("../../../tests/data/redirects.tsv");

struct Case {
    line: usize,
    uri: String,
    broken: String,
    warnings: String,
}

fn table() -> Vec<Case> {
    let rows = TABLE.lines().enumerate();
    rows.filter(|(_, row)| !row.is_empty() && !row.starts_with("# "))
        .map(|(at, row)| {
            let columns: Vec<_> = row.split('\t').collect();
            assert_eq!(3, columns.len(), "line {}", at + 1);
            Case {
                line: at + 1,
                uri: unescaped(columns[0]),
                broken: columns[1].to_owned(),
                warnings: columns[2].to_owned(),
            }
        })
        .collect()
}

fn unescaped(cell: &str) -> String {
    let mut text = String::new();
    let mut rest = cell.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        match rest.next().expect("an escape") {
            'e' => {}
            's' => text.push(' '),
            't' => text.push('\t'),
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            '\\' => text.push('\\'),
            'u' => {
                let hex: String = rest.by_ref().skip(1).take_while(|&c| c != '}').collect();
                let number = u32::from_str_radix(&hex, 16).expect("hexadecimal");
                text.push(char::from_u32(number).expect("a character"));
            }
            other => panic!("unknown escape {other}"),
        }
    }
    text
}

fn codes<'a>(findings: impl Iterator<Item = &'a Finding>) -> String {
    let code = |finding: &Finding| match finding.rule.number().strip_prefix("native ") {
        Some(number) => format!("N{number}"),
        None => format!("G{}", finding.rule.number()),
    };
    let codes: Vec<_> = findings.map(code).collect();
    if codes.is_empty() {
        return "-".to_owned();
    }
    codes.join(",")
}

fn broken(registered: &str, sent: &str) -> String {
    codes(compare(registered, sent).broken())
}

fn remedy(uri: &str, rule: Rule) -> String {
    let report = check(uri);
    let finding = report.findings.into_iter().find(|finding| finding.rule == rule);
    finding.and_then(|finding| finding.remedy).unwrap_or_default()
}

#[test]
fn the_table_of_uris_is_judged_as_it_says() {
    let wrong: Vec<_> = table()
        .into_iter()
        .filter_map(|case| {
            let report = check(&case.uri);
            let (broken, warnings) = (codes(report.broken()), codes(report.warnings()));
            (broken != case.broken || warnings != case.warnings).then(|| {
                let Case { line, uri, .. } = case;
                format!("line {line}: {uri:?}: broken {broken}, warnings {warnings}")
            })
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_table_is_large_has_no_line_twice_and_breaks_every_rule_that_one_uri_can_break() {
    let cases = table();
    let different: HashSet<_> = cases.iter().map(|case| &case.uri).collect();
    assert!(different.len() >= 350);
    assert_eq!(cases.len(), different.len());
    let broken: HashSet<_> = cases.iter().flat_map(|case| case.broken.split(',')).collect();
    let warned: HashSet<_> = cases.iter().flat_map(|case| case.warnings.split(',')).collect();
    for code in ["G2", "G4", "G5", "G6", "G8", "G10", "N1", "N2", "N3", "N4"] {
        assert!(broken.contains(code), "{code} is never broken");
    }
    for code in ["G1", "G3", "G4", "G5", "G7", "G8", "G9"] {
        assert!(warned.contains(code), "{code} never warns");
    }
}

#[test]
fn every_remedy_satisfies_the_rule_it_belongs_to() {
    for Case { line, uri, .. } in table() {
        for finding in check(&uri).findings {
            let Some(remedy) = finding.remedy else { continue };
            let repaired = check(&remedy).verdict(finding.rule);
            let sound = match repaired {
                Verdict::Broken => false,
                Verdict::Warning => finding.verdict == Verdict::Broken,
                Verdict::Holds | Verdict::NotApplicable => true,
            };
            assert!(sound, "line {line}: {remedy} is still {repaired:?}: {:?}", finding.rule);
        }
    }
}

#[test]
fn a_native_uri_is_repaired_to_one_line_that_breaks_nothing() {
    for uri in [
        "https://localhost:00/callback",
        "http://127.1:0/callback",
        "http://0x7f.1:0/callback",
        "http://%31:0/callback",
        "http://user@app.example:0/callback",
        "http://[::ffff:127.0.0.1]:0/callback",
    ] {
        assert_eq!("http://127.0.0.1:0/callback", remedy(uri, Rule::NativeHost));
    }
    let v6 = remedy("http://[0:0:0:0:0:0:0:1]:0/callback?a=b", Rule::NativeHost);
    assert_eq!("http://[::1]:0/callback?a=b", v6);
}

#[test]
fn remedies_are_lines_to_copy() {
    for (uri, rule, line) in [
        ("https://app.example", Rule::ThreeSlashes, "https://app.example/"),
        ("https:/app.example/cb", Rule::ThreeSlashes, "https://app.example/cb"),
        ("com.example.app:/cb", Rule::ThreeSlashes, "com.example.app:///cb"),
        ("my_iracing_app://callback", Rule::ThreeSlashes, "my_iracing_app://callback/"),
        ("my_iracing_app://", Rule::ThreeSlashes, "my_iracing_app://callback/"),
        ("localhost:8080/cb", Rule::ThreeSlashes, "http://localhost:8080/cb"),
        ("app.example", Rule::ThreeSlashes, "https://app.example/"),
        ("app.example/[", Rule::ThreeSlashes, ""),
        ("[::1]:0/cb", Rule::ThreeSlashes, "http://[::1]:0/cb"),
        (" <http://127.0.0.1:0/\r\ncb>\n", Rule::ThreeSlashes, "http://127.0.0.1:0/cb"),
        ("http:\\\\127.0.0.1:0\\cb", Rule::ThreeSlashes, "http://127.0.0.1:0/cb"),
        ("https://app.example/r\u{fc}ck?100%", Rule::ThreeSlashes, "https://app.example/r%C3%BCck?100%25"),
        ("https://app.example/cb?a[]=1", Rule::ThreeSlashes, "https://app.example/cb?a%5B%5D=1"),
        ("https://b\u{fc}cher.example/", Rule::ThreeSlashes, ""),
        ("http://app.example:80/", Rule::HttpsPreferred, "https://app.example/"),
        ("javascript:alert(1)", Rule::CustomScheme, "http://127.0.0.1:0/callback"),
        ("1app://cb/", Rule::CustomScheme, "app://cb/"),
        ("http://localhost:8080/cb", Rule::HostNamePreferred, "http://127.0.0.1:8080/cb"),
        ("http://2130706433:8080/cb", Rule::HostNamePreferred, "http://127.0.0.1:8080/cb"),
        ("http://127.0.0.2:8080/cb", Rule::HostNamePreferred, "http://127.0.0.1:8080/cb"),
        ("http://0.0.0.0:8080/cb", Rule::HostNamePreferred, "http://127.0.0.1:8080/cb"),
        ("http://[::ffff:7f00:1]:8080/cb", Rule::HostNamePreferred, "http://127.0.0.1:8080/cb"),
        ("http://[0::1]:8080/cb", Rule::HostNamePreferred, "http://[::1]:8080/cb"),
        ("http://192.0.2.1/cb", Rule::HostNamePreferred, ""),
        ("http://0300.0x0.513/cb", Rule::HostNamePreferred, "http://192.0.2.1/cb"),
        ("http://::1:8080/cb", Rule::HostNamePreferred, "http://[::1]:8080/cb"),
        ("http://2001:db8::1/cb", Rule::HostNamePreferred, "http://[2001:db8::1]/cb"),
        ("https://a@b@app.example/", Rule::HostNamePreferred, "https://app.example/"),
        ("https://a@app..example/", Rule::HostNamePreferred, ""),
        ("http://127.0.0.1:08080/", Rule::ExplicitPort, "http://127.0.0.1:8080/"),
        ("http://127.0.0.1:/", Rule::ExplicitPort, "http://127.0.0.1/"),
        ("com.example.app://a:1:x/", Rule::ExplicitPort, ""),
        ("https://app.example:443/", Rule::NoImplicitPort, "https://app.example/"),
        ("https://app.example/a/b/%2E./c/.", Rule::AnyPath, "https://app.example/a/c/"),
        ("https://app.example/?a='", Rule::ExactParameters, "https://app.example/?a=%27"),
        ("http://127.0.0.1:0/cb#", Rule::NoFragment, "http://127.0.0.1:0/cb"),
        ("HTTPS://App.Example/Cb", Rule::ExactMatch, "https://app.example/Cb"),
    ] {
        assert_eq!(line, remedy(uri, rule), "{uri}");
    }
}

#[test]
fn eight_kibibytes_are_judged_and_one_byte_more_is_refused() {
    let start = "http://127.0.0.1:0/";
    let longest = format!("{start}{}", "a".repeat(LONGEST - start.len()));
    assert_eq!("-", codes(check(&longest).broken()));
    assert_eq!("G2", codes(check(&format!("{longest}a")).broken()));
}

#[test]
fn a_strangers_bytes_are_shown_escaped_and_cut() {
    let report = check("http://127.0.0.1:0/\u{1b}[2J\u{202e}");
    let why = &report.findings[1].why;
    assert!(why.is_ascii() && why.contains("\\u{1b}"), "{why}");
    let long = format!("http://{}:0/", "\u{61}".repeat(4000));
    for finding in check(&long).findings {
        assert!(finding.why.chars().count() <= 201);
    }
    let cut = remedy(&format!("http://127.0.0.1:0/{}#", "a".repeat(300)), Rule::NoFragment);
    assert_eq!("G2", codes(check(&cut).broken()), "a cut remedy cannot be registered");
}

#[test]
fn the_fourteen_rules_are_numbered_as_in_the_seed() {
    let numbers: Vec<_> = Rule::ALL.iter().map(|rule| rule.number()).collect();
    let expected = "1,2,3,4,5,6,7,8,9,10,native 1,native 2,native 3,native 4";
    assert_eq!(expected, numbers.join(","));
    let statements: HashSet<_> = Rule::ALL.iter().map(|rule| rule.statement()).collect();
    assert_eq!(14, statements.len());
}

#[test]
fn what_is_sent_equals_what_is_registered() {
    for (registered, sent, expected) in [
        ("https://app.example/callback", "https://app.example/callback", "-"),
        ("https://app.example/callback", "https://app.example/callback/", "G1"),
        ("https://app.example/callback", "https://app.example/Callback", "G1"),
        ("https://app.example/callback", "https://APP.example/callback", "G1"),
        ("https://app.example/callback", "https://app.example/%63allback", "G1"),
        ("https://app.example/callback", "http://app.example/callback", "G1"),
        ("https://app.example/callback", "https://app.example.evil.example/callback", "G1"),
        ("https://app.example/callback", "https://app.example/callback#", "G1,G10"),
        ("https://app.example/callback", "", "G1"),
        ("https://app.example/callback", "https://app.example/callback ", "G1"),
        ("https://app.example:8443/callback", "https://app.example:8444/callback", "G1"),
        ("http://127.0.0.1:8080/callback", "http://127.0.0.1:8081/callback", "G1"),
        // Rule 7.
        ("https://app.example/callback", "https://app.example:443/callback", "G1,G7"),
        ("https://app.example:443/callback", "https://app.example:443/callback", "-"),
        ("https://app.example:443/callback", "https://app.example/callback", "G1,G7"),
        ("http://127.0.0.1/callback", "http://127.0.0.1:25417/callback", "G1,G7"),
        // Rule 9.
        ("https://app.example/cb?flow=one", "https://app.example/cb?flow=one", "-"),
        ("https://app.example/cb?flow=one", "https://app.example/cb?flow=two", "G1,G9"),
        ("https://app.example/cb?flow=one", "https://app.example/cb?flow=%6fne", "G1,G9"),
        ("https://app.example/cb?a=1&b=2", "https://app.example/cb?b=2&a=1", "G1,G9"),
        ("https://app.example/cb", "https://app.example/cb?flow=one", "G1,G9"),
        ("https://app.example/cb", "https://app.example/cb?", "G1,G9"),
        ("https://app.example/cb?", "https://app.example/cb?", "-"),
        ("https://app.example/cb?flow=one", "https://app.example/cb", "G1,G9"),
    ] {
        assert_eq!(expected, broken(registered, sent), "{registered} {sent}");
    }
}

#[test]
fn for_port_0_any_port_is_sent_and_nothing_else_changes() {
    let registered = "http://127.0.0.1:0/callback?a=b";
    for port in ["1", "80", "25417", "65535"] {
        let sent = format!("http://127.0.0.1:{port}/callback?a=b");
        assert_eq!("-", broken(registered, &sent), "{sent}");
    }
    for port in ["0", "00", "65536", "025417", "", "+1", "0x50", "1 ", "1e3", "\u{661}"] {
        let sent = format!("http://127.0.0.1:{port}/callback?a=b");
        assert_eq!("G1,N3,N4", broken(registered, &sent), "{sent}");
    }
    for (sent, expected) in [
        ("http://127.0.0.1/callback?a=b", "G1,G7,N3,N4"),
        ("http://[::1]:25417/callback?a=b", "G1,N4"),
        ("http://127.1:25417/callback?a=b", "G1,N4"),
        ("http://localhost:25417/callback?a=b", "G1,N4"),
        ("https://127.0.0.1:25417/callback?a=b", "G1,N4"),
        ("http://x@127.0.0.1:25417/callback?a=b", "G1,N4"),
        ("http://127.0.0.1:25417@evil.example/callback?a=b", "G1,G7,N3,N4"),
        ("http://127.0.0.1:25417/evil/callback?a=b", "G1,N4"),
        ("http://127.0.0.1:25417/callback", "G1,G9,N4"),
        ("http://127.0.0.1:25417/callback?a=b&c=d", "G1,G9,N4"),
        ("http://127.0.0.1:25417/callback?a=b#", "G1,G10,N4"),
    ] {
        assert_eq!(expected, broken(registered, sent), "{sent}");
    }
    assert_eq!("G1", broken("http://127.0.0.1:8080/", "http://127.0.0.1:0/"));
    // a path that holds `:0` is no port
    assert_eq!("G1", broken("https://app.example/x:0/", "https://app.example/x:1/"));
}

#[test]
fn a_comparison_shows_where_the_two_part_and_what_to_send() {
    let report = compare("http://127.0.0.1:0/callback", "http://127.0.0.1:9000/Callback\u{1b}");
    let finding = &report.findings[0];
    let why = "after 22 bytes `callback` is registered and `Callback\\u{1b}` is sent";
    assert_eq!(why, finding.why);
    assert_eq!(Some("http://127.0.0.1:9000/callback"), finding.remedy.as_deref());
}

#[test]
fn what_is_broken_in_the_registered_uri_stays_broken_when_it_is_sent_so() {
    let uri = "https://app.example/callback#x";
    assert_eq!("G10", broken(uri, uri));
    assert_eq!("N2", broken("http://localhost:0/callback", "http://localhost:25417/callback"));
}

/// Texts near to URIs, so that deep branches are reached.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "http",
            "https",
            "HTTP",
            "javascript",
            "com.example.app",
            "://",
            ":",
            "/",
            "//",
            "?",
            "#",
            "@",
            "[",
            "]",
            "[::1]",
            "::",
            "127.0.0.1",
            "127.1",
            "0x",
            "0x7f.1",
            "localhost",
            ".",
            "..",
            "%2e",
            "%31",
            "%",
            "%f",
            ":0",
            ":00",
            ":80",
            ":65536",
            "\\",
            " ",
            "\t",
            "\u{0}",
            "_",
            "\u{fc}",
            "\u{1f600}",
            "\u{ff10}",
            "'",
            "&",
            "=",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    // a failure belongs into the table, not into a file of seeds
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_rules_panic_and_all_fourteen_answer_in_order(uri in hostile(), sent in hostile()) {
        for report in [check(&uri), compare(&uri, &sent)] {
            let rules: Vec<_> = report.findings.iter().map(|finding| finding.rule).collect();
            prop_assert_eq!(Rule::ALL.to_vec(), rules);
            for finding in report.findings {
                let texts = [Some(finding.why), finding.remedy];
                for text in texts.into_iter().flatten() {
                    prop_assert!(text.chars().all(|c| matches!(c, ' '..='~' | '…')));
                    prop_assert!(text.chars().count() <= 201);
                }
            }
        }
    }

    #[test]
    fn taking_a_text_apart_loses_no_byte(uri in hostile()) {
        prop_assert_eq!(&uri, &Parts::split(&uri).join());
    }

    #[test]
    fn only_the_same_bytes_match_unless_the_port_is_0(uri in hostile(), sent in hostile()) {
        let native = Parts::split(&uri).port() == Some("0");
        let matches = compare(&uri, &sent).verdict(Rule::ExactMatch) == Verdict::Holds;
        prop_assert!(native || matches == (uri == sent));
    }

    #[test]
    fn a_short_remedy_satisfies_its_rule(uri in hostile()) {
        for finding in check(&uri).findings {
            let Some(remedy) = finding.remedy.filter(|line| line.len() < 200) else { continue };
            let repaired = check(&remedy).verdict(finding.rule);
            prop_assert!(repaired != Verdict::Broken, "{remedy}: {:?}", finding.rule);
        }
    }
}

//! Redirect URIs in a configuration.

use super::*;

#[test]
fn redirects_are_one_or_a_list_in_order() {
    for (value, expected) in [
        ("\"http://127.0.0.1:8085/cb\"", &["http://127.0.0.1:8085/cb"][..]),
        (
            "[\"http://127.0.0.1:8085/cb\", \"http://[::1]:0/cb\"]",
            &["http://127.0.0.1:8085/cb", "http://[::1]:0/cb"][..],
        ),
    ] {
        let integration = parse(&work(&format!("redirect_uri = {value}")));
        assert_eq!(expected, integration.redirects.iter().map(RegisteredRedirect::as_str).collect::<Vec<_>>());
    }
    let empty = error(&work("redirect_uri = []"));
    assert_eq!(
        (place(4, 16), Some("write: redirect_uri = \"http://127.0.0.1:0/callback\"")),
        (empty.place, empty.remedy.as_deref())
    );
}

#[test]
fn a_redirect_that_breaks_a_rule_is_told_with_the_rules_number() {
    for (uri, rule) in [
        ("http://127.0.0.1:0", "rule 2:"),
        ("https://app.example/cb#x", "rule 10:"),
        ("http://127.0.0.1:0/cb#x", "rule 10:"),
        ("https://127.0.0.1:0/cb", "rule native 1:"),
        ("http://0.0.0.0:0/cb", "rule native 2:"),
        ("http://127.0.0.1:99999/cb", "rule 6:"),
    ] {
        for value in [format!("\"{uri}\""), format!("[\"http://127.0.0.1:0/\", \"{uri}\"]")] {
            let error = error(&work(&format!("redirect_uri = {value}")));
            assert!(error.what.contains(rule), "{uri}: {error}");
            assert_eq!(
                (place(4, 16), Some(format!("loopin redirect check '{uri}'"))),
                (error.place, error.remedy.clone()),
                "{error}"
            );
        }
    }
}

#[test]
fn localhost_by_name_needs_insistence() {
    for uri in ["http://localhost:0/cb", "http://localhost:8085/cb"] {
        let line = format!("redirect_uri = \"{uri}\"");
        let refused = error(&work(&line));
        assert!(refused.what.contains("rule"), "{refused}");
        assert_eq!(place(4, 16), refused.place);
        assert_eq!(uri, parse(&work(&format!("{line}\ninsist_on_localhost = true"))).redirects[0].as_str());
    }
    assert!(
        error(&work("redirect_uri = \"http://localhost:8085/cb\""))
            .remedy
            .expect("remedy")
            .contains("insist_on_localhost = true")
    );
    // Insistence is for the name and opens nothing else.
    error(&work("redirect_uri = \"http://0.0.0.0:0/cb\"\ninsist_on_localhost = true"));
}

#[test]
fn a_registered_query_may_not_hide_a_parameter_of_the_answer() {
    for name in ["code", "state", "error", "error_description", "error_uri", "iss", "%73tate", "c%6Fde"] {
        for query in [format!("{name}=1"), format!("a=b&{name}=1"), name.to_owned(), format!("a=b&{name}")] {
            let error = error(&work(&format!("redirect_uri = \"http://127.0.0.1:0/cb?{query}\"")));
            assert!(error.what.contains("which the provider's answer needs"), "{query}: {error}");
            assert_eq!(place(4, 16), error.place);
        }
    }
    for query in ["tenant=7", "states=1", "codex", "a=code", "a=state&b", "State=1", ""] {
        parse(&work(&format!("redirect_uri = \"http://127.0.0.1:0/cb?{query}\"")));
    }
}

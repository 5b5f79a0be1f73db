//! Secrets are never asked for in an argument. O10.

use std::{collections::BTreeSet, fs, path::Path};

use super::CANARY;
use crate::harness::Sandbox;

/// Words that would ask for a secret in an argument.
fn asks_for_a_secret(option: &str) -> bool {
    let named = ["secret", "password", "passphrase", "token", "code", "assertion", "verifier"];
    let harmless =
        ["--id-token", "--refresh-token-stdin", "--secret-stdin", "--token-endpoint", "--token-endpoint-auth-method"];
    !harmless.contains(&option) && named.iter().any(|word| option.contains(word))
}

fn options(text: &str) -> BTreeSet<String> {
    let text = text.replace("\\-", "-");
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned).collect()
}

#[test]
fn o10_no_option_of_any_verb_takes_a_secret() {
    let sandbox = Sandbox::new();
    let verbs: [&[&str]; 16] = [
        &[],
        &["login"],
        &["token"],
        &["status"],
        &["logout"],
        &["integration"],
        &["integration", "add"],
        &["integration", "list"],
        &["integration", "providers"],
        &["integration", "show"],
        &["integration", "remove"],
        &["redirect"],
        &["redirect", "check"],
        &["demo"],
        &["relay"],
        &["completions"],
    ];
    let mut all = BTreeSet::new();
    for verb in verbs {
        let help = sandbox.run(&[verb, &["--help"]].concat());
        all.extend(options(&help.assert_code(0).stdout));
    }
    all.extend(options(&sandbox.run(&["man"]).stdout));
    assert!(all.len() > 20 && all.contains("--secret-stdin"), "{all:?}");
    assert_eq!(Vec::<&String>::new(), all.iter().filter(|option| asks_for_a_secret(option)).collect::<Vec<_>>());
    for attempt in ["--client-secret", "--secret", "--access-token", "--password"] {
        let glued = format!("{attempt}={CANARY}");
        let refused = sandbox.run(&["integration", "add", "work", &glued]);
        refused.assert_code(2);
        assert!(!refused.said().contains(CANARY), "what was typed by mistake is not repeated: {refused:?}");
    }
}

#[test]
fn t13_a_wrong_value_is_told_in_plain_words() {
    let sandbox = Sandbox::new();
    for (words, why) in [
        (&["login", "--port", "99999"][..], "a port is a number from 1 to 65535"),
        (&["login", "--port", "0"], "a port is a number from 1 to 65535"),
        (&["login", "--port", "-1"], "a port is a number from 1 to 65535"),
        (&["login", "--port", "http"], "a port is a number from 1 to 65535"),
        (&["login", "--timeout", "-5"], "write a number and a unit"),
        (&["login", "--timeout", "99999999999999999999999s"], "between 1s and 24h"),
        (&["token", "--min-ttl", "1d"], "the unit is s, m or h"),
        (&["exec", "--fd", "99999", "--", "true"], "a file descriptor is a number from 3 to 255"),
        (&["exec", "--fd", "-1", "--", "true"], "a file descriptor is a number from 3 to 255"),
        (&["exec", "--fd", "x", "--", "true"], "a file descriptor is a number from 3 to 255"),
    ] {
        sandbox.run(words).assert_code(2).assert_says(why);
        let error = sandbox.run(&[&["--json"], words].concat()).assert_code(2).json();
        assert!(error["error"]["message"].as_str().is_some_and(|message| message.contains(why)), "{error}");
    }
}

#[test]
fn o10_the_documents_show_no_secret_in_an_argument() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["README.md", "CHANGELOG.md", "docs/SECURITY.md"] {
        let text = fs::read_to_string(root.join(name)).unwrap_or_default();
        for line in text.lines().filter(|line| line.contains("loopin ")) {
            let wrong: Vec<_> = options(line).into_iter().filter(|option| asks_for_a_secret(option)).collect();
            assert!(wrong.is_empty(), "{name}: {line}");
        }
    }
}

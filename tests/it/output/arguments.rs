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

#[test]
fn t15_global_options_have_a_heading_of_their_own_behind_a_commands_own() {
    let sandbox = Sandbox::new();
    for command in [&["login"][..], &["token"], &["exec"], &["integration", "add"], &["integration", "list"], &["man"]]
    {
        for page in ["-h", "--help"] {
            let help = sandbox.run(&[command, &[page]].concat());
            let (own, rest) = help.assert_code(0).stdout.split_once("\nGlobal options:\n").expect("a heading");
            let (global, examples) = rest.split_once("\nExamples:\n").expect("examples");
            assert!(examples.contains("loopin "), "{help:?}");
            for option in ["--json", "--store", "--config", "--verbose"] {
                let listed = |line: &str| line.trim_start().trim_start_matches("-v, ").starts_with(option);
                assert!(global.lines().any(listed) && !own.lines().any(listed), "{command:?} {option}: {own}");
            }
        }
    }
    let help = sandbox.run(&["--help"]);
    assert!(help.assert_code(0).stdout.contains("loopin login work"), "{help:?}");
}

#[test]
fn t15_the_man_page_lists_the_values_of_every_option() {
    let page = Sandbox::new().run(&["man"]);
    let (_, commands) = page.assert_code(0).stdout.split_once(".SH COMMANDS").expect("commands");
    let login = commands.split(".SS ").find(|part| part.starts_with("loopin login\n")).expect("login");
    for value in ["auto", "browser", "paste"] {
        assert!(login.contains(&format!("\n\\fB{value}\\fR\n")), "{value}: {login}");
    }
    assert!(login.contains("[default: auto]"), "{login}");
    let completions =
        commands.split(".SS ").find(|part| part.starts_with("loopin completions\n")).expect("completions");
    assert!(completions.contains("[possible values: bash, elvish, fish, powershell, zsh]"), "{completions}");
    let format = commands.split(".SS ").find(|part| part.starts_with("loopin token\n")).expect("token");
    for value in ["raw", "json", "header", "env", "curl"] {
        assert!(format.contains(&format!("\n\\fB{value}\\fR\n")), "{value}: {format}");
    }
}

//! Nothing secret is made from a failure: near keys, tokens and the files that hold them, no error may be dropped or
//! replaced by a default value.

use std::{fs, path::Path};

use super::{Source, sources};

/// Directories and files of cryptography, randomness, stored secrets and permissions.
const GUARDED: [&str; 25] = [
    "command/serve/keys.rs",
    "grants/keep.rs",
    "grants/worker.rs",
    "server/sealed_store.rs",
    "oauth/entropy.rs",
    "oauth/revoke.rs",
    "refresh/attempt.rs",
    "refresh/worker_message.rs",
    "secret.rs",
    "service/flow.rs",
    "service/keys.rs",
    "system/certificate.rs",
    "system/config_file.rs",
    "system/core_dumps.rs",
    "system/detach.rs",
    "system/entropy.rs",
    "system/file_store.rs",
    "system/journal.rs",
    "system/keychain.rs",
    "system/lock.rs",
    "system/private_files.rs",
    "system/secret_service.rs",
    "system/trusted_file.rs",
    "vault.rs",
    "vault/",
];

/// The lint that refuses a dropped `Result`; a file states it for itself, or the module above it does.
const LINT: &str = "#![deny(clippy::let_underscore_must_use)]";

/// Ways to lose an error for which there is no lint.
const FORBIDDEN: [&str; 4] = ["unwrap_or_default", "unwrap_or(", ".ok();", "let _ ="];

/// File, line and why it may stay.
const LICENSED: [(&str, &str, &str); 1] =
    [("service/flow.rs", "Endpoint::parse(text).ok();", "the closure's value: its caller ends with `None`")];

fn guarded() -> Vec<Source> {
    let is_guarded =
        |file: &str| GUARDED.iter().any(|place| file == *place || file.starts_with(place) && place.ends_with('/'));
    sources().into_iter().filter(|source| is_guarded(&source.file)).collect()
}

/// Lines that lose an error.
fn faults(file: &str, code: &str) -> Vec<String> {
    let lines: Vec<&str> = code.lines().collect();
    let licensed = |line: &str| LICENSED.iter().any(|(place, text, _)| file == *place && line.contains(text));
    // rustfmt writes an attribute with a long reason on several lines.
    let expected = |at: usize| {
        let before: String = lines[at.saturating_sub(4)..at].iter().map(|line| line.trim()).collect();
        let attribute = before.rfind("#[expect(clippy::let_underscore_must_use,").map(|start| &before[start..]);
        attribute.is_some_and(|attribute| attribute.contains("reason = ") && attribute.ends_with(")]"))
    };
    let wrong = |at: usize| {
        let line = lines[at];
        FORBIDDEN.iter().any(|word| line.contains(word) && (*word != "let _ =" || !expected(at))) && !licensed(line)
    };
    (0..lines.len()).filter(|at| wrong(*at)).map(|at| format!("{file}: {}", lines[at].trim())).collect()
}

#[test]
fn h01_no_error_is_dropped_where_secrets_are_made_kept_or_read() {
    let found: Vec<_> = guarded().iter().flat_map(|source| faults(&source.file, &source.code)).collect();
    assert!(found.is_empty(), "{found:#?}");
    for (file, text, _) in LICENSED {
        assert!(
            guarded().iter().any(|s| s.file == file && s.code.contains(text)),
            "licensed and needless: {file}: {text}"
        );
    }
    for place in GUARDED {
        assert!(guarded().iter().any(|source| source.file.starts_with(place)), "there is no {place}");
    }
}

#[test]
fn h01_the_lint_against_dropped_results_is_stated_for_every_guarded_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let stated = |path: &Path| fs::read_to_string(path).is_ok_and(|text| text.contains(LINT));
    let without: Vec<_> = guarded()
        .into_iter()
        .map(|source| source.file)
        .filter(|file| !stated(&root.join(file)) && !stated(&root.join(file).with_file_name("").with_extension("rs")))
        .collect();
    assert!(without.is_empty(), "{LINT} is missing in {without:#?}");
}

#[test]
fn h01_an_error_that_somebody_drops_there_is_found() {
    for dropped in [
        "let key = derive(passphrase).unwrap_or_default();",
        "let length = u32::try_from(part.len()).unwrap_or(u32::MAX);",
        "file.sync_all().ok();",
        "let _ = hash_password_into(passphrase, salt, &mut key);",
        "#[expect(clippy::let_underscore_must_use)]\nlet _ = fill(&mut key);",
    ] {
        assert_eq!(1, faults("system/file_store.rs", dropped).len(), "{dropped}");
    }
    let reasoned =
        "#[expect(\n    clippy::let_underscore_must_use,\n    reason = \"for people only\"\n)]\nlet _ = sign(&file);";
    assert_eq!(Vec::<String>::new(), faults("system/lock.rs", reasoned));
}

//! `[[jwt]]`: what is refused, and where.

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    jwt: Tables,
}

fn read(text: &str) -> Result<Vec<TrustedIssuer>, String> {
    let file: File = toml_edit::de::from_str(text).map_err(|error| error.to_string())?;
    issuers(&file.jwt, text).map_err(|error| format!("{error}; {}", error.remedy.as_deref().unwrap_or_default()))
}

const GOOD: &str = "[[jwt]]\nissuer = \"https://id.example\"\naudience = \"loopin\"\norgs = \"orgs\"\n";

#[test]
fn v06_a_table_says_which_keys_and_so_which_algorithms() {
    let published = read(&format!("{GOOD}jwks_url = \"https://id.example/jwks\"")).expect("configuration");
    let KeySource::Published { algorithms, .. } = published[0].keys() else { panic!("published keys") };
    assert_eq!(&Algorithm::PUBLIC[..], algorithms);
    assert!(!algorithms.contains(&Algorithm::Hs256));
    let shared = read(&format!("{GOOD}hs256 = {{ file = \"/run/jwt\" }}")).expect("configuration");
    assert!(matches!(shared[0].keys(), KeySource::Shared(SecretSource::File(_))));
}

#[test]
fn v06_a_table_that_would_take_too_much_is_refused_with_its_line() {
    for (line, words, wrong) in [
        (6, "a token without a signature", "jwks_url = \"https://id.example/jwks\"\nalgs = [\"none\"]"),
        (6, "a token without a signature", "jwks_url = \"https://id.example/jwks\"\nalgs = [\"RS256\", \"None\"]"),
        (6, "take a public key for a secret", "jwks_url = \"https://id.example/jwks\"\nalgs = [\"HS256\"]"),
        (6, "is not offered", "jwks_url = \"https://id.example/jwks\"\nalgs = [\"RS1\"]"),
        (6, "is not offered", "jwks_url = \"https://id.example/jwks\"\nalgs = [\"rs256\"]"),
        (6, "empty list", "jwks_url = \"https://id.example/jwks\"\nalgs = []"),
        (6, "exclude each other", "jwks_url = \"https://id.example/jwks\"\nhs256 = { env = \"X\" }"),
        (6, "HS256 and nothing else", "hs256 = { env = \"X\" }\nalgs = [\"RS256\"]"),
        (5, "no keychain", "hs256 = { keychain = true }"),
        (5, "jwks_url is not a safe URL", "jwks_url = \"http://id.example/jwks\""),
        (1, "there is no key", ""),
        (6, "more than 60 s", "hs256 = { env = \"X\" }\nleeway_s = 61"),
        (6, "not a field of one's own", "hs256 = { env = \"X\" }\norg_header = \"Host\""),
        (6, "not a field of one's own", "hs256 = { env = \"X\" }\norg_header = \"X-A:B\""),
        (6, "not a media type", "hs256 = { env = \"X\" }\ntyp = [\"a b\"]"),
        (6, "service_scope: ", "hs256 = { env = \"X\" }\nservice_scope = \"a b\""),
        (6, "a namespace is up to 64", "hs256 = { env = \"X\" }\nnamespace = \"A B\""),
        (6, "user is empty", "hs256 = { env = \"X\" }\nuser = \"\""),
    ] {
        let error = read(&format!("{GOOD}{wrong}")).expect_err(wrong);
        assert!(error.starts_with(&format!("line {line}, ")) && error.contains(words), "{wrong}: {error}");
    }
}

#[test]
fn a_table_names_issuer_audience_and_a_claim_for_the_organization() {
    let key = "hs256 = { env = \"X\" }\n";
    for (words, text) in [
        ("no caller could be accepted", String::new()),
        ("issuer is missing", format!("[[jwt]]\naudience = \"a\"\norg = \"o\"\n{key}")),
        ("issuer is empty", format!("[[jwt]]\nissuer = \"\"\naudience = \"a\"\norg = \"o\"\n{key}")),
        ("audience is missing", format!("[[jwt]]\nissuer = \"i\"\norg = \"o\"\n{key}")),
        ("neither org nor orgs", format!("[[jwt]]\nissuer = \"i\"\naudience = \"a\"\n{key}")),
        (
            "without orgs nothing tells",
            format!("[[jwt]]\nissuer = \"i\"\naudience = \"a\"\norg = \"o\"\norg_header = \"X-Org\"\n{key}"),
        ),
        ("stands in another [[jwt]]", format!("{GOOD}{key}{GOOD}{key}")),
        ("unknown field", format!("{GOOD}{key}issuers = 1\n")),
    ] {
        let error = read(&text).expect_err(words);
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[test]
fn a_shared_secret_that_was_written_into_the_file_is_not_quoted() {
    for inline in ["\"canary-of-the-secret\"", "5318008", "{ value = \"canary-of-the-secret\" }"] {
        let error = read(&format!("{GOOD}hs256 = {inline}\n")).expect_err(inline);
        assert!(error.contains("a secret never stands in this file"), "{error}");
    }
    let catalog = toml_edit::de::from_str::<File>(&format!("{GOOD}hs256 = \"canary-of-the-secret\"\n"));
    assert!(!catalog.err().map(|error| error.message().to_owned()).unwrap_or_default().contains("canary"));
}

#[test]
fn h04_two_issuers_with_one_namespace_are_refused_unless_both_say_that_they_share_it() {
    let table = |name: &str, more: &str| {
        format!(
            "[[jwt]]\nissuer = \"https://{name}.example\"\naudience = \"a\"\norg = \"o\"\nhs256 = {{ env = \"X\" }}\n{more}\n"
        )
    };
    let both = |first: &str, second: &str| read(&(table("a", first) + &table("b", second)));
    let shared = "shared_namespace = true";
    for (first, second) in [("", ""), (shared, ""), ("", shared), ("", "namespace = \"\"")] {
        let error = both(first, second).expect_err("one namespace");
        assert!(error.starts_with("line 7, ") || error.starts_with("line 12, "), "{error}");
        for words in ["https://a.example", "namespace = \"second\"", "shared_namespace = true"] {
            assert!(error.contains(words), "{words}: {error}");
        }
    }
    let named = "namespace = \"n\"";
    assert!(both(named, named).expect_err("one namespace").starts_with("line 12, "), "the line to change");
    for (first, second) in [("", named), (named, ""), (shared, shared)] {
        assert_eq!(2, both(first, second).expect("configuration").len(), "{first} {second}");
    }
    let three = table("a", shared) + &table("b", shared) + &table("c", "");
    assert!(read(&three).is_err(), "the third has not agreed");
}

//! Hostile callbacks, issuers and redirects, hundreds of them: none is accepted by the real executable.

use super::*;

const CALLBACKS: &str = include_str!("../../data/hostile-callbacks.txt");
const ISSUERS: &str = include_str!("../../data/foreign-issuers.txt");
const REDIRECTS: &str = include_str!("../../data/redirects.tsv");

#[test]
fn h02_no_hostile_callback_ends_a_login() {
    let mut waiting = Waiting::new();
    let callbacks: Vec<_> = CALLBACKS.lines().filter(|line| !line.starts_with('#')).collect();
    for pattern in &callbacks {
        let target = pattern.replace("{cb}", "/callback").replace("{state}", &waiting.login.state());
        let reply = waiting.login.get(&target.replace("{other}", "of-another-sign-in"));
        assert!([400, 403, 404, 405, 414, 421].contains(&reply.status), "{pattern}: {reply:?}");
        assert_eq!(None, reply.field("location"), "{pattern}: {reply:?}");
    }
    assert!(callbacks.len() >= 80);
    waiting.login.assert_waiting();
    assert_eq!(0, waiting.provider.counters().token);
    waiting.ends_well();
}

#[test]
fn h02_no_foreign_issuer_is_taken_for_the_authorization_endpoint() {
    let server = server("");
    let (mut count, sandbox) = (0, configured(&explicit(&server), "own"));
    for iss in ISSUERS.lines() {
        let login = Login::start(sandbox.loopin(&["login", "work"]));
        login.answer_with(&[("code", "a-code"), ("iss", iss)]);
        let finished = login.finished();
        finished.assert_code(9);
        assert!(!finished.said().contains("evil.example"), "nothing of it is printed: {finished:#?}");
        count += 1;
    }
    assert!(count >= 50);
    assert_eq!(0, server.token_requests(), "a code was sent");
    assert_eq!(Vec::<String>::new(), sandbox.stored(), "nothing was stored");
}

/// A URI of the table as it is meant: `\s \t \n \r \\ \u{..}`, and `\e` for nothing.
fn unescaped(text: &str) -> Option<String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('\\') {
        out += before;
        let (meant, length) = match after.chars().next()? {
            's' => (" ".to_owned(), 1),
            't' => ("\t".to_owned(), 1),
            'n' => ("\n".to_owned(), 1),
            'r' => ("\r".to_owned(), 1),
            '\\' => ("\\".to_owned(), 1),
            'e' => (String::new(), 1),
            'u' => {
                let hex = after.strip_prefix("u{")?.split('}').next()?;
                (char::from_u32(u32::from_str_radix(hex, 16).ok()?)?.to_string(), hex.len() + 3)
            }
            _ => return None,
        };
        out += &meant;
        rest = &after[length..];
    }
    Some(out + rest)
}

#[test]
fn h02_no_redirect_that_breaks_a_rule_is_added() {
    let (sandbox, mut count) = (Sandbox::new(), 0);
    for line in REDIRECTS.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let mut columns = line.split('\t');
        let (uri, broken) = (columns.next().expect("a URI"), columns.next().expect("rules"));
        let uri = unescaped(uri).unwrap_or_else(|| panic!("{line}"));
        // An argument cannot hold NUL.
        if broken == "-" || uri.contains('\0') {
            continue;
        }
        let uri = format!("--redirect-uri={uri}");
        let added =
            sandbox.run(&["integration", "add", "work", "--issuer", "https://a.example", "--client-id", "me", &uri]);
        assert!(matches!(added.code, Some(2 | 3)), "{line}: {added:#?}");
        count += 1;
    }
    assert!(count >= 200, "{count}");
    assert!(!sandbox.config().exists(), "nothing was written");
}

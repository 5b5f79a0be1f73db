//! V15 and V16: which extra scopes and which actions can be asked for.

use proptest::prelude::*;

use super::*;
use crate::catalog::Catalog;

fn integration() -> Integration {
    let text = r#"
[integration.mail]
issuer = "https://op.example"
client_id = "x"
scopes = ["openid"]
allowed_scopes = ["a", "b", "https://scope.example/c.read"]
[integration.mail.actions]
read = ["mail.read"]
write = ["mail.read", "mail.write"]
"#;
    Catalog::parse(text).expect("configuration").get("mail").expect("integration").clone()
}

fn asked(query: &str) -> Result<String, ScopesRefused> {
    let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    extra(pairs, &integration().allowed_scopes).map(|scopes| scopes.to_string())
}

#[test]
fn v15_all_ways_to_write_a_list_are_one() {
    for query in [
        "scopes=a+b",
        "scopes=a%20b",
        "scopes=a,b",
        "scopes=a%2Cb",
        "scopes=a, b",
        "scopes=,a,,b,",
        "scopes=a&scopes=b",
        "scopes[]=a&scopes[]=b",
        "scopes%5B%5D=a&scopes=b",
        "scopes=a&action=read&scopes=b,a",
        "scopes=a+b+a+b",
    ] {
        assert_eq!(Ok("a b".into()), asked(query), "{query}");
    }
    assert_eq!(Ok("b a".into()), asked("scopes=b,a"), "the order is the request's");
    for none in ["", "scopes=", "scopes=+,+", "scope=a", "Scopes=a", "scopes[0]=a", "x=scopes"] {
        assert_eq!(Ok(String::new()), asked(none), "{none:?}");
    }
    assert_eq!(Ok("https://scope.example/c.read".into()), asked("scopes=https://scope.example/c.read"));
}

#[test]
fn v15_what_is_no_scope_is_refused() {
    for bad in [
        "\"",
        "\\",
        "\0",
        "\n",
        "\r\n",
        "\t",
        "\u{7f}",
        "ä",
        "\u{202e}",
        "a\u{a0}b",
        "a\u{2028}",
        "a\"b",
        "a\\b",
        "\u{1b}[2J",
        "\u{ff0c}",
    ] {
        let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("scopes", bad).finish();
        assert_eq!(Err(ScopesRefused::NotAScope), asked(&query), "{bad:?}");
    }
}

#[test]
fn v15_only_listed_extra_scopes_can_be_asked_for() {
    for (query, scope) in [
        ("scopes=admin", "admin"),
        ("scopes=a,admin", "admin"),
        ("scopes=A", "A"),
        ("scopes=aa", "aa"),
        ("scopes=*", "*"),
        ("scopes=openid", "openid"),
        ("scopes=mail.write", "mail.write"),
        ("scopes=a%26scope%3Dadmin", "a&scope=admin"),
        ("scopes=a;b", "a;b"),
    ] {
        assert_eq!(Err(ScopesRefused::NotAllowed(Scope::parse(scope).expect("scope"))), asked(query), "{query}");
    }
    let none = extra([("scopes", "a")], &Scopes::default());
    assert!(matches!(none, Err(ScopesRefused::NotAllowed(_))), "an integration that lists none allows none");
}

#[test]
fn v15_a_hundred_scopes_are_enough() {
    let many = |number: usize| format!("scopes={}", vec!["a"; number].join("+"));
    assert_eq!(Ok("a".into()), asked(&many(100)));
    assert_eq!(Err(ScopesRefused::TooMany), asked(&many(101)));
    assert_eq!(Err(ScopesRefused::TooMany), asked(&"scopes=a&".repeat(101)));
}

#[test]
fn v15_the_scopes_of_the_action_are_always_there() {
    let integration = integration();
    let requested = |text: &str, scopes: &str| {
        let action = action(&integration, text).expect("action");
        let extra = Scopes::parse(scopes).expect("scopes");
        requested(&integration, &action, &extra).expect("action").to_string()
    };
    assert_eq!("openid mail.read", requested("read", ""));
    assert_eq!("openid mail.read b", requested("read", "b"));
    assert_eq!("openid mail.read mail.write a", requested("all", "a"));
}

#[test]
fn v16_an_action_is_named_exactly_and_all_is_all_of_them() {
    let integration = integration();
    assert_eq!(Ok(ActionKey::All), action(&integration, "all"));
    assert_eq!(Ok("read"), action(&integration, "read").as_ref().map(ActionKey::as_str).map_err(|_| ()));
    let huge = "x".repeat(10 * 1024);
    for name in [
        "",
        " ",
        "ALL",
        "All",
        "all ",
        " all",
        "alL",
        "reads",
        "READ",
        "rea",
        "read\0",
        "\0",
        "read\n",
        "read,write",
        "read write",
        "*",
        "../read",
        "read%00",
        "\u{202e}daer",
        "rеad",
        "read\u{200b}",
        "__proto__",
        "constructor",
        &huge,
    ] {
        let refused = action(&integration, name).expect_err(name);
        let shown = refused.name;
        assert!(shown.len() <= 80 && !shown.chars().any(|c| c.is_control() || c == '\u{202e}'), "{shown:?}");
    }
}

proptest! {
    #[test]
    fn v15_nothing_that_is_not_listed_gets_through(values in proptest::collection::vec("\\PC{0,20}", 0..5)) {
        let allowed = integration().allowed_scopes;
        if let Ok(scopes) = extra(values.iter().map(|value| ("scopes", value.as_str())), &allowed) {
            prop_assert!(allowed.covers(&scopes));
        }
    }
}

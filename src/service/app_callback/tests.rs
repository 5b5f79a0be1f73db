//! V11 and V12: which callbacks are admitted, and what is appended to them.

use proptest::prelude::*;

use super::*;
use crate::{service::url_bytes::LONGEST, vault::AccountName};

const CONFIGURED: &str = r#"
allow = ["https://app.example.com/oauth/", "https://one.example.com/callback", "https://port.example.com:8443/cb",
         "http://127.0.0.1:*/callback", "http://[::1]:4000/", "https://xn--bcher-kva.example/"]
[org.acme]
allow = ["https://acme.example/"]
"#;

fn owner(namespace: &str, org: &str) -> Owner {
    Owner {
        namespace: Namespace::parse(namespace).expect("namespace"),
        user: AccountName::default(),
        org: OrgKey::parse(org).unwrap_or_default(),
    }
}

fn list(text: &str) -> AllowList {
    toml_edit::de::from_str::<Table>(text).expect("TOML").allow_list(|_| true).expect("list")
}

const ADMITTED: &[&str] = &[
    "https://app.example.com/oauth/",
    "https://app.example.com/oauth/callback",
    "https://app.example.com/oauth/a/b/c",
    "https://app.example.com/oauth/callback?next=/settings",
    "https://app.example.com/oauth/callback?next=https://evil.example/",
    "https://app.example.com/oauth/callback?a=%2F%2Fevil.example",
    "https://app.example.com/oauth/?x=@evil.example",
    "https://app.example.com/oauth/a@b",
    "https://app.example.com/oauth/a:b",
    "https://app.example.com/oauth/%C3%A4",
    "https://app.example.com/oauth/...",
    "https://app.example.com/oauth/a..b",
    "https://app.example.com/oauth/callback#fragment",
    "https://app.example.com/oauth/;jsessionid=1",
    "https://one.example.com/callback",
    "https://one.example.com/callback/",
    "https://one.example.com/callback/done",
    "https://one.example.com/callback?x",
    "https://port.example.com:8443/cb",
    "http://127.0.0.1:53127/callback",
    "http://127.0.0.1/callback",
    "http://[::1]:4000/anything",
    "https://xn--bcher-kva.example/",
];

/// Well formed, so that only the list keeps them out.
const NOT_LISTED: &[&str] = &[
    "https://evil.example/oauth/",
    "https://app.example.com/",
    "https://app.example.com",
    "https://app.example.com/oauth",
    "https://app.example.com/oauthx",
    "https://app.example.com/oauth-evil/",
    "https://app.example.com/Oauth/",
    "https://app.example.com/OAUTH/",
    "https://app.example.com/o%61uth/",
    "https://app.example.com?/oauth/",
    "https://app.example.com#/oauth/",
    "https://app.example.com/x?/oauth/",
    "https://app.example.com:443/oauth/",
    "https://app.example.com:8443/oauth/",
    "https://app.example.com:1/oauth/",
    "https://evil-app.example.com/oauth/",
    "https://evilapp.example.com/oauth/",
    "https://app.example.com.evil.example/oauth/",
    "https://app.example.comevil.example/oauth/",
    "https://sub.app.example.com/oauth/",
    "https://example.com/oauth/",
    "https://appxexample.com/oauth/",
    "https://one.example.com/callbackx",
    "https://one.example.com/callback.evil",
    "https://one.example.com/call",
    "https://port.example.com/cb",
    "https://port.example.com:8444/cb",
    "http://127.0.0.1:53127/other",
    "https://127.0.0.1:53127/callback",
    "http://[::1]:4001/",
    "https://acme.example/",
];

const MALFORMED: &[(UrlFault, &str)] = &[
    (UrlFault::Userinfo, "https://app.example.com@evil.example/oauth/"),
    (UrlFault::Userinfo, "https://evil.example@app.example.com/oauth/"),
    (UrlFault::Userinfo, "https://user:pass@app.example.com/oauth/"),
    (UrlFault::Userinfo, "https://@app.example.com/oauth/"),
    (UrlFault::Userinfo, "https://:@app.example.com/oauth/"),
    (UrlFault::Userinfo, "https://app.example.com:443@evil.example/oauth/"),
    (UrlFault::Userinfo, "https://app.example.com%2F@evil.example/oauth/"),
    (UrlFault::Character, "https://app.example.com\\@evil.example/oauth/"),
    (UrlFault::Character, "https://evil.example\\.app.example.com/oauth/"),
    (UrlFault::Character, "https://evil.example\\@app.example.com/oauth/"),
    (UrlFault::Character, "https:\\\\app.example.com\\oauth\\"),
    (UrlFault::Character, "https://app.example.com/oauth/..\\..\\evil"),
    (UrlFault::Character, "https://app.example.com\t/oauth/"),
    (UrlFault::Character, "https://app.exa\nmple.com/oauth/"),
    (UrlFault::Character, "ht\ntps://app.example.com/oauth/"),
    (UrlFault::Character, "\u{1}https://app.example.com/oauth/"),
    (UrlFault::Character, " https://app.example.com/oauth/"),
    (UrlFault::Character, "https://app.example.com/oauth/ "),
    (UrlFault::Character, "https://app.example.com/oauth/\r\nLocation: https://evil.example/"),
    (UrlFault::Character, "https://app.example.com/oauth/\0"),
    (UrlFault::Character, "https://app.example.com/oauth/?x=\u{7f}"),
    (UrlFault::Character, "https://app.example.com/oauth/?x=\r\nSet-Cookie:a=b"),
    (UrlFault::Character, "https://app.example.com/oauth/\"onload=\""),
    (UrlFault::Character, "https://app.example.com/oauth/<script>"),
    (UrlFault::Character, "https://app.example.com/oauth/{x}"),
    (UrlFault::Character, "https://app.example.com/oauth/|x"),
    (UrlFault::Character, "https://app.example.com/oauth/^x"),
    (UrlFault::Character, "https://app.example.com/oauth/`x`"),
    (UrlFault::Character, "https://app.example.com/oauth/%"),
    (UrlFault::Character, "https://app.example.com/oauth/%2"),
    (UrlFault::Character, "https://app.example.com/oauth/%zz"),
    (UrlFault::Character, "https://app.example.com/oauth/?x=%u002f"),
    (UrlFault::Character, "https://äpp.example.com/oauth/"),
    (UrlFault::Character, "https://аpp.example.com/oauth/"),
    (UrlFault::Character, "https://app.example.com\u{ff0f}evil.example/oauth/"),
    (UrlFault::Character, "https://app\u{3002}example\u{3002}com/oauth/"),
    (UrlFault::Character, "https://app.example.com\u{2044}oauth/"),
    (UrlFault::Character, "https://app.example.com/oauth/\u{202e}"),
    (UrlFault::Character, "https://\u{1d41a}pp.example.com/oauth/"),
    (UrlFault::Character, "https://app.example.com\u{ad}/oauth/"),
    (UrlFault::Scheme, ""),
    (UrlFault::Scheme, "app.example.com/oauth/"),
    (UrlFault::Scheme, "//app.example.com/oauth/"),
    (UrlFault::Scheme, "/oauth/"),
    (UrlFault::Scheme, "https:app.example.com/oauth/"),
    (UrlFault::Scheme, "https:/app.example.com/oauth/"),
    (UrlFault::Scheme, "HTTPS://app.example.com/oauth/"),
    (UrlFault::Scheme, "hTTps://app.example.com/oauth/"),
    (UrlFault::Scheme, "javascript:alert(1)//https://app.example.com/oauth/"),
    (UrlFault::Scheme, "javascript://app.example.com/oauth/%0aalert(1)"),
    (UrlFault::Scheme, "data:text/html,https://app.example.com/oauth/"),
    (UrlFault::Scheme, "file://app.example.com/oauth/"),
    (UrlFault::Scheme, "ftp://app.example.com/oauth/"),
    (UrlFault::Scheme, "wss://app.example.com/oauth/"),
    (UrlFault::Scheme, "myapp://app.example.com/oauth/"),
    (UrlFault::Scheme, "view-source:https://app.example.com/oauth/"),
    (UrlFault::Scheme, "blob:https://app.example.com/oauth/"),
    (UrlFault::Host, "https://"),
    (UrlFault::Host, "https:///app.example.com/oauth/"),
    (UrlFault::Host, "https://.app.example.com/oauth/"),
    (UrlFault::Host, "https://app.example.com./oauth/"),
    (UrlFault::Host, "https://app..example.com/oauth/"),
    (UrlFault::Host, "https://APP.example.com/oauth/"),
    (UrlFault::Host, "https://app.example.com%00.evil.example/oauth/"),
    (UrlFault::Host, "https://app%2eexample.com/oauth/"),
    (UrlFault::Host, "https://-app.example.com/oauth/"),
    (UrlFault::Host, "https://app_x.example.com/oauth/"),
    (UrlFault::Host, "https://*.example.com/oauth/"),
    (UrlFault::Host, "http://127.1/callback"),
    (UrlFault::Host, "http://0x7f.0.0.1/callback"),
    (UrlFault::Host, "http://2130706433/callback"),
    (UrlFault::Host, "http://0177.0.0.1/callback"),
    (UrlFault::Host, "http://[0:0:0:0:0:0:0:1]:4000/"),
    (UrlFault::Host, "http://[::1%25lo]:4000/"),
    (UrlFault::Host, "https://203.0.113.7/callback"),
    (UrlFault::Port, "https://app.example.com:/oauth/"),
    (UrlFault::Port, "https://app.example.com:0443/oauth/"),
    (UrlFault::Port, "https://app.example.com:65536/oauth/"),
    (UrlFault::Port, "https://app.example.com:+443/oauth/"),
    (UrlFault::DotSegment, "https://app.example.com/oauth/../admin"),
    (UrlFault::DotSegment, "https://app.example.com/oauth/%2e%2E/admin"),
    (UrlFault::DotSegment, "https://app.example.com/oauth/..;/admin"),
    (UrlFault::EmptySegment, "https://app.example.com//oauth/"),
    (UrlFault::HiddenSeparator, "https://app.example.com/oauth/%2e%2e%2fadmin"),
    (UrlFault::HiddenSeparator, "https://app.example.com/oauth/%252e%252e/admin"),
];

#[test]
fn v11_a_listed_callback_is_taken_byte_for_byte_without_its_fragment() {
    let list = list(CONFIGURED);
    for &url in ADMITTED {
        let admitted = list.admit(&owner("", "nobody"), url).map(|url| url.as_str().to_owned());
        assert_eq!(Ok(url.split('#').next().unwrap_or_default().to_owned()), admitted, "{url}");
    }
}

#[test]
fn v11_a_callback_that_is_not_listed_is_refused() {
    let list = list(CONFIGURED);
    for &url in NOT_LISTED {
        assert_eq!(Err(CallbackRefused::NotListed), list.admit(&owner("", "nobody"), url), "{url}");
    }
    for url in ["http://app.example.com/oauth/", "http://localhost:3000/callback", "http://one.example.com/callback"] {
        assert_eq!(Err(CallbackRefused::NotHttps), list.admit(&owner("", "nobody"), url), "{url}");
    }
}

#[test]
fn v11_a_callback_that_can_be_read_in_two_ways_is_refused_whatever_is_listed() {
    for &(why, url) in MALFORMED {
        assert_eq!(Err(CallbackRefused::Malformed(why)), list(CONFIGURED).admit(&owner("", "nobody"), url), "{url:?}");
    }
    let long = format!("https://app.example.com/oauth/{}", "x".repeat(LONGEST));
    assert_eq!(Err(CallbackRefused::Malformed(UrlFault::TooLong)), list(CONFIGURED).admit(&owner("", "nobody"), &long));
    let corpus = NOT_LISTED.len() + MALFORMED.len() + 1;
    assert!(corpus >= 80, "{corpus} URLs");
}

#[test]
fn v11_a_list_of_an_organization_is_for_that_organization() {
    let list = list(CONFIGURED);
    assert!(list.admit(&owner("", "acme"), "https://acme.example/x").is_ok());
    assert!(list.admit(&owner("", "acme"), "https://app.example.com/oauth/").is_ok(), "what everybody may, it may too");
    for other in ["", "Acme", "acme ", "other"] {
        assert_eq!(
            Err(CallbackRefused::NotListed),
            list.admit(&owner("", other), "https://acme.example/x"),
            "{other:?}"
        );
    }
}

#[test]
fn h04_a_list_of_an_organization_is_for_the_one_that_its_own_issuer_names() {
    let text = CONFIGURED.to_owned()
        + "[namespace.partners]\nallow = [\"https://partners.example/\"]\n\
           [namespace.partners.org.acme]\nallow = [\"https://acme-partner.example/\"]\n";
    let list = list(&text);
    let (ours, theirs) = (owner("", "acme"), owner("partners", "acme"));
    for (url, whose, others) in [
        ("https://acme.example/x", &ours, &theirs),
        ("https://acme-partner.example/x", &theirs, &ours),
        ("https://partners.example/x", &theirs, &ours),
    ] {
        assert!(list.admit(whose, url).is_ok(), "{url}");
        assert_eq!(Err(CallbackRefused::NotListed), list.admit(others, url), "{url}");
        let origin = url.trim_end_matches("/x");
        assert!(list.admits_origin(Some(whose), origin) && list.admits_origin(None, origin), "{url}");
        assert!(!list.admits_origin(Some(others), origin), "{url}");
    }
    assert!(list.admit(&theirs, "https://app.example.com/oauth/").is_ok(), "what everybody may, they may too");
    assert!(list.admit(&owner("partners", "b"), "https://partners.example/x").is_ok());
    assert!(list.admit(&owner("partners", "b"), "https://acme-partner.example/x").is_err());
    for (name, says) in [("staff", "no [[jwt]] has it"), ("A B", "no [[jwt]] has it")] {
        let text = format!("allow = []\n[namespace.\"{name}\"]\nallow = []\n");
        let table: Table = toml_edit::de::from_str(&text).expect("TOML");
        let fault = table.allow_list(Namespace::is_empty).expect_err(name).in_table("[callbacks]", 0..0, &text);
        assert!(fault.to_string().contains(says) && fault.place.is_some_and(|place| place.line == 2), "{fault}");
    }
}

#[test]
fn v11_pages_of_a_listed_origin_may_read_answers_and_no_others() {
    let list = list(CONFIGURED);
    for origin in ["https://app.example.com", "https://port.example.com:8443", "http://127.0.0.1:5173"] {
        assert!(list.admits_origin(None, origin) && list.admits_origin(Some(&owner("", "x")), origin), "{origin}");
    }
    for origin in [
        "null",
        "",
        "*",
        "https://app.example.com/",
        "https://app.example.com/oauth/",
        "https://app.example.com?",
        "https://app.example.com#",
        "https://app.example.com:443",
        "http://app.example.com",
        "https://evil.example",
        "https://app.example.com.evil.example",
        "https://port.example.com",
        "http://127.0.0.2:5173",
        "https://app.example.com https://evil.example",
        "https://APP.example.com",
    ] {
        assert!(!list.admits_origin(None, origin), "{origin}");
    }
    let of_acme = "https://acme.example";
    assert!(list.admits_origin(None, of_acme) && list.admits_origin(Some(&owner("", "acme")), of_acme));
    assert!(!list.admits_origin(Some(&owner("", "other")), of_acme));
}

#[test]
fn v11_an_entry_that_says_less_than_an_origin_and_a_path_is_refused_with_its_place() {
    for entry in [
        "https://app.example.com",
        "https://app.example.com/?x",
        "https://app.example.com/#x",
        "*",
        "https://*/",
        "https://*.example.com/",
        "https://app.example.com:*/",
        "http://app.example.com/",
        "http://localhost:*/",
        "https://app.example.com:443/",
        "http://127.0.0.1:80/",
        "https://app.example.com/../",
        "myapp://callback",
        "https://user@app.example.com/",
        "https://App.example.com/",
        "",
    ] {
        let text = format!("allow = [\"https://good.example/\",\n  \"{entry}\"]");
        let table: Table = toml_edit::de::from_str(&text).expect("TOML");
        let error =
            table.allow_list(|_| true).map_err(|fault| fault.in_table("[callbacks]", 0..0, &text)).expect_err(entry);
        assert_eq!(Some(2), error.place.map(|place| place.line), "{error}");
        assert!(error.to_string().contains("[callbacks]: allow: "), "{error}");
    }
}

#[test]
fn v12_the_status_is_appended_and_what_the_query_says_of_it_is_replaced() {
    let base = "https://app.example.com/oauth/";
    let success = Status::Success { connection: "c1", warnings: &[] };
    for (given, expected) in [
        ("", "?status=success&connection=c1"),
        ("?", "?status=success&connection=c1"),
        ("?&", "?status=success&connection=c1"),
        ("?a=1", "?a=1&status=success&connection=c1"),
        ("?b=2&a=1", "?b=2&a=1&status=success&connection=c1"),
        ("?a=1&a=2", "?a=1&a=2&status=success&connection=c1"),
        ("?a=%2f&b=+&c", "?a=%2f&b=+&c&status=success&connection=c1"),
        ("?status=x", "?status=success&connection=c1"),
        ("?a=1&status=x&b=2&error=y&connection=z", "?a=1&b=2&status=success&connection=c1"),
        ("?st%61tus=x&err%6Fr&%63onnection=&warning=w", "?status=success&connection=c1"),
        ("?statuses=1&errors=2&Status=3", "?statuses=1&errors=2&Status=3&status=success&connection=c1"),
        ("?a=1#status=x", "?a=1&status=success&connection=c1"),
        ("#?a=1", "?status=success&connection=c1"),
        ("?a=1?status=x", "?a=1?status=x&status=success&connection=c1"),
    ] {
        let url = list(CONFIGURED).admit(&owner("", ""), &format!("{base}{given}")).expect(given);
        assert_eq!(format!("{base}{expected}"), url.with_status(success), "{given}");
    }
    let url =
        list(CONFIGURED).admit(&owner("", ""), "https://app.example.com/oauth/?connection=old&x=y").expect("listed");
    let warned = url.with_status(Status::Success {
        connection: "c1",
        warnings: &[Warning::InsufficientScope, Warning::NoRefreshToken],
    });
    let both = "warning=insufficient_scope&warning=no_refresh_token";
    assert_eq!(format!("https://app.example.com/oauth/?x=y&status=success&connection=c1&{both}"), warned);
    let error = url.with_status(Status::Error { code: "access_denied" });
    assert_eq!("https://app.example.com/oauth/?x=y&status=error&error=access_denied", error);
    let strange = url.with_status(Status::Error { code: "a&b=c d\r\n#" });
    assert_eq!("https://app.example.com/oauth/?x=y&status=error&error=a%26b%3Dc+d%0D%0A%23", strange);
}

proptest! {
    #[test]
    fn v11_whatever_is_admitted_leads_a_browser_to_a_listed_origin(tail in "[ -~\\u{e4}]{0,40}", glue in "[/@.:\\\\?#%]{0,4}") {
        let list = list(CONFIGURED);
        for text in [
            format!("https://app.example.com/oauth/{tail}"),
            format!("https://app.example.com{glue}{tail}"),
            format!("https://{tail}{glue}app.example.com/oauth/"),
        ] {
            if let Ok(admitted) = list.admit(&owner("", ""), &text) {
                let url = url::Url::parse(&admitted.with_status(Status::Success { connection: "c", warnings: &[] })).expect("a URL");
                prop_assert_eq!("https://app.example.com", url.origin().ascii_serialization());
                prop_assert!(url.path().starts_with("/oauth/"), "{}", text);
                prop_assert_eq!(1, url.query_pairs().filter(|(name, _)| name == "status").count());
                prop_assert_eq!(None, url.fragment());
            }
        }
    }
}

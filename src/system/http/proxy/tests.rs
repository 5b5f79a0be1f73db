//! Which proxy, as a table.

use ureq::ProxyProtocol;

use super::*;

const TARGET: &str = "https://op.test/token";

fn choose_with(target: &str, variables: &[(&str, &str)]) -> Result<Option<Named>, HttpError> {
    let find = |name: &str| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| OsString::from(value));
    choose(&target.parse().expect("URL"), find)
}

/// Variable and host of the proxy.
fn chosen(variables: &[(&str, &str)]) -> Option<(&'static str, String)> {
    let named = choose_with(TARGET, variables).expect("understood")?;
    Some((named.variable, named.proxy.host().to_owned()))
}

#[test]
fn h08_the_variable_of_the_scheme_counts_before_the_one_for_all() {
    let all = [
        ("https_proxy", "http://a"),
        ("HTTPS_PROXY", "http://b"),
        ("all_proxy", "http://c"),
        ("ALL_PROXY", "http://d"),
        ("http_proxy", "http://e"),
        ("HTTP_PROXY", "http://f"),
    ];
    for (first, host) in ["a", "b", "c", "d"].into_iter().enumerate() {
        assert_eq!(Some((VARIABLES[first], host.to_owned())), chosen(&all[first..]), "{first}");
    }
    assert_eq!(None, chosen(&all[4..]), "http_proxy is not for https");
    assert_eq!(None, chosen(&[]));
    assert_eq!(
        Some(("ALL_PROXY", "d".to_owned())),
        chosen(&[("https_proxy", ""), ("ALL_PROXY", "http://d")]),
        "an empty variable is none"
    );
}

#[test]
fn h08_every_kind_of_proxy_is_known_and_resolves_names_where_it_should() {
    use ProxyProtocol::*;
    for (value, protocol, host, port, resolves_here) in [
        ("proxy.example:3128", Http, "proxy.example", 3128, false),
        ("proxy.example", Http, "proxy.example", 80, false),
        ("http://proxy.example:3128/", Http, "proxy.example", 3128, false),
        ("https://proxy.example", Https, "proxy.example", 443, false),
        ("socks4://127.0.0.1", Socks4, "127.0.0.1", 1080, true),
        ("socks4a://127.0.0.1", Socks4A, "127.0.0.1", 1080, false),
        ("socks5://127.0.0.1:9", Socks5, "127.0.0.1", 9, true),
        ("socks5h://[::1]:9050", Socks5h, "[::1]", 9050, false),
        ("SOCKS5H://127.0.0.1", Socks5h, "127.0.0.1", 1080, false),
    ] {
        let proxy = choose_with(TARGET, &[("ALL_PROXY", value)]).expect(value).expect(value).proxy;
        assert_eq!((protocol, host, port), (proxy.protocol(), proxy.host(), proxy.port()), "{value}");
        assert_eq!(resolves_here, proxy.resolve_target(), "{value}");
    }
    let proxy = choose_with(TARGET, &[("ALL_PROXY", "socks5h://me%40x:a:b@127.0.0.1:1080")]);
    let proxy = proxy.expect("understood").expect("a proxy").proxy;
    assert_eq!((Some("me@x"), Some("a:b")), (proxy.username(), proxy.password()));
}

#[test]
fn h08_a_proxy_that_is_not_understood_is_never_passed_over() {
    for value in [
        "socks://127.0.0.1:1080",
        "ftp://127.0.0.1",
        "http://",
        "http://:3128",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:port",
        "http://127.0.0.1:0",
        "http://127.0.0.1:",
        "/var/run/proxy",
        "a b",
        "http://canary:canary%ff@127.0.0.1:3128",
        ":::",
    ] {
        let error = choose_with(TARGET, &[("HTTPS_PROXY", value), ("ALL_PROXY", "http://good.example")]);
        let error = error.expect_err(value);
        assert!(matches!(error, HttpError::Proxy { variable: "HTTPS_PROXY", .. }), "{value}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn h08_a_proxy_that_is_not_utf8_is_never_passed_over() {
    use std::os::unix::ffi::OsStringExt;
    let bytes = |_: &str| Some(OsString::from_vec(b"http://\xff".to_vec()));
    assert!(matches!(choose(&TARGET.parse().expect("URL"), bytes), Err(HttpError::Proxy { .. })));
}

#[test]
fn h08_no_proxy_names_hosts_suffixes_ports_and_networks() {
    for (list, exempt, others) in [
        ("op.test", &["https://op.test/", "https://a.op.test/", "https://OP.TEST./"][..], &["https://op.test2/"][..]),
        ("test", &["https://a.test/", "https://a.b.test/", "https://test/"], &["https://contest/", "https://a.tes/"]),
        (".a.test", &["https://x.a.test/", "https://a.test/"], &["https://ba.test/"]),
        ("*.a.test", &["https://x.a.test/"], &["https://ba.test/"]),
        ("x.example, a.test", &["https://a.test/", "https://x.example/"], &["https://b.test/"]),
        (" x.example a.test ", &["https://a.test/"], &["https://b.test/"]),
        ("a.test:443", &["https://a.test/", "https://a.test:443/"], &["https://a.test:8443/"]),
        ("A.Test:8443", &["https://a.test:8443/"], &["https://a.test/"]),
        ("*", &["https://a.test/", "https://192.0.2.1/", "https://[2001:db8::1]/"], &[]),
        ("192.0.2.1", &["https://192.0.2.1/", "https://192.0.2.1:8443/"], &["https://192.0.2.11/", "https://a.test/"]),
        ("192.0.2.0/28", &["https://192.0.2.15/"], &["https://192.0.2.16/"]),
        ("0.0.0.0/0", &["https://192.0.2.15/"], &["https://a.test/", "https://[2001:db8::1]/"]),
        ("2001:db8::/32", &["https://[2001:db8::1]/"], &["https://[2001:db9::1]/"]),
        ("2001:db8::1", &["https://[2001:db8::1]/"], &["https://[2001:db8::2]/"]),
        ("[2001:db8::1]:443", &["https://[2001:db8::1]/"], &["https://[2001:db8::1]:8443/"]),
        ("2.1", &[], &["https://192.0.2.1/"]),
        (", .,*.,/8,a.test/8,192.0.2.0/x,a.test:x", &[], &["https://a.test/", "https://192.0.2.1/"]),
    ] {
        for name in EXEMPT {
            let direct = |target: &str| {
                choose_with(target, &[("ALL_PROXY", "http://p"), (name, list)]).expect("understood").is_none()
            };
            exempt.iter().for_each(|target| assert!(direct(target), "{list:?} exempts {target}"));
            others.iter().for_each(|target| assert!(!direct(target), "{list:?} does not exempt {target}"));
        }
    }
}

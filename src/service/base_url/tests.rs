//! V13 and V14: which instances are spoken to, at which addresses, and who gets the client secret.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;
use crate::catalog::Catalog;

fn integration(base_allow: &str) -> Integration {
    let text = format!(
        "[integration.git]\nauthorization_endpoint = \"https://git.example/oauth/authorize\"\n\
         token_endpoint = \"https://git.example/oauth/token?v=2\"\nclient_id = \"shared\"\n\
         client_secret = {{ env = \"SHARED\" }}\nbase_allow = {base_allow}\n"
    );
    Catalog::parse(&text).expect("configuration").get("git").expect("integration").clone()
}

fn listed() -> Integration {
    integration(
        r#"["https://git.acme.example", "https://git.acme.example:9443/gitlab", "https://10.0.0.7", "http://127.0.0.1:3000",
            { url = "https://own.acme.example", client_id = "own", client_secret = { file = "/run/own" } }]"#,
    )
}

fn any_public() -> Integration {
    integration(r#"["*", "https://git.acme.example"]"#)
}

#[test]
fn v13_a_listed_server_is_taken_with_the_path_that_is_listed() {
    for (given, text) in [
        ("https://git.acme.example", "https://git.acme.example"),
        ("https://git.acme.example/", "https://git.acme.example"),
        ("https://git.acme.example:443/", "https://git.acme.example:443"),
        ("https://git.acme.example:9443/gitlab", "https://git.acme.example:9443/gitlab"),
        ("https://git.acme.example:9443/gitlab/", "https://git.acme.example:9443/gitlab"),
        ("https://git.acme.example:9443/gitlab/team", "https://git.acme.example:9443/gitlab/team"),
        ("https://10.0.0.7", "https://10.0.0.7"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
    ] {
        let base = BaseUrl::parse(given, &listed());
        assert_eq!(Ok(text), base.as_ref().map(BaseUrl::as_str).map_err(|why| *why), "{given}");
    }
}

#[test]
fn h12_a_path_that_the_list_does_not_name_is_refused_and_gets_no_secret() {
    for url in [
        "https://git.acme.example/gitlab",
        "https://git.acme.example/evil/",
        "https://own.acme.example/evil",
        "https://10.0.0.7/x",
        "http://127.0.0.1:3000/x",
        "https://git.acme.example:9443",
        "https://git.acme.example:9443/",
        "https://git.acme.example:9443/gitlabx",
        "https://git.acme.example:9443/GitLab",
        "https://git.acme.example:9443/x/gitlab",
        "https://git.acme.example:9443/gitlab;x",
    ] {
        assert_eq!(Err(BaseUrlRefused::Path), BaseUrl::parse(url, &listed()), "{url}");
    }
    for url in ["https://git.acme.example:9443/gitla%62", "https://git.acme.example:9443/gitlab/%7e"] {
        assert_eq!(Err(BaseUrlRefused::Escape), BaseUrl::parse(url, &listed()), "{url}");
    }
    assert_eq!(
        Err(BaseUrlRefused::Path),
        BaseUrl::parse("https://git.acme.example/x", &any_public()),
        "listed beside *"
    );
}

/// With `"*"` in the list, so that nothing but the guard keeps them out.
const REFUSED: &[(BaseUrlRefused, &str)] = {
    use AddressClass::*;
    use BaseUrlRefused::{Address as At, Malformed as Bad, NotHttps, NotListed, Port, QueryOrFragment};
    &[
        (NotHttps, "http://git.acme.example"),
        (NotHttps, "http://example.com"),
        (NotHttps, "http://127.0.0.1"),
        (NotHttps, "http://127.0.0.1:3001"),
        (NotHttps, "http://[::1]:3000"),
        (NotHttps, "http://169.254.169.254/latest/meta-data/"),
        (Bad(UrlFault::Scheme), "ftp://example.com"),
        (Bad(UrlFault::Scheme), "file:///etc/passwd"),
        (Bad(UrlFault::Scheme), "gopher://127.0.0.1:6379/_INFO"),
        (Bad(UrlFault::Scheme), "dict://127.0.0.1:11211/"),
        (Bad(UrlFault::Scheme), "HTTPS://example.com"),
        (Bad(UrlFault::Scheme), "//example.com"),
        (Bad(UrlFault::Scheme), "example.com"),
        (Bad(UrlFault::Scheme), ""),
        (Bad(UrlFault::Userinfo), "https://git.acme.example@127.0.0.1"),
        (Bad(UrlFault::Userinfo), "https://user:password@example.com"),
        (Bad(UrlFault::Userinfo), "https://@example.com"),
        (Bad(UrlFault::Character), "https://git.acme.example\\@evil.example"),
        (Bad(UrlFault::Character), "https://127.0.0.1\\.example.com"),
        (Bad(UrlFault::Character), "https://exa\nmple.com"),
        (Bad(UrlFault::Character), "https://example.com\r\nHost: evil"),
        (Bad(UrlFault::Character), "https://example.com\0.acme.example"),
        (Bad(UrlFault::Character), "https://①②⑦.⓪.⓪.①"),
        (Bad(UrlFault::Character), "https://127。0。0。1"),
        (Bad(UrlFault::Character), "https://ｌocalhost"),
        (Bad(UrlFault::Character), "https://git.acme.example /"),
        (QueryOrFragment, "https://git.acme.example/?x=y"),
        (QueryOrFragment, "https://git.acme.example/?"),
        (QueryOrFragment, "https://git.acme.example/#"),
        (QueryOrFragment, "https://git.acme.example#@evil.example/"),
        (QueryOrFragment, "https://git.acme.example?@evil.example/"),
        (Bad(UrlFault::DotSegment), "https://git.acme.example/a/../../b"),
        (Bad(UrlFault::DotSegment), "https://git.acme.example/%2e%2e/b"),
        (Bad(UrlFault::EmptySegment), "https://git.acme.example//evil.example/"),
        (Bad(UrlFault::HiddenSeparator), "https://git.acme.example/%2f%2fevil.example"),
        (Bad(UrlFault::Host), "https://127.1"),
        (Bad(UrlFault::Host), "https://127.0.1"),
        (Bad(UrlFault::Host), "https://2130706433"),
        (Bad(UrlFault::Host), "https://0x7f000001"),
        (Bad(UrlFault::Host), "https://0x7f.0x0.0x0.0x1"),
        (Bad(UrlFault::Host), "https://0177.0.0.1"),
        (Bad(UrlFault::Host), "https://017700000001"),
        (Bad(UrlFault::Host), "https://00000127.0.0.1"),
        (Bad(UrlFault::Host), "https://127.0.0.1."),
        (Bad(UrlFault::Host), "https://127.0.0.256"),
        (Bad(UrlFault::Host), "https://%31%32%37.0.0.1"),
        (Bad(UrlFault::Host), "https://3232235777"),
        (Bad(UrlFault::Host), "https://0xa9fea9fe"),
        (Bad(UrlFault::Host), "https://[::ffff:7f00:1]"),
        (Bad(UrlFault::Host), "https://[0:0:0:0:0:0:0:1]"),
        (Bad(UrlFault::Host), "https://[::1"),
        (Bad(UrlFault::Host), "https://[fe80::1%25eth0]"),
        (Bad(UrlFault::Host), "https://git.acme.example."),
        (Bad(UrlFault::Host), "https://GIT.acme.example"),
        (Bad(UrlFault::Host), "https://*.acme.example"),
        (Bad(UrlFault::Host), "https://"),
        (Bad(UrlFault::ReadTwoWays), "https://[::ffff:127.0.0.1]"),
        (Bad(UrlFault::ReadTwoWays), "https://xn--a"),
        (Bad(UrlFault::Port), "https://example.com:0"),
        (Bad(UrlFault::Port), "https://example.com:"),
        (Bad(UrlFault::Port), "https://example.com:00443"),
        (Bad(UrlFault::Port), "https://example.com:99999"),
        (Port, "https://example.com:22"),
        (Port, "https://example.com:80"),
        (Port, "https://example.com:6379"),
        (Port, "https://git.acme.example:9443"),
        (NotListed, "https://localhost"),
        (NotListed, "https://app.localhost"),
        (NotListed, "https://metadata"),
        (NotListed, "https://kubernetes"),
        (At(Loopback), "https://127.0.0.1"),
        (At(Loopback), "https://127.8.8.8"),
        (At(Loopback), "https://[::1]"),
        (At(Unspecified), "https://0.0.0.0"),
        (At(Unspecified), "https://[::]"),
        (At(Private), "https://10.0.0.7"),
        (At(Private), "https://172.16.0.1"),
        (At(Private), "https://172.31.255.255"),
        (At(Private), "https://192.168.1.1"),
        (At(Private), "https://100.64.0.1"),
        (At(Private), "https://[fc00::1]"),
        (At(Private), "https://[fd12:3456:789a::1]"),
        (At(Metadata), "https://169.254.169.254"),
        (At(Metadata), "https://100.100.100.200"),
        (At(Metadata), "https://168.63.129.16"),
        (At(Metadata), "https://192.0.0.192"),
        (At(Metadata), "https://[fd00:ec2::254]"),
        (At(LinkLocal), "https://169.254.0.1"),
        (At(LinkLocal), "https://[fe80::1]"),
        (At(Multicast), "https://224.0.0.1"),
        (At(Multicast), "https://[ff02::1]"),
        (At(Documentation), "https://192.0.2.1"),
        (At(Documentation), "https://[2001:db8::1]"),
        (At(Reserved), "https://255.255.255.255"),
        (At(Reserved), "https://198.18.0.1"),
        (At(Loopback), "https://[64:ff9b::7f00:1]"),
        (At(Metadata), "https://[64:ff9b::a9fe:a9fe]"),
        (At(Loopback), "https://[2002:7f00:1::]"),
        (At(Private), "https://[2002:a00:1::1]"),
        (At(Reserved), "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]"),
    ]
};

#[test]
fn v13_what_leads_inside_or_can_be_read_in_two_ways_is_refused() {
    for &(why, url) in REFUSED {
        assert_eq!(Err(why), BaseUrl::parse(url, &any_public()).map(|base| base.to_string()), "{url:?}");
    }
    assert!(REFUSED.len() >= 70, "{} URLs", REFUSED.len());
    for url in ["https://example.com", "https://example.com:8443/x", "https://1.1.1.1", "https://[2606:4700::1111]"] {
        assert!(BaseUrl::parse(url, &any_public()).is_ok(), "{url} is public");
    }
}

#[test]
fn v13_without_a_list_there_is_no_base_url_at_all() {
    for base_allow in ["[]", r#"["https://git.acme.example"]"#] {
        for url in ["https://example.com", "https://evil.git.acme.example", "https://git.acme.example:8443"] {
            assert_eq!(Err(BaseUrlRefused::NotListed), BaseUrl::parse(url, &integration(base_allow)), "{url}");
        }
    }
}

/// Every spelling of an address that some resolver could answer with, and what it stands for.
#[test]
fn v13_addresses_are_judged_by_what_they_lead_to() {
    use AddressClass::*;
    for (class, addresses) in [
        (Public, &["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"][..]),
        (Public, &["::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"]),
        (Loopback, &["127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1"]),
        (Loopback, &["2002:7f00:1::1", "::ffff:0:127.0.0.1", "2606:4700::5efe:7f00:1", "2606:4700::200:5efe:7f00:1"]),
        (Unspecified, &["0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0"]),
        (
            Private,
            &["10.255.255.255", "172.16.0.0", "192.168.0.1", "100.64.0.0", "100.127.255.255", "fc00::", "fdff::1"],
        ),
        (Private, &["::ffff:10.0.0.1", "::ffff:a00:1", "64:ff9b::c0a8:101", "2002:c0a8:101::"]),
        (LinkLocal, &["169.254.1.1", "fe80::1", "febf::1", "::ffff:169.254.1.1"]),
        (Metadata, &["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200"]),
        (Multicast, &["224.0.0.1", "239.255.255.255", "ff00::", "ff02::1"]),
        (Documentation, &["192.0.2.9", "198.51.100.9", "203.0.113.9", "2001:db8::", "3fff::1"]),
        (Reserved, &["240.0.0.1", "255.255.255.255", "192.0.0.1", "192.88.99.1", "198.19.255.255", "fec0::1"]),
        (Reserved, &["2001::1", "2001:10::1", "2001:20::1", "100::1", "64:ff9b:1::1", "5f00::1", "4000::1"]),
    ] {
        for address in addresses {
            assert_eq!(class, AddressClass::of(address.parse().expect(address)), "{address}");
        }
    }
}

#[test]
fn v13_a_name_is_judged_by_all_of_its_addresses() {
    let public = BaseUrl::parse("https://example.com", &any_public()).expect("public");
    let named = BaseUrl::parse("https://git.acme.example", &listed()).expect("listed");
    let judge = |base: &BaseUrl, addresses: &[&str]| {
        base.reach().judge(&addresses.iter().map(|a| a.parse().expect("address")).collect::<Vec<_>>())
    };
    let refused = |class| Err(BaseUrlRefused::Address(class));
    assert_eq!(Ok(()), judge(&public, &["1.1.1.1", "2606:4700::1111"]));
    assert_eq!(refused(AddressClass::Private), judge(&public, &["1.1.1.1", "10.0.0.1"]));
    assert_eq!(refused(AddressClass::Loopback), judge(&public, &["1.1.1.1", "::1"]));
    assert_eq!(Err(BaseUrlRefused::NoAddress), judge(&public, &[]));
    assert_eq!(Ok(()), judge(&named, &["10.0.0.1", "fd12::1", "1.1.1.1"]), "the operator's own network");
    for (class, address) in [
        (AddressClass::Loopback, "127.0.0.1"),
        (AddressClass::Loopback, "::ffff:127.0.0.1"),
        (AddressClass::Metadata, "169.254.169.254"),
        (AddressClass::LinkLocal, "fe80::1"),
        (AddressClass::Unspecified, "0.0.0.0"),
        (AddressClass::Multicast, "224.0.0.1"),
    ] {
        assert_eq!(refused(class), judge(&named, &[address]), "a listed name that leads to {address}");
    }
}

#[test]
fn v13_an_address_that_is_listed_is_reached_and_no_other() {
    let base = BaseUrl::parse("http://127.0.0.1:3000", &listed()).expect("listed");
    assert_eq!(Ok(()), base.reach().judge(&[Ipv4Addr::LOCALHOST.into()]));
    let other = base.reach().judge(&[Ipv4Addr::new(127, 0, 0, 2).into()]);
    assert_eq!(Err(BaseUrlRefused::Address(AddressClass::Loopback)), other);
    assert!(base.reach().is_for("http", "127.0.0.1", 3000));
    for (scheme, host, port) in [("https", "127.0.0.1", 3000), ("http", "127.0.0.1", 3001), ("http", "evil", 3000)] {
        assert!(!base.reach().is_for(scheme, host, port), "{scheme} {host} {port}");
    }
}

#[test]
fn v14_a_secret_goes_to_the_server_it_was_configured_for_and_to_no_other() {
    let integration = integration(
        r#"["*", "https://git.acme.example",
            { url = "https://own.acme.example", client_id = "own", client_secret = { file = "/run/own" } },
            { url = "https://pub.acme.example", client_id = "pub" }]"#,
    );
    let own = SecretSource::File("/run/own".into());
    let at = |url: Option<&str>| {
        let base = url.map(|url| BaseUrl::parse(url, &integration).expect("admitted"));
        let client = client_at(&integration, base.as_ref());
        (client.id.as_str().to_owned(), client.secret.cloned())
    };
    assert_eq!(("shared".into(), Some(SecretSource::Environment("SHARED".into()))), at(None));
    assert_eq!(("own".into(), Some(own)), at(Some("https://own.acme.example/")));
    assert_eq!(("pub".into(), None), at(Some("https://pub.acme.example")));
    for hostile in [
        "https://git.acme.example",
        "https://evil.example",
        "https://own.acme.example:8443",
        "https://own.acme.example.evil.example",
        "https://git.example",
    ] {
        assert_eq!(("shared".into(), None), at(Some(hostile)), "{hostile}");
    }
}

#[test]
fn v14_every_endpoint_moves_to_the_instance() {
    let base = BaseUrl::parse("https://git.acme.example:9443/gitlab/", &listed()).expect("listed");
    let moved = |endpoint: &str| base.endpoint(&Endpoint::parse(endpoint).expect("endpoint")).map(|e| e.to_string());
    assert_eq!(
        Some("https://git.acme.example:9443/gitlab/oauth/token?v=2".into()),
        moved("https://a.example/oauth/token?v=2")
    );
    assert_eq!(
        Some("https://git.acme.example:9443/gitlab/authorize".into()),
        moved("https://b.example:8443/authorize")
    );
    assert_eq!(Some("https://git.acme.example:9443/gitlab/".into()), moved("https://a.example"));
    let long = format!("https://a.example/{}", "x".repeat(8 * 1024 - 30));
    assert_eq!(None, moved(&long));
}

proptest! {
    #[test]
    fn v13_whatever_is_admitted_is_the_server_that_the_url_crate_sees(
        host in "[a-z0-9.\\-:\\[\\]@%x]{1,24}", port in "(:[0-9]{0,5})?", path in "[ -~]{0,12}",
    ) {
        let text = format!("https://{host}{port}/{path}");
        if let Ok(base) = BaseUrl::parse(&text, &any_public()) {
            let url = url::Url::parse(&text).expect("a URL");
            let host = url.host_str().unwrap_or_default();
            prop_assert!(base.reach().is_for("https", host, url.port_or_known_default().unwrap_or_default()), "{}", text);
            if let Some(url::Host::Ipv4(address)) = url.host() {
                prop_assert_eq!(AddressClass::Public, AddressClass::of(address.into()), "{}", text);
            }
        }
    }

    #[test]
    fn v13_a_wrapped_address_has_the_class_of_what_it_wraps(bits: u32) {
        let v4 = Ipv4Addr::from_bits(bits);
        let [a, b, c, d] = v4.octets().map(u16::from);
        let (high, low) = (a << 8 | b, c << 8 | d);
        let class = AddressClass::of(v4.into());
        for wrapped in [
            [0, 0, 0, 0, 0, 0xffff, high, low],
            [0x64, 0xff9b, 0, 0, 0, 0, high, low],
            [0x2002, high, low, 0, 0, 0, 0, 1],
        ] {
            let v6 = std::net::Ipv6Addr::from(wrapped);
            prop_assert_eq!(class, AddressClass::of(v6.into()), "{}", v6);
        }
    }
}

#[test]
fn d17_a_base_url_of_the_integrations_own_server_is_the_same_as_none() {
    for base_allow in ["[]", r#"["*"]"#, r#"["https://git.example"]"#] {
        let integration = integration(base_allow);
        for own in
            ["https://git.example", "https://git.example/", "https://git.example:443", "https://git.example/oauth"]
        {
            assert_eq!(Ok(None), BaseUrl::named(own, &integration), "{own} {base_allow}");
        }
        for other in
            ["http://git.example", "https://git.example:8443/x", "https://git.example/oaut", "https://it.example/x/.."]
        {
            assert_ne!(Ok(None), BaseUrl::named(other, &integration), "{other} {base_allow}");
        }
        assert!(BaseUrl::named("https://git.example?x=y", &integration).is_err());
    }
    let other_client = integration(r#"[{ url = "https://git.example", client_id = "own" }]"#);
    let named = BaseUrl::named("https://git.example", &other_client).expect("listed").expect("an entry of its own");
    assert_eq!("own", client_at(&other_client, Some(&named)).id.as_str(), "the operator has listed another client");
    let text = "[integration.git]\nissuer = \"https://id.example/tenant\"\nclient_id = \"me\"\n";
    let discovered = Catalog::parse(text).expect("configuration").get("git").expect("integration").clone();
    for own in ["https://id.example", "https://id.example/tenant", "https://id.example/tenant/"] {
        assert_eq!(Ok(None), BaseUrl::named(own, &discovered), "{own}");
    }
    assert!(BaseUrl::named("https://id.example/tenant2", &discovered).is_err());
}

fn shops() -> Integration {
    let text = "[integration.shop]\nauthorization_endpoint = \"https://shopify.example/admin/oauth/authorize\"\n\
         token_endpoint = \"https://shopify.example/admin/oauth/access_token\"\nclient_id = \"shared\"\n\
         client_secret = { env = \"SHARED\" }\nprovider_domains = [\"myshopify.com\"]\n\
         base_allow = [\"https://*.myshopify.com\", \"https://own.myshopify.com\"]\n";
    Catalog::parse(text).expect("configuration").get("shop").expect("integration").clone()
}

#[test]
fn d17_a_host_of_the_providers_domain_gets_the_integrations_client_and_redirect() {
    let shops = shops();
    let base = BaseUrl::parse("https://acme.myshopify.com/", &shops).expect("allowed");
    let at = client_at(&shops, Some(&base));
    assert_eq!(("shared", shops.client_secret.as_ref()), (at.id.as_str(), at.secret));
    assert_eq!(RedirectAt::Integration(IssParameter::NotPromised), at.redirect);
    assert!(base.reach().judge(&[IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1))]).is_err(), "at public addresses only");
    let listed = BaseUrl::parse("https://own.myshopify.com", &shops).expect("allowed");
    let at = client_at(&shops, Some(&listed));
    assert_eq!(None, at.secret, "an entry by name is an instance of its own");
    assert!(matches!(at.redirect, RedirectAt::Own(_)));
}

#[test]
fn d17_no_host_outside_the_providers_domain_gets_the_secret() {
    let shops = shops();
    for (why, url) in [
        (BaseUrlRefused::NotListed, "https://myshopify.com"),
        (BaseUrlRefused::NotListed, "https://a.b.myshopify.com"),
        (BaseUrlRefused::NotListed, "https://evilmyshopify.com"),
        (BaseUrlRefused::NotListed, "https://acme.myshopify.com.evil.example"),
        (BaseUrlRefused::NotListed, "https://acme.myshopify.com:8443"),
        (BaseUrlRefused::NotHttps, "http://acme.myshopify.com"),
        (BaseUrlRefused::Path, "https://acme.myshopify.com/evil"),
    ] {
        assert_eq!(Err(why), BaseUrl::parse(url, &shops), "{url}");
    }
}

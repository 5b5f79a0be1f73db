//! Configurations that could send an answer to the wrong place, and the line that is named.

use super::*;

/// A route with these keys in place of the usual ones; an empty value leaves the key out.
fn route(changes: &[(&str, &str)]) -> String {
    let usual = [
        ("environment", "\"production\""),
        ("host", "\"acme.example\""),
        ("path", "\"/cb/{provider}\""),
        ("target", "\"https://api.example/cb/{provider}\""),
        ("providers", "[\"acme_fit\"]"),
    ];
    let mut text = "[[route]]\n".to_owned();
    let value = |name| changes.iter().find(|(changed, _)| *changed == name).map(|(_, value)| *value);
    for (name, value) in usual.map(|(name, usual)| (name, value(name).unwrap_or(usual))) {
        text += &if value.is_empty() { "\n".to_owned() } else { format!("{name} = {value}\n") };
    }
    for (name, value) in changes.iter().filter(|(name, _)| !usual.iter().any(|(known, _)| known == name)) {
        text += &format!("{name} = {value}\n");
    }
    text
}

/// Lines of a route's keys.
const ROUTE: usize = 1;
const ENVIRONMENT: usize = 2;
const HOST: usize = 3;
const PATH: usize = 4;
const TARGET: usize = 5;
const PROVIDERS: usize = 6;
const MORE: usize = 7;

#[test]
fn y21_a_proxy_is_an_address_or_a_network() {
    for text in ["proxy.example", "10.0.0.1/8", "10.0.0.0/33", ""] {
        assert_refused(&format!("trusted_proxies = [\"{text}\"]\n{}", route(&[])), 1, "trusted_proxies");
    }
    let other = format!("client_field = \"x-real-ip\"\n{}", route(&[]));
    let error = Relay::parse(&other).expect_err("no such field").to_string();
    assert!(error.contains("line 1") && error.contains("`forwarded` or `x-forwarded-for`"), "{error}");
}

#[track_caller]
fn assert_refused(text: &str, line: usize, says: &str) {
    let error = Relay::parse(text).expect_err(text);
    assert_eq!(Some(line), error.place.map(|place| place.line), "{error}\n{text}");
    assert!(error.to_string().contains(says), "\"{says}\" is not in: {error}");
    assert!(error.remedy.is_some(), "{error} has no remedy");
}

#[test]
fn a_usual_route_is_taken() {
    assert_eq!(1, relay(&route(&[])).routes().len());
}

#[test]
fn y27_a_target_is_https_or_a_loopback_address() {
    for target in [
        "http://api.example/cb/{provider}",
        "http://localhost:8080/cb/{provider}",
        "http://127.0.0.1:0/cb/{provider}",
        "http://127.0.0.2/cb/{provider}",
        "http://[::2]/cb/{provider}",
        "http://127.0.0.1.evil.example/cb/{provider}",
        "http://10.0.0.1/cb/{provider}",
        "HTTPS://api.example/cb/{provider}",
        "ftp://api.example/cb/{provider}",
        "javascript:alert(1)/{provider}",
        "com.example.app:/cb/{provider}",
        "//api.example/cb/{provider}",
        "/cb/{provider}",
    ] {
        assert_refused(&route(&[("target", &format!("\"{target}\""))]), TARGET, "target: ");
    }
    for target in
        ["http://127.0.0.1:53127/cb/{provider}", "http://[::1]:1/cb/{provider}", "http://127.0.0.1/{provider}"]
    {
        relay(&route(&[("target", &format!("\"{target}\""))]));
    }
}

#[test]
fn y08_a_target_has_no_query_fragment_or_userinfo() {
    for end in ["{provider}?a=b", "{provider}?", "{provider}#a", "{provider}#", "{provider}/cb?a", "{provider}/cb#a"] {
        let target = format!("\"https://api.example/{end}\"");
        assert_refused(&route(&[("target", &target)]), TARGET, "a query or a fragment");
    }
    for target in [
        "https://user@api.example/cb/{provider}",
        "https://user:word@api.example/cb/{provider}",
        "https://api.example@evil.example/cb/{provider}",
        "https://@api.example/cb/{provider}",
        "https://api.example/@a/{provider}",
        "https://api.example\\\\@evil.example/cb/{provider}",
        "https://api.example/../{provider}",
        "https://api.example/a b/{provider}",
        "https://api.example/caf\u{e9}/{provider}",
        "https://api.example/a\\r\\nX: y/{provider}",
        "https://*.example/{provider}",
        "https:///{provider}",
    ] {
        assert_refused(&route(&[("target", &format!("\"{target}\""))]), TARGET, "target");
    }
}

#[test]
fn y11_the_placeholder_stands_on_both_sides_as_a_segment_of_the_path() {
    let one_side = "only one of path and target";
    assert_refused(&route(&[("target", "\"https://api.example/cb\"")]), TARGET, one_side);
    assert_refused(&route(&[("path", "\"/cb\"")]), TARGET, one_side);
    assert_refused(
        &route(&[("path", "\"/cb\""), ("target", ""), ("preset", "\"junction\""), ("region", "\"us\"")]),
        PATH,
        one_side,
    );
    let segment = "as a whole segment";
    for path in ["/cb-{provider}", "/{provider}.json", "/{provider}/{provider}", "/cb{provider}/x"] {
        assert_refused(&route(&[("path", &format!("\"{path}\""))]), PATH, segment);
    }
    for target in [
        "https://{provider}.example/cb",
        "https://{provider}/cb",
        "https://{provider}/acme_fit",
        "https://{provider}",
        "https://api.example/{provider}/{provider}",
        "https://api.example/x{provider}",
    ] {
        assert_refused(&route(&[("target", &format!("\"{target}\""))]), TARGET, segment);
    }
}

#[test]
fn y11_providers_are_names() {
    for (providers, says) in [
        ("[]", "empty list"),
        ("\"acme_fit\"", "a list is wanted"),
        ("[\"*\"]", "is not a name"),
        ("[\"Acme\"]", "is not a name"),
        ("[\"a.b\"]", "is not a name"),
        ("[\"\"]", "is not a name"),
        ("[\"..\"]", "is not a name"),
    ] {
        assert_refused(&route(&[("providers", providers)]), PROVIDERS, says);
    }
    assert_refused(&route(&[("providers", "")]), ROUTE, "providers is missing");
    let plain = [("path", "\"/cb\""), ("target", "\"https://api.example/cb\"")];
    assert_refused(&route(&plain), PROVIDERS, "there is no {provider}");
}

#[test]
fn a_host_and_a_path_are_those_of_a_uri() {
    for host in [
        "",
        "acme.example/",
        "https://acme.example",
        "a@acme.example",
        "acme example",
        "acme.example:443",
        "acme.example:0",
        "acme.example:",
        "acme.example:99999",
        "*.acme.example",
        "acme.example?",
        "caf\u{e9}.example",
        "0x7f.1",
    ] {
        assert_refused(&route(&[("host", &format!("\"{host}\""))]), HOST, "host: ");
    }
    for path in [
        "cb/{provider}",
        "/cb/{provider}?a",
        "/cb/{provider}#a",
        "/../{provider}",
        "/a b/{provider}",
        "/{a}/{provider}",
    ] {
        assert_refused(&route(&[("path", &format!("\"{path}\""))]), PATH, "path: ");
    }
    let long = format!("\"/{}/{{provider}}\"", "a".repeat(1024));
    assert_refused(&route(&[("path", &long)]), PATH, "too long");
    assert_refused(&route(&[("environment", "\"Prod uction\"")]), ENVIRONMENT, "not a name");
}

#[test]
fn what_is_missing_or_misspelt_is_named() {
    for name in ["environment", "host", "path", "target"] {
        assert_refused(&route(&[(name, "")]), ROUTE, &format!("{name} is missing"));
    }
    assert_refused(&route(&[("provider", "\"x\"")]), MORE, "provider");
    let error = Relay::parse(&route(&[("enviroment", "\"x\"")])).unwrap_err();
    assert_eq!(Some("did you mean environment?"), error.remedy.as_deref());
    assert_eq!("there is no route", Relay::parse("").unwrap_err().to_string());
}

#[test]
fn the_preset_wants_a_region_and_no_target_of_its_own() {
    let preset = |more: &[(&str, &str)]| route(&[&[("preset", "\"junction\""), ("path", "")], more].concat());
    relay(&preset(&[("target", ""), ("region", "\"eu\"")]));
    assert_refused(&preset(&[("target", "")]), MORE, "region is missing");
    assert_refused(&preset(&[("region", "\"us\"")]), TARGET, "the preset has its own");
    assert_refused(
        &preset(&[("target", ""), ("region", "\"us\""), ("environment", "\"staging\"")]),
        ENVIRONMENT,
        "Junction has no",
    );
    assert_refused(&route(&[("region", "\"us\"")]), MORE, "region belongs to a preset");
}

#[test]
fn y10_two_environments_never_share_a_host_and_path() {
    let production = route(&[]);
    let sandbox = |changes: &[(&str, &str)]| {
        let own = [("environment", "\"sandbox\""), ("target", "\"https://sandbox.example/cb/{provider}\"")];
        route(&[changes, &own].concat())
    };
    // The second route begins behind the six lines of the first.
    let second = 7;
    let mixed = "one host and path for two environments: environment sandbox here and production at line 1";
    for changes in
        [&[][..], &[("host", "\"ACME.example\"")], &[("providers", "[\"other\"]")], &[("providers", "\"*\"")]]
    {
        assert_refused(&format!("{production}{}", sandbox(changes)), second, mixed);
    }
    let literal = [
        ("environment", "\"sandbox\""),
        ("path", "\"/cb/acme_fit\""),
        ("target", "\"https://sandbox.example/cb\""),
        ("providers", ""),
    ];
    assert_refused(&format!("{production}{}", route(&literal)), second, mixed);
    let crossing = [("path", "\"/{provider}/acme_fit\""), ("providers", "[\"cb\"]")];
    assert_refused(&format!("{production}{}", sandbox(&crossing)), second, mixed);
    for changes in [
        &[("host", "\"sandbox.acme.example\"")][..],
        &[("host", "\"acme.example:8443\"")],
        &[("path", "\"/sandbox/{provider}\"")],
    ] {
        assert_eq!(2, relay(&format!("{production}{}", sandbox(changes))).routes().len());
    }
}

#[test]
fn y10_two_environments_never_share_a_target_host() {
    let second = 7;
    let sandbox = |target: &str| {
        let target = format!("\"{target}\"");
        route(&[("environment", "\"sandbox\""), ("host", "\"sandbox.acme.example\""), ("target", &target)])
    };
    for target in [
        "https://api.example/other/{provider}",
        "https://API.example:8443/{provider}",
        "https://api.example./{provider}",
    ] {
        let text = format!("{}{}", route(&[]), sandbox(target));
        assert_refused(&text, second, "one target host for two environments");
    }
    let local = |port: u16| format!("http://127.0.0.1:{port}/{{provider}}");
    let production = route(&[("target", &format!("\"{}\"", local(1)))]);
    assert_refused(&format!("{production}{}", sandbox(&local(1))), second, "one target host");
    relay(&format!("{production}{}", sandbox(&local(2))));
}

#[test]
fn y10_an_endpoint_of_junction_is_in_its_own_environment() {
    let target = ("target", "\"https://api.us.junction.com/v2/link/connect/{provider}\"");
    relay(&route(&[target]));
    assert_refused(&route(&[target, ("environment", "\"sandbox\"")]), TARGET, "is Junction's production");
}

#[test]
fn y28_one_request_has_one_route() {
    let second = 7;
    let other = [("target", "\"https://api.example/other/{provider}\"")];
    assert_refused(
        &format!("{}{}", route(&[]), route(&other)),
        second,
        "the route at line 1 has this host and path too",
    );
    let apart = [other[0], ("providers", "[\"other\"]")];
    let relay = relay(&format!("{}{}", route(&[]), route(&apart)));
    assert_forwards(&relay, "acme.example", b"/cb/acme_fit?a", b"https://api.example/cb/acme_fit?a");
    assert_forwards(&relay, "acme.example", b"/cb/other?a", b"https://api.example/other/other?a");
}

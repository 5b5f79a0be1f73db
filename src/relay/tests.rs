//! What a relay answers, and which configurations it refuses. `LOOPIN_BAR=full` tries a million queries.

use proptest::prelude::*;

use super::*;
use crate::head::{HeadReader, Limits, Progress};

mod refused;

/// The example of Junction's guide, for production in the US, and a second environment on a host of its own.
const TWO: &str = r#"
[[route]]
environment = "production"
host = "yourdomain.com"
path = "/oauth_callback/{provider}"
target = "https://api.us.junction.com/v2/link/connect/{provider}"
providers = ["acme_fit"]

[[route]]
preset = "junction"
region = "us"
environment = "sandbox"
host = "sandbox.yourdomain.com:8443"
providers = "*"

[[route]]
environment = "cli"
host = "yourdomain.com"
path = "/cli/withings"
target = "http://127.0.0.1:53127/callback"
"#;

fn relay(text: &str) -> Relay {
    Relay::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn head(bytes: &[u8]) -> Head {
    match HeadReader::new(Limits::DEFAULT).push(bytes) {
        Progress::Complete { head, .. } => head,
        other => panic!("{other:?}"),
    }
}

fn get(host: &str, target: &[u8]) -> Head {
    head(&[b"GET ", target, b" HTTP/1.1\r\nHost: ", host.as_bytes(), b"\r\n\r\n"].concat())
}

/// Status, and the Location if there is one.
fn answer(relay: &Relay, head: &Head) -> (u16, Option<Vec<u8>>) {
    let reply = relay.respond(head).reply;
    (reply.status_code(), reply.forwarding().map(|to| to.as_bytes().to_vec()))
}

fn status(relay: &Relay, head: &Head) -> u16 {
    let (status, location) = answer(relay, head);
    assert_eq!(location.is_some(), status == 307, "a refusal leads nowhere");
    status
}

#[track_caller]
fn assert_forwards(relay: &Relay, host: &str, target: &[u8], to: &[u8]) {
    let (status, location) = answer(relay, &get(host, target));
    let location = location.unwrap_or_default();
    assert_eq!((307, to), (status, &location[..]), "{} became {}", target.escape_ascii(), location.escape_ascii());
}

/// The target of `yourdomain.com/oauth_callback/acme_fit`.
const ACME: &[u8] = b"https://api.us.junction.com/v2/link/connect/acme_fit";

#[test]
fn y13_the_example_of_seed_001() {
    let relay = relay(TWO);
    let request = head(b"GET /oauth_callback/acme_fit?code=abc123&state=xyz HTTP/1.1\r\nHost: yourdomain.com\r\n\r\n");
    let decision = relay.respond(&request);
    assert_eq!(307, decision.reply.status_code());
    let to = decision.reply.forwarding().unwrap();
    assert_eq!(to.as_bytes(), b"https://api.us.junction.com/v2/link/connect/acme_fit?code=abc123&state=xyz");
    assert!(decision.reply.body().is_empty());
    assert_eq!(Some("acme_fit"), decision.provider);
    assert_eq!("production", decision.route.unwrap().environment().as_str());
}

#[test]
fn the_preset_knows_the_four_endpoints_of_seed_001() {
    for (region, environment, to) in [
        ("us", "sandbox", "https://api.sandbox.us.junction.com/v2/link/connect/acme_fit?a"),
        ("eu", "sandbox", "https://api.sandbox.eu.junction.com/v2/link/connect/acme_fit?a"),
        ("us", "production", "https://api.us.junction.com/v2/link/connect/acme_fit?a"),
        ("eu", "production", "https://api.eu.junction.com/v2/link/connect/acme_fit?a"),
    ] {
        let relay = relay(&format!(
            "[[route]]\npreset = \"junction\"\nregion = \"{region}\"\nenvironment = \"{environment}\"\nhost = \"a.example\"\nproviders = [\"acme_fit\"]"
        ));
        assert_forwards(&relay, "a.example", b"/oauth_callback/acme_fit?a", to.as_bytes());
    }
}

#[test]
fn y01_no_byte_of_a_query_is_altered() {
    let relay = relay(TWO);
    let every_byte: Vec<u8> = (0x21..=0xff).filter(|byte| !b"#\x7f".contains(byte)).collect();
    let odd: [&[u8]; 8] = [
        b"a=1+2&b=1%2B2&c=%2b",
        b"z=1&a=2&z=3&&=&a",
        b"code=%C3%A9&state=%c3%a9",
        b"state=a.b-c_d~e!f*g'h(i)j;k:l@m,n/o?p$q",
        b"redirect=https://evil.example/%2e%2e/",
        b"code=%0d%0aX:%20y",
        b"code=4/0AX4&scope=a%20b+c",
        &every_byte,
    ];
    for query in odd {
        let target = [b"/oauth_callback/acme_fit?", query].concat();
        assert_forwards(&relay, "yourdomain.com", &target, &[ACME, b"?", query].concat());
    }
}

#[test]
fn y01_every_odd_query_is_copied_or_refused_with_400() {
    let relay = relay(TWO);
    for query in &ODD_QUERIES {
        for callback in relay.callbacks() {
            let request = callback.request(query);
            let answer = match HeadReader::new(Limits::DEFAULT).push(&request) {
                Progress::Complete { head, .. } => {
                    let (status, location) = answer(&relay, &head);
                    Answer { status, location }
                }
                Progress::Reject(rejection) => Answer { status: rejection.status(), location: None },
                Progress::NeedMore => panic!("{}", query.name),
            };
            let expected = match query.refusal {
                Refusable::Required => Verdict::Refused,
                Refusable::No | Refusable::Tolerated => Verdict::Copied,
            };
            assert_eq!(expected, callback.judge(query, answer), "{}", query.name);
        }
    }
}

#[test]
fn y02_quotes_and_angle_brackets_are_kept() {
    let target = b"/oauth_callback/acme_fit?a='b'&c=\"d\"&e=<f>";
    assert_forwards(&relay(TWO), "yourdomain.com", target, &[ACME, b"?a='b'&c=\"d\"&e=<f>"].concat());
}

#[test]
fn y03_what_is_no_escape_is_kept() {
    let target = b"/oauth_callback/acme_fit?%zz&%&%&{a}|b^`c\\d";
    assert_forwards(&relay(TWO), "yourdomain.com", target, &[ACME, b"?%zz&%&%&{a}|b^`c\\d"].concat());
}

#[test]
fn y04_bytes_beyond_ascii_are_kept() {
    let target = b"/oauth_callback/acme_fit?caf\xe9=\x80\xff&ok=\xc3\xa9";
    assert_forwards(&relay(TWO), "yourdomain.com", target, &[ACME, b"?caf\xe9=\x80\xff&ok=\xc3\xa9"].concat());
}

#[test]
fn y05_a_fragment_is_refused_not_cut_off() {
    let relay = relay(TWO);
    for target in [&b"/oauth_callback/acme_fit?a#b"[..], b"/oauth_callback/acme_fit#?a", b"/oauth_callback/acme_fit?#"]
    {
        assert_eq!(400, status(&relay, &get("yourdomain.com", target)), "{}", target.escape_ascii());
    }
}

#[test]
fn y06_the_first_question_mark_splits_and_stays() {
    for (asked, query) in [("", ""), ("?", "?"), ("??", "??"), ("?a?b", "?a?b"), ("?&", "?&"), ("?=", "?=")] {
        let target = format!("/oauth_callback/acme_fit{asked}");
        assert_forwards(&relay(TWO), "yourdomain.com", target.as_bytes(), &[ACME, query.as_bytes()].concat());
    }
}

#[test]
fn y07_controls_and_spaces_are_no_request() {
    for byte in (0..=0x20).chain([0x7f]) {
        let target =
            [b"GET /oauth_callback/acme_fit?a", &[byte][..], b"b HTTP/1.1\r\nHost: yourdomain.com\r\n\r\n"].concat();
        let progress = HeadReader::new(Limits::DEFAULT).push(&target);
        assert!(
            matches!(progress, Progress::Reject(rejection) if rejection.status() == 400),
            "{byte:#x}: {progress:?}"
        );
    }
}

#[test]
fn y09_nothing_of_a_request_but_its_query_reaches_the_location() {
    let relay = relay(TWO);
    let paths = "/ // /oauth_callback /oauth_callback/ /oauth_callback/acme_fit/ /oauth_callback//acme_fit //evil.example \
         //evil.example/oauth_callback/acme_fit /\\evil.example /%2f/evil.example /%2e%2e/oauth_callback/acme_fit \
         /oauth_callback/../oauth_callback/acme_fit /./oauth_callback/acme_fit /oauth_callback/acme_fit/.. \
         /oauth_callback/acme%5ffit /oauth_callback/acme_fit%00 /oauth_callback/acme_fit; /oauth_callback/acme_fit%3fa \
         /Oauth_callback/acme_fit /oauth_callback/ACME_FIT http://evil.example/ https://yourdomain.com/oauth_callback/acme_fit \
         https://evil.example/oauth_callback/acme_fit evil.example:443 @evil.example/oauth_callback/acme_fit \
         oauth_callback/acme_fit * /cli/withings/ /cli/Withings /cli/withing /cli/withingss /cli/acme_fit /cli/{provider}";
    for path in paths.split_whitespace() {
        for suffix in ["", "?code=a", "?https://evil.example", "?@evil.example"] {
            let target = format!("{path}{suffix}");
            // What is no path is no request: not the absolute form either.
            let expected = if path.starts_with('/') { 404 } else { 400 };
            assert_eq!(expected, status(&relay, &get("yourdomain.com", target.as_bytes())), "{target}");
        }
    }
}

#[test]
fn y10_each_environment_has_its_own_target() {
    let relay = relay(TWO);
    assert_forwards(&relay, "yourdomain.com", b"/oauth_callback/acme_fit?a", &[ACME, b"?a"].concat());
    let sandbox = b"https://api.sandbox.us.junction.com/v2/link/connect/acme_fit?a";
    assert_forwards(&relay, "sandbox.yourdomain.com:8443", b"/oauth_callback/acme_fit?a", sandbox);
    assert_forwards(&relay, "yourdomain.com", b"/cli/withings?a", b"http://127.0.0.1:53127/callback?a");
    assert_eq!(404, status(&relay, &get("sandbox.yourdomain.com:8443", b"/cli/withings?a")));
}

#[test]
fn y11_a_provider_is_a_name_and_on_the_list() {
    let relay = relay(TWO);
    let odd = ". .. %2e %2e%2e a.b a/b a%2fb a\\b A a%62 a:b a@b a;b a=b a&b a,b a+b a!b a*b a'b (a) ~a $a |a {a} {provider} \u{e9}";
    for provider in odd.split_whitespace().chain([""]) {
        let target = format!("/oauth_callback/{provider}?code=a");
        assert_eq!(404, status(&relay, &get("sandbox.yourdomain.com:8443", target.as_bytes())), "{target}");
    }
    let (longest, longer) = ("a".repeat(64), "a".repeat(65));
    let path = |provider: &str| format!("/oauth_callback/{provider}").into_bytes();
    assert_eq!(307, status(&relay, &get("sandbox.yourdomain.com:8443", &path(&longest))));
    assert_eq!(404, status(&relay, &get("sandbox.yourdomain.com:8443", &path(&longer))));
    assert_eq!(404, status(&relay, &get("yourdomain.com", &path("other"))), "not on the list");
}

#[test]
fn y12_only_get_and_head() {
    let relay = relay(TWO);
    let ask = |method: &str, more: &str| {
        head(format!("{method} /oauth_callback/acme_fit?a HTTP/1.1\r\nHost: yourdomain.com\r\n{more}\r\n").as_bytes())
    };
    assert_eq!(307, status(&relay, &ask("HEAD", "")));
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "PROPFIND", "G"] {
        let request = ask(method, "Content-Length: 9\r\n");
        let reply = relay.respond(&request).reply;
        assert_eq!(405, reply.status_code(), "{method}");
        assert!(reply.fields().any(|field| field == ("Allow", "GET, HEAD")));
    }
    assert_eq!(400, status(&relay, &ask("GET", "Content-Length: 1\r\n")), "y17: a body that nobody reads");
}

#[test]
fn y18_a_query_of_64_kib_passes_and_one_byte_more_does_not() {
    let relay = relay(TWO);
    for (length, expected) in [(65_535, 307), (65_536, 307), (65_537, 414)] {
        let target = [b"/oauth_callback/acme_fit?", "q".repeat(length).as_bytes()].concat();
        assert_eq!(expected, status(&relay, &get("yourdomain.com", &target)), "{length}");
    }
}

#[test]
fn y20_only_the_hosts_of_the_configuration() {
    let relay = relay(TWO);
    for host in ["yourdomain.com", "YourDomain.COM", "SANDBOX.yourdomain.com:8443"] {
        assert_eq!(307, status(&relay, &get(host, b"/oauth_callback/acme_fit")), "{host}");
    }
    for host in [
        "",
        "evil.example",
        "yourdomain.com.",
        "yourdomain.com:443",
        "yourdomain.com:80",
        "yourdomain.com:",
        "yourdomain.com.evil.example",
        "evil.example@yourdomain.com",
        "yourdomain.com@evil.example",
        "xyourdomain.com",
        "sandbox.yourdomain.com",
        "sandbox.yourdomain.com:8444",
        "yourdomain.com, evil.example",
        "https://yourdomain.com",
        "yourdomain.com/",
        "127.0.0.1",
        "localhost",
        "[::1]",
        "*",
    ] {
        assert_eq!(421, status(&relay, &get(host, b"/oauth_callback/acme_fit")), "{host}");
    }
    let path = "GET /oauth_callback/acme_fit HTTP/1.1\r\n";
    for fields in ["", "Host: yourdomain.com\r\nHost: yourdomain.com\r\n", "Host: a\r\nhost: yourdomain.com\r\n"] {
        assert_eq!(400, status(&relay, &head(format!("{path}{fields}\r\n").as_bytes())), "{fields}");
    }
}

#[test]
fn y21_forwarding_fields_decide_nothing() {
    let relay = relay(TWO);
    for field in [
        "X-Forwarded-Host: evil.example",
        "X-Forwarded-Proto: http",
        "X-Forwarded-For: 127.0.0.1",
        "Forwarded: host=evil.example;proto=http",
        "X-Original-URL: /cli/withings",
        "X-Rewrite-URL: /cli/withings",
        "X-HTTP-Method-Override: POST",
    ] {
        let request = format!("GET /oauth_callback/acme_fit?a HTTP/1.1\r\nHost: yourdomain.com\r\n{field}\r\n\r\n");
        let expected = (307, Some([ACME, b"?a"].concat()));
        assert_eq!(expected, answer(&relay, &head(request.as_bytes())), "{field}");
    }
}

#[test]
fn y26_what_is_no_answer_of_a_provider_goes_the_same_way() {
    for query in ["?", "?junk", "?error=access_denied&state=x", "?code=", "?%%%"] {
        let target = format!("/oauth_callback/acme_fit{query}");
        assert_forwards(&relay(TWO), "yourdomain.com", target.as_bytes(), &[ACME, query.as_bytes()].concat());
    }
}

/// How many random queries are tried.
fn queries() -> u32 {
    #[expect(clippy::disallowed_methods, reason = "how much is tried")]
    let full = std::env::var("LOOPIN_BAR").is_ok_and(|bar| bar == "full");
    if full { 1_000_000 } else { 2000 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: queries(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn y01_random_queries_are_never_altered(
        query in prop::collection::vec((0x21u8..).prop_filter("no query", |byte| !b"#\x7f".contains(byte)), 0..48),
    ) {
        static RELAY: std::sync::LazyLock<Relay> = std::sync::LazyLock::new(|| relay(TWO));
        let request = get("yourdomain.com", &[b"/oauth_callback/acme_fit?", &query[..]].concat());
        prop_assert_eq!(answer(&RELAY, &request), (307, Some([ACME, b"?", &query].concat())));
    }

    #[test]
    fn y09_a_random_target_leads_to_a_configured_one_or_nowhere(
        target in "[/a-z_{}.@:?%\\\\-]{0,12}(/oauth_callback/|/cli/|/)?(acme_fit|withings|[a-zA-Z0-9._/@%-]{0,9})[?]?[!-~]{0,8}",
    ) {
        static RELAY: std::sync::LazyLock<Relay> = std::sync::LazyLock::new(|| relay(TWO));
        prop_assume!(!target.is_empty());
        if let (307, Some(to)) = answer(&RELAY, &get("yourdomain.com", target.as_bytes())) {
            let known = [ACME, b"http://127.0.0.1:53127/callback"];
            let query = target.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
            prop_assert!(known.iter().any(|known| to == [known, query.as_bytes()].concat()), "{}", to.escape_ascii());
        }
    }
}

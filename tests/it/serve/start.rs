//! Three ways to start, and who cannot.

use super::*;

fn fetch(serving: &Serving, fields: &str) -> Reply {
    let fields = format!("{}Accept: application/json\r\n{fields}", bearer(&token_of("ada", "acme")));
    serving.get(&format!("{BASE}/wiki/authorize?{}", wish("read")), &fields)
}

#[test]
fn a_page_starts_by_fetch_and_goes_on_by_itself() {
    let serving = Serving::new();
    let reply = fetch(&serving, &format!("Origin: {ORIGIN}\r\n"));
    assert_eq!((200, Some(ORIGIN)), (reply.status, reply.field("access-control-allow-origin")), "{reply:?}");
    assert_eq!(Some("true"), reply.field("access-control-allow-credentials"));
    let url = json_of(&reply)["authorization_url"].as_str().expect("url").to_owned();
    assert_eq!("S256", parameter(&url, "code_challenge_method"));
    assert_eq!("base read", parameter(&url, "scope"));
    let mut jar = Jar::default();
    jar.take(&reply);
    let target = crate::harness::target(&Person::at(url).decide("allow"));
    assert_success(&serving.finish(&jar, &target));
}

#[test]
fn v30_pages_of_other_origins_are_neither_answered_nor_let_in() {
    let serving = Serving::new();
    let path = format!("{BASE}/wiki/authorize");
    let preflight = |origin: &str| {
        serving.request(
            "OPTIONS",
            &path,
            &format!(
                "Origin: {origin}\r\nAccess-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: authorization, cookie\r\n"
            ),
            "",
        )
    };
    let allowed = preflight(ORIGIN);
    assert_eq!((204, Some(ORIGIN)), (allowed.status, allowed.field("access-control-allow-origin")), "{allowed:?}");
    assert_eq!(Some("authorization"), allowed.field("access-control-allow-headers"));
    for strange in ["https://evil.example", "null", "https://app.example.com.evil.example", "http://app.example.com"] {
        let refused = preflight(strange);
        assert_eq!((403, None), (refused.status, refused.field("access-control-allow-origin")), "{strange}");
        let refused = fetch(&serving, &format!("Origin: {strange}\r\n"));
        assert_eq!("origin_not_allowed", code(&refused));
        assert_eq!((None, None), (refused.field("access-control-allow-origin"), refused.field("set-cookie")));
    }
}

#[test]
fn v30_a_page_of_one_organization_asks_for_no_other() {
    const THEIRS: &str = "https://globex.example";
    let list = format!("[callbacks.org.globex]\nallow = [\"{THEIRS}/oauth/\"]\n\n[integration.wiki]");
    let serving = Serving::with(Provider::new(), |config| config.replacen("[integration.wiki]", &list, 1));
    let ask = |org: &str| {
        let fields = format!("{}Origin: {THEIRS}\r\n", bearer(&token_of("ada", org)));
        serving.get(&format!("{BASE}/connections"), &fields)
    };
    assert_eq!(200, ask("globex").status);
    let refused = ask("acme");
    assert_eq!((403, "origin_not_allowed".into()), (refused.status, code(&refused)));
}

#[test]
fn the_applications_own_navigation_starts_at_once_and_a_strangers_asks_the_person() {
    let serving = Serving::new();
    let target = format!("{BASE}/wiki/authorize?{}", wish("all"));
    let cookie = format!("Cookie: session={}\r\n", token_of("ada", "acme"));
    let navigate = |site: &str| serving.get(&target, &format!("{cookie}Sec-Fetch-Mode: navigate\r\n{site}"));
    for site in ["same-origin", "same-site"] {
        let reply = navigate(&format!("Sec-Fetch-Site: {site}\r\n"));
        assert_eq!(302, reply.status, "{reply:?}");
        assert!(reply.field("location").expect("location").starts_with(&serving.provider.origin));
    }
    for site in ["Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: none\r\n", ""] {
        assert_confirms(&navigate(site));
    }
    assert_eq!("two_tokens", code(&serving.get(&format!("{target}&token=x"), &bearer(&token_of("ada", "acme")))));
}

#[test]
fn v30_a_browsers_guess_begins_nothing() {
    let serving = Serving::new();
    let fields = format!(
        "Cookie: session={}\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nSec-Purpose: prefetch;prerender\r\n",
        token_of("ada", "acme")
    );
    let reply = serving.get(&format!("{BASE}/wiki/authorize?{}", wish("all")), &fields);
    assert_eq!((403, "prefetch".into(), None), (reply.status, code(&reply), reply.field("set-cookie")));
}

#[track_caller]
fn assert_confirms(reply: &Reply) {
    assert_eq!(200, reply.status, "{reply:?}");
    assert!(reply.body.contains("<dd>ada</dd>") && reply.body.contains("<dd>acme</dd>"), "{reply:?}");
    assert!(reply.field("content-security-policy").is_some_and(|policy| policy.contains("frame-ancestors 'none'")));
}

/// The target of the page's button.
pub(super) fn button(reply: &Reply) -> String {
    let href = reply.body.split("href=\"").find_map(|rest| rest.split('"').next().filter(|h| h.contains("confirm=")));
    crate::harness::target(href.unwrap_or_else(|| panic!("{reply:?}")))
}

#[test]
fn v01_an_attackers_address_asks_and_connects_nothing_by_itself() {
    let serving = Serving::new();
    let planted = format!("{BASE}/wiki/authorize?{}&token={}", wish("all"), token_of("ada", "acme"));
    let page = serving.get(&planted, "");
    assert_confirms(&page);
    let (mut attacker, mut victim) = (Jar::default(), Jar::default());
    attacker.take(&page);
    // The attacker's button, in the victim's browser.
    assert_eq!(410, serving.get(&button(&page), &victim.field()).status);
    assert_eq!(0, serving.provider.counters().authorize);
    // The attacker's own provider address, after its button, in the victim's browser.
    let begun = serving.get(&button(&page), &attacker.field());
    attacker.take(&begun);
    let answer = serving.decided(&begun, "allow");
    victim.take(&serving.begin("victim", &mut Jar::default(), ""));
    assert_error(&serving.finish(&victim, &answer), "browser_mismatch");
    assert_eq!(0, serving.provider.counters().token);
    assert_eq!("not_connected", code(&serving.token("ada")));
}

#[test]
fn a_person_who_confirms_goes_on() {
    let serving = Serving::new();
    let page = serving.get(&format!("{BASE}/wiki/authorize?{}&token={}", wish("all"), token_of("ada", "acme")), "");
    let mut jar = Jar::default();
    jar.take(&page);
    let begun = serving.get(&button(&page), &jar.field());
    assert_eq!(302, begun.status, "{begun:?}");
    jar.take(&begun);
    let target = serving.decided(&begun, "allow");
    assert_success(&serving.finish(&jar, &target));
}

#[test]
fn a_link_serves_once_and_holds_no_token() {
    let serving = Serving::new();
    let token = token_of("backend", "acme");
    let reply = serving.post("/wiki/link", &token, json!({ "appCallbackUrl": APP, "action": "read" }));
    assert_eq!(201, reply.status, "{reply:?}");
    let body = json_of(&reply);
    let url = body["url"].as_str().expect("url").to_owned();
    assert_eq!(Some(300), body["expires_in"].as_u64());
    assert!(!url.contains(&token[..20]) && url.starts_with(&format!("http://127.0.0.1:{}{BASE}", serving.port)));
    let link = crate::harness::target(&url);
    let mut jar = Jar::default();
    // Whoever previews it uses nothing up.
    serving.get(&link, "");
    let (page, again) = (serving.get(&link, ""), serving.get(&link, ""));
    jar.take(&page);
    jar.take(&again);
    assert!(page.body.contains("<dd>backend</dd>"));
    let begun = serving.get(&button(&page), &jar.field());
    assert_eq!(302, begun.status, "{begun:?}");
    assert_eq!(410, serving.get(&button(&again), &jar.field()).status, "used up");
    jar.take(&begun);
    let target = serving.decided(&begun, "allow");
    assert_success(&serving.finish(&jar, &target));
}

#[test]
fn a_service_makes_links_for_others_and_a_user_does_not() {
    let serving = Serving::new();
    let ask = |token: &str| {
        let body = json!({ "appCallbackUrl": APP, "action": "read", "userId": "ada", "orgKey": "acme" });
        serving.post("/wiki/link", token, body)
    };
    assert_eq!("service_only", code(&ask(&token_of("eve", "acme"))));
    let mut service = claims("backend", "acme");
    service["scope"] = "loopin:service".into();
    let reply = ask(&jwt(service));
    assert_eq!(201, reply.status, "{reply:?}");
    let url = json_of(&reply)["url"].as_str().expect("url").to_owned();
    assert_confirms(&serving.get(&crate::harness::target(&url), ""));
}

#[test]
fn v09_a_token_in_an_address_is_never_logged_and_off_where_the_operator_says_so() {
    let off = Serving::with(Provider::new(), |config| {
        config.replace("session_cookie", "query_token = \"off\"\nsession_cookie")
    });
    let token = token_of("ada", "acme");
    let target = format!("{BASE}/wiki/authorize?{}&token={token}", wish("all"));
    assert_eq!("query_token_off", code(&off.get(&target, "")));

    let redirect = Serving::with(Provider::new(), |config| {
        config.replace("session_cookie", "query_token = \"redirect\"\nsession_cookie")
    });
    let first = redirect.get(&target, "");
    assert_eq!((302, Some("no-referrer")), (first.status, first.field("referrer-policy")), "{first:?}");
    assert_eq!("unauthenticated", code(&redirect.get(&target, "")), "an address counts once");
    let (finished, _) = redirect.terminated();
    assert!(finished.said().contains("weaker than it could be: query_token"), "{finished:?}");
    for secret in [token.as_str(), &token[..30], "appCallbackUrl", "app.example.com", "ada"] {
        assert!(!finished.stdout.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn v10_no_flow_begins_without_an_organization_of_the_callers() {
    let serving = Serving::new();
    let target = format!("{BASE}/wiki/authorize?{}", wish("all"));
    let start = |claims: Value, fields: &str| serving.get(&target, &format!("{}{fields}", bearer(&jwt(claims))));
    let mut none = claims("ada", "acme");
    none.as_object_mut().expect("claims").remove("org_id");
    none["orgs"] = json!(["acme", "other"]);
    assert_eq!("org_required", code(&start(none.clone(), "")));
    assert_eq!(302, start(none.clone(), "X-Active-Org: other\r\n").status);
    assert_eq!("org_forbidden", code(&start(none, "X-Active-Org: evil\r\n")));
    let mut single = claims("ada", "acme");
    single.as_object_mut().expect("claims").remove("org_id");
    assert_eq!(302, start(single, "").status, "the only one");
    // Whoever has left since then brings no connection home.
    let mut jar = Jar::default();
    let begun = serving.begin("ada", &mut jar, "");
    let target = serving.decided(&begun, "allow");
    jar.0.insert("session".into(), token_of("ada", "other"));
    assert_error(&serving.finish(&jar, &target), "org_forbidden");
    assert_eq!(0, serving.provider.counters().token);
    // What was chosen at the start stays: the connection is the first organization's.
    let mut jar = Jar::default();
    let begun = serving.begin("ada", &mut jar, "");
    let target = serving.decided(&begun, "allow");
    assert_success(&serving.get(&target, &format!("{}X-Active-Org: other\r\n", jar.field())));
    assert_eq!(200, serving.token("ada").status);
    let other = serving.post("/wiki/token", &token_of("ada", "other"), json!({ "action": "all" }));
    assert_eq!("not_connected", code(&other));
}

#[test]
fn v36_unfinished_flows_of_one_user_are_counted_and_swept() {
    let serving = Serving::new();
    let link = |user: &str| {
        serving.post("/wiki/link", &token_of(user, "acme"), json!({ "appCallbackUrl": APP, "action": "read" }))
    };
    let made = (0..25).filter(|_| link("ada").status == 201).count();
    assert_eq!(20, made);
    let refused = link("ada");
    assert_eq!((429, "too_many_requests".into()), (refused.status, code(&refused)));
    assert!(refused.field("retry-after").is_some());
    assert_eq!(201, link("grace").status, "others are not held up");
}

#[test]
fn v36_flows_count_with_links_and_are_swept_when_they_are_over() {
    let serving = Serving::new();
    let flows = |serving: &Serving| {
        let count = serving.database().query_row("SELECT count(*) FROM flow", [], |row| row.get::<_, u32>(0));
        count.expect("count")
    };
    let (mut jar, mut answer) = (Jar::default(), None);
    for _ in 0..10 {
        let begun = serving.begin("ada", &mut jar, "");
        answer.get_or_insert_with(|| serving.decided(&begun, "allow"));
    }
    let link =
        || serving.post("/wiki/link", &token_of("ada", "acme"), json!({ "appCallbackUrl": APP, "action": "read" }));
    assert_eq!(10, (0..12).filter(|_| link().status == 201).count());
    assert_eq!(20, flows(&serving));
    serving.database().execute("UPDATE flow SET expires_at = 1000", []).expect("update");
    let serving = serving.again();
    eventually("expired flows are swept", || flows(&serving) == 0);
    assert_error(&serving.finish(&jar, &answer.expect("answer")), "state_expired");
    assert_eq!(0, serving.provider.counters().token);
}

#[test]
fn v36_whoever_has_twenty_flows_begins_no_more() {
    let serving = Serving::new();
    let link =
        || serving.post("/wiki/link", &token_of("ada", "acme"), json!({ "appCallbackUrl": APP, "action": "read" }));
    assert_eq!(20, (0..20).filter(|_| link().status == 201).count());
    let refused = serving.begin("ada", &mut Jar::default(), "");
    assert_eq!((429, "too_many_requests".into(), None), (refused.status, code(&refused), refused.field("location")));
    assert_eq!(302, serving.begin("grace", &mut Jar::default(), "").status);
}

#[test]
fn v31_a_user_begins_so_many_flows_a_minute() {
    let serving = Serving::new();
    let mut refused = 0;
    for _ in 0..30 {
        let reply = serving.begin("ada", &mut Jar::default(), "");
        refused += u32::from(reply.status == 429);
        assert!(matches!(reply.status, 302 | 429), "{reply:?}");
    }
    assert!(refused >= 10, "{refused}");
    assert_eq!(302, serving.begin("grace", &mut Jar::default(), "").status, "others are not held up");
}

#[test]
fn a_table_that_names_a_provider_means_the_same_in_the_service() {
    let table =
        "[integration.notes]\nprovider = \"google\"\nclient_id = \"me\"\nscopes = [\"email\"]\n\n[integration.wiki]";
    let serving = Serving::with(Provider::new(), |config| config.replacen("[integration.wiki]", table, 1));
    let fields = format!("{}Accept: application/json\r\nOrigin: {ORIGIN}\r\n", bearer(&token_of("ada", "acme")));
    let reply = serving.get(&format!("{BASE}/notes/authorize?{}", wish("all")), &fields);
    let url = json_of(&reply)["authorization_url"].as_str().expect("url").to_owned();
    assert!(url.starts_with("https://accounts.google.com/o/oauth2/v2/auth?"), "{url}");
    let sent = |name: &str| parameter(&url, name);
    assert_eq!(("offline".to_owned(), "consent".to_owned()), (sent("access_type"), sent("prompt")), "d15");
}

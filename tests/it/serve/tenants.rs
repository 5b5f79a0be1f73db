//! Two issuers with users of the same names: nobody reaches the connections of the other issuer's user.

use super::*;

const OTHER: &str = "https://partners.example.com";

/// A second issuer beside the first one, which signs with the same secret; `more` goes into its table.
fn two_issuers(config: &str, more: &str) -> String {
    let table = config.split("[[jwt]]").nth(1).and_then(|rest| rest.split("[callbacks]").next()).expect("a table");
    let second = table.replace("https://id.example.com", OTHER);
    config.replacen(
        "[callbacks]",
        &format!("[[jwt]]{}{more}\n\n[callbacks]", second.trim_end_matches('\n').to_owned() + "\n"),
        1,
    )
}

fn serving() -> Serving {
    Serving::with(Provider::new(), |config| two_issuers(&config, "namespace = \"partners\""))
}

/// The same names, from the second issuer.
fn their_claims(user: &str, org: &str) -> Value {
    let mut claims = claims(user, org);
    claims["iss"] = OTHER.into();
    claims
}

fn theirs(user: &str) -> String {
    jwt(their_claims(user, "acme"))
}

fn service_of(mut claims: Value) -> String {
    claims["scope"] = "loopin:service".into();
    jwt(claims)
}

fn listed(serving: &Serving, token: &str, query: &str) -> Vec<String> {
    let reply = serving.get(&format!("{BASE}/connections{query}"), &bearer(token));
    let list = json_of(&reply)["connections"].as_array().unwrap_or_else(|| panic!("{reply:?}")).clone();
    list.iter().map(|row| row["id"].as_str().expect("id").to_owned()).collect()
}

/// A whole connection for whoever this token names.
fn connect(serving: &Serving, token: &str) -> String {
    let mut jar = Jar::default();
    let begun = serving.get(&format!("{BASE}/wiki/authorize?{}", wish("all")), &bearer(token));
    jar.take(&begun);
    let target = serving.decided(&begun, "allow");
    assert_success(&serving.finish(&jar, &target))
}

#[test]
fn h04_the_same_user_name_at_another_issuer_neither_gets_lists_nor_deletes_a_connection() {
    let serving = serving();
    let ours = assert_success(&serving.connect("ada"));
    let named = "?userId=ada&orgKey=acme";
    for (token, query) in [(theirs("ada"), ""), (service_of(their_claims("backend", "acme")), named)] {
        let body = match query {
            "" => json!({ "action": "all" }),
            _ => json!({ "action": "all", "userId": "ada", "orgKey": "acme" }),
        };
        assert_eq!("not_connected", code(&serving.post("/wiki/token", &token, body)));
        assert_eq!(Vec::<String>::new(), listed(&serving, &token, query));
        for method in ["GET", "DELETE"] {
            let reply = serving.request(method, &format!("{BASE}/connections/{ours}{query}"), &bearer(&token), "");
            assert_eq!("not_found", code(&reply), "{method}");
        }
    }
    let of_our_service = service_of(claims("backend", "acme"));
    assert_eq!(vec![ours.clone()], listed(&serving, &of_our_service, named), "a service of the same issuer");

    let other = connect(&serving, &theirs("ada"));
    assert_ne!(ours, other, "no connection was replaced");
    assert_eq!(vec![ours], listed(&serving, &token_of("ada", "acme"), ""));
    assert_eq!(vec![other.clone()], listed(&serving, &theirs("ada"), ""));
    let deleted = serving.request("DELETE", &format!("{BASE}/connections/{other}"), &bearer(&theirs("ada")), "");
    assert_eq!(200, deleted.status, "{deleted:?}");
    assert_eq!(200, serving.token("ada").status);
}

#[test]
fn h04_a_flow_ends_in_the_namespace_of_the_caller_who_began_it() {
    for mode in ["handle", "sealed"] {
        let serving = Serving::with(Provider::new(), |config| {
            let config = config.replace("session_cookie", &format!("state_mode = \"{mode}\"\nsession_cookie"));
            two_issuers(&config, "namespace = \"partners\"")
        });
        let mut jar = Jar::default();
        let begun = serving.get(&format!("{BASE}/wiki/authorize?{}", wish("all")), &bearer(&theirs("ada")));
        jar.take(&begun);
        let target = serving.decided(&begun, "allow");
        // In this browser, ada of the first issuer is signed in, and in another organization.
        jar.0.insert("session".into(), token_of("ada", "other"));
        let id = assert_success(&serving.finish(&jar, &target));
        assert_eq!(vec![id], listed(&serving, &theirs("ada"), ""), "{mode}");
        assert_eq!("not_connected", code(&serving.token("ada")), "{mode}");
        let namespace: String = serving
            .database()
            .query_row("SELECT namespace FROM connection", [], |row| row.get(0))
            .expect("one connection");
        assert_eq!("partners", namespace);
    }
}

#[test]
fn h04_a_link_connects_the_user_of_the_issuer_whose_service_made_it() {
    let serving = serving();
    let body = json!({ "appCallbackUrl": APP, "action": "all", "userId": "ada", "orgKey": "acme" });
    let made = serving.post("/wiki/link", &service_of(their_claims("backend", "acme")), body);
    let page = serving.get(&crate::harness::target(json_of(&made)["url"].as_str().expect("url")), "");
    let mut jar = Jar::default();
    jar.take(&page);
    let begun = serving.get(&start::button(&page), &jar.field());
    jar.take(&begun);
    let target = serving.decided(&begun, "allow");
    let id = assert_success(&serving.finish(&jar, &target));
    assert_eq!(vec![id], listed(&serving, &theirs("ada"), ""));
    assert_eq!("not_connected", code(&serving.token("ada")));
}

#[test]
fn h04_two_issuers_with_one_namespace_do_not_start_unless_both_say_so() {
    let run = |config: &str, verb: &[&str]| {
        let sandbox = Sandbox::new();
        prepare(&sandbox, config);
        let path = sandbox.path("loopin.toml");
        let arguments = [&["serve"], verb, &["--config", path.to_str().expect("path")]].concat();
        sandbox.run(&arguments)
    };
    let config = config(&Provider::new(), fixed_port());
    for verb in [&["check"][..], &["migrate"], &[]] {
        let refused = run(&two_issuers(&config, ""), verb);
        refused.assert_code(3).assert_says("[[jwt]]: namespace: it is the same as that of https://id.example.com");
        refused.assert_says("namespace = \"second\"").assert_says("shared_namespace = true");
    }
    let shared = two_issuers(&config, "shared_namespace = true");
    run(&shared, &["check"]).assert_code(3);
    let shared = shared.replacen("service_scope", "shared_namespace = true\nservice_scope", 1);
    let checked = run(&shared, &["check"]);
    checked.assert_code(0).assert_says("shared_namespace: a user of https://id.example.com");
    let apart = run(&two_issuers(&config, "namespace = \"partners\""), &["check"]);
    apart.assert_code(0).assert_says("Users of https://partners.example.com are in the namespace \"partners\"");
    assert!(!apart.said().contains("shared_namespace"), "{apart:?}");
}

#[test]
fn h04_the_callbacks_of_an_organization_are_not_those_of_the_same_name_at_another_issuer() {
    let list = "[callbacks.org.acme]\nallow = [\"https://acme.example/\"]\n\
                [callbacks.namespace.partners.org.acme]\nallow = [\"https://partner.example/\"]\n\n[integration.wiki]";
    let serving = Serving::with(Provider::new(), |config| {
        two_issuers(&config, "namespace = \"partners\"").replacen("[integration.wiki]", list, 1)
    });
    for (token, own, other) in [
        (token_of("ada", "acme"), "https://acme.example", "https://partner.example"),
        (theirs("ada"), "https://partner.example", "https://acme.example"),
    ] {
        let begin = |callback: &str| {
            let query = format!("action=all&appCallbackUrl={callback}/x");
            serving.get(&format!("{BASE}/wiki/authorize?{query}"), &bearer(&token))
        };
        assert_eq!(302, begin(own).status, "{own}");
        assert_eq!("invalid_app_callback_url", code(&begin(other)), "{other}");
        let ask = |origin: &str| {
            serving.get(&format!("{BASE}/connections"), &format!("{}Origin: {origin}\r\n", bearer(&token)))
        };
        assert_eq!(200, ask(own).status, "{own}");
        assert_eq!("origin_not_allowed", code(&ask(other)), "{other}");
    }
}

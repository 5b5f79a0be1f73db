//! The configuration file as people write it, and what it says when they write it wrong.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::{
    catalog::{ActionName, Others, Place, ProviderDomain, UnknownName},
    oauth::{ResponseMode, S256},
};

mod places;
mod providers;
mod redirects;
mod secrets;

/// A table that lacks nothing, with these lines added.
fn work(lines: &str) -> String {
    format!("[integration.work]\nissuer = \"https://op.example\"\nclient_id = \"me\"\n{lines}\n")
}

fn parse(text: &str) -> Integration {
    Catalog::parse(text).expect("a good file").get("work").expect("work").clone()
}

fn error(text: &str) -> CatalogError {
    match Catalog::parse(text) {
        Err(error) => error,
        Ok(_) => panic!("accepted:\n{text}"),
    }
}

fn place(line: usize, column: usize) -> Option<Place> {
    Some(Place { line, column })
}

fn scopes(text: &str) -> Scopes {
    Scopes::parse(text).expect("scopes")
}

fn action(name: &str) -> ActionName {
    ActionName::parse(name).expect("name")
}

#[test]
fn a_full_table_is_read_key_by_key() {
    let integration = parse(
        r#"
        # tokens for work
        [integration.work]
        authorization_endpoint = "https://git.acme.example/oauth/authorize"
        token_endpoint = "https://git.acme.example/oauth/token"
        revocation_endpoint = "https://git.acme.example/oauth/revoke"
        issuer = "https://git.acme.example"
        client_id = "me"
        client_secret = { keychain = true }
        token_endpoint_auth_method = "client_secret_post"
        redirect_uri = "http://127.0.0.1:0/callback"
        scopes = ["openid"]
        code_challenge_method = "S256"
        params = { access_type = "offline" }
        store = "file"
        store_key = { file = "/keys/loopin" }
        [integration.work.actions]
        "read" = ["read_api"]
        "write" = ["api", "openid"]
        "#,
    );
    let endpoint = |path: &str| Endpoint::parse(&format!("https://git.acme.example/oauth/{path}")).expect("endpoint");
    let issuer = Issuer::parse("https://git.acme.example").expect("issuer");
    assert_eq!("work", integration.name.as_str());
    assert_eq!(
        Server::explicit(endpoint("authorize"), endpoint("token"), Some(endpoint("revoke")), Some(issuer)),
        integration.server
    );
    assert_eq!("me", integration.client_id.as_str());
    assert_eq!(Some(SecretSource::Store), integration.client_secret);
    assert_eq!(Some(AuthenticationMethod::Post), integration.authentication_method);
    assert_eq!(
        ["http://127.0.0.1:0/callback"],
        *integration.redirects.iter().map(RegisteredRedirect::as_str).collect::<Vec<_>>()
    );
    assert_eq!(scopes("openid"), integration.scopes);
    assert_eq!(
        BTreeMap::from([(action("read"), scopes("read_api")), (action("write"), scopes("api openid"))]),
        integration.actions
    );
    assert_eq!((Pkce::S256, PkcePromise::Stated), (integration.pkce, integration.pkce_promise));
    let mut extra = ExtraParameters::default();
    extra.add("access_type", "offline").expect("added");
    assert_eq!(extra, integration.extra);
    assert_eq!(StoreKind::File, integration.store);
    assert_eq!(Some(Path::new("/keys/loopin")), integration.store_key.as_deref());
}

#[test]
fn what_is_left_out_has_the_safe_default() {
    let integration = parse(&work(""));
    assert_eq!(Server::Discovered(Issuer::parse("https://op.example").expect("issuer")), integration.server);
    assert_eq!(None, integration.client_secret);
    assert_eq!(None, integration.authentication_method, "as the metadata says");
    assert_eq!(
        ["http://127.0.0.1:0/callback"],
        *integration.redirects.iter().map(RegisteredRedirect::as_str).collect::<Vec<_>>()
    );
    assert!(integration.scopes.is_empty() && integration.actions.is_empty());
    assert_eq!((Pkce::S256, PkcePromise::Preferred), (integration.pkce, integration.pkce_promise));
    assert_eq!((StoreKind::Keychain, None), (integration.store, integration.store_key));
    assert_eq!(0, Catalog::parse("").expect("empty").iter().len());
}

#[test]
fn pkce_is_off_required_or_stated_as_written() {
    for (lines, expected) in [
        ("code_challenge_method = \"off\"", (Pkce::Off, PkcePromise::Stated)),
        ("code_challenge_method = \"S256\"", (Pkce::S256, PkcePromise::Stated)),
        ("require_pkce = true", (Pkce::S256, PkcePromise::Required)),
        ("require_pkce = true\ncode_challenge_method = \"S256\"", (Pkce::S256, PkcePromise::Required)),
    ] {
        let integration = parse(&work(lines));
        assert_eq!(expected, (integration.pkce, integration.pkce_promise), "{lines}");
    }
    for never in ["plain", "s256", ""] {
        assert_eq!(place(4, 25), error(&work(&format!("code_challenge_method = \"{never}\""))).place, "{never}");
    }
}

#[test]
fn h06_pkce_can_be_relied_on_where_the_server_or_the_configuration_says_so() {
    let all = [S256::Promised, S256::NotPromised, S256::Unstated];
    for (lines, expected) in [
        ("", [Pkce::S256, Pkce::Off, Pkce::Off]),
        ("code_challenge_method = \"S256\"", [Pkce::S256; 3]),
        ("code_challenge_method = \"off\"", [Pkce::Off; 3]),
    ] {
        assert_eq!(expected, all.map(|promise| parse(&work(lines)).effective_pkce(promise)), "{lines}");
    }
}

#[test]
fn actions_add_their_scopes_to_those_of_the_integration() {
    let integration = parse(&work(
        "scopes = [\"openid\"]\n[integration.work.actions]\nread = [\"r\", \"openid\"]\nwrite = [\"r\", \"w\"]\nnothing = []",
    ));
    assert_eq!(Ok(scopes("openid r w")), integration.scopes_for(None));
    assert_eq!(Ok(scopes("openid r")), integration.scopes_for(Some(&action("read"))));
    assert_eq!(Ok(scopes("openid r w")), integration.scopes_for(Some(&action("write"))));
    assert_eq!(Ok(scopes("openid")), integration.scopes_for(Some(&action("nothing"))));
}

#[test]
fn an_unknown_name_offers_the_nearest() {
    let text = work("[integration.work.actions]\nread = [\"r\"]\nwrite = [\"w\"]");
    let unknown =
        |name: &str, nearest: Option<&str>| UnknownName { name: name.into(), nearest: nearest.map(str::to_owned) };
    for (name, nearest) in [("raed", Some("read")), ("writ", Some("write")), ("all", None), ("something", None)] {
        assert_eq!(Err(unknown(name, nearest)), parse(&text).scopes_for(Some(&action(name))));
    }
    let catalog = Catalog::parse(&text).expect("a good file");
    for (name, nearest) in [("wrok", Some("work")), ("Work", Some("work")), ("elsewhere", None), ("", None)] {
        assert_eq!(unknown(name, nearest), catalog.get(name).expect_err(name));
    }
}

#[test]
fn all_is_no_name_for_an_action() {
    let error = error(&work("[integration.work.actions]\n\"all\" = [\"r\"]"));
    assert_eq!(place(5, 1), error.place);
    assert!(error.what.contains("\"all\" stands for every action together"), "{error}");
}

#[test]
fn names_are_of_a_small_alphabet() {
    for name in ["Work", "a b", "é", "../x", "a/b", "", &"x".repeat(65)] {
        error(&format!("[integration.\"{name}\"]\nissuer = \"https://op.example\"\nclient_id = \"me\"\n"));
        error(&work(&format!("[integration.work.actions]\n\"{name}\" = [\"r\"]")));
    }
}

proptest! {
    #[test]
    fn random_text_never_panics(text in "\\PC{0,200}") {
        let _either = Catalog::parse(&text);
    }

    #[test]
    fn a_good_file_with_random_text_in_it_never_panics_and_has_a_place_in_the_text(at in 0usize..400, inserted in "[\\x00-\\x7fé😀\"\\[\\]{}=.\n]{0,6}") {
        let mut text = work("scopes = [\"é\", \"a\"]\nredirect_uri = [\"http://127.0.0.1:0/cb?a\"]\n[integration.work.actions]\nread = [\"r\"]");
        text.insert_str(text.floor_char_boundary(at), &inserted);
        if let Err(CatalogError { place: Some(Place { line, column }), .. }) = Catalog::parse(&text) {
            let of_line = text.split('\n').nth(line - 1).map(|l| l.chars().count());
            prop_assert!(of_line.is_some_and(|length| column <= length + 1), "{line}:{column} in {text:?}");
        }
    }
}

#[test]
fn v34_no_assertion_is_ever_made_that_another_server_could_use() {
    let of = |method: &str| {
        format!(
            "[integration.work]\nissuer = \"https://a.example\"\nclient_id = \"x\"\ntoken_endpoint_auth_method = \"{method}\"\n"
        )
    };
    for method in ["private_key_jwt", "client_secret_jwt"] {
        let error = Catalog::parse(&of(method)).expect_err(method);
        assert_eq!(Some(4), error.place.map(|place| place.line));
        assert!(
            error.what.contains(method) && error.what.contains("another server could use its assertion"),
            "{error}"
        );
        assert!(error.remedy.is_some_and(|remedy| remedy.contains("client_secret_basic or client_secret_post")));
    }
    for method in ["none", "tls_client_auth", "CLIENT_SECRET_BASIC", ""] {
        let error = Catalog::parse(&of(method)).expect_err(method);
        assert!(error.what.contains("is not known"), "{error}");
    }
    for method in ["client_secret_basic", "client_secret_post"] {
        assert!(Catalog::parse(&of(method)).is_ok(), "{method}");
    }
}

#[test]
fn v13_an_instance_is_a_server_and_perhaps_the_client_that_is_registered_there() {
    let of = |list: &str| {
        Catalog::parse(&format!(
            "[integration.work]\nissuer = \"https://a.example\"\nclient_id = \"x\"\nbase_allow = [\n{list}\n]\n"
        ))
    };
    let list = "\"*\", \"https://git.acme.example\",\n{ url = \"https://b.example:8443\", client_id = \"b\", client_secret = { env = \"B\" } }";
    let catalog = of(list).expect("configuration");
    let instances = &catalog.get("work").expect("integration").base_allow;
    assert_eq!(Others::Public, instances.others);
    let [plain, own] = &instances.listed[..] else { panic!("two instances") };
    assert_eq!(("https://git.acme.example".into(), None), (plain.host.to_string(), plain.client_secret.clone()));
    assert_eq!(Some(SecretSource::Environment("B".into())), own.client_secret);
    for (words, entry) in [
        ("a path has letters", "\"https://git.acme.example/a/../b\""),
        ("a path has letters", "\"https://git.acme.example//a\""),
        ("a path has letters", "\"https://git.acme.example/%61\""),
        ("a path has letters", "\"https://git.acme.example/a?b\""),
        ("listed twice", "\"https://b.example\", \"https://b.example/b\""),
        ("is not in provider_domains", "\"https://*.acme.example\""),
        ("has no client of its own", "{ url = \"https://*.acme.example\", client_id = \"b\" }"),
        ("no path, no user", "\"https://a.*.example\""),
        ("http would carry", "\"http://git.acme.example\""),
        ("a port is", "\"https://git.acme.example:0\""),
        ("belongs to a client_id", "{ url = \"https://b.example\", client_secret = { env = \"B\" } }"),
        ("registered at every server", "{ url = \"*\", client_id = \"b\" }"),
        ("listed twice", "\"https://b.example\", \"https://b.example\""),
        ("a secret never stands", "{ url = \"https://b.example\", client_id = \"b\", client_secret = \"canary\" }"),
        ("unknown field", "{ url = \"https://b.example\", id = \"b\" }"),
        ("a server, or a table", "5"),
    ] {
        let error = of(entry).expect_err(words);
        assert!(error.to_string().contains(words) && !error.to_string().contains("canary"), "{words}: {error}");
        assert_eq!(Some(5), error.place.map(|place| place.line), "{error}");
    }
}

#[test]
fn d17_every_host_of_a_domain_is_taken_only_if_the_table_marks_it_as_the_providers() {
    let of = |domains: &str| {
        Catalog::parse(&format!(
            "[integration.shop]\nissuer = \"https://a.example\"\nclient_id = \"x\"\nprovider_domains = {domains}\n\
             base_allow = [\"https://*.myshopify.com\"]\n"
        ))
    };
    let catalog = of("[\"myshopify.com\"]").expect("configuration");
    let instances = &catalog.get("shop").expect("integration").base_allow;
    assert_eq!(vec![ProviderDomain::parse("myshopify.com").expect("a domain")], instances.domains);
    for (words, domains, line) in [
        ("https://*.myshopify.com is not in provider_domains", "[]", 5),
        ("is not in provider_domains", "[\"shopify.com\"]", 5),
        ("anybody can get a host below github.io", "[\"github.io\"]", 4),
        ("anybody can get a host below herokuapp.com", "[\"myshopify.com\", \"herokuapp.com\"]", 4),
        ("not a domain name", "[\"*.myshopify.com\"]", 4),
    ] {
        let error = of(domains).expect_err(words);
        assert!(error.to_string().contains(words) && error.remedy.is_some(), "{words}: {error:?}");
        assert_eq!(Some(line), error.place.map(|place| place.line), "{error}");
    }
}

#[test]
fn d19_response_mode_is_a_field_and_not_a_parameter_and_never_fragment() {
    let of = |line: &str| {
        Catalog::parse(&format!("[integration.a]\nissuer = \"https://a.example\"\nclient_id = \"x\"\n{line}\n"))
    };
    let mode = |line: &str| of(line).map(|catalog| catalog.get("a").expect("integration").response_mode);
    assert_eq!(Ok(ResponseMode::Query), mode(""));
    assert_eq!(Ok(ResponseMode::Query), mode("response_mode = \"query\""));
    assert_eq!(Ok(ResponseMode::FormPost), mode("response_mode = \"form_post\""));
    for (line, what, remedy) in [
        (
            "params = { response_mode = \"form_post\" }",
            "is a field of the integration",
            "write: response_mode = \"form_post\"",
        ),
        ("params = { response_mode = \"fragment\" }", "to no server", "write response_mode = \"form_post\""),
        ("params = { response_mode = \"query\" }", "by default", "remove it from params"),
        ("response_mode = \"fragment\"", "to no server", "write response_mode = \"form_post\", or leave it out"),
        ("response_mode = \"jwt\"", "\"jwt\" is not supported", "or leave it out"),
        ("response_mode = \"form_post\"\nrelay = \"https://a.example/cb\"", "a relay forwards no POST", "remove one"),
    ] {
        let error = of(line).expect_err(line);
        assert!(error.what.contains(what), "{line}: {error}");
        assert!(error.remedy.as_deref().is_some_and(|it| it.contains(remedy)), "{line}: {error:?}");
        assert_eq!(Some(4), error.place.map(|place| place.line), "{line}");
    }
}

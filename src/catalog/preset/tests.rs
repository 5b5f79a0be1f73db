//! What every preset has to hold, and how one is found.

use super::*;
use crate::catalog::{Catalog, Integration, Place, Server};

/// The table of a user who states nothing but what the provider cannot know.
fn table(preset: &Preset) -> String {
    let mut text = format!("[integration.work]\nprovider = \"{}\"\nclient_id = \"me\"\n", preset.id);
    for (name, variable) in [("base_url", &preset.base_url), ("tenant", &preset.tenant)] {
        if let Some(Variable { default: None, example }) = variable {
            text += &format!("{name} = \"{example}\"\n");
        }
    }
    text
}

fn work(text: &str) -> Integration {
    Catalog::parse(text).unwrap_or_else(|error| panic!("{error}:\n{text}")).get("work").expect("work").clone()
}

#[test]
fn every_preset_can_be_read_and_makes_an_integration() {
    for (id, text) in PRESETS {
        let preset = Preset::parse(id, text).unwrap_or_else(|error| panic!("{id}: {error}"));
        let integration = work(&table(&preset));
        assert_eq!(Some(*id), integration.preset.as_ref().map(|preset| preset.id));
        if let Server::Explicit(server) = &integration.server {
            assert!(server.token_endpoint.as_str().starts_with("https://"), "{id}");
            assert!(!server.token_endpoint.as_str().contains(['{', '}']), "{id}");
        }
    }
}

#[test]
fn presets_are_listed_in_alphabetical_order_so_that_they_are_found() {
    assert!(PRESETS.is_sorted_by(|(one, _), (next, _)| one < next));
    for (id, _) in PRESETS {
        assert_eq!(*id, Preset::find(id).expect("found").id);
        assert!(IntegrationName::parse(id).is_ok(), "{id} is a name that a user can type");
    }
}

/// The kinds of facts that a preset states without a source.
fn unsourced(preset: &Preset) -> Vec<&'static str> {
    let (lifetimes, registration, integration) = (&preset.lifetimes, &preset.registration, &preset.integration);
    let scopes = registration.scopes.is_some() || registration.refresh.is_some();
    let stated = [
        (Subject::Endpoints, true),
        (Subject::Registration, true),
        (Subject::Lifetimes, lifetimes.access_token.is_some() || lifetimes.refresh_token.is_some()),
        (Subject::Redirect, preset.redirect.loopback != Loopback::Unstated || !preset.redirect.hosts.is_empty()),
        (Subject::Client, integration.states_a_client()),
        (Subject::Parameters, integration.states_parameters() || scopes),
        (Subject::Response, integration.states_a_response()),
    ];
    let sourced = |subject: Subject| preset.sources.iter().any(|source| source.of.contains(&subject));
    stated.into_iter().filter(|(subject, stated)| *stated && !sourced(*subject)).map(|(s, _)| s.as_str()).collect()
}

#[test]
fn every_fact_has_a_source_with_a_date() {
    for preset in Preset::all() {
        let id = preset.id;
        assert_eq!(Vec::<&str>::new(), unsourced(&preset), "{id}");
        for source in &preset.sources {
            let date: Vec<_> = source.read.split('-').map(str::len).collect();
            assert_eq!(vec![4, 2, 2], date, "{id}: {}", source.read);
            assert!(!source.at.trim().is_empty() && !source.of.is_empty(), "{id}");
        }
    }
}

#[test]
fn a_kind_of_fact_without_a_source_is_found() {
    let preset = |text: &str| Preset::parse("acme", text).expect("a preset");
    assert_eq!(vec!["registration"], unsourced(&preset(&GOOD.replace("\"registration\", ", ""))));
    for (after, line, kind) in [
        ("[integration]", "token_endpoint_auth_method = \"client_secret_post\"", "client"),
        ("[integration]", "token_request = \"json\"", "client"),
        ("[integration]", "scope_separator = \",\"", "parameters"),
        ("[integration]", "token_params = { action = \"requesttoken\" }", "parameters"),
        ("[integration]", "token_at = \"body\"", "response"),
        ("client = \"public\"", "scopes = \"read\"", "parameters"),
        ("[lifetimes]", "access_token = \"1 hour\"", "lifetimes"),
    ] {
        let text = GOOD.replacen(after, &format!("{after}\n{line}"), 1);
        assert_eq!(vec![kind], unsourced(&preset(&text)), "{line}");
    }
}

#[test]
fn an_unknown_provider_names_the_nearest_three() {
    let unknown = Preset::find("gitlap").expect_err("unknown");
    assert_eq!(Some(&"gitlab"), unknown.nearest.first());
    assert_eq!(3, unknown.nearest.len());
    assert!(unknown.remedy().contains("loopin integration providers"), "{}", unknown.remedy());
}

#[test]
fn an_instance_is_filled_in_wherever_the_endpoints_name_it() {
    let text = "[integration.work]\nprovider = \"gitlab\"\nbase_url = \"https://git.acme.example/gitlab/\"\nclient_id = \"me\"\n";
    let integration = work(text);
    let Server::Explicit(server) = &integration.server else { panic!("explicit") };
    assert_eq!("https://git.acme.example/gitlab/oauth/authorize", server.authorization_endpoint.as_str());
    assert_eq!("https://git.acme.example/gitlab/oauth/token", server.token_endpoint.as_str());
    let preset = integration.preset.expect("preset");
    assert_eq!(
        "https://git.acme.example/-/x",
        preset.registered_at(Some("https://git.acme.example/")).replace("user_settings/applications", "x")
    );
    assert!(preset.registered_at(None).starts_with("https://gitlab.com/"));
}

#[test]
fn d08_no_refresh_token_goes_to_the_presets_endpoint_where_the_user_states_another_server() {
    let figma = "[integration.work]\nprovider = \"figma\"\nclient_id = \"me\"\n";
    let at = |more: &str| work(&format!("{figma}{more}")).dialect.wire.refresh_endpoint.map(|to| to.to_string());
    assert_eq!(Some("https://api.figma.com/v1/oauth/refresh"), at("").as_deref());
    let own = "token_endpoint = \"https://own.example/token\"\n";
    assert_eq!(None, at(own), "tokens of another server are refreshed there");
    let both = format!("{own}refresh_endpoint = \"https://own.example/refresh\"\n");
    assert_eq!(Some("https://own.example/refresh"), at(&both).as_deref());
}

#[test]
fn a_redirect_uri_is_registered_as_the_provider_spells_it() {
    for (uri, spelled) in [
        ("http://127.0.0.1:0/callback/work", "http://127.0.0.1/callback/work"),
        ("http://[::1]:8080/cb", "http://[::1]/cb"),
        ("http://[::1]/cb", "http://[::1]/cb"),
        ("http://localhost:1", "http://localhost"),
    ] {
        assert_eq!(spelled, without_port(uri));
    }
}

const GOOD: &str = r#"name = "Acme"
[integration]
authorization_endpoint = "https://acme.example/authorize"
token_endpoint = "https://acme.example/token"
[redirect]
loopback = "any_port"
[registration]
at = "https://acme.example/apps"
kind = "native"
client = "public"
[lifetimes]
[[source]]
of = ["registration", "endpoints", "redirect"]
at = "Acme's documentation"
read = "2026-11-27"
"#;

fn refused(text: &str) -> CatalogError {
    match Preset::parse("acme", text) {
        Err(error) => error,
        Ok(_) => panic!("accepted:\n{text}"),
    }
}

#[test]
fn an_unknown_or_misspelt_field_of_a_preset_is_refused_with_its_line_and_the_nearest_name() {
    assert!(Preset::parse("acme", GOOD).is_ok());
    for (right, wrong, line, nearest) in [
        ("token_endpoint", "token_endpiont", 4, "token_endpoint"),
        ("loopback", "loopbak", 6, "loopback"),
        ("\"any_port\"", "\"any_prot\"", 6, "any_port"),
        ("client = ", "cleint = ", 10, "client"),
        ("\"endpoints\"", "\"endpoint\"", 13, "endpoints"),
    ] {
        let error = refused(&GOOD.replacen(right, wrong, 1));
        assert_eq!(Some(line), error.place.map(|place: Place| place.line), "{wrong}: {error}");
        assert_eq!(Some(format!("did you mean {nearest}?")), error.remedy, "{wrong}: {error}");
    }
}

#[test]
fn a_preset_states_nothing_that_is_a_users_and_uses_the_variables_it_declares() {
    let with = |line: &str| GOOD.replace("[redirect]", &format!("{line}\n[redirect]"));
    for line in
        ["client_id = \"me\"", "scopes = [\"a\"]", "store = \"file\"", "require_pkce = true", "provider = \"x\""]
    {
        assert!(refused(&with(line)).what.contains("is for a user to state"), "{line}");
    }
    let unused = refused(&with("[base_url]\nexample = \"https://acme.example\""));
    assert!(unused.what.contains("[base_url] is not used"), "{unused}");
    let undeclared = refused(&GOOD.replace("https://acme.example/token", "{base_url}/token"));
    assert!(undeclared.what.contains("[base_url] is missing"), "{undeclared}");
}

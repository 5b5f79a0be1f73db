//! Tables that name a provider: what comes from the preset, and what contradicts it.

use super::*;

/// A table with nothing but a provider, a client and these lines.
fn with(provider: &str, lines: &str) -> String {
    format!("[integration.work]\nprovider = \"{provider}\"\nclient_id = \"me\"\n{lines}\n")
}

fn explicit(text: &str) -> crate::oauth::AuthorizationServer {
    match parse(text).server {
        Server::Explicit(server) => *server,
        Server::Discovered(issuer) => panic!("discovered at {issuer}"),
    }
}

#[test]
fn a_provider_and_a_client_are_a_whole_integration() {
    let server = explicit(&with("gitlab", ""));
    assert_eq!("https://gitlab.com/oauth/authorize", server.authorization_endpoint.as_str());
    assert_eq!("https://gitlab.com/oauth/token", server.token_endpoint.as_str());
    let integration = parse(&with("gitlab", ""));
    assert_eq!((Pkce::S256, PkcePromise::Stated), (integration.pkce, integration.pkce_promise));
    assert_eq!("http://127.0.0.1:0/callback", integration.redirects[0].as_str());
    assert_eq!("https://gitlab.com", integration.hosts.iter().next().expect("a host").to_string());
}

#[test]
fn the_users_own_lines_come_before_the_presets() {
    let own = "token_endpoint = \"https://proxy.example/token\"\ncode_challenge_method = \"off\"\n\
               token_endpoint_auth_method = \"client_secret_post\"\nauthorization_response_iss_parameter_supported = true\n\
               basic_username = \"me\"";
    let server = explicit(&with("gitlab", own));
    assert_eq!("https://gitlab.com/oauth/authorize", server.authorization_endpoint.as_str(), "the preset's");
    assert_eq!("https://proxy.example/token", server.token_endpoint.as_str());
    let integration = parse(&with("gitlab", own));
    assert_eq!(Pkce::Off, integration.pkce);
    assert_eq!(Some(AuthenticationMethod::Post), integration.authentication_method);
    assert_eq!(Some(IssParameter::Promised), integration.iss_parameter);
    assert_eq!("me", integration.basic_username.as_str());
}

#[test]
fn parameters_of_both_are_sent_and_the_users_value_counts() {
    let integration = parse(&with("atlassian", "params = { audience = \"own.example\", prompt = \"login\" }"));
    let mut expected = ExtraParameters::default();
    for (name, value) in [("audience", "own.example"), ("prompt", "login")] {
        expected.add(name, value).expect("added");
    }
    assert_eq!(expected, integration.extra);
}

#[test]
fn an_unknown_provider_is_refused_with_its_line_and_the_nearest_three() {
    let error = error(&with("gitlap", ""));
    assert_eq!(place(2, 12), error.place);
    assert!(error.what.contains("there is no provider \"gitlap\""), "{error}");
    let remedy = error.remedy.expect("a fix");
    assert!(remedy.starts_with("the nearest are gitlab, "), "{remedy}");
    assert_eq!(2, remedy.split(';').next().expect("a list").matches(", ").count(), "{remedy}");
}

#[test]
fn an_instance_that_the_provider_does_not_have_is_refused_with_its_line() {
    for (text, line, what) in [
        (with("google", "base_url = \"https://google.acme.example\""), 4, "the same endpoints for everybody"),
        (with("gitlab", "tenant = \"acme\""), 4, "has no tenants"),
        (with("gitlab", "base_url = \"http://git.acme.example\""), 4, "base_url is not a safe URL"),
        (with("gitlab", "base_url = \"https://git.acme.example/?x=y\""), 4, "base_url is not a safe URL"),
        (with("gitlab", "base_url = \"https://git.acme.example/{tenant}\""), 4, "base_url is not a safe URL"),
        (work("base_url = \"https://git.acme.example\""), 4, "base_url needs a provider"),
        (work("tenant = \"acme\""), 4, "tenant needs a provider"),
    ] {
        let error = error(&text);
        assert_eq!(Some(line), error.place.map(|place| place.line), "{error}");
        assert!(error.what.contains(what), "{error}");
        assert!(error.remedy.is_some(), "{error}");
    }
}

#[test]
fn a_redirect_that_the_provider_refuses_is_refused_with_one_that_works() {
    let error = error(&with("gitlab", "redirect_uri = \"http://[::1]:0/callback\""));
    assert!(error.what.contains("GitLab refuses the host [::1]"), "{error}");
    assert_eq!(Some("write: redirect_uri = \"http://127.0.0.1:0/callback/work\"".to_owned()), error.remedy);
}

#[test]
fn requiring_pkce_contradicts_a_preset_that_has_it_off_only_if_the_user_says_so() {
    let contradiction = error(&with("gitlab", "requiresPKCE = true\ncode_challenge_method = \"off\""));
    assert!(contradiction.what.contains("contradict"), "{contradiction}");
    assert_eq!(Pkce::S256, parse(&with("gitlab", "requiresPKCE = true")).pkce);
}

#[test]
fn d12_the_issuer_template_of_a_preset_is_for_its_own_endpoints_and_less_exact_than_an_issuer() {
    let of = |lines: &str| explicit(&with("microsoft", lines)).issuer_template.map(|template| template.to_string());
    let entra = "https://login.microsoftonline.com/{tenantid}/v2.0";
    for lines in ["", "tenant = \"acme.onmicrosoft.com\""] {
        assert_eq!(Some(entra), of(lines).as_deref(), "{lines}");
    }
    assert_eq!(None, of("issuer = \"https://login.microsoftonline.com/t1/v2.0\""));
    let national = "authorization_endpoint = \"https://login.microsoftonline.us/common/oauth2/v2.0/authorize\"\n\
                    token_endpoint = \"https://login.microsoftonline.us/common/oauth2/v2.0/token\"\n";
    assert_eq!(None, of(national));
    let own = "https://login.microsoftonline.us/{tenantid}/v2.0";
    assert_eq!(Some(own), of(&format!("{national}issuer_template = \"{own}\"")).as_deref());
}

#[test]
fn d10_what_a_preset_keeps_is_kept_unless_the_table_says_otherwise() {
    let names = |lines: &str| -> Vec<String> {
        parse(&with("zoho", lines)).dialect.wire.keep.names().map(str::to_owned).collect()
    };
    assert_eq!(["accounts-server", "location", "api_domain"], names("")[..]);
    assert_eq!(["location", "api_domain"], names("keep_from_callback = [\"location\"]")[..]);
    assert_eq!(Vec::<String>::new(), names("keep_from_callback = []\nkeep_from_token = []"));
    let servers = parse(&with("zoho", "")).dialect.wire.token_servers.expect("servers");
    assert!(servers.origins.iter().any(|origin| origin.as_str() == "https://accounts.zoho.eu/"));
}

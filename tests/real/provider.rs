//! Against oidc-provider: a strict authorization server that wants PKCE, answers with `iss` and rotates.

use crate::harness::{Browser, IN_FILES, Provider, Sandbox, ipv6};

fn signed_in(provider: &Provider, integration: &str, arguments: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.configure(&format!("{integration}{IN_FILES}"));
    let login = sandbox.login(Browser::person(), arguments);
    login.assert_code(0).assert_says("signed in to work");
    let page = login.report();
    assert!(page["body"].as_str().is_some_and(|body| body.contains("You are signed in")), "{page:#}");
    assert!(provider.takes(sandbox.run(&["token", "work"]).token()), "the token is the provider's own");
    sandbox
}

#[test]
fn a_public_client_signs_in_at_an_issuer() {
    let Some(provider) = Provider::start() else { return };
    signed_in(&provider, &provider.discovered(), &[]);
    assert_eq!(1, provider.discoveries());
    assert_eq!(1, provider.count("POST /token"));
}

#[test]
fn with_explicit_endpoints_and_without_openid_a_login_costs_one_visit_and_one_request() {
    let Some(provider) = Provider::start() else { return };
    let sandbox = Sandbox::new();
    sandbox.configure(&format!("{}{IN_FILES}", provider.explicit()));
    let login = sandbox.login(Browser::person(), &[]);
    login.assert_code(0);
    login.report();
    let counters = provider.counters();
    let asked: Vec<_> =
        counters.as_object().expect("counters").iter().filter(|(what, _)| what.contains(" /")).collect();
    // The person's steps between the two are the provider's own affair.
    let ours: Vec<_> =
        asked.iter().filter(|(what, _)| !what.contains("/*")).map(|(what, n)| (what.as_str(), n.as_u64())).collect();
    assert_eq!(vec![("GET /auth", Some(1)), ("POST /token", Some(1))], ours, "{counters:#}");
}

#[test]
fn the_literal_ipv6_loopback_is_as_good() {
    let (Some(()), Some(provider)) = (ipv6(), Provider::start()) else { return };
    signed_in(&provider, &format!("{}redirect_uri = \"http://[::1]:0/callback\"\n", provider.discovered()), &[]);
}

#[test]
fn a_confidential_client_authenticates_with_basic_whatever_characters_its_secret_has() {
    confidential("loopin-web-basic", "");
}

#[test]
fn a_confidential_client_authenticates_in_the_body_where_the_integration_says_so() {
    confidential("loopin-web-post", "token_endpoint_auth_method = \"client_secret_post\"\n");
}

fn confidential(client: &str, method: &str) {
    let Some(provider) = Provider::start() else { return };
    let sandbox = Sandbox::new();
    let secret = provider.secret(client);
    let add = ["integration", "add", "work", "--issuer", &provider.issuer, "--client-id", client, "--scope", "read"];
    let added = sandbox.run_with(&[&add[..], &["--secret-stdin", "--store", "file"]].concat(), &format!("{secret}\n"));
    added.assert_code(0).assert_keeps_quiet_about(secret);
    let configuration = sandbox.configuration();
    assert!(!configuration.contains(secret), "{configuration}");
    std::fs::write(sandbox.path("config.toml"), configuration + method).expect("configuration");
    let login = sandbox.login(Browser::person(), &[]);
    login.assert_code(0);
    login.report();
    sandbox.run(&["logout", "work"]).assert_code(0).assert_says("the tokens are revoked at the provider");
    for path in sandbox.written() {
        let bytes = std::fs::read(&path).expect("file");
        assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "readable in {}", path.display());
    }
}

#[test]
fn a_client_that_the_provider_does_not_recognise_is_told_what_to_check() {
    let Some(provider) = Provider::start() else { return };
    let sandbox = Sandbox::new().with("WORK_SECRET", "not the secret");
    let integration = provider.discovered().replace("loopin-native", "loopin-web-basic");
    sandbox.configure(&format!("{integration}client_secret = {{ env = \"WORK_SECRET\" }}\n{IN_FILES}"));
    let login = sandbox.login(Browser::person(), &[]);
    login.assert_code(3).assert_says("nothing was stored").assert_says("client_secret");
    let page = login.report();
    assert!(page["body"].as_str().is_some_and(|body| body.contains("You are not signed in")), "{page:#}");
    sandbox.run(&["token", "work"]).assert_code(4);
}

#[test]
fn the_id_token_is_checked_and_names_the_person() {
    let Some(provider) = Provider::start() else { return };
    let sandbox = signed_in(&provider, &provider.discovered_with("openid"), &[]);
    let again = sandbox.login(Browser::person(), &[]);
    again.assert_code(0).finished.assert_keeps_quiet_about("another person");
    let other = sandbox.login(Browser::person().with("KIT_PERSON", "somebody-else"), &[]);
    other.assert_code(0).assert_says("another person (sub) than before");
}

#[test]
fn d15_a_refresh_token_comes_with_offline_access_whose_consent_is_added_and_its_lack_is_told() {
    let Some(provider) = Provider::start() else { return };
    let integration = format!("{}{IN_FILES}", provider.discovered_with("openid"));
    let bare = format!("{}offline_params = {{}}\n{IN_FILES}", provider.discovered_with("openid"));
    let offline = ["--scope", "offline_access"];
    for (integration, arguments, refreshable) in
        [(&integration, &[][..], false), (&bare, &offline[..], false), (&integration, &offline[..], true)]
    {
        let sandbox = Sandbox::new();
        sandbox.configure(integration);
        let login = sandbox.login(Browser::person(), arguments);
        login.assert_code(0);
        let note = "the provider gave no refresh token";
        let status = sandbox.run(&["status", "work", "--json"]);
        status.assert_code(0);
        let status: serde_json::Value = serde_json::from_str(&status.stdout).expect("JSON");
        assert_eq!(refreshable, !login.finished.stderr.contains(note), "{arguments:?}: {:#?}", login.finished);
        assert!(status.to_string().contains(&format!("\"refreshable\":{refreshable}")), "{arguments:?}: {status:#}");
    }
}

#[test]
fn logout_ends_the_grant_at_the_provider() {
    let Some(provider) = Provider::start() else { return };
    let arguments = ["--scope", "offline_access", "--prompt", "consent"];
    let sandbox = signed_in(&provider, &provider.discovered_with("openid"), &arguments);
    let token = sandbox.run(&["token", "work"]).token().to_owned();
    sandbox.run(&["logout", "work"]).assert_code(0).assert_says("the tokens are revoked at the provider");
    assert!(!provider.takes(&token));
    assert_eq!(2, provider.count("POST /token/revocation"), "the refresh token and the access token");
    assert_eq!(1, provider.discoveries(), "the endpoint is known from the login");
    sandbox.run(&["token", "work"]).assert_code(4).assert_says("loopin login work");
}

#[test]
fn a_person_who_refuses_ends_the_login_with_the_providers_words() {
    let Some(provider) = Provider::start() else { return };
    let sandbox = Sandbox::new();
    sandbox.configure(&format!("{}{IN_FILES}", provider.discovered()));
    let login = sandbox.login(Browser::denying_person(), &[]);
    login.assert_code(5).assert_says("the provider said: \"access_denied").assert_says("loopin login work");
    let page = login.report();
    assert!(page["body"].as_str().is_some_and(|body| body.contains("You are not signed in")), "{page:#}");
    assert_eq!(0, provider.count("POST /token"));
    assert!(sandbox.written().is_empty(), "{:?}", sandbox.written());
}

#[test]
fn the_provider_takes_no_login_without_pkce() {
    let Some(provider) = Provider::start() else { return };
    let sandbox = Sandbox::new();
    sandbox.configure(&format!("{}code_challenge_method = \"off\"\n{IN_FILES}", provider.discovered()));
    let login = sandbox.login(Browser::person(), &[]);
    login.assert_code(5).assert_says("PKCE");
}

//! Instances of a provider (`baseUrl`): no instance gets a code of the provider's own server or of another instance.

use loopin::practice::Fault;

use super::*;
use crate::harness::{RawServer, TOKENS, follow};

/// A listed instance that is hostile: it keeps what it is sent, and knows nobody.
fn hostile() -> RawServer {
    RawServer::json(200, TOKENS)
}

/// A service whose provider has this entry beside its own server.
fn with_instance(provider: Provider, entry: &str) -> Serving {
    Serving::with(provider, |config| config.replace("requiresPKCE", &format!("base_allow = [{entry}]\nrequiresPKCE")))
}

/// The last segment in the redirect of an instance at `http://127.0.0.1:PORT`.
pub fn id(origin: &str) -> String {
    origin.trim_start_matches("http://").replace(':', "~")
}

/// The redirect that an instance at `http://127.0.0.1:PORT` has for itself.
pub fn redirect(serving: &Serving, origin: &str) -> String {
    format!("{}/{}", shared_redirect(serving), id(origin))
}

/// That of the provider's own server.
fn shared_redirect(serving: &Serving) -> String {
    format!("http://127.0.0.1:{}{BASE}/wiki/callback", serving.port)
}

#[test]
fn h03_a_hostile_instance_gets_no_code_of_the_providers_own_server() {
    for faults in [vec![], vec![Fault::AnswersWithoutIss]] {
        let (own, evil) = (Provider::with(faults), hostile());
        let honest = own.origin.clone();
        let serving = with_instance(own, &format!("\"{}\"", evil.origin));
        let mut jar = Jar::default();
        let begun = serving.begin("ada", &mut jar, &format!("&baseUrl={}", evil.origin));
        let url = begun.field("location").expect("location").to_owned();
        let its_own = redirect(&serving, &evil.origin);
        assert_eq!(its_own, parameter(&url, "redirect_uri"), "an instance has a redirect of its own");

        // The instance sends the browser on to the provider's own server, which does not know that redirect.
        let onward = url.replace(&evil.origin, &honest);
        assert_eq!(400, follow(&onward).status);
        // With the redirect that the provider's own server knows, its code comes back, at another path than was sent.
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let onward = onward.replace(&encoded(&its_own), &encoded(&shared_redirect(&serving)));
        let stolen = crate::harness::target(&Person::at(onward).decide("allow"));
        assert!(stolen.starts_with(&format!("{BASE}/wiki/callback?")), "{stolen}");
        assert_error(&serving.finish(&jar, &stolen), "issuer_mismatch");
        assert_eq!(0, evil.token_requests(), "the instance was given a code");
        assert_eq!(0, serving.provider.counters().token, "a code was exchanged");
    }
}

#[test]
fn h03_iss_of_an_instance_must_have_its_origin() {
    let evil = hostile();
    let serving = with_instance(Provider::new(), &format!("\"{}\"", evil.origin));
    let hostile_issuers = include_str!("../../data/foreign-issuers.txt").lines();
    for (number, iss) in hostile_issuers.chain(["", &serving.provider.origin]).enumerate() {
        let mut jar = Jar::default();
        let begun = serving.begin(&format!("user-{number}"), &mut jar, &format!("&baseUrl={}", evil.origin));
        let url = begun.field("location").expect("location").to_owned();
        let answer = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("code", "a-code")
            .append_pair("state", &parameter(&url, "state"))
            .append_pair("iss", iss)
            .finish();
        let target = format!("{BASE}/wiki/callback/{}?{answer}", id(&evil.origin));
        assert_error(&serving.finish(&jar, &target), "issuer_mismatch");
    }
    assert_eq!(0, evil.token_requests(), "the instance was given a code");
}

#[test]
fn h03_an_honest_instance_connects_at_its_own_redirect() {
    for faults in [vec![], vec![Fault::AnswersWithoutIss]] {
        let honest = Provider::with(faults);
        let serving = with_instance(Provider::new(), &format!("\"{}\"", honest.origin));
        honest.register(redirect(&serving, &honest.origin));
        let mut jar = Jar::default();
        let begun = serving.begin("ada", &mut jar, &format!("&baseUrl={}", honest.origin));
        let target = serving.decided(&begun, "allow");
        assert_success(&serving.finish(&jar, &target));
        assert_eq!((1, 0), (honest.counters().token, serving.provider.counters().token));
    }
}

#[test]
fn d08_the_tokens_of_an_instance_are_refreshed_at_the_instance() {
    let (instance, elsewhere) = (Provider::new(), hostile());
    let serving = Serving::with(Provider::new(), |config| {
        let more =
            format!("base_allow = [\"{}\"]\nrefresh_endpoint = \"{}/refresh\"\n", instance.origin, elsewhere.origin);
        config.replace("requiresPKCE", &(more + "requiresPKCE"))
    });
    instance.register(redirect(&serving, &instance.origin));
    let mut jar = Jar::default();
    let begun = serving.begin("ada", &mut jar, &format!("&baseUrl={}", instance.origin));
    let callback = Person::at(begun.field("location").expect("location").to_owned()).decide("allow");
    assert_success(&serving.finish(&jar, &crate::harness::target(&callback)));
    serving.age();
    let token = json_of(&serving.token("ada"));
    assert_eq!(true, token["refreshed"], "{token:#}");
    assert_eq!(Vec::<String>::new(), elsewhere.requests(), "the refresh token stayed where it came from");
}

#[test]
fn h03_an_instance_that_promises_iss_shares_the_redirect_and_must_keep_the_promise() {
    for (faults, ending) in [
        (vec![], None),
        (vec![Fault::AnswersWithoutIss], Some("issuer_mismatch")),
        (vec![Fault::AnswersWithOtherIss], Some("issuer_mismatch")),
    ] {
        let honest = Provider::with(faults);
        let entry = format!("{{ url = \"{}\", authorization_response_iss_parameter_supported = true }}", honest.origin);
        let serving = with_instance(Provider::new(), &entry);
        honest.register(shared_redirect(&serving));
        let mut jar = Jar::default();
        let begun = serving.begin("ada", &mut jar, &format!("&baseUrl={}", honest.origin));
        let reply = serving.finish(&jar, &serving.decided(&begun, "allow"));
        match ending {
            None => drop(assert_success(&reply)),
            Some(error) => assert_error(&reply, error),
        }
        assert_eq!(u32::from(ending.is_none()), honest.counters().token);
    }
}

#[test]
fn h03_a_shared_redirect_is_the_operators_choice_and_told_at_every_start() {
    let honest = Provider::with(vec![Fault::AnswersWithoutIss]);
    let entry = format!("{{ url = \"{}\", shared_redirect = true }}", honest.origin);
    let serving = with_instance(Provider::new(), &entry);
    assert!(serving.heard.iter().any(|line| line.contains("shared_redirect")), "{:?}", serving.heard);
    honest.register(shared_redirect(&serving));
    let mut jar = Jar::default();
    let begun = serving.begin("ada", &mut jar, &format!("&baseUrl={}", honest.origin));
    assert_success(&serving.finish(&jar, &serving.decided(&begun, "allow")));
}

#[test]
fn h03_a_flow_that_was_begun_before_an_instance_had_a_redirect_of_its_own_ends_where_it_was_begun() {
    let honest = Provider::new();
    let entry = format!("{{ url = \"{}\", shared_redirect = true }}", honest.origin);
    let serving = with_instance(Provider::new(), &entry);
    honest.register(shared_redirect(&serving));
    let mut jar = Jar::default();
    let begun = serving.begin("ada", &mut jar, &format!("&baseUrl={}", honest.origin));
    let file = serving.sandbox.path("loopin.toml");
    let text = std::fs::read_to_string(&file).expect("configuration");
    std::fs::write(&file, text.replace(", shared_redirect = true", "")).expect("configuration");
    let serving = serving.again();
    assert_success(&serving.finish(&jar, &serving.decided(&begun, "allow")));
}

#[test]
fn h03_a_flow_is_answered_only_at_the_redirect_that_it_was_begun_with() {
    let evil = hostile();
    let serving = with_instance(Provider::with(vec![Fault::AnswersWithoutIss]), &format!("\"{}\"", evil.origin));
    for wrong in [id(&evil.origin), "git.acme.example".into(), "127.0.0.1".into(), "127.0.0.1~1".into()] {
        let mut jar = Jar::default();
        let begun = serving.begin(&wrong, &mut jar, "");
        let target = serving.decided(&begun, "allow").replace("/callback?", &format!("/callback/{wrong}?"));
        assert_error(&serving.finish(&jar, &target), "issuer_mismatch");
    }
    assert_eq!((0, 0), (evil.token_requests(), serving.provider.counters().token));
}

#[test]
fn h03_the_user_confirms_the_instance_that_a_link_of_the_same_site_names() {
    let evil = hostile();
    let serving = with_instance(Provider::new(), &format!("\"{}\"", evil.origin));
    let navigation = format!(
        "Cookie: session={}\r\nSec-Fetch-Site: same-site\r\nSec-Fetch-Mode: navigate\r\n",
        token_of("ada", "acme")
    );
    let own = serving.get(&format!("{BASE}/wiki/authorize?{}", wish("all")), &navigation);
    assert_eq!(302, own.status, "the provider's own server needs no page: {own:?}");
    let target = format!("{BASE}/wiki/authorize?{}&baseUrl={}", wish("all"), evil.origin);
    let page = serving.get(&target, &navigation);
    assert_eq!(200, page.status, "{page:?}");
    assert!(page.body.contains(evil.origin.trim_start_matches("http://")), "the page names the host: {page:?}");
}

#[test]
fn h03_serve_check_says_what_to_register_at_each_instance() {
    let sandbox = Sandbox::new();
    let provider = Provider::new();
    let allow = "base_allow = [\"https://git.acme.example\", \"https://git.acme.example:8443\", \"http://[::1]:3000\", \
                 { url = \"https://iss.acme.example\", authorization_response_iss_parameter_supported = true }]";
    prepare(&sandbox, &config(&provider, 8080).replace("requiresPKCE", &format!("{allow}\nrequiresPKCE")));
    let path = sandbox.path("loopin.toml");
    let checked = sandbox.run(&["serve", "check", "--config", path.to_str().expect("path")]);
    let own = format!("http://127.0.0.1:8080{BASE}/wiki/callback");
    checked.assert_code(0).assert_says(&format!("  wiki: {own}\n"));
    for (server, id) in [
        ("https://git.acme.example", "/git.acme.example"),
        ("https://git.acme.example:8443", "/git.acme.example~8443"),
        ("http://[::1]:3000", "/~--1~3000"),
        ("https://iss.acme.example", ""),
    ] {
        checked.assert_says(&format!("  wiki at {server}: {own}{id}\n"));
    }
}

#[test]
fn h03_no_hostile_callback_is_exchanged() {
    let serving = Serving::new();
    let callbacks = include_str!("../../data/hostile-callbacks.txt").lines().filter(|line| !line.starts_with('#'));
    let path = format!("{BASE}/wiki/callback");
    let mut other = Jar::default();
    let other = parameter(serving.begin("eve", &mut other, "").field("location").expect("location"), "state");
    for (number, pattern) in callbacks.enumerate() {
        let mut jar = Jar::default();
        let begun = serving.begin(&format!("user-{number}"), &mut jar, "");
        let state = parameter(begun.field("location").expect("location"), "state");
        let target = pattern.replace("{cb}", &path).replace("{state}", &state).replace("{other}", &other);
        let reply = serving.finish(&jar, &target);
        let success = reply.field("location").is_some_and(|to| to.contains("status=success"));
        assert!(!success && [302, 400, 404, 405].contains(&reply.status), "{pattern}: {reply:?}");
    }
    assert_eq!(0, serving.provider.counters().token, "no code was sent");
}

#[test]
fn d17_a_base_url_of_the_own_server_is_the_same_as_none_and_the_client_secret_is_sent() {
    let provider = Provider::new();
    let server = RawServer::before(&provider, |reply| reply.written());
    let seen = server.as_token_endpoint_of(&provider);
    let origin = provider.origin.clone();
    let serving = Serving::with(provider, |config| {
        seen(config).replace("requiresPKCE", &format!("base_allow = [\"{origin}\"]\nrequiresPKCE")).replace(
            "scopes = [\"base\"]",
            "scopes = [\"base\"]\nclient_secret = { file = \"{dir}/hs256\" }\n\
                      token_endpoint_auth_method = \"client_secret_post\"",
        )
    });
    for (user, base) in [("ada", ""), ("bob", "&baseUrl={}"), ("eve", "&baseUrl={}/")] {
        let mut jar = Jar::default();
        let begun = serving.begin(user, &mut jar, &base.replace("{}", &origin));
        assert_eq!(shared_redirect(&serving), parameter(begun.field("location").expect("location"), "redirect_uri"));
        assert_success(&serving.finish(&jar, &serving.decided(&begun, "allow")));
        let reply = serving.token(user);
        assert_eq!((200, &Value::Null), (reply.status, &json_of(&reply)["base_url"]), "{base}: {reply:?}");
    }
    let requests = server.requests();
    assert_eq!(3, requests.iter().filter(|request| request.contains("client_secret=")).count(), "{requests:#?}");
}

#[test]
fn d17_every_host_of_the_providers_domain_starts_with_the_integrations_client_and_redirect() {
    let serving = Serving::with(Provider::new(), |config| {
        let lines = "provider_domains = [\"myshopify.com\"]\nbase_allow = [\"https://*.myshopify.com\"]\nrequiresPKCE";
        config.replace("requiresPKCE", lines)
    });
    let begun = serving.begin("ada", &mut Jar::default(), "&baseUrl=https://acme.myshopify.com");
    let to = begun.field("location").unwrap_or_else(|| panic!("{begun:?}")).to_owned();
    assert!(to.starts_with("https://acme.myshopify.com/authorize?"), "{to}");
    assert_eq!(shared_redirect(&serving), parameter(&to, "redirect_uri"));
    assert_eq!("practice-client", parameter(&to, "client_id"));
    for other in ["https://a.b.myshopify.com", "https://myshopify.com", "https://myshopify.com.evil.example"] {
        let refused = serving.begin("eve", &mut Jar::default(), &format!("&baseUrl={other}"));
        assert_eq!((400, "base_url_not_allowed".into()), (refused.status, code(&refused)), "{other}");
    }
    let path = serving.sandbox.path("loopin.toml");
    let checked = serving.sandbox.run(&["serve", "check", "--config", path.to_str().expect("path")]);
    checked.assert_code(0).assert_says(&format!("  wiki at https://*.myshopify.com: {}\n", shared_redirect(&serving)));
}

#[test]
fn d17_a_hosting_domain_is_refused_at_the_start() {
    let (sandbox, provider) = (Sandbox::new(), Provider::new());
    let lines = "provider_domains = [\"github.io\"]\nbase_allow = [\"https://*.github.io\"]\nrequiresPKCE";
    prepare(&sandbox, &config(&provider, 8080).replace("requiresPKCE", lines));
    let path = sandbox.path("loopin.toml");
    let checked = sandbox.run(&["serve", "check", "--config", path.to_str().expect("path")]);
    checked
        .assert_code(3)
        .assert_says("anybody can get a host below github.io")
        .assert_says("every host is the provider's own");
}

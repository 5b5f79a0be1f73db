//! `redirect_uri` and `relay` of an integration: the provider knows a URI on another domain, and a real `loopin relay`
//! there forwards to the service.

use super::*;
use crate::{harness::target, relay};

/// What is registered at the provider. The service has another host name and another port.
const REGISTERED: &str = "https://connect.acme.example/oauth/wiki";

/// A service with this line in its integration's table, behind a relay on the other domain.
fn relayed(line: &str) -> (Serving, relay::Running) {
    let provider = Provider::new();
    provider.register(REGISTERED.into());
    let serving = Serving::with(provider, |config| config.replace("requiresPKCE", &format!("{line}\nrequiresPKCE")));
    let route = format!(
        "listen = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n\n[[route]]\nenvironment = \"production\"\nhost = \
         \"connect.acme.example\"\npath = \"/oauth/wiki\"\ntarget = \"http://127.0.0.1:{}{BASE}/wiki/callback\"\n",
        serving.port
    );
    (serving, relay::Running::with(&route))
}

/// The provider redirects the browser to the registered URI, and the relay redirects it to the service.
fn through(relay: &relay::Running, url: &str) -> String {
    assert!(url.starts_with(&format!("{REGISTERED}?")), "{url}");
    let request = format!("GET {} HTTP/1.1\r\nHost: connect.acme.example\r\n\r\n", target(url));
    let reply = http(relay.address, &request);
    assert_eq!(307, reply.status, "{reply:?}");
    target(reply.field("location").expect("a target"))
}

#[test]
fn d20_the_override_is_what_both_endpoints_get_and_the_response_comes_through_the_relay() {
    for line in [
        format!("redirect_uri = \"{REGISTERED}\""),
        format!("relay = \"{REGISTERED}\""),
        format!("redirect_uri = [\"http://127.0.0.1:0/callback/wiki\", \"{REGISTERED}\"]"),
    ] {
        let (serving, relay) = relayed(&line);
        let mut jar = Jar::default();
        let begun = serving.begin("ada", &mut jar, "");
        let url = begun.field("location").expect("location").to_owned();
        assert_eq!(REGISTERED, parameter(&url, "redirect_uri"), "{line}");
        let answer = through(&relay, &Person::at(url).decide("allow"));
        // The practice provider compares the redirect URI of the token request with that of the authorization request.
        assert_success(&serving.finish(&jar, &answer));
        assert_eq!(200, serving.token("ada").status, "{line}");
    }
}

#[test]
fn d20_a_flow_behind_a_relay_survives_a_restart_and_is_answered_at_its_own_callback_only() {
    let (serving, relay) = relayed(&format!("relay = \"{REGISTERED}\""));
    let start = |jar: &mut Jar, user: &str| {
        let begun = serving.begin(user, jar, "");
        through(&relay, &Person::at(begun.field("location").expect("location").to_owned()).decide("allow"))
    };
    let (mut jar, mut second) = (Jar::default(), Jar::default());
    let (answer, elsewhere) = (start(&mut jar, "ada"), start(&mut second, "eve"));
    let elsewhere = elsewhere.replace("/callback?", "/callback/git.acme.example?");
    assert_error(&serving.finish(&second, &elsewhere), "issuer_mismatch");
    let serving = serving.again();
    assert_success(&serving.finish(&jar, &answer));
}

fn checked(lines: &str) -> Finished {
    let (sandbox, provider) = (Sandbox::new(), Provider::new());
    prepare(&sandbox, &config(&provider, 8080).replace("requiresPKCE", &format!("{lines}\nrequiresPKCE")));
    let path = sandbox.path("loopin.toml");
    sandbox.run(&["serve", "check", "--config", path.to_str().expect("path")])
}

#[test]
fn d20_serve_check_reports_what_to_forward_and_what_the_service_does_not_use() {
    let finished = checked(&format!("redirect_uri = [\"http://127.0.0.1:0/callback/wiki\", \"{REGISTERED}\"]"));
    let own = format!("http://127.0.0.1:8080{BASE}/wiki/callback");
    finished
        .assert_code(0)
        .assert_says(&format!("  wiki: {REGISTERED}\n"))
        .assert_says(&format!("Forward {REGISTERED} to {own}"))
        .assert_says("[integration.wiki]: the service does not use http://127.0.0.1:0/callback/wiki");
    let plain = checked("");
    plain.assert_code(0).assert_says(&format!("  wiki: {own}\n"));
    assert!(!plain.said().contains("Forward") && !plain.said().contains("does not use"), "{plain:?}");
}

#[test]
fn d20_two_uris_a_query_and_a_shared_uri_are_refused_with_what_to_write() {
    let both = format!("relay = \"{REGISTERED}\"\nredirect_uri = \"https://acme.example/other\"");
    checked(&both).assert_code(3).assert_says("two different https URIs").assert_says("write one https URI");
    checked("redirect_uri = \"https://acme.example/cb?a=b\"").assert_code(3).assert_says("has no query");
    let other = "[integration.other]\nissuer = \"https://op.example\"\nclient_id = \"me\"\nredirect_uri = ";
    let (sandbox, provider) = (Sandbox::new(), Provider::new());
    let text = config(&provider, 8080).replace("requiresPKCE", &format!("relay = \"{REGISTERED}\"\nrequiresPKCE"));
    prepare(&sandbox, &format!("{text}\n{other}\"{REGISTERED}\"\n"));
    let path = sandbox.path("loopin.toml");
    sandbox
        .run(&["serve", "check", "--config", path.to_str().expect("path")])
        .assert_code(3)
        .assert_says("[integration.other] and [integration.wiki] have the same redirect URI");
}

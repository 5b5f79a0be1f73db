//! Headless Chromium and a redirect URI that is not simply the service's: on another domain behind `loopin relay`, and
//! posted by the provider's page.

use super::{browser::assert_connected, *};
use crate::{harness::customer, relay};

/// The browser resolves it to 127.0.0.1.
const DOMAIN: &str = "connect.acme.example";

/// The integration's table with one more line.
fn with_line(line: &str) -> impl FnOnce(String) -> String {
    let line = format!("[integration.gitlab]\n{line}");
    move |config| config.replacen("[integration.gitlab]", &line, 1)
}

#[test]
fn d20_a_browser_that_a_provider_redirects_to_another_domain_is_connected_through_the_relay() {
    let (port, front) = (fixed_port(), fixed_port());
    let registered = format!("https://{DOMAIN}:{front}/oauth/gitlab");
    let line = format!("redirect_uri = \"{registered}\"");
    let Some(service) = Service::registered(port, Some(&registered), with_line(&line)) else { return };
    let sandbox = Sandbox::new();
    relay::certificate(&sandbox);
    let address = (Ipv4Addr::LOCALHOST, front).into();
    let config = format!(
        "listen = \"{address}\"\ntls = {{ cert = \"cert.pem\", key = \"key.pem\" }}\n[[route]]\nenvironment = \
         \"production\"\nhost = \"{DOMAIN}:{front}\"\npath = \"/oauth/gitlab\"\ntarget = \
         \"{}{BASE}/gitlab/callback\"\n",
        service.origin
    );
    let (_relay, mut next_line) = relay::relay(&sandbox, &config, address);
    let Some(report) = customer("fetch", &service.facts(), &[("KIT_DOMAIN", DOMAIN)]) else { return };
    assert_connected(&service, &report);
    assert_eq!(307, next_line()["status"], "the browser came through the relay");
}

#[test]
fn d19_a_browser_whose_provider_posts_the_response_is_connected() {
    let posts = with_line("response_mode = \"form_post\"");
    let Some(mut service) = Service::with(posts) else { return };
    let Some(report) = customer("fetch", &service.facts(), &[]) else { return };
    assert_connected(&service, &report);
    let methods: Vec<_> = service
        .ended()
        .into_iter()
        .filter(|line| line["route"] == "/:group/callback")
        .map(|line| (line["method"].clone(), line["status"].clone()))
        .collect();
    assert_eq!(vec![(json!("POST"), json!(303)), (json!("GET"), json!(302))], methods);
}

//! Headless Chromium as the customer, from the application's page to the application's page, by the examples of
//! docs/serve.md.

use super::*;
use crate::{
    chromium::{assert_accessible, shots},
    harness::customer,
};

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value:#}"))
}

/// The browser is back at the application, which knows the connection, and the application's back end gets its token.
#[track_caller]
pub fn assert_connected(service: &Service, report: &Value) {
    let url = text(report, "url");
    assert!(url.starts_with(&service.done()), "{report:#}");
    let connection = parameter(url, "connection");
    assert_eq!(
        (format!("connected {connection}"), "success".into()),
        (text(report, "title").into(), parameter(url, "status"))
    );
    assert_eq!(vec![("ada".into(), "gitlab".into())], service.connections());
    let (status, body) = service.token("gitlab", "ada", json!({ "action": "read" }));
    assert_eq!((200, connection.as_str()), (status, text(&body, "connection")), "{body:#}");
    assert!(service.first.takes(text(&body, "access_token")));
    assert_eq!(1, service.first.count("POST /token"));
    // V01: what Chromium kept while the person was at the provider, and that the flow's own is gone.
    let cookies = report["cookies"].as_array().expect("cookies");
    for cookie in cookies {
        assert!(text(cookie, "name").starts_with("__Host-loopin_"), "{cookie:#}");
        assert_eq!(
            (&json!(true), &json!(true), "Lax"),
            (&cookie["httpOnly"], &cookie["secure"], text(cookie, "sameSite"))
        );
    }
    assert_eq!(1, cookies.iter().filter(|cookie| cookie["served"] == true).count(), "{cookies:#?}");
}

#[test]
fn a_page_of_another_origin_starts_by_fetch() {
    let Some(service) = Service::start() else { return };
    let Some(report) = customer("fetch", &service.facts(), &[]) else { return };
    assert_connected(&service, &report);
}

#[test]
fn a_page_of_the_same_site_starts_by_the_applications_cookie() {
    let Some(service) = Service::start() else { return };
    let Some(report) = customer("cookie", &service.facts(), &[]) else { return };
    assert_connected(&service, &report);
}

/// The page on which the person confirms names whose connection it will be.
#[track_caller]
fn assert_asked(service: &Service, report: &Value) {
    let (confirm, seen) = (&report["confirm"], text(&report["confirm"], "text"));
    assert_eq!("Connect this account?", text(confirm, "title"));
    for word in ["gitlab", "ada", "acme", "read", &format!("127.0.0.1:{}", service.app_port)] {
        assert!(seen.contains(word), "{word}: {seen}");
    }
}

#[test]
fn a_link_of_another_site_with_a_token_asks_the_person() {
    let Some(service) = Service::start() else { return };
    let Some(report) = customer("token", &service.facts(), &[]) else { return };
    assert_asked(&service, &report);
    assert_connected(&service, &report);
}

#[test]
fn a_one_time_link_asks_the_person_on_a_page_that_is_good_to_look_at_and_to_listen_to() {
    let Some(service) = Service::start() else { return };
    let shots = shots("confirm");
    let variables = [("KIT_SCREENSHOT", shots.to_str().expect("path")), ("KIT_AXE", "1")];
    let Some(report) = customer("link", &service.facts(), &variables) else { return };
    assert_asked(&service, &report);
    assert_connected(&service, &report);
    assert_accessible(&report["confirm"], &shots);
}

#[test]
fn v30_no_page_of_another_site_begins_a_flow_with_or_without_a_ticket() {
    let Some(mut service) = Service::start() else { return };
    let Some(report) = customer("strangers", &service.facts(), &[]) else { return };
    let vectors = report["vectors"].as_object().expect("vectors");
    assert_eq!(45, vectors.len(), "fifteen ways, each with a token, a link, and neither");
    for (name, seen) in vectors {
        let asked = seen["asked"].as_array().expect("a list");
        assert!(!asked.is_empty() || name.starts_with("speculation"), "{name} never came: {seen:#}");
        assert!(
            seen["framed"].as_str().is_none_or(|title| title != "Connect this account?"),
            "{name} is framed: {seen:#}"
        );
    }
    assert_eq!(1, report["provider"], "only the application's own page got as far as the provider: {report:#}");
    assert!(text(&report, "own").starts_with(&service.first.issuer), "{report:#}");
    assert_eq!(1, service.flows(), "that one");
    let log = service.ended();
    let asked = log.iter().filter(|line| line["route"] == "/:group/authorize");
    let statuses: Vec<_> = asked.map(|line| line["status"].as_u64().expect("status")).collect();
    assert!(statuses.len() > 40, "the others came: {statuses:?}");
    assert_eq!(1, statuses.iter().filter(|status| **status == 302).count(), "{statuses:?}");
}

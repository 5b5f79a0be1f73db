//! Against headless Chromium as $BROWSER: what it sends to the redirect, what it shows, and what it keeps.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{Browser, IN_FILES, Keyring, Login, Provider, Sandbox, files_with};

/// The person's own way: the callback leads to the page, and nothing else is asked for.
const THE_WAY: [(&str, u64); 2] = [("/callback", 303), ("/done", 200)];

fn in_files(provider: &Provider) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.configure(&format!("{}{IN_FILES}", provider.discovered()));
    sandbox
}

/// The login is done, the browser shows so, and the provider knows the token.
#[track_caller]
fn assert_signed_in(provider: &Provider, sandbox: &Sandbox, login: &Login) -> Value {
    login.assert_code(0).assert_says("signed in to work");
    let report = login.report();
    assert_eq!(("You are signed in · loopin", "/done"), (text(&report["title"]), path(&report["url"])), "{report:#}");
    assert!(provider.takes(sandbox.run(&["token", "work"]).token()));
    assert_eq!(1, provider.count("POST /token"));
    report
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

/// Of a URL.
fn path(url: &Value) -> &str {
    let rest = text(url).trim_start_matches("http://");
    rest[rest.find('/').expect("a path")..].split('?').next().expect("a path")
}

/// Path and status of every request that reached the redirect's port.
fn answered(report: &Value) -> Vec<(&str, u64)> {
    let sent = list(&report["requests"]).iter().filter(|request| request["sent"] == true);
    sent.map(|request| (path(&request["url"]), request["status"].as_u64().unwrap_or_default())).collect()
}

fn code(report: &Value) -> String {
    let callback = url::Url::parse(text(&report["callback"])).expect("URL");
    callback.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned()
}

/// Where pictures of the pages go, for people to look at.
pub fn shots(name: &str) -> PathBuf {
    let directory = std::env::var_os("KIT_SHOTS").unwrap_or_else(|| env!("CARGO_TARGET_TMPDIR").into());
    std::fs::create_dir_all(&directory).expect("directory");
    PathBuf::from(directory).join(name)
}

/// Pictures were taken, and axe has found nothing serious in either colour scheme.
#[track_caller]
pub fn assert_accessible(report: &Value, shots: &Path) {
    for scheme in ["light", "dark"] {
        let found = &report["axe"][scheme];
        assert!(found["passes"].as_u64().is_some_and(|n| n > 0), "axe has looked: {report:#}");
        for impact in ["critical", "serious"] {
            assert_eq!(Value::Null, found["violations"][impact], "{scheme}: {found:#}");
        }
    }
    for picture in ["light", "dark", "narrow", "wide"] {
        let picture = format!("{}-{picture}.png", shots.display());
        assert!(std::fs::metadata(&picture).is_ok_and(|m| m.len() > 0), "{picture}");
    }
}

#[test]
fn l14_a_real_browser_asks_for_the_callback_and_the_page_and_for_no_icon() {
    let (Some(provider), Some(chromium)) = (Provider::start(), Browser::chromium("plain")) else { return };
    let sandbox = in_files(&provider);
    let report = assert_signed_in(&provider, &sandbox, &sandbox.login(chromium, &[]));
    assert_eq!(THE_WAY.to_vec(), answered(&report), "{report:#}");
    assert_eq!(Value::Null, report["requests"][1]["referer"], "the code goes nowhere as a referrer");
    let ours = text(&report["url"]);
    let complaints: Vec<_> = list(&report["console_errors"]).iter().filter(|e| e["page"] == ours).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn l31_the_code_is_not_where_a_session_is_restored_from_and_not_in_the_cache() {
    let (Some(provider), Some(chromium)) = (Provider::start(), Browser::chromium("plain")) else { return };
    let sandbox = in_files(&provider);
    let profile = sandbox.path("profile");
    let login = sandbox.login(chromium.with("KIT_PROFILE", &profile), &[]);
    let report = assert_signed_in(&provider, &sandbox, &login);
    let remembers = |file: &&String| file.contains("Sessions/") || file.contains("Cache");
    let page = files_with(&profile, text(&report["url"]));
    assert!(page.iter().any(|file| file.contains("Sessions/")), "the session is there, with the page in it: {page:?}");
    let code = files_with(&profile, &code(&report));
    assert_eq!(None, code.iter().find(remembers), "{code:?}");
    let token = files_with(&profile, sandbox.run(&["token", "work"]).token());
    assert!(token.is_empty(), "a token was in the browser: {token:?}");
}

#[test]
fn a_browser_command_that_comes_back_at_once_is_waited_for_and_the_keyring_has_the_tokens() {
    let (Some(provider), Some(keyring)) = (Provider::start(), Keyring::start("unlocked")) else { return };
    let Some(chromium) = Browser::chromium("plain") else { return };
    let sandbox = Sandbox::beside(&keyring);
    sandbox.configure(&provider.discovered());
    let report = assert_signed_in(&provider, &sandbox, &sandbox.login(chromium.with("KIT_DETACH", "1"), &[]));
    assert_eq!(THE_WAY.to_vec(), answered(&report), "{report:#}");
    let token = sandbox.run(&["token", "work"]).token().to_owned();
    assert!(keyring.search(&["service", "loopin"]).contains(&token));
}

#[test]
fn l25_a_cookie_of_another_local_port_that_is_not_ascii_does_no_harm() {
    let (Some(provider), Some(chromium)) = (Provider::start(), Browser::chromium("cookie-nonascii")) else { return };
    let sandbox = in_files(&provider);
    let report = assert_signed_in(&provider, &sandbox, &sandbox.login(chromium, &[]));
    assert!(list(&report["cookies"]).contains(&"dev".into()), "the cookie was sent: {report:#}");
    assert_eq!(THE_WAY.to_vec(), answered(&report), "{report:#}");
}

#[test]
fn l25_60_000_bytes_of_cookies_of_another_local_port_do_no_harm() {
    let (Some(provider), Some(chromium)) = (Provider::start(), Browser::chromium("cookie-60k")) else { return };
    let sandbox = in_files(&provider);
    let report = assert_signed_in(&provider, &sandbox, &sandbox.login(chromium, &[]));
    // Chromium's log has "[60096 bytes were stripped]" instead of the cookies.
    let cookies = text(&report["requests"][0]["cookie"]);
    let bytes = cookies.trim_start_matches('[').split(' ').next().and_then(|n| n.parse::<u32>().ok());
    assert!(bytes.is_some_and(|n| n >= 60_000), "they were sent: {cookies}");
    assert_eq!(THE_WAY.to_vec(), answered(&report), "{report:#}");
}

#[test]
fn a_person_who_refuses_sees_that_nothing_was_stored() {
    let (Some(provider), Some(chromium)) = (Provider::start(), Browser::chromium("deny")) else { return };
    let sandbox = in_files(&provider);
    let shots = shots("failed");
    let login = sandbox.login(chromium.with("KIT_AXE", "1").with("KIT_SCREENSHOT", &shots), &[]);
    login.assert_code(5).assert_says("access_denied");
    let report = login.report();
    assert_eq!(
        ("You are not signed in · loopin", "/failed"),
        (text(&report["title"]), path(&report["url"])),
        "{report:#}"
    );
    assert_eq!(0, provider.count("POST /token"));
    assert!(sandbox.written().is_empty(), "{:?}", sandbox.written());
    assert_accessible(&report, &shots);
}

#[test]
fn l09_asking_for_the_callback_again_and_going_back_change_nothing() {
    let (Some(provider), Some(chromium)) = (Provider::start(), Browser::chromium("reload")) else { return };
    let sandbox = in_files(&provider);
    let report = assert_signed_in(&provider, &sandbox, &sandbox.login(chromium, &[]));
    assert_eq!(4, list(&report["again"]).len(), "all four ways were tried: {report:#}");
    let answered = answered(&report);
    assert_eq!(THE_WAY, answered[..THE_WAY.len()], "{report:#}");
    // Mostly nobody listens any more. Who still meets the listener is told that the answer counts once, or sees the page.
    for again in &answered[THE_WAY.len()..] {
        assert!([("/callback", 410), ("/done", 200)].contains(again), "{again:?}: {report:#}");
    }
    assert_eq!(1, provider.count("POST /token"), "the code was exchanged once");
}

#[test]
fn l17_no_page_of_somebody_else_can_answer_in_the_persons_place() {
    let (Some(provider), Some(chromium)) = (Provider::start(), Browser::chromium("hostile")) else { return };
    let sandbox = in_files(&provider);
    let login = sandbox.login(chromium, &[]);
    let report = assert_signed_in(&provider, &sandbox, &login);
    let vectors = report["vectors"].as_object().expect("vectors");
    assert_eq!(18, vectors.len(), "nine from another site, nine from another port of this one");
    for (vector, requests) in vectors {
        assert!(list(requests).iter().any(|request| request["sent"] == true), "{vector} never came: {report:#}");
        for request in list(requests) {
            // L16: a prefetch; L18: a preflight; a form's POST has a method that is not ours.
            let refused = if request["method"] == "POST" { 405 } else { 403 };
            assert_eq!(refused, request["status"], "{vector}: {request:#}");
        }
    }
    assert!(!code(&report).starts_with("forged"), "{report:#}");
    assert_eq!(3, login.finished.stderr.matches("turned away").count(), "told, but not eighteen times: {login:#?}");
}

#[test]
fn l29_the_page_is_good_to_look_at_and_to_listen_to() {
    let (Some(provider), Some(chromium)) = (Provider::start(), Browser::chromium("plain")) else { return };
    let sandbox = in_files(&provider);
    let shots = shots("done");
    let login = sandbox.login(chromium.with("KIT_AXE", "1").with("KIT_SCREENSHOT", &shots), &[]);
    let report = assert_signed_in(&provider, &sandbox, &login);
    assert_accessible(&report, &shots);
    let text = text(&report["text"]);
    assert!(text.contains("The tokens are stored") && text.contains("close this tab"), "{text}");
}

#[test]
fn the_demo_goes_all_the_way_in_a_real_browser_and_leaves_nothing() {
    let Some(chromium) = Browser::chromium("plain") else { return };
    let sandbox = Sandbox::new();
    let demo = sandbox.visit(chromium, &["demo"]);
    demo.assert_code(0);
    let report = demo.report();
    assert_eq!(("You are signed in · loopin", "/done"), (text(&report["title"]), path(&report["url"])), "{report:#}");
    assert_eq!(THE_WAY.to_vec(), answered(&report), "{report:#}");
    assert_eq!(Vec::<PathBuf>::new(), sandbox.written());
}

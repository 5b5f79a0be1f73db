//! Which grant is which item: accounts, actions, and the person behind one. S08-S10.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::counting;
use crate::harness::{RawServer, Sandbox, TOKENS, send};

#[test]
fn s08_no_account_name_becomes_part_of_a_path() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    for account in ["../../escape", "/etc/passwd", "a/b", "%2e%2e%2f", "*", "-rf", "~", "C:\\x", "é ß", "'; touch x"]
    {
        let option = format!("--account={account}");
        sandbox.log_in(&[&option]).assert_code(0);
        sandbox.run(&["token", "work", &option]).assert_code(0);
    }
    assert_eq!(20, sandbox.stored().len(), "an item and an index entry each");
    for (path, _) in sandbox.files() {
        let name = path.file_name().expect("name").to_string_lossy().into_owned();
        let ours = ["config.toml", "store.key"].contains(&name.as_str());
        let hash = name.split('.').next().is_some_and(|h| h.len() == 64 && h.bytes().all(|b| b.is_ascii_hexdigit()));
        assert!(ours || hash && path.parent() == Some(&sandbox.state()), "{}", path.display());
    }
}

#[test]
fn s09_accounts_and_actions_are_separate_items() {
    let server = counting();
    let sandbox = Sandbox::new();
    sandbox.configure(&(server.integration() + "[integration.work.actions]\na = [\"x\"]\nb = [\"x\"]\n"));
    let grants: [&[&str]; 5] =
        [&[], &["--account", "anna"], &["--action", "a"], &["--action", "b"], &["--account", "anna", "--action", "a"]];
    for grant in grants {
        sandbox.log_in(grant).assert_code(0);
    }
    let tokens: BTreeSet<_> = grants
        .iter()
        .map(|grant| sandbox.run(&[&["token", "work"], *grant].concat()).assert_code(0).stdout.clone())
        .collect();
    assert_eq!(grants.len(), tokens.len());
}

/// Not signed by anybody: it came straight from the token endpoint.
fn id_token(subject: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("now").as_secs();
    let claims = json!({ "iss": "https://op.example", "sub": subject, "aud": "me", "exp": now + 600, "iat": now });
    let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}.c2ln", part(json!({ "alg": "RS256" })), part(claims))
}

#[test]
fn s10_another_person_than_the_stored_one_is_told_or_with_an_account_refused() {
    let subject = Arc::new(Mutex::new("1"));
    let current = Arc::clone(&subject);
    let server = RawServer::new(move |_, stream| {
        let subject = *current.lock().expect("subject");
        let reply = json!({ "access_token": format!("token-of-{subject}"), "id_token": id_token(subject) });
        send(stream, 200, "", reply.to_string().as_bytes());
    });
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    sandbox.log_in(&["--account", "anna"]).assert_code(0);
    *subject.lock().expect("subject") = "2";

    let refused = sandbox.log_in(&["--account", "anna"]);
    refused.assert_code(9).assert_says("another person signed in").assert_says("the stored grant was kept");
    assert_eq!("token-of-1\n", sandbox.run(&["token", "work", "--account", "anna"]).stdout);

    sandbox.log_in(&[]).assert_code(0).assert_says("another person (sub) than before");
    assert_eq!("token-of-2\n", sandbox.run(&["token", "work"]).stdout);
}

//! What programs read: the JSON forms. O07.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Provider, RawServer, Sandbox};

/// Names of all fields, at any depth.
fn fields(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(map) => map.iter().flat_map(|(name, v)| fields(v).into_iter().chain([name.clone()])).collect(),
        Value::Array(list) => list.iter().flat_map(fields).collect(),
        _ => BTreeSet::new(),
    }
}

#[test]
fn o07_every_json_form_is_one_line_with_a_format_number_and_exactly_these_fields() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let login = sandbox.login(&["--json"]);
    login.person().allow();
    let grant = "account action expires_at expires_in expiry_assumed format integration refreshable scopes store";
    let integration = "authorization_endpoint basic_username client_id client_secret device_authorization_endpoint format hosts issuer provider redirect_uris relay revocation_endpoint scopes shared_redirect store token_endpoint actions";
    let error = "error code exit message remedy format";
    let relay = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/relay/relay.toml");
    let forms = [
        (login.finished(), format!("{grant} metadata user warnings")),
        (
            sandbox.run(&["token", "--json"]),
            "access_token expires_at expires_in expiry_assumed format metadata missing scopes token_type".into(),
        ),
        (
            sandbox.run(&["status", "--json"]),
            format!(
                "{grant} elsewhere grants last_refresh_at last_refresh_error login_required obtained_at refreshable_until repair shared_redirects sign_in_due state user warnings"
            ),
        ),
        (sandbox.run(&["integration", "show", "work", "--json"]), format!("{integration} integration name")),
        (sandbox.run(&["integration", "list", "--json"]), format!("{integration} integrations name")),
        (
            sandbox.run(&["redirect", "check", "http://a/", "--json"]),
            "broken findings format remedy rule shared_by statement uri verdict why".into(),
        ),
        (
            sandbox.run(&["relay", "check", "--config", relay, "--json"]),
            "against broken callbacks copied enter_at_target environment failures format not_asked provider queries refused \
             register_at_provider target"
                .into(),
        ),
        (sandbox.run(&["completions", "bash", "--json"]), "document format".into()),
        (sandbox.run(&["man", "--json"]), "document format".into()),
        (
            sandbox.run(&["logout", "work", "--json"]),
            "account action format integration left revocation revocation_error".into(),
        ),
        (sandbox.run(&["integration", "remove", "work", "--json"]), "config format integration".into()),
        (sandbox.run(&["token", "work", "--json"]), error.into()),
        (sandbox.run(&["--json", "nonsense"]), error.into()),
    ];
    for (finished, expected) in forms {
        let json = finished.json();
        assert_eq!(1, json["format"]);
        assert_eq!(1, finished.stdout.matches('\n').count(), "{finished:?}");
        let expected: BTreeSet<String> = expected.split(' ').map(str::to_owned).collect();
        assert_eq!(expected, fields(&json), "{json}");
    }
}

#[test]
fn every_failure_in_json_carries_the_word_of_its_exit_code() {
    let server = RawServer::json(400, json!({ "error": "invalid_grant" }).to_string());
    let sandbox = Sandbox::at(&server);
    let refused = sandbox.log_in(&["--json"]);
    let login = sandbox.login(&["--json"]);
    login.answer_with(&[("error", "access_denied")]);
    let denied = login.finished();
    for (finished, code, word) in [
        (sandbox.run(&["login", "--json", "--timeout", "x"]), 2, "usage"),
        (sandbox.run(&["token", "other", "--json"]), 3, "configuration"),
        (sandbox.run(&["token", "work", "--json"]), 4, "login_required"),
        (denied, 5, "denied"),
        (sandbox.run(&["login", "work", "--json", "--timeout", "1s"]), 6, "timeout"),
        (sandbox.run(&["login", "work", "--json", "--how", "browser"]), 7, "unavailable"),
        (sandbox.run(&["token", "work", "--json", "--store", "keychain"]), 8, "store"),
        (refused, 9, "refused"),
    ] {
        let error = finished.assert_code(code).json()["error"].clone();
        assert_eq!((json!(word), json!(code)), (error["code"].clone(), error["exit"].clone()));
        assert!(!error["message"].as_str().expect("message").is_empty());
    }
}

//! Every preset through the service: authorization, callback, token, refresh, dead grant and deletion, at a server that has
//! the preset's shape (`shapes.rs`).

use serde_json::{Value, json};

use super::{
    known,
    shapes::{assert_shape, server, stated},
    text,
};
use crate::{
    harness::{Provider, RawServer, Sandbox, parameter, write_private},
    serve::{BASE, Jar, Serving, assert_success, bearer, code, json_of, token_of, wish},
};

const ORG: &str = "acme";

/// One integration, whose own lines overrule the preset's: endpoints at the fake, a secret in a file.
fn integration(preset: &Value, server: &RawServer, secret: &str) -> String {
    let (id, origin) = (text(preset, "provider"), &server.origin);
    let mut lines = format!(
        "\n[integration.{id}]\nprovider = \"{id}\"\nauthorization_endpoint = \"{origin}/authorize\"\ntoken_endpoint = \
         \"{origin}/token\"\nrevocation_endpoint = \"{origin}/revoke\"\nclient_id = \"me\"\nclient_secret = {{ file = \
         \"{secret}\" }}\nscopes = [\"read\"]\n"
    );
    for variable in ["base_url", "tenant"] {
        if let Some(example) = preset[variable]["example"].as_str() {
            lines += &format!("{variable} = \"{example}\"\n");
        }
    }
    lines
}

#[test]
fn every_preset_serves_a_connection_its_refresh_its_death_and_its_end_in_its_providers_shape() {
    let files = Sandbox::new();
    let secret = files.path("secret");
    write_private(&secret, b"the secret\n");
    let secret = secret.to_str().expect("path");
    let presets: Vec<_> = known(&files)
        .into_iter()
        .map(|preset| {
            let server = server(&stated(text(&preset, "provider")));
            (preset, server)
        })
        .collect();
    let tables: String = presets.iter().map(|(preset, server)| integration(preset, server, secret)).collect();
    let serving = Serving::with(Provider::new(), |config| config + &tables);
    for (preset, server) in &presets {
        lives(&serving, text(preset, "provider"), server);
    }
}

fn lives(serving: &Serving, id: &str, server: &RawServer) {
    // A user of its own: one user starts only so many flows a minute.
    let (table, caller) = (stated(id), token_of(id, ORG));
    let mut jar = Jar::default();
    let begun = serving.get(&format!("{BASE}/{id}/authorize?{}", wish("all")), &bearer(&caller));
    jar.take(&begun);
    let url = begun.field("location").unwrap_or_else(|| panic!("{id}: {begun:?}"));
    assert!(url.starts_with(&format!("{}/authorize?", server.origin)), "{id}: {url}");
    for field in ["params", "offline_params"] {
        let sent = table.get(field).and_then(|item| item.as_table_like());
        for (name, value) in sent.into_iter().flat_map(|table| table.iter()) {
            assert_eq!(value.as_str(), Some(&*parameter(url, name)), "{id}: {name}");
        }
    }
    let state = parameter(url, "state");
    let connection = assert_success(&serving.finish(&jar, &format!("{BASE}/{id}/callback?code=x&state={state}")));

    let token = || serving.post(&format!("/{id}/token"), &caller, json!({ "action": "all" }));
    assert_eq!("first", json_of(&token())["access_token"], "{id}");
    serving.age();
    let second = json_of(&token());
    assert_eq!(("second", true), (text(&second, "access_token"), second["refreshed"] == true), "{id}: {second:#}");
    serving.age();
    let dead = token();
    assert_eq!((409, "reauth_required".to_owned()), (dead.status, code(&dead)), "{id}: {dead:?}");

    let ended = serving.request("DELETE", &format!("{BASE}/connections/{connection}"), &bearer(&caller), "");
    assert_eq!("yes", json_of(&ended)["revoked"], "{id}: {ended:?}");
    let requests = server.requests();
    assert!(requests.iter().any(|request| request.starts_with("POST /revoke ")), "{id}: {requests:#?}");
    for request in requests.iter().filter(|request| request.starts_with("POST /token ")) {
        assert_shape(id, &table, request);
    }
}

//! Every preset through the service: authorization, callback, token, refresh, dead grant and deletion, at a server that has
//! the preset's shape (`shapes.rs`).

use loopin::practice;
use serde_json::{Value, json};

use super::{
    known,
    shapes::{Shaped, assert_shape, kept, stated},
    text,
};
use crate::{
    harness::{Person, Provider, Sandbox, parameter, write_private},
    serve::{BASE, Jar, Serving, assert_success, bearer, code, json_of, token_of, wish},
};

const ORG: &str = "acme";

/// One integration, whose own lines overrule the preset's: endpoints at the fake, a secret in a file.
fn integration(preset: &Value, shaped: &Shaped, secret: &str) -> String {
    let (id, origin, token) = (text(preset, "provider"), &shaped.provider.origin, &shaped.server.origin);
    let mut lines = format!(
        "\n[integration.{id}]\nprovider = \"{id}\"\nauthorization_endpoint = \"{origin}/authorize\"\ntoken_endpoint = \
         \"{token}/token\"\nrevocation_endpoint = \"{token}/revoke\"\nclient_id = \"{}\"\nclient_secret = {{ file = \
         \"{secret}\" }}\nscopes = [\"read\"]\n",
        practice::CLIENT_ID
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
            let shaped = Shaped::of(&preset);
            (preset, shaped)
        })
        .collect();
    let tables: String = presets.iter().map(|(preset, shaped)| integration(preset, shaped, secret)).collect();
    let serving = Serving::with(Provider::new(), |config| config + &tables);
    for (preset, shaped) in &presets {
        lives(&serving, text(preset, "provider"), shaped);
    }
}

fn lives(serving: &Serving, id: &str, shaped: &Shaped) {
    // A user of its own: one user starts only so many flows a minute.
    let (table, caller) = (stated(id), token_of(id, ORG));
    let mut jar = Jar::default();
    let begun = serving.get(&format!("{BASE}/{id}/authorize?{}", wish("all")), &bearer(&caller));
    jar.take(&begun);
    let url = begun.field("location").unwrap_or_else(|| panic!("{id}: {begun:?}"));
    assert!(url.starts_with(&format!("{}/authorize?", shaped.provider.origin)), "{id}: {url}");
    for field in ["params", "offline_params"] {
        let sent = table.get(field).and_then(|item| item.as_table_like());
        for (name, value) in sent.into_iter().flat_map(|table| table.iter()) {
            assert_eq!(value.as_str(), Some(&*parameter(url, name)), "{id}: {name}");
        }
    }
    shaped.provider.register(parameter(url, "redirect_uri"));
    let callback = Person::at(url.to_owned()).decide("allow");
    let connection =
        assert_success(&serving.finish(&jar, &format!("{BASE}/{id}/callback?{}", shaped.query(&callback))));

    let token = || serving.post(&format!("/{id}/token"), &caller, json!({ "action": "all" }));
    let first = json_of(&token());
    assert!(text(&first, "access_token").starts_with("access."), "{id}: {first:#}");
    serving.age();
    let second = json_of(&token());
    assert_eq!(true, second["refreshed"], "{id}: {second:#}");
    assert_ne!(first["access_token"], second["access_token"], "{id}");
    assert_eq!(kept(&table), second["metadata"], "{id}: {second:#}");
    shaped.provider.forget();
    serving.age();
    let dead = token();
    assert_eq!((409, "reauth_required".to_owned()), (dead.status, code(&dead)), "{id}: {dead:?}");

    let ended = serving.request("DELETE", &format!("{BASE}/connections/{connection}"), &bearer(&caller), "");
    assert_eq!("yes", json_of(&ended)["revoked"], "{id}: {ended:?}");
    let requests = shaped.server.requests();
    assert!(requests.iter().any(|request| request.starts_with("POST /revoke ")), "{id}: {requests:#?}");
    for request in requests.iter().filter(|request| request.starts_with("POST /token ")) {
        assert_shape(id, &table, request);
    }
}

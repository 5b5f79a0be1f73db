//! An integration as it is shown.

use std::{collections::BTreeMap, fmt::Write};

use serde_json::{Value, json};

use super::outcome::scopes;
use crate::catalog::{Integration, SecretSource, Server, SharedRedirect};

pub(super) fn text(i: &Integration) -> String {
    let mut text = format!("[integration.{}]\n", i.name);
    let mut say = |name: &str, value: String| {
        let _ = writeln!(text, "{name:14} {value}");
    };
    say("provider", provider(i));
    if let Server::Explicit(server) = &i.server {
        say("token endpoint", server.token_endpoint.to_string());
    }
    if let Some(revocation) = &i.revocation_endpoint {
        say("revocation", revocation.to_string());
    }
    if let Some(device) = &i.device_authorization_endpoint {
        say("device codes", device.to_string());
    }
    say("client id", i.client_id.to_string());
    say("client secret", secret_words(i.client_secret.as_ref()));
    for redirect in &i.redirects {
        say("redirect", redirect.as_str().to_owned());
    }
    if let Some(relay) = &i.relay {
        say("relay", relay.as_str().to_owned());
    }
    if i.shared_redirect == SharedRedirect::Accepted {
        say("shared", "the redirect URI may be another integration's too (shared_redirect)".into());
    }
    say("scopes", if i.scopes.is_empty() { "none".into() } else { i.scopes.to_string() });
    for (action, scopes) in &i.actions {
        say("action", format!("{action}: {scopes}"));
    }
    for host in i.hosts.iter() {
        say("host", format!("{host}, as {} where a user name is wanted", i.basic_username.as_str()));
    }
    say("store", i.store.as_str().to_owned());
    text
}

pub(super) fn json(i: &Integration) -> Value {
    let (issuer, explicit) = match &i.server {
        Server::Discovered(issuer) => (Some(issuer), None),
        Server::Explicit(server) => (server.issuer.as_ref(), Some(server)),
    };
    json!({
        "name": i.name.as_str(),
        "provider": i.preset.as_ref().map(|preset| preset.id),
        "issuer": issuer.map(ToString::to_string),
        "authorization_endpoint": explicit.map(|s| s.authorization_endpoint.to_string()),
        "token_endpoint": explicit.map(|s| s.token_endpoint.to_string()),
        "revocation_endpoint": i.revocation_endpoint.as_ref().map(ToString::to_string),
        "device_authorization_endpoint": i.device_authorization_endpoint.as_ref().map(ToString::to_string),
        "client_id": i.client_id.as_str(),
        "client_secret": secret_words(i.client_secret.as_ref()),
        "redirect_uris": i.redirects.iter().map(|r| r.as_str()).collect::<Vec<_>>(),
        "shared_redirect": i.shared_redirect == SharedRedirect::Accepted,
        "relay": i.relay.as_ref().map(|r| r.as_str()),
        "scopes": scopes(&i.scopes),
        "actions": i.actions.iter().map(|(name, s)| (name.to_string(), scopes(s))).collect::<BTreeMap<_, _>>(),
        "hosts": i.hosts.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "basic_username": i.basic_username.as_str(),
        "store": i.store.as_str(),
    })
}

/// Where its tokens come from.
pub(super) fn provider(i: &Integration) -> String {
    let place = match &i.server {
        Server::Discovered(issuer) => issuer.to_string(),
        Server::Explicit(server) => server.authorization_endpoint.to_string(),
    };
    match &i.preset {
        Some(preset) => format!("{} ({place})", preset.id),
        None => place,
    }
}

fn secret_words(source: Option<&SecretSource>) -> String {
    match source {
        None => "none (public client)".into(),
        Some(SecretSource::Environment(name)) => format!("in the variable {name}"),
        Some(SecretSource::File(path)) => format!("in {}", path.display()),
        Some(SecretSource::Store) => "in the store".into(),
    }
}

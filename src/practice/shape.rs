//! The shape of a provider: what its endpoints want and how they answer, as the fields of an integration describe it.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::{Parameters, parameters};
use crate::{
    catalog::{Integration, OfflineParams},
    head::Head,
    oauth::{
        AuthenticationMethod, Client, ClientAuthentication, MemberPath, ScopeSeparator, TokenBody, TokenOccasion,
        TokenRules,
    },
    secret::Secret,
};

/// What differs from the RFCs at one provider, seen from its side.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The one that is registered, with its secret as it is sent.
    client: Client,
    /// Every authorization request needs these.
    params: Vec<(String, String)>,
    /// A login that does not send these gets no refresh token.
    offline: Vec<(String, String)>,
    offline_scopes: Vec<String>,
}

impl Shape {
    /// The provider of this integration, and its client with this secret.
    pub fn of(integration: &Integration, secret: Option<Secret>) -> Self {
        let authentication = secret.map_or(ClientAuthentication::None, |secret| ClientAuthentication::Secret {
            secret: integration.dialect.secret_mask.applied(secret, &integration.client_id),
            method: integration.authentication_method.unwrap_or_default(),
        });
        let pairs = |list: &mut dyn Iterator<Item = (&str, &str)>| {
            list.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>()
        };
        let offline = &integration.dialect.offline;
        Self {
            client: Client::new(integration.client_id.clone(), authentication)
                .speaking(integration.dialect.wire.clone()),
            params: pairs(&mut integration.extra.iter()),
            offline: match &offline.params {
                OfflineParams::Stated(params) => pairs(&mut params.iter()),
                OfflineParams::OpenIdConnect => Vec::new(),
            },
            offline_scopes: offline.scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
        }
    }

    /// The client that is registered.
    pub fn client(&self) -> &Client {
        &self.client
    }

    fn rules(&self) -> &TokenRules {
        &self.client.dialect.token
    }

    /// What is unlike the RFCs, in words.
    pub fn features(&self) -> Vec<String> {
        let rules = self.rules();
        let list = |pairs: &[(String, String)]| {
            pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ")
        };
        let mut features = Vec::new();
        if !self.params.is_empty() {
            features.push(format!("a login needs {}", list(&self.params)));
        }
        let scopes = self.offline_scopes.iter().map(|scope| format!("scope {scope}"));
        let offline: Vec<_> = scopes.chain((!self.offline.is_empty()).then(|| list(&self.offline))).collect();
        if !offline.is_empty() {
            features.push(format!("a refresh token comes only with {}", offline.join(", ")));
        }
        if let ScopeSeparator::Other(separator) = self.client.dialect.scope_separator {
            features.push(format!("scopes are separated by \"{separator}\""));
        }
        if let ClientAuthentication::Secret { method, .. } = &self.client.authentication {
            features.push(format!("the client secret is sent as {}", method.as_str()));
        }
        if rules.body == TokenBody::Json {
            features.push("requests to the token endpoint are JSON".into());
        }
        if !rules.params.is_empty() {
            features.push(format!("requests to the token endpoint need {}", list(&rules.params)));
        }
        features.extend(rules.token_at.as_ref().map(|path| format!("the tokens are at {path}")));
        features.extend(rules.error_at.as_ref().map(|path| format!("errors are at {path}, with status 200")));
        features
    }

    /// The parameter that an authorization request lacks.
    pub(super) fn lacks(&self, asked: &Parameters) -> Option<&str> {
        let missing = |(name, value): &&(String, String)| asked.get(name) != Some(value);
        self.params.iter().find(missing).map(|(name, _)| name.as_str())
    }

    /// Whether the authorization request is one that gets a refresh token.
    pub(super) fn is_offline(&self, asked: &Parameters) -> bool {
        let separator = match self.client.dialect.scope_separator {
            ScopeSeparator::Other(separator) => separator,
            ScopeSeparator::Space => ' ',
        };
        let scopes: Vec<_> = asked.get("scope").map(|text| text.split(separator).collect()).unwrap_or_default();
        self.offline.iter().all(|(name, value)| asked.get(name) == Some(value))
            && self.offline_scopes.iter().all(|scope| scopes.contains(&scope.as_str()))
    }

    /// The parameters of a token request that is written as this provider wants it.
    pub(super) fn token_request(&self, head: &Head, body: &[u8]) -> Option<Parameters> {
        match self.rules().body {
            TokenBody::Form => parameters(body),
            TokenBody::Json => {
                let named = head.content_type.as_deref().is_some_and(|kind| kind.starts_with(b"application/json"));
                let members: BTreeMap<String, Value> = serde_json::from_slice(body).ok().filter(|_| named)?;
                let text = |(name, value): (String, Value)| Some((name, value.as_str()?.to_owned()));
                members.into_iter().map(text).collect()
            }
        }
    }

    /// Whether the request has the parameters that this provider wants beside those of the RFC.
    pub(super) fn is_complete(&self, form: &Parameters, occasion: TokenOccasion) -> bool {
        let rules = self.rules();
        let own: &[_] = if occasion == TokenOccasion::Refresh { &rules.refresh_params } else { &[] };
        // A refresh parameter comes before another one of the same name.
        let replaced = |name: &String| own.iter().any(|(known, _)| known == name);
        let usual = rules.params.iter().filter(|(name, _)| !replaced(name));
        own.iter().chain(usual).all(|(name, value)| form.get(name) == Some(value))
    }

    /// Whether the client is the registered one and proves it in the registered way (RFC 6749 section 2.3.1).
    pub(super) fn authenticates(&self, head: &Head, form: &Parameters) -> bool {
        let id = self.client.id.as_str();
        let in_body = form.get("client_id").is_some_and(|sent| sent == id);
        match &self.client.authentication {
            ClientAuthentication::None => in_body,
            ClientAuthentication::Secret { secret, method: AuthenticationMethod::Post } => {
                in_body && form.get("client_secret").is_some_and(|sent| secret.matches(sent))
            }
            ClientAuthentication::Secret { secret, method: AuthenticationMethod::Basic } => {
                let sent = basic(head);
                !form.contains_key("client_secret")
                    && sent.is_some_and(|(sent, proof)| sent == id && secret.matches(&proof))
            }
        }
    }

    /// The body of a response with tokens.
    pub(super) fn tokens(&self, tokens: Value) -> Value {
        let TokenRules { token_at, error_at, .. } = self.rules();
        let mut body = Map::new();
        match token_at {
            Some(path) => path.put(&mut body, tokens),
            None => body.extend(tokens.as_object().cloned().unwrap_or_default()),
        }
        let success = |path: &MemberPath| path.put(&mut body, 0.into());
        error_at.iter().for_each(success);
        Value::Object(body)
    }

    /// Status and body of an error.
    pub(super) fn error(&self, status: u16, code: &str) -> (u16, Value) {
        let mut body = Map::new();
        match &self.rules().error_at {
            Some(path) => {
                path.put(&mut body, code.into());
                (200, Value::Object(body))
            }
            None => (status, serde_json::json!({ "error": code })),
        }
    }
}

/// Identifier and secret of the Authorization field, each of them form-encoded.
fn basic(head: &Head) -> Option<(String, String)> {
    let field = head.authorization.as_ref()?.as_bytes();
    let credentials = STANDARD.decode(field.strip_prefix(b"Basic ")?).ok()?;
    let at = credentials.iter().position(|byte| *byte == b':')?;
    let decoded = |text: &[u8]| {
        let pair = [b"x=", text].concat();
        form_urlencoded::parse(&pair).next().map(|(_, value)| value.into_owned())
    };
    Some((decoded(&credentials[..at])?, decoded(&credentials[at + 1..])?))
}

#[cfg(test)]
mod tests;

//! A flow between application, provider and browser: `state`, the cookie, and the content of the row.
//!
//! `state` is a handle: the identifier of a single-use row, encrypted so that nobody else can make one (RFC 6749
//! section 10.12). With `state_mode = "sealed"` it also carries the fields of a [`FlowRequest`]; the code_verifier
//! stays in the row.
#![deny(clippy::let_underscore_must_use)]

use std::time::SystemTime;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    keys::{Column, KeyRing, Place, Sealed},
    store::FlowId,
};
use crate::{
    catalog::IntegrationName,
    deadlines::{FLOW_LIFE, LINK_LIFE},
    oauth::{
        AuthenticationMethods, AuthorizationServer, ClientId, Endpoint, IdTokenAlgorithms, IssParameter, Issuer,
        IssuerTemplate, Kept, S256, Scopes,
    },
    redirect::{BoundRedirect, RegisteredRedirect, RelayedRedirect},
    reply::FieldValue,
    secret::Secret,
    vault::{AccountName, ActionKey, GrantKey, Namespace, OrgKey, Owner, seal::Nonce, unix},
};

/// What `state` contains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StateMode {
    /// The identifier of the flow only.
    #[default]
    Handle,
    /// The fields of the request too, encrypted.
    Sealed,
}

/// What a flow is for: the connection, additional scopes, the instance, and the application's callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowRequest {
    /// The connection to make.
    pub key: GrantKey,
    /// The application's callback, not checked again.
    pub app_callback_url: String,
    /// In addition to those of the action.
    pub scopes: Scopes,
    /// The instance of the provider, if the application named one.
    pub base_url: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct StoredFlowRequest {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    namespace: String,
    #[serde(rename = "userId")]
    user: String,
    #[serde(rename = "orgKey")]
    org: String,
    integration: String,
    action: String,
    scopes: String,
    #[serde(rename = "appCallbackUrl")]
    app_callback_url: String,
    #[serde(rename = "baseUrl", skip_serializing_if = "Option::is_none")]
    base_url: Option<String>,
}

impl From<&FlowRequest> for StoredFlowRequest {
    fn from(request: &FlowRequest) -> Self {
        let GrantKey { owner: Owner { namespace, user, org }, integration, action } = &request.key;
        Self {
            namespace: namespace.as_str().to_owned(),
            user: user.as_str().to_owned(),
            org: org.as_str().to_owned(),
            integration: integration.as_str().to_owned(),
            action: action.as_str().to_owned(),
            scopes: request.scopes.to_string(),
            app_callback_url: request.app_callback_url.clone(),
            base_url: request.base_url.clone(),
        }
    }
}

impl StoredFlowRequest {
    fn parsed(self) -> Option<FlowRequest> {
        let action = ActionKey::parse(&self.action).ok()?;
        let owner = Owner {
            namespace: Namespace::parse(&self.namespace).ok()?,
            user: AccountName::parse(&self.user).ok()?,
            org: OrgKey::parse(&self.org)?,
        };
        let key = GrantKey { owner, integration: IntegrationName::parse(&self.integration).ok()?, action };
        let scopes = Scopes::parse(&self.scopes).ok()?;
        Some(FlowRequest { key, app_callback_url: self.app_callback_url, scopes, base_url: self.base_url })
    }
}

/// What is sent outside, encrypted: `state`, the confirmation page's button, a one-time link.
#[derive(Deserialize, Serialize)]
#[serde(tag = "for", rename_all = "lowercase")]
enum Outside {
    /// The user must press the button in the browser that loaded the page.
    Confirm {
        #[serde(rename = "errand")]
        request: StoredFlowRequest,
        browser: String,
        until: u64,
        link: Option<String>,
    },
    /// Used once: a row is consumed with it.
    Link {
        #[serde(rename = "errand")]
        request: StoredFlowRequest,
        until: u64,
    },
    State {
        #[serde(rename = "errand")]
        request: Option<StoredFlowRequest>,
    },
}

/// Its form outside: identifier and cell, in base64url.
fn seal_outside(ring: &KeyRing, id: FlowId, integration: &IntegrationName, nonce: Nonce, content: &Outside) -> Secret {
    let plain = Secret::json(content);
    let key = placeholder_key(integration);
    let cell = ring.seal(&place(&id, &key), nonce, &plain);
    Secret::new(URL_SAFE_NO_PAD.encode([id.bytes(), cell.bytes()].concat()))
}

fn open_outside(ring: &KeyRing, integration: &IntegrationName, text: &str) -> Option<(FlowId, Outside)> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (id, cell) = bytes.split_first_chunk::<16>()?;
    let id = FlowId::new(*id);
    let key = placeholder_key(integration);
    let plain = ring.open(&place(&id, &key), &Sealed::from_stored(cell.to_vec())).ok()?;
    Some((id, serde_json::from_str(plain.expose()).ok()?))
}

/// A placeholder key with the integration only, so that a value for one integration is useless at another. The owner is
/// inside the cell.
fn placeholder_key(integration: &IntegrationName) -> GrantKey {
    GrantKey::personal(integration.clone(), AccountName::default(), ActionKey::All)
}

fn place<'a>(id: &'a FlowId, key: &'a GrantKey) -> Place<'a> {
    Place { column: Column::StateContent, id: id.bytes(), key, generation: 0 }
}

/// The `state` parameter (RFC 6749 section 4.1.1).
pub fn state(ring: &KeyRing, id: FlowId, mode: StateMode, request: &FlowRequest, nonce: Nonce) -> Secret {
    let fields = (mode == StateMode::Sealed).then(|| request.into());
    seal_outside(ring, id, &request.key.integration, nonce, &Outside::State { request: fields })
}

/// The content of `state`, before the row is read.
#[derive(Debug)]
pub struct Opened {
    /// The flow.
    pub id: FlowId,
    /// With `state_mode = "sealed"`.
    pub request: Option<FlowRequest>,
}

/// `None`: not made by this service, or for another integration.
pub fn open_state(ring: &KeyRing, integration: &IntegrationName, state: &Secret) -> Option<Opened> {
    match open_outside(ring, integration, state.expose())? {
        (id, Outside::State { request: None }) => Some(Opened { id, request: None }),
        (id, Outside::State { request: Some(stored) }) => Some(Opened { id, request: Some(stored.parsed()?) }),
        _ => None,
    }
}

/// What a button or a one-time link starts.
#[derive(Debug)]
pub struct Ticket {
    /// What it starts.
    pub request: FlowRequest,
    /// The one-time link behind it. Its row is consumed when the flow starts.
    pub link: Option<FlowId>,
}

/// The value of the confirmation page's button, valid only in the browser with this cookie.
pub fn confirm_ticket(
    ring: &KeyRing,
    id: FlowId,
    ticket: &Ticket,
    cookie: &Secret,
    nonce: Nonce,
    now: SystemTime,
) -> Secret {
    let content = Outside::Confirm {
        request: (&ticket.request).into(),
        browser: URL_SAFE_NO_PAD.encode(browser(cookie.expose())),
        until: unix(now + FLOW_LIFE),
        link: ticket.link.map(|id| id.to_string()),
    };
    seal_outside(ring, id, &ticket.request.key.integration, nonce, &content)
}

/// `cookie` returns the browser's cookie of a name. `None`: not made by this service, expired, or for another browser.
pub fn open_confirm_ticket(
    ring: &KeyRing,
    integration: &IntegrationName,
    text: &str,
    cookie: impl FnOnce(&str) -> Option<String>,
    now: SystemTime,
) -> Option<Ticket> {
    let (id, Outside::Confirm { request, browser: bound, until, link }) = open_outside(ring, integration, text)? else {
        return None;
    };
    let held = cookie(&cookie_name(&id))?;
    let same = URL_SAFE_NO_PAD.encode(browser(&held)) == bound;
    let link = link.map(|id| FlowId::parse(&id).ok_or(())).transpose().ok()?;
    (same && unix(now) <= until).then_some(())?;
    Some(Ticket { request: request.parsed()?, link })
}

/// The ticket of a one-time link, for `POST /:group/link`.
pub fn link_ticket(ring: &KeyRing, id: FlowId, request: &FlowRequest, nonce: Nonce, now: SystemTime) -> Secret {
    let content = Outside::Link { request: request.into(), until: unix(now + LINK_LIFE) };
    seal_outside(ring, id, &request.key.integration, nonce, &content)
}

/// `None`: not made by this service, or expired.
pub fn open_link_ticket(ring: &KeyRing, integration: &IntegrationName, text: &str, now: SystemTime) -> Option<Ticket> {
    let (id, Outside::Link { request, until }) = open_outside(ring, integration, text)? else { return None };
    (unix(now) <= until).then_some(())?;
    Some(Ticket { request: request.parsed()?, link: Some(id) })
}

/// What the row keeps in addition to the request, to continue the flow after the authorization response.
#[derive(Debug)]
pub struct Content {
    /// The endpoints for the exchange of the code.
    pub server: AuthorizationServer,
    /// The client of the authorization request.
    pub client_id: ClientId,
    /// The redirect URI of the authorization request, and where its response arrives.
    pub redirect: BoundRedirect,
    /// The requested scopes.
    pub asked: Scopes,
    /// The instance, if the application named one.
    pub base_url: Option<String>,
    /// code_verifier and nonce.
    pub kept: Kept,
}

#[derive(Deserialize, Serialize)]
struct StoredContent {
    issuer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issuer_template: Option<String>,
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: Option<String>,
    names_itself: bool,
    /// Empty if the server lists none, and in flows of older versions.
    #[serde(default)]
    id_token_algorithms: Vec<String>,
    #[serde(default)]
    authentication_methods: Vec<String>,
    client_id: String,
    /// Where the response arrives.
    redirect_uri: String,
    /// The redirect URI of the authorization request, if it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    relay: Option<String>,
    asked: String,
    base_url: Option<String>,
    code_verifier: Option<String>,
    nonce: Option<String>,
}

impl Content {
    /// Encrypts the content for the row of `id`. A `nonce` must never be used twice.
    pub fn seal(&self, ring: &KeyRing, id: FlowId, key: &GrantKey, nonce: Nonce) -> Sealed {
        let text = |secret: &Secret| secret.expose().to_owned();
        let server = &self.server;
        let stored = StoredContent {
            issuer: server.issuer.as_ref().map(|issuer| issuer.as_str().to_owned()),
            issuer_template: server.issuer_template.as_ref().map(ToString::to_string),
            authorization_endpoint: server.authorization_endpoint.as_str().to_owned(),
            token_endpoint: server.token_endpoint.as_str().to_owned(),
            revocation_endpoint: server.revocation_endpoint.as_ref().map(|e| e.as_str().to_owned()),
            names_itself: server.iss_parameter == IssParameter::Promised,
            id_token_algorithms: server.id_token_algorithms.names().to_vec(),
            authentication_methods: server.authentication_methods.names().to_vec(),
            client_id: self.client_id.as_str().to_owned(),
            redirect_uri: self.redirect.listened_at().to_owned(),
            relay: self.redirect.relay().map(str::to_owned),
            asked: self.asked.to_string(),
            base_url: self.base_url.clone(),
            code_verifier: self.kept.code_verifier.as_ref().map(text),
            nonce: self.kept.nonce.as_ref().map(text),
        };
        let plain = Secret::json(&stored);
        ring.seal(&Place { column: Column::FlowContent, id: id.bytes(), key, generation: 0 }, nonce, &plain)
    }

    /// `None`: altered, moved from another row, or its key is missing.
    pub fn open(ring: &KeyRing, id: FlowId, key: &GrantKey, cell: &Sealed) -> Option<Self> {
        let plain = ring.open(&Place { column: Column::FlowContent, id: id.bytes(), key, generation: 0 }, cell).ok()?;
        let stored: StoredContent = serde_json::from_str(plain.expose()).ok()?;
        let endpoint = |text: &str| Endpoint::parse(text).ok();
        let redirect = RegisteredRedirect::parse(&stored.redirect_uri).ok()?.at_its_own_address().ok()?;
        Some(Self {
            server: AuthorizationServer {
                issuer: stored.issuer.map(|issuer| Issuer::parse(&issuer).map_err(drop)).transpose().ok()?,
                issuer_template: match stored.issuer_template {
                    None => None,
                    Some(text) => Some(IssuerTemplate::parse(&text).ok()?),
                },
                authorization_endpoint: endpoint(&stored.authorization_endpoint)?,
                token_endpoint: endpoint(&stored.token_endpoint)?,
                revocation_endpoint: match stored.revocation_endpoint {
                    None => None,
                    Some(text) => Some(endpoint(&text)?),
                },
                device_authorization_endpoint: None,
                iss_parameter: if stored.names_itself { IssParameter::Promised } else { IssParameter::NotPromised },
                s256: S256::Unstated,
                id_token_algorithms: IdTokenAlgorithms::new(stored.id_token_algorithms),
                authentication_methods: AuthenticationMethods::new(stored.authentication_methods),
            },
            client_id: ClientId::parse(&stored.client_id)?,
            redirect: match stored.relay {
                None => redirect,
                Some(relay) => redirect.behind(&RelayedRedirect::parse(&relay).ok()?),
            },
            asked: Scopes::parse(&stored.asked).ok()?,
            base_url: stored.base_url,
            kept: Kept { code_verifier: stored.code_verifier.map(Secret::new), nonce: stored.nonce.map(Secret::new) },
        })
    }
}

/// Each flow has its own cookie, so that several tabs do not interfere.
pub fn cookie_name(id: &FlowId) -> String {
    format!("__Host-loopin_{}", &id.to_string()[..16])
}

/// The digest of a cookie, which is all that is stored of it.
pub fn browser(cookie: &str) -> [u8; 32] {
    Sha256::digest(cookie).into()
}

/// The cookie of the browser that starts a flow. `SameSite=Lax`, because it must be sent when the provider redirects
/// back.
pub fn set_cookie(id: &FlowId, cookie: &Secret) -> Option<FieldValue> {
    let life = FLOW_LIFE.as_secs();
    let attributes = format!("Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={life}");
    FieldValue::new(format!("{}={}; {attributes}", cookie_name(id), cookie.expose()))
}

/// Deletes the cookie after its flow.
pub fn clear_cookie(id: &FlowId) -> Option<FieldValue> {
    FieldValue::new(format!("{}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0", cookie_name(id)))
}

/// A new cookie value: 256 bits in base64url.
pub fn new_cookie(chance: &[u8; 32]) -> Secret {
    Secret::new(URL_SAFE_NO_PAD.encode(chance))
}

#[cfg(test)]
mod tests;

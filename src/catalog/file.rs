//! The configuration file: TOML in, [`Catalog`] out, and errors that name line and column.

mod forms;
mod inherit;
mod instances;
mod response_mode;
mod servers;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use forms::{BaseEntry, OneOrMany, TokenServersTable};
use inherit::{Relayed, accepted};
use serde::Deserialize;
use serde_spanned::Spanned;
use url::form_urlencoded;

use super::{
    ActionName, BasicUsername, CaFile, Catalog, CatalogError, DEFAULT_REDIRECT, Dialect, Fault, Host, Hosts,
    Integration, IntegrationName, Offline, OfflineParams, PkcePromise, Place, Preset, SecretSource, Server,
    SharedRedirect, StoreDefaults, StoreKind,
    dialect::{DialectFields, KeepFields, ScopeTable, StatedCheck, TokenFields},
};
use crate::{
    oauth::{
        AuthenticationMethod, ClientId, Endpoint, ExtraParameters, IssParameter, Issuer, IssuerTemplate, Pkce, Scope,
        Scopes, SecretMask, TokenBody, reserved_in_answers,
    },
    redirect::{Landing, LoopbackHost, RegisteredRedirect, RelayedRedirect},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    integration: Tables,
    store: Option<Store>,
    store_key: Option<StoreKey>,
}

/// The `[integration.*]` tables of a file, as they stand there; not judged yet. The service's file holds others beside.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub struct Tables(BTreeMap<String, Spanned<Table>>);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    provider: Option<Spanned<String>>,
    base_url: Option<Spanned<String>>,
    tenant: Option<Spanned<String>>,
    issuer: Option<Spanned<String>>,
    issuer_template: Option<Spanned<String>>,
    authorization_endpoint: Option<Spanned<String>>,
    token_endpoint: Option<Spanned<String>>,
    revocation_endpoint: Option<Spanned<String>>,
    device_authorization_endpoint: Option<Spanned<String>>,
    client_id: Option<Spanned<String>>,
    client_secret: Option<SecretSource>,
    token_endpoint_auth_method: Option<Spanned<String>>,
    redirect_uri: Option<Spanned<OneOrMany>>,
    relay: Option<Spanned<String>>,
    #[serde(default)]
    shared_redirect: SharedRedirect,
    #[serde(default)]
    insist_on_localhost: bool,
    /// RFC 9207 section 3, by the name that it has in metadata.
    authorization_response_iss_parameter_supported: Option<IssParameter>,
    #[serde(default)]
    scopes: Vec<Spanned<String>>,
    #[serde(default)]
    actions: BTreeMap<Spanned<String>, Vec<Spanned<String>>>,
    code_challenge_method: Option<ChallengeMethod>,
    #[serde(default)]
    require_pkce: bool,
    /// PKCE is used in any case; with this it cannot be switched off.
    #[serde(default, rename = "requiresPKCE")]
    requires_pkce: bool,
    #[serde(default)]
    params: BTreeMap<Spanned<String>, String>,
    offline_scopes: Option<Vec<Spanned<String>>>,
    offline_params: Option<BTreeMap<Spanned<String>, String>>,
    client_secret_mask: Option<SecretMask>,
    resource: Option<Vec<Spanned<String>>>,
    token_params: Option<BTreeMap<Spanned<String>, String>>,
    refresh_params: Option<BTreeMap<Spanned<String>, String>>,
    refresh_endpoint: Option<Spanned<String>>,
    token_request: Option<TokenBody>,
    token_at: Option<Spanned<String>>,
    error_at: Option<Spanned<String>>,
    keep_from_token: Option<Vec<Spanned<String>>>,
    keep_from_callback: Option<Vec<Spanned<String>>>,
    account_from: Option<Spanned<String>>,
    token_servers: Option<TokenServersTable>,
    response_mode: Option<Spanned<String>>,
    ca: Option<Spanned<PathBuf>>,
    hosts: Option<Vec<Spanned<String>>>,
    basic_username: Option<Spanned<String>>,
    #[serde(default)]
    allowed_scopes: Vec<Spanned<String>>,
    #[serde(default)]
    base_allow: Vec<Spanned<BaseEntry>>,
    #[serde(default)]
    provider_domains: Vec<Spanned<String>>,
    store: Option<Store>,
    store_key: Option<StoreKey>,
    dead_grant_errors: Option<Vec<Spanned<String>>>,
    scope_separator: Option<Spanned<String>>,
    scope_aliases: Option<ScopeTable>,
    scope_implies: Option<ScopeTable>,
    scope_check: Option<StatedCheck>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
enum ChallengeMethod {
    #[serde(rename = "off")]
    Off,
    S256,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Store {
    File,
    Keychain,
}

impl From<Store> for StoreKind {
    fn from(store: Store) -> Self {
        match store {
            Store::File => Self::File,
            Store::Keychain => Self::Keychain,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoreKey {
    file: PathBuf,
}

impl Catalog {
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse(text: &str) -> Result<Self, CatalogError> {
        let file: File = toml_edit::de::from_str(text).map_err(|error| CatalogError::of_toml(text, &error))?;
        let defaults =
            StoreDefaults { store: file.store.map(StoreKind::from), store_key: file.store_key.map(|key| key.file) };
        file.integration.with_defaults(text, defaults)
    }
}

impl Tables {
    /// Where each of them begins in the file `text`.
    pub fn places(&self, text: &str) -> BTreeMap<String, Place> {
        self.0.iter().map(|(name, table)| (name.clone(), Place::of(text, table.span().start))).collect()
    }

    /// `text` is the file that they were read from.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn catalog(self, text: &str) -> Result<Catalog, CatalogError> {
        self.with_defaults(text, StoreDefaults::default())
    }

    fn with_defaults(self, text: &str, defaults: StoreDefaults) -> Result<Catalog, CatalogError> {
        let mut integrations = BTreeMap::new();
        for (name, table) in self.0 {
            let span = table.span();
            let at = |fault: Fault| fault.in_table(&format!("[integration.{name}]"), span.clone(), text);
            let key = IntegrationName::parse(&name).map_err(|e| at(Fault::plain(e.to_string())))?;
            let (table, preset) = table.into_inner().with_preset().map_err(at)?;
            let ca = table.ca(text).map_err(at)?;
            let integration = table.integration(key.clone(), preset, ca, &defaults).map_err(at)?;
            integrations.insert(key, integration);
        }
        Ok(Catalog { integrations, defaults })
    }
}

const SAFE: &str = "write what the provider's documentation says, from https:// on";

impl Table {
    /// The file is read when a request needs it; its errors name this line of `text`.
    fn ca(&self, text: &str) -> Result<Option<CaFile>, Fault> {
        let Some(path) = &self.ca else { return Ok(None) };
        if path.get_ref().as_os_str().is_empty() {
            let remedy = "name a PEM file, or remove ca to trust the CAs of this system";
            return Err(Fault::new("ca is empty", remedy).at(path));
        }
        let line = Place::of(text, path.span().start).line;
        Ok(Some(CaFile { path: path.get_ref().clone(), line }))
    }

    fn integration(
        self,
        name: IntegrationName,
        preset: Option<Preset>,
        ca: Option<CaFile>,
        defaults: &StoreDefaults,
    ) -> Result<Integration, Fault> {
        let client_id =
            self.client_id.as_ref().ok_or_else(|| Fault::new("client_id is missing", "add: client_id = \"...\""))?;
        let client_id = ClientId::parse(client_id.get_ref())
            .ok_or_else(|| Fault::plain("client_id is not printable ASCII").at(client_id))?;
        if self.requires_pkce && matches!(self.code_challenge_method, Some(ChallengeMethod::Off)) {
            let what = "requiresPKCE and code_challenge_method = \"off\" contradict each other";
            return Err(Fault::new(what, "take one of them out"));
        }
        let revocation_endpoint = endpoint("revocation_endpoint", self.revocation_endpoint.as_ref())?;
        let device_authorization_endpoint =
            endpoint("device_authorization_endpoint", self.device_authorization_endpoint.as_ref())?;
        let issuer_template = self.issuer_template()?;
        let server = self.server(revocation_endpoint.clone(), issuer_template.as_ref())?;
        let authentication_method = self.authentication_method()?;
        let base_allow = self.base_allow()?;
        let hosts = self.hosts(&server)?;
        let basic_username = self.basic_username()?;
        let relay = self.relay()?;
        let redirects = self.redirects(&name, preset.as_ref())?;
        if let Some((name, value)) = self.params.iter().find(|(name, _)| name.get_ref() == "response_mode") {
            return Err(response_mode::misplaced(value).at(name));
        }
        let mut extra = parameters("params", &self.params)?;
        let response_mode = self.response_mode()?;
        extra.set_response_mode(response_mode);
        let dialect = self.dialect()?;
        let mut actions = BTreeMap::new();
        for (action, list) in &self.actions {
            let key = ActionName::parse(action.get_ref()).map_err(|e| Fault::plain(e.to_string()).at(action))?;
            if key.as_str() == "all" {
                return Err(
                    Fault::plain("\"all\" stands for every action together and cannot be the name of one").at(action)
                );
            }
            actions.insert(key, scopes(list)?);
        }
        Ok(Integration {
            name,
            preset: preset.map(Arc::new),
            base_url: self.base_url.map(Spanned::into_inner),
            server,
            issuer_template,
            revocation_endpoint,
            device_authorization_endpoint,
            client_id,
            client_secret: self.client_secret,
            authentication_method,
            redirects,
            relay,
            shared_redirect: self.shared_redirect,
            iss_parameter: self.authorization_response_iss_parameter_supported,
            scopes: scopes(&self.scopes)?,
            actions,
            pkce: match self.code_challenge_method {
                Some(ChallengeMethod::Off) => Pkce::Off,
                _ => Pkce::S256,
            },
            pkce_promise: match (self.require_pkce, self.code_challenge_method) {
                (true, _) => PkcePromise::Required,
                (false, Some(_)) => PkcePromise::Stated,
                (false, None) => PkcePromise::Preferred,
            },
            extra,
            dialect,
            response_mode,
            ca,
            hosts,
            basic_username,
            allowed_scopes: scopes(&self.allowed_scopes)?,
            base_allow,
            store: self.store.map(StoreKind::from).or(defaults.store).unwrap_or_default(),
            store_key: self.store_key.map(|key| key.file).or_else(|| defaults.store_key.clone()),
        })
    }

    fn dialect(&self) -> Result<Dialect, Fault> {
        let offline = Offline {
            scopes: self.offline_scopes.as_deref().map(scopes).transpose()?.unwrap_or_default(),
            params: match &self.offline_params {
                None => OfflineParams::default(),
                Some(table) => OfflineParams::Stated(parameters("offline_params", table)?),
            },
        };
        let token = TokenFields {
            resource: self.resource.as_deref().unwrap_or_default(),
            token_params: self.token_params.as_ref(),
            refresh_params: self.refresh_params.as_ref(),
            token_request: self.token_request,
            token_at: self.token_at.as_ref(),
            error_at: self.error_at.as_ref(),
        };
        let fields = DialectFields {
            dead_grant_errors: self.dead_grant_errors.as_deref().unwrap_or_default(),
            scope_separator: self.scope_separator.as_ref(),
            scope_aliases: self.scope_aliases.as_ref(),
            scope_implies: self.scope_implies.as_ref(),
            scope_check: self.scope_check,
            token,
            secret_mask: self.client_secret_mask,
            keep: KeepFields {
                from_token: self.keep_from_token.as_deref().unwrap_or_default(),
                from_callback: self.keep_from_callback.as_deref().unwrap_or_default(),
                account_from: self.account_from.as_ref(),
            },
            token_servers: self.token_servers()?,
            refresh_endpoint: endpoint("refresh_endpoint", self.refresh_endpoint.as_ref())?,
        };
        fields.dialect(offline)
    }

    fn server(&self, revocation: Option<Endpoint>, issuer_template: Option<&IssuerTemplate>) -> Result<Server, Fault> {
        let issuer = |t: &Spanned<String>| {
            Issuer::configured(t.get_ref())
                .map_err(|e| Fault::new(format!("issuer is not a safe URL: {e}"), SAFE).at(t))
        };
        let issuer = self.issuer.as_ref().map(issuer).transpose()?;
        let authorization = endpoint("authorization_endpoint", self.authorization_endpoint.as_ref())?;
        let token = endpoint("token_endpoint", self.token_endpoint.as_ref())?;
        match (authorization, token, issuer) {
            (Some(authorization), Some(token), issuer) => {
                Ok(Server::explicit(authorization, token, revocation, issuer).with_tenants(issuer_template))
            }
            (None, None, Some(issuer)) => Ok(Server::Discovered(issuer)),
            (None, None, None) => Err(Fault::new(
                "no provider",
                "add: provider = \"...\" (see: loopin integration providers), or issuer = \"https://...\", or \
                 authorization_endpoint and token_endpoint",
            )),
            (None, Some(_), _) => Err(Fault::new(
                "authorization_endpoint is missing",
                "add it beside token_endpoint, or leave both out and write issuer",
            )),
            (Some(_), None, _) => Err(Fault::new(
                "token_endpoint is missing",
                "add it beside authorization_endpoint, or leave both out and write issuer",
            )),
        }
    }

    fn hosts(&self, server: &Server) -> Result<Hosts, Fault> {
        let Some(list) = &self.hosts else { return Ok(Hosts::of(server)) };
        let parse = |text: &Spanned<String>| {
            Host::parse(text.get_ref()).map_err(|e| Fault::plain(format!("hosts: {e}")).at(text))
        };
        list.iter().map(parse).collect::<Result<_, _>>().map(Hosts::Written)
    }

    /// RFC 7523 is left out on purpose: an assertion whose audience is a token endpoint can be used at whatever server
    /// passes itself off as that endpoint.
    fn authentication_method(&self) -> Result<Option<AuthenticationMethod>, Fault> {
        let Some(method) = &self.token_endpoint_auth_method else { return Ok(None) };
        let fault = |what: String| {
            let remedy = "write client_secret_basic or client_secret_post; without a client_secret leave it out";
            Err(Fault::new(format!("token_endpoint_auth_method: {what}"), remedy).at(method))
        };
        if let Some(method) = AuthenticationMethod::parse(method.get_ref()) {
            return Ok(Some(method));
        }
        match method.get_ref().as_str() {
            jwt @ ("private_key_jwt" | "client_secret_jwt") => {
                fault(format!("{jwt} is not offered, since another server could use its assertion"))
            }
            other => fault(format!("\"{}\" is not known", other.escape_debug().take(80).collect::<String>())),
        }
    }

    fn basic_username(&self) -> Result<BasicUsername, Fault> {
        let Some(text) = &self.basic_username else { return Ok(BasicUsername::default()) };
        BasicUsername::parse(text.get_ref())
            .ok_or_else(|| Fault::plain("basic_username is not printable ASCII without a colon").at(text))
    }

    fn relay(&self) -> Result<Option<RelayedRedirect>, Fault> {
        let parse = |text: &Spanned<String>| {
            RelayedRedirect::parse(text.get_ref()).map_err(|why| {
                let remedy = "write the URI that is registered, such as https://acme.example/cli/withings";
                Fault::new(format!("relay: {why}"), remedy).at(text)
            })
        };
        self.relay.as_ref().map(parse).transpose()
    }

    fn redirects(&self, name: &IntegrationName, preset: Option<&Preset>) -> Result<Vec<RegisteredRedirect>, Fault> {
        let insisting = self.insist_on_localhost || preset.is_some_and(Preset::prefers_localhost);
        let Some(given) = &self.redirect_uri else {
            let usual = preset.map_or_else(|| DEFAULT_REDIRECT.to_owned(), |preset| preset.redirect_uri(None));
            return parse_redirect(&usual, insisting).map(|r| vec![r]);
        };
        let relayed = if self.relay.is_some() { Relayed::Yes } else { Relayed::No };
        let judged = |text: &String| {
            let redirect = parse_redirect(text, insisting)?;
            preset.map_or(Ok(redirect.clone()), |preset| accepted(redirect, preset, name, relayed))
        };
        let list: Vec<_> = given.get_ref().0.iter().map(judged).collect::<Result<_, _>>().map_err(|f| f.at(given))?;
        if list.is_empty() {
            let remedy = format!("write: redirect_uri = \"{DEFAULT_REDIRECT}\"");
            return Err(Fault::new("redirect_uri is an empty list", remedy).at(given));
        }
        Ok(list)
    }
}

fn endpoint(name: &str, text: Option<&Spanned<String>>) -> Result<Option<Endpoint>, Fault> {
    let parse = |text: &Spanned<String>| {
        Endpoint::parse(text.get_ref())
            .map_err(|why| Fault::new(format!("{name} is not a safe URL: {why}"), SAFE).at(text))
    };
    text.map(parse).transpose()
}

#[expect(clippy::fn_params_excessive_bools, reason = "the key of the file is a boolean; it goes no further")]
fn parse_redirect(text: &str, insist_on_localhost: bool) -> Result<RegisteredRedirect, Fault> {
    let parsed = if insist_on_localhost {
        RegisteredRedirect::parse_insisting_on_localhost(text)
    } else {
        RegisteredRedirect::parse(text)
    };
    let redirect = parsed.map_err(|e| {
        Fault::new(format!("redirect_uri: {e}"), format!("loopin redirect check '{}'", text.escape_debug()))
    })?;
    if let (Landing::Loopback { host: LoopbackHost::Localhost, .. }, false) = (redirect.landing(), insist_on_localhost)
    {
        let what =
            "redirect_uri: the name localhost can belong to another program on the other address family (rule 5)";
        return Err(Fault::new(
            what,
            "write 127.0.0.1; if the provider takes nothing but localhost, add: insist_on_localhost = true",
        ));
    }
    // Decoded as the answer will be.
    let query = form_urlencoded::parse(redirect.query().unwrap_or_default().as_bytes());
    if let Some(name) = query.map(|(name, _)| name).find(|name| reserved_in_answers(name)) {
        return Err(Fault::new(
            format!("redirect_uri: its query has {name}, which the provider's answer needs"),
            "register the redirect under another parameter name",
        ));
    }
    Ok(redirect)
}

fn parameters(field: &str, table: &BTreeMap<Spanned<String>, String>) -> Result<ExtraParameters, Fault> {
    let mut parameters = ExtraParameters::default();
    for (name, value) in table {
        parameters.add(name.get_ref(), value).map_err(|e| Fault::plain(format!("{field}: {e}")).at(name))?;
    }
    Ok(parameters)
}

fn scopes(list: &[Spanned<String>]) -> Result<Scopes, Fault> {
    list.iter().map(|text| Scope::parse(text.get_ref()).map_err(|e| Fault::plain(e.to_string()).at(text))).collect()
}

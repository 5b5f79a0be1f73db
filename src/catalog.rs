//! Integrations: clients registered at authorization servers, and the file that lists them.
//!
//! `file.rs` reads the configuration, `fault.rs` says what is wrong in one, `edit.rs` changes it and keeps its comments,
//! `preset.rs` has what is known of real providers, `name.rs` has their names, `host.rs` says who may get the tokens,
//! `instance.rs` and `provider_domain.rs` which other servers of the same kind there are, `sharing.rs` which integrations
//! await answers at one redirect, `difference.rs` what a provider's metadata have otherwise. Quirks of a provider are fields
//! here with a named type; nothing in the program asks for a provider by name.

mod dialect;
mod difference;
mod edit;
mod fault;
mod file;
mod host;
mod instance;
mod name;
mod offline;
mod preset;
mod provider_domain;
mod sharing;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use dialect::Dialect;
pub use difference::{Difference, Effect};
pub use edit::{Addition, Existing, Fields, NewSecret, add, remove, set};
pub use fault::{CatalogError, Fault, Place};
pub use file::Tables;
pub use host::{BasicUsername, Host, HostError, Hosts, Protocol};
pub use instance::{Instance, InstancePath, Instances, Others};
pub use name::{ActionName, IntegrationName, NameError};
pub use offline::{AddedForOffline, OFFLINE_ACCESS, Offline, OfflineAdvice, OfflineParams};
pub use preset::{
    ClientKind, FIXED_PORT, Lifetimes, Loopback, Preset, PresetHost, PresetInstance, RedirectPolicy, Registration,
    Source, Spelling, Subject, UnknownProvider, Variable,
};
pub use provider_domain::{ProviderDomain, ProviderDomainError};
pub use sharing::{SharedRedirect, own_redirect};

use crate::{
    oauth::{
        AuthenticationMethod, AuthenticationMethods, AuthorizationServer, ClientId, Endpoint, ExtraParameters,
        IdTokenAlgorithms, IssParameter, Issuer, IssuerTemplate, NoCommonMethod, Pkce, ResponseMode, S256, Scopes,
    },
    redirect::{RegisteredRedirect, RelayedRedirect},
};

/// The redirect of a native application whose configuration names none (RFC 8252 section 7.3).
pub const DEFAULT_REDIRECT: &str = "http://127.0.0.1:0/callback";

/// Where the endpoints come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// They are asked for at login.
    Discovered(Issuer),
    Explicit(Box<AuthorizationServer>),
}

impl Server {
    /// Host and port at which a user signs in, as far as the configuration tells.
    pub fn host(&self) -> &str {
        match self {
            Self::Discovered(issuer) => issuer.authority(),
            Self::Explicit(server) => server.authorization_endpoint.authority(),
        }
    }

    /// Endpoints that a person wrote down; nothing is known of what the server promises.
    pub fn explicit(
        authorization_endpoint: Endpoint,
        token_endpoint: Endpoint,
        revocation_endpoint: Option<Endpoint>,
        issuer: Option<Issuer>,
    ) -> Self {
        let iss_parameter = IssParameter::NotPromised;
        let s256 = S256::Unstated;
        Self::Explicit(Box::new(AuthorizationServer {
            issuer,
            issuer_template: None,
            authorization_endpoint,
            token_endpoint,
            revocation_endpoint,
            device_authorization_endpoint: None,
            iss_parameter,
            s256,
            id_token_algorithms: IdTokenAlgorithms::Unstated,
            authentication_methods: AuthenticationMethods::Unstated,
        }))
    }

    /// Where every tenant has an issuer. A configured one is more exact, and metadata name theirs themselves.
    fn with_tenants(mut self, template: Option<&IssuerTemplate>) -> Self {
        if let Self::Explicit(server) = &mut self {
            server.issuer_template = template.filter(|_| server.issuer.is_none()).cloned();
        }
        self
    }
}

/// Where a client secret lies. Never in the configuration itself, never in an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    Environment(String),
    File(PathBuf),
    /// In the same store as the tokens.
    Store,
}

impl SecretSource {
    /// A relative path of a file begins there.
    pub fn begin_at(&mut self, directory: &Path) {
        if let Self::File(path) = self {
            *path = directory.join(&path);
        }
    }
}

/// A PEM file with the certificates of the CAs that are trusted for one integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaFile {
    pub path: PathBuf,
    /// The line of the configuration that names it, from 1.
    pub line: usize,
}

/// What to do when a server does not promise S256.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PkcePromise {
    /// Go on, and say so.
    #[default]
    Preferred,
    Required,
    /// The configuration states that the server checks it.
    Stated,
}

/// Where tokens are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StoreKind {
    File,
    #[default]
    Keychain,
}

impl StoreKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Keychain => "keychain",
        }
    }
}

/// One `[integration.NAME]` table.
#[derive(Clone, Debug)]
pub struct Integration {
    pub name: IntegrationName,
    /// What is known of its provider, where the table names one.
    pub preset: Option<Arc<Preset>>,
    /// The instance of the provider, where the table names one.
    pub base_url: Option<String>,
    pub server: Server,
    /// How the provider names its issuers, if each tenant has its own.
    pub issuer_template: Option<IssuerTemplate>,
    /// Where tokens are revoked, as the configuration says. Many metadata documents do not name it.
    pub revocation_endpoint: Option<Endpoint>,
    /// What the configuration says, before what the server's metadata says (RFC 8628 section 4).
    pub device_authorization_endpoint: Option<Endpoint>,
    pub client_id: ClientId,
    pub client_secret: Option<SecretSource>,
    /// What the configuration says, before what the server's metadata says.
    pub authentication_method: Option<AuthenticationMethod>,
    /// Tried in order; never empty.
    pub redirects: Vec<RegisteredRedirect>,
    /// Registered in their place: it forwards the answers to the one redirect there is.
    pub relay: Option<RelayedRedirect>,
    pub shared_redirect: SharedRedirect,
    /// What the configuration says of the `iss` parameter (RFC 9207), before what the server's metadata says.
    pub iss_parameter: Option<IssParameter>,
    pub scopes: Scopes,
    pub actions: BTreeMap<ActionName, Scopes>,
    pub pkce: Pkce,
    pub pkce_promise: PkcePromise,
    pub extra: ExtraParameters,
    /// What its provider does differently from the RFCs.
    pub dialect: Dialect,
    /// How the provider returns its response.
    pub response_mode: ResponseMode,
    /// Whose certificates the provider's servers need. `None`: those that the system trusts.
    pub ca: Option<CaFile>,
    /// Who may be given its tokens by a helper.
    pub hosts: Hosts,
    pub basic_username: BasicUsername,
    /// What a request to the service may ask for beside the action's scopes.
    pub allowed_scopes: Scopes,
    /// Where else than at the provider's own server a connection of the service may live.
    pub base_allow: Instances,
    pub store: StoreKind,
    /// The key of the file store; without one it asks for a passphrase.
    pub store_key: Option<PathBuf>,
}

impl Integration {
    /// The server with what the configuration states about it.
    pub fn as_stated(&self, server: AuthorizationServer) -> AuthorizationServer {
        AuthorizationServer {
            iss_parameter: self.iss_parameter.unwrap_or(server.iss_parameter),
            revocation_endpoint: self.revocation_endpoint.clone().or(server.revocation_endpoint),
            device_authorization_endpoint: self
                .device_authorization_endpoint
                .clone()
                .or(server.device_authorization_endpoint),
            ..server
        }
    }

    /// Why a login without a relay cannot work, where the provider accepts https redirect URIs only.
    pub fn needs_relay(&self) -> Option<CatalogError> {
        let preset = self.preset.as_ref().filter(|preset| preset.redirect.loopback == Loopback::Refused)?;
        self.relay.is_none().then(|| preset.needs_relay(&self.name))
    }

    /// What may bring a refresh token, after a login that has sent these and got none.
    pub fn offline_advice(&self, scopes: &Scopes, extra: &ExtraParameters) -> OfflineAdvice {
        let of_preset = || {
            let preset = self.preset.as_ref()?;
            let text = preset.registration.refresh.clone()?;
            Some(OfflineAdvice::OfProvider { provider: preset.name.clone(), text })
        };
        match self.dialect.offline.advice(scopes, extra) {
            missing @ OfflineAdvice::Send(_) => missing,
            other => of_preset().unwrap_or(other),
        }
    }

    /// How the client secret is sent to this server: as the configuration says, else as the server's metadata lists.
    ///
    /// # Errors
    /// There is a client secret, and the server lists no way to send it.
    pub fn authentication_at(&self, server: &AuthorizationServer) -> Result<AuthenticationMethod, NoCommonMethod> {
        match (self.authentication_method, &self.client_secret) {
            (Some(stated), _) => Ok(stated),
            (None, None) => Ok(AuthenticationMethod::default()),
            (None, Some(_)) => server.authentication_methods.choose(),
        }
    }

    /// The same for a stored grant, whose login has pinned what the metadata listed.
    pub fn authentication_pinned(&self, pinned: AuthenticationMethod) -> AuthenticationMethod {
        self.authentication_method.unwrap_or(pinned)
    }

    /// What PKCE can be relied on for: S256 only if this server promises to check it or the configuration states that
    /// it does. A server that ignores the challenge exchanges a code of anybody.
    pub fn effective_pkce(&self, promise: S256) -> Pkce {
        match (self.pkce, self.pkce_promise, promise) {
            (Pkce::S256, PkcePromise::Required | PkcePromise::Stated, _) | (Pkce::S256, _, S256::Promised) => {
                Pkce::S256
            }
            _ => Pkce::Off,
        }
    }

    /// The scopes of one action, or of all together.
    ///
    /// # Errors
    /// There is no such action.
    pub fn scopes_for(&self, action: Option<&ActionName>) -> Result<Scopes, UnknownName> {
        match action {
            None => Ok(self.actions.values().fold(self.scopes.clone(), |all, scopes| all.union(scopes))),
            Some(name) => match self.actions.get(name) {
                Some(scopes) => Ok(self.scopes.union(scopes)),
                None => Err(UnknownName::among(name.as_str(), self.actions.keys().map(ActionName::as_str))),
            },
        }
    }
}

/// All integrations of one configuration.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    integrations: BTreeMap<IntegrationName, Integration>,
    defaults: StoreDefaults,
}

/// `store` and `store_key` at the top of the file, for every integration that has none of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreDefaults {
    pub store: Option<StoreKind>,
    pub store_key: Option<PathBuf>,
}

/// A name that is not in the list, and the nearest that is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownName {
    pub name: String,
    pub nearest: Option<String>,
}

impl UnknownName {
    pub fn among<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Self {
        let near = |candidate: &&str| strsim::damerau_levenshtein(name, candidate) <= 1 + name.chars().count() / 3;
        let nearest =
            known.filter(near).min_by_key(|candidate| strsim::damerau_levenshtein(name, candidate)).map(str::to_owned);
        Self { name: name.escape_debug().take(80).collect(), nearest }
    }
}

impl Catalog {
    /// # Errors
    /// There is no such integration.
    pub fn get(&self, name: &str) -> Result<&Integration, UnknownName> {
        let found = IntegrationName::parse(name).ok().and_then(|name| self.integrations.get(&name));
        found.ok_or_else(|| UnknownName::among(name, self.integrations.keys().map(IntegrationName::as_str)))
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Integration> {
        self.integrations.values()
    }

    /// What the file states for every integration.
    pub fn defaults(&self) -> &StoreDefaults {
        &self.defaults
    }

    /// With relative paths of files beginning in the directory of the configuration.
    pub fn beside(mut self, directory: &Path) -> Self {
        self.defaults.store_key = self.defaults.store_key.take().map(|path| directory.join(path));
        for integration in self.integrations.values_mut() {
            let Integration { ca, client_secret, store_key, base_allow, .. } = integration;
            let of_instances = base_allow.listed.iter_mut().filter_map(|instance| instance.client_secret.as_mut());
            client_secret.iter_mut().chain(of_instances).for_each(|source| source.begin_at(directory));
            *store_key = store_key.take().map(|path| directory.join(path));
            ca.iter_mut().for_each(|ca| ca.path = directory.join(&ca.path));
        }
        self
    }
}

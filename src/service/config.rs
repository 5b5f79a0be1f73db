//! The configuration of the service: TOML in, [`Config`] out. Settings that cannot work or are unsafe are rejected with
//! their line; settings that weaken security on purpose are printed at the start.

mod fitness;
mod weaknesses;

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_spanned::Spanned;

use fitness::{fit_for_a_service, forwarded_once};

use super::{
    app_callback::{self, AllowList},
    authorize::QueryToken,
    base_url::InstanceId,
    flow::StateMode,
    jwt::{self, TrustedIssuer},
    keys::KeyId,
    rate::{self, Rates},
    route::BASE_PATH,
    url_bytes::UrlBytes,
};
use crate::{
    catalog::{Catalog, CatalogError, Fault, IntegrationName, Tables},
    oauth::Endpoint,
    proxies::{ClientField, Network, TrustedProxies},
    redirect::{BoundRedirect, RegisteredRedirect},
    vault::Namespace,
};

/// The default of `listen`: for a proxy on the same machine.
const USUAL_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// The default of `connections`: open connections at the same time.
const USUAL_CONNECTIONS: usize = 1024;
const SQLITE: &str = "sqlite://";
/// Examples for messages, as written in the file.
const DATABASE: &str = "url = \"sqlite:///var/lib/loopin/loopin.db\"";
const KEYS: &str = "current = \"k1\" and k1 = { file = \"/run/keys/k1\" }, with 32 random bytes in that file";

/// The checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The URL under which browsers reach the service.
    pub public_url: PublicUrl,
    /// The address of the public listener.
    pub listen: SocketAddr,
    /// The address of the operators' listener, if there is one.
    pub admin: Option<SocketAddr>,
    /// Proxies whose forwarding header is used.
    pub trusted_proxies: TrustedProxies,
    /// The name of the application's session cookie, if it counts.
    pub session_cookie: Option<String>,
    /// What a token in the URL may do.
    pub query_token: QueryToken,
    /// What `state` contains.
    pub state_mode: StateMode,
    /// Open connections at the same time.
    pub connections: usize,
    /// The rate limits.
    pub limits: Rates,
    /// The file of the database.
    pub database: PathBuf,
    /// The keys of the database.
    pub keys: Keys,
    /// Where browsers may be redirected in the end.
    pub callbacks: AllowList,
    /// The integrations.
    pub catalog: Catalog,
    /// The issuers of callers' tokens.
    pub issuers: Vec<TrustedIssuer>,
}

/// Where the keys are, and which one encrypts new cells.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The key for new cells.
    pub current: KeyId,
    /// Where each key is.
    pub sources: BTreeMap<KeyId, KeySource>,
}

/// The key's file: 32 bytes, raw or in base64.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeySource {
    /// The name of a variable with the key in base64.
    Env(String),
    /// The path of a file.
    File(PathBuf),
}

/// The URL under which browsers reach the service. It is never taken from a Host field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The URL of a path of this service.
    pub fn below(&self, path: &str) -> String {
        format!("{}{BASE_PATH}{path}", self.0)
    }

    /// The URL as text, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The redirect URI to register at the provider, or at an instance that has its own, byte for byte.
    pub fn redirect(&self, integration: &IntegrationName, instance: Option<&InstanceId>) -> Option<BoundRedirect> {
        let instance = instance.map(|id| format!("/{id}")).unwrap_or_default();
        let text = self.below(&format!("/{integration}/callback{instance}"));
        RegisteredRedirect::parse(&text).ok()?.at_its_own_address().ok()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    server: Option<Spanned<ServerTable>>,
    store: Option<Spanned<StoreTable>>,
    keys: Option<Spanned<BTreeMap<String, Spanned<KeyEntry>>>>,
    #[serde(default)]
    jwt: jwt::Tables,
    #[serde(default)]
    callbacks: Option<Spanned<app_callback::Table>>,
    #[serde(default)]
    limits: Option<Spanned<rate::Table>>,
    #[serde(default)]
    integration: Tables,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerTable {
    public_url: Option<Spanned<String>>,
    listen: Option<Spanned<String>>,
    admin: Option<Spanned<String>>,
    #[serde(default)]
    trusted_proxies: Vec<Spanned<String>>,
    session_cookie: Option<Spanned<String>>,
    #[serde(default)]
    query_token: QueryToken,
    #[serde(default)]
    state_mode: StateMode,
    connections: Option<Spanned<usize>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoreTable {
    url: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "neither a key's name nor where its 32 bytes lie: write { file = \"...\" } or { env = \"...\" }"
)]
enum KeyEntry {
    Name(String),
    Source(KeySource),
}

impl Config {
    /// # Errors
    /// The first mistake and its place.
    pub fn parse(text: &str) -> Result<Self, CatalogError> {
        let file: File = toml_edit::de::from_str(text).map_err(|error| CatalogError::of_toml(text, &error))?;
        let missing = |what: &str, remedy: &str| CatalogError {
            place: None,
            what: what.to_owned(),
            remedy: Some(remedy.to_owned()),
        };
        let table =
            |name: &str, remedy: &str| missing(&format!("{name} is missing"), &format!("add: {name} with {remedy}"));
        let server = file.server.ok_or_else(|| table("[server]", "public_url = \"https://connect.example.com\""))?;
        let store = file.store.ok_or_else(|| table("[store]", DATABASE))?;
        let keys = file.keys.ok_or_else(|| table("[keys]", KEYS))?;
        let places = file.integration.places(text);
        let catalog = file.integration.catalog(text)?;
        let (span, server) = (server.span(), server.into_inner());
        let server = server.judged().map_err(|fault| fault.in_table("[server]", span, text))?;
        let database = database(store.get_ref()).map_err(|fault| fault.in_table("[store]", store.span(), text))?;
        let keys = judged_keys(keys.get_ref()).map_err(|fault| fault.in_table("[keys]", keys.span(), text))?;
        let issuers = jwt::issuers(&file.jwt, text)?;
        let known = |namespace: &Namespace| issuers.iter().any(|issuer| issuer.namespace() == namespace);
        let callbacks = match &file.callbacks {
            None => AllowList::default(),
            Some(table) => {
                let list = table.get_ref().allow_list(known);
                list.map_err(|fault| fault.in_table("[callbacks]", table.span(), text))?
            }
        };
        let limits = match &file.limits {
            None => Rates::default(),
            Some(table) => table.get_ref().rates().map_err(|fault| fault.in_table("[limits]", table.span(), text))?,
        };
        if callbacks.is_empty() {
            return Err(missing(
                "no application may be returned to: [callbacks] is missing or empty",
                "add: [callbacks] with allow = [\"https://app.example.com/oauth/\"]",
            ));
        }
        if catalog.iter().len() == 0 {
            return Err(missing("there is no integration", "add a table [integration.NAME]"));
        }
        for integration in catalog.iter() {
            let place = places.get(integration.name.as_str()).copied();
            fit_for_a_service(integration, &server.public_url).map_err(|why| CatalogError { place, ..why })?;
            forwarded_once(integration, &catalog).map_err(|why| CatalogError { place, ..why })?;
        }
        let ServerSettings { public_url, listen, admin, trusted_proxies, session_cookie, query_token, .. } = server;
        let (state_mode, connections) = (server.state_mode, server.connections);
        Ok(Self {
            public_url,
            listen,
            admin,
            trusted_proxies,
            session_cookie,
            query_token,
            state_mode,
            connections,
            limits,
            database,
            keys,
            callbacks,
            catalog,
            issuers,
        })
    }

    /// Resolves relative paths of files against the directory of the configuration.
    pub fn beside(mut self, directory: &Path) -> Self {
        for source in self.keys.sources.values_mut() {
            if let KeySource::File(path) = source {
                *path = directory.join(&path);
            }
        }
        self.issuers.iter_mut().for_each(|issuer| issuer.begin_at(directory));
        Self { catalog: self.catalog.beside(directory), ..self }
    }
}

struct ServerSettings {
    public_url: PublicUrl,
    listen: SocketAddr,
    admin: Option<SocketAddr>,
    trusted_proxies: TrustedProxies,
    session_cookie: Option<String>,
    query_token: QueryToken,
    state_mode: StateMode,
    connections: usize,
}

impl ServerTable {
    fn judged(self) -> Result<ServerSettings, Fault> {
        let network = |text: &Spanned<String>| {
            let fault = || Fault::new("trusted_proxies: not a network", "write it like \"10.0.0.0/8\" or \"::1\"");
            Network::parse(text.get_ref()).ok_or_else(|| fault().at(text))
        };
        let connections = match &self.connections {
            Some(most) if *most.get_ref() == 0 => {
                return Err(Fault::new("connections: none could be served", "write a number above 0").at(most));
            }
            most => most.as_ref().map_or(USUAL_CONNECTIONS, |most| *most.get_ref()),
        };
        let listen = self.listen.as_ref().map(|text| address("listen", text)).transpose()?.unwrap_or(USUAL_ADDRESS);
        let admin = self.admin.as_ref().map(|text| address("admin", text)).transpose()?;
        if let (Some(same), Some(text)) = (admin.filter(|admin| admin.port() != 0 && *admin == listen), &self.admin) {
            let remedy = "write another port: admin = \"127.0.0.1:9090\"";
            return Err(Fault::new(format!("admin: {same} is where the service listens"), remedy).at(text));
        }
        let networks = self.trusted_proxies.iter().map(network).collect::<Result<_, _>>()?;
        Ok(ServerSettings {
            public_url: public_url(self.public_url.as_ref())?,
            listen,
            admin,
            trusted_proxies: TrustedProxies::new(networks, ClientField::XForwardedFor),
            session_cookie: self.session_cookie.as_ref().map(cookie_name).transpose()?,
            query_token: self.query_token,
            state_mode: self.state_mode,
            connections,
        })
    }
}

fn public_url(text: Option<&Spanned<String>>) -> Result<PublicUrl, Fault> {
    const FORM: &str = "write what browsers are to reach: public_url = \"https://connect.example.com\"";
    let text = text.ok_or_else(|| Fault::new("public_url is missing", FORM))?;
    let fault = |why: &dyn std::fmt::Display| Fault::new(format!("public_url: {why}"), FORM).at(text);
    let url = UrlBytes::parse(text.get_ref()).map_err(|why| fault(&why))?;
    // https, or http on this machine.
    Endpoint::parse(text.get_ref()).map_err(|why| fault(&why))?;
    if url.query.is_some() || url.fragment.is_some() {
        return Err(fault(&"it has a query or a fragment"));
    }
    Ok(PublicUrl(text.get_ref().trim_end_matches('/').to_owned()))
}

fn address(name: &str, text: &Spanned<String>) -> Result<SocketAddr, Fault> {
    text.get_ref().parse().map_err(|_| {
        let remedy = format!("write: {name} = \"127.0.0.1:8080\"; 0.0.0.0:8080 or [::]:8080 for every address");
        Fault::new(format!("{name}: not an address and a port"), remedy).at(text)
    })
}

/// A cookie name is a token (RFC 6265 section 4.1.1).
fn cookie_name(text: &Spanned<String>) -> Result<String, Fault> {
    let name = text.get_ref();
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    match !name.is_empty() && name.bytes().all(allowed) {
        true => Ok(name.clone()),
        false => Err(Fault::new("session_cookie: not the name of a cookie", "write letters, digits, - and _").at(text)),
    }
}

fn database(table: &StoreTable) -> Result<PathBuf, Fault> {
    let remedy = format!("write: {DATABASE}");
    let url = table.url.as_ref().ok_or_else(|| Fault::new("url is missing", &remedy))?;
    let fault = |what: &str| Fault::new(what, &remedy).at(url);
    match url.get_ref().strip_prefix(SQLITE) {
        Some(path) if path.starts_with('/') && path.len() > 1 => Ok(PathBuf::from(path)),
        Some(_) => Err(fault("url: a whole path is needed, from its first slash on")),
        None => Err(fault("url: not a database that is known here")),
    }
}

fn judged_keys(table: &BTreeMap<String, Spanned<KeyEntry>>) -> Result<Keys, Fault> {
    let form = format!("write: {KEYS}");
    let (mut current, mut sources) = (None, BTreeMap::new());
    for (name, entry) in table {
        match entry.get_ref() {
            KeyEntry::Name(key) if name == "current" => current = Some((key, entry)),
            KeyEntry::Source(source) if name != "current" => {
                let id = KeyId::parse(name)
                    .ok_or_else(|| Fault::new("a key's name is 1 to 32 of a-z 0-9 . _ -", &form).at(entry))?;
                sources.insert(id, source.clone());
            }
            _ => return Err(Fault::new(format!("{name}: a key never stands in this file"), &form).at(entry)),
        }
    }
    let (key, entry) = current.ok_or_else(|| Fault::new("current is missing", &form))?;
    match KeyId::parse(key).filter(|id| sources.contains_key(id)) {
        Some(current) => Ok(Keys { current, sources }),
        None => Err(Fault::new("current: there is no key of that name", &form).at(entry)),
    }
}

#[cfg(test)]
mod tests;

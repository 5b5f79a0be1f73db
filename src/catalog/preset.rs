//! Presets: what is known of real providers, one file a provider in `presets/`, compiled in.
//!
//! A preset is an `[integration]` table as a user would write it, with `{base_url}` and `{tenant}` where instances
//! differ, and what people need besides: how to register a client, which redirect URIs the provider accepts, how long
//! tokens last, and the source of each fact. Only a preset that is asked for is parsed.

mod template;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::Deserialize;

use super::{CatalogError, DEFAULT_REDIRECT, IntegrationName, file::Table};
pub use template::Instance as PresetInstance;
use template::mentions;

/// Identifier and text of every preset, in alphabetical order.
macro_rules! presets {
    ($($id:literal),* $(,)?) => {
        const PRESETS: &[(&str, &str)] = &[$(($id, include_str!(concat!("presets/", $id, ".toml")))),*];
    };
}

presets![
    "asana",
    "atlassian",
    "auth0",
    "bitbucket",
    "box",
    "cloudflare",
    "digitalocean",
    "discord",
    "dropbox",
    "facebook",
    "figma",
    "fitbit",
    "garmin",
    "gitea",
    "github",
    "gitlab",
    "google",
    "google-workspace",
    "heroku",
    "hubspot",
    "huggingface",
    "iracing",
    "jira-data-center",
    "keycloak",
    "linear",
    "linkedin",
    "microsoft",
    "notion",
    "okta",
    "oura",
    "polar",
    "quickbooks",
    "reddit",
    "salesforce",
    "shopify",
    "slack",
    "slack-user",
    "spotify",
    "strava",
    "twitch",
    "whoop",
    "withings",
    "x",
    "xero",
    "zitadel",
    "zoho",
    "zoom",
];

/// The port that is registered where a provider compares the port, or is not known to ignore it.
pub const FIXED_PORT: u16 = 47128;

/// One provider.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// As in `provider = "..."`.
    #[serde(skip)]
    pub id: &'static str,
    /// What people call it.
    pub name: String,
    /// What users have to know before they choose it.
    #[serde(default)]
    pub notes: Vec<String>,
    integration: Table,
    /// For providers that run at more than one server.
    pub base_url: Option<Variable>,
    /// For providers that tell organizations apart in the path of their endpoints.
    pub tenant: Option<Variable>,
    pub redirect: RedirectPolicy,
    pub registration: Registration,
    pub lifetimes: Lifetimes,
    #[serde(rename = "source")]
    pub sources: Vec<Source>,
}

/// What a template leaves open.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Without one the user has to state it.
    pub default: Option<String>,
    pub example: String,
}

/// Which redirect URIs a provider accepts from a native application (RFC 8252 section 7.3).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedirectPolicy {
    pub loopback: Loopback,
    /// In the order of preference; empty where no source lists them.
    #[serde(default)]
    pub hosts: Vec<PresetHost>,
    #[serde(default)]
    pub register: Spelling,
    pub note: Option<String>,
}

/// How a provider treats redirect URIs on loopback.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Loopback {
    /// The port may differ from the registered one.
    AnyPort,
    /// The port is compared.
    FixedPort,
    /// https only.
    Refused,
    /// No source tells; a fixed port works with either rule.
    Unstated,
}

/// A host of a loopback redirect, as it is written.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum PresetHost {
    #[serde(rename = "localhost")]
    Localhost,
    #[serde(rename = "127.0.0.1")]
    V4,
    #[serde(rename = "[::1]")]
    V6,
}

impl PresetHost {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Localhost => "localhost",
            Self::V4 => "127.0.0.1",
            Self::V6 => "[::1]",
        }
    }
}

/// How the redirect URI is entered at the provider.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Spelling {
    #[default]
    AsWritten,
    /// It is not registered at all: the kind of client implies it.
    Nothing,
    /// `http://127.0.0.1/callback`
    WithoutPort,
}

/// How a client is registered.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// The page or the documentation.
    pub at: String,
    /// Which kind of client or application.
    pub kind: String,
    pub client: ClientKind,
    /// Which scopes there are and which are needed.
    pub scopes: Option<String>,
    /// What brings a refresh token.
    pub refresh: Option<String>,
}

/// Whether a client there has a secret (RFC 6749 section 2.1).
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum ClientKind {
    Confidential,
    Either,
    Public,
}

/// What ends when, in words; a fact without a source is left out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifetimes {
    pub access_token: Option<String>,
    pub refresh_token: Option<String>,
}

/// Where facts were read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub of: Vec<Subject>,
    pub at: String,
    /// `2026-11-27`
    pub read: String,
}

/// What a source is about.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Client authentication and PKCE.
    Client,
    Endpoints,
    Lifetimes,
    /// Parameters and scopes.
    Parameters,
    Redirect,
    /// Where a client is registered, and which kind of client.
    Registration,
    /// Shape of the token response.
    Response,
}

impl Subject {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Endpoints => "endpoints",
            Self::Lifetimes => "lifetimes",
            Self::Parameters => "parameters",
            Self::Redirect => "redirect",
            Self::Registration => "registration",
            Self::Response => "response",
        }
    }
}

/// There is no preset of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownProvider {
    pub name: String,
    pub nearest: Vec<&'static str>,
}

impl fmt::Display for UnknownProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no provider \"{}\"", self.name)
    }
}

impl std::error::Error for UnknownProvider {}

impl UnknownProvider {
    fn new(name: &str) -> Self {
        let mut near: Vec<_> = Preset::ids().collect();
        let contained = |id: &str| id.contains(name) || name.contains(id);
        near.sort_by_key(|id| (!contained(id), strsim::damerau_levenshtein(name, id)));
        near.truncate(3);
        Self { name: name.escape_debug().take(80).collect(), nearest: near }
    }

    /// How to go on.
    pub fn remedy(&self) -> String {
        format!("the nearest are {}; all of them: loopin integration providers", self.nearest.join(", "))
    }
}

impl Preset {
    /// # Errors
    /// There is none of that name.
    pub fn find(id: &str) -> Result<Self, UnknownProvider> {
        let unknown = || UnknownProvider::new(id);
        let at = PRESETS.binary_search_by_key(&id, |(id, _)| id).map_err(|_| unknown())?;
        // That each of them can be read is held by a test.
        PRESETS.get(at).and_then(|(id, text)| Self::parse(id, text).ok()).ok_or_else(unknown)
    }

    /// All of them, in alphabetical order.
    pub fn all() -> impl Iterator<Item = Self> {
        PRESETS.iter().filter_map(|(id, text)| Self::parse(id, text).ok())
    }

    /// In alphabetical order.
    pub fn ids() -> impl Iterator<Item = &'static str> {
        PRESETS.iter().map(|(id, _)| *id)
    }

    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse(id: &'static str, text: &str) -> Result<Self, CatalogError> {
        let preset: Self = toml_edit::de::from_str(text).map_err(|error| CatalogError::of_toml(text, &error))?;
        let fault =
            |what: String| Err(CatalogError { place: None, what: format!("preset {id}: {what}"), remedy: None });
        for (name, variable) in [("base_url", &preset.base_url), ("tenant", &preset.tenant)] {
            let used = preset.integration.templates().any(|text| mentions(text, name));
            match (used, variable) {
                (true, None) => return fault(format!("[{name}] is missing: an endpoint has {{{name}}}")),
                (false, Some(_)) => return fault(format!("[{name}] is not used: no endpoint has {{{name}}}")),
                _ => {}
            }
        }
        if let Some(field) = preset.integration.field_of_a_user() {
            return fault(format!("{field} is for a user to state"));
        }
        Ok(Self { id, ..preset })
    }

    /// The table as it stands in the file, templates included; an empty one stays behind.
    pub(super) fn take_table(&mut self) -> Table {
        std::mem::take(&mut self.integration)
    }

    /// What is kept beside the tokens: members of the token response, then parameters of the callback.
    pub fn kept(&self) -> [Vec<&str>; 2] {
        self.integration.kept()
    }

    /// Which of it identifies the account.
    pub fn account_from(&self) -> Option<&str> {
        self.integration.kept_account()
    }

    /// The redirect that its rules allow, for an integration of this name; without a name as in a table that has no
    /// `redirect_uri`. Behind a relay it is where the relay's route ends.
    pub fn redirect_uri(&self, name: Option<&IntegrationName>) -> String {
        let host = self.redirect.hosts.first().copied().unwrap_or(PresetHost::V4).as_str();
        let port = match self.redirect.loopback {
            Loopback::AnyPort => 0,
            Loopback::FixedPort | Loopback::Refused | Loopback::Unstated => FIXED_PORT,
        };
        let path = DEFAULT_REDIRECT.rsplit_once(":0").map_or("", |(_, path)| path);
        let own = name.map(|name| format!("/{name}")).unwrap_or_default();
        format!("http://{host}:{port}{path}{own}")
    }

    /// Where a client is registered, at this instance or at the provider's own; at an example where there is none.
    pub fn registered_at(&self, base_url: Option<&str>) -> String {
        let own =
            self.base_url.as_ref().map(|variable| variable.default.as_ref().unwrap_or(&variable.example).as_str());
        match base_url.or(own) {
            Some(base_url) => self.registration.at.replace("{base_url}", base_url.trim_end_matches('/')),
            None => self.registration.at.clone(),
        }
    }

    /// `redirect_uri` as it is entered at the provider; `None` if nothing is entered.
    pub fn registered(&self, redirect_uri: &str) -> Option<String> {
        match self.redirect.register {
            Spelling::AsWritten => Some(redirect_uri.to_owned()),
            Spelling::Nothing => None,
            Spelling::WithoutPort => Some(without_port(redirect_uri)),
        }
    }

    /// What is wrong with every redirect on this machine where the provider accepts https only.
    pub fn needs_relay(&self, name: &IntegrationName) -> CatalogError {
        CatalogError {
            place: None,
            what: format!("{} accepts https redirect URIs only, so it cannot redirect to this machine", self.name),
            remedy: Some(format!(
                "run loopin relay on a domain of yours with a route to {}, and write under [integration.{name}]: relay = \
                 \"https://acme.example/cli/{name}\"",
                self.redirect_uri(Some(name))
            )),
        }
    }

    /// Whether it accepts the name localhost before the addresses, or nothing else.
    pub fn prefers_localhost(&self) -> bool {
        self.redirect.hosts.first() == Some(&PresetHost::Localhost)
    }

    /// Whether a listener on this machine may use the host.
    pub fn accepts_host(&self, host: &str) -> bool {
        self.redirect.hosts.is_empty() || self.redirect.hosts.iter().any(|known| known.as_str() == host)
    }
}

/// `http://127.0.0.1:0/callback` as `http://127.0.0.1/callback`.
fn without_port(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else { return uri.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    format!("{scheme}://{host}{path}")
}

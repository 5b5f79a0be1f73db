//! docker's credential helper protocol (docker-credential-helpers): one word as argument, JSON or a bare URL on standard
//! input. Errors go to standard output, in words that docker compares, with exit code 1.

use std::{collections::BTreeMap, fmt, path::Path};

use serde::Deserialize;
use serde_json::json;

use crate::{
    catalog::{BasicUsername, Host, Protocol},
    secret::Secret,
};

/// Largest input, in bytes.
pub const LARGEST: usize = 64 * 1024;
/// What docker calls a helper named `loopin`.
pub const PROGRAM: &str = "docker-credential-loopin";

/// What docker wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Erase,
    Get,
    List,
    /// Ours: the configuration that makes docker call us.
    Setup,
    Store,
    Version,
}

impl Action {
    /// # Errors
    /// No word, or one that is none of docker's.
    pub fn parse(word: Option<&str>) -> Result<Self, DockerError> {
        match word {
            Some("erase") => Ok(Self::Erase),
            Some("get") => Ok(Self::Get),
            Some("list") => Ok(Self::List),
            Some("setup") => Ok(Self::Setup),
            Some("store") => Ok(Self::Store),
            Some("version") => Ok(Self::Version),
            Some(word) => Err(DockerError::UnknownAction(word.escape_debug().take(80).collect())),
            None => Err(DockerError::NoAction),
        }
    }
}

/// The texts of docker-credential-helpers, of which docker knows the first three by heart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DockerError {
    CredentialsNotFound,
    MissingServerUrl,
    MissingUsername,
    Malformed,
    NoAction,
    UnknownAction(String),
}

impl fmt::Display for DockerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CredentialsNotFound => f.write_str("credentials not found in native keychain"),
            Self::MissingServerUrl => f.write_str("no credentials server URL"),
            Self::MissingUsername => f.write_str("no credentials username"),
            Self::Malformed => f.write_str("standard input is not what docker writes"),
            Self::NoAction => write!(f, "Usage: {PROGRAM} <store|get|erase|list|version>"),
            Self::UnknownAction(word) => write!(f, "{PROGRAM}: unknown action: {word}"),
        }
    }
}

impl std::error::Error for DockerError {}

/// A registry as docker names it: often without a scheme, at times with a path (`https://index.docker.io/v1/`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl {
    /// As it came, for docker compares it.
    raw: String,
    /// Unnamed: docker itself takes http for loopback addresses and https for all others.
    protocol: Option<Protocol>,
    authority: String,
}

impl ServerUrl {
    /// # Errors
    /// Empty, or nothing that names a server.
    pub fn parse(input: &[u8]) -> Result<Self, DockerError> {
        let raw = std::str::from_utf8(input).map_err(|_| DockerError::Malformed)?.trim();
        if raw.is_empty() {
            return Err(DockerError::MissingServerUrl);
        }
        if raw.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(DockerError::Malformed);
        }
        let (protocol, rest) = match raw.split_once("://") {
            Some((protocol, rest)) => (Some(Protocol::parse(protocol).ok_or(DockerError::CredentialsNotFound)?), rest),
            None => (None, raw),
        };
        let authority = rest.split('/').next().unwrap_or_default().to_owned();
        Ok(Self { raw: raw.to_owned(), protocol, authority })
    }

    pub fn is_for(&self, host: &Host) -> bool {
        self.protocol.is_none_or(|protocol| protocol == host.protocol()) && host.is_at(&self.authority)
    }

    pub fn authority(&self) -> &str {
        &self.authority
    }
}

/// The answer to `get`.
pub fn credentials(url: &ServerUrl, username: &BasicUsername, token: &Secret) -> Secret {
    let text = |text: &str| json!(text).to_string();
    let (server_url, username, secret) = (text(&url.raw), text(username.as_str()), text(token.expose()));
    Secret::new(format!("{{\"ServerURL\":{server_url},\"Username\":{username},\"Secret\":{secret}}}\n"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Credentials {
    #[serde(default, rename = "ServerURL")]
    server_url: String,
    #[serde(default)]
    username: String,
}

/// For whom docker wants something kept.
///
/// # Errors
/// As docker-credential-helpers says them.
pub fn stored_for(input: &[u8]) -> Result<ServerUrl, DockerError> {
    let credentials: Credentials = serde_json::from_slice(input).map_err(|_| DockerError::Malformed)?;
    let url = ServerUrl::parse(credentials.server_url.as_bytes())?;
    match credentials.username.is_empty() {
        true => Err(DockerError::MissingUsername),
        false => Ok(url),
    }
}

/// The answer to `list`: registry and user name.
pub fn list<'a>(hosts: impl Iterator<Item = (&'a Host, &'a BasicUsername)>) -> String {
    let named: BTreeMap<_, _> = hosts.map(|(host, username)| (host.authority(), username.as_str())).collect();
    format!("{}\n", json!(named))
}

/// The answer to `version`.
pub fn version() -> String {
    format!("{PROGRAM} (loopin) v{}\n", env!("CARGO_PKG_VERSION"))
}

/// An object to merge into ~/.docker/config.json.
pub fn setup<'a>(hosts: impl Iterator<Item = &'a Host>) -> String {
    let helpers: BTreeMap<_, _> = hosts.map(|host| (host.authority(), "loopin")).collect();
    format!("{:#}\n", json!({ "credHelpers": helpers }))
}

/// How docker finds the program.
pub fn link(program: &Path) -> String {
    format!("ln -s '{}' DIRECTORY/{PROGRAM}", program.to_string_lossy().replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests;

//! git's credential helper protocol (gitcredentials(7), git-credential(1) "INPUT/OUTPUT FORMAT").
//!
//! Lines of `key=value`, ended by LF alone; a CR or a NUL is refused wherever it stands (CVE-2024-52006,
//! CVE-2020-5260). Keys that are not known are skipped.

use std::{
    fmt::{self, Write},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    catalog::{BasicUsername, Host, Protocol},
    secret::Secret,
};

/// Largest description that is read, in bytes: four times what git allows for one line.
pub const LARGEST: usize = 256 * 1024;

/// The answer to `capability`.
pub const CAPABILITIES: &str = "version 0\ncapability authtype\n";

/// What git wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Capability,
    Erase,
    Get,
    /// Ours: the configuration that makes git call us.
    Setup,
    Store,
    /// Of a git to come; the protocol wants it passed over in silence.
    Unknown,
}

impl Operation {
    pub fn parse(word: &str) -> Self {
        match word {
            "capability" => Self::Capability,
            "erase" => Self::Erase,
            "get" => Self::Get,
            "setup" => Self::Setup,
            "store" => Self::Store,
            _ => Self::Unknown,
        }
    }
}

/// Whether git understands `authtype` and `credential` (2.46 and newer).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authtype {
    Announced,
    #[default]
    NotAnnounced,
}

/// What git knows about the credential it asks for, or gives back.
#[derive(Debug, Default)]
pub struct Description {
    pub protocol: String,
    /// Name, and port if the URL has one.
    pub host: String,
    pub username: Option<String>,
    pub authtype: Authtype,
    /// Values of the server's `WWW-Authenticate` fields.
    challenges: Vec<String>,
    password: Option<Secret>,
    scheme: Option<String>,
    credential: Option<Secret>,
}

/// Why a description is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    ControlByte,
    NoEqualsSign,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ControlByte => "the description that git gave has a CR or a NUL in it",
            Self::NoEqualsSign => "the description that git gave has a line without \"=\"",
        })
    }
}

impl std::error::Error for Malformed {}

/// Whether nothing more belongs to the description: it ends with an empty line.
pub fn is_whole(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\n") || bytes.windows(2).any(|pair| pair == b"\n\n")
}

impl Description {
    /// # Errors
    /// Bytes that git never sends.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.iter().any(|byte| [b'\r', 0].contains(byte)) {
            return Err(Malformed::ControlByte);
        }
        let mut found = Self::default();
        for line in bytes.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty()) {
            // What is not UTF-8 equals no host and no account.
            let line = String::from_utf8_lossy(line);
            let (key, value) = line.split_once('=').ok_or(Malformed::NoEqualsSign)?;
            let text = || value.to_owned();
            match key {
                "protocol" => found.protocol = text(),
                "host" => found.host = text(),
                "username" => found.username = Some(text()).filter(|name| !name.is_empty()),
                "password" => found.password = Some(Secret::new(text())),
                "authtype" => found.scheme = Some(text()),
                "credential" => found.credential = Some(Secret::new(text())),
                "capability[]" if value == "authtype" => found.authtype = Authtype::Announced,
                "capability[]" if value.is_empty() => found.authtype = Authtype::NotAnnounced,
                "wwwauth[]" if value.is_empty() => found.challenges.clear(),
                "wwwauth[]" => found.challenges.push(text()),
                _ => {}
            }
        }
        Ok(found)
    }

    pub fn is_for(&self, host: &Host) -> bool {
        Protocol::parse(&self.protocol) == Some(host.protocol()) && host.is_at(&self.host)
    }

    /// The access token in a credential that git gives back.
    pub fn token(&self) -> Option<Secret> {
        match (&self.scheme, &self.credential) {
            (Some(scheme), Some(credential)) if scheme.eq_ignore_ascii_case("basic") => {
                let pair = String::from_utf8(STANDARD.decode(credential.expose()).ok()?).ok()?;
                pair.split_once(':').map(|(_, password)| Secret::new(password.to_owned()))
            }
            (_, Some(credential)) => Some(credential.clone()),
            _ => self.password.clone(),
        }
    }

    /// The answer to `get`. With `authtype` it is one that no other helper may keep; a server that asks for Basic and
    /// not for Bearer gets that.
    ///
    /// # Errors
    /// The token has a byte that no line of this protocol carries.
    pub fn answer(
        &self,
        username: &BasicUsername,
        token: &Secret,
        expires_at: Option<SystemTime>,
    ) -> Result<Secret, UnspeakableToken> {
        let bare = token.expose();
        if bare.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(UnspeakableToken);
        }
        let username = username.as_str();
        let mut text = match (self.authtype, self.wants_bearer()) {
            (Authtype::Announced, Bearer::Wanted) => {
                format!("capability[]=authtype\nauthtype=Bearer\ncredential={bare}\nephemeral=1\n")
            }
            (Authtype::Announced, Bearer::Unwanted) => {
                let pair = STANDARD.encode(format!("{username}:{bare}"));
                format!("capability[]=authtype\nauthtype=Basic\ncredential={pair}\nephemeral=1\n")
            }
            (Authtype::NotAnnounced, _) => format!("username={username}\npassword={bare}\n"),
        };
        if let Some(end) = expires_at {
            let seconds = end.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            let _ = writeln!(text, "password_expiry_utc={seconds}");
        }
        Ok(Secret::new(text))
    }

    fn wants_bearer(&self) -> Bearer {
        let offered = |scheme: &str| self.challenges.iter().any(|challenge| offers(challenge, scheme));
        if offered("basic") && !offered("bearer") { Bearer::Unwanted } else { Bearer::Wanted }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bearer {
    Unwanted,
    Wanted,
}

/// Whether a `WWW-Authenticate` value offers the scheme, which begins it or follows a comma (RFC 9110 section 11.6.1).
fn offers(challenge: &str, scheme: &str) -> bool {
    // What stands in quotes is a parameter's value.
    let unquoted: String = challenge.split('"').step_by(2).collect();
    unquoted.split(',').any(|part| {
        let word = part.trim_start().split([' ', '\t']).next().unwrap_or_default();
        word.eq_ignore_ascii_case(scheme)
    })
}

/// A token with a control byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnspeakableToken;

impl fmt::Display for UnspeakableToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stored token has a control byte in it and is not handed out")
    }
}

impl std::error::Error for UnspeakableToken {}

/// Lines for ~/.gitconfig. The empty helper takes away those that would keep the token.
pub fn setup<'a>(program: &Path, arguments: &str, hosts: impl Iterator<Item = &'a Host>) -> String {
    let program = program.to_string_lossy().replace('\'', "'\\''");
    let command = format!("!'{program}' {arguments}").replace('\\', "\\\\").replace('"', "\\\"");
    hosts.map(|host| format!("[credential \"{host}\"]\n\thelper =\n\thelper = \"{command}\"\n")).collect()
}

#[cfg(test)]
mod tests;

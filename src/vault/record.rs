//! The stored form of a grant: versioned JSON.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroize;

use super::{ItemName, StoreError};
use crate::{
    oauth::{
        AuthenticationMethod, AuthorizationServer, ClientId, Endpoint, Expiry, GrantMetadata, GrantTokens, Issuer,
        NoCommonMethod, Scopes, TokenSet, TokenType,
    },
    secret::{SealKey, Secret},
};

const VERSION: u64 = 1;

/// The endpoints of the grant, as they were at the login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// The issuer, if one is configured or discovered.
    pub issuer: Option<Issuer>,
    /// Where the grant is refreshed.
    pub token_endpoint: Endpoint,
    /// Where the grant is revoked; `None` if the server has no such endpoint.
    pub revocation_endpoint: Option<Endpoint>,
    /// The client that the grant was made for.
    pub client_id: ClientId,
    /// How a client secret is sent there unless the configuration says it, as the metadata said at the login.
    pub authentication_method: AuthenticationMethod,
}

/// What the user authorized.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The requested scopes.
    pub asked: Scopes,
    /// The scopes of the response, otherwise the requested ones.
    pub granted: Scopes,
    /// The access token.
    pub access_token: Secret,
    /// The type of the access token.
    pub token_type: TokenType,
    /// When the access token expires.
    pub expiry: Expiry,
    /// The refresh token, if the provider issued one.
    pub refresh_token: Option<Secret>,
    /// When the refresh token ends, if the provider returned that.
    pub refreshable_until: Option<SystemTime>,
    /// The id_token, if there was one.
    pub id_token: Option<Secret>,
    /// `sub` of the id_token.
    pub subject: Option<String>,
    /// What the provider sent beside the tokens, as far as it is kept.
    pub metadata: GrantMetadata,
    /// When the tokens arrived.
    pub obtained_at: SystemTime,
}

/// A grant as it is stored.
#[derive(Clone, Debug)]
pub struct Record {
    /// Decrypts the files of this grant. Created at the login, kept when tokens rotate.
    pub seal_key: SealKey,
    /// Counts writes; the vault sets it.
    pub generation: u64,
    /// The endpoints of the grant.
    pub pinned: Pinned,
    /// The tokens and what they are good for.
    pub grant: Grant,
}

impl Grant {
    /// The grant of a token response, for the requested scopes.
    pub fn new(tokens: TokenSet, asked: Scopes) -> Self {
        Self {
            granted: tokens.granted.unwrap_or_else(|| asked.clone()),
            asked,
            access_token: tokens.access_token,
            token_type: tokens.token_type,
            expiry: tokens.expiry.beside(tokens.refresh_token.as_ref()),
            refresh_token: tokens.refresh_token,
            refreshable_until: tokens.refreshable_until,
            id_token: tokens.id_token,
            subject: tokens.claims.map(|c| c.sub),
            metadata: tokens.metadata,
            obtained_at: tokens.obtained_at,
        }
    }

    /// The tokens for a revocation.
    pub fn tokens(&self) -> GrantTokens<'_> {
        GrantTokens { access: &self.access_token, refresh: self.refresh_token.as_ref() }
    }
}

impl Pinned {
    /// The endpoints of a login; `issuer_of_tokens` is used if the server has no issuer.
    pub fn new(server: &AuthorizationServer, client_id: &ClientId, issuer_of_tokens: Option<&str>) -> Self {
        let issuer = server.issuer.clone().or_else(|| Issuer::parse(issuer_of_tokens?).ok());
        Self {
            issuer,
            token_endpoint: server.token_endpoint.clone(),
            revocation_endpoint: server.revocation_endpoint.clone(),
            client_id: client_id.clone(),
            // A client with a secret was refused before where none is in common.
            authentication_method: match server.authentication_methods.choose() {
                Ok(method) => method,
                Err(NoCommonMethod { .. }) => AuthenticationMethod::Basic,
            },
        }
    }
}

/// Why stored bytes are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The bytes cannot be parsed.
    #[error("damaged")]
    Damaged,
    /// A newer version wrote this format.
    #[error("made by a newer program (format {0})")]
    Newer(u64),
}

impl From<RecordError> for StoreError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Damaged => Self::Damaged { kept_as: None },
            RecordError::Newer(version) => Self::Newer { version },
        }
    }
}

/// For reading and writing only: no other type with secrets uses serde.
#[derive(Deserialize, Serialize, Zeroize)]
struct Stored {
    v: u64,
    seal_key: String,
    generation: u64,
    issuer: Option<String>,
    token_endpoint: String,
    revocation_endpoint: Option<String>,
    client_id: String,
    #[serde(default)]
    authentication_method: Option<String>,
    asked: String,
    granted: String,
    access_token: String,
    token_type: String,
    /// In seconds, as earlier versions wrote and read it.
    expires_at: u64,
    #[serde(default)]
    expires_at_ms: Option<u64>,
    #[serde(default)]
    expiry_assumed: bool,
    refresh_token: Option<String>,
    #[serde(default)]
    refreshable_until: Option<u64>,
    id_token: Option<String>,
    subject: Option<String>,
    /// JSON. Earlier versions neither wrote nor read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metadata: Option<String>,
    obtained_at: u64,
    #[serde(default)]
    obtained_at_ms: Option<u64>,
}

#[derive(Deserialize)]
struct Version {
    v: u64,
    /// A newer version may give it another meaning.
    #[serde(default)]
    spilled: Value,
}

#[derive(Deserialize, Serialize, Zeroize)]
struct StoredSpill {
    v: u64,
    spilled: bool,
    seal_key: String,
    generation: u64,
    sha256: String,
}

/// The content of an item: the record, or a reference to its file.
pub(super) enum Envelope {
    Whole(Record),
    Spilled(Spilled),
}

/// A record that was too large for its item is encrypted in a file; the item contains its key.
pub(super) struct Spilled {
    pub seal_key: SealKey,
    pub generation: u64,
    /// The generation of the file, so that a file of another generation is never used.
    pub sha256: [u8; 32],
}

impl Record {
    /// The record as JSON, with its secrets.
    pub fn serialize(&self) -> Secret {
        let Self { seal_key, generation, pinned, grant } = self;
        let text = |secret: &Secret| secret.expose().to_owned();
        let mut stored = Stored {
            v: VERSION,
            seal_key: STANDARD.encode(seal_key.expose()),
            generation: *generation,
            issuer: pinned.issuer.as_ref().map(|i| i.as_str().to_owned()),
            token_endpoint: pinned.token_endpoint.as_str().to_owned(),
            revocation_endpoint: pinned.revocation_endpoint.as_ref().map(|e| e.as_str().to_owned()),
            client_id: pinned.client_id.as_str().to_owned(),
            authentication_method: Some(pinned.authentication_method.as_str().to_owned()),
            asked: grant.asked.to_string(),
            granted: grant.granted.to_string(),
            access_token: text(&grant.access_token),
            token_type: grant.token_type.as_str().to_owned(),
            expires_at: unix(grant.expiry.stored_end(grant.obtained_at)),
            expires_at_ms: Some(millis(grant.expiry.stored_end(grant.obtained_at))),
            expiry_assumed: !grant.expiry.is_stated(),
            refresh_token: grant.refresh_token.as_ref().map(text),
            refreshable_until: grant.refreshable_until.map(unix),
            id_token: grant.id_token.as_ref().map(text),
            subject: grant.subject.clone(),
            metadata: (!grant.metadata.is_empty()).then(|| text(&Secret::json(&grant.metadata))),
            obtained_at: unix(grant.obtained_at),
            obtained_at_ms: Some(millis(grant.obtained_at)),
        };
        let json = Secret::json(&stored);
        stored.zeroize();
        json
    }

    /// # Errors
    /// The bytes are damaged, or a newer version wrote them.
    pub fn parse(text: &Secret) -> Result<Self, RecordError> {
        match Envelope::parse(text)? {
            Envelope::Whole(record) => Ok(record),
            Envelope::Spilled(_) => Err(RecordError::Damaged),
        }
    }
}

impl Envelope {
    pub fn generation(&self) -> u64 {
        match self {
            Self::Whole(record) => record.generation,
            Self::Spilled(spilled) => spilled.generation,
        }
    }

    pub fn parse(text: &Secret) -> Result<Self, RecordError> {
        let damaged = |_| RecordError::Damaged;
        let version: Version = serde_json::from_str(text.expose()).map_err(damaged)?;
        if version.v > VERSION {
            return Err(RecordError::Newer(version.v));
        }
        if version.spilled == Value::Bool(true) {
            let mut stored: StoredSpill = serde_json::from_str(text.expose()).map_err(damaged)?;
            let spilled = Spilled {
                seal_key: SealKey::new(bytes(&stored.seal_key)?),
                generation: stored.generation,
                sha256: bytes(&stored.sha256)?,
            };
            stored.zeroize();
            return Ok(Self::Spilled(spilled));
        }
        let stored: Stored = serde_json::from_str(text.expose()).map_err(damaged)?;
        stored.record().map(Self::Whole)
    }
}

impl Stored {
    fn record(self) -> Result<Record, RecordError> {
        let endpoint = |text: &str| Endpoint::parse(text).map_err(|_| RecordError::Damaged);
        let scopes = |text: &str| Scopes::parse(text).map_err(|_| RecordError::Damaged);
        let expires_at = exact(self.expires_at, self.expires_at_ms).ok_or(RecordError::Damaged)?;
        let stated = if self.expiry_assumed { Expiry::Assumed(expires_at) } else { Expiry::At(expires_at) };
        let refresh_token = self.refresh_token.map(Secret::new);
        Ok(Record {
            seal_key: SealKey::new(bytes(&self.seal_key)?),
            generation: self.generation,
            pinned: Pinned {
                issuer: self.issuer.as_deref().map(Issuer::parse).transpose().map_err(|_| RecordError::Damaged)?,
                token_endpoint: endpoint(&self.token_endpoint)?,
                revocation_endpoint: self.revocation_endpoint.as_deref().map(endpoint).transpose()?,
                client_id: ClientId::parse(&self.client_id).ok_or(RecordError::Damaged)?,
                authentication_method: match self.authentication_method.as_deref() {
                    // Of an earlier version, which knew no other.
                    None => AuthenticationMethod::Basic,
                    Some(name) => AuthenticationMethod::parse(name).ok_or(RecordError::Damaged)?,
                },
            },
            grant: Grant {
                asked: scopes(&self.asked)?,
                granted: scopes(&self.granted)?,
                access_token: Secret::new(self.access_token),
                token_type: if self.token_type == "Bearer" {
                    TokenType::Bearer
                } else {
                    TokenType::Other(self.token_type)
                },
                expiry: stated.beside(refresh_token.as_ref()),
                refresh_token,
                refreshable_until: self.refreshable_until.and_then(time),
                id_token: self.id_token.map(Secret::new),
                subject: self.subject,
                metadata: match self.metadata {
                    None => GrantMetadata::default(),
                    Some(text) => serde_json::from_str(&text).map_err(|_| RecordError::Damaged)?,
                },
                obtained_at: exact(self.obtained_at, self.obtained_at_ms).ok_or(RecordError::Damaged)?,
            },
        })
    }
}

impl Spilled {
    pub fn serialize(&self) -> Secret {
        let mut stored = StoredSpill {
            v: VERSION,
            spilled: true,
            seal_key: STANDARD.encode(self.seal_key.expose()),
            generation: self.generation,
            sha256: STANDARD.encode(self.sha256),
        };
        let json = Secret::json(&stored);
        stored.zeroize();
        json
    }

    pub const SUFFIX: &str = ".grant";

    /// The name is derived from the content, so that two writers never share a file.
    pub fn file(&self, name: &ItemName) -> String {
        let content: String = self.sha256[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}.{}.{content}{}", name.hash(), self.generation, Self::SUFFIX)
    }
}

impl Pinned {
    /// Whether a stored grant still fits the configuration.
    pub fn fits(&self, client_id: &ClientId, token_endpoint: Option<&Endpoint>, issuer: Option<&Issuer>) -> bool {
        self.client_id == *client_id
            && token_endpoint.is_none_or(|e| *e == self.token_endpoint)
            && issuer.is_none_or(|i| self.issuer.as_ref() == Some(i))
    }
}

/// Seconds since 1970; 0 for an earlier time.
pub(crate) fn unix(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn millis(time: SystemTime) -> u64 {
    let whole = |since: Duration| since.as_secs().saturating_mul(1000).saturating_add(since.subsec_millis().into());
    time.duration_since(UNIX_EPOCH).map_or(0, whole)
}

/// To the millisecond, if that agrees with the seconds: an earlier version changes only these.
fn exact(seconds: u64, millis: Option<u64>) -> Option<SystemTime> {
    match millis {
        Some(millis) if millis / 1000 == seconds => UNIX_EPOCH.checked_add(Duration::from_millis(millis)),
        _ => time(seconds),
    }
}

fn time(seconds: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

fn bytes(text: &str) -> Result<[u8; 32], RecordError> {
    STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(RecordError::Damaged)
}

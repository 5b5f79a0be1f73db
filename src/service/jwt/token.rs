//! The compact serialization of a signed token (RFC 7515 section 3.1), parsed but not verified yet.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;

use super::{Algorithm, Refused};
use crate::oauth::JsonObject;

/// Longest token in bytes.
pub const LONGEST: usize = 8 * 1024;

/// Longest `kid` in bytes. It is only compared with the issuer's keys.
const LONGEST_KID: usize = 256;

#[derive(Debug)]
pub(super) struct Token<'t> {
    pub algorithm: Algorithm,
    pub kid: Option<String>,
    pub typ: Option<String>,
    /// The bytes that the signature covers.
    pub signed: &'t [u8],
    pub signature: Vec<u8>,
    pub claims: Members,
}

impl<'t> Token<'t> {
    pub fn parse(text: &'t str) -> Result<Self, Refused> {
        let (signed, signature) = text.rsplit_once('.').ok_or(Refused::NotAToken)?;
        let (header, payload) = signed.split_once('.').ok_or(Refused::NotAToken)?;
        // A dot is in no base64 alphabet, so tokens with five parts (encrypted, RFC 7516) are rejected here too.
        let header: Members = decode(header)?;
        if header.0.contains_key("crit") {
            return Err(Refused::Critical);
        }
        let algorithm = header.text("alg").map_err(|_| Refused::Algorithm)?.ok_or(Refused::Algorithm)?;
        let algorithm = Algorithm::parse(algorithm).ok_or(Refused::Algorithm)?;
        // A nested token (RFC 7519 section 5.2) contains no claims of its own.
        if header.0.contains_key("cty") {
            return Err(Refused::Type);
        }
        let kid = header.text("kid").map_err(|_| Refused::UnknownKey)?;
        if kid.is_some_and(|kid| kid.len() > LONGEST_KID) {
            return Err(Refused::UnknownKey);
        }
        let typ = header.text("typ").map_err(|_| Refused::Type)?;
        Ok(Self {
            algorithm,
            kid: kid.map(str::to_owned),
            typ: typ.map(str::to_owned),
            signed: signed.as_bytes(),
            signature: URL_SAFE_NO_PAD.decode(signature).map_err(|_| Refused::NotAToken)?,
            claims: decode(payload)?,
        })
    }
}

fn decode(part: &str) -> Result<Members, Refused> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::NotAToken)?;
    serde_json::from_slice(&bytes).map_err(|_| Refused::NotAToken)
}

/// The members of a header or a payload.
#[derive(Debug, Deserialize)]
#[serde(from = "JsonObject")]
pub(super) struct Members(BTreeMap<String, Value>);

impl From<JsonObject> for Members {
    fn from(object: JsonObject) -> Self {
        Self(object.0)
    }
}

/// The member exists with another type.
#[derive(Debug)]
pub(super) struct OtherKind;

impl Members {
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub fn text(&self, name: &str) -> Result<Option<&str>, OtherKind> {
        self.0.get(name).map(|value| value.as_str().ok_or(OtherKind)).transpose()
    }
}

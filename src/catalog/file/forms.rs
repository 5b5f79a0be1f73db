//! Values that can be written in several forms.

use std::fmt;

use serde::{
    Deserialize,
    de::{
        self, Deserializer, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};
use serde_spanned::Spanned;

use crate::{
    catalog::{SecretSource, SharedRedirect},
    oauth::IssParameter,
};

#[derive(Debug)]
pub(super) struct OneOrMany(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = OneOrMany;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a redirect URI or a list of them")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany(vec![text.to_owned()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<OneOrMany, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(OneOrMany)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Another instance of the provider: its server only, or with the client that is registered there.
#[derive(Debug)]
pub(super) struct BaseEntry(pub(super) InstanceTable);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InstanceTable {
    pub(super) url: String,
    pub(super) client_id: Option<Spanned<String>>,
    pub(super) client_secret: Option<SecretSource>,
    #[serde(default)]
    pub(super) shared_redirect: SharedRedirect,
    #[serde(default, rename = "authorization_response_iss_parameter_supported")]
    pub(super) iss_parameter: IssParameter,
}

impl InstanceTable {
    fn server(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            client_id: None,
            client_secret: None,
            shared_redirect: SharedRedirect::default(),
            iss_parameter: IssParameter::default(),
        }
    }
}

impl<'de> Deserialize<'de> for BaseEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = BaseEntry;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a server, or a table with url, client_id and client_secret")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<BaseEntry, E> {
                Ok(BaseEntry(InstanceTable::server(text)))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BaseEntry, A::Error> {
                InstanceTable::deserialize(MapAccessDeserializer::new(map)).map(BaseEntry)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Servers among which the authorization response chooses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenServersTable {
    pub(super) parameter: Spanned<String>,
    pub(super) origins: Vec<Spanned<String>>,
}

const SECRET_FORM: &str =
    "a secret never stands in this file: write { keychain = true }, { file = \"...\" } or { env = \"...\" }";

/// Read by hand, because serde's errors would quote a secret that was written here.
impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Source;
        impl<'de> Visitor<'de> for Source {
            type Value = SecretSource;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(SECRET_FORM)
            }
            fn visit_str<E: de::Error>(self, _: &str) -> Result<SecretSource, E> {
                Err(E::custom(SECRET_FORM))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretSource, A::Error> {
                let form = |_| de::Error::custom(SECRET_FORM);
                let source = match map.next_key::<String>().map_err(form)?.as_deref() {
                    Some("keychain") if map.next_value::<bool>().map_err(form)? => SecretSource::Store,
                    Some("file") => SecretSource::File(map.next_value().map_err(form)?),
                    Some("env") => SecretSource::Environment(map.next_value().map_err(form)?),
                    _ => return Err(de::Error::custom(SECRET_FORM)),
                };
                match map.next_key::<String>().map_err(form)? {
                    None => Ok(source),
                    Some(_) => Err(de::Error::custom(SECRET_FORM)),
                }
            }
        }
        // serde would quote a number.
        deserializer.deserialize_any(Source).map_err(|_| de::Error::custom(SECRET_FORM))
    }
}

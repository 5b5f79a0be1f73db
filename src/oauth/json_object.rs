//! A JSON object and the names that occur in it twice, for token responses and for JWTs (RFC 7519 section 4).

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::Value;

/// The members of a JSON object. A name that occurs twice is an error: which of the two counts would depend on the parser.
#[derive(Debug)]
pub struct JsonObject(pub BTreeMap<String, Value>);

/// The members of an object whose names occur once, and the other names.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub(super) fields: BTreeMap<String, Value>,
    pub(super) twice: BTreeSet<String>,
}

impl Members {
    pub(super) fn add(&mut self, name: String, value: Value) {
        if self.twice.contains(&name) {
            return;
        }
        if self.fields.remove(&name).is_some() {
            self.twice.insert(name);
        } else {
            self.fields.insert(name, value);
        }
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Members::default();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    members.add(name, value);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Members { fields, twice } = Members::deserialize(deserializer)?;
        match twice.is_empty() {
            true => Ok(Self(fields)),
            false => Err(D::Error::custom("a name occurs twice")),
        }
    }
}

//! `providers`: a list of names, or any.

use std::fmt;

use serde::{
    Deserialize,
    de::{self, Deserializer, SeqAccess, Visitor, value::SeqAccessDeserializer},
};

use crate::{
    catalog::Fault,
    relay::{Name, Providers},
};

pub(super) enum Wanted {
    List(Vec<String>),
    Text(String),
}

impl Wanted {
    pub(super) fn parse(&self) -> Result<Providers, Fault> {
        let names = match self {
            Self::Text(text) if text == "*" => return Ok(Providers::Any),
            Self::Text(_) => return Err(Fault::new("providers: a list is wanted", "write [\"acme_fit\"], or \"*\"")),
            Self::List(names) => names,
        };
        if names.is_empty() {
            return Err(Fault::new("providers is an empty list", "name one, or write \"*\" for any name"));
        }
        let parse = |text: &String| {
            let shown: String = text.escape_debug().take(80).collect();
            let fault = || Fault::new(format!("providers: \"{shown}\" is not a name"), "use 1 to 64 of a-z 0-9 _ -");
            Name::parse(text).ok_or_else(fault)
        };
        Ok(Providers::Listed(names.iter().map(parse).collect::<Result<_, _>>()?))
    }
}

impl<'de> Deserialize<'de> for Wanted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Wanted;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of providers, or \"*\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Wanted, E> {
                Ok(Wanted::Text(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Wanted, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Wanted::List)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

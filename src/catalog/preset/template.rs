//! `{base_url}` and `{tenant}` in the endpoints of a preset.

use std::fmt;

use super::Preset;
use crate::oauth::{Endpoint, EndpointError};

/// Which instance of a provider is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    /// Without a slash at its end.
    base_url: Option<String>,
    tenant: Option<String>,
}

/// What the user has to state, with an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingVariable {
    pub name: &'static str,
    pub example: String,
}

/// Not a name or an identifier of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadTenant;

impl fmt::Display for BadTenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("letters, digits, dots and hyphens only")
    }
}

impl std::error::Error for BadTenant {}

impl Instance {
    /// `base_url`: https, without a query; a path is part of it.
    ///
    /// # Errors
    /// Not an address that credentials may be sent to.
    pub fn at(self, base_url: &str) -> Result<Self, EndpointError> {
        Endpoint::parse(base_url)?;
        match base_url.contains(['?', '{', '}']) {
            true => Err(EndpointError::UnsafeCharacter),
            false => Ok(Self { base_url: Some(base_url.trim_end_matches('/').to_owned()), ..self }),
        }
    }

    /// # Errors
    /// A character that could change the path.
    pub fn of_tenant(self, tenant: &str) -> Result<Self, BadTenant> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-.".contains(&b);
        match !tenant.is_empty() && tenant.len() <= 253 && tenant.bytes().all(plain) && !tenant.starts_with('.') {
            true => Ok(Self { tenant: Some(tenant.to_owned()), ..self }),
            false => Err(BadTenant),
        }
    }

    /// With the defaults of the preset where nothing is stated.
    ///
    /// # Errors
    /// The preset has no default.
    pub fn completed(self, preset: &Preset) -> Result<Self, MissingVariable> {
        let complete = |name, stated: Option<String>, variable: &Option<super::Variable>| match (stated, variable) {
            (None, Some(variable)) => match &variable.default {
                Some(default) => Ok(Some(default.clone())),
                None => Err(MissingVariable { name, example: variable.example.clone() }),
            },
            (stated, _) => Ok(stated),
        };
        Ok(Self {
            base_url: complete("base_url", self.base_url, &preset.base_url)?,
            tenant: complete("tenant", self.tenant, &preset.tenant)?,
        })
    }

    /// The text with its variables filled in.
    pub fn fill(&self, template: &str) -> String {
        [("base_url", &self.base_url), ("tenant", &self.tenant)].into_iter().fold(
            template.to_owned(),
            |text, (name, value)| match value {
                Some(value) => text.replace(&format!("{{{name}}}"), value),
                None => text,
            },
        )
    }
}

/// Whether the text has this variable.
pub(super) fn mentions(text: &str, name: &str) -> bool {
    text.contains(&format!("{{{name}}}"))
}

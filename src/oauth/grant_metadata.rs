//! What a provider sends beside the tokens and an application needs, such as the identifier of a company or the address
//! of its API: which of it is kept with a grant, and the values.
//!
//! The values are the provider's. Those of the callback came through the user's browser, where the user can change them:
//! they address an API, and prove nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::form_urlencoded;

use super::{
    MemberPath, answer::reserved_in_answers, error_response::OwnSecrets, normalise::Fields, remote_text::printable,
};
use crate::secret::Secret;

/// Values from one place, at most.
const MOST: usize = 16;
/// Longest name, in bytes.
const LONGEST_NAME: usize = 128;
/// Longest text that is kept, in bytes. A longer one is left out, since a part of an address is none.
const LONGEST_TEXT: usize = 1024;
/// Numbers from here on may have lost digits when they were read (IEEE 754 binary64).
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// Names that only the flow may use, beside the parameters of the authorization response.
const OF_THE_FLOW: [&str; 5] = ["assertion", "client_assertion", "code_verifier", "nonce", "password"];

/// What is kept with a grant. The default is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeepRules {
    from_token: Vec<MemberPath>,
    from_callback: Vec<String>,
    account: Option<String>,
}

/// Why a value cannot be kept under this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeepError {
    /// Nothing of that name is kept.
    #[error("nothing of that name is kept")]
    NotKept,
    #[error("it is not a name: letters, digits and _ - . only")]
    NotAName,
    #[error("it is a token, a secret or a part of the sign-in")]
    Secret,
    #[error("at most 16 values are kept")]
    TooMany,
    #[error("it is named twice")]
    Twice,
}

impl KeepRules {
    /// Keeps a member of the token response: its name, or the names that lead to it, separated by dots.
    ///
    /// # Errors
    /// It is no such name, or its value must not be kept.
    pub fn keep_from_token(&mut self, path: &str) -> Result<(), KeepError> {
        let parsed = MemberPath::parse(path).filter(|_| path.len() <= LONGEST_NAME).ok_or(KeepError::NotAName)?;
        self.admit(path, self.from_token.len())?;
        self.from_token.push(parsed);
        Ok(())
    }

    /// Keeps a parameter of the authorization response.
    ///
    /// # Errors
    /// It is no such name, or its value must not be kept.
    pub fn keep_from_callback(&mut self, name: &str) -> Result<(), KeepError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
        if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(plain) {
            return Err(KeepError::NotAName);
        }
        self.admit(name, self.from_callback.len())?;
        self.from_callback.push(name.to_owned());
        Ok(())
    }

    /// Which of the kept values identifies the account.
    ///
    /// # Errors
    /// Nothing of that name is kept.
    pub fn account_from(&mut self, name: &str) -> Result<(), KeepError> {
        if !self.names().any(|kept| kept == name) {
            return Err(KeepError::NotKept);
        }
        self.account = Some(name.to_owned());
        Ok(())
    }

    fn admit(&self, name: &str, before: usize) -> Result<(), KeepError> {
        match () {
            () if is_secret(name) => Err(KeepError::Secret),
            () if self.names().any(|kept| kept == name) => Err(KeepError::Twice),
            () if before >= MOST => Err(KeepError::TooMany),
            () => Ok(()),
        }
    }

    /// Every name, those of the callback first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.from_callback.iter().map(String::as_str).chain(self.from_token.iter().map(MemberPath::as_str))
    }

    /// Whether a parameter of the authorization response is kept.
    pub(super) fn keeps_from_callback(&self, name: &str) -> bool {
        self.from_callback.iter().any(|kept| kept == name)
    }

    /// The values in a token response whose members are `fields`. What repeats a secret of the request is left out.
    pub(super) fn of_response(&self, fields: &Fields, secrets: &OwnSecrets) -> GrantMetadata {
        let kept = |path: &MemberPath| {
            let value = MetadataValue::read(path.of(|name| fields.get(name))?)?;
            (!secrets.hold(&value.to_string())).then(|| (path.as_str().to_owned(), value))
        };
        GrantMetadata { values: self.from_token.iter().filter_map(kept).collect(), account: self.account.clone() }
    }

    /// The values in the query of a callback, which the caller has found to belong to the login. A parameter that occurs
    /// twice has no value (RFC 6749 section 3.1).
    pub(super) fn of_callback(&self, query: &str) -> GrantMetadata {
        let (mut values, mut twice) = (BTreeMap::new(), BTreeSet::new());
        if !self.from_callback.is_empty() {
            for (name, value) in form_urlencoded::parse(query.as_bytes()).filter(|(n, _)| self.keeps_from_callback(n)) {
                if values.insert(name.clone().into_owned(), Value::from(&*value)).is_some() {
                    twice.insert(name.into_owned());
                }
            }
        }
        let kept = |(name, value): (String, Value)| {
            (!twice.contains(&name)).then(|| MetadataValue::read(&value)).flatten().map(|value| (name, value))
        };
        GrantMetadata { values: values.into_iter().filter_map(kept).collect(), account: self.account.clone() }
    }
}

/// By the last of the names that lead to it.
fn is_secret(path: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or(path).to_ascii_lowercase();
    let of_the_flow = [path, &name].into_iter().any(|name| reserved_in_answers(name) || OF_THE_FLOW.contains(&name));
    of_the_flow || name.ends_with("token") || name.ends_with("secret")
}

/// What a provider sent beside the tokens, by name. It is stored like the tokens: some of it gives access, such as the URL
/// of a webhook.
#[derive(Clone, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct GrantMetadata {
    #[serde(default)]
    values: BTreeMap<String, MetadataValue>,
    /// The name of the value that identifies the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<String>,
}

impl GrantMetadata {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value of this name, such as `realmId` or `team.id`.
    pub fn get(&self, name: &str) -> Option<&MetadataValue> {
        self.values.get(name)
    }

    /// Every value by its name.
    pub fn values(&self) -> &BTreeMap<String, MetadataValue> {
        &self.values
    }

    /// The value that identifies the account, if the integration names one and the provider sent it.
    pub fn account(&self) -> Option<&MetadataValue> {
        self.get(self.account.as_deref()?)
    }

    /// Who has signed in, as the provider identifies accounts: the value of [`GrantMetadata::account`], else the `sub` of
    /// the id_token.
    pub fn account_or(&self, subject: Option<&str>) -> Option<String> {
        self.account().map(ToString::to_string).or_else(|| subject.map(str::to_owned))
    }

    /// With the values of a newer response in place of those of the same name.
    #[must_use]
    pub fn updated_by(mut self, newer: Self) -> Self {
        self.values.extend(newer.values);
        Self { values: self.values, account: newer.account.or(self.account) }
    }

    /// Without the values that are one of these secrets.
    #[must_use]
    pub(super) fn without(mut self, secrets: &[Option<&Secret>]) -> Self {
        self.values.retain(|_, value| {
            let text = value.to_string();
            !secrets.iter().flatten().any(|secret| secret.matches(&text))
        });
        self
    }
}

impl fmt::Debug for GrantMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// A text, a number or a truth value. Texts are clean: no character of them moves or hides anything on a terminal.
#[derive(Clone, Deserialize, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct MetadataValue(Value);

impl MetadataValue {
    /// `None`: a list, an object or nothing, a text that is empty or too long, or a number that may have lost digits.
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(_) => Some(Self(value.clone())),
            Value::Number(number) => {
                let exact = !number.is_f64() || number.as_f64().is_some_and(|n| n.abs() < LARGEST_EXACT);
                exact.then(|| Self(value.clone()))
            }
            Value::String(text) if text.len() <= LONGEST_TEXT => {
                let clean: String = text.chars().map(|c| if printable(c) { c } else { ' ' }).collect();
                let clean = clean.trim();
                (!clean.is_empty()).then(|| Self(clean.into()))
            }
            Value::Array(_) | Value::Null | Value::Object(_) | Value::String(_) => None,
        }
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_str()
    }
}

/// A text as it is, anything else as in JSON.
impl fmt::Display for MetadataValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Value::String(text) => f.write_str(text),
            other => other.fmt(f),
        }
    }
}

impl fmt::Debug for MetadataValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests;

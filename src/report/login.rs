//! What `loopin login` led to.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::{
    outcome::scopes,
    time::{assumed, left, lifetime, time},
};
use crate::{
    oauth::{Expiry, Scopes},
    vault::{Grant, GrantKey},
};

#[derive(Debug)]
pub struct SignedIn {
    pub integration: String,
    pub account: String,
    pub action: String,
    /// `keychain`, `file` or `memory`.
    pub store: &'static str,
    pub expiry: Expiry,
    pub renewal: Renewal,
    pub granted: Scopes,
    pub warnings: Vec<&'static str>,
}

impl SignedIn {
    pub fn new(key: &GrantKey, store: &'static str, grant: &Grant, warnings: Vec<&'static str>) -> Self {
        Self {
            integration: key.integration.to_string(),
            account: key.owner.user.as_str().to_owned(),
            action: key.action.as_str().to_owned(),
            store,
            expiry: grant.expiry,
            renewal: Renewal::of(grant),
            granted: grant.granted.clone(),
            warnings,
        }
    }

    pub(super) fn text(&self, now: SystemTime) -> String {
        let renewal = match self.renewal {
            Renewal::RefreshToken { .. } => "a refresh token is stored too",
            Renewal::LoginOnly => "there is no refresh token",
        };
        let account = if self.account == "default" { String::new() } else { format!(" as {}", self.account) };
        format!(
            "signed in to {}{account}; the token is valid {} and {renewal}\nkept in: {}\n",
            self.integration,
            lifetime(self.expiry, now),
            place(self.store)
        )
    }

    pub(super) fn json(&self, now: SystemTime) -> Value {
        let Self { integration, account, action, store, expiry, renewal, granted, warnings } = self;
        json!({
            "integration": integration, "account": account, "action": action, "store": store,
            "expires_at": expiry.end().map(time), "expires_in": expiry.end().map(|end| left(end, now)), "expiry_assumed": assumed(*expiry),
            "refreshable": (*renewal != Renewal::LoginOnly), "scopes": scopes(granted), "warnings": warnings,
        })
    }
}

/// What follows when the access token has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    LoginOnly,
    RefreshToken {
        /// As the provider said, if it did.
        until: Option<SystemTime>,
    },
}

impl Renewal {
    pub fn of(grant: &Grant) -> Self {
        match grant.refresh_token {
            Some(_) => Self::RefreshToken { until: grant.refreshable_until },
            None => Self::LoginOnly,
        }
    }

    /// Whether nothing but a login helps any more when the access token has expired.
    pub fn is_over(self, now: SystemTime) -> bool {
        match self {
            Self::LoginOnly => true,
            Self::RefreshToken { until } => until.is_some_and(|until| until <= now),
        }
    }
}

/// Where that kind of store keeps what it is given.
pub(super) fn place(store: &str) -> &str {
    match store {
        "keychain" => "the keychain of this system",
        "file" => "encrypted files",
        "memory" => "memory, until the program ends",
        other => other,
    }
}

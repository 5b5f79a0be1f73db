//! What `loopin login` led to.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::{
    outcome::scopes,
    time::{assumed, left, lifetime, time},
};
use crate::{
    grants::{Renewal, SignedIn, Warning},
    vault::AccountName,
};

pub(super) fn text(signed_in: &SignedIn, now: SystemTime) -> String {
    let SignedIn { grant, user, store, expiry, renewal, .. } = signed_in;
    let renewal = match renewal {
        Renewal::RefreshToken { .. } => "a refresh token is stored too",
        Renewal::LoginOnly => "there is no refresh token",
    };
    let account = (grant.account != AccountName::default()).then(|| grant.account.as_str());
    let account = match (user, account) {
        (None, None) => String::new(),
        (Some(user), Some(account)) if user != account => format!(" as {user}, stored as {account}"),
        (Some(one), _) => format!(" as {one}"),
        (None, Some(one)) => format!(" as {one}"),
    };
    format!(
        "signed in to {}{account}; the token is valid {} and {renewal}\nkept in: {}\n",
        grant.integration,
        lifetime(*expiry, now),
        place(store)
    )
}

pub(super) fn json(signed_in: &SignedIn, now: SystemTime) -> Value {
    let SignedIn { grant, user, store, expiry, renewal, granted, metadata, warnings, .. } = signed_in;
    let warnings: Vec<_> = warnings.iter().map(word).collect();
    json!({
        "integration": grant.integration.as_str(), "account": grant.account.as_str(), "action": grant.action.as_str(),
        "user": user, "store": store, "expires_at": expiry.end().map(time), "expires_in": expiry.end().map(|end| left(end, now)),
        "expiry_assumed": assumed(*expiry), "refreshable": (*renewal != Renewal::LoginOnly),
        "scopes": scopes(granted), "metadata": metadata.values(), "warnings": warnings,
    })
}

fn word(warning: &Warning) -> &'static str {
    match warning {
        Warning::IdTokenIgnored(_) => "id_token_ignored",
        Warning::NarrowerScopes(_) => "narrower_scopes",
        Warning::NoRefreshToken(_) => "no_refresh_token",
        Warning::OtherSubject => "other_subject",
        Warning::PkceUnverified => "pkce_unverified",
        Warning::SharedRedirect(_) => "shared_redirect",
        Warning::UnknownTokenType(_) => "token_type",
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

//! What a request may ask for: one action or all, and additional scopes.

use crate::{
    catalog::{ActionName, Integration, UnknownName},
    oauth::{Scope, Scopes},
    vault::ActionKey,
};

/// Additional scopes per request, duplicates included.
pub const MOST: usize = 100;

/// The action of a request: the word `all`, or the exact name of one.
///
/// # Errors
/// The integration has no such action.
pub fn action(integration: &Integration, text: &str) -> Result<ActionKey, UnknownName> {
    if text == ActionKey::All.as_str() {
        return Ok(ActionKey::All);
    }
    match ActionName::parse(text) {
        Ok(name) if integration.actions.contains_key(&name) => Ok(ActionKey::One(name)),
        _ => Err(UnknownName::among(text, integration.actions.keys().map(ActionName::as_str))),
    }
}

/// The scopes of the authorization request: the action's, then the additional ones.
///
/// # Errors
/// The integration has no such action.
pub fn requested(integration: &Integration, action: &ActionKey, extra: &Scopes) -> Result<Scopes, UnknownName> {
    Ok(integration.scopes_for(action.name())?.union(extra))
}

/// The additional scopes of a query, in their order, without duplicates. `pairs` are decoded names and values; `scopes`
/// and `scopes[]` count, and their values are split at spaces and commas.
///
/// # Errors
/// The first value that is no scope (RFC 6749 section 3.3) or is not in `allowed`, or there are more than [`MOST`].
pub fn extra<'q>(
    pairs: impl IntoIterator<Item = (&'q str, &'q str)>,
    allowed: &Scopes,
) -> Result<Scopes, ScopesRefused> {
    let values = pairs.into_iter().filter(|(name, _)| matches!(*name, "scopes" | "scopes[]")).map(|(_, value)| value);
    let parts = values.flat_map(|value| value.split([' ', ','])).filter(|part| !part.is_empty());
    let mut scopes = Vec::new();
    for part in parts {
        if scopes.len() == MOST {
            return Err(ScopesRefused::TooMany);
        }
        let scope = Scope::parse(part).map_err(|_| ScopesRefused::NotAScope)?;
        if !allowed.contains(scope.as_str()) {
            return Err(ScopesRefused::NotAllowed(scope));
        }
        scopes.push(scope);
    }
    Ok(scopes.into_iter().collect())
}

/// Why additional scopes are rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopesRefused {
    /// A value is no scope.
    #[error("scopes: visible ASCII without \" and \\ (RFC 6749, section 3.3)")]
    NotAScope,
    /// A scope is not in `allowed_scopes`.
    #[error("scopes: {} is not among the integration's allowed_scopes", shown(.0))]
    NotAllowed(Scope),
    /// There are too many.
    #[error("scopes: more than {MOST}")]
    TooMany,
}

/// The start of a scope, for a message.
fn shown(scope: &Scope) -> String {
    scope.as_str().chars().take(80).collect()
}

#[cfg(test)]
mod tests;

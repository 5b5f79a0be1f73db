//! When a stored grant covers an action: one rule for the command line and the service.

use crate::{
    oauth::Scopes,
    vault::{ActionKey, GrantKey},
};

/// Scopes that a grant never misses, since they ask for something else than access to an API: `openid` for an id_token
/// (OpenID Connect Core section 3.1.2.1), `offline_access` for a refresh token (section 11). Many providers leave them
/// out of the `scope` that they granted.
const NO_PERMISSIONS: [&str; 2] = ["offline_access", "openid"];

/// The scopes that an action needs and the provider did not grant.
pub fn missing(granted: &Scopes, needed: &Scopes) -> Scopes {
    needed.without(granted).iter().filter(|scope| !NO_PERMISSIONS.contains(&scope.as_str())).cloned().collect()
}

/// Whether a grant with these scopes serves an action that needs those.
pub fn covers(granted: &Scopes, needed: &Scopes) -> bool {
    missing(granted, needed).is_empty()
}

/// Where else a grant for this action may be stored: under all actions together. `None` if the key already names them.
pub fn of_all_actions(key: &GrantKey) -> Option<GrantKey> {
    (key.action != ActionKey::All).then(|| GrantKey { action: ActionKey::All, ..key.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalog::ActionName, vault::AccountName};

    fn scopes(text: &str) -> Scopes {
        Scopes::parse(text).expect("scopes")
    }

    #[test]
    fn v35_scopes_that_were_not_granted_are_missing() {
        assert_eq!(scopes("api"), missing(&scopes("read"), &scopes("read api")));
        assert!(covers(&scopes("api read"), &scopes("read")));
        assert!(!covers(&scopes("read"), &scopes("read api")));
        assert!(covers(&Scopes::default(), &Scopes::default()));
    }

    #[test]
    fn scopes_that_permit_nothing_are_never_missing() {
        assert!(covers(&scopes("read_api"), &scopes("offline_access read_api")));
        assert!(covers(&Scopes::default(), &scopes("openid offline_access")));
        assert_eq!(scopes("email api"), missing(&scopes("read"), &scopes("openid email offline_access read api")));
    }

    #[test]
    fn a_grant_of_all_actions_is_looked_for_after_that_of_the_action_itself() {
        let integration = || crate::catalog::IntegrationName::parse("work").expect("name");
        let key = |action| GrantKey::personal(integration(), AccountName::default(), action);
        let read = ActionKey::One(ActionName::parse("read").expect("action"));
        assert_eq!(Some(key(ActionKey::All)), of_all_actions(&key(read)));
        assert_eq!(None, of_all_actions(&key(ActionKey::All)));
    }
}

//! When a stored grant covers an action: one rule for the command line and the service.

use crate::{
    oauth::{Scope, ScopeCheck, ScopeRules, Scopes},
    vault::{ActionKey, Grant, GrantKey},
};

/// Scopes that a grant never misses, since they ask for something else than access to an API: `openid` for an id_token
/// (OpenID Connect Core section 3.1.2.1), `offline_access` for a refresh token (section 11). Many providers leave them
/// out of the `scope` that they granted.
const NO_PERMISSIONS: [&str; 2] = ["offline_access", "openid"];

/// What a user was asked for, and what the provider says that it granted.
#[derive(Clone, Copy, Debug)]
pub struct Granted<'a> {
    pub asked: &'a Scopes,
    pub granted: &'a Scopes,
}

impl<'a> From<&'a Grant> for Granted<'a> {
    fn from(grant: &'a Grant) -> Self {
        Self { asked: &grant.asked, granted: &grant.granted }
    }
}

/// Whether a grant covers an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// The provider does not name `unnamed` among the granted scopes. They were asked for, and many providers name what
    /// they grant differently.
    Covered { unnamed: Scopes },
    /// `missing` were not asked for, or were not granted.
    Lacking { missing: Scopes },
}

impl Coverage {
    /// What the provider does not name, for whoever reads the answer.
    pub fn missing(&self) -> &Scopes {
        match self {
            Self::Covered { unnamed } => unnamed,
            Self::Lacking { missing } => missing,
        }
    }

    pub fn is_covered(&self) -> bool {
        matches!(self, Self::Covered { .. })
    }
}

/// Whether a grant with these scopes covers an action that needs `needed`. It does if each of them was granted under any
/// of its names, or was asked for and the provider has not plainly granted less: plainly, if every scope of its response
/// is one that was asked for, so that it uses the names of the request.
pub fn coverage(grant: Granted<'_>, needed: &Scopes, rules: &ScopeRules) -> Coverage {
    let Granted { asked, granted } = grant;
    let permitted = rules.extended(granted);
    let unnamed = needed.without(&permitted);
    let unnamed: Scopes = unnamed.iter().filter(|scope| !NO_PERMISSIONS.contains(&scope.as_str())).cloned().collect();
    if unnamed.is_empty() {
        return Coverage::Covered { unnamed };
    }
    let asked_for = rules.extended(asked);
    let is_of_the_request =
        |scope: &Scope| asked_for.contains(scope.as_str()) || NO_PERMISSIONS.contains(&scope.as_str());
    let plainly_less = granted.iter().all(is_of_the_request);
    match rules.check {
        ScopeCheck::Lenient if asked.covers(&unnamed) && !plainly_less => Coverage::Covered { unnamed },
        ScopeCheck::Lenient | ScopeCheck::Strict => Coverage::Lacking { missing: unnamed },
    }
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

    fn judged(asked: &str, granted: &str, needed: &str, rules: &ScopeRules) -> Coverage {
        coverage(Granted { asked: &scopes(asked), granted: &scopes(granted) }, &scopes(needed), rules)
    }

    fn usual(asked: &str, granted: &str, needed: &str) -> Coverage {
        judged(asked, granted, needed, &ScopeRules::default())
    }

    fn covered(unnamed: &str) -> Coverage {
        Coverage::Covered { unnamed: scopes(unnamed) }
    }

    fn lacking(missing: &str) -> Coverage {
        Coverage::Lacking { missing: scopes(missing) }
    }

    #[test]
    fn v35_scopes_that_were_not_granted_are_missing() {
        assert_eq!(lacking("api"), usual("read api", "read", "read api"));
        assert_eq!(covered(""), usual("api read", "api read", "read"));
        assert_eq!(covered(""), usual("", "", ""));
    }

    #[test]
    fn scopes_that_permit_nothing_are_never_missing() {
        assert_eq!(covered(""), usual("offline_access read_api", "read_api", "offline_access read_api"));
        assert_eq!(covered(""), usual("", "", "openid offline_access"));
        let all = "openid email offline_access read api";
        assert_eq!(lacking("email api"), usual(all, "read", all));
        assert_eq!(lacking("email api"), usual(all, "openid read", all), "and they are no names of the provider's own");
    }

    #[test]
    fn d05_a_scope_that_was_asked_for_is_covered_where_the_provider_names_its_scopes_differently() {
        assert_eq!(covered("email"), usual("email", "https://www.example/auth/email", "email"));
        assert_eq!(covered("User.Read"), usual("User.Read", "https://graph.example/User.Read", "User.Read"));
        assert_eq!(lacking("files"), usual("email", "https://www.example/auth/email", "files"), "never asked for");
        assert_eq!(lacking("write"), usual("read write", "read", "write"), "plainly less");
    }

    #[test]
    fn d05_what_is_known_of_a_provider_makes_its_answer_plain() {
        let scope = |text: &str| Scope::parse(text).expect("scope");
        let rules = ScopeRules {
            aliases: [(scope("email"), scopes("https://www.example/auth/email"))].into(),
            implies: [(scope("write_products"), scopes("read_products"))].into(),
            check: ScopeCheck::Lenient,
        };
        let shop = "read_products write_products";
        assert_eq!(covered(""), judged(shop, "write_products", shop, &rules));
        assert_eq!(lacking("write_products"), judged(shop, "read_products", shop, &rules), "not the other way");
        let mail = "email files";
        assert_eq!(lacking("files"), judged(mail, "https://www.example/auth/email", mail, &rules));
        assert_eq!(covered("email files"), usual(mail, "https://www.example/auth/email", mail), "without the alias");
    }

    #[test]
    fn d05_a_strict_check_believes_only_what_is_named() {
        let strict = ScopeRules { check: ScopeCheck::Strict, ..ScopeRules::default() };
        assert_eq!(lacking("email"), judged("email", "https://www.example/auth/email", "email", &strict));
        assert_eq!(covered(""), judged("email offline_access", "email", "email offline_access", &strict));
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

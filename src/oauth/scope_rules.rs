//! How a provider's names of granted scopes relate to those that were asked for.

use std::collections::BTreeMap;

use super::{Scope, Scopes};

/// What is known of a provider's scopes. The default knows nothing and is lenient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeRules {
    /// A scope, and the other names under which the provider grants it.
    pub aliases: BTreeMap<Scope, Scopes>,
    /// A scope, and those that it includes.
    pub implies: BTreeMap<Scope, Scopes>,
    pub check: ScopeCheck,
}

/// When a scope that the provider does not name counts as not granted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScopeCheck {
    /// When the provider has plainly granted less: many name what they grant differently.
    #[default]
    Lenient,
    /// Always.
    Strict,
}

impl ScopeRules {
    /// These scopes, and all that they include, under every name.
    pub fn extended(&self, scopes: &Scopes) -> Scopes {
        let mut all: Vec<Scope> = scopes.iter().cloned().collect();
        let mut at = 0;
        while let Some(scope) = all.get(at).cloned() {
            let names = self.aliases.get(&scope).into_iter().flat_map(Scopes::iter);
            let named_so =
                self.aliases.iter().filter(|(_, names)| names.contains(scope.as_str())).map(|(scope, _)| scope);
            let included = self.implies.get(&scope).into_iter().flat_map(Scopes::iter);
            let found: Vec<_> =
                names.chain(named_so).chain(included).filter(|found| !all.contains(found)).cloned().collect();
            all.extend(found);
            at += 1;
        }
        all.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(text: &str) -> Scopes {
        Scopes::parse(text).expect("scopes")
    }

    fn table(pairs: &[(&str, &str)]) -> BTreeMap<Scope, Scopes> {
        pairs.iter().map(|(scope, list)| (Scope::parse(scope).expect("scope"), scopes(list))).collect()
    }

    #[test]
    fn d05_aliases_hold_both_ways_and_implications_one_way_and_over_several_steps() {
        let rules = ScopeRules {
            aliases: table(&[("email", "https://a.example/email https://b.example/email")]),
            implies: table(&[("admin", "write"), ("write", "read email")]),
            check: ScopeCheck::Lenient,
        };
        let extended = |text| rules.extended(&scopes(text));
        assert!(extended("admin").covers(&scopes("write read email https://a.example/email")));
        assert!(extended("https://b.example/email").covers(&scopes("email https://a.example/email")));
        assert_eq!(scopes("read"), extended("read"));
        assert!(!extended("read").contains("write"));
    }

    #[test]
    fn implications_in_a_circle_come_to_an_end() {
        let rules = ScopeRules { implies: table(&[("a", "b"), ("b", "a")]), ..ScopeRules::default() };
        assert_eq!(scopes("a b"), rules.extended(&scopes("a")));
    }
}

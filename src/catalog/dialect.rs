//! How a provider differs from the RFCs, as a user or a preset states it: fields of an `[integration.NAME]` table.
//!
//! docs/configuration.md describes each field.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_spanned::Spanned;

use super::Fault;
use crate::oauth::{Scope, ScopeCheck, ScopeRules, ScopeSeparator, Scopes, WireDialect};

/// What differs at one provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dialect {
    /// In requests and responses.
    pub wire: WireDialect,
    /// Between the scopes that were asked for and those that are named as granted.
    pub scopes: ScopeRules,
}

/// A scope, and a list of others, as they stand in the file.
pub(super) type ScopeTable = BTreeMap<Spanned<String>, Vec<Spanned<String>>>;

/// The value of `scope_check`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum StatedCheck {
    Lenient,
    Strict,
}

/// The fields of a table, not judged yet.
#[derive(Clone, Copy)]
pub(super) struct DialectFields<'t> {
    pub(super) dead_grant_errors: &'t [Spanned<String>],
    pub(super) scope_separator: Option<&'t Spanned<String>>,
    pub(super) scope_aliases: &'t ScopeTable,
    pub(super) scope_implies: &'t ScopeTable,
    pub(super) scope_check: Option<StatedCheck>,
}

impl DialectFields<'_> {
    /// # Errors
    /// The first value that is none.
    pub(super) fn dialect(self) -> Result<Dialect, Fault> {
        let scope_separator = match self.scope_separator {
            None => ScopeSeparator::Space,
            Some(text) => ScopeSeparator::parse(text.get_ref()).ok_or_else(|| {
                let what = "scope_separator is not a character that separates scopes";
                Fault::new(what, "write one of \" \" \",\" \";\" \"+\" \"|\"").at(text)
            })?,
        };
        let dead_grant_errors = self.dead_grant_errors.iter().map(word).collect::<Result<_, _>>()?;
        let check = match self.scope_check {
            Some(StatedCheck::Strict) => ScopeCheck::Strict,
            Some(StatedCheck::Lenient) | None => ScopeCheck::Lenient,
        };
        let (aliases, implies) = (scope_table(self.scope_aliases)?, scope_table(self.scope_implies)?);
        Ok(Dialect {
            wire: WireDialect { scope_separator, dead_grant_errors },
            scopes: ScopeRules { aliases, implies, check },
        })
    }
}

/// An error code is one word (RFC 6749 appendix A.7): a sentence would never be found.
fn word(text: &Spanned<String>) -> Result<String, Fault> {
    let word = text.get_ref();
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    match !word.is_empty() && word.len() <= 64 && word.bytes().all(allowed) {
        true => Ok(word.clone()),
        false => {
            let what = "dead_grant_errors: an error code has letters, digits and _ - . only, at most 64 of them";
            Err(Fault::new(what, "write the code alone, such as \"token_expired\"").at(text))
        }
    }
}

fn scope_table(table: &ScopeTable) -> Result<BTreeMap<Scope, Scopes>, Fault> {
    let scope = |text: &Spanned<String>| Scope::parse(text.get_ref()).map_err(|e| Fault::plain(e.to_string()).at(text));
    table.iter().map(|(name, list)| Ok((scope(name)?, list.iter().map(scope).collect::<Result<_, _>>()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Catalog, Integration};

    fn integration(fields: &str) -> Result<Integration, String> {
        let text = format!(
            "[integration.work]\nclient_id = \"me\"\nauthorization_endpoint = \"https://op.example/a\"\n\
             token_endpoint = \"https://op.example/t\"\n{fields}"
        );
        let catalog =
            Catalog::parse(&text).map_err(|error| format!("{error} → {}", error.remedy.clone().unwrap_or_default()))?;
        Ok(catalog.get("work").expect("integration").clone())
    }

    #[test]
    fn d03_d05_d06_every_field_is_read() {
        let work = integration(
            "dead_grant_errors = [\"KEY_GONE\", \"Token.revoked\"]\nscope_separator = \",\"\nscope_check = \"strict\"\n\
             [integration.work.scope_aliases]\nemail = [\"https://www.example/auth/email\"]\n\
             [integration.work.scope_implies]\n\"write:all\" = [\"read:all\", \"read:own\"]\n",
        )
        .expect("a dialect");
        let Dialect { wire, scopes } = &work.dialect;
        assert_eq!(["KEY_GONE", "Token.revoked"], wire.dead_grant_errors[..]);
        assert_eq!((ScopeSeparator::Other(','), ScopeCheck::Strict), (wire.scope_separator, scopes.check));
        let all = scopes.extended(&Scopes::parse("write:all email").expect("scopes"));
        assert!(all.covers(&Scopes::parse("read:own https://www.example/auth/email").expect("scopes")));
        assert_eq!(Dialect::default(), integration("").expect("none").dialect);
    }

    #[test]
    fn d03_d05_d06_a_value_that_cannot_work_is_refused_with_its_line() {
        for (fields, expected) in [
            ("dead_grant_errors = [\"two words\"]", "line 5, column 22"),
            ("dead_grant_errors = [\"\"]", "write the code alone"),
            ("scope_separator = \"and\"", "scope_separator is not a character"),
            ("scope_separator = \"\"", "line 5, column 19"),
            ("scope_check = \"loose\"", "unknown variant `loose`"),
            ("scope_aliases = { \"a b\" = [\"c\"] }", "is not a scope"),
            ("scope_implies = { a = [\"\"] }", "is not a scope"),
            ("scope_aliasses = {}", "did you mean scope_aliases?"),
        ] {
            let error = integration(fields).expect_err(fields);
            assert!(error.contains(expected), "{fields}: {error}");
        }
    }
}

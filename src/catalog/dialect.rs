//! How a provider differs from the RFCs, as a user or a preset states it: fields of an `[integration.NAME]` table.
//!
//! docs/configuration.md describes each field.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_spanned::Spanned;

use super::{Fault, Offline};
use crate::oauth::{
    Endpoint, KeepError, KeepRules, MemberPath, Resource, Scope, ScopeCheck, ScopeRules, ScopeSeparator, Scopes,
    SecretMask, TokenBody, TokenOccasion, TokenRules, TokenServers, WireDialect, is_free,
};

/// What differs at one provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dialect {
    /// In requests and responses.
    pub wire: WireDialect,
    /// Between the scopes that were asked for and those that are named as granted.
    pub scopes: ScopeRules,
    pub offline: Offline,
    pub secret_mask: SecretMask,
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
pub(super) struct DialectFields<'t> {
    pub(super) dead_grant_errors: &'t [Spanned<String>],
    pub(super) scope_separator: Option<&'t Spanned<String>>,
    pub(super) scope_aliases: Option<&'t ScopeTable>,
    pub(super) scope_implies: Option<&'t ScopeTable>,
    pub(super) scope_check: Option<StatedCheck>,
    pub(super) token: TokenFields<'t>,
    pub(super) secret_mask: Option<SecretMask>,
    pub(super) keep: KeepFields<'t>,
    pub(super) token_servers: Option<TokenServers>,
    pub(super) refresh_endpoint: Option<Endpoint>,
}

impl DialectFields<'_> {
    /// # Errors
    /// The first value that is none.
    pub(super) fn dialect(self, offline: Offline) -> Result<Dialect, Fault> {
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
            wire: WireDialect {
                token: self.token.rules()?,
                scope_separator,
                dead_grant_errors,
                keep: self.keep.rules()?,
                token_servers: self.token_servers,
                refresh_endpoint: self.refresh_endpoint,
            },
            scopes: ScopeRules { aliases, implies, check },
            offline,
            secret_mask: self.secret_mask.unwrap_or_default(),
        })
    }
}

/// The fields of a table about its token endpoint, not judged yet.
#[derive(Clone, Copy)]
pub(super) struct TokenFields<'t> {
    pub(super) resource: &'t [Spanned<String>],
    pub(super) token_params: Option<&'t BTreeMap<Spanned<String>, String>>,
    pub(super) refresh_params: Option<&'t BTreeMap<Spanned<String>, String>>,
    pub(super) token_request: Option<TokenBody>,
    pub(super) token_at: Option<&'t Spanned<String>>,
    pub(super) error_at: Option<&'t Spanned<String>>,
}

impl TokenFields<'_> {
    /// # Errors
    /// The first value that cannot work.
    pub(super) fn rules(self) -> Result<TokenRules, Fault> {
        let resource = |text: &Spanned<String>| {
            Resource::parse(text.get_ref()).ok_or_else(|| {
                let what = "resource: not an absolute URI without a fragment (RFC 8707, section 2)";
                Fault::new(what, "write it like https://api.acme.example/").at(text)
            })
        };
        Ok(TokenRules {
            body: self.token_request.unwrap_or_default(),
            params: free("token_params", self.token_params, TokenOccasion::Exchange)?,
            refresh_params: free("refresh_params", self.refresh_params, TokenOccasion::Refresh)?,
            resources: self.resource.iter().map(resource).collect::<Result<_, _>>()?,
            token_at: self.token_at.map(|text| path("token_at", text)).transpose()?,
            error_at: self.error_at.map(|text| path("error_at", text)).transpose()?,
        })
    }
}

/// The fields of a table about what is kept beside the tokens, not judged yet.
#[derive(Clone, Copy)]
pub(super) struct KeepFields<'t> {
    pub(super) from_token: &'t [Spanned<String>],
    pub(super) from_callback: &'t [Spanned<String>],
    pub(super) account_from: Option<&'t Spanned<String>>,
}

impl KeepFields<'_> {
    /// # Errors
    /// The first name that cannot be kept.
    pub(super) fn rules(self) -> Result<KeepRules, Fault> {
        let mut rules = KeepRules::default();
        for name in self.from_callback {
            rules.keep_from_callback(name.get_ref()).map_err(|why| not_kept("keep_from_callback", name, why))?;
        }
        for path in self.from_token {
            rules.keep_from_token(path.get_ref()).map_err(|why| not_kept("keep_from_token", path, why))?;
        }
        if let Some(name) = self.account_from {
            rules.account_from(name.get_ref()).map_err(|why| not_kept("account_from", name, why))?;
        }
        Ok(rules)
    }
}

fn not_kept(field: &str, name: &Spanned<String>, why: KeepError) -> Fault {
    let shown: String = name.get_ref().escape_debug().take(80).collect();
    let remedy = match why {
        KeepError::NotAName => "write a name such as \"realmId\", or the names that lead to it: \"team.id\"",
        KeepError::NotKept => "write one of the names in keep_from_token and keep_from_callback",
        KeepError::Secret => "remove it; tokens are stored anyway",
        KeepError::TooMany | KeepError::Twice => "remove it",
    };
    Fault::new(format!("{field}: \"{shown}\": {why}"), remedy).at(name)
}

fn free(
    field: &str,
    table: Option<&BTreeMap<Spanned<String>, String>>,
    occasion: TokenOccasion,
) -> Result<Vec<(String, String)>, Fault> {
    let mut list = Vec::new();
    for (name, value) in table.into_iter().flatten() {
        if !is_free(name.get_ref(), occasion) {
            let what = format!("{field}: loopin sets {} itself", name.get_ref().escape_debug());
            return Err(Fault::new(what, "remove it").at(name));
        }
        list.push((name.get_ref().clone(), value.clone()));
    }
    Ok(list)
}

fn path(field: &str, text: &Spanned<String>) -> Result<MemberPath, Fault> {
    MemberPath::parse(text.get_ref()).ok_or_else(|| {
        let what = format!("{field}: not the names of members, separated by dots");
        Fault::new(what, format!("write it like: {field} = \"body.tokens\"")).at(text)
    })
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

fn scope_table(table: Option<&ScopeTable>) -> Result<BTreeMap<Scope, Scopes>, Fault> {
    let scope = |text: &Spanned<String>| Scope::parse(text.get_ref()).map_err(|e| Fault::plain(e.to_string()).at(text));
    table
        .into_iter()
        .flatten()
        .map(|(name, list)| Ok((scope(name)?, list.iter().map(scope).collect::<Result<_, _>>()?)))
        .collect()
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
        let Dialect { wire, scopes, .. } = &work.dialect;
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

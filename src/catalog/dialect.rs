//! What a provider does differently from the RFCs, as its preset or the user's table states it.

use std::collections::BTreeMap;

use serde_spanned::Spanned;

use super::{Fault, Offline};
use crate::oauth::{MemberPath, Resource, SecretMask, TokenBody, TokenOccasion, TokenRules, WireDialect, is_free};

/// The default keeps to the RFCs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dialect {
    /// In requests and responses.
    pub wire: WireDialect,
    pub offline: Offline,
    pub secret_mask: SecretMask,
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

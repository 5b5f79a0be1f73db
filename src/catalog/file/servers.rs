//! Providers that are more than one server: `token_servers`, and `issuer_template`.

use serde_spanned::Spanned;

use super::{Table, forms::TokenServersTable};
use crate::{
    catalog::Fault,
    oauth::{Endpoint, IssuerTemplate, KeepRules, TokenServers},
};

impl Table {
    /// The servers among which the authorization response chooses.
    pub(super) fn token_servers(&self) -> Result<Option<TokenServers>, Fault> {
        let Some(TokenServersTable { parameter, origins }) = &self.token_servers else { return Ok(None) };
        // A name that may be kept is none of the flow's own.
        KeepRules::default().keep_from_callback(parameter.get_ref()).map_err(|why| {
            let remedy = "write the parameter of the callback that names the server, such as \"accounts-server\"";
            Fault::new(format!("token_servers: parameter: {why}"), remedy).at(parameter)
        })?;
        let origin = |text: &Spanned<String>| {
            Endpoint::parse(text.get_ref()).ok().filter(Endpoint::is_origin).ok_or_else(|| {
                let what = "token_servers: origins: not an https address without a path";
                Fault::new(what, "write it like https://accounts.acme.example").at(text)
            })
        };
        if origins.is_empty() {
            let remedy = "list the servers that the provider's documentation names";
            return Err(Fault::new("token_servers: origins is empty", remedy).at(parameter));
        }
        let origins = origins.iter().map(origin).collect::<Result<_, _>>()?;
        Ok(Some(TokenServers { parameter: parameter.get_ref().clone(), origins }))
    }

    pub(super) fn issuer_template(&self) -> Result<Option<IssuerTemplate>, Fault> {
        let parse = |text: &Spanned<String>| {
            IssuerTemplate::parse(text.get_ref()).map_err(|why| {
                let remedy =
                    "write the issuer as the provider's metadata have it, with {tenantid} in the tenant's place";
                Fault::new(format!("issuer_template: {why}"), remedy).at(text)
            })
        };
        self.issuer_template.as_ref().map(parse).transpose()
    }
}

//! Integrations that work on the command line and not in the service.

use super::{super::redirect_uri::override_of, PublicUrl};
use crate::catalog::{Catalog, CatalogError, Integration, SecretSource, Server};

/// Settings that the command line supports and the service does not.
pub(super) fn fit_for_a_service(integration: &Integration, public_url: &PublicUrl) -> Result<(), CatalogError> {
    let fault = |what: String, remedy: &str| {
        let what = format!("[integration.{}]: {what}", integration.name);
        Err(CatalogError { place: None, what, remedy: Some(remedy.to_owned()) })
    };
    let secrets = integration
        .client_secret
        .iter()
        .chain(integration.base_allow.listed.iter().filter_map(|instance| instance.client_secret.as_ref()));
    if secrets.into_iter().any(|source| *source == SecretSource::Store) {
        let remedy = "write: client_secret = { file = \"...\" } or { env = \"...\" }";
        return fault("a service has no keychain to read the client secret from".into(), remedy);
    }
    let instances = !integration.base_allow.listed.is_empty() || !integration.base_allow.domains.is_empty();
    if matches!(integration.server, Server::Discovered(_)) && instances {
        let remedy = "write authorization_endpoint and token_endpoint; their paths are used at every instance";
        return fault("base_allow needs endpoints that are written down".into(), remedy);
    }
    if let Err(why) = override_of(integration) {
        let remedy = "write one https URI without a query, such as: redirect_uri = \"https://acme.example/oauth/wiki\"";
        return fault(why.to_string(), remedy);
    }
    match public_url.redirect(&integration.name, None) {
        Some(_) => Ok(()),
        None => {
            let redirect = public_url.below(&format!("/{}/callback", integration.name));
            fault(format!("{redirect} is no redirect URI"), "see: loopin redirect check URI")
        }
    }
}

/// A redirect URI on another domain forwards to the callback of one integration only.
pub(super) fn forwarded_once(integration: &Integration, catalog: &Catalog) -> Result<(), CatalogError> {
    let of = |integration: &Integration| override_of(integration).ok().flatten();
    let Some(uri) = of(integration) else { return Ok(()) };
    let second = catalog.iter().find(|other| other.name > integration.name && of(other).as_ref() == Some(&uri));
    match second {
        None => Ok(()),
        Some(second) => Err(CatalogError {
            place: None,
            what: format!(
                "[integration.{}] and [integration.{}] have the same redirect URI {}, which can forward to one callback \
                 only",
                integration.name,
                second.name,
                uri.as_str()
            ),
            remedy: Some("register another URI for one of them".into()),
        }),
    }
}

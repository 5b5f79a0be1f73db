//! An integration beside the metadata that its provider publishes, for `integration verify` and `serve check`.

use crate::{
    catalog::{Difference, Integration, Server},
    oauth::{AuthorizationServer, DiscoveryError, HttpClient, Issuer, RemoteText, discover_tenants},
};

/// The result of a comparison.
#[derive(Debug)]
pub enum Compared {
    Differences {
        issuer: Issuer,
        list: Vec<Difference>,
    },
    /// The provider publishes none. A login reads none either, since the endpoints are configured.
    NoMetadata {
        issuer: Issuer,
    },
}

/// # Errors
/// The metadata cannot be read, and a login would need it or might find it later.
pub fn compare(integration: &Integration, http: &dyn HttpClient) -> Result<Compared, DiscoveryError> {
    let asked = integration.presumed_issuer();
    match published(integration, &asked, http) {
        Ok(server) => {
            let list = integration.differences(&server);
            Ok(Compared::Differences { issuer: server.issuer.unwrap_or(asked), list })
        }
        Err(DiscoveryError::OtherIssuer { configured, found }) if is_configured(integration) => {
            let list = vec![Difference::of_issuer(&configured, &found)];
            Ok(Compared::Differences { issuer: asked, list })
        }
        Err(error) if error.is_passing() => Err(error),
        Err(DiscoveryError::NotFound { .. } | DiscoveryError::OtherIssuer { .. })
            if matches!(integration.server, Server::Explicit(_)) =>
        {
            Ok(Compared::NoMetadata { issuer: asked })
        }
        Err(error) => Err(error),
    }
}

/// An issuer that was only presumed may have published another name for itself.
fn published(
    integration: &Integration,
    asked: &Issuer,
    http: &dyn HttpClient,
) -> Result<AuthorizationServer, DiscoveryError> {
    let template = integration.issuer_template.as_ref();
    match discover_tenants(asked, template, http) {
        Err(DiscoveryError::OtherIssuer { configured, found }) if !is_configured(integration) => {
            match same_origin(asked, &found) {
                Some(named) => discover_tenants(&named, template, http),
                None => Err(DiscoveryError::OtherIssuer { configured, found }),
            }
        }
        result => result,
    }
}

/// No other server is asked than the one where the user signs in.
fn same_origin(asked: &Issuer, found: &RemoteText) -> Option<Issuer> {
    Issuer::parse(found.as_str()).ok().filter(|named| named.has_origin_of(asked))
}

fn is_configured(integration: &Integration) -> bool {
    match &integration.server {
        Server::Discovered(_) => true,
        Server::Explicit(server) => server.issuer.is_some(),
    }
}

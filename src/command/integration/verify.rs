//! `loopin integration verify`.

use super::Context;
use crate::{
    catalog::{Difference, Integration, Server},
    oauth::{AuthorizationServer, DiscoveryError, Issuer, RemoteText, discover},
    report::{Code, Failure, Outcome, Verification},
    system::http::Http,
};

pub(super) fn run(context: &Context, name: &str) -> Result<Outcome, Failure> {
    let catalog = context.catalog()?;
    let integration = catalog.get(name)?;
    let asked = integration.presumed_issuer();
    let (issuer, differences) = match published(integration, &asked) {
        Ok(server) => (server.issuer.clone(), integration.differences(&server)),
        Err(DiscoveryError::OtherIssuer { configured, found }) if is_configured(integration) => {
            (None, vec![Difference::of_issuer(&configured, &found)])
        }
        Err(error) if error.is_passing() => return Err(error.into()),
        // The login reads no metadata, so it does not miss them either.
        Err(DiscoveryError::NotFound { .. } | DiscoveryError::OtherIssuer { .. })
            if matches!(integration.server, Server::Explicit(_)) =>
        {
            return Ok(Outcome::Verified(Verification::without_metadata(integration, &asked)));
        }
        Err(error @ DiscoveryError::NotFound { .. }) => {
            return Err(Failure { code: Code::Configuration, ..Failure::from(error) });
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Outcome::Verified(Verification::new(integration, &issuer.unwrap_or(asked), differences)))
}

/// An issuer that was only presumed may have published another name for itself.
fn published(integration: &Integration, asked: &Issuer) -> Result<AuthorizationServer, DiscoveryError> {
    let http = Http::at(integration);
    match discover(asked, &http) {
        Err(DiscoveryError::OtherIssuer { configured, found }) if !is_configured(integration) => {
            match same_origin(asked, &found) {
                Some(named) => discover(&named, &http),
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

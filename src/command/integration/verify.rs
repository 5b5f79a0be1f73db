//! `loopin integration verify`.

use super::Context;
use crate::{
    command::published::{Compared, compare},
    oauth::DiscoveryError,
    report::{Code, Failure, Outcome, Verification},
    system::http::Http,
};

pub(super) fn run(context: &Context, name: &str) -> Result<Outcome, Failure> {
    let catalog = context.catalog()?;
    let integration = catalog.get(name)?;
    let compared = compare(integration, &Http::at(integration)).map_err(|error| match error {
        // Nothing is found now or later: the configuration names the wrong issuer.
        DiscoveryError::NotFound { .. } if !error.is_passing() => {
            Failure { code: Code::Configuration, ..Failure::from(error) }
        }
        error => error.into(),
    })?;
    Ok(Outcome::Verified(match compared {
        Compared::Differences { issuer, list } => Verification::new(integration, &issuer, list),
        Compared::NoMetadata { issuer } => Verification::without_metadata(integration, &issuer),
    }))
}

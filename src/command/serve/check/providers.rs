//! `loopin serve check`: each integration beside the metadata of its provider. What differs is reported and fails nothing:
//! the provider may be down, or this machine without a network.

use std::{fmt::Write, thread};

use crate::{
    catalog::{Catalog, Difference, Effect, Integration},
    command::published::{Compared, compare},
    deadlines::PROVIDERS_COMPARED,
    system::http::Http,
};

/// Adds a line for each difference, and for each integration that could not be compared.
pub(super) fn differences(catalog: &Catalog, text: &mut String) {
    // All at once: one provider that is silent costs the time of all.
    let results = thread::scope(|scope| {
        let asked: Vec<_> = catalog
            .iter()
            .map(|integration| {
                let http = Http::within(PROVIDERS_COMPARED).trusting(integration.ca.as_ref());
                scope.spawn(move || (integration, compare(integration, &http)))
            })
            .collect();
        asked.into_iter().filter_map(|asked| asked.join().ok()).collect::<Vec<_>>()
    });
    for (integration, result) in results {
        let name = &integration.name;
        let _ = match result {
            Ok(Compared::Differences { issuer, list }) => {
                list.iter().try_for_each(|difference| line(text, integration, &issuer.to_string(), difference))
            }
            Ok(Compared::NoMetadata { .. }) => Ok(()),
            Err(why) => writeln!(text, "[integration.{name}] was not compared with its provider's metadata: {why}."),
        };
    }
}

fn line(text: &mut String, integration: &Integration, issuer: &str, difference: &Difference) -> std::fmt::Result {
    let Difference { name, configured, published, effect, fix } = difference;
    let effect = match effect {
        Effect::LoginFails => " Nobody can connect like this.",
        Effect::Warning => "",
    };
    let integration = &integration.name;
    writeln!(
        text,
        "[integration.{integration}] differs from the metadata of {issuer}: {name} is {configured}, published is {published}.{effect}"
    )?;
    fix.iter().try_for_each(|fix| writeln!(text, "  → {fix}"))
}

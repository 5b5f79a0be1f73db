//! What `integration verify` found.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::{
    catalog::{Difference, Effect, Integration},
    oauth::Issuer,
};

/// An integration beside the metadata of its provider.
#[derive(Debug)]
pub struct Verification {
    integration: String,
    /// Whose metadata was read, or was looked for.
    issuer: String,
    result: Compared,
}

#[derive(Debug)]
enum Compared {
    Differences(Vec<Difference>),
    /// The provider publishes none.
    NoMetadata,
}

impl Verification {
    pub fn new(integration: &Integration, issuer: &Issuer, differences: Vec<Difference>) -> Self {
        let result = Compared::Differences(differences);
        Self { integration: integration.name.to_string(), issuer: issuer.to_string(), result }
    }

    /// A provider whose endpoints are configured need not publish metadata.
    pub fn without_metadata(integration: &Integration, issuer: &Issuer) -> Self {
        Self { result: Compared::NoMetadata, ..Self::new(integration, issuer, Vec::new()) }
    }

    /// Whether a login cannot work.
    pub(super) fn is_broken(&self) -> bool {
        self.differences().iter().any(|difference| difference.effect == Effect::LoginFails)
    }

    fn differences(&self) -> &[Difference] {
        match &self.result {
            Compared::Differences(differences) => differences,
            Compared::NoMetadata => &[],
        }
    }

    pub(super) fn text(&self) -> String {
        let Self { integration, issuer, result } = self;
        let differences = match result {
            Compared::NoMetadata => return format!("there is no metadata of {issuer} to compare {integration} with\n"),
            Compared::Differences(differences) if differences.is_empty() => {
                return format!("{integration} agrees with the metadata of {issuer}\n");
            }
            Compared::Differences(differences) => differences,
        };
        let mut text = format!("{integration} differs from the metadata of {issuer}:\n");
        for Difference { name, configured, published, effect, fix } in differences {
            let effect = match effect {
                Effect::LoginFails => "error",
                Effect::Warning => "warning",
            };
            let _ = writeln!(text, "\n{effect}: {name}\n  configured  {configured}\n  published   {published}");
            if let Some(fix) = fix {
                let _ = writeln!(text, "  → {fix}");
            }
        }
        text
    }

    pub(super) fn json(&self) -> Value {
        let differences = self.differences().iter().map(|difference| {
            json!({
                "name": difference.name,
                "configured": difference.configured,
                "published": difference.published,
                "effect": match difference.effect {
                    Effect::LoginFails => "login_fails",
                    Effect::Warning => "warning",
                },
                "remedy": difference.fix,
            })
        });
        json!({
            "integration": self.integration,
            "issuer": self.issuer,
            "metadata": matches!(self.result, Compared::Differences(_)),
            "differences": differences.collect::<Vec<_>>(),
        })
    }
}

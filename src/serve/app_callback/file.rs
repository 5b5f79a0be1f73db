//! `[callbacks]`: the lists as they are written.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_spanned::Spanned;

use super::{AllowList, Allowed, Ports, well_formed};
use crate::catalog::Fault;

/// `[callbacks] allow = [...]`, and `[callbacks.org.NAME] allow = [...]` for single organisations.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    #[serde(default)]
    allow: Vec<Spanned<String>>,
    #[serde(default)]
    org: BTreeMap<String, OfOrg>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfOrg {
    allow: Vec<Spanned<String>>,
}

impl Table {
    /// # Errors
    /// The first entry that is no origin with a path, and where it stands.
    pub fn allow_list(&self) -> Result<AllowList, Fault> {
        let list = |entries: &[Spanned<String>]| entries.iter().map(entry).collect::<Result<Vec<_>, _>>();
        let mut of_org = BTreeMap::new();
        for (org, table) in &self.org {
            of_org.insert(org.clone(), list(&table.allow)?);
        }
        Ok(AllowList { everybody: list(&self.allow)?, of_org })
    }
}

fn entry(text: &Spanned<String>) -> Result<Allowed, Fault> {
    const FORM: &str =
        "write an origin and a path: \"https://app.example.com/oauth/\"; \"http://127.0.0.1:*/callback\" for any port";
    let written = text.get_ref();
    let any_port = ["http://127.0.0.1:*/", "http://[::1]:*/"].iter().any(|start| written.starts_with(start));
    let fixed = if any_port { written.replacen(":*/", "/", 1) } else { written.clone() };
    let url = well_formed(&fixed).map_err(|why| Fault::new(format!("allow: {why}"), FORM).at(text))?;
    if url.query.is_some() || url.fragment.is_some() || url.path.is_empty() {
        return Err(Fault::new("allow: not an origin and a path and nothing else", FORM).at(text));
    }
    if url.port.is_some_and(|port| port.get() == url.scheme.usual_port()) {
        return Err(Fault::new("allow: browsers never write the usual port", "write it without the port").at(text));
    }
    let ports = if any_port { Ports::Any } else { Ports::One(url.port) };
    Ok(Allowed { scheme: url.scheme, host: url.host.clone(), ports, path: url.path.to_owned() })
}

//! `[callbacks]`: the lists in the configuration file.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_spanned::Spanned;

use super::{AllowList, Allowed, Ports, well_formed};
use crate::{
    catalog::Fault,
    vault::{Namespace, OrgKey},
};

/// `[callbacks] allow = [...]`; `[callbacks.org.NAME] allow = [...]` for one organization; and
/// `[callbacks.namespace.NAME]` with both for the users of another namespace. An organization's name is unique within
/// its issuer only.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    #[serde(default)]
    allow: Vec<Spanned<String>>,
    #[serde(default)]
    org: BTreeMap<Spanned<String>, OfOrg>,
    #[serde(default)]
    namespace: BTreeMap<Spanned<String>, OfNamespace>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfNamespace {
    #[serde(default)]
    allow: Vec<Spanned<String>>,
    #[serde(default)]
    org: BTreeMap<Spanned<String>, OfOrg>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfOrg {
    allow: Vec<Spanned<String>>,
}

impl Table {
    /// `known` returns whether a namespace is configured.
    ///
    /// # Errors
    /// The first invalid entry or unknown name, and its place.
    pub fn allow_list(&self, known: impl Fn(&Namespace) -> bool) -> Result<AllowList, Fault> {
        let mut list = AllowList { everybody: entries(&self.allow)?, ..AllowList::default() };
        list.organizations(&Namespace::default(), &self.org)?;
        for (name, table) in &self.namespace {
            let namespace = Namespace::parse(name.get_ref()).ok().filter(&known).ok_or_else(|| {
                Fault::new("namespace: no [[jwt]] has it", "write the namespace of a [[jwt]]").at(name)
            })?;
            list.organizations(&namespace, &table.org)?;
            list.of_namespace.insert(namespace, entries(&table.allow)?);
        }
        Ok(list)
    }
}

impl AllowList {
    fn organizations(&mut self, namespace: &Namespace, tables: &BTreeMap<Spanned<String>, OfOrg>) -> Result<(), Fault> {
        for (name, table) in tables {
            let org = OrgKey::parse(name.get_ref()).ok_or_else(|| {
                let what = "org: not the name of an organization";
                Fault::new(what, "write it as the issuer does: 1 to 254 bytes of printable text").at(name)
            })?;
            self.of_org.insert((namespace.clone(), org), entries(&table.allow)?);
        }
        Ok(())
    }
}

fn entries(list: &[Spanned<String>]) -> Result<Vec<Allowed>, Fault> {
    list.iter().map(entry).collect()
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

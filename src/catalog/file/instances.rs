//! `base_allow` and `provider_domains`: which other servers of the provider there are.

use serde_spanned::Spanned;

use super::{Table, forms::InstanceTable};
use crate::{
    catalog::{Fault, Host, Instance, InstancePath, Instances, Others, ProviderDomain},
    oauth::ClientId,
};

/// A pattern for one label of a domain.
const ANY_LABEL: &str = "https://*.";

impl Table {
    pub(super) fn base_allow(&self) -> Result<Instances, Fault> {
        let domain = |text: &Spanned<String>| {
            ProviderDomain::parse(text.get_ref()).map_err(|why| {
                let remedy = "list a domain of which every host is the provider's own, or list the hosts in base_allow";
                Fault::new(format!("provider_domains: {why}"), remedy).at(text)
            })
        };
        let domains: Vec<_> = self.provider_domains.iter().map(domain).collect::<Result<_, _>>()?;
        let mut instances = Instances::default();
        for entry in &self.base_allow {
            let table = &entry.get_ref().0;
            let InstanceTable { url, client_id, client_secret, shared_redirect, iss_parameter } = table;
            let fault = |what: String| Fault::plain(format!("base_allow: {what}")).at(entry);
            if client_secret.is_some() && client_id.is_none() {
                let what = "base_allow: a client_secret belongs to a client_id";
                return Err(Fault::new(what, "add the client_id that this instance has given out").at(entry));
            }
            if url == "*" {
                if client_id.is_some() {
                    let what = "base_allow: no client is registered at every server";
                    return Err(Fault::new(what, "write \"*\" alone").at(entry));
                }
                instances.others = Others::Public;
                continue;
            }
            if let Some(domain) = url.strip_prefix(ANY_LABEL) {
                instances.domains.push(of_provider(domain, table, &domains).map_err(|why| why.at(entry))?);
                continue;
            }
            let after_protocol = url.find("://").map_or(0, |at| at + 3);
            let (server, path) =
                url.split_at(url[after_protocol..].find('/').map_or(url.len(), |at| after_protocol + at));
            let host = Host::parse(server).map_err(|e| fault(e.to_string()))?;
            let path = InstancePath::parse(path).ok_or_else(|| {
                let what = "base_allow: a path has letters, digits and - . _ ~ only, and no empty, . or .. segment";
                Fault::new(what, "write it like https://apps.acme.example/gitlab").at(entry)
            })?;
            if instances.listed.iter().any(|known: &Instance| known.host == host) {
                return Err(fault("this server is listed twice".into()));
            }
            let parse = |id: &Spanned<String>| {
                ClientId::parse(id.get_ref())
                    .ok_or_else(|| Fault::plain("base_allow: client_id is not printable ASCII").at(id))
            };
            instances.listed.push(Instance {
                host,
                path,
                client_id: client_id.as_ref().map(parse).transpose()?,
                client_secret: client_secret.clone(),
                iss_parameter: *iss_parameter,
                shared_redirect: *shared_redirect,
            });
        }
        Ok(instances)
    }
}

/// The integration's client is used at every host of the domain, so the table must state that the domain is the
/// provider's.
fn of_provider(text: &str, table: &InstanceTable, domains: &[ProviderDomain]) -> Result<ProviderDomain, Fault> {
    if table.client_id.is_some() {
        let what = format!("base_allow: {ANY_LABEL}{} has no client of its own", printable(text));
        return Err(Fault::new(what, "the integration's client_id is used there: remove this one"));
    }
    domains.iter().find(|domain| domain.as_str() == text).cloned().ok_or_else(|| {
        let shown = printable(text);
        let what = format!("base_allow: {ANY_LABEL}{shown} is not in provider_domains");
        let remedy = format!(
            "if every host of that domain is the provider's own, add: provider_domains = [\"{shown}\"]; otherwise list \
             the hosts"
        );
        Fault::new(what, remedy)
    })
}

fn printable(text: &str) -> String {
    text.escape_debug().take(80).collect()
}

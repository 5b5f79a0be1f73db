//! Settings that weaken security, one sentence each with the safer choice. They are printed at every start and by
//! `loopin serve check`.

use super::Config;
use crate::{
    catalog::{Integration, Others, SharedRedirect},
    service::{authorize::QueryToken, jwt},
};

impl Config {
    /// One sentence for each such setting.
    pub fn weaknesses(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.query_token == QueryToken::Redirect {
            found.push(
                "query_token = \"redirect\": somebody who makes a user open a link with a token can connect that user's \
                 account to their own user; with \"confirm\" the user decides"
                    .to_owned(),
            );
        }
        found.extend(self.catalog.iter().flat_map(of_instances));
        found.extend(self.addresses());
        for network in self.trusted_proxies.wide() {
            found.push(format!(
                "trusted_proxies: {network} lets any client set X-Forwarded-For, so limits and log use addresses \
                 that clients invent; list your proxies only, such as trusted_proxies = [\"127.0.0.1\"]"
            ));
        }
        found.extend(jwt::shared_namespaces(&self.issuers));
        found
    }

    fn addresses(&self) -> Vec<String> {
        let mut found = Vec::new();
        let public = self.public_url.as_str();
        if public.starts_with("http://") {
            found.push("public_url is plain http: for tests on this machine only".to_owned());
        } else if self.listen.ip().is_unspecified() {
            found.push(format!(
                "listen = \"{}\" accepts plain HTTP from every network, bypassing the proxy that terminates TLS for {public}; \
                 for a proxy on this machine write listen = \"127.0.0.1:{}\"",
                self.listen,
                self.listen.port()
            ));
        }
        if let Some(admin) = self.admin.filter(|admin| admin.ip().is_unspecified()) {
            found.push(format!(
                "admin = \"{admin}\" shows state and counters to every network; write admin = \"127.0.0.1:{}\"",
                admin.port()
            ));
        }
        found
    }
}

fn of_instances(integration: &Integration) -> Vec<String> {
    let Integration { name, base_allow, .. } = integration;
    let shared = base_allow.listed.iter().filter(|instance| instance.shared_redirect == SharedRedirect::Accepted);
    let mut found: Vec<_> = shared
        .map(|instance| {
            format!(
                "[integration.{name}]: shared_redirect of {}: a hostile server there could get a code of the provider's \
                 own server; register its own redirect URI (see serve check) and remove shared_redirect",
                instance.host
            )
        })
        .collect();
    if base_allow.others == Others::Public {
        found.push(format!(
            "[integration.{name}]: base_allow = [\"*\"]: any server on the internet can be named as an instance, and users \
             can be sent to it to sign in; list the instances, such as base_allow = [\"https://git.acme.example\"]"
        ));
    }
    found
}

//! A table that names a provider: what it does not state comes from the preset.

use std::{collections::BTreeMap, ops::Range};

use serde_spanned::Spanned;

use super::Table;
use crate::{
    catalog::{CatalogError, Fault, IntegrationName, Loopback, Preset, PresetInstance, SharedRedirect},
    redirect::{Landing, Port, RegisteredRedirect},
};

impl Table {
    /// The user's own lines come before the preset's. What is inherited has the place of `provider` in the file.
    pub(super) fn with_preset(mut self) -> Result<(Self, Option<Preset>), Fault> {
        let Some(provider) = self.provider.take() else {
            self.names_no_instance()?;
            return Ok((self, None));
        };
        let mut preset = Preset::find(provider.get_ref())
            .map_err(|unknown| Fault::new(format!("provider: {unknown}"), unknown.remedy()).at(&provider))?;
        let instance = self.instance(&preset, &provider)?;
        let inherited = preset.take_table();
        Ok((self.over(inherited, &instance, provider.span()), Some(preset)))
    }

    /// An instance means nothing without the provider that it is of.
    fn names_no_instance(&self) -> Result<(), Fault> {
        let stated = [("base_url", &self.base_url), ("tenant", &self.tenant)];
        match stated.into_iter().find_map(|(field, value)| Some((field, value.as_ref()?))) {
            None => Ok(()),
            Some((field, value)) => {
                let remedy = format!("add: provider = \"...\", or remove {field}; see: loopin integration providers");
                Err(Fault::new(format!("{field} needs a provider"), remedy).at(value))
            }
        }
    }

    /// Texts that may hold variables.
    pub(in crate::catalog) fn templates(&self) -> impl Iterator<Item = &str> {
        let Self { issuer, authorization_endpoint, token_endpoint, revocation_endpoint, .. } = self;
        let others = [&self.device_authorization_endpoint, &self.refresh_endpoint];
        [issuer, authorization_endpoint, token_endpoint, revocation_endpoint]
            .into_iter()
            .chain(others)
            .flatten()
            .map(|text| text.get_ref().as_str())
    }

    /// The first field that only a user can state.
    pub(in crate::catalog) fn field_of_a_user(&self) -> Option<&'static str> {
        let stated = [
            ("actions", !self.actions.is_empty()),
            ("allowed_scopes", !self.allowed_scopes.is_empty()),
            ("base_allow", !self.base_allow.is_empty()),
            ("base_url", self.base_url.is_some()),
            ("ca", self.ca.is_some()),
            ("client_id", self.client_id.is_some()),
            ("client_secret", self.client_secret.is_some()),
            ("hosts", self.hosts.is_some()),
            ("insist_on_localhost", self.insist_on_localhost),
            ("provider", self.provider.is_some()),
            ("redirect_uri", self.redirect_uri.is_some()),
            ("relay", self.relay.is_some()),
            ("requiresPKCE", self.requires_pkce),
            ("require_pkce", self.require_pkce),
            ("scopes", !self.scopes.is_empty()),
            ("shared_redirect", self.shared_redirect == SharedRedirect::Accepted),
            ("store", self.store.is_some()),
            ("store_key", self.store_key.is_some()),
            ("tenant", self.tenant.is_some()),
        ];
        stated.into_iter().find_map(|(field, stated)| stated.then_some(field))
    }

    /// Whether it says how the client proves itself, how it writes its requests, or whether PKCE is checked.
    #[cfg(test)]
    pub(in crate::catalog) fn states_a_client(&self) -> bool {
        self.token_endpoint_auth_method.is_some()
            || self.code_challenge_method.is_some()
            || self.client_secret_mask.is_some()
            || self.token_request.is_some()
    }

    /// What it keeps beside the tokens: members of the token response, then parameters of the callback.
    pub(in crate::catalog) fn kept(&self) -> [Vec<&str>; 2] {
        [&self.keep_from_token, &self.keep_from_callback]
            .map(|list| list.iter().flatten().map(|name| name.get_ref().as_str()).collect())
    }

    pub(in crate::catalog) fn kept_account(&self) -> Option<&str> {
        self.account_from.as_ref().map(|name| name.get_ref().as_str())
    }

    #[cfg(test)]
    pub(in crate::catalog) fn states_parameters(&self) -> bool {
        !self.params.is_empty()
            || self.token_params.is_some()
            || self.refresh_params.is_some()
            || self.offline_scopes.is_some()
            || self.offline_params.is_some()
            || self.scope_separator.is_some()
    }

    #[cfg(test)]
    pub(in crate::catalog) fn states_a_response(&self) -> bool {
        let kept = self.kept().iter().any(|names| !names.is_empty());
        kept || self.token_at.is_some() || self.error_at.is_some() || self.issuer_template.is_some()
    }

    /// Which instance is meant, judged by what the provider has.
    fn instance(&self, preset: &Preset, provider: &Spanned<String>) -> Result<PresetInstance, Fault> {
        let (name, mut instance) = (&preset.name, PresetInstance::default());
        if let Some(base_url) = &self.base_url {
            if preset.base_url.is_none() {
                let what = format!("base_url: {name} has the same endpoints for everybody");
                return Err(Fault::new(what, "remove base_url").at(base_url));
            }
            let remedy = "write where the instance is, from https:// on";
            instance = instance
                .at(base_url.get_ref())
                .map_err(|why| Fault::new(format!("base_url is not a safe URL: {why}"), remedy).at(base_url))?;
        }
        if let Some(tenant) = &self.tenant {
            let Some(variable) = &preset.tenant else {
                return Err(Fault::new(format!("tenant: {name} has no tenants"), "remove tenant").at(tenant));
            };
            let remedy = format!("write it like: tenant = \"{}\"", variable.example);
            instance = instance
                .of_tenant(tenant.get_ref())
                .map_err(|why| Fault::new(format!("tenant: {why}"), remedy).at(tenant))?;
        }
        instance.completed(preset).map_err(|missing| {
            let what = format!("{} is missing: {name} has endpoints of its own for each customer", missing.name);
            Fault::new(what, format!("add: {} = \"{}\"", missing.name, missing.example)).at(provider)
        })
    }

    fn over(self, preset: Self, instance: &PresetInstance, at: Range<usize>) -> Self {
        let inherited = |own: Option<Spanned<String>>, preset: Option<Spanned<String>>| {
            own.or_else(|| Some(Spanned::new(at.clone(), instance.fill(preset?.get_ref()))))
        };
        let own_params: Vec<_> = self.params.keys().map(|name| name.get_ref().clone()).collect();
        let preset_params = preset.params.into_iter().filter(|(name, _)| !own_params.contains(name.get_ref()));
        let params: BTreeMap<_, _> =
            preset_params.map(|(name, value)| (Spanned::new(at.clone(), name.into_inner()), value)).collect();
        Self {
            issuer: inherited(self.issuer, preset.issuer),
            // Other endpoints are another server, such as that of a national cloud.
            issuer_template: match self.token_endpoint {
                Some(_) => self.issuer_template,
                None => inherited(self.issuer_template, preset.issuer_template),
            },
            refresh_endpoint: match self.token_endpoint {
                Some(_) => self.refresh_endpoint,
                None => inherited(self.refresh_endpoint, preset.refresh_endpoint),
            },
            authorization_endpoint: inherited(self.authorization_endpoint, preset.authorization_endpoint),
            token_endpoint: inherited(self.token_endpoint, preset.token_endpoint),
            revocation_endpoint: inherited(self.revocation_endpoint, preset.revocation_endpoint),
            device_authorization_endpoint: inherited(
                self.device_authorization_endpoint,
                preset.device_authorization_endpoint,
            ),
            token_endpoint_auth_method: inherited(self.token_endpoint_auth_method, preset.token_endpoint_auth_method),
            authorization_response_iss_parameter_supported: self
                .authorization_response_iss_parameter_supported
                .or(preset.authorization_response_iss_parameter_supported),
            code_challenge_method: self.code_challenge_method.or(preset.code_challenge_method),
            basic_username: inherited(self.basic_username, preset.basic_username),
            offline_scopes: self.offline_scopes.or_else(|| {
                Some(preset.offline_scopes?.into_iter().map(|s| Spanned::new(at.clone(), s.into_inner())).collect())
            }),
            offline_params: self.offline_params.or(preset.offline_params),
            client_secret_mask: self.client_secret_mask.or(preset.client_secret_mask),
            resource: self.resource.or(preset.resource),
            token_params: self.token_params.or(preset.token_params),
            refresh_params: self.refresh_params.or(preset.refresh_params),
            token_request: self.token_request.or(preset.token_request),
            token_at: inherited(self.token_at, preset.token_at),
            error_at: inherited(self.error_at, preset.error_at),
            keep_from_token: self.keep_from_token.or(preset.keep_from_token),
            keep_from_callback: self.keep_from_callback.or(preset.keep_from_callback),
            account_from: inherited(self.account_from, preset.account_from),
            token_servers: self.token_servers.or(preset.token_servers),
            dead_grant_errors: self.dead_grant_errors.or(preset.dead_grant_errors),
            scope_separator: self.scope_separator.or(preset.scope_separator),
            scope_aliases: self.scope_aliases.or(preset.scope_aliases),
            scope_implies: self.scope_implies.or(preset.scope_implies),
            scope_check: self.scope_check.or(preset.scope_check),
            params: params.into_iter().chain(self.params).collect(),
            response_mode: inherited(self.response_mode, preset.response_mode),
            provider_domains: match self.provider_domains.is_empty() {
                true => {
                    let domains = preset.provider_domains.into_iter();
                    domains.map(|domain| Spanned::new(at.clone(), domain.into_inner())).collect()
                }
                false => self.provider_domains,
            },
            // Only a user states these; `field_of_a_user` refuses them in a preset.
            actions: self.actions,
            allowed_scopes: self.allowed_scopes,
            base_allow: self.base_allow,
            base_url: self.base_url,
            ca: self.ca,
            client_id: self.client_id,
            client_secret: self.client_secret,
            hosts: self.hosts,
            insist_on_localhost: self.insist_on_localhost,
            provider: self.provider,
            redirect_uri: self.redirect_uri,
            relay: self.relay,
            require_pkce: self.require_pkce,
            requires_pkce: self.requires_pkce,
            scopes: self.scopes,
            shared_redirect: self.shared_redirect,
            store: self.store,
            store_key: self.store_key,
            tenant: self.tenant,
        }
    }
}

/// Refuses a redirect on loopback that the provider is known to refuse.
pub(super) fn accepted(
    redirect: RegisteredRedirect,
    preset: &Preset,
    name: &IntegrationName,
    relayed: Relayed,
) -> Result<RegisteredRedirect, Fault> {
    let Landing::Loopback { port, .. } = redirect.landing() else { return Ok(redirect) };
    if relayed == Relayed::Yes {
        return Ok(redirect);
    }
    let provider = &preset.name;
    let works = preset.redirect_uri(Some(name));
    let fault =
        |why: String| Err(Fault::new(format!("redirect_uri: {why}"), format!("write: redirect_uri = \"{works}\"")));
    match (preset.redirect.loopback, port) {
        (Loopback::Refused, _) => {
            let CatalogError { what, remedy, .. } = preset.needs_relay(name);
            Err(Fault::new(what, remedy.unwrap_or_default()))
        }
        (Loopback::FixedPort, Port::Ephemeral) => fault(format!("{provider} compares the port, so :0 cannot work")),
        _ if !preset.accepts_host(redirect.host()) => fault(format!("{provider} refuses the host {}", redirect.host())),
        _ => Ok(redirect),
    }
}

/// Whether a relay is registered in the place of the redirect.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Relayed {
    No,
    Yes,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A provider that treats redirects on loopback in this way.
    fn preset(loopback: &str) -> Preset {
        let text = format!(
            "name = \"Acme\"\n[integration]\nissuer = \"https://acme.example\"\n[redirect]\nloopback = \"{loopback}\"\n\
             [registration]\nat = \"https://acme.example/apps\"\nkind = \"app\"\nclient = \"either\"\n[lifetimes]\n[[source]]\n\
             of = [\"endpoints\"]\nat = \"Acme\"\nread = \"2026-11-27\"\n"
        );
        Preset::parse("acme", &text).expect("a preset")
    }

    fn fault(loopback: &str, redirect: &str, relayed: Relayed) -> Option<String> {
        let redirect = RegisteredRedirect::parse(redirect).expect("a redirect");
        let name = IntegrationName::parse("work").expect("a name");
        accepted(redirect, &preset(loopback), &name, relayed).err().map(|fault| fault.within(0..0, "").what)
    }

    #[test]
    fn a_redirect_to_this_machine_is_refused_where_the_provider_refuses_it_and_goes_through_a_relay() {
        let (here, port) = ("http://127.0.0.1:47128/callback", "http://127.0.0.1:0/callback");
        let refused = fault("refused", here, Relayed::No).expect("refused");
        assert!(refused.contains("https redirect URIs only"), "{refused}");
        assert_eq!(None, fault("refused", here, Relayed::Yes));
        assert_eq!(None, fault("refused", "https://acme.example/cli/work", Relayed::No));
        let compared = fault("fixed_port", port, Relayed::No).expect("refused");
        assert!(compared.contains("compares the port"), "{compared}");
        assert_eq!(None, fault("fixed_port", here, Relayed::No));
        assert_eq!(None, fault("any_port", port, Relayed::No));
    }
}

//! The redirect URI of a flow: the service's own callback, or an https URI on another domain that forwards to it.
//!
//! Both endpoints of the provider get the same URI (RFC 6749 section 4.1.3). The response always arrives at the
//! service's own callback: a `loopin relay` or another proxy on the other domain forwards it there.

use super::{base_url::RedirectAt, config::PublicUrl};
use crate::{
    catalog::{DEFAULT_REDIRECT, Integration},
    redirect::{BoundRedirect, RegisteredRedirect, RelayedError, RelayedRedirect},
};

/// Why an integration's `redirect_uri` or `relay` cannot be used by the service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverrideRefused {
    /// `relay` and `redirect_uri` differ, and only one URI is sent.
    #[error("relay and redirect_uri are two different https URIs, and the provider gets only one")]
    Both,
    /// `redirect_uri` is https and not usable.
    #[error("redirect_uri: {0}")]
    RedirectUri(RelayedError),
}

/// The https URI that replaces the service's own callback at the provider: `relay`, otherwise the first https
/// `redirect_uri`.
///
/// # Errors
/// The table names two URIs, or one that cannot forward.
pub fn override_of(integration: &Integration) -> Result<Option<RelayedRedirect>, OverrideRefused> {
    // The others lead to a user's machine, where other rules hold: some providers want `localhost` there.
    let https = integration.redirects.iter().filter(|redirect| redirect.as_str().starts_with("https://"));
    let mut https = https.filter_map(|redirect| match RelayedRedirect::parse(redirect.as_str()) {
        Err(RelayedError::NotHttps) => None,
        parsed => Some(parsed.map_err(OverrideRefused::RedirectUri)),
    });
    match (integration.relay.clone(), https.next().transpose()?) {
        (Some(relay), Some(redirect)) if relay != redirect => Err(OverrideRefused::Both),
        (relay, redirect) => Ok(relay.or(redirect)),
    }
}

/// The redirect URI for the integration's own server or for an instance. An override is for the integration's own
/// server: an instance with a redirect URI of its own keeps it, because it is what identifies the instance (RFC 9700
/// section 4.4.2).
pub fn of_flow(public_url: &PublicUrl, integration: &Integration, at: &RedirectAt) -> Option<BoundRedirect> {
    match at {
        RedirectAt::Own(instance) => public_url.redirect(&integration.name, Some(instance)),
        RedirectAt::Integration(_) => {
            let own = public_url.redirect(&integration.name, None)?;
            match override_of(integration).ok()? {
                Some(other) if other.as_str() != own.as_str() => Some(own.behind(&other)),
                _ => Some(own),
            }
        }
    }
}

/// The redirect URIs of the table that only `loopin login` can use: they lead to a user's machine.
pub fn for_the_command_line(integration: &Integration) -> impl Iterator<Item = &RegisteredRedirect> {
    let used = override_of(integration).ok().flatten();
    let is_used = move |redirect: &RegisteredRedirect| used.as_ref().is_some_and(|it| it.as_str() == redirect.as_str());
    // Nobody wrote this one.
    let usual = integration.preset.as_ref().map(|preset| preset.redirect_uri(None));
    let usual = usual.unwrap_or_else(|| DEFAULT_REDIRECT.to_owned());
    integration.redirects.iter().filter(move |it| !is_used(it) && it.as_str() != usual)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    fn integration(lines: &str) -> Integration {
        let text = format!("[integration.wiki]\nissuer = \"https://op.example\"\nclient_id = \"me\"\n{lines}\n");
        Catalog::parse(&text).expect(lines).get("wiki").expect("wiki").clone()
    }

    fn sent(lines: &str) -> Result<Option<String>, OverrideRefused> {
        override_of(&integration(lines)).map(|it| it.map(|it| it.as_str().to_owned()))
    }

    const HTTPS: &str = "https://acme.example/oauth/wiki";

    #[test]
    fn d20_the_first_https_redirect_or_the_relay_replaces_the_own_callback() {
        let https = Some(HTTPS.to_owned());
        assert_eq!(Ok(https.clone()), sent(&format!("redirect_uri = \"{HTTPS}\"")));
        assert_eq!(Ok(https.clone()), sent(&format!("relay = \"{HTTPS}\"")));
        let list = format!("redirect_uri = [\"http://127.0.0.1:0/cb\", \"{HTTPS}\", \"https://acme.example/second\"]");
        assert_eq!(Ok(https.clone()), sent(&list));
        let both = format!("relay = \"{HTTPS}\"\nredirect_uri = ");
        assert_eq!(Ok(https.clone()), sent(&format!("{both}\"http://127.0.0.1:53127/cb\"")));
        assert_eq!(Ok(https), sent(&format!("{both}\"{HTTPS}\"")));
        assert_eq!(Err(OverrideRefused::Both), sent(&format!("{both}\"https://acme.example/other\"")));
    }

    #[test]
    fn d20_what_leads_to_a_users_machine_is_no_override_and_is_reported() {
        for lines in [
            "",
            "redirect_uri = \"http://127.0.0.1:0/callback\"",
            "redirect_uri = \"http://localhost:0/callback\"\ninsist_on_localhost = true",
            "redirect_uri = \"example.app:///cb\"",
            "provider = \"microsoft\"",
        ] {
            assert_eq!(Ok(None), sent(lines), "{lines}");
        }
        let left = |lines: &str| {
            for_the_command_line(&integration(lines)).map(|it| it.as_str().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(Vec::<String>::new(), left(""), "nobody wrote the default");
        assert_eq!(Vec::<String>::new(), left("provider = \"microsoft\""), "nobody wrote the preset's");
        let list = format!("redirect_uri = [\"http://127.0.0.1:0/cb\", \"{HTTPS}\", \"https://127.0.0.1/cb\"]");
        assert_eq!(["http://127.0.0.1:0/cb", "https://127.0.0.1/cb"].as_slice(), left(&list));
    }

    #[test]
    fn d20_an_override_has_no_query_because_that_of_the_response_is_copied() {
        let refused = sent("redirect_uri = \"https://acme.example/cb?a=b\"");
        assert_eq!(Err(OverrideRefused::RedirectUri(RelayedError::Query)), refused);
    }
}

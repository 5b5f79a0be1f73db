//! Domains of which every host is the provider's own server, such as `myshopify.com`.
//!
//! `base_allow = ["https://*.myshopify.com"]` sends the integration's client secret to any host of the domain, so this
//! must never be a domain where anybody can get a host.

use std::fmt;

/// A domain that `provider_domains` lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderDomain(String);

impl ProviderDomain {
    /// A name of at least two labels in lower case (RFC 1123 section 2.1).
    ///
    /// # Errors
    /// The text is no such name, or anybody can get a host in that domain.
    pub fn parse(text: &str) -> Result<Self, ProviderDomainError> {
        let labels: Vec<_> = text.split('.').collect();
        // A name that ends in a number is read as an address (WHATWG URL).
        let number = labels.last().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
        if labels.len() < 2 || text.len() > 253 || number || !labels.iter().all(|label| is_label(label)) {
            return Err(ProviderDomainError::NotADomain);
        }
        let within = |open: &str| text == open || text.strip_suffix(open).is_some_and(|rest| rest.ends_with('.'));
        match HOSTING.into_iter().find(|open| within(open)) {
            Some(open) => Err(ProviderDomainError::Hosting(open)),
            None if is_registry(&labels) => Err(ProviderDomainError::Registry),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// The domain as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `name`, in lower case, is this domain with exactly one more label.
    pub fn covers(&self, name: &str) -> bool {
        let rest = name.strip_suffix(self.0.as_str()).and_then(|rest| rest.strip_suffix('.'));
        rest.is_some_and(is_label)
    }
}

impl fmt::Display for ProviderDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_label(label: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let ends = label.starts_with('-') || label.ends_with('-');
    !label.is_empty() && label.len() <= 63 && !ends && label.bytes().all(plain)
}

/// `co.uk`, `com.au`: a registry sells the names below. The usual second-level names of country registries, from the ICANN
/// section of the Public Suffix List.
fn is_registry(labels: &[&str]) -> bool {
    const SECOND: [&str; 14] =
        ["ac", "co", "com", "edu", "go", "gob", "gov", "ltd", "mil", "ne", "net", "nom", "or", "org"];
    matches!(labels, [second, top] if top.len() == 2 && SECOND.contains(second))
}

/// Why a domain cannot be a provider's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderDomainError {
    /// Customers of a hosting service get hosts there.
    #[error("anybody can get a host below {0}, and would get the client secret")]
    Hosting(&'static str),
    /// It is not a domain name.
    #[error("not a domain name in lower case")]
    NotADomain,
    /// It is a public suffix.
    #[error("a registry sells the names below this domain")]
    Registry,
}

/// Hosting services that give hosts of these domains to anybody. Source: the private section of the Public Suffix List
/// (https://publicsuffix.org/list/public_suffix_list.dat, read 2026-11-27), where each of these, or a domain within it,
/// stands. The list itself is no criterion: it has `myshopify.com` too, where shops show pages and every server is
/// Shopify's.
const HOSTING: [&str; 48] = [
    "amazonaws.com",
    "appspot.com",
    "azurecontainer.io",
    "azurestaticapps.net",
    "azurewebsites.net",
    "bitbucket.io",
    "blogspot.com",
    "cloudapp.net",
    "cloudfront.net",
    "cloudfunctions.net",
    "codeberg.page",
    "ddns.net",
    "deno.dev",
    "digitaloceanspaces.com",
    "duckdns.org",
    "dyndns.org",
    "elasticbeanstalk.com",
    "fastly.net",
    "firebaseapp.com",
    "fly.dev",
    "framer.app",
    "github.io",
    "githubpreview.dev",
    "gitlab.io",
    "glitch.me",
    "herokuapp.com",
    "linodeobjects.com",
    "netlify.app",
    "ngrok.io",
    "no-ip.org",
    "now.sh",
    "ondigitalocean.app",
    "onrender.com",
    "ovh.net",
    "pages.dev",
    "pythonanywhere.com",
    "r2.dev",
    "readthedocs.io",
    "repl.co",
    "run.app",
    "streamlit.app",
    "supabase.co",
    "trycloudflare.com",
    "ts.net",
    "vercel.app",
    "web.app",
    "wixsite.com",
    "workers.dev",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d17_exactly_one_label_of_the_domain_is_covered() {
        let shops = ProviderDomain::parse("myshopify.com").expect("a domain");
        assert!(shops.covers("acme.myshopify.com") && shops.covers("a-1.myshopify.com"));
        for other in [
            "myshopify.com",
            ".myshopify.com",
            "evilmyshopify.com",
            "a.b.myshopify.com",
            "-a.myshopify.com",
            "a_b.myshopify.com",
            "acme.myshopify.com.evil.example",
            "acme.myshopify.com.",
            "*.myshopify.com",
        ] {
            assert!(!shops.covers(other), "{other}");
        }
    }

    #[test]
    fn d17_a_domain_where_anybody_gets_a_host_is_no_providers() {
        let parse = |text: &str| ProviderDomain::parse(text).map(drop);
        for domain in HOSTING {
            assert_eq!(Err(ProviderDomainError::Hosting(domain)), parse(domain));
            assert_eq!(Err(ProviderDomainError::Hosting(domain)), parse(&format!("eu.{domain}")));
        }
        assert_eq!(Ok(()), parse("notgithub.io"), "another domain");
        for domain in ["co.uk", "com.au", "or.jp"] {
            assert_eq!(Err(ProviderDomainError::Registry), parse(domain), "{domain}");
        }
        for text in
            ["", "com", "localhost", "Shop.com", "a..com", "*.com", "10.0.0.1", "https://a.com", "a.com/b", "é.com"]
        {
            assert_eq!(Err(ProviderDomainError::NotADomain), parse(text), "{text}");
        }
    }
}

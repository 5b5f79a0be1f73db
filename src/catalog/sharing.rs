//! Redirect URIs that several servers share, where a code of one server may arrive while a response of another is
//! expected.
//!
//! A hostile server redirects the browser to an honest server with our `client_id` there. The code then arrives at our
//! listener, and unless the honest server sends `iss` (RFC 9207) it would be sent to the hostile one. RFC 8252 section
//! 8.10 and RFC 9700 section 4.4.2.2 require a redirect URI per server.

use serde::Deserialize;

use super::{Catalog, DEFAULT_REDIRECT, Integration, IntegrationName, Server};
use crate::redirect::{Landing, RegisteredRedirect};

/// Whether a redirect URI may be shared with integrations at other servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "bool")]
pub enum SharedRedirect {
    /// `shared_redirect = true`: the provider fixes the path, and the user accepts the risk.
    Accepted,
    /// Only with a server that promises and sends `iss`.
    #[default]
    Refused,
}

impl From<bool> for SharedRedirect {
    fn from(accepted: bool) -> Self {
        if accepted { Self::Accepted } else { Self::Refused }
    }
}

/// The redirect URI of a native application that no other integration has: `http://127.0.0.1:0/callback/NAME`.
pub fn own_redirect(name: &IntegrationName) -> String {
    format!("{DEFAULT_REDIRECT}/{name}")
}

impl Catalog {
    /// The integrations at other servers whose responses may arrive where this one's are expected.
    pub fn sharing(&self, integration: &Integration) -> Vec<&IntegrationName> {
        let shares =
            |other: &&Integration| !same_server(&integration.server, &other.server) && meet(integration, other);
        self.iter().filter(|other| other.name != integration.name).filter(shares).map(|other| &other.name).collect()
    }

    /// The integrations that use `redirect`, if their servers differ.
    pub fn sharing_redirect(&self, redirect: &RegisteredRedirect) -> Vec<&IntegrationName> {
        let users: Vec<_> =
            self.iter().filter(|user| user.redirects.iter().any(|own| same_place(own, redirect))).collect();
        let differ = |user: &&&Integration| users.iter().any(|other| !same_server(&user.server, &other.server));
        users.iter().filter(differ).map(|user| &user.name).collect()
    }
}

/// Whether codes are sent to the same server. A discovered server and a configured one count as two: an `issuer` in the
/// configuration proves nothing about the endpoints.
fn same_server(one: &Server, other: &Server) -> bool {
    match (one, other) {
        (Server::Discovered(one), Server::Discovered(other)) => one == other,
        (Server::Explicit(one), Server::Explicit(other)) => one.token_endpoint == other.token_endpoint,
        _ => false,
    }
}

fn meet(one: &Integration, other: &Integration) -> bool {
    let relayed = one.relay.is_some() && one.relay == other.relay;
    relayed || one.redirects.iter().any(|own| other.redirects.iter().any(|its| same_place(own, its)))
}

/// Compares host and path, like the listener: servers allow any port in a loopback redirect URI (RFC 8252 section 7.3),
/// and the query of a response is not compared.
fn same_place(one: &RegisteredRedirect, other: &RegisteredRedirect) -> bool {
    let lands_here = |redirect: &RegisteredRedirect| matches!(redirect.landing(), Landing::Loopback { .. });
    lands_here(one) && lands_here(other) && one.host() == other.host() && one.path() == other.path()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "issuer = \"https://a.example\"";
    const B: &str = "issuer = \"https://b.example\"";

    fn catalog(a: &str, b: &str) -> Catalog {
        let text = format!("[integration.a]\nclient_id = \"x\"\n{a}\n[integration.b]\nclient_id = \"y\"\n{b}\n");
        Catalog::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    fn share(a: &str, b: &str) -> bool {
        let catalog = catalog(a, b);
        let of = |name: &str| !catalog.sharing(catalog.get(name).expect("there")).is_empty();
        assert_eq!(of("a"), of("b"), "it takes two: {a} {b}");
        of("a")
    }

    #[test]
    fn h02_two_servers_share_a_redirect_if_host_and_path_are_the_same() {
        let redirect = |server: &str, uri: &str| format!("{server}\nredirect_uri = \"{uri}\"");
        assert!(share(A, B), "tables without redirect_uri go on meaning /callback");
        for (of_a, of_b, shared) in [
            ("http://127.0.0.1:0/callback/a", "http://127.0.0.1:0/callback/b", false),
            ("http://127.0.0.1:0/callback/a", "http://127.0.0.1:0/callback", false),
            ("http://127.0.0.1:0/callback/a", "http://127.0.0.1:0/callback/a", true),
            ("http://127.0.0.1:0/cb", "http://127.0.0.1:8080/cb", true),
            ("http://127.0.0.1:8081/cb", "http://127.0.0.1:8080/cb", true),
            ("http://127.0.0.1:0/cb?i=a", "http://127.0.0.1:0/cb?i=b", true),
            ("http://127.0.0.1:0/cb", "http://127.0.0.1:0/CB", false),
            ("http://127.0.0.1:0/cb", "http://[::1]:0/cb", false),
            ("https://acme.example/cb", "https://acme.example/cb", false),
        ] {
            assert_eq!(shared, share(&redirect(A, of_a), &redirect(B, of_b)), "{of_a} {of_b}");
        }
        let list = "redirect_uri = [\"http://127.0.0.1:0/callback/a\", \"http://[::1]:0/callback\"]";
        assert!(share(&format!("{A}\n{list}"), &redirect(B, "http://[::1]:9/callback")), "any of a list counts");
    }

    #[test]
    fn h02_a_relay_is_shared_like_a_redirect() {
        let relayed = |server: &str, relay: &str, port: u16| {
            format!("{server}\nrelay = \"{relay}\"\nredirect_uri = \"http://127.0.0.1:{port}/callback/{port}\"")
        };
        assert!(share(&relayed(A, "https://acme.example/cb", 5001), &relayed(B, "https://acme.example/cb", 5002)));
        assert!(!share(&relayed(A, "https://acme.example/a", 5001), &relayed(B, "https://acme.example/b", 5002)));
        assert!(share(&relayed(A, "https://acme.example/a", 5001), &relayed(B, "https://acme.example/b", 5001)));
    }

    #[test]
    fn h02_two_tables_of_one_server_may_share() {
        let explicit = |token: &str| {
            format!(
                "authorization_endpoint = \"https://a.example/authorize\"\ntoken_endpoint = \"https://{token}/token\""
            )
        };
        assert!(!share(A, A));
        assert!(!share(&explicit("a.example"), &explicit("a.example")));
        assert!(share(&explicit("a.example"), &explicit("evil.example")), "codes would go elsewhere");
        let claimed = format!("{A}\n{}", explicit("evil.example"));
        assert!(share(A, &claimed), "an issuer that a table claims proves nothing about its endpoints");
    }
}

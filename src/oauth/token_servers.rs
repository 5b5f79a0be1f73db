//! Servers of one provider among which its authorization response chooses, such as the data centers of Zoho: the code is
//! exchanged, and the grant refreshed and revoked, at the one where the user's account is.

use url::form_urlencoded;

use super::{AuthorizationServer, Endpoint, RemoteText};

/// The parameter that names the server, and the servers that it may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenServers {
    /// A parameter of the authorization response.
    pub parameter: String,
    /// Endpoints without path: scheme, host and port count.
    pub origins: Vec<Endpoint>,
}

/// The response names a server that is not listed, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unlisted(pub(super) RemoteText);

impl TokenServers {
    /// The listed server that a callback with this query names, if it names another than the one of `configured`.
    ///
    /// # Errors
    /// It names one that is not listed, or names one twice (RFC 6749 section 3.1).
    pub(super) fn named_in(&self, query: &str, configured: &Endpoint) -> Result<Option<&Endpoint>, Unlisted> {
        let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| *name == self.parameter);
        let Some((_, first)) = values.next() else { return Ok(None) };
        let unlisted = || Unlisted(RemoteText::new(&first));
        if values.next().is_some() {
            return Err(unlisted());
        }
        let named = Endpoint::parse(&first).ok().filter(Endpoint::is_origin).ok_or_else(unlisted)?;
        if configured.has_origin_of(&named) {
            return Ok(None);
        }
        self.origins.iter().find(|origin| origin.has_origin_of(&named)).map(Some).ok_or_else(unlisted)
    }

    /// Whether `endpoint` is `configured` at one of the servers.
    pub fn reach(&self, configured: &Endpoint, endpoint: &Endpoint) -> bool {
        self.origins.iter().any(|origin| configured.at_origin(origin).as_ref() == Some(endpoint))
    }
}

impl AuthorizationServer {
    /// With the endpoints for tokens at another origin of the same provider. `None`: they cannot be there.
    pub(super) fn with_tokens_at(self, origin: &Endpoint) -> Option<Self> {
        let revocation_endpoint = match &self.revocation_endpoint {
            None => None,
            Some(endpoint) => Some(endpoint.at_origin(origin)?),
        };
        Some(Self { token_endpoint: self.token_endpoint.at_origin(origin)?, revocation_endpoint, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        Endpoint::parse(text).expect("an endpoint")
    }

    fn servers() -> TokenServers {
        let origins = vec![endpoint("https://accounts.a.example"), endpoint("https://accounts.b.example:8443")];
        TokenServers { parameter: "accounts-server".into(), origins }
    }

    fn configured() -> Endpoint {
        endpoint("https://accounts.c.example/oauth/v2/token")
    }

    #[test]
    fn d10_a_callback_chooses_among_the_listed_servers() {
        let named = |value: &str| {
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("accounts-server", value).finish();
            servers().named_in(&query, &configured()).map(|origin| origin.map(|origin| origin.as_str().to_owned()))
        };
        assert_eq!(Ok(Some("https://accounts.a.example/".into())), named("https://accounts.a.example"));
        assert_eq!(Ok(Some("https://accounts.a.example/".into())), named("https://accounts.a.example:443/"));
        assert_eq!(Ok(Some("https://accounts.b.example:8443/".into())), named("https://accounts.b.example:8443"));
        assert_eq!(Ok(None), named("https://accounts.c.example"), "the configured one needs no line");
        assert_eq!(Ok(None), servers().named_in("code=x&state=y", &configured()));
    }

    #[test]
    fn d10_a_server_that_is_not_listed_is_never_chosen() {
        for other in [
            "",
            "accounts.a.example",
            "http://accounts.a.example",
            "https://accounts.a.example.evil.example",
            "https://accounts.a.example@evil.example",
            "https://accounts.a.example:8443",
            "https://accounts.b.example",
            "https://evil.example/https://accounts.a.example",
            "https://accounts.a.example/oauth",
            "https://accounts.a.example?x",
            "https://accounts.a.example\\@evil.example",
            "javascript:alert(1)",
        ] {
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("accounts-server", other).finish();
            assert!(servers().named_in(&query, &configured()).is_err(), "{other}");
        }
        let twice = "accounts-server=https%3A%2F%2Faccounts.a.example&accounts-server=https%3A%2F%2Faccounts.a.example";
        assert!(servers().named_in(twice, &configured()).is_err());
    }

    #[test]
    fn d10_an_endpoint_keeps_its_path_and_query_at_another_server() {
        let configured = endpoint("https://accounts.a.example/oauth/v2/token?v=2");
        let moved = endpoint("https://accounts.b.example:8443/oauth/v2/token?v=2");
        assert_eq!(Some(&moved), configured.at_origin(&servers().origins[1]).as_ref());
        assert!(servers().reach(&configured, &moved) && servers().reach(&configured, &configured));
        assert!(!servers().reach(&configured, &endpoint("https://accounts.b.example/oauth/v2/token?v=2")));
    }
}

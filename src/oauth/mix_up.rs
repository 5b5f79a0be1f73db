//! Mix-up (RFC 9700 section 4.4): whether a response came from the server to which the request was sent.
//!
//! The same rule for the command line and the service. It cannot decide for servers that do not send `iss`: for these
//! each server has its own redirect URI, and the listener accepts responses at its own path only.

use super::{AuthorizationServer, Endpoint, IssParameter, RemoteText};

/// Why the code of a response with the right `state` must not be exchanged (RFC 9207 section 2.4).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The server promises `iss`, and the response has none.
    #[error("the provider promises to name itself in its answer (iss, RFC 9207), and this answer does not")]
    IssuerMissing,
    /// No issuer is configured, and `iss` has another origin than the authorization endpoint.
    #[error("the answer names a provider at another origin than the authorization endpoint (iss, RFC 9207)")]
    OtherOrigin,
    /// `iss` is not the configured issuer.
    #[error("the answer came from another provider than the one that was asked (iss, RFC 9207)")]
    OtherIssuer,
    /// It names a server for the exchange of the code that is not listed.
    #[error(
        "the answer sends the code to \"{0}\", which is none of the provider's servers that are listed (token_servers)"
    )]
    UnlistedServer(RemoteText),
}

/// Checks `iss` of an authorization response. It counts whenever it is present, even if it is empty.
///
/// # Errors
/// The response is from another server, or `iss` is missing although the server promises it.
pub fn came_from(server: &AuthorizationServer, iss: Option<&str>) -> Result<(), Refusal> {
    let Some(iss) = iss else {
        return match server.iss_parameter {
            IssParameter::Promised => Err(Refusal::IssuerMissing),
            IssParameter::NotPromised => Ok(()),
        };
    };
    match (&server.issuer, &server.issuer_template) {
        (Some(issuer), _) if iss == issuer.as_str() => Ok(()),
        // The tenant is compared with that of the id_token.
        (None, Some(template)) if template.covers(iss) => Ok(()),
        (Some(_), _) | (None, Some(_)) => Err(Refusal::OtherIssuer),
        (None, None) => match Endpoint::parse(iss) {
            Ok(iss) if iss.has_origin_of(&server.authorization_endpoint) => Ok(()),
            _ => Err(Refusal::OtherOrigin),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::{IdTokenAlgorithms, Issuer, IssuerTemplate, S256};

    fn server(issuer: Option<&str>, iss_parameter: IssParameter) -> AuthorizationServer {
        let endpoint = |text: &str| Endpoint::parse(text).expect("an endpoint");
        AuthorizationServer {
            issuer: issuer.map(|text| Issuer::parse(text).expect("an issuer")),
            issuer_template: None,
            authorization_endpoint: endpoint("https://op.example/a/authorize"),
            token_endpoint: endpoint("https://op.example/a/token"),
            revocation_endpoint: None,
            device_authorization_endpoint: None,
            iss_parameter,
            s256: S256::Unstated,
            id_token_algorithms: IdTokenAlgorithms::Unstated,
            authentication_methods: crate::oauth::AuthenticationMethods::Unstated,
        }
    }

    #[test]
    fn h02_a_known_issuer_is_compared_byte_for_byte() {
        use IssParameter::{NotPromised, Promised};
        for promise in [Promised, NotPromised] {
            let server = server(Some("https://op.example/a"), promise);
            assert_eq!(Ok(()), came_from(&server, Some("https://op.example/a")));
            for other in
                ["", "https://op.example", "https://op.example/a/", "https://OP.example/a", "https://evil.example"]
            {
                assert_eq!(Err(Refusal::OtherIssuer), came_from(&server, Some(other)), "{other}");
            }
        }
        assert_eq!(Err(Refusal::IssuerMissing), came_from(&server(Some("https://op.example/a"), Promised), None));
        assert_eq!(Ok(()), came_from(&server(Some("https://op.example/a"), NotPromised), None));
    }

    #[test]
    fn h02_without_an_issuer_iss_must_have_the_origin_of_the_authorization_endpoint() {
        use IssParameter::{NotPromised, Promised};
        for promise in [Promised, NotPromised] {
            let server = server(None, promise);
            for same in
                ["https://op.example", "https://op.example/", "https://op.example:443/b", "https://OP.EXAMPLE/x"]
            {
                assert_eq!(Ok(()), came_from(&server, Some(same)), "{same}");
            }
            for other in include_str!("../../tests/data/foreign-issuers.txt").lines() {
                assert_eq!(Err(Refusal::OtherOrigin), came_from(&server, Some(other)), "{other}");
            }
        }
        assert_eq!(Err(Refusal::IssuerMissing), came_from(&server(None, Promised), None));
        assert_eq!(Ok(()), came_from(&server(None, NotPromised), None));
    }

    #[test]
    fn d12_where_each_tenant_has_an_issuer_iss_is_that_of_a_tenant() {
        use IssParameter::{NotPromised, Promised};
        for promise in [Promised, NotPromised] {
            let template = IssuerTemplate::parse("https://op.example/{tenantid}/v2.0").ok();
            let server = AuthorizationServer { issuer_template: template, ..server(None, promise) };
            assert_eq!(Ok(()), came_from(&server, Some("https://op.example/t1/v2.0")));
            for other in ["", "https://op.example", "https://op.example/t1", "https://op.example/{tenantid}/v2.0"]
                .into_iter()
                .chain(include_str!("../../tests/data/foreign-issuers.txt").lines())
            {
                assert_eq!(Err(Refusal::OtherIssuer), came_from(&server, Some(other)), "{other}");
            }
        }
    }
}

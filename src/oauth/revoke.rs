//! Token revocation (RFC 7009).
#![deny(clippy::let_underscore_must_use)]

use super::{Client, Endpoint, HttpClient, HttpError, client_request::client_request};
use crate::secret::Secret;

/// The tokens of one grant.
#[derive(Clone, Copy, Debug)]
pub struct GrantTokens<'a> {
    /// The access token.
    pub access: &'a Secret,
    /// The refresh token, if the grant has one.
    pub refresh: Option<&'a Secret>,
}

/// The tokens of a grant that are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Every token gets its own request.
    Every,
    /// Only the token that ends the grant: the provider should then revoke its access tokens too (RFC 7009 section
    /// 2.1).
    First,
}

/// `token_type_hint` of RFC 7009 section 2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenKind {
    Access,
    Refresh,
}

/// Why a token may still be valid at the provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RevocationError {
    /// The provider answered with this status.
    #[error("the provider refused to revoke (status {status})")]
    Refused { status: u16 },
    /// There was no response.
    #[error("the provider could not be reached ({0})")]
    Unreachable(#[source] HttpError),
}

/// Revokes a grant at the provider. The refresh token is sent first, since the grant ends with it (RFC 7009 section
/// 2.1), and its response is the result. Without a refresh token the access token is sent. Any 2xx counts as revoked,
/// also for an unknown token (section 2.2).
///
/// # Errors
/// The provider did not confirm the revocation.
pub fn revoke_grant(
    endpoint: &Endpoint,
    client: &Client,
    tokens: GrantTokens<'_>,
    extent: Extent,
    http: &dyn HttpClient,
) -> Result<(), RevocationError> {
    let revoke_access = || revoke(endpoint, client, tokens.access, TokenKind::Access, http);
    let Some(refresh) = tokens.refresh else { return revoke_access() };
    let result = revoke(endpoint, client, refresh, TokenKind::Refresh, http);
    // An unreachable provider is not waited for twice.
    let unreachable = matches!(result, Err(RevocationError::Unreachable(_)));
    if extent == Extent::Every && !unreachable {
        #[expect(
            clippy::let_underscore_must_use,
            reason = "an access token expires by itself; what counts is the refresh token"
        )]
        let _ = revoke_access();
    }
    result
}

fn revoke(
    endpoint: &Endpoint,
    client: &Client,
    token: &Secret,
    kind: TokenKind,
    http: &dyn HttpClient,
) -> Result<(), RevocationError> {
    let hint = match kind {
        TokenKind::Access => "access_token",
        TokenKind::Refresh => "refresh_token",
    };
    let fields = [("token", token.expose()), ("token_type_hint", hint)];
    let request = client_request(endpoint, client, fields).map_err(RevocationError::Unreachable)?;
    let reply = http.send(request).map_err(RevocationError::Unreachable)?;
    match reply.status() {
        status if status.is_success() => Ok(()),
        status => Err(RevocationError::Refused { status: status.as_u16() }),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use base64::{Engine, engine::general_purpose::STANDARD};
    use oauth2::http;
    use url::form_urlencoded;

    use super::*;
    use crate::oauth::{AuthenticationMethod, ClientAuthentication, ClientId, HttpRequest, HttpResponse};

    /// Replies with these statuses, the last one first, and keeps the requests.
    struct Provider {
        replies: RefCell<Vec<Result<u16, HttpError>>>,
        sent: RefCell<Vec<HttpRequest>>,
    }

    impl HttpClient for Provider {
        fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
            self.sent.borrow_mut().push(request);
            let mut reply = HttpResponse::default();
            *reply.status_mut() =
                http::StatusCode::from_u16(self.replies.borrow_mut().pop().expect("a reply")?).expect("status");
            Ok(reply)
        }
    }

    fn run(
        authentication: ClientAuthentication,
        kind: TokenKind,
        reply: Result<u16, HttpError>,
    ) -> (Result<(), RevocationError>, HttpRequest) {
        let provider = Provider { replies: RefCell::new(vec![reply]), sent: RefCell::default() };
        let endpoint = Endpoint::parse("https://op.example/revoke?v=2").expect("endpoint");
        let client = Client::new(ClientId::parse("m:%+ e").expect("id"), authentication);
        let result = revoke(&endpoint, &client, &Secret::new("canary&t=+é".into()), kind, &provider);
        let mut sent = provider.sent.into_inner();
        assert_eq!(1, sent.len());
        (result, sent.remove(0))
    }

    fn secret(method: AuthenticationMethod) -> ClientAuthentication {
        ClientAuthentication::Secret { secret: Secret::new("s:%+ é".into()), method }
    }

    #[test]
    fn the_request_is_that_of_rfc_7009_section_2_1() {
        for (kind, hint) in [(TokenKind::Access, "access_token"), (TokenKind::Refresh, "refresh_token")] {
            let (result, sent) = run(ClientAuthentication::None, kind, Ok(200));
            assert_eq!(Ok(()), result);
            assert_eq!(
                ("POST", "https://op.example/revoke?v=2"),
                (sent.method().as_str(), sent.uri().to_string().as_str())
            );
            assert_eq!("application/x-www-form-urlencoded", sent.headers()[http::header::CONTENT_TYPE]);
            let form: Vec<_> = form_urlencoded::parse(sent.body()).into_owned().collect();
            let expected = [("token", "canary&t=+é"), ("token_type_hint", hint), ("client_id", "m:%+ e")];
            assert_eq!(expected.map(|(name, value)| (name.to_owned(), value.to_owned())), *form);
        }
    }

    #[test]
    fn x13_a_client_proves_itself_as_it_does_for_a_token() {
        let encoded = "m%3A%25%2B+e:s%3A%25%2B+%C3%A9";
        for (authentication, header, in_body) in [
            (ClientAuthentication::None, None, "&client_id=m%3A%25%2B+e"),
            (secret(AuthenticationMethod::Basic), Some(format!("Basic {}", STANDARD.encode(encoded))), ""),
            (secret(AuthenticationMethod::Post), None, "&client_id=m%3A%25%2B+e&client_secret=s%3A%25%2B+%C3%A9"),
        ] {
            let (_, sent) = run(authentication, TokenKind::Refresh, Ok(200));
            let sent_header =
                sent.headers().get(http::header::AUTHORIZATION).map(|value| value.to_str().expect("text").to_owned());
            assert_eq!(header, sent_header);
            let body = String::from_utf8(sent.into_body()).expect("form");
            assert_eq!(format!("token=canary%26t%3D%2B%C3%A9&token_type_hint=refresh_token{in_body}"), body);
        }
    }

    #[test]
    fn only_a_success_counts_as_revoked() {
        for status in [200, 201, 204] {
            assert_eq!(Ok(()), run(ClientAuthentication::None, TokenKind::Refresh, Ok(status)).0, "{status}");
        }
        for status in [301, 307, 400, 401, 404, 429, 500, 503] {
            let expected = Err(RevocationError::Refused { status });
            assert_eq!(expected, run(ClientAuthentication::None, TokenKind::Refresh, Ok(status)).0);
        }
        let (result, _) = run(ClientAuthentication::None, TokenKind::Refresh, Err(HttpError::Timeout));
        assert_eq!(Err(RevocationError::Unreachable(HttpError::Timeout)), result);
    }

    /// The tokens that were revoked, in order, and the result; every request gets the next status.
    fn ended(refresh: Option<&str>, extent: Extent, replies: &[Result<u16, HttpError>]) -> (Vec<String>, bool) {
        let provider =
            Provider { replies: RefCell::new(replies.iter().rev().cloned().collect()), sent: RefCell::default() };
        let endpoint = Endpoint::parse("https://op.example/revoke").expect("endpoint");
        let client = Client::new(ClientId::parse("me").expect("id"), ClientAuthentication::None);
        let (access, refresh) = (Secret::new("access".into()), refresh.map(|token| Secret::new(token.into())));
        let tokens = GrantTokens { access: &access, refresh: refresh.as_ref() };
        let result = revoke_grant(&endpoint, &client, tokens, extent, &provider);
        let token =
            |request: &HttpRequest| form_urlencoded::parse(request.body()).next().expect("token").1.into_owned();
        (provider.sent.borrow().iter().map(token).collect(), result.is_ok())
    }

    #[test]
    fn x20_the_refresh_token_comes_first_and_its_response_decides() {
        let (tokens, refresh) =
            (|list: &[&str]| list.iter().map(|&t| t.to_owned()).collect::<Vec<_>>(), Some("refresh"));
        let both = tokens(&["refresh", "access"]);
        assert_eq!((both.clone(), true), ended(refresh, Extent::Every, &[Ok(200), Ok(400)]));
        assert_eq!((both, false), ended(refresh, Extent::Every, &[Ok(400), Ok(200)]));
        assert_eq!((tokens(&["refresh"]), true), ended(refresh, Extent::First, &[Ok(200)]));
        for extent in [Extent::Every, Extent::First] {
            let unreachable = ended(refresh, extent, &[Err(HttpError::Timeout)]);
            assert_eq!((tokens(&["refresh"]), false), unreachable, "nobody waits for it twice");
            assert_eq!((tokens(&["access"]), true), ended(None, extent, &[Ok(200)]));
            assert_eq!((tokens(&["access"]), false), ended(None, extent, &[Ok(503)]));
        }
    }

    #[test]
    fn no_error_prints_the_token_or_the_secret() {
        for reply in [Ok(400), Err(HttpError::Timeout)] {
            let error = run(secret(AuthenticationMethod::Post), TokenKind::Access, reply).0.expect_err("not revoked");
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("canary") && !shown.contains("s:%+"), "{shown}");
        }
    }
}

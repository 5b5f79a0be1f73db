//! Refreshing an access token (RFC 6749 section 6).

use std::time::SystemTime;

use oauth2::RefreshToken;

use super::{
    Claims, Client, Endpoint, ExchangeError, HttpClient, IdTokenAlgorithms, Issuer, TokenOccasion, TokenSet,
    id_token::{Expected, Occasion},
    token::{Fault, Incomplete, tolerant},
};
use crate::secret::Secret;

/// What a refresh needs beside a clock and a network.
#[derive(Clone, Copy, Debug)]
pub struct RefreshRequest<'a> {
    pub token_endpoint: &'a Endpoint,
    pub client: &'a Client,
    pub refresh_token: &'a Secret,
    pub issuer: Option<&'a Issuer>,
    /// The stored id_token; one that comes with the refresh has to agree with it (OpenID Connect Core section 12.2).
    pub original: Option<&'a Secret>,
}

/// Why a refresh has no tokens.
#[derive(Debug)]
pub struct RefreshError {
    pub error: ExchangeError,
    /// The new refresh token of a response whose access token cannot be used. The provider may have used up the one that
    /// was sent, so this one has to be kept.
    pub rotated: Option<Secret>,
}

impl From<Incomplete> for RefreshError {
    fn from(Incomplete { error, refresh_token }: Incomplete) -> Self {
        Self { error, rotated: refresh_token }
    }
}

/// Sends the refresh token, once. `now` dates the tokens and judges an id_token that comes with them.
///
/// # Errors
/// There are no tokens. `refresh::Judgement` decides what that means for the grant.
pub fn refresh(request: RefreshRequest<'_>, http: &dyn HttpClient, now: SystemTime) -> Result<TokenSet, RefreshError> {
    let RefreshRequest { token_endpoint, client, refresh_token, issuer, original } = request;
    let http = &client.dialect.token.over(http, TokenOccasion::Refresh);
    let refresh_token = RefreshToken::new(refresh_token.expose().to_owned());
    let reply = tolerant(client, token_endpoint)
        .exchange_refresh_token(&refresh_token)
        .request(&|request| Fault::guard(http, client, request));
    let tokens = TokenSet::read(reply, now)?;
    let Some(id_token) = &tokens.id_token else { return Ok(tokens) };
    // The stored record keeps nothing of the server's metadata; `issuer` is that of the grant's tenant.
    let algorithms = &IdTokenAlgorithms::Unstated;
    let expected =
        Expected { issuer, template: None, client, algorithms, occasion: Occasion::Refresh { original }, now };
    match Claims::read(id_token, &expected) {
        Ok(claims) => Ok(TokenSet { claims: Some(claims), ..tokens }),
        // The old refresh token may be used up: rejecting the new one because of an id_token that is not needed would
        // end the grant. Only the id_token is dropped.
        Err(why) => Ok(TokenSet { id_token: None, ignored_id_token: Some(why), ..tokens }),
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;
    use crate::oauth::{ClientAuthentication, ClientId, HttpError, HttpRequest, HttpResponse};

    struct Answers(String);

    impl HttpClient for Answers {
        fn send(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
            Ok(HttpResponse::new(self.0.clone().into_bytes()))
        }
    }

    fn refreshed(claims: &str) -> TokenSet {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let id_token = format!("{}.{}.c2ln", part(r#"{"alg":"RS256"}"#), part(claims));
        let reply = format!(r#"{{"access_token":"a","refresh_token":"r","id_token":"{id_token}"}}"#);
        let endpoint = Endpoint::parse("https://op.example/token").expect("endpoint");
        let issuer = Issuer::parse("https://op.example").expect("issuer");
        let client = Client::new(ClientId::parse("me").expect("id"), ClientAuthentication::None);
        let sent = Secret::new("old".into());
        let request = RefreshRequest {
            token_endpoint: &endpoint,
            client: &client,
            refresh_token: &sent,
            issuer: Some(&issuer),
            original: None,
        };
        refresh(request, &Answers(reply), SystemTime::UNIX_EPOCH).expect("tokens")
    }

    #[test]
    fn s10_the_id_token_of_a_refresh_tells_whose_it_is() {
        let tokens = refreshed(r#"{"iss":"https://op.example","sub":"7","aud":"me","exp":60,"iat":0}"#);
        assert_eq!(Some("7"), tokens.claims.map(|claims| claims.sub).as_deref());
    }

    #[test]
    fn an_id_token_that_is_not_acceptable_costs_no_refresh_token() {
        for claims in [r#"{"iss":"https://other.example","sub":"7","aud":"me","exp":60,"iat":0}"#, "{}"] {
            let tokens = refreshed(claims);
            assert!(tokens.refresh_token.is_some_and(|token| token.matches("r")), "{claims}");
            assert!(tokens.id_token.is_none() && tokens.claims.is_none(), "{claims}");
        }
    }
}

//! Refreshing an access token (RFC 6749 section 6).

use std::time::SystemTime;

use oauth2::RefreshToken;

use super::{
    Claims, Client, Endpoint, ExchangeError, HttpClient, IdTokenAlgorithms, Issuer, TokenOccasion, TokenSet,
    id_token::{Expected, Occasion},
    token::{Fault, tolerant},
};
use crate::secret::Secret;

/// Sends the refresh token once. `now` is the start of the new tokens' life. An id_token in the response must match
/// `original`, the stored one (OpenID Connect Core section 12.2).
///
/// # Errors
/// There are no tokens. `refresh::Judgement` decides what that means for the grant.
pub fn refresh(
    token_endpoint: &Endpoint,
    client: &Client,
    refresh_token: &Secret,
    issuer: Option<&Issuer>,
    original: Option<&Secret>,
    http: &dyn HttpClient,
    now: SystemTime,
) -> Result<TokenSet, ExchangeError> {
    // The stored record contains no metadata of the server.
    let algorithms = &IdTokenAlgorithms::Unstated;
    let expected = Expected { issuer, client, algorithms, occasion: Occasion::Refresh { original }, now };
    let http = &client.dialect.token.over(http, TokenOccasion::Refresh);
    let client = tolerant(client, token_endpoint);
    let refresh_token = RefreshToken::new(refresh_token.expose().to_owned());
    let reply = client.exchange_refresh_token(&refresh_token).request(&|request| Fault::guard(http, request));
    let tokens = TokenSet::read(reply, now)?;
    let Some(id_token) = &tokens.id_token else { return Ok(tokens) };
    match Claims::read(id_token, &expected) {
        Ok(claims) => Ok(TokenSet { claims: Some(claims), ..tokens }),
        // The old refresh token may be used up: rejecting the new one because of an id_token that is not needed would
        // end the grant. Only the id_token is dropped.
        Err(_) => Ok(TokenSet { id_token: None, ..tokens }),
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
        refresh(&endpoint, &client, &sent, Some(&issuer), None, &Answers(reply), SystemTime::UNIX_EPOCH)
            .expect("tokens")
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

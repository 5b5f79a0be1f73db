//! The claims of an id_token that came straight from the token endpoint (OpenID Connect Core section 3.1.3.7).
//!
//! Point 6 of that section lets TLS to the token endpoint stand for the signature, so no key is fetched here:
//! a login stays at two requests. The claims are checked all the same, and are used as names, never as keys.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;

use super::Issuer;
use crate::secret::Secret;

/// How far clocks may be apart.
const LEEWAY: Duration = Duration::from_secs(300);

/// Who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    pub iss: String,
    pub sub: String,
}

/// Why an id_token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdTokenError {
    Expired,
    IssuedInTheFuture,
    NotSigned,
    NotAJwt,
    OtherAudience,
    OtherIssuer,
    OtherNonce,
}

impl fmt::Display for IdTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "it has expired already; is this machine's clock right?",
            Self::IssuedInTheFuture => "it was issued in the future; is this machine's clock right?",
            Self::NotSigned => "it is not signed (alg none)",
            Self::NotAJwt => "it is not a JWT with iss, sub, aud, exp and iat",
            Self::OtherAudience => "it is for another client (aud, azp)",
            Self::OtherIssuer => "it is from another provider (iss)",
            Self::OtherNonce => "it is for another sign-in (nonce)",
        })
    }
}

/// What the login knows.
pub(super) struct Expected<'a> {
    pub issuer: Option<&'a Issuer>,
    pub client_id: &'a str,
    pub nonce: Option<&'a Secret>,
    pub now: SystemTime,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Payload {
    iss: String,
    sub: String,
    aud: Value,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nonce: Option<String>,
}

impl Claims {
    pub(super) fn read(token: &Secret, expected: &Expected<'_>) -> Result<Self, IdTokenError> {
        let mut parts = token.expose().split('.');
        let (Some(header), Some(payload), Some(_signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(IdTokenError::NotAJwt);
        };
        let header: Header = decode(header)?;
        if header.alg.eq_ignore_ascii_case("none") {
            return Err(IdTokenError::NotSigned);
        }
        let payload: Payload = decode(payload)?;
        if expected.issuer.is_some_and(|issuer| issuer.as_str() != payload.iss) {
            return Err(IdTokenError::OtherIssuer);
        }
        let several = match &payload.aud {
            Value::String(aud) if aud == expected.client_id => false,
            Value::Array(list) if list.iter().any(|aud| aud == expected.client_id) => list.len() > 1,
            _ => return Err(IdTokenError::OtherAudience),
        };
        match &payload.azp {
            Some(azp) if azp != expected.client_id => return Err(IdTokenError::OtherAudience),
            None if several => return Err(IdTokenError::OtherAudience),
            _ => {}
        }
        let now = expected.now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        if now > payload.exp + LEEWAY.as_secs_f64() {
            return Err(IdTokenError::Expired);
        }
        if payload.iat > now + LEEWAY.as_secs_f64() {
            return Err(IdTokenError::IssuedInTheFuture);
        }
        match (expected.nonce, &payload.nonce) {
            (Some(ours), Some(theirs)) if ours.matches(theirs) => {}
            (None, _) => {}
            _ => return Err(IdTokenError::OtherNonce),
        }
        Ok(Self { iss: payload.iss, sub: payload.sub })
    }
}

/// From when until when an id_token is valid (`iat`, `exp`). It was checked when it came.
pub fn id_token_validity(token: &Secret) -> Option<(SystemTime, SystemTime)> {
    let payload: Payload = decode(token.expose().split('.').nth(1)?).ok()?;
    let time = |seconds: f64| UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?);
    Some((time(payload.iat)?, time(payload.exp)?))
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, IdTokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| IdTokenError::NotAJwt)?;
    serde_json::from_slice(&bytes).map_err(|_| IdTokenError::NotAJwt)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, payload: &str) -> Secret {
        Secret::new(format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload)))
    }

    #[test]
    fn the_validity_of_an_id_token_is_what_it_says() {
        let payload = r#"{"iss":"https://op.example","sub":"7","aud":"me","exp":1000060,"iat":1000000}"#;
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(Some((at(1_000_000), at(1_000_060))), id_token_validity(&token("{}", payload)));
        for bad in [
            "",
            "{}",
            r#"{"iss":"","sub":"","aud":"","exp":-1,"iat":0}"#,
            r#"{"iss":"","sub":"","aud":"","exp":1e300,"iat":0}"#,
        ] {
            assert_eq!(None, id_token_validity(&token("{}", bad)), "{bad}");
        }
    }

    fn read(payload: &str) -> Result<Claims, IdTokenError> {
        read_with(r#"{"alg":"RS256"}"#, payload)
    }

    fn read_with(header: &str, payload: &str) -> Result<Claims, IdTokenError> {
        let issuer = Issuer::parse("https://op.example").expect("issuer");
        let nonce = Secret::new("n".into());
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
        Claims::read(
            &token(header, payload),
            &Expected { issuer: Some(&issuer), client_id: "me", nonce: Some(&nonce), now },
        )
    }

    #[test]
    fn a_token_for_this_login_gives_iss_and_sub() {
        let claims =
            read(r#"{"iss":"https://op.example","sub":"7","aud":"me","exp":1000060,"iat":1000000,"nonce":"n"}"#);
        assert_eq!(Ok(Claims { iss: "https://op.example".into(), sub: "7".into() }), claims);
    }

    #[test]
    fn every_claim_that_is_not_ours_is_refused() {
        use IdTokenError::*;
        for (why, payload) in [
            (
                OtherIssuer,
                r#"{"iss":"https://op.example/","sub":"7","aud":"me","exp":1000060,"iat":1000000,"nonce":"n"}"#,
            ),
            (
                OtherAudience,
                r#"{"iss":"https://op.example","sub":"7","aud":"you","exp":1000060,"iat":1000000,"nonce":"n"}"#,
            ),
            (
                OtherAudience,
                r#"{"iss":"https://op.example","sub":"7","aud":["me","you"],"exp":1000060,"iat":1000000,"nonce":"n"}"#,
            ),
            (
                OtherAudience,
                r#"{"iss":"https://op.example","sub":"7","aud":"me","azp":"you","exp":1000060,"iat":1000000,"nonce":"n"}"#,
            ),
            (Expired, r#"{"iss":"https://op.example","sub":"7","aud":"me","exp":999699,"iat":1,"nonce":"n"}"#),
            (
                IssuedInTheFuture,
                r#"{"iss":"https://op.example","sub":"7","aud":"me","exp":2000000,"iat":1000301,"nonce":"n"}"#,
            ),
            (
                OtherNonce,
                r#"{"iss":"https://op.example","sub":"7","aud":"me","exp":1000060,"iat":1000000,"nonce":"m"}"#,
            ),
            (OtherNonce, r#"{"iss":"https://op.example","sub":"7","aud":"me","exp":1000060,"iat":1000000}"#),
            (NotAJwt, r#"{"iss":"https://op.example","aud":"me","exp":1000060,"iat":1000000,"nonce":"n"}"#),
            (NotAJwt, "[]"),
        ] {
            assert_eq!(Err(why), read(payload), "{payload}");
        }
        let good = r#"{"iss":"https://op.example","sub":"7","aud":"me","exp":1000060,"iat":1000000,"nonce":"n"}"#;
        assert_eq!(Err(NotSigned), read_with(r#"{"alg":"none"}"#, good));
    }
}

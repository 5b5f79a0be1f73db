//! The claims of an id_token from the token endpoint (OpenID Connect Core section 3.1.3.7).
//!
//! Point 6 of that section allows TLS to replace the check of the signature, so no key is fetched and a login needs two
//! requests only. The claims are checked nevertheless. They are used as names, never as keys.

use std::{
    collections::BTreeSet,
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use serde_json::Value;

use super::{Client, IdTokenAlgorithms, Issuer, IssuerTemplate};
use crate::secret::Secret;

/// The largest difference between clocks.
const LEEWAY: Duration = Duration::from_secs(300);

/// The user who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The issuer (`iss`).
    pub iss: String,
    /// The user (`sub`), unique within the issuer.
    pub sub: String,
}

/// Why an id_token is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdTokenError {
    /// `exp` has passed.
    Expired,
    /// `iat` is in the future.
    IssuedInTheFuture,
    /// The issuer depends on the tenant, and `tid` is missing.
    NoTenant,
    /// `alg` is `none`.
    NotSigned,
    /// It is no JWT with `iss`, `sub`, `aud`, `exp` and `iat`.
    NotAJwt,
    /// `nbf` is in the future.
    NotYetValid,
    /// Signed with a client secret that this client does not have.
    NoSecret,
    /// The server's metadata does not list `alg`.
    OtherAlgorithm,
    /// `aud` or `azp` is another client.
    OtherAudience,
    /// `iss` is another issuer.
    OtherIssuer,
    /// `nonce` is not the one that was sent.
    OtherNonce,
    /// The extensions in `crit` must be supported (RFC 7515 section 4.1.11), and none is.
    UnknownCritical,
}

impl fmt::Display for IdTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "it has expired already; is this machine's clock right?",
            Self::IssuedInTheFuture => "it was issued in the future; is this machine's clock right?",
            Self::NoTenant => "it names no tenant (tid), on which the issuer depends (issuer_template)",
            Self::NotSigned => "it is not signed (alg none)",
            Self::NotAJwt => "it is not a JWT with iss, sub, aud, exp and iat",
            Self::NotYetValid => "it is not valid yet (nbf); is this machine's clock right?",
            Self::NoSecret => "it is signed with a client secret (alg), and this client has none",
            Self::OtherAlgorithm => "it is signed with an algorithm that the provider does not list (alg)",
            Self::OtherAudience => "it is for another client (aud, azp)",
            Self::OtherIssuer => "it is from another provider (iss)",
            Self::OtherNonce => "it is for another sign-in (nonce)",
            Self::UnknownCritical => "it has an extension that must be understood (crit), and loopin knows none",
        })
    }
}

/// What the claims are compared with.
pub(super) struct Expected<'a> {
    pub issuer: Option<&'a Issuer>,
    /// The issuer has to be that of the tenant which the id_token names.
    pub template: Option<&'a IssuerTemplate>,
    pub client: &'a Client,
    pub algorithms: &'a IdTokenAlgorithms,
    pub occasion: Occasion<'a>,
    pub now: SystemTime,
}

/// The request that the id_token answers.
pub(super) enum Occasion<'a> {
    /// The nonce of the authorization request, if it had one.
    Login { nonce: Option<&'a Secret> },
    /// The stored id_token, if there is one.
    Refresh { original: Option<&'a Secret> },
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    /// `Some` for every value, including `null`.
    #[serde(default, deserialize_with = "present")]
    crit: Option<()>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<()>, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| Some(()))
}

#[derive(Deserialize)]
struct Payload {
    iss: String,
    sub: String,
    aud: Value,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
    /// The tenant (Microsoft identity platform, id_token claims).
    #[serde(default, deserialize_with = "text")]
    tid: Option<String>,
}

/// Another server may use the name for something else.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_str().map(str::to_owned))
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
        if header.crit.is_some() {
            return Err(IdTokenError::UnknownCritical);
        }
        if !expected.algorithms.permit(&header.alg) {
            return Err(IdTokenError::OtherAlgorithm);
        }
        // HMAC (RFC 7518 section 3.2), whose key is the client secret (OpenID Connect Core section 10.1).
        let hmac = header.alg.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("HS"));
        if hmac && expected.client.secret().is_none() {
            return Err(IdTokenError::NoSecret);
        }
        let payload: Payload = decode(payload)?;
        if expected.issuer.is_some_and(|issuer| issuer.as_str() != payload.iss) {
            return Err(IdTokenError::OtherIssuer);
        }
        if let Some(template) = expected.template {
            let tenant = payload.tid.as_deref().ok_or(IdTokenError::NoTenant)?;
            let issuer = template.issuer_of(tenant).filter(|issuer| issuer.as_str() == payload.iss);
            issuer.ok_or(IdTokenError::OtherIssuer)?;
        }
        let client_id = expected.client.id.as_str();
        let several = match &payload.aud {
            Value::String(aud) if aud == client_id => false,
            Value::Array(list) if list.iter().any(|aud| aud == client_id) => list.len() > 1,
            _ => return Err(IdTokenError::OtherAudience),
        };
        match &payload.azp {
            Some(azp) if azp != client_id => return Err(IdTokenError::OtherAudience),
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
        if payload.nbf.is_some_and(|nbf| nbf > now + LEEWAY.as_secs_f64()) {
            return Err(IdTokenError::NotYetValid);
        }
        match expected.occasion {
            Occasion::Login { nonce: Some(ours) } if payload.nonce.as_ref().is_none_or(|n| !ours.matches(n)) => {
                return Err(IdTokenError::OtherNonce);
            }
            Occasion::Login { .. } => {}
            Occasion::Refresh { original } => payload.continues(original)?,
        }
        Ok(Self { iss: payload.iss, sub: payload.sub })
    }
}

impl Payload {
    /// Compares with the stored id_token (OpenID Connect Core section 12.2), if there is one.
    fn continues(&self, original: Option<&Secret>) -> Result<(), IdTokenError> {
        let original: Option<Self> = original.and_then(|token| decode(token.expose().split('.').nth(1)?).ok());
        // Another `sub` is returned here. The tokens are rejected together where they would be stored.
        let Some(original) = original.filter(|original| original.sub == self.sub) else { return Ok(()) };
        if self.nonce.is_some() && self.nonce != original.nonce {
            return Err(IdTokenError::OtherNonce);
        }
        if self.iss != original.iss {
            return Err(IdTokenError::OtherIssuer);
        }
        if self.audience() != original.audience() || self.azp != original.azp {
            return Err(IdTokenError::OtherAudience);
        }
        Ok(())
    }

    /// One audience may be a text or a list (RFC 7519 section 4.1.3).
    fn audience(&self) -> BTreeSet<&str> {
        match &self.aud {
            Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
            one => one.as_str().into_iter().collect(),
        }
    }
}

/// The validity of an id_token (`iat`, `exp`). It was verified when it arrived.
pub fn id_token_validity(token: &Secret) -> Option<(SystemTime, SystemTime)> {
    let payload: Payload = decode(token.expose().split('.').nth(1)?).ok()?;
    let time = |seconds: f64| UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?);
    Some((time(payload.iat)?, time(payload.exp)?))
}

/// The user of an id_token for people to read: the first of `email`, `preferred_username`, `name` and `sub` (OpenID Connect
/// Core section 5.1). It was verified when it arrived; the text is cleaned here.
pub fn id_token_user(token: &Secret) -> Option<String> {
    let payload: Value = decode(token.expose().split('.').nth(1)?).ok()?;
    let text = |name: &str| Some(super::RemoteText::new(payload.get(name)?.as_str()?).as_str().to_owned());
    ["email", "preferred_username", "name", "sub"].into_iter().filter_map(text).find(|text| !text.is_empty())
}

/// The `exp` of a JWT, whatever else is in it.
pub(super) fn jwt_expiry(token: &Secret) -> Option<SystemTime> {
    #[derive(Deserialize)]
    struct Expiring {
        exp: f64,
    }
    let mut parts = token.expose().split('.');
    let (_, payload, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else { return None };
    let Expiring { exp } = decode(payload).ok()?;
    UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(exp).ok()?)
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, IdTokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| IdTokenError::NotAJwt)?;
    serde_json::from_slice(&bytes).map_err(|_| IdTokenError::NotAJwt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::{AuthenticationMethod, ClientAuthentication, ClientId};

    fn token(header: &str, payload: &str) -> Secret {
        Secret::new(format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload)))
    }

    #[test]
    fn t10_the_user_is_named_by_the_claim_that_people_know_best() {
        let user = |payload: &str| id_token_user(&token(r#"{"alg":"RS256"}"#, payload));
        assert_eq!(Some("7".into()), user(r#"{"sub":"7"}"#));
        assert_eq!(Some("Ada".into()), user(r#"{"sub":"7","name":"Ada","email":""}"#));
        assert_eq!(Some("ada".into()), user(r#"{"sub":"7","name":"Ada","preferred_username":"ada","email":7}"#));
        assert_eq!(Some("a@b.example".into()), user(r#"{"preferred_username":"ada","email":"a@b.example"}"#));
        assert_eq!(Some("a b".into()), user("{\"sub\":\"a\\u001bb\"}"));
        assert_eq!(None, user("{}"));
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
        read_for(&client(ClientAuthentication::None), &IdTokenAlgorithms::Unstated, header, payload)
    }

    fn client(authentication: ClientAuthentication) -> Client {
        Client::new(ClientId::parse("me").expect("id"), authentication)
    }

    fn read_for(
        client: &Client,
        algorithms: &IdTokenAlgorithms,
        header: &str,
        payload: &str,
    ) -> Result<Claims, IdTokenError> {
        let nonce = Secret::new("n".into());
        expect(client, algorithms, Occasion::Login { nonce: Some(&nonce) }, &token(header, payload))
    }

    fn expect(
        client: &Client,
        algorithms: &IdTokenAlgorithms,
        occasion: Occasion<'_>,
        token: &Secret,
    ) -> Result<Claims, IdTokenError> {
        let issuer = Issuer::parse("https://op.example").expect("issuer");
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
        Claims::read(token, &Expected { issuer: Some(&issuer), template: None, client, algorithms, occasion, now })
    }

    #[test]
    fn a_token_for_this_login_gives_iss_and_sub() {
        let claims =
            read(r#"{"iss":"https://op.example","sub":"7","aud":"me","exp":1000060,"iat":1000000,"nonce":"n"}"#);
        assert_eq!(Ok(Claims { iss: "https://op.example".into(), sub: "7".into() }), claims);
    }

    #[test]
    fn d12_where_the_issuer_depends_on_the_tenant_it_is_that_of_tid() {
        let template = IssuerTemplate::parse("https://op.example/{tenantid}/v2.0").expect("a template");
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
        let (client, algorithms) = (client(ClientAuthentication::None), IdTokenAlgorithms::Unstated);
        let read = |iss: &str, tid: &str, issuer: Option<&Issuer>| {
            let claims = format!(r#"{{"iss":"{iss}","sub":"7","aud":"me","exp":1000060,"iat":1000000{tid}}}"#);
            let occasion = Occasion::Login { nonce: None };
            let template = Some(&template);
            let expected = Expected { issuer, template, client: &client, algorithms: &algorithms, occasion, now };
            Claims::read(&token(r#"{"alg":"RS256"}"#, &claims), &expected).map(|claims| claims.iss)
        };
        let own = "https://op.example/t1/v2.0";
        assert_eq!(Ok(own.to_owned()), read(own, r#","tid":"t1""#, None));
        assert_eq!(Err(IdTokenError::OtherIssuer), read(own, r#","tid":"t2""#, None), "of another tenant");
        assert_eq!(Err(IdTokenError::OtherIssuer), read(own, r#","tid":"t1/v2.0/../t1""#, None));
        assert_eq!(Err(IdTokenError::OtherIssuer), read("https://evil.example/t1/v2.0", r#","tid":"t1""#, None));
        assert_eq!(Err(IdTokenError::NoTenant), read(own, "", None));
        assert_eq!(Err(IdTokenError::NoTenant), read(own, r#","tid":7"#, None));
        let of_callback = Issuer::parse("https://op.example/t2/v2.0").ok();
        assert_eq!(
            Err(IdTokenError::OtherIssuer),
            read(own, r#","tid":"t1""#, of_callback.as_ref()),
            "a mix-up of tenants"
        );
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

    const GOOD: &str = r#"{"iss":"https://op.example","sub":"7","aud":"me","exp":1000060,"iat":1000000,"nonce":"n"}"#;

    #[test]
    fn h13_an_id_token_that_is_not_valid_yet_is_refused() {
        let with = |nbf: &str| GOOD.replace("\"nonce\"", &format!("\"nbf\":{nbf},\"nonce\""));
        for nbf in ["0", "1000000", "1000300", "1000299.5", "null"] {
            assert!(read(&with(nbf)).is_ok(), "{nbf}");
        }
        for nbf in ["1000301", "9e99"] {
            assert_eq!(Err(IdTokenError::NotYetValid), read(&with(nbf)), "{nbf}");
        }
        assert_eq!(Err(IdTokenError::NotAJwt), read(&with("\"soon\"")));
    }

    #[test]
    fn h13_an_extension_that_must_be_understood_is_refused() {
        for crit in ["[\"exp\"]", "[\"b64\"]", "[]", "null", "\"x\"", "7"] {
            let header = format!(r#"{{"alg":"RS256","crit":{crit},"exp":1}}"#);
            assert_eq!(Err(IdTokenError::UnknownCritical), read_with(&header, GOOD), "{crit}");
        }
    }

    #[test]
    fn h13_only_a_client_with_a_secret_takes_an_id_token_that_is_signed_with_one() {
        let secret = Secret::new("a-secret".into());
        let confidential = client(ClientAuthentication::Secret { secret, method: AuthenticationMethod::Basic });
        for alg in ["HS256", "HS384", "HS512", "hs256"] {
            let header = format!(r#"{{"alg":"{alg}"}}"#);
            assert_eq!(Err(IdTokenError::NoSecret), read_with(&header, GOOD), "{alg}");
            assert!(read_for(&confidential, &IdTokenAlgorithms::Unstated, &header, GOOD).is_ok(), "{alg}");
        }
    }

    #[test]
    fn h13_the_algorithm_is_one_that_the_server_lists() {
        let public = client(ClientAuthentication::None);
        let listed = IdTokenAlgorithms::new(["RS256", "ES256", "none"].map(str::to_owned));
        let read = |alg: &str| read_for(&public, &listed, &format!(r#"{{"alg":"{alg}"}}"#), GOOD);
        for alg in ["RS256", "ES256"] {
            assert!(read(alg).is_ok(), "{alg}");
        }
        for alg in ["PS256", "EdDSA", "HS256", "rs256", ""] {
            assert_eq!(Err(IdTokenError::OtherAlgorithm), read(alg), "{alg}");
        }
        assert_eq!(Err(IdTokenError::NotSigned), read("none"), "not even where it is listed");
    }

    #[test]
    fn h13_the_id_token_of_a_refresh_agrees_with_the_stored_one() {
        use IdTokenError::*;
        let stored = token("{}", GOOD);
        let refreshed = |original: Option<&Secret>, payload: &str| {
            let occasion = Occasion::Refresh { original };
            let token = token(r#"{"alg":"RS256"}"#, payload);
            expect(&client(ClientAuthentication::None), &IdTokenAlgorithms::Unstated, occasion, &token)
        };
        let other_azp = GOOD.replace("\"exp\"", "\"azp\":\"me\",\"exp\"");
        for (payload, expected) in [
            (GOOD.to_owned(), None),
            (GOOD.replace(",\"nonce\":\"n\"", ""), None),
            (GOOD.replace("\"me\"", "[\"me\"]"), None),
            (GOOD.replace("\"n\"}", "\"another\"}"), Some(OtherNonce)),
            (other_azp.clone(), Some(OtherAudience)),
            (
                other_azp.replace("\"me\"", "[\"me\",\"you\"]").replace("azp\":[\"me\",\"you\"]", "azp\":\"me\""),
                Some(OtherAudience),
            ),
        ] {
            assert_eq!(expected, refreshed(Some(&stored), &payload).err(), "{payload}");
            assert_eq!(None, refreshed(None, &payload).err(), "nothing to compare with: {payload}");
        }
        let of_another = GOOD.replace("\"7\"", "\"8\"").replace("\"n\"}", "\"another\"}");
        let claims = refreshed(Some(&stored), &of_another).expect("for whoever stores it to refuse");
        assert_eq!("8", claims.sub);
        let moved = token("{}", &GOOD.replace("op.example", "old.example"));
        assert_eq!(Some(OtherIssuer), refreshed(Some(&moved), GOOD).err());
    }
}

//! The claims of a token, checked against what the configuration expects of its issuer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::{
    Refused,
    org::Membership,
    token::{Members, Token},
};
use crate::vault::{AccountName, Namespace, OrgKey};

/// The last second of the year 9999, in seconds since 1970.
const LATEST: f64 = 253_402_300_799.0;

/// Claims that only an id_token has (OpenID Connect Core sections 2 and 3.3.2.11). Its audience is the client that
/// requested it: a service that accepted it would accept the tokens of every other client too.
const OF_SIGN_IN: [&str; 4] = ["nonce", "at_hash", "c_hash", "s_hash"];

/// What the tokens of an issuer must contain.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub issuer: String,
    pub namespace: Namespace,
    pub audience: String,
    /// Media types as in `typ`, in lower case. Empty: none, `JWT` or `at+jwt`.
    pub typ: Vec<String>,
    pub leeway: Duration,
    pub user: String,
    pub org: Option<String>,
    pub orgs: Option<String>,
    pub org_header: Option<String>,
    pub service_scope: Option<String>,
}

/// A verified token. The organization of the call is not chosen yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The namespace of the issuer.
    pub namespace: Namespace,
    /// The user of the token.
    pub user: AccountName,
    /// For whom the caller may act.
    pub role: Role,
    /// `iat`, if present.
    pub issued_at: Option<SystemTime>,
    /// `exp`.
    pub expires_at: SystemTime,
    /// `jti` (RFC 7519 section 4.1.7), by which a token can be accepted once.
    pub id: Option<String>,
    pub(super) membership: Membership,
}

/// For whom a caller may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Any user and organization that the request names: the token has the configured `service_scope`.
    Service,
    /// The user of the token only.
    User,
}

impl Expected {
    pub fn judge(&self, token: &Token<'_>, now: SystemTime) -> Result<Verified, Refused> {
        let claims = &token.claims;
        self.typ(token)?;
        self.audience(claims)?;
        let (issued_at, expires_at) = self.times(claims, now)?;
        let user = claims.text(&self.user).ok().flatten().and_then(|text| AccountName::parse(text).ok());
        Ok(Verified {
            namespace: self.namespace.clone(),
            user: user.ok_or(Refused::User)?,
            role: self.role(claims)?,
            issued_at,
            expires_at,
            id: claims.text("jti").map_err(|_| Refused::WrongClaim)?.map(str::to_owned),
            membership: Membership {
                claimed: self.org.as_ref().map(|name| org(claims, name)).transpose()?.flatten(),
                listed: self.orgs.as_ref().map(|name| orgs(claims, name)).transpose()?.flatten(),
                header: self.org_header.clone(),
            },
        })
    }

    fn typ(&self, token: &Token<'_>) -> Result<(), Refused> {
        let typ = token.typ.as_ref().map(|typ| typ.to_ascii_lowercase());
        // `application/` may be left out (RFC 7515 section 4.1.9).
        let typ = typ.as_deref().map(|typ| typ.strip_prefix("application/").unwrap_or(typ));
        let usual = self.typ.is_empty() && matches!(typ, None | Some("jwt" | "at+jwt"));
        if !usual && !typ.is_some_and(|typ| self.typ.iter().any(|wanted| wanted == typ)) {
            return Err(Refused::Type);
        }
        let claims = &token.claims;
        let says = |name: &str, value: &str| claims.get(name).and_then(Value::as_str) == Some(value);
        // Two widely used servers put the kind of the token into a claim of their own.
        let marked = says("typ", "ID") || says("typ", "Refresh") || says("token_use", "id");
        match marked || OF_SIGN_IN.iter().any(|name| claims.get(name).is_some()) {
            true => Err(Refused::SignInToken),
            false => Ok(()),
        }
    }

    fn audience(&self, claims: &Members) -> Result<(), Refused> {
        let ours = |audience: &str| self.audience == audience;
        let fits = match claims.get("aud") {
            Some(Value::String(one)) => ours(one),
            Some(Value::Array(several)) => {
                several.iter().all(Value::is_string) && several.iter().filter_map(Value::as_str).any(ours)
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(Refused::Audience) }
    }

    /// `iat`, if present, and `exp`.
    fn times(&self, claims: &Members, now: SystemTime) -> Result<(Option<SystemTime>, SystemTime), Refused> {
        let time = |name: &str| claims.get(name).map(|value| numeric_date(value).ok_or(Refused::Times)).transpose();
        let expires_at = time("exp")?.ok_or(Refused::Times)?;
        let (issued_at, not_before) = (time("iat")?, time("nbf")?);
        if now >= expires_at + self.leeway {
            return Err(Refused::Expired);
        }
        if not_before.is_some_and(|time| time > now + self.leeway) {
            return Err(Refused::NotYetValid);
        }
        if issued_at.is_some_and(|time| time > now + self.leeway) {
            return Err(Refused::IssuedInTheFuture);
        }
        Ok((issued_at, expires_at))
    }

    fn role(&self, claims: &Members) -> Result<Role, Refused> {
        let Some(wanted) = &self.service_scope else { return Ok(Role::User) };
        // `scope` (RFC 8693 section 4.2), or `scp` as a text or a list.
        let has = |value: &Value| match value {
            Value::String(text) => Ok(text.split(' ').any(|scope| scope == wanted)),
            Value::Array(list) if list.iter().all(Value::is_string) => {
                Ok(list.iter().any(|scope| scope.as_str() == Some(wanted)))
            }
            _ => Err(Refused::WrongClaim),
        };
        let found = ["scope", "scp"].iter().filter_map(|name| claims.get(name)).map(has);
        let found = found.collect::<Result<Vec<_>, _>>()?;
        Ok(if found.contains(&true) { Role::Service } else { Role::User })
    }
}

/// Seconds since 1970, whole or not (RFC 7519 section 2), up to the year 9999.
fn numeric_date(value: &Value) -> Option<SystemTime> {
    let seconds = value.as_f64().filter(|seconds| (0.0..=LATEST).contains(seconds))?;
    UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?)
}

fn org(claims: &Members, name: &str) -> Result<Option<OrgKey>, Refused> {
    match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => org_key(value).map(Some),
    }
}

fn orgs(claims: &Members, name: &str) -> Result<Option<Vec<OrgKey>>, Refused> {
    match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(list)) => list.iter().map(org_key).collect::<Result<_, _>>().map(Some),
        Some(_) => Err(Refused::WrongClaim),
    }
}

fn org_key(value: &Value) -> Result<OrgKey, Refused> {
    value.as_str().and_then(OrgKey::parse).ok_or(Refused::WrongClaim)
}

//! `[[jwt]]`: an issuer in the configuration file.

use std::{fmt, path::Path, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor, value::SeqAccessDeserializer},
};
use serde_spanned::Spanned;

use super::{Algorithm, claims::Expected};
use crate::{
    catalog::{CatalogError, Fault, SecretSource},
    oauth::{Endpoint, Scope},
    vault::Namespace,
};

/// The default of `leeway`: the largest difference between clocks.
const LEEWAY: Duration = Duration::from_secs(60);

/// The claim that names the user, unless the file names another.
const USER: &str = "sub";

/// An issuer whose tokens are accepted, and where its keys are.
#[derive(Clone, Debug)]
pub struct TrustedIssuer {
    pub(super) expected: Expected,
    pub(super) keys: KeySource,
    pub(super) sharing: Sharing,
}

/// Whether other issuers may use the same namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    #[default]
    Exclusive,
    /// `shared_namespace = true`: the same name means the same user for all of them.
    Shared,
}

/// Where the keys of an issuer are.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// Keys at a URL, for these algorithms.
    Published { url: Endpoint, algorithms: Vec<Algorithm> },
    /// A shared secret, for HS256.
    Shared(SecretSource),
}

impl TrustedIssuer {
    /// Where its keys are.
    pub fn keys(&self) -> &KeySource {
        &self.keys
    }

    /// The value of `iss` in its tokens.
    pub fn issuer(&self) -> &str {
        &self.expected.issuer
    }

    /// The namespace of this issuer's users.
    pub fn namespace(&self) -> &Namespace {
        &self.expected.namespace
    }

    /// Resolves a relative path of a shared secret's file against `directory`.
    pub fn begin_at(&mut self, directory: &Path) {
        if let KeySource::Shared(source) = &mut self.keys {
            source.begin_at(directory);
        }
    }
}

/// A `[[jwt]]` table as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    issuer: Option<Spanned<String>>,
    audience: Option<Spanned<String>>,
    jwks_url: Option<Spanned<String>>,
    hs256: Option<Spanned<SecretSource>>,
    algs: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    typ: Vec<Spanned<String>>,
    leeway_s: Option<Spanned<u64>>,
    user: Option<Spanned<String>>,
    org: Option<Spanned<String>>,
    orgs: Option<Spanned<String>>,
    org_header: Option<Spanned<String>>,
    service_scope: Option<Spanned<String>>,
    namespace: Option<Spanned<String>>,
    #[serde(default)]
    shared_namespace: bool,
}

/// All `[[jwt]]` tables, not checked yet.
#[derive(Debug, Default)]
pub struct Tables(Vec<Spanned<Table>>);

impl<'de> Deserialize<'de> for Tables {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Several;
        impl<'de> Visitor<'de> for Several {
            type Value = Tables;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[[jwt]] in two brackets, one for each issuer")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, tables: A) -> Result<Tables, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(tables)).map(Tables)
            }
        }
        deserializer.deserialize_seq(Several)
    }
}

/// Reads all `[[jwt]]` tables of the file `text`.
///
/// # Errors
/// The first mistake and its place, or there is no table.
pub fn issuers(tables: &Tables, text: &str) -> Result<Vec<TrustedIssuer>, CatalogError> {
    let mut issuers: Vec<TrustedIssuer> = Vec::new();
    for table in &tables.0 {
        let at = |fault: Fault| fault.in_table("[[jwt]]", table.span(), text);
        let issuer = table.get_ref().issuer().map_err(at)?;
        if issuers.iter().any(|other| other.expected.issuer == issuer.expected.issuer) {
            return Err(at(Fault::new("this issuer stands in another [[jwt]] too", "give each issuer one table")));
        }
        if let Some(other) = issuers.iter().find(|other| issuer.takes_the_users_of(other)) {
            return Err(at(same_namespace(table.get_ref(), other)));
        }
        issuers.push(issuer);
    }
    if issuers.is_empty() {
        let remedy = "add: [[jwt]] with issuer, audience and jwks_url or hs256";
        return Err(CatalogError {
            place: None,
            what: "there is no [[jwt]], so no caller could be accepted".into(),
            remedy: Some(remedy.into()),
        });
    }
    Ok(issuers)
}

impl TrustedIssuer {
    fn takes_the_users_of(&self, other: &Self) -> bool {
        let both_share = (self.sharing, other.sharing) == (Sharing::Shared, Sharing::Shared);
        self.namespace() == other.namespace() && !both_share
    }
}

/// A subject is unique within its issuer (RFC 7519 section 4.1.2), so two issuers may give the same name to two users.
fn same_namespace(table: &Table, other: &TrustedIssuer) -> Fault {
    let shown: String = other.issuer().escape_debug().take(200).collect();
    let what = format!(
        "namespace: it is the same as that of {shown}, so each of the two issuers could name the other's users \
         (RFC 7519, section 4.1.2)"
    );
    let remedy = "add a name of its own to this [[jwt]]: namespace = \"second\"; \
                  or, if the same name is the same user at both, write in both: shared_namespace = true";
    Fault::new(what, remedy).at_if(table.namespace.as_ref())
}

/// A sentence for each two issuers that share a namespace.
pub fn shared_namespaces(issuers: &[TrustedIssuer]) -> Vec<String> {
    let pair = |(at, issuer): (usize, &TrustedIssuer)| {
        let other = issuers[..at].iter().rev().find(|other| other.namespace() == issuer.namespace())?;
        Some(format!(
            "shared_namespace: a user of {} and a user of {} with the same name are one user here; unless both issuers \
             name the same users, give each [[jwt]] its own namespace",
            other.issuer(),
            issuer.issuer()
        ))
    };
    issuers.iter().enumerate().filter_map(pair).collect()
}

impl Table {
    fn issuer(&self) -> Result<TrustedIssuer, Fault> {
        let issuer = required("issuer", self.issuer.as_ref(), "https://id.example.com")?;
        let expected = Expected {
            issuer,
            namespace: self.namespace()?,
            audience: required("audience", self.audience.as_ref(), "loopin")?,
            typ: self.typ.iter().map(media_type).collect::<Result<_, _>>()?,
            leeway: self.leeway()?,
            user: named("user", self.user.as_ref())?.unwrap_or_else(|| USER.into()),
            org: named("org", self.org.as_ref())?,
            orgs: named("orgs", self.orgs.as_ref())?,
            org_header: self.org_header.as_ref().map(header_name).transpose()?,
            service_scope: self.service_scope()?,
        };
        if expected.org.is_none() && expected.orgs.is_none() {
            return Err(Fault::new(
                "neither org nor orgs is named, so no token could say for which organization it is",
                "add: org = \"org_id\", or orgs = \"orgs\" for a claim that lists them",
            ));
        }
        if let (Some(header), None) = (&self.org_header, &expected.orgs) {
            let what = "org_header: without orgs nothing tells to which organizations a user belongs";
            return Err(Fault::new(what, "add: orgs = \"orgs\", or remove org_header").at(header));
        }
        let sharing = if self.shared_namespace { Sharing::Shared } else { Sharing::Exclusive };
        Ok(TrustedIssuer { expected, keys: self.keys()?, sharing })
    }

    fn namespace(&self) -> Result<Namespace, Fault> {
        let Some(text) = &self.namespace else { return Ok(Namespace::default()) };
        let fault = |why| Fault::new(format!("namespace: {why}"), "write it like: namespace = \"staff\"").at(text);
        Namespace::parse(text.get_ref()).map_err(fault)
    }

    fn keys(&self) -> Result<KeySource, Fault> {
        match (&self.jwks_url, &self.hs256) {
            (Some(url), None) => {
                let parsed = Endpoint::parse(url.get_ref()).map_err(|why| {
                    Fault::new(
                        format!("jwks_url is not a safe URL: {why}"),
                        "write it like https://id.example.com/jwks",
                    )
                    .at(url)
                })?;
                Ok(KeySource::Published { url: parsed, algorithms: self.algorithms()? })
            }
            (None, Some(secret)) => {
                if let SecretSource::Store = secret.get_ref() {
                    let what = "hs256: a service has no keychain";
                    return Err(Fault::new(what, "write { file = \"...\" } or { env = \"...\" }").at(secret));
                }
                if let Some(algs) = &self.algs {
                    let what = "algs: with a shared secret it is HS256 and nothing else";
                    return Err(Fault::new(what, "remove algs").at(algs));
                }
                Ok(KeySource::Shared(secret.get_ref().clone()))
            }
            (None, None) => Err(Fault::new(
                "there is no key",
                "add: jwks_url = \"https://...\", or hs256 = { file = \"...\" } for a shared secret",
            )),
            // With both, a public key could be used as the shared secret.
            (Some(_), Some(secret)) => {
                Err(Fault::new("jwks_url and hs256 exclude each other", "give each issuer its own [[jwt]]").at(secret))
            }
        }
    }

    fn algorithms(&self) -> Result<Vec<Algorithm>, Fault> {
        let Some(list) = &self.algs else { return Ok(Algorithm::PUBLIC.to_vec()) };
        let known = Algorithm::PUBLIC.map(Algorithm::as_str).join(", ");
        let parse = |text: &Spanned<String>| match Algorithm::parse(text.get_ref()) {
            Some(algorithm) if Algorithm::PUBLIC.contains(&algorithm) => Ok(algorithm),
            Some(_) => {
                Err(Fault::new("algs: HS256 with published keys would take a public key for a secret", "remove it")
                    .at(text))
            }
            None if text.get_ref().eq_ignore_ascii_case("none") => {
                Err(Fault::new("algs: a token without a signature proves nothing", "remove it").at(text))
            }
            None => {
                let shown: String = text.get_ref().escape_debug().take(80).collect();
                Err(Fault::new(format!("algs: \"{shown}\" is not offered"), format!("take of {known}")).at(text))
            }
        };
        let algorithms = list.get_ref().iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        match algorithms.is_empty() {
            true => Err(Fault::new("algs is an empty list", format!("take of {known}, or remove it for all")).at(list)),
            false => Ok(algorithms),
        }
    }

    fn leeway(&self) -> Result<Duration, Fault> {
        let Some(seconds) = &self.leeway_s else { return Ok(LEEWAY) };
        let leeway = Duration::from_secs(*seconds.get_ref());
        match leeway <= LEEWAY {
            true => Ok(leeway),
            false => Err(Fault::new("leeway_s: more than 60 s", "set the clocks of both machines right").at(seconds)),
        }
    }

    fn service_scope(&self) -> Result<Option<String>, Fault> {
        let Some(text) = &self.service_scope else { return Ok(None) };
        let scope = Scope::parse(text.get_ref())
            .map_err(|why| Fault::new(format!("service_scope: {why}"), "write: \"loopin:service\"").at(text))?;
        Ok(Some(scope.as_str().to_owned()))
    }
}

fn required(name: &str, value: Option<&Spanned<String>>, example: &str) -> Result<String, Fault> {
    let add = || format!("add: {name} = \"{example}\"");
    let value = value.ok_or_else(|| Fault::new(format!("{name} is missing"), add()))?;
    match value.get_ref().is_empty() {
        true => Err(Fault::new(format!("{name} is empty"), add()).at(value)),
        false => Ok(value.get_ref().clone()),
    }
}

/// Parses the name of a claim.
fn named(name: &str, value: Option<&Spanned<String>>) -> Result<Option<String>, Fault> {
    value.map(|_| required(name, value, USER)).transpose()
}

fn media_type(text: &Spanned<String>) -> Result<String, Fault> {
    let lower = text.get_ref().to_ascii_lowercase();
    let bare = lower.strip_prefix("application/").unwrap_or(&lower);
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte);
    match !bare.is_empty() && bare.bytes().all(token) {
        true => Ok(bare.to_owned()),
        false => Err(Fault::new("typ: not a media type", "write it like \"at+jwt\"").at(text)),
    }
}

/// Parses a field name (RFC 9110 section 5.1) that no proxy and no browser sets by itself.
fn header_name(text: &Spanned<String>) -> Result<String, Fault> {
    let name = text.get_ref();
    let own = name.len() > 2 && name.as_bytes()[..2].eq_ignore_ascii_case(b"x-");
    match own && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        true => Ok(name.clone()),
        false => Err(Fault::new("org_header: not a field of one's own", "write: \"X-Active-Org\"").at(text)),
    }
}

#[cfg(test)]
mod tests;

//! A small authorization server to practise with, pure: a request and some chance in, a reply out.
//!
//! Enforces what a good server enforces: exact redirect URIs with any port for `:0`, PKCE with S256, codes that
//! count once, refresh tokens that rotate and whose reuse revokes the grant. `demo` shows a login against it;
//! the tests ask it for named [`Fault`]s, which real servers do not commit on demand. With a [`Shape`] it wants and answers
//! what one provider does.

mod shape;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest, Sha256};
use url::form_urlencoded;

pub use shape::Shape;

use crate::{
    head::{Head, Method},
    oauth::TokenOccasion,
    redirect::rules,
    reply::{ContentSecurityPolicy, Location, Reply, page},
};

/// The one client that is registered.
pub const CLIENT_ID: &str = "practice-client";
/// Its redirect, native form; [`Practice::register`] adds others.
pub const REDIRECT_URI: &str = "http://127.0.0.1:0/callback";
/// Largest body that `/token` and `/consent` read, in bytes.
pub const LONGEST_BODY: usize = 64 * 1024;

const CODE_LIFE: Duration = Duration::from_secs(60);

/// Thirty-two random bytes for one request.
pub type Chance = [u8; 32];

/// Something that a server should not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The answer does not name the issuer although the metadata promises it.
    AnswersWithoutIss,
    /// The answer names another issuer.
    AnswersWithOtherIss,
    /// The metadata names another issuer.
    MetadataOfOtherIssuer,
    /// The metadata does not list S256.
    MetadataWithoutS256,
    /// Every token request gets this.
    TokenReply { status: u16, content_type: &'static str, body: Vec<u8> },
    /// Every token request is sent elsewhere.
    TokenRedirect { status: u16, to: String },
    /// This redirect URI is registered, and nothing on loopback.
    TakesOnly { redirect_uri: String },
    /// Revocation gets this status.
    Revocation { status: u16 },
}

/// The server.
#[derive(Debug)]
pub struct Practice {
    issuer: String,
    faults: Vec<Fault>,
    /// Without one: as the RFCs have it.
    shape: Option<Shape>,
    redirects: Vec<String>,
    /// Life of an access token.
    token_life: Duration,
    consents: BTreeMap<String, Consent>,
    codes: BTreeMap<String, Code>,
    /// Current refresh token of each family.
    refresh: BTreeMap<String, Family>,
    used: BTreeMap<String, Family>,
    revoked: BTreeSet<Family>,
    families: u64,
    pub counters: Counters,
}

/// How often it was asked what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub authorize: u32,
    pub metadata: u32,
    pub revoke: u32,
    pub token: u32,
}

type Family = u64;

#[derive(Clone, Debug)]
struct Consent {
    redirect_uri: String,
    state: String,
    code_challenge: String,
    scope: String,
    refresh_token: RefreshToken,
}

/// Whether a login gets one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RefreshToken {
    Issued,
    NotAsked,
}

#[derive(Debug)]
struct Code {
    consent: Consent,
    expires_at: SystemTime,
}

type Parameters = BTreeMap<String, String>;

impl Practice {
    /// `origin` is `http://127.0.0.1:PORT`, which is the issuer as well.
    pub fn new(origin: String, token_life: Duration, faults: Vec<Fault>) -> Self {
        Self {
            issuer: origin,
            faults,
            shape: None,
            redirects: vec![REDIRECT_URI.to_owned()],
            token_life,
            consents: BTreeMap::new(),
            codes: BTreeMap::new(),
            refresh: BTreeMap::new(),
            used: BTreeMap::new(),
            revoked: BTreeSet::new(),
            families: 0,
            counters: Counters::default(),
        }
    }

    /// The same, in the shape of a provider that does some things in its own way.
    pub fn shaped(self, shape: Shape) -> Self {
        Self { shape: Some(shape), ..self }
    }

    /// Registers one more redirect of the client, such as a service's.
    pub fn register(&mut self, redirect_uri: String) {
        self.redirects.push(redirect_uri);
    }

    /// Commits one more fault from now on.
    pub fn misbehave(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Ends every grant, as an administrator there can.
    pub fn forget(&mut self) {
        self.refresh.clear();
    }

    /// How much of a body this request may bring.
    pub fn body_limit(head: &Head) -> usize {
        match (head.method, head.path()) {
            (Method::Post, b"/token" | b"/consent" | b"/revoke") => LONGEST_BODY,
            _ => 0,
        }
    }

    pub fn respond(&mut self, head: &Head, body: &[u8], chance: Chance, now: SystemTime) -> Reply {
        match (head.method, head.path()) {
            (Method::Get, b"/.well-known/oauth-authorization-server" | b"/.well-known/openid-configuration") => {
                self.metadata()
            }
            (Method::Get, b"/authorize") => self.authorize(head.query().unwrap_or_default(), chance),
            (Method::Post, b"/consent") => self.consent(body, chance, now),
            (Method::Post, b"/token") => self.token(head, body, chance, now),
            (Method::Post, b"/revoke") => self.revoke(body),
            (_, b"/authorize" | b"/consent" | b"/token" | b"/revoke") => Reply::status(405),
            _ => Reply::status(404),
        }
    }

    fn metadata(&mut self) -> Reply {
        self.counters.metadata += 1;
        let at = |path: &str| format!("{}{path}", self.issuer);
        let issuer = if self.faults.contains(&Fault::MetadataOfOtherIssuer) { at("/") } else { self.issuer.clone() };
        let methods: &[&str] = if self.faults.contains(&Fault::MetadataWithoutS256) { &["plain"] } else { &["S256"] };
        reply_json(
            200,
            json!({
                "issuer": issuer,
                "authorization_endpoint": at("/authorize"),
                "token_endpoint": at("/token"),
                "revocation_endpoint": at("/revoke"),
                "response_types_supported": ["code"],
                "code_challenge_methods_supported": methods,
                "authorization_response_iss_parameter_supported": true,
            }),
        )
    }

    fn authorize(&mut self, query: &[u8], chance: Chance) -> Reply {
        self.counters.authorize += 1;
        let Some(asked) = parameters(query) else { return wrong("A parameter came twice.") };
        let get = |name: &str| asked.get(name).cloned().unwrap_or_default();
        let redirect_uri = get("redirect_uri");
        if get("client_id") != CLIENT_ID {
            return wrong("This client is not registered.");
        }
        // Before this check nothing may be sent to the address that the request names (RFC 6749 section 4.1.2.1).
        let only = self.faults.iter().find_map(|fault| match fault {
            Fault::TakesOnly { redirect_uri } => Some(redirect_uri),
            _ => None,
        });
        let registered = |known: &String| rules::compare(known, &redirect_uri).broken().next().is_none();
        if !only.map_or_else(|| self.redirects.iter().any(registered), registered) {
            return wrong("The redirect URI is not the registered one.");
        }
        let consent = Consent {
            redirect_uri,
            state: get("state"),
            code_challenge: get("code_challenge"),
            scope: get("scope"),
            refresh_token: match self.shape.as_ref().is_none_or(|shape| shape.is_offline(&asked)) {
                true => RefreshToken::Issued,
                false => RefreshToken::NotAsked,
            },
        };
        if get("response_type") != "code" {
            return self.back(&consent, &[("error", "unsupported_response_type")]);
        }
        if get("code_challenge_method") != "S256" || consent.code_challenge.len() != 43 {
            return self
                .back(&consent, &[("error", "invalid_request"), ("error_description", "PKCE with S256 is required")]);
        }
        if let Some(missing) = self.shape.as_ref().and_then(|shape| shape.lacks(&asked)) {
            let why = format!("{missing} is missing");
            return self.back(&consent, &[("error", "invalid_request"), ("error_description", &why)]);
        }
        let id = name(&chance);
        self.consents.insert(id.clone(), consent);
        Reply::html(200, CONSENT.replace("{id}", &id)).with_policy(ContentSecurityPolicy::Form)
    }

    fn consent(&mut self, body: &[u8], chance: Chance, now: SystemTime) -> Reply {
        let form = parameters(body).unwrap_or_default();
        let Some(consent) = form.get("consent").and_then(|id| self.consents.remove(id)) else {
            return wrong("This form was sent already.");
        };
        if form.get("decision").map(String::as_str) != Some("allow") {
            return self.back(&consent, &[("error", "access_denied"), ("error_description", "The person said no")]);
        }
        let code = name(&chance);
        let reply = self.back(&consent, &[("code", &code)]);
        self.codes.insert(code, Code { consent, expires_at: now + CODE_LIFE });
        reply
    }

    /// The answer to the client: the redirect with `state` and `iss` (RFC 6749 section 4.1.2, RFC 9207).
    fn back(&self, consent: &Consent, answer: &[(&str, &str)]) -> Reply {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(answer).append_pair("state", &consent.state);
        if self.faults.contains(&Fault::AnswersWithOtherIss) {
            query.append_pair("iss", "https://other.example");
        } else if self.shape.is_none() && !self.faults.contains(&Fault::AnswersWithoutIss) {
            query.append_pair("iss", &self.issuer);
        }
        let joint = if consent.redirect_uri.contains('?') { '&' } else { '?' };
        match Location::new(format!("{}{joint}{}", consent.redirect_uri, query.finish())) {
            Ok(location) => Reply::redirect(303, location),
            Err(_) => wrong("The redirect URI cannot be sent."),
        }
    }

    fn token(&mut self, head: &Head, body: &[u8], chance: Chance, now: SystemTime) -> Reply {
        self.counters.token += 1;
        for fault in &self.faults {
            match fault {
                Fault::TokenReply { status, content_type, body } => {
                    return Reply::bytes(*status, content_type, body.clone());
                }
                Fault::TokenRedirect { status, to } => {
                    return Location::new(to.clone())
                        .map_or_else(|_| Reply::status(500), |to| Reply::redirect(*status, to));
                }
                _ => {}
            }
        }
        let form = match &self.shape {
            None => parameters(body),
            Some(shape) => shape.token_request(head, body),
        };
        let Some(form) = form else { return self.refuse("invalid_request") };
        let get = |name: &str| form.get(name).map_or("", String::as_str);
        let authenticates = |shape: &Shape| shape.authenticates(head, &form);
        if !self.shape.as_ref().map_or_else(|| get("client_id") == CLIENT_ID, authenticates) {
            return self.refuse("invalid_client");
        }
        let occasion =
            if get("grant_type") == "refresh_token" { TokenOccasion::Refresh } else { TokenOccasion::Exchange };
        if self.shape.as_ref().is_some_and(|shape| !shape.is_complete(&form, occasion)) {
            return self.refuse("invalid_request");
        }
        match get("grant_type") {
            "authorization_code" => {
                // Removed before it is judged: a code counts once, whatever comes with it.
                let Some(code) = self.codes.remove(get("code")) else { return self.refuse("invalid_grant") };
                let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(get("code_verifier")));
                let ours = challenge == code.consent.code_challenge
                    && get("redirect_uri") == code.consent.redirect_uri
                    && now <= code.expires_at;
                if !ours {
                    return self.refuse("invalid_grant");
                }
                self.families += 1;
                self.grant(self.families, &code.consent.scope, code.consent.refresh_token, chance)
            }
            "refresh_token" => {
                let sent = get("refresh_token");
                if let Some(family) = self.used.get(sent) {
                    // Reuse: somebody has a copy. The whole grant ends (RFC 9700 section 4.14.2).
                    self.revoked.insert(*family);
                    return self.refuse("invalid_grant");
                }
                match self.refresh.remove(sent) {
                    Some(family) if !self.revoked.contains(&family) => {
                        self.used.insert(sent.to_owned(), family);
                        self.grant(family, "", RefreshToken::Issued, chance)
                    }
                    _ => self.refuse("invalid_grant"),
                }
            }
            _ => self.refuse("unsupported_grant_type"),
        }
    }

    fn grant(&mut self, family: Family, scope: &str, refresh_token: RefreshToken, chance: Chance) -> Reply {
        let mut reply = json!({
            "access_token": format!("access.{}", name(&chance)),
            "token_type": "Bearer",
            "expires_in": self.token_life.as_secs(),
        });
        if refresh_token == RefreshToken::Issued {
            let refresh_token = format!("refresh.{}", name(&Sha256::digest(chance).into()));
            self.refresh.insert(refresh_token.clone(), family);
            reply["refresh_token"] = refresh_token.into();
        }
        if !scope.is_empty() {
            reply["scope"] = scope.into();
        }
        reply_json(
            200,
            match &self.shape {
                None => reply,
                Some(shape) => shape.tokens(reply),
            },
        )
    }

    /// RFC 6749 section 5.2.
    fn refuse(&self, error: &str) -> Reply {
        let status = if error == "invalid_client" { 401 } else { 400 };
        let rfc = || (status, json!({ "error": error }));
        let (status, body) = self.shape.as_ref().map_or_else(rfc, |shape| shape.error(status, error));
        reply_json(status, body)
    }

    fn revoke(&mut self, body: &[u8]) -> Reply {
        self.counters.revoke += 1;
        for fault in &self.faults {
            if let Fault::Revocation { status } = fault {
                return Reply::status(*status);
            }
        }
        let form = parameters(body).unwrap_or_default();
        if let Some(family) = form.get("token").and_then(|token| self.refresh.remove(token)) {
            self.revoked.insert(family);
        }
        Reply::status(200)
    }
}

/// `None` when a name stands twice.
fn parameters(bytes: &[u8]) -> Option<Parameters> {
    let mut all = Parameters::new();
    for (name, value) in form_urlencoded::parse(bytes) {
        if all.insert(name.into_owned(), value.into_owned()).is_some() {
            return None;
        }
    }
    Some(all)
}

fn name(chance: &Chance) -> String {
    URL_SAFE_NO_PAD.encode(chance)
}

fn reply_json(status: u16, body: serde_json::Value) -> Reply {
    Reply::json(status, body.to_string().into_bytes())
}

/// A fault that may not be reported to the redirect.
fn wrong(what: &'static str) -> Reply {
    Reply::text(400, what)
}

const CONSENT: &str = page!(
    title: "Practice provider",
    style: concat!(
        "form{display:flex;gap:.75rem;justify-content:center;flex-wrap:wrap;margin-top:1.75rem}\n",
        "button{font:inherit;padding:.6rem 1.4rem;border-radius:.6rem;border:1px solid var(--line);background:var(--card);color:var(--ink);cursor:pointer}\n",
        "button[value=allow]{background:var(--good);border-color:var(--good);color:var(--card)}\n",
        "button:focus-visible{outline:3px solid var(--wait);outline-offset:2px}\n"
    ),
    concat!(
        "<h1>Practice provider</h1>\n",
        "<p><strong>loopin demo</strong> asks to sign in. Nothing leaves this machine.</p>\n",
        "<form method=\"post\" action=\"/consent\">\n<input type=\"hidden\" name=\"consent\" value=\"{id}\">\n",
        "<button name=\"decision\" value=\"allow\">Allow</button>\n<button name=\"decision\" value=\"deny\">Deny</button>\n",
        "</form>\n"
    )
);

#[cfg(test)]
mod tests;

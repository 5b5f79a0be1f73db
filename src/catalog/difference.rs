//! How an integration differs from what its provider publishes (RFC 8414 section 2): `integration verify` lists it.

use super::{Integration, PkcePromise, Server};
use crate::oauth::{
    AuthenticationMethods, AuthorizationServer, Endpoint, IssParameter, Issuer, NoCommonMethod, Pkce, RemoteText, S256,
};

/// One value that is not the same in both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The member of the metadata.
    pub name: &'static str,
    pub configured: String,
    pub published: String,
    pub effect: Effect,
    /// A line of the configuration, or what to do instead.
    pub fix: Option<String>,
}

/// What a difference means for a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It cannot work.
    LoginFails,
    /// It may work: providers keep old endpoints, and accept more than they publish.
    Warning,
}

impl Difference {
    /// The metadata belongs to another issuer than the configured one (RFC 8414 section 3.3).
    pub fn of_issuer(configured: &Issuer, found: &RemoteText) -> Self {
        Self {
            name: "issuer",
            configured: configured.to_string(),
            published: found.as_str().to_owned(),
            effect: Effect::LoginFails,
            fix: Some(match found.as_str() {
                tenant if tenant.contains('{') => "write issuer with your tenant's ID in it".into(),
                found => format!("if you trust {found}, write: issuer = \"{found}\""),
            }),
        }
    }

    fn warning(name: &'static str, configured: impl Into<String>, published: impl Into<String>) -> Self {
        let (configured, published) = (configured.into(), published.into());
        Self { name, configured, published, effect: Effect::Warning, fix: None }
    }

    fn fix(self, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..self }
    }

    fn login_fails(self) -> Self {
        Self { effect: Effect::LoginFails, ..self }
    }
}

impl Integration {
    /// The issuer whose metadata is compared: the configured one, else the origin of the authorization endpoint.
    pub fn presumed_issuer(&self) -> Issuer {
        match &self.server {
            Server::Discovered(issuer) => issuer.clone(),
            Server::Explicit(server) => {
                server.issuer.clone().unwrap_or_else(|| Issuer::at_origin_of(&server.authorization_endpoint))
            }
        }
    }

    /// What differs from the metadata of the provider, in the order of RFC 8414 section 2.
    pub fn differences(&self, published: &AuthorizationServer) -> Vec<Difference> {
        let mut found = Vec::new();
        match &self.server {
            Server::Explicit(server) => found.extend(of_endpoints(server, published)),
            Server::Discovered(_) => {
                found.extend(self.revocation_endpoint.as_ref().and_then(|own| {
                    of_endpoint("revocation_endpoint", Some(own), published.revocation_endpoint.as_ref())
                }))
            }
        }
        // Most integrations need none, so that its absence is no difference.
        if let Some(stated) = &self.device_authorization_endpoint {
            let published = published.device_authorization_endpoint.as_ref();
            found.extend(of_endpoint("device_authorization_endpoint", Some(stated), published));
        }
        found.extend(self.of_authentication(published));
        found.extend(self.of_pkce(published.s256));
        found.extend(self.of_iss(published.iss_parameter));
        found
    }

    fn of_authentication(&self, published: &AuthorizationServer) -> Option<Difference> {
        const NAME: &str = "token_endpoint_auth_methods_supported";
        let AuthenticationMethods::Listed(listed) = &published.authentication_methods else { return None };
        let names = listed.join(", ");
        let lists = |name: &str| listed.iter().any(|listed| listed == name);
        if self.client_secret.is_none() {
            let fix = "register a public client, or add the client secret: client_secret = { keychain = true }";
            return (!lists("none")).then(|| Difference::warning(NAME, "none (no client secret)", names).fix(fix));
        }
        let used = match &self.server {
            Server::Discovered(_) => self.authentication_at(published),
            Server::Explicit(server) => self.authentication_at(server),
        };
        match (used, published.authentication_methods.choose()) {
            (Ok(used), _) if lists(used.as_str()) => None,
            (Ok(used), Ok(better)) => {
                let fix = format!("token_endpoint_auth_method = \"{}\"", better.as_str());
                Some(Difference::warning(NAME, used.as_str(), names).fix(fix))
            }
            (Ok(used), Err(_)) => Some(Difference::warning(NAME, used.as_str(), names)),
            (Err(NoCommonMethod { .. }), _) => {
                let fix =
                    "if it accepts the secret all the same, write: token_endpoint_auth_method = \"client_secret_post\"";
                Some(Difference::warning(NAME, "a client secret", names).login_fails().fix(fix))
            }
        }
    }

    fn of_pkce(&self, published: S256) -> Option<Difference> {
        const NAME: &str = "code_challenge_methods_supported";
        const STATED: &str = "code_challenge_method = \"S256\"";
        let lists = match published {
            S256::Promised => "S256",
            S256::NotPromised | S256::Unstated => "not S256",
        };
        match (self.pkce, self.pkce_promise, published, &self.server) {
            (Pkce::S256, PkcePromise::Required, S256::NotPromised | S256::Unstated, _) => {
                let fix =
                    format!("if the provider's documentation promises PKCE, write {STATED} in place of require_pkce");
                Some(Difference::warning(NAME, "require_pkce = true", lists).login_fails().fix(fix))
            }
            // A login reads no metadata where the endpoints are configured.
            (Pkce::S256, PkcePromise::Required, S256::Promised, Server::Explicit(_)) => {
                let fix = format!("write {STATED} in place of require_pkce, or issuer in place of the endpoints");
                Some(Difference::warning(NAME, "require_pkce = true, with endpoints", lists).login_fails().fix(fix))
            }
            (Pkce::S256, PkcePromise::Preferred, S256::Promised, Server::Explicit(_)) => {
                Some(Difference::warning(NAME, "not stated", lists).fix(STATED))
            }
            (Pkce::S256, PkcePromise::Stated, S256::NotPromised, _) => Some(Difference::warning(NAME, STATED, lists)),
            (Pkce::S256, PkcePromise::Preferred, S256::NotPromised, _) => {
                Some(Difference::warning(NAME, "S256 is sent", lists))
            }
            (Pkce::Off, _, S256::Promised, _) => {
                Some(Difference::warning(NAME, "code_challenge_method = \"off\"", lists).fix(STATED))
            }
            _ => None,
        }
    }

    fn of_iss(&self, published: IssParameter) -> Option<Difference> {
        const NAME: &str = "authorization_response_iss_parameter_supported";
        let configured = match (&self.server, self.iss_parameter) {
            (_, Some(stated)) => stated,
            (Server::Discovered(_), None) => published,
            (Server::Explicit(server), None) => server.iss_parameter,
        };
        match (configured, published) {
            (IssParameter::NotPromised, IssParameter::Promised) => {
                Some(Difference::warning(NAME, "false", "true").fix(format!("{NAME} = true")))
            }
            (IssParameter::Promised, IssParameter::NotPromised) => {
                Some(Difference::warning(NAME, "true", "false").fix("if logins fail without iss, remove the line"))
            }
            _ => None,
        }
    }
}

fn of_endpoints<'s>(
    server: &'s AuthorizationServer,
    published: &'s AuthorizationServer,
) -> impl Iterator<Item = Difference> + use<'s> {
    let issuer = published.issuer.as_ref().filter(|_| server.issuer.is_none());
    let issuer = issuer.map(|issuer| {
        Difference::warning("issuer", "not set", issuer.to_string()).fix(format!("issuer = \"{issuer}\""))
    });
    let endpoints: [(_, Option<&Endpoint>, Option<&Endpoint>); 3] = [
        ("authorization_endpoint", Some(&server.authorization_endpoint), Some(&published.authorization_endpoint)),
        ("token_endpoint", Some(&server.token_endpoint), Some(&published.token_endpoint)),
        ("revocation_endpoint", server.revocation_endpoint.as_ref(), published.revocation_endpoint.as_ref()),
    ];
    let endpoints =
        endpoints.into_iter().filter_map(|(name, configured, published)| of_endpoint(name, configured, published));
    issuer.into_iter().chain(endpoints)
}

/// What the metadata leaves out may exist all the same.
fn of_endpoint(name: &'static str, configured: Option<&Endpoint>, published: Option<&Endpoint>) -> Option<Difference> {
    let published = published.filter(|published| configured != Some(published))?;
    let configured = configured.map_or_else(|| "not set".to_owned(), ToString::to_string);
    Some(Difference::warning(name, configured, published.to_string()).fix(format!("{name} = \"{published}\"")))
}

#[cfg(test)]
mod tests;

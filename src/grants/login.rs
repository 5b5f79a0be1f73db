//! A login: what has to be right before the user is sent to the provider, the sign-in, and the store.

use std::{
    num::NonZeroU16,
    time::{Duration, SystemTime},
};

use super::{
    Attempt, Binding, Canceller, Error, Event, GrantId, Grants, Handover, LOCK, Opener, RefreshToken, Stored, Warning,
    WithoutBrowser,
    device::{self, DeviceAttempt},
    keep, sign_in,
};
use crate::{
    catalog::{Integration, IntegrationName, PkcePromise, SecretSource, Server, SharedRedirect},
    deadlines::USER_SIGNS_IN,
    oauth::{
        AuthorizationServer, DeviceRequest, DiscoveryError, Expiry, ExtraParameters, GrantMetadata, IssParameter, Pkce,
        S256, ScopeRules, Scopes, TokenSet, TokenType, discover_tenants, id_token_user,
    },
    redirect::RelayedRedirect,
    refresh::covering::{self, Coverage, Granted},
    stdio::Opening,
    system::{browser::Browser, http::Http},
    vault::{Grant, Pinned, Record, StoreError},
};

/// A login that a caller asks for.
#[derive(Clone, Debug)]
pub struct LoginRequest {
    /// The grant that the login makes or replaces.
    pub grant: GrantId,
    /// What happens if another user signs in than the one whose grant is stored.
    pub new_subject: NewSubject,
    /// Asked for beside those of the configuration.
    pub scopes: Scopes,
    /// How the user's answer comes back.
    pub way: Way,
    /// Who opens the URL.
    pub opening: Opening,
    /// The command that opens it, in place of the environment's and the desktop's.
    pub browser: Option<String>,
    pub without_browser: WithoutBrowser,
    /// The port to listen on, for a redirect with `:0`.
    pub port: Option<NonZeroU16>,
    /// A relay that is registered, in place of the configuration's.
    pub relay: Option<RelayedRedirect>,
    /// How long the user is waited for.
    pub timeout: Duration,
    /// `prompt` of OpenID Connect Core section 3.1.2.1.
    pub prompt: Option<String>,
    /// `login_hint` of OpenID Connect Core section 3.1.2.1.
    pub login_hint: Option<String>,
    /// Further parameters of the authorization request: name and value.
    pub parameters: Vec<(String, String)>,
    pub canceller: Canceller,
    /// Brings a response that does not arrive at the listener.
    pub handover: Handover,
}

impl LoginRequest {
    /// With the defaults of `loopin login`.
    pub fn new(grant: GrantId) -> Self {
        Self {
            grant,
            new_subject: NewSubject::Replaces,
            scopes: Scopes::default(),
            way: Way::default(),
            opening: Opening::Loopin,
            browser: None,
            without_browser: WithoutBrowser::GoesOn,
            port: None,
            relay: None,
            timeout: USER_SIGNS_IN,
            prompt: None,
            login_hint: None,
            parameters: Vec::new(),
            canceller: Canceller::default(),
            handover: Handover::default(),
        }
    }
}

/// How the user's answer comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Way {
    /// The user enters a code on another device (RFC 8628).
    DeviceCode,
    /// A browser brings it to a listener on this machine (RFC 8252).
    #[default]
    Redirect,
}

/// A way with what it needs.
enum Route {
    DeviceCode,
    Redirect { relay: Option<RelayedRedirect>, opener: Opener },
}

/// What a login does if another user (`sub`) signs in than the one whose grant is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewSubject {
    /// The account was named, so it is that user's.
    IsRefused,
    Replaces,
}

/// A login that can be started again, with what it had beside the defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Again {
    /// Its grant.
    pub grant: GrantId,
    /// How its answer comes back.
    pub way: Way,
    /// The scopes that it asked for beside those of the configuration.
    pub scopes: Scopes,
    /// `prompt` of OpenID Connect.
    pub prompt: Option<String>,
    /// `login_hint` of OpenID Connect.
    pub login_hint: Option<String>,
    /// Further parameters: name and value.
    pub parameters: Vec<(String, String)>,
    /// The relay that it named.
    pub relay: Option<RelayedRedirect>,
    /// The port that it named.
    pub port: Option<NonZeroU16>,
}

impl Again {
    fn of(request: &LoginRequest) -> Self {
        let LoginRequest { grant, way, scopes, prompt, login_hint, parameters, relay, port, .. } = request.clone();
        Self { grant, way, scopes, prompt, login_hint, parameters, relay, port }
    }
}

/// A login that has succeeded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignedIn {
    /// The grant that is stored.
    pub grant: GrantId,
    /// The user of the id_token, for people to read, where the provider sent one.
    pub user: Option<String>,
    /// `keychain`, `file` or `memory`.
    pub store: &'static str,
    /// When the access token expires.
    pub expiry: Expiry,
    /// What follows then.
    pub renewal: Renewal,
    /// The scopes that the provider granted.
    pub granted: Scopes,
    /// What the provider sent beside the tokens, as far as the integration keeps it.
    pub metadata: GrantMetadata,
    /// What is not as it could be.
    pub warnings: Vec<Warning>,
}

impl SignedIn {
    pub fn new(id: GrantId, store: &'static str, grant: &Grant, warnings: Vec<Warning>) -> Self {
        let (expiry, renewal, granted) = (grant.expiry, Renewal::of(grant), grant.granted.clone());
        let (user, metadata) = (grant.id_token.as_ref().and_then(id_token_user), grant.metadata.clone());
        Self { grant: id, user, store, expiry, renewal, granted, metadata, warnings }
    }
}

/// What follows when the access token has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Renewal {
    /// The user has to log in again.
    LoginOnly,
    /// It is refreshed.
    RefreshToken {
        /// When the refresh token expires, if the provider reported it.
        until: Option<SystemTime>,
    },
}

impl Renewal {
    pub fn of(grant: &Grant) -> Self {
        match grant.refresh_token {
            Some(_) => Self::RefreshToken { until: grant.refreshable_until },
            None => Self::LoginOnly,
        }
    }

    /// Whether only a login helps when the access token has expired.
    pub fn is_over(self, now: SystemTime) -> bool {
        match self {
            Self::LoginOnly => true,
            Self::RefreshToken { until } => until.is_some_and(|until| until <= now),
        }
    }
}

impl Grants {
    /// Signs the user in and stores the tokens. Neither waits for another login to the same grant nor is waited for.
    ///
    /// # Errors
    /// What the login failed with. Unless the tokens were being stored, nothing was changed.
    pub fn login(&self, request: &LoginRequest) -> Result<SignedIn, Error> {
        self.sign_in(request).map_err(|error| self.with_stores(&request.grant, error))
    }

    fn sign_in(&self, request: &LoginRequest) -> Result<SignedIn, Error> {
        let integration = self.of(&request.grant)?;
        let key = request.grant.key();
        let (scopes, extra) = self.asked(integration, request)?;
        let route = route(integration, request)?;
        let items = self.items(integration);
        let vault = self.vault(items.as_ref());
        // Before the user is sent to a browser: a store that cannot keep the tokens is reported now.
        self.files.lock_file(&vault.state_name(&key).file(LOCK))?;
        let before = match vault.read(&key) {
            Err(StoreError::Damaged { .. }) => None,
            Ok(None) => {
                vault.prove()?;
                None
            }
            other => other?,
        };
        let client = self.client(integration, &vault)?;
        let http = Http::at(integration);
        // Before the user is sent to a browser.
        http.check_ca().map_err(DiscoveryError::Connection)?;
        let server = server(integration, &http)?;
        let client = client.authenticated_by(integration.authentication_at(&server)?);
        let mut warnings = match &route {
            Route::DeviceCode => Vec::new(),
            Route::Redirect { relay, .. } => self.warnings(integration, relay.as_ref(), &server)?,
        };
        warnings.iter().for_each(|warning| self.hear(&Event::Warning(warning)));
        let advice = integration.offline_advice(&scopes, &extra);
        let (own_client, asked) = (client.clone(), scopes.clone());
        let keep = |tokens: TokenSet, server: AuthorizationServer| {
            let found = of_tokens(&tokens, &asked, &integration.dialect.scopes).into_iter().chain(other_subject(
                request,
                before.as_ref(),
                &tokens,
            )?);
            for warning in found {
                self.hear(&Event::Warning(&warning));
                warnings.push(warning);
            }
            let issuer = tokens.claims.as_ref().map(|c| c.iss.clone());
            let pinned = Pinned::new(&server, &integration.client_id, issuer.as_deref());
            let grant = Grant::new(tokens, asked);
            self.hear(&Event::Storing);
            let Stored { grant, refresh_token } = keep(&vault, Some(&self.files), &key, &own_client, pinned, grant)?;
            if refresh_token == RefreshToken::Missed {
                let warning = Warning::NoRefreshToken(advice);
                self.hear(&Event::Warning(&warning));
                warnings.push(warning);
            }
            self.hear(&Event::Done);
            Ok(SignedIn::new(request.grant.clone(), vault.items.kind(), &grant, warnings))
        };
        let again = Again::of(request);
        let (timeout, canceller) = (request.timeout, request.canceller.clone());
        match route {
            Route::DeviceCode => {
                let Some(endpoint) = server.device_authorization_endpoint.clone() else {
                    return Err(Error::NoDeviceEndpoint(Box::new(again)));
                };
                let attempt = DeviceAttempt {
                    request: DeviceRequest { server, endpoint, client, scopes, extra },
                    ca: integration.ca.clone(),
                    integration: integration.name.clone(),
                    provider: integration.server.host().to_owned(),
                    timeout,
                    canceller,
                    again,
                };
                device::sign_in(attempt, self.settings.hear.as_ref(), keep)
            }
            Route::Redirect { relay, opener } => {
                let attempt = Attempt {
                    effective_pkce: integration.effective_pkce(server.s256),
                    server,
                    client,
                    binding: Binding { redirects: integration.redirects.clone(), port: request.port, relay },
                    scopes,
                    pkce: integration.pkce,
                    extra,
                    ca: integration.ca.clone(),
                    opener,
                    hidden_variable: match &integration.client_secret {
                        Some(SecretSource::Environment(name)) => Some(name.clone()),
                        _ => None,
                    },
                    timeout,
                    canceller,
                    handover: request.handover.clone(),
                    again: Some(again),
                };
                sign_in(attempt, self.settings.hear.as_ref(), &self.settings.last_page, keep)
            }
        }
    }

    /// The scopes and the further parameters, with what brings a refresh token.
    fn asked(&self, integration: &Integration, request: &LoginRequest) -> Result<(Scopes, ExtraParameters), Error> {
        let mut scopes = scopes(integration, request)?;
        let mut extra = extra(integration, request)?;
        let offline = &integration.dialect.offline;
        let added = match request.way {
            Way::DeviceCode => offline.complete_for_device(&mut scopes, &mut extra),
            Way::Redirect => offline.complete(&mut scopes, &mut extra),
        };
        if !added.is_empty() {
            self.hear(&Event::AddedForOffline(&added));
        }
        Ok((scopes, extra))
    }

    /// What is not as it could be where a browser brings the answer.
    fn warnings(
        &self,
        integration: &Integration,
        relay: Option<&RelayedRedirect>,
        server: &AuthorizationServer,
    ) -> Result<Vec<Warning>, Error> {
        let sent = Integration { relay: relay.cloned(), ..integration.clone() };
        let promised = promises(integration, server)?;
        let shared = shared_redirect(integration, &self.catalog.sharing(&sent), server)?;
        Ok(promised.into_iter().chain(shared).collect())
    }
}

fn route(integration: &Integration, request: &LoginRequest) -> Result<Route, Error> {
    if request.way == Way::DeviceCode {
        return Ok(Route::DeviceCode);
    }
    let relay = match (&request.relay, integration.needs_relay()) {
        (Some(relay), _) => Some(relay.clone()),
        (None, Some(why)) => return Err(Error::NeedsRelay(why)),
        (None, None) => integration.relay.clone(),
    };
    let opener = match request.opening {
        Opening::Client => Opener::Caller,
        Opening::Loopin => Opener::Browser(browser(request)?, request.without_browser),
    };
    Ok(Route::Redirect { relay, opener })
}

/// The scopes that a login asks for.
pub(super) fn scopes(integration: &Integration, request: &LoginRequest) -> Result<Scopes, Error> {
    let configured = integration
        .scopes_for(request.grant.action.name())
        .map_err(|unknown| Error::UnknownAction { integration: integration.name.clone(), unknown })?;
    Ok(configured.union(&request.scopes))
}

fn extra(integration: &Integration, request: &LoginRequest) -> Result<ExtraParameters, Error> {
    let mut extra = integration.extra.clone();
    for (name, value) in &request.parameters {
        extra.add(name, value)?;
    }
    if let Some(prompt) = &request.prompt {
        extra.set_prompt(prompt);
    }
    if let Some(hint) = &request.login_hint {
        extra.set_login_hint(hint);
    }
    Ok(extra)
}

fn browser(request: &LoginRequest) -> Result<Browser, Error> {
    match Browser::choose(request.browser.as_deref())? {
        Browser::None(why) if request.without_browser == WithoutBrowser::Fails => Err(Error::NoBrowser(why)),
        browser => Ok(browser),
    }
}

pub(super) fn server(integration: &Integration, http: &Http) -> Result<AuthorizationServer, Error> {
    let server = match &integration.server {
        Server::Discovered(issuer) => discover_tenants(issuer, integration.issuer_template.as_ref(), http)?,
        Server::Explicit(server) => (**server).clone(),
    };
    Ok(integration.as_stated(server))
}

/// Where integrations at other servers (`sharing`) await their answers at the same redirect, the answer has to name its
/// server, or the user has accepted the risk (RFC 9700 section 4.4.2).
fn shared_redirect(
    integration: &Integration,
    sharing: &[&IntegrationName],
    server: &AuthorizationServer,
) -> Result<Option<Warning>, Error> {
    let Some(&other) = sharing.first() else { return Ok(None) };
    match (server.iss_parameter, integration.shared_redirect) {
        (IssParameter::Promised, _) => Ok(None),
        (IssParameter::NotPromised, SharedRedirect::Accepted) => Ok(Some(Warning::SharedRedirect(other.clone()))),
        (IssParameter::NotPromised, SharedRedirect::Refused) => {
            Err(Error::SharedRedirect { integration: integration.name.clone(), other: other.clone() })
        }
    }
}

/// What the provider does not promise.
fn promises(integration: &Integration, server: &AuthorizationServer) -> Result<Option<Warning>, Error> {
    match (integration.pkce, integration.pkce_promise, server.s256) {
        (Pkce::S256, PkcePromise::Preferred, S256::NotPromised) => Ok(Some(Warning::PkceUnverified)),
        (_, PkcePromise::Required, S256::NotPromised | S256::Unstated) => Err(Error::PkceNotPromised),
        _ => Ok(None),
    }
}

/// What the response to the exchange lacks.
fn of_tokens(tokens: &TokenSet, asked: &Scopes, rules: &ScopeRules) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if let Some(granted) = &tokens.granted
        && let Coverage::Lacking { missing } = covering::coverage(Granted { asked, granted }, asked, rules)
    {
        warnings.push(Warning::NarrowerScopes(missing));
    }
    if let Some(why) = &tokens.ignored_id_token {
        warnings.push(Warning::IdTokenIgnored(*why));
    }
    if let TokenType::Other(name) = &tokens.token_type {
        warnings.push(Warning::UnknownTokenType(name.clone()));
    }
    warnings
}

/// Another user than before is reported, and refused where the account was named.
fn other_subject(request: &LoginRequest, before: Option<&Record>, tokens: &TokenSet) -> Result<Option<Warning>, Error> {
    let stored = before.and_then(|record| record.grant.subject.as_ref());
    let (Some(stored), Some(claims)) = (stored, &tokens.claims) else { return Ok(None) };
    match (*stored == claims.sub, request.new_subject) {
        (true, _) => Ok(None),
        (false, NewSubject::Replaces) => Ok(Some(Warning::OtherSubject)),
        (false, NewSubject::IsRefused) => Err(Error::OtherAccount(request.grant.clone())),
    }
}

//! Access to providers: their endpoints, our client there, and HTTP that reaches only the allowed addresses.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;

use super::{
    notices::{Notice, Notices},
    provider_failure::ProviderFailure,
    refresh::{Integrations, Needed},
};

use crate::{
    catalog::{Catalog, Integration, IntegrationName, Server},
    deadlines::{PROVIDER_RETRY, SERVICE_REQUESTS},
    oauth::{
        AuthenticationMethods, AuthorizationServer, Client, ClientAuthentication, DiscoveryError, HttpClient,
        IdTokenAlgorithms, IssParameter, Scopes, WireDialect, discover_tenants,
    },
    service::{
        base_url::{BaseUrl, RedirectAt, client_at},
        problem::Problem,
        store::Connection,
    },
    system::{client_secret, clock, http::Http, pinned::PinnedHttp, server::blocking},
    vault::ActionKey,
};

/// How long discovered endpoints are used, in memory only.
const ENDPOINTS_LAST: Duration = Duration::from_secs(3600);
/// Requests to providers at the same time.
const REQUESTS_AT_ONCE: usize = 64;

/// Discovered endpoints, and the limit on requests at the same time.
pub struct Providers {
    found: Mutex<BTreeMap<IntegrationName, (Instant, AuthorizationServer)>>,
    permits: Semaphore,
}

impl Default for Providers {
    fn default() -> Self {
        Self { found: Mutex::default(), permits: Semaphore::new(REQUESTS_AT_ONCE) }
    }
}

impl Providers {
    /// Runs a blocking request to a provider.
    pub async fn ask<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        // The semaphore is never closed. Without a permit the request would only exceed the limit.
        let _permit = self.permits.acquire().await;
        blocking(work).await
    }

    /// The endpoints of the integration, or of the instance at `base`.
    ///
    /// # Errors
    /// They cannot be discovered now, or the configuration does not allow it.
    pub async fn server(
        &self,
        integration: &Integration,
        base: Option<&BaseUrl>,
    ) -> Result<AuthorizationServer, NoServer> {
        let server = match &integration.server {
            Server::Explicit(server) => server.as_ref().clone(),
            Server::Discovered(_) if base.is_some() => return Err(Problem::IntegrationMisconfigured.into()),
            Server::Discovered(issuer) => match self.known(&integration.name) {
                Some(server) => server,
                None => {
                    let (issuer, http) = (issuer.clone(), Http::at(integration));
                    let template = integration.issuer_template.clone();
                    let found = self.ask(move || discover_tenants(&issuer, template.as_ref(), &http)).await?;
                    let mut known = self.found.lock().unwrap_or_else(PoisonError::into_inner);
                    known.insert(integration.name.clone(), (clock::instant(), found.clone()));
                    found
                }
            },
        };
        match base {
            None => Ok(integration.as_stated(server)),
            Some(base) => {
                let promise = match client_at(integration, Some(base)).redirect {
                    RedirectAt::Integration(promise) => promise,
                    RedirectAt::Own(_) => IssParameter::NotPromised,
                };
                at_instance(&server, base, promise).ok_or(Problem::IntegrationMisconfigured.into())
            }
        }
    }

    /// What the provider has published, if that was read not long ago.
    fn known(&self, integration: &IntegrationName) -> Option<AuthorizationServer> {
        let known = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, server) = known.get(integration)?;
        (clock::instant().duration_since(*at) < ENDPOINTS_LAST).then(|| server.clone())
    }
}

/// Why the endpoints of an integration are not known.
pub struct NoServer {
    /// The response to the caller.
    pub problem: Problem,
    /// What the operator should know.
    pub failure: Option<ProviderFailure>,
}

impl From<Problem> for NoServer {
    fn from(problem: Problem) -> Self {
        Self { problem, failure: None }
    }
}

impl From<DiscoveryError> for NoServer {
    fn from(error: DiscoveryError) -> Self {
        let problem = match error.is_passing() {
            true => Problem::ProviderUnavailable { retry_after: PROVIDER_RETRY.as_secs() },
            false => Problem::IntegrationMisconfigured,
        };
        Self { problem, failure: Some(ProviderFailure::of_discovery(&error)) }
    }
}

/// The endpoint paths of the provider, below another base URL. Promises of the provider's metadata do not hold for
/// another server.
fn at_instance(
    server: &AuthorizationServer,
    base: &BaseUrl,
    iss_parameter: IssParameter,
) -> Option<AuthorizationServer> {
    Some(AuthorizationServer {
        issuer: None,
        issuer_template: None,
        authorization_endpoint: base.endpoint(&server.authorization_endpoint)?,
        token_endpoint: base.endpoint(&server.token_endpoint)?,
        revocation_endpoint: server.revocation_endpoint.as_ref().and_then(|endpoint| base.endpoint(endpoint)),
        device_authorization_endpoint: None,
        iss_parameter,
        s256: server.s256,
        id_token_algorithms: IdTokenAlgorithms::Unstated,
        authentication_methods: AuthenticationMethods::Unstated,
    })
}

/// Our client at the provider or the instance.
///
/// # Errors
/// The client secret is not where the configuration says.
pub fn client(integration: &Integration, base: Option<&BaseUrl>) -> Result<Client, Problem> {
    let at = client_at(integration, base);
    let authentication = match at.secret {
        None => ClientAuthentication::None,
        Some(source) => {
            let secret = client_secret::outside_the_store(source).ok().flatten();
            let secret = secret.ok_or(Problem::IntegrationMisconfigured)?;
            ClientAuthentication::Secret {
                secret: integration.dialect.secret_mask.applied(secret, at.id),
                method: integration.authentication_method.unwrap_or_default(),
            }
        }
    };
    // The listed servers and the endpoint for refreshes are the provider's own: an instance has none of them.
    let wire = integration.dialect.wire.clone();
    let wire = match base {
        None => wire,
        Some(_) => WireDialect { token_servers: None, refresh_endpoint: None, ..wire },
    };
    Ok(Client::new(at.id.clone(), authentication).speaking(wire))
}

/// The base URL of a stored row, if it is still allowed. `None`: the integration's own server.
///
/// # Errors
/// The allow list has changed.
pub fn base(integration: &Integration, text: Option<&str>) -> Result<Option<BaseUrl>, Problem> {
    let parsed = text.map(|text| BaseUrl::named(text, integration)).transpose();
    parsed.map(Option::flatten).map_err(|why| Problem::BaseUrlNotAllowed(why.to_string()))
}

/// The configured integrations, for the refresh.
pub struct Configured {
    catalog: Catalog,
    /// The scopes that each action needs. They are read for every token that is handed out.
    needed: BTreeMap<IntegrationName, BTreeMap<ActionKey, Scopes>>,
    notices: Notices,
    /// What was last reported of each integration's responses.
    reported: Mutex<BTreeMap<IntegrationName, String>>,
}

impl Configured {
    pub fn new(catalog: Catalog, notices: Notices) -> Self {
        let needed = |integration: &Integration| {
            let actions = integration.actions.keys().cloned().map(ActionKey::One).chain([ActionKey::All]);
            let scopes = actions.filter_map(|action| {
                let scopes = integration.scopes_for(action.name()).ok()?;
                Some((action, scopes))
            });
            (integration.name.clone(), scopes.collect())
        };
        Self { needed: catalog.iter().map(needed).collect(), catalog, notices, reported: Mutex::default() }
    }
}

impl Integrations for Configured {
    fn client(&self, connection: &Connection) -> Option<Client> {
        let integration = self.catalog.get(connection.key.integration.as_str()).ok()?;
        let base = base(integration, connection.base_url.as_deref()).ok()?;
        // A connection that was made with another `client_id` cannot be refreshed with this client.
        let client =
            client(integration, base.as_ref()).ok().filter(|client| client.id == connection.pinned.client_id)?;
        let pinned = connection.pinned.authentication_method;
        Some(client.authenticated_by(integration.authentication_pinned(pinned)))
    }

    fn needed(&self, integration: &IntegrationName, action: &ActionKey) -> Option<Needed<'_>> {
        let rules = &self.catalog.get(integration.as_str()).ok()?.dialect.scopes;
        Some(Needed { scopes: self.needed.get(integration)?.get(action)?, rules })
    }

    fn http(&self, connection: &Connection) -> Box<dyn HttpClient + Send> {
        let integration = self.catalog.get(connection.key.integration.as_str()).ok();
        let base = integration.and_then(|integration| base(integration, connection.base_url.as_deref()).ok()?);
        let ca = integration.and_then(|integration| integration.ca.as_ref());
        through(Http::within(SERVICE_REQUESTS).trusting(ca), base.as_ref())
    }

    fn note_response(&self, integration: &IntegrationName, response: &str) {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        if reported.insert(integration.clone(), response.to_owned()).as_deref() != Some(response) {
            (self.notices)(&Notice::TokenResponse { integration: integration.as_str(), what: response });
        }
    }
}

/// For requests to the provider, or to its instance at `base`.
pub fn http(integration: &Integration, base: Option<&BaseUrl>) -> Box<dyn HttpClient + Send> {
    through(Http::at(integration), base)
}

/// An instance is reached at its pinned addresses only; the provider itself through the usual resolver and proxies.
fn through(http: Http, base: Option<&BaseUrl>) -> Box<dyn HttpClient + Send> {
    match base {
        Some(base) => Box::new(PinnedHttp::through(http, base.reach().clone())),
        None => Box::new(http),
    }
}

//! `GET /:group/authorize` and `POST /:group/link`: the start of a flow.

use serde::Deserialize;
use serde_json::json;

use super::{
    integrations::{NoServer, base},
    parsed_request::ParsedRequest,
    provider_failure::Step,
    request::{Answer, Cookie, Service},
};
use crate::{
    catalog::Integration,
    deadlines::{FLOW_LIFE, FLOW_LIMIT_RETRY, LINK_LIFE},
    oauth::{AuthorizationRequest, AuthorizationUrl, Client, ClientAuthentication, Entropy},
    reply::{Location, Reply},
    secret::Secret,
    service::{
        authorize::{Accept, Credential, Fetch, Query, Start, UncheckedFlowRequest, start},
        base_url::client_at,
        flow::{
            self, Content, FlowRequest, Ticket, confirm_ticket, link_ticket, new_cookie, open_confirm_ticket,
            open_link_ticket, set_cookie,
        },
        jwt::{Caller, Role},
        pages,
        problem::Problem,
        redirect_uri, scopes,
        store::{Flow, FlowId, PutFlow, Taken},
    },
    system::{clock, entropy},
    vault::{AccountName, OrgKey, Owner, seal::Nonce},
};
use sha2::{Digest, Sha256};

/// The body of `POST /:group/link`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Link {
    app_callback_url: String,
    action: String,
    #[serde(default)]
    scopes: Vec<String>,
    base_url: Option<String>,
    user_id: Option<String>,
    org_key: Option<String>,
}

impl Service {
    pub(super) async fn authorize(&self, integration: &Integration, request: &ParsedRequest) -> Answer {
        // Chromium sends `prefetch;prerender`, Firefox `prefetch`: the user has not decided anything yet.
        if request.http.headers().contains_key("sec-purpose") {
            return Err(Problem::Prefetch);
        }
        let query = Query::parse(request.query())?;
        if let Some(ticket) = &query.confirm {
            return self.confirmed(integration, request, ticket).await;
        }
        if let Some(link) = &query.link {
            return Ok(match open_link_ticket(&self.sealed.keys, &integration.name, link, clock::now()) {
                Some(ticket) => self.confirm_page(integration, &ticket)?,
                None => pages::stale(),
            });
        }
        let (caller, credential) = self.caller(request, query.token.as_ref(), Cookie::Counts).await?;
        let fetch = Fetch {
            site: request.field("sec-fetch-site")?,
            mode: request.field("sec-fetch-mode")?,
            dest: request.field("sec-fetch-dest")?,
        };
        // Any page can make the browser send the cookie with an image. Such a request must not use up the user's
        // limits.
        if credential == Credential::Cookie && fetch.is_subresource() {
            return Err(Problem::NavigationRequired);
        }
        let wanted = query.request.check(integration, &self.config.callbacks, caller.owner)?;
        let how = start(credential, Accept::of(&request.list("accept")?), fetch, self.config.query_token)?;
        let how = how.at(wanted.base_url.as_deref(), credential);
        // The confirmation page starts no flow, so it is not counted: other sites could load it to use up the limit.
        if how != Start::Confirm {
            self.limits.start(&wanted.key.owner, clock::now())?;
        }
        if let (Start::Redirect, Credential::Query, Some(token)) = (how, credential, &query.token) {
            self.use_token_once(&wanted, token).await?;
        }
        match how {
            Start::Confirm => self.confirm_page(integration, &Ticket { request: wanted, link: None }),
            Start::Json => {
                let (url, started) = self.begin(integration, wanted, request).await?;
                let body = json!({ "authorization_url": url.as_str() }).to_string();
                Ok(started.with_cookie(Reply::json(200, body.into_bytes())))
            }
            Start::Redirect => self.redirect_to_provider(integration, wanted, request).await,
        }
    }

    /// The user pressed the button of the confirmation page.
    async fn confirmed(&self, integration: &Integration, request: &ParsedRequest, ticket: &str) -> Answer {
        let cookie = |name: &str| request.cookie(name).map(str::to_owned);
        let Some(ticket) = open_confirm_ticket(&self.sealed.keys, &integration.name, ticket, cookie, clock::now())
        else {
            return Ok(pages::stale());
        };
        self.limits.start(&ticket.request.key.owner, clock::now())?;
        if let Some(link) = ticket.link {
            match self.sealed.store.take_flow(link, integration.name.as_str(), clock::now()).await? {
                Taken::Now(_) => {}
                Taken::Ended(_) | Taken::Unknown => return Ok(pages::stale()),
            }
        }
        self.redirect_to_provider(integration, ticket.request, request).await
    }

    fn confirm_page(&self, integration: &Integration, ticket: &Ticket) -> Answer {
        let base = base(integration, ticket.request.base_url.as_deref())?;
        let server = base.map_or_else(|| integration.server.host().to_owned(), |base| base.host());
        let id = FlowId::new(entropy::random()?);
        let cookie = new_cookie(&entropy::random()?);
        let sealed = confirm_ticket(&self.sealed.keys, id, ticket, &cookie, Nonce(entropy::random()?), clock::now());
        let group = &ticket.request.key.integration;
        let href = self.config.public_url.below(&format!("/{group}/authorize?confirm={}", sealed.expose()));
        Ok(StartedFlow { id, cookie }.with_cookie(pages::confirm(&ticket.request, &server, &href)))
    }

    async fn redirect_to_provider(
        &self,
        integration: &Integration,
        wanted: FlowRequest,
        request: &ParsedRequest,
    ) -> Answer {
        let (url, started) = self.begin(integration, wanted, request).await?;
        let location = Location::new(url.as_str().to_owned()).map_err(|_| Problem::IntegrationMisconfigured)?;
        Ok(started.with_cookie(Reply::redirect(302, location)))
    }

    /// Stores the flow. Returns the authorization URL, and the cookie that must be sent back with the response.
    async fn begin(
        &self,
        integration: &Integration,
        wanted: FlowRequest,
        request: &ParsedRequest,
    ) -> Result<(AuthorizationUrl, StartedFlow), Problem> {
        let base = base(integration, wanted.base_url.as_deref())?;
        let server = match self.providers.server(integration, base.as_ref()).await {
            Ok(server) => server,
            Err(NoServer { problem, failure }) => {
                failure.into_iter().for_each(|failure| self.provider_failed(integration, request, failure));
                return Err(problem);
            }
        };
        self.reported.succeeded(&integration.name, Step::Discovery);
        let mut asked =
            scopes::requested(integration, &wanted.key.action, &wanted.scopes).map_err(|_| Problem::UnknownAction)?;
        let mut extra = integration.extra.clone();
        // docs/serve.md says that this is added: there is no user here to tell.
        integration.dialect.offline.complete(&mut asked, &mut extra);
        let at = client_at(integration, base.as_ref());
        let redirect = redirect_uri::of_flow(&self.config.public_url, integration, &at.redirect)
            .ok_or(Problem::IntegrationMisconfigured)?;
        let client_id = at.id.clone();
        let id = FlowId::new(entropy::random()?);
        let state = flow::state(&self.sealed.keys, id, self.config.state_mode, &wanted, Nonce(entropy::random()?));
        let request = AuthorizationRequest {
            server: server.clone(),
            client: Client::new(client_id.clone(), ClientAuthentication::None)
                .speaking(integration.dialect.wire.clone()),
            redirect: redirect.clone(),
            scopes: asked.clone(),
            pkce: integration.pkce,
            extra,
        };
        let (url, pending) = request
            .begin(Entropy::from_bytes(&entropy::random()?).with_state(state))
            .map_err(|_| Problem::IntegrationMisconfigured)?;
        let content = Content { server, client_id, redirect, asked, base_url: wanted.base_url, kept: pending.keep() };
        let cookie = new_cookie(&entropy::random()?);
        let now = clock::now();
        let row = Flow {
            id,
            content: content.seal(&self.sealed.keys, id, &wanted.key, Nonce(entropy::random()?)),
            key: wanted.key,
            app_callback_url: wanted.app_callback_url,
            browser: Some(flow::browser(cookie.expose())),
            expires_at: now + FLOW_LIFE,
        };
        match self.sealed.store.put_flow(row, self.config.limits.unfinished_flows, now).await? {
            PutFlow::Stored => Ok((url, StartedFlow { id, cookie })),
            PutFlow::TooMany => Err(Problem::TooManyRequests { retry_after: FLOW_LIMIT_RETRY.as_secs() }),
        }
    }

    /// A token in a URL starts one flow only, because URLs stay in histories and logs (docs/threats.md, V09).
    async fn use_token_once(&self, wanted: &FlowRequest, token: &Secret) -> Result<(), Problem> {
        let digest = Sha256::digest(token.expose());
        let mut name = [0; 16];
        name.copy_from_slice(&digest[..16]);
        let (id, group, now) = (FlowId::new(name), wanted.key.integration.as_str(), clock::now());
        if let Taken::Unknown = self.sealed.store.take_flow(id, group, now).await? {
            self.put_single_use(id, wanted).await?;
            if let Taken::Now(_) = self.sealed.store.take_flow(id, group, now).await? {
                return Ok(());
            }
        }
        Err(Problem::Unauthenticated)
    }

    /// A row that exists only to be consumed once.
    async fn put_single_use(&self, id: FlowId, wanted: &FlowRequest) -> Result<(), Problem> {
        let now = clock::now();
        let place = crate::service::keys::Place {
            column: crate::service::keys::Column::FlowContent,
            id: id.bytes(),
            key: &wanted.key,
            generation: 0,
        };
        let row = Flow {
            id,
            content: self.sealed.keys.seal(&place, Nonce(entropy::random()?), &Secret::new(String::new())),
            key: wanted.key.clone(),
            app_callback_url: wanted.app_callback_url.clone(),
            browser: None,
            expires_at: now + LINK_LIFE,
        };
        match self.sealed.store.put_flow(row, self.config.limits.unfinished_flows, now).await? {
            PutFlow::Stored => Ok(()),
            PutFlow::TooMany => Err(Problem::TooManyRequests { retry_after: FLOW_LIMIT_RETRY.as_secs() }),
        }
    }

    /// A one-time link for a user. It contains no token.
    pub(super) async fn link(&self, integration: &Integration, request: &ParsedRequest) -> Answer {
        let (caller, _) = self.caller(request, None, Cookie::Ignored).await?;
        let body: Link = request.json()?;
        let owner = on_behalf(caller, body.user_id, body.org_key)?;
        self.limits.request(&owner, clock::now())?;
        let unchecked = UncheckedFlowRequest {
            app_callback_url: Some(body.app_callback_url),
            action: Some(body.action),
            base_url: body.base_url,
            scopes: body.scopes,
        };
        let wanted = unchecked.check(integration, &self.config.callbacks, owner)?;
        let id = FlowId::new(entropy::random()?);
        self.put_single_use(id, &wanted).await?;
        let ticket = link_ticket(&self.sealed.keys, id, &wanted, Nonce(entropy::random()?), clock::now());
        let group = &integration.name;
        let url = self.config.public_url.below(&format!("/{group}/authorize?link={}", ticket.expose()));
        let body = json!({ "url": url, "expires_in": LINK_LIFE.as_secs() }).to_string();
        Ok(Reply::json(201, body.into_bytes()))
    }
}

/// A stored flow and the value of its cookie.
struct StartedFlow {
    id: FlowId,
    cookie: Secret,
}

impl StartedFlow {
    fn with_cookie(&self, reply: Reply) -> Reply {
        match set_cookie(&self.id, &self.cookie) {
            Some(value) => reply.with_value("Set-Cookie", value),
            None => reply,
        }
    }
}

/// The owner of the connections that a request is about: the caller itself. A service may name a user and an
/// organization within the namespace of its own issuer.
///
/// # Errors
/// A user names somebody else, or a service names a user without an organization.
pub fn on_behalf(caller: Caller, user: Option<String>, org: Option<String>) -> Result<Owner, Problem> {
    let own = caller.owner;
    match (caller.role, user, org) {
        (_, None, None) => Ok(own),
        (Role::User, Some(user), org)
            if user == own.user.as_str() && org.as_ref().is_none_or(|org| org == own.org.as_str()) =>
        {
            Ok(own)
        }
        (Role::User, ..) => Err(Problem::ServiceOnly),
        (Role::Service, Some(user), Some(org)) => {
            let user = AccountName::parse(&user).map_err(|_| Problem::InvalidBody("userId is not printable".into()))?;
            let org = OrgKey::parse(&org).ok_or_else(|| Problem::InvalidBody("orgKey is not printable".into()))?;
            Ok(Owner { namespace: own.namespace, user, org })
        }
        (Role::Service, ..) => Err(Problem::InvalidBody("userId and orgKey go together".into())),
    }
}

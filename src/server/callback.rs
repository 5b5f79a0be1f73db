//! `GET /:group/callback`: the authorization response, accepted once and only in the browser that started the flow. A POST
//! is redirected to it.

use super::{
    integrations::{self, base},
    parsed_request::ParsedRequest,
    provider_failure::{ProviderFailure, Step},
    request::{Answer, Service},
    revocation::revoke,
};
use crate::{
    catalog::Integration,
    oauth::{
        self, CodeReceived, ErrorCode, ExchangeError, MatchedAnswer, Observed, Refusal, Resumed, Settled, TokenSet,
        Unrelated,
    },
    refresh::covering,
    reply::{Location, Reply},
    service::{
        app_callback::Status,
        base_url::InstanceId,
        callback::{Ending, Warning},
        flow::{self, Content, Opened, clear_cookie, cookie_name, open_state},
        pages,
        problem::Problem,
        store::{ConnectionId, Flow, FlowDone, FlowEnd, FlowId, Taken},
    },
    system::clock,
    vault::{Grant, GrantKey, Pinned},
};

/// A connection that was made.
struct Connected {
    id: ConnectionId,
    warnings: Vec<Warning>,
}

/// A code and what the flow's row stored for it.
struct ReceivedCode {
    code: CodeReceived,
    content: Content,
    key: GrantKey,
}

impl Service {
    pub(super) async fn callback(&self, integration: &Integration, request: &ParsedRequest) -> Answer {
        let query = request.query().as_bytes();
        let answer = match oauth::Answer::parse(query) {
            Ok(answer) => answer,
            Err(why) => return self.unexpected(request, why),
        };
        let open = |state: &_| open_state(&self.sealed.keys, &integration.name, state);
        let Some((answer, opened)) = answer.opened_by(open) else {
            return self.unexpected(request, Unrelated::WrongState);
        };
        self.limits.answer(opened.id, request.client, clock::now())?;
        // The flow is consumed here, whatever happens next: no other request gets it.
        let taken = self.sealed.store.take_flow(opened.id, integration.name.as_str(), clock::now()).await;
        let flow = match taken {
            // The code was not used, so reloading the page helps.
            Err(_) => return Ok(pages::later()),
            Ok(Taken::Unknown) => return Ok(pages::lost()),
            Ok(Taken::Ended(done)) => return Ok(self.ended_before(&done, request)),
            Ok(Taken::Now(flow)) => flow,
        };
        let ending = match self.continued(integration, request, &flow, &opened, answer).await {
            Ok(connected) => Ok(connected),
            Err(NotConnected::Ending(ending)) => Err(ending),
            Err(NotConnected::Lost) => return Ok(pages::lost()),
        };
        Ok(self.redirect_to_application(request, &flow.key, &flow.app_callback_url, ending, opened.id))
    }

    /// The response in the body of a POST (OAuth 2.0 Form Post Response Mode section 2). The page of the provider that posts
    /// it is of another site, so the browser leaves out the flow's cookie (`SameSite=Lax`). It is redirected to the same
    /// callback with GET, which sends the cookie and judges the response. Nothing is consumed here.
    pub(super) fn posted_callback(
        &self,
        integration: &Integration,
        instance: Option<&InstanceId>,
        request: &ParsedRequest,
    ) -> Answer {
        let Some(query) = oauth::form_response(request.http.body(), &integration.dialect.wire) else {
            return self.unexpected(request, Unrelated::NotText);
        };
        let answer = match oauth::Answer::parse(query.as_bytes()) {
            Ok(answer) => answer,
            Err(why) => return self.unexpected(request, why),
        };
        let open = |state: &_| open_state(&self.sealed.keys, &integration.name, state);
        if answer.opened_by(open).is_none() {
            return self.unexpected(request, Unrelated::WrongState);
        }
        let own = self.config.public_url.redirect(&integration.name, instance);
        let location = own.and_then(|own| Location::new(format!("{}?{query}", own.listened_at())).ok());
        location.map(|location| Reply::redirect(303, location)).ok_or(Problem::IntegrationMisconfigured)
    }

    /// The response belongs to no flow of this service. Only such requests count against this limit: a valid `state` is
    /// never refused because of what others sent from the same address.
    fn unexpected(&self, request: &ParsedRequest, why: Unrelated) -> Answer {
        let _ = request.unexpected.set(why.to_string());
        self.limits.failed_callback(request.client, clock::now())?;
        Ok(pages::lost())
    }

    async fn continued(
        &self,
        integration: &Integration,
        request: &ParsedRequest,
        flow: &Flow,
        opened: &Opened,
        answer: MatchedAnswer,
    ) -> Result<Connected, NotConnected> {
        let browser = request.cookie(&cookie_name(&flow.id)).map(flow::browser);
        if flow.browser.is_none() || browser != flow.browser {
            return Err(Ending::BrowserMismatch.into());
        }
        if self.has_left(request, &flow.key) {
            return Err(Ending::OrgForbidden.into());
        }
        let of_state = opened.request.as_ref();
        if of_state.is_some_and(|e| e.key != flow.key || e.app_callback_url != flow.app_callback_url) {
            return Err(NotConnected::Lost);
        }
        // Checked before the code is exchanged: without a valid callback the application would not learn of the
        // connection.
        if self.config.callbacks.admit(&flow.key.owner, &flow.app_callback_url).is_err() {
            return Err(NotConnected::Lost);
        }
        let content = Content::open(&self.sealed.keys, flow.id, &flow.key, &flow.content).ok_or(Ending::ConfigError)?;
        // A response at another redirect URI than the one that was sent comes from another server (RFC 9700 section
        // 4.4.2). Only the end of the path is compared, because a reverse proxy may have removed a prefix.
        if !content.redirect.path().ends_with(request.http.uri().path()) {
            return Err(Ending::IssuerMismatch.into());
        }
        let base = base(integration, content.base_url.as_deref()).map_err(|_| Ending::ConfigError)?;
        let client = integrations::client(integration, base.as_ref()).map_err(|_| Ending::ConfigError)?;
        let method = integration.authentication_at(&content.server).map_err(|_| Ending::ConfigError)?;
        let client = client.authenticated_by(method);
        if client.id != content.client_id {
            return Err(Ending::ConfigError.into());
        }
        let resumed = Resumed::new(content.server.clone(), client, content.redirect.clone(), content.kept.clone());
        match resumed.receive(answer) {
            Settled::Code(code) => {
                // The response may have chosen another server of the provider.
                let content = Content { server: code.server().clone(), ..content };
                let received = ReceivedCode { code, content, key: flow.key.clone() };
                Ok(self.exchanged(integration, received, request).await?)
            }
            Settled::Denied(denial) => {
                // The user decides, so this is no news.
                let _ = request.failure.set((&denial).into());
                Err(Ending::from(&denial).into())
            }
            Settled::Refused(refusal) => {
                match &refusal {
                    // The user can have written it, as often as they like: it is for the log only.
                    Refusal::UnlistedServer(_) => drop(request.failure.set((&refusal).into())),
                    _ => self.provider_failed(integration, request, (&refusal).into()),
                }
                Err(Ending::from(&refusal).into())
            }
        }
    }

    /// Whether the application's session cookie shows that the user has left the organization (docs/threats.md, V10).
    /// Without such a cookie the membership from the start of the flow counts.
    fn has_left(&self, request: &ParsedRequest, key: &GrantKey) -> bool {
        let Some(name) = self.config.session_cookie.as_deref() else { return false };
        // Every cookie of that name: a second one must not hide what the first one proves.
        let tokens = request.cookies(name).filter_map(|value| std::str::from_utf8(value).ok());
        let mut verified = tokens.filter_map(|token| self.verifier.verify(token, clock::now()).ok());
        verified.any(|verified| verified.has_left(&key.owner))
    }

    async fn exchanged(
        &self,
        integration: &Integration,
        received: ReceivedCode,
        request: &ParsedRequest,
    ) -> Result<Connected, Ending> {
        let ReceivedCode { code, content, key } = received;
        let base = base(integration, content.base_url.as_deref()).map_err(|_| Ending::ConfigError)?;
        let http = integrations::http(integration, base.as_ref());
        let exchange = move || {
            let now = clock::now();
            let http = Observed::new(http.as_ref(), code.dialect().clone(), now);
            (code.exchange(&http, now), http.news())
        };
        let (tokens, news) = self.providers.ask(exchange).await;
        news.into_iter().for_each(|news| drop(request.token_response.set(news)));
        let tokens: TokenSet = tokens.map_err(|error| {
            let failure = ProviderFailure::of_exchange(&content.server.token_endpoint, &error);
            match &error {
                // One user was too late, which is no news for the operator.
                ExchangeError::Denied(response) if response.code == ErrorCode::InvalidGrant => {
                    drop(request.failure.set(failure));
                }
                _ => self.provider_failed(integration, request, failure),
            }
            Ending::from(&error)
        })?;
        self.reported.succeeded(&integration.name, Step::Exchange);
        let now = clock::now();
        let issuer = tokens.claims.as_ref().map(|claims| claims.iss.clone());
        let pinned = Pinned::new(&content.server, &content.client_id, issuer.as_deref());
        let grant = Grant::new(tokens, content.asked.clone());
        // At once, while the user is here: later the application would only learn it from a failing request.
        let coverage = covering::coverage((&grant).into(), &content.asked, &integration.dialect.scopes);
        let kept = self.sealed.connect(&key, content.base_url.clone(), pinned, &grant, now).await;
        match kept {
            Ok(connected) => {
                let narrower = (!coverage.is_covered()).then_some(Warning::InsufficientScope);
                let warnings = narrower.into_iter().chain(connected.warning).collect();
                Ok(Connected { id: connected.id, warnings })
            }
            Err(_) => {
                // Nobody can use these tokens, but they would stay valid at the provider.
                self.revoke_unstored(integration, &content, grant).await;
                Err(Ending::StorageError)
            }
        }
    }

    async fn revoke_unstored(&self, integration: &Integration, content: &Content, grant: Grant) {
        let Ok(base) = base(integration, content.base_url.as_deref()) else { return };
        let method = integration.authentication_at(&content.server).unwrap_or_default();
        let client =
            integrations::client(integration, base.as_ref()).ok().map(|client| client.authenticated_by(method));
        let endpoint = content.server.revocation_endpoint.clone();
        let http = integrations::http(integration, base.as_ref());
        self.providers.ask(move || revoke(endpoint.as_ref(), client, &grant, http.as_ref())).await;
    }

    /// The flow had ended before this response. Only its own browser learns how.
    fn ended_before(&self, done: &FlowDone, request: &ParsedRequest) -> Reply {
        let browser = request.cookie(&cookie_name(&done.id)).map(flow::browser);
        let ending = match done.end {
            _ if done.browser.is_some() && browser.is_some() && browser != done.browser => Ending::BrowserMismatch,
            FlowEnd::Expired => Ending::StateExpired,
            FlowEnd::Used => Ending::StateReplayed,
        };
        self.redirect_to_application(request, &done.key, &done.app_callback_url, Err(ending), done.id)
    }

    /// Redirects to the application, if its callback is still allowed.
    fn redirect_to_application(
        &self,
        request: &ParsedRequest,
        key: &GrantKey,
        url: &str,
        ending: Result<Connected, Ending>,
        id: FlowId,
    ) -> Reply {
        let word = ending.as_ref().map_or_else(|ending| ending.code(), |_| "success");
        self.metrics.ended(key.integration.as_str(), word);
        request.ended(word);
        let Ok(url) = self.config.callbacks.admit(&key.owner, url) else { return pages::closed() };
        let to = match ending {
            Ok(Connected { id, warnings }) => {
                url.with_status(Status::Success { connection: &id.to_string(), warnings: &warnings })
            }
            Err(ending) => url.with_status(Status::Error { code: ending.code() }),
        };
        let Ok(location) = Location::new(to) else { return pages::closed() };
        let reply = Reply::redirect(302, location);
        match clear_cookie(&id) {
            Some(value) => reply.with_value("Set-Cookie", value),
            None => reply,
        }
    }
}

/// Why a flow ended without a connection.
enum NotConnected {
    Ending(Ending),
    /// The parts do not belong together, so there is no safe place to redirect to.
    Lost,
}

impl From<Ending> for NotConnected {
    fn from(ending: Ending) -> Self {
        Self::Ending(ending)
    }
}

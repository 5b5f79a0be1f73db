//! From the authorization request to the code (RFC 6749 section 4.1, RFC 7636, RFC 9207).

use oauth2::{AuthUrl, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, basic::BasicClient};

use super::{
    Answer, AuthorizationServer, Client, ClientAuthentication, EndpointError, Entropy, GrantMetadata, Issuer,
    MatchedAnswer, Refusal, RemoteText, Scopes, Unrelated, WireDialect, endpoint::safe_to_open, mix_up,
    token_servers::Unlisted,
};
use crate::{redirect::BoundRedirect, secret::Secret};

/// How the response is returned (OAuth 2.0 Multiple Response Type Encoding Practices section 2.1).
const RESPONSE_MODE: &str = "response_mode";

/// Parameters that callers cannot set: the flow sets them.
const OWNED: [&str; 10] = [
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    RESPONSE_MODE,
    "response_type",
    "scope",
    "state",
];

/// PKCE: S256, or nothing if the catalog says that the server rejects it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pkce {
    /// No PKCE parameters are sent.
    Off,
    /// `code_challenge_method=S256` (RFC 7636 section 4.2).
    #[default]
    S256,
}

/// How the provider returns the authorization response. A fragment is not offered, because browsers send it to no server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the body of a POST (OAuth 2.0 Form Post Response Mode).
    FormPost,
    /// In the query of the redirect, which is the default for a code.
    #[default]
    Query,
}

/// Additional parameters of the authorization request, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtraParameters(Vec<(String, String)>);

impl ExtraParameters {
    /// Sets a parameter; a later value replaces an earlier one.
    ///
    /// # Errors
    /// The flow sets that parameter itself, or the name is empty.
    pub fn add(&mut self, name: &str, value: &str) -> Result<(), ParameterError> {
        if name.is_empty() {
            return Err(ParameterError::Empty);
        }
        if OWNED.contains(&name) {
            return Err(ParameterError::Owned(name.to_owned()));
        }
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn response_mode(&self) -> ResponseMode {
        if self.has(RESPONSE_MODE) { ResponseMode::FormPost } else { ResponseMode::Query }
    }

    /// Requests that the response is returned in this way. The default is not sent.
    pub fn set_response_mode(&mut self, mode: ResponseMode) {
        self.0.retain(|(known, _)| known != RESPONSE_MODE);
        if mode == ResponseMode::FormPost {
            self.0.push((RESPONSE_MODE.into(), "form_post".into()));
        }
    }

    /// `prompt` of OpenID Connect Core section 3.1.2.1.
    pub fn set_prompt(&mut self, value: &str) {
        self.0.retain(|(known, _)| known != "prompt");
        self.0.push(("prompt".into(), value.into()));
    }

    /// `login_hint` of OpenID Connect Core section 3.1.2.1.
    pub fn set_login_hint(&mut self, value: &str) {
        self.0.retain(|(known, _)| known != "login_hint");
        self.0.push(("login_hint".into(), value.into()));
    }
}

/// Why a parameter cannot be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// The name is empty.
    #[error("a parameter needs a name: NAME=VALUE")]
    Empty,
    /// The flow sets this parameter itself.
    #[error("the sign-in sets {0} itself")]
    Owned(String),
}

/// The input of an authorization request. It cannot contain a port of 0:
///
/// ```compile_fail
/// # use loopin::{oauth::AuthorizationRequest, redirect::RegisteredRedirect};
/// fn with(redirect: RegisteredRedirect, mut request: AuthorizationRequest) {
///     request.redirect = redirect; // needs a BoundRedirect
/// }
/// ```
#[derive(Debug)]
pub struct AuthorizationRequest {
    /// The server and its endpoints.
    pub server: AuthorizationServer,
    /// Our client at the server.
    pub client: Client,
    /// The redirect URI with its port, sent to both endpoints byte for byte.
    pub redirect: BoundRedirect,
    /// The requested scopes. With `openid` a nonce is sent.
    pub scopes: Scopes,
    /// Whether PKCE is used.
    pub pkce: Pkce,
    /// Additional parameters, sent last.
    pub extra: ExtraParameters,
}

/// The URL for the user's browser. It is safe to pass to a launcher. It contains `state`, which counts as public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationUrl(String);

impl AuthorizationUrl {
    /// The URL as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AuthorizationRequest {
    /// Returns the URL and the value that accepts its response. With `openid` a nonce is added.
    ///
    /// # Errors
    /// The URL would be unsafe to open, or longer than 8 KiB.
    pub fn begin(self, entropy: Entropy) -> Result<(AuthorizationUrl, Pending), EndpointError> {
        let Self { server, client, redirect, scopes, pkce, extra } = self;
        let nonce = scopes.contains("openid").then_some(entropy.nonce);
        let response_mode = extra.response_mode();
        let verifier = PkceCodeVerifier::new(entropy.code_verifier.expose().to_owned());
        let registered = RedirectUrl::new(redirect.as_str().to_owned()).map_err(|_| EndpointError::NotAUrl)?;
        let oauth = BasicClient::new(oauth2::ClientId::new(client.id.as_str().to_owned()))
            .set_auth_uri(AuthUrl::from_url(server.authorization_endpoint.url().clone()))
            .set_redirect_uri(registered);
        let state = CsrfToken::new(entropy.state.expose().to_owned());
        let separator = client.dialect.scope_separator;
        let asked = (!scopes.is_empty()).then(|| oauth2::Scope::new(separator.join(&scopes)));
        let mut request = oauth.authorize_url(|| state).add_scopes(asked);
        if pkce == Pkce::S256 {
            request = request.set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        }
        if let Some(nonce) = &nonce {
            request = request.add_extra_param("nonce", nonce.expose().to_owned());
        }
        for resource in &client.dialect.token.resources {
            request = request.add_extra_param("resource", resource.as_str().to_owned());
        }
        for (name, value) in extra.0 {
            request = request.add_extra_param(name, value);
        }
        let (url, _) = request.url();
        safe_to_open(&url)?;
        // A parameter must not occur twice (RFC 6749 section 3.1), including those in the endpoint's own query.
        if OWNED.iter().any(|owned| url.query_pairs().filter(|(name, _)| name == owned).count() > 1) {
            return Err(EndpointError::FlowParameter);
        }
        if url.as_str().len() > super::endpoint::LONGEST {
            return Err(EndpointError::TooLong);
        }
        let code_verifier = (pkce == Pkce::S256).then_some(entropy.code_verifier);
        let flow = Flow { server, client, redirect, code_verifier, nonce };
        let pending = Pending { state: entropy.state, response_mode, flow };
        Ok((AuthorizationUrl(url.into()), pending))
    }
}

#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub(super) server: AuthorizationServer,
    pub(super) client: Client,
    pub(super) redirect: BoundRedirect,
    pub(super) code_verifier: Option<Secret>,
    pub(super) nonce: Option<Secret>,
}

/// A login that waits for its authorization response.
#[derive(Debug)]
pub struct Pending {
    state: Secret,
    response_mode: ResponseMode,
    flow: Flow,
}

/// The secrets of a waiting login.
#[derive(Clone, Debug)]
pub struct Kept {
    /// `None` if PKCE is off.
    pub code_verifier: Option<Secret>,
    /// `None` without `openid`.
    pub nonce: Option<Secret>,
}

/// The result of a response that belongs to the login.
#[derive(Debug)]
pub enum Settled {
    /// The user authorized the client.
    Code(CodeReceived),
    /// The provider or the user refused.
    Denied(Denial),
    /// A response that no legitimate server sends.
    Refused(Refusal),
}

/// The result of a request at the redirect URI.
#[derive(Debug)]
pub enum Received {
    /// The user authorized the client.
    Code(CodeReceived),
    /// The provider or the user refused, with the right `state`.
    Denied(Denial),
    /// The right `state`, but a response that no legitimate server sends.
    Refused(Refusal),
    /// It belongs to no login here, so the login continues to wait.
    Unrelated(Pending, Unrelated),
}

/// The error response of RFC 6749 section 4.1.2.1.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Denial {
    /// The `error` parameter.
    pub error: RemoteText,
    /// The `error_description` parameter, if there is one.
    pub description: Option<RemoteText>,
}

impl Pending {
    /// Reads the query of a request at the redirect URI. Nothing else counts before `state` has matched.
    pub fn receive(self, query: &[u8]) -> Received {
        let answer = match Answer::parse(query) {
            Ok(answer) => answer,
            Err(why) => return Received::Unrelated(self, why),
        };
        let matched = match answer.matching(&self.state) {
            Ok(matched) => matched,
            Err(why) => return Received::Unrelated(self, why),
        };
        match self.flow.settle(matched) {
            Settled::Code(code) => Received::Code(code),
            Settled::Denied(denial) => Received::Denied(denial),
            Settled::Refused(refusal) => Received::Refused(refusal),
        }
    }

    /// The same login again, in case the next response is not the user's own. The code of a response is still exchanged
    /// only once.
    pub fn again(&self) -> Self {
        Self { state: self.state.clone(), response_mode: self.response_mode, flow: self.flow.clone() }
    }

    /// What must be kept if the response arrives in another process or later. The rest can be built again.
    pub fn keep(&self) -> Kept {
        Kept { code_verifier: self.flow.code_verifier.clone(), nonce: self.flow.nonce.clone() }
    }

    /// How its response was requested.
    pub fn response_mode(&self) -> ResponseMode {
        self.response_mode
    }

    /// How its provider differs from the RFCs.
    pub fn dialect(&self) -> &WireDialect {
        &self.flow.client.dialect
    }

    /// The redirect URI of this login.
    pub fn redirect(&self) -> &BoundRedirect {
        &self.flow.redirect
    }
}

/// A login that another process may have started. Its `state` is an encrypted handle: the response that opened it is
/// proven to belong here, so no `state` is stored.
#[derive(Debug)]
pub struct Resumed(Flow);

impl Resumed {
    /// The login of a stored flow: the values of the request, and the secrets that [`Pending::keep`] returned.
    pub fn new(
        server: AuthorizationServer,
        client: Client,
        redirect: BoundRedirect,
        Kept { code_verifier, nonce }: Kept,
    ) -> Self {
        Self(Flow { server, client, redirect, code_verifier, nonce })
    }

    /// Reads a response that belongs to this login.
    pub fn receive(self, answer: MatchedAnswer) -> Settled {
        self.0.settle(answer)
    }
}

impl Flow {
    fn settle(mut self, answer: MatchedAnswer) -> Settled {
        let rules = &self.client.dialect;
        let metadata = answer.metadata(&rules.keep);
        let chosen = answer.token_server(rules.token_servers.as_ref(), &self.server.token_endpoint);
        let MatchedAnswer(answer) = answer;
        if let Err(refusal) = mix_up::came_from(&self.server, answer.iss.as_deref()) {
            return Settled::Refused(refusal);
        }
        let code = match answer.result {
            Ok(code) => code,
            Err((error, description)) => return Settled::Denied(Denial { error, description }),
        };
        match chosen {
            Ok(None) => {}
            Ok(Some(origin)) => match self.server.clone().with_tokens_at(&origin) {
                Some(server) => self.server = server,
                None => return Settled::Refused(Refusal::UnlistedServer(RemoteText::new(origin.as_str()))),
            },
            Err(Unlisted(named)) => return Settled::Refused(Refusal::UnlistedServer(named)),
        }
        // One of a template's issuers: the id_token must have the very same.
        if self.server.issuer_template.is_some() && self.server.issuer.is_none() {
            self.server.issuer = answer.iss.and_then(|iss| Issuer::parse(&iss).ok());
        }
        Settled::Code(CodeReceived { code, flow: self, metadata })
    }
}

/// A code that belongs to this login. `exchange` (in `token.rs`) consumes it, so a code is sent once.
#[derive(Debug)]
pub struct CodeReceived {
    pub(super) code: Secret,
    pub(super) flow: Flow,
    /// Of the response that brought it.
    pub(super) metadata: GrantMetadata,
}

impl CodeReceived {
    /// The server as the response to this login leaves it: where the code is exchanged, and where the grant will be
    /// refreshed and revoked.
    pub fn server(&self) -> &AuthorizationServer {
        &self.flow.server
    }
}

impl Client {
    pub(super) fn secret(&self) -> Option<&Secret> {
        match &self.authentication {
            ClientAuthentication::None => None,
            ClientAuthentication::Secret { secret, .. } => Some(secret),
        }
    }
}

#[cfg(test)]
mod tests;

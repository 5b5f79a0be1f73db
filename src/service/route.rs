//! The route of a request; `docs/serve.md` lists them.

use super::{base_url::InstanceId, store::ConnectionId};
use crate::catalog::IntegrationName;

/// The prefix of every path.
pub const BASE_PATH: &str = "/api/v1/oauth2";

/// A route; `:group` in `docs/serve.md` is the name of an integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `GET /:group/authorize`.
    Authorize(IntegrationName),
    /// The callback of the integration's own server, or of an instance.
    Callback(IntegrationName, Option<InstanceId>),
    /// `GET|DELETE /connections/:id`.
    Connection(ConnectionId),
    /// `GET /connections`.
    Connections,
    /// `GET /healthz`.
    Health,
    /// `POST /:group/link`.
    Link(IntegrationName),
    /// `POST /:group/token`.
    Token(IntegrationName),
}

impl Route {
    /// The path for logs and metrics, without anything from the request.
    pub fn template(&self) -> &'static str {
        match self {
            Self::Authorize(_) => "/:group/authorize",
            Self::Callback(_, None) => "/:group/callback",
            Self::Callback(_, Some(_)) => "/:group/callback/:instance",
            Self::Connection(_) => "/connections/:id",
            Self::Connections => "/connections",
            Self::Health => "/healthz",
            Self::Link(_) => "/:group/link",
            Self::Token(_) => "/:group/token",
        }
    }

    /// The integration in the path, if there is one.
    pub fn integration(&self) -> Option<&IntegrationName> {
        match self {
            Self::Authorize(name) | Self::Callback(name, _) | Self::Link(name) | Self::Token(name) => Some(name),
            Self::Connection(_) | Self::Connections | Self::Health => None,
        }
    }

    /// The allowed methods. OPTIONS is allowed where pages of other origins may send requests.
    pub fn methods(&self) -> &'static str {
        match self {
            Self::Authorize(_) | Self::Connections => "GET, OPTIONS",
            Self::Callback(..) | Self::Health => "GET",
            Self::Connection(_) => "GET, DELETE, OPTIONS",
            Self::Link(_) | Self::Token(_) => "POST",
        }
    }

    /// By the raw path. A name has one spelling only: a path with percent escapes has no route.
    pub fn of(path: &str) -> Option<Self> {
        if path == "/healthz" {
            return Some(Self::Health);
        }
        let rest = path.strip_prefix(BASE_PATH)?.strip_prefix('/')?;
        let (first, second) = match rest.split_once('/') {
            None => return (rest == "connections").then_some(Self::Connections),
            Some(parts) => parts,
        };
        if first == "connections"
            && let Some(id) = ConnectionId::parse(second)
        {
            return Some(Self::Connection(id));
        }
        let group = IntegrationName::parse(first).ok()?;
        match second {
            "authorize" => Some(Self::Authorize(group)),
            "callback" => Some(Self::Callback(group, None)),
            "link" => Some(Self::Link(group)),
            "token" => Some(Self::Token(group)),
            _ => {
                let instance = InstanceId::parse(second.strip_prefix("callback/")?)?;
                Some(Self::Callback(group, Some(instance)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v17_a_path_that_is_none_of_ours_is_nothing() {
        for strange in [
            "",
            "/",
            "//",
            "/api/v1/oauth2",
            "/api/v1/oauth2/",
            "/api/v1/oauth2//authorize",
            "/api/v1/oauth2/%2e%2e/authorize",
            "/api/v1/oauth2/Wiki/authorize",
            "/api/v1/oauth2/wiki/Authorize",
            "/api/v1/oauth2/wiki/authorize/",
            "/api/v1/oauth2/wiki/authorize/x",
            "/api/v1/oauth2/wiki/callback/",
            "/api/v1/oauth2/wiki/callback/..",
            "/api/v1/oauth2/wiki/callback/a/b",
            "/api/v1/oauth2/wiki/callback/A.example",
            "/api/v1/oauth2/wiki/callback/a%2eexample",
            "/api/v1/oauth2/wik%69/authorize",
            "/api/v1/oauth2/wiki%00/authorize",
            "/api/v1/oauth2/wiki;x/authorize",
            "/api/v1/oauth2/wiki\u{e9}/authorize",
            "/api/v2/oauth2/wiki/authorize",
            "/api/v1/oauth2x/wiki/authorize",
            "/wiki/authorize",
            "/metrics",
            "/readyz",
            "/api/v1/oauth2/connections/1",
            "/api/v1/oauth2/connections/A7A7A7A7A7A7A7A7A7A7A7A7A7A7A7A7",
        ] {
            assert_eq!(None, Route::of(strange), "{strange}");
        }
        assert_eq!(None, Route::of(&format!("/api/v1/oauth2/{}/authorize", "x".repeat(65))));
    }

    #[test]
    fn every_address_of_the_service_is_found() {
        let wiki = || IntegrationName::parse("wiki").expect("name");
        assert_eq!(Some(Route::Authorize(wiki())), Route::of("/api/v1/oauth2/wiki/authorize"));
        assert_eq!(Some(Route::Callback(wiki(), None)), Route::of("/api/v1/oauth2/wiki/callback"));
        let instance = InstanceId::parse("git.acme.example~8443");
        let at_instance = Route::of("/api/v1/oauth2/wiki/callback/git.acme.example~8443");
        assert_eq!(Some(Route::Callback(wiki(), instance)), at_instance);
        assert_eq!(Some(Route::Link(wiki())), Route::of("/api/v1/oauth2/wiki/link"));
        assert_eq!(Some(Route::Token(wiki())), Route::of("/api/v1/oauth2/wiki/token"));
        assert_eq!(Some(Route::Connections), Route::of("/api/v1/oauth2/connections"));
        assert_eq!(Some(Route::Health), Route::of("/healthz"));
        let id = ConnectionId::new([7; 16]);
        assert_eq!(Some(Route::Connection(id)), Route::of(&format!("/api/v1/oauth2/connections/{id}")));
    }
}

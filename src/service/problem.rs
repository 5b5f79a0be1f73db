//! Errors of the API: problem+json (RFC 9457) with codes of a fixed list.
//!
//! They never contain anything from the request. The number of the request leads to its line in the log.

use serde_json::json;

use super::scopes::{self, ScopesRefused};
use crate::{
    deadlines::{DATABASE_RETRY, ISSUER_RETRY},
    reply::{FieldValue, Reply},
};

/// Every error, with its status and its meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// `baseUrl` is malformed or not allowed, for this reason.
    BaseUrlNotAllowed(String),
    /// The connection was deleted during the request.
    ConnectionDeleted,
    /// A parameter occurs twice.
    DuplicateParameter(&'static str),
    /// The provider granted fewer scopes than the action needs.
    InsufficientScope {
        /// The scopes that are not granted.
        missing: Vec<String>,
    },
    /// The configuration of the integration is wrong, or the provider rejects the client.
    IntegrationMisconfigured,
    /// `appCallbackUrl` is malformed or not allowed, for this reason.
    InvalidAppCallbackUrl(String),
    /// The body is invalid, for this reason.
    InvalidBody(String),
    /// The field occurs twice, or is not UTF-8.
    InvalidHeader(String),
    /// The issuer's keys were never fetched, so its tokens cannot be verified.
    IssuerUnavailable,
    /// The route has other methods, which `Allow` lists.
    MethodNotAllowed(&'static str),
    /// A required parameter is missing.
    MissingParameter(&'static str),
    /// The session cookie came with a request that is no navigation.
    NavigationRequired,
    /// There is no such connection.
    NotConnected,
    /// There is no such route or connection.
    NotFound,
    /// The caller does not belong to the organization.
    OrgForbidden,
    /// No organization was named, and there is not exactly one.
    OrgRequired,
    /// The `Origin` of the request is not allowed.
    OriginNotAllowed,
    /// The browser only prefetches.
    Prefetch,
    /// The provider cannot be used now.
    ProviderUnavailable {
        /// Seconds.
        retry_after: u64,
    },
    /// `query_token` is off.
    QueryTokenOff,
    /// The time is RFC 3339.
    ReauthRequired {
        /// A code: [`ReauthReason`](crate::service::store::ReauthReason).
        reason: &'static str,
        /// Since when, in RFC 3339.
        since: String,
    },
    /// An additional scope is invalid or not allowed.
    ScopeNotAllowed(ScopesRefused),
    /// Only services may name another user.
    ServiceOnly,
    /// A limit is exceeded.
    TooManyRequests {
        /// Seconds.
        retry_after: u64,
    },
    /// The request has two different tokens.
    TwoTokens,
    /// The token is missing or invalid.
    Unauthenticated,
    /// The database cannot be used now.
    Unavailable,
    /// The integration has no such action.
    UnknownAction,
    /// There is no such integration.
    UnknownGroup,
    /// A cell cannot be decrypted: it was altered, or moved from another row (docs/threats.md, V21).
    Unreadable,
}

impl Problem {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::BaseUrlNotAllowed(_)
            | Self::DuplicateParameter(_)
            | Self::InvalidAppCallbackUrl(_)
            | Self::InvalidBody(_)
            | Self::InvalidHeader(_)
            | Self::MissingParameter(_)
            | Self::OrgRequired
            | Self::QueryTokenOff
            | Self::ScopeNotAllowed(_)
            | Self::TwoTokens
            | Self::UnknownAction => 400,
            Self::Unauthenticated => 401,
            Self::InsufficientScope { .. }
            | Self::NavigationRequired
            | Self::OrgForbidden
            | Self::OriginNotAllowed
            | Self::Prefetch
            | Self::ServiceOnly => 403,
            Self::NotConnected | Self::NotFound | Self::UnknownGroup => 404,
            Self::MethodNotAllowed(_) => 405,
            Self::ReauthRequired { .. } => 409,
            Self::ConnectionDeleted => 410,
            Self::IntegrationMisconfigured => 424,
            Self::TooManyRequests { .. } => 429,
            Self::Unreadable => 500,
            Self::IssuerUnavailable | Self::ProviderUnavailable { .. } | Self::Unavailable => 503,
        }
    }

    /// The code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BaseUrlNotAllowed(_) => "base_url_not_allowed",
            Self::ConnectionDeleted => "connection_deleted",
            Self::DuplicateParameter(_) => "duplicate_parameter",
            Self::InsufficientScope { .. } => "insufficient_scope",
            Self::IntegrationMisconfigured => "integration_misconfigured",
            Self::InvalidAppCallbackUrl(_) => "invalid_app_callback_url",
            Self::InvalidBody(_) => "invalid_body",
            Self::InvalidHeader(_) => "invalid_header",
            Self::IssuerUnavailable => "issuer_unavailable",
            Self::MethodNotAllowed(_) => "method_not_allowed",
            Self::MissingParameter(_) => "missing_parameter",
            Self::NavigationRequired => "navigation_required",
            Self::NotConnected => "not_connected",
            Self::NotFound => "not_found",
            Self::OrgForbidden => "org_forbidden",
            Self::OrgRequired => "org_required",
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::Prefetch => "prefetch",
            Self::ProviderUnavailable { .. } => "provider_unavailable",
            Self::QueryTokenOff => "query_token_off",
            Self::ReauthRequired { .. } => "reauth_required",
            Self::ScopeNotAllowed(_) => "scope_not_allowed",
            Self::ServiceOnly => "service_only",
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::TwoTokens => "two_tokens",
            Self::Unauthenticated => "unauthenticated",
            Self::Unavailable => "unavailable",
            Self::UnknownAction => "unknown_action",
            Self::UnknownGroup => "unknown_group",
            Self::Unreadable => "unreadable",
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::BaseUrlNotAllowed(why) => format!("baseUrl: {why}"),
            Self::ConnectionDeleted => "the connection was deleted while its token was refreshed".into(),
            Self::DuplicateParameter(name) => format!("{name} occurs more than once"),
            Self::InsufficientScope { .. } => "the provider granted fewer scopes than this action needs".into(),
            Self::IntegrationMisconfigured => {
                "the provider rejects this client, or its configuration is incomplete; the operator has to fix it"
                    .into()
            }
            Self::InvalidAppCallbackUrl(why) => format!("appCallbackUrl: {why}"),
            Self::InvalidBody(why) => format!("the body is invalid: {why}"),
            Self::InvalidHeader(name) => format!("the header {name} must be sent once, in UTF-8"),
            Self::MethodNotAllowed(_) => "this method is not allowed here".into(),
            Self::MissingParameter(name) => format!("{name} is missing"),
            Self::NavigationRequired => {
                "the session cookie starts a connection only if the browser navigates here; in a fetch send the token in a header"
                    .into()
            }
            Self::NotConnected => "there is no connection for this user, organization, group and action".into(),
            Self::NotFound => "not found".into(),
            Self::OrgForbidden => "the caller does not belong to this organization".into(),
            Self::OrgRequired => "no organization was named, and the caller does not have exactly one".into(),
            Self::OriginNotAllowed => "pages of this origin may not send requests".into(),
            Self::IssuerUnavailable => "the keys of the token's issuer could not be fetched yet".into(),
            Self::Prefetch => "a prefetch does not start a connection".into(),
            Self::ProviderUnavailable { .. } => "the provider cannot be reached now".into(),
            Self::QueryTokenOff => "a token in the URL is not accepted".into(),
            Self::ReauthRequired { .. } => "the user must connect again".into(),
            // The scope is left out: the caller knows it.
            Self::ScopeNotAllowed(ScopesRefused::NotAScope) => {
                "scopes: one of them is no scope (RFC 6749, section 3.3)".into()
            }
            Self::ScopeNotAllowed(ScopesRefused::NotAllowed(_)) => {
                "scopes: one of them is not among the integration's allowed_scopes".into()
            }
            Self::ScopeNotAllowed(ScopesRefused::TooMany) => format!("scopes: more than {}", scopes::MOST),
            Self::ServiceOnly => "only a service may name another user".into(),
            Self::TooManyRequests { .. } => "too many requests".into(),
            Self::TwoTokens => "the request has two different tokens".into(),
            Self::Unauthenticated => "a valid token is required".into(),
            Self::Unavailable => "the database cannot be used now".into(),
            Self::UnknownAction => "this group has no such action".into(),
            Self::UnknownGroup => "there is no such group".into(),
            Self::Unreadable => "the stored secret cannot be decrypted; the operator has to look at it".into(),
        }
    }

    /// `request` is the request's number in the log.
    pub fn reply(&self, request: &str) -> Reply {
        let mut body = json!({
            "type": "about:blank",
            "status": self.status(),
            "code": self.code(),
            "detail": self.detail(),
            "request": request,
        });
        match self {
            Self::InsufficientScope { missing } => body["missing"] = missing.as_slice().into(),
            Self::ReauthRequired { reason, since } => {
                body["reason"] = (*reason).into();
                body["since"] = since.as_str().into();
            }
            _ => {}
        }
        let reply = Reply::bytes(self.status(), "application/problem+json", body.to_string().into_bytes());
        match self {
            Self::MethodNotAllowed(allowed) => reply.allow(allowed),
            Self::ProviderUnavailable { retry_after } | Self::TooManyRequests { retry_after } => {
                reply.with_value("Retry-After", FieldValue::from(*retry_after))
            }
            Self::IssuerUnavailable => reply.with_value("Retry-After", FieldValue::from(ISSUER_RETRY.as_secs())),
            Self::Unavailable => reply.with_value("Retry-After", FieldValue::from(DATABASE_RETRY.as_secs())),
            Self::Unauthenticated => reply.with_field("WWW-Authenticate", "Bearer"),
            _ => reply,
        }
    }
}

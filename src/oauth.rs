//! OAuth 2.0 for native applications, without I/O: values in, values out.
//!
//! The types of a login can be used in one order only: [`AuthorizationRequest::begin`] needs a `BoundRedirect` and
//! returns a URL and a [`Pending`]; [`Pending::receive`] reads a response and returns the [`Pending`] until the right
//! one arrives; [`CodeReceived::exchange`] consumes the code, so that it is sent once. No module except this one and
//! `practice.rs` contains the names of the parameters.

mod answer;
mod authorization;
mod client;
mod client_request;
mod device;
mod diagnosis;
mod dialect;
mod endpoint;
mod entropy;
mod error_response;
mod grant_metadata;
mod http;
mod id_token;
mod issuer_template;
mod json_object;
mod known_errors;
mod metadata;
mod mix_up;
mod normalise;
mod refresh;
mod remote_text;
mod revoke;
mod scope;
mod scope_rules;
mod token;
mod token_rules;
mod token_servers;

pub use answer::{Answer, MatchedAnswer, Unrelated, form_response, reserved_in_answers};
pub use authorization::{
    AuthorizationRequest, AuthorizationUrl, CodeReceived, Denial, ExtraParameters, Kept, ParameterError, Pending, Pkce,
    Received, ResponseMode, Resumed, Settled,
};
pub use client::{
    AuthenticationMethod, AuthenticationMethods, Client, ClientAuthentication, ClientId, NoCommonMethod, SecretMask,
};
pub use device::{DeviceAuthorization, DeviceError, DeviceFlow, DeviceRequest, Next, PollEnd, Polling, UserCode};
pub use diagnosis::{
    Advice, BodyKind, Diagnosis, ExpirySource, MemberNames, NotAResponse, Observed, SavedResponse, ScopeSpelling,
    Taken, TakenScope,
};
pub use dialect::WireDialect;
pub use endpoint::{Endpoint, EndpointError, Issuer, PageUrl};
pub use entropy::Entropy;
pub use error_response::{ErrorCode, ErrorResponse, Meaning, retry_after};
pub use grant_metadata::{GrantMetadata, KeepError, KeepRules, MetadataValue};
pub use http::{AtMost, CaFault, CaStore, HttpClient, HttpError, HttpRequest, HttpResponse};
pub use id_token::{Claims, IdTokenError, id_token_user, id_token_validity};
pub use issuer_template::{IssuerTemplate, IssuerTemplateError};
pub use json_object::JsonObject;
pub use metadata::{
    AuthorizationServer, DiscoveryError, IdTokenAlgorithms, IssParameter, Miss, Missed, S256, discover,
    discover_tenants,
};
pub use mix_up::Refusal;
pub use normalise::NotOAuth;
pub use refresh::{RefreshError, RefreshRequest, refresh};
pub use remote_text::{RemoteText, printable};
pub use revoke::{Extent, GrantTokens, RevocationError, revoke_grant};
pub use scope::{Scope, ScopeError, ScopeSeparator, Scopes};
pub use scope_rules::{ScopeCheck, ScopeRules};
pub use token::{ExchangeError, Expiry, MalformedToken, TokenSet, TokenType};
pub use token_rules::{MemberPath, Resource, TokenBody, TokenOccasion, TokenRules, is_free};
pub use token_servers::TokenServers;

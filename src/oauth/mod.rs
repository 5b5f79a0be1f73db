//! OAuth 2.0 for native applications, without I/O: values in, values out.
//!
//! A login is a chain of types that can only be walked in one direction:
//! [`AuthorizationRequest::begin`] needs a `BoundRedirect` and gives a URL and a [`Pending`];
//! [`Pending::receive`] takes an answer and gives itself back until the right one comes;
//! [`CodeReceived::exchange`] consumes the code, so that it can be sent once only.
//! Nothing outside this folder and `practice.rs` knows the names of parameters on the wire.

mod answer;
mod authorization;
mod client;
mod endpoint;
mod entropy;
mod http;
mod id_token;
mod metadata;
mod mix_up;
mod normalise;
mod refresh;
mod remote_text;
mod revoke;
mod scope;
mod token;

pub use answer::{Answer, MatchedAnswer, Unrelated, reserved_in_answers};
pub use authorization::{
    AuthorizationRequest, AuthorizationUrl, CodeReceived, Denial, ExtraParameters, Kept, ParameterError, Pending, Pkce,
    Received, Resumed, Settled,
};
pub use client::{AuthenticationMethod, Client, ClientAuthentication, ClientId};
pub use endpoint::{Endpoint, EndpointError, Issuer};
pub use entropy::Entropy;
pub use http::{HttpClient, HttpError, HttpRequest, HttpResponse};
pub use id_token::{Claims, IdTokenError, id_token_validity};
pub use metadata::{AuthorizationServer, DiscoveryError, IdTokenAlgorithms, IssParameter, S256, discover};
pub use mix_up::Refusal;
pub use normalise::NotOAuth;
pub use refresh::refresh;
pub use remote_text::{RemoteText, printable};
pub use revoke::{Extent, GrantTokens, RevocationError, revoke_grant};
pub use scope::{Scope, ScopeError, Scopes};
pub use token::{ErrorCode, ExchangeError, Expiry, MalformedToken, TokenSet, TokenType};

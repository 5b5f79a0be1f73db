//! Instances of a provider beside its own, which `baseUrl` may name in the service (seed 002, self-hosted services).

use super::{Host, SecretSource, SharedRedirect};
use crate::oauth::{ClientId, IssParameter};

/// One entry of `base_allow`: the server, and the client that is registered at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    pub host: Host,
    /// Without one the integration's.
    pub client_id: Option<ClientId>,
    /// Without one the client is public there: the integration's own secret never goes to another server.
    pub client_secret: Option<SecretSource>,
    /// Whether it names itself in its answers (RFC 9207); then it may share the integration's redirect.
    pub iss_parameter: IssParameter,
    pub shared_redirect: SharedRedirect,
}

/// Servers that nobody listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Others {
    /// `"*"`: at public addresses, without any secret.
    Public,
    #[default]
    Refused,
}

/// `base_allow` of one integration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instances {
    pub listed: Vec<Instance>,
    pub others: Others,
}

//! What operators should know while the service runs, as data; `command::serve` prints it.

use std::{net::IpAddr, sync::Arc};

/// An event for operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice<'a> {
    /// A forwarding header was ignored because its peer is not in `trusted_proxies`. Reported once.
    ForwardingIgnored { peer: IpAddr, header: &'a str },
    /// The keys of an issuer were fetched after a failure.
    KeysFetched { issuer: &'a str },
    /// A request to an integration's provider failed. Reported again when the reason changes. `step` is `authorization`,
    /// `discovery` or `exchange`.
    ProviderFailed { integration: &'a str, step: &'a str, why: &'a str, oauth_error: Option<&'a str> },
    /// A refresh got an unusual response from an integration's token endpoint: what it has, and the fields that would read
    /// it. No value of it. Reported again when that changes.
    TokenResponse { integration: &'a str, what: &'a str },
    /// The keys of an issuer cannot be fetched. Reported again when the reason changes.
    KeysMissing { issuer: &'a str, why: &'a str },
}

/// Receives the notices, on any thread.
pub type Notices = Arc<dyn Fn(&Notice<'_>) + Send + Sync>;

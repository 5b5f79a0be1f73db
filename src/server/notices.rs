//! What the operator is told while the service runs, as data; the program says it in words.

use std::{net::IpAddr, sync::Arc};

/// One thing that an operator should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice<'a> {
    /// A forwarding header from a peer that is not in `trusted_proxies`, which is ignored. Given once.
    ForwardingIgnored { peer: IpAddr, header: &'a str },
    /// Keys of an issuer that could not be fetched before.
    KeysFetched { issuer: &'a str },
    /// Keys of an issuer that cannot be fetched. Given again when the reason changes.
    KeysMissing { issuer: &'a str, why: &'a str },
}

/// Who hears of them, on any thread.
pub type Notices = Arc<dyn Fn(&Notice<'_>) + Send + Sync>;

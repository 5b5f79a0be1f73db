//! How a provider's endpoints differ from the RFCs, as values. The default is the RFCs.

use super::{ScopeSeparator, TokenRules};

/// What a client has to know of its provider to send requests and to read responses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WireDialect {
    pub token: TokenRules,
    pub scope_separator: ScopeSeparator,
    /// Error codes that mean the end of a grant at this provider, beside those that are known of all.
    pub dead_grant_errors: Vec<String>,
}

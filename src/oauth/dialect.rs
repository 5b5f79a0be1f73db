//! How a provider's endpoints differ from the RFCs, as values. The default is the RFCs.

use super::TokenRules;

/// What a client has to know of its provider to send requests and to read responses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WireDialect {
    pub token: TokenRules,
}

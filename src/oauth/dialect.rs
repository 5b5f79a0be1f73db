//! How a provider's endpoints differ from the RFCs, as values. The default is the RFCs.

use super::{Endpoint, KeepRules, ScopeSeparator, TokenRules, TokenServers};

/// What a client has to know of its provider to send requests and to read responses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WireDialect {
    pub token: TokenRules,
    pub scope_separator: ScopeSeparator,
    /// Error codes that mean the end of a grant at this provider, beside those that are known of all.
    pub dead_grant_errors: Vec<String>,
    /// What is kept of responses beside the tokens.
    pub keep: KeepRules,
    /// Among which servers the authorization response chooses; `None`: there is one.
    pub token_servers: Option<TokenServers>,
    /// Where refreshes go, if not to the endpoint that the tokens came from.
    pub refresh_endpoint: Option<Endpoint>,
}

impl WireDialect {
    /// Whether a parameter of the authorization response is used beside those of the RFCs.
    pub(super) fn uses_parameter(&self, name: &str) -> bool {
        let chooses = self.token_servers.as_ref().is_some_and(|servers| servers.parameter == name);
        chooses || self.keep.keeps_from_callback(name)
    }
}

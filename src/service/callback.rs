//! `GET /:group/callback`: the result that the application gets, as one of a fixed list of codes. A provider's own text
//! is never passed on.

use crate::oauth::{Denial, ErrorCode, ExchangeError, Meaning, Refusal};

/// Errors of RFC 6749 section 4.1.2.1 and OpenID Connect Core section 3.1.2.6 that are passed on by name.
const KNOWN: [&str; 11] = [
    "access_denied",
    "account_selection_required",
    "consent_required",
    "interaction_required",
    "invalid_request",
    "invalid_scope",
    "login_required",
    "server_error",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_response_type",
];

/// The value of `error` at the application's callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The response came in another browser than the one that started the flow.
    BrowserMismatch,
    /// The token endpoint rejected the code.
    CodeExchangeFailed,
    /// The integration or its client has changed since the start, or the provider rejects the client.
    ConfigError,
    /// The response came from another server (RFC 9207), or at another redirect URI.
    IssuerMismatch,
    /// The user has left the organization since the flow started.
    OrgForbidden,
    /// An error of the provider, one of the known codes.
    Provider(&'static str),
    /// The provider could not be reached.
    ProviderUnreachable,
    /// The flow has expired.
    StateExpired,
    /// The flow had already ended.
    StateReplayed,
    /// The connection could not be stored.
    StorageError,
}

impl Ending {
    /// Every code; docs/serve.md lists them.
    pub const CODES: [&str; 21] = [
        "access_denied",
        "account_selection_required",
        "browser_mismatch",
        "code_exchange_failed",
        "config_error",
        "consent_required",
        "interaction_required",
        "invalid_request",
        "invalid_scope",
        "issuer_mismatch",
        "login_required",
        "org_forbidden",
        "provider_error",
        "provider_unreachable",
        "server_error",
        "state_expired",
        "state_replayed",
        "storage_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_response_type",
    ];

    /// The code of the application's callback; part of the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::BrowserMismatch => "browser_mismatch",
            Self::CodeExchangeFailed => "code_exchange_failed",
            Self::ConfigError => "config_error",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::OrgForbidden => "org_forbidden",
            Self::Provider(word) => word,
            Self::ProviderUnreachable => "provider_unreachable",
            Self::StateExpired => "state_expired",
            Self::StateReplayed => "state_replayed",
            Self::StorageError => "storage_error",
        }
    }
}

/// The value of `warning` beside `status=success`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The provider has plainly granted fewer scopes than were asked for.
    InsufficientScope,
    /// The provider returned no refresh token, so the user has to connect again when the access token expires.
    NoRefreshToken,
}

impl Warning {
    /// The code of the application's callback; part of the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::InsufficientScope => "insufficient_scope",
            Self::NoRefreshToken => "no_refresh_token",
        }
    }
}

impl From<&Denial> for Ending {
    fn from(denial: &Denial) -> Self {
        let word = KNOWN.into_iter().find(|known| *known == denial.error.as_str());
        Self::Provider(word.unwrap_or("provider_error"))
    }
}

impl From<&Refusal> for Ending {
    fn from(_: &Refusal) -> Self {
        Self::IssuerMismatch
    }
}

impl From<&ExchangeError> for Ending {
    fn from(error: &ExchangeError) -> Self {
        match error {
            ExchangeError::Denied(response) => match (&response.code, response.meaning) {
                (_, Meaning::Later) => Self::ProviderUnreachable,
                (ErrorCode::InvalidClient, _) => Self::ConfigError,
                (ErrorCode::Other(code), _) if code == "unauthorized_client" => Self::ConfigError,
                _ => Self::CodeExchangeFailed,
            },
            ExchangeError::IdToken(_) | ExchangeError::Malformed(_) => Self::CodeExchangeFailed,
            ExchangeError::NotOAuth(_) | ExchangeError::Unreachable(_) => Self::ProviderUnreachable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::RemoteText;

    #[test]
    fn what_an_application_can_be_told_is_listed() {
        use Ending::*;
        let own = [
            BrowserMismatch,
            CodeExchangeFailed,
            ConfigError,
            IssuerMismatch,
            OrgForbidden,
            Provider("provider_error"),
            ProviderUnreachable,
            StateExpired,
            StateReplayed,
            StorageError,
        ];
        let mut told: Vec<_> = own.map(Ending::code).into_iter().chain(KNOWN).collect();
        told.sort_unstable();
        assert_eq!(Ending::CODES.as_slice(), told);
    }

    #[test]
    fn v20_a_providers_words_are_passed_on_only_if_they_are_known() {
        let ending = |error: &str| {
            Ending::from(&Denial { error: RemoteText::new(error), description: Some(RemoteText::new("<script>")) })
                .code()
        };
        for known in KNOWN {
            assert_eq!(known, ending(known));
        }
        for strange in ["", "ACCESS_DENIED", "<script>", "access_denied&status=success", "\r\nSet-Cookie: a=b"] {
            assert_eq!("provider_error", ending(strange), "{strange}");
        }
    }
}

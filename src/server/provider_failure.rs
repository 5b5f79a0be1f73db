//! Why a provider was of no use to a request, for the operator: in the access log and as a notice. Nothing here is secret:
//! no code, no token, no value of a query. Texts of a provider are cleaned before they get here.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use crate::{
    catalog::IntegrationName,
    oauth::{Denial, DiscoveryError, Endpoint, ExchangeError, Miss, NotOAuth, Refusal, RemoteText},
};

/// A failed request to a provider, or a response that is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderFailure {
    /// What was being done.
    pub step: Step,
    /// The place, and what is wrong with its response.
    pub why: String,
    /// The HTTP status of the response, if there was one.
    pub status: Option<u16>,
    /// The `error` of an OAuth error response (RFC 6749 sections 4.1.2.1 and 5.2).
    pub oauth_error: Option<RemoteText>,
}

/// What was being done at a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The browser brought the authorization response.
    Authorization,
    /// The endpoints were looked up.
    Discovery,
    /// The code was sent to the token endpoint.
    Exchange,
}

impl Step {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authorization => "authorization",
            Self::Discovery => "discovery",
            Self::Exchange => "exchange",
        }
    }
}

impl ProviderFailure {
    /// The status is that of the last place that answered.
    pub fn of_discovery(error: &DiscoveryError) -> Self {
        let status = match error {
            DiscoveryError::NotFound { missed, .. } => missed.iter().rev().find_map(|missed| match missed.why {
                Miss::Status(status) | Miss::Redirect { status, .. } => Some(status),
                _ => None,
            }),
            _ => None,
        };
        Self { step: Step::Discovery, why: error.to_string(), status, oauth_error: None }
    }

    /// `endpoint` is where the code was sent.
    pub fn of_exchange(endpoint: &Endpoint, error: &ExchangeError) -> Self {
        let (status, oauth_error) = match error {
            ExchangeError::Denied(response) => {
                (Some(response.status), Some(RemoteText::new(&response.code.to_string())))
            }
            ExchangeError::NotOAuth(NotOAuth { status, .. }) => (Some(*status), None),
            _ => (None, None),
        };
        // A query could be the operator's own secret.
        let place = endpoint.as_str().split('?').next().unwrap_or_default();
        Self { step: Step::Exchange, why: format!("{place}: {error}"), status, oauth_error }
    }
}

impl From<&Denial> for ProviderFailure {
    fn from(denial: &Denial) -> Self {
        let why = "the provider returned an error to the callback".to_owned();
        Self { step: Step::Authorization, why, status: None, oauth_error: Some(denial.error.clone()) }
    }
}

impl From<&Refusal> for ProviderFailure {
    fn from(refusal: &Refusal) -> Self {
        Self { step: Step::Authorization, why: refusal.to_string(), status: None, oauth_error: None }
    }
}

/// The last failure of each integration and step, so that the same one is reported once.
#[derive(Debug, Default)]
pub struct Reported(Mutex<BTreeMap<(IntegrationName, Step), String>>);

impl Reported {
    /// Whether the operator has not been told of this reason yet.
    pub fn is_news(&self, integration: &IntegrationName, failure: &ProviderFailure) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.insert((integration.clone(), failure.step), failure.why.clone()).as_ref() != Some(&failure.why)
    }

    /// The step succeeded: its next failure is reported, whatever the reason.
    pub fn succeeded(&self, integration: &IntegrationName, step: Step) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&(integration.clone(), step));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::{ErrorResponse, HttpError, Issuer, Missed};

    #[test]
    fn d14_the_place_the_status_and_the_oauth_error_are_named_and_no_query() {
        let endpoint = Endpoint::parse("https://op.example/token?key=canary").expect("endpoint");
        let of = |error: ExchangeError| ProviderFailure::of_exchange(&endpoint, &error);
        let denied = of(ExchangeError::Denied(ErrorResponse::of(401, "invalid_client")));
        assert_eq!(Some(401), denied.status);
        assert_eq!(Some("invalid_client"), denied.oauth_error.as_ref().map(RemoteText::as_str));
        let page = of(ExchangeError::NotOAuth(NotOAuth { status: 503, bytes: 9, retry_after: None }));
        assert_eq!(Some(503), page.status);
        let away = of(ExchangeError::Unreachable(HttpError::Timeout));
        for failure in [denied, page, away] {
            assert!(failure.why.starts_with("https://op.example/token: "), "{failure:?}");
            assert!(!failure.why.contains("canary"), "{failure:?}");
        }
        let issuer = Issuer::parse("https://op.example").expect("issuer");
        let missed = |place: &str, why| Missed { place: place.into(), why };
        let missed =
            vec![missed("https://op.example/a", Miss::Status(502)), missed("https://op.example/b", Miss::NotJson)];
        let failure = ProviderFailure::of_discovery(&DiscoveryError::NotFound { issuer, missed });
        assert_eq!(Some(502), failure.status);
        assert!(failure.why.contains("https://op.example/a answers 502"), "{failure:?}");
    }

    #[test]
    fn the_same_reason_is_reported_once_until_the_step_succeeds() {
        let (reported, name) = (Reported::default(), IntegrationName::parse("wiki").expect("name"));
        let failure =
            |why: &str| ProviderFailure { step: Step::Exchange, why: why.into(), status: None, oauth_error: None };
        assert!(reported.is_news(&name, &failure("a")));
        assert!(!reported.is_news(&name, &failure("a")));
        assert!(reported.is_news(&name, &failure("b")));
        reported.succeeded(&name, Step::Exchange);
        assert!(reported.is_news(&name, &failure("b")));
    }
}

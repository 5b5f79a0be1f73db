//! Fetches the published keys of an issuer with the common HTTP client: bounded, with deadlines, without redirects.

use std::time::SystemTime;

use crate::{
    oauth::{Endpoint, HttpClient, HttpError, HttpRequest},
    service::jwt::{IssuerAt, JwksError, KeySet, Verifier},
};

/// Why there are no new keys. The old ones stay in use.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error(transparent)]
    Http(HttpError),
    #[error("HTTP status {0}")]
    NotOk(u16),
    #[error(transparent)]
    Unusable(JwksError),
}

/// Fetches an issuer's keys unless they were fetched less than a minute ago; returns whether new ones arrived. Blocks.
///
/// # Errors
/// There was no response, or no key set in it.
pub fn refetch(
    verifier: &Verifier,
    at: IssuerAt,
    http: &dyn HttpClient,
    now: SystemTime,
) -> Result<Fetched, FetchError> {
    let Some(url) = verifier.ask(at, now) else { return Ok(Fetched::NotYet) };
    verifier.publish(at, fetch(url, http)?, now);
    Ok(Fetched::NewKeys)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetched {
    NewKeys,
    NotYet,
}

fn fetch(url: &Endpoint, http: &dyn HttpClient) -> Result<KeySet, FetchError> {
    let mut request = HttpRequest::new(Vec::new());
    *request.uri_mut() = url.as_str().parse().map_err(|_| FetchError::Unusable(JwksError::NotAKeySet))?;
    let reply = http.send(request).map_err(FetchError::Http)?;
    match reply.status().as_u16() {
        200 => KeySet::parse(reply.body()).map_err(FetchError::Unusable),
        status => Err(FetchError::NotOk(status)),
    }
}

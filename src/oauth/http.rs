//! The HTTP client of this module, as a trait; `system/http.rs` implements it.

use std::time::Duration;

pub use oauth2::{HttpRequest, HttpResponse};

/// Sends one request and returns the response, whatever its status. Redirects are not followed.
///
/// An implementation limits the body to 1 MiB, sets deadlines for everything ([`AtMost`] included), requests no compression and refuses plain
/// http except for loopback addresses.
pub trait HttpClient {
    /// # Errors
    /// There is no response. The variant shows whether the request may have arrived.
    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError>;
}

/// An extension of a request: its response is waited for this long only, whatever time its sender has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtMost(pub Duration);

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// Nothing was sent: the name could not be resolved, or there was no connection.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The proxy in the environment cannot be used. Nothing was sent.
    #[error("the variable {variable} names no usable proxy: {why}")]
    Proxy { variable: &'static str, why: &'static str },
    /// The response is larger than 1 MiB.
    #[error("the reply is larger than 1 MiB")]
    TooLarge,
    /// The connection failed. The request may have arrived.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The deadline passed. The request may have arrived.
    #[error("no answer in time")]
    Timeout,
    /// TLS failed. Nothing of the request was sent.
    #[error("TLS: {0}")]
    Tls(String),
}

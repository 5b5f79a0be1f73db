//! The HTTP client that this folder asks for; `system/http.rs` is one.

pub use oauth2::{HttpRequest, HttpResponse};

/// Sends one request and gives the reply, whatever its status, without following redirects.
///
/// An implementation bounds the body at 1 MiB, sets deadlines on everything, asks for no compression
/// and refuses plain http except on the loopback interface.
pub trait HttpClient {
    /// # Errors
    /// No reply came; the variant tells whether the request can have arrived.
    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError>;
}

/// Why there is no reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// Nothing was sent: name resolution, connection or TLS set-up failed.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The environment names a proxy that cannot be used. Nothing was sent.
    #[error("the variable {variable} names no usable proxy: {why}")]
    Proxy { variable: &'static str, why: &'static str },
    /// The reply is larger than 1 MiB.
    #[error("the reply is larger than 1 MiB")]
    TooLarge,
    /// The request may have arrived.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The deadline passed; the request may have arrived.
    #[error("no answer in time")]
    Timeout,
    #[error("TLS: {0}")]
    Tls(String),
}

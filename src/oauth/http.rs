//! The HTTP client that this folder asks for; `system/http.rs` is one.

use std::fmt;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpError {
    /// Nothing was sent: name resolution, connection or TLS set-up failed.
    Connect(String),
    /// The environment names a proxy that cannot be used. Nothing was sent.
    Proxy {
        variable: &'static str,
        why: &'static str,
    },
    /// The reply is larger than 1 MiB.
    TooLarge,
    /// The request may have arrived.
    Broken(String),
    /// The deadline passed; the request may have arrived.
    Timeout,
    Tls(String),
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(why) => write!(f, "cannot connect: {why}"),
            Self::Proxy { variable, why } => write!(f, "the variable {variable} names no usable proxy: {why}"),
            Self::TooLarge => f.write_str("the reply is larger than 1 MiB"),
            Self::Broken(why) => write!(f, "the connection broke: {why}"),
            Self::Timeout => f.write_str("no answer in time"),
            Self::Tls(why) => write!(f, "TLS: {why}"),
        }
    }
}

impl std::error::Error for HttpError {}

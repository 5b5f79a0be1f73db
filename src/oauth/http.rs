//! The HTTP client of this module, as a trait; `system/http.rs` implements it.

use std::{fmt, time::Duration};

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
    /// The server's certificate cannot be trusted (RFC 5280 section 6). Nothing of the request was sent.
    #[error("the server's certificate is not valid: {0}")]
    Certificate(String),
    /// The server's certificate is of a CA that is not trusted here. Nothing of the request was sent.
    #[error("the server's certificate is of a CA that is not in {0}")]
    UnknownCa(CaStore),
    /// No server can be trusted, because there is no CA certificate here. Nothing was sent.
    #[error("{0} has no CA certificate, so no server can be trusted")]
    NoCa(CaStore),
    /// The file that an integration names cannot be used, so no server can be trusted. Nothing was sent.
    #[error("{store} cannot be used: {why}")]
    UnusableCa { store: CaStore, why: CaFault },
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

impl HttpError {
    /// Whether any other request to this server fails in the same way until a user changes something: the environment, or
    /// the server's certificate.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Certificate(_)
            | Self::NoCa(_)
            | Self::Proxy { .. }
            | Self::UnknownCa(_)
            | Self::UnusableCa { .. } => true,
            Self::Broken(_) | Self::Connect(_) | Self::Timeout | Self::Tls(_) | Self::TooLarge => false,
        }
    }
}

/// Where the certificates of trusted CAs come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaStore {
    /// A file that an integration names, in place of the system's store.
    Integration {
        path: String,
        /// The line of the configuration that names it.
        line: usize,
    },
    System,
    /// A variable replaces the system's store.
    Variable {
        name: &'static str,
        /// Of a file or of directories, as the variable has it.
        path: String,
    },
}

impl fmt::Display for CaStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integration { path, line } => write!(f, "\"{path}\" (ca in line {line} of the configuration)"),
            Self::System => f.write_str("the certificate store of this system"),
            Self::Variable { name, path } => write!(f, "{name} (\"{path}\")"),
        }
    }
}

/// Why a file of CA certificates cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CaFault {
    #[error("a certificate in it is damaged")]
    Damaged,
    #[error("it has no certificate in PEM form")]
    Empty,
    #[error("it belongs to another user")]
    OtherOwner,
    /// The system's reason.
    #[error("{0}")]
    Unreadable(String),
    /// `chmod` is the argument for chmod(1) that takes these rights away.
    #[error("it can be changed by others (mode {mode:o})")]
    Writable { mode: u32, chmod: &'static str },
}

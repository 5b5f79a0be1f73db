//! The rules of the integration service, without I/O.
//!
//! - [`jwt`]: callers. [`app_callback`]: where the browser is redirected in the end. [`base_url`]: instances of a
//!   provider. [`scopes`]: what may be requested. [`rate`]: limits.
//! - [`route`]: paths. [`redirect_uri`]: what is sent to the provider. [`authorize`]: how a flow starts. [`flow`]: what is kept until it ends. [`callback`]: its
//!   result. [`problem`] and [`pages`]: the other responses.
//! - [`refresh_plan`]: which token a caller gets, when tokens are refreshed, and what a failed refresh means.
//! - [`config`]: the configuration file.
//! - [`store`]: rows, and what a database must do with them. [`keys`]: how their secrets are encrypted.

pub mod app_callback;
pub mod authorize;
pub mod base_url;
pub mod callback;
pub mod config;
pub mod flow;
pub mod jwt;
pub mod keys;
pub mod pages;
pub mod problem;
pub mod rate;
pub mod redirect_uri;
pub mod refresh_plan;
pub mod route;
pub mod scopes;
pub mod store;
mod url_bytes;

pub use url_bytes::UrlFault;

//! The integration service of seed 002, without I/O: what a request may ask for, and what it is answered.
//!
//! Guards, each of one question: [`jwt`] who calls, [`app_callback`] where the browser may be sent in the end,
//! [`base_url`] which instance of a provider may be spoken to, [`scopes`] what may be asked for, [`rate`] how often.

pub mod app_callback;
pub mod base_url;
mod fault;
pub mod jwt;
pub mod rate;
pub mod scopes;
mod url_bytes;

pub use fault::Fault;
pub use url_bytes::UrlFault;

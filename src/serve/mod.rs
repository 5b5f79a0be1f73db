//! The integration service of seed 002, without I/O: what a request may ask for, and what it is answered.
//!
//! Guards, each of one question: [`jwt`] who calls, [`app_callback`] where the browser may be sent in the end,
//! [`base_url`] which instance of a provider may be spoken to, [`scopes`] what may be asked for, [`rate`] how often.
//! Kept: [`store`] the rows and what a database has to be able to do with them, [`keys`] how their secrets are sealed.

pub mod app_callback;
pub mod base_url;
mod fault;
pub mod jwt;
pub mod keys;
pub mod rate;
pub mod scopes;
pub mod store;
mod url_bytes;

pub use fault::Fault;
pub use url_bytes::UrlFault;

//! The integration service, without I/O: what a request may ask for, and what it is answered.
//!
//! Guards, each of one question: [`jwt`] who calls, [`app_callback`] where the browser may be sent in the end,
//! [`base_url`] which instance of a provider may be spoken to, [`scopes`] what may be asked for, [`rate`] how often.
//! The way: [`route`] which address, [`authorize`] what is asked for and how a flow starts, [`flow`] what stands between
//! its beginning and its end, [`callback`] what the application is told; [`problem`] and [`pages`] what is answered else.
//! Around it: [`config`] the whole file.
//! Kept: [`store`] the rows and what a database has to be able to do with them, [`keys`] how their secrets are sealed.

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
pub mod refresh_plan;
pub mod route;
pub mod scopes;
pub mod store;
mod url_bytes;

pub use url_bytes::UrlFault;

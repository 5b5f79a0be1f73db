//! `loopin` gets OAuth tokens for native applications and keeps them alive.
//!
//! Programs that link it begin with [`access_token`], [`login`] and [`Options`].
//!
//! The crate is two layers. Below, pure modules: values in, values out, with time and chance as arguments. Above, the
//! program: everything that touches the world is in [`system`], one adapter a file. `tests/it/layering.rs` holds the
//! table of who may name whom; `docs/architecture.md` draws it. `cargo check --lib --no-default-features` builds the pure
//! part alone.
//!
//! # Pure
//! - [`deadlines`]: how long everything waits, in one table whose relations are checked by the compiler.
//! - [`secret`]: a text that cannot print; `expose()` is the one way out.
//! - [`redirect`]: a registered redirect URI, byte for byte; the fourteen rules; binding it to a port.
//! - [`head`]: a bounded reader of HTTP/1.1 request heads. [`reply`]: what is answered, as data; the look of pages.
//! - [`oauth`]: the flow. `begin` gives a URL and a `Pending`; an answer gives a code; `exchange` consumes it.
//! - [`catalog`]: integrations and their actions; the configuration file.
//! - [`vault`]: grants as they are stored, under which name, sealed how.
//! - [`refresh`]: whether a stored token can be handed out, and the one life of a refresh: `command::refresh_worker` and
//!   the service's `server::refresh` run it.
//! - [`helper`]: what git, kubectl and docker write to a credential helper, and what they want to read.
//! - [`loopback`]: one request at the bound redirect: is it the answer, and what does the browser see?
//! - [`proxies`]: who has asked, where proxies stand in front: only those that the configuration names are believed.
//! - [`relay`]: routes from a domain of one's own to fixed targets; what a request there is answered.
//! - [`service`]: the integration service: who calls, what may be asked for, where a browser or a request may be sent; a
//!   flow from its beginning to its end; what is kept and how that is sealed; when a token is renewed.
//! - [`stdio`]: what a program and `loopin stdio` say to each other, as messages and their state.
//! - [`practice`]: an authorization server to practise and to test with. [`timestamp`]: times as text.
//!
//! # The program (feature `program`)
//! - `relaying`: the running relay.
//! - `server`: the running service (feature `server`): parts in, answers out, until it is asked to end.
//! - `library`: the crate's own entry points, [`access_token`] and [`login`], for programs that link it.
//! - `cli`: what a person can type; the doc comments there are the help.
//! - `command`: one file per verb.
//! - `report`: outcome and failure as text, JSON and exit code; the only module that prints.
//! - `system`: clock, entropy, browser, listener, keychain, files, HTTP, signals.
//!
//! # The way of a login
//! `cli` → `command::login` → `catalog` → `system::listener` (a `BoundRedirect`) → `oauth::begin` → browser;
//! listener → `head` → `loopback` → `Pending::receive` → `exchange` → `vault` → page → `report`.
//!
//! # The way of a connection (feature `server`)
//! `system::server` → `server::request` → `service::route` → `service::jwt` → `service::authorize` → `oauth::begin` → a flow
//! row → 302; the provider's answer → the row, consumed → `Resumed::receive` → `exchange` → `server::sealed_store` → 302 to
//! the application. `POST /:group/token` → `server::refresh`, one refresh for all who ask.

pub mod catalog;
pub mod deadlines;
pub mod head;
pub mod helper;
pub mod loopback;
pub mod oauth;
pub mod practice;
pub mod proxies;
pub mod redirect;
pub mod refresh;
pub mod relay;
pub mod reply;
pub mod secret;
pub mod service;
pub mod stdio;
pub mod timestamp;
pub mod vault;

#[cfg(feature = "program")]
pub mod cli;
#[cfg(feature = "program")]
pub mod command;
#[cfg(feature = "program")]
pub mod grants;
#[cfg(feature = "program")]
mod library;
#[cfg(feature = "program")]
pub mod relaying;
#[cfg(feature = "program")]
pub mod report;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "program")]
pub mod system;

#[cfg(feature = "program")]
pub use library::{
    AccessToken, Cancelled, Canceller, Code, Error, Event, Opening, Options, Secret, SignedIn, access_token, login,
};

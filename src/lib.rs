//! `loopin` gets OAuth tokens for native applications and keeps them alive.
//!
//! Programs that link it begin with [`access_token`], [`login`] and [`Options`].
//!
//! The crate has four floors, and each uses only those below it: pure modules (values in, values out, with time and chance
//! as arguments), adapters to the world in `system`, engines that run a use case, and the words and verbs of the command
//! line. `tests/it/layering.rs` holds the table of who may name whom; `docs/architecture.md` draws it.
//!
//! # Features
//! - `grants`: the library, for programs that link it with `default-features = false`. No argument parser, no async
//!   runtime, no database.
//! - `cli`: the program. `server`: the service, `loopin serve`. Both are on by default.
//!
//! Without any feature the pure part alone is built.
//!
//! # Pure
//! - [`deadlines`]: how long everything waits, in one table whose relations are checked by the compiler.
//! - [`secret`]: a text that cannot print; `expose()` is the one way out.
//! - [`redirect`]: a registered redirect URI, byte for byte; the fourteen rules; binding it to a port.
//! - [`head`]: a bounded reader of HTTP/1.1 request heads. [`reply`]: what is answered, as data; the look of pages.
//! - [`oauth`]: the flow. `begin` gives a URL and a `Pending`; an answer gives a code; `exchange` consumes it.
//! - [`catalog`]: integrations and their actions; the configuration file.
//! - [`vault`]: grants as they are stored, under which name, sealed how.
//! - [`refresh`]: whether a stored token can be handed out, and the one life of a refresh: `grants` and the service's
//!   `server::refresh` run it.
//! - [`helper`]: what git, kubectl and docker write to a credential helper, and what they want to read.
//! - [`loopback`]: one request at the bound redirect: is it the answer, and what does the browser see?
//! - [`proxies`]: who has asked, where proxies stand in front: only those that the configuration names are believed.
//! - [`relay`]: routes from a domain of one's own to fixed targets; what a request there is answered.
//! - [`service`]: the integration service: who calls, what may be asked for, where a browser or a request may be sent; a
//!   flow from its beginning to its end; what is kept and how that is sealed; when a token is renewed.
//! - [`stdio`]: what a program and `loopin stdio` say to each other, as messages and their state.
//! - [`practice`]: an authorization server to practise and to test with. [`timestamp`]: times as text.
//!
//! # Adapters
//! - `system`: clock, entropy, browser, listener, keychain, files, HTTP, signals; one adapter a file.
//!
//! # Engines
//! - `grants` (feature `grants`): the grants of a user on this machine: login, tokens, refresh, logout, status.
//! - `relaying` (feature `cli`): the running relay.
//! - `server` (feature `server`): the running service: parts in, answers out, until it is asked to end.
//!
//! # Words and verbs
//! - `cli`: what a user can type; the doc comments there are the help.
//! - `command`: one file per verb: arguments, request, outcome.
//! - `report`: outcomes, events and errors as text, JSON and exit code; the only module that prints.
//! - `library`: the crate's own entry points, [`access_token`] and [`login`], for programs that link it.
//!
//! # The way of a login
//! `cli` → `command::login` → `grants` → `catalog` → `system::listener` (a `BoundRedirect`) → `oauth::begin` → browser;
//! listener → `head` → `loopback` → `Pending::receive` → `exchange` → `vault` → page → `report`. By device code, `grants::device`
//! takes the place of listener and browser: `oauth::DeviceRequest` → code and page → `DeviceFlow::poll` → `vault` → `report`.
//!
//! # The way of a connection (feature `server`)
//! `system::server` → `server::request` → `service::route` → `service::jwt` → `service::authorize` → `oauth::begin` → a flow
//! row → 302; the provider's answer → the row, consumed → `Resumed::receive` → `exchange` → `server::sealed_store` → 302 to
//! the application. `POST /:group/token` → `server::refresh`, one refresh for all who ask.

#![warn(missing_docs)]

// What is public but hidden is for the crate's own tests and benchmarks, and so that the pure part builds alone without
// being called unused. Programs that link the crate use what `library` chooses.
#[doc(hidden)]
pub mod catalog;
#[doc(hidden)]
pub mod deadlines;
#[doc(hidden)]
pub mod head;
#[doc(hidden)]
pub mod helper;
#[doc(hidden)]
pub mod loopback;
#[doc(hidden)]
pub mod oauth;
#[doc(hidden)]
pub mod practice;
#[doc(hidden)]
pub mod proxies;
#[doc(hidden)]
pub mod redirect;
#[doc(hidden)]
pub mod refresh;
#[doc(hidden)]
pub mod relay;
#[doc(hidden)]
pub mod reply;
#[doc(hidden)]
pub mod secret;
#[doc(hidden)]
pub mod service;
#[doc(hidden)]
pub mod stdio;
#[doc(hidden)]
pub mod timestamp;
#[doc(hidden)]
pub mod vault;

#[cfg(feature = "grants")]
#[doc(hidden)]
pub mod grants;
#[cfg(feature = "grants")]
#[doc(hidden)]
pub mod system;

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod command;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod relaying;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod report;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod server;

#[cfg(feature = "grants")]
mod library;
#[cfg(feature = "grants")]
#[doc(inline)]
pub use library::{
    AccessToken, Again, Behind, Cancelled, Canceller, Code, DevicePrompt, Error, Event, Expiry, GrantId, GrantMetadata,
    MetadataValue, Opening, Options, Renewal, ReportedError, Scopes, Secret, Sent, SignedIn, TokenType, Warning, Way,
    Weight, access_token, causes, login,
};

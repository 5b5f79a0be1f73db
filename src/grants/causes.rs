//! What the variants of [`Error`](super::Error) and [`Event`](super::Event) hold, for programs that link the crate.

pub use super::NamedBy;
pub use crate::{
    catalog::{ActionName, CatalogError, IntegrationName, NameError, StoreKind, UnknownName},
    loopback::Stray,
    oauth::{
        Denial, DeviceError, DiscoveryError, EndpointError, ErrorCode, ExchangeError, HttpError, IdTokenError,
        MalformedToken, Miss, Missed, NotOAuth, ParameterError, Refusal, RemoteText, Scope, ScopeError,
    },
    redirect::{BindError, LoopbackHost, RegisteredRedirect, RelayedRedirect},
    refresh::Worth,
    system::{
        browser::{BadCommand, NoBrowser, NotOpened},
        client_secret::NoSecret,
        entropy::NoEntropy,
        paths::NoHome,
        signal::Signal,
    },
    vault::{AccountName, AccountNameError, ActionKey, Exposure, Rights, StoreError},
};

//! Why a grant, or a token of it, could not be had: one variant for each cause. `report` adds the fix, as a command or a
//! line of the configuration.

use std::{io, path::PathBuf, time::Duration};

use super::{Again, Behind, GrantId, NamedBy, ReportedError, Sent};
use crate::{
    catalog::{CatalogError, IntegrationName, NameError, StoreKind, UnknownName},
    oauth::{
        Denial, DeviceError, DiscoveryError, EndpointError, ExchangeError, NoCommonMethod, ParameterError, Refusal,
        ScopeError, Scopes,
    },
    redirect::{BindError, LoopbackHost, RegisteredRedirect},
    refresh::Worth,
    system::{
        browser::{BadCommand, NoBrowser, NotOpened},
        client_secret::NoSecret,
        entropy::NoEntropy,
        paths::NoHome,
    },
    vault::{AccountNameError, StoreError},
};

/// Why a grant, or a token of it, could not be had. [`Error::code`] gives the class of the error.
///
/// The texts contain no secret and no control character; texts of a provider were cleaned when they arrived.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name of an account is not valid.
    #[error(transparent)]
    AccountName(#[from] AccountNameError),
    /// The provider's metadata or the configuration names an authorization endpoint that is not safe to open.
    #[error("the authorization URL is not safe to open: {0}")]
    AuthorizationUrl(#[from] EndpointError),
    /// The redirect URI cannot be bound to a port.
    #[error("redirect_uri: {0}")]
    Bind(#[from] BindError),
    /// The command that opens a browser cannot be read.
    #[error(transparent)]
    BrowserCommand(#[from] BadCommand),
    /// The browser could not be opened, and the caller wants no login without one.
    #[error(transparent)]
    BrowserNotOpened(NotOpened),
    /// The login was canceled before its code arrived.
    #[error("cancelled; nothing was changed")]
    Cancelled,
    /// The client secret is not where the configuration says.
    #[error("{}", client_secret(integration, why))]
    ClientSecret {
        /// Whose client secret.
        integration: IntegrationName,
        /// Where it was expected and what is wrong there.
        why: NoSecret,
    },
    /// The store does not have the client secret.
    #[error("the client secret of {0} is not in the store")]
    ClientSecretNotStored(IntegrationName),
    /// The configuration is not valid.
    #[error("{}: {error}", path.display())]
    Configuration {
        /// The file.
        path: PathBuf,
        /// What is wrong, and in which line.
        #[source]
        error: CatalogError,
    },
    /// Client or endpoints of the integration were changed in the configuration since the login.
    #[error("the configuration of {} was changed since the login (client or endpoints)", .0.integration)]
    ConfigurationChanged(GrantId),
    /// The configuration file cannot be read.
    #[error(transparent)]
    ConfigurationFile(StoreError),
    /// The user or the provider refused (RFC 6749 section 4.1.2.1).
    #[error("the provider said: \"{}\"", said(denial))]
    Denied {
        /// What the provider answered.
        denial: Denial,
        /// The login that can be started again.
        again: Option<Box<Again>>,
    },
    /// The provider gave no device code that can be shown (RFC 8628 section 3.2).
    #[error("{0}; nothing was stored")]
    Device(#[from] DeviceError),
    /// Nobody entered the device code in time, or it expired.
    #[error("the login was not approved within {} s", after.as_secs())]
    DeviceCodeExpired {
        /// How long the code was shown.
        after: Duration,
        /// The login that can be started again.
        again: Box<Again>,
    },
    /// The provider's metadata cannot be used.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// The token endpoint gave no tokens for the code.
    #[error("{0}; nothing was stored")]
    Exchange(#[from] ExchangeError),
    /// The provider no longer accepts the refresh token.
    #[error("{message}")]
    GrantEnded {
        /// The grant.
        grant: GrantId,
        /// What the refresh was answered.
        message: String,
    },
    /// The id_token has expired, and a refresh brings no new one.
    #[error("{}: the id_token has expired, and the provider sends none with a refresh", .0.integration)]
    IdTokenExpired(GrantId),
    /// The stored id_token cannot be read.
    #[error("{}: the stored id_token cannot be read", .0.integration)]
    IdTokenUnreadable(GrantId),
    /// The name of an action is not valid.
    #[error(transparent)]
    ActionName(#[from] NameError),
    /// Nothing can listen at the redirect.
    #[error("{}", unbound(*host, *port, error))]
    Listen {
        /// The host of the redirect.
        host: LoopbackHost,
        /// The port; 0 for any.
        port: u16,
        /// Why not.
        #[source]
        error: io::Error,
    },
    /// The listener ended by itself.
    #[error("the listener ended")]
    ListenerEnded,
    /// A refresh token is to be imported where a login is stored.
    #[error("there is a login to {} already, with {}", .0.integration, .0.within())]
    LoggedInAlready(GrantId),
    /// The user logged out meanwhile.
    #[error("somebody has logged out")]
    LoggedOut(GrantId),
    /// The provider rejects the client, or the environment names no usable proxy. The grant is kept.
    #[error("{message}")]
    Misconfigured {
        /// What the refresh was answered.
        message: String,
    },
    /// The provider takes no redirect to this machine, and no relay is set.
    #[error("{0}")]
    NeedsRelay(CatalogError),
    /// No browser is available, and the caller wants no login without one.
    #[error("{0}")]
    NoBrowser(NoBrowser),
    /// The provider's metadata lists no way to send a client secret that loopin knows.
    #[error(transparent)]
    NoCommonMethod(#[from] NoCommonMethod),
    /// The operating system returned no random bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// There is no home directory for the configuration or the state.
    #[error(transparent)]
    NoHome(#[from] NoHome),
    /// The configuration file that was named does not exist.
    #[error("there is no configuration file {}{}", path.display(), named_by.words())]
    NoConfigurationFile {
        /// The file.
        path: PathBuf,
        /// Who named it.
        named_by: NamedBy,
    },
    /// Neither the provider's metadata nor the configuration names a device authorization endpoint (RFC 8628 section 4).
    #[error(
        "{}: neither the configuration nor the provider's metadata names a device_authorization_endpoint, so there is no login \
         by device code",
        .0.grant.integration
    )]
    NoDeviceEndpoint(Box<Again>),
    /// The provider gave no id_token.
    #[error("{}: the provider gave no id_token", .0.integration)]
    NoIdToken(GrantId),
    /// The configuration has no integration.
    #[error("there is no integration yet")]
    NoIntegration,
    /// The integration has no redirect URI.
    #[error("there is no redirect_uri")]
    NoRedirect,
    /// The token is stale, and there is no refresh token.
    #[error("{worth}, and there is no refresh token")]
    NoRefreshToken {
        /// The grant.
        grant: GrantId,
        /// What the stored token is worth.
        worth: Worth,
    },
    /// The token that the refresh brought is expired or is the rejected one.
    #[error("the provider's new token is no better than the old one")]
    NoBetterToken,
    /// The grant of all actions does not cover the action.
    #[error("the stored login for {} does not cover the action \"{}\": the provider did not grant {missing}", grant.integration, grant.action.as_str())]
    NotCovered {
        /// The grant that was asked for.
        grant: GrantId,
        /// What the provider did not grant.
        missing: Scopes,
    },
    /// The provider granted less than the action needs, and `scope_check` is strict.
    #[error("the provider did not grant {missing} to {}, and scope_check is strict", grant.integration)]
    NotGranted {
        /// The grant that was asked for.
        grant: GrantId,
        /// What the provider did not grant.
        missing: Scopes,
    },
    /// The user is not logged in, or not with this account and action.
    #[error("{}", not_logged_in(grant, stored, *elsewhere))]
    NotLoggedIn {
        /// The grant that was asked for.
        grant: GrantId,
        /// The integration's other grants in the same store.
        stored: Vec<GrantId>,
        /// Another store of this machine that has this grant.
        elsewhere: Option<StoreKind>,
    },
    /// The redirect URI does not end on this machine.
    #[error("{} does not land on this machine, and only a loopback redirect can be answered here", .0.as_str())]
    NotLoopback(RegisteredRedirect),
    /// Another user signed in than the one whose grant is stored under this account.
    #[error("another person signed in than the one stored as account {}; the stored grant was kept", .0.account.as_str())]
    OtherAccount(GrantId),
    /// Another program's login to the same grant took longer than this caller waits.
    #[error("another program's login has not come to an end")]
    OtherLogin,
    /// A parameter of the authorization request is not valid.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// `require_pkce` is set, and the provider does not promise to check PKCE.
    #[error("require_pkce is set, and the provider does not say that it checks PKCE with S256")]
    PkceNotPromised,
    /// The provider refused the refresh in words that loopin does not know. The grant is kept.
    #[error("{message}")]
    RefreshAmbiguous {
        /// The grant.
        grant: GrantId,
        /// What the refresh was answered.
        message: String,
    },
    /// Another process refreshes the grant, and took longer than this caller waits.
    #[error("another loopin{} is refreshing this grant and has not come to an end", process(*holder))]
    RefreshBusy {
        /// Its process id, if it is known.
        holder: Option<u32>,
    },
    /// The response to the refresh failed a security check.
    #[error("{message}")]
    RefreshRefused {
        /// What is wrong with it.
        message: String,
    },
    /// The refresh took longer than this caller waits. It goes on.
    #[error("the refresh has not come to an end; it goes on by itself")]
    RefreshSlow,
    /// The refresh failed for now. The grant is kept.
    #[error("{message}; the grant is kept")]
    RefreshUnavailable {
        /// Why.
        message: String,
    },
    /// The refresh brought new tokens that the store did not accept. They are kept, sealed, until it does.
    #[error("{message}; the renewed grant is kept sealed until the store takes it")]
    RefreshUnstored {
        /// Why the store did not accept them.
        message: String,
    },
    /// The callback failed a security check (RFC 9207, RFC 9700 section 4.4).
    #[error("{0}; nothing was stored")]
    Refused(Refusal),
    /// A relay is set, and the redirect URI names no port where its route could end.
    #[error("a relay's route ends on a fixed port, and none is named here")]
    RelayToAnyPort,
    /// A relay is set, and there are several redirect URIs.
    #[error("a relay's route ends on one port, and redirect_uri is a list")]
    RelayToSeveral,
    /// Another process of loopin reported it.
    #[error(transparent)]
    Reported(#[from] ReportedError),
    /// A scope is not valid.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// The configuration has several integrations, and none was named.
    #[error("there is more than one integration; name one")]
    SeveralIntegrations,
    /// Another integration uses the same redirect URI at another server (RFC 9700 section 4.4.2).
    #[error(
        "{integration} and {other} use the same redirect URI at different servers, and this server does not name itself in \
         its answers (iss, RFC 9207), so one could get the other's code"
    )]
    SharedRedirect {
        /// The integration of the login.
        integration: IntegrationName,
        /// The other one.
        other: IntegrationName,
    },
    /// The new id_token expires too soon.
    #[error("the provider's id_token does not live for long enough: {} s", left.as_secs())]
    ShortIdToken {
        /// How long it is still valid.
        left: Duration,
    },
    /// The new access token expires too soon.
    #[error("the provider's new token does not live for long enough")]
    ShortToken,
    /// No access token of this provider lives as long as the caller asks.
    #[error("tokens of {integration} live for {} s only", life.as_secs())]
    ShortTokens {
        /// The integration.
        integration: IntegrationName,
        /// The life of a new token.
        life: Duration,
    },
    /// No id_token of this provider lives as long as the caller asks.
    #[error("id_tokens of {integration} live for {} s only", life.as_secs())]
    ShortIdTokens {
        /// The integration.
        integration: IntegrationName,
        /// The life of a new id_token.
        life: Duration,
    },
    /// The keychain or the file store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keychain or the file store failed for this grant.
    #[error("{why}{}", kept_elsewhere(grant, *elsewhere))]
    StoreOf {
        /// The grant that was asked for.
        grant: Box<GrantId>,
        /// What the store failed with.
        #[source]
        why: StoreError,
        /// Another store of this machine that has this grant.
        elsewhere: Option<StoreKind>,
    },
    /// The login is in a keychain or a directory that this program does not use now.
    #[error("the login to {} is in another keychain or state directory than the ones in use", .0.integration)]
    StoreElsewhere(GrantId),
    /// The store of a login that is to end cannot be opened.
    #[error("{why}")]
    StoreOfLogout {
        /// The login.
        grant: Box<GrantId>,
        /// Its store.
        kind: StoreKind,
        /// Why it cannot be opened.
        #[source]
        why: StoreError,
    },
    /// `LOOPIN_STORE` names no store.
    #[error("LOOPIN_STORE is \"{0}\", which is no store")]
    StoreVariable(String),
    /// The user did not answer in time.
    #[error("nobody answered within {} s ({}; {})", after.as_secs(), way(behind.as_deref()), compare(sent))]
    Timeout {
        /// How long the login waited.
        after: Duration,
        /// What the provider compares with the client's registration.
        sent: Box<Sent>,
        /// The relay that the answer would have come through.
        behind: Option<Box<Behind>>,
        /// The login that can be started again.
        again: Option<Box<Again>>,
    },
    /// The integration has no such action.
    #[error("{integration} has no action \"{}\"", unknown.name)]
    UnknownAction {
        /// The integration.
        integration: IntegrationName,
        /// The name, and the nearest one that is known.
        unknown: UnknownName,
    },
    /// There is no such integration.
    #[error("there is no integration \"{}\"", .0.name)]
    UnknownIntegration(UnknownName),
    /// The refresh worker left no result.
    #[error("the refresh worker ended without a result")]
    WorkerEnded,
    /// The refresh worker could not be started.
    #[error("the refresh cannot be started: {}", .0.kind())]
    WorkerNotStarted(#[source] io::Error),
    /// A relative path cannot be resolved, because the working directory is gone.
    #[error("{}: {}", path.display(), error.kind())]
    WorkingDirectory {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
}

fn client_secret(integration: &IntegrationName, why: &NoSecret) -> String {
    let missing = |place: String| format!("the client secret of {integration} is not {place}");
    match why {
        NoSecret::File(error) => error.to_string(),
        NoSecret::NotText(path) => missing(format!("text in {}", path.display())),
        NoSecret::Variable(name) => missing(format!("in the variable {name}")),
    }
}

fn kept_elsewhere(grant: &GrantId, elsewhere: Option<StoreKind>) -> String {
    match elsewhere {
        None => String::new(),
        Some(StoreKind::File) => format!("; the login to {} is in encrypted files", grant.integration),
        Some(StoreKind::Keychain) => format!("; the login to {} is in the keychain", grant.integration),
    }
}

fn not_logged_in(grant: &GrantId, stored: &[GrantId], elsewhere: Option<StoreKind>) -> String {
    let integration = &grant.integration;
    if elsewhere.is_some() {
        return format!("{integration} is configured for another store{}", kept_elsewhere(grant, elsewhere));
    }
    if stored.is_empty() {
        return format!("nobody is logged in to {integration}");
    }
    let list: Vec<_> = stored.iter().map(GrantId::within).collect();
    format!("nobody is logged in to {integration} with {}; stored: {}", grant.within(), list.join("; "))
}

fn said(denial: &Denial) -> String {
    match &denial.description {
        Some(description) => format!("{}: {description}", denial.error),
        None => denial.error.to_string(),
    }
}

fn process(holder: Option<u32>) -> String {
    holder.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}

fn unbound(host: LoopbackHost, port: u16, error: &io::Error) -> String {
    match (host, error.kind()) {
        (LoopbackHost::Localhost, io::ErrorKind::AddrInUse) => {
            format!("cannot own localhost:{port} on both IPv4 and IPv6: another program holds one of them")
        }
        (_, io::ErrorKind::AddrInUse) => format!("port {port} is in use by another program"),
        (_, io::ErrorKind::PermissionDenied) => format!("port {port} may not be used by this user"),
        (host, kind) => {
            let name = match host {
                LoopbackHost::V4 => "127.0.0.1",
                LoopbackHost::V6 => "[::1]",
                LoopbackHost::Localhost => "localhost",
            };
            format!("cannot listen at {name}: {kind}")
        }
    }
}

fn compare(Sent { client_id, redirect_uri }: &Sent) -> String {
    format!(
        "if the provider showed an error, compare client_id \"{client_id}\" and redirect_uri \"{redirect_uri}\" with the \
         client's registration there"
    )
}

fn way(behind: Option<&Behind>) -> String {
    match behind {
        None => "if the browser showed an error for 127.0.0.1, it may have switched to https: allow http there".into(),
        Some(Behind { relay, listener }) => {
            format!("if the browser showed an error, see that the relay's route {relay} ends on {listener}")
        }
    }
}

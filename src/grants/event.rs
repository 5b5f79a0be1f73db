//! What happens while a grant is worked on. Whoever asked hears it; `report` has the words for users.

use std::time::Duration;

use super::{DevicePrompt, Error, Sent};
use crate::{
    catalog::{AddedForOffline, IntegrationName, OfflineAdvice},
    loopback::{NotTheResponse, Stray},
    oauth::{ExchangeError, IdTokenError, Scopes},
    redirect::RegisteredRedirect,
    system::{
        browser::{NoBrowser, NotOpened},
        peer::UserId,
    },
};

/// What happens during a login or a refresh.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The login asks for this beside what was stated, since the provider gives a refresh token for it.
    AddedForOffline(&'a AddedForOffline),
    /// The browser could not be opened; the login goes on waiting.
    BrowserFailed(&'a NotOpened),
    /// No browser is opened.
    BrowserNone(NoBrowser),
    /// The browser is started.
    BrowserOpening,
    /// The code arrived.
    CodeReceived,
    /// The user has to enter this code on another device.
    DeviceCode(&'a DevicePrompt),
    /// The tokens are stored and read back; the result follows.
    Done,
    /// The code is sent to the token endpoint. The login cannot be canceled any more.
    Exchanging,
    /// The listener is up, at this URI.
    Listening(&'a str),
    /// Neither the store nor the journal accepted the renewed grant. It is used once, and lost.
    Lost,
    /// What was handed over is not the response of this login, which goes on waiting.
    NotTheResponse(NotTheResponse),
    /// Another user of this machine, with this number, sent the code that follows.
    PeerUser(UserId),
    /// A poll of a login by device code was not answered; it is repeated later. Notable if the one before was.
    PollFailed(&'a ExchangeError, Weight),
    /// A redirect URI cannot be listened at; the next one of the integration is tried.
    RedirectPassed {
        /// As it is registered.
        redirect: &'a RegisteredRedirect,
        /// Why it cannot.
        why: &'a Error,
    },
    /// The listener is up behind a relay.
    Relayed {
        /// The URI that is registered at the provider.
        relay: &'a str,
        /// The URI that the relay has to forward to.
        listener: &'a str,
    },
    /// The tokens arrived and are being stored.
    Storing,
    /// A request arrived at the redirect that is not the callback, and was turned away.
    Stray(Stray, Weight),
    /// The login has waited for a while without an answer. The provider may have rejected the request on a page of its own,
    /// and this is what was sent. Once in a login.
    Unanswered(&'a Sent),
    /// The store did not accept the renewed grant. It is kept, sealed, and the next refresh stores it.
    Unstored,
    /// What is unusual about a response of the token endpoint: names of members, and fields of the configuration that would
    /// read it. No value is in it, and it is fit to print.
    TokenResponse(&'a str),
    /// The user signs in at this URL.
    Url(&'a str),
    /// The login waits for the user, for this long at most. Once a second.
    Waiting(Duration),
    /// The login waits for another program's login to the same grant, for this long at most. Once a second.
    WaitingForLogin(Duration),
    /// The login succeeds, but less well than it could.
    Warning(&'a Warning),
}

/// How much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Weight {
    /// It happens every day, or has happened several times already.
    Detail,
    /// The user may want to know it.
    Notable,
}

/// What is not as it could be in a login that succeeds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The provider sent an id_token that nobody had asked for and that breaks a rule; it is not stored.
    IdTokenIgnored(IdTokenError),
    /// The provider granted less than was asked; these scopes are missing.
    NarrowerScopes(Scopes),
    /// The provider returned no refresh token, and none of the same user could be kept; what may bring one.
    NoRefreshToken(OfflineAdvice),
    /// Another user (`sub`) than before; the stored grant is replaced.
    OtherSubject,
    /// The provider does not promise to check PKCE.
    PkceUnverified,
    /// This integration uses the same redirect URI at another server, and `shared_redirect` accepts that.
    SharedRedirect(IntegrationName),
    /// The provider calls its token something other than Bearer.
    UnknownTokenType(String),
}

/// What a caller does with an event. The login or refresh waits meanwhile.
pub type Hear = dyn Fn(&Event<'_>) + Send + Sync;

//! The classes of errors, and the class of each error.

use std::io;

use serde::{Deserialize, Serialize, Serializer};

use super::Error;
use crate::{
    oauth::{Denial, DeviceError, DiscoveryError, ErrorCode, ExchangeError, HttpError, Meaning},
    redirect::LoopbackHost,
    system::{client_secret::NoSecret, signal::Signal},
};

/// What an error means for the caller. The words stand in every JSON error, and the numbers are the exit codes.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
#[non_exhaustive]
pub enum Code {
    /// A fault of loopin itself or of the operating system.
    Internal,
    /// The caller asked for something that cannot be.
    Usage,
    /// The configuration is wrong.
    Configuration,
    /// The user has to log in.
    LoginRequired,
    /// The user or the provider refused.
    Denied,
    /// Timed out waiting for the user.
    Timeout,
    /// The network or the provider fails; nothing is lost.
    Unavailable,
    /// The keychain or the file store fails.
    Store,
    /// A server failed a security check.
    Refused,
    /// The command of `loopin exec` cannot be executed.
    CommandNotExecutable,
    /// There is no such command for `loopin exec`.
    CommandNotFound,
    /// Canceled, by a signal or by the caller.
    Signalled(Signal),
}

impl Code {
    /// All codes, in the order of their exit codes. A hang-up (129) has the word of the other signals.
    pub const ALL: [Self; 13] = [
        Self::Internal,
        Self::Usage,
        Self::Configuration,
        Self::LoginRequired,
        Self::Denied,
        Self::Timeout,
        Self::Unavailable,
        Self::Store,
        Self::Refused,
        Self::CommandNotExecutable,
        Self::CommandNotFound,
        Self::Signalled(Signal::Interrupt),
        Self::Signalled(Signal::Terminate),
    ];

    /// The exit code, from 1 to 9; for a command that was not started and for a signal that of a shell.
    pub fn exit(self) -> u8 {
        match self {
            Self::Internal => 1,
            Self::Usage => 2,
            Self::Configuration => 3,
            Self::LoginRequired => 4,
            Self::Denied => 5,
            Self::Timeout => 6,
            Self::Unavailable => 7,
            Self::Store => 8,
            Self::Refused => 9,
            Self::CommandNotExecutable => 126,
            Self::CommandNotFound => 127,
            Self::Signalled(Signal::Hangup) => 129,
            Self::Signalled(Signal::Interrupt) => 130,
            Self::Signalled(Signal::Terminate) => 143,
        }
    }

    /// The word, such as `login_required`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Usage => "usage",
            Self::Configuration => "configuration",
            Self::LoginRequired => "login_required",
            Self::Denied => "denied",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::Store => "store",
            Self::Refused => "refused",
            Self::CommandNotExecutable => "command_not_executable",
            Self::CommandNotFound => "command_not_found",
            Self::Signalled(_) => "signal",
        }
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl TryFrom<String> for Code {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|code| code.word() == word);
        found.ok_or_else(|| format!("there is no code {word}"))
    }
}

impl Error {
    /// The class of the error.
    pub fn code(&self) -> Code {
        match self {
            Self::ListenerEnded | Self::NoEntropy(_) | Self::WorkerEnded | Self::WorkerNotStarted(_) => Code::Internal,
            Self::AccountName(_)
            | Self::ActionName(_)
            | Self::BrowserCommand(_)
            | Self::LoggedInAlready(_)
            | Self::Parameter(_)
            | Self::Scope(_)
            | Self::SeveralIntegrations
            | Self::ShortIdTokens { .. }
            | Self::ShortTokens { .. } => Code::Usage,
            Self::Bind(_)
            | Self::ClientSecretNotStored(_)
            | Self::Configuration { .. }
            | Self::ConfigurationFile(_)
            | Self::Misconfigured { .. }
            | Self::NeedsRelay(_)
            | Self::NoCommonMethod(_)
            | Self::NoConfigurationFile { .. }
            | Self::NoDeviceEndpoint(_)
            | Self::NoHome(_)
            | Self::NoIntegration
            | Self::NoRedirect
            | Self::RefreshAmbiguous { .. }
            | Self::NotLoopback(_)
            | Self::RelayToAnyPort
            | Self::RelayToSeveral
            | Self::SharedRedirect { .. }
            | Self::StoreVariable(_)
            | Self::UnknownAction { .. }
            | Self::UnknownIntegration(_)
            | Self::WorkingDirectory { .. } => Code::Configuration,
            Self::ClientSecret { why: NoSecret::File(_), .. } => Code::Store,
            Self::ClientSecret { .. } => Code::Configuration,
            Self::Listen { host, error, .. } => match (host, error.kind()) {
                (LoopbackHost::Localhost, io::ErrorKind::AddrInUse) => Code::Refused,
                _ => Code::Configuration,
            },
            Self::ConfigurationChanged(_)
            | Self::GrantEnded { .. }
            | Self::IdTokenExpired(_)
            | Self::IdTokenUnreadable(_)
            | Self::LoggedOut(_)
            | Self::NoIdToken(_)
            | Self::NoRefreshToken { .. }
            | Self::NotCovered { .. }
            | Self::NotGranted { .. }
            | Self::NotLoggedIn { .. } => Code::LoginRequired,
            Self::Denied { denial, .. } => of_denial(denial),
            Self::DeviceCodeExpired { .. } | Self::OtherLogin | Self::Timeout { .. } => Code::Timeout,
            Self::BrowserNotOpened(_)
            | Self::NoBetterToken
            | Self::NoBrowser(_)
            | Self::RefreshBusy { .. }
            | Self::RefreshSlow
            | Self::RefreshUnavailable { .. }
            | Self::ShortIdToken { .. }
            | Self::ShortToken => Code::Unavailable,
            Self::RefreshUnstored { .. }
            | Self::Store(_)
            | Self::StoreElsewhere(_)
            | Self::StoreOfLogout { .. }
            | Self::StoreOf { .. } => Code::Store,
            Self::AuthorizationUrl(_)
            | Self::OtherAccount(_)
            | Self::PkceNotPromised
            | Self::RefreshRefused { .. }
            | Self::Refused(_) => Code::Refused,
            Self::Cancelled => Code::Signalled(Signal::Interrupt),
            Self::Device(error) => of_device(error),
            Self::Discovery(error) => of_discovery(error),
            Self::Exchange(error) => of_exchange(error),
            Self::Reported(reported) => reported.code,
        }
    }
}

/// RFC 6749 section 4.1.2.1 and OpenID Connect Core section 3.1.2.6.
fn of_denial(denial: &Denial) -> Code {
    match denial.error.as_str() {
        "account_selection_required" | "consent_required" | "interaction_required" | "login_required" => {
            Code::LoginRequired
        }
        "server_error" | "temporarily_unavailable" => Code::Unavailable,
        _ => Code::Denied,
    }
}

/// A user has not been asked anything yet, so that a refusal is one of the client or of the request.
fn of_device(error: &DeviceError) -> Code {
    match error {
        DeviceError::Denied(response) => match (response.meaning, &response.code) {
            (Meaning::Later, _) => Code::Unavailable,
            (_, ErrorCode::Other(code)) if code == "access_denied" => Code::Denied,
            _ => Code::Configuration,
        },
        DeviceError::Incomplete(_) | DeviceError::NotOAuth(_) => Code::Unavailable,
        DeviceError::Unreachable(why) => of_http(why),
        DeviceError::UnsafePage(_) => Code::Refused,
    }
}

fn of_discovery(error: &DiscoveryError) -> Code {
    match error {
        DiscoveryError::Endpoint { .. } | DiscoveryError::OtherIssuer { .. } => Code::Refused,
        DiscoveryError::NotFound { .. } => Code::Unavailable,
        DiscoveryError::Connection(why) => of_http(why),
    }
}

fn of_exchange(error: &ExchangeError) -> Code {
    match error {
        ExchangeError::Denied(response) if response.meaning == Meaning::Later => Code::Unavailable,
        ExchangeError::Denied(response) => match response.code {
            ErrorCode::InvalidGrant => Code::Refused,
            ErrorCode::InvalidClient | ErrorCode::Other(_) => Code::Configuration,
        },
        ExchangeError::IdToken(_) | ExchangeError::Malformed(_) => Code::Refused,
        ExchangeError::NotOAuth(_) => Code::Unavailable,
        ExchangeError::Unreachable(why) => of_http(why),
    }
}

/// The class of a request that got no response.
pub fn of_http(error: &HttpError) -> Code {
    match error {
        HttpError::NoCa(_) | HttpError::Proxy { .. } | HttpError::UnusableCa { .. } => Code::Configuration,
        HttpError::Certificate(_) | HttpError::UnknownCa(_) => Code::Refused,
        _ => Code::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, error::Error as _};

    use super::*;
    use crate::oauth::{EndpointError, ErrorResponse, Issuer};

    #[test]
    fn every_class_has_an_exit_code_of_its_own_and_a_word_that_is_read_back() {
        let exits: BTreeSet<u8> = Code::ALL.iter().map(|code| code.exit()).collect();
        assert_eq!(Code::ALL.len(), exits.len());
        for code in Code::ALL {
            let read = Code::try_from(code.word().to_owned()).expect("a word of its own");
            assert_eq!(code.word(), read.word());
        }
        assert!(Code::try_from("nonsense".to_owned()).is_err());
    }

    #[test]
    fn the_class_of_an_error_depends_on_its_cause() {
        let proxy = || HttpError::Proxy { variable: "HTTPS_PROXY", why: "not a URL" };
        let issuer = Issuer::parse("https://op.example").expect("an issuer");
        let denied = |code: &str| ExchangeError::Denied(ErrorResponse::of(400, code));
        for (expected, error) in [
            (Code::Unavailable, Error::Exchange(ExchangeError::Unreachable(HttpError::Timeout))),
            (Code::Configuration, Error::Exchange(ExchangeError::Unreachable(proxy()))),
            (Code::Refused, Error::Exchange(denied("invalid_grant"))),
            (Code::Unavailable, Error::Exchange(denied("temporarily_unavailable"))),
            (Code::Configuration, Error::Exchange(denied("unauthorized_client"))),
            (Code::Unavailable, Error::Discovery(DiscoveryError::NotFound { issuer, missed: Vec::new() })),
            (Code::Configuration, Error::Discovery(DiscoveryError::Connection(proxy()))),
            (Code::Configuration, Error::Device(DeviceError::Denied(ErrorResponse::of(400, "unauthorized_client")))),
            (Code::Unavailable, Error::Device(DeviceError::Denied(ErrorResponse::of(429, "slow_down")))),
            (Code::Unavailable, Error::Device(DeviceError::Incomplete("user_code"))),
            (Code::Refused, Error::Device(DeviceError::UnsafePage(EndpointError::PlainHttp))),
            (Code::Refused, listen(LoopbackHost::Localhost, io::ErrorKind::AddrInUse)),
            (Code::Configuration, listen(LoopbackHost::V4, io::ErrorKind::AddrInUse)),
        ] {
            assert_eq!(expected, error.code(), "{error}");
        }
    }

    #[test]
    fn an_error_names_what_caused_it() {
        let error = Error::Exchange(ExchangeError::Unreachable(HttpError::Timeout));
        assert!(error.source().is_some_and(|cause| cause.is::<ExchangeError>()));
        let error = listen(LoopbackHost::V6, io::ErrorKind::AddrNotAvailable);
        assert!(error.source().is_some_and(|cause| cause.is::<io::Error>()));
    }

    fn listen(host: LoopbackHost, kind: io::ErrorKind) -> Error {
        Error::Listen { host, port: 8080, error: kind.into() }
    }
}

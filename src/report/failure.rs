//! What went wrong, as a user reads it: the message, what fixes it, and the exit code.

use std::fmt;

use super::remedy;
use crate::{
    catalog::{CatalogError, NameError, UnknownName, UnknownProvider},
    grants::{Code, Error, ReportedError, of_http},
    helper::{
        git::{Malformed, UnspeakableToken},
        kubectl::ExecInfoError,
    },
    oauth::{DiscoveryError, HttpError, ScopeError},
    system::{
        browser::BadCommand, entropy::NoEntropy, exec::NotStarted, named_file::NamedFileError, paths::NoHome,
        signal::Signal, stdin::InputError,
    },
    vault::{AccountNameError, StoreError},
};

/// The exit codes with their meanings, for the man page.
pub const EXIT_CODES: [(Code, &str); 13] = [
    (Code::Internal, "a fault of loopin itself, or standard output could not be written"),
    (Code::Usage, "the command line is wrong"),
    (Code::Configuration, "the configuration is wrong, or a redirect URI breaks a rule"),
    (Code::LoginRequired, "a person has to log in; the message is the command"),
    (Code::Denied, "the person or the provider said no"),
    (Code::Timeout, "nobody answered in time"),
    (Code::Unavailable, "the network or the provider fails; try later"),
    (Code::Store, "the keychain or the file store fails"),
    (Code::Refused, "a peer is unsafe or broke a promise"),
    (Code::CommandNotExecutable, "the command of exec cannot be executed"),
    (Code::CommandNotFound, "the command of exec was not found"),
    (Code::Signalled(Signal::Interrupt), "interrupted"),
    (Code::Signalled(Signal::Terminate), "terminated"),
];

/// One failure, in the words that a user reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub code: Code,
    pub what: String,
    /// A command or a line that repairs it.
    pub remedy: Option<String>,
}

impl Failure {
    pub fn new(code: Code, what: impl fmt::Display) -> Self {
        Self { code, what: what.to_string(), remedy: None }
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({ "code": self.code.word(), "exit": self.code.exit(), "message": self.what, "remedy": self.remedy })
    }

    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.remedy {
            Some(remedy) => write!(f, "{} ({remedy})", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (code, what, remedy) = (error.code(), error.to_string(), remedy::of(&error));
        Self { code, what, remedy }
    }
}

impl From<Failure> for ReportedError {
    fn from(Failure { code, what, remedy }: Failure) -> Self {
        Self::new(code, what, remedy)
    }
}

/// How an error of this process is reported to another one of loopin.
pub fn describe(error: &Error) -> ReportedError {
    ReportedError::new(error.code(), error.to_string(), remedy::of(error))
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Error::Store(error).into()
    }
}

/// In the configuration of the relay or of the service; the caller names its file.
impl From<CatalogError> for Failure {
    fn from(error: CatalogError) -> Self {
        Self { remedy: error.remedy.clone(), ..Self::new(Code::Configuration, error) }
    }
}

/// An integration that is not in the configuration.
impl From<UnknownName> for Failure {
    fn from(unknown: UnknownName) -> Self {
        Error::UnknownIntegration(unknown).into()
    }
}

impl From<UnknownProvider> for Failure {
    fn from(unknown: UnknownProvider) -> Self {
        Self::new(Code::Usage, &unknown).remedy(unknown.remedy())
    }
}

impl From<DiscoveryError> for Failure {
    fn from(error: DiscoveryError) -> Self {
        Error::Discovery(error).into()
    }
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        Self { code: of_http(&error), what: error.to_string(), remedy: remedy::of_http(&error) }
    }
}

/// As in a shell, a command that is not found and one that cannot be executed have exit codes of their own.
impl From<NotStarted> for Failure {
    fn from(error: NotStarted) -> Self {
        let code = match error {
            NotStarted::NotFound => Code::CommandNotFound,
            NotStarted::Io(_) | NotStarted::NotPermitted | NotStarted::TooMuch => Code::CommandNotExecutable,
            NotStarted::NoDescriptors | NotStarted::NoPipe(_) | NotStarted::TooLong => Code::Usage,
        };
        Self::new(code, error)
    }
}

macro_rules! plain {
    ($($error:ty => $code:expr),+ $(,)?) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::new($code, error)
            }
        }
    )+};
}

plain! {
    ExecInfoError => Code::Usage,
    Malformed => Code::Usage,
    UnspeakableToken => Code::Refused,
    AccountNameError => Code::Usage,
    InputError => Code::Usage,
    NamedFileError => Code::Usage,
    BadCommand => Code::Usage,
    NameError => Code::Usage,
    NoEntropy => Code::Internal,
    NoHome => Code::Configuration,
    ScopeError => Code::Usage,
}

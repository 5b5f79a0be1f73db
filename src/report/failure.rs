//! What went wrong, whose affair it is, and what repairs it.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize, Serializer};

use crate::{
    catalog::{CatalogError, NameError, UnknownName},
    helper::{
        git::{Malformed, UnspeakableToken},
        kubectl::ExecInfoError,
    },
    oauth::{
        Denial, DiscoveryError, EndpointError, ErrorCode, ExchangeError, HttpError, Meaning, ParameterError, Refusal,
        ScopeError,
    },
    redirect::BindError,
    system::{
        browser::{BadCommand, NotOpened},
        entropy::NoEntropy,
        exec::NotStarted,
        paths::NoHome,
        signal::Signal,
        stdin::InputError,
    },
    vault::{AccountNameError, Exposure, StoreError},
};

/// The exit codes, with the words that stand for them in JSON.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub enum Code {
    Internal,
    Usage,
    Configuration,
    LoginRequired,
    Denied,
    Timeout,
    Unavailable,
    Store,
    Refused,
    Signalled(Signal),
}

impl Code {
    /// For the man page: every code with its word and its meaning.
    pub const ALL: [(Self, &'static str); 11] = [
        (Self::Internal, "a fault of loopin itself, or standard output could not be written"),
        (Self::Usage, "the command line is wrong"),
        (Self::Configuration, "the configuration is wrong, or a redirect URI breaks a rule"),
        (Self::LoginRequired, "a person has to log in; the message is the command"),
        (Self::Denied, "the person or the provider said no"),
        (Self::Timeout, "nobody answered in time"),
        (Self::Unavailable, "the network or the provider fails; try later"),
        (Self::Store, "the keychain or the file store fails"),
        (Self::Refused, "a peer is unsafe or broke a promise"),
        (Self::Signalled(Signal::Interrupt), "interrupted"),
        (Self::Signalled(Signal::Terminate), "terminated"),
    ];

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
            Self::Signalled(Signal::Hangup) => 129,
            Self::Signalled(Signal::Interrupt) => 130,
            Self::Signalled(Signal::Terminate) => 143,
        }
    }

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
        let found = Self::ALL.into_iter().map(|(code, _)| code).find(|code| code.word() == word);
        found.ok_or_else(|| format!("there is no code {word}"))
    }
}

/// One failure, in the words that a user reads. Its serialized form is for other processes of loopin; [`Failure::json`]
/// is the one that is printed.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Failure {
    pub code: Code,
    #[serde(rename = "message")]
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

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let failure = Self::new(Code::Store, &error);
        match error {
            StoreError::Absent => failure.remedy(
                "choose: start a keychain (gnome-keyring, KeePassXC, KWallet), or keep tokens in encrypted files with --store file",
            ),
            StoreError::Locked => failure.remedy("unlock it in the desktop's password program and try again, or use --store file"),
            StoreError::UnlockRefused => failure.remedy("try again and unlock it when the desktop asks"),
            StoreError::Silent { .. } => failure.remedy("it may be waiting for an unlock dialog or hang; restart it, or use --store file"),
            StoreError::Unfaithful => failure.remedy("nothing is stored; repair the keychain, or use --store file"),
            StoreError::UnsafeBus => failure.remedy("set DBUS_SESSION_BUS_ADDRESS to a unix: address, or use --store file"),
            StoreError::Exposed { path, why: Exposure::Mode { rights, .. } } => {
                failure.remedy(format!("chmod {} '{}'", rights.chmod(), path.display()))
            }
            StoreError::Exposed { path, why: Exposure::OtherOwner } => {
                let path = path.display();
                failure.remedy(format!("check what is in it, then make it yours: sudo chown \"$(id -un)\" '{path}'"))
            }
            StoreError::Exposed { path, .. } => failure.remedy(format!("check who created it: ls -la '{}'", path.display())),
            StoreError::Damaged { .. } => failure.remedy("log in again: loopin login"),
            StoreError::Newer { .. } => failure.remedy("update loopin"),
            StoreError::NetworkFileSystem { .. } => {
                failure.remedy("set LOOPIN_STATE_DIR to a directory on a disk of this machine")
            }
            StoreError::NoTerminal => failure.remedy("run it on a terminal, or use a key file: store_key = { file = \"...\" }"),
            StoreError::KeyNotDerived { .. } => failure.remedy(
                "raise the memory limit (ulimit -d, ulimit -v, LimitAS=), or use a key file: store_key = { file = \"...\" }",
            ),
            StoreError::WrongKey => failure.remedy("check store_key in the configuration, or the passphrase"),
            StoreError::Busy { .. } => failure.remedy("try again in a moment"),
            StoreError::File { .. } | StoreError::Keychain(_) | StoreError::NoEntropy | StoreError::TooLarge => failure,
        }
    }
}

impl From<CatalogError> for Failure {
    fn from(error: CatalogError) -> Self {
        Self { remedy: error.remedy.clone(), ..Self::new(Code::Configuration, error) }
    }
}

/// An integration that is not in the configuration.
impl From<UnknownName> for Failure {
    fn from(unknown: UnknownName) -> Self {
        let failure = Self::new(Code::Configuration, format!("there is no integration \"{}\"", unknown.name));
        match unknown.nearest {
            Some(nearest) => failure.remedy(format!("did you mean {nearest}?")),
            None => failure.remedy("loopin integration list"),
        }
    }
}

impl From<ExchangeError> for Failure {
    fn from(error: ExchangeError) -> Self {
        let nothing_stored = |code| Self::new(code, format!("{error}; nothing was stored"));
        match &error {
            ExchangeError::Denied(response) if response.meaning == Meaning::Later => {
                nothing_stored(Code::Unavailable).remedy(later(response.retry_after))
            }
            ExchangeError::Denied(response) => match response.code {
                ErrorCode::InvalidGrant => nothing_stored(Code::Refused).remedy("start the login again"),
                ErrorCode::InvalidClient => nothing_stored(Code::Configuration)
                    .remedy("check client_id, client_secret and token_endpoint_auth_method of the integration"),
                ErrorCode::Other(_) => nothing_stored(Code::Configuration)
                    .remedy("compare the integration with what is registered at the provider"),
            },
            ExchangeError::IdToken(_) | ExchangeError::Malformed(_) => nothing_stored(Code::Refused),
            ExchangeError::NotOAuth(what) if what.redirected() => {
                nothing_stored(Code::Unavailable).remedy("write the final address as token_endpoint")
            }
            ExchangeError::NotOAuth(what) if what.status == 429 || what.retry_after.is_some() => {
                nothing_stored(Code::Unavailable).remedy(later(what.retry_after))
            }
            ExchangeError::NotOAuth(_) => {
                nothing_stored(Code::Unavailable).remedy("check token_endpoint, or try again later")
            }
            ExchangeError::Unreachable(HttpError::Proxy { variable, .. }) => {
                nothing_stored(Code::Configuration).remedy(unset(variable))
            }
            ExchangeError::Unreachable(_) => {
                nothing_stored(Code::Unavailable).remedy("log in again once the provider can be reached")
            }
        }
    }
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Proxy { variable, .. } => Self::new(Code::Configuration, error).remedy(unset(variable)),
            _ => Self::new(Code::Unavailable, error).remedy("try again later"),
        }
    }
}

/// For a provider that is busy.
fn later(retry_after: Option<Duration>) -> String {
    match retry_after {
        Some(wait) => format!("try again in {} s, as the provider asks", wait.as_secs()),
        None => "try again later".into(),
    }
}

/// For a proxy variable that cannot be used.
fn unset(variable: &str) -> String {
    format!("correct it, or connect without a proxy: unset {variable}")
}

impl From<DiscoveryError> for Failure {
    fn from(error: DiscoveryError) -> Self {
        match &error {
            DiscoveryError::Endpoint { .. } => Self::new(Code::Refused, error),
            DiscoveryError::NotFound { .. } if error.is_passing() => {
                Self::new(Code::Unavailable, error).remedy("check the network and issuer, then try again")
            }
            DiscoveryError::NotFound { .. } => Self::new(Code::Unavailable, error)
                .remedy("check issuer, or write authorization_endpoint and token_endpoint instead"),
            DiscoveryError::OtherIssuer { found, .. } => {
                let remedy = match found.as_str() {
                    tenant if tenant.contains('{') => {
                        "each tenant has an issuer of its own there: write issuer with your tenant's ID in it".into()
                    }
                    found => format!("if you trust {found}, write: issuer = \"{found}\""),
                };
                Self::new(Code::Refused, error).remedy(remedy)
            }
            DiscoveryError::Proxy(why) => why.clone().into(),
        }
    }
}

impl From<Denial> for Failure {
    fn from(denial: Denial) -> Self {
        let said = match &denial.description {
            Some(description) => format!("{}: {description}", denial.error),
            None => denial.error.to_string(),
        };
        let registered = Some("compare the integration with what is registered at the provider");
        // RFC 6749 section 4.1.2.1 and OpenID Connect Core section 3.1.2.6.
        let (code, remedy) = match denial.error.as_str() {
            "account_selection_required" | "consent_required" | "interaction_required" | "login_required" => {
                (Code::LoginRequired, None)
            }
            "invalid_request" | "unauthorized_client" | "unsupported_response_type" => (Code::Denied, registered),
            "invalid_scope" => (Code::Denied, Some("check scopes in the integration")),
            "server_error" | "temporarily_unavailable" => (Code::Unavailable, Some("try again later")),
            _ => (Code::Denied, None),
        };
        Self { remedy: remedy.map(str::to_owned), ..Self::new(code, format!("the provider said: \"{said}\"")) }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let failure = Self::new(Code::Refused, format!("{refusal}; nothing was stored"));
        match refusal {
            Refusal::OtherOrigin => failure.remedy(
                "if the provider's documentation states another issuer, add it to the integration: issuer = \"https://...\"",
            ),
            Refusal::IssuerMissing | Refusal::OtherIssuer => failure,
        }
    }
}

impl From<EndpointError> for Failure {
    fn from(error: EndpointError) -> Self {
        Self::new(Code::Refused, format!("the authorization URL is not safe to open: {error}"))
    }
}

impl From<BindError> for Failure {
    fn from(error: BindError) -> Self {
        Self::new(Code::Configuration, format!("redirect_uri: {error}"))
    }
}

impl From<NotOpened> for Failure {
    fn from(error: NotOpened) -> Self {
        Self::new(Code::Unavailable, error)
            .remedy("open the URL above yourself, or name a browser with --browser COMMAND")
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
    NotStarted => Code::Usage,
    BadCommand => Code::Usage,
    NameError => Code::Usage,
    NoEntropy => Code::Internal,
    NoHome => Code::Configuration,
    ParameterError => Code::Usage,
    ScopeError => Code::Usage,
}

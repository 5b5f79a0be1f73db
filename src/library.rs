//! For programs that link `loopin` rather than start it: [`access_token`] and [`login()`], by the same engine as the commands
//! `loopin token` and `loopin login`. One configuration, one store and one lock serve both.

use std::{
    fmt,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

pub use crate::{
    grants::{
        Again, Behind, Canceller, Code, DevicePrompt, Error, Event, GrantId, Renewal, ReportedError, Sent, SignedIn,
        Warning, Way, Weight, causes,
    },
    oauth::{Expiry, GrantMetadata, MetadataValue, Scopes, TokenType},
    secret::Secret,
    stdio::{Cancelled, Opening},
};
use crate::{
    grants::{Grants, Hear, LoginRequest, NewSubject, Settings},
    oauth::Scope,
    refresh::{MinTtl, Rejected, Wish},
    system::detach::Worker,
    vault::{AccountName, ActionKey},
};

/// A valid access token of this integration, renewed if need be. Never opens a browser; see [`Options::access_token`].
///
/// ```no_run
/// let token = loopin::access_token("work")?;
/// let header = format!("Authorization: Bearer {}", token.secret.expose());
/// # Ok::<(), loopin::Error>(())
/// ```
///
/// # Errors
/// As [`Options::access_token`].
pub fn access_token(integration: &str) -> Result<AccessToken, Error> {
    Options::new(integration).access_token()
}

/// Signs in with the browser and stores the tokens; see [`Options::login`].
///
/// ```no_run
/// use loopin::Code;
/// let token = match loopin::access_token("work") {
///     Err(error) if error.code() == Code::LoginRequired => {
///         loopin::login("work")?;
///         loopin::access_token("work")?
///     }
///     other => other?,
/// };
/// # Ok::<(), loopin::Error>(())
/// ```
///
/// # Errors
/// As [`Options::login`].
pub fn login(integration: &str) -> Result<SignedIn, Error> {
    Options::new(integration).login()
}

/// An access token that may be used now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccessToken {
    /// The token itself; prints nothing, [`Secret::expose`] gives the text.
    pub secret: Secret,
    /// How it is sent; [`TokenType::Bearer`] almost everywhere.
    pub token_type: TokenType,
    /// Assumed where the provider did not say and there is a refresh token. `None` where it did not say and there is
    /// none: the token is valid until a server rejects it.
    pub expires_at: Option<SystemTime>,
    /// As granted, in the provider's words.
    pub scopes: Scopes,
    /// Scopes that the integration or the action needs and that the provider does not name as granted.
    pub missing: Scopes,
    /// What the provider sent beside the tokens, as far as the integration keeps it (`keep_from_token`,
    /// `keep_from_callback`), such as the address of the user's API.
    pub metadata: GrantMetadata,
}

/// Which grant is meant, and what is wished for. Everything has the command's default.
///
/// The class of an error has the word and the number of the command's exit code:
///
/// ```
/// use loopin::{Code, Options};
///
/// let error = Options::new("work").config("/no/such/file.toml").access_token().unwrap_err();
/// assert_eq!(Code::Configuration, error.code());
/// assert_eq!("configuration", error.code().word());
/// assert_eq!("there is no configuration file /no/such/file.toml", error.to_string());
/// ```
#[derive(Clone, Default)]
pub struct Options {
    integration: String,
    account: Option<String>,
    action: Option<String>,
    config: Option<PathBuf>,
    min_ttl: Option<Duration>,
    rejected: Option<Rejected>,
    scopes: Vec<String>,
    timeout: Option<Duration>,
    opening: Opening,
    way: Way,
    canceller: Canceller,
    hear: Option<Arc<Hear>>,
    worker: Option<PathBuf>,
}

impl Options {
    /// The grant of this integration, with every default.
    pub fn new(integration: &str) -> Self {
        Self { integration: integration.to_owned(), ..Self::default() }
    }

    /// Which account, where one integration has several.
    pub fn account(self, name: &str) -> Self {
        Self { account: Some(name.to_owned()), ..self }
    }

    /// One action of the integration instead of all together.
    pub fn action(self, name: &str) -> Self {
        Self { action: Some(name.to_owned()), ..self }
    }

    /// This configuration file instead of `LOOPIN_CONFIG` or the one at the platform's place.
    pub fn config(self, path: impl Into<PathBuf>) -> Self {
        Self { config: Some(path.into()), ..self }
    }

    /// The token must stay valid for at least this long.
    pub fn min_ttl(self, life: Duration) -> Self {
        Self { min_ttl: Some(life), ..self }
    }

    /// This token was refused (401): it is renewed if it is still the stored one.
    pub fn rejected(self, token: &AccessToken) -> Self {
        Self { rejected: Some(Rejected::of(&token.secret)), ..self }
    }

    /// Ask for this scope too at login.
    pub fn scope(mut self, scope: &str) -> Self {
        self.scopes.push(scope.to_owned());
        self
    }

    /// How long the person is waited for at login; five minutes if nothing is said.
    pub fn timeout(self, patience: Duration) -> Self {
        Self { timeout: Some(patience), ..self }
    }

    /// Who opens the URL of a login. With [`Opening::Client`] it is this program, told by [`Options::on_event`].
    pub fn opening(self, opening: Opening) -> Self {
        Self { opening, ..self }
    }

    /// How the user's answer comes back at login. With [`Way::DeviceCode`] this program shows the code and the page of
    /// [`Event::DeviceCode`], heard by [`Options::on_event`].
    pub fn way(self, way: Way) -> Self {
        Self { way, ..self }
    }

    /// Lets another thread end the login; each login needs a canceller of its own.
    pub fn canceller(self, canceller: &Canceller) -> Self {
        Self { canceller: canceller.clone(), ..self }
    }

    /// Hears what happens during a login or a refresh, which waits meanwhile.
    pub fn on_event(self, hear: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        Self { hear: Some(Arc::new(hear)), ..self }
    }

    /// Lets this `loopin` send the refresh request, in a process that outlives this one.
    ///
    /// Without it a thread of this program sends it, under the same lock and with the same journal. If the program
    /// ends in the instant between the provider's reply and the journal on the disk, a provider that rotates refresh
    /// tokens wants a new login. This program itself is never started again.
    pub fn worker(self, loopin: impl Into<PathBuf>) -> Self {
        Self { worker: Some(loopin.into()), ..self }
    }

    /// A valid access token, after at most one request by any process. Never opens a browser; asks for a passphrase only
    /// where the configuration wants one and standard input is a terminal.
    ///
    /// # Errors
    /// With [`Code::LoginRequired`] a person is needed: call [`Options::login`] when it suits them. With
    /// [`Code::Unavailable`] the network or the provider fails, and nothing is lost.
    pub fn access_token(&self) -> Result<AccessToken, Error> {
        let grants = Grants::open(self.settings())?;
        let min_ttl = self.min_ttl.map_or(MinTtl::Margin, MinTtl::AtLeast);
        let wish = Wish { min_ttl, rejected: self.rejected.clone() };
        let id = self.grant(&grants)?;
        let grant = grants.access_token(&id, &wish)?.grant;
        let missing = grants.missing(&id, &grant)?;
        Ok(AccessToken {
            missing,
            secret: grant.access_token,
            token_type: grant.token_type,
            expires_at: grant.expiry.end(),
            scopes: grant.granted,
            metadata: grant.metadata,
        })
    }

    /// Signs in, and comes back when the tokens are stored and read back. Whoever needs the same grant at the same time,
    /// in this program or in another, shares one login and one browser window.
    ///
    /// # Errors
    /// [`Code::Denied`], [`Code::Timeout`] or whatever else ended it; [`Code::Signalled`] if it was cancelled.
    pub fn login(&self) -> Result<SignedIn, Error> {
        let settings = self.settings();
        let last_page = settings.last_page.clone();
        let grants = Grants::open(settings)?;
        let mut request = LoginRequest {
            new_subject: match self.account {
                Some(_) => NewSubject::IsRefused,
                None => NewSubject::Replaces,
            },
            scopes: self.scopes()?,
            opening: self.opening,
            way: self.way,
            canceller: self.canceller.clone(),
            ..LoginRequest::new(self.grant(&grants)?)
        };
        if let Some(timeout) = self.timeout {
            request.timeout = timeout;
        }
        let signed_in = grants.shared_login(&request);
        // This program may end now, and the browser still waits for its last page.
        last_page.wait();
        signed_in
    }

    fn grant(&self, grants: &Grants) -> Result<GrantId, Error> {
        let integration = grants.integration(Some(&self.integration))?.name.clone();
        let account = self.account.as_deref().map(AccountName::parse).transpose()?.unwrap_or_default();
        let action = self.action.as_deref().map(ActionKey::parse).transpose()?.unwrap_or_default();
        Ok(GrantId { integration, account, action })
    }

    fn scopes(&self) -> Result<Scopes, Error> {
        let named = self.scopes.iter().map(|text| Scopes::parse(text)).collect::<Result<Vec<_>, _>>()?;
        Ok(named.iter().flat_map(Scopes::iter).map(Scope::clone).collect())
    }

    fn settings(&self) -> Settings {
        Settings {
            config: self.config.clone(),
            worker: self.worker.clone().map_or(Worker::Thread, Worker::Program),
            hear: self.hear.clone().unwrap_or_else(|| Arc::new(|_| ())),
            ..Settings::default()
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { integration, account, action, .. } = self;
        let mut shown = f.debug_struct("Options");
        shown
            .field("integration", integration)
            .field("account", account)
            .field("action", action)
            .finish_non_exhaustive()
    }
}

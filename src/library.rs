//! For programs that link `loopin` rather than start it: [`access_token`] and [`login()`], by the very way of the commands
//! `loopin token` and `loopin login`. One configuration, one store and one lock serve both.

use std::{
    fmt,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    cli::{self, GrantName, How},
    command::{
        context::Context,
        hand_out,
        login::{self, shared},
    },
    deadlines::USER_SIGNS_IN,
    oauth::{Scopes, TokenType},
    refresh::{MinTtl, Rejected, Wish},
    system::detach::Worker,
};
pub use crate::{
    command::login::canceller::Canceller,
    report::{Code, Failure as Error, SignedIn},
    secret::Secret,
    stdio::{Cancelled, LoginEvent, Opening},
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
///     Err(error) if error.code == Code::LoginRequired => {
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
pub struct AccessToken {
    /// The token itself; prints nothing, [`Secret::expose`] gives the text.
    pub secret: Secret,
    pub token_type: TokenType,
    /// Assumed where the provider did not say and there is a refresh token. `None` where it did not say and there is
    /// none: the token is valid until a server rejects it.
    pub expires_at: Option<SystemTime>,
    /// As granted, in the provider's words.
    pub scopes: Scopes,
    /// Scopes that the integration or the action needs and that the provider does not name as granted.
    pub missing: Scopes,
}

/// Which grant is meant, and what is wished for. Everything has the command's default.
///
/// An error carries the word of the command's exit code:
///
/// ```
/// use loopin::{Code, Options};
///
/// # let nowhere = std::env::temp_dir().join("there-is-no-such-configuration.toml");
/// // Nobody has configured `work` there.
/// let error = Options::new("work").config(nowhere).access_token().unwrap_err();
/// assert_eq!(Code::Configuration, error.code);
/// assert_eq!("configuration", error.code.word());
/// assert_eq!("there is no integration \"work\" (loopin integration list)", error.to_string());
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
    canceller: Canceller,
    hear: Option<Arc<dyn Fn(LoginEvent) + Send + Sync>>,
    worker: Option<PathBuf>,
}

impl Options {
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

    /// Lets another thread end the login; each login needs a canceller of its own.
    pub fn canceller(self, canceller: &Canceller) -> Self {
        Self { canceller: canceller.clone(), ..self }
    }

    /// Hears what happens during a login, which waits meanwhile.
    pub fn on_event(self, hear: impl Fn(LoginEvent) + Send + Sync + 'static) -> Self {
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
        let context = self.context();
        let integration = context.integration(Some(&self.integration))?;
        let min_ttl = self.min_ttl.map_or(MinTtl::Margin, MinTtl::AtLeast);
        let wish = Wish { min_ttl, rejected: self.rejected.clone() };
        let grant = hand_out::access_token(&context, &integration, &self.grant(), &wish)?.grant;
        let missing = hand_out::missing(&integration, &self.grant(), &grant)?;
        Ok(AccessToken {
            missing,
            secret: grant.access_token,
            token_type: grant.token_type,
            expires_at: grant.expiry.end(),
            scopes: grant.granted,
        })
    }

    /// Signs in, and comes back when the tokens are stored and read back. Whoever needs the same grant at the same time,
    /// in this program or in another, shares one login and one browser window.
    ///
    /// # Errors
    /// [`Code::Denied`], [`Code::Timeout`] or whatever else ended it; [`Code::Signalled`] if it was cancelled.
    pub fn login(&self) -> Result<SignedIn, Error> {
        let context = self.context();
        let args = cli::Login {
            integration: Some(self.integration.clone()),
            grant: self.grant(),
            scopes: self.scopes.clone(),
            how: How::Auto,
            browser: None,
            port: None,
            relay: None,
            timeout: self.timeout.unwrap_or(USER_SIGNS_IN),
            prompt: None,
            login_hint: None,
            parameters: Vec::new(),
        };
        let (opening, canceller) = (self.opening, &self.canceller);
        let login = login::Login { context: &context, args: &args, opening, canceller, reached: &|_| () };
        let signed_in = shared::run(&login);
        // This program may end now, and the browser still waits for its last page.
        context.wait_for_last_page();
        signed_in
    }

    fn grant(&self) -> GrantName {
        GrantName { account: self.account.clone(), action: self.action.clone() }
    }

    fn context(&self) -> Context {
        let hear = self.hear.clone();
        let worker = self.worker.clone().map_or(Worker::Thread, Worker::Program);
        Context::embedded(
            self.config.clone(),
            worker,
            Arc::new(move |event| {
                if let (Some(hear), Some(event)) = (&hear, shared::told(event)) {
                    hear(event);
                }
            }),
        )
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

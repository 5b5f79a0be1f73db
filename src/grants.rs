//! The grants of a user on this machine: login, access tokens, refresh, logout, status. Commands, helpers, `loopin stdio`
//! and programs that link the crate all use [`Grants`].
//!
//! An engine: it calls the pure rules and the adapters in order. It parses no command line, prints nothing and has no
//! words for users but those of its errors. Requests, events, outcomes and errors are values.
//! - `login`, `listen`, `sign_in`, `answers`, `keep`: a login, from the request to the stored grant; `device`: the same
//!   without a listener, by a code that is entered on another device. `one_login`, `canceller`: a login shared by several
//!   callers, or ended by one.
//!   `handover`: a response that comes another way.
//! - `import`: a refresh token of another program. `logins`: what the index lists.
//! - `token`, `id_token`: handing out. `refresh`, `worker`: the caller's side of a refresh, and the side that sends.
//! - `revocation`, `status`: logout, and what is stored.
//! - `settings`, `event`, `error`, `code`, `reported`: what goes in, what is heard, and what comes back.

mod answers;
mod canceller;
pub mod causes;
mod code;
mod device;
mod error;
mod event;
mod handover;
mod id_token;
mod import;
mod keep;
mod listen;
mod login;
mod logins;
mod one_login;
mod refresh;
mod reported;
mod revocation;
mod settings;
mod sign_in;
mod status;
mod token;
mod worker;

pub use canceller::Canceller;
pub use code::{Code, of_http};
pub use device::DevicePrompt;
pub use error::Error;
pub use event::{Event, Hear, Warning, Weight};
pub use handover::Handover;
pub use id_token::IdToken;
pub use keep::{RefreshToken, Stored, keep};
pub use listen::Binding;
pub use login::{Again, LoginRequest, NewSubject, Renewal, SignedIn, Way};
pub use logins::{Login, Place};
pub use reported::ReportedError;
pub use revocation::{KEY_FILE, LoggedOut, Revocation, RevocationScope, Unconfirmed};
pub use settings::{NamedBy, Prompts, Settings, directory_of};
pub use sign_in::{Attempt, Behind, LastPage, Opener, Sent, WithoutBrowser, sign_in};
pub use status::{GrantState, GrantStatus, SharedRedirects, Status, Stores, Unknown};
pub use worker::Message;

use crate::{
    catalog::{Catalog, Integration, IntegrationName, SecretSource},
    oauth::{Client, ClientAuthentication},
    refresh::Rejected,
    secret::Secret,
    system::{client_secret, private_files::PrivateFiles},
    vault::{self, AccountName, ActionKey, GrantKey, IndexEntry, ItemName, Items, Vault},
};

/// Locked by whoever reads a grant and stores another one in its place.
const LOCK: &str = ".lock";

/// Which grant of this user.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GrantId {
    /// The integration of the configuration.
    pub integration: IntegrationName,
    /// The account, where one integration has several; otherwise `default`.
    pub account: AccountName,
    /// One action of the integration, or all of them together.
    pub action: ActionKey,
}

impl GrantId {
    /// The name under which the store keeps it.
    pub fn key(&self) -> GrantKey {
        GrantKey::personal(self.integration.clone(), self.account.clone(), self.action.clone())
    }

    /// Which of the integration's grants it is, for messages.
    pub fn within(&self) -> String {
        let account = match self.account == AccountName::default() {
            true => None,
            false => Some(format!("account \"{}\"", self.account.as_str())),
        };
        let action = self.action.name().map(|name| format!("action \"{name}\""));
        match (account, action) {
            (None, None) => "the default account, all actions".into(),
            (Some(one), None) | (None, Some(one)) => one,
            (Some(account), Some(action)) => format!("{account}, {action}"),
        }
    }
}

/// The grants of the user, as one configuration file names them.
pub struct Grants {
    settings: Settings,
    catalog: Catalog,
    files: PrivateFiles,
}

impl Grants {
    /// Reads the configuration. Opens no store yet.
    ///
    /// # Errors
    /// The configuration is not valid, or there is no directory for the state.
    pub fn open(settings: Settings) -> Result<Self, Error> {
        let settings = settings.with_environment()?;
        let catalog = settings.catalog()?;
        let files = settings.files()?;
        Ok(Self { settings, catalog, files })
    }

    /// The integrations of the configuration.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The integration of this name; without a name the only one.
    ///
    /// # Errors
    /// There is none of that name, none at all, or several to choose from.
    pub fn integration(&self, name: Option<&str>) -> Result<&Integration, Error> {
        if let Some(name) = name {
            return self.catalog.get(name).map_err(Error::UnknownIntegration);
        }
        let mut all = self.catalog.iter();
        match (all.len(), all.next()) {
            (1, Some(only)) => Ok(only),
            (0, _) => Err(Error::NoIntegration),
            _ => Err(Error::SeveralIntegrations),
        }
    }

    /// Every grant that the index lists, of every store.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn entries(&self) -> Result<Vec<IndexEntry>, Error> {
        Ok(vault::entries(&self.files)?)
    }

    /// Whether the access token of this grant is the rejected one.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn holds(&self, grant: &GrantId, rejected: &Rejected) -> Result<bool, Error> {
        let items = self.items(self.of(grant)?);
        let record = self.vault(items.as_ref()).read(&grant.key())?;
        Ok(record.is_some_and(|record| rejected.is(&record.grant.access_token)))
    }

    fn of(&self, grant: &GrantId) -> Result<&Integration, Error> {
        self.integration(Some(grant.integration.as_str()))
    }

    fn items(&self, integration: &Integration) -> Box<dyn Items + '_> {
        self.settings.items(integration, &self.files)
    }

    fn vault<'a>(&'a self, items: &'a dyn Items) -> Vault<'a> {
        Vault { items, files: &self.files }
    }

    fn hear(&self, event: &Event<'_>) {
        (self.settings.hear)(event);
    }

    /// The client of an integration with its secret, wherever that is.
    fn client(&self, integration: &Integration, vault: &Vault<'_>) -> Result<Client, Error> {
        let authentication = match &integration.client_secret {
            None => ClientAuthentication::None,
            Some(source) => ClientAuthentication::Secret {
                secret: integration
                    .dialect
                    .secret_mask
                    .applied(secret_of(integration, source, vault)?, &integration.client_id),
                method: integration.authentication_method.unwrap_or_default(),
            },
        };
        Ok(Client::new(integration.client_id.clone(), authentication).speaking(integration.dialect.wire.clone()))
    }
}

fn secret_of(integration: &Integration, source: &SecretSource, vault: &Vault<'_>) -> Result<Secret, Error> {
    let name = &integration.name;
    let outside = client_secret::outside_the_store(source)
        .map_err(|why| Error::ClientSecret { integration: name.clone(), why })?;
    match outside {
        Some(secret) => Ok(secret),
        None => {
            let stored = vault.items.read(&ItemName::of_client_secret(name))?;
            stored.ok_or_else(|| Error::ClientSecretNotStored(name.clone()))
        }
    }
}

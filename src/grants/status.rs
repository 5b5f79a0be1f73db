//! What is stored, where, until when, and what state it is in.

use std::time::SystemTime;

use super::{Error, GrantId, Grants, Login, Place, Renewal, refresh, token::fits};
use crate::{
    catalog::{Integration, IntegrationName, own_redirect},
    oauth::{Expiry, Scopes, id_token_user},
    refresh::{LastRefresh, RefreshResult},
    vault::{AccountName, ActionKey, Record, StoreError},
};

/// The state of all grants, or of those of one integration.
#[derive(Debug)]
pub struct Status {
    pub grants: Vec<GrantStatus>,
    pub shared: Vec<SharedRedirects>,
    /// How many logins in other stores are left out.
    pub elsewhere: usize,
}

/// Whose logins are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stores {
    /// Of every keychain and state directory that was ever used.
    All,
    /// Of those that this program uses now.
    Here,
}

/// The state of one grant.
#[derive(Debug)]
pub struct GrantStatus {
    pub grant: GrantId,
    /// The kind of its store: `keychain` or `file`.
    pub store: String,
    pub state: GrantState,
}

#[derive(Debug)]
pub enum GrantState {
    /// The index lists it, and the store has it no more.
    Gone,
    /// In the configuration, never logged in.
    None,
    /// The configuration was changed since the login.
    Outdated,
    Unknown(Unknown),
    Stored {
        /// The user of the id_token, for people to read.
        user: Option<String>,
        expiry: Expiry,
        renewal: Renewal,
        granted: Scopes,
        obtained_at: SystemTime,
        /// How the last refresh ended, if there was one since the login.
        last: Option<LastRefresh>,
    },
}

/// Why the state of a grant is not known.
#[derive(Debug)]
pub enum Unknown {
    /// Its integration is no longer in the configuration.
    NotConfigured,
    /// It is in another store than the configuration names now: one of this machine, or one that is not in use.
    OtherStore(Place),
    /// The store cannot be read.
    Store(StoreError),
}

/// An integration whose redirect URI others use at other servers.
#[derive(Debug)]
pub struct SharedRedirects {
    pub integration: IntegrationName,
    pub with: Vec<IntegrationName>,
    /// The redirect URI that would be its own.
    pub own: String,
}

impl GrantStatus {
    /// Whether the user has to log in before there is a token again.
    pub fn login_required(&self, now: SystemTime) -> bool {
        match &self.state {
            GrantState::Stored { last: Some(last), .. } if matches!(last.result, RefreshResult::Dead { .. }) => true,
            GrantState::Stored { expiry, renewal, .. } => expiry.is_past(now) && renewal.is_over(now),
            GrantState::Gone | GrantState::None | GrantState::Outdated => true,
            GrantState::Unknown(_) => false,
        }
    }
}

impl Grants {
    /// The state of the grants of one integration, or of all. Sends nothing.
    ///
    /// # Errors
    /// There is no such integration, or the index cannot be read.
    pub fn status(&self, integration: Option<&str>, stores: Stores) -> Result<Status, Error> {
        let wanted = |name: &str| integration.is_none_or(|only| only == name);
        let logins = self.logins(integration)?;
        if logins.is_empty() {
            // Where there are logins, the integration may be gone from the configuration.
            integration.map(|name| self.integration(Some(name))).transpose()?;
        }
        let (mut grants, mut closed, mut elsewhere) = (Vec::new(), None, 0);
        for login in &logins {
            match (login.place, stores) {
                (Place::Elsewhere, Stores::Here) => elsewhere += 1,
                _ => grants.push(self.of_login(login, &mut closed)),
            }
        }
        for integration in self.catalog.iter().filter(|integration| wanted(integration.name.as_str())) {
            if !grants.iter().any(|known| known.grant.integration == integration.name) {
                let (account, action) = (AccountName::default(), ActionKey::All);
                let grant = GrantId { integration: integration.name.clone(), account, action };
                let store = self.settings.store_kind(integration).as_str().to_owned();
                grants.push(GrantStatus { grant, store, state: GrantState::None });
            }
        }
        let configured = self.catalog.iter().filter(|integration| wanted(integration.name.as_str()));
        let shared = configured.filter_map(|integration| self.shared(integration)).collect();
        Ok(Status { grants, shared, elsewhere })
    }

    fn shared(&self, integration: &Integration) -> Option<SharedRedirects> {
        let with: Vec<_> = self.catalog.sharing(integration).into_iter().cloned().collect();
        let (integration, own) = (integration.name.clone(), own_redirect(&integration.name));
        (!with.is_empty()).then_some(SharedRedirects { integration, with, own })
    }

    /// `closed`: a store that did not open for one grant, and why; it is not asked for the next one.
    fn of_login(&self, login: &Login, closed: &mut Option<(&'static str, StoreError)>) -> GrantStatus {
        let state = match self.of(&login.grant) {
            Ok(integration) => self.state(integration, login, closed),
            Err(_) => GrantState::Unknown(Unknown::NotConfigured),
        };
        GrantStatus { grant: login.grant.clone(), store: login.entry.store.clone(), state }
    }

    fn state(
        &self,
        integration: &Integration,
        login: &Login,
        closed: &mut Option<(&'static str, StoreError)>,
    ) -> GrantState {
        let items = self.items(integration);
        if login.place != Place::Here(self.settings.store_kind(integration)) {
            return GrantState::Unknown(Unknown::OtherStore(login.place));
        }
        let (vault, key) = (self.vault(items.as_ref()), login.grant.key());
        let found = match closed {
            Some((kind, why)) if *kind == items.kind() => Err(why.clone()),
            _ => vault.read(&key),
        };
        if let Err(why) = &found
            && why.is_of_the_whole_store()
        {
            *closed = Some((items.kind(), why.clone()));
        }
        match found {
            Err(why) => GrantState::Unknown(Unknown::Store(why)),
            Ok(None) => GrantState::Gone,
            Ok(Some(record)) if !fits(integration, &record) => GrantState::Outdated,
            Ok(Some(record)) => stored(record, refresh::last(&vault, &key)),
        }
    }
}

fn stored(record: Record, last: Option<LastRefresh>) -> GrantState {
    let grant = record.grant;
    let last = last.filter(|last| last.at() >= grant.obtained_at);
    let renewal = Renewal::of(&grant);
    let user = grant.id_token.as_ref().and_then(id_token_user);
    let (expiry, granted, obtained_at) = (grant.expiry, grant.granted, grant.obtained_at);
    GrantState::Stored { user, expiry, renewal, granted, obtained_at, last }
}

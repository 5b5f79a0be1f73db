//! What a new login does with the refresh token that is already stored.

use super::{Grant, Pinned, Record, same};
use crate::{catalog::OFFLINE_ACCESS, oauth::Expiry};

/// Whether new access tokens can be obtained without the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshable {
    /// There is no refresh token, or the provider no longer accepts it.
    No,
    /// There is a refresh token.
    Yes,
}

impl Grant {
    /// The grant of a new login for `pinned`. If the login brought no refresh token, it keeps the one that is stored for
    /// the same user: many providers return a refresh token at the first consent only, and the stored one stays valid
    /// (RFC 6749 section 6). Users are the same only if both logins have a `sub` of the same issuer (OpenID Connect Core
    /// section 5.7); client and token endpoint must be the same too, and so must the account, if the integration names the
    /// value that identifies it: one user may have several companies.
    #[must_use]
    pub fn keeping_refresh_token(self, pinned: &Pinned, stored: &Record) -> Self {
        let Record { pinned: before, grant: old, .. } = stored;
        let same_user = self.subject.is_some() && self.subject == old.subject && pinned.issuer == before.issuer;
        let same_client = pinned.client_id == before.client_id && pinned.token_endpoint == before.token_endpoint;
        let same_account = self.metadata.account() == old.metadata.account();
        if self.refresh_token.is_some() || !same_user || !same_client || !same_account {
            return self;
        }
        let (refresh_token, refreshable_until) = (old.refresh_token.clone(), old.refreshable_until);
        let expiry = match (self.expiry, &refresh_token) {
            // A token that can be refreshed is not used until a server rejects it.
            (Expiry::Unknown, Some(_)) => Expiry::Assumed(self.expiry.stored_end(self.obtained_at)),
            (expiry, _) => expiry,
        };
        Self { refresh_token, refreshable_until, expiry, ..self }
    }

    /// Whether a login has ended without a refresh token that somebody relies on. `before` is what it replaces. A provider
    /// that issues tokens without expiry and without refresh tokens takes nothing away, unless one was asked for (OpenID
    /// Connect Core section 11).
    pub fn misses_refresh_token(&self, before: Option<Refreshable>) -> bool {
        let relied_on = matches!(self.expiry, Expiry::At(_))
            || before == Some(Refreshable::Yes)
            || self.asked.contains(OFFLINE_ACCESS);
        self.refresh_token.is_none() && relied_on
    }

    /// This grant of a login with the refresh token of `refreshed`, if the login has kept the one of `before` while a
    /// refresh of `before` replaced it. `None`: the login has another one, or nothing was replaced.
    pub fn with_rotated(self, before: &Self, refreshed: &Self) -> Option<Self> {
        let [there, sent, new] = [&self, before, refreshed].map(|grant| grant.refresh_token.as_ref());
        let (refresh_token, refreshable_until) = (refreshed.refresh_token.clone(), refreshed.refreshable_until);
        (sent.is_some() && same(there, sent) && !same(new, sent)).then(|| Self {
            refresh_token,
            refreshable_until,
            ..self
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::{
        oauth::{AuthenticationMethod, ClientId, Endpoint, Issuer, Scopes, TokenType},
        secret::{SealKey, Secret},
    };

    fn pinned() -> Pinned {
        Pinned {
            issuer: Issuer::parse("https://op.example").ok(),
            token_endpoint: Endpoint::parse("https://op.example/token").expect("endpoint"),
            revocation_endpoint: None,
            authentication_method: AuthenticationMethod::default(),
            client_id: ClientId::parse("me").expect("id"),
        }
    }

    fn grant(subject: Option<&str>, refresh_token: Option<&str>) -> Grant {
        Grant {
            asked: Scopes::default(),
            granted: Scopes::default(),
            access_token: Secret::new("access".into()),
            token_type: TokenType::Bearer,
            expiry: Expiry::At(UNIX_EPOCH),
            refresh_token: refresh_token.map(|token| Secret::new(token.into())),
            refreshable_until: refresh_token.map(|_| UNIX_EPOCH + Duration::from_secs(9)),
            id_token: None,
            subject: subject.map(str::to_owned),
            metadata: crate::oauth::GrantMetadata::default(),
            obtained_at: UNIX_EPOCH,
        }
    }

    fn kept(login: Grant, pinned: &Pinned, stored_for: Option<&str>) -> Option<String> {
        let grant = grant(stored_for, Some("old"));
        let stored = Record { seal_key: SealKey::new([1; 32]), generation: 1, pinned: self::pinned(), grant };
        let after = login.keeping_refresh_token(pinned, &stored);
        assert_eq!(after.refresh_token.is_some(), after.refreshable_until.is_some(), "the end belongs to its token");
        after.refresh_token.map(|token| token.expose().to_owned())
    }

    #[test]
    fn d18_a_login_without_a_refresh_token_keeps_the_one_of_the_same_user() {
        let again = || grant(Some("ada"), None);
        assert_eq!(Some("old".into()), kept(again(), &pinned(), Some("ada")));
        assert_eq!(Some("new".into()), kept(grant(Some("ada"), Some("new")), &pinned(), Some("ada")));
    }

    #[test]
    fn d18_a_token_whose_end_nobody_states_is_refreshed_with_the_kept_refresh_token() {
        let again = Grant { expiry: Expiry::Unknown, ..grant(Some("ada"), None) };
        let before = grant(Some("ada"), Some("old"));
        let stored = Record { seal_key: SealKey::new([1; 32]), generation: 1, pinned: pinned(), grant: before };
        let kept = again.keeping_refresh_token(&pinned(), &stored);
        assert_eq!(Expiry::Assumed(UNIX_EPOCH + Duration::from_secs(3600)), kept.expiry);
    }

    #[test]
    fn d18_a_refresh_token_is_missed_where_the_token_ends_or_one_was_there_or_asked_for() {
        let unknown = || Grant { expiry: Expiry::Unknown, ..grant(None, None) };
        assert!(grant(None, None).misses_refresh_token(None), "the token has an end");
        assert!(unknown().misses_refresh_token(Some(Refreshable::Yes)), "one was there");
        let asked = Scopes::parse("read offline_access").expect("scopes");
        assert!(Grant { asked, ..unknown() }.misses_refresh_token(None), "one was asked for");
        assert!(!unknown().misses_refresh_token(None) && !unknown().misses_refresh_token(Some(Refreshable::No)));
        assert!(!grant(None, Some("new")).misses_refresh_token(Some(Refreshable::Yes)));
    }

    #[test]
    fn d18_nothing_is_kept_for_another_user_client_or_server_or_for_an_unknown_user() {
        let again = || grant(Some("ada"), None);
        assert_eq!(None, kept(again(), &pinned(), Some("bob")));
        assert_eq!(None, kept(again(), &pinned(), None));
        assert_eq!(None, kept(grant(None, None), &pinned(), Some("ada")));
        assert_eq!(None, kept(grant(None, None), &pinned(), None), "nothing shows that it is the same user");
        let issuer = Issuer::parse("https://other.example").ok();
        let token_endpoint = Endpoint::parse("https://op.example/other").expect("endpoint");
        let client_id = ClientId::parse("another").expect("id");
        for other in
            [Pinned { issuer, ..pinned() }, Pinned { token_endpoint, ..pinned() }, Pinned { client_id, ..pinned() }]
        {
            assert_eq!(None, kept(again(), &other, Some("ada")), "{other:?}");
        }
    }

    #[test]
    fn d10_no_refresh_token_of_another_account_is_kept_for_the_same_user() {
        let of = |company: &str| {
            let stored = format!(r#"{{"values":{{"realmId":"{company}"}},"account":"realmId"}}"#);
            let metadata = serde_json::from_str(&stored).expect("metadata");
            Grant { metadata, ..grant(Some("ada"), Some("old")) }
        };
        let kept = |company: &str| {
            let stored = Record { seal_key: SealKey::new([1; 32]), generation: 1, pinned: pinned(), grant: of("1") };
            let login = Grant { refresh_token: None, ..of(company) };
            login.keeping_refresh_token(&pinned(), &stored).refresh_token.is_some()
        };
        assert!(kept("1"));
        assert!(!kept("2"), "the same user at another company");
    }
}

//! What a login has to ask for so that the provider gives a refresh token.

use std::fmt;

use crate::oauth::{ExtraParameters, Scopes};

/// The scope of OpenID Connect Core section 11.
pub const OFFLINE_ACCESS: &str = "offline_access";
/// Required beside it, by the same section.
const CONSENT: (&str, &str) = ("prompt", "consent");

/// `offline_scopes` and `offline_params`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offline {
    pub scopes: Scopes,
    pub params: OfflineParams,
}

/// Parameters of the authorization request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OfflineParams {
    /// `prompt=consent` wherever the scope `offline_access` is requested (OpenID Connect Core section 11).
    #[default]
    OpenIdConnect,
    Stated(ExtraParameters),
}

/// What was added to a login that did not state it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddedForOffline {
    scopes: Scopes,
    params: Vec<(String, String)>,
}

impl AddedForOffline {
    pub fn is_empty(&self) -> bool {
        self.scopes.is_empty() && self.params.is_empty()
    }
}

/// `scope offline_access, prompt=consent`
impl fmt::Display for AddedForOffline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scopes = self.scopes.iter().map(|scope| format!("scope {}", scope.as_str()));
        let params = self.params.iter().map(|(name, value)| format!("{name}={value}"));
        f.write_str(&scopes.chain(params).collect::<Vec<_>>().join(", "))
    }
}

/// What may bring the refresh token that a login did not get.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OfflineAdvice {
    /// The login asked for it in the way that is known to work: the client may not be allowed to have one.
    Asked,
    /// What the provider's preset says.
    OfProvider {
        /// What people call the provider.
        provider: String,
        /// In words.
        text: String,
    },
    /// This was left out, or sent with another value.
    Send(AddedForOffline),
    /// Nothing is known of the provider.
    Unknown,
}

impl Offline {
    /// For a login that has sent these and got no refresh token.
    pub fn advice(&self, scopes: &Scopes, extra: &ExtraParameters) -> OfflineAdvice {
        let sent = |(name, value): &(&str, &str)| extra.iter().any(|sent| sent == (*name, *value));
        let wanted = self.wanted(scopes);
        let missing: Vec<_> =
            wanted.iter().filter(|pair| !sent(pair)).map(|(n, v)| ((*n).into(), (*v).into())).collect();
        match (missing.is_empty(), wanted.is_empty() && self.scopes.is_empty() && !scopes.contains(OFFLINE_ACCESS)) {
            (false, _) => OfflineAdvice::Send(AddedForOffline { scopes: Scopes::default(), params: missing }),
            (true, false) => OfflineAdvice::Asked,
            (true, true) => OfflineAdvice::Unknown,
        }
    }

    /// The parameters of a login with these scopes.
    fn wanted(&self, scopes: &Scopes) -> Vec<(&str, &str)> {
        match &self.params {
            OfflineParams::Stated(params) => params.iter().collect(),
            OfflineParams::OpenIdConnect if scopes.contains(OFFLINE_ACCESS) => vec![CONSENT],
            OfflineParams::OpenIdConnect => Vec::new(),
        }
    }

    /// Adds what is missing. A parameter that is set already keeps its value.
    pub fn complete(&self, scopes: &mut Scopes, extra: &mut ExtraParameters) -> AddedForOffline {
        let params = self.wanted(&self.scopes.union(scopes));
        self.with(scopes, extra, &params)
    }

    /// The same for a device authorization request. Stated parameters are those of an authorization request, and Google
    /// refuses parameters that it does not expect.
    pub fn complete_for_device(&self, scopes: &mut Scopes, extra: &mut ExtraParameters) -> AddedForOffline {
        match &self.params {
            OfflineParams::OpenIdConnect => self.complete(scopes, extra),
            OfflineParams::Stated(_) => self.with(scopes, extra, &[]),
        }
    }

    fn with(&self, scopes: &mut Scopes, extra: &mut ExtraParameters, params: &[(&str, &str)]) -> AddedForOffline {
        let missing = self.scopes.without(scopes);
        *scopes = scopes.union(&missing);
        let mut added = AddedForOffline { scopes: missing, params: Vec::new() };
        for (name, value) in params {
            // What the flow owns was refused when the table was read.
            if !extra.has(name) && extra.add(name, value).is_ok() {
                added.params.push(((*name).to_owned(), (*value).to_owned()));
            }
        }
        added
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(text: &str) -> Scopes {
        Scopes::parse(text).expect("scopes")
    }

    fn params(list: &[(&str, &str)]) -> ExtraParameters {
        let mut params = ExtraParameters::default();
        list.iter().for_each(|(name, value)| params.add(name, value).expect("a parameter"));
        params
    }

    /// Scopes and parameters as they are sent, and what was added to them.
    fn completed(offline: &Offline, asked: &str, extra: &[(&str, &str)]) -> (Scopes, ExtraParameters, String) {
        let (mut scopes, mut extra) = (scopes(asked), params(extra));
        let added = offline.complete(&mut scopes, &mut extra);
        (scopes, extra, added.to_string())
    }

    #[test]
    fn d15_offline_access_brings_the_consent_without_which_strict_servers_give_no_refresh_token() {
        let usual = Offline::default();
        let consent = params(&[("prompt", "consent")]);
        let sent = completed(&usual, "openid offline_access", &[]);
        assert_eq!((scopes("openid offline_access"), consent, "prompt=consent".to_owned()), sent);
        let stated = params(&[("prompt", "select_account")]);
        let sent = completed(&usual, "offline_access", &[("prompt", "select_account")]);
        assert_eq!((scopes("offline_access"), stated, String::new()), sent, "a stated prompt counts");
        assert_eq!((scopes("openid"), params(&[]), String::new()), completed(&usual, "openid", &[]));
    }

    #[test]
    fn d15_what_a_provider_needs_is_added_and_said() {
        let google = Offline {
            scopes: Scopes::default(),
            params: OfflineParams::Stated(params(&[("access_type", "offline"), ("prompt", "consent")])),
        };
        let (_, extra, added) = completed(&google, "email", &[("access_type", "online")]);
        assert_eq!((params(&[("access_type", "online"), ("prompt", "consent")]), "prompt=consent"), (extra, &*added));
        let entra = Offline { scopes: scopes("offline_access"), params: OfflineParams::Stated(params(&[])) };
        let (sent, extra, added) = completed(&entra, "User.Read", &[]);
        assert_eq!(
            (scopes("User.Read offline_access"), params(&[])),
            (sent, extra),
            "no consent where it is not wanted"
        );
        assert_eq!("scope offline_access", added);
    }

    #[test]
    fn d18_a_login_without_a_refresh_token_learns_what_it_left_out() {
        let google = Offline {
            scopes: Scopes::default(),
            params: OfflineParams::Stated(params(&[("access_type", "offline"), ("prompt", "consent")])),
        };
        let (usual, login) = (Offline::default(), &[("access_type", "offline"), ("prompt", "login")][..]);
        let OfflineAdvice::Send(missing) = google.advice(&scopes("email"), &params(login)) else { panic!("nothing") };
        assert_eq!("prompt=consent", missing.to_string());
        let whole = params(&[("access_type", "offline"), ("prompt", "consent")]);
        assert_eq!(OfflineAdvice::Asked, google.advice(&scopes("email"), &whole));
        assert_eq!(OfflineAdvice::Unknown, usual.advice(&scopes("read"), &params(&[])));
        let consent = params(&[("prompt", "consent")]);
        assert_eq!(OfflineAdvice::Asked, usual.advice(&scopes("offline_access"), &consent));
    }

    #[test]
    fn d15_nothing_is_added_where_the_user_wants_nothing() {
        let none = Offline { scopes: Scopes::default(), params: OfflineParams::Stated(params(&[])) };
        let sent = completed(&none, "offline_access", &[]);
        assert_eq!((scopes("offline_access"), params(&[]), String::new()), sent);
    }

    #[test]
    fn a_device_authorization_request_gets_the_scopes_and_the_consent_of_openid_connect_and_nothing_else() {
        let completed = |offline: &Offline, asked: &str| {
            let (mut scopes, mut extra) = (scopes(asked), params(&[]));
            offline.complete_for_device(&mut scopes, &mut extra);
            (scopes, extra)
        };
        let consent = params(&[("prompt", "consent")]);
        assert_eq!((scopes("offline_access"), consent), completed(&Offline::default(), "offline_access"));
        let google = OfflineParams::Stated(params(&[("access_type", "offline"), ("prompt", "consent")]));
        let google = Offline { scopes: Scopes::default(), params: google };
        assert_eq!((scopes("email"), params(&[])), completed(&google, "email"));
        let entra = Offline { scopes: scopes("offline_access"), params: OfflineParams::Stated(params(&[])) };
        assert_eq!((scopes("User.Read offline_access"), params(&[])), completed(&entra, "User.Read"));
    }
}

//! On behalf of which organisation a call is made (seed 002, "active organisation preference").

use std::fmt;

use super::{Role, Verified};
use crate::vault::AccountName;

/// An organisation, as the issuer names it: 1 to 254 bytes of printable text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrgKey(String);

impl OrgKey {
    /// `None` for what is no such text; the alphabet is that of users.
    pub fn parse(text: &str) -> Option<Self> {
        AccountName::parse(text).ok().map(|_| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrgKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a token says about organisations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Membership {
    /// The one that the token is for.
    pub claimed: Option<OrgKey>,
    /// All that the user belongs to; `None` if the token does not list them.
    pub listed: Option<Vec<OrgKey>>,
    /// The name of the header in which a request can choose.
    pub header: Option<String>,
}

/// Who calls, and on behalf of whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub user: AccountName,
    pub org: OrgKey,
    pub role: Role,
}

/// Why no organisation was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrgRefused {
    /// One was asked for, or is in the token, of which the user is no member.
    Forbidden,
    /// Nobody said which.
    Required,
}

impl Verified {
    /// The name of the header that chooses an organisation, if the configuration has one.
    pub fn org_header(&self) -> Option<&str> {
        self.membership.header.as_deref()
    }

    /// The organisation of the header, else of the token, else the only one that the user belongs to.
    ///
    /// # Errors
    /// There is none, or the user does not belong to it.
    pub fn caller(&self, header: Option<&str>) -> Result<Caller, OrgRefused> {
        let Membership { claimed, listed, header: name } = &self.membership;
        let chosen = match (name.as_ref().and(header), claimed, listed.as_deref()) {
            (Some(text), ..) => OrgKey::parse(text).ok_or(OrgRefused::Forbidden)?,
            (None, Some(claimed), _) => claimed.clone(),
            (None, None, Some([only])) => only.clone(),
            (None, None, _) => return Err(OrgRefused::Required),
        };
        // Without a list the token speaks for its own organisation and for no other.
        let member = match listed {
            Some(listed) => listed.contains(&chosen),
            None => claimed.as_ref() == Some(&chosen),
        };
        match member {
            true => Ok(Caller { user: self.user.clone(), org: chosen, role: self.role }),
            false => Err(OrgRefused::Forbidden),
        }
    }

    /// Whether the user still belongs to an organisation that was chosen earlier.
    pub fn belongs_to(&self, org: &OrgKey) -> bool {
        match &self.membership.listed {
            Some(listed) => listed.contains(org),
            None => self.membership.claimed.as_ref() == Some(org),
        }
    }
}

//! The organization of a call: the header's, otherwise the token's, otherwise the user's only one.

use super::{Role, Verified};
use crate::vault::{OrgKey, Owner};

/// What a token contains about organizations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Membership {
    /// The organization that the token is for.
    pub claimed: Option<OrgKey>,
    /// All organizations of the user; `None` if the token does not list them.
    pub listed: Option<Vec<OrgKey>>,
    /// The header in which a request can choose one.
    pub header: Option<String>,
}

/// The caller and the owner of the connections that it may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user and the organization.
    pub owner: Owner,
    /// For whom the caller may act.
    pub role: Role,
}

/// Why there is no organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrgRefused {
    /// The header or the token names one that the user does not belong to.
    Forbidden,
    /// None is named, and the user has not exactly one.
    Required,
}

impl Verified {
    /// The header that chooses an organization, if the configuration has one.
    pub fn org_header(&self) -> Option<&str> {
        self.membership.header.as_deref()
    }

    /// Chooses the organization: the header's, otherwise the token's, otherwise the user's only one.
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
        // Without a list a token is good for its own organization only.
        let member = match listed {
            Some(listed) => listed.contains(&chosen),
            None => claimed.as_ref() == Some(&chosen),
        };
        match member {
            true => {
                let (namespace, user) = (self.namespace.clone(), self.user.clone());
                Ok(Caller { owner: Owner { namespace, user, org: chosen }, role: self.role })
            }
            false => Err(OrgRefused::Forbidden),
        }
    }

    /// Whether this is the same user of the same issuer, who has left the organization of `owner`.
    pub fn has_left(&self, owner: &Owner) -> bool {
        let same_user = (&self.namespace, &self.user) == (&owner.namespace, &owner.user);
        same_user && !self.belongs_to(&owner.org)
    }

    fn belongs_to(&self, org: &OrgKey) -> bool {
        match &self.membership.listed {
            Some(listed) => listed.contains(org),
            None => self.membership.claimed.as_ref() == Some(org),
        }
    }
}

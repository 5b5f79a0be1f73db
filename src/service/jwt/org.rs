//! On behalf of which organization a call is made: the header's, else the token's, else the only one.

use super::{Role, Verified};
use crate::vault::{OrgKey, Owner};

/// What a token says about organizations.
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
    pub owner: Owner,
    pub role: Role,
}

/// Why no organization was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrgRefused {
    /// One was asked for, or is in the token, of which the user is no member.
    Forbidden,
    /// Nobody said which.
    Required,
}

impl Verified {
    /// The name of the header that chooses an organization, if the configuration has one.
    pub fn org_header(&self) -> Option<&str> {
        self.membership.header.as_deref()
    }

    /// The organization of the header, else of the token, else the only one that the user belongs to.
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
        // Without a list the token speaks for its own organization and for no other.
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

    /// Whether this is the same user of the same issuer, who has left the organization since it was chosen.
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

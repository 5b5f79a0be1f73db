//! Handing out an id_token. It comes with an access token, so a stale one is renewed by a refresh of that.

use super::{Error, GrantId, Grants};
use crate::{
    oauth::id_token_validity,
    refresh::{MinTtl, Rejected, Validity, Wish, Worth},
    secret::Secret,
    system::clock,
    vault::Record,
};

/// An id_token and its life.
#[derive(Clone, Debug)]
pub struct IdToken {
    pub token: Secret,
    pub validity: Validity,
}

impl Grants {
    /// An id_token that is valid for as long as the caller asks.
    ///
    /// # Errors
    /// As [`Grants::access_token`], or the provider gives no id_token, or none with a refresh.
    pub fn id_token(&self, grant: &GrantId, wish: &Wish) -> Result<IdToken, Error> {
        let record = self.access_token(grant, &Wish { min_ttl: MinTtl::Margin, ..wish.clone() })?;
        let found = read(grant, &record)?;
        if found.validity.worth(wish.min_ttl, clock::now()) == Worth::Fresh {
            return Ok(found);
        }
        let life = found.validity.life();
        if matches!(wish.min_ttl, MinTtl::AtLeast(wanted) if wanted >= life) {
            return Err(Error::ShortIdTokens { integration: grant.integration.clone(), life });
        }
        // A refresh has come since and has not brought a new one: another would not either.
        let brings_none = record.grant.obtained_at > found.validity.from + life / 2;
        let found = match brings_none {
            true => found,
            false => {
                let rejected = Some(Rejected::of(&record.grant.access_token));
                read(grant, &self.access_token(grant, &Wish { min_ttl: MinTtl::Margin, rejected })?)?
            }
        };
        match found.validity.worth(wish.min_ttl, clock::now()) {
            Worth::Fresh => Ok(found),
            Worth::Short { .. } if wish.takes_short() => Ok(found),
            Worth::Short { left } => Err(Error::ShortIdToken { left }),
            Worth::Expired { .. } | Worth::Rejected => Err(Error::IdTokenExpired(grant.clone())),
        }
    }
}

fn read(grant: &GrantId, record: &Record) -> Result<IdToken, Error> {
    let token = record.grant.id_token.clone().ok_or_else(|| Error::NoIdToken(grant.clone()))?;
    let (from, until) = id_token_validity(&token).ok_or_else(|| Error::IdTokenUnreadable(grant.clone()))?;
    Ok(IdToken { token, validity: Validity { from, until } })
}

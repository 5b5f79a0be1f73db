//! What `loopin logout` led to.

use serde_json::{Value, json};

#[derive(Debug)]
pub struct LoggedOut {
    pub integration: String,
    pub account: String,
    pub action: String,
    pub revocation: Revocation,
}

impl LoggedOut {
    pub(super) fn text(&self) -> String {
        let said = match &self.revocation {
            Revocation::NothingToRevoke => return format!("nobody was logged in to {}\n", self.integration),
            Revocation::NotOffered => {
                "the provider offers no revocation, so the tokens stay valid there until they expire"
            }
            Revocation::NotWanted => "the tokens stay valid at the provider until they expire",
            Revocation::Revoked => "the tokens are revoked at the provider",
            Revocation::Unconfirmed(_) => "the provider did not confirm the revocation",
        };
        format!("logged out of {}; {said}\n", self.integration)
    }

    pub(super) fn json(&self) -> Value {
        let Self { integration, account, action, revocation } = self;
        json!({
            "integration": integration, "account": account, "action": action,
            "revocation": revocation.word(), "revocation_error": match revocation { Revocation::Unconfirmed(why) => Some(why), _ => None },
        })
    }
}

/// What the provider was told at logout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// Nothing was stored.
    NothingToRevoke,
    /// The provider names no revocation endpoint.
    NotOffered,
    NotWanted,
    Revoked,
    Unconfirmed(String),
}

impl Revocation {
    fn word(&self) -> &'static str {
        match self {
            Self::NothingToRevoke => "nothing_stored",
            Self::NotOffered => "not_offered",
            Self::NotWanted => "local",
            Self::Revoked => "revoked",
            Self::Unconfirmed(_) => "unconfirmed",
        }
    }
}

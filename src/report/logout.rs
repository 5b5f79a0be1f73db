//! What `loopin logout` led to.

use serde_json::{Value, json};

use crate::grants::{LoggedOut, Revocation};

pub(super) fn text(LoggedOut { grant, revocation }: &LoggedOut) -> String {
    let said = match revocation {
        Revocation::NothingToRevoke => return format!("nobody was logged in to {}\n", grant.integration),
        Revocation::NotOffered => {
            "the provider names no revocation endpoint, so the tokens stay valid there until they expire; if it has one, \
             write it as revocation_endpoint"
        }
        Revocation::NotWanted => "the tokens stay valid at the provider until they expire",
        Revocation::Revoked => "the tokens are revoked at the provider",
        Revocation::Unconfirmed(_) => "the provider did not confirm the revocation",
    };
    format!("logged out of {}; {said}\n", grant.integration)
}

pub(super) fn json(LoggedOut { grant, revocation }: &LoggedOut) -> Value {
    let error = match revocation {
        Revocation::Unconfirmed(why) => Some(why.to_string()),
        _ => None,
    };
    json!({
        "integration": grant.integration.as_str(), "account": grant.account.as_str(), "action": grant.action.as_str(),
        "revocation": word(revocation), "revocation_error": error,
    })
}

fn word(revocation: &Revocation) -> &'static str {
    match revocation {
        Revocation::NothingToRevoke => "nothing_stored",
        Revocation::NotOffered => "not_offered",
        Revocation::NotWanted => "local",
        Revocation::Revoked => "revoked",
        Revocation::Unconfirmed(_) => "unconfirmed",
    }
}

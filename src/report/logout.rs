//! What `loopin logout` led to, and which logins are left.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{command, remedy::of_grant};
use crate::{
    catalog::StoreKind,
    grants::{GrantId, LoggedOut, Revocation},
    vault::{AccountName, ActionKey},
};

/// Logins that have ended, and those to the same integration that have not.
#[derive(Debug)]
pub struct Logout {
    pub ended: Vec<LoggedOut>,
    pub left: Vec<Left>,
    pub asked: Which,
}

/// What the command was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    All,
    One,
}

/// A login that is still stored.
#[derive(Debug)]
pub struct Left {
    pub grant: GrantId,
    pub place: LeftIn,
}

/// Where a login that is left is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftIn {
    /// In a keychain or directory that is not in use.
    Elsewhere,
    /// In the other store of this machine.
    Other(StoreKind),
    /// Where the command would look for it.
    Usual,
}

impl Left {
    fn command(&self) -> String {
        let mut words = of_grant("logout", &self.grant);
        match self.place {
            LeftIn::Elsewhere => words.push("--local"),
            LeftIn::Other(kind) => words.extend(["--store", kind.as_str()]),
            LeftIn::Usual => {}
        }
        command(words)
    }
}

pub(super) fn text(Logout { ended, left, asked }: &Logout) -> String {
    let mut text: String = ended.iter().map(one).collect();
    if ended.is_empty() && *asked == Which::All {
        text += "nobody was logged in\n";
    }
    if let Some(first) = left.first() {
        text += "still stored:\n";
        for left in left {
            let place = match left.place {
                LeftIn::Elsewhere => " (in a keychain or directory that is not in use; this only forgets it)",
                LeftIn::Other(_) | LeftIn::Usual => "",
            };
            let _ = writeln!(text, "  {}{place}: {}", left.grant.within(), left.command());
        }
        if left.len() > 1 && *asked == Which::One {
            let all = command(["logout", first.grant.integration.as_str(), "--all"]);
            let _ = writeln!(text, "  all of them: {all}");
        }
    }
    text
}

fn one(LoggedOut { grant, revocation }: &LoggedOut) -> String {
    let which = match grant.account == AccountName::default() && grant.action == ActionKey::All {
        true => String::new(),
        false => format!(" ({})", grant.within()),
    };
    let said = match revocation {
        Revocation::Forgotten => {
            "its store cannot be opened: what loopin knew about it is gone, the tokens are still there"
        }
        Revocation::NothingToRevoke => return format!("nobody was logged in to {}{which}\n", grant.integration),
        Revocation::NotOffered => {
            "the provider names no revocation endpoint, so the tokens stay valid there until they expire; if it has one, \
             write it as revocation_endpoint"
        }
        Revocation::NotWanted => "the tokens stay valid at the provider until they expire",
        Revocation::Revoked => "the tokens are revoked at the provider",
        Revocation::Unconfirmed(_) => "the provider did not confirm the revocation",
    };
    format!("logged out of {}{which}; {said}\n", grant.integration)
}

pub(super) fn json(logout: &Logout) -> Value {
    let left: Vec<_> = logout.left.iter().map(left_json).collect();
    let mut ended = logout.ended.iter().map(ended_json);
    match logout.asked {
        Which::All => json!({ "logged_out": ended.collect::<Vec<_>>(), "left": left }),
        Which::One => {
            let mut one = ended.next().unwrap_or_else(|| json!({}));
            one["left"] = left.into();
            one
        }
    }
}

fn left_json(left: &Left) -> Value {
    json!({
        "integration": left.grant.integration.as_str(), "account": left.grant.account.as_str(),
        "action": left.grant.action.as_str(), "command": left.command(),
    })
}

pub(super) fn ended_json(LoggedOut { grant, revocation }: &LoggedOut) -> Value {
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
        Revocation::Forgotten => "forgotten",
        Revocation::NothingToRevoke => "nothing_stored",
        Revocation::NotOffered => "not_offered",
        Revocation::NotWanted => "local",
        Revocation::Revoked => "revoked",
        Revocation::Unconfirmed(_) => "unconfirmed",
    }
}

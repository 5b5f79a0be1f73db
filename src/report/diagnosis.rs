//! What `integration diagnose` found.

use std::fmt::Write;

use serde_json::{Value, json};

use super::Code;
use crate::{
    oauth::{Advice, BodyKind, Diagnosis, ExchangeError, ExpirySource, ScopeSpelling, Taken},
    refresh::{Before, Failed, Judgement, Verdict},
};

/// A saved token response, described.
#[derive(Debug)]
pub struct Diagnosed {
    pub diagnosis: Diagnosis,
    /// If it was saved.
    pub status: Option<u16>,
}

/// What a refresh that gets the response comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// Tokens, if the lines are written.
    Lines,
    Refused(Verdict),
    Tokens,
}

impl Diagnosed {
    fn meaning(&self) -> Meaning {
        let advised = self.diagnosis.advice.iter().any(|advice| matches!(advice, Advice::TokenAt(_)));
        match &self.diagnosis.reading {
            Ok(_) => Meaning::Tokens,
            Err(_) if advised => Meaning::Lines,
            Err(error) => Meaning::Refused(verdict(error)),
        }
    }

    pub(super) fn exit(&self) -> u8 {
        match self.meaning() {
            Meaning::Tokens => 0,
            Meaning::Lines => Code::Configuration.exit(),
            Meaning::Refused(verdict) => code(verdict).exit(),
        }
    }

    pub(super) fn text(&self) -> String {
        let Diagnosis { body, names, reading, advice, with_advice } = &self.diagnosis;
        let status = self.status.map(|status| format!(", status {status}")).unwrap_or_default();
        let mut text = match names.is_empty() {
            true => format!("the response is {body}{status}\n"),
            false => format!("the response is {body}{status}, with:\n"),
        };
        names.paths().iter().for_each(|path| text += &format!("  {path}\n"));
        if names.left_out() > 0 {
            let _ = writeln!(text, "  and {} more", names.left_out());
        }
        let _ = writeln!(text, "\n{}", self.words());
        if let Some(taken) = reading.as_ref().ok().or(with_advice.as_ref()) {
            rows(taken).into_iter().for_each(|(what, from)| text += &format!("  {what:14} {from}\n"));
        }
        let (lines, notes): (Vec<_>, Vec<_>) = advice.iter().partition(|advice| advice.line().is_some());
        if !lines.is_empty() {
            text += "\nlines for [integration.NAME]:\n";
            for advice in lines {
                let _ = writeln!(text, "  {}\n    {}", advice.line().unwrap_or_default(), advice.why());
            }
        }
        notes.iter().for_each(|advice| text += &format!("\nnote: {}\n", advice.why()));
        text
    }

    fn words(&self) -> &'static str {
        match self.meaning() {
            Meaning::Tokens => "loopin takes:",
            Meaning::Lines => "loopin takes nothing from it as it is, and with the lines below:",
            Meaning::Refused(Verdict::Dead) => {
                "an error: at a refresh it means that the refresh token is no longer valid, and the user has to log in again"
            }
            Meaning::Refused(Verdict::Misconfigured) => {
                "an error: the provider rejects the client, and the grant is kept"
            }
            Meaning::Refused(Verdict::Ambiguous) => {
                "an error that loopin does not know: the client, the request or the grant may be at fault, and the grant is kept"
            }
            Meaning::Refused(Verdict::Refused) => {
                "tokens that loopin does not accept: they have characters that no header can carry, or are bound to a key"
            }
            Meaning::Refused(_) => match self.diagnosis.reading {
                Err(ExchangeError::Denied(_)) => "an error: the provider is busy, so try later; the grant is kept",
                _ => "no token response and no error that loopin knows: try later; the grant is kept",
            },
        }
    }

    pub(super) fn json(&self) -> Value {
        let Diagnosis { body, names, reading, advice, with_advice } = &self.diagnosis;
        let verdict = match self.meaning() {
            Meaning::Tokens => "tokens",
            Meaning::Lines => "lines_missing",
            Meaning::Refused(Verdict::Dead | Verdict::NoRefreshToken) => "dead_grant",
            Meaning::Refused(Verdict::Ambiguous) => "unknown_error",
            Meaning::Refused(Verdict::Misconfigured) => "client_rejected",
            Meaning::Refused(Verdict::OtherSubject | Verdict::Refused) => "unusable",
            Meaning::Refused(Verdict::Transient) => "later",
        };
        let lines = advice.iter().map(|advice| json!({ "line": advice.line(), "reason": advice.why() }));
        json!({
            "body": match body {
                BodyKind::Empty => "empty",
                BodyKind::Form => "form",
                BodyKind::Html => "html",
                BodyKind::Json => "json",
                BodyKind::Other => "other",
            },
            "status": self.status,
            "members": names.paths(),
            "members_left_out": names.left_out(),
            "result": verdict,
            "takes": reading.as_ref().ok().map(taken),
            "takes_with_lines": with_advice.as_ref().map(taken),
            "lines": lines.collect::<Vec<_>>(),
        })
    }
}

/// The one judgement of refusals, as of a refresh.
fn verdict(error: &ExchangeError) -> Verdict {
    Judgement::of(&Failed::Exchange { error: error.clone(), before: Before::Nothing }).verdict
}

fn code(verdict: Verdict) -> Code {
    match verdict {
        Verdict::Ambiguous | Verdict::Misconfigured => Code::Configuration,
        Verdict::Dead | Verdict::NoRefreshToken => Code::LoginRequired,
        Verdict::OtherSubject | Verdict::Refused => Code::Refused,
        Verdict::Transient => Code::Unavailable,
    }
}

fn rows(taken: &Taken) -> Vec<(&'static str, String)> {
    let expiry = match &taken.expiry {
        ExpirySource::Member(at) => format!("by {at}"),
        ExpirySource::Jwt => "by exp of the access token, which is a JWT".into(),
        ExpirySource::Assumed => "not stated: refreshed after an hour".into(),
        ExpirySource::Unknown => "not stated: used until a server rejects it".into(),
    };
    let scopes = taken.scope.as_ref().map(|scope| match scope.spelling {
        ScopeSpelling::List => format!("{}, a list", scope.at),
        ScopeSpelling::Single => format!("{}, a single one", scope.at),
        ScopeSpelling::Separated(' ') => format!("{}, separated by spaces", scope.at),
        ScopeSpelling::Separated(separator) => format!("{}, separated by \"{separator}\"", scope.at),
    });
    let refresh_token = taken.refresh_token.clone().unwrap_or_else(|| "none".into());
    let mut rows =
        vec![("access token", taken.access_token.clone()), ("expires", expiry), ("refresh token", refresh_token)];
    rows.push(("scopes", scopes.unwrap_or_else(|| "not stated: those that were asked for".into())));
    rows.extend(taken.id_token.clone().map(|at| ("id token", at)));
    rows
}

fn taken(taken: &Taken) -> Value {
    let (expiry, at) = match &taken.expiry {
        ExpirySource::Member(at) => ("member", Some(at)),
        ExpirySource::Jwt => ("jwt", None),
        ExpirySource::Assumed => ("assumed", None),
        ExpirySource::Unknown => ("unknown", None),
    };
    let separator = taken.scope.as_ref().and_then(|scope| match scope.spelling {
        ScopeSpelling::Separated(separator) => Some(separator),
        ScopeSpelling::List | ScopeSpelling::Single => None,
    });
    json!({
        "access_token_at": taken.access_token,
        "expiry": expiry,
        "expiry_at": at,
        "refresh_token_at": taken.refresh_token,
        "id_token_at": taken.id_token,
        "scope_at": taken.scope.as_ref().map(|scope| &scope.at),
        "scope_separator": separator,
    })
}

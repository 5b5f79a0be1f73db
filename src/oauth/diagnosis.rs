//! What a token response looks like, what loopin takes from it, and which fields of the configuration would let it take
//! more: for `-v`, for the service's log and for `integration diagnose`. Names of members only, never a value.

mod advice;
mod names;
mod observed;
mod saved;

use std::{collections::BTreeMap, fmt, time::SystemTime};

use serde_json::Value;

use super::{
    ExchangeError, Expiry, HttpResponse, Meaning, TokenRules, TokenSet, WireDialect,
    normalise::{self, Fields, Form, LIFE, Members},
};
pub use advice::Advice;
pub use names::MemberNames;
pub use observed::Observed;
pub use saved::{NotAResponse, SavedResponse};

/// A token response, described.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    pub body: BodyKind,
    /// Of a body with members.
    pub names: MemberNames,
    /// What the reader of responses makes of it, by the dialect that is configured.
    pub reading: Result<Taken, ExchangeError>,
    /// Fields with which it would be read, or read otherwise.
    pub advice: Vec<Advice>,
    /// What is taken with [`Advice::TokenAt`], if nothing is taken without it.
    pub with_advice: Option<Taken>,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    Empty,
    Form,
    Html,
    Json,
    /// Neither JSON nor a form.
    Other,
}

impl fmt::Display for BodyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty",
            Self::Form => "a form",
            Self::Html => "an HTML page",
            Self::Json => "a JSON object",
            Self::Other => "neither a JSON object nor a form",
        })
    }
}

/// Which members the tokens are taken from, as paths such as `authed_user.access_token`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub access_token: String,
    pub expiry: ExpirySource,
    pub refresh_token: Option<String>,
    pub id_token: Option<String>,
    pub scope: Option<TakenScope>,
}

/// Where the end of the access token is known from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpirySource {
    /// Nothing states it; the token can be refreshed after an hour.
    Assumed,
    /// `exp` of an access token that is a JWT.
    Jwt,
    Member(String),
    /// Nothing states it; the token is used until a server rejects it.
    Unknown,
}

/// The granted scopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenScope {
    pub at: String,
    pub spelling: ScopeSpelling,
}

/// How several scopes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeSpelling {
    List,
    /// There is one scope at most.
    Single,
    Separated(char),
}

/// Characters that stand between scopes, RFC 6749 section 3.3 first.
const SEPARATORS: [char; 4] = [' ', ',', ';', '|'];

impl ScopeSpelling {
    fn of(value: &Value) -> Self {
        match value.as_str() {
            None => Self::List,
            Some(text) => {
                let used = SEPARATORS.into_iter().find(|separator| text.trim().contains(*separator));
                used.map_or(Self::Single, Self::Separated)
            }
        }
    }
}

impl Diagnosis {
    /// Of a response at a provider with this dialect. `now` dates the tokens.
    pub fn of(response: &HttpResponse, dialect: &WireDialect, now: SystemTime) -> Self {
        let read = |dialect: &WireDialect| TokenSet::of_response(response.clone(), dialect, now);
        let (body, fields) = body_of(response);
        let tokens = read(dialect);
        let advice = advice::of(response.status().as_u16(), &fields, dialect, &tokens, &read);
        let with_advice = advice.iter().find_map(|advice| {
            let Advice::TokenAt(path) = advice else { return None };
            let token = TokenRules { token_at: Some(path.clone()), ..dialect.token.clone() };
            let dialect = WireDialect { token, ..dialect.clone() };
            Some(taken(&read(&dialect).ok()?, response, &fields, &dialect))
        });
        let reading = tokens.map(|tokens| taken(&tokens, response, &fields, dialect));
        Self { body, names: MemberNames::of(&fields), reading, advice, with_advice }
    }

    /// Whether it is worth a line: no tokens in it and no error that is understood, or something that a field would change.
    pub fn is_news(&self) -> bool {
        let understood = match &self.reading {
            Ok(_) => true,
            Err(ExchangeError::Denied(response)) => response.meaning != Meaning::Unknown,
            Err(_) => false,
        };
        !understood || self.advice.iter().any(Advice::is_about_reading)
    }
}

/// One line: what there is, and the fields that would read it.
impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.names.is_empty() {
            true => write!(f, "the token response is {}", self.body)?,
            false => write!(f, "the token response is {} with {}", self.body, self.names)?,
        }
        for advice in self.advice.iter().filter(|advice| advice.is_about_reading()) {
            match advice.line() {
                Some(line) => write!(f, "; {}: {line}", advice.why())?,
                None => write!(f, "; {}", advice.why())?,
            }
        }
        Ok(())
    }
}

/// Members that tell a form from any other text with an equals sign.
const OF_A_FORM: [&str; 4] = ["access_token", "error", "expires_in", "token_type"];

fn body_of(response: &HttpResponse) -> (BodyKind, Fields) {
    let text = String::from_utf8_lossy(response.body());
    let text = text.trim_start_matches('\u{feff}').trim();
    let nothing = |kind| (kind, BTreeMap::new());
    match normalise::members(response) {
        Some((Members { fields, .. }, Form::Json)) => (BodyKind::Json, fields),
        Some((Members { fields, .. }, Form::Encoded)) if OF_A_FORM.iter().any(|name| fields.contains_key(*name)) => {
            (BodyKind::Form, fields)
        }
        _ if text.is_empty() => nothing(BodyKind::Empty),
        _ if text.starts_with('<') => nothing(BodyKind::Html),
        _ => nothing(BodyKind::Other),
    }
}

fn taken(tokens: &TokenSet, response: &HttpResponse, fields: &Fields, dialect: &WireDialect) -> Taken {
    // The members as the reader sees them, and where each of them came from.
    let adapted = normalise::members(&dialect.token.response(response.clone()));
    let seen = adapted.map(|(members, _)| members.fields).unwrap_or_default();
    let place = |name: &str| match &dialect.token.token_at {
        Some(path) if path.of(|name| fields.get(name)).is_some_and(|inner| inner.get(name).is_some()) => {
            format!("{path}.{name}")
        }
        _ => name.to_owned(),
    };
    let stated = LIFE.into_iter().find(|name| seen.get(*name).and_then(normalise::expires_in).is_some());
    let stated = stated.or_else(|| seen.get("expires_at").and_then(normalise::expires_at).map(|_| "expires_at"));
    let expiry = match (tokens.expiry.beside(tokens.refresh_token.as_ref()), stated) {
        (Expiry::At(_), Some(name)) => ExpirySource::Member(place(name)),
        (Expiry::At(_), None) => ExpirySource::Jwt,
        (Expiry::Assumed(_), _) => ExpirySource::Assumed,
        (Expiry::Unknown, _) => ExpirySource::Unknown,
    };
    let scope = seen.get("scope").filter(|_| tokens.granted.is_some());
    Taken {
        access_token: place("access_token"),
        expiry,
        refresh_token: tokens.refresh_token.as_ref().map(|_| place("refresh_token")),
        id_token: tokens.id_token.as_ref().map(|_| place("id_token")),
        scope: scope.map(|value| TakenScope { at: place("scope"), spelling: ScopeSpelling::of(value) }),
    }
}

#[cfg(test)]
mod tests;

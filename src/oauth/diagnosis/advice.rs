//! Fields of the configuration that would let loopin read a response, each tried with the reader itself.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{Fields, ScopeSpelling};
use crate::oauth::{
    ExchangeError, Meaning, MemberPath, ScopeSeparator, TokenBody, TokenRules, TokenSet, WireDialect,
    token_rules::error_code,
};

/// One field, or what no field can help with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advice {
    /// An error that loopin does not know, which may mean the end of a grant.
    DeadGrantErrors,
    /// What names an error, or success, is in this member.
    ErrorAt(MemberPath),
    /// A token seems to be in this member, whose name loopin does not read.
    OtherName(String),
    /// The tokens that are read are not the only ones.
    OtherTokenAt(MemberPath),
    /// The scopes are read, though not separated by spaces; requests may have to be written like that too.
    RequestSeparator(char),
    ScopeSeparator(char),
    /// The tokens are in this member.
    TokenAt(MemberPath),
    /// The server does not understand how the request is written.
    TokenRequest(TokenBody),
}

impl Advice {
    /// The line of an `[integration.NAME]` table.
    pub fn line(&self) -> Option<String> {
        Some(match self {
            Self::DeadGrantErrors => "dead_grant_errors = [\"CODE\"]".into(),
            Self::ErrorAt(path) => format!("error_at = \"{path}\""),
            Self::OtherName(_) => return None,
            Self::OtherTokenAt(path) | Self::TokenAt(path) => format!("token_at = \"{path}\""),
            Self::RequestSeparator(separator) | Self::ScopeSeparator(separator) => {
                format!("scope_separator = \"{separator}\"")
            }
            Self::TokenRequest(TokenBody::Form) => "token_request = \"form\"".into(),
            Self::TokenRequest(TokenBody::Json) => "token_request = \"json\"".into(),
        })
    }

    /// What the line is for.
    pub fn why(&self) -> Cow<'static, str> {
        match self {
            Self::DeadGrantErrors => {
                "if this error means that the refresh token is no longer valid, write its code in place of CODE".into()
            }
            Self::ErrorAt(path) => format!("errors are reported in {path}").into(),
            Self::OtherName(path) => {
                format!("loopin reads the access token from access_token only, not from {path}").into()
            }
            Self::OtherTokenAt(path) => format!("to use the access token in {path} instead").into(),
            Self::RequestSeparator(separator) => {
                format!("if the provider wants the scopes of a request separated by \"{separator}\" too").into()
            }
            Self::ScopeSeparator(' ') => "the scopes are separated by spaces".into(),
            Self::ScopeSeparator(separator) => format!("the scopes are separated by \"{separator}\"").into(),
            Self::TokenAt(path) => format!("the tokens are in {path}").into(),
            Self::TokenRequest(TokenBody::Form) => "the server seems to want the request as a form".into(),
            Self::TokenRequest(TokenBody::Json) => "the server seems to want the request as JSON".into(),
        }
    }

    /// Whether it changes how responses are read; the others are for those who ask.
    pub(super) fn is_about_reading(&self) -> bool {
        !matches!(self, Self::DeadGrantErrors | Self::RequestSeparator(_))
    }
}

/// Places that are tried: each try reads the whole response again.
const TRIES: usize = 4;

type Reading = Result<TokenSet, ExchangeError>;

/// `tokens` is what is read with `dialect`; `read` reads the same response with another one.
pub(super) fn of(
    status: u16,
    fields: &Fields,
    dialect: &WireDialect,
    tokens: &Reading,
    read: &dyn Fn(&WireDialect) -> Reading,
) -> Vec<Advice> {
    let with = |change: &dyn Fn(&mut TokenRules)| {
        let mut changed = dialect.clone();
        change(&mut changed.token);
        read(&changed)
    };
    let mut advice = Vec::new();
    let token_at = token_paths(fields).into_iter().take(TRIES).find(|path| {
        let configured = dialect.token.token_at.as_ref() == Some(path);
        !configured && with(&|rules| rules.token_at = Some(path.clone())).is_ok()
    });
    // The member that holds the tokens counts for what is looked for next.
    let found = token_at.clone().or_else(|| dialect.token.token_at.clone());
    advice.extend(token_at.map(|path| if tokens.is_ok() { Advice::OtherTokenAt(path) } else { Advice::TokenAt(path) }));
    if dialect.token.error_at.is_none() {
        let tells = |path: &MemberPath| {
            let both = |rules: &mut TokenRules| (rules.token_at, rules.error_at) = (found.clone(), Some(path.clone()));
            match (with(&both), path.of(|name| fields.get(name)).map(error_code)) {
                (Ok(_), Some(None)) => found.is_some(),
                (Err(ExchangeError::Denied(_)), Some(Some(_))) => matches!(tokens, Err(ExchangeError::NotOAuth(_))),
                _ => false,
            }
        };
        advice.extend(error_paths(fields).into_iter().take(TRIES).find(tells).map(Advice::ErrorAt));
    }
    if tokens.is_err() && found.is_none() {
        advice.extend(other_name(fields).map(Advice::OtherName));
    }
    advice.extend(scope_separator(fields, found.as_ref(), dialect));
    if let Err(ExchangeError::Denied(_) | ExchangeError::NotOAuth(_)) = tokens {
        advice.extend(token_request(status, fields, dialect.token.body).map(Advice::TokenRequest));
    }
    match tokens {
        Err(ExchangeError::Denied(error)) if error.meaning == Meaning::Unknown => advice.push(Advice::DeadGrantErrors),
        _ => {}
    }
    advice
}

/// Where else than at the top an access token is, the shortest path first.
fn token_paths(fields: &Fields) -> Vec<MemberPath> {
    let mut found = Vec::new();
    for (name, value) in fields {
        value.as_object().into_iter().for_each(|inner| tokens_below(&mut found, name.clone(), inner));
    }
    found.sort_by_key(|path: &String| path.matches('.').count());
    found.iter().filter_map(|path| MemberPath::parse(path)).collect()
}

fn tokens_below(found: &mut Vec<String>, path: String, object: &Map<String, Value>) {
    if path.matches('.').count() >= 4 {
        return;
    }
    if object.get("access_token").and_then(Value::as_str).is_some_and(|token| !token.is_empty()) {
        found.push(path.clone());
    }
    for (name, value) in object {
        value.as_object().into_iter().for_each(|inner| tokens_below(found, format!("{path}.{name}"), inner));
    }
}

/// Members that providers name errors or success in, beside those that are read anyway.
const STATUS: [&str; 14] = [
    "status",
    "code",
    "errcode",
    "err_code",
    "errno",
    "error_no",
    "err",
    "ret",
    "retcode",
    "ret_code",
    "result_code",
    "resultCode",
    "statusCode",
    "status_code",
];
const NESTED: [&str; 5] = ["error", "error_code", "errorCode", "errcode", "code"];

fn error_paths(fields: &Fields) -> Vec<MemberPath> {
    // 200 in a member of that name is the HTTP status again.
    let http = |value: &Value| value.as_u64().is_some_and(|status| (200..300).contains(&status));
    let own = STATUS.iter().filter(|name| fields.get(**name).is_some_and(|value| !http(value)));
    let nested = fields.iter().filter_map(|(outer, value)| {
        let inner = value.as_object()?;
        let name =
            NESTED.iter().find(|name| inner.get(**name).is_some_and(|value| !value.is_null() && !http(value)))?;
        Some(format!("{outer}.{name}"))
    });
    own.map(|name| (*name).to_owned()).chain(nested).filter_map(|path| MemberPath::parse(&path)).collect()
}

fn other_name(fields: &Fields) -> Option<String> {
    const OTHERS: [&str; 5] = ["accessToken", "access-token", "AccessToken", "accesstoken", "token"];
    let filled = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    let at_top = OTHERS.iter().find(|name| fields.get(**name).is_some_and(filled)).map(|name| (*name).to_owned());
    at_top.or_else(|| {
        fields.iter().find_map(|(outer, value)| {
            let inner = value.as_object()?;
            let name = OTHERS.iter().find(|name| inner.get(**name).is_some_and(filled))?;
            MemberPath::parse(&format!("{outer}.{name}")).map(|path| path.to_string())
        })
    })
}

fn scope_separator(fields: &Fields, tokens_at: Option<&MemberPath>, dialect: &WireDialect) -> Option<Advice> {
    let inner = tokens_at.and_then(|path| path.of(|name| fields.get(name))?.get("scope"));
    let ScopeSpelling::Separated(used) = ScopeSpelling::of(inner.or_else(|| fields.get("scope"))?) else { return None };
    match dialect.scope_separator {
        // A comma is read as well.
        ScopeSeparator::Space if used == ',' => Some(Advice::RequestSeparator(used)),
        ScopeSeparator::Space => (used != ' ').then_some(Advice::ScopeSeparator(used)),
        ScopeSeparator::Other(configured) => (used != configured).then_some(Advice::ScopeSeparator(used)),
    }
}

/// The form in which the server seems to want requests, if it is another one than `sent`.
fn token_request(status: u16, fields: &Fields, sent: TokenBody) -> Option<TokenBody> {
    const UNSUPPORTED_MEDIA_TYPE: u16 = 415;
    let texts = || fields.values().flat_map(texts_in).map(str::to_ascii_lowercase);
    let named = |words: &[&str]| texts().any(|text| words.iter().any(|word| text.contains(word)));
    match sent {
        TokenBody::Form if status == UNSUPPORTED_MEDIA_TYPE || named(&["json", "content-type", "content type"]) => {
            Some(TokenBody::Json)
        }
        TokenBody::Json if status == UNSUPPORTED_MEDIA_TYPE || named(&["form", "content-type", "content type"]) => {
            Some(TokenBody::Form)
        }
        _ => None,
    }
}

/// The texts of a value and of the members one level below.
fn texts_in(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Object(inner) => inner.values().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

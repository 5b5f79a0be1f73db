//! A token that is handed out, in the form that its reader wants.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::{
    outcome::scopes,
    time::{assumed, left, time},
};
use crate::{secret::Secret, vault::Grant};

/// A token to print or to write into a file.
#[derive(Debug)]
pub enum HandedOut {
    AccessToken(Box<Grant>),
    IdToken { token: Secret, expires_at: SystemTime },
}

/// How it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenForm {
    /// A line of a configuration for `curl --config`.
    Curl,
    /// `NAME=value`, quoted for a shell where it must be.
    Env,
    /// A header field, as `curl -H @-` reads it.
    Header,
    Json,
    #[default]
    Raw,
}

impl HandedOut {
    fn token(&self) -> &Secret {
        match self {
            Self::AccessToken(grant) => &grant.access_token,
            Self::IdToken { token, .. } => token,
        }
    }

    /// The scheme of the Authorization field.
    fn scheme(&self) -> &str {
        match self {
            Self::AccessToken(grant) => grant.token_type.as_str(),
            Self::IdToken { .. } => "Bearer",
        }
    }

    fn variable(&self) -> &'static str {
        match self {
            Self::AccessToken(_) => "ACCESS_TOKEN",
            Self::IdToken { .. } => "ID_TOKEN",
        }
    }

    /// Without a line end: programs that read a token from a file may take that for a part of it.
    pub fn bare(&self) -> &Secret {
        self.token()
    }

    /// One line.
    pub fn line(&self, form: TokenForm, now: SystemTime) -> Secret {
        let token = self.token().expose();
        Secret::new(match form {
            TokenForm::Curl => {
                let field = format!("Authorization: {} {token}", self.scheme());
                format!("header = \"{}\"\n", field.replace('\\', "\\\\").replace('"', "\\\""))
            }
            TokenForm::Env => format!("{}={}\n", self.variable(), quoted(token)),
            TokenForm::Header => format!("Authorization: {} {token}\n", self.scheme()),
            TokenForm::Json => super::object(self.json(now)),
            TokenForm::Raw => format!("{token}\n"),
        })
    }

    pub fn json(&self, now: SystemTime) -> Value {
        match self {
            Self::AccessToken(grant) => json!({
                "access_token": grant.access_token.expose(), "token_type": grant.token_type.as_str(), "scopes": scopes(&grant.granted),
                "expires_at": time(grant.expiry.time()), "expires_in": left(grant.expiry.time(), now), "expiry_assumed": assumed(grant.expiry),
            }),
            Self::IdToken { token, expires_at } => json!({
                "id_token": token.expose(), "expires_at": time(*expires_at), "expires_in": left(*expires_at, now),
            }),
        }
    }

    pub fn expires_at(&self) -> SystemTime {
        match self {
            Self::AccessToken(grant) => grant.expiry.time(),
            Self::IdToken { expires_at, .. } => *expires_at,
        }
    }
}

/// As it is where every character is one of RFC 6750's b64token, else in single quotes: what a provider sends is never
/// a command.
fn quoted(token: &str) -> String {
    match token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b)) {
        true => token.to_owned(),
        false => format!("'{}'", token.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn each_form_is_what_its_reader_reads() {
        let of = |token: &str| HandedOut::IdToken { token: Secret::new(token.into()), expires_at: UNIX_EPOCH };
        let line = |form, token| of(token).line(form, UNIX_EPOCH).expose().to_owned();
        assert_eq!("a.b-c=\n", line(TokenForm::Raw, "a.b-c="));
        assert_eq!("a.b-c=", of("a.b-c=").bare().expose());
        assert_eq!("Authorization: Bearer a.b-c=\n", line(TokenForm::Header, "a.b-c="));
        assert_eq!("ID_TOKEN=a.b-c=\n", line(TokenForm::Env, "a.b-c="));
        assert_eq!("ID_TOKEN='$(id)'\\''\"'\n", line(TokenForm::Env, "$(id)'\""));
        assert_eq!("header = \"Authorization: Bearer a\\\"\\\\b\"\n", line(TokenForm::Curl, "a\"\\b"));
    }
}

//! A token that is handed out, in the form that its reader wants.

use std::{fmt, time::SystemTime};

use serde_json::{Value, json};

use super::{
    command_line::quoted,
    outcome::scopes,
    time::{assumed, left, time},
};
use crate::{
    oauth::{Scopes, TokenType},
    secret::Secret,
    vault::Grant,
};

/// A token to print or to write into a file.
#[derive(Debug)]
pub enum HandedOut {
    AccessToken {
        grant: Box<Grant>,
        /// Scopes that were needed and that the provider does not name as granted.
        missing: Scopes,
    },
    IdToken {
        token: Secret,
        expires_at: SystemTime,
    },
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

/// The form has an Authorization field, and the token is none of a type that loopin knows how to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownTokenType(String);

impl fmt::Display for UnknownTokenType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name) = self;
        write!(
            f,
            "the provider calls this token \"{name}\", and only Bearer tokens are written into a header (RFC 6750)"
        )
    }
}

impl std::error::Error for UnknownTokenType {}

impl HandedOut {
    /// # Errors
    /// A form with a header, and a token that is not Bearer. The name is the provider's: it may be no token of RFC 9110
    /// section 5.6.2, or one that means more than a word and a token.
    pub fn fits(&self, form: TokenForm) -> Result<(), UnknownTokenType> {
        match (self, form) {
            (Self::AccessToken { grant, .. }, TokenForm::Curl | TokenForm::Header) => match &grant.token_type {
                TokenType::Bearer => Ok(()),
                TokenType::Other(name) => Err(UnknownTokenType(name.clone())),
            },
            (Self::AccessToken { .. } | Self::IdToken { .. }, _) => Ok(()),
        }
    }

    fn token(&self) -> &Secret {
        match self {
            Self::AccessToken { grant, .. } => &grant.access_token,
            Self::IdToken { token, .. } => token,
        }
    }

    fn variable(&self) -> &'static str {
        match self {
            Self::AccessToken { .. } => "ACCESS_TOKEN",
            Self::IdToken { .. } => "ID_TOKEN",
        }
    }

    /// Without a line end: programs that read a token from a file may take that for a part of it.
    pub fn bare(&self) -> &Secret {
        self.token()
    }

    /// One line, in a form that it [fits](Self::fits).
    pub fn line(&self, form: TokenForm, now: SystemTime) -> Secret {
        let token = self.token().expose();
        Secret::new(match form {
            TokenForm::Curl => {
                let field = format!("Authorization: Bearer {token}");
                format!("header = \"{}\"\n", field.replace('\\', "\\\\").replace('"', "\\\""))
            }
            // What a provider sends is never a command.
            TokenForm::Env => format!("{}={}\n", self.variable(), quoted(token)),
            TokenForm::Header => format!("Authorization: Bearer {token}\n"),
            TokenForm::Json => super::object(self.json(now)),
            TokenForm::Raw => format!("{token}\n"),
        })
    }

    pub fn json(&self, now: SystemTime) -> Value {
        match self {
            Self::AccessToken { grant, missing } => json!({
                "access_token": grant.access_token.expose(), "token_type": grant.token_type.as_str(), "scopes": scopes(&grant.granted),
                "missing": scopes(missing), "metadata": grant.metadata.values(),
                "expires_at": grant.expiry.end().map(time), "expires_in": grant.expiry.end().map(|end| left(end, now)), "expiry_assumed": assumed(grant.expiry),
            }),
            Self::IdToken { token, expires_at } => json!({
                "id_token": token.expose(), "expires_at": time(*expires_at), "expires_in": left(*expires_at, now),
            }),
        }
    }

    /// `None`: no end is known.
    pub fn expires_at(&self) -> Option<SystemTime> {
        match self {
            Self::AccessToken { grant, .. } => grant.expiry.end(),
            Self::IdToken { expires_at, .. } => Some(*expires_at),
        }
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

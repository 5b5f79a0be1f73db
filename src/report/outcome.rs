//! What a command led to, as text and as JSON.

use std::{path::PathBuf, time::SystemTime};

use serde_json::{Value, json};

use super::{
    Checkup, ClosedPipe, Code, Diagnosed, HandedOut, Logout, Registering, RelayCheck, TokenForm, Verification, command,
    integration, login, logout, provider, redirect, status,
    time::{left, time},
};
use crate::{
    catalog::{Integration, Preset},
    grants::{GrantState, GrantStatus, LoggedOut, SignedIn, Status, Unknown},
    oauth::Scopes,
    redirect::rules::Report,
    secret::Secret,
};

/// Every success.
#[derive(Debug)]
pub enum Outcome {
    Added {
        name: String,
        config: String,
        registration: Registering,
        next: String,
    },
    Checkup(Checkup),
    Diagnosed(Diagnosed),
    Changed {
        name: String,
        config: String,
        /// The command to run next, where nobody is logged in.
        next: Option<String>,
    },
    /// The login of `demo`.
    Demonstrated(SignedIn),
    /// Completions, the man page.
    Document(Vec<u8>),
    /// A command that `exec` ran has ended so.
    Ended(u8),
    Integration(Box<Integration>),
    Integrations(Vec<Integration>),
    /// For a program.
    LoggedOut(LoggedOut),
    Logout(Logout),
    Providers(Vec<Preset>),
    RelayCheck(RelayCheck),
    Redirect {
        uri: String,
        report: Report,
        /// Integrations of the configuration that use it at different servers.
        shared_by: Vec<String>,
    },
    Removed {
        name: String,
        config: String,
    },
    SignedIn(SignedIn),
    Status {
        status: Status,
        asked: Asked,
    },
    /// A server ended because it was asked to.
    Stopped,
    /// What a helper says to its client, and whether it found what was asked for.
    Spoken {
        text: Secret,
        answered: Answered,
    },
    Token {
        token: HandedOut,
        form: TokenForm,
    },
    Verified(Verification),
    /// A token in a file.
    Written {
        file: PathBuf,
        /// `None`: no end is known.
        expires_at: Option<SystemTime>,
    },
}

/// Whether a helper gave its client what it wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    No,
    Yes,
}

/// Whether `status` was asked for one integration, which then decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    All,
    One,
}

impl Outcome {
    pub fn exit(&self, now: SystemTime) -> u8 {
        match self {
            Self::Redirect { report, .. } if redirect::is_broken(report) => Code::Configuration.exit(),
            Self::Status { status: Status { grants, .. }, asked: Asked::One } => {
                let gone = |g: &GrantStatus| matches!(g.state, GrantState::Unknown(Unknown::NotConfigured));
                if grants.iter().any(gone) {
                    Code::Configuration.exit()
                } else if grants.iter().any(|g| matches!(g.state, GrantState::Unknown(_))) {
                    Code::Store.exit()
                } else if grants.iter().any(|g| g.login_required(now)) {
                    Code::LoginRequired.exit()
                } else {
                    0
                }
            }
            Self::Verified(verification) if verification.is_broken() => Code::Configuration.exit(),
            Self::Checkup(checkup) => checkup.exit(),
            Self::Diagnosed(diagnosed) => diagnosed.exit(),
            Self::RelayCheck(check) if check.is_broken() => Code::Refused.exit(),
            Self::Ended(code) => *code,
            Self::Spoken { answered: Answered::No, .. } => Code::Internal.exit(),
            _ => 0,
        }
    }

    pub fn closed_pipe(&self) -> ClosedPipe {
        match self {
            Self::Spoken { .. } | Self::Token { .. } => ClosedPipe::Fault,
            _ => ClosedPipe::Fine,
        }
    }

    pub fn text(&self, now: SystemTime) -> String {
        match self {
            Self::Added { name, config, registration, next } => {
                format!("added {name} to {config}\n{}next: {next}\n", registration.text())
            }
            Self::Checkup(checkup) => checkup.text(),
            Self::Diagnosed(diagnosed) => diagnosed.text(),
            Self::Changed { name, config, next } => {
                let next = next.iter().map(|next| format!("next: {next}\n"));
                format!("changed {name} in {config}\n{}", next.collect::<String>())
            }
            Self::Document(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Self::Integration(integration) => integration::text(integration),
            Self::Integrations(list) if list.is_empty() => {
                format!("no integrations yet; {} makes one\n", command(["integration", "add", "NAME"]))
            }
            Self::Integrations(list) => {
                let width = list.iter().map(|i| i.name.as_str().len()).max().unwrap_or(0);
                list.iter().map(|i| format!("{:width$}  {}\n", i.name.as_str(), integration::provider(i))).collect()
            }
            Self::LoggedOut(_) => String::new(),
            Self::Logout(logout) => logout::text(logout),
            Self::Providers(presets) => provider::text(presets),
            Self::Redirect { uri, report, shared_by } => redirect::text(uri, report, shared_by),
            Self::RelayCheck(check) => check.text(),
            Self::Stopped => String::new(),
            Self::Removed { name, config } => format!("removed {name} from {config}\n"),
            Self::SignedIn(signed_in) => login::text(signed_in, now),
            Self::Demonstrated(signed_in) => {
                let next = command(["integration", "add", "NAME"]);
                format!("{}next: add an integration of your own: {next}\n", login::text(signed_in, now))
            }
            Self::Status { status: Status { grants, shared, elsewhere }, .. } => {
                let nothing = grants.is_empty().then(|| "nothing is stored\n".to_owned()).into_iter();
                let known = grants.iter().map(|g| status::text(g, now)).chain(shared.iter().map(status::shared_text));
                nothing.chain(known).chain(status::elsewhere_text(*elsewhere)).collect()
            }
            Self::Spoken { text, .. } => text.expose().to_owned(),
            Self::Verified(verification) => verification.text(),
            Self::Token { token, form } => token.line(*form, now).expose().to_owned(),
            Self::Ended(_) | Self::Written { .. } => String::new(),
        }
    }

    pub fn json(&self, now: SystemTime) -> Value {
        match self {
            Self::Added { name, config, registration, .. } => json!({
                "integration": name,
                "config": config,
                "redirect_uris": registration.redirect_uris,
                "registration": registration.steps,
            }),
            Self::Checkup(checkup) => checkup.json(),
            Self::Diagnosed(diagnosed) => diagnosed.json(),
            Self::Changed { name, config, .. } => json!({ "integration": name, "config": config }),
            Self::Document(bytes) => json!({ "document": String::from_utf8_lossy(bytes) }),
            Self::Ended(code) => json!({ "exit": code }),
            Self::Integration(integration) => json!({ "integration": integration::json(integration) }),
            Self::Integrations(list) => {
                json!({ "integrations": list.iter().map(integration::json).collect::<Vec<_>>() })
            }
            Self::LoggedOut(out) => logout::ended_json(out),
            Self::Logout(logout) => logout::json(logout),
            Self::Providers(presets) => {
                json!({ "providers": presets.iter().map(provider::json).collect::<Vec<_>>() })
            }
            Self::Redirect { uri, report, shared_by } => redirect::json(uri, report, shared_by),
            Self::RelayCheck(check) => check.json(),
            Self::Removed { name, config } => json!({ "integration": name, "config": config }),
            Self::Demonstrated(signed_in) | Self::SignedIn(signed_in) => login::json(signed_in, now),
            Self::Status { status: Status { grants, shared, elsewhere }, .. } => json!({
                "grants": grants.iter().map(|g| status::json(g, now)).collect::<Vec<_>>(),
                "elsewhere": elsewhere,
                "shared_redirects": shared.iter().map(status::shared_json).collect::<Vec<_>>(),
            }),
            Self::Stopped => Value::Null,
            Self::Spoken { text, .. } => json!({ "answer": text.expose() }),
            Self::Token { token, .. } => token.json(now),
            Self::Verified(verification) => verification.json(),
            Self::Written { file, expires_at } => {
                json!({ "file": file.display().to_string(), "expires_at": expires_at.map(time), "expires_in": expires_at.map(|end| left(end, now)) })
            }
        }
    }
}

pub(super) fn scopes(list: &Scopes) -> Vec<&str> {
    list.iter().map(|s| s.as_str()).collect()
}

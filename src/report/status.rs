//! What `loopin status` knows of one grant.

use std::{
    fmt::Write,
    time::{Duration, SystemTime},
};

use serde_json::{Value, json};

use super::{
    login::{Renewal, place},
    outcome::scopes,
    time::{assumed, left, lifetime, time},
};
use crate::{
    oauth::{Expiry, Scopes},
    refresh::{LastRefresh, RefreshResult},
};

/// One grant of `status`.
#[derive(Debug)]
pub struct GrantStatus {
    pub integration: String,
    pub account: String,
    pub action: String,
    pub store: String,
    pub state: GrantState,
    /// A command.
    pub repair: Option<String>,
}

#[derive(Debug)]
pub enum GrantState {
    /// The index knows it, the store has it no more.
    Gone,
    /// In the configuration, never logged in.
    None,
    /// The configuration was changed since.
    Outdated,
    /// The store cannot be asked; in words.
    Unknown(String),
    Stored {
        expiry: Expiry,
        renewal: Renewal,
        granted: Scopes,
        obtained_at: SystemTime,
        /// How the last refresh went, if there was one since the login.
        last: Option<LastRefresh>,
    },
}

/// An integration whose redirect others use at other servers.
#[derive(Debug)]
pub struct SharedRedirects {
    pub integration: String,
    pub with: Vec<String>,
    /// What gives it one of its own.
    pub own: String,
}

impl SharedRedirects {
    pub(super) fn text(&self) -> String {
        format!(
            "warning: {} shares its redirect URI with {} at another server\n  → redirect_uri = \"{}\"\n",
            self.integration,
            self.with.join(", "),
            self.own
        )
    }

    pub(super) fn json(&self) -> Value {
        json!({ "integration": self.integration, "with": self.with, "own_redirect_uri": self.own })
    }
}

/// A token that lives for less is as good as expired when it comes.
const SHORTEST_LIFE: Duration = Duration::from_secs(5);

fn short_life(expiry: Expiry, obtained_at: SystemTime) -> Option<Duration> {
    let life = expiry.end()?.duration_since(obtained_at).unwrap_or_default();
    (life < SHORTEST_LIFE).then_some(life)
}

impl GrantStatus {
    pub(super) fn needs_a_person(&self, now: SystemTime) -> bool {
        match &self.state {
            GrantState::Stored { last: Some(last), .. } if matches!(last.result, RefreshResult::Dead { .. }) => true,
            GrantState::Stored { expiry, renewal, .. } => expiry.is_past(now) && renewal.is_over(now),
            GrantState::Gone | GrantState::None | GrantState::Outdated => true,
            GrantState::Unknown(_) => false,
        }
    }

    pub(super) fn text(&self, now: SystemTime) -> String {
        let mut text = self.integration.clone();
        if self.account != "default" {
            let _ = write!(text, ", account {}", self.account);
        }
        if self.action != "all" {
            let _ = write!(text, ", action {}", self.action);
        }
        text.push('\n');
        let mut say = |line: String| {
            let _ = writeln!(text, "  {line}");
        };
        match &self.state {
            GrantState::None => say("not logged in".into()),
            GrantState::Gone => say(format!("was in {}, and is not there any more", place(&self.store))),
            GrantState::Outdated => say("logged in, but the configuration was changed since".into()),
            GrantState::Unknown(why) => say(why.clone()),
            GrantState::Stored { expiry, renewal, granted, obtained_at, last } => {
                say(format!("access token valid {}", lifetime(*expiry, now)));
                if let Some(life) = short_life(*expiry, *obtained_at) {
                    say(format!(
                        "warning: the provider issues tokens for {} s only; each one is used once",
                        life.as_secs()
                    ));
                }
                say(match renewal {
                    Renewal::RefreshToken { until: Some(until) } if *until <= now => {
                        format!("the refresh token expired {}", time(*until))
                    }
                    Renewal::RefreshToken { until } => {
                        let until = until.map(|until| format!(" until {}", time(until))).unwrap_or_default();
                        format!("a refresh token is stored{until}; the next loopin token renews a stale one")
                    }
                    Renewal::LoginOnly => "no refresh token".into(),
                });
                say(format!("scopes: {}", if granted.is_empty() { "none named".into() } else { granted.to_string() }));
                say(format!("obtained {}, kept in {}", time(*obtained_at), place(&self.store)));
                if let Some(last) = last {
                    say(match last.result.fault() {
                        None => format!("last refresh {}", time(last.at())),
                        Some(why) => format!("last refresh {} failed: {why}", time(last.at())),
                    });
                }
            }
        }
        if let Some(repair) = &self.repair {
            say(format!("→ {repair}"));
        }
        text
    }

    pub(super) fn json(&self, now: SystemTime) -> Value {
        let mut value = json!({ "integration": self.integration, "account": self.account, "action": self.action, "store": self.store, "repair": self.repair });
        let state = match &self.state {
            GrantState::Gone => "gone",
            GrantState::None => "not_logged_in",
            GrantState::Outdated => "outdated",
            GrantState::Unknown(why) => {
                value["error"] = why.as_str().into();
                "unknown"
            }
            GrantState::Stored { expiry, renewal, granted, obtained_at, last } => {
                value["last_refresh_at"] = last.as_ref().map(|last| time(last.at())).into();
                value["last_refresh_error"] = last.as_ref().and_then(|last| last.result.fault()).into();
                value["expires_at"] = expiry.end().map(time).into();
                value["expires_in"] = expiry.end().map(|end| left(end, now)).into();
                value["expiry_assumed"] = assumed(*expiry).into();
                value["refreshable"] = (*renewal != Renewal::LoginOnly).into();
                value["refreshable_until"] = match renewal {
                    Renewal::RefreshToken { until: Some(until) } => time(*until).into(),
                    _ => Value::Null,
                };
                value["scopes"] = scopes(granted).into();
                value["warnings"] = short_life(*expiry, *obtained_at).map(|_| "short_life").as_slice().into();
                value["obtained_at"] = time(*obtained_at).into();
                if expiry.is_past(now) { "expired" } else { "valid" }
            }
        };
        value["state"] = state.into();
        value["login_required"] = self.needs_a_person(now).into();
        value
    }
}

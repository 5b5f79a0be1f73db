//! What `loopin status` knows of one grant.

use std::{
    fmt::Write,
    time::{Duration, SystemTime},
};

use serde_json::{Value, json};

use super::{
    Failure,
    command_line::command,
    login::place,
    outcome::scopes,
    remedy::{login_command, of_grant},
    time::{assumed, left, lifetime, span_until, time},
};
use crate::{
    grants::{Error, GrantState, GrantStatus, Place, Renewal, SharedRedirects, Unknown},
    oauth::Expiry,
    refresh::RefreshResult,
    vault::{AccountName, ActionKey},
};

pub(super) fn shared_text(SharedRedirects { integration, with, own }: &SharedRedirects) -> String {
    let with: Vec<_> = with.iter().map(|name| name.as_str()).collect();
    format!(
        "warning: {integration} shares its redirect URI with {} at another server\n  → redirect_uri = \"{own}\"\n",
        with.join(", ")
    )
}

pub(super) fn shared_json(SharedRedirects { integration, with, own }: &SharedRedirects) -> Value {
    let with: Vec<_> = with.iter().map(|name| name.as_str()).collect();
    json!({ "integration": integration.as_str(), "with": with, "own_redirect_uri": own })
}

/// A token that lives for less is as good as expired when it comes.
const SHORTEST_LIFE: Duration = Duration::from_secs(5);

fn short_life(expiry: Expiry, obtained_at: SystemTime) -> Option<Duration> {
    let life = expiry.end()?.duration_since(obtained_at).unwrap_or_default();
    (life < SHORTEST_LIFE).then_some(life)
}

/// When the user has to sign in again, as far as the provider has said it.
fn sign_in_due(expiry: Expiry, renewal: Renewal) -> Option<SystemTime> {
    match renewal {
        Renewal::LoginOnly => expiry.end(),
        // An access token may outlive the refresh token.
        Renewal::RefreshToken { until } => {
            let until = until?;
            Some(expiry.end().map_or(until, |end| until.max(end)))
        }
    }
}

/// How many logins are not listed.
pub(super) fn elsewhere_text(count: usize) -> Option<String> {
    let all = command(["status", "--all"]);
    (count > 0).then(|| format!("{count} more in keychains or state directories that are not in use now: {all}\n"))
}

/// The command that fixes it.
fn repair(status: &GrantStatus, now: SystemTime) -> Option<String> {
    let GrantStatus { grant, state, .. } = status;
    match state {
        GrantState::Unknown(Unknown::NotConfigured) => Some(command(of_grant("logout", grant))),
        GrantState::Unknown(Unknown::Store(why)) => {
            Failure::from(Error::StoreOf { grant: Box::new(grant.clone()), why: why.clone(), elsewhere: None }).remedy
        }
        GrantState::Stored { last: Some(last), .. }
            if matches!(last.result, RefreshResult::Ambiguous { .. } | RefreshResult::Misconfigured { .. }) =>
        {
            Some(command(["integration", "show", grant.integration.as_str()]))
        }
        GrantState::Unknown(Unknown::OtherStore(Place::Here(kind))) => {
            Some(command(["integration", "set", grant.integration.as_str(), "--store", kind.as_str()]))
        }
        GrantState::Unknown(Unknown::OtherStore(Place::Elsewhere)) => None,
        _ => status.login_required(now).then(|| login_command(grant)),
    }
}

fn unknown(why: &Unknown) -> String {
    match why {
        Unknown::NotConfigured => "stored, but not in the configuration any more".into(),
        Unknown::OtherStore(Place::Here(_)) => "in another store than the configuration names now".into(),
        Unknown::OtherStore(Place::Elsewhere) => "in a keychain or state directory that is not in use now".into(),
        Unknown::Store(why) => why.to_string(),
    }
}

pub(super) fn text(status: &GrantStatus, now: SystemTime) -> String {
    let GrantStatus { grant, store, state } = status;
    let mut text = grant.integration.to_string();
    if grant.account != AccountName::default() {
        let _ = write!(text, ", account {}", grant.account.as_str());
    }
    if grant.action != ActionKey::All {
        let _ = write!(text, ", action {}", grant.action.as_str());
    }
    text.push('\n');
    let mut say = |line: String| {
        let _ = writeln!(text, "  {line}");
    };
    match state {
        GrantState::None => say("not logged in".into()),
        GrantState::Gone => say(format!("was in {}, and is not there any more", place(store))),
        GrantState::Outdated => say("logged in, but the configuration was changed since".into()),
        GrantState::Unknown(why) => say(unknown(why)),
        GrantState::Stored { user, expiry, renewal, granted, obtained_at, last } => {
            if let Some(user) = user {
                say(format!("signed in as {user}"));
            }
            say(format!("access token valid {}", lifetime(*expiry, now)));
            if let Some(life) = short_life(*expiry, *obtained_at) {
                let seconds = life.as_secs();
                say(format!("warning: the provider issues tokens for {seconds} s only; each one is used once"));
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
            say(match sign_in_due(*expiry, *renewal) {
                Some(due) if due > now => format!("next sign-in: by {} ({} left)", time(due), span_until(due, now)),
                Some(_) => "next sign-in: now".into(),
                None => "next sign-in: when the provider ends this one; it has named no time".into(),
            });
            say(format!("scopes: {}", if granted.is_empty() { "none named".into() } else { granted.to_string() }));
            say(format!("obtained {}, kept in {}", time(*obtained_at), place(store)));
            if let Some(last) = last {
                say(match last.result.fault() {
                    None => format!("last refresh {}", time(last.at())),
                    Some(why) => format!("last refresh {} failed: {why}", time(last.at())),
                });
            }
        }
    }
    if let Some(repair) = repair(status, now) {
        say(format!("→ {repair}"));
    }
    text
}

pub(super) fn json(status: &GrantStatus, now: SystemTime) -> Value {
    let GrantStatus { grant, store, state } = status;
    let mut value = json!({
        "integration": grant.integration.as_str(), "account": grant.account.as_str(), "action": grant.action.as_str(),
        "store": store, "repair": repair(status, now),
    });
    let state = match state {
        GrantState::Gone => "gone",
        GrantState::None => "not_logged_in",
        GrantState::Outdated => "outdated",
        GrantState::Unknown(why) => {
            value["error"] = unknown(why).into();
            "unknown"
        }
        GrantState::Stored { user, expiry, renewal, granted, obtained_at, last } => {
            value["user"] = user.as_deref().into();
            value["sign_in_due"] = sign_in_due(*expiry, *renewal).map(time).into();
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
    value["login_required"] = status.login_required(now).into();
    value
}

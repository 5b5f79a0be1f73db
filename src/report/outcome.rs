//! What a command led to, as text and as JSON.

use std::{
    fmt::Write,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{ClosedPipe, Code, HandedOut, RelayCheck, TokenForm};
use crate::{
    catalog::{Integration, SecretSource, Server},
    oauth::{Expiry, Scopes},
    redirect::rules::{Finding, Report, Verdict},
    refresh::{LastRefresh, RefreshResult},
    secret::Secret,
    vault::{Grant, GrantKey, Record},
};

/// Every success.
#[derive(Debug)]
pub enum Outcome {
    Added {
        name: String,
        config: String,
        next: String,
    },
    /// Completions, the man page.
    Document(Vec<u8>),
    /// A command that `exec` ran has ended so.
    Ended(u8),
    Integration(Box<Integration>),
    Integrations(Vec<Integration>),
    LoggedOut(LoggedOut),
    RelayCheck(RelayCheck),
    /// The worker's answer to its asker: the grant itself only where no store took it.
    Refreshed(Option<Box<Record>>),
    Redirect {
        uri: String,
        report: Report,
    },
    Removed {
        name: String,
        config: String,
    },
    SignedIn(SignedIn),
    Status {
        grants: Vec<GrantStatus>,
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
    /// A token in a file.
    Written {
        file: PathBuf,
        expires_at: SystemTime,
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

/// What follows when the access token has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    LoginOnly,
    RefreshToken {
        /// As the provider said, if it did.
        until: Option<SystemTime>,
    },
}

impl Renewal {
    pub fn of(grant: &Grant) -> Self {
        match grant.refresh_token {
            Some(_) => Self::RefreshToken { until: grant.refreshable_until },
            None => Self::LoginOnly,
        }
    }

    /// Whether nothing but a login helps any more when the access token has expired.
    pub fn is_over(self, now: SystemTime) -> bool {
        match self {
            Self::LoginOnly => true,
            Self::RefreshToken { until } => until.is_some_and(|until| until <= now),
        }
    }
}

#[derive(Debug)]
pub struct SignedIn {
    pub integration: String,
    pub account: String,
    pub action: String,
    /// `keychain`, `file` or `memory`.
    pub store: &'static str,
    pub expiry: Expiry,
    pub renewal: Renewal,
    pub granted: Scopes,
    pub warnings: Vec<&'static str>,
}

impl SignedIn {
    pub fn new(key: &GrantKey, store: &'static str, grant: &Grant, warnings: Vec<&'static str>) -> Self {
        Self {
            integration: key.integration.to_string(),
            account: key.user.as_str().to_owned(),
            action: key.action.as_str().to_owned(),
            store,
            expiry: grant.expiry,
            renewal: Renewal::of(grant),
            granted: grant.granted.clone(),
            warnings,
        }
    }
}

#[derive(Debug)]
pub struct LoggedOut {
    pub integration: String,
    pub account: String,
    pub action: String,
    pub revocation: Revocation,
}

/// What the provider was told at logout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// Nothing was stored.
    NothingToRevoke,
    /// The provider names no revocation endpoint.
    NotOffered,
    NotWanted,
    Revoked,
    Unconfirmed(String),
}

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

impl GrantStatus {
    fn needs_a_person(&self, now: SystemTime) -> bool {
        match &self.state {
            GrantState::Stored { last: Some(last), .. } if matches!(last.result, RefreshResult::Dead { .. }) => true,
            GrantState::Stored { expiry, renewal, .. } => expiry.time() <= now && renewal.is_over(now),
            GrantState::Gone | GrantState::None | GrantState::Outdated => true,
            GrantState::Unknown(_) => false,
        }
    }
}

/// Whether a redirect URI breaks a rule.
fn redirect_broken(report: &Report) -> bool {
    report.broken().next().is_some()
}

impl Outcome {
    pub fn exit(&self, now: SystemTime) -> u8 {
        match self {
            Self::Redirect { report, .. } if redirect_broken(report) => Code::Configuration.exit(),
            Self::Status { grants, asked: Asked::One } => {
                if grants.iter().any(|g| matches!(g.state, GrantState::Unknown(_))) {
                    Code::Store.exit()
                } else if grants.iter().any(|g| g.needs_a_person(now)) {
                    Code::LoginRequired.exit()
                } else {
                    0
                }
            }
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
            Self::Added { name, config, next } => format!("added {name} to {config}\nnext: {next}\n"),
            Self::Document(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Self::Integration(integration) => integration_text(integration),
            Self::Integrations(list) if list.is_empty() => {
                "no integrations yet; loopin integration add NAME makes one\n".into()
            }
            Self::Integrations(list) => {
                let width = list.iter().map(|i| i.name.as_str().len()).max().unwrap_or(0);
                list.iter().map(|i| format!("{:width$}  {}\n", i.name.as_str(), provider(i))).collect()
            }
            Self::LoggedOut(out) => logged_out_text(out),
            Self::Redirect { uri, report } => redirect_text(uri, report),
            Self::RelayCheck(check) => check.text(),
            Self::Refreshed(_) | Self::Stopped => String::new(),
            Self::Removed { name, config } => format!("removed {name} from {config}\n"),
            Self::SignedIn(signed_in) => signed_in_text(signed_in, now),
            Self::Status { grants, .. } if grants.is_empty() => "nothing is stored\n".into(),
            Self::Status { grants, .. } => grants.iter().map(|g| status_text(g, now)).collect(),
            Self::Spoken { text, .. } => text.expose().to_owned(),
            Self::Token { token, form } => token.line(*form, now).expose().to_owned(),
            Self::Ended(_) | Self::Written { .. } => String::new(),
        }
    }

    pub fn json(&self, now: SystemTime) -> Value {
        match self {
            Self::Added { name, config, .. } => json!({ "integration": name, "config": config }),
            Self::Document(bytes) => json!({ "document": String::from_utf8_lossy(bytes) }),
            Self::Ended(code) => json!({ "exit": code }),
            Self::Integration(integration) => json!({ "integration": integration_json(integration) }),
            Self::Integrations(list) => {
                json!({ "integrations": list.iter().map(integration_json).collect::<Vec<_>>() })
            }
            Self::LoggedOut(out) => json!({
                "integration": out.integration, "account": out.account, "action": out.action,
                "revocation": out.revocation.word(), "revocation_error": match &out.revocation { Revocation::Unconfirmed(why) => Some(why), _ => None },
            }),
            Self::Redirect { uri, report } => json!({
                "uri": uri, "broken": redirect_broken(report),
                "findings": report.findings.iter().map(finding_json).collect::<Vec<_>>(),
            }),
            Self::RelayCheck(check) => check.json(),
            Self::Refreshed(unstored) => {
                json!({ "unstored": unstored.as_ref().map(|record| record.serialize().expose().to_owned()) })
            }
            Self::Removed { name, config } => json!({ "integration": name, "config": config }),
            Self::SignedIn(s) => json!({
                "integration": s.integration, "account": s.account, "action": s.action, "store": s.store,
                "expires_at": time(s.expiry.time()), "expires_in": left(s.expiry.time(), now), "expiry_assumed": assumed(s.expiry),
                "refreshable": (s.renewal != Renewal::LoginOnly), "scopes": scopes(&s.granted), "warnings": s.warnings,
            }),
            Self::Status { grants, .. } => {
                json!({ "grants": grants.iter().map(|g| status_json(g, now)).collect::<Vec<_>>() })
            }
            Self::Stopped => Value::Null,
            Self::Spoken { text, .. } => json!({ "answer": text.expose() }),
            Self::Token { token, .. } => token.json(now),
            Self::Written { file, expires_at } => {
                json!({ "file": file.display().to_string(), "expires_at": time(*expires_at), "expires_in": left(*expires_at, now) })
            }
        }
    }
}

impl Revocation {
    fn word(&self) -> &'static str {
        match self {
            Self::NothingToRevoke => "nothing_stored",
            Self::NotOffered => "not_offered",
            Self::NotWanted => "local",
            Self::Revoked => "revoked",
            Self::Unconfirmed(_) => "unconfirmed",
        }
    }
}

fn signed_in_text(s: &SignedIn, now: SystemTime) -> String {
    let renewal = match s.renewal {
        Renewal::RefreshToken { .. } => "a refresh token is stored too",
        Renewal::LoginOnly => "there is no refresh token",
    };
    let account = if s.account == "default" { String::new() } else { format!(" as {}", s.account) };
    format!(
        "signed in to {}{account}; the token is valid {} and {renewal}\nkept in: {}\n",
        s.integration,
        lifetime(s.expiry, now),
        place(s.store)
    )
}

fn logged_out_text(out: &LoggedOut) -> String {
    let said = match &out.revocation {
        Revocation::NothingToRevoke => return format!("nobody was logged in to {}\n", out.integration),
        Revocation::NotOffered => "the provider offers no revocation, so the tokens stay valid there until they expire",
        Revocation::NotWanted => "the tokens stay valid at the provider until they expire",
        Revocation::Revoked => "the tokens are revoked at the provider",
        Revocation::Unconfirmed(_) => "the provider did not confirm the revocation",
    };
    format!("logged out of {}; {said}\n", out.integration)
}

fn redirect_text(uri: &str, report: &Report) -> String {
    let mut text = format!("{}\n", crate::oauth::RemoteText::new(uri));
    for finding in &report.findings {
        let sign = match finding.verdict {
            Verdict::Broken => "BROKEN ",
            Verdict::Holds => "holds  ",
            Verdict::NotApplicable => "-      ",
            Verdict::Warning => "warning",
        };
        let _ = writeln!(text, "  {sign} {:>8}  {}", finding.rule.number(), finding.rule.statement());
        if matches!(finding.verdict, Verdict::Broken | Verdict::Warning) {
            let _ = writeln!(text, "                    {}", finding.why);
            if let Some(remedy) = &finding.remedy {
                let _ = writeln!(text, "                    → {remedy}");
            }
        }
    }
    let (broken, warnings) = (report.broken().count(), report.warnings().count());
    let _ = match (broken, warnings) {
        (0, 0) => writeln!(text, "good"),
        (0, n) => writeln!(text, "good, with {n} {}", if n == 1 { "warning" } else { "warnings" }),
        (n, _) => writeln!(text, "not acceptable: {n} {} broken", if n == 1 { "rule is" } else { "rules are" }),
    };
    text
}

fn status_text(g: &GrantStatus, now: SystemTime) -> String {
    let mut text = g.integration.clone();
    if g.account != "default" {
        let _ = write!(text, ", account {}", g.account);
    }
    if g.action != "all" {
        let _ = write!(text, ", action {}", g.action);
    }
    text.push('\n');
    let mut say = |line: String| {
        let _ = writeln!(text, "  {line}");
    };
    match &g.state {
        GrantState::None => say("not logged in".into()),
        GrantState::Gone => say(format!("was in {}, and is not there any more", place(&g.store))),
        GrantState::Outdated => say("logged in, but the configuration was changed since".into()),
        GrantState::Unknown(why) => say(why.clone()),
        GrantState::Stored { expiry, renewal, granted, obtained_at, last } => {
            say(format!("access token valid {}", lifetime(*expiry, now)));
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
            say(format!("obtained {}, kept in {}", time(*obtained_at), place(&g.store)));
            if let Some(last) = last {
                say(match last.result.fault() {
                    None => format!("last refresh {}", time(last.at())),
                    Some(why) => format!("last refresh {} failed: {why}", time(last.at())),
                });
            }
        }
    }
    if let Some(repair) = &g.repair {
        say(format!("→ {repair}"));
    }
    text
}

fn status_json(g: &GrantStatus, now: SystemTime) -> Value {
    let mut value = json!({ "integration": g.integration, "account": g.account, "action": g.action, "store": g.store, "repair": g.repair });
    let state = match &g.state {
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
            value["expires_at"] = time(expiry.time()).into();
            value["expires_in"] = left(expiry.time(), now).into();
            value["expiry_assumed"] = assumed(*expiry).into();
            value["refreshable"] = (*renewal != Renewal::LoginOnly).into();
            value["refreshable_until"] = match renewal {
                Renewal::RefreshToken { until: Some(until) } => time(*until).into(),
                _ => Value::Null,
            };
            value["scopes"] = scopes(granted).into();
            value["obtained_at"] = time(*obtained_at).into();
            if expiry.time() > now { "valid" } else { "expired" }
        }
    };
    value["state"] = state.into();
    value["login_required"] = g.needs_a_person(now).into();
    value
}

fn integration_text(i: &Integration) -> String {
    let mut text = format!("[integration.{}]\n", i.name);
    let mut say = |name: &str, value: String| {
        let _ = writeln!(text, "{name:14} {value}");
    };
    say("provider", provider(i));
    if let Server::Explicit(server) = &i.server {
        say("token endpoint", server.token_endpoint.to_string());
        if let Some(revocation) = &server.revocation_endpoint {
            say("revocation", revocation.to_string());
        }
    }
    say("client id", i.client_id.to_string());
    say("client secret", secret_words(i.client_secret.as_ref()));
    for redirect in &i.redirects {
        say("redirect", redirect.as_str().to_owned());
    }
    if let Some(relay) = &i.relay {
        say("relay", relay.as_str().to_owned());
    }
    say("scopes", if i.scopes.is_empty() { "none".into() } else { i.scopes.to_string() });
    for (action, scopes) in &i.actions {
        say("action", format!("{action}: {scopes}"));
    }
    for host in i.hosts.iter() {
        say("host", format!("{host}, as {} where a user name is wanted", i.basic_username.as_str()));
    }
    say("store", i.store.as_str().to_owned());
    text
}

fn integration_json(i: &Integration) -> Value {
    let (issuer, explicit) = match &i.server {
        Server::Discovered(issuer) => (Some(issuer), None),
        Server::Explicit(server) => (server.issuer.as_ref(), Some(server)),
    };
    json!({
        "name": i.name.as_str(),
        "issuer": issuer.map(ToString::to_string),
        "authorization_endpoint": explicit.map(|s| s.authorization_endpoint.to_string()),
        "token_endpoint": explicit.map(|s| s.token_endpoint.to_string()),
        "revocation_endpoint": explicit.and_then(|s| s.revocation_endpoint.as_ref()).map(ToString::to_string),
        "client_id": i.client_id.as_str(),
        "client_secret": secret_words(i.client_secret.as_ref()),
        "redirect_uris": i.redirects.iter().map(|r| r.as_str()).collect::<Vec<_>>(),
        "relay": i.relay.as_ref().map(|r| r.as_str()),
        "scopes": scopes(&i.scopes),
        "actions": i.actions.iter().map(|(name, s)| (name.to_string(), scopes(s))).collect::<std::collections::BTreeMap<_, _>>(),
        "hosts": i.hosts.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "basic_username": i.basic_username.as_str(),
        "store": i.store.as_str(),
    })
}

fn finding_json(f: &Finding) -> Value {
    let verdict = match f.verdict {
        Verdict::Broken => "broken",
        Verdict::Holds => "holds",
        Verdict::NotApplicable => "not_applicable",
        Verdict::Warning => "warning",
    };
    json!({ "rule": f.rule.number(), "statement": f.rule.statement(), "verdict": verdict, "why": f.why, "remedy": f.remedy })
}

fn provider(i: &Integration) -> String {
    match &i.server {
        Server::Discovered(issuer) => issuer.to_string(),
        Server::Explicit(server) => server.authorization_endpoint.to_string(),
    }
}

fn secret_words(source: Option<&SecretSource>) -> String {
    match source {
        None => "none (public client)".into(),
        Some(SecretSource::Environment(name)) => format!("in the variable {name}"),
        Some(SecretSource::File(path)) => format!("in {}", path.display()),
        Some(SecretSource::Store) => "in the store".into(),
    }
}

fn place(store: &str) -> &str {
    match store {
        "keychain" => "the keychain of this system",
        "file" => "encrypted files",
        "memory" => "memory, until the program ends",
        other => other,
    }
}

pub(super) fn scopes(list: &Scopes) -> Vec<&str> {
    list.iter().map(|s| s.as_str()).collect()
}

pub(super) fn assumed(expiry: Expiry) -> bool {
    matches!(expiry, Expiry::Assumed(_))
}

/// RFC 3339, UTC, whole seconds.
pub fn time(at: SystemTime) -> String {
    let seconds = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    i64::try_from(seconds).ok().and_then(|s| Timestamp::from_second(s).ok()).unwrap_or(Timestamp::MAX).to_string()
}

/// Seconds until then; negative when it has passed.
pub(super) fn left(until: SystemTime, now: SystemTime) -> i64 {
    let seconds = |d: Duration| i64::try_from(d.as_secs()).unwrap_or(i64::MAX);
    until.duration_since(now).map_or_else(|past| -seconds(past.duration()), seconds)
}

fn lifetime(expiry: Expiry, now: SystemTime) -> String {
    let words = match left(expiry.time(), now) {
        seconds if seconds <= 0 => format!("until {}, which has passed", time(expiry.time())),
        seconds => format!("until {} ({} left)", time(expiry.time()), span(seconds.unsigned_abs())),
    };
    if assumed(expiry) { format!("{words}, assumed since the provider did not say") } else { words }
}

fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

//! What a log line, a probe and a counter may know of a relay: never a query, a code or a state.

use std::{collections::BTreeMap, fmt, net::IpAddr};

use serde::Serialize;

use super::{Decision, Name};
use crate::{
    head::{Head, Method, Rejection},
    reply::Reply,
};

/// One request, as it is logged. Of the query only its length is told, and whether it has a `code` and an `error`.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Access<'a> {
    /// Who has asked, as far as is known.
    pub client: Option<IpAddr>,
    pub method: &'static str,
    pub status: u16,
    /// Of the route that was taken, as the three after it.
    pub environment: Option<&'a str>,
    pub host: Option<&'a str>,
    /// With its `{provider}`.
    pub path: Option<&'a str>,
    pub provider: Option<&'a str>,
    pub has_code: Presence,
    pub has_error: Presence,
    /// In bytes.
    pub query_len: usize,
}

/// `true` or `false` in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "bool")]
pub enum Presence {
    Absent,
    Present,
}

impl From<Presence> for bool {
    fn from(presence: Presence) -> Self {
        presence == Presence::Present
    }
}

impl<'a> Access<'a> {
    pub fn of(client: IpAddr, head: &Head, decision: &Decision<'a>) -> Self {
        let query = head.query().unwrap_or_default();
        Self {
            client: Some(client),
            method: match head.method {
                Method::Get => "GET",
                Method::Head => "HEAD",
                Method::Options => "OPTIONS",
                Method::Post => "POST",
                Method::Other => "other",
            },
            status: decision.reply.status_code(),
            environment: decision.route.map(|route| route.environment().as_str()),
            host: decision.route.map(|route| route.host()),
            path: decision.route.map(|route| route.path()),
            provider: decision.provider,
            has_code: presence(query, b"code"),
            has_error: presence(query, b"error"),
            query_len: query.len(),
        }
    }

    /// Bytes that were no request.
    pub fn of_rejection(rejection: Rejection) -> Self {
        let status = rejection.status();
        let (has_code, has_error) = (Presence::Absent, Presence::Absent);
        let (environment, host, path, provider) = (None, None, None, None);
        Self {
            client: None,
            method: "none",
            status,
            environment,
            host,
            path,
            provider,
            has_code,
            has_error,
            query_len: 0,
        }
    }
}

/// A look at the names as they stand there, encoded or not at all: for statistics, not for decisions.
fn presence(query: &[u8], name: &[u8]) -> Presence {
    let named = |parameter: &[u8]| parameter.split(|&byte| byte == b'=').next() == Some(name);
    if query.split(|&byte| byte == b'&').any(named) { Presence::Present } else { Presence::Absent }
}

/// Whether new requests shall come here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Readiness {
    Draining,
    #[default]
    Ready,
}

/// How reading the configuration again ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reload {
    /// The old one stays.
    Refused,
    Taken,
}

/// What an operator may ask at the admin address.
#[derive(Debug, Default)]
pub struct State {
    pub readiness: Readiness,
    /// Answers by environment (none where no route was taken) and status.
    answers: BTreeMap<(Option<Name>, u16), u64>,
    reloads: BTreeMap<Reload, u64>,
    /// Lines of the access log that nobody read in time.
    pub lost_lines: u64,
}

impl State {
    pub fn answered(&mut self, environment: Option<&Name>, status: u16) {
        *self.answers.entry((environment.cloned(), status)).or_default() += 1;
    }

    pub fn reloaded(&mut self, reload: Reload) {
        *self.reloads.entry(reload).or_default() += 1;
    }

    /// `/healthz`: the process lives. `/readyz`: send requests here. `/metrics`: the counters, as Prometheus reads them.
    pub fn respond(&self, head: &Head) -> Reply {
        match (head.method, head.target.as_slice()) {
            (Method::Get | Method::Head, b"/healthz") => Reply::text(200, "ok\n"),
            (Method::Get | Method::Head, b"/readyz") => match self.readiness {
                Readiness::Draining => Reply::text(503, "draining\n"),
                Readiness::Ready => Reply::text(200, "ready\n"),
            },
            (Method::Get | Method::Head, b"/metrics") => {
                Reply::bytes(200, "text/plain; version=0.0.4; charset=utf-8", self.to_string().into_bytes())
            }
            (Method::Get | Method::Head, _) => Reply::status(404),
            _ => Reply::status(405).allow("GET, HEAD"),
        }
    }
}

/// The text format of Prometheus, version 0.0.4. Labels are names and numbers, so nothing is to be escaped.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "# HELP loopin_relay_answers_total Requests answered.\n# TYPE loopin_relay_answers_total counter\n",
        )?;
        for ((environment, status), count) in &self.answers {
            let environment = environment.as_ref().map_or("", Name::as_str);
            writeln!(f, "loopin_relay_answers_total{{environment=\"{environment}\",status=\"{status}\"}} {count}")?;
        }
        f.write_str(
            "# HELP loopin_relay_reloads_total Configurations read again.\n# TYPE loopin_relay_reloads_total counter\n",
        )?;
        for (reload, word) in [(Reload::Refused, "refused"), (Reload::Taken, "taken")] {
            let count = self.reloads.get(&reload).unwrap_or(&0);
            writeln!(f, "loopin_relay_reloads_total{{result=\"{word}\"}} {count}")?;
        }
        f.write_str("# HELP loopin_relay_lost_log_lines_total Log lines nobody read in time.\n")?;
        writeln!(f, "# TYPE loopin_relay_lost_log_lines_total counter")?;
        writeln!(f, "loopin_relay_lost_log_lines_total {}", self.lost_lines)
    }
}

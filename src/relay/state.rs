//! What a log line, a probe and a counter may know of a relay: never a query, a code or a state.

use std::{collections::BTreeMap, fmt, net::IpAddr, time::Duration};

use serde::Serialize;

use super::{Decision, Name, Route};
use crate::{
    head::{Head, Method},
    reply::Reply,
};

/// One request, as it is logged. Of the query only its length is told, and whether it has a `code` and an `error`.
#[derive(Debug)]
pub struct Access {
    /// Who has asked, as far as is known.
    client: Option<IpAddr>,
    method: &'static str,
    status: u16,
    /// The route that was taken.
    route: Option<Route>,
    provider: Option<String>,
    has_code: Presence,
    has_error: Presence,
    /// In bytes.
    query_len: usize,
}

/// As it stands in the log.
#[derive(Serialize)]
struct Shown<'a> {
    client: Option<IpAddr>,
    method: &'static str,
    status: u16,
    environment: Option<&'a str>,
    host: Option<&'a str>,
    path: Option<&'a str>,
    provider: Option<&'a str>,
    has_code: Presence,
    has_error: Presence,
    query_len: usize,
    ms: f64,
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

impl Access {
    pub fn of(client: IpAddr, head: &Head, decision: &Decision<'_>) -> Self {
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
            route: decision.route.cloned(),
            provider: decision.provider.map(str::to_owned),
            has_code: presence(query, b"code"),
            has_error: presence(query, b"error"),
            query_len: query.len(),
        }
    }

    /// Bytes that were no request, or not in time.
    pub fn of_refusal(status: u16) -> Self {
        let (has_code, has_error) = (Presence::Absent, Presence::Absent);
        Self { client: None, method: "none", status, route: None, provider: None, has_code, has_error, query_len: 0 }
    }

    /// With `ms`: what passed from the first byte of the head to the last byte of the reply in the kernel, in
    /// milliseconds.
    ///
    /// # Errors
    /// As the serializer's.
    pub fn line(&self, took: Duration) -> impl Serialize {
        let route = self.route.as_ref();
        Shown {
            client: self.client,
            method: self.method,
            status: self.status,
            environment: route.map(|route| route.environment().as_str()),
            host: route.map(Route::host),
            path: route.map(Route::path),
            provider: self.provider.as_deref(),
            has_code: self.has_code,
            has_error: self.has_error,
            query_len: self.query_len,
            ms: (took.as_secs_f64() * 1e6).round() / 1e3,
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

/// What an operator may ask at the admin address, the counters of the workers aside.
#[derive(Debug, Default)]
pub struct State {
    pub readiness: Readiness,
    reloads: BTreeMap<Reload, u64>,
}

/// What one worker has counted.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// By environment (none where no route was taken) and status. They are few.
    answers: Vec<((Option<Name>, u16), u64)>,
    /// Lines of the access log that nobody read in time.
    pub lost_lines: u64,
}

impl Tally {
    pub fn answered(&mut self, environment: Option<&Name>, status: u16) {
        self.count(environment, status, 1);
    }

    /// Both together.
    pub fn with(mut self, other: &Self) -> Self {
        for ((environment, status), count) in &other.answers {
            self.count(environment.as_ref(), *status, *count);
        }
        self.lost_lines += other.lost_lines;
        self
    }

    fn count(&mut self, environment: Option<&Name>, status: u16, more: u64) {
        match self.answers.iter_mut().find(|((of, number), _)| *number == status && of.as_ref() == environment) {
            Some((_, count)) => *count += more,
            None => self.answers.push(((environment.cloned(), status), more)),
        }
    }
}

impl State {
    pub fn reloaded(&mut self, reload: Reload) {
        *self.reloads.entry(reload).or_default() += 1;
    }

    /// `/healthz`: the process lives. `/readyz`: send requests here. `/metrics`: the counters, as Prometheus reads them.
    pub fn respond(&self, head: &Head, tally: impl FnOnce() -> Tally) -> Reply {
        match (head.method, head.target.as_slice()) {
            (Method::Get | Method::Head, b"/healthz") => Reply::text(200, "ok\n"),
            (Method::Get | Method::Head, b"/readyz") => match self.readiness {
                Readiness::Draining => Reply::text(503, "draining\n"),
                Readiness::Ready => Reply::text(200, "ready\n"),
            },
            (Method::Get | Method::Head, b"/metrics") => {
                let metrics = Metrics { reloads: &self.reloads, tally: tally() };
                Reply::bytes(200, "text/plain; version=0.0.4; charset=utf-8", metrics.to_string().into_bytes())
            }
            (Method::Get | Method::Head, _) => Reply::status(404),
            _ => Reply::status(405).allow("GET, HEAD"),
        }
    }
}

struct Metrics<'a> {
    reloads: &'a BTreeMap<Reload, u64>,
    tally: Tally,
}

/// The text format of Prometheus, version 0.0.4. Labels are names and numbers, so nothing is to be escaped.
impl fmt::Display for Metrics<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "# HELP loopin_relay_answers_total Requests answered.\n# TYPE loopin_relay_answers_total counter\n",
        )?;
        for ((environment, status), count) in
            self.tally.answers.iter().map(|(key, count)| (key, count)).collect::<BTreeMap<_, _>>()
        {
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
        writeln!(f, "loopin_relay_lost_log_lines_total {}", self.tally.lost_lines)
    }
}

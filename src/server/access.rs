//! What a log line and a counter know of a request: never a query, a token, a code or a user.

use std::{
    collections::BTreeMap,
    fmt::Write,
    net::IpAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::Serialize;

/// One request, as it is logged.
#[derive(Serialize)]
pub struct Entry<'a> {
    /// As an error's answer names it.
    pub request: &'a str,
    pub client: IpAddr,
    pub method: &'static str,
    pub route: &'static str,
    pub group: Option<&'a str>,
    pub status: u16,
    /// Of the problem, if it was one.
    pub code: Option<&'static str>,
    /// Of the flow that it ended: `success`, or the error that the application was told.
    pub ending: Option<&'static str>,
    /// Why the caller's token was not taken, which the caller is not told.
    pub refused: Option<&'static str>,
    pub ms: u64,
}

/// Counters, in the text form of Prometheus.
#[derive(Debug, Default)]
pub struct Metrics {
    answers: Mutex<BTreeMap<(&'static str, u16), u64>>,
    endings: Mutex<BTreeMap<(String, &'static str), u64>>,
    lost_lines: AtomicU64,
}

impl Metrics {
    pub fn answered(&self, route: &'static str, status: u16) {
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner).entry((route, status)).or_default() += 1;
    }

    /// How a flow ended: `success`, or the code that the application was told.
    pub fn ended(&self, group: &str, ending: &'static str) {
        let mut endings = self.endings.lock().unwrap_or_else(PoisonError::into_inner);
        *endings.entry((group.to_owned(), ending)).or_default() += 1;
    }

    pub fn lost_line(&self) {
        self.lost_lines.fetch_add(1, Ordering::Relaxed);
    }

    pub fn text(&self) -> String {
        let mut text = String::from("# TYPE loopin_serve_answers_total counter\n");
        for ((route, status), count) in &*self.answers.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = writeln!(text, "loopin_serve_answers_total{{route=\"{route}\",status=\"{status}\"}} {count}");
        }
        text += "# TYPE loopin_serve_flows_total counter\n";
        for ((group, ending), count) in &*self.endings.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = writeln!(text, "loopin_serve_flows_total{{group=\"{group}\",ending=\"{ending}\"}} {count}");
        }
        let lost = self.lost_lines.load(Ordering::Relaxed);
        let _ = writeln!(
            text,
            "# TYPE loopin_serve_lost_log_lines_total counter\nloopin_serve_lost_log_lines_total {lost}"
        );
        text
    }
}

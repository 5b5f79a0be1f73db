//! The fields of the access log and the counters. Neither contains a query, a token, a code or a user.

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

/// A line of the access log, one per request.
#[derive(Serialize)]
pub struct Entry<'a> {
    /// The number that error responses contain too.
    pub request: &'a str,
    pub client: IpAddr,
    pub method: &'static str,
    pub route: &'static str,
    pub group: Option<&'a str>,
    pub status: u16,
    /// The code of the problem, if the response is one.
    pub code: Option<&'static str>,
    /// The result of the flow that this request ended: `success`, or the error code that the application gets.
    pub ending: Option<&'static str>,
    /// Why the caller's token was rejected. The response does not contain it.
    pub refused: Option<&'static str>,
    /// Why the provider was of no use, or the callback unexpected. The response does not contain it.
    pub why: Option<&'a str>,
    /// The `error` of the provider's OAuth error response.
    pub oauth_error: Option<&'a str>,
    /// The HTTP status of the provider's response.
    pub provider_status: Option<u16>,
    /// What is unusual about the response of the token endpoint. No value of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_response: Option<&'a str>,
    pub ms: u64,
}

/// Counters in the text format of Prometheus.
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

    /// `ending` is `success`, or the error code that the application gets.
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

//! Times as they are shown.

use std::time::{Duration, SystemTime};

use crate::oauth::Expiry;
pub use crate::timestamp::rfc3339 as time;

pub(super) fn assumed(expiry: Expiry) -> bool {
    matches!(expiry, Expiry::Assumed(_))
}

/// Seconds until then; negative when it has passed.
pub(super) fn left(until: SystemTime, now: SystemTime) -> i64 {
    let seconds = |d: Duration| i64::try_from(d.as_secs()).unwrap_or(i64::MAX);
    until.duration_since(now).map_or_else(|past| -seconds(past.duration()), seconds)
}

pub(super) fn lifetime(expiry: Expiry, now: SystemTime) -> String {
    let Some(end) = expiry.end() else { return "until it is revoked: the provider named no end".into() };
    let words = match left(end, now) {
        seconds if seconds <= 0 => format!("until {}, which has passed", time(end)),
        seconds => format!("until {} ({} left)", time(end), span(seconds.unsigned_abs())),
    };
    if assumed(expiry) { format!("{words}, assumed since the provider did not say") } else { words }
}

/// The time from `now` to `then`, in words.
pub(super) fn span_until(then: SystemTime, now: SystemTime) -> String {
    span(left(then, now).unsigned_abs())
}

fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

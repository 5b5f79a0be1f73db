//! Times as text: RFC 3339, UTC, whole seconds, for logs, JSON and people alike.

use std::time::SystemTime;

use jiff::Timestamp;

/// `2026-11-22T03:16:27Z`. What lies outside of what the format can hold is its last moment.
pub fn rfc3339(at: SystemTime) -> String {
    let seconds = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    i64::try_from(seconds).ok().and_then(|s| Timestamp::from_second(s).ok()).unwrap_or(Timestamp::MAX).to_string()
}

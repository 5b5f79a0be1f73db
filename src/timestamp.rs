//! Times as text: RFC 3339, UTC, whole seconds, for logs, JSON and people alike; and the `Date` of HTTP.

use std::time::SystemTime;

use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};

/// `2026-11-22T03:16:27Z`. What lies outside of what the format can hold is its last moment.
pub fn rfc3339(at: SystemTime) -> String {
    let seconds = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    i64::try_from(seconds).ok().and_then(|s| Timestamp::from_second(s).ok()).unwrap_or(Timestamp::MAX).to_string()
}

/// The time in a `Date` header, which is in the format of mail or in one that is no longer sent (RFC 9110 section 5.6.7).
/// `None`: the latter, or no time at all.
pub fn http_date(text: &str) -> Option<SystemTime> {
    DateTimeParser::new().parse_timestamp(text).ok().map(SystemTime::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_a_response_is_read() {
        let read = |text| http_date(text).map(rfc3339);
        assert_eq!(Some("1994-11-06T08:49:37Z"), read("Sun, 06 Nov 1994 08:49:37 GMT").as_deref());
        for bad in ["", "0", "soon", "Sun, 36 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"] {
            assert_eq!(None, read(bad), "{bad}");
        }
    }
}

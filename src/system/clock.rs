//! The clocks.

use std::time::{Instant, SystemTime};

/// The wall clock, for stored times.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn now() -> SystemTime {
    SystemTime::now()
}

/// The monotonic clock, for deadlines.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn instant() -> Instant {
    Instant::now()
}

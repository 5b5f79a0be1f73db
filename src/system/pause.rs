//! Waiting on purpose, with a little chance in it, so that many who wait do not come back at once.

use std::{thread, time::Duration};

use super::entropy;

/// Up to 250 ms.
pub fn jitter() -> Duration {
    let [byte] = entropy::random().unwrap_or([128]);
    Duration::from_millis(u64::from(byte))
}

pub fn hold(time: Duration) {
    thread::sleep(time);
}

/// Before a store is asked again.
pub fn briefly() {
    hold(Duration::from_millis(50) + jitter() / 2);
}

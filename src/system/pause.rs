//! Pauses with jitter, so that waiting processes do not all return at once.

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

/// The pause before a store is called again.
pub fn briefly() {
    hold(Duration::from_millis(50) + jitter() / 2);
}

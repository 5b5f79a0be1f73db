//! The validity of a token, and what it is worth now.

use std::time::{Duration, SystemTime};

use super::{CLOCK_SLACK, LONGEST_MARGIN, MinTtl, Worth};

/// The life of one token, by the clock of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// When the token was obtained.
    pub from: SystemTime,
    /// When it expires.
    pub until: SystemTime,
}

impl Validity {
    /// How long it is valid in total; 0 if it was expired when it arrived.
    pub fn life(self) -> Duration {
        self.until.duration_since(self.from).unwrap_or_default()
    }

    /// The smaller of 60 s and a tenth of its life.
    fn margin(self) -> Duration {
        LONGEST_MARGIN.min(self.life() / 10)
    }

    /// What the token is worth at `now`.
    pub fn worth(self, min_ttl: MinTtl, now: SystemTime) -> Worth {
        let left = match self.until.duration_since(now) {
            Ok(left) if !left.is_zero() => left,
            Ok(_) => return Worth::Expired { ago: Duration::ZERO },
            Err(past) => return Worth::Expired { ago: past.duration() },
        };
        // The clock was set back after the token arrived, so the computed time may be days too long.
        if left > self.life() + CLOCK_SLACK {
            return Worth::Short { left: self.life() };
        }
        let wanted = match min_ttl {
            MinTtl::Margin => self.margin(),
            MinTtl::AtLeast(wanted) => wanted,
        };
        if left < wanted { Worth::Short { left } } else { Worth::Fresh }
    }

    /// When a program that keeps the token should ask again: as soon as it would be refreshed. `None` if this machine's
    /// clock is wrong, so that only a rejection shows that the token has expired.
    pub fn ask_again_at(self, now: SystemTime) -> Option<SystemTime> {
        let left = self.until.duration_since(now).ok().filter(|left| *left <= self.life() + CLOCK_SLACK)?;
        Some(if left > self.margin() { self.until - self.margin() } else { self.until })
    }
}

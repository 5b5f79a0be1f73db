//! From when until when a token is valid, and what that is worth now.

use std::time::{Duration, SystemTime};

use super::{CLOCK_SLACK, LONGEST_MARGIN, MinTtl, Worth};

/// The life of one token, by the clock of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    pub from: SystemTime,
    pub until: SystemTime,
}

impl Validity {
    pub fn life(self) -> Duration {
        self.until.duration_since(self.from).unwrap_or_default()
    }

    /// The smaller of 60 s and a tenth of its life.
    fn margin(self) -> Duration {
        LONGEST_MARGIN.min(self.life() / 10)
    }

    pub fn worth(self, min_ttl: MinTtl, now: SystemTime) -> Worth {
        let left = match self.until.duration_since(now) {
            Ok(left) if !left.is_zero() => left,
            Ok(_) => return Worth::Expired { ago: Duration::ZERO },
            Err(past) => return Worth::Expired { ago: past.duration() },
        };
        // The clock has gone back since the token came: what it says is left may be days too much.
        if left > self.life() + CLOCK_SLACK {
            return Worth::Short { left: self.life() };
        }
        let wanted = match min_ttl {
            MinTtl::Margin => self.margin(),
            MinTtl::AtLeast(wanted) => wanted,
        };
        if left < wanted { Worth::Short { left } } else { Worth::Fresh }
    }

    /// When a program that keeps the token should come back: as soon as it would be renewed. `None` where this machine's
    /// clock says nothing sensible, so that only a refusal tells.
    pub fn ask_again_at(self, now: SystemTime) -> Option<SystemTime> {
        let left = self.until.duration_since(now).ok().filter(|left| *left <= self.life() + CLOCK_SLACK)?;
        Some(if left > self.margin() { self.until - self.margin() } else { self.until })
    }
}

//! How often: token buckets in bounded memory. The time is an argument.

mod file;

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

pub use file::Table;

use super::store::FlowId;
use crate::vault::{GrantKey, Owner};

/// Keys that are remembered; half of them are those used last, whatever an attacker brings. 24 bytes each.
const REMEMBERED: usize = 100_000;

/// So many at once, and no more than so many in each period after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub burst: u32,
    pub period: Duration,
}

/// Ask again after this long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    wait: Duration,
}

impl Exceeded {
    /// The value of `Retry-After` (RFC 9110 section 10.2.3): whole seconds, at least one.
    pub fn retry_after(self) -> u64 {
        (self.wait.as_secs() + u64::from(self.wait.subsec_nanos() > 0)).max(1)
    }
}

/// One bucket a key. Of a key nothing is kept but a hash under a key of this process.
#[derive(Debug)]
pub struct Buckets {
    rate: Rate,
    hasher: RandomState,
    remembered: usize,
    /// When each bucket will be full again, as time since the epoch. A key moves from `before` to `recent` when it is
    /// used; when `recent` is full it becomes `before`, and what was there is forgotten.
    recent: HashMap<u64, Duration>,
    before: HashMap<u64, Duration>,
}

impl Buckets {
    pub fn new(rate: Rate) -> Self {
        Self::remembering(rate, REMEMBERED)
    }

    fn remembering(rate: Rate, remembered: usize) -> Self {
        Self { rate, hasher: RandomState::new(), remembered, recent: HashMap::new(), before: HashMap::new() }
    }

    /// Takes one from the bucket of `key`.
    ///
    /// # Errors
    /// It is empty; nothing was taken.
    pub fn take(&mut self, key: &impl Hash, now: SystemTime) -> Result<(), Exceeded> {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let key = self.hasher.hash_one(key);
        let known = self.recent.get(&key).or_else(|| self.before.get(&key)).copied().unwrap_or_default();
        // A clock that was set back does not lock anybody out for longer than an empty bucket would.
        let full_at = known.clamp(now, now + self.rate.period);
        let after = full_at + self.rate.period / self.rate.burst.max(1);
        let wait = after.saturating_sub(now + self.rate.period);
        if self.recent.len() >= self.remembered / 2 && !self.recent.contains_key(&key) {
            self.before = std::mem::take(&mut self.recent);
        }
        // Whoever is refused is remembered too, or a flood of others would fill the bucket again.
        match wait.is_zero() {
            true => {
                self.recent.insert(key, after);
                Ok(())
            }
            false => {
                self.recent.insert(key, full_at);
                Err(Exceeded { wait })
            }
        }
    }
}

/// What `[limits]` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Flows that one user begins.
    pub starts: Rate,
    /// Flows of one user that wait for their answer at the same time (docs/threats.md, V36).
    pub unfinished_flows: u32,
    /// Callbacks from one address whose `state` is not ours; and answers to one flow from one address.
    pub failed_callbacks: Rate,
    /// Of one connection, by all callers together. Not of one caller, since a service asks for all of its users; high
    /// enough for a crowd of workers that share a connection, because a read costs next to nothing.
    pub token_reads: Rate,
    /// Other requests about one user: lists of connections, links.
    pub requests: Rate,
    /// Of one connection.
    pub forced_refreshes: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        let rate = |burst, seconds| Rate { burst, period: Duration::from_secs(seconds) };
        Self {
            starts: rate(10, 60),
            unfinished_flows: 20,
            failed_callbacks: rate(60, 60),
            token_reads: rate(1000, 1),
            requests: rate(100, 1),
            forced_refreshes: rate(1, 30),
        }
    }
}

/// The limits of a running service. A limit counts what one user, one connection or one address does, so that nobody
/// uses up what is another's.
#[derive(Debug)]
pub struct Limits {
    starts: Mutex<Buckets>,
    failed_callbacks: Mutex<Buckets>,
    answers: Mutex<Buckets>,
    token_reads: Mutex<Buckets>,
    requests: Mutex<Buckets>,
    forced_refreshes: Mutex<Buckets>,
}

impl Limits {
    pub fn new(rates: &Rates) -> Self {
        let buckets = |rate| Mutex::new(Buckets::new(rate));
        Self {
            starts: buckets(rates.starts),
            failed_callbacks: buckets(rates.failed_callbacks),
            answers: buckets(rates.failed_callbacks),
            token_reads: buckets(rates.token_reads),
            requests: buckets(rates.requests),
            forced_refreshes: buckets(rates.forced_refreshes),
        }
    }

    /// # Errors
    /// This user has begun too many flows.
    pub fn start(&self, owner: &Owner, now: SystemTime) -> Result<(), Exceeded> {
        take(&self.starts, owner, now)
    }

    /// For a callback that answers no flow of ours.
    ///
    /// # Errors
    /// Too many of them from this address.
    pub fn failed_callback(&self, address: IpAddr, now: SystemTime) -> Result<(), Exceeded> {
        take(&self.failed_callbacks, &network(address), now)
    }

    /// For a callback that answers a flow of ours: each costs a write, though only the first has an effect. Counted for
    /// this flow alone, so that the first answer to a flow always passes, whatever else came from the address.
    ///
    /// # Errors
    /// The same flow was answered too often from this address.
    pub fn answer(&self, flow: FlowId, address: IpAddr, now: SystemTime) -> Result<(), Exceeded> {
        take(&self.answers, &(flow, network(address)), now)
    }

    /// # Errors
    /// The token of this connection was asked for too often.
    pub fn token_read(&self, key: &GrantKey, now: SystemTime) -> Result<(), Exceeded> {
        take(&self.token_reads, key, now)
    }

    /// # Errors
    /// Too many requests about this user.
    pub fn request(&self, owner: &Owner, now: SystemTime) -> Result<(), Exceeded> {
        take(&self.requests, owner, now)
    }

    /// # Errors
    /// This connection was refreshed by force a moment ago.
    pub fn forced_refresh(&self, key: &GrantKey, now: SystemTime) -> Result<(), Exceeded> {
        take(&self.forced_refreshes, key, now)
    }
}

fn take(buckets: &Mutex<Buckets>, key: &impl Hash, now: SystemTime) -> Result<(), Exceeded> {
    buckets.lock().unwrap_or_else(PoisonError::into_inner).take(key, now)
}

/// Whom an address stands for: of IPv6 a subscriber has a /64 at least (RFC 6177 section 2).
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => std::net::Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests;

//! Rate limits: token buckets in bounded memory. The time is an argument.

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

/// Buckets in memory, 24 bytes each. The half that was used last is always kept, however many keys an attacker sends.
const REMEMBERED: usize = 100_000;

/// A burst, and the same number again per period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many at once.
    pub burst: u32,
    /// The time in which the same number is available again.
    pub period: Duration,
}

/// Try again after this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    wait: Duration,
}

impl Exceeded {
    /// The value of `Retry-After` (RFC 9110 section 10.2.3): whole seconds, at least 1.
    pub fn retry_after(self) -> u64 {
        (self.wait.as_secs() + u64::from(self.wait.subsec_nanos() > 0)).max(1)
    }
}

/// One bucket per key. Keys are stored only as hashes with a secret of this process.
#[derive(Debug)]
pub struct Buckets {
    rate: Rate,
    hasher: RandomState,
    remembered: usize,
    /// When each bucket will be full again, as time since 1970. A used key moves from `before` to `recent`. When
    /// `recent` is full, it becomes `before`, and the old `before` is dropped.
    recent: HashMap<u64, Duration>,
    before: HashMap<u64, Duration>,
}

impl Buckets {
    /// Buckets with this rate, all full.
    pub fn new(rate: Rate) -> Self {
        Self::remembering(rate, REMEMBERED)
    }

    fn remembering(rate: Rate, remembered: usize) -> Self {
        Self { rate, hasher: RandomState::new(), remembered, recent: HashMap::new(), before: HashMap::new() }
    }

    /// Takes one from the bucket of `key`.
    ///
    /// # Errors
    /// The bucket is empty. Nothing was taken.
    pub fn take(&mut self, key: &impl Hash, now: SystemTime) -> Result<(), Exceeded> {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let key = self.hasher.hash_one(key);
        let known = self.recent.get(&key).or_else(|| self.before.get(&key)).copied().unwrap_or_default();
        // After the clock was set back, no key waits longer than for an empty bucket.
        let full_at = known.clamp(now, now + self.rate.period);
        let after = full_at + self.rate.period / self.rate.burst.max(1);
        let wait = after.saturating_sub(now + self.rate.period);
        if self.recent.len() >= self.remembered / 2 && !self.recent.contains_key(&key) {
            self.before = std::mem::take(&mut self.recent);
        }
        // A rejected key is stored too; otherwise a flood of other keys would refill its bucket.
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

/// The values of `[limits]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Flows that one user starts.
    pub starts: Rate,
    /// Unfinished flows of one user at the same time (docs/threats.md, V36).
    pub unfinished_flows: u32,
    /// Per address: callbacks with an unknown `state`; and responses to one flow.
    pub failed_callbacks: Rate,
    /// Token requests per connection, of all callers together. Not per caller, because a backend sends requests for all
    /// of its users. The limit is high, because many workers may share a connection and a read is cheap.
    pub token_reads: Rate,
    /// Other requests about one user: lists of connections, links.
    pub requests: Rate,
    /// Forced refreshes per connection.
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

/// The limits of a running service. Each one counts a single user, connection or address, so that nobody uses up
/// another's limit.
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
    /// Limits with these rates.
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
    /// The user has started too many flows.
    pub fn start(&self, owner: &Owner, now: SystemTime) -> Result<(), Exceeded> {
        take(&self.starts, owner, now)
    }

    /// For a callback without a valid `state`.
    ///
    /// # Errors
    /// Too many of them from this address.
    pub fn failed_callback(&self, address: IpAddr, now: SystemTime) -> Result<(), Exceeded> {
        take(&self.failed_callbacks, &network(address), now)
    }

    /// For a callback with a valid `state`: each costs a write, though only the first one has an effect. It counts for
    /// this flow only, so that the first response to a flow always passes, whatever else came from the address.
    ///
    /// # Errors
    /// Too many responses to this flow from this address.
    pub fn answer(&self, flow: FlowId, address: IpAddr, now: SystemTime) -> Result<(), Exceeded> {
        take(&self.answers, &(flow, network(address)), now)
    }

    /// # Errors
    /// Too many token requests for this connection.
    pub fn token_read(&self, key: &GrantKey, now: SystemTime) -> Result<(), Exceeded> {
        take(&self.token_reads, key, now)
    }

    /// # Errors
    /// Too many requests about this user.
    pub fn request(&self, owner: &Owner, now: SystemTime) -> Result<(), Exceeded> {
        take(&self.requests, owner, now)
    }

    /// # Errors
    /// The connection was refreshed by force a moment ago.
    pub fn forced_refresh(&self, key: &GrantKey, now: SystemTime) -> Result<(), Exceeded> {
        take(&self.forced_refreshes, key, now)
    }
}

fn take(buckets: &Mutex<Buckets>, key: &impl Hash, now: SystemTime) -> Result<(), Exceeded> {
    buckets.lock().unwrap_or_else(PoisonError::into_inner).take(key, now)
}

/// What an address is counted as: an IPv6 subscriber has at least a /64 (RFC 6177 section 2).
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => std::net::Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests;

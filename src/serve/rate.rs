//! How often: token buckets in bounded memory. The time is an argument.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

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

/// The limits of the service (SERVICE: authorize 10 a minute and user, callback 60 a minute and address, token 100 a
/// second and service, a forced refresh once per 30 s and connection).
#[derive(Debug)]
pub struct Limits {
    authorize: Mutex<Buckets>,
    callback: Mutex<Buckets>,
    token: Mutex<Buckets>,
    forced_refresh: Mutex<Buckets>,
}

impl Default for Limits {
    fn default() -> Self {
        let buckets = |burst, period| Mutex::new(Buckets::new(Rate { burst, period }));
        Self {
            authorize: buckets(10, Duration::from_secs(60)),
            callback: buckets(60, Duration::from_secs(60)),
            token: buckets(100, Duration::from_secs(1)),
            forced_refresh: buckets(1, Duration::from_secs(30)),
        }
    }
}

impl Limits {
    /// # Errors
    /// This user has begun too many connections.
    pub fn authorize(&self, user: &str, now: SystemTime) -> Result<(), Exceeded> {
        take(&self.authorize, &user, now)
    }

    /// # Errors
    /// Too many answers from this address.
    pub fn callback(&self, address: IpAddr, now: SystemTime) -> Result<(), Exceeded> {
        take(&self.callback, &network(address), now)
    }

    /// # Errors
    /// This caller (a user, or a service) has asked too often.
    pub fn token(&self, caller: &str, now: SystemTime) -> Result<(), Exceeded> {
        take(&self.token, &caller, now)
    }

    /// # Errors
    /// This connection was refreshed by force a moment ago.
    pub fn forced_refresh(&self, connection: &str, now: SystemTime) -> Result<(), Exceeded> {
        take(&self.forced_refresh, &connection, now)
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

//! What one thread of the relay does with a request, and what all of them share: the routes, the counters, the end.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Instant,
};

use crate::{
    relay::{Access, Relay, State, Tally},
    reply::Reply,
    system::{
        access_log::{Lost, Sheet},
        clock,
        listener::{Answer, Receipt, Request, Service, Turn},
    },
};

pub(super) struct Shared {
    relay: Mutex<Arc<Relay>>,
    /// Counts the configurations, so that a worker looks for a new one only when there is one.
    generation: AtomicU64,
    state: Mutex<State>,
    /// One a worker.
    tallies: Vec<Mutex<Tally>>,
    /// Signals to end: the first lets everybody finish, the second does not.
    ends: AtomicU32,
}

impl Shared {
    pub(super) fn new(relay: Relay, workers: usize) -> Self {
        let tallies = (0..workers).map(|_| Mutex::default()).collect();
        let (generation, ends) = (AtomicU64::new(0), AtomicU32::new(0));
        Self { relay: Mutex::new(Arc::new(relay)), generation, state: Mutex::default(), tallies, ends }
    }

    pub(super) fn relay(&self) -> Arc<Relay> {
        Arc::clone(&lock(&self.relay))
    }

    /// From the next request on, whoever answers it.
    pub(super) fn replace(&self, relay: Relay) {
        *lock(&self.relay) = Arc::new(relay);
        self.generation.fetch_add(1, Ordering::Release);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(super) fn end(&self) {
        self.ends.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn is_ending(&self) -> bool {
        self.ends.load(Ordering::Relaxed) > 0
    }
}

pub(super) struct Worker {
    shared: Arc<Shared>,
    number: usize,
    relay: Arc<Relay>,
    generation: u64,
    log: Option<Log>,
}

/// Requests that were answered and are told once the reply is out.
struct Log {
    sheet: Sheet,
    open: BTreeMap<u64, (Access, Instant)>,
    next: u64,
}

impl Worker {
    /// Without a sheet no request is told.
    pub(super) fn new(shared: &Arc<Shared>, number: usize, sheet: Option<Sheet>) -> Self {
        let log = sheet.map(|sheet| Log { sheet, open: BTreeMap::new(), next: 0 });
        let generation = shared.generation.load(Ordering::Acquire);
        Self { relay: shared.relay(), shared: Arc::clone(shared), number, generation, log }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        lock(&self.shared.tallies[self.number])
    }

    fn told(&mut self, receipt: Receipt, at: Instant) {
        if let Some(log) = &mut self.log {
            let told = log.told(receipt, at);
            self.count_lost(told);
        }
    }

    fn count_lost(&self, told: Result<(), Lost>) {
        if let Err(Lost(lines)) = told {
            self.tally().lost_lines += lines;
        }
    }

    /// Everything that is still to be told.
    pub(super) fn finish(mut self) {
        if let Some(log) = &mut self.log {
            let told = log.sheet.hand_over();
            self.count_lost(told);
        }
    }
}

impl Log {
    fn note(&mut self, access: Access, since: Instant) -> Receipt {
        let receipt = Receipt(self.next);
        self.next += 1;
        self.open.insert(receipt.0, (access, since));
        receipt
    }

    fn told(&mut self, receipt: Receipt, at: Instant) -> Result<(), Lost> {
        match self.open.remove(&receipt.0) {
            Some((access, since)) => self.sheet.write(&access.line(at.saturating_duration_since(since)), clock::now()),
            None => Ok(()),
        }
    }
}

impl Service for Worker {
    fn respond(&mut self, &Request { head, peer, since, .. }: &Request<'_>) -> Answer {
        let generation = self.shared.generation.load(Ordering::Acquire);
        if generation != self.generation {
            (self.relay, self.generation) = (self.shared.relay(), generation);
        }
        let decision = self.relay.respond(head);
        let environment = decision.route.map(|route| route.environment());
        self.tally().answered(environment, decision.reply.status_code());
        match &mut self.log {
            None => Answer::Now(decision.reply),
            Some(log) => {
                let client = self.relay.client(peer.ip(), head);
                let receipt = log.note(Access::of(client, head, &decision), since);
                Answer::NowWithReceipt(decision.reply, receipt)
            }
        }
    }

    fn refused(&mut self, status: u16, since: Instant) -> Option<Receipt> {
        self.tally().answered(None, status);
        self.log.as_mut().map(|log| log.note(Access::of_refusal(status), since))
    }

    fn sent(&mut self, receipt: Receipt, at: Instant) {
        self.told(receipt, at);
    }

    /// A request was answered all the same.
    fn lost(&mut self, receipt: Receipt, at: Instant) {
        self.told(receipt, at);
    }

    fn turn(&mut self, _: Instant) -> Turn {
        if let Some(log) = &mut self.log {
            let told = log.sheet.hand_over();
            self.count_lost(told);
        }
        match self.shared.ends.load(Ordering::Relaxed) {
            0 => Turn::Continue,
            1 => Turn::Drain,
            _ => Turn::Stop,
        }
    }
}

/// Answers at the admin address.
pub(super) struct Admin(pub(super) Arc<Shared>);

impl Service for Admin {
    fn respond(&mut self, request: &Request<'_>) -> Answer {
        let tally = || self.0.tallies.iter().fold(Tally::default(), |sum, tally| sum.with(&lock(tally)));
        let reply: Reply = self.0.state().respond(request.head, tally);
        Answer::Now(reply)
    }

    fn turn(&mut self, _: Instant) -> Turn {
        Turn::Continue
    }
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

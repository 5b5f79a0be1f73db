//! The thread that writes. Waiting jobs are committed together, with one fsync.

use std::{
    sync::mpsc::{self, Receiver, Sender},
    thread::{self, JoinHandle},
};

use rusqlite::Connection as Sqlite;
use tokio::sync::oneshot;

use super::rows;
use crate::service::store::{Answer, StoreFault};

/// Jobs per transaction, at most.
const TOGETHER: usize = 64;

/// Runs its work, or gets the reason why it cannot. Returns the function that sends the result once the transaction has
/// ended.
type Job = Box<dyn FnOnce(Result<&Sqlite, StoreFault>) -> Reply + Send>;
type Reply = Box<dyn FnOnce(Result<(), StoreFault>) + Send>;

pub struct Writer {
    /// `None` at the end.
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Writer {
    /// Waits until everything is written and the file is closed.
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Writer {
    pub fn start(db: Sqlite) -> Result<Self, StoreFault> {
        let (jobs, queue) = mpsc::channel();
        let thread = thread::Builder::new().name("database".into());
        let thread = thread.spawn(move || run(&db, &queue));
        let thread = thread.map_err(|e| StoreFault::Unavailable(e.kind().to_string()))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// The work runs even if nobody waits for the result.
    pub fn write<'a, T: Send + 'static>(
        &self,
        work: impl FnOnce(&Sqlite) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<'a, T> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |db| {
            let result = db.and_then(|db| apart(db, work).map_err(rows::fault));
            Box::new(move |committed| {
                let _ = reply.send(committed.and(result));
            })
        });
        let ended = || StoreFault::Unavailable("its writer has ended".into());
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        Box::pin(async move {
            if !sent {
                return Err(ended());
            }
            answer.await.map_err(|_| ended())?
        })
    }
}

/// Runs a job in a savepoint: its failure must not undo other jobs.
fn apart<T>(db: &Sqlite, work: impl FnOnce(&Sqlite) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    db.prepare_cached("SAVEPOINT job")?.execute([])?;
    let result = work(db);
    // SQLite rolls back the whole transaction if the disk is full.
    if result.is_err() && !db.is_autocommit() {
        db.prepare_cached("ROLLBACK TO job")?.execute([])?;
    }
    if !db.is_autocommit() {
        db.prepare_cached("RELEASE job")?.execute([])?;
    }
    result
}

fn run(db: &Sqlite, queue: &Receiver<Job>) {
    db.set_prepared_statement_cache_capacity(64);
    while let Ok(first) = queue.recv() {
        if let Err(why) = db.execute_batch("BEGIN IMMEDIATE").map_err(rows::fault) {
            first(Err(why.clone()))(Err(why));
            continue;
        }
        let mut replies = Vec::new();
        let mut next = Some(first);
        while let Some(job) = next.take() {
            replies.push(job(Ok(db)));
            if replies.len() < TOGETHER && !db.is_autocommit() {
                next = queue.try_recv().ok();
            }
        }
        let committed = match db.is_autocommit() {
            true => Err(StoreFault::Unavailable("the transaction was given up".into())),
            false => db.execute_batch("COMMIT").map_err(rows::fault),
        };
        if committed.is_err() && !db.is_autocommit() {
            let _ = db.execute_batch("ROLLBACK");
        }
        for reply in replies {
            reply(committed.clone());
        }
    }
}

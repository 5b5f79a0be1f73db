//! Read-only connections, one per read at the same time. A few are kept with their prepared statements.

use std::{
    future,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use rusqlite::{Connection as Sqlite, OpenFlags};

use super::rows;
use crate::{
    deadlines::DATABASE_WAITS,
    service::store::{Answer, StoreFault},
};

/// Idle connections that are kept.
const KEPT: usize = 4;
/// The cache of a connection in KiB, enough for the inner pages of a million rows.
const CACHE: i32 = 8 * 1024;

pub struct Pool {
    path: PathBuf,
    idle: Mutex<Vec<Sqlite>>,
}

impl Pool {
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Mutex::new(Vec::new()) }
    }

    /// Returns with the result: a read by key is faster than passing it to another thread.
    pub fn read<'a, T: Send + 'a>(&self, work: impl FnOnce(&Sqlite) -> rusqlite::Result<T>) -> Answer<'a, T> {
        Box::pin(future::ready(self.now(work)))
    }

    fn now<T>(&self, work: impl FnOnce(&Sqlite) -> rusqlite::Result<T>) -> Result<T, StoreFault> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let db = idle.map_or_else(|| self.open(), Ok).map_err(rows::fault)?;
        let found = work(&db);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // After an error the connection may refer to a file that was replaced.
        if found.is_ok() && idle.len() < KEPT {
            idle.push(db);
        }
        drop(idle);
        found.map_err(rows::fault)
    }

    fn open(&self) -> rusqlite::Result<Sqlite> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Sqlite::open_with_flags(&self.path, flags)?;
        db.busy_timeout(DATABASE_WAITS)?;
        db.pragma_update(None, "cache_size", -CACHE)?;
        Ok(db)
    }
}

//! The embedded database of the service: SQLite behind [`Store`].
//!
//! Reads run at once, on connections of their own. Writes go through one thread, which commits waiting ones together.
//! Only the owner can read the file (0600). A kernel lock in the directory `<file>.node` prevents a second service;
//! tools may open the file beside a running service.

mod connections;
mod flows;
mod pool;
mod refreshes;
mod rows;
mod schema;
mod sealing;
mod writer;

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use rusqlite::{Connection as Sqlite, OpenFlags};

use self::{pool::Pool, writer::Writer};
use super::{
    lock::{self, Held},
    private_files::PrivateFiles,
};
use crate::{
    deadlines::DATABASE_WAITS,
    service::{
        keys::{KeyId, Sealed},
        store::{
            Answer, Connection, ConnectionId, FailedRefresh, Flow, FlowId, Lease, LeaseAnswer, NewConnection, Page,
            Put, PutFlow, RefreshedTokens, Resealed, Store, StoreFault, Taken, Written,
        },
    },
    vault::{Exposure, GrantKey, Owner, StoreError},
};

pub use schema::VERSION;

const LOCK: &str = "lock";

/// Why the database was not opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Fault(#[from] StoreFault),
    #[error(transparent)]
    File(#[from] StoreError),
    /// The file does not exist, and this program does not create it.
    #[error("there is no database at {}", .0.display())]
    Missing(PathBuf),
    /// Made by a newer version.
    #[error("the database was made by a newer loopin (schema {found}; this one knows {VERSION})")]
    Newer { found: u32 },
    /// Another service uses it.
    #[error("another loopin serve uses {}", .0.display())]
    Taken(PathBuf),
}

/// The files of this machine beside the database: the lock and the journals of refreshes.
pub struct Node {
    files: PrivateFiles,
    _lock: Held,
}

impl Node {
    /// Called by the service before anything else.
    ///
    /// # Errors
    /// Another service uses the database, or the directory cannot be created.
    pub fn take(database: &Path) -> Result<Self, OpenError> {
        let mut directory = database.as_os_str().to_owned();
        directory.push(".node");
        let files = PrivateFiles::at(directory.into());
        match lock::take(&files, LOCK)? {
            Some(lock) => Ok(Self { files, _lock: lock }),
            None => Err(OpenError::Taken(database.to_owned())),
        }
    }

    pub fn into_parts(self) -> (PrivateFiles, Held) {
        (self.files, self._lock)
    }
}

/// The id of a key, its proof, and the number of rows that it has encrypted.
pub type KnownKey = (KeyId, Sealed, u64);

/// An open database.
pub struct Database {
    readers: Pool,
    writer: Writer,
}

impl Database {
    /// Reads which keys the database knows and how many rows each has, without changing a byte. `None`: there is no
    /// database, or an empty one.
    ///
    /// # Errors
    /// The file cannot be read, or a newer version made it.
    pub fn look(path: &Path) -> Result<Option<Vec<KnownKey>>, OpenError> {
        if !present(path)? {
            return Ok(None);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Sqlite::open_with_flags(path, flags).map_err(rows::fault)?;
        db.busy_timeout(DATABASE_WAITS).map_err(rows::fault)?;
        match schema::version(&db).map_err(rows::fault)? {
            0 => Ok(None),
            found if found > VERSION => Err(OpenError::Newer { found }),
            _ => Ok(Some(sealing::checks_and_counts(&db).map_err(rows::fault)?)),
        }
    }

    /// Creates the database if there is none, and migrates its schema.
    ///
    /// # Errors
    /// The file cannot be opened, or a newer version made it.
    pub fn open_or_make(path: &Path) -> Result<Self, OpenError> {
        match present(path)? {
            true => owned(path)?,
            false => make(path)?,
        }
        let mut db = open(path)?;
        db.pragma_update(None, "journal_mode", "wal").map_err(rows::fault)?;
        schema::migrate(&mut db)?;
        Ok(Self { readers: Pool::new(path), writer: Writer::start(db)? })
    }

    /// Opens an existing database, for tools that run beside the service.
    ///
    /// # Errors
    /// There is none, or its schema has another version.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        if !present(path)? {
            return Err(OpenError::Missing(path.to_owned()));
        }
        let db = open(path)?;
        match schema::version(&db).map_err(rows::fault)? {
            VERSION => Ok(Self { readers: Pool::new(path), writer: Writer::start(db)? }),
            found if found > VERSION => Err(OpenError::Newer { found }),
            found => Err(OpenError::Fault(StoreFault::Broken(format!(
                "its schema is {found} and this program's {VERSION}: run loopin serve migrate"
            )))),
        }
    }
}

/// Whether the file exists. Only its owner may have access to it.
fn present(path: &Path) -> Result<bool, StoreError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => {
            Err(StoreError::Exposed { path: path.to_owned(), why: Exposure::NotRegular })
        }
        Ok(metadata) => exposure(&metadata).map_or(Ok(true), |why| Err(StoreError::Exposed { path: path.into(), why })),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::File { path: path.to_owned(), why: error.kind().to_string() }),
    }
}

#[cfg(unix)]
fn exposure(metadata: &fs::Metadata) -> Option<Exposure> {
    use std::os::unix::fs::MetadataExt;

    use crate::vault::Rights;
    let (mode, rights) = (metadata.mode() & 0o7777, Rights::OwnerOnly);
    rights.exceeded_by(mode).then_some(Exposure::Mode { mode, rights })
}

#[cfg(not(unix))]
fn exposure(_: &fs::Metadata) -> Option<Exposure> {
    None
}

/// A service writes to a database of its own user only: another owner could delete rows or restore old ones. Tools do
/// not check this, so that root can run them on the database of a service.
#[cfg(unix)]
fn owned(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::MetadataExt;
    let failed = |e: std::io::Error| StoreError::File { path: path.to_owned(), why: e.kind().to_string() };
    match fs::symlink_metadata(path).map_err(failed)?.uid() == nix::unistd::geteuid().as_raw() {
        true => Ok(()),
        false => Err(StoreError::Exposed { path: path.to_owned(), why: Exposure::OtherOwner }),
    }
}

#[cfg(not(unix))]
fn owned(_: &Path) -> Result<(), StoreError> {
    Ok(())
}

/// SQLite creates its other files with the same mode.
fn make(path: &Path) -> Result<(), StoreError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let made = options.open(path);
    made.map(drop).map_err(|e| StoreError::File { path: path.to_owned(), why: e.kind().to_string() })
}

fn open(path: &Path) -> Result<Sqlite, StoreFault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Sqlite::open_with_flags(path, flags).map_err(rows::fault)?;
    db.busy_timeout(DATABASE_WAITS).map_err(rows::fault)?;
    // FULL: once a new refresh token counts as stored it must survive a power cut, because the old one is used up.
    for (name, value) in [("synchronous", 2), ("cache_size", -2048), ("journal_size_limit", 64 << 20)] {
        db.pragma_update(None, name, value).map_err(rows::fault)?;
    }
    Ok(db)
}

impl Store for Database {
    fn put_flow(&self, flow: Flow, most: u32, now: SystemTime) -> Answer<'_, PutFlow> {
        self.writer.write(move |db| flows::put(db, &flow, most, now))
    }

    fn take_flow<'a>(&'a self, id: FlowId, integration: &'a str, now: SystemTime) -> Answer<'a, Taken> {
        let integration = integration.to_owned();
        self.writer.write(move |db| flows::take(db, id, &integration, now))
    }

    fn sweep_flows(&self, most: u32, now: SystemTime) -> Answer<'_, u32> {
        self.writer.write(move |db| flows::sweep(db, most, now))
    }

    fn connection<'a>(&'a self, key: &'a GrantKey) -> Answer<'a, Option<Connection>> {
        self.readers.read(|db| connections::by_key(db, key))
    }

    fn connection_by_id<'a>(&'a self, id: ConnectionId, owner: &'a Owner) -> Answer<'a, Option<Connection>> {
        self.readers.read(|db| connections::by_id(db, id, owner))
    }

    fn connections<'a>(&'a self, page: Page<'a>) -> Answer<'a, Vec<Connection>> {
        self.readers.read(|db| connections::page(db, page))
    }

    fn put_connection(&self, new: NewConnection, now: SystemTime) -> Answer<'_, Put> {
        self.writer.write(move |db| connections::put(db, &new, now))
    }

    fn delete_connection<'a>(&'a self, id: ConnectionId, owner: &'a Owner) -> Answer<'a, Option<Connection>> {
        let owner = owner.clone();
        self.writer.write(move |db| connections::delete(db, id, &owner))
    }

    fn touch(&self, ids: Vec<ConnectionId>, now: SystemTime) -> Answer<'_, ()> {
        self.writer.write(move |db| connections::touch(db, &ids, now))
    }

    fn lease(&self, lease: Lease, now: SystemTime) -> Answer<'_, LeaseAnswer> {
        self.writer.write(move |db| refreshes::lease(db, &lease, now))
    }

    fn store_refreshed(&self, tokens: RefreshedTokens, _: SystemTime) -> Answer<'_, Written> {
        self.writer.write(move |db| refreshes::store_refreshed(db, &tokens))
    }

    fn note_failed_refresh(&self, failed: FailedRefresh) -> Answer<'_, Written> {
        self.writer.write(move |db| refreshes::note_failed_refresh(db, &failed))
    }

    fn recover(&self) -> Answer<'_, Vec<GrantKey>> {
        self.writer.write(refreshes::recover)
    }

    fn due(&self, used_since: SystemTime, most: u32, now: SystemTime) -> Answer<'_, Vec<GrantKey>> {
        self.readers.read(|db| refreshes::due(db, used_since, most, now))
    }

    fn key_counts(&self) -> Answer<'_, Vec<(KeyId, u64)>> {
        self.readers.read(sealing::counts)
    }

    fn sealed_with<'a>(
        &'a self,
        key: &'a KeyId,
        after: Option<ConnectionId>,
        most: u32,
    ) -> Answer<'a, Vec<Connection>> {
        self.readers.read(|db| sealing::sealed_with(db, key, after, most))
    }

    fn reseal(&self, resealed: Vec<Resealed>) -> Answer<'_, u32> {
        self.writer.write(move |db| sealing::reseal(db, &resealed))
    }

    fn key_checks(&self) -> Answer<'_, Vec<(KeyId, Sealed)>> {
        self.readers.read(sealing::checks)
    }

    fn set_key_check(&self, key: KeyId, check: Option<Sealed>) -> Answer<'_, ()> {
        self.writer.write(move |db| sealing::set_check(db, &key, check.as_ref()))
    }

    fn ready(&self) -> Answer<'_, ()> {
        self.writer.write(|db| db.query_row("SELECT 1 FROM schema_version", [], |_| Ok(())))
    }
}

#[cfg(test)]
mod tests;

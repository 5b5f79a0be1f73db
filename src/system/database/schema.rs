//! Numbered migrations, and the version in the database.

use rusqlite::{Connection as Sqlite, OptionalExtension, Transaction, TransactionBehavior};

use super::{OpenError, rows};

/// The statements of each migration, in order: the first makes schema 1.
const MIGRATIONS: [&str; 4] =
    [include_str!("0001.sql"), include_str!("0002.sql"), include_str!("0003.sql"), include_str!("0004.sql")];

/// The schema version of this program.
pub const VERSION: u32 = MIGRATIONS.len() as u32;

/// The schema version of the database; 0: no table of this program.
pub fn version(db: &Sqlite) -> rusqlite::Result<u32> {
    let table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'";
    if db.query_row(table, [], |_| Ok(())).optional()?.is_none() {
        return Ok(0);
    }
    db.query_row("SELECT max(version) FROM schema_version", [], |row| row.get::<_, Option<u32>>(0))
        .map(Option::unwrap_or_default)
}

/// Each migration is one transaction, including its version.
pub fn migrate(db: &mut Sqlite) -> Result<(), OpenError> {
    loop {
        let step = Transaction::new(db, TransactionBehavior::Immediate).map_err(rows::fault)?;
        let found = version(&step).map_err(rows::fault)?;
        if found > VERSION {
            return Err(OpenError::Newer { found });
        }
        let Some(migration) = MIGRATIONS.get(found as usize) else { return Ok(()) };
        let applied = || -> rusqlite::Result<()> {
            step.execute_batch("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT")?;
            step.execute_batch(migration)?;
            step.execute("INSERT INTO schema_version (version) VALUES (?1)", [found + 1])?;
            Ok(())
        };
        applied().map_err(rows::fault)?;
        step.commit().map_err(rows::fault)?;
    }
}

//! A file that the user names on the command line, limited in size.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Why a file was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamedFileError {
    #[error("{} is longer than {limit} bytes", .path.display())]
    TooLong { path: PathBuf, limit: usize },
    #[error("{} cannot be read: {why}", .path.display())]
    Unreadable { path: PathBuf, why: io::ErrorKind },
}

/// # Errors
/// It cannot be read, or is longer than `limit` bytes.
pub fn read(path: &Path, limit: usize) -> Result<Vec<u8>, NamedFileError> {
    let whole = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        // One byte more than is allowed tells that there is more.
        File::open(path)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match whole() {
        Ok(bytes) if bytes.len() > limit => Err(NamedFileError::TooLong { path: path.to_owned(), limit }),
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(NamedFileError::Unreadable { path: path.to_owned(), why: error.kind() }),
    }
}

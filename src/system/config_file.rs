//! The configuration file: read whole, replaced atomically, its link and its mode kept.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

/// The text; empty if there is no file yet.
///
/// # Errors
/// It is there and cannot be read as text.
pub fn read(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        other => other,
    }
}

/// The text of a file that somebody named.
///
/// # Errors
/// It cannot be read as text.
pub fn read_existing(path: &Path) -> io::Result<String> {
    fs::read_to_string(path)
}

/// # Errors
/// Nothing was changed.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    // People keep their configuration elsewhere and link to it: the link stays.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let directory = target.parent().map_or_else(|| PathBuf::from("."), Path::to_owned);
    fs::create_dir_all(&directory)?;
    let temporary = directory.join(format!(".config.toml.{}.tmp", std::process::id()));
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        if let Ok(metadata) = fs::metadata(&target) {
            file.set_permissions(metadata.permissions())?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, &target)
    };
    write().inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })
}

/// Makes a file of random bytes that only its owner may read. An existing one is left as it is.
///
/// # Errors
/// It is not there and cannot be made.
pub fn make_key(path: &Path, key: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(mut file) => file.write_all(key).and_then(|()| file.sync_all()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

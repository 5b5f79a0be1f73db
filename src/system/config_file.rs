//! The configuration file: read as a whole, replaced atomically. A link to it, its owner and its mode are kept. A new file
//! is readable by its owner only, whatever the umask.
#![deny(clippy::let_underscore_must_use)]

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use super::{
    entropy,
    trusted_file::{self, Content},
};
use crate::vault::StoreError;

/// Why a file in this encoding is no configuration: some editors of Windows write it.
pub const NOT_UTF8_BUT_UTF16: &str = "the text is UTF-16, and TOML is UTF-8";

const NOT_UTF8: &str = "the text is not UTF-8, as TOML is";

/// Symbolic links that are followed one after another, as on Linux (path_resolution(7)).
const LINKS: u32 = 40;

/// Reads the file, if it exists.
///
/// # Errors
/// The file cannot be read as text, or others may change it.
pub fn read(path: &Path) -> Result<Option<String>, StoreError> {
    let bytes = trusted_file::read_if_present(path, Content::Public)?;
    let text = bytes.map(|bytes| {
        let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) || bytes.contains(&0);
        String::from_utf8(bytes).ok().filter(|_| !utf16).ok_or_else(|| StoreError::File {
            path: path.to_owned(),
            why: if utf16 { NOT_UTF8_BUT_UTF16 } else { NOT_UTF8 }.to_owned(),
        })
    });
    text.transpose()
}

/// # Errors
/// Nothing was changed.
pub fn replace(path: &Path, text: &str) -> Result<(), StoreError> {
    let target = followed(path)?;
    let directory = directory_of(&target);
    make_directories(&directory)?;
    let chance = u64::from_be_bytes(entropy::random()?);
    let temporary = directory.join(format!(".config.toml.{chance:016x}.tmp"));
    let unwritten = |error: io::Error| failed(&target, error.kind());
    let write = || {
        let file = create(&temporary).map_err(unwritten)?;
        imp::take_over(&file, &target, &directory)?;
        finish(file, text.as_bytes()).and_then(|()| fs::rename(&temporary, &target)).map_err(unwritten)
    };
    write().map_err(|why| match fs::remove_file(&temporary) {
        Err(left) if left.kind() != ErrorKind::NotFound => failed(&temporary, left.kind()),
        _ => why,
    })
}

/// Creates a file of random bytes that only its owner may read. An existing one stays as it is.
///
/// # Errors
/// The file does not exist and cannot be created.
pub fn make_key(path: &Path, key: &[u8]) -> Result<(), StoreError> {
    let directory = directory_of(path);
    make_directories(&directory)?;
    let made = match create(path) {
        Ok(file) => imp::give(&file, &directory).and_then(|()| finish(file, key)),
        // Stored grants depend on an existing file.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    };
    made.map_err(|error| failed(path, error.kind()))
}

/// Users keep their configuration elsewhere and link to it: the link stays, and its target is replaced, or made if it is
/// not there yet.
fn followed(path: &Path) -> Result<PathBuf, StoreError> {
    let mut target = path.to_owned();
    for _ in 0..LINKS {
        match fs::canonicalize(&target) {
            Ok(found) => return Ok(found),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(path, error.kind())),
        }
        match fs::read_link(&target) {
            Ok(next) => target = directory_of(&target).join(next),
            // No link, or nothing at all.
            Err(_) => return Ok(target),
        }
    }
    Err(StoreError::File { path: path.to_owned(), why: "too many symbolic links".into() })
}

fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Creates missing directories, for their owner only.
fn make_directories(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = directory_of(path);
    make_directories(&parent)?;
    match imp::make_directory(path, &parent) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(failed(path, error.kind())),
        _ => Ok(()),
    }
}

/// A new empty file, for its owner only.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn finish(mut file: File, content: &[u8]) -> io::Result<()> {
    file.write_all(content)?;
    file.sync_all()
}

fn failed(path: &Path, kind: ErrorKind) -> StoreError {
    StoreError::File { path: path.to_owned(), why: kind.to_string() }
}

#[cfg(not(unix))]
use plain as imp;
#[cfg(unix)]
use unix as imp;

#[cfg(unix)]
mod unix {
    use std::{
        fs::{self, File, Permissions},
        io::{self, ErrorKind},
        os::unix::fs::{MetadataExt, PermissionsExt, fchown},
        path::Path,
    };

    use nix::{
        fcntl::{OFlag, openat},
        sys::stat::{Mode, mkdirat},
    };

    use super::failed;
    use crate::{
        system::trusted_file::home_owner,
        vault::{Exposure, StoreError},
    };

    /// Gives the new file the owner and mode of the file that it replaces, or the defaults.
    pub fn take_over(file: &File, target: &Path, directory: &Path) -> Result<(), StoreError> {
        let unwritten = |error: io::Error| failed(target, error.kind());
        let (old, new) = match fs::metadata(target) {
            Ok(old) => (old, file.metadata().map_err(unwritten)?),
            Err(error) if error.kind() == ErrorKind::NotFound => return give(file, directory).map_err(unwritten),
            Err(error) => return Err(unwritten(error)),
        };
        if old.uid() != new.uid() {
            // Only root can change the owner. Without this, root's file would become the user's.
            let why = Exposure::OtherOwner;
            fchown(file, Some(old.uid()), None).map_err(|_| StoreError::Exposed { path: target.to_owned(), why })?;
        }
        let mut mode = old.mode() & 0o777;
        if old.gid() != new.gid() && fchown(file, None, Some(old.gid())).is_err() {
            // The new file's group must not get the rights that the old one had.
            mode &= 0o707;
        }
        file.set_permissions(Permissions::from_mode(mode)).map_err(unwritten)
    }

    /// A new file, for its owner only. If root runs this program in the home of another user, that user is the owner.
    pub fn give(file: &File, directory: &Path) -> io::Result<()> {
        let directory = fs::metadata(directory)?;
        if home_owner().is_some_and(|user| user.as_raw() == directory.uid()) {
            fchown(file, Some(directory.uid()), Some(directory.gid()))?;
        }
        file.set_permissions(Permissions::from_mode(0o600))
    }

    pub fn make_directory(path: &Path, parent: &Path) -> io::Result<()> {
        let Some(name) = path.file_name() else { return Err(ErrorKind::InvalidInput.into()) };
        // Relative to the open directory: root must not change the owner of a file in a swapped directory.
        let parent = File::open(parent)?;
        mkdirat(&parent, name, Mode::S_IRWXU)?;
        let about = parent.metadata()?;
        if home_owner().is_some_and(|user| user.as_raw() == about.uid()) {
            let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
            let made = openat(&parent, name, flags, Mode::empty())?;
            fchown(&made, Some(about.uid()), Some(about.gid()))?;
        }
        Ok(())
    }
}

#[cfg(not(unix))]
mod plain {
    use std::{
        fs::{self, File},
        io,
        path::Path,
    };

    use super::failed;
    use crate::vault::StoreError;

    pub fn take_over(file: &File, target: &Path, _: &Path) -> Result<(), StoreError> {
        let kept = match fs::metadata(target) {
            Ok(old) => file.set_permissions(old.permissions()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        };
        kept.map_err(|error| failed(target, error.kind()))
    }

    pub fn give(_: &File, _: &Path) -> io::Result<()> {
        Ok(())
    }

    pub fn make_directory(path: &Path, _: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }
}

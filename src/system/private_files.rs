//! A directory of private files: readable by their owner only, never reached through a link, replaced atomically.
//!
//! On Unix every access goes through the open directory (openat, O_NOFOLLOW), so that nothing can be swapped between
//! check and use. On other systems the access rights of the profile directory protect the files.
#![deny(clippy::let_underscore_must_use)]

use std::path::{Path, PathBuf};

#[cfg(not(unix))]
use plain as imp;
#[cfg(unix)]
use unix as imp;

use crate::{
    secret::Secret,
    system::{entropy, trusted_file},
    vault::{StateFiles, StoreError},
};

/// Largest file that is read, in bytes.
const LONGEST: u64 = 4 * 1024 * 1024;

pub struct PrivateFiles {
    path: PathBuf,
}

impl PrivateFiles {
    /// The directory is created when it is first needed.
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens or creates a file for a lock. It is never read, renamed or removed.
    ///
    /// # Errors
    /// The file cannot be created, or others have access to it.
    pub fn lock_file(&self, name: &str) -> Result<std::fs::File, StoreError> {
        imp::Directory::open_or_make(&self.path)?.lock_file(name)
    }

    /// Renames a damaged file, so that it can be examined.
    pub fn put_aside(&self, name: &str) -> Option<PathBuf> {
        let aside = format!("{name}.damaged");
        let directory = imp::Directory::open(&self.path).ok()??;
        directory.rename(name, &aside).ok()?;
        Some(self.path.join(aside))
    }
}

impl StateFiles for PrivateFiles {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match imp::Directory::open(&self.path)? {
            Some(directory) => directory.read(name),
            None => Ok(None),
        }
    }

    fn replace(&self, name: &str, content: &[u8]) -> Result<(), StoreError> {
        let directory = imp::Directory::open_or_make(&self.path)?;
        directory.replace(name, &temporary(name)?, content)
    }

    fn overwrite(&self, name: &str, at: usize, content: &[u8]) -> Result<(), StoreError> {
        match imp::Directory::open(&self.path)? {
            Some(directory) => directory.overwrite(name, at as u64, content),
            None => Err(file_error(&self.path.join(name), &std::io::ErrorKind::NotFound.into())),
        }
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        match imp::Directory::open(&self.path)? {
            Some(directory) => directory.remove(name),
            None => Ok(()),
        }
    }

    fn list(&self, suffix: &str) -> Result<Vec<String>, StoreError> {
        let entries = match std::fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(file_error(&self.path, &error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            // A name that is not UTF-8 is not one of this program.
            let Ok(name) = entry.map_err(|error| file_error(&self.path, &error))?.file_name().into_string() else {
                continue;
            };
            if name.ends_with(suffix) && !name.starts_with('.') {
                names.push(name);
            }
        }
        Ok(names)
    }
}

/// Writes a private file anywhere, for another program to read. A reader sees the old or the new content.
///
/// # Errors
/// The directory is missing, or the existing file is not private.
pub fn write_private(path: &Path, content: &Secret) -> Result<(), StoreError> {
    let (directory, name) = place(path)?;
    directory.replace(name, &temporary(name)?, content.expose().as_bytes())
}

fn place(path: &Path) -> Result<(imp::Directory, &str), StoreError> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name().and_then(|n| n.to_str())) else {
        return Err(missing(path));
    };
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let directory = imp::Directory::open_any(parent)?.ok_or_else(|| missing(path))?;
    Ok((directory, name))
}

fn missing(path: &Path) -> StoreError {
    StoreError::File { path: path.to_owned(), why: trusted_file::MISSING.into() }
}

/// A unique name beside the file that it will replace.
fn temporary(name: &str) -> Result<String, StoreError> {
    let chance = entropy::random::<8>()?;
    Ok(format!(".{name}.{:016x}.tmp", u64::from_be_bytes(chance)))
}

/// A write failed, and its temporary file could not be removed: it may contain a part of a secret.
fn left_behind(temporary: PathBuf, why: &str, failed: &StoreError) -> StoreError {
    StoreError::File {
        path: temporary,
        why: format!(
            "remove this file, which may hold part of a secret: loopin could not ({why}) after a failed write ({failed})"
        ),
    }
}

fn file_error(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::File { path: path.to_owned(), why: error.kind().to_string() }
}

#[cfg(unix)]
mod unix {
    use std::{
        fs::{File, Metadata},
        io::{Read, Write},
        os::unix::fs::{FileExt, MetadataExt},
        path::{Path, PathBuf},
    };

    use nix::{
        errno::Errno,
        fcntl::{OFlag, open, openat, renameat},
        sys::stat::Mode,
        unistd::{UnlinkatFlags, geteuid, unlinkat},
    };

    use super::{LONGEST, file_error, left_behind};
    use crate::{
        system::uninterrupted::uninterrupted,
        vault::{Exposure, Rights, StoreError},
    };

    pub struct Directory {
        fd: File,
        path: PathBuf,
    }

    impl Directory {
        pub fn open_or_make(path: &Path) -> Result<Self, StoreError> {
            use std::os::unix::fs::DirBuilderExt;
            if let Some(directory) = Self::open(path)? {
                return Ok(directory);
            }
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|e| file_error(path, &e))?;
            Self::open(path)?.ok_or_else(|| error(path, Errno::ENOENT))
        }

        /// Checks that a directory is private and no link.
        pub fn open(path: &Path) -> Result<Option<Self>, StoreError> {
            let Some(directory) = Self::open_any(path)? else { return Ok(None) };
            let metadata = directory.fd.metadata().map_err(|e| file_error(path, &e))?;
            match exposure(&metadata) {
                Some(why) => Err(StoreError::Exposed { path: path.to_owned(), why }),
                None => Ok(Some(directory)),
            }
        }

        pub fn open_any(path: &Path) -> Result<Option<Self>, StoreError> {
            let flags = OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
            match open(path, flags, Mode::empty()) {
                Ok(fd) => Ok(Some(Self { fd: fd.into(), path: path.to_owned() })),
                Err(Errno::ENOENT) => Ok(None),
                Err(Errno::ENOTDIR) => Err(StoreError::Exposed { path: path.to_owned(), why: Exposure::NotRegular }),
                Err(e) => Err(error(path, e)),
            }
        }

        pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
            let path = self.path.join(name);
            // O_NONBLOCK: opening a pipe instead of a file must not block.
            let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
            let Some(file) = self.open_checked(name, flags)? else { return Ok(None) };
            let mut content = Vec::new();
            file.take(LONGEST).read_to_end(&mut content).map_err(|e| file_error(&path, &e))?;
            Ok(Some(content))
        }

        pub fn replace(&self, name: &str, temporary: &str, content: &[u8]) -> Result<(), StoreError> {
            let path = self.path.join(name);
            // An existing file must be private before it is replaced: a link may be a trap.
            self.open_checked(name, OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC)?;
            let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            let fd = openat(&self.fd, temporary, flags, Mode::S_IRUSR | Mode::S_IWUSR).map_err(|e| error(&path, e))?;
            let mut file = File::from(fd);
            let written = file.write_all(content).and_then(|()| file.sync_all()).map_err(|e| file_error(&path, &e));
            let renamed =
                written.and_then(|()| renameat(&self.fd, temporary, &self.fd, name).map_err(|e| error(&path, e)));
            if let Err(why) = renamed {
                let removed = unlinkat(&self.fd, temporary, UnlinkatFlags::NoRemoveDir);
                return Err(match removed {
                    Ok(()) => why,
                    Err(e) => left_behind(self.path.join(temporary), e.desc(), &why),
                });
            }
            uninterrupted(|| Ok(nix::unistd::fsync(&self.fd)?)).map_err(|e| file_error(&path, &e))
        }

        pub fn overwrite(&self, name: &str, at: u64, content: &[u8]) -> Result<(), StoreError> {
            let path = self.path.join(name);
            let flags = OFlag::O_WRONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
            let file = self.open_checked(name, flags)?.ok_or_else(|| error(&path, Errno::ENOENT))?;
            file.write_all_at(content, at).and_then(|()| file.sync_data()).map_err(|e| file_error(&path, &e))
        }

        pub fn remove(&self, name: &str) -> Result<(), StoreError> {
            match unlinkat(&self.fd, name, UnlinkatFlags::NoRemoveDir) {
                Ok(()) | Err(Errno::ENOENT) => Ok(()),
                Err(e) => Err(error(&self.path.join(name), e)),
            }
        }

        pub fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
            renameat(&self.fd, from, &self.fd, to).map_err(|e| error(&self.path.join(from), e))
        }

        pub fn lock_file(&self, name: &str) -> Result<File, StoreError> {
            let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
            let file = self.open_checked(name, flags)?.ok_or_else(|| error(&self.path.join(name), Errno::ENOENT))?;
            match on_nfs(&file) {
                true => Err(StoreError::NetworkFileSystem { path: self.path.clone() }),
                false => Ok(file),
            }
        }

        fn open_checked(&self, name: &str, flags: OFlag) -> Result<Option<File>, StoreError> {
            let path = self.path.join(name);
            let exposed = |why| Err(StoreError::Exposed { path: path.clone(), why });
            let fd = match openat(&self.fd, name, flags, Mode::S_IRUSR | Mode::S_IWUSR) {
                Ok(fd) => fd,
                Err(Errno::ENOENT) => return Ok(None),
                Err(Errno::ELOOP) => return exposed(Exposure::Symlink),
                Err(Errno::ENXIO) => return exposed(Exposure::NotRegular),
                Err(e) => return Err(error(&path, e)),
            };
            let file = File::from(fd);
            let metadata = file.metadata().map_err(|e| file_error(&path, &e))?;
            if !metadata.is_file() {
                return exposed(Exposure::NotRegular);
            }
            if metadata.nlink() > 1 {
                return exposed(Exposure::SeveralLinks);
            }
            match exposure(&metadata) {
                Some(why) => exposed(why),
                None => Ok(Some(file)),
            }
        }
    }

    #[cfg(target_os = "linux")]
    fn on_nfs(file: &File) -> bool {
        use nix::sys::statfs::{NFS_SUPER_MAGIC, fstatfs};
        fstatfs(file).is_ok_and(|about| about.filesystem_type() == NFS_SUPER_MAGIC)
    }

    #[cfg(not(target_os = "linux"))]
    fn on_nfs(_: &File) -> bool {
        false
    }

    fn exposure(metadata: &Metadata) -> Option<Exposure> {
        let mode = metadata.mode() & 0o7777;
        match metadata.uid() == geteuid().as_raw() {
            false => Some(Exposure::OtherOwner),
            true => Rights::OwnerOnly.exceeded_by(mode).then_some(Exposure::Mode { mode, rights: Rights::OwnerOnly }),
        }
    }

    fn error(path: &Path, errno: Errno) -> StoreError {
        StoreError::File { path: path.to_owned(), why: errno.desc().to_lowercase() }
    }
}

#[cfg(not(unix))]
mod plain {
    use std::{
        fs::{self, File, OpenOptions},
        io::{ErrorKind, Read, Seek, SeekFrom, Write},
        path::{Path, PathBuf},
    };

    use super::{LONGEST, file_error, left_behind};
    use crate::vault::StoreError;

    pub struct Directory(PathBuf);

    impl Directory {
        pub fn open_or_make(path: &Path) -> Result<Self, StoreError> {
            fs::create_dir_all(path).map_err(|e| file_error(path, &e))?;
            Ok(Self(path.to_owned()))
        }

        pub fn open(path: &Path) -> Result<Option<Self>, StoreError> {
            Ok(path.is_dir().then(|| Self(path.to_owned())))
        }

        pub fn open_any(path: &Path) -> Result<Option<Self>, StoreError> {
            Self::open(path)
        }

        pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
            let path = self.0.join(name);
            let mut content = Vec::new();
            match File::open(&path).and_then(|file| file.take(LONGEST).read_to_end(&mut content)) {
                Ok(_) => Ok(Some(content)),
                Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
                Err(e) => Err(file_error(&path, &e)),
            }
        }

        pub fn replace(&self, name: &str, temporary: &str, content: &[u8]) -> Result<(), StoreError> {
            let (path, temporary) = (self.0.join(name), self.0.join(temporary));
            let write = || -> std::io::Result<()> {
                let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
                file.write_all(content)?;
                file.sync_all()?;
                fs::rename(&temporary, &path)
            };
            write().map_err(|e| {
                let why = file_error(&path, &e);
                match fs::remove_file(&temporary) {
                    Ok(()) => why,
                    Err(e) => left_behind(temporary.clone(), &e.kind().to_string(), &why),
                }
            })
        }

        pub fn overwrite(&self, name: &str, at: u64, content: &[u8]) -> Result<(), StoreError> {
            let path = self.0.join(name);
            let write = || -> std::io::Result<()> {
                let mut file = OpenOptions::new().write(true).open(&path)?;
                file.seek(SeekFrom::Start(at))?;
                file.write_all(content)?;
                file.sync_data()
            };
            write().map_err(|e| file_error(&path, &e))
        }

        pub fn remove(&self, name: &str) -> Result<(), StoreError> {
            let path = self.0.join(name);
            match fs::remove_file(&path) {
                Err(e) if e.kind() != ErrorKind::NotFound => Err(file_error(&path, &e)),
                _ => Ok(()),
            }
        }

        pub fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
            fs::rename(self.0.join(from), self.0.join(to)).map_err(|e| file_error(&self.0.join(from), &e))
        }

        pub fn lock_file(&self, name: &str) -> Result<File, StoreError> {
            let path = self.0.join(name);
            OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(|e| file_error(&path, &e))
        }
    }
}

#[cfg(all(test, unix))]
mod tests;
